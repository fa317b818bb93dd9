// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The demonstration: see demo.h. With the argument "spoil" one byte of a block
 * is changed behind the program's back, which it must notice.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "demo.h"

static void print_title(const char *title)
{
	printf("\n%s\n\n", title);
}

static void print_head(void)
{
	struct utsname system;

	uname(&system);
	printf("\nA Windows allocator on Linux %s\n", system.release);
	printf("\n   dlmalloc.c of Debian's %s, as it is, in its WIN32\n"
	       "   configuration: it takes memory by VirtualAlloc() and gives it back by\n"
	       "   VirtualFree(), here calls of libwinregion.\n",
	       SOURCE);
}

static int is_asked_for_help(int argc, char **argv)
{
	return argc == 2 &&
	       (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"));
}

static void print_usage(FILE *to, const char *name)
{
	fprintf(to,
		"usage: %s [spoil]\n"
		"A million calls, and what memory looks like then; \"spoil\" has it find a\n"
		"fault that it makes itself.\n",
		name);
}

int main(int argc, char **argv)
{
	int spoil = argc == 2 && !strcmp(argv[1], "spoil");
	const char *why;
	int bad;

	if (is_asked_for_help(argc, argv)) {
		print_usage(stdout, argv[0]);
		return 0;
	}
	if (argc > 1 && !spoil) {
		print_usage(stderr, argv[0]);
		return 2;
	}
	why = winregion_unavailable();
	if (why)
		die("%s", why);

	/* What runs in a virtual machine is looked at as it goes on. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	print_head();
	print_title("1. A million calls");
	bad = workload_run(spoil);
	print_title("2. The memory that it has now");
	bad += map_show();
	print_title("3. One region, every second page read-only");
	bad += pages_show();
	print_title("4. Everything is given back");
	bad += workload_end();

	if (bad)
		printf("\ndemo: FAILED; errors: %d\n", bad);
	else
		printf("\ndemo: ok: contents, map and protections are all as they must be\n");

	return bad != 0;
}
