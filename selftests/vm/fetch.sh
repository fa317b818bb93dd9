#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fill the cache with what the test machine is made of. Everything comes from
# the distribution's packages, is unpacked in the cache and installed nowhere.
# What is there already is not fetched again.
#
#	fetch.sh kernel NAME		boot image, headers and a few modules of a
#					kernel; one that is not packaged is built
#	fetch.sh busybox [ARCH]		a static busybox, for the guest
#	fetch.sh cross ARCH		a compiler for another machine; it cannot be
#					installed beside gcc-multilib
#	fetch.sh mkfs [ARCH]		what makes file systems there
#	fetch.sh debuggers		strace and gdb, for its shell
#	fetch.sh system			programs for a disk of its own: a shell, a
#				compiler, manual pages ...
#	fetch.sh kselftest		kselftest's headers, kernel scripts
#	fetch.sh mingw			the headers of Windows that mingw-w64 has
#	fetch.sh source PACKAGE DIR	a source package, unpacked into DIR
#	fetch.sh guest SUITE		a whole system of that release, to install
#				packages in: kernel, initrd and the image of a disk
#	fetch.sh headers PATTERN	those of all kernels that the suites offer, and
#				sid, whose release matches; prints RELEASE
#				HEADERS ROOT of each
#	fetch.sh package NAME...	not into the cache: what the host has to have
#					installed to build something
#	fetch.sh all			all of the above but the last four, cross,
#				debuggers and system
#	fetch.sh clean			remove the cache
#
# Each thing is made in $tmp and renamed into place when it is complete, so an
# interrupted run leaves nothing that looks finished.

set -euo pipefail
any_path=1
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"
. "$(dirname "$0")/kernel.sh"

tmp=$cache/tmp
any_arch=1

# Only one process fills the cache at a time, so whatever is in $tmp when the
# lock is ours was left by one that died.
start()
{
	hold_lock "$cache/lock"
	remove "$tmp"
	mkdir -p "$tmp"
	trap 'remove "$tmp"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# A root file system in the cache belongs to root.
remove()
{
	[ -e "$1" ] || return 0
	rm -rf --one-file-system "$1" 2>/dev/null && return
	can_root || die "cannot remove all of $1; it needs root"
	as_root rm -rf --one-file-system "$1"
}

# ---- kernels ----

# "ABI version" of each kernel in the suites for which headers are packaged,
# oldest first. Read: all packages of the suites.
header_versions()
{
	awk -v arch="$arch" '
	/^Package: / { name = $2 }
	/^Version: / {
		if (name !~ "^linux-headers-[0-9]+[.][0-9].*-" arch "$" ||
		    name ~ "-(rt|cloud)-" arch "$")
			next
		abi = name
		sub(/^linux-headers-/, "", abi)
		sub("-" arch "$", "", abi)
		# Without a third number it is a meta-package.
		if (abi ~ /^[0-9]+\.[0-9]+\.[0-9]/)
			print abi, $2
	}' | sort -u -k 2,2V
}

# The packages of kernel ABI $1, version $2: boot image, then headers. Some
# releases pack the image apart from the modules, as linux-binary. Fails where
# the suites do not have them all in this version. Read: "package version".
complete_set()
{
	awk -v abi="$1" -v version="$2" -v arch="$arch" '
	$2 == version { have[$1] = 1 }
	function first(a, b, c) {
		return a in have ? a : b in have ? b : c in have ? c : ""
	}
	END {
		split(abi, number, /[.]/)
		headers = "linux-headers-" abi
		image = first("linux-binary-" abi "-" arch,
			      "linux-image-" abi "-" arch,
			      "linux-image-" abi "-" arch "-unsigned")
		kbuild = first("linux-kbuild-" abi,
			       "linux-kbuild-" number[1] "." number[2])
		if (image == "" || kbuild == "" ||
		    !(headers "-" arch in have) ||
		    !(headers "-common" in have))
			exit 1
		print image, headers "-" arch, headers "-common", kbuild
	}'
}

# Decide what kernel $series is today: sets abi, version and packages. A suite
# may have dropped the series for its successor, then that one is taken.
resolve()
{
	local list=$tmp/packages versions=$tmp/versions suite

	for suite in ${suites//,/ }; do
		packages_of "$suite"
	done >"$list"
	header_versions <"$list" >"$versions"
	awk '/^Package: / { p = $2 } /^Version: / { print p, $2 }' "$list" |
		grep '^linux-' >"$list.short" || true

	try_versions "^${series//./\\.}\\." && return
	try_versions . ||
		die "$suites: no kernel with matching headers for $series"
	say "$suites: no $series any more; the newest there is $abi"
}

# The newest complete set whose ABI name matches $1.
try_versions()
{
	while read -r abi version; do
		read -r -a packages < \
			<(complete_set "$abi" "$version" <"$list.short") &&
			return 0
	done < <(grep -- "$1" "$versions" | tac)
	return 1
}

# Of a boot image's package only the image and the configuration are kept; for
# the modules see keep_modules().
unpack_image()
{
	local packed

	dpkg-deb --fsys-tarfile "$1" | tar -C "$2" -x --wildcards \
		'./boot/vmlinuz-*' './boot/config-*' 2>/dev/null ||
	dpkg-deb --fsys-tarfile "$1" | tar -C "$2" -x --wildcards \
		'./usr/lib/modules/*/vmlinuz'
	packed=$(find "$2" -name 'vmlinuz*' -print -quit)
	[ -s "$packed" ] || die "$(basename "$1") holds no boot image"
	uncompress "$packed" "$2/image" || cp "$packed" "$2/image"
	# Boot loaders want this one.
	mv "$packed" "$2/packed"
}

# Whether QEMU boots the file $1 as it is: an ELF file, or an image for arm64
is_bootable()
{
	[ "$(head -c 4 "$1" | tail -c 3 | tr -d '\0')" = ELF ] ||
		[ "$(head -c 60 "$1" | tail -c 4 | tr -d '\0')" = ARMd ]
}

# An emulated processor is slow at uncompressing its own kernel, and QEMU boots
# an uncompressed one as well. Fails where the compression is not known.
uncompress()
{
	local magic offset

	! is_bootable "$1" || return 1
	for magic in 'xz:\xfd7zXZ\x00' 'zstd:\x28\xb5\x2f\xfd' \
		     'gzip:\x1f\x8b\x08'; do
		while read -r offset; do
			# What follows the kernel in the file is an error to
			# them, so the result tells, not the exit status.
			tail -c "+$((offset + 1))" "$1" |
				"${magic%%:*}" -dc >"$2" 2>/dev/null || true
			! is_bootable "$2" || return 0
		done < <(LC_ALL=C grep -abo -P "${magic#*:}" "$1" |
			 cut -d: -f1)
	done
	rm -f "$2"
	return 1
}

# ---- modules ----

# The package that has the modules of kernel ABI $1: the boot image's, $2, unless there
# is one for them. A signed one may come days after its source.
modules_package()
{
	awk -v package="linux-modules-$1-$arch" -v image="$2" '
	$1 == "Package:" && $2 == package { found = 1 }
	END { print found ? package : image }' "$tmp/packages"
}

# Unpack the module named $1 and those that it needs from the tree $2 into $3.
# What is in no file is built into the kernel, or has another name there.
keep_module()
{
	local name=${1//-/_} file needed

	[ ! -e "$3/$name.ko" ] || return 0
	file=$(find "$2" -name "${name//_/[-_]}.ko*" -print -quit)
	[ -n "$file" ] || return 0
	case $file in
	*.xz)	xz -dc "$file" ;;
	*.zst)	zstd -dcq "$file" ;;
	*)	cat "$file" ;;
	esac >"$3/$name.ko"
	for needed in $(module_needs "$3/$name.ko"); do
		keep_module "$needed" "$2" "$3"
	done
}

# What tests ask for; vm/config has the first five for the kernels that are built. Then
# what a folder of the host needs, and a disk to boot from.
wanted_modules()
{
	echo loop ext4 overlay fuse zram xfs btrfs squashfs nfsd nfsv4 9p 9pnet_virtio \
		virtio_pci
	[ "$arch" != amd64 ] || echo ata_piix sd_mod
}

# And what is kept if the package has it: a test does without where a kernel came before
# it was asked for, or has none.
more_modules()
{
	echo algif_skcipher
}

# Whether the kernel with the headers in $2 has module $1 in itself.
is_built_in()
{
	local option

	case $1 in
	loop)	option=BLK_DEV_LOOP ;;
	squashfs) option=SQUASHFS ;;
	zram)	option=ZRAM ;;
	9pnet_virtio) option=NET_9P_VIRTIO ;;
	virtio_pci) option=VIRTIO_PCI ;;
	ata_piix) option=ATA_PIIX ;;
	sd_mod)	option=BLK_DEV_SD ;;
	*)	option=${1^^}_FS ;;
	esac
	grep -qx "CONFIG_$option=y" "$2/.config"
}

# Put the modules of $abi that are asked for into $1/modules; its headers are in $2.
keep_modules()
{
	local package tree=$tmp/modules to=$1/modules name

	package=$(modules_package "$abi" "${packages[0]}")
	compgen -G "$tmp/debs/${package}_*.deb" >/dev/null ||
		download "$tmp/debs" "$package=$version"
	mkdir -p "$tree" "$to"
	dpkg-deb --fsys-tarfile "$tmp"/debs/"$package"_*.deb |
		tar -C "$tree" -x --wildcards "*/kernel/lib/*.ko*" \
			"*/kernel/crypto/*.ko*" "*/kernel/arch/*.ko*" \
			"*/kernel/fs/*.ko*" "*/kernel/mm/*.ko*" \
			"*/kernel/block/*.ko*" "*/kernel/net/9p/*.ko*" \
			"*/kernel/net/sunrpc/*.ko*" \
			"*/kernel/net/dns_resolver/*.ko*" \
			"*/drivers/block/loop.ko*" \
			"*/drivers/block/zram/*.ko*" "*/drivers/virtio/*.ko*" \
			"*/drivers/ata/*.ko*" "*/drivers/scsi/*.ko*" \
			2>/dev/null || true
	for name in $(wanted_modules); do
		keep_module "$name" "$tree" "$to"
		[ ! -s "$to/$name.ko" ] || continue
		is_built_in "$name" "$2" || die "$package has no module $name"
		: >"$to/$name.builtin"
	done
	for name in $(more_modules); do
		keep_module "$name" "$tree" "$to"
	done
}

# Whether the cache has all of the kernel in $1.
has_kernel()
{
	local name

	[ -e "$1/release" ] && [ -d "$(cat "$1/headers")" ] &&
		[ -s "$1/packed" ] || return 1
	for name in $(wanted_modules); do
		[ -s "$1/modules/$name.ko" ] ||
			[ -e "$1/modules/$name.builtin" ] || return 1
	done
}

# Header packages name each other by their place on an installed system. Where
# they are not there, name the place they are at.
relocate_headers()
{
	sed -i "s|/usr/src/|$2/usr/src/|" "$1/Makefile"
}

fetch_kernel()
{
	local dir root p abi version packages list versions

	find_kernel "$1"
	if [ -n "$flavour" ]; then
		make_kernel
		return
	fi
	dir=$cache/kernels/$kernel
	root=$(build_root "$build_suite")
	! has_kernel "$dir" || return 0
	start
	# Another process may have done it while this one waited.
	! has_kernel "$dir" || return 0

	need "${base_packages[@]}"
	[ "$arch" = amd64 ] || apt_name=binary-$arch
	apt_ready "$apt_name"
	resolve
	[ -z "$root" ] ||
		make_root "$build_suite" "$(packages_of_headers_compiler)"
	[ -z "$root" ] || [ "$arch" = amd64 ] || add_cross_compiler "$root"
	say "$series is $abi, version $version"
	download "$tmp/debs" "${packages[@]/%/=$version}"

	mkdir -p "$tmp/kernel"
	unpack_image "$tmp"/debs/"${packages[0]}"_*.deb "$tmp/kernel"
	if [ -n "$root" ]; then
		for p in "${packages[@]:1}"; do
			as_root dpkg-deb -x "$tmp/debs/$p"_*.deb "$root"
		done
	else
		for p in "${packages[@]:1}"; do
			dpkg-deb -x "$tmp/debs/$p"_*.deb "$tmp/kernel"
		done
		relocate_headers \
			"$tmp/kernel/usr/src/linux-headers-$abi-$arch" "$dir"
	fi
	keep_modules "$tmp/kernel" \
		"${root:-$tmp/kernel}/usr/src/linux-headers-$abi-$arch"
	printf '%s\n' "${root:-$dir}/usr/src/linux-headers-$abi-$arch" \
		>"$tmp/kernel/headers"
	printf '%s\n' "$abi-$arch" >"$tmp/kernel/release"

	# Others may use the one that was there.
	mkdir -p "$cache/kernels"
	[ ! -e "$dir" ] || mv "$dir" "$tmp/old-kernel"
	mv "$tmp/kernel" "$dir"
}

# ---- roots with another release's build tools ----

# Make $tmp/root, of suite $1 with the packages $2, comma-separated. That is done
# in a mount namespace, so that none of its mounts outlive it.
bootstrap()
{
	local uri keyring alone=()

	need debootstrap debian-archive-keyring
	IFS='|' read -r uri _ < <(pick_source main)
	keyring=$(sed -n 's/^Signed-By: //p' \
		"$apt_dir/$apt_name/sources/private.sources" | head -n 1)
	as_root unshare --mount true 2>/dev/null && alone=(unshare --mount)
	as_root "${alone[@]}" debootstrap --variant=minbase \
		${keyring:+"--keyring=$keyring"} --include="$2" \
		"$1" "$tmp/root" "$uri" </dev/null >"$tmp/debootstrap.log" 2>&1 || {
		tail -n 20 "$tmp/debootstrap.log" >&2
		die "debootstrap $1 failed"
	}
	as_root rm -rf "$tmp/root/var/cache/apt/archives" \
		"$tmp/root/var/lib/apt/lists"
}

# A root of suite $1 with the compiler $2, what a kernel's build tools link to, and its perl,
# as that of the base has no modules
make_root()
{
	local suite=$1 dest=$cache/roots/$1 cc=$2

	[ ! -e "$dest/usr/bin/make" ] || return 0
	if ! can_root; then
		say "error: the build tools of ${series:-$suite} run on $suite, so in a root of"
		say "their own (debootstrap, chroot): do this as root, or with a"
		say "sudo that asks for no password. Kernels that need no root:" \
			"$(kernels | awk -v s="$(host_suite)" \
				'$3 == s { printf "%s%s", sep, $1; sep = " " }')"
		exit 1
	fi
	say "making a root of $suite with $cc (once, takes a minute or two)"
	bootstrap "$suite" "$cc,make,pahole,perl,libelf1t64,libssl3t64,zlib1g"
	mkdir -p "$cache/roots"
	as_root mv "$tmp/root" "$dest"
}

# The compiler package that the headers in hand depend on.
packages_of_headers_compiler()
{
	awk -v name="linux-headers-$abi-$arch" '
	/^Package: / { on = $2 == name }
	on && /^Depends: / && match($0, /gcc-[0-9]+/) {
		print substr($0, RSTART, RLENGTH)
		exit
	}' "$tmp/packages"
}

# Have the compiler for $arch in the root $1, as that of the headers in hand.
add_cross_compiler()
{
	local cc deb

	cc=$(packages_of_headers_compiler)
	[ ! -e "$1/usr/bin/$cross$cc" ] || return 0
	dpkg-query --admindir="$1/var/lib/dpkg" -W -f '${Package}\n' >"$tmp/there"
	with_what_they_need "$build_suite" "$cc-${cross%-}" |
		grep -v -x -F -f "$tmp/there" >"$tmp/lacks" ||
		die "$build_suite has no $cc-${cross%-}"
	# shellcheck disable=SC2046 # names of packages, one a word
	download "$tmp/compiler" $(sed "s|\$|/$build_suite|" "$tmp/lacks")
	for deb in "$tmp"/compiler/*.deb; do
		as_root dpkg-deb -x "$deb" "$1"
	done
}

# Where the compiler in $1 finds libraries by their whole paths, it is to look for them
# where it is.
relocate_cross()
{
	grep -lI 'GNU ld script' "$1/usr/${cross%-}"/lib/*.so |
		xargs sed -i "s|/usr/${cross%-}/lib/||g"
}

# Whether there is one in $1, and it can link programs.
has_cross()
{
	[ -d "$1" ] && ! grep -q "/usr/${cross%-}/lib/" "$1/usr/${cross%-}/lib/libc.so"
}

# The libraries that the compiler itself needs are those of the host's own, but for some
# of its assembler and linker: use_cross().
fetch_cross()
{
	local dir=$cache/cross-$1 packages=() deb cc

	arch=$1 cross=$(arch=$1 cross_prefix)
	[ -n "$cross" ] || die "no compiler is known for '$1'"
	! has_cross "$dir" || return 0
	need "${base_packages[@]}"
	start
	! has_cross "$dir" || return 0
	apt_ready binary
	cc=$(basename "$(readlink -f "$(command -v gcc)")")
	cc=${cc##*-gnu-}
	mapfile -t packages < <(with_what_they_need "$(host_suite)" \
		"$cc-${cross%-}" "libc6-dev-$1-cross" |
		grep -e "-${cross%-}\>" -e "-$1-cross\$" -e -cross-base)
	download "$tmp/debs" "${packages[@]/%//$(host_suite)}"
	for deb in "$tmp"/debs/*.deb; do
		dpkg-deb -x "$deb" "$tmp/compiler"
	done
	ln -s "$cross$cc" "$tmp/compiler/usr/bin/${cross}gcc"
	relocate_cross "$tmp/compiler"
	rm -rf "$dir"
	mv "$tmp/compiler" "$dir"
}

# ---- the headers of all kernels ----

# "RELEASE VERSION COMPILER COMMON KBUILD SUITE" of each package of headers that the
# suite $1 has; the two before the last are packages that it needs.
header_packages()
{
	packages_of "$1" | awk -v suite="$1" '
	/^Package: / {
		name = $2
		on = name ~ /^linux-headers-[0-9]+\.[0-9]+\.[0-9].*amd64$/
	}
	on && /^Version: / { version = $2 }
	on && /^Depends: / {
		common = kbuild = cc = ""
		n = split($0, word, /[ ,]+/)
		for (i = 2; i <= n; i++) {
			if (word[i] ~ /^linux-headers-.*-common/)
				common = word[i]
			else if (word[i] ~ /^linux-kbuild-/)
				kbuild = word[i]
			else if (match(word[i], /gcc-[0-9]+/))
				cc = substr(word[i], RSTART, RLENGTH)
		}
		sub(/^linux-headers-/, "", name)
		print name, version, cc, common, kbuild, suite
		on = 0
	}'
}

# Unpack the headers of one such line where they can be used, if they are not there.
fetch_headers_of()
{
	local release=$1 version=$2 cc=$3 common=$4 kbuild=$5 suite=${6%%-*}
	local root dir deb

	root=$(build_root "$suite")
	dir=${root:-$cache/headers/$release}
	if [ ! -e "$cache/headers/$release.done" ]; then
		[ -z "$root" ] || make_root "$suite" "$cc"
		rm -rf "$tmp/debs" "$tmp/unpacked"
		download "$tmp/debs" "linux-headers-$release=$version" \
			"$common=$version" "$kbuild"
		mkdir -p "$cache/headers"
		for deb in "$tmp"/debs/*.deb; do
			if [ -n "$root" ]; then
				as_root dpkg-deb -x "$deb" "$root"
			else
				dpkg-deb -x "$deb" "$tmp/unpacked"
			fi
		done
		if [ -z "$root" ]; then
			relocate_headers \
				"$tmp/unpacked/usr/src/linux-headers-$release" "$dir"
			rm -rf "$dir"
			mv "$tmp/unpacked" "$dir"
		fi
		: >"$cache/headers/$release.done"
	fi
	printf '%s %s %s\n' "$release" \
		"$dir/usr/src/linux-headers-$release" "$root"
}

# What two suites have is taken once. The roots' compiler is that of their newest.
fetch_headers()
{
	local suite line

	need "${base_packages[@]}"
	start
	apt_ready series
	apt_name=series
	for suite in $(series_suites); do
		header_packages "$suite"
	done | grep -E -e "$1" | sort -t ' ' -k 1,1Vr -u >"$tmp/headers" ||
		die "the suites have no headers of $1"
	while read -r -a line <&7; do
		fetch_headers_of "${line[@]}"
	done 7<"$tmp/headers"
}

# ---- whole systems ----

# What the packages of this tree depend on is there, as guests have no network, and
# what a guest needs to boot. Libraries have other names in other releases, what they
# are built with has not. The disk has room for what is installed.
guest_packages=apt,cmake,dkms,gcc,kmod,libc6-dev,linux-headers-amd64
guest_packages+=,linux-image-amd64,make,pkg-config,systemd-sysv,udev
guest_packages+=$(build_depends | sed -n '/^lib.*-dev$/s/^/,/p' | tr -d '\n')
guest_size=4G

# Have the system in $1 run /mnt/run of the second disk when it starts. What that
# prints is on the second serial line.
run_second_disk()
{
	as_root tee "$1/etc/systemd/system/guest.service" >"$tmp/unit" <<-'EOF'
	[Unit]
	Description=What the second disk has to run
	After=multi-user.target
	[Service]
	Type=idle
	ExecStart=/bin/sh -c 'mount -o ro /dev/vdb /mnt && exec /mnt/run'
	StandardInput=null
	StandardOutput=tty
	StandardError=tty
	TTYPath=/dev/ttyS1
	EOF
	as_root mkdir -p "$1/etc/systemd/system/default.target.wants"
	as_root ln -sf ../guest.service \
		"$1/etc/systemd/system/default.target.wants/guest.service"
	echo guest | as_root tee "$1/etc/hostname" >"$tmp/unit"
	echo '/dev/vda / ext4 defaults 0 0' | as_root tee "$1/etc/fstab" >"$tmp/unit"
}

# Whether the guest in directory $1 is there, with the packages of now
has_guest()
{
	[ -e "$1/image" ] && [ "$(cat "$1/packages" 2>/dev/null)" = "$guest_packages" ]
}

fetch_guest()
{
	local dir=$cache/guests/$1

	! has_guest "$dir" || return 0
	can_root || die "a system of $1 is made by debootstrap, so root or sudo"
	need "${base_packages[@]}" e2fsprogs
	start
	! has_guest "$dir" || return 0
	apt_ready binary
	say "making a system of $1 (once, takes some minutes)"
	bootstrap "$1" "$guest_packages"
	run_second_disk "$tmp/root"
	mkdir -p "$tmp/guest" "$cache/guests"
	for f in vmlinuz initrd.img; do
		as_root cat "$tmp/root/$f" >"$tmp/guest/$f"
	done
	truncate -s "$guest_size" "$tmp/guest/image"
	as_root mkfs.ext4 -q -d "$tmp/root" "$tmp/guest/image"
	printf '%s\n' "$guest_packages" >"$tmp/guest/packages"
	rm -rf "$dir"
	mv "$tmp/guest" "$dir"
}

# ---- the rest ----

fetch_busybox()
{
	local to=$cache/busybox${1:+-$1}

	[ ! -x "$to" ] || return 0
	start
	[ ! -x "$to" ] || return 0
	apt_name=binary${1:+-$1}
	apt_ready "$apt_name"
	download "$tmp/debs" "busybox-static${1:+:$1}/$(host_suite)"
	dpkg-deb -x "$tmp"/debs/busybox-static_*.deb "$tmp/busybox"
	find "$tmp/busybox" -type f -name busybox -path '*bin/*' \
		-exec mv {} "$to" \;
}

# Programs for the guest, with all that they need, in one directory, /vm/NAME there.
# Those of the kernels' oldest release that make file systems, as far as it is the
# host's, make nothing that one of the kernels does not know.
mkfs_packages=(btrfs-progs e2fsprogs squashfs-tools xfsprogs)
mkfs_programs=(mkfs.btrfs mkfs.ext4 mkfs.xfs mksquashfs)
debugger_packages=(gdb-minimal strace)
debugger_programs=(gdb strace)

# The same of another machine's, with its loader: by what they say themselves. $1 is one
# that $3 has already.
keep_foreign()
{
	local name at from

	from=$(cross_path)/../${cross%-}/lib
	LC_ALL=C readelf -d -l "$3/$1" | sed -n -e 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' \
		-e 's/.*interpreter: .*\/\(.*\)\]$/\1/p' >"$tmp/needed.$1"
	while IFS= read -r name; do
		[ ! -e "$3/$name" ] || continue
		at=$(find "$2" "$from" -name "$name" -print -quit)
		[ -n "$at" ] || die "$1 lacks $name"
		cp -L "$at" "$3/"
		keep_foreign "$name" "$2" "$3"
	done <"$tmp/needed.$1"
}

# Put the program $1 of the packages unpacked in $2 into $3, and its libraries.
keep_program()
{
	local at path=$2/lib/x86_64-linux-gnu:$2/usr/lib/x86_64-linux-gnu lib

	at=$(find "$2" -path "*bin/$1" -print -quit)
	[ -n "$at" ] || die "no package has $1"
	cp -L "$at" "$3/$1"
	if [ -n "$cross" ]; then
		keep_foreign "$1" "$2" "$3"
		return
	fi
	LC_ALL=C LD_LIBRARY_PATH=$path ldd "$3/$1" >"$tmp/needed"
	! grep 'not found' "$tmp/needed" >&2 || die "$1 lacks a library"
	while IFS= read -r lib; do
		cp -L "$lib" "$3/"
	done < <(sed -n -e 's/.* => \(\/.*\) (0x.*/\1/p' \
		-e 's/^\t\(\/.*\) (0x.*/\1/p' "$tmp/needed")
}

# Download the packages $2 and so on of the host's suite, for $arch, and what they need,
# but $1.
download_all()
{
	local except=$1 suite packages of=

	shift
	suite=$(host_suite)
	[ -z "$cross" ] || of=:$arch
	mapfile -t packages < <(with_what_they_need "$suite" "${@/%/$of}" |
		grep -vx "$except$of" | grep "$of\$")
	[ ${#packages[@]} -gt 0 ] || die "$suite has none of $*"
	download "$tmp/debs" "${packages[@]/%//$suite}"
}

# The directory $1 of the cache: programs $3 of packages $2. The C library is the host's,
# as its loader is; for another machine, $4, its compiler's, and "-$4" is in the name.
fetch_programs()
{
	local dir=$cache/$1${4:+-$4} p cc=gcc

	[ ! -d "$dir" ] || return 0
	if [ -n "${4-}" ]; then
		arch=$4 cross=$(arch=$4 cross_prefix)
		apt_name=binary-$4
		use_cross
		cc=${cross}gcc
	fi
	need "${base_packages[@]}"
	start
	[ ! -d "$dir" ] || return 0
	apt_ready "$apt_name"
	# shellcheck disable=SC2086 # names, one a word
	download_all libc6 $2
	for p in "$tmp"/debs/*.deb; do
		dpkg-deb -x "$p" "$tmp/root"
	done
	mkdir -p "$tmp/programs"
	for p in $3; do
		keep_program "$p" "$tmp/root" "$tmp/programs"
	done
	# What the C library loads to end a thread
	cp -L "$("$cc" -print-file-name=libgcc_s.so.1)" "$tmp/programs/"
	mv "$tmp/programs" "$dir"
}

# What a person needs to try things, and the tools of this tree. None of the packages is
# configured: what their scripts would do that matters here is done by who makes a disk
# of them.
system_packages=(bash binutils coreutils diffutils findutils gcc gdb-minimal grep gzip
	kmod less libc-bin libc6-dev libdw1 libncursesw6 make man-db mount nano
	ncurses-base ncurses-bin pkg-config procps sed strace tar usr-is-merged
	util-linux)

# Unpacked with /bin and the like as links, whatever a package believes of them; and
# without what is about packages and languages
fetch_system()
{
	local dir=$cache/system d p

	[ ! -d "$dir" ] || return 0
	need "${base_packages[@]}"
	start
	[ ! -d "$dir" ] || return 0
	apt_ready binary
	download_all '' "${system_packages[@]}"
	for d in bin lib lib64 sbin; do
		mkdir -p "$tmp/system/usr/$d"
		ln -s "usr/$d" "$tmp/system/$d"
	done
	for p in "$tmp"/debs/*.deb; do
		dpkg-deb --fsys-tarfile "$p" | tar -C "$tmp/system" -x \
			--no-same-owner --keep-directory-symlink \
			--exclude './usr/share/locale/*' \
			--exclude './usr/share/man/??/*' \
			--exclude './usr/share/doc/*/changelog*'
	done
	mv "$tmp/system" "$dir"
}

# kselftest_harness.h, kselftest.h, lib.mk and the kernel's checking scripts
# are in no headers package, only in a source package. The series whose source
# is taken is fixed: the tests are written against its harness.
fetch_kselftest()
{
	local dir=$cache/kselftest series=6.12 tarball
	local from=linux-source-$series

	[ ! -e "$dir/tools/testing/selftests/lib.mk" ] || return 0
	need "${base_packages[@]}"
	start
	[ ! -e "$dir/tools/testing/selftests/lib.mk" ] || return 0
	source_tarball
	mkdir -p "$tmp/source"
	say "unpacking kselftest"
	tar -C "$tmp/source" -f "$tarball" -x --xz --strip-components=1 \
		--wildcards \
			"$from/tools/testing/selftests/*.h" \
			"$from/tools/testing/selftests/lib.mk" \
			"$from/tools/testing/selftests/kselftest" \
			"$from/tools/include/uapi" \
			"$from/scripts" "$from/.clang-format"
	mv "$tmp/source" "$dir"
}

fetch_mingw()
{
	local dir=$cache/mingw

	[ ! -d "$dir" ] || return 0
	need "${base_packages[@]}"
	start
	[ ! -d "$dir" ] || return 0
	apt_ready binary
	download "$tmp/debs" "mingw-w64-common/$(host_suite)"
	dpkg-deb -x "$tmp"/debs/mingw-w64-common_*.deb "$tmp/mingw"
	mv "$tmp/mingw/usr/share/mingw-w64/include" "$dir"
}

# An unpacked source package stays in the cache; the caller gets a copy.
fetch_source()
{
	local name=$1 dest=$2 dir=$cache/source/$1

	if [ ! -d "$dir" ]; then
		need dpkg-dev
		start
	fi
	if [ ! -d "$dir" ]; then
		apt_ready source
		say "downloading source of $name"
		mkdir -p "$tmp/dsc" "$cache/source"
		(cd "$tmp/dsc" && private source apt-get -q=2 source \
			--download-only "$name" </dev/null >&2) ||
			die "no source package $name"
		dpkg-source -q --no-check -x "$tmp"/dsc/*.dsc "$tmp/src" >&2
		mv "$tmp/src" "$dir"
	fi
	mkdir -p "$dest"
	cp -a "$dir/." "$dest/"
}

usage()
{
	sed -n '/^#\tfetch/s/^#\t/usage: /p' "$0" >&2
	exit 2
}

case ${1-}:$# in
kernel:2)	fetch_kernel "$2" ;;
guest:2)	fetch_guest "$2" ;;
headers:2)	fetch_headers "$2" ;;
cross:2)	fetch_cross "$2" ;;
busybox:[12])	fetch_busybox "${2-}" ;;
mkfs:[12])
	fetch_programs mkfs "${mkfs_packages[*]}" "${mkfs_programs[*]}" "${2-}"
	;;
debuggers:1)
	fetch_programs debuggers "${debugger_packages[*]}" \
		"${debugger_programs[*]}"
	;;
system:1)	fetch_system ;;
mingw:1)	fetch_mingw ;;
kselftest:1)	fetch_kselftest ;;
source:3)	fetch_source "$2" "$3" ;;
package:*)	shift; need "$@" ;;
all:1)
	for k in $(kernel_names); do
		"$0" kernel "$k"
	done
	"$0" busybox
	"$0" mkfs
	"$0" mingw
	"$0" kselftest
	;;
clean:1)	remove "$cache" ;;
*)		usage ;;
esac
