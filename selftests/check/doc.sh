#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Is what the documents say of others true?
#
#	doc.sh SITE	the directory that doc/build.sh has made
#
# Every link leads somewhere, and none out of the site; manual pages, rules, hazards and
# tests that are named are there; the table of functions is that of the libraries, and has
# those of mingw-w64's headers; what is shown of a program is in its file.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$here/../vm/lib.sh"
site=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$top"
documents=(README.md SECURITY.md doc/*.md)

# ---- links ----

# "PAGE TARGET" for all of the site
links()
{
	(cd "$site" && grep -o -E '(href|src)="[^"]*"' ./*.html) |
		sed -E 's/^\.\/([^:]*):(href|src)="(.*)"$/\1 \3/' | sort -u
}

# "PAGE#ID" and "PAGE", of pages that are links to others, too
anchors()
{
	(cd "$site" && grep -o -E ' id="[^"]*"' -- *.html |
		sed -E 's/^([^:]*): id="(.*)"$/\1#\2/'
	find . -type f -printf '%P\n' -o -type l -printf '%P\n') | sort -u
}

check_links()
{
	links >"$work/links"
	[ "$(wc -l <"$work/links")" -gt 1000 ] || echo "doc: links were not found"
	anchors >"$work/anchors"
	awk '
	FILENAME == ARGV[1] { there[$0] = 1; next }
	{
		target = $2
		if (target ~ /^#/)
			target = $1 target
		if (target ~ /^[a-z]+:/)
			print "doc: " $1 ": leads out of the site: " target
		else if (!(target in there))
			print "doc: " $1 ": leads nowhere: " target
	}' "$work/anchors" "$work/links"
}

# ---- what is named ----

# What in file $2 matches $1, each once
words()
{
	{ grep -o -E -e "$1" "$2" || true; } | sort -u
}

# Sections 2, 5 and 8 are others', and so are these.
others='exit|fcntl|fork|lockf|malloc|memfd_create|perf|pthread_create|snprintf|strcasecmp|strdup'
others+='|realpath|sysconf|termios'

manual_pages()
{
	words '\b[A-Za-z_][A-Za-z0-9_-]*\([1347]\)' "$1" |
	sed -E -e "/^($others)\(/d" -e 's/\((.)\)/.\1/' | while read -r name; do
		[ -e "userlib/man/$name" ] || [ -e "userlib/heap/man/$name" ] ||
			echo "$1: no manual page $name"
	done
}

# Rules that are in force; hazards are a letter and a number.
rules()
{
	words '\b[A-Z]{1,8}-[0-9]{2}\b' "$1" | sed '/^UTF-/d' |
	while read -r id; do
		grep -q -P "^$id\tnow\t" selftests/RULES ||
			echo "$1: no rule $id, or none that is in force"
	done
	words '\b[ABDGNPRVWX][0-9]{1,2}\b' "$1" |
	while read -r id; do
		grep -q -E "^$id +" selftests/HAZARDS || echo "$1: no hazard $id"
	done
}

tests()
{
	words '\b[a-z0-9_]+_test\b' "$1" | while read -r name; do
		[ -e "selftests/$name.c" ] || echo "$1: no test $name"
	done
}

# ---- functions ----

# Those of which the second column begins with $1, one a line
#
# shellcheck disable=SC2016
table()
{
	grep '^| `' doc/functions.md | awk -F '|' -v is="^ $1" '$3 ~ is { print $2 }' |
		grep -o '`[^`]*`' | tr -d '`' | sort
}

exported()
{
	cat userlib/libwinregion.map userlib/heap/libwinregion-heap.map |
		sed -n 's/^\t\t\([A-Za-z0-9_]*\);$/\1/p' | sort
}

# The functions of the headers of Windows that this is about
of_windows()
{
	local name

	"$vm/fetch.sh" mingw
	for name in memoryapi heapapi psapi tlhelp32; do
		tr '\n' ' ' <"$cache/mingw/$name.h" |
			grep -o -E 'WINAPI +[A-Z][A-Za-z0-9_]* *\(' |
			sed -E 's/WINAPI +//; s/ *\($//' | grep '[a-z]'
	done | sort -u
}

functions()
{
	exported >"$work/exported"
	[ "$(wc -l <"$work/exported")" -gt 300 ] || echo "doc: no functions found"
	table yes >"$work/yes"
	table no >"$work/no"
	of_windows >"$work/windows"
	[ "$(wc -l <"$work/windows")" -gt 90 ] || echo "doc: no headers of Windows"
	comm -23 "$work/exported" "$work/yes" |
		sed 's/^/doc\/functions.md: has no /'
	comm -13 "$work/exported" "$work/yes" |
		sed 's/^/doc\/functions.md: is not exported, or there twice: /'
	comm -12 "$work/exported" "$work/no" |
		sed 's/^/doc\/functions.md: is exported: /'
	sort "$work/yes" "$work/no" | comm -23 "$work/windows" - |
		sed 's/^/doc\/functions.md: a function of Windows is not there: /'
	uniq -d "$work/no" | sed 's/^/doc\/functions.md: twice: /'
}

# ---- programs and figures ----

# Each block of C is part of a file that the paragraphs before it name.
quotations()
{
	awk -v name="$1" '
	function contents(file,	line, text) {
		while ((getline line <file) > 0)
			text = text line "\n"
		close(file)
		return text
	}
	match($0, /userlib\/examples\/[a-z_]*\.c/) {
		file = substr($0, RSTART, RLENGTH)
	}
	/^```$/ && on {
		if (file == "" || !index(contents(file), block))
			print name ":" FNR ": is not what " file " has"
		on = 0
	}
	on { block = block $0 "\n" }
	/^```c$/ { on = 1; block = "" }' "$1"
}

# The rows that README shows are those of the table.
figures()
{
	local row

	sed -n '/^| row /,/^$/p' README.md >"$work/rows"
	[ "$(wc -l <"$work/rows")" -gt 5 ] || echo "README.md: no rows"
	grep '[0-9]' "$work/rows" | while IFS= read -r row; do
		grep -q -x -F -e "$row" doc/benchmark.md ||
			echo "README.md: is not in doc/benchmark.md: $row"
	done
}

check_links
for f in "${documents[@]}"; do
	manual_pages "$f"
	rules "$f"
	tests "$f"
	quotations "$f"
done
functions
figures
