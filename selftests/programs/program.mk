# SPDX-License-Identifier: GPL-2.0
#
# What makefiles of programs share that are linked with the library and nothing else,
# each built for Linux and for Windows. One that includes this has said before which
# Debian source PACKAGE it is about, and says by "program" what is built of it.
#
# O=directory			for what is made here
# LIBWINREGION=file LDLIBS=...	what the programs for Windows are linked with

HERE := $(dir $(realpath $(firstword $(MAKEFILE_LIST))))
PROGRAMS := $(dir $(realpath $(lastword $(MAKEFILE_LIST))))
TOP := $(abspath $(PROGRAMS)../..)

O ?= $(TOP)/build/selftests/$(notdir $(HERE:/=))
LIBWINREGION ?= $(TOP)/userlib/build/libwinregion.a
LDLIBS ?= $(LIBWINREGION)

SOURCE := $(O)/source
FETCHED := $(SOURCE)/debian/changelog
# What is made there before anything is compiled
READY :=

# All of it is compiled as often as there are builds, and no more.
CFLAGS := -O1 -pthread
CXXFLAGS := -O1 -pthread
LDFLAGS := -static -s -pthread
win32_CPPFLAGS := -D_WIN32 -D_WIN64 -I$(TOP)/userlib/include/winregion/win32 \
		  -I$(TOP)/userlib/include -I$(TOP)/uapi
win32_LDFLAGS := -Wl,--wrap=ioctl
OURS := -std=gnu11 -Wall -Wextra -Werror

all:

$(FETCHED):
	rm -rf $(SOURCE) $(SOURCE).new
	$(TOP)/selftests/vm/fetch.sh source $(PACKAGE) $(SOURCE).new
	mv $(SOURCE).new $(SOURCE)

# It comes as one piece.
$(SOURCE)/%: $(FETCHED) ;

# $(1): native or win32. $(2): a source, which is beside the makefile or the package's
object = $(O)/$(1)/$(subst /,_,$(basename $(2))).o
place = $(if $(wildcard $(HERE)$(1)),$(HERE)$(1),$(SOURCE)/$(1))
is_cxx = $(filter %.cc %.cpp,$(1))

define compile
$(call object,$(1),$(2)): $(call place,$(2)) $$(READY) $$(HERE)Makefile \
			  $$(PROGRAMS)program.mk
	@mkdir -p $$(@D)
	$(if $(call is_cxx,$(2)),$$(CXX),$$(CC)) $$($(1)_CPPFLAGS) $$(CPPFLAGS) \
		$(if $(call is_cxx,$(2)),$$(CXXFLAGS),$$(CFLAGS)) -w -MMD -MP \
		-c -o $$@ $$<
COMPILED += $(1)/$(2)
endef

# A source that several programs have is compiled once.
# $(1): native or win32. $(2): the program. $(3): its sources
define build
$(foreach source,$(filter-out $(patsubst $(1)/%,%,$(filter $(1)/%,$(COMPILED))),$(3)),
$(call compile,$(1),$(source))
)

$(O)/bin/$(1)/$(2): $(foreach source,$(3),$(call object,$(1),$(source))) $$($(1)_ALSO)
	@mkdir -p $$(@D)
	$(if $(call is_cxx,$(3)),$$(CXX),$$(CC)) $$(LDFLAGS) $$($(1)_LDFLAGS) -o $$@ \
		$$(filter %.o %.a,$$^) $$($(1)_LDLIBS) -lm

all: $(O)/bin/$(1)/$(2)
endef

# $(1): the program. $(2): sources of both builds, $(3): of that for Linux only, $(4):
# of that for Windows only
define program
$(call build,native,$(1),$(2) $(3))
$(call build,win32,$(1),$(2) $(4))
endef

win32_ALSO := $(O)/win32/calls.o $(LIBWINREGION)
win32_LDLIBS := $(LDLIBS)

$(O)/win32/calls.o: $(PROGRAMS)calls.c $(PROGRAMS)program.mk
	@mkdir -p $(@D)
	$(CC) $(win32_CPPFLAGS) $(CFLAGS) $(OURS) -MMD -MP -c -o $@ $<

# What a test reads is carried as programs are.
$(O)/bin/data/%: $(FETCHED)
	@mkdir -p $(@D)
	install -m 755 $(SOURCE)/$(DATA)/$(@F) $@

.PHONY: all
.SECONDARY:

-include $(wildcard $(O)/*/*.d)
