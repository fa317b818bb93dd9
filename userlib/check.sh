#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Static checks of the library: symbols, headers, the installed tree and the
# manual pages. Run by "make check", which sets CC, CXX, VERSION, O and UAPI.

set -eu

: "${CC:?}" "${CXX:?}" "${VERSION:?}" "${O:?}" "${UAPI:?}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

passed=0
failed=0

# report NAME STATUS: count a check; its output is in $work/log
report()
{
	if [ "$2" -eq 0 ]; then
		echo "ok   $1"
		passed=$((passed + 1))
	else
		echo "FAIL $1"
		sed 's/^/     /' "$work/log"
		failed=$((failed + 1))
	fi
}

# check NAME COMMAND...: the command must succeed
check()
{
	local name=$1 status=0
	shift
	"$@" > "$work/log" 2>&1 || status=$?
	report "$name" "$status"
}

# The symbols that the map lists, that the library has, and that the headers
# declare, one a line, sorted
map_symbols()
{
	sed -n 's/^\t\t\([A-Za-z0-9_]*\);$/\1/p' libwinregion.map | sort
}

# Those of them that are libc's, whose headers and pages they have
own_symbols()
{
	grep -v -x -e sigaction -e signal -e __sysv_signal
}

library_symbols()
{
	nm -D --defined-only "$O/libwinregion.so" |
		sed -n 's/^.* [TDBR] \([^@]*\)@.*$/\1/p' | sort
}

# Whatever follows "push(default)" is a declaration: take the name before the
# first parenthesis.
header_symbols()
{
	# Heaps are another library's.
	find include/winregion -maxdepth 1 -name '*.h' ! -name heapapi.h \
		! -name globalmem.h -exec cat {} + |
		sed -n '/visibility push/,/visibility pop/p' |
		sed -e 's|/\*.*\*/||' -e '/^[[:space:]]*\/\*/,/\*\//d' -e '/^#/d' |
		tr '\n\t' '  ' | tr ';' '\n' |
		sed -n 's/^[^(]*[ *]\([A-Za-z0-9_]*\) *(.*$/\1/p' | sort
}

check_symbols()
{
	map_symbols > "$work/map"
	library_symbols > "$work/library"
	header_symbols > "$work/headers"

	check "the map lists symbols" test -s "$work/map"
	check "library has the map's symbols" \
		diff "$work/map" "$work/library"
	own_symbols < "$work/map" > "$work/own"
	check "headers declare the map's symbols" \
		diff "$work/own" "$work/headers"
}

# The errors that files name, one a line, sorted
errors_in()
{
	grep -o -h -w -E '(ERROR|RPC_S)_[A-Z0-9_]+' "$@" | sort -u
}

# FormatMessage() has words for each error that the libraries know, and for each that the
# headers name: programs have those from elsewhere, too.
check_errors_have_words()
{
	errors_in src/errortext.c > "$work/words"
	find src heap/src -name '*.[ch]' -exec cat {} + > "$work/errors"
	sed -n 's/^#define \([A-Z0-9_]* \)[0-9].*/\1/p' \
		include/winregion/*.h >> "$work/errors"
	errors_in "$work/errors" | comm -23 - "$work/words" > "$work/no-words"
	cat "$work/no-words"
	test -s "$work/words" && test ! -s "$work/no-words"
}

# The static library may define nothing else either, but for its own names.
check_static_names()
{
	nm --defined-only --extern-only "$O/libwinregion.a" |
		sed -n 's/^.* [TDBR] //p' | grep -v '^wr_' | sort \
		> "$work/static"
	check "static library has the map's symbols" \
		diff "$work/map" "$work/static"
}

check_version()
{
	local node

	node=$(sed -n 's/^WINREGION_\([0-9.]*\) {$/\1/p' libwinregion.map |
		tail -n 1)
	check "the map's last node is version ${VERSION%.*}" \
		test "$node" = "${VERSION%.*}"
	check "the soname is libwinregion.so.0" \
		sh -c "readelf -d $O/libwinregion.so |
			grep -q 'SONAME.*\[libwinregion\.so\.0\]'"
	check "nothing but libc is needed" \
		sh -c "test \$(readelf -d $O/libwinregion.so |
			grep -c NEEDED) = 1 &&
			readelf -d $O/libwinregion.so |
			grep -q 'NEEDED.*\[libc\.so'"
}

# compile_header HEADER COMPILER...: the header alone, twice
compile_header()
{
	local header=$1
	shift
	printf '#include <%s>\n#include <%s>\nint x;\n' "$header" "$header" |
		"$@" -Wall -Wextra -Werror -pedantic-errors \
			-I"$work/root/include" -fsyntax-only -
}

# Together with libc's headers, in both orders. Not with <sys/reg.h>: its R15 is a number.
compile_with_libc()
{
	local mine libc

	# By their own names, or libc's headers would find some of them.
	mine=$(cd include && printf '#include <%s>\n' winregion/*.h)
	libc=$(printf '#include <%s>\n' arpa/inet.h arpa/nameser.h assert.h \
		ctype.h dirent.h dlfcn.h elf.h errno.h fcntl.h fenv.h glob.h \
		grp.h inttypes.h iso646.h limits.h link.h locale.h malloc.h \
		math.h net/if.h netdb.h netinet/in.h netinet/tcp.h poll.h \
		pthread.h pwd.h regex.h resolv.h sched.h search.h semaphore.h \
		setjmp.h signal.h spawn.h stdalign.h stdarg.h stdbool.h \
		stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h \
		strings.h sys/epoll.h sys/file.h sys/ioctl.h sys/mman.h \
		sys/param.h sys/ptrace.h sys/queue.h sys/resource.h \
		sys/select.h sys/shm.h sys/socket.h sys/stat.h sys/statvfs.h \
		sys/syscall.h sys/time.h sys/types.h sys/uio.h sys/un.h \
		sys/user.h sys/utsname.h sys/wait.h syslog.h termios.h time.h \
		uchar.h ucontext.h unistd.h utime.h values.h wchar.h wctype.h)
	printf '%s\n%s\nint x;\n' "$mine" "$libc" |
		"$@" -Wall -Wextra -Werror -I"$work/root/include" \
			-fsyntax-only - &&
		printf '%s\n%s\nint x;\n' "$libc" "$mine" |
		"$@" -Wall -Wextra -Werror -I"$work/root/include" \
			-fsyntax-only -
}

# Programs have macros with the names of attributes: only reserved ones are ours.
check_attributes()
{
	grep -r -F '__attribute__((' include > "$work/attributes"
	sed -e 's/__attribute__((/\n&/g' "$work/attributes" |
		sed -n -e 's/\([a-z_]\)([^()]*)/\1/g' \
			-e 's/^__attribute__((\([^()]*\).*/\1/p' \
			> "$work/names"
	test -s "$work/names"
	! grep -E '(^|[ ,])[a-z]' "$work/names"
}

# check_standards HEADER CC CXX: the languages that programs are written in
check_standards()
{
	local std

	for std in c89 gnu89 c99 c11 gnu17 c2x; do
		check "<$1> by $2 as $std" \
			compile_header "$1" "$2" -x c -std="$std"
	done
	for std in c++98 c++11 c++17 c++20 c++2b; do
		check "<$1> by $3 as $std" \
			compile_header "$1" "$3" -x c++ -std="$std"
	done
}

# All that an unmodified source can include, forwards and backwards
compile_all_headers()
{
	local list

	list=$(cd include/winregion/win32 && printf '#include <%s>\n' *.h)
	printf '%s\nint x;\n' "$list" |
		"$@" -Wall -Wextra -Werror -pedantic-errors \
			-I"$work/root/include/winregion/win32" \
			-I"$work/root/include" -fsyntax-only - &&
		printf '%s\nint x;\n' "$list" | tac |
		"$@" -Wall -Wextra -Werror -pedantic-errors \
			-I"$work/root/include/winregion/win32" \
			-I"$work/root/include" -fsyntax-only -
}

# check_all_headers CC CXX
check_all_headers()
{
	local std

	for std in c89 c99 gnu11 c17 c2x; do
		check "all headers by $1 as $std" \
			compile_all_headers "$1" -x c -std="$std" \
			-Wconversion -Wsign-conversion
		check "all headers with UNICODE by $1 as $std" \
			compile_all_headers "$1" -x c -std="$std" -DUNICODE
	done
	for std in c++98 c++11 c++17 c++20 c++2b; do
		check "all headers by $2 as $std" \
			compile_all_headers "$2" -x c++ -std="$std" \
			-Wold-style-cast -Wconversion
	done
}

# What sources for Microsoft's compiler are made of
compile_keywords()
{
	cat > "$work/keywords.c" <<-'EOF'
	#include <Windows.h>
	#include <intrin.h>
	#include <sal.h>
	typedef struct __declspec(align(64)) line { __int64 at[2]; } line;
	static __declspec(thread) int mine;
	static __forceinline unsigned __int64 twice(_In_ unsigned __int64 a)
	{
		return 2 * a;
	}
	FORCEINLINE int once(int a) { return a; }
	__declspec(noinline) int __stdcall f(_Out_writes_(n) char *p, int n);
	__declspec(dllexport) int __cdecl g(void);
	EXTERN_C __declspec(noreturn) void h(void);
	int __stdcall f(char *p, int n) { return p[n - 1]; }
	int __cdecl g(void) { return ++mine; }
	#if !WINAPI_FAMILY_PARTITION(WINAPI_PARTITION_DESKTOP) || \
		_WIN32_WINNT < _WIN32_WINNT_WIN10
	#error "a program for the desktop of Windows 10"
	#endif
	int main(void)
	{
		char c = 3;
		int info[4];
		unsigned long index;
		line l = { { 4, 5 } };
		LARGE_INTEGER li;

		li.QuadPart = 7;
		__cpuid(info, 0);
		if (!_BitScanReverse64(&index, 1ULL << 33) || index != 33)
			return 1;
		if (_rotl(0x80000001, 4) != 0x18 || __popcnt(255) != 8 ||
		    __popcnt64(3ULL << 31) != 2 ||
		    _byteswap_ulong(1) != 0x01000000)
			return 2;
		if (li.LowPart != 7 || HIWORD(0x12345678) != 0x1234 ||
		    MAKELONG(1, 2) != 0x20001 || sizeof(line) != 64)
			return 3;
		return twice(4) != 8 || f(&c, 1) != 3 || g() != 1 || once(0) ||
		       l.at[1] != 5 || info[0] == 0;
	}
	EOF
	"$@" -Wall -Wextra -Werror \
		-I"$work/root/include/winregion/win32" -I"$work/root/include" \
		-o "$work/keywords" "$work/keywords.c" &&
		"$work/keywords"
}

# Words that headers of others define before this one, GL/gl.h for one
compile_after_others()
{
	printf '#define %s\n' WINAPI APIENTRY CALLBACK NTAPI WINBASEAPI \
		FAR PASCAL __stdcall __cdecl __fastcall \
		> "$work/others.h"
	printf '#define CONST const\n#define VOID void\n' >> "$work/others.h"
	printf '#include "%s"\n#include <winregion/nt.h>\nint x;\n' \
		"$work/others.h" |
		"$@" -Wall -Wextra -Werror -pedantic-errors \
			-I"$work/root/include" -fsyntax-only -
}

# What sources do with the names that are macros or functions here
compile_names()
{
	cat > "$work/names.c" <<-'EOF'
	#include <errno.h>
	#include <malloc.h>
	#include <stdlib.h>
	#include <string.h>
	#include <windows.h>
	#if !defined(InterlockedIncrement) || !defined(MemoryBarrier)
	#error "sources test for them"
	#endif
	static int aligned_names(void)
	{
		char *m = (char *)_aligned_realloc(NULL, 3, 64), *n;

		if (!m || (size_t)m % 64 || _aligned_msize(m, 64, 0) < 3)
			return 4;
		memcpy(m, "ab", 3);
		n = (char *)_aligned_realloc(m, 10000, 4096);
		if (!n || (size_t)n % 4096 || strcmp(n, "ab"))
			return 5;
		m = (char *)_aligned_realloc(n, 2, 16);
		if (!m || memcmp(m, "ab", 2))
			return 6;
		return _aligned_realloc(m, 0, 16) ? 7 : 0;
	}
	static int more_names(void)
	{
		char t[4], *u = (char *)_alloca(_countof(t));
		void *m = _aligned_malloc(100, 4096);

		RtlFillMemory(t, sizeof(t), 1);
		RtlCopyMemory(u, t, _countof(t));
		RtlMoveMemory(t, t + 1, 2);
		RtlZeroMemory(t + 1, 1);
		if (RtlEqualMemory(t, u, 2) || !RtlEqualMemory(t + 2, u, 2))
			return 1;
		if (SecureZeroMemory(u, 3) != u || u[2] || !u[3] ||
		    RtlSecureZeroMemory(u, 4) != u || u[3])
			return 2;
		if (!m || (size_t)m % 4096 || _msize(m) < 100)
			return 3;
		_aligned_free(m);
		m = _aligned_malloc(1, 1);
		_aligned_free(m);
		errno = 0;
		if (!m || _aligned_malloc(100, 24) || errno != EINVAL)
			return 8;
		errno = 0;
		if (_msize(NULL) != (size_t)-1 || errno != EINVAL)
			return 9;
		errno = 0;
		if (_aligned_msize(NULL, 64, 0) != (size_t)-1 ||
		    errno != EINVAL)
			return 10;
		return aligned_names();
	}
	int main(void)
	{
		LONG a = 0;
		LONG64 b = 0;
		PVOID p = NULL;
		char t[4];
		long c = 0;
		unsigned short s = 0;

		InterlockedIncrement(&a);
		InterlockedDecrement(&s);
		InterlockedExchange(&a, TRUE);
		InterlockedCompareExchange(&c, 1, 0);
		InterlockedExchangeAdd64(&b, -5);
		InterlockedOr(&a, 4);
		InterlockedAnd64(&b, 1);
		InterlockedExchangePointer(&p, NULL);
		InterlockedCompareExchangePointer(&p, t, NULL);
		MemoryBarrier();
		YieldProcessor();
		ZeroMemory(t, sizeof(t));
		CopyMemory(t, &a, sizeof(t));
		MoveMemory(t, t + 1, 2);
		FillMemory(t, sizeof(t), 1);
		if (more_names())
			ExitProcess(2);
		return a != 5 || b != 1 || s != 0xffff || c != 1 || p != t ||
		       t[3] != 1;
	}
	EOF
	"$@" -Wall -Wextra -Werror -pedantic-errors \
		-I"$work/root/include/winregion/win32" -I"$work/root/include" \
		-o "$work/names" "$work/names.c" -L"$work/root/lib" \
		-Wl,-rpath,"$work/root/lib" -lwinregion &&
		"$work/names"
}

# The bits that scans find, in programs of both widths
run_scans()
{
	cat > "$work/scans.c" <<-'EOF'
	#include <windows.h>
	int main(void)
	{
		volatile UINT64 high = 1ULL << 33;
		volatile DWORD low = 8;
		DWORD a = 99, b = 99, c = 99, d = 99;

		return !BitScanForward(&a, low) || a != 3 ||
		       !BitScanReverse(&b, low) || b != 3 ||
		       !BitScanForward64(&c, high) || c != 33 ||
		       !BitScanReverse64(&d, high) || d != 33 ||
		       BitScanReverse(&a, 0) || a != 3;
	}
	EOF
	"$@" -Wall -Wextra -Werror -I"$work/root/include/winregion/win32" \
		-I"$work/root/include" -o "$work/scans" "$work/scans.c" || return
	"$work/scans"
}

# What a program has of the library is there for all its constructors and destructors, and
# callbacks come after these, whether it is one file or not.
run_destructors()
{
	cat > "$work/destructors.c" <<-'EOF'
	#include <unistd.h>
	#include <windows.h>
	static HANDLE event;
	static DWORD slot;
	static int ended;
	static VOID WINAPI at_last(PVOID value)
	{
		_exit(value != &ended || ended != 2 || !SetEvent(event));
	}
	static void __attribute__((constructor(101))) at_start(void)
	{
		event = CreateEventA(NULL, TRUE, FALSE, NULL);
		slot = FlsAlloc(at_last);
		if (!event || !FlsSetValue(slot, &ended))
			_exit(2);
	}
	static void at_end(void)
	{
		if (!SetEvent(event) || FlsGetValue(slot) != &ended)
			_exit(3);
		ended++;
	}
	static void __attribute__((destructor)) early(void)
	{
		at_end();
	}
	static void __attribute__((destructor(101))) late(void)
	{
		at_end();
	}
	int main(void)
	{
		return 4;
	}
	EOF
	"$@" -Wall -Wextra -Werror -I"$work/root/include/winregion/win32" \
		-I"$work/root/include" -o "$work/destructors" \
		"$work/destructors.c" "$work/root/lib/libwinregion.a" \
		-lpthread || return
	"$work/destructors" || return
	"$@" -Wall -Wextra -Werror -I"$work/root/include/winregion/win32" \
		-I"$work/root/include" -o "$work/destructors" \
		"$work/destructors.c" -L"$work/root/lib" \
		-Wl,-rpath,"$work/root/lib" -lwinregion || return
	"$work/destructors"
}

# C++ puts "::" before them, has members of their names, and includes the header
# in a block with the names of C.
compile_scopes()
{
	cat > "$work/scopes.cc" <<-'EOF'
	extern "C" {
	#include <windows.h>
	}
	struct counter {
		LONG InterlockedIncrement(LONG *by) { return *by; }
		void MemoryBarrier() {}
	};
	int main()
	{
		char text[4];
		LONG count = 0;
		counter c;

		::InterlockedIncrement(&count);
		::ZeroMemory(text, sizeof(text));
		::MemoryBarrier();
		::YieldProcessor();
		c.MemoryBarrier();
		return c.InterlockedIncrement(&count) - 1 + text[0];
	}
	EOF
	"$@" -Wall -Wextra -Werror -pedantic-errors -Wold-style-cast \
		-Wconversion -I"$work/root/include/winregion/win32" \
		-I"$work/root/include" -o "$work/scopes" "$work/scopes.cc" &&
		"$work/scopes"
}

# Blocks that handle exceptions, without a warning however much is inlined. What changes
# is volatile, as it has to be.
compile_blocks()
{
	local level

	cat > "$work/blocks.c" <<-'EOF'
	#include <windows.h>
	static LONG wanted(EXCEPTION_POINTERS *pointers)
	{
		return pointers->ExceptionRecord->ExceptionInformation[1] != 0;
	}
	static int one(volatile int *p)
	{
		volatile int n = 0;

		WINREGION_TRY {
			*p = 1;
		} WINREGION_EXCEPT(EXCEPTION_EXECUTE_HANDLER) {
			n++;
		} WINREGION_END
		return n;
	}
	int many(volatile int *p)
	{
		volatile int i, n = 0;

		for (i = 0; i < 200; i++) {
			n += one(p + i);
			__try {
				p[i] = 1;
				if (p[i] == 3)
					continue;
				if (p[i] == 4)
					return n;
			} __except (EXCEPTION_EXECUTE_HANDLER) {
				n++;
			}
			__try {
				__try {
					p[i]++;
				} __except (EXCEPTION_CONTINUE_SEARCH) {
					n--;
				}
			} __except (wanted(GetExceptionInformation())) {
				n += GetExceptionCode() == STATUS_IN_PAGE_ERROR;
			}
		}
		return n;
	}
	int main(void)
	{
		static int p[200];

		return many(p);
	}
	EOF
	for level in 0 1 2 3 s; do
		"$@" -Wall -Wextra -Werror -O$level \
			-I"$work/root/include/winregion/win32" \
			-I"$work/root/include" -o "$work/blocks" "$work/blocks.c" \
			-L"$work/root/lib" -Wl,-rpath,"$work/root/lib" \
			-lwinregion || return
		"$work/blocks" || return
	done
}

# check_blocks CC
check_blocks()
{
	local std

	for std in c99 gnu11 c2x; do
		check "blocks by $1 as $std" compile_blocks "$1" -std="$std"
	done
}

# check_names CC CXX
check_names()
{
	local std

	for std in c89 c17; do
		check "headers after others by $1 as $std" \
			compile_after_others "$1" -x c -std="$std"
		check "names by $1 as $std" compile_names "$1" -std="$std"
	done
	for std in c++98 c++20; do
		check "headers after others by $2 as $std" \
			compile_after_others "$2" -x c++ -std="$std"
		check "names by $2 as $std" compile_names "$2" -x c++ -std="$std"
		check "scopes by $2 as $std" compile_scopes "$2" -std="$std"
	done
}

# L"..." of sources that are compiled as on Windows, u"..." of others; TEXT() of both
compile_wide()
{
	cat > "$work/wide.c" <<-'EOF'
	#include <windows.h>
	#ifdef __cplusplus
	extern "C"
	#endif
	int main(void)
	{
		LPCWSTR name = TEXT_OF("file");

		CreateFile(TEXT("file"), GENERIC_READ, 0, NULL, OPEN_EXISTING, 0,
			   NULL);
		return CreateFileW(name, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0,
				   NULL) != INVALID_HANDLE_VALUE;
	}
	EOF
	"$@" -Wall -Wextra -Werror -I"$work/root/include/winregion/win32" \
		-I"$work/root/include" -fsyntax-only "$work/wide.c"
}

check_wide()
{
	check "L\"\" in C" compile_wide "$CC" -x c -std=c89 -fshort-wchar \
		-DUNICODE '-DTEXT_OF(x)=L##x'
	check "u\"\" in C" compile_wide "$CC" -x c -std=c11 '-DTEXT_OF(x)=u##x'
	check "L\"\" in C++" compile_wide "$CXX" -x c++ -std=c++98 \
		-fshort-wchar -DUNICODE '-DTEXT_OF(x)=L##x'
	check "u\"\" in C++" compile_wide "$CXX" -x c++ -std=c++11 \
		'-DTEXT_OF(x)=u##x'
	check "TEXT() in C" compile_wide "$CC" -x c -std=c11 -DUNICODE \
		'-DTEXT_OF(x)=TEXT(x)'
	check "TEXT() in C++" compile_wide "$CXX" -x c++ -std=c++11 -DUNICODE \
		'-DTEXT_OF(x)=TEXT(x)'
}

takes_32_bits()
{
	echo '#include <stdio.h>' |
		"$CC" -m32 -x c -fsyntax-only - 2> /dev/null
}

check_headers()
{
	local header std

	for header in winregion/winregion.h winregion/nt.h \
			winregion/windows.h winregion/win32/windows.h \
			winregion/win32/fileapi.h; do
		check_standards "$header" "$CC" "$CXX"
		if command -v clang > /dev/null; then
			check_standards "$header" clang clang++
		else
			echo "skip <$header> with clang: there is none"
		fi
	done

	check "scans" run_scans "$CC"
	check "destructors" run_destructors "$CC"
	if echo 'int main(void) { return 0; }' |
			"$CC" -m32 -x c -o "$work/scans" - 2> /dev/null; then
		check "scans of 32 bits" run_scans "$CC" -m32
	fi
	check_blocks "$CC"
	check_names "$CC" "$CXX"
	check_all_headers "$CC" "$CXX"
	check "keywords in C" compile_keywords "$CC" -x c -std=gnu11
	check "keywords in C++" compile_keywords "$CXX" -x c++ -std=c++11
	if command -v clang > /dev/null; then
		check_blocks clang
		check_names clang clang++
		check_all_headers clang clang++
		check "keywords in C by clang" compile_keywords clang -x c
		check "keywords in C++ by clang" compile_keywords clang++ -x c++
	fi
	for header in include/winregion/*.h include/winregion/win32/*.h; do
		header=${header#include/}
		check "<$header> alone" compile_header "$header" "$CC" -x c \
			-std=c99
	done
	check "<winregion/interlocked.hpp> alone" \
		compile_header winregion/interlocked.hpp "$CXX" -x c++ \
		-std=c++11
	check_wide
	if takes_32_bits; then
		for std in c89 c17; do
			check "all headers by $CC -m32 as $std" \
				compile_all_headers "$CC" -m32 -x c -std="$std"
		done
		check "keywords in C of 32 bits" compile_keywords "$CC" -m32 \
			-x c -std=gnu11
	else
		echo "skip headers of 32 bits: $CC has no -m32"
	fi
	check "attributes have reserved names" check_attributes
	check "headers and libc's as gnu11" compile_with_libc \
		"$CC" -x c -std=gnu11 -D_GNU_SOURCE
	check "headers and libc's as gnu++98" compile_with_libc \
		"$CXX" -x c++ -std=gnu++98
}

# An unmodified Windows source, as far as the header goes
compile_windows_source()
{
	cat > "$work/source.c" <<-'EOF'
	#include <windows.h>

	static long lock;
	static PVOID list;

	int main(void)
	{
		MEMORY_BASIC_INFORMATION info;
		SYSTEM_INFO system;
		DWORD old;
		char *p;

		GetSystemInfo(&system);
		while (InterlockedCompareExchange(&lock, 1, 0))
			Sleep(0);
		InterlockedExchange(&lock, 0);
		InterlockedExchangePointer(&list, &lock);
		p = VirtualAlloc(NULL, system.dwAllocationGranularity,
				 MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
		if (!p)
			return GetLastError() != ERROR_NOT_SUPPORTED;
		ZeroMemory(p, system.dwPageSize);
		if (!VirtualProtect(p, 1, PAGE_READONLY, &old))
			return 1;
		if (!VirtualQuery(p, &info, sizeof(info)))
			return 1;
		return !VirtualFree(p, 0, MEM_RELEASE);
	}
	EOF
	local flags
	flags=$(PKG_CONFIG_PATH=$work/root/lib/pkgconfig \
		pkg-config --cflags --libs winregion-win32)
	# shellcheck disable=SC2086
	"$CC" -Wall -Wextra -Werror -o "$work/source" "$work/source.c" $flags
	"$work/source"
}

# The same source and CMake, by shared and static library; of heaps there are none.
compile_by_cmake()
{
	mkdir -p "$work/cmake"
	cat > "$work/cmake/CMakeLists.txt" <<-'EOF'
	cmake_minimum_required(VERSION 3.16)
	project(source C)
	find_package(winregion ${VERSION} EXACT CONFIG REQUIRED)
	find_package(winregion 0.1 CONFIG REQUIRED OPTIONAL_COMPONENTS heap)
	if(winregion_heap_FOUND OR TARGET winregion::heap)
		message(FATAL_ERROR "heaps that are not installed")
	endif()
	add_executable(shared ../source.c)
	target_link_libraries(shared winregion::win32)
	add_executable(static ../source.c)
	target_include_directories(static PRIVATE ${WIN32})
	target_link_libraries(static winregion::static)
	add_executable(win32-static ../source.c)
	target_link_libraries(win32-static winregion::win32-static)
	EOF
	cmake -S "$work/cmake" -B "$work/cmake/build" -DVERSION="$VERSION" \
		-DCMAKE_C_COMPILER="$CC" -DWIN32="$work/root/include/winregion/win32" \
		-DCMAKE_PREFIX_PATH="$work/root" || return 1
	cmake --build "$work/cmake/build" || return 1
	"$work/cmake/build/shared" && "$work/cmake/build/static" &&
		"$work/cmake/build/win32-static" || return 1
	[ "$(needs_us shared)$(needs_us static)$(needs_us win32-static)" = 100 ] ||
		return 1
	cmake_finds '' '' && ! cmake_finds '' 99 || return 1
	cmake_finds '' "0.0.1...$VERSION" &&
		! cmake_finds '' "0.0.1...<$VERSION" &&
		cmake_finds_what_is_moved || return 1
	! cmake_finds heap '' > "$work/no-heap" 2>&1 || return 1
	tr -s ' \n' ' ' < "$work/no-heap" |
		grep -q 'make -C userlib/heap install'
}

# needs_us PROGRAM: 1 if it is linked with the shared library, else 0
needs_us()
{
	readelf -d "$work/cmake/build/$1" | grep -c 'NEEDED.*libwinregion'
}

# cmake_finds COMPONENT VERSION: whether a package with both is there
cmake_finds()
{
	rm -rf "$work/cmake/find"
	mkdir -p "$work/cmake/find"
	cat > "$work/cmake/find/CMakeLists.txt" <<-EOF
	cmake_minimum_required(VERSION 3.16)
	project(find C)
	find_package(winregion $2 CONFIG REQUIRED ${1:+COMPONENTS $1})
	EOF
	cmake -S "$work/cmake/find" -B "$work/cmake/find/build" \
		-DCMAKE_PREFIX_PATH="$work/root"
}

# What is installed can be elsewhere by now, as below a sysroot.
cmake_finds_what_is_moved()
{
	local there=$work/elsewhere status=0

	mkdir -p "$there"
	mv "$work/root" "$there/root"
	cat >> "$work/cmake/find/CMakeLists.txt" <<-EOF
	get_target_property(lib winregion::static IMPORTED_LOCATION)
	get_target_property(include winregion::static INTERFACE_INCLUDE_DIRECTORIES)
	if(NOT EXISTS \${lib} OR NOT EXISTS \${include}/winregion/windows.h)
		message(FATAL_ERROR "\${lib}, \${include}: not there")
	endif()
	EOF
	sed -i 's/(winregion [^ ]*/(winregion/' "$work/cmake/find/CMakeLists.txt"
	rm -rf "$work/cmake/find/build"
	cmake -S "$work/cmake/find" -B "$work/cmake/find/build" \
		-DCMAKE_PREFIX_PATH="$there/root" || status=1
	mv "$there/root" "$work/root"
	return "$status"
}

# cmake_takes BITS POINTER: whether programs whose pointers have so many bytes are given
# the library of this width
cmake_takes()
{
	local version=winregion-config-version.cmake

	make -s BITS="$1" O="$work/width$1" "$work/width$1/$version" || exit
	cat > "$work/width.cmake" <<-'EOF'
	include(${VERSION_FILE})
	if(PACKAGE_VERSION_UNSUITABLE OR NOT PACKAGE_VERSION_COMPATIBLE)
		message(FATAL_ERROR "no version for it: ${PACKAGE_VERSION}")
	endif()
	EOF
	cmake -DVERSION_FILE="$work/width$1/$version" -DPACKAGE_FIND_VERSION=0.1 \
		-DCMAKE_SIZEOF_VOID_P="$2" -P "$work/width.cmake"
}

# The library of one width is none for programs of the other.
check_width()
{
	cmake_takes 64 8 && cmake_takes 32 4 && cmake_takes 64 '' &&
		! cmake_takes 64 4 && ! cmake_takes 32 8
}

# A library that sets handlers of signals finds ours, and the program's stay known.
compile_signals()
{
	cat > "$work/handler.c" <<-'EOF'
	#include <signal.h>
	void set_handler(void (*handler)(int))
	{
		struct sigaction action = { .sa_handler = handler };

		sigaction(SIGSEGV, &action, 0);
	}
	EOF
	cat > "$work/signals.c" <<-'EOF'
	#include <winregion/windows.h>
	#include <signal.h>
	#include <unistd.h>

	void set_handler(void (*handler)(int));

	static volatile int exceptions;

	static LONG CALLBACK count(EXCEPTION_POINTERS *pointers)
	{
		exceptions += !!pointers;
		return EXCEPTION_CONTINUE_SEARCH;
	}

	static void handler(int sig)
	{
		_exit(sig == SIGSEGV && exceptions == 1 ? 0 : 1);
	}

	int main(void)
	{
		int *volatile nowhere = NULL;

		if (!AddVectoredExceptionHandler(1, count))
			return 2;
		set_handler(handler);
		*nowhere = 1;
		return 3;
	}
	EOF
	"$CC" -fPIC -shared -o "$work/libhandler.so" "$work/handler.c"
	"$CC" -Wall -Wextra -Werror -I"$work/root/include" -o "$work/signals" \
		"$work/signals.c" -L"$work/root/lib" -lwinregion \
		-L"$work" -lhandler
	LD_LIBRARY_PATH=$work/root/lib:$work "$work/signals"
}

# Where the module is missing, examples say so, in the words of the library. One needs
# none.
check_examples_say_why()
{
	local source name status

	for source in examples/*.c; do
		name=$(basename "$source" .c)
		[ "$name" != instances ] || continue
		status=0
		timeout 60 "$O/examples/$name" 64 \
			> "$work/said" 2>&1 || status=$?
		if [ "$status" != 1 ] ||
				! grep -q 'kernel module is not loaded' "$work/said"; then
			echo "$name ends with $status:"
			cat "$work/said"
			return 1
		fi
	done
}

# A path with blanks, of the tree and of the place to install to
check_blanks()
{
	local tree="$work/a tree/userlib" to="$work/a root"

	mkdir -p "$tree"
	cp -R Makefile ./*.mk ./*.in ./*.map include src man examples tools "$tree/"
	cp -R "$UAPI" "$work/a tree/uapi"
	make -s -C "$tree"
	make -s -C "$tree" install PREFIX="/a prefix" DESTDIR="$to"
	PKG_CONFIG_SYSROOT_DIR='' pkg-config --libs \
		"$to/a prefix/lib/pkgconfig/winregion.pc" |
		grep -F -- '-L/a\ prefix/lib'
	test -f "$to/a prefix/include/linux/winregion.h"
	test -f "$to/a prefix/lib/libwinregion.so"
	test -f "$to/a prefix/share/man/man3/VirtualFreeEx.3"
	make -s -C "$tree" uninstall PREFIX="/a prefix" DESTDIR="$to"
	test -z "$(find "$to" ! -type d)"
}

# A place that is nowhere in particular: programs would look for it elsewhere
check_relative()
{
	! make -s install DESTDIR="$work/relative" PREFIX=prefix || return 1
	! make -s install DESTDIR="$work/relative" LIBDIR=lib || return 1
	test ! -e "$work/relative"
}

# The linker's cache is made anew where the linker looks, and left alone elsewhere.
check_ldconfig()
{
	local d to

	for d in . heap; do
		for to in PREFIX=/usr/local PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu; do
			make -n -C "$d" install "$to" | grep ldconfig || return
		done
		for to in PREFIX=/some/place LIBDIR=/opt/lib "DESTDIR=$work/elsewhere"; do
			! make -n -C "$d" install "$to" | grep ldconfig ||
				return 1
		done
	done
}

# What the shell, sed, or who reads a .pc file would take for something else.
# shellcheck disable=SC2016 # nothing here is to be expanded
check_special()
{
	local path where

	for path in '/a|b' '/a&b' "/a'b" '/a\b' '/a"b' '/a`b' '/a#b' '/a$$b'; do
		for where in PREFIX BINDIR LIBDIR INCLUDEDIR MANDIR; do
			! make -n install "$where=$path" O="$O" \
				> "$work/log" 2>&1 || return 1
			grep -q 'which is special' "$work/log" || return 1
		done
	done
}

# Every page that the headers' functions have
check_pages_exist()
{
	local name missing=0

	while read -r name; do
		if [ ! -e "man/$name.3" ]; then
			echo "no man/$name.3"
			missing=1
		fi
	done < "$work/own"

	return "$missing"
}

# Every page is one of a function, which its NAME and SYNOPSIS have.
check_pages_are_right()
{
	local page name target section wrong=0

	for page in man/*.3; do
		name=$(basename "$page" .3)
		target=man/$(readlink "$page") || target=$page
		if ! grep -qx "$name" "$work/map"; then
			echo "$page: the library has no $name()"
			wrong=1
		fi
		for section in NAME SYNOPSIS; do
			if ! section_of "$section" "$target" |
					grep -qw "$name"; then
				echo "$page: no $name in $section"
				wrong=1
			fi
		done
	done

	return "$wrong"
}

# section_of NAME PAGE
section_of()
{
	sed -n "/^\.SH $1\$/,/^\.SH /p" "$2"
}

# The prototypes of the SYNOPSIS are those of the header it names.
compile_page_synopsis()
{
	section_of SYNOPSIS "$1" | sed -n 's/^\.BI* //p' |
	while IFS= read -r line; do
		case $line in
		'#include'*)	echo "$line" ;;
		*)		echo "$line" | xargs printf '%s ' ;;
		esac
		echo
	done > "$work/synopsis.c"
	grep -q '(' "$work/synopsis.c" || return 1
	"$CC" -std=gnu11 -Wall -Wextra -Werror -I"$work/root/include" \
		-fsyntax-only "$work/synopsis.c"
}

# Each page can be read where it is, whether it is a link or not, and where it is
# installed. ".so" would look for what it names in another place each time.
check_pages_can_be_read()
{
	local page broken=0

	grep '^\.so ' ./man/* && broken=1
	for page in man/*.[1347] "$work/root"/share/man/man?/*; do
		if [ ! -s "$page" ]; then
			echo "$page: leads nowhere"
			broken=1
		elif command -v man > /dev/null &&
				! man -l "$page" 2>&1 < /dev/null |
				grep -q NAME; then
			echo "$page: man -l does not show it"
			broken=1
		fi
	done

	return "$broken"
}

# On a terminal of 80 columns the formatter has nothing to say of page $1, no line is
# broken, but for what winregion-trace prints, and there is room in the first one between
# the name at its beginning and that at its end.
page_that_does_not_fit()
{
	local name

	name=$(sed -n 's/^\.TH \([^ ]*\) \([1-8]\) .*/\1(\2)/p' "$1")
	MANWIDTH=80 LC_ALL=C.UTF-8 man -l "$1" 2>&1 < /dev/null |
		col -b -x > "$work/page"
	LC_ALL=C.UTF-8 grep -E '^.{81}' "$work/page" | grep -v '^ *1234 '
	grep -E '^[a-z]*(roff|man|tbl|grotty): ' "$work/page"
	head -n 1 "$work/page" | awk -v name="$name" '
		$1 != name || $NF != name || !/  / || /[^ ] [^ ]+\([0-9]\)$/'
}

check_pages_fit()
{
	local page

	for page in man/*.[1347] heap/man/*.[37]; do
		[ -L "$page" ] || page_that_does_not_fit "$page" |
			sed "s|^|$page: |"
	done > "$work/broad"
	cat "$work/broad"
	test ! -s "$work/broad"
}

# The programs of the EXAMPLES sections compile without a warning, optimized or not.
compile_page_example()
{
	local level

	sed -n '/^\.SH EXAMPLES/,/^\.SH [^E]/p' "$1" |
		sed -n '/^\.EX/,/^\.EE/p' |
		sed -e '/^\.E[XE]/d' -e 's/\\e/\\/g' -e 's/\\-/-/g' \
			-e 's/^\\&//' > "$work/example.c"
	test -s "$work/example.c"
	for level in 0 2; do
		"$CC" -std=gnu11 -O$level -Wall -Wextra -Werror \
			-I"$work/root/include" -o "$work/example" \
			"$work/example.c" -L"$work/root/lib" -lwinregion || return
	done
}

check_manual()
{
	local page

	check "each function has a page" check_pages_exist
	check "each page has its function" check_pages_are_right
	check "pages can be read" check_pages_can_be_read
	if command -v man > /dev/null && command -v col > /dev/null; then
		check "pages have 80 columns" check_pages_fit
	fi
	if ! command -v mandoc > /dev/null; then
		echo "skip mandoc -T lint: there is no mandoc"
	fi
	for page in man/*.[1347]; do
		if [ -L "$page" ]; then
			continue
		fi
		if command -v mandoc > /dev/null; then
			check "mandoc -T lint $page" \
				mandoc -T lint -W warning "$page"
		fi
		case $page in
		*.3)	check "synopsis of $page" compile_page_synopsis "$page" ;;
		esac
		# Those of programs are commands.
		if [ "${page%.1}" = "$page" ] &&
				grep -q '^\.SH EXAMPLES' "$page"; then
			check "example of $page" compile_page_example "$page"
		fi
	done
}

# What both widths have stays while the library of the other one is there.
check_other_width()
{
	mkdir "$work/root/lib32"
	touch "$work/root/lib32/libwinregion.a"
	make -s uninstall PREFIX="$work/root" O="$O"
	test ! -e "$work/root/lib/libwinregion.a"
	test -e "$work/root/include/winregion/windows.h"
	test -e "$work/root/share/man/man3/VirtualAlloc.3"
	rm -r "$work/root/lib32"
}

# What install puts somewhere, uninstall takes away.
check_uninstall()
{
	make -s uninstall PREFIX="$work/root" O="$O"
	find "$work/root" ! -type d > "$work/left"
	cat "$work/left"
	test ! -s "$work/left"
}

check "make install" make -s install PREFIX="$work/root" O="$O"
check_symbols
check_static_names
check_version
check "errors have words" check_errors_have_words
check_headers
check "a Windows source, by pkg-config" compile_windows_source
if command -v cmake > /dev/null; then
	check "a Windows source, by CMake" compile_by_cmake
	check "CMake has each width for its own programs" check_width
else
	echo "skip a Windows source by CMake: there is no cmake"
fi
check "signals of a program and a library" compile_signals
if [ -e /dev/winregion ]; then
	echo "skip examples without the module: it is loaded"
else
	check "examples without the module" check_examples_say_why
fi
check_manual
check "make uninstall, of one of two widths" check_other_width
check "make uninstall" check_uninstall
check "make install and uninstall, with blanks in all paths" check_blanks
check "a relative PREFIX or LIBDIR is refused" check_relative
check "ldconfig is for where the linker looks" check_ldconfig
check "directories that a .pc file or the shell misreads are refused" check_special

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
