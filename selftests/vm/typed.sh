# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# What tests have in common that type into a shell, and look at what is answered: in
# $out/output, and $out/errors. Needs lib.sh.

nr=0 failed=

# has NAME PATTERN: a line of the output, of an extended regular expression
has()
{
	nr=$((nr + 1))
	if tr -d '\r' <"$out/output" | grep -q -x -E -e "$2"; then
		echo "ok $nr $1"
	else
		echo "not ok $nr $1"
		failed=1
	fi
}

# The end of the test
finish()
{
	echo "1..$nr"
	[ -n "$failed" ] || return 0
	sed 's/^/# /' "$out/errors"
	die "${out#"$top"/} has what was said"
}
