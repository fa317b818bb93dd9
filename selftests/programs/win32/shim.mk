# SPDX-License-Identifier: GPL-2.0
#
# What else programs for Windows are linked with: $(SHIM). For a makefile that has O,
# HERE, WIN32, CFLAGS, OURS and win32_CPPFLAGS.

SHIM := $(patsubst $(WIN32)/%.c,$(O)/%.win32.o,$(wildcard $(WIN32)/*.c))

$(SHIM): $(O)/%.win32.o: $(WIN32)/%.c $(HERE)Makefile
	@mkdir -p $(@D)
	$(CC) $(win32_CPPFLAGS) $(CFLAGS) $(OURS) -MMD -MP -c -o $@ $<

.PHONY: all
.SECONDARY:

-include $(wildcard $(O)/*.d)
