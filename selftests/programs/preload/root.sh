#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fill a directory with all that some programs of this host need to do their jobs in it:
#
#	root.sh DIRECTORY PROGRAM LIBRARY... JOBS
#
# Each file has the path that it has here, but for those named: they are in /test, and
# the directory of jobs is that of /test/jobs.

set -euo pipefail

root=$1
shift

# Copy the file $1 with all links on the way to it, and the libraries that it needs.
keep()
{
	local file=$1 needed lib

	[ ! -e "$root$file" ] || return 0
	mkdir -p "$root$(dirname "$file")"
	cp -L --preserve=mode,timestamps "$file" "$root$file"
	needed=$(LC_ALL=C ldd "$file" 2>/dev/null || true)
	while IFS= read -r lib; do
		keep "$lib"
	done < <(sed -n -e 's/^\t.* => \(\/.*\) (0x.*/\1/p' \
		-e 's/^\t\(\/.*\) (0x.*/\1/p' <<<"$needed")
}

# All that is needed to compile and link the program of the job
keep_compiler()
{
	local gcc=$1 program file work

	for program in cc1 collect2 as ld; do
		keep "$(command -v -- "$("$gcc" -print-prog-name="$program")")"
	done
	work=$(mktemp -d)
	{
		"$gcc" -M -O0 -pthread "$jobs/words.c" | tr -s '[:space:]\134' '[\n*]'
		"$gcc" -M -O2 -pthread "$jobs/words.c" | tr -s '[:space:]\134' '[\n*]'
		"$gcc" -pthread -o "$work/program" "$jobs/words.c" -Wl,--trace -lm
		printf '%s\n' "$("$gcc" -print-file-name=liblto_plugin.so)" \
			"$("$gcc" -print-file-name=libc.so)" \
			"$("$gcc" -print-file-name=libm.so)"
	} | grep '^/' | grep -v -e "^$work" -e ^/tmp/ | sort -u >"$work/files"
	while IFS= read -r file; do
		[ ! -f "$file" ] || keep "$file"
	done <"$work/files"
	rm -rf "$work"
}

# Its modules, as many as the smallest package of them has
keep_python()
{
	local python file

	python=$(readlink -f /usr/bin/python3)
	keep "$python"
	ln -s "$(basename "$python")" "$root/usr/bin/python3"
	while IFS= read -r file; do
		[ ! -f "$file" ] || keep "$file"
	done < <(dpkg -L "lib$(basename "$python")-minimal" | grep ^/usr/lib/)
}

mkdir -p "$root"/{bin,dev,proc,test,tmp,usr/bin}
jobs=${*: -1}
for file in "${@:1:$#-1}"; do
	keep "$file"
	mv "$root$file" "$root/test/"
done
# By the names that they have for each other
for name in libwinregion libwinregion-heap; do
	mv "$root/test/$name.so" "$root/test/$name.so.0"
done
cp -r "$jobs" "$root/test/jobs"
keep /bin/dash
ln -s dash "$root/bin/sh"
keep /usr/bin/git
keep /usr/bin/sqlite3
keep_python
gcc=$(readlink -f /usr/bin/gcc)
keep "$gcc"
ln -s "$(basename "$gcc")" "$root/usr/bin/gcc"
keep_compiler "$gcc"
