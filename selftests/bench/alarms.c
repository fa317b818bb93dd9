// SPDX-License-Identifier: GPL-2.0
/*
 * The row of guard pages: an alarm, its handler, and the access that goes on
 *
 * By winregion the handler is the library's, with a vectored handler of the program, so
 * all of a CONTEXT is made and brought back. By the recipe a page without access is
 * made accessible by the handler of the signal. Pages come one after the other,
 * which suits that best: what was touched is one VMA.
 */
#include <signal.h>

#include <winregion/windows.h>

#include "bench.h"

#define ALARMS 1024

static LONG CALLBACK take_alarm(EXCEPTION_POINTERS *pointers)
{
	if (pointers->ExceptionRecord->ExceptionCode != EXCEPTION_GUARD_PAGE)
		return EXCEPTION_CONTINUE_SEARCH;
	return EXCEPTION_CONTINUE_EXECUTION;
}

static void take_signal(int sig, siginfo_t *info, void *context)
{
	uintptr_t page = (uintptr_t)info->si_addr & ~(PAGE - 1);

	if (mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE))
		_exit(1);
}

static void catch_alarms(bool regions)
{
	struct sigaction action = {
		.sa_sigaction = take_signal,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};
	static PVOID handle;

	if (!regions)
		sigaction(SIGSEGV, &action, NULL);
	else if (!handle)
		handle = AddVectoredExceptionHandler(1, take_alarm);
}

static void arm(bool regions, char *base, size_t length)
{
	int err;

	if (regions)
		err = wr_protect(device, base, length, RW | WINREGION_GUARD);
	else
		err = mprotect(base, length, PROT_NONE);
	if (err)
		die("no guards");
}

static void row_alarm(const struct way *way, size_t alarms)
{
	bool regions = !strcmp(way->name, "winregion");
	char *base = way->reserve(alarms * PAGE, HUGE);

	way->commit(base, alarms * PAGE);
	touch_all(base, alarms * PAGE);
	catch_alarms(regions);
	arm(regions, base, alarms * PAGE);
	lap_start("", alarms);
	touch_all(base, alarms * PAGE);
	lap_stop();
	way->release(base, alarms * PAGE);
}

const struct row alarm_rows[] = {
	{ "guard-alarm", row_alarm, "winregion mmap", ALARMS },
	{ }
};
