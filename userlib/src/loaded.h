/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _WR_LOADED_H
#define _WR_LOADED_H

#include <limits.h>

#include "internal.h"
#include "pe.h"

/* What the lowest bits of the handle of a file that is data say, as on Windows */
#define WR_MODULE_DATA 1U
#define WR_MODULE_IMAGE_DATA 2U

#define WR_LOADS_DATA \
	(LOAD_LIBRARY_AS_DATAFILE | LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE | \
	 LOAD_LIBRARY_AS_IMAGE_RESOURCE)

/* loaded.c: whether @flags have a file of Windows loaded, as data or as an image */
static inline bool wr_loads_file(DWORD flags)
{
	return flags & (WR_LOADS_DATA | DONT_RESOLVE_DLL_REFERENCES);
}

/* loaded.c: load the file as @flags say. NULL: the last error is set */
HMODULE wr_load(const char *name, DWORD flags);

/* loaded.c: undo that. Return: whether there was such a module. */
bool wr_unload(HMODULE module);

/*
 * loaded.c: the headers of a module that was loaded, whose bytes can all be read; false
 * if there is none. @base: where it is, if not where they are.
 */
bool wr_loaded_pe(HMODULE module, struct wr_pe *pe, const uint8_t **base);

/* loaded.c: images that were loaded: by name, or what an address is in; or NULL */
HMODULE wr_loaded_by_name(const char *name);
HMODULE wr_loaded_by_address(const void *address);

/*
 * loaded.c: the same with one user more, until wr_unload(). It is counted as it is found:
 * later there may be another one in its place.
 */
HMODULE wr_loaded_hold_by_name(const char *name);
HMODULE wr_loaded_hold_by_address(const void *address);

/* loaded.c: the path of such an image; false if it is none */
bool wr_loaded_path(HMODULE module, char path[PATH_MAX]);

/* loaded.c: a function of such an image: an error, or 0 */
DWORD wr_loaded_function(HMODULE module, const char *name, const char **at);

/* loaded.c: as many of the images as there is room for. Return: how many there are */
size_t wr_loaded_all(HMODULE **list);

#endif /* _WR_LOADED_H */
