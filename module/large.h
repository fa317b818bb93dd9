/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_LARGE_H
#define _WR_LARGE_H

#include "space.h"
#include "states.h"

/* Whether large pages may be in a state: they can be read, and nothing more is said. */
static inline bool wr_large_allows(u8 state)
{
	return wr_state_allows(state, WR_READ) && !wr_state_copies(state) &&
	       !(wr_states[state].protection & WINREGION_WRITECOMBINE);
}

int wr_large_fill(struct wr_space *space, pgoff_t first, unsigned long pages,
		  u64 serial);

#endif /* _WR_LARGE_H */
