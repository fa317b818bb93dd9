#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Static checks of the library of heaps: its symbols are those of the map, and of the
# header, and each has a page. Run by "make check", which sets O.

set -eu

: "${O:?}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n 's/^\t\t\([A-Za-z0-9_]*\);$/\1/p' libwinregion-heap.map | sort >"$work/map"
nm -D --defined-only "$O/libwinregion-heap.so" |
	sed -n 's/^.* [TDBR] \([^@]*\)@.*$/\1/p' | sort >"$work/shared"
nm --defined-only --extern-only "$O/libwinregion-heap.a" |
	sed -n 's/^.* [TDBR] //p' | sort >"$work/static"
sed -n '/visibility push/,/visibility pop/p' ../include/winregion/heapapi.h |
	grep -v -e '^#' -e '^ \*' |
	sed -n 's/^[^(]*[ *]\([A-Za-z0-9_]*\)(.*$/\1/p' |
	sort >"$work/header"
find man -name '*.3' -printf '%f\n' | sed 's/\.3$//' | sort >"$work/pages"

failed=0
for of in shared static header pages; do
	if ! diff "$work/map" "$work/$of"; then
		echo "FAIL $of: not what the map has"
		failed=1
	fi
done
[ "$failed" = 0 ] && echo "ok   the map is what the library, its header and pages have"
exit "$failed"
