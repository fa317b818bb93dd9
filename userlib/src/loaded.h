/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _WR_LOADED_H
#define _WR_LOADED_H

#include "internal.h"
#include "pe.h"

/* What the lowest bits of the handle of a file that is data say, as on Windows */
#define WR_MODULE_DATA 1U
#define WR_MODULE_KINDS 3U

#define WR_LOADS_DATA \
	(LOAD_LIBRARY_AS_DATAFILE | LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE | \
	 LOAD_LIBRARY_AS_IMAGE_RESOURCE)

/* loaded.c: load the file as data, as @flags say. Return: an error, or 0. */
DWORD wr_load(const char *name, DWORD flags, HMODULE *module);

/* loaded.c: undo that. Return: whether there was such a module. */
bool wr_unload(HMODULE module);

/* loaded.c: the headers of a module that was loaded; false if there is none */
bool wr_loaded_pe(HMODULE module, struct wr_pe *pe);

#endif /* _WR_LOADED_H */
