/* SPDX-License-Identifier: GPL-2.0 */
/*
 * <io.h>: the library's, and what other headers of the C library have there
 */
#ifndef _SELFTESTS_PROGRAMS_IO_H
#define _SELFTESTS_PROGRAMS_IO_H

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <winregion/io.h>

#define _S_IFCHR S_IFCHR
#define _S_IFIFO S_IFIFO
#define _S_IFREG S_IFREG

#define _fileno fileno
#define _fstat fstat
#define _pclose pclose
#define _popen popen
#define _stat stat
#define _strdup strdup

#endif /* _SELFTESTS_PROGRAMS_IO_H */
