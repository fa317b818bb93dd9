#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The checks that need no machine to boot:
#
#	check.sh [-k KERNEL] [CHECK...]
#
# One line for each as it ends: "ok NAME", or "not ok NAME" and what it found, less what
# the file "exceptions" excuses. Exit status 1 if anything was found. As many as the host
# has processors run side by side (LANES= in the environment: how many). KERNEL is
# one to build the module for; without it the module is built for all of them.
#
# Every check is a function that prints its findings. It is called by its name,
# which shellcheck cannot see.
#
# shellcheck disable=SC2317

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$here/../vm/lib.sh"
any_arch=1

# What takes long first
all_checks=(checkpatch library module windows sparse doc shellcheck uapi clang-format
	abi readme exceptions text kernel-doc comments rules tables layers
	arguments)
# What is done only when it is asked for
more_checks=(series arm64)
packages=(abigail-tools clang clang-format cmake g++ gcc gcc-multilib libc6-dev make mandoc pandoc perl
	pkg-config shellcheck sparse)

# Whose headers sparse reads
sparse_kernel=6.12

scripts=$cache/kselftest/scripts

# ---- files ----

# Files of the tree whose path matches $1, by path. What git ignores is not
# there in a fresh clone, and what is not yet added may be.
files()
{
	{
		git -C "$top" ls-files --cached --others --exclude-standard \
			2>/dev/null ||
		(cd "$top" && find . -name build -prune -o -type f -printf '%P\n')
	} | grep -E -- "$1" | sort | while IFS= read -r f; do
		[ ! -f "$top/$f" ] || printf '%s\n' "$f"
	done
}

# Shell scripts, whatever they are called
scripts()
{
	files . | while IFS= read -r f; do
		case $f:$(head -c 20 "$f" | head -n 1 | tr -d '\0') in
		*.sh:* | *:'#!/bin/sh'* | *:'#!/bin/bash'*)
			printf '%s\n' "$f"
			;;
		esac
	done
}

# ---- exceptions ----

exception_lines()
{
	grep -v -e '^#' -e '^$' "$here/exceptions"
}

# Read findings of check $1 and drop those that are excused.
excuse()
{
	exception_lines | awk -v check="$1" '
	FILENAME == "-" {
		if ($1 == check) {
			sub(/ -- .*/, "")
			pattern[++n] = $2
		}
		next
	}
	{
		for (i = 1; i <= n; i++)
			if ($0 ~ pattern[i]) {
				used[i] = 1
				next
			}
		print
	}
	END {
		for (i = 1; i <= n; i++)
			if (!used[i])
				print "exceptions: excuses nothing: " pattern[i]
	}' - <(cat <&3)
} 3<&0

check_exceptions()
{
	exception_lines | grep -v -n -E \
		"^($(IFS='|'; printf '%s' "${all_checks[*]}")) [^ ]+ -- .{20}" |
		sed 's/^/not "CHECK PATTERN -- REASON": /' || true
}

# ---- the text of all files ----

# Words for later, and places that only one machine has: its package archive,
# its home directories. The licenses are as they came.
check_text()
{
	local hosts

	hosts=$(apt-get indextargets --no-release-info --format "\$(REPO_URI)" \
		2>/dev/null | sed -n 's|.*://\([^/:]*\.[^/:]*\).*|\1|p' |
		sort -u | sed 's/[.]/\\./g' | paste -s -d '|')
	{
		files . | grep -v '^LICENSES/' | xargs -d '\n' grep -n -I -E \
			-e '\b([T]ODO|[F]IXME|[X]XX)\b' \
			-e '(^|[^A-Za-z0-9_.~$}/-])/(home|root|work)/' \
			-e '[a-z]+:/[/][a-z]' ${hosts:+-e "$hosts"} || true
		files . | grep -v '^LICENSES/' | xargs -d '\n' grep -n -I '[[:blank:]]$' |
			sed 's/$/ <- trailing blanks/' || true
	} >"$work/found"
	excuse text <"$work/found"
}

# ---- checkpatch ----

# It judges by where a file is in the kernel's tree, so each is put where it
# would be. Names that are in include/ already may be of mixed case.
kernel_tree()
{
	local f

	files '^(module|uapi|userlib|selftests)/.*\.[ch]$' |
	while IFS= read -r f; do
		install -D -m 644 "$f" "$work/tree/$(kernel_path "$f")"
	done
	mkdir -p "$work/tree/include"
	cat userlib/include/winregion/*.h userlib/examples/demo/workload.c \
		selftests/programs/win32/*.h \
		/usr/include/elf.h /usr/include/inttypes.h \
		/usr/include/elfutils/libdw.h \
		/usr/include/elfutils/libdwfl.h |
		grep -o -w '[A-Za-z0-9_]*[A-Z][A-Za-z0-9_]*' | sort -u |
		sed 's/^/#define /' >"$work/tree/include/names.h"
}

kernel_path()
{
	case $1 in
	module/*)	echo "drivers/misc/winregion/${1#*/}" ;;
	uapi/*)		echo "include/$1" ;;
	userlib/*)	echo "tools/lib/winregion/${1#*/}" ;;
	selftests/*)	echo "tools/testing/selftests/winregion/${1#*/}" ;;
	esac
}

check_checkpatch()
{
	"$vm/fetch.sh" kselftest
	need libdw-dev
	kernel_tree
	(cd "$work/tree" && find . -name '*.[ch]' ! -path ./include/names.h \
		-printf '%P\n' | sort |
		xargs "$scripts/checkpatch.pl" --no-tree --root=. --strict \
			--quiet --terse --no-summary --show-types --file) |
		sed -e 's|^drivers/misc/winregion/|module/|' \
			-e 's|^include/uapi/|uapi/|' \
			-e 's|^tools/lib/winregion/|userlib/|' \
			-e 's|^tools/testing/selftests/winregion/|selftests/|' \
			>"$work/found" || true
	excuse checkpatch <"$work/found"
}

# ---- clang-format ----

check_clang-format()
{
	files '^(module|uapi|userlib)/.*\.[ch]$' |
		xargs clang-format --style=file --dry-run 2>&1 |
		grep -e 'warning:' -e 'error:' || true
}

# ---- comments ----

check_kernel-doc()
{
	"$vm/fetch.sh" kselftest
	# shellcheck disable=SC2046 # these have no blanks in their names
	"$scripts/kernel-doc" -none -Wall $(files '^(module|uapi)/.*\.[ch]$') \
		2>&1 || true
}

# What a header of the module or the interface shows to others has a comment:
# structures kernel-doc, functions at least a few words where they are.
check_comments()
{
	# shellcheck disable=SC2046 # these have no blanks in their names
	awk '
	FNR == 1 { last = ""; doc = 0 }
	/^\/\*\*$/ { doc = 1 }
	/^struct [a-z_]+ \{/ && !(doc && last ~ /\*\/$/) {
		print FILENAME ":" FNR ": no kernel-doc: " $2
	}
	/^}/ { doc = 0 }
	{ last = $0 }' $(files '^(module|uapi)/[^/]*/?[^/]*\.h$')

	# shellcheck disable=SC2046
	sed -n '/^static/!s/^[a-z].*[ *]\(wr_[a-z0-9_]*\)(.*/\1/p' \
		$(files '^module/.*\.h$') | sort -u >"$work/shared"
	# shellcheck disable=SC2046
	awk '
	FILENAME == list { shared[$1] = 1; next }
	/^[a-z].*[ *]wr_[a-z0-9_]*\(/ && !/^static/ && !/;$/ {
		name = $0
		sub(/\(.*/, "", name)
		sub(/.*[ *]/, "", name)
		if ((name in shared) && last !~ /\*\/$/)
			print FILENAME ":" FNR ": no comment: " name "()"
	}
	{ last = $0 }' list="$work/shared" "$work/shared" \
		$(files '^module/.*\.c$')
}

# ---- rules ----

# The comments of the tests and the list of rules agree.
check_rules()
{
	{ selftests/rules.sh >/dev/null; } 2>&1
}

# ---- what tests cost ----

# The tables that selftests/vm and the tests read fit what is there.
check_tables()
{
	local name t tests

	tests=" $(all_tests | xargs) "
	awk '!/^#/ && NF { print $1 }' selftests/rounds | while read -r name; do
		grep -q -w -e "$name" selftests/*_test.c ||
			echo "selftests/rounds: nobody asks for $name"
	done
	for t in $tests; do
		grep -q -w -e "^$t" selftests/costs ||
			echo "selftests/costs: no line for $t"
	done
	for t in $(awk '!/^#/ && NF { print $1 }' selftests/costs) \
		$(awk '!/^#/ { for (i = 2; i <= NF; i++) print $i }' \
			selftests/reach | sort -u); do
		[ "$t" = all ] || [[ $tests = *" $t "* ]] ||
			echo "selftests/costs, reach: no test $t"
	done
	check_hazards
	check_versions
}

# Each has a number of its own, and the tests that it names are there.
check_hazards()
{
	local program name

	grep -o -E '^[A-Z][0-9]+' selftests/HAZARDS | sort | uniq -d |
		sed 's|^|selftests/HAZARDS: twice: |'
	sed -n 's/^[A-Z][0-9].*: //p' selftests/HAZARDS | tr ';' '\n' |
	while read -r program name; do
		[ -e "selftests/$program.c" ] || continue
		for name in $name; do
			grep -q -w -e "${name%,}" "selftests/$program.c" ||
				echo "selftests/HAZARDS: no $program $name"
			[[ $name = *, ]] || break
		done
	done
}

# The version stands in several places, the newest first in two.
check_versions()
{
	{
		sed -n 's/^VERSION := //p' userlib/Makefile
		sed -n 's/^VERSION := //p' userlib/heap/Makefile
		sed -n 's/^MODULE_VERSION("\(.*\)");/\1/p' module/main.c
		sed -n '1s/^winregion (\(.*\)) .*/\1/p' debian/changelog
		grep -m 1 -o -E '^[0-9]+\.[0-9]+\.[0-9]+' NEWS
	} >"$work/versions"
	if [ "$(wc -l <"$work/versions")" != 5 ] ||
		[ "$(sort -u "$work/versions" | wc -l)" != 1 ]; then
		echo "the places that CONTRIBUTING.md names differ in the version:"
		cat "$work/versions"
	fi
	check_version_of_texts "$(sed -n 's/^VERSION := //p' userlib/Makefile)"
}

# Manual pages say at their end which version they are of, and documents of which they
# speak.
check_version_of_texts()
{
	files '(/man/|^debian/).*\.[1-8]$' | while read -r page; do
		[ ! -L "$page" ] || continue
		grep -q "^\.TH .* \"\(lib\)\?winregion $1\"\( \"\"\)\?\$" "$page" ||
			echo "$page: is not of version $1"
	done
	grep -n -i -o -E '\bversion [0-9]+\.[0-9]+' README.md SECURITY.md doc/*.md |
		grep -v -i ":version ${1%.*}\$" || true
}

# ---- layers ----

# Each source file of the module uses only what the file "layers" has below it.
check_layers()
{
	local sources

	mapfile -t sources < <(files '^module/.*\.[ch]$' | sed 's|^module/||')
	(cd module && awk -f "$here/layers.awk" "$here/layers" \
		"${sources[@]}" pass=2 "${sources[@]}" >"$work/found")
	excuse layers <"$work/found"
}

# ---- scripts ----

check_shellcheck()
{
	scripts | xargs shellcheck -x -P SCRIPTDIR -f gcc || true
}

# ---- the interface ----

# Does the header stand alone, in every language and for a 32-bit caller too?
check_uapi()
{
	local standard

	for standard in c90 c99 c11 gnu17; do
		uapi_compiles gcc -x c "-std=$standard"
		uapi_compiles gcc -m32 -x c "-std=$standard"
		uapi_compiles clang -x c "-std=$standard"
		uapi_compiles clang -m32 -x c "-std=$standard"
	done
	for standard in c++98 c++11 c++17 c++20; do
		uapi_compiles gcc -x c++ "-std=$standard"
		uapi_compiles gcc -m32 -x c++ "-std=$standard"
		uapi_compiles clang -x c++ "-std=$standard"
		uapi_compiles clang -m32 -x c++ "-std=$standard"
	done
	uapi_layout
}

# Included twice, and its constants used. Only linux-libc-dev is needed for
# -m32, as no header of libc is read; its asm/ is that of both.
uapi_compiles()
{
	{
		printf '#include <linux/winregion.h>\n%.0s' 1 2
		sed -n 's/^#define \(WINREGION_[A-Z_]*\) .*/int i_\1 = \1 != 0;/p' \
			uapi/linux/winregion.h
	} >"$work/uapi.c"
	"$@" -pedantic -Wall -Wextra -Werror -Iuapi \
		-isystem "/usr/include/$(gcc -print-multiarch)" \
		-fsyntax-only "$work/uapi.c" 2>&1 | sed "s/^/$*: /" || true
}

# "STRUCTURE FIELD" for all of the header
uapi_fields()
{
	awk '
	/^struct [a-z_]+ \{/ { name = $2 }
	/^}/ { name = "" }
	name != "" && /^\t.*;/ {
		field = $0
		sub(/;.*/, "", field)
		sub(/.*[ \t*]/, "", field)
		print name, field
	}' uapi/linux/winregion.h
}

# Every field is where, and as large as, it is for a 64-bit caller.
uapi_layout()
{
	{
		cat <<-'EOF'
		#include <linux/winregion.h>
		#include <stdio.h>
		#define FIELD(s, f) printf(#s " " #f " %zu %zu %zu\n", \
			__builtin_offsetof(struct s, f), \
			sizeof(((struct s *)0)->f), sizeof(struct s));
		int main(void) {
		EOF
		uapi_fields | sed 's/\(.*\) \(.*\)/FIELD(\1, \2)/'
		echo 'return 0; }'
	} >"$work/layout.c"
	gcc -Iuapi -o "$work/layout" "$work/layout.c"
	"$work/layout" | awk '
	function holds(what, value) {
		printf "_Static_assert(%s == %s, \"%s.%s\");\n", what, value,
			$1, $2
	}
	BEGIN { print "#include <linux/winregion.h>" }
	{
		holds("__builtin_offsetof(struct " $1 ", " $2 ")", $3)
		holds("sizeof(((struct " $1 " *)0)->" $2 ")", $4)
		holds("sizeof(struct " $1 ")", $5)
	}' >"$work/layout32.c"
	[ "$(wc -l <"$work/layout32.c")" -gt 100 ] ||
		echo "uapi: the fields of the header were not found"
	gcc -m32 -Iuapi -isystem "/usr/include/$(gcc -print-multiarch)" \
		-fsyntax-only "$work/layout32.c" 2>&1 || true
}

# ---- the headers of the library ----

check_windows()
{
	"$vm/fetch.sh" mingw
	"$here/windows.sh" "$cache/mingw" >"$work/found"
	excuse windows <"$work/found"
}

# ---- the module ----

check_module()
{
	local k

	for k in ${only_kernel:-$(kernel_names)}; do
		check_built "$k"
	done
	old_kernel
}

# Whether the module is built for kernel $1, without a warning
check_built()
{
	"$vm/build.sh" "$1" >"$work/build" 2>&1 || {
		echo "$1: W=1"
		cat "$work/build"
		return
	}
	modinfo_lacks "build/$1/winregion.ko" | sed "s/^/$1: modinfo: /"
}

# The same for the same series on arm64, and that the tests are built for it
check_arm64()
{
	local k

	for k in ${only_kernel:-$(kernel_names)}; do
		k=arm64-${k#arm64-}
		check_built "$k"
	done
	"$vm/program.sh" all "$k" >"$work/build" 2>&1 || {
		echo "$k: tests"
		cat "$work/build"
	}
}

# What the module file $1 does not say of itself
modinfo_lacks()
{
	local field

	tr '\0' '\n' <"$1" | grep -a -E '^[a-z]+=' >"$work/modinfo"
	for field in alias=misc:winregion author= description= license=GPL \
		"version=$(sed -n 's/^VERSION := //p' userlib/Makefile)"; do
		grep -q -a "^$field" "$work/modinfo" || echo "no $field"
	done
	sed -n 's/^parmtype=\([a-z_]*\):.*/\1/p' "$work/modinfo" |
	while read -r field; do
		grep -q -a "^parm=$field:." "$work/modinfo" ||
			echo "nothing about the parameter $field"
	done
	grep -q '^parmtype=' "$work/modinfo" || echo "no parameters"
}

# A kernel that is too old is said to be, at once.
old_kernel()
{
	mkdir -p "$work/old/linux"
	printf '#define KERNEL_VERSION(a, b, c) ((a) * 65536 + (b) * 256 + (c))\n' \
		>"$work/old/linux/version.h"
	echo '#define LINUX_VERSION_CODE OLD' >>"$work/old/linux/version.h"
	echo '#include <linux/version.h>' >"$work/old.c"
	if gcc -DOLD=0x05ffff -Imodule/compat -I"$work/old" -fsyntax-only \
		"$work/old.c" 2>"$work/log" ||
		! grep -q 'error: .*needs Linux 6\.1 or newer' "$work/log"; then
		echo 'module/compat takes Linux 5.255'
		cat "$work/log"
	fi
	gcc -DOLD=0x060100 -Imodule/compat -I"$work/old" -fsyntax-only \
		"$work/old.c" 2>&1 || true
}

# Does "make install" put the module $2, of the headers $1, where modprobe looks?
is_installed_elsewhere()
{
	local where

	where=$(unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
		make -n -o modules -o lib install KDIR="$1" DESTDIR=/to |
			grep -o '/to/lib/modules/[^/]*' | sort -u)
	[ "$where" = "/to/lib/modules/$(modinfo -F vermagic "$2" | cut -d ' ' -f 1)" ] ||
		echo "make install: $where"
}

# Every package of headers that the suites offer, and sid: what was built is said.
# FULL=1: those of kernels for real time and for clouds, too; -k: of that series only
check_series()
{
	local series=${only_kernel:-[0-9]+\.[0-9]+} more='' release headers root
	local built=()

	[ -z "${FULL-}" ] || more='(-rt|-cloud)?'
	"$vm/fetch.sh" headers "^$series\.[0-9]+[-+][a-z0-9]+$more-amd64 " \
		>"$work/headers"
	while read -r release headers root <&7; do
		# shellcheck disable=SC2086 # there may be no root
		if ! "$vm/build.sh" "$release" "$headers" $root \
			>"$work/build" 2>&1; then
			echo "$release: W=1"
			cat "$work/build"
			continue
		fi
		built+=("$release")
		modinfo_lacks "build/headers/$release/winregion.ko" |
			sed "s/^/$release: modinfo: /"
		is_installed_elsewhere "$headers" \
			"build/headers/$release/winregion.ko" |
			sed "s/^/$release: /"
	done 7<"$work/headers"
	[ ${#built[@]} != 0 ] || return 0
	printf '# built for %s\n' "${built[@]}"
	printf '# %s packages of headers, of the series %s\n' "${#built[@]}" \
		"$(printf '%s\n' "${built[@]}" | grep -o -E '^[0-9]+\.[0-9]+' |
			sort -u -V | xargs)"
}

check_sparse()
{
	local copy=$work/sparse

	"$vm/fetch.sh" kernel "$sparse_kernel"
	mkdir -p "$copy"
	cp -r Kbuild module uapi "$copy/"
	find "$copy" -name '*.o' -delete
	unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
	make -C "$(cat "$cache/kernels/$sparse_kernel/headers")" M="$copy" \
		-j"$(nproc)" C=2 CONFIG_DEBUG_INFO_BTF_MODULES= modules \
		>"$work/log" 2>&1 || cat "$work/log"
	# Whatever sparse says of the kernel's headers is not about our files.
	sed -n "s|^$copy/||p" "$work/log"
	[ "$(grep -c '  CHECK  ' "$work/log")" = \
		"$(files '^module/.*\.c$' | wc -l)" ] ||
		echo "sparse did not see all files"
}

# ---- the library, what is written about it ----

check_library()
{
	make -s -C userlib check >"$work/log" 2>&1 || grep -v '^ok ' "$work/log"
	make -s -C userlib/heap check >"$work/log" 2>&1 ||
		grep -v '^ok ' "$work/log"
	! makes_32_bits || {
		make -s -C userlib BITS=32 && make -s -C userlib/heap check BITS=32
	} >"$work/log" 2>&1 || grep -v '^ok ' "$work/log"
	uninstalls
	heaps_with_blanks
}

# Where that kernel has no modules, the library goes nevertheless.
uninstalls()
{
	local to=$work/installed

	make -s -C userlib install PREFIX="$to" >"$work/log" 2>&1 || cat "$work/log"
	make -s uninstall PREFIX="$to" KVER=0.0.0-none >"$work/log" 2>&1 ||
		cat "$work/log"
	find "$to" ! -type d | sed 's/^/not uninstalled: /'
}

# In a path with blanks there are heaps, and the scripts that fetch what they need.
heaps_with_blanks()
{
	local to="$work/a tree"

	mkdir "$to"
	files '^(Makefile$|debian/control$|selftests/vm/|uapi/|userlib/)' |
		xargs -d '\n' cp -d --parents -t "$to"
	make -s -C "$to" heap >"$work/log" 2>&1 || cat "$work/log"
	make -s -C "$to/userlib/heap" install DESTDIR="$to/a root" \
		>"$work/log" 2>&1 || cat "$work/log"
	[ -e "$to/a root/usr/local/lib/libwinregion-heap.a" ] ||
		echo "no heaps in $to"
}

makes_32_bits()
{
	echo 'int main(void) { return 0; }' |
		gcc -m32 -x c -o "$work/small" - 2>/dev/null
}

# ---- the ABI of the libraries ----

abi_libraries=(userlib/build/libwinregion.so userlib/build/heap/libwinregion-heap.so)

# What programs that were linked with the released libraries rely on, as abidw reads
# it, is in userlib/abi; UPDATE=1 makes what is there now the new baseline.
check_abi()
{
	local library baseline

	make -s lib heap >"$work/log" 2>&1 || cat "$work/log"
	for library in "${abi_libraries[@]}"; do
		baseline=userlib/abi/$(basename "$library" .so).abi
		describe_abi "$library" >"$work/now.abi"
		grep -q '<function-decl ' "$work/now.abi" ||
			echo "$library: without debug information nothing is known"
		[ -z "${UPDATE-}" ] || cp "$work/now.abi" "$baseline"
		compare_abi "$baseline" "$work/now.abi"
		released_nodes "$baseline" "$library"
	done
}

# Types that only sources of the library have are not part of it.
describe_abi()
{
	abidw --no-corpus-path --no-comp-dir-path --no-show-locs \
		--no-parameter-names --no-elf-needed --exported-interfaces-only \
		--headers-dir userlib/include --drop-private-types \
		--type-id-style hash "$1"
	echo '<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->'
}

# New functions break no program.
compare_abi()
{
	abidiff --no-added-syms "$1" "$2" >"$work/log" 2>&1 && return
	echo "the library is not what $1 says, with which programs were linked:"
	cat "$work/log"
}

# "NODE SYMBOL" for all of library $1
node_symbols()
{
	nm -D --defined-only --with-symbol-versions "$1" |
		sed -n 's/^[0-9a-f]* [TDBRW] \([^@]*\)@@*\(.*\)/\2 \1/p' | sort
}

# Nothing comes into a node that a released version has. The newest version is not
# released as long as NEWS says so.
released_nodes()
{
	local open=

	! grep -m 1 -E '^[0-9]+\.' NEWS | grep -q 'not released yet' ||
		open=_$(sed -n 's/^VERSION := \(.*\)\..*/\1/p' userlib/Makefile)
	node_symbols "$2" >"$work/now"
	[ -s "$work/now" ] || echo "$2: no symbols"
	sed -n "s/.*<elf-symbol name='\([^']*\)' version='\([^']*\)'.*/\2 \1/p" \
		"$1" | sort | comm -13 - "$work/now" |
	while read -r node symbol; do
		[ -n "$open" ] && [[ $node = *"$open" ]] && continue
		! grep -q "version='$node'" "$1" ||
			echo "$symbol: $node is released, it takes a new node"
	done
}

# The programs in README compile as README says; what it and the other documents
# tell to type or to read is there.
check_readme()
{
	local f

	awk '/^    #include/ { on = 1 } on && /^[^ ]/ { exit }
		on { print substr($0, 5) }' README.md >"$work/hello.c"
	make -s lib >"$work/log" 2>&1 || cat "$work/log"
	sed -n '/^    cc /,/[^\\]$/p' README.md |
		sed -e "s|hello\.c|-Wall -Wextra -Werror $work/hello.c|" \
			-e "s|-o hello|-o $work/hello|" >"$work/cc"
	bash -e "$work/cc" 2>&1 || true
	[ -x "$work/hello" ] || echo "README.md: no program, or no way to compile it"
	readme_mmap
	for f in README.md CONTRIBUTING.md SECURITY.md NEWS doc/*.md \
		module/winregion.rst; do
		document_targets "$f"
		document_checks "$f"
		document_paths "$f"
	done
}

# The second one needs nothing, and runs.
readme_mmap()
{
	awk '/^    #include/ { on = 1 } /^[^ ]/ { n += on; on = 0 }
		on && n == 1 { print substr($0, 5) }' README.md >"$work/mmap.c"
	gcc -Wall -Wextra -Werror -o "$work/mmap" "$work/mmap.c" 2>&1 || true
	"$work/mmap" >"$work/said" 2>&1 && grep -q 'of a gigabyte' "$work/said" ||
		echo "README.md: the program of mmap() does not do what it says"
}

# A $target after "make", or after "make -C DIRECTORY", in document $1
document_targets()
{
	local directory target

	{ grep -o -E '(^    |`|sudo )make (-C [a-z/]+ )?[a-z][a-z-]*' "$1" || true; } |
	sed 's/.*make /make /' | sort -u |
	while read -r _ directory; do
		target=${directory##* }
		case $directory in
		-C\ *)	directory=${directory#-C } directory=${directory% *} ;;
		*)	directory=. ;;
		esac
		grep -q -E "(^|[ :])$target( .*)?:" "$directory/Makefile" ||
			echo "$1: no target $target in $directory/Makefile"
	done
}

# Checks that document $1 tells to run
document_checks()
{
	local name

	{ grep -o -E 'CHECK=[a-z0-9-]+' "$1" || true; } | sort -u |
	while IFS='=' read -r _ name; do
		declare -F "check_$name" >/dev/null || echo "$1: no check $name"
	done
}

# Paths that stand in backquotes in document $1
#
# shellcheck disable=SC2016
document_paths()
{
	{ grep -o -E '`[a-zA-Z0-9_.-]+/[a-zA-Z0-9_./-]*`' "$1" || true; } |
	tr -d '`' | sort -u | sed '/^build\//d' | while read -r path; do
		[ -e "$path" ] || [ -e "selftests/$path" ] ||
			echo "$1: no $path in the tree"
	done
}

# The site can be made, and what it says of others holds.
check_doc()
{
	doc/build.sh "$work/doc" >"$work/log" 2>&1 || cat "$work/log"
	grep -v '^vm: ' "$work/log" || true
	"$here/doc.sh" "$work/doc"
}

# ---- the scripts that boot machines ----

# The command refuses what it is given with a line that has $1.
refuses()
{
	local what=$1

	shift
	if timeout 60 "$@" </dev/null >"$work/said" 2>&1; then
		echo "$* is not refused"
		return
	fi
	sed -i '/^make: \*\*\* /d' "$work/said"
	grep -q -F -- "$what" "$work/said" ||
		echo "$* says nothing of $what: $(head -n 3 "$work/said")"
	[ "$(wc -l <"$work/said")" -le 1 ] && [ "$(wc -c <"$work/said")" -le 200 ] ||
		echo "$* says more than a line: $(wc -c <"$work/said") bytes"
}

# What they are asked for is looked at before anything is built or booted, and they say
# what it may be.
check_arguments()
{
	local given

	unset MAKEFLAGS MAKEOVERRIDES MFLAGS MAKELEVEL
	for given in ACCEL=foo ACCEL=kvmtool CPUS=x CPUS=0 CPUS=1000 MEM=abc MEM=0M MEM=2048 \
		LANES=x LANES=0 LANES=-1 LANES=1000 TIMEOUT=x TIMEOUT=-1 \
		TIMEOUT=99999999999; do
		refuses "${given%%=*}= is " env "$given" "$vm/run.sh" -- /bin/true
		refuses "${given%%=*}= is " env "$given" "$vm/test.sh" -t alloc_test
	done
	refuses 'LANES= is ' env LANES=x "$here/check.sh" layers
	for given in image shell test-shell demo fuzz coverage bench soak check; do
		refuses "no kernel '6.99'" make -s "$given" KERNEL=6.99
	done
	for given in image test-shell demo; do
		refuses 'this is for amd64' make -s "$given" KERNEL=arm64-6.12
	done
	refuses 'cannot boot from a disk' make -s image KERNEL=debug-6.12
	refuses "no suite 'sid'" make -s test-deb SUITE=sid
	refuses "no kernel '5.0'" "$here/check.sh" -k 5.0 layers
	refuses "no kernel '5.0'" "$here/check.sh" -k 5.0 series layers
	refuses 'KERNEL= is ' "$here/check.sh" -k nosuch series
	for given in x -1 0 1.5 100000 ''; do
		refuses 'HOURS= is ' "$vm/soak.sh" "$given"
	done
	for given in root -1 01 4294967295 99999999999; do
		refuses 'AS= is ' "$vm/run.sh" -u "$given" -- /bin/true
	done
	refuses 'CPUS= is ' "$vm/run.sh" -c 0 -- /bin/true
	refuses 'MEM= is ' "$vm/run.sh" -m 1X -- /bin/true
	refuses 'there is alloc_test' "$vm/test.sh" -t alloctest
	refuses 'there is thread_test' "$vm/test.sh" -t thraed_test
	refuses 'selftests/*_test.c' "$vm/test.sh" -t nothing_like_it
}

# ---- all of them ----

# Run check $1 in a shell of its own, so that -e counts in there. Lines of what it
# says that begin with "# " are no findings.
report()
{
	local status=0 found=$work/$1

	"$here/check.sh" ${only_kernel:+-k "$only_kernel"} --one "$1" \
		>"$found" 2>"$found.errors" || status=$?
	grep '^# ' "$found" || true
	sed -i '/^# /d' "$found"
	if [ "$status" = 0 ] && [ ! -s "$found" ]; then
		echo "ok $1"
		return
	fi
	echo "not ok $1"
	sed 's/^/  /' "$found"
	[ "$status" = 0 ] || sed 's/^/  /' "$found.errors"
	return 1
}

# What the next one that ends has found
print_next()
{
	local pid

	wait -n -p pid || found=1
	cat "$work/${check_of[$pid]}.said"
	unset "check_of[$pid]"
}

# The kernel that is asked for is one, whether or not the checks that follow need one; of
# series, which the suites offer, there are more.
need_known_kernel()
{
	[ -n "$only_kernel" ] || return 0
	if [ "$*" = series ]; then
		[[ $only_kernel =~ ^[0-9]+\.[0-9]+$ ]] ||
			die "no series '$only_kernel': KERNEL= is such as 6.12"
	else
		find_kernel "$only_kernel"
	fi
}

# With this process ends what it started.
clean_up()
{
	local pid

	for pid in "${!check_of[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null || true
	done
	rm -rf "$work"
}

only_kernel='' found=0
declare -A check_of=()
[ "${1-}" != -k ] || { only_kernel=$2; shift 2; }
cd "$top"
work=$(mktemp -d)
trap clean_up EXIT
if [ "${1-}" = --one ]; then
	"check_$2"
	exit
fi
for c; do
	declare -F "check_$c" >/dev/null ||
		die "no check '$c'; known: ${all_checks[*]}, and ${more_checks[*]}"
done
need_known_kernel "$@"
need "${base_packages[@]}" "${packages[@]}"
[ $# -gt 0 ] || set -- "${all_checks[@]}"
# What several of them look at is not built by two at once.
[ $# = 1 ] || make -s lib heap >/dev/null 2>&1 || true
for c; do
	while [ ${#check_of[@]} -ge "${LANES:-$(nproc)}" ]; do
		print_next
	done
	# A process group, for clean_up()
	set -m
	report "$c" </dev/null >"$work/$c.said" &
	set +m
	check_of[$!]=$c
done
while [ ${#check_of[@]} -gt 0 ]; do
	print_next
done
exit "$found"
