#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Static checks of the library of heaps: its symbols are those of the map, and of the
# headers, and each has a page, but for those that only libwinregion calls; and it does,
# in programs of both kinds. Run by "make check", which sets CC, BITS, O and BASE.

set -eu

: "${CC:?}" "${BITS:?}" "${O:?}" "${BASE:?}"
read -ra CC <<<"$CC"
libdir=lib
[ "$BITS" = 64 ] || libdir=lib$BITS

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n 's/^\t\t\([A-Za-z0-9_]*\);$/\1/p' libwinregion-heap.map | sort >"$work/map"
nm -D --defined-only "$O/libwinregion-heap.so" |
	sed -n 's/^.* [TDBR] \([^@]*\)@.*$/\1/p' | sort >"$work/shared"
nm --defined-only --extern-only "$O/libwinregion-heap.a" |
	sed -n 's/^.* [TDBR] //p' | sort >"$work/static"
grep -v '^wr_' "$work/map" >"$work/own"
for h in heapapi globalmem; do
	sed -n '/visibility push/,/visibility pop/p' "../include/winregion/$h.h"
done | grep -v -e '^#' -e '^ \*' |
	sed -n 's/^[^(]*[ *]\([A-Za-z0-9_]*\)(.*$/\1/p' |
	sort >"$work/header"
find man -name '*.3' -printf '%f\n' | sed 's/\.3$//' | sort >"$work/pages"

failed=0
same()
{
	diff "$work/$1" "$work/$2" && return
	echo "FAIL $2: not what the map has"
	failed=1
}

same map shared
same map static
same own header
same own pages
[ "$failed" = 0 ] && echo "ok   the map is what the library, its headers and pages have"

# Without a module there is no heap. Memory that may move says so where it is this
# library that is asked for it; 87 is what libwinregion says alone.
cat >"$work/local.c" <<-'EOF'
	#include <winregion/windows.h>

	int main(void)
	{
		DWORD flags = FORMAT_MESSAGE_ALLOCATE_BUFFER |
			      FORMAT_MESSAGE_FROM_SYSTEM;
		DWORD none = HEAPS ? ERROR_NOT_SUPPORTED : ERROR_INVALID_PARAMETER;
		char *text;

	#if HEAPS
		if (!GlobalFlags(NULL))
			return 1;
	#endif
		if (!LocalAlloc(LMEM_MOVEABLE, 9) && GetLastError() != none)
			return 2;
		if (FormatMessageA(flags, NULL, 5, 0, (LPSTR)&text, 0, NULL))
			return LocalFree(text) ? 3 : 0;
		return HEAPS && GetLastError() == none ? 0 : 4;
	}
EOF

# check_local NAME HEAPS LIBRARY...: LocalAlloc() is that of the library of heaps, or not.
check_local()
{
	local name=$1 heaps=$2
	shift 2

	if "${CC[@]}" -Wall -Wextra -Werror -I../include -I../../uapi \
			-DHEAPS="$heaps" -o "$work/local" "$work/local.c" "$@" &&
			LD_LIBRARY_PATH=$O:$BASE "$work/local"; then
		echo "ok   LocalAlloc() of $name"
	else
		echo "FAIL LocalAlloc() of $name"
		failed=1
	fi
}

check_local "shared libraries" 1 -L"$O" -L"$BASE" -lwinregion-heap -lwinregion
check_local "shared libraries in another order" 1 -L"$O" -L"$BASE" -lwinregion \
	-lwinregion-heap
check_local "static libraries" 1 "$O/libwinregion-heap.a" "$BASE/libwinregion.a"
check_local "libwinregion.so alone" 0 -L"$BASE" -lwinregion
check_local "libwinregion.a alone" 0 "$BASE/libwinregion.a"

# Where the dynamic linker does not look, whichever of the two was installed last
install_both()
{
	make -s -C .. install BITS="$BITS" PREFIX="$work/root" &&
		make -s install BITS="$BITS" PREFIX="$work/root" &&
		make -s -C .. install BITS="$BITS" PREFIX="$work/root"
}

# A program of heaps alone names one library only, if it names what it needs.
cat >"$work/alone.c" <<-'EOF'
	#include <windows.h>

	int main(void)
	{
		HANDLE heap = HeapCreate(0, 0, 0);

		return heap ? !HeapDestroy(heap) : 0;
	}
EOF

runs_alone()
{
	local flags

	flags=$(PKG_CONFIG_PATH=$work/root/$libdir/pkgconfig \
		pkg-config --cflags --libs winregion-win32)
	# shellcheck disable=SC2086
	"${CC[@]}" -Wall -Wextra -Werror -Wl,--as-needed -o "$work/alone" \
		"$work/alone.c" $flags && "$work/alone"
}

if install_both >"$work/log" 2>&1 && runs_alone; then
	echo "ok   an installed program of heaps alone"
else
	cat "$work/log"
	echo "FAIL an installed program of heaps alone"
	failed=1
fi

# The same by CMake, and with both libraries in the program
cat >"$work/CMakeLists.txt" <<-'EOF'
	cmake_minimum_required(VERSION 3.16)
	project(alone C)
	find_package(winregion REQUIRED COMPONENTS heap)
	add_executable(shared alone.c)
	target_link_libraries(shared winregion::win32)
	add_executable(static alone.c)
	target_link_libraries(static winregion::win32-static)
	add_executable(heap-static alone.c)
	target_include_directories(heap-static PRIVATE ${WIN32})
	target_link_libraries(heap-static winregion::heap-static)
EOF

# needs_us PROGRAM: with how many of the shared libraries it is linked
needs_us()
{
	readelf -d "$work/build/$1" | grep -c 'NEEDED.*libwinregion' || true
}

runs_by_cmake()
{
	local name

	cmake -S "$work" -B "$work/build" -DCMAKE_C_COMPILER="${CC[0]}" \
		-DCMAKE_C_FLAGS="${CC[*]:1}" \
		-Dwinregion_DIR="$work/root/$libdir/cmake/winregion" \
		-DWIN32="$work/root/include/winregion/win32" &&
		cmake --build "$work/build" || return
	for name in shared static heap-static; do
		"$work/build/$name" || return
	done
	[ "$(needs_us shared)" != 0 ] &&
		[ "$(needs_us static)$(needs_us heap-static)" = 00 ]
}

if ! command -v cmake >/dev/null; then
	echo "skip heaps by CMake: there is no cmake"
elif runs_by_cmake >"$work/log" 2>&1; then
	echo "ok   heaps by CMake"
else
	cat "$work/log"
	echo "FAIL heaps by CMake"
	failed=1
fi
exit "$failed"
