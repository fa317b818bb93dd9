// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel counts for us: faults, VMAs, and how often the process takes
 * mmap_lock for writing. That is a tracepoint of the kernel, counted by perf's
 * own counter, so nothing is written or lost.
 */
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/resource.h>

#include "bench.h"

#define TRACEPOINT "/sys/kernel/tracing/events/mmap_lock/mmap_lock_start_locking/"

static int lock_counter = -1;

bool write_word(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, word, strlen(word)) > 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* The number after @word on a line of file @path; an empty @word: the first */
uint64_t words_value(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	size_t length = strlen(word);
	uint64_t value = 0;
	char line[4096];

	if (!file)
		die("no %s", path);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, word, length) &&
		    (!length || strchr(" :\t", line[length]))) {
			value = strtoull(line + length + !!length, NULL, 10);
			break;
		}
	fclose(file);
	return value;
}

static void open_counter(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = words_value(TRACEPOINT "id", ""),
		.inherit = 1,
	};

	lock_counter = syscall(SYS_perf_event_open, &attr, 0, -1, -1,
			       PERF_FLAG_FD_CLOEXEC);
	if (lock_counter < 0 ||
	    ioctl(lock_counter, PERF_EVENT_IOC_SET_FILTER, "write == 1"))
		die("no counter of mmap_lock");
}

static uint64_t count_locks(void)
{
	uint64_t value = 0;

	if (lock_counter < 0)
		open_counter();
	if (read(lock_counter, &value, sizeof(value)) != sizeof(value))
		die("the counter of mmap_lock cannot be read");
	return value;
}

static uint64_t count_lines(const char *path)
{
	static char buffer[KIB(64)];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t lines = 0;
	ssize_t n, i;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		for (i = 0; i < n; i++)
			lines += buffer[i] == '\n';
	close(fd);
	return lines;
}

/* @vmas: whether these are wanted too, which takes reading all of them */
void counts_read(struct counts *counts, bool vmas)
{
	struct rusage usage;

	counts->vmas = vmas ? count_lines("/proc/self/maps") : 0;
	counts->locks = count_locks();
	getrusage(RUSAGE_SELF, &usage);
	counts->faults = usage.ru_minflt;
}
