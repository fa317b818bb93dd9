#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Which tests to run on a kernel when there is no time for all of them:
#
#	select.sh [-b BASE] KERNEL SECONDS
#
# Those that the change can reach (../reach) come first, then the others. Each
# time it begins with another one, by the number of commits. Prints the names of as
# many as fit into SECONDS of this machine, by ../costs and by how long the last
# "make test" took; and to the standard error output what is run and what is left
# out.
#
# The change is what is different from BASE: by default, of a branch, from where it
# left the one that it is to come back to, else from ten commits ago.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# ---- the change ----

base()
{
	local head ref at

	[ -z "$base" ] || { echo "$base"; return; }
	head=$(git rev-parse HEAD)
	for ref in '@{upstream}' origin/HEAD origin/main main; do
		at=$(git merge-base HEAD "$ref" 2>/dev/null) || continue
		[ "$at" = "$head" ] || { echo "$at"; return; }
	done
	git rev-list --first-parent --max-count=11 HEAD | tail -n 1
}

# Paths, what is not committed among them. Without git, nobody knows.
changed()
{
	git rev-parse HEAD >/dev/null 2>&1 || { echo Kbuild; return; }
	git diff --name-only "$(base)" --
	git ls-files --others --exclude-standard
}

# "1 TEST" for what the change reaches, "2 TEST" for each if it reaches all, and
# "3 TEST" for each in any case
ranked()
{
	local t

	changed | awk '
	FNR == NR { if (!/^#/ && NF) line[++n] = $0; next }
	match($0, /^selftests\/[a-z0-9_]+_test\.c$/) {
		gsub(/.*\/|\.c$/, "")
		print 1, $0
		next
	}
	{
		for (i = 1; i <= n; i++) {
			words = split(line[i], word)
			if ($0 !~ word[1])
				continue
			for (j = 2; j <= words; j++)
				print 1, word[j]
			break
		}
	}' "$top/selftests/reach" - | while read -r _ t; do
		if [ "$t" = all ]; then
			usual_tests | sed 's/^/2 /'
		else
			echo "1 $t"
		fi
	done
	usual_tests | sed 's/^/3 /'
}

# Each test once, by rank, each rank from another one on; none that is for full runs
in_order()
{
	ranked | grep -w -f <(usual_tests) | sort -u | awk -v turn="$(turn)" '
	!seen[$2]++ { test[$1, count[$1]++] = $2 }
	END {
		for (rank = 1; rank <= 3; rank++)
			for (i = 0; i < count[rank]; i++)
				print rank, test[rank, (i + turn) % count[rank]]
	}'
}

# ---- the choice ----

# Seconds of a processor that fit into $1 s of this machine, less what the boots
# take
room()
{
	local speed=100

	[ ! -e "$build/vm/speed" ] || speed=$(cat "$build/vm/speed")
	[ "$speed" -le 400 ] || speed=400
	echo $(($1 * 90 * $(nproc) / speed - 160))
}

choose()
{
	awk -v room="$(room "$1")" -v debug="$flavour" '
	FNR == NR {
		if (!/^#/ && NF)
			cost[$1] = debug ? $3 : $2
		next
	}
	{
		if (!($2 in cost))
			cost[$2] = debug ? 60 : 5
		if (used && used + cost[$2] > room) {
			print "-", $0
			next
		}
		used += cost[$2]
		print "+", $0
	}' "$top/selftests/costs" -
}

tell()
{
	local fits rank t reached='' also='' left=''

	while read -r fits rank t; do
		if [ "$fits" = - ]; then
			[ "$rank" = 3 ] || t="$t(!)"
			left+=" $t"
		elif [ "$rank" = 3 ]; then
			also+=" $t"
		else
			reached+=" $t"
		fi
	done
	left=${left:- none}
	[ "$left" = "${left/!/}" ] || left+='; (!): reached, and no time'
	printf '# %s\n' "tests for $kernel, $1 s; change: $(of_what)" \
		"reached by it:${reached:- none}" "in turn:${also:- none}" \
		"left out:$left" >&2
}

of_what()
{
	if git rev-parse HEAD >/dev/null 2>&1; then
		printf 'since %s' "$(base | cut -c 1-12)"
	else
		printf 'not known, so all'
	fi
}

base=${BASE:-}
while getopts b: option; do
	case $option in
	b) base=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# = 2 ] || {
	echo 'usage: select.sh [-b BASE] KERNEL SECONDS' >&2
	exit 2
}
cd "$top"
find_kernel "$1"
chosen=$(in_order | choose "$2")
tell "$2" <<<"$chosen"
sed -n 's/^+ [0-9] //p' <<<"$chosen" | sort | xargs
