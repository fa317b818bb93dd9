// SPDX-License-Identifier: GPL-2.0
/*
 * What only a kernel thread can do, and is done for one task: a thread for each, not a
 * queue of work, as what others hold up there would wait for it; and it can be killed.
 *
 * It runs where the task may, and as nicely. A task that is killed can leave the errand
 * to its thread, which may be where no kill is looked for: even the core waits for
 * mmap_lock, here and there, and a file system for its server, as long as that likes. Such
 * a thread is in nobody's limits, so there may be a few only; with more, who is killed
 * waits.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "errand.h"

/* How many threads may be left to themselves */
#define MOST_LEFT 64

static atomic_t nr_left;

/* The thread is nobody else's, so all of it may be changed. */
static void be_like(struct task_struct *caller)
{
	set_user_nice(current, task_nice(caller));
	set_cpus_allowed_ptr(current, caller->cpus_ptr);
	put_task_struct(caller);
}

static bool becomes(struct wr_errand *errand, enum wr_errand_state state)
{
	return cmpxchg(&errand->state, WR_ERRAND_RUNS, state) == WR_ERRAND_RUNS;
}

static int run(void *data)
{
	struct wr_errand *errand = data;

	allow_kernel_signal(SIGKILL);
	be_like(errand->caller);
	/* A signal that came before it was allowed is lost. */
	errand->ret = READ_ONCE(errand->killed) ? -EINTR : errand->act(errand);
	if (becomes(errand, WR_ERRAND_DONE)) {
		complete(&errand->done);
	} else {
		wr_errand_free(errand);
		atomic_dec(&nr_left);
	}
	module_put_and_kthread_exit(0);
}

/**
 * wr_errand_begin - have a kernel thread do something
 * @errand: what; @act and @free are set. It is the caller's to free, also if this fails
 *
 * Return: 0, or -ENOMEM or -EINTR: there is no thread.
 */
int wr_errand_begin(struct wr_errand *errand)
{
	struct task_struct *thread;

	init_completion(&errand->done);
	errand->killed = false;
	errand->state = WR_ERRAND_RUNS;
	errand->thread = NULL;
	errand->caller = current;
	thread = kthread_create(run, errand, "winregion");
	if (IS_ERR(thread))
		return PTR_ERR(thread) == -EINTR ? -EINTR : -ENOMEM;
	__module_get(THIS_MODULE);
	get_task_struct(current);
	errand->thread = get_task_struct(thread);
	wake_up_process(thread);
	return 0;
}

/* Ends what can be ended of it. */
void wr_errand_kill(struct wr_errand *errand)
{
	WRITE_ONCE(errand->killed, true);
	send_sig(SIGKILL, errand->thread, 1);
}

/**
 * wr_errand_finish - wait for what wr_errand_begin() has begun
 * @errand: it can be killed, where it waits for mmap_lock
 *
 * Return: what it has returned.
 */
int wr_errand_finish(struct wr_errand *errand)
{
	if (wait_for_completion_killable(&errand->done)) {
		wr_errand_kill(errand);
		wait_for_completion(&errand->done);
	}
	return errand->ret;
}

/**
 * wr_errand_leave - wait no longer for what has been begun
 * @errand: all that it needs is its own; @free must be fit for the thread
 *
 * Return: whether it is the thread's to free; else it is done.
 */
bool wr_errand_leave(struct wr_errand *errand)
{
	wr_errand_kill(errand);
	if (atomic_inc_return(&nr_left) <= MOST_LEFT &&
	    becomes(errand, WR_ERRAND_LEFT))
		return true;
	atomic_dec(&nr_left);
	wait_for_completion(&errand->done);
	return false;
}

/**
 * wr_errand_must_end - from now on what is done cannot be given up
 *
 * Of a thread that may have been killed already, and only of such a one: a task of the
 * user's can be killed nevertheless.
 */
void wr_errand_must_end(void)
{
	if (current->flags & PF_KTHREAD)
		disallow_signal(SIGKILL);
}

/* Nobody else has it any more. */
void wr_errand_free(struct wr_errand *errand)
{
	if (errand->thread)
		put_task_struct(errand->thread);
	errand->free(errand);
}
