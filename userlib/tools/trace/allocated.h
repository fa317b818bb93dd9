/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who allocates: what winregion-trace and winregion-map have in common
 */
#ifndef _WINREGION_ALLOCATED_H
#define _WINREGION_ALLOCATED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What is said where there is no group */
#define ALLOCATED_NOTHING "nothing was reserved, committed or mapped\n"

enum allocated_kind {
	ALLOCATED_RESERVED,
	ALLOCATED_COMMITTED,
	ALLOCATED_MAPPED,
	ALLOCATED_KINDS
};

/**
 * struct allocated_group - a kind of memory, and a call stack
 * @kind: the kind
 * @stack: its frames as text, one a line, four blanks before each
 * @total: bytes, all together
 * @now: bytes that are not given back by now
 * @most: bytes at once
 * @left: bytes that were not given back, or are not by now
 * @calls: that allocated some of them
 */
struct allocated_group {
	enum allocated_kind kind;
	char *stack;
	uint64_t total;
	uint64_t now;
	uint64_t most;
	uint64_t left;
	uint64_t calls;
};

/**
 * struct allocated_block - memory that was not given back, or is not by now
 * @pid: the process that had it
 * @address: its first byte
 * @size: its bytes
 * @group: who has allocated it: an index of groups
 */
struct allocated_block {
	pid_t pid;
	uint64_t address;
	uint64_t size;
	unsigned int group;
};

/**
 * struct allocated - all of it, at the end or by now
 * @groups: by kind, those of whom most is left first
 * @nr_groups: so many
 * @blocks: by process and kind
 * @nr_blocks: so many
 * @lost: events that are missing, as there were too many at once
 */
struct allocated {
	const struct allocated_group *groups;
	size_t nr_groups;
	const struct allocated_block *blocks;
	size_t nr_blocks;
	unsigned long lost;
};

/* stacks.c; nostacks.c where there is no libdw */
int stacks_open(pid_t pid);
int stacks_attach(pid_t pid);
void stacks_read(void);
void stacks_tell(struct allocated *all);
void stacks_end(struct allocated *all);

/* place.c */
const char *allocated_kind_name(enum allocated_kind kind);
const char *trace_place(void);
size_t trace_room(size_t most);
int trace_check(void);

/* threads.c */
int trace_threads(pid_t pid, int (*follow)(pid_t tid));

#endif /* _WINREGION_ALLOCATED_H */
