// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of what happens to a program as a whole: a fork, for both sides and
 * for what comes after it, code that is written and run, and its death with a
 * core dump
 */
#include <sched.h>
#include <sys/resource.h>

#include "bench.h"

static char *resident(const struct way *way, size_t length, size_t used)
{
	char *base = way->reserve(length, HUGE);

	way->commit(base, used);
	touch_all(base, used);
	return base;
}

static void see_off(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		die("the child failed");
}

/* ---- fork ---- */

/* Whoever forks goes on; the child waits for the processor. */
static void go_first(bool first)
{
	struct sched_param param = { .sched_priority = first };

	sched_setscheduler(0, first ? SCHED_FIFO | SCHED_RESET_ON_FORK :
				      SCHED_OTHER, &param);
}

static void read_all(const char *base, size_t length)
{
	size_t i;

	for (i = 0; i < length; i += PAGE)
		(void)*(const volatile char *)(base + i);
}

/* The child's laps are told by memory that both have: see measure.c. */
static void live_as_child(char *base, size_t length)
{
	lap_start("child", length / PAGE);
	read_all(base, length);
	lap_stop();
	lap_start("write", length / 4 / PAGE);
	touch_all(base, length / 4);
	lap_stop();
	_exit(0);
}

static void row_fork(const struct way *way, size_t length)
{
	char *base = resident(way, length, length);
	pid_t pid;

	go_first(true);
	lap_start("parent", 1);
	pid = fork();
	if (!pid)
		live_as_child(base, length);
	lap_stop();
	go_first(false);
	if (pid < 0)
		die("no process");
	see_off(pid);
	way->release(base, length);
}

static void fork_and_forget(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid < 0)
		die("no process");
	see_off(pid);
}

/* What is cheap in a new process, in one that has forked: half is in memory */
static void row_forked(const struct way *way, size_t length)
{
	size_t half = length / 2, i;
	char *base = resident(way, length, half);

	fork_and_forget();
	lap_start("write", half / PAGE);
	touch_all(base, half);
	lap_stop();
	lap_start("commit", half / UNIT / 2);
	for (i = half; i < length; i += 2 * UNIT)
		way->commit(base + i, UNIT);
	lap_stop();
	lap_start("protect", half / PAGE / 2);
	for (i = 0; i < half; i += 2 * PAGE)
		way->protect(base + i, PAGE, false);
	lap_stop();
	way->protect(base, half, true);
	fork_and_forget();
	lap_start("decommit", half / UNIT);
	for (i = 0; i < half; i += UNIT)
		way->decommit(base + i, UNIT);
	lap_stop();
	way->release(base, length);
}

/* ---- code ---- */

/* As a compiler of code that runs at once does it, a page at a time */
static void row_toggle(const struct way *way, size_t pages)
{
	char *base = resident(way, pages * PAGE, pages * PAGE), *at;

	lap_start("", pages);
	for (at = base; at < base + pages * PAGE; at += PAGE) {
		write_code(at);
		way->execute(at, PAGE, true);
		((void (*)(void))(uintptr_t)at)();
		way->execute(at, PAGE, false);
		write_code(at);
	}
	lap_stop();
	way->release(base, pages * PAGE);
}

/* ---- a core dump ---- */

#define CORE "/tmp/bench-core"
#define USED 16 /* ranges of UNIT bytes, a page of each in memory */

static void wait_for_death(const struct way *way, size_t length, int ready)
{
	const struct rlimit any = { RLIM_INFINITY, RLIM_INFINITY };
	char *base = way->reserve(length, HUGE);
	size_t i;

	setrlimit(RLIMIT_CORE, &any);
	for (i = 0; i < USED; i++) {
		way->commit(base + length / USED * i, UNIT);
		touch(base + length / USED * i);
	}
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void row_core(const struct way *way, size_t length)
{
	int fds[2], status;
	pid_t pid;
	char byte;

	if (!write_word("/proc/sys/kernel/core_pattern", CORE) ||
	    !write_word("/proc/sys/kernel/core_uses_pid", "0") || pipe(fds))
		die("no core dumps");
	pid = fork();
	if (!pid)
		wait_for_death(way, length, fds[1]);
	if (pid < 0 || read(fds[0], &byte, 1) != 1)
		die("no process");
	lap_start("", 1);
	kill(pid, SIGABRT);
	if (waitpid(pid, &status, 0) != pid)
		die("no death");
	lap_stop();
	if (!WIFSIGNALED(status) || !WCOREDUMP(status) || unlink(CORE))
		die("no core dump");
	close(fds[0]);
	close(fds[1]);
}

#define FORKED "write commit protect decommit"

const struct row event_rows[] = {
	{ "fork", row_fork, "winregion mmap", MIB(64), .series = true,
	  .laps_of = "parent child write" },
	{ "fork", row_fork, "winregion mmap", MIB(256), 1,
	  .laps_of = "parent child write" },
	{ "forked", row_forked, "winregion mmap", AREA, .laps_of = FORKED },
	{ "exec-toggle", row_toggle, "winregion mmap", 64 },
	{ "core-dump", row_core, "winregion mmap", MIB(256), 1 },
	{ }
};
