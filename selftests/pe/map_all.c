// SPDX-License-Identifier: GPL-2.0
/*
 * Map each file of an archive that packages.sh has made, and hold it against what
 * objdump says of its sections:
 *
 *	map_all ARCHIVE
 *
 * Of each file there is a line "FILE BYTES SECTIONS NAME", a line "ADDRESS OFFSET SIZE
 * PROTECTION" for each section, and its bytes.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <winregion/nt.h>

#define MAX_SECTIONS 96

struct section {
	unsigned int address;
	unsigned int offset;
	unsigned int size;
	unsigned int protection;
};

struct file {
	char name[512];
	size_t size;
	unsigned int nr;
	struct section sections[MAX_SECTIONS];
	char *bytes;
};

static unsigned int relocated;

static const char *check_section(const struct file *file, const char *base,
				 const struct section *section, BOOL whole)
{
	MEMORY_BASIC_INFORMATION info;

	if (!VirtualQuery(base + section->address, &info, sizeof(info)) ||
	    info.Type != MEM_IMAGE || info.AllocationBase != base)
		return "it is no part of the image";
	/* What was relocated is written. */
	if (whole && info.Protect != section->protection)
		return "another protection";
	if (section->offset && whole &&
	    memcmp(base + section->address, file->bytes + section->offset,
		   section->size))
		return "other contents";
	return NULL;
}

static const char *check_image(const struct file *file, HANDLE section,
			       BOOL first)
{
	const char *error = NULL;
	PVOID base = NULL;
	SIZE_T size = 0;
	NTSTATUS status;
	unsigned int i;

	status = NtMapViewOfSection(section, GetCurrentProcess(), &base, 0, 0,
				    NULL, &size, ViewUnmap, 0, PAGE_READONLY);
	/* Without relocations it cannot be there twice. */
	if (!first && status == STATUS_CONFLICTING_ADDRESSES)
		return NULL;
	if (!NT_SUCCESS(status))
		return "it cannot be mapped";
	relocated += status == STATUS_IMAGE_NOT_AT_BASE;
	for (i = 0; i < file->nr && !error; i++)
		error = check_section(file, base, &file->sections[i],
				      status == STATUS_SUCCESS);
	if (first && !error)
		error = check_image(file, section, FALSE);
	if (!UnmapViewOfFile(base))
		error = "it cannot be unmapped";
	return error;
}

static const char *check_file(const struct file *file)
{
	const char *name = "/tmp/map_all.dll", *error;
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	HANDLE handle, section;

	if (fd < 0 || write(fd, file->bytes, file->size) != (ssize_t)file->size)
		return "no place for it";
	close(fd);
	handle = CreateFileA(name, GENERIC_READ, FILE_SHARE_READ, NULL,
			     OPEN_EXISTING, 0, NULL);
	section = CreateFileMappingA(handle, NULL, PAGE_READONLY | SEC_IMAGE, 0,
				     0, NULL);
	error = section ? check_image(file, section, TRUE) : "no section";
	if (section)
		CloseHandle(section);
	CloseHandle(handle);
	return error;
}

static bool read_file(char **at, const char *end, struct file *file)
{
	struct section *section;
	unsigned int i;
	int n;

	if (sscanf(*at, "FILE %zu %u %511[^\n]\n%n", &file->size, &file->nr,
		   file->name, &n) != 3 || file->nr > MAX_SECTIONS)
		return false;
	*at += n;
	for (i = 0; i < file->nr; i++) {
		section = &file->sections[i];
		if (sscanf(*at, "%x %x %x %x\n%n", &section->address,
			   &section->offset, &section->size,
			   &section->protection, &n) != 4)
			return false;
		*at = strchr(*at, '\n') + 1;
	}
	file->bytes = *at;
	*at += file->size;
	return *at <= end;
}

int main(int argc, char **argv)
{
	unsigned int done = 0, failed = 0;
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	off_t size = lseek(fd, 0, SEEK_END);
	char *at = mmap(NULL, size + 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	char *end = at + size;
	struct file file;
	const char *error;

	if (fd < 0 || at == MAP_FAILED)
		return 2;
	for (; at < end; done++) {
		if (!read_file(&at, end, &file)) {
			printf("the archive is not one\n");
			return 2;
		}
		error = check_file(&file);
		failed += !!error;
		if (error)
			printf("not ok %s: %s\n", file.name, error);
	}
	printf("%u files, %u of them not as objdump says, %u relocated\n", done,
	       failed, relocated);
	return failed || !done;
}
