// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Blocks that handle exceptions: <winregion/excpt.h>
 *
 * A block is entered by keeping the registers that a function keeps, and leaves a note
 * in a list of its stack: that of the thread, or of the fiber that it is. For an
 * exception the filters of the list are asked, the innermost block first: the function
 * of the block is entered again behind its mark, with its registers, but on the stack
 * as it is, as if it was called. The filter's value is the return. If it wants its
 * handler, the block is entered the same way, with its own stack pointer; that is the
 * end of what was called from it.
 *
 * A program may leave blocks by a longjmp() of its own. They are found to be over by
 * their addresses, which are below the stack pointer. So nothing is written in them that
 * is needed later: the list has places of its own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "exception.h"
#include "switch.h"
#include "tries.h"

/* What phase a block is in, and what its mark returns */
enum {
	PHASE_BODY,
	PHASE_FILTER,
	PHASE_HANDLER,
};

/* ---- the blocks of a stack ---- */

static inline struct wr_tries *these(void)
{
	return wr_fiber_tries ? wr_fiber_tries : &wr_thread_tries;
}

/* What is written before is there before what is written later. */
static inline void barrier(void)
{
	__asm__ volatile("" : : : "memory");
}

static void drop_from(struct wr_tries *tries, size_t nr)
{
	const struct wr_asked *asked = tries->asked;
	size_t i = tries->nr;

	while (i > nr)
		tries->blocks[--i] = NULL;
	barrier();
	tries->nr = nr;
	while (tries->nr_asked && nr <= asked[tries->nr_asked - 1].hidden)
		tries->nr_asked--;
}

/*
 * Blocks that are above the new one are not over, on one stack. The kernel knows what
 * is another one, and is only asked where it matters.
 */
static void drop_left(struct wr_tries *tries, const struct winregion_try *block)
{
	stack_t other = { .ss_flags = SS_DISABLE };
	const struct winregion_try *last;
	bool asked = false;

	while (tries->nr && tries->blocks[tries->nr - 1] <= block) {
		if (!asked)
			sigaltstack(NULL, &other);
		asked = true;
		last = tries->blocks[tries->nr - 1];
		if (!wr_is_over(last, block, &other) && last != block)
			break;
		drop_from(tries, tries->nr - 1);
	}
}

static pthread_key_t end_key;
static pthread_once_t end_once = PTHREAD_ONCE_INIT;

static void end(void *tries)
{
	wr_tries_end(tries);
}

static void make_key(void)
{
	if (pthread_key_create(&end_key, end))
		abort();
}

/* A fiber's are given back with the fiber. */
static void end_with_thread(struct wr_tries *tries)
{
	if (tries != &wr_thread_tries)
		return;
	pthread_once(&end_once, make_key);
	if (pthread_setspecific(end_key, tries))
		abort();
}

/* There is no way to say that a block cannot be entered. */
static struct winregion_try **make_more(struct wr_tries *tries, size_t room)
{
	size_t bytes =
		sizeof(struct wr_more_tries) + room * sizeof(*tries->blocks);
	struct wr_more_tries *more = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (more == MAP_FAILED)
		abort();
	end_with_thread(tries);
	more->bytes = bytes;
	more->before = tries->more;
	tries->more = more;
	memcpy(more->blocks, tries->blocks, tries->nr * sizeof(*more->blocks));

	return more->blocks;
}

static void make_room(struct wr_tries *tries)
{
	if (!tries->room) {
		tries->blocks = tries->few;
		tries->room = WR_FEW_TRIES;
		return;
	}
	tries->blocks = make_more(tries, tries->room * 2);
	tries->room *= 2;
}

SIZE_T winregion_try_begin(VOID)
{
	wr_exceptions_begin();

	return 1;
}

struct winregion_try *winregion_try_enter(struct winregion_try *block)
{
	struct wr_tries *tries = these();

	WR_KEEP_ERRNO();

	block->phase = PHASE_BODY;
	block->code = 0;
	block->pointers = NULL;
	drop_left(tries, block);
	if (tries->nr == tries->room)
		make_room(tries);
	tries->nr++;
	barrier();
	tries->blocks[tries->nr - 1] = block;

	return block;
}

/* The handler of a block is none of it any more. */
VOID winregion_try_leave(PVOID block)
{
	struct wr_tries *tries = these();
	size_t i = tries->nr;

	while (i--)
		if (tries->blocks[i] == block) {
			drop_from(tries, i);
			break;
		}
}

VOID winregion_try_filter(struct winregion_try *block, LONG result)
{
	wr_try_answer(block->back, result);
}

/* ---- exceptions ---- */

/* What has had its place left to say counts as one with the last that has one. */
static void note_asked(struct wr_tries *tries, size_t i, const void *frame)
{
	struct wr_asked *asked = &tries->asked[tries->nr_asked];

	if (tries->nr_asked == WR_MAX_ASKED) {
		asked--;
		i = i < asked->hidden ? i : asked->hidden;
		frame = asked->frame;
	} else {
		tries->nr_asked++;
	}
	/* Blocks of the filter's own come behind those that are there now. */
	*asked = (struct wr_asked){ i, tries->nr, frame };
}

static LONG ask(struct wr_tries *tries, size_t i, EXCEPTION_POINTERS *pointers)
{
	struct winregion_try *block = tries->blocks[i];
	size_t nr_asked = tries->nr_asked;
	LONG result;

	note_asked(tries, i, &result);
	block->code = pointers->ExceptionRecord->ExceptionCode;
	block->pointers = pointers;
	block->phase = PHASE_FILTER;
	result = wr_try_ask(block, PHASE_FILTER, &block->back);
	block->phase = PHASE_BODY;
	tries->nr_asked = nr_asked;

	return result;
}

static void execute(struct wr_tries *tries, size_t i)
{
	struct winregion_try *block = tries->blocks[i];

	drop_from(tries, i);
	block->phase = PHASE_HANDLER;
	block->pointers = NULL;
	wr_try_jump(block, PHASE_HANDLER);
}

/* A filter, too, may have been left by a longjmp(). */
static void forget_asked(struct wr_tries *tries, const void *sp,
			 const stack_t *other)
{
	while (tries->nr_asked &&
	       wr_is_over(tries->asked[tries->nr_asked - 1].frame, sp, other))
		tries->nr_asked--;
}

static bool is_hidden(const struct wr_tries *tries, size_t i)
{
	size_t n;

	for (n = 0; n < tries->nr_asked; n++)
		if (i >= tries->asked[n].hidden && i < tries->asked[n].shown)
			return true;

	return false;
}

LONG wr_try_search(EXCEPTION_POINTERS *pointers, const stack_t *other)
{
	const void *sp = (void *)pointers->ContextRecord->WR_SP;
	struct wr_tries *tries = these();
	size_t i = tries->nr;
	LONG result;

	forget_asked(tries, sp, other);
	while (i--) {
		if (is_hidden(tries, i) || !tries->blocks[i])
			continue;
		if (wr_is_over(tries->blocks[i], sp, other)) {
			drop_from(tries, i);
			continue;
		}
		result = ask(tries, i, pointers);
		if (result > 0)
			execute(tries, i);
		if (result < 0)
			return EXCEPTION_CONTINUE_EXECUTION;
	}

	return EXCEPTION_CONTINUE_SEARCH;
}
