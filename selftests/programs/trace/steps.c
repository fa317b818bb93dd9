// SPDX-License-Identifier: GPL-2.0
/*
 * A program for winregion-trace to watch: calls whose lines the test knows, in a child as
 * well; with a word, it waits for a line before it begins, or ends by a signal.
 */
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

int main(int argc, char **argv)
{
	MEMORY_BASIC_INFORMATION info;
	const char *word = argc > 1 ? argv[1] : "";
	DWORD old;

	if (!strcmp(word, "wait"))
		getchar();
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
