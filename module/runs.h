/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_RUNS_H
#define _WR_RUNS_H

#include <linux/bitops.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/swap.h>
#include <linux/types.h>

#include <linux/winregion.h>

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
 * @pages: the pages in memory, or NULL while there is none, or @is_whole
 * @whole: the 2 MiB page that all of them are, if @is_whole
 * @nr_resident: pages in memory
 * @nr_huge: those of them that are parts of a 2 MiB page
 * @units: a bit for each unit that is one large page, all of it in memory
 * @state: see @states
 * @intact: @nr_huge is all of them, and the core may map them by one PMD: see huge.c
 * @is_whole: there is no array of pages yet: wr_slot_spell_out()
 *
 * All fields: the window's lock. No window has the spare one of struct wr_runs.
 */
struct wr_slot {
	u8 *states;
	union {
		struct page **pages;
		struct page *whole;
	};
	u16 nr_resident;
	u16 nr_huge;
	u32 units;
	u8 state;
	bool intact;
	bool is_whole;
};

/* The page in memory at @offset, or NULL. */
static inline struct page *wr_slot_page(struct wr_slot *slot,
					unsigned int offset)
{
	if (!slot->pages)
		return NULL;
	return slot->is_whole ? slot->whole + offset : slot->pages[offset];
}

/*
 * Whether it can free nothing, at a first look at both ends and at @offset:
 * wr_runs_compact().
 */
static __always_inline bool wr_slot_stays_split(struct wr_slot *slot,
						unsigned int offset)
{
	const u8 *states = slot->states;

	if (slot->pages && !slot->nr_resident)
		return false;
	return states && (states[0] != states[offset] ||
			  states[0] != states[WR_SLOT_PAGES - 1]);
}

/**
 * struct wr_runs - the states of a window's pages
 * @root: entry for all of the pages
 * @base: the first page, a multiple of WR_SLOT_PAGES
 * @shift: the root entry covers 1 << @shift pages
 * @spare: where a slot that is no longer needed is kept for the next one that
 *	needs one, or NULL is
 *
 * @root: the window's lock. *@spare: atomic. The others never change.
 */
struct wr_runs {
	unsigned long root;
	pgoff_t base;
	unsigned int shift;
	struct wr_slot **spare;
};

#define WR_NODE_ENTRIES 64UL
#define WR_NODE_SHIFT 6

/**
 * struct wr_node - an inner node of the tree of states
 * @entries: see runs.c; the window's lock
 */
struct wr_node {
	unsigned long entries[WR_NODE_ENTRIES];
};

static inline bool wr_entry_is_state(unsigned long entry)
{
	return entry & 1;
}

/*
 * The lowest entry that covers @index; its block of 1 << @shift pages is in one
 * state, or is a slot.
 */
static __always_inline unsigned long *
wr_runs_entry(struct wr_runs *runs, pgoff_t index, unsigned int *shift)
{
	unsigned long *entry = &runs->root;
	pgoff_t offset = index - runs->base;
	struct wr_node *node;

	*shift = runs->shift;
	while (*shift > WR_SLOT_SHIFT && !wr_entry_is_state(*entry)) {
		node = (struct wr_node *)*entry;
		*shift -= WR_NODE_SHIFT;
		entry = &node->entries[(offset >> *shift) &
				       (WR_NODE_ENTRIES - 1)];
	}
	return entry;
}

/* The slot of @index, or NULL. */
static __always_inline struct wr_slot *wr_runs_peek(struct wr_runs *runs,
						    pgoff_t index)
{
	unsigned int shift;
	unsigned long entry = *wr_runs_entry(runs, index, &shift);

	return wr_entry_is_state(entry) ? NULL : (struct wr_slot *)entry;
}

/* What eight states that are @state look like at once. */
static inline u64 wr_eight(u8 state)
{
	return state * 0x0101010101010101ULL;
}

unsigned int wr_states_same(const u8 *states, u8 state, unsigned int n);

/* Whether the @n states from @states on are @state; mostly 16 bytes. */
static __always_inline bool wr_states_are(const u8 *states, u8 state,
					  unsigned int n)
{
	const u64 eight = wr_eight(state);
	u64 word;

	for (; n >= sizeof(word); n -= sizeof(word)) {
		memcpy(&word, states, sizeof(word));
		if (word != eight)
			return false;
		states += sizeof(word);
	}
	return !n || wr_states_same(states, state, n) == n;
}

/* memset() for what is mostly 16 bytes. */
static __always_inline void wr_states_fill(u8 *states, u8 state, unsigned int n)
{
	const u64 eight = wr_eight(state);
	u8 *end = states + n;

	for (; end - states >= sizeof(eight); states += sizeof(eight))
		memcpy(states, &eight, sizeof(eight));
	while (states < end)
		*states++ = state;
}

extern bool wr_runs_overdraw;

/* Whether pages of who holds a window's lock could leave for swap now. */
static inline bool wr_runs_may_overdraw(void)
{
	return wr_runs_overdraw && get_nr_swap_pages() > 0;
}

/* Memory of some kind, or NULL. */
typedef void *(*wr_alloc_fn)(const void *what, gfp_t gfp);

unsigned long wr_runs_overdrafts(void);
void *wr_runs_alloc_by(wr_alloc_fn alloc, const void *what, gfp_t gfp);
void *wr_runs_alloc(size_t size, gfp_t gfp);
void wr_slot_free(struct wr_slot *slot);
void wr_runs_init(struct wr_runs *runs, pgoff_t first, pgoff_t end,
		  struct wr_slot **spare);
void wr_runs_destroy(struct wr_runs *runs);
u8 wr_runs_state(struct wr_runs *runs, pgoff_t index);
u8 wr_runs_span(struct wr_runs *runs, pgoff_t index, pgoff_t end,
		pgoff_t *next);
pgoff_t wr_runs_far_end(struct wr_runs *runs, pgoff_t index, pgoff_t end);
pgoff_t wr_runs_same_before(struct wr_runs *runs, pgoff_t first, pgoff_t end,
			    u8 state);
int wr_runs_split(struct wr_runs *runs, pgoff_t index, gfp_t gfp);
void wr_runs_fill(struct wr_runs *runs, pgoff_t first, pgoff_t end, u8 state);

/* For what cannot fail, as the program's munmap() cannot. */
#define WR_GFP_MUST (GFP_KERNEL_ACCOUNT | __GFP_NOFAIL)

/* So that what is filled next ends where the range does. Cannot fail. */
static inline void wr_runs_split_surely(struct wr_runs *runs, pgoff_t first,
					pgoff_t end)
{
	wr_runs_split(runs, first, WR_GFP_MUST);
	wr_runs_split(runs, end, WR_GFP_MUST);
}

void wr_runs_compact(struct wr_runs *runs, pgoff_t first, pgoff_t end,
		     pgoff_t low, pgoff_t high);
struct wr_slot *wr_runs_slot(struct wr_runs *runs, pgoff_t index,
			     pgoff_t *next);
int wr_slot_spell_out(struct wr_slot *slot, gfp_t gfp);
struct wr_slot *wr_runs_make_slot(struct wr_runs *runs, pgoff_t index);
struct wr_slot *wr_runs_make_states(struct wr_runs *runs, pgoff_t index);

/* wr_runs_span(), cheaper if the next page in another state is near. */
static __always_inline u8 wr_runs_near_span(struct wr_runs *runs, pgoff_t index,
					    pgoff_t end, pgoff_t *next)
{
	struct wr_slot *slot = wr_runs_peek(runs, index);
	u8 *states = slot ? slot->states : NULL;
	unsigned int offset = wr_slot_offset(index);
	__le64 word;
	u64 differ;

	if (states && offset <= WR_SLOT_PAGES - sizeof(word)) {
		states += offset;
		memcpy(&word, states, sizeof(word));
		differ = le64_to_cpu(word) ^ wr_eight(*states);
		if (differ) {
			*next = min(index + __ffs64(differ) / BITS_PER_BYTE,
				    end);
			return *states;
		}
	}
	*next = wr_runs_far_end(runs, index, end);
	return wr_runs_state(runs, index);
}

#endif /* _WR_RUNS_H */
