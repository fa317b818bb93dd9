/* SPDX-License-Identifier: GPL-2.0 */
/* A stash as those see it who fill it and empty it: stash.c, trim.c, pageout.c. */
#ifndef _WR_STASH_IN_H
#define _WR_STASH_IN_H

#include <linux/atomic.h>
#include <linux/list_lru.h>

#include "outfile.h"
#include "stash.h"

/**
 * struct wr_stash - pages of a slot that may be freed, or are to leave
 * @node: in window->stashes, by @key
 * @key: the first page of the slot, plus the class; never changes
 * @list: in the list of its class while @slot has pages, else empty; that list's lock
 * @slot: the pages
 * @gone: those that were freed
 * @out: of WR_STASH_COLD: an entry a page, for those that are out of memory; else NULL
 * @nr_out: how many are
 * @next_in: the offset behind what came in last; window's lock
 * @space: of the window; never changes, and is there as long as this one is
 * @offered: those that are offered, whether there is a page or not; window's lock
 * @nr_offered: how many; window's lock
 *
 * @node: the window's lock. @slot, @gone, @out and @nr_out: the list's lock while it is
 * in it, else the window's.
 */
struct wr_stash {
	struct rb_node node;
	pgoff_t key;
	struct list_head list;
	struct wr_slot slot;
	DECLARE_BITMAP(gone, WR_SLOT_PAGES);
	struct wr_out *out;
	unsigned int nr_out;
	unsigned int next_in;
	struct wr_space *space;
	DECLARE_BITMAP(offered, WR_SLOT_PAGES);
	unsigned int nr_offered;
};

static inline enum wr_stash_class wr_stash_class_of(struct wr_stash *stash)
{
	return wr_slot_offset(stash->key);
}

/**
 * struct wr_stash_sum - of all stashes in lists that one shrinker empties
 * @pages: pages in them
 * @stashes: how many
 *
 * For an estimate.
 */
struct wr_stash_sum {
	atomic_long_t pages;
	atomic_long_t stashes;
};

/**
 * struct wr_where - whose memory is to be made free
 * @nid: the node
 * @memcg: the memory cgroup
 * @reclaims: as memory is short, or somebody wants it to be free
 * @any: whichever, instead; then @memcg is who is charged, if that is known
 * @turn: of @any: how many lists with windows are passed over
 */
struct wr_where {
	int nid;
	struct mem_cgroup *memcg;
	bool reclaims;
	bool any;
	unsigned int turn;
};

/*
 * How many to look at for anybody's next, of @most at first, and of more when that was in
 * vain; the list is locked for as long.
 */
static inline unsigned long wr_look_further(const struct wr_where *where,
					    unsigned long most)
{
	return most << min(where->turn, 4U);
}

/* Has @fn, as by WR_DEFINE_LRU_WALK(), look at the first @nr in a list. */
static inline void wr_lru_walk_some(struct list_lru *list,
				    const struct wr_where *where,
				    unsigned long nr, list_lru_walk_cb fn,
				    void *data)
{
	if (where->any)
		list_lru_walk_node(list, where->nid, fn, data, &nr);
	else
		list_lru_walk_one(list, where->nid, where->memcg, fn, data,
				  &nr);
}

static inline void wr_lru_walk_first(struct list_lru *list,
				     const struct wr_where *where,
				     list_lru_walk_cb fn, void *data)
{
	wr_lru_walk_some(list, where, 1, fn, data);
}

static inline bool wr_lru_has_some(struct list_lru *list,
				   const struct wr_where *where)
{
	return where->any ? list_lru_count_node(list, where->nid) :
			    list_lru_count_one(list, where->nid, where->memcg);
}

extern struct list_lru wr_stash_lists[WR_STASH_CLASSES];
extern struct wr_stash_sum
	wr_stash_sums[2]; /* that of pages to leave is the second */

/* Where parts of @folio can be, of which there is one at @offset. */
static inline void wr_stash_span(struct folio *folio, unsigned int offset,
				 unsigned int *first, unsigned int *end)
{
	unsigned int n = folio_nr_pages(folio);

	*first = round_down(offset, n);
	*end = *first + n;
}

/* @parts of @folio leave a slot, one of which is at @offset. */
static inline void wr_stash_forget_parts(struct wr_slot *slot,
					 struct folio *folio,
					 unsigned int offset,
					 unsigned int parts)
{
	if (folio_order(folio) == WR_SLOT_SHIFT)
		slot->nr_huge -= parts;
	else if (folio_test_large(folio))
		slot->units &= ~wr_slot_unit(offset);
}

struct wr_stash *wr_stash_find(struct wr_window *window, pgoff_t index,
			       enum wr_stash_class class);
struct wr_stash *wr_stash_new(struct wr_window *window, pgoff_t index,
			      enum wr_stash_class class, gfp_t gfp);
int wr_stash_prepare_pages(struct wr_stash *stash, gfp_t gfp);
void wr_stash_claim(struct wr_stash *stash);
void wr_stash_put_back(struct wr_stash *stash);
void wr_stash_settle(struct wr_window *window, struct wr_stash *stash);
unsigned int wr_stash_held(struct wr_slot *slot, unsigned int offset);
void wr_stash_move(struct wr_slot *from, struct wr_slot *to,
		   unsigned int offset);
/* @pages more are out, of which the core tells in VmSwap, and goes by when it kills. */
static inline void wr_stash_count_out(struct wr_stash *stash, long pages)
{
	atomic_long_add(pages, &stash->space->swapped);
	wr_mm_add_swapped(stash->space->mm, pages);
}

/* The page at @offset goes out, by who has the list's lock. */
static inline void wr_stash_note_out(struct wr_stash *stash,
				     unsigned int offset, struct wr_out out)
{
	stash->out[offset] = out;
	WRITE_ONCE(stash->nr_out, stash->nr_out + 1);
	wr_stash_count_out(stash, 1);
	smp_wmb(); /* it has one or the other all the time, for who has no lock */
	stash->slot.pages[offset] = NULL;
	WRITE_ONCE(stash->slot.nr_resident, stash->slot.nr_resident - 1);
}

unsigned long wr_stash_estimate(struct wr_stash_sum *sum,
				unsigned long stashes);

#endif /* _WR_STASH_IN_H */
