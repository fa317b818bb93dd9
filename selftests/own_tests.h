/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs that programs/program.mk builds for Linux and for Windows: their own tests
 * are run by both, and what they have called of the module is looked at.
 */
#ifndef _SELFTESTS_OWN_TESTS_H
#define _SELFTESTS_OWN_TESTS_H

#include "rounds.h"
#include "two_builds.h"
#include "wr_test_util.h"

/* "data/NAME" of a command: what is in that directory of the programs */
static inline void with_data(char *command, size_t size, const char *text)
{
	const char *data = strstr(text, "data/");

	if (data)
		snprintf(command, size, "%.*s%s/%s", (int)(data - text), text,
			 programs, data);
	else
		snprintf(command, size, "%s", text);
}

/* Run it in the build's directory, with what it prints in "said"; tell if it fails. */
static inline bool succeeds(struct place *place, enum build build,
			    const char *text)
{
	char command[2 * PATH_MAX];
	uint64_t begun = now_ms();
	int status;

	with_data(command, sizeof(command), text);
	status = run(build, command, place->directory[build], "said");
	place->ms[build] += now_ms() - begun;
	if (status)
		fprintf(stderr, "# %s %s: %d\n", names[build], text, status);
	return !status;
}

/* By both builds, which print the same, of at least so many lines */
static inline bool both_say_the_same(struct place *place, const char *command,
				     long lines)
{
	bool done = succeeds(place, NATIVE, command) &&
		    succeeds(place, WIN32, command);

	show_times(place, command);
	return done && same_text(place->directory[NATIVE], "said",
				 place->directory[WIN32], "said", lines);
}

/* How often the programs for Windows that have ended have called the module so */
static inline unsigned long calls_of(struct place *place, const char *name)
{
	FILE *file = open_text(place->directory[WIN32], "calls");
	unsigned long n, sum = 0;
	char line[64];

	while (file && fscanf(file, "%63s %lu", line, &n) == 2)
		if (!strcmp(line, name))
			sum += n;
	if (file)
		fclose(file);
	return sum;
}

#endif /* _SELFTESTS_OWN_TESTS_H */
