#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boot a kernel with winregion loaded and run one program of this host in it:
#
#	run.sh [OPTIONS] [--] PROGRAM [ARGUMENT...]
#	run.sh [OPTIONS] -s
#
# The program's output goes to standard output as it comes, its exit status is
# that of run.sh: 128 + n if signal n ended it, 124 if it ran out of time, 125
# if the machine itself was not well (kernel splat, hang, module not unloaded)
# or could not be started.
#
#	-k KERNEL	of kernels.list (default: its first); with arm64- before it for
#			a program for that machine
#	-c CPUS		(2)
#	-m MEMORY	(2G)
#	-t SECONDS	that the program may run (300; 0: any time)
#	-u UID		to run it as (0)
#	-e NAME=VALUE	in its environment; may be repeated
#	-f FILE		for the guest to have too, at the same path; repeated
#	-l NAME		a module of the kernel's own to load; repeated
#	-p PARAMETERS	of the module
#	-a WORDS	for the kernel's command line
#	-n		do not load the module
#	-A		more arguments are in $RUN_ARGS, and files as of -f in
#			$RUN_FILES, quoted as for a shell
#	-s		an interactive shell, no program, with what shell.sh has
#	-d DIRECTORY	a folder of this host that is /shared there
#	-v		print QEMU's command line

set -euo pipefail
die_status=125
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/boot.sh"
. "$(dirname "$0")/shell.sh"
any_arch=1

usage()
{
	sed -n '3,/^$/s/^#[ ]\{0,1\}//p' "$0" >&2
	exit 2
}

# Words of $1 as a shell would split them, but nothing in them is expanded or
# run. $2 is what they are called.
split_words()
{
	[ -n "$1" ] || return 0
	printf '%s' "$1" | xargs printf '%s\0' 2>/dev/null ||
		die "quotes in $2 do not match: $1"
}

find_program()
{
	if [ -e "$1" ]; then
		[ -f "$1" ] || die "not a program: $1"
		[ -x "$1" ] || die "not executable: $1"
		vm_path "$1"
	elif [[ $1 != */* ]] && command -v -- "$1" >/dev/null; then
		command -v -- "$1"
	else
		die "no such program: $1"
	fi
}

# From a terminal QEMU reads by itself. Other input must wait until the guest
# listens, and its end is the end of the shell.
feed_shell()
{
	if [ -t 0 ]; then
		console_in=/dev/stdin
		return
	fi
	console_in=$dir/input
	mkfifo "$console_in"
	exec 7<&0
	{
		exec >"$console_in" 2>/dev/null 9>&- 8>&-
		until grep -q '^begin' "$dir/result" 2>/dev/null; do
			sleep 0.2
		done
		sleep 1
		cat <&7
		printf '\n\004'
		exec sleep 86400
	} &
	feeder=$!
}

kernel=$(default_kernel)
timeout=${TIMEOUT:-300}
uid=0 params='' load=1 shell='' env=() files=() names=() more='' feeder='' share=''
while getopts k:c:m:t:u:e:f:l:p:a:d:nAsv option; do
	case $option in
	k) kernel=$OPTARG ;;
	c) cpus=$OPTARG ;;
	m) mem=$OPTARG ;;
	t) timeout=$OPTARG ;;
	u) uid=$OPTARG ;;
	e) env+=("$OPTARG") ;;
	f) files+=("$OPTARG") ;;
	l) names+=("$OPTARG") ;;
	p) params=$OPTARG ;;
	a) append=$OPTARG ;;
	d) share=$OPTARG ;;
	n) load='' ;;
	A) more=1 ;;
	s) shell=1 ;;
	v) V=1 ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))

# The last number of 32 bits is nobody's.
[[ $uid =~ ^(0|[1-9][0-9]{0,9})$ && $uid -lt 4294967295 ]] ||
	die "not the number of a user: '$uid' (AS= is 0 to 4294967294)"
check_seconds "$timeout"
check_machine "${ACCEL:-}" "$cpus" "$mem"
find_kernel "$kernel"
[ -z "$shell" ] || [ "$arch" = amd64 ] || die "$arch has no shell yet"
[ -z "$share" ] || [ -d "$share" ] || die "not a folder: $share"
if [ -n "$shell" ]; then
	[ $# = 0 ] || usage
	set -- /bin/sh -l
else
	[ -n "${1-}" ] || usage
	program=$(find_program "$1")
	shift
	set -- "$program" "$@"
	if [ -n "$more" ]; then
		while IFS= read -r -d '' word; do
			set -- "$@" "$word"
		done < <(split_words "${RUN_ARGS:-}" ARGS)
		wait $!
	fi
fi
if [ -n "$more" ]; then
	while IFS= read -r -d '' word; do
		files+=("$word")
	done < <(split_words "${RUN_FILES:-}" FILES)
	wait $!
fi

[ -z "$shell" ] || build_tools
vm_prepare "$kernel"
for file in "${files[@]}"; do
	vm_carry "$file"
done
vm_modules "${names[@]}"
# The kernels that are built here have none.
[ -z "$share" ] || [ -n "$flavour" ] || vm_folder "$share"
[ -z "$shell" ] || vm_shell
[ -z "$load" ] || vm_module "$params"
for word in "${env[@]}"; do
	vm_job env "$word"
done
if [ -n "$shell" ]; then
	if [ -t 0 ]; then
		read -r rows columns < <(stty size)
		vm_job size "$rows" "$columns"
		vm_job env "TERM=${TERM:-linux}"
		say "a shell in $kernel; leave it with exit"
	fi
	vm_job env "PS1=$kernel \\w # "
	vm_job shell program 0 "$uid" / $# "$@"
	feed_shell
	limit=0
else
	vm_carry "$program"
	vm_job run program "$timeout" "$uid" "$(dirname "$program")" $# "$@"
	limit=$((timeout ? timeout + 60 : 0))
fi

vm_boot "$limit"
[ -z "$feeder" ] || kill "$feeder" 2>/dev/null || true
status=$(vm_exit_status program || true)
case $status in
'' | 0)	;;
124)	say "$1 ran out of time ($timeout s)" ;;
*)	[ -n "$shell" ] || say "$1 ended with status $status" ;;
esac
if trouble=$(vm_trouble); then
	while IFS= read -r line; do
		say "$line"
	done <<<"$trouble"
	say "logs are in ${dir#"$PWD"/}"
	exit 125
fi
exit "${status:-125}"
