# SPDX-License-Identifier: GPL-2.0
#
# Does each source file of the module use only what is below it?
#
#	awk -f layers.awk layers FILE... pass=2 FILE...
#
# The files, their paths below the module's directory, are read twice: first for
# what they define, then for what they include and name. Static functions are
# nobody else's business, and a header may declare what others define.

function complain(text)
{
	if (!(text in told))
		print text
	told[text] = 1
}

# ---- the layers ----

function read_layer(	i, j, n, name)
{
	sub(/#.*/, "")
	if (!NF)
		return
	depth_of_list++
	for (i = 1; i <= NF; i++) {
		rooms++
		n = split($i, name, "+")
		for (j = 1; j <= n; j++) {
			if (name[j] in layer)
				complain(FILENAME ": " name[j] " is there twice")
			layer[name[j]] = depth_of_list
			room[name[j]] = rooms
			where[name[j]] = FILENAME ":" FNR
		}
	}
}

# Of a path, the name in the list: without its suffix, or a directory of its
function listed(path)
{
	sub(/\.[a-z]+$/, "", path)
	while (!(path in layer))
		if (!sub(/\/[^\/]*$/, "", path))
			return ""
	used[path] = 1
	return path
}

# ---- text ----

# The line without comments, strings and characters
function stripped(line,	out, at)
{
	out = ""
	while (line != "") {
		if (in_comment) {
			at = index(line, "*/")
			if (!at)
				return out
			line = substr(line, at + 2)
			in_comment = 0
		} else if (match(line, /\/\*|\/\/|"([^"\\]|\\.)*"|'([^'\\]|\\.)*'/)) {
			out = out substr(line, 1, RSTART - 1) " "
			at = substr(line, RSTART, 2)
			line = substr(line, RSTART + RLENGTH)
			if (at == "//")
				return out
			in_comment = at == "/*"
		} else {
			out = out line
			line = ""
		}
	}
	return out
}

function last_word(text)
{
	gsub(/\[[^]]*\]/, "", text)
	sub(/[^A-Za-z0-9_]+$/, "", text)
	sub(/.*[^A-Za-z0-9_]/, "", text)
	return text
}

# ---- what is defined ----

function define(name)
{
	if (name != "")
		home[name] = me
}

# Outside of all braces. A function's name is known before it is known whether
# this is where it is defined.
function read_outside(line)
{
	if (line ~ /^[{]/) {
		define(candidate)
		candidate = ""
	} else if (line ~ /^(static|extern|typedef|#)/ ||
		   line ~ /^(struct|union|enum) [A-Za-z0-9_]+;/) {
		candidate = ""
	} else if (line ~ /^[A-Za-z_][^=]*\(/) {
		candidate = line
		sub(/\(.*/, "", candidate)
		candidate = last_word(candidate)
		if (line ~ /{$/)
			define(candidate)
	} else if (line ~ /^[A-Za-z_].*[ *][A-Za-z0-9_\[\]]+ = / ||
		   line ~ /^[A-Za-z_].*[ *][A-Za-z0-9_\[\]]+;$/) {
		sub(/( = |;).*/, "", line)
		define(last_word(line))
	}
	if (line ~ /;[ \t]*$/)
		candidate = ""
}

# ---- what is used ----

# Why may this file not use what is at home in @other?
function why_not(other)
{
	if (room[me] == room[other] || layer[other] > layer[me])
		return ""
	return layer[other] < layer[me] ? "is above" : "is beside"
}

function read_include(	other, why)
{
	other = $0
	sub(/^[^"]*"/, "", other)
	sub(/".*/, "", other)
	other = listed(other)
	if (other == "")
		return
	why = why_not(other)
	if (why != "")
		complain(FILENAME ":" FNR ": includes " other ".h, which " why)
}

function read_uses(line,	word, why)
{
	while (match(line, /[A-Za-z_][A-Za-z0-9_]*/)) {
		word = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		if (!(word in home))
			continue
		why = why_not(home[word])
		if (why != "")
			complain(FILENAME ":" FNR ": uses " word " of " \
				home[word] ", which " why)
	}
}

# ---- all of it ----

FILENAME == ARGV[1] {
	read_layer()
	next
}

FNR == 1 {
	me = listed(FILENAME)
	braces = in_comment = in_macro = 0
	candidate = ""
	if (me == "")
		complain(FILENAME ": is in no layer of selftests/check/layers")
}

me == "" { next }

{
	if (pass == 2 && /^#[ \t]*include[ \t]*"/)
		read_include()
	line = stripped($0)
	if (pass == 2 && (braces || in_macro || line ~ /^#[ \t]*define/))
		read_uses(line)
	else if (pass == 2 && !braces && sub(/^[^=]* = /, "", line))
		read_uses(line)
	else if (pass != 2 && !braces && !in_macro)
		read_outside(line)
	in_macro = line ~ /\\$/ && (in_macro || line ~ /^#/)
	if (!in_macro && line !~ /^#/)
		braces += gsub(/{/, "", line) - gsub(/}/, "", line)
}

END {
	for (name in layer)
		if (!(name in used))
			complain(where[name] ": " name ": no such file")
}
