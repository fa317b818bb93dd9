/* SPDX-License-Identifier: GPL-2.0 */
/*
 * <io.h>: the C library's names there
 */
#ifndef _SELFTESTS_PROGRAMS_IO_H
#define _SELFTESTS_PROGRAMS_IO_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define _O_BINARY 0
#define _O_TEXT 0
#define _S_IFCHR S_IFCHR
#define _S_IFIFO S_IFIFO
#define _S_IFREG S_IFREG

#define _access access
#define _chmod chmod
#define _fileno fileno
#define _fstat fstat
#define _isatty isatty
#define _pclose pclose
#define _popen popen
#define _stat stat
#define _strdup strdup
#define _unlink unlink

/* All files are binary ones. */
static inline int _setmode(int fd, int mode)
{
	return _O_BINARY;
}

#endif /* _SELFTESTS_PROGRAMS_IO_H */
