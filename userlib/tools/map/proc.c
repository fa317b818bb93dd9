// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files of /proc
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "map.h"

int map_open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;

	return fd;
}

ssize_t map_read_all(struct map_source *source, int fd)
{
	size_t length = 0;
	int err = 0;
	ssize_t n;

	do {
		source->text = map_grow(source->text, &source->room,
					length + 32768, 1);
		n = read(fd, source->text + length, source->room - length - 1);
		if (n > 0)
			length += n;
		else if (n < 0)
			err = -errno;
	} while (n > 0);
	source->text[length] = '\0';

	return err ? err : (ssize_t)length;
}

ssize_t map_read_file(struct map_source *source, const char *path)
{
	int fd = map_open_file(path);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = map_read_all(source, fd);
	close(fd);

	return n;
}

bool map_has_memory(int fd)
{
	char byte;

	return pread(fd, &byte, 1, 0) == 1;
}

uint64_t map_line_of(const char *text, const char *name)
{
	size_t length = strlen(name);

	while (text) {
		if (!strncmp(text, name, length) && text[length] == ':')
			return strtoull(text + length + 1, NULL, 10) * 1024;
		text = strchr(text, '\n');
		if (text)
			text++;
	}

	return 0;
}

void map_command_of(pid_t pid, char *name, size_t size)
{
	char path[40];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(name, (int)size, file))
		snprintf(name, size, "?");
	name[strcspn(name, "\n")] = '\0';
	if (file)
		fclose(file);
}

/* ---- smaps ---- */

static uint64_t kilobytes(const char *line)
{
	return strtoull(strchr(line, ':') + 1, NULL, 10) * 1024;
}

/* "first-end rwxp offset major:minor inode   name" */
static bool parse_head(const char *line, const char *end, struct map_vma *vma)
{
	char *at;

	vma->first = strtoull(line, &at, 16);
	if (*at != '-')
		return false;
	vma->end = strtoull(at + 1, &at, 16);
	if (*at != ' ' || end - at < 6)
		return false;
	vma->readable = at[1] == 'r';
	vma->writable = at[2] == 'w';
	vma->executable = at[3] == 'x';
	vma->shared = at[4] == 's';
	strtoull(at + 6, &at, 16);
	vma->device = strtoull(at, &at, 16) << 32;
	vma->device |= strtoull(at + 1, &at, 16);
	vma->inode = strtoull(at, &at, 10);
	while (at < end && *at == ' ')
		at++;
	vma->name = at;
	vma->name_length = end - at;

	return true;
}

static bool starts(const char *line, const char *word)
{
	return !strncmp(line, word, strlen(word));
}

/* One of the lines below the head. The last one is the flags; huge pages are in no other. */
static bool parse_line(const char *line, const char *end, struct map_vma *vma)
{
	if (starts(line, "Rss:")) {
		vma->resident = kilobytes(line);
	} else if (starts(line, "Anonymous:")) {
		vma->anonymous = kilobytes(line);
	} else if (starts(line, "Shared_Hugetlb:")) {
		vma->resident += kilobytes(line);
	} else if (starts(line, "Private_Hugetlb:")) {
		vma->resident += kilobytes(line);
		vma->anonymous += kilobytes(line);
	} else if (starts(line, "Swap:")) {
		vma->swapped = kilobytes(line);
	} else if (starts(line, "VmFlags:")) {
		vma->locked = memmem(line, end - line, " lo", 3);
		return true;
	}

	return false;
}

const char *map_next_vma(const char *text, struct map_vma *vma)
{
	bool last = false;
	const char *end;

	*vma = (struct map_vma){ 0 };
	while (!last && (end = strchr(text, '\n'))) {
		if (!vma->end)
			parse_head(text, end, vma);
		else
			last = parse_line(text, end, vma);
		text = end + 1;
	}

	return vma->end ? text : NULL;
}
