#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The demonstration, in a machine of its own:
#
#	run.sh [ARGUMENT...]
#
# KERNEL= in the environment names one of selftests/vm/kernels.list. The
# arguments are the program's, see demo.c.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=selftests/vm/lib.sh
. "$here/../../../selftests/vm/lib.sh"

out=$build/demo
source=$out/libffi

find_kernel "${KERNEL:-$(default_kernel)}"
need gcc make libc6-dev
[ -e "$source/src/dlmalloc.c" ] || "$vm/fetch.sh" source libffi "$source"
version=$(sed -n '1s/^\([^ ]*\) (\([^)]*\)).*/\1 \2/p' "$source/debian/changelog")

# A make that called this script has nothing to say to those below.
unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
make -s -C "$top/userlib" -j"$(nproc)" >&2
make -s -C "$here" -j"$(nproc)" O="$out" SOURCE="$version" \
	DLMALLOC="$source/src/dlmalloc.c" >&2
exec "$vm/run.sh" ${KERNEL:+-k "$KERNEL"} -t "${TIMEOUT:-600}" -- "$out/demo" "$@"
