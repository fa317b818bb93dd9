// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Two processes that share memory by its name
 *
 * The first to come makes a section, and the others find it: no process needs to be
 * started by another one, or to know of a file. Each adds its number to a list.
 *
 *	named_memory [NAME]
 *
 * Without an argument it starts itself twice more, to have company.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <winregion/windows.h>
#include <winregion/winregion.h>

#define MAX_GUESTS 1000

struct list {
	unsigned int count;
	DWORD guests[MAX_GUESTS];
};

static int fail(const char *what)
{
	fprintf(stderr, "%s: error %u\n", what, GetLastError());

	return 1;
}

static void sign(struct list *list)
{
	unsigned int at = __atomic_fetch_add(&list->count, 1, __ATOMIC_SEQ_CST);

	if (at < MAX_GUESTS)
		list->guests[at] = GetCurrentProcessId();
}

static struct list *open_list(const char *name, HANDLE *section)
{
	struct list *list;

	/* Local: of this user; no other one can have it, or make it before us. */
	*section = CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE,
				     0, sizeof(*list), name);
	if (!*section)
		return NULL;
	printf("%u: %s\n", GetCurrentProcessId(),
	       GetLastError() == ERROR_ALREADY_EXISTS ? "found it" : "made it");
	fflush(stdout);
	list = MapViewOfFile(*section, FILE_MAP_WRITE, 0, 0, 0);
	if (list)
		sign(list);

	return list;
}

/* As another process does, which only knows the name */
static int visit(const char *program, const char *name)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execl(program, program, name, NULL);
		_exit(127);
	}

	return pid < 0 || waitpid(pid, &status, 0) != pid || status;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "Local\\guests";
	const char *why = winregion_unavailable();
	struct list *list;
	unsigned int i;
	HANDLE section;

	if (why) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}

	list = open_list(name, &section);
	if (!list)
		return fail("section");
	for (i = 0; argc == 1 && i < 2; i++)
		if (visit("/proc/self/exe", name))
			return fail("visit");
	for (i = 0; argc == 1 && i < list->count && i < MAX_GUESTS; i++)
		printf("guest %u: process %u\n", i + 1, list->guests[i]);

	/* The name goes with the last handle, the memory with the last view. */
	CloseHandle(section);

	return UnmapViewOfFile(list) ? 0 : fail("UnmapViewOfFile");
}
