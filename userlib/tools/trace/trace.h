/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of winregion-trace have in common
 */
#ifndef _WINREGION_TRACE_H
#define _WINREGION_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <linux/winregion.h>

#include "allocated.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Words of the largest structure that a call has */
#define TRACE_WORDS 13

/**
 * union trace_args - the structure of a call
 * @words: as the event has it: what is behind its end is 0
 *
 * The others are called as in <linux/winregion.h>.
 */
union trace_args {
	uint64_t words[TRACE_WORDS];
	struct winregion_reserve reserve;
	struct winregion_release release;
	struct winregion_change change;
	struct winregion_reset reset;
	struct winregion_query query;
	struct winregion_query_runs query_runs;
	struct winregion_last_fault last_fault;
	struct winregion_write_watch write_watch;
	struct winregion_lock lock;
	struct winregion_set_stack set_stack;
	struct winregion_frames frames;
	struct winregion_map_frames map_frames;
	struct winregion_open_process open_process;
	struct winregion_create_section create_section;
	struct winregion_open_section open_section;
	struct winregion_map_view map_view;
	struct winregion_unmap_view unmap_view;
	struct winregion_flush_view flush_view;
	struct winregion_extend_section extend_section;
	struct winregion_duplicate_section duplicate_section;
	struct winregion_query_file query_file;
};

/**
 * struct trace_call - a call, as its event tells it
 * @nr: WINREGION_CMD_*
 * @result: 0 or a negative errno
 * @took: nanoseconds
 * @before: its structure
 * @after: the same with the answers
 */
struct trace_call {
	unsigned int nr;
	long result;
	uint64_t took;
	union trace_args before;
	union trace_args after;
};

/* calls.c */
const char *trace_call_name(unsigned int nr);
void trace_print_call(FILE *to, const struct trace_call *call);

/* words.c */
void trace_print_protection(FILE *to, uint32_t protection);

/**
 * struct trace_name - what a bit is called
 * @bit: the bit
 * @name: its name
 */
struct trace_name {
	uint32_t bit;
	const char *name;
};

void trace_print_bits(FILE *to, const struct trace_name *names, size_t nr,
		      uint32_t bits);

/* tracefs.c: 0, or a status to exit with when it has said what is wrong */
int trace_open(bool faults, bool all);
int trace_follow(pid_t pid);
int trace_start(void);
void trace_stop(void);
ssize_t trace_read(char *buffer, size_t size);
void trace_close(void);

/* allocated.c: those who allocate, from stacks_open() on, to an end */
void trace_print_allocated(FILE *to);

/* lines.c */

/**
 * struct trace_options - what is told of events
 * @to: where
 * @times: when, too
 * @summary: only sums
 */
struct trace_options {
	FILE *to;
	bool times;
	bool summary;
};

char *trace_line_end(char *text, size_t length);
void trace_line(const struct trace_options *options, char *line);
void trace_no_line(void);
void trace_finish(const struct trace_options *options);

/* summary.c */
void trace_count_call(const struct trace_call *call);
void trace_count_event(const char *name);
void trace_print_summary(FILE *to);

#endif /* _WINREGION_TRACE_H */
