// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What ends a tool from outside
 */
#define _GNU_SOURCE
#include <signal.h>

#include "ends.h"

void ends_catch(const int *signals, unsigned int nr, void (*handler)(int sig))
{
	struct sigaction action = { .sa_handler = handler }, old;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!sigaction(signals[i], NULL, &old) &&
		    (old.sa_handler != SIG_IGN || signals[i] == SIGINT ||
		     signals[i] == SIGTERM))
			sigaction(signals[i], &action, NULL);
}
