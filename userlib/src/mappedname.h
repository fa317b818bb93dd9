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

struct wr_target;

/*
 * mappedname.c: whether a view at @address, of an image or not, shows memory without a
 * file; false as well if there is no telling
 */
bool wr_mapped_is_paging(const struct wr_target *target, const void *address);

/* What a line of maps says */
struct wr_mapped {
	uintptr_t first;
	uintptr_t end;
	/* In the line */
	char *name;
	/* That is the name of a file, or was one; or of what it was made of */
	bool has_file;
	bool is_image;
	/* It is memory without a file, whatever it is called. */
	bool is_paging;
};

/* mappedname.c: false if it is no such line, which is changed */
bool wr_parse_mapping(char *line, struct wr_mapped *mapping);

/* mappedname.c: take away what the kernel writes behind the name of a deleted file. */
bool wr_cut_deleted(char *name, unsigned long inode);

#endif /* _WINREGION_MAPPEDNAME_H */
