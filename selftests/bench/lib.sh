# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# What the scripts of the benchmark share: its programs, and a guest that runs
# them by one clock or the other. Needs vm/lib.sh.

out=$build/bench
longest=7200 # seconds that a boot may take
machine=() # more options of vm/run.sh
# What heaps are measured beside, and what the trace is of
heap_packages=(libjemalloc2 libmimalloc2.0 sqlite3)
heap_libraries=(libjemalloc.so.2 libmimalloc.so.2)

# make has nothing to say to another that the script it called calls.
make_programs()
{
	need "${base_packages[@]}" "${heap_packages[@]}"
	unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
	make -s -C "$top/selftests/bench" -j"$(nproc)" O="$out" \
		DLMALLOC="$out/libffi/src/dlmalloc.c" "$@" >&2
}

build_programs()
{
	[ -e "$out/libffi/src/dlmalloc.c" ] ||
		"$vm/fetch.sh" source libffi "$out/libffi"
	need "${base_packages[@]}"
	(unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
	make -s -C "$top/userlib" -j"$(nproc)" >&2
	make -s -C "$top/userlib/heap" -j"$(nproc)" >&2)
	make_programs
}

# Does a source of the program have this name, or what a name with more words or a size
# begins with? What is none at all needs no program to be built.
may_be_row()
{
	local name=${1%@*}

	until grep -qF "\"$name\"" "$top"/selftests/bench/*.c; do
		[[ $name == *-* ]] || return
		name=${name%-*}
	done
}

# Are these names of rows? With -f first, of such as can be profiled. The program
# knows, here too; where it does not, it has said what there is. In a fresh tree no more
# is made for it than has to be.
check_rows()
{
	local row

	for row; do
		[[ $row == [-?]* || -x $out/bench ]] || may_be_row "$row" ||
			die "no row '$row'; \"make bench ROW=?\" lists them"
	done
	need "${base_packages[@]}"
	(unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
	make -s -C "$top/userlib" -j"$(nproc)" build/libwinregion.a >&2)
	make_programs "$out/bench"
	"$out/bench" -c "$@" || exit 2
}

# The processor for counted instructions. Those that clear or copy a whole page
# count as many as they have bytes, where it says that it is fast at bytes;
# words are nearer to what they cost.
model()
{
	local known flag

	known=$(qemu-system-x86_64 -cpu help)
	printf 'max,la57=off'
	for flag in erms fsrm fzrm fsrs fsrc; do
		! grep -qw "$flag" <<<"$known" || printf ',%s=off' "$flag"
	done
}

# Run the program in kernel $2 by the clock $1 with the arguments that follow;
# $QEMU_ARGS are more words for QEMU. It is for a subshell, which becomes that run:
# who ends it ends the guest.
run_by_clock()
{
	local clock=$1 k=$2 carry=() program

	shift 2
	for program in alloc-winregion alloc-mmap alloc-mremap heaps-winregion \
			heaps-malloc heaps-trace; do
		carry+=(-f "$out/$program")
	done
	for program in "${heap_libraries[@]}"; do
		carry+=(-f "/usr/lib/x86_64-linux-gnu/$program")
	done
	if [ "$clock" = instructions ]; then
		ACCEL=tcg,thread=single CPUS=1
		QEMU_ARGS="-icount shift=0,sleep=off -cpu $(model) ${QEMU_ARGS:-}"
	else
		CPUS=2
		set -- -w "$@"
	fi
	export ACCEL CPUS QEMU_ARGS
	exec "$vm/run.sh" -k "$k" -m "${MEM:-6G}" -t "$longest" "${machine[@]}" \
		"${carry[@]}" -- \
		"$out/bench" "$@"
}
