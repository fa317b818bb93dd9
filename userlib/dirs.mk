# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Refuses directories to install to that would end somewhere else: DESTDIR goes before
# them, .pc files and the shell's quotes have them in.

HASH := \#
SPECIAL := | & \ ' " ` $$ $(HASH)

$(foreach dir,PREFIX BINDIR LIBDIR INCLUDEDIR MANDIR,$(if \
	$(filter-out /%,$(firstword $($(dir)))),$(error \
	$(dir)=$($(dir)) has to begin with a slash))$(foreach c,$(SPECIAL),$(if \
	$(findstring $(c),$($(dir))),$(error \
	$(dir)=$($(dir)) has a $(c), which is special in .pc files or quotes))))
