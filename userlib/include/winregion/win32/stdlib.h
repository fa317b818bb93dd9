/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * <stdlib.h>, and how many elements an array has
 */
#pragma GCC system_header
#include_next <stdlib.h>

#ifndef _countof
#define _countof(array) (sizeof(array) / sizeof((array)[0]))
#endif
