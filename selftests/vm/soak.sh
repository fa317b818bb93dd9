#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The long run: for so many hours, over all kernels in turn, what finds more the
# longer it runs:
#
#	soak.sh HOURS [KERNEL...]
#
# Calls compared with the model, from a seed that no round had before; those of
# processes that share sections; raw bytes; the races, with many times the rounds of
# a full run; and every error path. A round that fails does not end the run; all its
# logs are kept in build/soak.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# Of calls in a round, and of the tests' own rounds in a full run
calls=500000
times=5
racing='race_test section_race_test process_test fork_test hazard_test huge_test ptes_test unit_test'
failing='fail_nth_test'

logs=$build/soak
failed=0 rounds=0

all_kernels()
{
	local k

	for k in $(kernel_names); do
		printf '%s debug-%s ' "$k" "$k"
	done
	printf 'kcsan-6.12\n'
}

# Run a step of the round on kernel $1, named $2, and keep its log.
step()
{
	local log=$logs/$rounds-$1-$2.log

	shift 2
	if "$@" >"$log" 2>&1; then
		printf 'ok %s\n' "$(basename "$log" .log): $(tail -n 1 "$log")"
	else
		failed=$((failed + 1))
		printf 'not ok %s (see %s)\n' "$(basename "$log" .log)" \
			"${log#"$PWD"/}"
		mkdir -p "${log%.log}"
		cp -r "$build/vm/$kernel"* "${log%.log}/"
	fi
}

round()
{
	local n=$calls r=$times

	find_kernel "$1"
	[ -z "$flavour" ] || n=$((calls / 5)) r=1
	step "$1" fuzz make -s -C "$top" fuzz KERNEL="$1" \
		SEED=$((seed + rounds)) OPS="$n"
	step "$1" sharing make -s -C "$top" fuzz KERNEL="$1" \
		SEED=$((seed + rounds)) OPS="$n" SHARE=4
	step "$1" races "$vm/test.sh" -f -r "$r" -k "$1" -t "$racing"
	[ "$flavour" != debug ] ||
		step "$1" failures "$vm/test.sh" -k "$1" -t "$failing"
}

if [ $# = 0 ]; then
	echo "usage: soak.sh HOURS [KERNEL...]" >&2
	exit 2
fi
[[ $1 =~ ^[1-9][0-9]{0,4}$ ]] ||
	die "not a number of hours: '$1' (HOURS= is 1 to 99999)"
end=$((SECONDS + 3600 * $1))
shift
# shellcheck disable=SC2046 # names of kernels, one a word
[ $# -gt 0 ] || set -- $(all_kernels)
for k; do
	find_kernel "$k"
done
seed=$(date +%s)
rm -rf "$logs"
mkdir -p "$logs"
while [ "$SECONDS" -lt "$end" ]; do
	for k; do
		[ "$SECONDS" -lt "$end" ] || break
		rounds=$((rounds + 1))
		round "$k"
	done
done
printf '%s rounds, %s failed\n' "$rounds" "$failed"
[ "$failed" = 0 ]
