#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Install the packages in a Debian 12 and in a Debian 13, each a guest with a kernel of
# its own release, upgrade them from an older version, and purge them:
#
#	test.sh [SUITE...]
#
# guest.sh has what happens in there. Each guest takes half an hour where there is no
# KVM, as it compiles the module twice. Logs are in build/vm/deb-SUITE.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$here/../vm/lib.sh"
. "$here/../vm/boot.sh"

# The packages in $2 as a repository in $1, and their version
repository()
{
	mkdir -p "$1"
	cp "$2"/*.deb "$1"
	rm -f "$1"/*-dbgsym_*
	(cd "$1" && dpkg-scanpackages . 2>/dev/null >Packages)
	awk '/^Version: / { print $2; exit }' "$1/Packages" >"$1/version"
}

# The second disk of guests, in $dir/disk
make_disk()
{
	local from=$dir/disk.d

	repository "$from/new" "$build/deb"
	repository "$from/old" "$build/deb/$old"
	mkdir -p "$from/tree/debian"
	cp "$top/README.md" "$from/tree"
	cp -R "$top/debian/tests" "$from/tree/debian"
	install -m 755 "$here/guest.sh" "$from/run"
	truncate -s 64M "$dir/disk"
	mkfs.ext4 -q -d "$from" "$dir/disk"
}

guest_line()
{
	local system=$cache/guests/$1 model=max,la57=off how=$accel

	case $accel in
	kvm*)	model=host ;;
	tcg)	how=tcg,thread=multi ;;
	esac
	qemu=(qemu-system-x86_64 -nodefaults -no-user-config -display none
		-machine pc -accel "$how" -cpu "$model" -smp "$cpus" -m "$mem"
		-kernel "$system/vmlinuz" -initrd "$system/initrd.img"
		-append "root=/dev/vda rw console=ttyS0,115200 panic=-1 oops=panic panic_on_warn=1"
		-drive "file=$system/image,format=raw,if=virtio,snapshot=on"
		-drive "file=$dir/disk,format=raw,if=virtio,readonly=on"
		-chardev "file,id=log,path=$dir/console.log" -serial chardev:log
		-chardev "file,id=report,path=$dir/result" -serial chardev:report
		-chardev "pipe,id=monitor,path=$dir/monitor"
		-mon chardev=monitor)
}

# Whether all that guest.sh does went well in a guest of suite $1; in a process of its own
run_guest()
{
	local status=0 what

	"$vm/fetch.sh" guest "$1" || return 1
	claim_dir "deb-$1"
	make_disk
	choose_accel
	guest_line "$1"
	say "installing, upgrading and purging in $1 (build/vm/deb-$1/result)"
	start_qemu "$limit" "$dir" || status=$?
	tr -d '\r' <"$dir/result"
	what=$(tr -d '\r' <"$dir/result" | tail -n 1)
	[ "$status" = 0 ] && [ ! -e "$dir/hung" ] && [ "$what" = passed ] &&
		! splats "$dir/console.log"
}

# As start_qemu asks for it
slowdown=1
limit=${TIMEOUT:-3600}
die_status=1
suites=(bookworm trixie)
[ $# -gt 0 ] || set -- "${suites[@]}"
for suite; do
	[[ " ${suites[*]} " = *" $suite "* ]] ||
		die "no suite '$suite'; known: ${suites[*]}"
done
need "${base_packages[@]}" dpkg-dev e2fsprogs
end_with_apart
run_apart "$here/build.sh" >&2
old=$(sed -n '1s/^[^(]*(\([^)]*\)).*/\1/p' "$top/debian/changelog")~old
run_apart "$here/build.sh" "$old"
make_base
failed=
for suite; do
	if run_apart run_guest "$suite"; then
		echo "ok $suite"
	else
		echo "not ok $suite; build/vm/deb-$suite has the logs"
		failed=1
	fi
done
[ -z "$failed" ]
