/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where sources look for _resetstkoflw(), and the rest of what it has. The memory is the
 * C library's, and its size what that tells, which may be more than was asked for.
 */
#pragma GCC system_header
#include_next <malloc.h>
#include "../process.h"

#ifndef _WINREGION_WIN32_MALLOC_H
#define _WINREGION_WIN32_MALLOC_H

#include <errno.h>

#define _alloca(size) __builtin_alloca(size)

#ifdef __cplusplus
extern "C" {
#endif

static __inline__ void *_aligned_malloc(size_t size, size_t alignment)
{
	if (!alignment || (alignment & (alignment - 1))) {
		errno = EINVAL;
		return NULL;
	}

	return memalign(alignment, size);
}

static __inline__ void _aligned_free(void *memory)
{
	free(memory);
}

static __inline__ size_t _msize(void *memory)
{
	if (!memory) {
		errno = EINVAL;
		return (size_t)-1;
	}

	return malloc_usable_size(memory);
}

static __inline__ size_t _aligned_msize(void *memory, size_t alignment,
					size_t offset)
{
	(void)offset;

	if (!alignment || (alignment & (alignment - 1))) {
		errno = EINVAL;
		return (size_t)-1;
	}

	return _msize(memory);
}

static __inline__ void *_aligned_realloc(void *memory, size_t size,
					 size_t alignment)
{
	size_t old = malloc_usable_size(memory);
	void *grown = NULL;

	if (size || !memory) {
		grown = _aligned_malloc(size, alignment);
		if (!grown)
			return NULL;
		if (memory)
			__builtin_memcpy(grown, memory,
					 old < size ? old : size);
	}
	free(memory);

	return grown;
}

#ifdef __cplusplus
}
#endif

#endif /* _WINREGION_WIN32_MALLOC_H */
