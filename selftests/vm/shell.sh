# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# What the shell of a guest has beside busybox: the examples, which gdb finds the
# sources of, the tools, strace and gdb, and what tells of them. Needs boot.sh.

# The program $1 at its path, and by its name
shell_program()
{
	vm_carry "$1"
	ln -sf "$(vm_path "$1")" "$dir/root/usr/bin/"
}

# What this terminal can do, for programs that have a screen
shell_terminal()
{
	local d

	for d in /etc /lib /usr/share; do
		d+=/terminfo/${TERM:0:1}/$TERM
		[ ! -e "$d" ] || vm_carry "$d"
	done
}

# What gdb loads where it can: for threads, and for characters
shell_gdb()
{
	local threads f

	threads=$(gcc -print-file-name=libthread_db.so.1)
	for f in "$threads" "$(dirname "$threads")"/gconv/{UTF-32.so,gconv-modules*}; do
		[ ! -f "$f" ] || vm_carry "$f"
	done
}

# What is to be tried in any case
greeting()
{
	printf 'Linux %s, with winregion loaded. Type, for example:\n\n' \
		"$(cat "$cache/kernels/$kernel/release")"
	cat <<-'EOF'
	  reserve_commit                an example; "examples" lists all of them
	  winregion-trace ring_buffer   one, with the calls that it makes
	  winregion-map $$              where the memory of this shell is
	  strace -e ioctl guard_page    one, as strace sees it
	  gdb write_and_run             one, with its source
	EOF
}

greet()
{
	greeting
	if [ -n "$folder" ]; then
		printf '  ls /shared                    %s\n' \
			"${folder#"$top"/} of the host, to read and write"
	else
		printf '\n%s has no 9p, so there is no folder of the host.\n' \
			"$kernel"
	fi
	printf '  exit\n\n'
}

# With these, beside a compiler, the tools can do all that they can.
tool_packages=(libdw-dev libncurses-dev pkg-config)

# The library, the examples and the tools
build_tools()
{
	need "${base_packages[@]}" "${tool_packages[@]}"
	(
		unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
		make -s -C "$top/userlib" -j"$(nproc)" >&2
	)
}

# Have all that. /etc/profile is what a shell reads when somebody logs in.
vm_shell()
{
	local from=$top/userlib/build f

	vm_programs debuggers
	mkdir -p "$dir/root/etc" "$dir/root/usr/bin"
	for f in "$from"/examples/* "$from"/tools/winregion-*; do
		[ ! -x "$f" ] || shell_program "$f"
	done
	for f in "$top"/userlib/examples/*.c "$top"/userlib/include/winregion/*.h; do
		vm_carry "$f"
	done
	shell_gdb
	[ ! -t 0 ] || shell_terminal
	greet >"$dir/root/etc/greeting"
	{
		printf 'examples() { ls %s; }\n' "$(vm_path "$from/examples")"
		printf 'cat /etc/greeting\n'
	} >"$dir/root/etc/profile"
}
