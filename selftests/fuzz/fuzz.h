/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fuzzers: what their parts know of each other.
 *
 *	model.c		what winregion must do; model_contents.c: of contents;
 *			model_kinds.c: of placeholders and stacks
 *	generate.c	makes up an operation
 *	execute.c	does it, and compares with the model
 *	contents.c	the same of what is said of contents: reset, offers, locks
 *	kinds.c		the same of views in place of placeholders, and of stacks
 *	emit.c		prints it as C
 *	episode.c	many operations from a clean start, with threads and forks
 *	shrink.c	finds the few that make the difference
 *	raw.c		the other fuzzer: bytes that no program would send
 *	press.c		has memory be short, so that pages leave for swap
 *	share.h		sections that several processes share, and its parts
 *	main.c		the program
 *
 * An operation is data: addresses in it are relative to spans of the model, so
 * that a sequence of them means the same each time, and with any of them left
 * out. An operation about a span that is not there is skipped.
 */
#ifndef _FUZZ_FUZZ_H
#define _FUZZ_FUZZ_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "model.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

#define FUZZ_POISON 0xccccccccU
#define FUZZ_THREADS 8
#define FUZZ_CHILDREN 2
#define FUZZ_DEPTH 2
#define FUZZ_RUNS 64
#define FUZZ_TOLD 1100
#define SHARE_PROCESSES 6

enum op_kind {
	OP_NONE,
	OP_RESERVE,	/* range[1]: lowest, and alignment; range[2]: highest */
	OP_RELEASE,
	OP_COMMIT,
	OP_DECOMMIT,
	OP_PROTECT,
	OP_QUERY,
	OP_QUERY_RUNS,	/* range[1]: last; value: how many */
	OP_INFO,
	OP_WATCH,	/* value: room for so many pages */
	OP_RESET,	/* value: WINREGION_OP_* */
	OP_LOCK,	/* value: WINREGION_LOCK_* */
	OP_MAP_VIEW,	/* in place of a placeholder */
	OP_UNMAP_VIEW,
	OP_SET_STACK,	/* range[0].length: the guarantee */
	OP_READ,	/* flags: word, or OP_WHOLE_PAGE */
	OP_WRITE,	/* flags: word */
	OP_EXEC,
	OP_READ_CALL,	/* read(2) into it */
	OP_WRITE_CALL,	/* write(2) from it */
	OP_MADVISE,
	OP_MMAP,
	OP_MUNMAP,
	OP_UNMAP,	/* of ours; flags: see below */
	OP_VERIFY,
	OP_FORK,	/* the child does all up to its OP_END; value: how far */
	OP_END,
	OP_KINDS
};

/* Addresses that are relative to nothing */
#define OP_ABSOLUTE 255

/* Flags of OP_READ */
#define OP_WHOLE_PAGE 0x100

/*
 * Flags of OP_FORK. Without them parent and child run beside each other. With
 * OP_WAIT the child ends before the parent goes on; with OP_HOLD it does its
 * part, then waits until the parent has done some of its own, and looks at
 * its memory once more.
 */
#define OP_WAIT 1
#define OP_HOLD 2

/* Flags of OP_MMAP: a query says before that it is free; or without asking */
#define OP_ASKED 1
#define OP_OVER 2

/* Flags of OP_UNMAP: one page only, which is refused; the next mapping as well */
#define OP_PART 1
#define OP_TWO 2

enum op_size { OP_EXACT, OP_LONGER, OP_DIRTY, OP_SHORT };

/* Deliberate mistakes in a call */
#define OP_RESERVED_FIELD 0x1
#define OP_BAD_POINTER 0x2
#define OP_BOTH 0x4	/* a range and a vector */
#define OP_TOO_MANY 0x8

struct op_range {
	uint64_t offset;
	uint64_t length;
	uint32_t protection;
	uint8_t space;
};

#define OP_RANGES 6

struct op {
	uint8_t kind;
	uint8_t size;
	uint8_t nr;
	uint8_t odd;
	uint32_t flags;
	uint32_t value;
	struct op_range range[OP_RANGES];
};

/* Shared by all processes of an episode */
struct fuzz_report {
	int found;
	int thread;
	unsigned int op;
	unsigned int depth;
	uint64_t done;
	char text[600];
};

/**
 * struct fuzz - what one thread, or a child of it, works with
 * @ops: the operations, of which the first @nr are there; shared memory
 * @at: the one that is going on
 * @generate: make up operations; else those in @ops are done
 * @dry: there is no kernel: all goes as the model says
 * @alone: no other thread has regions in this process
 * @emit: print each operation as C
 * @go: written to when a child that is held may end; 0: it is not held
 */
struct fuzz {
	struct model *model;
	struct op *ops;
	unsigned int nr;
	unsigned int at;
	struct fuzz_report *report;
	uint64_t random;
	FILE *emit;
	int fd;
	int pipe[2];
	int thread;
	unsigned int depth;
	pid_t child[FUZZ_CHILDREN];
	int go[FUZZ_CHILDREN];
	bool generate;
	bool dry;
	bool alone;
};

/* What to run */
struct fuzz_options {
	uint64_t ops;		/* in each episode */
	unsigned int threads;
	unsigned int sharers;	/* processes that share sections, or 0 */
	unsigned int bug;	/* of the model */
	bool dry;
	bool paging;		/* memory leaves for swap */
};

/* xorshift64; it stands still at 0 */
static inline uint32_t fuzz_random(struct fuzz *fuzz, uint32_t below)
{
	fuzz->random ^= fuzz->random << 13;
	fuzz->random ^= fuzz->random >> 7;
	fuzz->random ^= fuzz->random << 17;
	return (uint32_t)(fuzz->random >> 32) % below;
}

/* generate.c */
void fuzz_generate(struct fuzz *fuzz, struct op *op);

/* execute.c; false: there is a difference, and the report says which */
void fuzz_catch_faults(void);
bool fuzz_execute(struct fuzz *fuzz, const struct op *op);
bool fuzz_verify(struct fuzz *fuzz);
void fuzz_emit_contents(struct fuzz *fuzz);
__attribute__((format(printf, 2, 3)))
bool fuzz_differs(struct fuzz *fuzz, const char *format, ...);
int fuzz_access(uint64_t address, enum model_access access, uint32_t *value);
bool fuzz_resolve(struct fuzz *fuzz, const struct op_range *range,
		  uint64_t *address);
uint32_t fuzz_size_of(const struct op *op, size_t size);
bool fuzz_fill_ranges(struct fuzz *fuzz, const struct op *op,
		      struct winregion_range *ranges);
struct winregion_range *fuzz_place_ranges(const struct op *op,
					  struct winregion_change *arg,
					  struct winregion_range *ranges,
					  struct winregion_range *known);
int fuzz_call(struct fuzz *fuzz, const struct op *op, unsigned int cmd,
	      void *arg, size_t size);
bool fuzz_judge(struct fuzz *fuzz, const struct op *op, int ret,
		uint32_t errors);
bool fuzz_same_bytes(struct fuzz *fuzz, const struct op *op, const void *is,
		     const void *must, size_t size);
bool fuzz_call_like(struct fuzz *fuzz, const struct op *op, unsigned int cmd,
		    void *arg, const void *must, size_t size, uint32_t errors);

/* Tells other threads which places are this one's. */
void fuzz_claim_all(struct fuzz *fuzz);

/* kinds.c */
bool kinds_map_view(struct fuzz *fuzz, const struct op *op);
bool kinds_unmap_view(struct fuzz *fuzz, const struct op *op);
bool kinds_set_stack(struct fuzz *fuzz, const struct op *op);

/* contents.c */
bool contents_reset(struct fuzz *fuzz, const struct op *op);
bool contents_lock(struct fuzz *fuzz, const struct op *op);
bool contents_fit(struct model_page *page, unsigned int word, uint32_t value);
bool contents_settle(struct fuzz *fuzz, const struct op_range *range,
		     struct model_page *page, uint64_t address,
		     unsigned int written);

/* emit.c; all do nothing without fuzz->emit */
extern const char *const fuzz_names[OP_KINDS];
void emit_begin(FILE *file, uint64_t arena, const char *comment);
void emit_end(FILE *file);
__attribute__((format(printf, 2, 3)))
void emit_line(struct fuzz *fuzz, const char *format, ...);
const char *emit_address(const struct op_range *range);
void emit_call(struct fuzz *fuzz, const struct op *op, uint32_t errors);
void emit_run(struct fuzz *fuzz, const char *run,
	      const struct model_answer *answer, bool resident);
void emit_errors(char *text, size_t size, uint32_t errors);

/* episode.c */
struct fuzz_episode {
	struct fuzz_options options;
	uint64_t seed;
	uint64_t arena;
	struct fuzz_report *report;
	struct op *ops[FUZZ_THREADS];
};

bool episode_init(struct fuzz_episode *episode,
		  const struct fuzz_options *options);
void episode_free(struct fuzz_episode *episode);
/* 0: no difference; 1: one; -1: it could not run */
int episode_run(struct fuzz_episode *episode, uint64_t seed);
int episode_replay(struct fuzz_episode *episode, struct op *ops,
		   unsigned int nr, FILE *emit);
int episode_print(const struct fuzz_options *options, uint64_t seed,
		  FILE *file);

/* shrink.c */
unsigned int shrink(struct fuzz_episode *episode, struct op *ops,
		    unsigned int nr);
/* Shrinks what was found, prints it. Return: how many operations are left */
unsigned int shrink_and_print(struct fuzz_episode *episode, FILE *file);

/* press.c; false: there is no swap, or somebody was killed for memory */
bool press_begin(void);
bool press_end(void);

/* raw.c; the number of things that were wrong */
unsigned int raw_run(uint64_t calls, uint64_t seed);

#endif /* _FUZZ_FUZZ_H */
