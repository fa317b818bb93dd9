// SPDX-License-Identifier: GPL-2.0
/*
 * For what leaves nothing to measure. The allocators have that of the demo.
 */
#include <stdarg.h>

#include "bench.h"

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "bench: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(1);
}
