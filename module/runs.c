// SPDX-License-Identifier: GPL-2.0
/*
 * The states of a window's pages: which are committed, and how protected.
 *
 * A window owns one struct wr_runs. It is a radix tree with 64 children a
 * node, whose lowest level are slots of one PMD's worth of pages each. An entry
 * at any level is one of
 *
 *   state << 1 | 1      all pages below it are in this state
 *   pointer             to a node, or on the lowest level to a slot
 *
 * so a terabyte in one state is one entry, and a slot costs a byte a page only
 * when its pages differ. With 4 KiB pages, a window of 300 MiB has 1 << 15
 * pages a root entry (128 MiB are 1 << 15), so shift is 21, and page 0x12345 of
 * it is found through child 0x12345 >> 15 = 2, child 0x12345 >> 9 & 63 = 0x11
 * (both nodes) and byte 0x145 of that slot.
 *
 * A change is made in three steps, so that all that can fail is over before
 * anything has changed: wr_runs_split() at both ends, wr_runs_fill() between,
 * wr_runs_compact() to join what has become alike. Nodes stay while a caller is
 * between the first and the last step, hence "first split all, then fill
 * all, then compact all" makes a change of many ranges one change.
 *
 * The caller holds the window's lock. "end" is exclusive everywhere.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "runs.h"

static unsigned long state_entry(u8 state)
{
	return ((unsigned long)state << 1) | 1;
}

static u8 entry_state(unsigned long entry)
{
	return entry >> 1;
}

static struct wr_node *entry_node(unsigned long entry)
{
	return (struct wr_node *)entry;
}

static struct wr_slot *entry_slot(unsigned long entry)
{
	return (struct wr_slot *)entry;
}

/* For what is not in a hurry. */
static unsigned long *find_entry(struct wr_runs *runs, pgoff_t index,
				 unsigned int *shift)
{
	return wr_runs_entry(runs, index, shift);
}

/* The first page behind the block of 1 << @shift pages that has @index. */
static pgoff_t block_end(struct wr_runs *runs, pgoff_t index,
			 unsigned int shift)
{
	return runs->base + ((((index - runs->base) >> shift) + 1) << shift);
}

/* All pages have state 0, and that takes no memory. */
void wr_runs_init(struct wr_runs *runs, pgoff_t first, pgoff_t end)
{
	runs->root = state_entry(0);
	runs->base = wr_slot_first(first);
	runs->shift = WR_SLOT_SHIFT;
	while (((end - 1 - runs->base) >> runs->shift) != 0)
		runs->shift += WR_NODE_SHIFT;
}

static void free_slot(struct wr_slot *slot)
{
	WARN_ON_ONCE(slot->nr_resident);
	kfree(slot->states);
	kfree(slot->pages);
	kfree(slot);
}

static void free_entry(unsigned long entry, unsigned int shift)
{
	unsigned int i;

	if (wr_entry_is_state(entry))
		return;
	if (shift == WR_SLOT_SHIFT) {
		free_slot(entry_slot(entry));
		return;
	}
	for (i = 0; i < WR_NODE_ENTRIES; i++)
		free_entry(entry_node(entry)->entries[i],
			   shift - WR_NODE_SHIFT);
	kfree(entry_node(entry));
}

/* Frees all. No page may be resident any more. */
void wr_runs_destroy(struct wr_runs *runs)
{
	free_entry(runs->root, runs->shift);
	runs->root = state_entry(0);
}

/* How many of the @n states from @states on are @state. */
unsigned int wr_states_same(const u8 *states, u8 state, unsigned int n)
{
	const u64 eight = wr_eight(state);
	const u8 *at = states, *end = states + n;
	__le64 word;
	u64 differ;

	for (; end - at >= (long)sizeof(word); at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		differ = le64_to_cpu(word) ^ eight;
		if (differ)
			return at - states + __ffs64(differ) / BITS_PER_BYTE;
	}
	while (at < end && *at == state)
		at++;
	return at - states;
}

/* The first page in [@index, @end) of one slot whose state is not @state. */
static pgoff_t slot_span(struct wr_slot *slot, pgoff_t index, pgoff_t end,
			 u8 state)
{
	if (!slot->states)
		return slot->state == state ? end : index;
	return index + wr_states_same(slot->states + wr_slot_offset(index),
				      state, end - index);
}

static u8 slot_state(struct wr_slot *slot, pgoff_t index)
{
	return slot->states ? slot->states[wr_slot_offset(index)] : slot->state;
}

static u8 state_in(unsigned long entry, pgoff_t index)
{
	return wr_entry_is_state(entry) ? entry_state(entry) :
					  slot_state(entry_slot(entry), index);
}

/* The state of one page. */
u8 wr_runs_state(struct wr_runs *runs, pgoff_t index)
{
	unsigned int shift;

	return state_in(*wr_runs_entry(runs, index, &shift), index);
}

/* Whether @index, where a block of 1 << @shift pages ended, is in its node too. */
static bool same_node(struct wr_runs *runs, pgoff_t index, unsigned int shift)
{
	return shift != runs->shift &&
	       ((index - runs->base) >> shift) & (WR_NODE_ENTRIES - 1);
}

/*
 * The first page behind @index, at most @end, whose state is not @state, as far
 * as the entry and its neighbours in the same node tell. *@same: whether all of
 * them are in it.
 */
static pgoff_t span_in_node(struct wr_runs *runs, pgoff_t index, pgoff_t end,
			    u8 state, bool *same)
{
	unsigned int shift;
	unsigned long *entry = find_entry(runs, index, &shift);
	pgoff_t stop = block_end(runs, index, shift);

	for (;; stop += 1UL << shift) {
		stop = min(stop, end);
		if (wr_entry_is_state(*entry))
			index = entry_state(*entry) == state ? stop : index;
		else if (shift == WR_SLOT_SHIFT)
			index = slot_span(entry_slot(*entry), index, stop,
					  state);
		else
			break; /* a node of its own */
		*same = index == stop;
		if (!*same || index >= end || !same_node(runs, index, shift))
			break;
		entry++;
	}
	return index;
}

/* The first page behind @index, at most @end, whose state is not @state. */
static noinline pgoff_t span_end(struct wr_runs *runs, pgoff_t index,
				 pgoff_t end, u8 state)
{
	bool same = true;

	while (same && index < end)
		index = span_in_node(runs, index, end, state, &same);
	return index;
}

/*
 * The state of @index; @next is the first page behind it in another state, at
 * most @end. Mostly both are in one slot.
 */
u8 wr_runs_span(struct wr_runs *runs, pgoff_t index, pgoff_t end, pgoff_t *next)
{
	unsigned int shift, n, same;
	unsigned long entry = *find_entry(runs, index, &shift);
	u8 *states, state = state_in(entry, index);

	if (!wr_entry_is_state(entry) && entry_slot(entry)->states) {
		states = entry_slot(entry)->states + wr_slot_offset(index);
		n = min(WR_SLOT_PAGES - wr_slot_offset(index), end - index);
		same = wr_states_same(states, state, n);
		index += same;
		if (same < n) {
			*next = index;
			return state;
		}
	}
	*next = span_end(runs, index, end, state);
	return state;
}

/* What wr_runs_span() sets @next to. */
pgoff_t wr_runs_far_end(struct wr_runs *runs, pgoff_t index, pgoff_t end)
{
	pgoff_t next;

	wr_runs_span(runs, index, end, &next);
	return next;
}

/* A node whose children are all like the @entry it replaces. */
static int push_down(unsigned long *entry, gfp_t gfp)
{
	struct wr_node *node = kmalloc(sizeof(*node), gfp);
	unsigned int i;

	if (!node)
		return -ENOMEM;
	for (i = 0; i < WR_NODE_ENTRIES; i++)
		node->entries[i] = *entry;
	*entry = (unsigned long)node;
	return 0;
}

static int push_down_to_slot(unsigned long *entry, gfp_t gfp)
{
	struct wr_slot *slot = kzalloc(sizeof(*slot), gfp);

	if (!slot)
		return -ENOMEM;
	slot->state = entry_state(*entry);
	*entry = (unsigned long)slot;
	return 0;
}

/**
 * wr_slot_spell_out - have a slot point to each of its pages
 * @slot: the slot, which may be one large page
 * @gfp: for the memory that this may take
 *
 * Before some of its pages become other ones, or none.
 *
 * Return: 0 or -ENOMEM.
 */
int wr_slot_spell_out(struct wr_slot *slot, gfp_t gfp)
{
	struct page *page = slot->whole, **pages;
	unsigned int i;

	if (likely(!slot->is_whole))
		return 0;
	pages = kmalloc_array(WR_SLOT_PAGES, sizeof(*pages), gfp);
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < WR_SLOT_PAGES; i++)
		pages[i] = page + i;
	slot->pages = pages;
	slot->is_whole = false;
	return 0;
}

/* So that the pages of a slot can differ. */
static int slot_make_states(struct wr_slot *slot, gfp_t gfp)
{
	int err = wr_slot_spell_out(slot, gfp);

	if (err || slot->states)
		return err;
	slot->states = kzalloc(WR_SLOT_PAGES, gfp);
	if (!slot->states)
		return -ENOMEM;
	if (slot->state)
		memset(slot->states, slot->state, WR_SLOT_PAGES);
	return 0;
}

/**
 * wr_runs_split - make sure that the pages on both sides of @index can differ
 * @runs: the states
 * @index: the first page behind the edge
 * @gfp: for the memory that this may take
 *
 * No state changes.
 *
 * Return: 0 or -ENOMEM.
 */
int wr_runs_split(struct wr_runs *runs, pgoff_t index, gfp_t gfp)
{
	pgoff_t offset = index - runs->base;
	unsigned long *entry;
	unsigned int shift;
	int err;

	if (offset >> runs->shift)
		return 0; /* behind the last page */
	for (;;) {
		entry = find_entry(runs, index, &shift);
		if (!(offset & ((1UL << shift) - 1)))
			return 0;
		if (!wr_entry_is_state(*entry))
			return slot_make_states(entry_slot(*entry), gfp);
		if (shift == WR_SLOT_SHIFT)
			err = push_down_to_slot(entry, gfp);
		else
			err = push_down(entry, gfp);
		if (err)
			return err;
	}
}

static void fill_entry(unsigned long *entry, pgoff_t first, pgoff_t end,
		       u8 state)
{
	struct wr_slot *slot;

	if (wr_entry_is_state(*entry)) {
		*entry = state_entry(state);
		return;
	}
	slot = entry_slot(*entry);
	if (slot->states)
		wr_states_fill(slot->states + wr_slot_offset(first), state,
			       end - first);
	else
		slot->state = state;
}

/**
 * wr_runs_fill - give pages a state
 * @runs: the states
 * @first: the first page, where the runs have been split
 * @end: the page behind the last, where they have been split too
 * @state: the new state
 */
void wr_runs_fill(struct wr_runs *runs, pgoff_t first, pgoff_t end, u8 state)
{
	unsigned int shift;
	unsigned long *entry;
	pgoff_t stop;

	for (; first < end; first = stop) {
		entry = find_entry(runs, first, &shift);
		stop = min(block_end(runs, first, shift), end);
		fill_entry(entry, first, stop, state);
	}
}

/* @uniform: whether the block may forget that its pages could differ */
static void compact_slot(unsigned long *entry, bool uniform)
{
	struct wr_slot *slot = entry_slot(*entry);
	u8 *states = slot->states;

	if (states && (uniform || !states[0]) &&
	    states[0] == states[WR_SLOT_PAGES - 1] &&
	    wr_states_same(states, states[0], WR_SLOT_PAGES) == WR_SLOT_PAGES) {
		slot->state = states[0];
		slot->states = NULL;
		kfree(states);
	}
	if (slot->nr_resident)
		return;
	kfree(slot->pages);
	slot->pages = NULL;
	if (slot->states)
		return;
	*entry = state_entry(slot->state);
	free_slot(slot);
}

static void compact_node(unsigned long *entry, bool uniform)
{
	struct wr_node *node = entry_node(*entry);
	unsigned int i;

	if (!wr_entry_is_state(node->entries[0]) ||
	    (entry_state(node->entries[0]) && !uniform))
		return;
	for (i = 1; i < WR_NODE_ENTRIES; i++)
		if (node->entries[i] != node->entries[0])
			return;
	*entry = node->entries[0];
	kfree(node);
}

static void compact_entry(unsigned long *entry, pgoff_t start,
			  unsigned int shift, pgoff_t first, pgoff_t end,
			  pgoff_t low, pgoff_t high);

/* The children, blocks of 1 << @shift pages from @start on. */
static void compact_children(struct wr_node *node, pgoff_t start,
			     unsigned int shift, pgoff_t first, pgoff_t end,
			     pgoff_t low, pgoff_t high)
{
	unsigned int i = first > start ? (first - start) >> shift : 0;
	pgoff_t child = start + ((pgoff_t)i << shift);

	for (; i < WR_NODE_ENTRIES && child < end; i++) {
		if (!wr_entry_is_state(node->entries[i]))
			compact_entry(&node->entries[i], child, shift, first,
				      end, low, high);
		child += 1UL << shift;
	}
}

/*
 * @start: the first page of the entry's block, some of which is in the range. It
 * is not in one state.
 */
static void compact_entry(unsigned long *entry, pgoff_t start,
			  unsigned int shift, pgoff_t first, pgoff_t end,
			  pgoff_t low, pgoff_t high)
{
	bool uniform = start >= low && start + (1UL << shift) <= high;

	if (shift == WR_SLOT_SHIFT) {
		compact_slot(entry, uniform);
		return;
	}
	compact_children(entry_node(*entry), start, shift - WR_NODE_SHIFT,
			 first, end, low, high);
	compact_node(entry, uniform);
}

/* Whether the range is in one slot that can free nothing, at a first look. */
static bool stays_split(struct wr_runs *runs, pgoff_t first, pgoff_t end)
{
	unsigned int shift;
	unsigned long entry = *find_entry(runs, first, &shift);
	struct wr_slot *slot = entry_slot(entry);

	if (wr_entry_is_state(entry) || end > block_end(runs, first, shift))
		return false;
	return wr_slot_stays_split(slot, wr_slot_offset(first));
}

/**
 * wr_runs_compact - free what no longer tells a difference
 * @runs: the states
 * @first: the first page that changed
 * @end: the page behind the last
 * @low: the first page of the region they are in
 * @high: the page behind the region's last
 *
 * The edge between two regions stays split even where both sides are alike, so
 * that a region can be released without an allocation.
 */
void wr_runs_compact(struct wr_runs *runs, pgoff_t first, pgoff_t end,
		     pgoff_t low, pgoff_t high)
{
	if (wr_entry_is_state(runs->root) || stays_split(runs, first, end))
		return;
	compact_entry(&runs->root, runs->base, runs->shift, first, end, low,
		      high);
}

/*
 * The slot of @index, or NULL; @next, if not NULL, is set to the first page
 * behind the slot or behind all pages that have no slot either.
 */
struct wr_slot *wr_runs_slot(struct wr_runs *runs, pgoff_t index, pgoff_t *next)
{
	unsigned int shift;
	unsigned long entry = *find_entry(runs, index, &shift);

	if (next)
		*next = block_end(runs, index, shift);
	return wr_entry_is_state(entry) ? NULL : entry_slot(entry);
}

/* The slot of @index, made if need be, or NULL if there is no memory. */
struct wr_slot *wr_runs_make_slot(struct wr_runs *runs, pgoff_t index)
{
	unsigned int shift;
	unsigned long *entry = find_entry(runs, index, &shift);

	for (; shift > WR_SLOT_SHIFT; entry = find_entry(runs, index, &shift))
		if (push_down(entry, GFP_KERNEL_ACCOUNT))
			return NULL;
	if (wr_entry_is_state(*entry) &&
	    push_down_to_slot(entry, GFP_KERNEL_ACCOUNT))
		return NULL;
	return entry_slot(*entry);
}

/* The same, with an array of states. */
struct wr_slot *wr_runs_make_states(struct wr_runs *runs, pgoff_t index)
{
	struct wr_slot *slot = wr_runs_make_slot(runs, index);

	if (!slot || slot_make_states(slot, GFP_KERNEL_ACCOUNT))
		return NULL;
	return slot;
}
