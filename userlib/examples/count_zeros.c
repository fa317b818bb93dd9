// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Count the zeros in a file that is larger than memory
 *
 * One part of it is in view at a time. So addresses and memory are those of one view,
 * however large the file is. A view begins at a multiple of the system's allocation
 * granularity; it may end anywhere.
 *
 *	count_zeros [FILE [BYTES [PART]]]
 *
 * The file is made, and removed: 10 GiB with little in it, which take next to nothing
 * of a disk. A file system that is in memory itself, as /tmp may be, has no room for
 * the zeros that are looked at; there it is less, unless you say how much. With PART
 * only so many bytes of each view are looked at, for a machine that is slow.
 */
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include <winregion/windows.h>
#include <winregion/winregion.h>

#define VIEW_SIZE (16U << 20)
#define DISK_SIZE (10ULL << 30)
#define MEMORY_SIZE (100ULL << 20)

static int fail(const char *what)
{
	fprintf(stderr, "%s: error %u\n", what, GetLastError());

	return 1;
}

/* ---- the file: zeros, but for the same few bytes at some places ---- */

static const char text[] = "no zeros";

#define TEXT_SIZE (sizeof(text) - 1)
#define NR_TEXTS 9
#define MIN_SIZE (NR_TEXTS * 2 * TEXT_SIZE)

/* From the first byte to the last; where views meet, one is half in each of them. */
static ULONGLONG text_at(unsigned int i, ULONGLONG size)
{
	ULONGLONG at = i ? size / (NR_TEXTS - 1) * i - TEXT_SIZE / 2 : 0;

	return at < size - TEXT_SIZE ? at : size - TEXT_SIZE;
}

static int go_to(HANDLE file, ULONGLONG offset)
{
	LARGE_INTEGER to;

	to.QuadPart = (LONGLONG)offset;

	return SetFilePointerEx(file, to, NULL, FILE_BEGIN);
}

/* An end that is moved leaves a hole, which reads as zeros. */
static int fill_file(HANDLE file, ULONGLONG size)
{
	unsigned int i;
	DWORD done;

	if (!go_to(file, size) || !SetEndOfFile(file))
		return 0;
	for (i = 0; i < NR_TEXTS; i++)
		if (!go_to(file, text_at(i, size)) ||
		    !WriteFile(file, text, TEXT_SIZE, &done, NULL) ||
		    done != TEXT_SIZE)
			return 0;

	return 1;
}

static ULONGLONG default_size(const char *name)
{
	struct statfs status;

	if (!statfs(name, &status) && ((DWORD)status.f_type == TMPFS_MAGIC ||
				       (DWORD)status.f_type == RAMFS_MAGIC))
		return MEMORY_SIZE;

	return DISK_SIZE;
}

/* ---- what is counted ---- */

/* Eight at a time, where all of them are */
static ULONGLONG zeros_in(const unsigned char *byte, SIZE_T size)
{
	const unsigned char *end = byte + size;
	ULONGLONG zeros = 0, eight;

	while (byte < end) {
		if (end - byte >= 8) {
			memcpy(&eight, byte, 8);
			if (!eight) {
				zeros += 8;
				byte += 8;
				continue;
			}
		}
		zeros += !*byte++;
	}

	return zeros;
}

struct count {
	ULONGLONG size; /* of the file */
	SIZE_T view; /* of each view, but the last one */
	SIZE_T part; /* of each that is looked at */
	ULONGLONG seen;
	ULONGLONG zeros;
};

static int count_view(HANDLE section, ULONGLONG offset, struct count *count)
{
	ULONGLONG left = count->size - offset;
	SIZE_T size = left < count->view ? left : count->view;
	SIZE_T part = size < count->part ? size : count->part;
	void *view = MapViewOfFile(section, FILE_MAP_READ,
				   (DWORD)(offset >> 32), (DWORD)offset, size);

	if (!view)
		return 0;
	count->zeros += zeros_in(view, part);
	count->seen += part;

	return UnmapViewOfFile(view);
}

static int count_file(HANDLE file, struct count *count)
{
	HANDLE section;
	ULONGLONG offset;
	int good = 1;

	section = CreateFileMapping(file, NULL, PAGE_READONLY, 0, 0, NULL);
	if (!section)
		return 0;
	for (offset = 0; good && offset < count->size; offset += count->view)
		good = count_view(section, offset, count);
	CloseHandle(section);

	return good;
}

/* What there is to find */
static ULONGLONG expected(const struct count *count)
{
	ULONGLONG zeros = count->seen, at;
	unsigned int i;

	for (i = 0; i < NR_TEXTS; i++)
		for (at = text_at(i, count->size);
		     at < text_at(i, count->size) + TEXT_SIZE; at++)
			zeros -= at % count->view < count->part;

	return zeros;
}

/* ---- what it takes ---- */

/* What /proc says in KiB, in bytes */
static ULONGLONG status_of(const char *field)
{
	FILE *status = fopen("/proc/self/status", "r");
	size_t length = strlen(field);
	char line[128];
	ULONGLONG kib = 0;

	while (status && fgets(line, sizeof(line), status))
		if (!strncmp(line, field, length) && line[length] == ':')
			kib = strtoull(line + length + 1, NULL, 10);
	if (status)
		fclose(status);

	return kib << 10;
}

/* Whether that was the zeros, and no more than a view and what goes with it */
static int count_and_compare(HANDLE file, struct count *count)
{
	ULONGLONG addresses = status_of("VmSize"), memory = status_of("VmRSS");
	DWORD begin = GetTickCount();

	if (!count_file(file, count))
		return fail("view");
	addresses = status_of("VmPeak") - addresses;
	memory = status_of("VmHWM") - memory;
	printf("%llu zeros in %llu of %llu bytes, %u ms\n", count->zeros,
	       count->seen, count->size, GetTickCount() - begin);
	printf("at most %llu KiB of addresses, %llu KiB of memory\n",
	       addresses >> 10, memory >> 10);
	if (count->zeros != expected(count)) {
		fprintf(stderr, "there are %llu\n", expected(count));
		return 1;
	}

	return addresses > 2 * count->view || memory > 2 * count->view;
}

static int make_and_count(HANDLE file, struct count *count)
{
	SYSTEM_INFO system;

	GetSystemInfo(&system);
	count->view = VIEW_SIZE - VIEW_SIZE % system.dwAllocationGranularity;
	if (count->size < MIN_SIZE) {
		fprintf(stderr, "it has %u bytes or more\n",
			(unsigned int)MIN_SIZE);
		return 1;
	}
	if (!fill_file(file, count->size))
		return fail("file");

	return count_and_compare(file, count);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "/tmp/count-zeros";
	const char *why = winregion_unavailable();
	struct count count = { .part = VIEW_SIZE };
	HANDLE file;
	int status;

	if (why) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}

	file = CreateFile(name, GENERIC_READ | GENERIC_WRITE, 0, NULL,
			  CREATE_ALWAYS, 0, NULL);
	if (file == INVALID_HANDLE_VALUE)
		return fail("CreateFile");
	count.size = argc > 2 ? strtoull(argv[2], NULL, 0) : default_size(name);
	if (argc > 3)
		count.part = strtoull(argv[3], NULL, 0);
	status = make_and_count(file, &count);
	CloseHandle(file);
	DeleteFile(name);

	return status;
}
