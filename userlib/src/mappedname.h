/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _WINREGION_MAPPEDNAME_H
#define _WINREGION_MAPPEDNAME_H

#include "internal.h"

/*
 * mappedname.c: the file that is mapped at @address of @process: *@name, in *@line, which
 * is to be freed also if it fails
 */
NTSTATUS wr_mapped_name(HANDLE process, const void *address, char **line,
			char **name);

/* mappedname.c: the same as *@units of UTF-16, and a 0, in what is to be freed */
NTSTATUS wr_mapped_name_wide(HANDLE process, const void *address, WCHAR **wide,
			     size_t *units);

/* mappedname.c: MemoryMappedFilenameInformation */
NTSTATUS wr_query_mapped_name(HANDLE process, const void *address, void *buffer,
			      SIZE_T length, PSIZE_T return_length);

/* mappedname.c: take away what the kernel writes behind the name of a deleted file. */
bool wr_cut_deleted(char *name, unsigned long inode);

#endif /* _WINREGION_MAPPEDNAME_H */
