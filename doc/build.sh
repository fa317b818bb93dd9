#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build the documents as a site that needs nothing else:
#
#	build.sh [DIRECTORY]
#
# into build/doc, or DIRECTORY: pages made of the files of this directory and of those
# that describe the tree elsewhere, of the manual pages, of the rules and hazards of the
# tests, and of the comments of the interface and the module (kernel-doc), which come as
# manual pages, too. KERNEL_DOC= in the environment names the kernel's program for that,
# if it is not to be that of the cache.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$here/../selftests/vm/lib.sh"

packages=(mandoc pandoc perl)

# "SOURCE PAGE" for all that is made of text
sources()
{
	local f

	for f in doc/*.md; do
		printf '%s %s\n' "$f" "$(basename "$f" .md).html"
	done
	cat <<-'END'
	README.md readme.html
	CONTRIBUTING.md contributing.html
	SECURITY.md reporting.html
	NEWS news.html
	module/winregion.rst module.html
	selftests/RULES rules.html
	selftests/HAZARDS hazards.html
	END
}

manuals()
{
	find userlib/man userlib/heap/man -name '*.[1347]' "$@" | LC_ALL=C sort
}

# What links can lead to, for link.awk
index()
{
	sources | sed 's/^/page /'
	manuals | sed 's|.*/\(.*\)\.\([1347]\)$|man \1(\2) \1.\2.html|'
	awk -F '\t' '!/^#/ && NF > 3 { print "rule", $1, "rules.html#" $1 }' \
		selftests/RULES
	sed -n 's/^\([A-Z][0-9]\{1,2\}\) .*/rule \1 hazards.html#\1/p' selftests/HAZARDS
	find . -name .git -prune -o -path ./build -prune -o -type f -printf 'file %P\n'
}

# ---- bodies ----

markdown()
{
	pandoc -f gfm-tex_math_dollars -t html --wrap=preserve \
		--no-highlight "$1"
}

# The title of such a file is not part of its text, to pandoc.
restructured()
{
	pandoc -f rst -t html -s -M pagetitle=- --template="$work/titled.html" \
		--shift-heading-level-by=1 --no-highlight "$1"
}

plain()
{
	printf '<h1>%s</h1>\n<pre>' "$(basename "$1")"
	sed -e '/SPDX-License-Identifier/d' -e 's/&/\&amp;/g' -e 's/</\&lt;/g' "$1"
	printf '</pre>\n'
}

# Each line can be led to.
hazards()
{
	plain selftests/HAZARDS |
		sed 's/^\([A-Z][0-9]\{1,2\}\) /<span id="\1">\1<\/span> /'
}

# With the tests that prove each
rules()
{
	awk -f doc/rules.awk selftests/*_test.c selftests/RULES
}

body()
{
	case $1 in
	*.md)	markdown "$1" ;;
	*.rst)	restructured "$1" ;;
	*RULES)	rules ;;
	*HAZARDS) hazards ;;
	*)	plain "$1" ;;
	esac
}

# The body of a page comes by standard input.
page()
{
	awk -v self="$1" -v source="${2-}" -f doc/link.awk "$work/index" - >"$out/$1"
}

# ---- all pages ----

texts()
{
	sources | while read -r source name; do
		body "$source" | page "$name" "$source"
	done
}

# A page that is another one's is a link to it.
manual()
{
	local f name

	manuals -type f | while read -r f; do
		name=$(basename "$f").html
		{ printf '<h1>%s</h1>\n' "$(basename "$f")"
		mandoc -T html -O fragment "$f" |
			sed -e 's/<\(\/\?\)h2/<\1h3/g' \
				-e 's/<\(\/\?\)h1/<\1h2/g'; } | page "$name" "$f"
	done
	manuals -type l | while read -r f; do
		ln -s "$(basename "$(readlink "$f")").html" \
			"$out/$(basename "$f").html"
	done
	{
		printf '<h1>Manual pages</h1>\n<p>'
		manuals | sed 's|.*/\(.*\)\.\([1347]\)$|\1(\2)|' | LC_ALL=C sort
	} | page manual.html
}

# What kernel-doc says of the files $3... as page $1 with the title $2
kernel_doc()
{
	local name=$1 title=$2

	shift 2
	{
		printf '%s\n%s\n\n' "$title" "${title//?/=}"
		"$KERNEL_DOC" -sphinx-version 3.1 -rst "$@" 2>/dev/null |
			awk -f doc/kernel-doc.awk
	} >"$work/api.rst"
	restructured "$work/api.rst" | page "$name"
}

# The same as manual pages, each in a file
kernel_manual()
{
	mkdir -p "$out/man9"
	KBUILD_BUILD_TIMESTAMP="$(date -u -d "@${SOURCE_DATE_EPOCH:-0}")" \
		"$KERNEL_DOC" -man "$@" 2>/dev/null |
	awk -v to="$out/man9" '
	/^\.TH / {
		split($0, quoted, "\"")
		name = quoted[2] == "Kernel API" ? quoted[4] : quoted[2]
		if (name == "Kernel API")
			name = "winregion"
		gsub(/[^A-Za-z0-9_]+/, "_", name)
		close(file)
		file = to "/" name ".9"
	}
	file { print >file }'
}

comments()
{
	local files

	mapfile -t files < <(grep -l '^/\*\*$' -r module --include='*.[ch]' |
		LC_ALL=C sort)
	kernel_doc interface.html 'The interface of the module' \
		uapi/linux/winregion.h
	kernel_doc internals.html 'Functions and structures of the module' \
		"${files[@]}"
	kernel_manual uapi/linux/winregion.h "${files[@]}"
}

# Files that a page leads to, as text
copy_files()
{
	grep -h -o -E '(href|src)="tree/[^"#]*' "$out"/*.html | sed 's/.*"tree\///' |
	sort -u | while read -r name; do
		install -D -m 644 "$([ -e "$name" ] && echo "$name" ||
			echo "${name%.txt}")" "$out/tree/$name"
	done
}

cd "$top"
if [ -z "${KERNEL_DOC-}" ]; then
	need "${packages[@]}"
	"$vm/fetch.sh" kselftest
	KERNEL_DOC=$cache/kselftest/scripts/kernel-doc
fi
to=${1-$build/doc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=$work/doc
mkdir -p "$out" "$(dirname "$to")"
# shellcheck disable=SC2016 # it is pandoc that knows these variables
printf '<h1>$title$</h1>\n$body$\n' >"$work/titled.html"
index >"$work/index"
cp doc/style.css "$out"
texts &
manual &
comments
wait
copy_files
rm -rf "$to"
cp -R --no-preserve=mode "$out" "$to"
