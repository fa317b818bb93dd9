// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Count the programs that use a library of Windows
 *
 * The counter is in the library, in a section that all processes share, as
 * #pragma data_seg and /SECTION:Shared,RWS make one. Here is such a library:
 *
 *	__declspec(dllexport) long volatile instances
 *		__attribute__((section(".shared"), shared)) = 0;
 *
 *	x86_64-w64-mingw32-gcc -shared -nostdlib -o counter.dll counter.c
 *
 * It is mapped as Windows would, but nothing of it runs. All programs of one user find
 * the same counter, for as long as one of them has the library.
 *
 *	instances_dll LIBRARY [SECONDS]
 */
#include <stdio.h>
#include <stdlib.h>

#include <winregion/windows.h>
#include <winregion/winregion.h>

int main(int argc, char **argv)
{
	const char *why = winregion_unavailable();
	LONG volatile *instances;
	HMODULE library;

	if (argc < 2) {
		fprintf(stderr, "usage: %s LIBRARY [SECONDS]\n", argv[0]);
		return 2;
	}
	if (why) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	library = LoadLibraryExA(argv[1], NULL, DONT_RESOLVE_DLL_REFERENCES);
	if (!library) {
		fprintf(stderr, "%s: error %u\n", argv[1], GetLastError());
		return 1;
	}
	instances = (LONG volatile *)(ULONG_PTR)GetProcAddress(library,
							       "instances");
	if (!instances) {
		fprintf(stderr, "%s has no counter\n", argv[1]);
		return 1;
	}
	printf("instance %d that uses %s\n",
	       (int)InterlockedIncrement(instances), argv[1]);
	fflush(stdout);
	Sleep(argc > 2 ? atoi(argv[2]) * 1000 : 0);
	InterlockedDecrement(instances);
	FreeLibrary(library);

	return 0;
}
