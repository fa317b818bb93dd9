/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of winregion-trace have in common that tell who allocated
 */
#ifndef _WINREGION_STACKS_H
#define _WINREGION_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <linux/perf_event.h>

/* Frames of a stack that are told */
#define STACK_FRAMES 64

/* Registers of DWARF: general ones, and where to return to */
#define DWARF_REGISTERS 17
#define STACK_POINTER 7
#define INSTRUCTION_POINTER 16

/* ---- ranges.c ---- */

/**
 * struct range - memory that one stack has allocated
 * @first: its first byte
 * @end: behind its last one
 * @group: the stack
 */
struct range {
	uint64_t first;
	uint64_t end;
	unsigned int group;
};

/**
 * struct ranges - some, none of which overlap
 * @tree: they, by address
 * @nr: how many
 */
struct ranges {
	void *tree;
	size_t nr;
};

uint64_t ranges_add(struct ranges *ranges, const struct range *range);
/* What goes, and whose it was */
typedef void (*ranges_gone)(const struct range *range);

void ranges_remove(struct ranges *ranges, uint64_t first, uint64_t end,
		   ranges_gone gone);
typedef void (*ranges_seen)(const struct range *range, void *arg);
void ranges_walk(const struct ranges *ranges, ranges_seen seen, void *arg);
void ranges_clear(struct ranges *ranges);

/* ---- what a process is ---- */

/**
 * struct user_state - where a thread was when an event happened
 * @registers: in DWARF's order
 * @stack: what was on its stack
 * @size: how much of it there is
 */
struct user_state {
	uint64_t registers[DWARF_REGISTERS];
	const unsigned char *stack;
	uint64_t size;
};

/**
 * struct code - of a file, where a process has mapped it
 * @address: its first byte
 * @length: of it
 * @offset: of its first byte in the file
 * @device: the file's
 * @inode: the same
 * @path: the same
 * @bias: what is added to addresses that the file has, when libdw is told of it
 */
struct code {
	uint64_t address;
	uint64_t length;
	uint64_t offset;
	dev_t device;
	uint64_t inode;
	const char *path;
	uint64_t bias;
};

/* ---- binary.c ---- */

int binary_open(pid_t pid, const struct code *code);

/* ---- unwind.c ---- */

struct unwinder;

struct unwinder *unwinder_new(pid_t pid);
struct unwinder *unwinder_copy(const struct unwinder *from, pid_t pid);
void unwinder_map(struct unwinder *unwinder, const struct code *code);
size_t unwinder_walk(struct unwinder *unwinder, const struct user_state *state,
		     uint64_t *frames);
void unwinder_print(struct unwinder *unwinder, FILE *to, uint64_t frame);
void unwinder_free(struct unwinder *unwinder);

/* ---- sampling.c ---- */

/**
 * struct sampled - an event, with the stack that it happened on
 * @event: index in the names of events, see sampling_open()
 * @pid: of which process
 * @owner: whose memory it is about
 * @address: its first byte
 * @length: of it
 * @flags: of a reservation
 * @kept: a release leaves a placeholder
 * @user: where the thread was
 */
struct sampled {
	unsigned int event;
	pid_t pid;
	pid_t owner;
	uint64_t address;
	uint64_t length;
	uint32_t flags;
	bool kept;
	struct user_state user;
};

int sampling_open(const char *tracefs, const char *const *events, size_t nr);
int sampling_follow(pid_t tid);
void sampling_read(bool all);
unsigned long sampling_lost(void);
void sampling_close(void);

/* ---- stacks.c, as sampling.c finds out, in the order in which it happened ---- */

void stacks_event(const struct sampled *sampled);
void stacks_map(pid_t pid, const struct code *code);
void stacks_fork(pid_t parent, pid_t child);
void stacks_exec(pid_t pid);
/* Its first thread has ended. */
void stacks_exit(pid_t pid);

#endif /* _WINREGION_STACKS_H */
