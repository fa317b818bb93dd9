// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The name of the file that is mapped at an address: by what maps of /proc has to say of
 * it, and what the module says of whose memory it is
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <winregion/winregion.h>

#include "mappedname.h"
#include "process.h"

#define DELETED " (deleted)"

/* See IMAGE_NAME of the module. */
#define IMAGE_NAME "/winregion-image:"

/* Memory of the process that is no view has a file of the module's in maps. */
static bool is_private(const struct wr_target *target, uintptr_t address)
{
	struct winregion_query query = { .size = sizeof(query),
					 .address = address };

	return !wr_target_ioctl(target, WINREGION_QUERY, &query) &&
	       query.out.type == WINREGION_TYPE_PRIVATE;
}

static bool is_file(const char *name, unsigned long inode)
{
	struct stat st;

	return !stat(name, &st) && st.st_ino == inode;
}

/* A newline in a name is written as its number, which a name may have itself. */
static void decode(char *name, unsigned long inode)
{
	char *to = name;

	name[strcspn(name, "\n")] = '\0';
	if (strstr(name, "\\012") && is_file(name, inode))
		return;
	for (; *name; name++) {
		if (strncmp(name, "\\012", 4)) {
			*to++ = *name;
			continue;
		}
		*to++ = '\n';
		name += 3;
	}
	*to = '\0';
}

/* What has no name anywhere; the rest is a file, or was one. */
static bool is_paging(const char *name)
{
	static const char *const none[] = { "/winregion-section",
					    "/memfd:", "/SYSV", "/dev/zero" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(none); i++)
		if (!strncmp(name, none[i], strlen(none[i])))
			return true;

	return false;
}

/* A file can be called so, too. */
bool wr_cut_deleted(char *name, unsigned long inode)
{
	size_t length = strlen(name), more = strlen(DELETED);

	if (length <= more || strcmp(name + length - more, DELETED) ||
	    is_file(name, inode))
		return false;
	name[length - more] = '\0';

	return true;
}

/* An image is memory, which is called by the file that it was made of (rule MF-07). */
static bool is_image(char **name)
{
	size_t length = strlen(IMAGE_NAME);

	if (strncmp(*name, IMAGE_NAME, length))
		return false;
	*name += length;

	return true;
}

bool wr_parse_mapping(char *line, struct wr_mapped *mapping)
{
	unsigned long first, end, inode;
	int at = 0;

	if (sscanf(line, "%lx-%lx %*s %*x %*x:%*x %lu %n", &first, &end, &inode,
		   &at) != 3)
		return false;
	*mapping = (struct wr_mapped){
		.first = first,
		.end = end,
		.name = line + at,
	};
	decode(mapping->name, inode);
	mapping->has_file = inode && *mapping->name == '/';
	if (!mapping->has_file || !wr_cut_deleted(mapping->name, inode))
		return true;
	mapping->is_image = is_image(&mapping->name);
	mapping->is_paging = !mapping->is_image && is_paging(mapping->name);

	return true;
}

/* The line of the address, allocated, and what it says; or NULL */
static char *find_line(const struct wr_target *target, uintptr_t address,
		       struct wr_mapped *mapping)
{
	char *line = NULL;
	bool found = false;
	size_t room = 0;
	FILE *maps;

	WR_NO_CANCEL();

	maps = wr_target_file(target, "maps");
	while (maps && !found && getline(&line, &room, maps) > 0)
		found = wr_parse_mapping(line, mapping) &&
			address >= mapping->first && address < mapping->end;
	if (maps)
		fclose(maps);
	if (found)
		return line;
	free(line);

	return NULL;
}

bool wr_mapped_is_paging(const struct wr_target *target, const void *address)
{
	struct wr_mapped mapping;
	char *line = find_line(target, (uintptr_t)address, &mapping);
	bool paging = line && mapping.is_paging;

	free(line);

	return paging;
}

static NTSTATUS find_name(const struct wr_target *target, uintptr_t address,
			  char **line, char **name)
{
	struct wr_mapped mapping;

	*line = find_line(target, address, &mapping);
	if (!*line || !mapping.has_file || is_private(target, address))
		return STATUS_INVALID_ADDRESS;
	*name = mapping.name;

	return mapping.is_paging ? STATUS_FILE_INVALID : STATUS_SUCCESS;
}

NTSTATUS wr_mapped_name(HANDLE process, const void *address, char **line,
			char **name)
{
	struct wr_target target;
	NTSTATUS status;

	*line = NULL;
	status = wr_target_get(process, PROCESS_QUERY_INFORMATION, &target);
	if (status != STATUS_SUCCESS)
		return status;
	status = find_name(&target, (uintptr_t)address, line, name);

	return wr_target_put_asked(&target) ? status :
					      STATUS_PROCESS_IS_TERMINATING;
}

NTSTATUS wr_mapped_name_wide(HANDLE process, const void *address, WCHAR **wide,
			     size_t *units)
{
	NTSTATUS status;
	char *line, *name;
	long n;

	*wide = NULL;
	status = wr_mapped_name(process, address, &line, &name);
	if (status == STATUS_SUCCESS) {
		/* No byte is more than one unit. */
		*wide = calloc(strlen(name) + 1, sizeof(**wide));
		status = *wide ? STATUS_SUCCESS : STATUS_NO_MEMORY;
	}
	if (status == STATUS_SUCCESS) {
		n = wr_to_wide(name, strlen(name), *wide, strlen(name), FALSE);
		*units = n < 0 ? 0 : n;
	}
	free(line);

	return status;
}

/* ---- MemoryMappedFilenameInformation ---- */

static NTSTATUS give_name(const WCHAR *name, size_t units,
			  UNICODE_STRING *buffer, SIZE_T length,
			  PSIZE_T return_length)
{
	SIZE_T bytes = units * sizeof(*name);
	SIZE_T whole = sizeof(*buffer) + bytes + sizeof(*name);

	if (return_length)
		*return_length = whole;
	if (length < whole)
		return STATUS_BUFFER_OVERFLOW;
	if (!wr_all_writable(buffer, whole))
		return STATUS_ACCESS_VIOLATION;
	*buffer = (UNICODE_STRING){
		.Length = bytes,
		.MaximumLength = bytes + sizeof(*name),
		.Buffer = (PWSTR)(buffer + 1),
	};
	memcpy(buffer + 1, name, bytes + sizeof(*name));

	return STATUS_SUCCESS;
}

NTSTATUS wr_query_mapped_name(HANDLE process, const void *address, void *buffer,
			      SIZE_T length, PSIZE_T return_length)
{
	NTSTATUS status;
	size_t units;
	WCHAR *name;

	WR_KEEP_ERRNO();

	if (length < sizeof(UNICODE_STRING))
		return STATUS_INFO_LENGTH_MISMATCH;
	if (!wr_writable(buffer, sizeof(UNICODE_STRING)) ||
	    (return_length &&
	     !wr_writable(return_length, sizeof(*return_length))))
		return STATUS_ACCESS_VIOLATION;
	status = wr_mapped_name_wide(process, address, &name, &units);
	if (status == STATUS_SUCCESS)
		status = give_name(name, units, buffer, length, return_length);
	free(name);

	return status;
}
