// SPDX-License-Identifier: GPL-2.0
/*
 * Threads: on a stack whose guard the module moves down, and on one of the C
 * library's
 */
#include <pthread.h>

#include <winregion/windows.h>

#include "bench.h"

#define THREADS 64

static bool is_ours(const struct way *way)
{
	return way == way_find("winregion");
}

/* Each page, from the top down, as a recursion does */
static void touch_down(size_t pages)
{
	volatile char here;
	char *at = (char *)&here;
	size_t i;

	lap_start("", pages);
	for (i = 1; i <= pages; i++)
		*(volatile char *)(at - i * PAGE) = 1;
	lap_stop();
}

static DWORD WINAPI touch_in_ours(LPVOID pages)
{
	touch_down((size_t)pages);
	return 0;
}

static void *touch_in_plain(void *pages)
{
	touch_down((size_t)pages);
	return NULL;
}

static void run_ours(LPTHREAD_START_ROUTINE start, void *argument)
{
	HANDLE thread = CreateThread(NULL, 0, start, argument, 0, NULL);

	if (!thread || WaitForSingleObject(thread, INFINITE) != WAIT_OBJECT_0 ||
	    !CloseHandle(thread))
		die("no thread");
}

static void run_plain(void *(*start)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, start, argument) ||
	    pthread_join(thread, NULL))
		die("no thread");
}

static void row_touch(const struct way *way, size_t pages)
{
	if (is_ours(way))
		run_ours(touch_in_ours, (void *)pages);
	else
		run_plain(touch_in_plain, (void *)pages);
}

static DWORD WINAPI nothing(LPVOID argument)
{
	return 0;
}

static void *nothing_in_plain(void *argument)
{
	return NULL;
}

static void row_thread(const struct way *way, size_t nr)
{
	size_t i;

	lap_start("", nr);
	for (i = 0; i < nr; i++) {
		if (is_ours(way))
			run_ours(nothing, NULL);
		else
			run_plain(nothing_in_plain, NULL);
	}
	lap_stop();
}

const struct row stack_rows[] = {
	{ "stack-touch", row_touch, "winregion mmap", 64 },
	{ "thread", row_thread, "winregion mmap", THREADS },
	{ }
};
