#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The style checks: the kernel's checkpatch over all C files, shellcheck over
# the scripts where there is one, and the library's own checks.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

need perl gcc make
"$vm/fetch.sh" kselftest
cd "$top"
status=0

mapfile -t files < <(find module uapi userlib selftests \
	-path '*/build' -prune -o -name '*.[ch]' -print | sort)
"$cache/kselftest/scripts/checkpatch.pl" --no-tree --strict --quiet --terse \
	--no-summary --file "${files[@]}" || status=1

if command -v shellcheck >/dev/null; then
	mapfile -t files < <(find selftests userlib .ci -path '*/build' -prune \
		-o \( -name '*.sh' -o -path .ci/run \) -print | sort)
	shellcheck -x -P SCRIPTDIR -S warning "${files[@]}" || status=1
else
	say "no shellcheck here, so the scripts were not checked"
fi

make -s -C userlib check || status=1
exit "$status"
