#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build the library and the tests, boot the kernels one after the other and
# run the tests in them:
#
#	test.sh [-c] [-r TIMES] [-k "KERNEL..."] [-t "TEST..."]
#
# All tests of a kernel run in one boot, except those that ask for a machine of
# their own by a line in their source, with one or more of these:
#
#	/* vm: cpus=1 mem=512M timeout=600 params=name=1,other=2 append=word */
#	/* vm: modules=loop,ext4 */ loads them before winregion
#	/* vm: kernels=debug */ has it run on these only, unless it is named
#
# Single test cases are counted, and for each boot one for the machine: booted,
# module loaded and unloaded, nothing bad in the kernel's log. What a test
# printed is kept in build/vm/KERNEL/NAME.ktap. Tests that try something in many
# rounds do as many as ../rounds says for such a kernel, with -r TIMES as many, and
# all have as much more time. With -c the library counts its lines,
# and what each boot counted is left in its directory (coverage.sh).

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/boot.sh"

# Seconds for a program that asks for no other limit
default_timeout=300
# Failed cases of a program that are shown with all they said
max_shown=10
# Status of a boot that says nothing about its tests: see vm_unsound()
unsound=75

selftests=$top/selftests
programs=$build/selftests
counts=$build/vm/counts
passed=0 failed=0 skipped=0

# ---- counting ----

count()
{
	printf '%s %s %s\n' "$1" "$2" "$3" >>"$counts"
}

add_up()
{
	read -r passed failed skipped < <(awk '
		{ p += $1; f += $2; s += $3 }
		END { print p + 0, f + 0, s + 0 }' "$counts")
}

# "41 passed, 1 failed": the parts that there are.
tally()
{
	local text=

	[ "$1" = 0 ] || text+=", $1 passed"
	[ "$2" = 0 ] || text+=", $2 failed"
	[ "$3" = 0 ] || text+=", $3 skipped"
	printf '%s' "${text:2}"
}

# ---- KTAP ----

# Reads what the guest prints, line by line as it comes: the output of each
# program between two marks of init's. Prints one line for each program and
# what is needed to see why a case did not pass.
read_output()
{
	local line name='' k=$1

	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'##vm## begin '*)
			name=${line#'##vm## begin '}
			begin_program
			;;
		"##vm## end $name "*)
			end_program "${line#"##vm## end $name "}"
			name=
			;;
		*)
			[ -z "$name" ] || program_line "$line"
			;;
		esac
	done
	[ -z "$name" ] || end_program 'the machine died'
}

begin_program()
{
	ok=0 bad=0 skip=0 plan=0 began=$SECONDS since=() notes=()
	: >"$dir/$name.ktap"
}

program_line()
{
	printf '%s\n' "$1" >>"$dir/$name.ktap"
	case $1 in
	1..*)
		plan=${1#1..}
		plan=${plan%%[!0-9]*}
		;;
	'ok '*'# SKIP'*)
		skip=$((skip + 1))
		notes+=("    skipped: ${1#ok }")
		since=()
		;;
	'ok '*)
		ok=$((ok + 1))
		since=()
		;;
	'not ok '*)
		bad=$((bad + 1))
		# One cause can fail hundreds.
		[ $bad -gt $max_shown ] || notes+=("${since[@]}" "    $1")
		since=()
		;;
	*)
		since+=("    $1")
		;;
	esac
}

# $1: how it ended. A case that was announced and never told of has failed, and
# so has a program that ends badly without saying why.
end_program()
{
	local state=ok untold=$((plan - ok - bad - skip))

	if [ $untold -gt 0 ]; then
		bad=$((bad + untold))
		notes+=("${since[@]}" "    $untold not finished: $1")
	elif [ "$1" = 'exit 4' ] && [ $((ok + bad + skip)) = 0 ]; then
		skip=1
		notes+=("${since[@]}" "    skipped: all of $name")
	elif [ "$1" != 'exit 0' ] && [ "$bad" = 0 ]; then
		bad=1
		notes+=("${since[@]}" "    ended with $1")
	elif [ $((ok + bad + skip)) = 0 ]; then
		bad=1
		notes+=("${since[@]}" "    ran no case")
	fi
	[ "$bad" = 0 ] || state='not ok'
	count "$ok" "$bad" "$skip"
	printf '%s %s %s (%s) %s s\n' "$state" "$k" "$name" \
		"$(tally "$ok" "$bad" "$skip")" $((SECONDS - began))
	[ ${#notes[@]} = 0 ] || printf '%s\n' "${notes[@]}"
	[ "$bad" -le $max_shown ] || printf '    %s more failed, see %s\n' \
		$((bad - max_shown)) "${dir#"$PWD"/}/$name.ktap"
}

# ---- boots ----

# What the source of test $1 asks for, its time limit apart.
settings_of()
{
	sed -n 's|^/\* vm: \(.*\) \*/$|\1|p' "$selftests/$1.c" | tr ' ' '\n' |
		grep -v -e '^timeout=' -e '^kernels=' | sort | xargs || true
}

# The value of setting $2 in the source of test $1, or nothing.
setting_of()
{
	sed -n "s|^/\* vm: .*\<$2=\([a-z0-9]*\).*|\1|p" "$selftests/$1.c"
}

# Whether test $1 is for a kernel like the one that find_kernel chose.
is_for_kernel()
{
	local only

	only=$(setting_of "$1" kernels)
	[ -n "$part" ] || [ -z "$only" ] || [ "$only" = "$flavour" ]
}

timeout_of()
{
	local t

	t=$(setting_of "$1" timeout)
	printf '%s' $((${t:-$default_timeout} * slowdown * times))
}

apply_settings()
{
	local word

	params='' modules=''
	for word in $1; do
		case $word in
		cpus=*)		cpus=${word#*=} ;;
		mem=*)		mem=${word#*=} ;;
		params=*)	params=${word#*=} ;;
		append=*)	append+=" ${word#*=}" ;;
		modules=*)	modules=${word#*=} ;;
		*)		die "vm: unknown setting $word" ;;
		esac
	done
	params=${params//,/ }
	modules=${modules//,/ }
}

# Of the tests that follow, those that the guest's init did not report as $1
tests_without()
{
	local mark=$1 t

	shift
	for t; do
		grep -q -e "^$mark $t\$" -e "^$mark $t " "$dir/result" ||
			printf '%s\n' "$t"
	done
}

# After a boot of kernel $1 that was unsound: what the tests that follow counted
# and printed is forgotten, and they are left. Those that had ended when QEMU
# slipped are not among them, but at least one is, for the machine's own case.
forget_unsound()
{
	local k=$1 left

	shift
	left=("$@")
	! has_slipped || mapfile -t left < <(tests_without end "$@")
	[ ${#left[@]} -gt 0 ] || left=("${@: -1}")
	head -n $(($(wc -l <"$counts.before") + $# - ${#left[@]})) "$counts" \
		>"$counts.new"
	mv "$counts.new" "$counts"
	[ ${#left[@]} = $# ] || sed "/^##vm## begin ${left[0]}\$/,\$d" \
		"$dir/output" >>"$build/vm/$k.ktap"
	printf '%s\n' "${left[@]}" >"$build/vm/left"
}

# One boot of kernel $1 with settings $2 for the tests that follow. Those that
# were not begun, because the machine died before, are left in $build/vm/left.
boot_for()
{
	local k=$1 settings=$2 t limit=0 out reader trouble

	shift 2
	vm_prepare "$k" "$k$boot"
	apply_settings "$settings"
	# shellcheck disable=SC2086 # names of modules, one a word
	vm_modules $modules
	vm_module "$params"
	vm_job marks
	vm_job env "WR_ROUNDS=$([ -n "$flavour" ] && echo debug ||
		echo normal) $times"
	for t; do
		vm_carry "$programs/$t"
		vm_job run "$t" "$(timeout_of "$t")" 0 "$programs" 1 \
			"$programs/$t"
		[ "$(timeout_of "$t")" -lt "$limit" ] || limit=$(timeout_of "$t")
	done

	cp "$counts" "$counts.before"
	exec {out}> >(read_output "$k")
	reader=$!
	vm_boot $((limit + 60)) >&"$out"
	exec {out}>&-
	wait "$reader"
	if vm_unsound; then
		forget_unsound "$k" "$@"
		exit "$unsound"
	fi

	if trouble=$(vm_trouble); then
		count 0 1 0
		printf 'not ok %s boot%s\n' "$k" "${settings:+ ($settings)}"
		printf '%s\n' "$trouble" | sed 's/^/    /'
		printf '    see %s\n' "${dir#"$PWD"/}"
	else
		count 1 0 0
		printf 'ok %s boot%s\n' "$k" "${settings:+ ($settings)}"
	fi
	cat "$dir/output" >>"$build/vm/$k.ktap"
	tests_without begin "$@" >"$build/vm/left"
}

# All tests with the same settings, in as few boots as the machine survives.
run_group()
{
	local k=$1 settings=$2 before status again=3

	shift 2
	while [ $# -gt 0 ]; do
		before=$#
		boots=$((boots + 1))
		boot=
		[ "$boots" = 1 ] || boot=-boot$boots
		# In a process of its own: the run's locks and traps end with
		# it. Not in a condition, where bash would ignore errors.
		set +e
		(set -e; boot_for "$k" "$settings" "$@")
		status=$?
		set -e
		if [ $status = $unsound ] && [ $((again--)) -gt 0 ]; then
			mapfile -t left <"$build/vm/left"
			set -- "${left[@]}"
			say "once more, from $1"
			continue
		fi
		if [ $status != 0 ]; then
			count 0 $# 0
			printf 'not ok %s %s (not run)\n' "$k" "$*"
			return
		fi
		mapfile -t left <"$build/vm/left"
		set -- "${left[@]}"
		if [ $# = "$before" ]; then
			count 0 $# 0
			printf 'not ok %s %s (not begun)\n' "$k" "$*"
			return
		fi
	done
}

run_kernel()
{
	local k=$1 t s
	local -A groups=()

	shift
	boots=0
	"$vm/fetch.sh" kernel "$k"
	printf '# %s: %s\n' "$k" "$(cat "$cache/kernels/$k/release")"
	: >"$build/vm/$k.ktap"
	if ! "$vm/build.sh" "$k"; then
		count 0 $(($# + 1)) 0
		printf 'not ok %s build\n' "$k"
		return
	fi
	find_kernel "$k"
	for t; do
		is_for_kernel "$t" || continue
		s=$(settings_of "$t")
		groups[" $s"]+=" $t"
	done
	for s in "${!groups[@]}"; do
		# shellcheck disable=SC2086 # names of tests, one a word
		run_group "$k" "${s# }" ${groups[$s]}
	done
}

# ---- all of it ----

build_all()
{
	need "${base_packages[@]}"
	"$vm/fetch.sh" kselftest
	unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
	make -s -C "$top/userlib" O="$lib" \
		${counting:+"CFLAGS=$counting"} -j"$(nproc)" >&2
	make -s -C "$selftests" OUTPUT="$programs" \
		LIBWINREGION="$lib/libwinregion.a" \
		${counting:+"LDLIBS=$lib/libwinregion.a -lrt --coverage \
			-Wl,--wrap=_exit $vm/count_exit.c"} \
		-j"$(nproc)" "$@" >&2
}

# How many rules of each group the tests prove. It belongs to the result.
show_rules()
{
	local k outputs=()

	[ -x "$selftests/rules.sh" ] || return 0
	for k; do
		outputs+=("$build/vm/$k.ktap")
	done
	if ! "$selftests/rules.sh" "${outputs[@]}"; then
		count 0 1 0
		printf 'not ok rules.sh\n'
	fi
}

kernel_list=$(kernel_names) tests=''
lib=$top/userlib/build counting=
while getopts cr:k:t: option; do
	case $option in
	c)
		programs=$build/coverage/selftests
		lib=$build/coverage/userlib
		counting='-O1 -g --coverage'
		vm_counts=$lib
		;;
	r) times=$OPTARG ;;
	k) kernel_list=${OPTARG:-$kernel_list} ;;
	t) tests=$OPTARG ;;
	*) exit 2 ;;
	esac
done
for k in $kernel_list; do
	find_kernel "$k"
done
if [ -n "$tests" ]; then
	part=1
else
	part=
	tests=$(all_tests)
fi
# shellcheck disable=SC2086 # names of tests, one a word
check_tests $tests
[ -n "$tests" ] || die "there are no tests in $selftests"

trap 'exit 130' INT
trap 'exit 143' TERM HUP
hold_lock "$build/vm/.test.lock"
: >"$counts"
# shellcheck disable=SC2086 # names of tests, one a word
build_all $tests
for k in $kernel_list; do
	# shellcheck disable=SC2086
	run_kernel "$k" $tests
done
# shellcheck disable=SC2086
[ -n "$part" ] || show_rules $kernel_list

add_up
printf '%s passed, %s failed' "$passed" "$failed"
[ "$skipped" = 0 ] || printf ', %s skipped' "$skipped"
printf '\n'
[ "$failed" = 0 ]
