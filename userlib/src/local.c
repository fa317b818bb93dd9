// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Memory for messages, and for sources that want it by this name
 *
 * There is one LocalAlloc(), and one LocalFree(), whatever else a program is linked
 * with: this library allocates by them, too, and what it hands out has to be such
 * memory as the program frees.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>

#include <winregion/winbase.h>

HLOCAL WINAPI LocalAlloc(UINT flags, SIZE_T size)
{
	void *memory;

	WR_KEEP_ERRNO();

	if (wr_local_alloc)
		return wr_local_alloc(flags, size);
	/* What may move has handles that are no addresses. */
	if (flags & ~LMEM_VALID_FLAGS || flags & LMEM_MOVEABLE) {
		wr_fail(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	if (!size)
		size = 1;
	memory = flags & LMEM_ZEROINIT ? calloc(1, size) : malloc(size);
	if (!memory)
		wr_fail(ERROR_NOT_ENOUGH_MEMORY);

	return memory;
}

HLOCAL WINAPI LocalFree(HLOCAL memory)
{
	WR_KEEP_ERRNO();

	if (wr_local_free)
		return wr_local_free(memory);
	free(memory);

	return NULL;
}
