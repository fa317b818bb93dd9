# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What the scripts of this directory share: places, messages, kernels.list,
# locks, and how a missing host package is dealt with.

vm=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$vm/../.." && pwd -P)
build=$top/build
cache=${XDG_CACHE_HOME:-~/.cache}/winregion
die_status=${die_status:-1}
kernel='' flavour='' arch=amd64 series='' suites='' build_suite='' cross=''

say()
{
	printf 'vm: %s\n' "$*" >&2
}

die()
{
	say "error: $*"
	exit "$die_status"
}

# The kernel's build system, for one, takes its words apart at blanks. A script that builds
# nothing in this tree sets any_path.
case ${any_path:-$top} in
*[[:space:]:]*)
	die "no module can be built in a path with a blank or a colon:" \
		"move this tree out of \"$top\""
	;;
esac

# What machines are made of: the accelerator, the processors and the memory that were
# asked for, as QEMU takes them
check_machine()
{
	[[ $1 =~ ^((kvm|tcg)(,.+)?)?$ ]] ||
		die "no accelerator '$1': ACCEL= is kvm or tcg, or none for what works here"
	[[ $2 =~ ^[1-9][0-9]{0,2}$ && $2 -le 255 ]] ||
		die "not a number of processors: '$2' (CPUS= is 1 to 255)"
	[[ $3 =~ ^[1-9][0-9]*[MG]$ ]] ||
		die "not a size of memory: '$3' (MEM= is such as 512M or 2G)"
}

# So many are not more than numbers of the shell can be.
check_seconds()
{
	[[ $1 =~ ^[0-9]{1,9}$ ]] ||
		die "not a number of seconds: '$1' (TIMEOUT= is 0, which is no limit, or more)"
}

# Machines, or checks, that run side by side
check_lanes()
{
	[[ $1 =~ ^[1-9][0-9]{0,2}$ ]] ||
		die "not a number of what runs side by side: '$1' (LANES= is 1 to 999)"
}

# Before anything is built for them
check_machine "${ACCEL:-}" "${CPUS:-2}" "${MEM:-2G}"
check_seconds "${TIMEOUT:-0}"
check_lanes "${LANES:-1}"

# A number that is another one each time
turn()
{
	git -C "$top" rev-list --count HEAD 2>/dev/null || echo $(($(date +%s) / 86400))
}

# ---- kernels.list ----

# Every line of the list: series, suites and build suite.
kernels()
{
	sed -e 's/#.*//' "$vm/kernels.list" | awk 'NF == 3'
}

kernel_names()
{
	kernels | awk '{ printf "%s%s", (NR > 1 ? " " : ""), $1 }'
}

default_kernel()
{
	kernels | awk 'NR == 1 { print $1 }'
}

# Kernels that are made here, for what they check (kernel.sh)
flavours='debug kcsan'

# Other machines than amd64, which the same series are packaged for; a script that can
# deal with them sets any_arch.
more_archs='arm64'
any_arch=''

# What the programs of the compiler for the machine $arch begin with
cross_prefix()
{
	case $arch in
	arm64)	echo aarch64-linux-gnu- ;;
	esac
}

# Where those programs are, once "fetch.sh cross" has been there
cross_path()
{
	printf '%s/usr/bin' "$cache/cross-$arch"
}

# Have that compiler, with the libraries that came with it: the host has others.
use_cross()
{
	local lib

	"$vm/fetch.sh" cross "$arch"
	PATH=$(cross_path):$PATH
	lib=$(cross_path)/../lib/$(uname -m)-linux-gnu
	export LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}

# Sets kernel, series, suites and build_suite of the kernel named $1, which is
# a series, the distribution's kernel of which is meant, or FLAVOUR-SERIES, or
# ARCH-SERIES: the distribution's for another machine. That is arch then, and cross
# says which compiler builds for it. Programs take $slowdown times as long in those
# with a flavour.
find_kernel()
{
	local f

	kernel=$1 flavour='' arch=amd64
	for f in $flavours; do
		[ "$1" = "${1#"$f"-}" ] || flavour=$f
	done
	for f in $more_archs; do
		[ "$1" = "${1#"$f"-}" ] || arch=$f
	done
	[ -n "$any_arch" ] || [ "$arch" = amd64 ] ||
		die "$1: this is for amd64; \"make test\", \"make run\" and" \
			"\"make fuzz\" are for $arch, too"
	cross=$(cross_prefix)
	f=${1#"$flavour"-}
	read -r series suites build_suite < \
		<(kernels | awk -v k="${f#"$arch"-}" '$1 == k') ||
		die "no kernel '$1'; known: $(kernel_names), and each with" \
			"${flavours// /- or }- before it, or ${more_archs}-"
	slowdown=1
	[ -z "$flavour" ] || build_suite=$(host_suite) slowdown=6
}

host_suite()
{
	sed -n 's/^VERSION_CODENAME=//p' /etc/os-release | tr -d '"'
}

# The root that holds the build tools of suite $1; empty: the host itself.
build_root()
{
	[ "$1" = "$(host_suite)" ] || printf '%s' "$cache/roots/$1"
}

# The modules that the module file $1 needs, or wants to have loaded before it;
# what they call crypto-crc32c is an alias.
module_needs()
{
	tr '\0' '\n' <"$1" | sed -n -e 's/^depends=//p' \
		-e 's/^softdep=pre: //p' | tr ',-' ' _' |
		sed 's/crypto_crc32c/crc32c_generic/'
}

# ---- tests ----

all_tests()
{
	local f

	for f in "$top"/selftests/*_test.c; do
		[ ! -e "$f" ] || basename "$f" .c
	done
}

# Those that are not for full runs only
usual_tests()
{
	local t

	for t in $(all_tests); do
		grep -q '^/\* vm: .*\<full\>' "$top/selftests/$t.c" || echo "$t"
	done
}

# The tests whose names are like $1, in a line: it is part of them, or a few letters are
# others.
tests_like()
{
	all_tests | awk -v asked="$1" '
	function bare(name) {
		sub(/\.c$/, "", name)
		sub(/_?tests?$/, "", name)
		gsub(/[^a-z0-9]/, "", name)
		return name
	}
	function least(a, b) { return a < b ? a : b }
	function distance(a, b,	i, j, row, other) {
		for (j = 0; j <= length(b); j++)
			row[0, j] = j
		for (i = 1; i <= length(a); i++) {
			row[i, 0] = i
			for (j = 1; j <= length(b); j++) {
				other = substr(a, i, 1) != substr(b, j, 1)
				row[i, j] = least(row[i - 1, j - 1] + other,
					1 + least(row[i - 1, j], row[i, j - 1]))
			}
		}
		return row[length(a), length(b)]
	}
	{
		a = bare(tolower(asked))
		b = bare($0)
		if (length(a) > 1 && (index(b, a) || index(a, b) ||
				distance(a, b) <= (length(a) + 1) / 3))
			print
	}' | xargs
}

# Are these tests?
check_tests()
{
	local t like

	for t; do
		[ ! -e "$top/selftests/$t.c" ] || continue
		like=$(tests_like "$t")
		die "no test '$t';${like:+ there is ${like// /, }, and} all are" \
			"selftests/*_test.c"
	done
}

# Why the test $1 does not run on the machine that find_kernel chose; fails if it does.
why_not_there()
{
	local only=amd64

	[ "$arch" != "$only" ] || return
	sed -n "s|^/\* vm: arch=$only (\(.*\)) \*/\$|\1|p" \
		"$top/selftests/$1.c" | grep .
}

# ---- root rights and host packages ----

is_root()
{
	[ "$(id -u)" = 0 ]
}

can_root()
{
	is_root || sudo -n true 2>/dev/null
}

as_root()
{
	if is_root; then
		"$@"
	else
		sudo -n -- "$@"
	fi
}

# What every run needs; named together, so that one install gets them all.
# perl is for the check of comments that W=1 turns on.
base_packages=(cpio gcc libc6-dev libelf1 make perl qemu-system-x86 xz-utils
	zstd)

has_package()
{
	dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null |
		grep -qx installed
}

# What debian/control says is needed to build packages, by names that can be installed
build_depends()
{
	awk '/^[^ ]/ { on = sub(/^Build-Depends[^:]*:/, "") } on' "$top/debian/control" |
		tr ',' '\n' | awk 'NF { print $1 }' |
		sed -e 's/^debhelper-compat$/debhelper/' -e 's/^dh-sequence-/dh-/'
}

# Make sure that the named packages are installed on this machine.
need()
{
	local p missing=() install

	for p; do
		has_package "$p" || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0

	install="apt-get install -y --no-install-recommends ${missing[*]}"
	if ! can_root; then
		say "error: missing packages; as root, run:"
		printf '\n\tapt-get update && %s\n\n' "$install" >&2
		exit 1
	fi
	say "installing ${missing[*]}"
	host_apt update
	host_apt install -y --no-install-recommends "${missing[@]}"
}

# The host's own apt, waiting for whoever else uses it. It is heard only when
# it fails.
host_apt()
{
	local said

	said=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get -q \
		-o DPkg::Lock::Timeout=600 "$@" </dev/null 2>&1) || {
		printf '%s\n' "$said" >&2
		die "apt-get $* failed"
	}
}

# ---- locks ----

# Hold the lock file $1 until this process ends; say so when it has to wait.
# The descriptor is kept from children that may outlive us by 9>&-.
hold_lock()
{
	mkdir -p "$(dirname "$1")"
	exec 9>"$1"
	flock -n 9 && return
	say "waiting for another run (${1#"$cache"/})"
	flock 9
}

# ---- what ends with this process ----

# Run a command that ends with this process, whatever that has it do: for who has
# called end_with_apart.
apart=
run_apart()
{
	local status=0

	set -m
	"$@" </dev/null &
	set +m
	apart=$!
	wait "$apart" || status=$?
	apart=
	return "$status"
}

end_apart()
{
	[ -z "$apart" ] || kill -TERM -- "-$apart" 2>/dev/null || true
}

end_with_apart()
{
	trap end_apart EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}
