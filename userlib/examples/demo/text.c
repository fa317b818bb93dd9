// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Numbers for people
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "demo.h"

/* Digits in groups of three; no locale is needed for it. */
struct text text_number(uint64_t number)
{
	struct text text;
	char *at = text.s + sizeof(text.s);
	struct text left;
	int digits = 0;

	*--at = '\0';
	do {
		if (digits && digits % 3 == 0)
			*--at = ',';
		*--at = '0' + number % 10;
		number /= 10;
		digits++;
	} while (number);

	snprintf(left.s, sizeof(left.s), "%s", at);

	return left;
}

/* Three digits, or whole bytes in KiB as long as that is short */
struct text text_bytes(uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double amount = bytes / 1024.0;
	struct text text;
	size_t unit = 0;

	while (amount >= 1000 && unit < 3) {
		amount /= 1024;
		unit++;
	}
	snprintf(text.s, sizeof(text.s), "%.*f %s",
		 unit && amount < 99.95 ? 1 : 0, amount, units[unit]);

	return text;
}

struct text text_seconds(double seconds)
{
	struct text text;

	if (seconds < 0.1)
		snprintf(text.s, sizeof(text.s), "%.1f ms", seconds * 1000);
	else
		snprintf(text.s, sizeof(text.s), "%.1f s", seconds);

	return text;
}

double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);

	return time.tv_sec + time.tv_nsec / 1e9;
}

/* Says what is not as it must be. Return: 1, to be added up */
int wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("   WRONG: ");
	vprintf(format, args);
	printf("\n");
	va_end(args);

	return 1;
}

/* For what leaves nothing to show */
void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fflush(stdout);
	fprintf(stderr, "demo: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(1);
}
