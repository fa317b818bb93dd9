/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_RUNS_H
#define _WR_RUNS_H

#include <linux/mm.h>
#include <linux/types.h>

#include <linux/winregion.h>

/*
 * The state of one page, in a byte. 0 is a page that is not committed: reserved
 * when a region contains it, free otherwise.
 */
#define WR_COMMITTED 0x80
#define WR_LOST 0x40 /* no VMA of ours is there any more */
#define WR_GUARD 0x20 /* the next access takes this bit away and fails */
#define WR_COMBINE 0x10 /* WINREGION_WRITECOMBINE was asked for */
#define WR_READ 0x01
#define WR_WRITE 0x02
#define WR_EXEC 0x04
#define WR_EXEC_ONLY 0x08 /* EXECUTE, not EXECUTE_READ: same rights */
#define WR_RIGHTS (WR_READ | WR_WRITE | WR_EXEC)

/* What the page may be used for right now. */
static inline u8 wr_state_rights(u8 state)
{
	return state & WR_GUARD ? 0 : state & WR_RIGHTS;
}

/* Executable pages live in executable VMAs, armed as guard or not. */
static inline bool wr_state_is_exec(u8 state)
{
	return state & WR_EXEC;
}

/* Pages that may be read but not written need a window with write faults. */
static inline bool wr_state_needs_tracking(u8 state)
{
	return (state & WR_READ) && !(state & WR_WRITE);
}

#define WR_SLOT_SHIFT (PMD_SHIFT - PAGE_SHIFT)
#define WR_SLOT_PAGES (PMD_SIZE >> PAGE_SHIFT)

/* The first page of the slot that page @index is in, and how far that is. */
static inline pgoff_t wr_slot_first(pgoff_t index)
{
	return round_down(index, WR_SLOT_PAGES);
}

static inline unsigned int wr_slot_offset(pgoff_t index)
{
	return index & (WR_SLOT_PAGES - 1);
}

/* Pages in a unit of WINREGION_GRANULARITY bytes */
#define WR_UNIT_PAGES ((unsigned long)(WINREGION_GRANULARITY >> PAGE_SHIFT))

/* The bit in @units of struct wr_slot for the unit that @offset is in. */
static inline u32 wr_slot_unit(unsigned int offset)
{
	return 1U << (offset / WR_UNIT_PAGES);
}

/* Whether a unit begins at @index, and ends at @end or before it. */
static inline bool wr_is_unit(pgoff_t index, pgoff_t end)
{
	return !(index % WR_UNIT_PAGES) && end - index >= WR_UNIT_PAGES;
}

/**
 * struct wr_slot - the pages of one PMD-sized, PMD-aligned range
 * @states: one byte a page, or NULL while all pages are in @state
 * @pages: the pages in memory, or NULL while there is none
 * @nr_resident: pages in @pages
 * @nr_huge: those of them that are parts of a 2 MiB page
 * @units: a bit for each unit that is one large page, all of it in @pages
 * @state: see @states
 * @intact: @nr_huge is all of them, and the core may map them by one PMD: see huge.c
 *
 * All fields: the window's lock.
 */
struct wr_slot {
	u8 *states;
	struct page **pages;
	u16 nr_resident;
	u16 nr_huge;
	u32 units;
	u8 state;
	bool intact;
};

/* Whether it can free nothing, at a first look: wr_runs_compact(). */
static inline bool wr_slot_stays_split(struct wr_slot *slot)
{
	if (slot->pages && !slot->nr_resident)
		return false;
	return slot->states &&
	       slot->states[0] != slot->states[WR_SLOT_PAGES - 1];
}

/**
 * struct wr_runs - the states of a window's pages
 * @root: entry for all of the pages
 * @base: the first page, a multiple of WR_SLOT_PAGES
 * @shift: the root entry covers 1 << @shift pages
 *
 * @root: the window's lock. The others never change.
 */
struct wr_runs {
	unsigned long root;
	pgoff_t base;
	unsigned int shift;
};

/* What eight states that are @state look like at once. */
static inline u64 wr_eight(u8 state)
{
	return state * 0x0101010101010101ULL;
}

void wr_states_fill(u8 *states, u8 state, unsigned int n);
unsigned int wr_states_same(const u8 *states, u8 state, unsigned int n);

void wr_runs_init(struct wr_runs *runs, pgoff_t first, pgoff_t end);
void wr_runs_destroy(struct wr_runs *runs);
u8 wr_runs_state(struct wr_runs *runs, pgoff_t index);
u8 wr_runs_span(struct wr_runs *runs, pgoff_t index, pgoff_t end,
		pgoff_t *next);
int wr_runs_split(struct wr_runs *runs, pgoff_t index, gfp_t gfp);
void wr_runs_fill(struct wr_runs *runs, pgoff_t first, pgoff_t end, u8 state);
void wr_runs_compact(struct wr_runs *runs, pgoff_t first, pgoff_t end,
		     pgoff_t low, pgoff_t high);
struct wr_slot *wr_runs_slot(struct wr_runs *runs, pgoff_t index,
			     pgoff_t *next);
struct wr_slot *wr_runs_make_slot(struct wr_runs *runs, pgoff_t index);

/**
 * struct wr_cursor - for asking for one span after the other
 * @runs: the states
 * @states: those of a slot
 * @stop: the page behind that slot; 0 if there is none
 */
struct wr_cursor {
	struct wr_runs *runs;
	const u8 *states;
	pgoff_t stop;
};

u8 wr_cursor_long_span(struct wr_cursor *cursor, pgoff_t index, pgoff_t end,
		       pgoff_t *next);

/* wr_runs_span(), cheaper if @index is where the span before ended. */
static __always_inline u8 wr_cursor_span(struct wr_cursor *cursor,
					 pgoff_t index, pgoff_t end,
					 pgoff_t *next)
{
	const u8 *at = cursor->states + wr_slot_offset(index);

	if (index + 1 < cursor->stop && index + 1 < end && at[0] != at[1]) {
		*next = index + 1;
		return at[0];
	}
	return wr_cursor_long_span(cursor, index, end, next);
}

#endif /* _WR_RUNS_H */
