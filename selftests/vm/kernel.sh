# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# The kernels that no distribution packages: those with the checks of
# config/FLAVOUR.config compiled in. They are made of the distribution's own
# source package of the series, so that what is checked is what is shipped.
# Needs lib.sh and apt.sh; used by fetch.sh.

# What allnoconfig is completed with.
fragments()
{
	printf '%s\n' "$vm/config/base.config" "$vm/config/$flavour.config"
}

# A kernel is good as long as its fragments are what they were.
kernel_id()
{
	local fragments

	mapfile -t fragments < <(fragments)
	cat "${fragments[@]}" | cksum
}

kernel_is_current()
{
	[ -e "$1/release" ] && [ "$(cat "$1/id" 2>/dev/null)" = "$(kernel_id)" ]
}

# The packed source of $series stays in the cache: several kernels are made of
# it.
source_tarball()
{
	local from=linux-source-$series

	tarball=$cache/source/$from.tar.xz
	[ ! -e "$tarball" ] || return 0
	apt_ready binary
	download "$tmp/debs" "$from"
	mkdir -p "$cache/source"
	dpkg-deb --fsys-tarfile "$tmp"/debs/"$from"_*.deb |
		tar -x --to-stdout "./usr/src/$from.tar.xz" >"$tmp/tarball"
	rm -rf "$tmp/debs"
	mv "$tmp/tarball" "$tarball"
}

# What only drivers select, and this module uses where it is, gets a prompt so
# that a fragment can ask for it.
prompt()
{
	sed -i "/^config $1\$/,/bool/s/bool\$/& \"$1\"/" "$2"
}

# Everything that a fragment asks for must have come through: an option that
# was renamed or lost a dependency would be a check that silently is not made.
configure()
{
	local fragments line missing=()

	mapfile -t fragments < <(fragments)
	prompt MAPPING_DIRTY_HELPERS mm/Kconfig
	make -s allnoconfig
	./scripts/kconfig/merge_config.sh -m -O . .config "${fragments[@]}" \
		</dev/null
	printf 'CONFIG_LOCALVERSION="-%s"\n' "$flavour" >>.config
	make -s olddefconfig
	while IFS= read -r line; do
		case $line in
		CONFIG_*=n)
			! grep -q "^${line%n}[ym]" .config ||
				missing+=("$line") ;;
		CONFIG_*)
			grep -qxF -- "$line" .config || missing+=("$line") ;;
		esac
	done < <(cat "${fragments[@]}")
	[ ${#missing[@]} = 0 ] || {
		printf '%s\n' "$series does not take: ${missing[*]}"
		return 1
	}
}

# QEMU's way in (PVH) comes before KASAN is set up, and 6.1 does not except from
# its checks what runs there.
compile()
{
	local unchecked=()

	unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
	grep -q KASAN_SANITIZE arch/x86/platform/pvh/Makefile ||
		unchecked=(KASAN_SANITIZE_{enlighten,string}.o=n)
	configure && make -s -j"$(nproc)" "${unchecked[@]}" vmlinux modules \
		</dev/null
}

# What building a module takes, out of what building the kernel took.
trim()
{
	find . -mindepth 1 -maxdepth 1 ! -name 'arch' ! -name 'include' \
		! -name 'scripts' ! -name 'tools' ! -name 'Makefile' \
		! -name 'Kbuild' ! -name '.config' ! -name '*.symvers' \
		-exec rm -rf {} +
	find arch -mindepth 1 -maxdepth 1 -type d ! -name x86 \
		-exec rm -rf {} +
	find tools -mindepth 1 -maxdepth 1 ! -name objtool ! -name build \
		! -name include ! -name lib ! -name scripts -exec rm -rf {} +
	find arch tools \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' \) \
		-exec rm -f {} +
}

# Build the kernel that find_kernel chose into $cache/kernels/$kernel.
make_kernel()
{
	local dir=$cache/kernels/$kernel tarball began=$SECONDS

	! kernel_is_current "$dir" || return 0
	need "${base_packages[@]}" bc bison flex libelf-dev
	start
	# Another process may have done it while this one waited.
	! kernel_is_current "$dir" || return 0
	source_tarball
	say "building a kernel, $kernel (once, takes some minutes)"
	mkdir -p "$tmp/kernel/tree"
	tar -C "$tmp/kernel/tree" -x --xz --strip-components=1 -f "$tarball"
	(cd "$tmp/kernel/tree" && compile >"$tmp/kernel.log" 2>&1) || {
		tail -n 40 "$tmp/kernel.log" >&2
		die "the kernel $kernel could not be built"
	}
	strip -o "$tmp/kernel/image" "$tmp/kernel/tree/vmlinux"
	cp "$tmp/kernel/tree/.config" "$tmp/kernel/config"
	cp "$tmp/kernel/tree/include/config/kernel.release" \
		"$tmp/kernel/release"
	(cd "$tmp/kernel/tree" && trim)
	kernel_id >"$tmp/kernel/id"
	printf '%s\n' "$dir/tree" >"$tmp/kernel/headers"
	mkdir -p "$cache/kernels"
	rm -rf "$dir"
	mv "$tmp/kernel" "$dir"
	say "built $kernel in $((SECONDS - began)) s"
}
