// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * sigaction() and signal() in front of libc's
 *
 * Signals of faults come to the library once a program wants exceptions. What the
 * program itself has done about them, or does later by these calls, is kept here and
 * told when it asks, so it sees no difference; signal.c calls its handlers.
 *
 * Handlers read it at any time: there are several places for it, of which one counts,
 * and a writer takes the next one. Writers have a lock and no signals.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "exception.h"

/* What libc's is called, too */
extern int __sigaction(int sig, const struct sigaction *action,
		       struct sigaction *old);

/* So many changes can come while one is read */
#define PLACES 8

static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };

/* @now: the place that counts is its remainder; changes under the lock */
static struct claim {
	atomic_bool claimed;
	atomic_uint now;
	struct sigaction places[PLACES];
} claims[ARRAY_SIZE(signals)];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct claim *claim_of(int sig)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		if (signals[i] == sig)
			return &claims[i];

	return NULL;
}

/* ---- the lock ---- */

static void begin_change(sigset_t *saved)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, saved);
	pthread_mutex_lock(&lock);
}

static void end_change(const sigset_t *saved)
{
	pthread_mutex_unlock(&lock);
	pthread_sigmask(SIG_SETMASK, saved, NULL);
}

/* Of who forks, and has the lock until that is done */
static sigset_t saved_by_fork;

static void before_fork(void)
{
	sigset_t saved;

	begin_change(&saved);
	saved_by_fork = saved;
}

static void after_fork(void)
{
	sigset_t saved = saved_by_fork;

	end_change(&saved);
}

__attribute__((constructor)) static void prepare(void)
{
	pthread_atfork(before_fork, after_fork, after_fork);
}

/* ---- the places ---- */

static void read_place(struct claim *claim, struct sigaction *action)
{
	unsigned int now;

	do {
		now = atomic_load(&claim->now);
		*action = claim->places[now % PLACES];
		atomic_thread_fence(memory_order_acquire);
	} while (atomic_load(&claim->now) - now >= PLACES - 1);
}

static void write_place(struct claim *claim, const struct sigaction *action)
{
	unsigned int next = atomic_load(&claim->now) + 1;

	claim->places[next % PLACES] = *action;
	atomic_store(&claim->now, next);
}

void wr_signal_action(int sig, struct sigaction *action, bool take)
{
	struct sigaction none = { .sa_handler = SIG_DFL };
	struct claim *claim = claim_of(sig);
	sigset_t saved;

	read_place(claim, action);
	if (!take || !(action->sa_flags & SA_RESETHAND))
		return;

	begin_change(&saved);
	/* Another thread may have taken it meanwhile, or have set another one. */
	read_place(claim, action);
	if (action->sa_flags & SA_RESETHAND)
		write_place(claim, &none);
	end_change(&saved);
}

/* ---- the kernel's ---- */

static void (*claimed_by)(int, siginfo_t *, void *);

/*
 * No other signal comes before the handler has learnt why it was called, from what the
 * next fault replaces. Faults do: a blocked one kills.
 */
static int give_kernel(int sig, int restart, struct sigaction *old)
{
	struct sigaction action = {
		.sa_sigaction = claimed_by,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | restart,
	};
	size_t i;

	sigfillset(&action.sa_mask);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigdelset(&action.sa_mask, signals[i]);

	return __sigaction(sig, &action, old);
}

void wr_signal_claim(int sig, void (*handler)(int, siginfo_t *, void *))
{
	struct claim *claim = claim_of(sig);
	struct sigaction old;
	sigset_t saved;

	begin_change(&saved);
	claimed_by = handler;
	if (!claim->claimed && !__sigaction(sig, NULL, &old)) {
		write_place(claim, &old);
		give_kernel(sig, old.sa_flags & SA_RESTART, NULL);
		claim->claimed = true;
	}
	end_change(&saved);
}

void wr_signal_unclaim(int sig)
{
	struct sigaction none = { .sa_handler = SIG_DFL };

	__sigaction(sig, &none, NULL);
}

/* ---- the program's ---- */

static int change(struct claim *claim, int sig, const struct sigaction *action,
		  struct sigaction *old)
{
	if (!claim->claimed)
		return __sigaction(sig, action, old);

	read_place(claim, old);
	if (!action)
		return 0;
	write_place(claim, action);

	return give_kernel(sig, action->sa_flags & SA_RESTART, NULL);
}

/* The structures may be anywhere, so they are not touched under the lock. */
static int change_copies(struct claim *claim, int sig,
			 const struct sigaction *action, struct sigaction *old)
{
	struct sigaction before, after;
	sigset_t saved;
	int ret;

	if (action) {
		after = *action;
		sigdelset(&after.sa_mask, SIGKILL);
		sigdelset(&after.sa_mask, SIGSTOP);
	}
	begin_change(&saved);
	ret = change(claim, sig, action ? &after : NULL, &before);
	end_change(&saved);
	if (!ret && old)
		*old = before;

	return ret;
}

/* libc's headers do not say that programs are to find them here. */
#pragma GCC visibility push(default)

int sigaction(int sig, const struct sigaction *action, struct sigaction *old);
sighandler_t signal(int sig, sighandler_t handler);
sighandler_t __sysv_signal(int sig, sighandler_t handler);

#pragma GCC visibility pop

int sigaction(int sig, const struct sigaction *action, struct sigaction *old)
{
	struct claim *claim = claim_of(sig);

	return claim ? change_copies(claim, sig, action, old) :
		       __sigaction(sig, action, old);
}

static sighandler_t set_handler(int sig, sighandler_t handler, int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	struct sigaction old;

	if (handler == SIG_ERR) {
		errno = EINVAL;
		return SIG_ERR;
	}
	sigemptyset(&action.sa_mask);
	if (!(flags & SA_RESETHAND) && sig > 0 && sig < NSIG)
		sigaddset(&action.sa_mask, sig);

	return sigaction(sig, &action, &old) ? SIG_ERR : old.sa_handler;
}

sighandler_t signal(int sig, sighandler_t handler)
{
	return set_handler(sig, handler, SA_RESTART);
}

/* What <signal.h> makes of signal() where a program asks for X/Open's only */
sighandler_t __sysv_signal(int sig, sighandler_t handler)
{
	return set_handler(sig, handler, SA_RESETHAND | SA_NODEFER);
}
