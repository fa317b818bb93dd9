#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Write the image of a disk that boots, with all of this tree installed:
#
#	build.sh [KERNEL]
#
# It is build/image/winregion-KERNEL.qcow2, and takes neither root nor loop devices. The
# disk has GRUB, without a menu, and one ext4 with the kernel, a small initramfs, the
# distribution's programs as fetch.sh unpacks them, the module, the library, the tools,
# their manual pages, the examples, and busybox as init. Root is logged in at the screen
# and at the first serial port.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$here/../vm/lib.sh"
. "$here/../vm/boot.sh"
. "$here/../vm/shell.sh"

# Where the partition begins, and how large the disk is, in MiB
first=1
size=1536
# By its own modules GRUB reads the disk; by this one it is told what to boot.
grub_modules=(biosdisk part_msdos ext2 linux)

# ---- what is on the disk ----

# Modules by the order in which they have to be loaded
in_order()
{
	local name file needed

	for name; do
		file=$from/modules/$name.ko
		[ -s "$file" ] || continue
		for needed in $(module_needs "$file"); do
			in_order "$needed"
		done
		printf '%s\n' "$name"
	done | awk '!seen[$0]++'
}

# The module, and those of the kernel that are in the cache
add_modules()
{
	local to=$tree/lib/modules/$release

	mkdir -p "$to/kernel" "$to/updates"
	cp "$from"/modules/*.ko "$to/kernel/"
	cp "$build/$kernel/winregion.ko" "$to/updates/"
	touch "$to/modules.order" "$to/modules.builtin" "$to/modules.builtin.modinfo"
	PATH=$PATH:/usr/sbin:/sbin depmod -b "$tree" "$release"
}

# What loads what the disk needs and goes over to it
add_initramfs()
{
	local to=$out/initramfs name

	mkdir -p "$to"/{bin,dev,disk,proc}
	cp "$cache/busybox" "$to/bin/busybox"
	for name in "${disk_modules[@]}"; do
		cp "$from/modules/$name.ko" "$to/"
	done
	{
		cat <<-'END'
		#!/bin/busybox sh
		busybox mount -t devtmpfs dev /dev
		END
		printf 'busybox insmod /%s.ko\n' "${disk_modules[@]}"
		cat <<-'END'
		busybox mount -t proc proc /proc
		for try in $(busybox seq 60); do
			busybox sleep 0.5
			busybox grep -q 'sda1$' /proc/partitions || continue
			busybox mount -t ext4 /dev/sda1 /disk || break
			busybox umount /proc
			exec busybox switch_root /disk /sbin/init
		done
		echo 'The disk is not there: it has to be the first one, of IDE or SATA (piix).'
		exec busybox sh
		END
	} | sed 's|busybox |/bin/busybox |; s|^#!/bin//bin/|#!/bin/|' >"$to/init"
	chmod 755 "$to/init"
	pack "$to" "$out/initramfs.cpio"
	gzip -n -9 <"$out/initramfs.cpio" >"$tree/boot/initramfs"
}

# Programs, headers, manual pages; the examples, and README.md with its program
add_tree()
{
	local doc=$tree/usr/share/doc/winregion f

	unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
	make -s -C "$top/userlib" install DESTDIR="$tree" PREFIX=/usr >"$out/log"
	mkdir -p "$tree/usr/lib/winregion/examples" "$doc/examples"
	for f in "$top"/userlib/build/examples/*; do
		[ -x "$f" ] || continue
		cp "$f" "$tree/usr/lib/winregion/examples/"
		ln -s "../lib/winregion/examples/${f##*/}" "$tree/usr/bin/"
	done
	cp "$top"/userlib/examples/*.c "$doc/examples/"
	cp "$top"/README.md "$top"/NEWS "$doc/"
	awk '/^    #include/ { on = 1 } on && /^[^ ]/ { exit }
		on { print substr($0, 5) }' "$top/README.md" >"$tree/root/hello.c"
	grep -q VirtualAlloc "$tree/root/hello.c" || die "no program in README.md"
	# Where gdb looks for their sources
	mkdir -p "$tree$top/userlib"
	ln -s /usr/share/doc/winregion/examples "$tree$top/userlib/examples"
}

# What packages do when they are configured, as far as it matters here
settle()
{
	local name

	ln -s gcc "$tree/usr/bin/cc"
	cp "$cache/busybox" "$tree/usr/bin/busybox"
	for name in $("$cache/busybox" --list); do
		[ -e "$tree/usr/bin/$name" ] || [ -L "$tree/usr/bin/$name" ] ||
			[ -e "$tree/usr/sbin/$name" ] ||
			ln -s busybox "$tree/usr/bin/$name"
	done
	ln -sf ../bin/busybox "$tree/usr/sbin/init"
	printf 'root:x:0:0::/root:/bin/bash\nnobody:x:65534:65534::/:/bin/sh\n' \
		>"$tree/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$tree/etc/group"
	echo winregion >"$tree/etc/hostname"
	rm -f "$tree/etc/mtab"
	ln -s /proc/mounts "$tree/etc/mtab"
	PATH=$PATH:/usr/sbin:/sbin ldconfig -r "$tree"
}

# How it starts, and what it says then
configure()
{
	cp "$here/inittab" "$tree/etc/inittab"
	install -m 755 "$here/start" "$tree/etc/start"
	{
		greeting
		cat <<-'END'
		  man VirtualAlloc              a manual page; man libwinregion names all
		  less /usr/share/doc/winregion/README.md
		  cc hello.c $(pkg-config --cflags --libs winregion-win32) -o hello
		  poweroff

		END
	} >"$tree/etc/greeting"
	cat >"$tree/etc/profile" <<-'END'
	export HOME=/root PATH=/usr/sbin:/usr/bin LC_ALL=C.UTF-8 PAGER=less
	PS1='winregion \w # '
	examples() { ls /usr/lib/winregion/examples; }
	cd
	cat /etc/greeting
	END
}

add_all()
{
	cp -a "$cache/system" "$tree"
	mkdir -p "$tree"/{boot,dev,proc,root,run,sys,tmp,etc,var/tmp}
	cp "$from/packed" "$tree/boot/vmlinuz"
	add_modules
	add_initramfs
	add_tree
	settle
	configure
}

# ---- the disk ----

# GRUB's first sector loads the ones behind it, up to the partition, by their number:
# that is how grub-mkimage makes them.
add_grub()
{
	local lib=/usr/lib/grub/i386-pc

	cat >"$out/grub.cfg" <<-'END'
	set root=(hd0,msdos1)
	linux /boot/vmlinuz root=/dev/sda1 console=ttyS0,115200 console=tty0 quiet
	initrd /boot/initramfs
	boot
	END
	grub-mkimage -O i386-pc -c "$out/grub.cfg" -p /boot/grub \
		-o "$out/core" "${grub_modules[@]}"
	[ "$(stat -c %s "$out/core")" -le $((first * 1048576 - 512)) ] ||
		die "GRUB is too large to be in front of the partition"
	dd if="$lib/boot.img" of="$disk" bs=440 count=1 conv=notrunc status=none
	dd if="$out/core" of="$disk" bs=512 seek=1 conv=notrunc status=none
}

# All that is on it is root's, whoever builds it. What newer e2fsprogs turn on GRUB may
# not know.
make_disk()
{
	local as=()

	is_root || as=(fakeroot)
	truncate -s "${size}M" "$disk"
	printf 'start=%sMiB, type=83, bootable\n' "$first" |
		PATH=$PATH:/usr/sbin:/sbin sfdisk -q "$disk"
	PATH=$PATH:/usr/sbin:/sbin "${as[@]}" mke2fs -q -t ext4 -L winregion \
		-O '^metadata_csum_seed,^orphan_file' -d "$tree" \
		-E "offset=$((first * 1048576))" "$disk" $(((size - first) * 1024))
	add_grub
}

kernel=${1-$(default_kernel)}
find_kernel "$kernel"
[ -z "$flavour" ] || die "$kernel cannot boot from a disk"
need "${base_packages[@]}" "${tool_packages[@]}" e2fsprogs fakeroot fdisk grub-common \
	grub-pc-bin kmod qemu-utils
build_tools
out=$build/image/$kernel
image=$build/image/winregion-$kernel.qcow2
hold_lock "$build/image/.lock"
"$vm/build.sh" "$kernel"
"$vm/fetch.sh" busybox
"$vm/fetch.sh" system
from=$cache/kernels/$kernel
release=$(cat "$from/release")
rm -rf "$out" "$image"
mkdir -p "$out"
tree=$out/tree disk=$out/disk
umask 022
mapfile -t disk_modules < <(in_order ata_piix sd_mod crc32c_generic ext4)
say "making the disk"
add_all
make_disk
qemu-img convert -c -O qcow2 "$disk" "$image.new"
mv "$image.new" "$image"
rm -rf "$out"
printf '%s\n' "${image#"$PWD"/}"
