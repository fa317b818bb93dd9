#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Are the headers of the library those of Windows, as mingw-w64 has them?
#
#	windows.sh INCLUDE	where the headers of mingw-w64 are
#
# Every constant has the same value, every structure the same size and every field
# the same place and size, every function the same prototype. What both have is
# compiled for Windows with what was found here; what only the library has is named.
# Structures are those of 32-bit programs as well, by "gcc -m32".

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$here/../.." && pwd -P)
theirs=$1
ours=$top/userlib/include/winregion
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
machine=x86_64 bits=

# Those that are for Windows, without what is words of the compiler
headers()
{
	find "$ours" -maxdepth 1 -name '*.h' ! -name winregion.h \
		! -name shared.h ! -name io.h ! -name direct.h \
		! -name 'intrin*.h' ! -name keywords.h ! -name sal.h | sort
}

# Include all of them, here
include_ours()
{
	headers | sed 's|.*/\(.*\)|#include <winregion/\1>|'
	echo '#include <stdio.h>'
}

include_theirs()
{
	cat <<-'EOF'
	#define WIN32_NO_STATUS
	#include <windows.h>
	#undef WIN32_NO_STATUS
	#include <winternl.h>
	#include <ntstatus.h>
	#include <psapi.h>
	#include <tlhelp32.h>
	#include <bcrypt.h>
	EOF
}

# Compile and run $1.c here
run_ours()
{
	gcc -w ${bits:+-m"$bits"} -I"$top/userlib/include" -I"$top/uapi" \
		-o "$work/$1" "$work/$1.c" && "$work/$1"
}

# Compile standard input for Windows, and print what is wrong with it
compile_theirs()
{
	{ clang -target "$machine"-w64-windows-gnu -std=gnu11 -ferror-limit=0 \
		-Wno-everything -D_WIN32_WINNT=0x0A00 \
		-DNTDDI_VERSION=0x0A000006 -I"$theirs" -fsyntax-only -x c - \
		2>&1 || true; } | sed -n "s/^<stdin>:[0-9:]* [a-z ]*error: /$1: /p"
}

# ---- constants ----

# Names with a value, but for those of functions that have another name
names()
{
	headers | xargs cat |
		sed -n 's/^#define \([A-Z][A-Za-z0-9_]*\) .*/\1/p' | sort -u |
		grep -v -x -f <(headers | xargs cat |
			sed -n 's/^#define \([A-Za-z0-9_]*\) \1[AW]$/\1/p')
}

# Those that the compiler takes for numbers
numbers()
{
	{
		include_ours
		names | sed 's/.*/unsigned long long v_& = (unsigned long long)(&);/'
	} >"$work/numbers.c"
	{ gcc -I"$top/userlib/include" -I"$top/uapi" -fsyntax-only \
		-fmax-errors=0 "$work/numbers.c" 2>&1 || true; } |
		sed -n 's/^[^ ]*numbers.c:\([0-9]*\):.* error: .*/\1/p' |
		sort -u >"$work/bad"
	awk 'FILENAME == ARGV[1] { bad[$1] = 1; next }
		!(FNR in bad) && $3 == "long" { sub(/^v_/, "", $4); print $4 }' \
		"$work/bad" "$work/numbers.c"
}

constants()
{
	{
		include_ours
		echo 'int main(void) {'
		numbers | sed 's/.*/printf("%s %llu\\n", "&", (unsigned long long)(&));/'
		echo 'return 0; }'
	} >"$work/constants.c"
	run_ours constants >"$work/values"
	[ "$(wc -l <"$work/values")" -gt 300 ] || echo "constants were not found"
	{
		include_theirs
		awk '{
			printf "#ifdef %s\n_Static_assert((unsigned long long)", $1
			printf "(%s) == %sULL, \"%s\");\n#else\n", $1, $2, $1
			printf "#error only here: %s\n#endif\n", $1
		}' "$work/values"
	} | compile_theirs constant
}

# ---- structures ----

# "STRUCTURE FIELD"; bit-fields have no address.
fields()
{
	headers | xargs cat | awk '
	/^(__extension__ )?typedef (struct|union)/ && /\{/ { on = 1; n = depth = 0 }
	!on { next }
	/\{/ { depth++ }
	/;/ && !/[{}:]/ {
		name = $0
		sub(/[;[].*/, "", name)
		sub(/.*[ \t*]/, "", name)
		field[n++] = name
	}
	/\}/ && !--depth {
		type = $0
		sub(/^} */, "", type)
		sub(/__attribute__\(\(.*\)\) */, "", type)
		sub(/[,;].*/, "", type)
		for (i = 0; i < n && type !~ /\*/; i++)
			print type, field[i]
		on = 0
	}' | sort -u
}

# Lines of structures.c with what only programs of the other width have
other_fields()
{
	{ gcc -w ${bits:+-m"$bits"} -I"$top/userlib/include" -I"$top/uapi" \
		-ftrack-macro-expansion=0 -fsyntax-only -fmax-errors=0 \
		"$work/structures.c" 2>&1 || true; } |
		sed -n 's/^[^ ]*structures.c:\([0-9]*\):.* error: .*/\1/p' |
		sort -u
}

structures()
{
	{
		include_ours
		cat <<-'EOF'
		#define FIELD(s, f) printf(#s " " #f " %zu %zu %zu\n", \
			__builtin_offsetof(s, f), sizeof(((s *)0)->f), sizeof(s));
		int main(void) {
		EOF
		fields | sed 's/\(.*\) \(.*\)/FIELD(\1, \2)/'
		echo 'return 0; }'
	} >"$work/structures.c"
	other_fields | sed "s/\$/d/" >"$work/bad"
	sed -i -f "$work/bad" "$work/structures.c"
	run_ours structures >"$work/layout"
	[ "$(wc -l <"$work/layout")" -gt 150 ] || echo "structures were not found"
	{
		include_theirs
		awk '{
			printf "_Static_assert(__builtin_offsetof(%s, %s) == %s && ",
				$1, $2, $3
			printf "sizeof(((%s *)0)->%s) == %s && sizeof(%s) == %s, ",
				$1, $2, $4, $1, $5
			printf "\"%s.%s\");\n", $1, $2
		}' "$work/layout"
	} | compile_theirs "structure${bits:+ of $bits bits}"
}

# ---- functions ----

# The declarations of the library follow those of mingw-w64.
prototypes()
{
	{
		include_theirs
		for h in $(headers); do
			sed -n '/visibility push/,/visibility pop/p' "$h" |
				sed '/^#/d'
		done
	} | compile_theirs function
}

constants
structures
prototypes
machine=i686 bits=32
structures
