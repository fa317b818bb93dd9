#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Measure winregion beside what programs do without it, and print a table:
#
#	bench.sh [-k "KERNEL..."] [ROW...]
#	bench.sh -s [-u] [-k KERNEL] [ROW...]
#	bench.sh -r
#
# Each kernel is booted twice, and once for each row of paging. First with one processor whose instructions QEMU
# counts: these figures are the same on every host, and the targets are for
# them. Then with two processors that run at the same time, for the clock on the
# wall and for what threads do to each other. What each boot printed is left in
# build/bench/KERNEL/, and beside it KERNEL.txt, KERNEL.json and plots,
# KERNEL-*.svg.
#
# With names of rows, as in the file "rows", all of this is about those.
#
# Exit status 1 if a row misses its target (see the file "rows").
#
# -s measures a part of it, once, and compares with the file "figures" instead:
# exit status 1 if a row has become more than 10 % worse. -u writes that file.
#
# -r prints the short table for doc/benchmark.md from what was measured last.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$here/../vm/lib.sh"
. "$here/lib.sh"

smoke_rows=(reserve-64k reserve-64m commit-isolated commit-sequential
	commit-vector touch-sequential touch-random touch-huge retouch
	decommit-touched decommit-untouched protect protect-huge
	protect-alternating exec-toggle fork@67108864 forked core-dump query@10
	query-bulk view-read view-write view-touch view-protect@0 view-map-64k
	view-map-4m view-commit places@1000)

# Boot kernel $1 for the clock $2, and keep what the program prints in file $3.
boot()
{
	local k=$1 clock=$2 file=$out/$1/$3

	shift 3
	mkdir -p "$out/$k"
	say "measuring on $k: $clock"
	(run_by_clock "$clock" "$k" "$@") >"$file.new" || die "see $file.new"
	mv "$file.new" "$file"
}

# The part that -s measures; -u makes the figures the new ones to compare with.
smoke()
{
	local k=$1 longest=900

	shift
	# Where mappings come to lie is worth a fifth of some rows.
	export APPEND="${APPEND:-} norandmaps"
	boot "$k" instructions smoke -p 3 -y winregion "$@"
	if [ -n "$update" ]; then
		{
			sed '/^#/!d' "$here/figures"
			awk -v update=1 -f "$here/smoke.awk" /dev/null \
				"$out/$k/smoke"
		} >"$here/figures.new"
		mv "$here/figures.new" "$here/figures"
		say "wrote selftests/bench/figures"
	else
		awk -v some="$some" -f "$here/smoke.awk" "$here/figures" \
			"$out/$k/smoke"
	fi
}

# Make these rows all that -s measures; without any, it is those that there are.
choose_smoke_rows()
{
	local row known chosen=()

	[ $# -gt 0 ] || return 0
	[ -z "$update" ] ||
		die "UPDATE=1 writes the figures of all rows, so no ROW="
	for row; do
		for known in "${smoke_rows[@]}" ''; do
			[ "$row" = "$known" ] && break
			[ "$row" = "${known%@*}" ] && break
		done
		[ -n "$known" ] || die "no row '$row' in bench-smoke; there" \
			"are: ${smoke_rows[*]}"
		chosen+=("$known")
	done
	some=1
	smoke_rows=("${chosen[@]}")
}

# What machines read, and what is looked at
publish()
{
	local k=$1 release name axis lines

	release=$(cat "$cache/kernels/$k/release")
	awk -v kernel="$release" -f "$here/json.awk" \
		"$out/$k/instructions" "$out/$k/wall" >"$out/$k.json"
	grep -v '^#' "$here/plots" | while read -r name axis lines; do
		awk -v title="$name: guest instructions, Linux $release" \
			-v x="${axis//_/ }" -v lines="$lines" \
			-f "$here/plot.awk" "$out/$k/instructions" \
			>"$out/$k-$name.svg"
	done
}

# Two processors of the guest are two of the host, or its times mean little.
warn_of_load()
{
	local load

	read -r load _ </proc/loadavg
	! awk -v load="$load" -v cpus="$(nproc)" \
		'BEGIN { exit !(load > cpus) }' ||
		say "the host is busy (load $load): times and the row of two" \
			"threads mean little"
}

# For kernel $1, whose last boot was under accelerator $2
head_lines()
{
	cat <<-EOF
	Guest instructions per operation, counted by QEMU: they leave out what
	exceptions, caches and TLB misses cost. Linux $(cat "$cache/kernels/$1/release"), winregion by
	raw ioctls, ratio to the cheapest recipe. Medians of several processes; faults,
	VMAs, locks and time are per operation, winregion / the recipe compared with.
	Time is that of another boot, under $2; rows of paging are ns of one of their own.
	EOF
}

# Row $2 of paging in a machine of its own: of 512 MiB, and as much more as the disk
# takes on which the file is.
boot_for_paging()
{
	local k=$1 row=$2 machine=(-l zram) MEM=512M

	if [ "$row" = paging-file ]; then
		machine=(-l loop -l ext4)
		MEM=2764M
	fi
	boot "$k" wall "$row" -p 1 "$row"
}

# What is measured of kernel $1 is left in $files.
measure_paging()
{
	local k=$1 row

	shift
	for row in paging-zram paging-file; do
		[ $# = 0 ] || [[ " $* " == *" $row"* ]] || continue
		boot_for_paging "$k" "$row"
		files+=("$out/$k/$row")
	done
}

bench_kernel()
{
	local k=$1 some='' name usual=() files=()

	shift
	[ $# = 0 ] || some=-some
	for name; do
		[[ $name == paging-* ]] || usual+=("$name")
	done
	if [ -z "$some" ] || [ ${#usual[@]} != 0 ]; then
		boot "$k" instructions "instructions$some" "${usual[@]}"
		warn_of_load
		boot "$k" wall "wall$some" -p 1 -l 5 "${usual[@]}"
		files=("$out/$k/instructions$some" "$out/$k/wall$some")
	else
		warn_of_load
		files=(/dev/null /dev/null)
	fi
	measure_paging "$k" "$@"
	[ -n "$some" ] || publish "$k"
	{
		head_lines "$k" "$(accelerator "$k")"
		awk -v some="$some" -f "$here/table.awk" "$here/rows" \
			"${files[@]}"
	} | tee "$out/$k$some.txt"
}

# What QEMU ran the last boot of kernel $1 with
accelerator()
{
	sed -n 's/.* -accel \([^ ]*\) .*/\1/p' "$build/vm/$1/qemu.cmd"
}

kernel_list='' smoke='' update='' some=''
while getopts k:sur option; do
	case $option in
	k) kernel_list=$OPTARG ;;
	s) smoke=1 ;;
	u) update=1 ;;
	r)
		cd "$out"
		for k in $(kernel_names); do
			printf '%s.txt\n' "$k"
		done | xargs awk -f "$here/summary.awk"
		exit
		;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
if [ -z "$kernel_list" ]; then
	kernel_list=$(kernel_names)
	[ -z "$smoke" ] || kernel_list=6.12
fi

# What was typed wrong is said before anything takes its time.
for k in $kernel_list; do
	find_kernel "$k"
done
if [ -n "$smoke" ]; then
	choose_smoke_rows "$@"
	set -- "${smoke_rows[@]}"
fi
check_rows "$@"
hold_lock "$build/.bench.lock"
build_programs
status=0
for k in $kernel_list; do
	if [ -n "$smoke" ]; then
		smoke "$k" "$@" || status=1
	else
		bench_kernel "$k" "$@" || status=1
	fi
done
exit "$status"
