// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What ends a tool from outside
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>

#include "ends.h"

static volatile sig_atomic_t last, count;

static void note(int sig)
{
	last = sig;
	count++;
}

void ends_catch(const int *signals, unsigned int nr)
{
	struct sigaction action = { .sa_handler = note }, old;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!sigaction(signals[i], NULL, &old) &&
		    (old.sa_handler != SIG_IGN || signals[i] == SIGINT ||
		     signals[i] == SIGTERM))
			sigaction(signals[i], &action, NULL);
}

void ends_leave(const int *signals, unsigned int nr)
{
	struct sigaction old;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler == note)
			signal(signals[i], SIG_DFL);
}

int ends_signal(void)
{
	return last;
}

unsigned int ends_count(void)
{
	return count;
}
