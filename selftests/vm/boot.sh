# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154,SC2034
#
# One boot of the test machine. Needs lib.sh. In order:
#
#	vm_prepare KERNEL [DIR]	the kernel, and a directory in build/vm
#	vm_module PARAMETERS	have winregion loaded
#	vm_modules NAME...	have other modules of the kernel loaded
#	vm_programs NAME	have those that fetch.sh calls by this name
#	vm_folder DIRECTORY	have a folder of the host as /shared
#	vm_carry FILE		a program or file that the guest is to have
#	vm_job WORD...		a record for the guest's init (see init.c)
#	vm_boot SECONDS		run it; after SECONDS without news it hangs
#	vm_trouble		print what was wrong with the machine itself
#
# With vm_plain set, the processor does not offer to move strings byte by byte: what is
# fast on a real one is the slowest way on an emulated one.
#
# With vm_counts set to a directory, what the module and what programs below
# that directory counted for coverage is brought back as a file, counts.
#
# The directory of the run, $dir, then holds console.log, result, output,
# initrd and qemu.cmd. $cpus, $mem, $append, $times (as much time as usual) and
# $console_in may be set before;
# ACCEL and QEMU_ARGS in the environment say how QEMU is to run.

cpus=${CPUS:-2}
mem=${MEM:-2G}
append=${APPEND:-}
times=1
vm_counts=
vm_plain=
console_in=/dev/null
dir='' qemu_pid='' accel='' folder=''

# ---- where ----

# A directory per run, so that several can go on at once: NAME, NAME-2, ...
# The lock is the run's own and goes with it.
claim_dir()
{
	local n=1

	mkdir -p "$build/vm"
	while :; do
		dir=$build/vm/$1
		[ $n = 1 ] || dir+=-$n
		mkdir -p "$dir"
		exec 8>"$dir/.lock"
		flock -n 8 && break
		n=$((n + 1))
	done
	rm -rf "${dir:?}"/*
	mkdir -p "$dir/root/vm"
	: >"$dir/root/vm/jobs"
}

vm_prepare()
{
	check_machine "${ACCEL:-}" "$cpus" "$mem"
	find_kernel "$1"
	need "${base_packages[@]}"
	"$vm/fetch.sh" kernel "$1"
	"$vm/fetch.sh" busybox
	if [ -n "$cross" ]; then
		need qemu-system-arm
		"$vm/fetch.sh" busybox "$arch"
		use_cross
	fi
	make_base
	claim_dir "${2-$1}"
	# Before what counts runs: it gets a file system there.
	[ -z "$vm_counts" ] || vm_job count "$vm_counts"
	[ $((slowdown * times)) = 1 ] ||
		vm_job env "KSFT_SLOWDOWN=$((5 * slowdown * times))"
}

# What a kernel checks takes memory, for shadows of memory among others.
guest_memory()
{
	if [ -n "$flavour" ]; then
		printf '%s%s' $((2 * ${mem%[MG]})) "${mem##*[0-9]}"
	else
		printf '%s' "$mem"
	fi
}

# ---- what the guest has ----

# What another machine than the host's has is called otherwise
for_arch()
{
	printf '%s%s' "$1" "${cross:+-$arch}"
}

# What every guest has: init, and a busybox as its shell. The links that stand
# for /lib and the like are those of the host, as its programs expect them.
make_base()
{
	local base busybox root name d

	base=$(for_arch "$build/vm/base")
	busybox=$(for_arch "$cache/busybox")
	mkdir -p "$build/vm"
	(
		exec 9>"$build/vm/.base.lock"
		flock 9
		[ "$base.cpio" -nt "$vm/init.c" ] &&
			[ "$base.cpio" -nt "$busybox" ] &&
			[ "$base.cpio" -nt "$vm/boot.sh" ] && exit
		rm -rf "$base"
		root=$base/root
		mkdir -p "$root"/{dev,etc,proc,root,run,sys,usr/bin,usr/sbin,var}
		for d in bin sbin lib lib32 lib64 libx32; do
			if [ -L "/$d" ]; then
				mkdir -p "$root/usr/$d"
				ln -s "usr/$d" "$root/$d"
			fi
		done
		"${cross}gcc" -O2 -Wall -Wextra -Werror -static -s \
			-o "$root/init" "$vm/init.c"
		cp "$busybox" "$root/usr/bin/busybox"
		for name in $("$cache/busybox" --list); do
			[ "$name" = busybox ] ||
				ln -s busybox "$root/usr/bin/$name"
		done
		ln -s /proc/mounts "$root/etc/mtab"
		printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' \
			>"$root/etc/passwd"
		printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
		pack "$root" "$base.cpio.new"
		mv "$base.cpio.new" "$base.cpio"
		rm -rf "$base"
	) || die "the guest's base image could not be made"
}

pack()
{
	(cd "$1" && find . -mindepth 1 -print0 |
		cpio --quiet -0 -o -H newc -R 0:0) >"$2"
}

# Where the file $1 is in the guest: where it is here, /lib and the like
# resolved. The last component may be a link that gives a program its name.
vm_path()
{
	local d

	d=$(realpath -e -- "$(dirname -- "$1")") || return
	printf '%s/%s' "${d%/}" "$(basename -- "$1")"
}

# Copy the file $1, and if it is a program all that it needs to start: the
# interpreter and the libraries that ldd names, or a script's interpreter.
vm_carry()
{
	local file at line needed

	if [ ! -f "$1" ] || [ ! -r "$1" ]; then
		die "no such file: $1"
	fi
	file=$(vm_path "$1")
	case $file in
	/dev/* | /proc/* | /sys/*)
		die "$1: the guest has a ${file%"${file#/*/}"} of its own" ;;
	esac
	at=$dir/root$file
	[ ! -e "$at" ] || return 0
	(umask 022 && mkdir -p "$(dirname "$at")")
	cp -L --preserve=mode,timestamps -- "$file" "$at"

	case $(head -c 4 -- "$file" | tr -d '\0')$cross in
	$'\177ELF')
		needed=$(LC_ALL=C ldd "$file" 2>/dev/null || true)
		if line=$(grep 'not found' <<<"$needed"); then
			die "$1 needs a library that is not here: ${line//[$'\t\n']/ }"
		fi
		sed -n -e 's/^\t.* => \(\/.*\) (0x.*/\1/p' \
			-e 's/^\t\(\/.*\) (0x.*/\1/p' <<<"$needed"
		;;
	$'\177ELF'*)
		foreign_needs "$file"
		;;
	'#!'*)
		# Others have what the guest's busybox is.
		[ -n "$cross" ] || script_needs "$file"
		;;
	esac >"$dir/needed.$BASHPID.$((++carried))"
	while IFS= read -r line; do
		vm_carry "$line"
	done <"$dir/needed.$BASHPID.$carried"
}
carried=0

# Bring the libraries that the program or library $1 for another machine needs: its
# compiler's.
foreign_needs()
{
	local name from to=$dir/root/usr/lib

	from=$(cross_path)/../${cross%-}/lib
	mkdir -p "$to"
	LC_ALL=C "${cross}readelf" -d -l "$1" 2>/dev/null |
		sed -n -e 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' \
			-e 's/.*interpreter: .*\/\(.*\)\]$/\1/p' |
	while IFS= read -r name; do
		[ ! -e "$to/$name" ] || continue
		cp -L "$from/$name" "$to/" || die "$1 needs $name"
		foreign_needs "$to/$name"
	done
}

# The programs on the first line of script $1. What its lines then call is up
# to the guest's busybox.
script_needs()
{
	local interpreter argument _

	read -r interpreter argument _ < <(head -n 1 -- "$1" | sed 's/^#! *//')
	printf '%s\n' "$interpreter"
	if [ "$(basename "$interpreter")" = env ]; then
		command -v -- "$argument" || die "$1 needs $argument"
	fi
}

vm_job()
{
	printf '%s\0' "$@" >>"$dir/root/vm/jobs"
}

# Names of the parameters of module $1, which it says itself
parameters_of()
{
	tr '\0' '\n' <"$1" | sed -n 's/^parm=\([a-z_]*\):.*/\1/p'
}

# Have the module loaded, with parameters $1. The kernel loads one with names that it
# does not know, too.
vm_module()
{
	local word

	"$vm/build.sh" "$kernel"
	for word in $1; do
		parameters_of "$build/$kernel/winregion.ko" |
			grep -x -e "${word%%=*}" >/dev/null ||
			die "the module has no parameter ${word%%=*}; it has" \
				"$(parameters_of "$build/$kernel/winregion.ko" | sort | xargs)"
	done
	cp "$build/$kernel/winregion.ko" "$dir/root/vm/winregion.ko"
	vm_job module "$1"
}

# Have the kernel's own modules of these names loaded, and what they need. What
# has no file is built in.
vm_modules()
{
	local name file

	for name; do
		file=$cache/kernels/$kernel/modules/$name.ko
		if [ ! -e "$file" ] || [ -e "$dir/root/vm/$name.ko" ]; then
			continue
		fi
		cp "$file" "$dir/root/vm/$name.ko"
		# shellcheck disable=SC2046 # names of modules, one a word
		vm_modules $(module_needs "$file")
		vm_job load "$name"
	done
}

# Have the programs that fetch.sh calls $1, each by the loader and with the libraries
# that came with it.
vm_programs()
{
	local to=$dir/root/vm/$1 sbin=$dir/root/usr/sbin p loader

	"$vm/fetch.sh" "$1" ${cross:+"$arch"}
	mkdir -p "$sbin"
	cp -r "$(for_arch "$cache/$1")" "$to"
	loader=$(cd "$to" && printf '/vm/%s/%s' "$1" ld-linux*)
	for p in "$to"/*; do
		p=${p##*/}
		case $p in *.so | *.so.*) continue ;; esac
		printf '#!/bin/sh\nexec %s --library-path /vm/%s %s "$@"\n' \
			"$loader" "$1" "/vm/$1/$p" >"$sbin/$p"
		chmod 755 "$sbin/$p"
	done
}

# What the guest writes to the folder $1 belongs to who runs QEMU.
vm_folder()
{
	folder=$(realpath -e -- "$1" 2>/dev/null) || die "no such folder: $1"
	[ -d "$folder" ] || die "not a folder: $1"
	vm_modules virtio_pci 9pnet_virtio 9p
	vm_job folder /shared
}

# ---- the machine ----

# The command line of QEMU, for accelerator $1 and directory $2, in $qemu.
qemu_line()
{
	local how=$1 model=max,la57=off line words

	case $how in
	kvm*)	model=host ;;
	tcg)	how=tcg,thread=multi model+=${vm_plain:+,erms=off,fsrm=off} ;;
	esac
	# Warnings, lock-ups and hung tasks end the run at once. An emulated
	# processor gets more time before it counts as locked up.
	line="console=ttyS0,115200 ignore_loglevel panic=-1 oops=panic"
	# A data race found in the kernel itself must not end it: see splats().
	[ "$flavour" = kcsan ] || line+=" panic_on_warn=1"
	line+=" softlockup_panic=1 sysctl.kernel.hung_task_panic=1"
	[ -z "$flavour" ] || line+=" sysctl.kernel.hung_task_timeout_secs=600"
	[ "$flavour" != debug ] || line+=" page_poison=1"
	line+=" sysctl.kernel.panic_on_rcu_stall=1"
	# What show_where() sends
	line+=" unknown_nmi_panic"
	[ "$model" = host ] || line+=" sysctl.kernel.watchdog_thresh=30"
	[ "$model" = host ] || line+=" rcupdate.rcu_cpu_stall_timeout=60"
	[ -z "$append" ] || line+=" $append"

	if [ "$arch" = arm64 ]; then
		qemu=(qemu-system-aarch64 -machine "virt,gic-version=3"
			-cpu "max,pauth-impdef=on")
		line=${line/ttyS0/ttyAMA0}
	else
		qemu=(qemu-system-x86_64 -machine pc -cpu "$model")
	fi
	qemu+=(-nodefaults -no-user-config -display none -no-reboot
		-accel "$how" -smp "$cpus" -m "$(guest_memory)"
		-kernel "$cache/kernels/$kernel/image" -initrd "$2/initrd"
		-append "$line"
		-chardev "file,id=log,path=$2/console.log"
		-serial chardev:log
		-chardev "file,id=report,path=$2/result"
		-chardev "stdio,id=out,signal=off,logfile=$2/output"
		-chardev "pipe,id=monitor,path=$2/monitor"
		-mon chardev=monitor)
	if [ "$arch" = arm64 ]; then
		# The machine has one port, for the log.
		qemu+=(-chardev "null,id=none1" -chardev "null,id=none2" -device
			"pci-serial-4x,chardev1=none1,chardev2=report,chardev3=out,chardev4=none2")
	else
		qemu+=(-serial chardev:report -serial chardev:out)
	fi
	[ -z "$vm_counts" ] || qemu+=(-chardev "file,id=counts,path=$2/counts"
		-serial chardev:counts)
	[ -z "$folder" ] || qemu+=(-fsdev "local,id=shared,path=${folder//,/,,},security_model=none"
		-device "virtio-9p-pci,fsdev=shared,mount_tag=shared")
	read -r -a words <<<"${QEMU_ARGS:-}"
	qemu+=("${words[@]}")
}

# The words as a line that a person can paste into a shell.
quote()
{
	local word

	for word; do
		case $word in
		*[!A-Za-z0-9_./,:=+-]* | '')
			printf "'%s' " "${word//\'/\'\\\'\'}" ;;
		*)	printf '%s ' "$word" ;;
		esac
	done
	printf '\n'
}

# Run QEMU from directory $2 until it ends, or for $1 seconds without a new
# line in its report; 0: however long. It dies with this process, however this
# process ends.
start_qemu()
{
	local status=0 in guard=

	exec {in}<"$console_in"
	ulimit -c 0
	rm -f "$2/hung" "$2"/monitor.*
	mkfifo "$2/monitor.in" "$2/monitor.out"
	: >"$2/result"
	setpriv --pdeathsig KILL "${qemu[@]}" <&"$in" 2>"$2/qemu.err" &
	qemu_pid=$!
	printf '%s\n' "$qemu_pid" >"$2/pid"
	trap stop_qemu EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	if [ "$1" != 0 ]; then
		watch_progress "$1" "$2" &
		guard=$!
	fi
	# Not the shell's own word on how it ended.
	{ wait "$qemu_pid" || status=$?; } 2>/dev/null
	qemu_pid=
	rm -f "$2"/monitor.*
	[ -z "$guard" ] || kill "$guard" 2>/dev/null || true
	exec {in}<&-
	return "$status"
}

# Of a guest that hangs: how busy QEMU is, and by an interrupt that cannot be
# masked, a panic's word in the guest's log on what was running.
show_where()
{
	local before

	before=$(qemu_ticks)
	sleep 5
	printf 'QEMU was busy for %s of 5 s\n' $((($(qemu_ticks) - before) /
		$(getconf CLK_TCK))) >>"$1/hung"
	printf 'nmi\n' 1<>"$1/monitor.in"
	sleep 10
}

qemu_ticks()
{
	awk '{ print $14 + $15 }' "/proc/$qemu_pid/stat"
}

# Seconds of the host's processors that the guest of this run has used
vm_worked()
{
	local ticks=0

	ticks=$(awk '{ print $14 + $15 }' "/proc/$(cat "$dir/pid")/stat" \
		2>/dev/null) || true
	printf '%s' $((${ticks:-0} / $(getconf CLK_TCK)))
}

# It holds on to nothing that somebody may wait for the end of.
watch_progress()
{
	local limit boot_limit=$((60 + 60 * slowdown))

	exec >/dev/null 2>&1 7>&- 8>&- 9>&-
	[ "$boot_limit" -lt "$1" ] || boot_limit=$1
	while sleep 2 && kill -0 "$qemu_pid"; do
		limit=$1
		[ -s "$2/result" ] || limit=$boot_limit
		[ -n "$(find "$2/result" -newermt "-$limit seconds")" ] && continue
		printf '%s s; ' "$limit" >"$2/hung"
		show_where "$2"
		kill "$qemu_pid"
		sleep 5
		kill -KILL "$qemu_pid"
	done
}

stop_qemu()
{
	[ -n "$qemu_pid" ] || return 0
	kill "$qemu_pid" 2>/dev/null || return 0
	wait "$qemu_pid" || true
}

# Which accelerator works here: what ACCEL= says, or what a trial found. There
# are machines where KVM is there but no guest comes up, and QEMU itself does
# not fall back then. The answer is good for this QEMU on this host kernel.
choose_accel()
{
	local known=$cache/accel this

	accel=${ACCEL:-tcg}
	[ -z "${ACCEL:-}" ] && [ -z "$cross" ] && [ -r /dev/kvm ] && [ -w /dev/kvm ] || return 0
	this="$(uname -r) $(qemu-system-x86_64 --version | head -n 1)"
	if [ "$(sed 1d "$known" 2>/dev/null)" != "$this" ]; then
		say "trying whether KVM works here (once)"
		accel=tcg
		if try_kvm; then
			accel=kvm
		fi
		printf '%s\n%s\n' "$accel" "$this" >"$known.$BASHPID"
		mv "$known.$BASHPID" "$known"
	fi
	accel=$(head -n 1 "$known")
}

# A guest with nothing to do has reported in a few seconds, or never does.
try_kvm()
{
	local trial=$dir/trial

	mkdir -p "$trial/root/vm"
	: >"$trial/root/vm/jobs"
	pack "$trial/root" "$trial/jobs.cpio"
	cat "$build/vm/base.cpio" "$trial/jobs.cpio" >"$trial/initrd"
	qemu_line kvm "$trial"
	console_in=/dev/null start_qemu 20 "$trial" >/dev/null || true
	grep -qx 'done' "$trial/result" 2>/dev/null
}

# Whether QEMU ran a breakpoint that is not in memory. The kernel changes its own
# code through breakpoints, and an emulated processor may translate one the
# moment before it is overwritten, and keep it. "Code:" shows memory; the byte
# before the marked one is the one that was run. What was bad before is not
# excused by it.
has_slipped()
{
	[ "$accel" = tcg ] && [ -e "$dir/console.log" ] &&
		! sed '/\<int3: 0000 \[#1\]/,$d' "$dir/console.log" |
			splats /dev/stdin | grep -q . &&
		grep -a -A 20 -E '\<int3: 0000 \[#1\]' "$dir/console.log" |
		grep -a -m 1 ' Code: ' | grep -q -v ' cc <'
}

# Whether not even the kernel began, by an accelerator that was asked for
gave_no_sign()
{
	[ -n "${ACCEL:-}" ] && [ -e "$dir/hung" ] && [ ! -s "$dir/console.log" ]
}

# Whether the machine was not well, but not by what it was booted to test: QEMU
# slipped, or something was bad in the log before there was a winregion, or the
# kernel did not come up.
vm_unsound()
{
	local why

	if has_slipped; then
		why='QEMU ran a breakpoint that is not in memory'
	elif gave_no_sign; then
		return 1
	elif [ -e "$dir/hung" ] && [ ! -s "$dir/result" ] &&
		! grep -a -q 'winregion: loading ' "$dir/console.log"; then
		why='the kernel did not come up'
	else
		why=$(sed '/winregion: loading /,$d' "$dir/console.log" 2>/dev/null |
			splats /dev/stdin | head -n 1)
	fi
	[ -n "$why" ] || return
	say "the machine was not well, which is not winregion's doing: $why"
}

# Boot what was prepared and wait for its end. Program output goes to stdout
# as it comes. A machine that was unsound before it ran a program is booted again.
vm_boot()
{
	local limit=$1 tries=3

	pack "$dir/root" "$dir/jobs.cpio"
	cat "$(for_arch "$build/vm/base").cpio" "$dir/jobs.cpio" >"$dir/initrd"
	rm -rf "$dir/root" "$dir/jobs.cpio" "$dir"/needed.*
	choose_accel
	qemu_line "$accel" "$dir"
	quote "${qemu[@]}" >"$dir/qemu.cmd"
	[ -z "${V:-}" ] || cat "$dir/qemu.cmd" >&2
	while :; do
		vm_status=0
		start_qemu "$limit" "$dir" || vm_status=$?
		if [ $((--tries)) = 0 ] || grep -q '^begin' "$dir/result" ||
			! vm_unsound; then
			break
		fi
		say "booting again"
	done
}

# ---- was it well? ----

# A log without the data races that are not the module's: KCSAN finds some in
# the kernel's own code, such as a look at a page's flags while another has the
# page locked, by a bit of them. A report stands between two lines of "=", and is
# about the module if an access that is not marked as one that may race was made
# by its code, or by a function that it called (rb_insert_color(), memcpy()).
our_races()
{
	awk '
	/BUG: KCSAN: / { report = ""; ours = 0; depth = 9; on = 1 }
	on && /(read|write|access).* (to|of) .* by / { depth = /\(marked/ ? 9 : -1 }
	on && ++depth <= 2 && /\[winregion\]/ { ours = 1 }
	on && /=======/ {
		if (ours)
			printf "%s", report
		on = 0
	}
	on { report = report $0 "\n"; next }
	{ print }
	END { if (on && ours) printf "%s", report }'
}

# What must never be in a kernel log. The kernel's own boot lines that would
# match, such as its command line, are taken out first.
splats()
{
	our_races <"$1" |
	grep -a -v -e 'ommand line: ' -e 'WARNING: Unprivileged eBPF' \
		-e 'leak detector' |
	grep -a -E -e '\<BUG\>' -e 'WARNING: ' -e '\<Oops\>' \
		-e 'Kernel panic' -e 'general protection fault' \
		-e 'Bad rss-counter' -e 'Bad page' -e 'bad p[gum4]*d\>' \
		-e 'K[AC]SAN: ' -e 'KFENCE: ' -e 'UBSAN: ' -e 'DEBUG_LOCKS_WARN' \
		-e 'possible (recursive|circular)' -e 'inconsistent lock state' \
		-e 'suspicious RCU' -e 'memory leak' -e 'unreferenced object' \
		-e 'blocked for more than' -e 'soft lockup' -e 'detected stall' \
		-e 'list_(add|del) corruption' -e 'Corrupted page table' \
		-e 'Objects? remaining' -e 'refcount_t: ' \
		-e 'slab .*: .*(overwritten|Redzone|poison)'
}

# One line for each thing that was wrong with the machine, as opposed to the
# programs it ran; succeeds if there was any.
vm_trouble()
{
	local found=1 line

	if [ -e "$dir/hung" ]; then
		printf 'guest hangs: nothing reported for %s\n' "$(cat "$dir/hung")"
		! gave_no_sign ||
			printf '%s gives no sign of a kernel; without ACCEL= it is tried %s\n' \
				"ACCEL=$ACCEL" 'whether KVM works here'
		tail -n 40 "$dir/console.log" | sed 's/^/	/'
		found=0
	elif ! grep -qx 'done' "$dir/result" 2>/dev/null; then
		printf 'guest did not report (QEMU ended with status %s)\n' \
			"$vm_status"
		sed 's/^/	/' "$dir/qemu.err"
		found=0
	fi
	while IFS= read -r line; do
		printf '%s\n' "$line"
		found=0
	done < <(sed -n 's/^error //p' "$dir/result" 2>/dev/null)
	# Which parameter the module did not take
	sed -n "s/.*\] \(winregion: .* for parameter [^ ]*'\).*/kernel log: \1/p" \
		"$dir/console.log" 2>/dev/null || true
	while IFS= read -r line; do
		printf 'kernel log: %s\n' "$line"
		found=0
	done < <(splats "$dir/console.log" 2>/dev/null | head -n 20)
	return "$found"
}

# How the program named $1 ended, as a shell would say it; fails if unknown.
vm_exit_status()
{
	local how number

	read -r _ _ how number < <(grep "^end $1 " "$dir/result") || return
	case $how in
	exit)	printf '%s' "$number" ;;
	signal)	printf '%s' $((128 + number)) ;;
	*)	printf 124 ;;
	esac
}
