// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What snapshots are made of: processes and threads as /proc has them, the program and
 * the images of a process as its maps have them, and the heaps of this one
 *
 * What comes or goes meanwhile is told, or is not.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mappedname.h"
#include "process.h"
#include "snapshot.h"

/* The lists grow by doubling from here. */
#define FIRST_ITEMS 16

/* Base priorities of Windows, of which nice values have none between these */
#define PRIORITY_LOW 4
#define PRIORITY_NORMAL 8
#define PRIORITY_HIGH 13

#define STAT_ROOM 1024

void wr_list_free(struct wr_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		free(list->items[i].name);
	free(list->items);
}

static bool is_full(const struct wr_list *list)
{
	return !list->nr ||
	       (list->nr >= FIRST_ITEMS && !(list->nr & (list->nr - 1)));
}

/* Return: an item of zeros at the end, or NULL */
static struct wr_item *add(struct wr_list *list)
{
	size_t room = list->nr ? 2 * list->nr : FIRST_ITEMS;
	struct wr_item *items;

	if (is_full(list)) {
		items = realloc(list->items, room * sizeof(*items));
		if (!items)
			return NULL;
		list->items = items;
	}
	memset(&list->items[list->nr], 0, sizeof(*list->items));

	return &list->items[list->nr++];
}

/* ---- processes and threads ---- */

/* The name of a directory that is a number, or 0 */
static DWORD number_of(const struct dirent *entry)
{
	unsigned long number;
	char *end;

	number = strtoul(entry->d_name, &end, 10);

	return *end || number > INT_MAX ? 0 : number;
}

static LONG priority_of(int nice)
{
	if (nice < 0)
		return PRIORITY_HIGH;

	return nice ? PRIORITY_LOW : PRIORITY_NORMAL;
}

/*
 * What @path, a file like /proc/PID/stat, says. @text: with the name in it, which may
 * have any character, and ends before the last parenthesis. Return: where the name
 * begins, or NULL: it is not there any more.
 */
static char *read_stat(const char *path, char text[STAT_ROOM],
		       struct wr_item *item)
{
	char *name, *rest;
	int nice;

	wr_read_text(path, text, STAT_ROOM);
	name = strchr(text, '(');
	rest = strrchr(text, ')');
	if (!name || !rest ||
	    sscanf(rest + 1,
		   " %*c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %d %u",
		   &item->id, &nice, &item->threads) != 3)
		return NULL;
	*rest = '\0';
	item->priority = priority_of(nice);

	return name + 1;
}

/* The file that it runs, without where that is; else what it calls itself */
static char *program_of(DWORD pid, const char *called)
{
	char path[64], program[PATH_MAX];
	struct stat st;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	n = readlink(path, program, sizeof(program) - 1);
	if (n <= 0)
		return strdup(called);
	program[n] = '\0';
	if (!stat(path, &st))
		wr_cut_deleted(program, st.st_ino);
	called = strrchr(program, '/');

	return strdup(called ? called + 1 : program);
}

static NTSTATUS list_process(struct wr_list *processes, DWORD pid)
{
	struct wr_item found = { .pid = pid }, *item;
	char path[64], text[STAT_ROOM];
	const char *called;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	called = read_stat(path, text, &found);
	if (!called)
		return STATUS_SUCCESS;
	found.name = program_of(pid, called);
	item = found.name ? add(processes) : NULL;
	if (!item) {
		free(found.name);
		return STATUS_NO_MEMORY;
	}
	*item = found;

	return STATUS_SUCCESS;
}

static NTSTATUS list_thread(struct wr_list *threads, DWORD pid, DWORD tid)
{
	struct wr_item found = { 0 }, *item;
	char path[64], text[STAT_ROOM];

	snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", pid, tid);
	if (!read_stat(path, text, &found))
		return STATUS_SUCCESS;
	item = add(threads);
	if (!item)
		return STATUS_NO_MEMORY;
	item->pid = pid;
	item->id = tid;
	item->priority = found.priority;

	return STATUS_SUCCESS;
}

static NTSTATUS list_threads(struct wr_list *threads, DWORD pid)
{
	NTSTATUS status = STATUS_SUCCESS;
	struct dirent *entry;
	char path[64];
	DIR *tasks;
	DWORD tid;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	tasks = opendir(path);
	while (tasks && status == STATUS_SUCCESS && (entry = readdir(tasks))) {
		tid = number_of(entry);
		if (tid)
			status = list_thread(threads, pid, tid);
	}
	if (tasks)
		closedir(tasks);

	return status;
}

/* One of both, or both; NULL: it is not asked for. */
NTSTATUS wr_list_processes(struct wr_list *processes, struct wr_list *threads)
{
	NTSTATUS status = STATUS_SUCCESS;
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	DWORD pid;

	if (!proc)
		return errno == ENOENT ? STATUS_ACCESS_DENIED :
					 STATUS_INSUFFICIENT_RESOURCES;
	while (status == STATUS_SUCCESS && (entry = readdir(proc))) {
		pid = number_of(entry);
		if (!pid)
			continue;
		if (processes)
			status = list_process(processes, pid);
		if (threads && status == STATUS_SUCCESS)
			status = list_threads(threads, pid);
	}
	closedir(proc);

	return status;
}

/* ---- modules ---- */

static NTSTATUS add_module(struct wr_list *modules, uintptr_t first,
			   size_t size, const char *name)
{
	char *copy = strdup(name);
	struct wr_item *item = copy ? add(modules) : NULL;

	if (!item) {
		free(copy);
		return STATUS_NO_MEMORY;
	}
	item->address = first;
	item->size = size;
	item->name = copy;

	return STATUS_SUCCESS;
}

/* Its parts have several lines. What shows the bytes of an image is none. */
static NTSTATUS list_image(struct wr_list *modules,
			   const struct wr_target *target,
			   const struct wr_mapped *mapping)
{
	const struct wr_item *last = &modules->items[modules->nr - 1];
	struct winregion_query query = { .size = sizeof(query),
					 .address = mapping->first };

	if (wr_target_ioctl(target, WINREGION_QUERY, &query) ||
	    query.out.type != WINREGION_TYPE_IMAGE ||
	    query.out.region_address == last->address)
		return STATUS_SUCCESS;

	return add_module(modules, query.out.region_address,
			  query.out.region_length, mapping->name);
}

/* The first item is the program's: its mappings follow each other. */
static void list_program(struct wr_item *program,
			 const struct wr_mapped *mapping)
{
	if (strcmp(mapping->name, program->name))
		return;
	if (!program->size)
		program->address = mapping->first;
	if (mapping->first == program->address + program->size)
		program->size = mapping->end - program->address;
}

static NTSTATUS list_mappings(struct wr_list *modules,
			      const struct wr_target *target, FILE *maps)
{
	NTSTATUS status = STATUS_SUCCESS;
	struct wr_mapped mapping;
	char *line = NULL;
	size_t room = 0;

	while (status == STATUS_SUCCESS && getline(&line, &room, maps) > 0) {
		if (!wr_parse_mapping(line, &mapping) || !mapping.has_file)
			continue;
		if (mapping.is_image)
			status = list_image(modules, target, &mapping);
		else
			list_program(&modules->items[0], &mapping);
	}
	free(line);

	return status;
}

static NTSTATUS list_modules(struct wr_list *modules,
			     const struct wr_target *target)
{
	char path[WR_TARGET_PATH], program[PATH_MAX];
	NTSTATUS status;
	struct stat st;
	FILE *maps;
	ssize_t n;

	wr_target_path(target, "exe", path);
	n = readlink(path, program, sizeof(program) - 1);
	if (n < 0)
		return STATUS_ACCESS_DENIED;
	program[n] = '\0';
	if (!stat(path, &st))
		wr_cut_deleted(program, st.st_ino);
	status = add_module(modules, 0, 0, program);
	if (status != STATUS_SUCCESS)
		return status;
	maps = wr_target_file(target, "maps");
	if (!maps)
		return STATUS_ACCESS_DENIED;
	status = list_mappings(modules, target, maps);
	fclose(maps);

	return status;
}

NTSTATUS wr_list_modules(struct wr_list *modules, DWORD pid)
{
	struct wr_target target;
	NTSTATUS status;
	size_t i;

	status = wr_target_open(pid, PROCESS_QUERY_INFORMATION, &target);
	if (status != STATUS_SUCCESS)
		return status;
	status = list_modules(modules, &target);
	if (!wr_target_put_asked(&target))
		return STATUS_PROCESS_IS_TERMINATING;
	for (i = 0; i < modules->nr; i++)
		modules->items[i].pid = pid ? pid : (DWORD)getpid();

	return status;
}

/* ---- heaps ---- */

NTSTATUS wr_list_heaps(struct wr_list *heaps)
{
	NTSTATUS status = STATUS_SUCCESS;
	HANDLE *handles = NULL, *more;
	DWORD i, nr = 0, room = 0;
	struct wr_item *item;

	/* More of them may be made meanwhile. */
	while (GetProcessHeaps &&
	       (nr = GetProcessHeaps(room, handles)) > room) {
		more = realloc(handles, nr * sizeof(*handles));
		if (!more)
			status = STATUS_NO_MEMORY;
		if (!more)
			break;
		handles = more;
		room = nr;
	}
	for (i = 0; i < nr && status == STATUS_SUCCESS; i++) {
		item = add(heaps);
		if (!item)
			status = STATUS_NO_MEMORY;
		else
			item->address = (uintptr_t)handles[i];
	}
	free(handles);

	return status;
}
