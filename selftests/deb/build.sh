#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build the Debian packages of this tree, twice and in two places, into build/deb:
#
#	build.sh [VERSION]
#
# What comes out must be the same, byte for byte, and lintian must have nothing to
# say. With VERSION, such as 0.1.0~old, the packages are of that version, in
# build/deb/VERSION, and are built once: a test upgrades from them.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$here/../vm/lib.sh"

# With what debian/control names
packages=(dpkg-dev g++ gcc libc6-dev lintian make xz-utils)

# The version of the tree, where debian/changelog has it
tree_version()
{
	sed -n '1s/^[^(]*(\([^)]*\)).*/\1/p' "$top/debian/changelog"
}

# Copy what belongs to the tree to $out/tree, once, as it may change while packages are
# built; what git ignores does not belong to it.
take_tree()
{
	rm -rf "$out/tree"
	mkdir -p "$out/tree"
	(cd "$top" && if [ -e .git ]; then
		git ls-files -z --cached --others --exclude-standard
	else
		find . -name build -prune -o \( -type f -o -type l \) -printf '%P\0'
	fi | while IFS= read -r -d '' f; do
		[ ! -e "$f" ] && [ ! -L "$f" ] || printf '%s\0' "$f"
	done | tar --null -T - -c) | tar -C "$out/tree" --no-same-owner -x
}

# Put into $1 what the packages have of other source packages, or are made with.
add_sources()
{
	local source=$out/source

	[ -e "$source/heap/debian" ] ||
		"$vm/fetch.sh" source wasi-libc "$source/heap"
	[ -e "$source/demo/debian" ] ||
		"$vm/fetch.sh" source libffi "$source/demo"
	cp "$source/heap/dlmalloc/src/malloc.c" "$1/debian/heap-dlmalloc.c"
	cp "$source/demo/src/dlmalloc.c" "$1/debian/demo-dlmalloc.c"
	sed -n '1s/^\([^ ]*\) (\([^)]*\)).*/\1 \2/p' \
		"$source/demo/debian/changelog" >"$1/debian/demo-source"
	"$vm/fetch.sh" kselftest
	cp "$cache/kselftest/scripts/kernel-doc" "$1/debian/"
}

# Have version $2 wherever the tree in $1 has its own.
change_version()
{
	sed -i "1s/(.*)/($2)/" "$1/debian/changelog"
	sed -i "s/^VERSION := .*/VERSION := $2/" "$1/userlib/Makefile" \
		"$1/userlib/heap/Makefile"
	sed -i "s/^MODULE_VERSION(.*/MODULE_VERSION(\"$2\");/" "$1/module/main.c"
}

# Build version $1 in $2 and leave the packages in $3. Nothing of the caller's
# environment is seen, but for what it may differ in.
build()
{
	local dir=$2/winregion-$1

	rm -rf "$2" "$3"
	mkdir -p "$dir" "$3"
	tar -C "$out/tree" -c . | tar -C "$dir" --no-same-owner -x
	add_sources "$dir"
	[ "$1" = "$(tree_version)" ] || change_version "$dir" "$1"
	say "building packages of $1 in ${dir#"$top"/}"
	run_apart env -i -C "$dir" PATH="$PATH" HOME="$2" LC_ALL="${locale-C}" \
		TZ="${zone-UTC}" DEB_BUILD_OPTIONS="parallel=$(nproc)" \
		dpkg-buildpackage -b -us -uc >"$2/log" 2>&1 || {
		tail -n 40 "$2/log" >&2
		die "the packages were not built; all of the log: ${2#"$top"/}/log"
	}
	mv "$2"/*.deb "$2"/*.changes "$2"/*.buildinfo "$3"
}

# The second time in another place, at another time of the day, as others do it
build_again()
{
	local locale=C.UTF-8 zone=Asia/Tokyo

	umask 027
	build "$1" "$out/b/other-place" "$2"
	umask 022
}

compare()
{
	local f different=''

	for f in "$1"/*.deb; do
		cmp -s "$f" "$2/$(basename "$f")" || different+=" $(basename "$f")"
	done
	[ "$(find "$1" -name '*.deb' | wc -l)" = \
		"$(find "$2" -name '*.deb' | wc -l)" ] || different+=' how many'
	[ -z "$different" ] || die "not the same when built twice:$different"
	say "built twice, the same: $(find "$1" -name '*.deb' | wc -l) packages"
}

# All but what only the archive's own tools can say of a package of the archive
lint()
{
	local said

	said=$(lintian --allow-root --no-user-dirs --info --fail-on error,warning \
		--display-info "$1"/*.changes 2>&1) || {
		printf '%s\n' "$said" >&2
		die "lintian has something to say"
	}
	[ -z "$said" ] || printf '%s\n' "$said" >&2
	say 'lintian has nothing to say'
}

mapfile -t depends < <(build_depends)
need "${packages[@]}" "${depends[@]}"
out=$build/deb
end_with_apart
mkdir -p "$out"
[ -w "$out" ] || die "${out#"$top"/} is another user's (sudo make deb?)"
hold_lock "$out/.lock"
umask 022
take_tree
version=${1-$(tree_version)}
if [ $# -gt 0 ]; then
	build "$version" "$out/a" "$out/$version"
	exit
fi
build "$version" "$out/a" "$out/new"
build_again "$version" "$out/second"
compare "$out/new" "$out/second"
lint "$out/new"
rm -f "$out"/*.deb
mv "$out/new"/*.deb "$out"
(cd "$top" && ls build/deb/*.deb)
