#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boot the image that build.sh has written, as anybody would, and try there what its
# greeting says: the program of README.md is compiled and run, winregion-map looks at it.
#
#	test.sh [KERNEL]
#
# The log is in build/vm/image-test. The image stays as it was.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$here/../vm/lib.sh"
. "$here/../vm/typed.sh"

kernel=${1-$(default_kernel)}
find_kernel "$kernel"
image=$build/image/winregion-$kernel.qcow2
out=$build/vm/image-test
limit=${TIMEOUT:-900}

# In time the shell waits for it. What is typed is seen, too, so no line of it looks like
# its answer.
type_all()
{
	until grep -q 'poweroff' "$out/output" || [ "$SECONDS" -ge "$limit" ]; do
		sleep 1
	done
	cat <<-'EOF'
	bind 'set enable-bracketed-paste off'
	uname -r | sed 's/^/kernel:/'
	stat -c 'owner:%U %a' /etc/passwd /dev/winregion
	cc hello.c $(pkg-config --cflags --libs winregion-win32) -o hello; echo "cc:$?"
	./hello | sed 's/^/hello:/'
	ldd ./hello | sed -n 's/.*=> \(.*libwinregion.so.0\) .*/library:\1/p'
	gdb -batch -ex 'break puts' -ex run -ex 'shell winregion-map -t private $(pidof hello)' ./hello >map; sed 's/  */ /g; s/^/map:/' map
	winregion-map -f csv -- ./hello >/dev/null; echo "timeline:$?"
	winregion-trace -o trace ./hello >/dev/null; grep -c MEM_RESERVE trace | sed 's/^/trace:/'
	strace -o strace ./hello >/dev/null; grep -c dev/winregion strace | sed 's/^/strace:/'
	man VirtualAlloc | head -n 1 | sed 's/^/man:/'
	examples | wc -l | sed 's/^/examples:/'
	ring_buffer >/dev/null; echo "ring:$?"
	dmesg | grep -c -E 'BUG|WARNING:|Oops' | sed 's/^/bad:/'
	poweroff
	EOF
}

[ -e "$image" ] || die "no image: make image KERNEL=$kernel"
rm -rf "$out"
mkdir -p "$out"
: >"$out/output"
status=0
type_all | setpriv --pdeathsig TERM timeout "$limit" \
	qemu-system-x86_64 -display none -serial stdio -monitor none -snapshot \
	"$image" >"$out/output" 2>"$out/errors" || status=$?
echo "exit:$status" >>"$out/output"

has 'a greeting' 'Linux [0-9.]+.*, with winregion loaded. Type, for example:'
has 'its kernel' "kernel:${kernel//./\\.}\..*"
has 'files belong to root' 'owner:root 644'
has 'the device is for everybody' 'owner:root 666'
has 'a compiler' 'cc:0'
has 'the program of README.md' 'hello:one page of a gigabyte, at 0x.*'
has 'it has the shared library' 'library:/.*'
has 'winregion-map shows its region' 'map:7[0-9a-f]+ private 1048576 4 4 .* rw- *'
has 'winregion-map runs it' 'timeline:0'
has 'winregion-trace' 'trace:[1-9]'
has 'strace' 'strace:[1-9]'
has 'a manual page' 'man:VirtualAlloc\(3\) .*'
has 'examples' 'examples:[1-9][0-9]'
has 'one of them' 'ring:0'
has 'nothing bad in the log' 'bad:0'
has 'it turns itself off' 'exit:0'
finish
