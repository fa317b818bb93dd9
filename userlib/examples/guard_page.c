// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A page that raises an alarm at its first use
 *
 * The first access to a guard page is a SIGSEGV, which also takes the guard off:
 * when the handler returns, the access is done again and succeeds.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <winregion/windows.h>
#include <winregion/winregion.h>

static volatile sig_atomic_t alarms;
static char *volatile page;

static void on_alarm(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;

	if (info->si_addr != page)
		_exit(2);
	alarms++;
}

int main(void)
{
	struct sigaction action = {
		.sa_sigaction = on_alarm,
		.sa_flags = SA_SIGINFO,
	};
	const char *why = winregion_unavailable();
	DWORD protection = 0;

	if (why) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}

	sigaction(SIGSEGV, &action, NULL);
	page = VirtualAlloc(NULL, 1, MEM_RESERVE | MEM_COMMIT,
			    PAGE_READWRITE | PAGE_GUARD);
	if (!page) {
		fprintf(stderr, "VirtualAlloc: error %u\n", GetLastError());
		return 1;
	}

	*(volatile char *)page = 1;
	*(volatile char *)page = 2;

	VirtualProtect(page, 1, PAGE_READWRITE | PAGE_GUARD, &protection);
	printf("%d alarm for two writes; protection after it 0x%x\n",
	       (int)alarms, protection);
	VirtualFree(page, 0, MEM_RELEASE);

	return alarms != 1 || protection != PAGE_READWRITE;
}
