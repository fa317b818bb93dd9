/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libwinregion - <direct.h>: directories, by the names that the C library's calls
 * have on Windows
 */
#ifndef _WINREGION_DIRECT_H
#define _WINREGION_DIRECT_H

#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif

static __inline__ int _mkdir(const char *name)
{
	return mkdir(name, 0777);
}

static __inline__ int _rmdir(const char *name)
{
	return rmdir(name);
}

static __inline__ int _chdir(const char *name)
{
	return chdir(name);
}

static __inline__ char *_getcwd(char *buffer, int size)
{
	return getcwd(buffer, (size_t)size);
}

#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

#endif /* _WINREGION_DIRECT_H */
