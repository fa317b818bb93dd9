#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Type into the shell of a guest what its greeting says, and look at what it answers:
#
#	shell_test.sh [KERNEL]
#
# The log is in build/vm/shell-test.

set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/typed.sh"

kernel=${1-$(default_kernel)}
find_kernel "$kernel"
[ -z "$flavour" ] || die "$kernel has no folder of the host"
# With what is special to shells and to QEMU
out=$build/vm/shell-test
shared=$out/'a folder, shared'

# Typed one after the other, each behind a mark. What is typed is seen, too, so no
# line of it looks like its answer.
type_all()
{
	cat <<-'EOF'
	reserve_commit; echo "status:$?"
	ring_buffer >/dev/null; echo "ring:$?"
	examples | wc -l | sed 's/^/examples:/'
	winregion-trace -o /tmp/trace guard_page >/dev/null; grep -c MEM_RESERVE /tmp/trace | sed 's/^/trace:/'
	winregion-map -f csv $$ | grep -c image | sed 's/^/images:/'
	strace -o /tmp/strace -e trace=openat guard_page >/dev/null; sed -n 's/.*"\(.dev.winregion\)".*/strace:\1/p' /tmp/strace
	gdb -batch -ex 'break main' -ex run -ex bt -ex list guard_page >/tmp/gdb 2>&1; sed 's/^/gdb:/' /tmp/gdb
	grep -c warning /tmp/gdb | sed 's/^/gdb warns:/'
	sed 's/^/read:/' /shared/of-the-host
	mkdir /shared/d && echo "of the guest" >/shared/d/written && echo 'made':$?
	exit 7
	EOF
}

rm -rf "$out"
mkdir -p "$shared"
echo 'a line of the host' >"$shared/of-the-host"
status=0
type_all | TIMEOUT=0 timeout 600 "$vm/run.sh" -k "$kernel" -d "$shared" -s \
	>"$out/output" 2>"$out/errors" || status=$?
echo "exit:$status" >>"$out/output"
if [ -e "$shared/d/written" ]; then
	sed 's/^/written:/' "$shared/d/written" >>"$out/output"
fi

has 'a greeting' 'Linux [0-9.]+.*, with winregion loaded. Type, for example:'
has 'it names the folder' '  ls /shared +.*a folder, shared of the host.*'
has 'an example' '[0-9]+ numbers at 0x[0-9a-f]+, [0-9]+ of [0-9]+ MiB committed'
has 'its status' 'status:0'
has 'another one' 'ring:0'
has 'there are more' 'examples:[1-9][0-9]'
has 'winregion-trace' 'trace:[1-9]'
has 'winregion-map' 'images:[1-9][0-9]*'
has 'strace' 'strace:/dev/winregion'
has 'gdb stops' 'gdb:Breakpoint 1, main .*'
has 'gdb has the source' 'gdb:[0-9]+.*int main\(.*'
has 'and nothing to complain of' 'gdb warns:0'
has 'a file of the host' 'read:a line of the host'
has 'a file of the guest' 'written:of the guest'
has 'what the guest saw of it' 'made:0'
has 'the status to exit with' 'exit:7'
finish
