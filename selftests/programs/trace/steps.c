// SPDX-License-Identifier: GPL-2.0
/*
 * A program for winregion-trace to watch: calls whose lines the test knows, in a child as
 * well; with a word, it waits for a line before it begins, ends by a signal, or allocates
 * from functions whose names the test knows.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <winregion/windows.h>

#define HERE ((char *)0x310000000000)
#define PAGE 4096

static void on_fault(int sig)
{
	_exit(sig == SIGSEGV ? 7 : 8);
}

static void in_child(void)
{
	if (fork() == 0) {
		VirtualFree(HERE + PAGE, PAGE, MEM_DECOMMIT);
		_exit(0);
	}
	wait(NULL);
}

/* ---- stacks: what is left behind its call keeps each a frame of its own ---- */

#define FUNCTION static __attribute__((noipa)) int

FUNCTION keep_reserved(void)
{
	return !!VirtualAlloc(NULL, 0x30000, MEM_RESERVE, PAGE_READWRITE);
}

FUNCTION commit_some(char *base)
{
	return VirtualAlloc(base, 3 * PAGE, MEM_COMMIT, PAGE_READWRITE) == base;
}

/* The first two pages are committed already, the last one goes. */
FUNCTION commit_more(char *base)
{
	VirtualAlloc(base + PAGE, 4 * PAGE, MEM_COMMIT, PAGE_READWRITE);
	return VirtualFree(base + 4 * PAGE, PAGE, MEM_DECOMMIT);
}

FUNCTION give_back(void)
{
	char *base = VirtualAlloc(NULL, 0x50000, MEM_RESERVE | MEM_COMMIT,
				  PAGE_READWRITE);

	return VirtualFree(base, 0, MEM_RELEASE);
}

FUNCTION map_section(void)
{
	HANDLE section = CreateFileMapping(INVALID_HANDLE_VALUE, NULL,
					   PAGE_READWRITE, 0, 0x70000, NULL);

	return !!MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
}

FUNCTION reserve_in_child(void)
{
	return !!VirtualAlloc(NULL, 0x90000, MEM_RESERVE, PAGE_READWRITE);
}

static void *reserve_in_thread(void *arg)
{
	char *base = VirtualAlloc(NULL, 0xb0000, MEM_RESERVE, PAGE_READWRITE);

	*(char **)arg = base;
	return NULL;
}

/* How often is not known here, so that it is one call in the code. */
FUNCTION allocate(int times)
{
	pthread_t thread;
	char *base;
	int status;

	while (times--)
		keep_reserved();
	pthread_create(&thread, NULL, reserve_in_thread, &base);
	pthread_join(thread, NULL);
	commit_some(base);
	commit_more(base);
	if (fork() == 0)
		_exit(!reserve_in_child());
	wait(&status);
	return give_back() + map_section() == 2 && !status ? 7 : 1;
}

int main(int argc, char **argv)
{
	MEMORY_BASIC_INFORMATION info;
	const char *word = argc > 1 ? argv[1] : "";
	DWORD old;

	if (!strcmp(word, "wait"))
		getchar();
	if (!strcmp(word, "stacks"))
		return allocate(2);
	VirtualAlloc(HERE, 65536, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE);
	VirtualAlloc(HERE, PAGE, MEM_COMMIT, PAGE_READWRITE);
	*HERE = 1;
	VirtualProtect(HERE, PAGE, PAGE_READONLY | PAGE_GUARD, &old);
	VirtualProtect(HERE + PAGE, PAGE, PAGE_READONLY, &old);
	VirtualQuery(HERE, &info, sizeof(info));
	in_child();
	if (!strcmp(word, "kill"))
		raise(SIGKILL);
	if (!strcmp(word, "fault")) {
		signal(SIGSEGV, on_fault);
		*(volatile char *)(HERE + 3 * PAGE) = 1;
	}
	VirtualFree(HERE, 0, MEM_RELEASE);
	return 7;
}
