#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build the library and the tests, boot the kernels one after the other and
# run the tests in them:
#
#	test.sh [-c] [-f] [-r TIMES] [-k "KERNEL..."] [-t "TEST..."]
#
# Tests of a kernel that need the same machine run in one boot. What they need
# is said by a line in their source, with one or more of these:
#
#	/* vm: cpus=1 mem=512M timeout=600 params=name=1,other=2 append=word */
#	/* vm: modules=loop,ext4 */ loads them before winregion
#	/* vm: mkfs */ has programs that make file systems
#	/* vm: kernels=debug */ has it run on these only, unless it is named
#	/* vm: kernels=one */ on the first of those that are tested
#	/* vm: kernels=turn */ on one of them, each time another, without -f
#	/* vm: full */ has it run with -f only, unless it is named
#	/* vm: programs=name */ runs programs, those that a directory of that name
#				beside the tests has in its "bin"
#	/* vm: arch=amd64 (why) */ a line of its own: runs on no other machine,
#				where "why" is said instead
#
# Whose source starts no threads has one processor. As many machines as the host
# has processors run side by side (LANES= in the environment: how many), the
# longest first, by what ../costs says. What programs took this time is left in
# build/vm/costs, in the same form.
#
# Single test cases are counted, and for each boot one for the machine: booted,
# module loaded and unloaded, nothing bad in the kernel's log. What a test
# printed is kept in the boot's directory, build/vm/KERNEL*/NAME.ktap. Tests that
# try something in many rounds do as many as ../rounds says for such a kernel, with
# -f those of a full run, with -r TIMES as many; all have as much more time. Cases of
# which one in some is tried each time, in turn, are all tried with -f, and by name. With
# -c the library counts its lines, and what each boot counted is left in its
# directory (coverage.sh).

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/boot.sh"
any_arch=1
vm_plain=1

# Seconds for a program that asks for no other limit
default_timeout=600
# Failed cases of a program that are shown with all they said
max_shown=10
# Status of a boot that says nothing about its tests: see vm_unsound()
unsound=75

selftests=$top/selftests
programs=
jobs=$build/vm/jobs
costs=$selftests/costs
passed=0 failed=0 skipped=0

# ---- counting ----

count()
{
	printf '%s %s %s\n' "$1" "$2" "$3" >>"$job.counts"
}

add_up()
{
	read -r passed failed skipped < <(awk '
		{ p += $1; f += $2; s += $3 }
		END { print p + 0, f + 0, s + 0 }' "$jobs"/*.counts)
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
	worked=$(vm_worked)
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
	local state=ok untold=$((plan - ok - bad - skip)) took

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
	took=$((SECONDS - began)) worked=$(($(vm_worked) - worked))
	# The last one's machine may have gone.
	[ "$worked" -ge 0 ] || worked=$took
	count "$ok" "$bad" "$skip"
	printf '%s %s %s\n' "$name" "$k" "$worked" >>"$job.costs"
	print_together <<-EOF
	$state $k $name ($(tally "$ok" "$bad" "$skip")) $took s, $worked s of processors
	$([ ${#notes[@]} = 0 ] || printf '%s\n' "${notes[@]}")
	$([ "$bad" -le $max_shown ] || printf '    %s more failed, see %s\n' \
		$((bad - max_shown)) "${dir#"$PWD"/}/$name.ktap")
	EOF
}

# The lines that are read, and nobody else's between them
print_together()
{
	local text

	text=$(sed '/^$/d')
	(
		flock 5
		printf '%s\n' "$text"
	) 5>>"$jobs/print.lock"
}

# ---- boots ----

# What the source of test $1 asks for, its time limit apart.
settings_of()
{
	{
		[ -n "$(setting_of "$1" cpus)" ] || default_cpus "$1"
		sed -n -e '/^\/\* vm: arch=/d' -e 's|^/\* vm: \(.*\) \*/$|\1|p' \
			"$selftests/$1.c"
	} | tr ' ' '\n' | grep -v -e '^timeout=' -e '^kernels=' \
		-e '^programs=' -e '^full$' | sort | xargs ||
		true
}

default_cpus()
{
	[ -z "${CPUS:-}" ] || return 0
	if grep -q -e pthread_create -e crew_add "$selftests/$1.c"; then
		echo cpus=2
	else
		echo cpus=1
	fi
}

# The value of setting $2 in the source of test $1, or nothing.
setting_of()
{
	sed -n "s|^/\* vm: .*\<$2=\([a-z0-9]*\).*|\1|p" "$selftests/$1.c"
}

# Which of the kernels that are tested has test $1 this time
in_turn()
{
	local sum list

	read -ra list <<<"$kernel_list"
	sum=$(cksum <<<"$1")
	echo "${list[($(turn) + ${sum%% *}) % ${#list[@]}]}"
}

# Whose turn it is on kernel $1, of cases of which one in some is tried each time: on
# each kernel it is another one's.
turn_of()
{
	local list i

	read -ra list <<<"$kernel_list"
	for i in "${!list[@]}"; do
		[ "${list[i]}" != "$1" ] || echo $(($(turn) + i))
	done
}

# Whether test $1 is for a kernel like the one that find_kernel chose.
is_for_kernel()
{
	local only

	only=$(setting_of "$1" kernels)
	[ -z "$part" ] || return 0
	case $only in
	'')	;;
	one)	[ "$kernel" = "${kernel_list%% *}" ] ;;
	turn)	[ -n "$full" ] || [ "$kernel" = "$(in_turn "$1")" ] ;;
	*)	[ "$only" = "$flavour" ] ;;
	esac
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

	params='' modules='' mkfs=''
	for word in $1; do
		case $word in
		cpus=*)		cpus=${word#*=} ;;
		mem=*)		mem=${word#*=} ;;
		params=*)	params=${word#*=} ;;
		append=*)	append+=" ${word#*=}" ;;
		modules=*)	modules=${word#*=} ;;
		mkfs)		mkfs=1 ;;
		*)		die "vm: unknown setting $word" ;;
		esac
	done
	params=${params//,/ }
	modules=${modules//,/ }
}

# The programs that test $1 runs
carry_programs()
{
	local name f

	name=$(setting_of "$1" programs)
	[ -n "$name" ] || return 0
	while IFS= read -r f; do
		vm_carry "$f"
	done < <(find "$programs/$name/bin" -type f -perm -u+x)
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

# After a boot that was unsound: what the tests that follow counted, beside the $1
# lines before, and printed is forgotten, and they are left. Those that had ended
# when QEMU slipped are not among them, but at least one is, for the machine's own
# case.
forget_unsound()
{
	local before=$1 left

	shift
	left=("$@")
	! has_slipped || mapfile -t left < <(tests_without end "$@")
	[ ${#left[@]} -gt 0 ] || left=("${@: -1}")
	head -n $((before + $# - ${#left[@]})) "$job.counts" >"$job.new"
	mv "$job.new" "$job.counts"
	[ ${#left[@]} = $# ] || sed "/^##vm## begin ${left[0]}\$/,\$d" \
		"$dir/output" >>"$job.ktap"
	printf '%s\n' "${left[@]}" >"$job.left"
}

# One boot of kernel $1 with settings $2 for the tests that follow. Those that
# were not begun, because the machine died before, are left in $job.left.
boot_for()
{
	local k=$1 settings=$2 t limit=0 out reader trouble before

	shift 2
	vm_prepare "$k" "$k$boot"
	apply_settings "$settings"
	# shellcheck disable=SC2086 # names of modules, one a word
	vm_modules $modules
	[ -z "$mkfs" ] || vm_programs mkfs
	vm_module "$params"
	vm_job marks
	vm_job env "WR_ROUNDS=$(rounds_column) $repeat"
	[ -n "$full$part" ] || vm_job env "WR_TURN=$(turn_of "$k")"
	for t; do
		vm_carry "$programs/$t"
		carry_programs "$t"
		vm_job run "$t" "$(timeout_of "$t")" 0 "$programs" 1 \
			"$programs/$t"
		[ "$(timeout_of "$t")" -lt "$limit" ] || limit=$(timeout_of "$t")
	done

	before=$(wc -l <"$job.counts")
	exec {out}> >(read_output "$k")
	reader=$!
	vm_boot $((limit + 60)) >&"$out"
	exec {out}>&-
	wait "$reader"
	if vm_unsound; then
		forget_unsound "$before" "$@"
		exit "$unsound"
	fi

	if trouble=$(vm_trouble); then
		count 0 1 0
		{
			printf 'not ok %s boot%s\n' "$k" "${settings:+ ($settings)}"
			printf '%s\n' "$trouble" | sed 's/^/    /'
			printf '    see %s\n' "${dir#"$PWD"/}"
		} | print_together
	else
		count 1 0 0
		printf 'ok %s boot%s\n' "$k" "${settings:+ ($settings)}" |
			print_together
	fi
	cat "$dir/output" >>"$job.ktap"
	tests_without begin "$@" >"$job.left"
}

# Of the file "rounds", for a kernel like the one that find_kernel chose
rounds_column()
{
	if [ -n "$full" ]; then
		printf full
	elif [ -n "$flavour" ]; then
		printf debug
	else
		printf normal
	fi
}

# All tests with the same settings, in as few boots as the machine survives.
run_group()
{
	local k=$1 settings=$2 first=$3 boots=0 before status again=3

	shift 3
	while [ $# -gt 0 ]; do
		before=$#
		boots=$((boots + 1))
		boot=$first
		[ "$boots" = 1 ] || boot+=-again$boots
		# In a process of its own: the run's locks and traps end with
		# it. Not in a condition, where bash would ignore errors.
		set +e
		(set -e; boot_for "$k" "$settings" "$@")
		status=$?
		set -e
		if [ $status = $unsound ] && [ $((again--)) -gt 0 ]; then
			mapfile -t left <"$job.left"
			set -- "${left[@]}"
			say "once more, from $1"
			continue
		fi
		if [ $status != 0 ]; then
			count 0 $# 0
			printf 'not ok %s %s (not run)\n' "$k" "$*" |
				print_together
			return
		fi
		mapfile -t left <"$job.left"
		set -- "${left[@]}"
		if [ $# = "$before" ]; then
			count 0 $# 0
			printf 'not ok %s %s (not begun)\n' "$k" "$*" |
				print_together
			return
		fi
	done
}

# ---- jobs ----

# What test $1 costs on a kernel like the one that find_kernel chose: seconds of
# one processor
cost_of()
{
	awk -v t="$1" -v f="$flavour" '
		$1 == t { c = f ? $3 : $2 }
		END { print c ? c : f ? 60 : 5 }' "$costs"
}

# The tests that follow share a boot of $kernel with settings $1: one job. A file
# has the kernel, the settings and a test in a line.
add_job()
{
	local settings=$1 t cost

	shift
	cost=8
	[ -z "$flavour" ] || cost=40
	for t; do
		cost=$((cost + $(cost_of "$t")))
	done
	job_cost+=("$cost")
	printf '%s\n' "$kernel" "$settings" "$@" >"$jobs/${#job_cost[@]}"
}

# Two lists of the tests that follow, about as long, in $one and $other
halve()
{
	local cost t here=0 there=0

	one=() other=()
	while read -r cost t; do
		if [ $here -le $there ]; then
			one+=("$t") here=$((here + cost))
		else
			other+=("$t") there=$((there + cost))
		fi
	done < <(for t; do
		echo "$(cost_of "$t") $t"
	done | sort -k 1,1nr -k 2)
	mapfile -t one < <(printf '%s\n' "${one[@]}" | sort)
	mapfile -t other < <(printf '%s\n' "${other[@]}" | sort)
}

# Add jobs for the tests that follow, which would be one. The machine that is the
# only one left for long is worth another boot.
add_jobs()
{
	local settings=$1 one other cost=0 t

	shift
	for t; do
		cost=$((cost + $(cost_of "$t")))
	done
	if [ $# -gt 1 ] && [ "$lanes" -gt 1 ] && [ "$cost" -gt "$longest" ]; then
		halve "$@"
		add_jobs "$settings" "${one[@]}"
		add_jobs "$settings" "${other[@]}"
	else
		add_job "$settings" "$@"
	fi
}

# The kernel $1 and a module for it, and the jobs for the tests that follow
plan_kernel()
{
	local k=$1 t s why later=()
	local -A groups=()

	shift
	"$vm/fetch.sh" kernel "$k"
	printf '# %s: %s\n' "$k" "$(cat "$cache/kernels/$k/release")"
	if ! "$vm/build.sh" "$k"; then
		job=$jobs/build-$k
		count 0 $(($# + 1)) 0
		printf 'not ok %s build\n' "$k"
		return
	fi
	find_kernel "$k"
	longest=180
	[ -z "$flavour" ] || longest=500
	job=$jobs/absent-$k
	for t; do
		if why=$(why_not_there "$t"); then
			count 0 0 1
			printf 'skipped %s %s: %s\n' "$k" "$t" "$why"
		elif is_for_kernel "$t"; then
			s=$(settings_of "$t")
			groups[" $s"]+=" $t"
		elif [ "$(setting_of "$t" kernels)" = turn ]; then
			later+=("$t")
		fi
	done
	[ ${#later[@]} = 0 ] || printf '# %s, another time: %s\n' "$k" "${later[*]}"
	for s in "${!groups[@]}"; do
		# shellcheck disable=SC2086 # names of tests, one a word
		add_jobs "${s# }" ${groups[$s]}
	done
}

# Job $1, which is the kernel's $2nd
run_job()
{
	local lines first=

	job=$jobs/$1
	: >"$job.counts"
	: >"$job.ktap"
	: >"$job.costs"
	mapfile -t lines <"$job"
	[ "$2" = 1 ] || first=-boot$2
	find_kernel "${lines[0]}"
	programs=$(programs_of_arch)
	run_group "$kernel" "${lines[1]}" "$first" "${lines[@]:2}"
	: >"$job.done"
}

# Job $1 may have ended in a way that nobody counts.
check_job()
{
	[ ! -e "$jobs/$1.done" ] || return 0
	job=$jobs/$1
	count 0 1 0
	printf 'not ok %s (not done)\n' "$(xargs <"$job")"
}

# How many machines run side by side: there is memory for them, too.
choose_lanes()
{
	local k most=2 fit

	for k in $kernel_list; do
		find_kernel "$k"
		[ -z "$flavour" ] || most=4
	done
	fit=$(awk -v each=$most '$1 == "MemAvailable:" {
		print int($2 / 1024 / 1024 / each) }' /proc/meminfo)
	lanes=${LANES:-$(nproc)}
	[ "$lanes" -le "$fit" ] || lanes=$((fit > 1 ? fit : 1))
}

# The numbers of the jobs, the longest first
sorted_jobs()
{
	local i

	for ((i = 0; i < ${#job_cost[@]}; i++)); do
		echo "${job_cost[i]} $((i + 1))"
	done | sort -k 1,1nr | cut -d ' ' -f 2
}

run_jobs()
{
	local i k running=0
	local -A nth=()

	while read -r i; do
		while [ "$running" -ge "$lanes" ]; do
			wait -n || true
			running=$((running - 1))
		done
		k=$(head -n 1 "$jobs/$i")
		nth[$k]=$((${nth[$k]:-0} + 1))
		# A process group, for end_jobs()
		set -m
		run_job "$i" "${nth[$k]}" </dev/null &
		set +m
		lane_pids+=($!)
		running=$((running + 1))
	done < <(sorted_jobs)
	wait || true
	lane_pids=()
	for ((i = 1; i <= ${#job_cost[@]}; i++)); do
		check_job "$i"
	done
}

# With this process ends what it started.
end_jobs()
{
	local pid

	for pid in "${lane_pids[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null || true
	done
}

# "1 machine", "2 machines"
some()
{
	printf '%s %s' "$1" "$2"
	[ "$1" = 1 ] || printf 's'
}

# What jobs should have taken, in seconds, and did
print_times()
{
	local expected=0 i

	for ((i = 0; i < ${#job_cost[@]}; i++)); do
		expected=$((expected + job_cost[i]))
	done
	expected=$((expected / lanes))
	printf '# %s, %s at a time: %s s; by selftests/costs %s s\n' \
		"$(some "${#job_cost[@]}" machine)" "$lanes" "$1" "$expected"
	# Of all tests: few say little.
	[ -n "$part" ] || [ "$expected" = 0 ] ||
		echo $((100 * $1 / expected)) >"$build/vm/speed"
}

# What was printed and what it took, job by job, becomes that of kernels.
collect()
{
	local i k

	for k; do
		: >"$build/vm/$k.ktap"
	done
	for ((i = 1; i <= ${#job_cost[@]}; i++)); do
		[ -e "$jobs/$i.counts" ] || continue
		cat "$jobs/$i.ktap" >>"$build/vm/$(head -n 1 "$jobs/$i").ktap"
		cat "$jobs/$i.costs"
	done >"$build/vm/costs.all"
	sort "$build/vm/costs.all" | awk '
		{ c = $2 ~ /-/; if ($3 >= cost[$1, c]) cost[$1, c] = $3 + 0
		  name[$1] = 1 }
		END { for (n in name) print n, cost[n, 0] + 0, cost[n, 1] + 0 }' |
		sort >"$build/vm/costs"
}

# ---- all of it ----

# A screen to test, and a terminal to test it in
screen_packages=(libncurses-dev libvterm-dev ncurses-bin pkg-config)
# For the examples of a manual page, and for call stacks
tracing_packages=(bpftrace libdw-dev)
# Programs of 32 bits
bits32_packages=(gcc-multilib)

# Where the programs are that were built for the machine that find_kernel chose
programs_of_arch()
{
	printf '%s' "${counted_programs:-$(for_arch "$build/selftests")}"
}

# Build for each machine of $kernel_list, with the tests that follow.
build_all()
{
	local k built=' '

	"$vm/fetch.sh" kselftest
	unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
	for k in $kernel_list; do
		find_kernel "$k"
		[[ $built != *" $arch "* ]] || continue
		built+="$arch "
		programs=$(programs_of_arch)
		if [ -n "$cross" ]; then
			(build_for_other "$@")
		else
			build_here "$@"
		fi
	done
}

# The same by the compiler for another machine
build_for_other()
{
	local t some=()

	[ -z "$counting" ] || die "lines are counted on amd64 only"
	need "${base_packages[@]}"
	use_cross
	for t; do
		why_not_there "$t" >/dev/null || some+=("$t")
	done
	make -s -C "$top/userlib" CROSS_COMPILE="$cross" -j"$(nproc)" >&2
	[ ${#some[@]} = 0 ] ||
		make -s -C "$selftests" OUTPUT="$programs" CROSS_COMPILE="$cross" \
			-j"$(nproc)" "${some[@]}" >&2
}

build_here()
{
	need "${base_packages[@]}" "${screen_packages[@]}" \
		"${tracing_packages[@]}" "${bits32_packages[@]}"
	# Where it lies by itself it has no other name: what make knows goes by that.
	make -s -C "$top/userlib" \
		${counting:+O="$lib" "CFLAGS=$counting"} -j"$(nproc)" >&2
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

kernel_list=$(kernel_names) tests='' full='' repeat=1
job_cost=() lane_pids=()
lib=$top/userlib/build counting='' counted_programs=''
while getopts cfr:k:t: option; do
	case $option in
	c)
		counted_programs=$build/coverage/selftests
		lib=$build/coverage/userlib
		counting='-O1 -g --coverage'
		vm_counts=$lib
		;;
	f) full=1 ;;
	r) repeat=$OPTARG ;;
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
	tests=$(if [ -n "$full" ]; then all_tests; else usual_tests; fi)
fi
# shellcheck disable=SC2086 # names of tests, one a word
check_tests $tests
[ -n "$tests" ] || die "there are no tests in $selftests"

# A full run does up to four times as much.
times=$repeat
[ -z "$full" ] || times=$((4 * repeat))
trap end_jobs EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
hold_lock "$build/vm/.test.lock"
rm -rf "$jobs"
mkdir -p "$jobs"
# shellcheck disable=SC2086 # names of tests, one a word
build_all $tests
choose_lanes
for k in $kernel_list; do
	# shellcheck disable=SC2086
	plan_kernel "$k" $tests
done
began=$SECONDS
run_jobs
print_times $((SECONDS - began))
# shellcheck disable=SC2086
collect $kernel_list
job=$jobs/rules
# shellcheck disable=SC2086
[ -n "$part" ] || show_rules $kernel_list

add_up
printf '%s passed, %s failed' "$passed" "$failed"
[ "$skipped" = 0 ] || printf ', %s skipped' "$skipped"
printf '\n'
[ "$failed" = 0 ]
