# SPDX-License-Identifier: GPL-2.0
#
# Make a page of a body in HTML:
#
#	awk -v self=PAGE -v source=FILE -f link.awk INDEX BODY
#
# What it says of manual pages and of rules becomes a link to them; and a link to a file
# of the tree, as seen from FILE, one to the page that was made of it, or to a copy.
# INDEX has a thing in each line: "page FILE PAGE", "man NAME(SECTION) PAGE",
# "rule ID PAGE#ID", "file FILE".

$1 == "page" && FILENAME == ARGV[1] { page[$2] = $3; next }
$1 == "man" && FILENAME == ARGV[1] { target[$2] = $3; next }
$1 == "rule" && FILENAME == ARGV[1] { target[$2] = $3; next }
FILENAME == ARGV[1] { is_file[$2] = 1; next }

{ body = body $0 "\n" }

# ---- links that are there ----

# The path $path, as seen from the directory of the source
function resolved(path,	base)
{
	base = source
	if (!sub(/\/[^\/]*$/, "", base))
		base = ""
	while (sub(/^\.\.\//, "", path))
		if (!sub(/\/?[^\/]*$/, "", base))
			break
	return base == "" ? path : base "/" path
}

function rewritten(link,	file, anchor)
{
	if (link ~ /^#/ || link == "")
		return link
	file = anchor = link
	sub(/#.*/, "", file)
	if (!sub(/^[^#]*#/, "#", anchor))
		anchor = ""
	file = resolved(file)
	if (file in page)
		return page[file] anchor
	if (!(file in is_file))
		return link
	return "tree/" file (file ~ /\.(svg|html)$/ ? "" : ".txt") anchor
}

function tag_with_link(tag,	at, before, link)
{
	if (source == "" || !match(tag, / (href|src)="[^"]*"/))
		return tag
	at = RSTART + index(substr(tag, RSTART), "\"")
	before = substr(tag, 1, at - 1)
	link = substr(tag, at)
	tag = link
	sub(/".*/, "", link)
	return before rewritten(link) substr(tag, length(link) + 1)
}

# ---- links that are made ----

# What $word leads to, or "": functions have their pages where they are listed.
function target_of(word)
{
	if (word ~ /[(-]/ || (word in target && source ~ /^doc\//))
		return target[word]
	return source == "doc/functions.md" ? target[word "(3)"] : ""
}

function text_with_links(text,	done, word, to)
{
	done = ""
	while (match(text, /[A-Za-z_][A-Za-z0-9_-]*(\([1347]\))?/)) {
		word = substr(text, RSTART, RLENGTH)
		done = done substr(text, 1, RSTART - 1)
		text = substr(text, RSTART + RLENGTH)
		to = target_of(word)
		if (to != "" && to != self)
			word = "<a href=\"" to "\">" word "</a>"
		done = done word
	}
	return done text
}

# Name and section of a manual page are in two places in mandoc's.
function joined(text)
{
	while (match(text, /<(b|i)>[A-Za-z0-9_-]+<\/(b|i)>\([1347]\)/))
		text = substr(text, 1, RSTART - 1) \
			swapped(substr(text, RSTART, RLENGTH)) \
			substr(text, RSTART + RLENGTH)
	return text
}

function swapped(text,	name)
{
	name = text
	gsub(/<[^>]*>/, "", name)
	return substr(text, 1, 3) name substr(text, 1, 1) "/" substr(text, 2, 2)
}

function with_links(text,	done, before, tag, quiet)
{
	done = ""
	quiet = 0
	while (match(text, /<[^>]*>/)) {
		before = substr(text, 1, RSTART - 1)
		tag = substr(text, RSTART, RLENGTH)
		text = substr(text, RSTART + RLENGTH)
		done = done (quiet ? before : text_with_links(before))
		if (tag ~ /^<(a|h[1-6]|title)[ >]/ || \
		    self == "rules.html" && tag ~ /^<td/)
			quiet++
		if (tag ~ /^<\/(a|h[1-6]|title)>/ || \
		    self == "rules.html" && tag ~ /^<\/td/)
			quiet--
		done = done tag_with_link(tag)
	}
	return done (quiet ? text : text_with_links(text))
}

# ---- the page ----

function plain(html)
{
	gsub(/<[^>]*>/, "", html)
	return html
}

# What is between the first tag h1 and its end
function title_of(html)
{
	match(html, /<h1[^>]*>/)
	html = substr(html, RSTART + RLENGTH)
	return plain(substr(html, 1, index(html, "</h1>") - 1))
}

# Headings of the second order, where a page is long
function contents(html,	list, n, head, id)
{
	while (match(html, /<h2[^>]* id="[^"]*"[^>]*>/)) {
		head = substr(html, RSTART, RLENGTH)
		html = substr(html, RSTART + RLENGTH)
		id = head
		sub(/.* id="/, "", id)
		sub(/".*/, "", id)
		list = list "<li><a href=\"#" id "\">" \
			plain(substr(html, 1, index(html, "</h2>") - 1)) \
			"</a></li>\n"
		n++
	}
	if (n < 4)
		return ""
	return "<nav class=\"contents" (n > 30 ? " long" : "") "\"><ul>\n" \
		list "</ul></nav>\n"
}

END {
	print "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"
	print "<meta name=\"viewport\" content=\"width=device-width\">"
	printf "<title>%s - winregion</title>\n", title_of(body)
	print "<link rel=\"stylesheet\" href=\"style.css\">\n</head>\n<body>"
	print "<nav><a href=\"index.html\">winregion</a>"
	n = split("porting functions mmap performance benchmark security install " \
		"testing history manual interface module rules", name, " ")
	for (i = 1; i <= n; i++)
		printf "<a href=\"%s.html\">%s</a>\n", name[i], name[i]
	print "</nav>\n<main>"
	html = with_links(joined(body))
	at = index(html, "</h1>") + 5
	print substr(html, 1, at - 1) "\n" contents(body) substr(html, at)
	print "</main>\n</body>\n</html>"
}
