#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Which rules of RULES are proved, by which the tests name above themselves:
#
#	/* Rules: VA-01, VA-02. Words after a full stop are for the reader. */
#	/* So are words before. Rule VA-03 */
#
#	rules.sh			a rule counts if a test names it
#	rules.sh OUTPUT...		and if none of these failed, and one passed
#
# Each OUTPUT is what the test programs printed on one kernel (KTAP), and each
# program's part of it follows a line "##vm## begin PROGRAM". One test has to have passed
# in every OUTPUT in which any program ran that has one: others may be skipped there, as
# those that need a kernel with faults to inject, and some programs run on one kernel.
#
# Exit status 1: RULES and the tests contradict each other, or, without an OUTPUT, a
# rule is not proved.

set -eu
here=$(cd "$(dirname "$0")" && pwd)

for f; do
	[ -r "$f" ] || {
		echo "rules.sh: cannot read $f" >&2
		exit 2
	}
done

# shellcheck disable=SC2016 # the dollars are awk's
exec awk -v here="$here/" -v outputs=$# '
function complain(text)
{
	print "rules.sh: error: " text | "cat >&2"
	status = 1
}

function basename(path)
{
	sub(/.*\//, "", path)
	sub(/\.[a-z]*$/, "", path)
	return path
}

# ---- RULES ----

function read_rule()
{
	if ($0 ~ /^#/ || !NF)
		return
	if (NF < 4 || $1 !~ /^[A-Z]+-[0-9]+$/ || $2 !~ /^[a-z]+$/ ||
	    $3 !~ /^([0-9]+|-)$/) {
		complain("RULES:" FNR ": not a rule")
		return
	}
	if ($1 in when)
		complain("RULES:" FNR ": " $1 " is there twice")
	when[$1] = $2
	rules[++nr_rules] = $1
}

# ---- the sources of the tests ----

# Remember the rules that a comment names, for the next test: up to a full stop or a
# colon, in as many lines as that takes.
function read_names(  text)
{
	text = $0
	if (!names_go_on) {
		sub(/.*Rules?:? */, "", text)
		if (pending != "")
			complain(at ": no test follows these rules")
		pending = " "
		at = basename(FILENAME) ".c:" FNR
	}
	names_go_on = text !~ /[.:;]|\*\//
	sub(/[.:;].*|\*\/.*/, "", text)
	sub(/^ \* */, "", text)
	take_names(text)
}

# "VA-01, VA-03 to VA-05"
function take_names(text,  words, n, i, last, to)
{
	gsub(/,| and /, " ", text)
	n = split(text, words, " ")
	for (i = 1; i <= n; i++) {
		if (words[i] == "to") {
			to = 1
			continue
		}
		if (words[i] !~ /^[A-Z]+-[0-9]+$/) {
			if (words[i] != "none")
				complain(at ": what is \"" words[i] "\"?")
			continue
		}
		if (to)
			take_range(last, words[i])
		pending = pending words[i] " "
		last = words[i]
		to = 0
	}
}

# What lies between two names
function take_range(first, last,  group, i)
{
	group = first
	sub(/[0-9]+$/, "", group)
	for (i = number(first) + 1; i < number(last); i++)
		pending = pending sprintf("%s%02d ", group, i)
}

function number(id)
{
	sub(/.*-/, "", id)
	return id + 0
}

function read_test(  name, fixture, n, ids, i)
{
	name = $0
	sub(/^[A-Z_]*\(/, "", name)
	fixture = "global"
	if ($0 ~ /^TEST_F/) {
		fixture = name
		sub(/,.*/, "", fixture)
		sub(/^[^,]*, */, "", name)
	}
	sub(/[,)].*/, "", name)
	name = basename(FILENAME) "." fixture "." name
	nr_tests++

	n = split(pending, ids, " ")
	pending = ""
	if (n)
		nr_naming++
	for (i = 1; i <= n; i++) {
		if (!(ids[i] in when))
			complain(at ": " ids[i] " is not in RULES")
		else if (when[ids[i]] != "now")
			complain(at ": RULES says that " ids[i] \
				 " waits for: " when[ids[i]])
		tests[ids[i]] = tests[ids[i]] " " name
	}
}

# ---- what ran ----

# PROGRAM.FIXTURE.VARIANT.TEST: the sources know no variants.
function key(program, name,  parts, n)
{
	n = split(name, parts, ".")
	if (n == 1)
		return program ".global." name
	return program "." parts[1] "." parts[n]
}

function read_result(  name)
{
	if ($0 ~ /^##vm## begin /) {
		program = basename($3)
		ran[FILENAME, program] = 1
		if (!(FILENAME in anything))
			files[++nr_files] = FILENAME
		anything[FILENAME] = 1
		return
	}
	name = $0
	sub(/^(not )?ok [0-9]+ (- )?/, "", name)
	sub(/ .*/, "", name)
	name = key(program, name)
	if ($0 ~ /^not ok /)
		failed[name] = 1
	else if ($0 !~ /# SKIP/)
		ok[FILENAME, name] = 1
}

# 1: one of the tests passed there, 0: none did, "": no program ran that has one
function passed_in(file, names, n,  i, program, state)
{
	state = ""
	for (i = 1; i <= n; i++) {
		program = names[i]
		sub(/\..*/, "", program)
		if ((file, names[i]) in ok)
			return 1
		if ((file, program) in ran)
			state = 0
	}
	return state
}

FNR == 1 {
	kind = FILENAME == here "RULES" ? "rules" : \
	       index(FILENAME, here) == 1 && FILENAME ~ /_test\.c$/ ? \
	       "source" : "output"
	program = basename(FILENAME)
	if (pending != "")
		complain(at ": no test follows these rules")
	pending = ""
	names_go_on = 0
}

kind == "rules" { read_rule() }
kind == "source" && (names_go_on || /^(\/| )\* .*Rules?:? [A-Z]+-[0-9]/ || \
		     /^(\/| )\* .*Rules:/) { read_names() }
kind == "source" && /^TEST(_F)?(_SIGNAL|_TIMEOUT)?\(/ { read_test() }
kind == "output" && /^(##vm## begin |(not )?ok [0-9]+ )/ { read_result() }

# ---- the answer ----

function is_proved(id,  names, n, i, state, passed)
{
	n = split(tests[id], names, " ")
	if (!outputs)
		return n > 0
	for (i = 1; i <= n; i++)
		if (names[i] in failed)
			return 0
	for (i = 1; i <= nr_files; i++) {
		state = passed_in(files[i], names, n)
		if (state == "0")
			return 0
		passed += state
	}
	# An OUTPUT without anything counts, too: nothing passed there.
	return passed > 0 && nr_files == outputs
}

function judge(id,  group)
{
	group = id
	sub(/-.*/, "", group)
	if (!(group in total)) {
		groups[++nr_groups] = group
		total[group] = 0
	}
	if (when[id] != "now") {
		if (!(when[id] in later))
			reasons[++nr_reasons] = when[id]
		later[when[id]] = later[when[id]] " " id
		return
	}
	total[group]++
	all++
	if (is_proved(id)) {
		good[group]++
		all_good++
	} else {
		missing = missing " " id
	}
}

END {
	if (pending != "")
		complain(at ": no test follows these rules")
	for (i = 1; i <= nr_rules; i++)
		judge(rules[i])

	for (i = 1; i <= nr_groups; i++)
		if (total[groups[i]])
			printf "%-3s %3d/%d proved\n", groups[i],
			       good[groups[i]], total[groups[i]]
	printf "all %3d/%d proved, by %d tests of %d\n", all_good, all,
	       nr_naming, nr_tests
	if (missing != "")
		print "not proved:" missing
	if (missing != "" && !outputs)
		complain("no test names these rules:" missing)
	for (i = 1; i <= nr_reasons; i++)
		print "later, " reasons[i] ":" later[reasons[i]]
	close("cat >&2")
	exit status
}
' "$here/RULES" "$here"/*_test.c "$@"
