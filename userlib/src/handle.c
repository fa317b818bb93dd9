// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Handles: so far those of processes, of which only the own one is known
 */
#include "internal.h"

HANDLE WINAPI GetCurrentProcess(VOID)
{
	return NtCurrentProcess();
}
