// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Callbacks of the program, as it and its threads begin and end: those that its sources
 * have put into sections named .CRT$XL*, which winregion-callbacks.ld makes a table of.
 */
#include "threads.h"

/* Of a program that is linked with that script; else there are none. */
extern const PIMAGE_TLS_CALLBACK winregion_callbacks[]
	__attribute__((weak, visibility("default")));
extern const PIMAGE_TLS_CALLBACK winregion_callbacks_end[]
	__attribute__((weak, visibility("default")));

/* Compilers for Windows have a NULL at each end of the table. */
void wr_callbacks_call(DWORD reason)
{
	const PIMAGE_TLS_CALLBACK *at;

	for (at = winregion_callbacks; at < winregion_callbacks_end; at++)
		if (*at)
			(*at)(NULL, reason, NULL);
}
