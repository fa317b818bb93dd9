// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Variables that all instances of a program share: winregion_share()
 *
 * They are in a file in shared memory, in a directory that only the user can enter.
 * It has the name of the program's file: device, inode and build ID, so that a
 * program that is built anew begins anew. Nobody else can make that file, or
 * read it; if somebody has made the directory, the program does not start.
 *
 * As long as an instance runs it has a shared lock on the file. Who gets the lock for
 * itself alone is the first one, and fills the file. A file that others have filled
 * and left is never used again: it is removed, and a new one made.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <winregion/shared.h>

#include "internal.h"

#define PAGE 4096
#define READY 0x6465726168732e31ULL

/* The first page of the file; the variables follow. */
struct header {
	uint64_t ready;
	uint64_t size;
};

/* What is to be shared, and what the file is called */
struct shared {
	char *first;
	size_t size;
	char name[128];
};

static __attribute__((noreturn)) void give_up(const char *what, int err)
{
	fprintf(stderr, "winregion: shared variables: %s%s%s\n", what,
		err ? ": " : "", err ? strerror(err) : "");
	_exit(127);
}

/* ---- the name ---- */

static uint64_t add_to_hash(uint64_t hash, const void *data, size_t size)
{
	const unsigned char *byte = data;

	while (size--)
		hash = (hash ^ *byte++) * 0x100000001b3ULL;

	return hash;
}

struct identity {
	uintptr_t address;
	uint64_t hash;
	bool found;
};

/* Notes with their build ID, or what else of the file does not move */
static uint64_t hash_object(const struct dl_phdr_info *info)
{
	uint64_t hash = add_to_hash(0xcbf29ce484222325ULL, info->dlpi_phdr,
				    info->dlpi_phnum * sizeof(ElfW(Phdr)));
	const ElfW(Phdr) *segment = info->dlpi_phdr;
	const char *at;
	int i;

	for (i = 0; i < info->dlpi_phnum; i++, segment++) {
		if (segment->p_type != PT_NOTE)
			continue;
		at = (const char *)info->dlpi_addr + segment->p_vaddr;
		hash = add_to_hash(hash, at, segment->p_memsz);
	}

	return hash;
}

static int look_at_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	const ElfW(Phdr) *segment = info->dlpi_phdr;
	struct identity *identity = arg;
	int i;

	(void)size;

	for (i = 0; i < info->dlpi_phnum; i++, segment++)
		if (segment->p_type == PT_LOAD &&
		    identity->address - info->dlpi_addr - segment->p_vaddr <
			    segment->p_memsz) {
			identity->hash = hash_object(info);
			identity->found = true;
		}

	return identity->found;
}

/* The file that is mapped there: whatever has its name by now */
static bool find_file(uintptr_t address, unsigned long long *device,
		      unsigned long long *inode)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long long major, minor;
	unsigned long first, end;
	bool found = false;
	char line[512];

	while (maps && !found && fgets(line, sizeof(line), maps)) {
		found = sscanf(line, "%lx-%lx %*s %*x %llx:%llx %llu", &first,
			       &end, &major, &minor, inode) == 5 &&
			address >= first && address < end;
		/* The rest of a line that is longer is no line. */
		while (!strchr(line, '\n') && fgets(line, sizeof(line), maps))
			;
	}
	if (maps)
		fclose(maps);
	if (!found || !*inode)
		return false;
	*device = major << 32 | minor;

	return true;
}

static void make_name(struct shared *shared)
{
	struct identity identity = { .address = (uintptr_t)shared->first };
	unsigned long long device, inode;

	dl_iterate_phdr(look_at_object, &identity);
	if (!identity.found || !find_file(identity.address, &device, &inode))
		give_up("the program's file is not known", 0);
	snprintf(shared->name, sizeof(shared->name), "%llx-%llx-%016llx",
		 device, inode,
		 (unsigned long long)add_to_hash(identity.hash, &shared->size,
						 sizeof(shared->size)));
}

/* ---- the directory ---- */

static int open_directory(void)
{
	char path[64];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/dev/shm/winregion-%u", geteuid());
	if (mkdir(path, 0700) && errno != EEXIST)
		give_up(path, errno);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		give_up(path, errno);
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		give_up(path, EPERM);

	return fd;
}

static int lock(int fd, int how)
{
	int err;

	do {
		err = flock(fd, how) ? errno : 0;
	} while (err == EINTR);

	return err;
}

/* Whether the file has still its name */
static bool has_name(int directory, const char *name, int fd)
{
	struct stat here, there;

	return !fstat(fd, &here) &&
	       !fstatat(directory, name, &there, AT_SYMLINK_NOFOLLOW) &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* What programs have left that run no more, and were maybe built anew. */
static void sweep(int directory)
{
	int copy = openat(directory, ".", O_RDONLY | O_CLOEXEC), fd;
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	while (list && (entry = readdir(list))) {
		if (entry->d_name[0] == '.')
			continue;
		fd = openat(directory, entry->d_name,
			    O_RDWR | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!lock(fd, LOCK_EX | LOCK_NB) &&
		    has_name(directory, entry->d_name, fd))
			unlinkat(directory, entry->d_name, 0);
		wr_close(fd);
	}
	if (list)
		closedir(list);
}

/* ---- the file ---- */

static bool write_all(int fd, const void *data, size_t size, off_t at)
{
	ssize_t n = 0;

	for (; size; size -= n, at += n, data = (const char *)data + n) {
		n = pwrite(fd, data, size, at);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return false;
	}

	return true;
}

/* By the first instance; it is ready once the header is there. */
static void fill(int fd, const struct shared *shared)
{
	const struct header header = { READY, shared->size };

	if (ftruncate(fd, PAGE + shared->size) ||
	    fallocate(fd, 0, 0, PAGE + shared->size) ||
	    !write_all(fd, shared->first, shared->size, PAGE) ||
	    !write_all(fd, &header, sizeof(header), 0))
		give_up("no shared memory", errno);
}

static bool is_ready(int fd, const struct shared *shared)
{
	struct header header;

	return pread(fd, &header, sizeof(header), 0) == sizeof(header) &&
	       header.ready == READY && header.size == shared->size;
}

static bool is_empty(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && !st.st_size;
}

/* Return: whether it can be used, with a shared lock. Else it is to be tried again. */
static bool prepare(int directory, const struct shared *shared, int fd)
{
	int err = lock(fd, LOCK_EX | LOCK_NB);

	if (!err && has_name(directory, shared->name, fd)) {
		if (!is_empty(fd)) {
			unlinkat(directory, shared->name, 0);
			return false;
		}
		fill(fd, shared);
	}
	if (err && err != EWOULDBLOCK)
		give_up("no lock", err);
	/* Others can be between the two locks; then they have not yet begun. */
	err = lock(fd, LOCK_SH);
	if (err)
		give_up("no lock", err);

	return has_name(directory, shared->name, fd) && is_ready(fd, shared);
}

/* Return: the descriptor whose lock says that an instance runs */
static int open_shared(int directory, const struct shared *shared)
{
	for (;;) {
		int fd = openat(directory, shared->name,
				O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
				0600);

		fd = fd < 0 ? fd : wr_above_stderr(fd);
		if (fd < 0)
			give_up("no file", errno);
		if (prepare(directory, shared, fd))
			return fd;
		wr_close(fd);
		usleep(1000);
	}
}

/* Each source with such variables calls it; all of them have the same. */
static bool is_shared(char *first)
{
	static char *known[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known) && known[i]; i++)
		if (known[i] == first)
			return true;
	if (i < ARRAY_SIZE(known))
		known[i] = first;
	else
		give_up("too many libraries have some", 0);

	return false;
}

void winregion_share(void *first, void *end)
{
	struct shared shared = {
		.first = first,
		.size = (char *)end - (char *)first,
	};
	int directory, fd;

	WR_KEEP_ERRNO();

	if (!shared.size || is_shared(first))
		return;
	/* Who starts it can stop it, and may be whose the files would be. */
	if (getauxval(AT_SECURE))
		return;
	if (((uintptr_t)first | shared.size) & (PAGE - 1))
		give_up("they do not have pages of their own", 0);

	make_name(&shared);
	directory = open_directory();
	sweep(directory);
	fd = open_shared(directory, &shared);
	wr_close(directory);
	if (mmap(first, shared.size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, fd, PAGE) == MAP_FAILED)
		give_up("no shared memory", errno);
	/* The descriptor stays open, for its lock. */
}
