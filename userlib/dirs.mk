# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Directories to install to. Those are refused that would end somewhere else: DESTDIR goes
# before them, .pc files and the shell's quotes have them in.

HASH := \#
SPECIAL := | & \ ' " ` $$ $(HASH)

$(foreach dir,PREFIX BINDIR LIBDIR INCLUDEDIR MANDIR,$(if \
	$(filter-out /%,$(firstword $($(dir)))),$(error \
	$(dir)=$($(dir)) has to begin with a slash))$(foreach c,$(SPECIAL),$(if \
	$(findstring $(c),$($(dir))),$(error \
	$(dir)=$($(dir)) has a $(c), which is special in .pc files or quotes))))

# Where the dynamic linker looks by itself, or is told to by ldconfig
SEARCHED := /lib /usr/lib /usr/local/lib /lib/% /usr/lib/% /usr/local/lib/% \
	/lib64 /usr/lib64 /usr/local/lib64

# Into a running system, where ldconfig looks: programs find the library by the linker's
# cache. Some distributions have it look into the directories of 32 bits, too.
ifeq ($(DESTDIR)$(filter-out $(SEARCHED) /lib32 /usr/lib32,$(LIBDIR)),)
LDCONFIG = [ "$$(id -u)" != 0 ] || PATH="$$PATH:/usr/sbin:/sbin" ldconfig
else
LDCONFIG =
endif
