/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * <stdio.h>, and the name that one of its calls has on Windows
 */
#pragma GCC system_header
#include_next <stdio.h>

#ifndef _WINREGION_WIN32_STDIO_H
#define _WINREGION_WIN32_STDIO_H

#ifdef __cplusplus
extern "C" {
#endif

/* Without POSIX the system's header has no fileno(), but the library has. */
int fileno(FILE *file) __THROW;

static __inline__ int _fileno(FILE *file)
{
	return fileno(file);
}

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_WIN32_STDIO_H */
