/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a program has asked its allocator for, one after the other, from all its threads
 */
#ifndef _SELFTESTS_BENCH_TRACE_H
#define _SELFTESTS_BENCH_TRACE_H

#include <stdint.h>

enum trace_what {
	TRACE_NEW = 1,
	TRACE_RESIZE,
	TRACE_FREE
};

/**
 * struct trace_event - one call
 * @what: of enum trace_what
 * @block: a number, which no two blocks have that live at a time
 * @size: in bytes, at least 1
 */
struct trace_event {
	uint32_t what;
	uint32_t block;
	uint32_t size;
};

#endif /* _SELFTESTS_BENCH_TRACE_H */
