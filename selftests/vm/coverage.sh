#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Which lines of the module and of the library the tests run:
#
#	coverage.sh [-k KERNEL] [-t "TEST..."]
#
# The tests run on a kernel that collects counts (debug-6.12 unless another is
# named), with a library that counts. Prints a line for each source file, then
# the lines that were not run; the tests' own result is in build/coverage.log.
# Lines that no test can reach are listed, with the reason, in
# ../COVERAGE: they are shown apart.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

kernel_name=debug-6.12 tests=''
while getopts k:t: option; do
	case $option in
	k) kernel_name=${OPTARG:-$kernel_name} ;;
	t) tests=$OPTARG ;;
	*) exit 2 ;;
	esac
done

out=$build/coverage
reasons=$top/selftests/COVERAGE

# The counts that boot directory $1 brought back, as a tracefile. They are put
# beside the notes (.gcno) that the compiler left.
tracefile()
{
	local into=$out/boot

	rm -rf "$into"
	mkdir -p "$into/files" "$into/module" "$into/lib"
	tar -C "$into/files" -xzf "$1/counts"
	cp "$build/$kernel_name"/src/module/*.gcno "$into/module/"
	find "$into/files" -path '*/src/module/*.gcda' \
		-exec cp {} "$into/module/" \;
	cp "$out"/userlib/*.gcno "$into/lib/"
	find "$into/files" -path '*/coverage/userlib/*.gcda' \
		-exec cp {} "$into/lib/" \;
	# Kernel headers, named relative to another directory, are not found
	# and not missed.
	lcov -q --capture -d "$into/module" -b "$build/$kernel_name/src" \
		-o "$into/module.info" 2>"$into/lcov.log"
	lcov -q --capture -d "$into/lib" -b "$top/userlib" \
		-o "$into/lib.info" 2>>"$into/lcov.log" || : >"$into/lib.info"
	grep -h . "$into/module.info" "$into/lib.info" >"$2"
}

# Names as in the tree, and nothing of the headers of others.
of_tree()
{
	lcov -q -e "$1" '*/module/*' '*/userlib/src/*' -o "$1.of_tree" \
		2>>"$out/lcov.log"
	sed -e "s|^SF:.*/src/module/|SF:module/|" \
		-e "s|^SF:.*/userlib/src/|SF:userlib/src/|" "$1.of_tree"
}

# "file lines run" for each file, then "- file:line" for each line not run.
summary()
{
	awk '
	/^SF:/ { file = substr($0, 4); n = hit = 0 }
	/^DA:/ {
		split(substr($0, 4), da, ",")
		n++
		if (da[2] > 0)
			hit++
		else
			missed[++m] = file ":" da[1]
	}
	/^end_of_record/ { print file, n, hit }
	END {
		for (i = 1; i <= m; i++)
			print "-", missed[i]
	}' "$1" | sort -V
}

# Read: a summary.
show()
{
	local place text reason

	printf '%-32s %6s %6s %7s\n' file lines run '%'
	grep -v '^-' "$1" | awk '
		function line(name, n, hit) {
			printf "%-32s %6d %6d %6.1f%%\n", name, n, hit,
			       n ? 100 * hit / n : 100
		}
		{ line($1, $2, $3); n += $2; hit += $3 }
		{ part = $1; sub("/.*", "", part); pn[part] += $2; ph[part] += $3 }
		END {
			for (part in pn)
				line(part, pn[part], ph[part])
			line("all", n, hit)
		}'
	printf '\nLines that were not run:\n'
	grep '^-' "$1" | while read -r _ place _; do
		text=$(sed -n "${place##*:}s/^[[:space:]]*//p" \
			"$top/${place%:*}")
		reason=$(reason_for "${place%:*}" "$text")
		printf '%s: %s%s\n' "$place" "$text" "${reason:+   [$reason]}"
	done
}

# A line of COVERAGE is: file, TAB, the line's text, TAB, the reason.
reason_for()
{
	[ -e "$reasons" ] || return 0
	awk -F'\t+' -v file="$1" -v text="$2" \
		'$1 == file && $2 == text { print $3; exit }' "$reasons"
}

find_kernel "$kernel_name"
case $kernel_name in
debug-*) ;;
*) die "only a debug kernel counts lines: KERNEL=debug-6.12, say" ;;
esac
# shellcheck disable=SC2086 # names of tests, one a word
check_tests $tests
need lcov
rm -rf "$out" "$build/vm"/*/counts
mkdir -p "$out"
"$vm/test.sh" -c -k "$kernel_name" -t "$tests" >"$out.log" 2>&1 || {
	tail -n 20 "$out.log" >&2
	say "not all tests passed (see ${out#"$PWD"/}.log)"
}
for boot in "$build/vm/$kernel_name"*/counts; do
	tracefile "${boot%/counts}" "$out/$(basename "${boot%/counts}").info"
	traces+=(-a "$out/$(basename "${boot%/counts}").info")
done
lcov -q "${traces[@]}" -o "$out/all" 2>"$out/lcov.log"
of_tree "$out/all" >"$out/coverage.info"
summary "$out/coverage.info" >"$out/summary"
show "$out/summary"
