// SPDX-License-Identifier: GPL-2.0
/*
 * A program with a history: it has more memory, step by step, then less, and says so
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <winregion/windows.h>

#define STEP 0x400000
#define STEPS 4

/* Longer than from one look to the next, also where all is slow */
#define LONG 4

static void pause_for(const char *ms, unsigned int times)
{
	usleep(atoi(ms) * 1000 * times);
}

/* What it is to be told: milliseconds a step, and the status to end with */
int main(int argc, char **argv)
{
	char *base[STEPS];
	int i;

	if (argc != 3)
		return 1;
	pause_for(argv[1], 1);
	for (i = 0; i < STEPS; i++) {
		base[i] = VirtualAlloc(NULL, STEP, MEM_RESERVE | MEM_COMMIT,
				       PAGE_READWRITE);
		if (!base[i])
			return 1;
		memset(base[i], 1, STEP / 2);
		pause_for(argv[1], i + 1 < STEPS ? 1 : LONG);
	}
	for (i = 0; i < STEPS; i++)
		if (!VirtualFree(base[i], 0, MEM_RELEASE))
			return 1;
	pause_for(argv[1], LONG);
	puts("all steps done");
	return atoi(argv[2]);
}
