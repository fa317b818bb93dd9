// SPDX-License-Identifier: GPL-2.0
/*
 * A program for winregion-trace to watch: calls whose lines the test knows, in a child as
 * well; with a word, something else:
 *
 *	wait, linger	it waits for a line before it begins, or when it is done
 *	kill, fault	it ends by a signal
 *	name		its name looks like the end of a line
 *	stacks, idle	it allocates from functions whose names the test knows, at once or as
 *			one of many threads when there is a line
 *	pipe		the same, with code of a file that is none any more
 *	busy, leave	its children make calls all the time; it waits for them, or does not
 *	many		it has many children, one after the other
 *	descriptors	its status is how many it has
 *	slow		it ends some time after it has begun
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
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

/* Some have names as C++ has them. */
#define LONG "long_name_long_name_long_name_long_name_"
#define LONGER LONG "" LONG "" LONG "" LONG
static int long_name(void)
	__asm__(LONGER "" LONGER "" LONGER "" LONGER);

FUNCTION long_name(void)
{
	char *base = VirtualAlloc(NULL, 0x10000, MEM_RESERVE, PAGE_READWRITE);

	return VirtualFree(base, 0, MEM_RELEASE);
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
	return give_back() + long_name() + map_section() == 3 && !status ? 7 :
									   1;
}

/* More than a process may have descriptors, if each takes some */
#define IDLE 200

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *allocate_when_told(void *arg)
{
	getchar();
	*(int *)arg = allocate(2);
	return NULL;
}

/* In a thread that is there before it is told to */
static int allocate_in_thread(void)
{
	pthread_t thread;
	int status, i;

	for (i = 0; i < IDLE; i++)
		pthread_create(&thread, NULL, idle, NULL);
	pthread_create(&thread, NULL, allocate_when_told, &status);
	pthread_join(thread, NULL);
	return status;
}

/* ---- calls all the time ---- */

#define BUSY "/tmp/wr_trace.busy"

/* As long as the test wants it, but not for ever */
static void call_again(void)
{
	MEMORY_BASIC_INFORMATION info;
	unsigned int i;

	alarm(60);
	while (!access(BUSY, F_OK))
		for (i = 0; i < 1000; i++)
			VirtualQuery(HERE, &info, sizeof(info));
	_exit(0);
}

static int be_busy(int wait_for_them)
{
	if (fork() == 0)
		call_again();
	if (fork() == 0)
		call_again();
	while (wait_for_them && wait(NULL) > 0)
		;
	return 7;
}

static int count_descriptors(void)
{
	int nr = 0, fd;

	for (fd = 0; fd < 1024; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

/* Tells that it is there, and ends some time later. */
static int be_slow(void)
{
	unlink(BUSY);
	sleep(2);
	return 7;
}

/* A file of which it has code becomes a pipe that nobody writes to. */
static int have_pipe(void)
{
	static const char path[] = "/tmp/wr_trace.pipe";
	int fd;

	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0700);
	if (fd < 0 || ftruncate(fd, PAGE) ||
	    mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) ==
		    MAP_FAILED)
		return 1;
	unlink(path);
	if (mkfifo(path, 0600))
		return 1;
	return allocate(2);
}

/* It says when it is done, and ends when the test has seen that. */
#define MANY 400
#define DONE "/tmp/wr_trace.done"

static int have_many(void)
{
	int i;

	for (i = 0; i < MANY; i++) {
		if (fork() == 0)
			_exit(!reserve_in_child());
		wait(NULL);
	}
	if (rename(BUSY, DONE))
		return 1;
	while (!access(DONE, F_OK))
		usleep(10000);
	return 7;
}

int main(int argc, char **argv)
{
	MEMORY_BASIC_INFORMATION info;
	const char *word = argc > 1 ? argv[1] : "";
	DWORD old;

	if (!strcmp(word, "name"))
		prctl(PR_SET_NAME, "a\nb-1 [0] 1: ");
	if (!strcmp(word, "wait"))
		getchar();
	if (!strcmp(word, "stacks"))
		return allocate(2);
	if (!strcmp(word, "idle"))
		return allocate_in_thread();
	if (!strcmp(word, "pipe"))
		return have_pipe();
	if (!strcmp(word, "descriptors"))
		return count_descriptors();
	if (!strcmp(word, "slow"))
		return be_slow();
	if (!strcmp(word, "many"))
		return have_many();
	if (!strcmp(word, "busy") || !strcmp(word, "leave"))
		return be_busy(!strcmp(word, "busy"));
	VirtualAlloc(HERE, 65536, MEM_RESERVE | MEM_WRITE_WATCH,
		     PAGE_READWRITE);
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
	if (!strcmp(word, "linger"))
		getchar();
	return 7;
}
