#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Map every file of a program or a library for Windows that packages of the
# distribution have, and compare with objdump:
#
#	packages.sh [-k KERNEL] PACKAGE...
#
# Such packages are libwine, mingw-w64-x86-64-dev, the runtimes of gcc for it, nsis.
# Packages are fetched into build/pe/packages, and not installed.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$here/../.." && pwd -P)
out=$top/build/pe/packages
# So many bytes go into one machine.
limit=$((64 << 20))

kernel=6.12
while getopts k: option; do
	case $option in
	k)	kernel=$OPTARG ;;
	*)	exit 2 ;;
	esac
done
shift $((OPTIND - 1))

fetch()
{
	[ -d "$out/$1" ] && return
	mkdir -p "$out/debs"
	(cd "$out/debs" && apt-get download "$1")
	dpkg-deb -x "$out/debs/$1"_*.deb "$out/$1.new"
	mv "$out/$1.new" "$out/$1"
}

# "ADDRESS OFFSET SIZE PROTECTION" of each section that is in memory
sections()
{
	objdump -p -h "$1" | awk '
	function hex(text,  i, n) {
		for (i = 1; i <= length(text); i++)
			n = n * 16 + index("0123456789abcdef",
				substr(tolower(text), i, 1)) - 1
		return n
	}
	/^ImageBase/ { base = hex($2) }
	/^Idx / { listed = 1; next }
	!listed { next }
	/^ +[0-9]+ / { n++; size[n] = $3; vma[n] = hex($4); off[n] = $6; next }
	/^                  / {
		writes = !/READONLY/; runs = /CODE/; shared = /SHARED/
		if (/CONTENTS/) has[n] = 1
		if (writes && shared) p[n] = runs ? "40" : "4"
		else if (writes) p[n] = runs ? "80" : "8"
		else p[n] = runs ? "20" : "2"
	}
	END { for (i = 1; i <= n; i++)
		printf "%x %s %s %s\n", vma[i] - base,
			has[i] ? off[i] : "0", size[i], p[i] }'
}

run()
{
	[ -s "$out/archive" ] || return 0
	"$top/selftests/vm/run.sh" -k "$kernel" -m 2G -t 1200 -f "$out/archive" \
		"$top/build/pe/map_all" "$out/archive" || failed=1
	: >"$out/archive"
}

failed=0
for package; do
	fetch "$package"
done
: >"$out/archive"
while IFS= read -r -d '' file; do
	sections "$file" >"$out/sections"
	printf 'FILE %s %s %s\n' "$(stat -c %s "$file")" \
		"$(wc -l <"$out/sections")" "${file#"$out"/}" >>"$out/archive"
	cat "$out/sections" "$file" >>"$out/archive"
	[ "$(stat -c %s "$out/archive")" -lt "$limit" ] || run
done < <(for package; do
	find "$out/$package" -type f \( -iname '*.dll' -o -iname '*.exe' -o \
		-iname '*.drv' -o -iname '*.sys' -o -iname '*.ocx' -o \
		-iname '*.cpl' -o -iname '*.acm' \) -print0
done | sort -z)
run
exit "$failed"
