#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The picture of winregion-map's screen that the README has: what the test of the
# screen sees in its terminal.
#
#	screenshot.sh >FILE.svg

set -eu
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd -P)
programs=$top/build/selftests

make -s -C "$top" lib >&2
make -s -C "$top/selftests" OUTPUT="$programs" map_test >&2

# The ends of files' names are in the picture, so where they are here must not be.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
place=$work/winregion/selftests
mkdir -p "$place"
cp -r "$programs/map_test" "$programs/map" "$place"

files=()
while IFS= read -r file; do
	files+=(-f "$file")
done < <(find "$place/map/bin" -type f)
"$top/selftests/vm/run.sh" -k 6.12 -e WR_SCREENSHOT=1 "${files[@]}" \
	-- "$place/map_test" -t screen | tr -d '\r' | sed -n 's/^# screen: //p'
