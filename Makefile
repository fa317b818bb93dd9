# SPDX-License-Identifier: GPL-2.0
#
# What this tree can do, in one word each; "make help" lists them. The module
# itself is described in Kbuild.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
KERNEL ?=
KERNELS := $(shell awk '!/^\#/ && NF == 3 { print $$1 }' selftests/vm/kernels.list)
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/winregion

VM := selftests/vm
RUN = $(VM)/run.sh $(if $(KERNEL),-k '$(KERNEL)') $(if $(filter-out default,$(origin AS)),-u '$(AS)')

# As they were typed: they are for the program in the guest, so neither make
# nor the shell here may see variables or anything else in them.
export RUN_PROG := $(value PROG)
export RUN_ARGS := $(value ARGS)

# Knobs of selftests/vm that reach it by the environment
export ACCEL APPEND CPUS MEM QEMU_ARGS TIMEOUT V

.PHONY: all modules lib install shell run test demo selftests check fuzz
.PHONY: coverage soak bench bench-smoke bench-profile clean distclean clean-cache help

ifneq ($(wildcard $(KDIR)/Makefile),)
all: modules lib
else
all: lib
	@echo "No kernel headers in $(KDIR), so no module was built for" \
	      "this kernel."
	@echo "\"make modules KDIR=...\" names others;" \
	      "\"make test\" brings its own."
endif

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

install: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install
	$(MAKE) -C userlib install

lib:
	$(MAKE) -C userlib

selftests: lib
	$(MAKE) -C selftests OUTPUT=$(CURDIR)/build/selftests

shell:
	@$(RUN) -s

run:
	@test -n "$$RUN_PROG" || { \
		echo 'usage: make run PROG=path [ARGS="..."] [KERNEL=...]' >&2; \
		exit 2; }
	@$(RUN) -A -- "$$RUN_PROG"

test:
	@$(VM)/test.sh -k '$(KERNEL)' -t '$(TEST)'

# RAW=0: no raw bytes; RAW=2: nothing else. Without TIMEOUT it may take any time.
fuzz: lib
	@$(MAKE) -s -C selftests OUTPUT=$(CURDIR)/build/selftests fuzz
	@TIMEOUT=$(or $(TIMEOUT),0) $(RUN) -- build/selftests/fuzz \
		-n $(or $(OPS),1000000) -s $(or $(SEED),1) \
		-p $(or $(PROCS),2) -t $(or $(THREADS),1) -r $(or $(RAW),1)

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
	@$(BENCH)/profile $(if $(KERNEL),-k '$(KERNEL)') '$(ROW)'

check:
	@selftests/check/check.sh $(if $(KERNEL),-k '$(KERNEL)') $(CHECK)

# Kbuild cleans what "make modules" left; it needs a kernel's headers for it.
clean:
	rm -rf build
	$(MAKE) -C userlib clean
	rm -f *.ko *.mod *.mod.c *.o .*.cmd .*.o.d Module.symvers modules.order
	rm -f module/*.o module/.*.cmd module/.*.o.d
	rm -rf .tmp_versions

distclean: clean

clean-cache:
	$(VM)/fetch.sh clean

help:
	@echo 'make                the module for this kernel, and the library'
	@echo 'make modules        the module; KDIR= or KVER= names other headers'
	@echo 'make lib            the library, in userlib/build'
	@echo 'make install        module and library into this system (as root)'
	@echo
	@echo 'In a machine of its own (QEMU), with the module loaded:'
	@echo 'make shell          a shell'
	@echo 'make run PROG=path [ARGS="..."]   a program of this host'
	@echo 'make test           all tests on all kernels; TEST= and KERNEL='
	@echo '                    choose some'
	@echo 'make fuzz           random calls, compared with a model; OPS=1000000'
	@echo '                    SEED=1 PROCS=2 THREADS=1 RAW=1 (random bytes too,'
	@echo '                    0: none, 2: nothing else)'
	@echo 'make demo           the demonstration'
	@echo
	@echo '  KERNEL=   one of: $(KERNELS)'
	@echo '            or one with debug- (KASAN, lockdep, leaks ...) or kcsan-'
	@echo '            (data races) before it; these are built first'
	@echo '  CPUS=2 MEM=2G TIMEOUT=300 (seconds; 0: none) AS=0 (user id)'
	@echo '  ACCEL=    tcg or kvm, where the choice made is not right'
	@echo '  APPEND=   more words for the kernel command line'
	@echo '  V=1       print the QEMU command'
	@echo
	@echo 'make selftests      build the tests only, in build/selftests'
	@echo 'make check          what can be checked without a machine; CHECK= and'
	@echo '                    KERNEL= choose'
	@echo 'make soak HOURS=1   random calls and races, over all kernels in turn'
	@echo 'make bench          what each operation costs, beside what programs do'
	@echo '                    without winregion; ROW= and KERNEL= choose'
	@echo 'make bench-smoke    a short form: is anything worse than it was?'
	@echo '                    UPDATE=1 makes what it finds the new standard'
	@echo 'make bench-profile ROW=commit-isolated   where the instructions go'
	@echo 'make coverage       which lines the tests run; KERNEL= a debug kernel'
	@echo 'make clean          remove what was built'
	@echo 'make clean-cache    remove what was downloaded, $(CACHE)'
