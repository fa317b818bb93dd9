#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build a program of the selftests for the machine of a kernel, and the library for it,
# and print where it is:
#
#	program.sh NAME [KERNEL]

set -euo pipefail
. "$(dirname "$0")/lib.sh"
any_arch=1

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
	echo "usage: program.sh NAME [KERNEL]" >&2
	exit 2
fi
find_kernel "${2:-$(default_kernel)}"
to=$build/selftests${cross:+-$arch}
unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
need "${base_packages[@]}"
"$vm/fetch.sh" kselftest
[ -z "$cross" ] || use_cross
make -s -C "$top/userlib" CROSS_COMPILE="$cross" -j"$(nproc)" >&2
make -s -C "$top/selftests" OUTPUT="$to" CROSS_COMPILE="$cross" "$1" >&2
printf '%s\n' "$to/$1"
