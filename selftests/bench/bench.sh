#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Measure winregion beside what programs do without it, and print a table:
#
#	bench.sh [-k "KERNEL..."] [ROW...]
#	bench.sh -s [-u] [-k KERNEL]
#
# Each kernel is booted twice. First with one processor whose instructions QEMU
# counts: these figures are the same on every host, and the targets are for
# them. Then with two processors that run at the same time, for the clock on the
# wall and for what threads do to each other. What each boot printed is left in
# build/bench/KERNEL/, and beside it KERNEL.json and plots, KERNEL-*.svg.
#
# Exit status 1 if a row misses its target (see the file "rows").
#
# -s measures a part of it, once, and compares with the file "figures" instead:
# exit status 1 if a row has become more than 10 % worse. -u writes that file.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$here/../vm/lib.sh"

out=$build/bench
smoke_rows=(reserve-64k reserve-64m commit-isolated commit-sequential
	commit-vector touch-sequential touch-random touch-huge retouch
	decommit-touched decommit-untouched protect protect-huge
	protect-alternating query@10 query-bulk)

# Instructions that clear or copy a whole page count as many as they have bytes,
# where the processor says that it is fast at bytes. Words are nearer to what
# they cost.
model()
{
	local flag

	printf 'max,la57=off'
	for flag in erms fsrm fzrm fsrs fsrc; do
		! qemu-system-x86_64 -cpu help | grep -qw "$flag" ||
			printf ',%s=off' "$flag"
	done
}

build_all()
{
	local source=$out/libffi

	need "${base_packages[@]}"
	[ -e "$source/src/dlmalloc.c" ] ||
		"$vm/fetch.sh" source libffi "$source"
	# A make that called this script has nothing to say to those below.
	unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
	make -s -C "$top/userlib" -j"$(nproc)" >&2
	make -s -C "$here" -j"$(nproc)" O="$out" \
		DLMALLOC="$source/src/dlmalloc.c" >&2
}

# Boot kernel $1 for the clock $2, and run the program with the arguments that
# follow.
boot()
{
	local k=$1 clock=$2 carry=() program

	shift 2
	case $clock in
	instructions)
		export ACCEL=tcg,thread=single CPUS=1
		QEMU_ARGS="-icount shift=0,sleep=off -cpu $(model)"
		export QEMU_ARGS
		;;
	wall)
		unset QEMU_ARGS ACCEL
		export CPUS=2
		set -- -w -p 1 "$@"
		;;
	esac
	for program in winregion mmap mremap; do
		carry+=(-f "$out/alloc-$program")
	done
	say "measuring on $k: $clock"
	MEM=${MEM:-6G} "$vm/run.sh" -k "$k" -t 7200 "${carry[@]}" -- \
		"$out/bench" "$@" >"$out/$k/$clock.new" ||
		die "see $out/$k/$clock.new"
	mv "$out/$k/$clock.new" "$out/$k/$clock"
}

head_lines()
{
	printf 'Guest instructions per operation, counted by QEMU; they leave out what\n'
	printf 'exceptions, caches and TLB misses cost. Linux %s, winregion by raw\n' \
		"$(cat "$cache/kernels/$1/release")"
	printf 'ioctls. Medians of 7; faults, VMAs, locks and time per operation, winregion /\n'
	printf 'the recipe compared with; time of another boot, under %s.\n' "$2"
}

# The part that -s measures; -u makes the figures the new ones to compare with.
smoke()
{
	local k=$1

	mkdir -p "$out/$k"
	boot "$k" instructions -p 3 -y winregion \
		"${smoke_rows[@]}"
	if [ -n "$update" ]; then
		{
			sed '/^#/!d' "$here/figures"
			awk -v update=1 -f "$here/smoke.awk" /dev/null \
				"$out/$k/instructions"
		} >"$here/figures.new"
		mv "$here/figures.new" "$here/figures"
		say "wrote selftests/bench/figures"
	else
		awk -f "$here/smoke.awk" "$here/figures" "$out/$k/instructions"
	fi
}

bench_kernel()
{
	local k=$1

	shift
	mkdir -p "$out/$k"
	boot "$k" instructions "$@"
	boot "$k" wall "$@"
	head_lines "$k" "$(accelerator "$k")"
	awk -f "$here/table.awk" "$here/rows" "$out/$k/instructions" \
		"$out/$k/wall"
}

# What QEMU ran the last boot of kernel $1 with
accelerator()
{
	sed -n 's/.* -accel \([^ ]*\) .*/\1/p' "$build/vm/$1/qemu.cmd"
}

kernel_list='' smoke='' update=''
while getopts k:su option; do
	case $option in
	k) kernel_list=$OPTARG ;;
	s) smoke=1 ;;
	u) update=1 ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
if [ -z "$kernel_list" ]; then
	kernel_list=$(kernel_names)
	[ -z "$smoke" ] || kernel_list=6.12
fi

hold_lock "$build/.bench.lock"
build_all
status=0
for k in $kernel_list; do
	if [ -n "$smoke" ]; then
		smoke "$k" || status=1
	else
		bench_kernel "$k" "$@" || status=1
	fi
done
exit "$status"
