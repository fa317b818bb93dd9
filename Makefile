# SPDX-License-Identifier: GPL-2.0
#
# What this tree can do, in one word each; "make help" lists them. The module
# itself is described in Kbuild.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
# Of the kernel that KDIR is about, which may be another one than runs here. What
# modules are told to be for (vermagic) is where modprobe looks; kernel.release of Debian
# 12 has the number of upstream.
RELEASE = $(or $(shell awk -F'"' '/ UTS_RELEASE / { print $$2 }' \
			'$(KDIR)/include/generated/utsrelease.h' 2>/dev/null),$(shell \
		cat '$(KDIR)/include/config/kernel.release' 2>/dev/null),$(KVER))

# "make install" puts all of it below DESTDIR, the module into
DESTDIR ?=
TO = $(if $(DESTDIR),$(if $(filter /%,$(firstword $(DESTDIR))),,$(CURDIR)/)$(DESTDIR))
INSTALL_MOD_PATH ?= $(TO)
INSTALL_MOD_DIR ?= updates
MODULES = $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)

KERNEL ?=
KERNELS := $(shell awk '!/^\#/ && NF == 3 { print $$1 }' selftests/vm/kernels.list)
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/winregion

VM := selftests/vm
RUN = $(VM)/run.sh $(if $(KERNEL),-k '$(KERNEL)') $(if $(filter command,$(origin AS)),-u '$(AS)')

# As they were typed: they are for the program in the guest, so neither make
# nor the shell here may see variables or anything else in them.
export RUN_PROG := $(value PROG)
export RUN_ARGS := $(value ARGS)
export RUN_FILES := $(value FILES)

# Knobs of selftests/vm that reach it by the environment
export ACCEL APPEND CPUS MEM QEMU_ARGS TIMEOUT V

.PHONY: all modules lib heap install uninstall shell run test demo selftests check fuzz
.PHONY: coverage soak bench bench-smoke bench-profile deb test-deb test-shell image test-image
.PHONY: clean distclean clean-cache doc help

ifneq ($(wildcard $(KDIR)/Makefile),)
all: lib modules
else
all: lib
	@echo "No kernel headers in $(KDIR), so no module was built for" \
	      "this kernel."
	@echo "\"make modules KDIR=...\" names others;" \
	      "\"make test\" brings its own."
endif

# Before anything of kbuild's, which does not say it that clearly
modules:
	@case '$(CURDIR)' in *[[:space:]:]*) \
		echo 'The kernel'\''s build system takes no path with a blank or' \
			'a colon:' >&2; \
		echo 'move this tree out of "$(CURDIR)" to build the module.' \
			'("make lib" and "make heap" work.)' >&2; \
		exit 2;; esac
	@test -e '$(KDIR)/Makefile' || { \
		echo 'No kernel headers in $(KDIR): install' \
			'linux-headers-$(KVER), or name others by KDIR=.' \
			'("make lib" and "make -C userlib install" need none.)' >&2; \
		exit 2; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

# By hand, as modules_install takes no path with blanks either, and leaves
# modprobe without a list where there are headers only. The library comes and goes first:
# what is wrong with a kernel's modules is none of its business.
install: modules lib
	$(MAKE) -C userlib install DESTDIR='$(TO)'
	install -d '$(MODULES)/$(INSTALL_MOD_DIR)'
	install -m 644 winregion.ko '$(MODULES)/$(INSTALL_MOD_DIR)'
	$(DEPMOD)
	@echo 'The module is for Linux $(RELEASE), in $(MODULES)/$(INSTALL_MOD_DIR).'
	@$(WARN_OF_OTHER)

uninstall:
	$(MAKE) -C userlib uninstall DESTDIR='$(TO)'
	rm -f '$(MODULES)/$(INSTALL_MOD_DIR)'/winregion.ko*
	rmdir '$(MODULES)/$(INSTALL_MOD_DIR)' 2>/dev/null || :
	[ ! -d '$(MODULES)' ] || $(or $(DEPMOD),:)

# Into a running system only: elsewhere it is the business of who puts it there.
ifeq ($(INSTALL_MOD_PATH),)
DEPMOD = PATH="$$PATH:/usr/sbin:/sbin" depmod '$(RELEASE)'
WARN_OF_OTHER = [ '$(RELEASE)' = "$$(uname -r)" ] || \
	echo "That is not the kernel that runs: $$(uname -r)."
else
DEPMOD =
WARN_OF_OTHER = :
endif

lib:
	$(MAKE) -C userlib

# Its allocator comes from a source package, once.
heap: lib
	$(MAKE) -C userlib/heap

selftests: lib
	$(MAKE) -C selftests OUTPUT=$(CURDIR)/build/selftests

# FOLDER= is a folder of this host that the guest has as /shared.
SHARED := build/shared
FOLDER ?= $(SHARED)
KEPT = $(shell [ ! -d $(SHARED) ] || ls -A $(SHARED) 2>&1 | head -n 1)
shell:
	@mkdir -p $(SHARED)
	@$(RUN) -A $(if $(PARAMS),-p '$(PARAMS)') -d '$(FOLDER)' -s

# A disk to boot from: build/image/winregion-KERNEL.qcow2
image:
	@selftests/image/build.sh $(KERNEL)

test-image: image
	@selftests/image/test.sh $(KERNEL)

test-shell:
	@$(VM)/shell_test.sh $(KERNEL)

run:
	@test -n "$$RUN_PROG" || { \
		echo 'usage: make run PROG=path [ARGS="..."] [FILES="..."] [KERNEL=...]' >&2; \
		exit 2; }
	@$(RUN) -A $(if $(PARAMS),-p '$(PARAMS)') -- "$$RUN_PROG"

# FULL=1: as many rounds as selftests/rounds has for a full run
test:
	@$(VM)/test.sh $(if $(FULL),-f) -k '$(KERNEL)' -t '$(TEST)'

# RAW=0: no raw bytes; RAW=2: nothing else. SHARE=4: instead, four processes that
# share sections. PAGING=1: memory is short, and pages leave for swap. Without TIMEOUT
# it may take any time.
fuzz:
	@program=$$($(VM)/program.sh fuzz $(KERNEL)) && \
	TIMEOUT=$(or $(TIMEOUT),0) $(RUN) -l loop -l ext4 \
		$(if $(PAGING),-l zram -m $(or $(MEM),384M)) -- \
		"$$program" $(if $(PAGING),-P) \
		-n $(or $(OPS),1000000) -s $(or $(SEED),1) \
		-p $(or $(PROCS),2) -t $(or $(THREADS),1) \
		-S $(or $(SHARE),0) -r $(or $(RAW),$(if $(SHARE),0,1))

DEMO := $(firstword $(wildcard selftests/demo/run.sh \
			       userlib/examples/demo/run.sh))
demo:
	@test -n "$(DEMO)" || { echo 'no demo in this tree' >&2; exit 1; }
	@$(if $(KERNEL),KERNEL='$(KERNEL)') $(DEMO)

HOURS ?= 1
soak:
	@$(VM)/soak.sh '$(HOURS)' $(KERNEL)

coverage:
	@$(VM)/coverage.sh -k '$(KERNEL)' -t '$(TEST)'

BENCH := selftests/bench
bench:
	@$(BENCH)/bench.sh -k '$(KERNEL)' $(ROW)

bench-smoke:
	@$(BENCH)/bench.sh -s $(if $(UPDATE),-u) -k '$(KERNEL)' $(ROW)

bench-profile:
	@test -n '$(ROW)' || { \
		echo 'usage: make bench-profile ROW=commit-isolated [KERNEL=...];' \
			'"make bench ROW=?" lists rows' >&2; \
		exit 2; }
	@$(BENCH)/profile $(if $(KERNEL),-k '$(KERNEL)') '$(ROW)'

check:
	@selftests/check/check.sh $(if $(KERNEL),-k '$(KERNEL)') $(CHECK)

# The documents as a site, in build/doc
doc:
	@doc/build.sh
	@echo build/doc/index.html

# The packages, in build/deb
deb:
	@selftests/deb/build.sh

# SUITE=trixie: in a guest of that release only
test-deb:
	@selftests/deb/test.sh $(SUITE)

# Kbuild cleans what "make modules" left; it needs a kernel's headers for it. What is in
# the folder of "make shell" is not made here.
clean:
	@$(if $(KEPT),echo '$(SHARED) is kept: the files in it are yours')
	$(if $(KEPT),find build -mindepth 1 -maxdepth 1 ! -path $(SHARED) -exec rm -rf {} +,rm -rf build)
	$(MAKE) -C userlib clean
	rm -f *.ko *.mod *.mod.c *.o .*.o .*.cmd .*.o.d
	rm -f Module.symvers modules.order
	rm -f module/*.o module/.*.o module/.*.cmd module/.*.o.d
	rm -rf userlib/examples/demo/build
	rm -rf .tmp_versions

distclean: clean

clean-cache:
	$(VM)/fetch.sh clean

.DEFAULT:
	@echo 'There is no "make $@"; "make help" lists what there is.' >&2; exit 2

help:
	@echo 'make                the module for this kernel, and the library'
	@echo 'make modules        the module; KDIR= or KVER= names other headers'
	@echo 'make lib            the library, in userlib/build; with BITS=32 that'
	@echo '                    for 32-bit programs, in userlib/build/32; with'
	@echo '                    CROSS_COMPILE=aarch64-linux-gnu- that for arm64'
	@echo 'make heap           the library of heaps beside it'
	@echo 'make install        module and library into this system (as root), or'
	@echo '                    below DESTDIR=; PREFIX= for the library'
	@echo 'make uninstall      takes them away again; with the same settings'
	@echo 'make doc            the documents as a site, in build/doc'
	@echo 'make image          a disk that boots, with all of it and a compiler, in'
	@echo '                    build/image: qemu-system-x86_64 FILE; KERNEL= chooses'
	@echo 'make deb            packages for Debian 12 and 13, in build/deb'
	@echo
	@echo 'In a machine of its own (QEMU), with the module loaded:'
	@echo 'make shell          a shell, with the examples, the tools, strace and gdb;'
	@echo '                    it says what to type. FOLDER= is a folder of this host'
	@echo '                    that it has as /shared (build/shared)'
	@echo 'make run PROG=path [ARGS="..."]   a program of this host'
	@echo 'make test           all tests on all kernels; TEST= and KERNEL='
	@echo '                    choose some, FULL=1 has them try longer'
	@echo 'make fuzz           random calls, compared with a model; OPS=1000000'
	@echo '                    SEED=1 PROCS=2 THREADS=1 RAW=1 (random bytes too,'
	@echo '                    0: none, 2: nothing else), SHARE=4 (instead, processes'
	@echo '                    that share sections), PAGING=1 (memory is short,'
	@echo '                    and pages leave for swap)'
	@echo 'make demo           the demonstration'
	@echo 'make test-shell     the shell: all that its greeting promises'
	@echo 'make test-image     the disk: it boots, and all that its greeting promises'
	@echo 'make test-deb       the packages: installed, upgraded and purged in a Debian'
	@echo '                    12 and a Debian 13, half an hour each; SUITE='
	@echo '                    chooses one'
	@echo
	@echo '  KERNEL=   one of: $(KERNELS)'
	@echo '            or one with debug- (KASAN, lockdep, leaks ...) or kcsan-'
	@echo '            (data races) before it; these are built first. With arm64-'
	@echo '            before it, for "make test", "make fuzz", and for "make run":'
	@echo '            PROG= was built for that machine'
	@echo '  CPUS=2 MEM=2G TIMEOUT=300 (seconds; 0: none) AS=0 (user id)'
	@echo '  ACCEL=    tcg or kvm, where the choice made is not right'
	@echo '  FILES=    of run and shell: what is to be there, too, at the same path'
	@echo '  PARAMS=   of run and shell: parameters of the module, such as paging=0'
	@echo '  APPEND=   more words for the kernel command line'
	@echo '  V=1       print the QEMU command'
	@echo
	@echo 'make selftests      build the tests only, in build/selftests'
	@echo 'make check          what can be checked without a machine; CHECK= and'
	@echo '                    KERNEL= choose; CHECK=abi UPDATE=1 makes the ABI of'
	@echo '                    now the one that others are compared with;'
	@echo '                    CHECK=series builds the module for each package of'
	@echo '                    headers that apt offers (FULL=1: of all flavours);'
	@echo '                    CHECK=arm64 builds it for those machines'
	@echo 'make soak HOURS=1   random calls and races, over all kernels in turn'
	@echo 'make bench          what each operation costs, beside what programs do'
	@echo '                    without winregion; ROW= and KERNEL= choose'
	@echo 'make bench-smoke    a short form: is anything worse than it was?'
	@echo '                    UPDATE=1 makes what it finds the new standard'
	@echo 'make bench-profile ROW=commit-isolated   where the instructions go'
	@echo 'make coverage       which lines the tests run; KERNEL= a debug kernel'
	@echo 'make clean          remove what was built; $(SHARED) stays where something'
	@echo '                    is in it'
	@echo 'make clean-cache    remove what was downloaded, $(CACHE)'
