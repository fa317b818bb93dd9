/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - <io.h>: the C library's calls by the names that they have on
 * Windows, for descriptors of this system. There is no text mode.
 */
#ifndef _WINREGION_IO_H
#define _WINREGION_IO_H

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif

#ifndef O_BINARY
#define O_BINARY 0
#endif
#ifndef O_TEXT
#define O_TEXT 0
#endif
#define _O_BINARY O_BINARY
#define _O_TEXT O_TEXT
#define _O_RDONLY O_RDONLY
#define _O_WRONLY O_WRONLY
#define _O_RDWR O_RDWR
#define _O_APPEND O_APPEND
#define _O_CREAT O_CREAT
#define _O_TRUNC O_TRUNC
#define _O_EXCL O_EXCL
#define _S_IREAD 0400
#define _S_IWRITE 0200

static __inline__ int _access(const char *name, int mode)
{
	return access(name, mode);
}

static __inline__ int _close(int fd)
{
	return close(fd);
}

static __inline__ int _dup(int fd)
{
	return dup(fd);
}

static __inline__ int _dup2(int from, int to)
{
	return dup2(from, to) < 0 ? -1 : 0;
}

static __inline__ int _isatty(int fd)
{
	return isatty(fd);
}

static __inline__ int _read(int fd, void *buffer, unsigned int bytes)
{
	return (int)read(fd, buffer, bytes);
}

static __inline__ int _write(int fd, const void *buffer, unsigned int bytes)
{
	return (int)write(fd, buffer, bytes);
}

static __inline__ int _unlink(const char *name)
{
	return unlink(name);
}

/* All files are as in binary mode, so that is what they were in. */
static __inline__ int _setmode(int fd, int mode)
{
	(void)fd;
	(void)mode;
	return _O_BINARY;
}

#define setmode _setmode
#define _open open
#define _lseek lseek
#define _chmod chmod

#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

#endif /* _WINREGION_IO_H */
