#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a guest of test.sh does when it starts: it installs the packages of the
# version before, starts again, upgrades, and purges all of it. The disk that this is
# on, /mnt, has a repository of each version (old, new) and a part of the tree. Each
# line of output is a line of TAP, or is told about one.

set -euo pipefail
exec 2>&1
state=/var/lib/guest-test
packages=(winregion-dkms libwinregion-dev winregion-tools winregion-doc)
old=$(cat /mnt/old/version)
new=$(cat /mnt/new/version)
mkdir -p "$state"
export LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes

# check NAME COMMAND...: what it prints is seen if it fails, which ends the run.
check()
{
	local name=$1 status=0 began=$SECONDS

	shift
	# In a shell of its own, as -e does not count before "||"
	(set -e; trap - EXIT; "$@") >"$state/said" 2>&1 &
	wait $! || status=$?
	if [ "$status" != 0 ]; then
		sed 's/^/# /' "$state/said"
		echo "not ok $name"
		exit 1
	fi
	echo "ok $name # $((SECONDS - began)) s"
}

# The end, in any case. A guest that ends otherwise has failed.
finish()
{
	[ -z "${again-}" ] || return 0
	set +e
	if [ -z "${passed-}" ]; then
		dmesg | tail -n 5 | sed 's/^/# /'
		tail -n 20 /var/lib/dkms/winregion/*/build/make.log 2>/dev/null |
			sed 's/^/# /'
		echo failed
	fi
	sync
	systemctl poweroff --force --force >/dev/null # the last word is ours
}

# ---- what is looked at ----

# Every file, but for those of what is always written
files()
{
	find / -xdev \( -path /var/cache -o -path /var/lib/apt \
		-o -path /var/lib/dpkg -o -path /var/lib/systemd \
		-o -path /var/log -o -path /var/tmp -o -path /tmp \
		-o -path "$state" -o -path '/var/lib/dkms/mok.*' \) -prune -o \
		-print | LC_ALL=C sort
}

installed()
{
	local p

	for p in "${packages[@]}" libwinregion0 libwinregion-heap0; do
		[ "$(dpkg-query -W -f '${db:Status-Abbrev}${Version}' "$p")" = \
			"ii $1" ] || { echo "$p is not $1"; return 1; }
	done
	dkms status -m winregion
	[ "$(dkms status -m winregion | wc -l)" = 1 ]
	dkms status -m winregion -v "$1" -k "$(uname -r)" | grep ': installed'
	modinfo winregion | grep -E "^(filename|version|author|alias|signer):"
	[ "$(modinfo -F version winregion)" = "$1" ]
	find /usr/lib -name 'libwinregion*.so.*' -type f
	[ "$(find /usr/lib -name 'libwinregion*.so.*' -type f | wc -l)" = 2 ]
}

# By modules-load.d, before anybody asked for it, and open to everybody
loaded()
{
	[ "$(cat /sys/module/winregion/version)" = "$1" ]
	stat -c '%n %a %U:%G' /dev/winregion
	[ "$(stat -c '%a %U:%G' /dev/winregion)" = '666 root:root' ]
}

documented()
{
	local f=/usr/share/doc/winregion-doc p

	for p in "$f"/html/index.html "$f"/html/VirtualAlloc.3.html \
		"$f"/html/tree/uapi/linux/winregion.h.txt \
		"$f"/README.md* "$f"/winregion.rst* "$f"/examples/guard_page.c \
		/usr/share/man/man3/VirtualAlloc.3.gz \
		/usr/share/man/man4/winregion.4.gz \
		/usr/share/man/man7/libwinregion.7.gz; do
		[ -s "$p" ] || { echo "no $p"; return 1; }
	done
}

# ---- what is done ----

use()
{
	echo "deb [trusted=yes] file:/mnt/$1 ./" >/etc/apt/sources.list
	rm -f /etc/apt/sources.list.d/*
	apt-get update
}

program()
{
	cd /mnt/tree
	debian/tests/program
}

module()
{
	cd /mnt/tree
	debian/tests/module
}

# Programs that show something, with the shared library
examples()
{
	local f name

	modprobe winregion
	for f in guard_page map_regions named_memory reserve_commit ring_buffer \
		window_on_memory write_and_run; do
		name=$state/$f
		# shellcheck disable=SC2046 # flags are words
		cc -o "$name" /usr/share/doc/winregion-doc/examples/$f.c \
			$(pkg-config --cflags --libs winregion)
		"$name" </dev/null || { echo "$f: $?"; return 1; }
		rm "$name"
	done
}

reload()
{
	modprobe -r winregion
	modprobe winregion
	udevadm settle
	loaded "$1"
}

nothing_left()
{
	local left

	left=$(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' '*winregion*' \
		2>/dev/null | grep -v ' un' || true)
	[ -z "$left" ] || { echo "packages: $left"; return 1; }
	if [ -e /dev/winregion ] || [ -e /sys/module/winregion ]; then
		echo 'the module is still loaded'
		return 1
	fi
	! modprobe -n winregion || { echo 'modprobe knows it'; return 1; }
	files >"$state/after"
	diff "$state/before" "$state/after"
}

first_start()
{
	use old >"$state/apt"
	files >"$state/before"
	check "apt installs $old" apt-get install -y "${packages[@]}"
	check "$old is installed, and the module built" installed "$old"
	check 'without the module programs say so' program
	again=1
	systemctl reboot --force
}

second_start()
{
	check "the module of $old is loaded by itself" loaded "$old"
	check "the program of README.md works with $old" program
	use new >"$state/apt"
	check "apt upgrades to $new" apt-get dist-upgrade -y
	check "$new is installed, and the module built" installed "$new"
	check "the module of $new is loaded" reload "$new"
	check 'autopkgtest: program' program
	check 'examples' examples
	check 'autopkgtest: module' module
	modprobe winregion
	check 'documents are there' documented
	check 'apt purges all of it' apt-get purge -y '^(lib)?winregion'
	check 'nothing is left' nothing_left
	echo passed
	passed=1
}

trap finish EXIT
start=$(($(cat "$state/start" 2>/dev/null || echo 0) + 1))
echo "$start" >"$state/start"
echo "# start $start of $(. /etc/os-release && echo "$PRETTY_NAME"), $(uname -r)"
case $start in
1)	first_start ;;
2)	second_start ;;
*)	echo "# it started once more, by itself" ;;
esac
