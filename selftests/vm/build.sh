#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build winregion.ko for a kernel of kernels.list, in build/NAME/ of its own:
#
#	build.sh [NAME]
#	build.sh RELEASE HEADERS [ROOT]
#
# The second form is for a kernel that is not in the list, in build/headers/RELEASE;
# its tools are those of ROOT, or of the host.
#
# The sources are copied there, so that no two kernels share an object file.
# Everything that the compiler says about them under W=1 is an error. Prints
# nothing when the module is up to date.

set -euo pipefail
. "$(dirname "$0")/lib.sh"
any_arch=1

sources=(Kbuild module uapi)

# What the module is made of. Times would not do: a build directory that was copied to
# another tree is newer than what it was not built from.
describe()
{
	printf '%s\n' "$release"
	(cd "$top" && find "${sources[@]}" "${vm#"$top"/}/build.sh" -type f -print0 |
		sort -z | xargs -0 sha256sum)
}

up_to_date()
{
	[ -e "$out/winregion.ko" ] && [ -e "$out/.made-of" ] &&
		[ "$(describe)" = "$(cat "$out/.made-of")" ]
}

# Bring the copies in $1 up to date, and drop what is gone from the tree. A copy
# is as new as the moment it is made: an object that was compiled meanwhile from
# the copy before must not look newer.
copy_sources()
{
	local dir=$1 f

	mkdir -p "$dir"
	(cd "$top" && find "${sources[@]}" -type f \
		\( -name '*.[chS]' -o -name Kbuild \)) |
	while IFS= read -r f; do
		cmp -s "$top/$f" "$dir/$f" && continue
		mkdir -p "$dir/$(dirname "$f")"
		# No object knows that it depends on a header that was not there.
		[ -e "$dir/$f" ] || find "$dir" -name '*.o' -delete
		cp "$top/$f" "$dir/$f"
	done
	(cd "$dir" && find "${sources[@]}" -type f \
		\( -name '*.[chS]' -o -name Kbuild \)) |
	while IFS= read -r f; do
		[ -e "$top/$f" ] || rm -f "$dir/$f"
	done
}

# Run make for the module in $1 (as the build tools see it), in root $2. objtool
# reads /proc. Types for tracers (BTF) would need pahole and no test uses them.
kbuild()
{
	local enter=()

	[ -z "$2" ] || enter=(as_root unshare --mount "--root=$2" --mount-proc
		/usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/)
	# A variable given to the outer make, such as ARGS=, is not for this one.
	unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
	"${enter[@]}" make -C "$headers_seen" M="$1" -j"$(nproc)" \
		W=1 KCFLAGS=-Werror CONFIG_DEBUG_INFO_BTF_MODULES= \
		${cross:+"CROSS_COMPILE=$cross"} "${counted[@]}" modules
}

# A compiler newer than the kernel's by a security update is not about our
# files. modpost's warnings are, and -Werror does not cover those.
fail_on_warnings()
{
	if grep -i 'warning' "$1" | grep -v \
		-e 'the compiler differs from the one used to build'; then
		# Nor may the next run find the objects and see no warning.
		as_root rm -rf "$copy"
		die "$name: the module builds with warnings"
	fi
}

build_in_place()
{
	copy=$out/src
	headers_seen=$headers
	copy_sources "$copy"
	kbuild "$copy" "" >"$out/build.log" 2>&1
}

# The root sees only itself, so the sources are taken there and the module is
# brought back.
build_in_root()
{
	local id inside

	id=$(printf '%s' "$out" | cksum | tr -d ' ')
	inside=/build/$id
	copy=$root$inside
	headers_seen=${headers#"$root"}
	can_root || die "building for $name needs chroot, so root or sudo"
	as_root mkdir -p "$copy"
	as_root chown -R "$(id -u)" "$copy"
	copy_sources "$copy"
	kbuild "$inside" "$root" >"$out/build.log" 2>&1
}

# Sets what the kernel $name of the list is built with.
from_list()
{
	find_kernel "$name"
	"$vm/fetch.sh" kernel "$name"
	out=$build/$name
	root=$(build_root "$build_suite")
	release=$(cat "$cache/kernels/$name/release")
	headers=$(cat "$cache/kernels/$name/headers")
}

name=${1-$(default_kernel)}
need "${base_packages[@]}"
if [ $# -lt 2 ]; then
	from_list
else
	release=$1 headers=$2 root=${3-} out=$build/headers/$1
fi

# Lines are counted (gcov) where the kernel collects that.
counted=()
[ "$flavour" != debug ] || counted=(GCOV_PROFILE=y)

[ -e "$top/Kbuild" ] || die "there is no module to build: no Kbuild in $top"

hold_lock "$out/.lock"
! up_to_date || exit 0
say "building winregion.ko for $release"
# What changes from here on is not in the module.
describe >"$out/.made-of.new"
# The compiler: a root has its own, and what is built here is built by the host's.
if [ -n "$root$flavour" ]; then
	:
elif [ -n "$cross" ]; then
	use_cross
else
	need "$(sed -n 's/.*)\(gcc-[0-9]*\)$/\1/p' \
		"$headers/.kernelvariables")"
fi
how=build_in_place
[ -z "$root" ] || how=build_in_root
"$how" || {
	cat "$out/build.log" >&2
	die "the module does not build for $release"
}
fail_on_warnings "$out/build.log"
cp "$copy/winregion.ko" "$out/winregion.ko.new"
mv "$out/winregion.ko.new" "$out/winregion.ko"
mv "$out/.made-of.new" "$out/.made-of"
# There are many of these.
[ $# -lt 2 ] || as_root rm -rf "$copy"
say "built for $release, no warnings (W=1)"
