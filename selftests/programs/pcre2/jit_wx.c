// SPDX-License-Identifier: GPL-2.0
/*
 * PCRE2's code for code, with the allocator for systems where no page may be written
 * and run: it protects each piece of code by itself.
 */
#define SLJIT_WX_EXECUTABLE_ALLOCATOR 1
#include "pcre2_jit_compile.c"
