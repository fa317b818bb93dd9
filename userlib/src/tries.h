/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The blocks that have been entered on one stack: a thread's, or a fiber's
 *
 * What they are for is in try.c. Fibers only keep them.
 */
#ifndef _WINREGION_TRIES_H
#define _WINREGION_TRIES_H

#include <stddef.h>

struct winregion_try;

struct wr_more_tries {
	struct wr_more_tries *before;
	size_t bytes;
	struct winregion_try *blocks[];
};

#define WR_FEW_TRIES 8
/* Exceptions in the filters of others, as far as they are told apart */
#define WR_MAX_ASKED 8

/* A filter at work: these blocks are not asked, nor those behind them up to @shown. */
struct wr_asked {
	size_t hidden;
	size_t shown;
	/* In the stack frame of who has called it */
	const void *frame;
};

/*
 * @blocks: the innermost one last, up to @nr; all behind that are NULL, as a signal
 *	handler may come between any two steps
 * @more: places beyond the first few; kept until the end, as somebody may use them
 */
struct wr_tries {
	struct winregion_try **blocks;
	size_t nr;
	size_t room;
	struct wr_more_tries *more;
	size_t nr_asked;
	struct wr_asked asked[WR_MAX_ASKED];
	struct winregion_try *few[WR_FEW_TRIES];
};

#define WR_TRIES_TLS \
	__attribute__((tls_model("initial-exec"), visibility("hidden")))

/* The thread's own; and those of the fiber that it is, or NULL */
extern __thread struct wr_tries wr_thread_tries WR_TRIES_TLS;
extern __thread struct wr_tries *wr_fiber_tries WR_TRIES_TLS;

/* The stack is no more. */
void wr_tries_end(struct wr_tries *tries);

#endif /* _WINREGION_TRIES_H */
