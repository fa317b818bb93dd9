// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files that are written
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "create.h"

FILE *create_file(const char *path, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
	FILE *file;

	if (fd < 0)
		return NULL;
	file = fdopen(fd, flags & O_APPEND ? "a" : "w");
	if (!file)
		close(fd);

	return file;
}
