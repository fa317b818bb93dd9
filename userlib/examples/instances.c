// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Count the instances of a program that run
 *
 * The counter is one variable for all of them. The first instance finds it as it is
 * initialised here. One that is killed does not count itself out, as on Windows.
 *
 *	instances [SECONDS]
 */
#include <stdio.h>
#include <stdlib.h>

#include <winregion/shared.h>
#include <winregion/windows.h>

static LONG volatile instances WINREGION_SHARED;

int main(int argc, char **argv)
{
	LONG now = InterlockedIncrement(&instances);

	printf("instance %d of this program\n", (int)now);
	fflush(stdout);
	Sleep(argc > 1 ? atoi(argv[1]) * 1000 : 0);
	InterlockedDecrement(&instances);

	return 0;
}
