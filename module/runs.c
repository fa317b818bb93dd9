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
#include <linux/atomic.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "runs.h"

/* Pages may leave for swap; set once, before the module is used. */
bool wr_runs_overdraw;

static atomic_long_t overdrafts;

/* How often memory cgroups have got more than their limits. */
unsigned long wr_runs_overdrafts(void)
{
	return atomic_long_read(&overdrafts);
}

static void *alloc_overdrawn(wr_alloc_fn alloc, const void *what, gfp_t gfp)
{
	unsigned int flags = memalloc_noreclaim_save();
	void *memory;

	memory =
		alloc(what, gfp | __GFP_NOMEMALLOC | __GFP_HIGH | __GFP_NOWARN);
	memalloc_noreclaim_restore(flags);
	if (memory)
		atomic_long_inc(&overdrafts);
	return memory;
}

/**
 * wr_runs_alloc_by - memory for who holds a window's lock
 * @alloc: allocates it
 * @what: for @alloc
 * @gfp: what it is, and whether it may be waited for
 *
 * No page of the window can leave as long as its lock is held. So who waits for memory
 * then may wait for what only the window has, and the core kills. If the system has
 * some the memory cgroup gets more than its limit instead. The next charge brings it
 * back: that of the page which a fault is about, or wr_pageout_repay().
 *
 * Return: the memory, or NULL.
 */
void *wr_runs_alloc_by(wr_alloc_fn alloc, const void *what, gfp_t gfp)
{
	const gfp_t easily = gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL);
	void *memory = NULL;

	if (wr_runs_may_overdraw() && gfp & __GFP_DIRECT_RECLAIM) {
		memory = alloc(what, easily | __GFP_NOWARN);
		if (!memory && !(gfp & __GFP_NORETRY))
			memory = alloc_overdrawn(alloc, what,
						 gfp & ~__GFP_NOFAIL);
	}
	return memory ? memory : alloc(what, gfp);
}

static void *alloc_bytes(const void *what, gfp_t gfp)
{
	const size_t *size = what;

	return kmalloc(*size, gfp);
}

/* The same, of so many bytes. */
void *wr_runs_alloc(size_t size, gfp_t gfp)
{
	return wr_runs_alloc_by(alloc_bytes, &size, gfp);
}

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

/* The first page of the block of 1 << @shift pages that has @index. */
static pgoff_t block_start(struct wr_runs *runs, pgoff_t index,
			   unsigned int shift)
{
	return runs->base + (((index - runs->base) >> shift) << shift);
}

/* The first page behind it. */
static pgoff_t block_end(struct wr_runs *runs, pgoff_t index,
			 unsigned int shift)
{
	return block_start(runs, index, shift) + (1UL << shift);
}

/* All pages have state 0, and that takes no memory. @spare: of the space. */
void wr_runs_init(struct wr_runs *runs, pgoff_t first, pgoff_t end,
		  struct wr_slot **spare)
{
	runs->spare = spare;
	runs->root = state_entry(0);
	runs->base = wr_slot_first(first);
	runs->shift = WR_SLOT_SHIFT;
	while (((end - 1 - runs->base) >> runs->shift) != 0)
		runs->shift += WR_NODE_SHIFT;
}

/* @slot: it has no page in memory, or is NULL. */
void wr_slot_free(struct wr_slot *slot)
{
	if (!slot)
		return;
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
		wr_slot_free(entry_slot(entry));
		return;
	}
	for (i = 0; i < WR_NODE_ENTRIES; i++)
		free_entry(entry_node(entry)->entries[i],
			   shift - WR_NODE_SHIFT);
	kfree(entry_node(entry));
	cond_resched();
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

/* The first page of one entry from which on all up to @end are in @state, or @end. */
static pgoff_t same_in_entry(unsigned long entry, pgoff_t first, pgoff_t end,
			     u8 state)
{
	const u8 *states;

	if (wr_entry_is_state(entry) || !entry_slot(entry)->states)
		return state_in(entry, first) == state ? first : end;
	states = entry_slot(entry)->states;
	while (end > first && states[wr_slot_offset(end - 1)] == state)
		end--;
	return end;
}

/**
 * wr_runs_same_before - how far back pages are in one state
 * @runs: the states
 * @first: no further than to this page
 * @end: the page behind the last of them
 * @state: their state
 *
 * Costs as much as there is in that state, whatever is in front of it.
 *
 * Return: the first page from which on all up to @end are in @state, or @end.
 */
pgoff_t wr_runs_same_before(struct wr_runs *runs, pgoff_t first, pgoff_t end,
			    u8 state)
{
	pgoff_t start = end;
	unsigned int shift;
	unsigned long entry;

	while (first < end && start == end) {
		entry = *find_entry(runs, end - 1, &shift);
		start = max(first, block_start(runs, end - 1, shift));
		end = same_in_entry(entry, start, end, state);
		cond_resched();
	}
	return end;
}

/* A node whose children are all like the @entry it replaces. */
static int push_down(unsigned long *entry, gfp_t gfp)
{
	struct wr_node *node = wr_runs_alloc(sizeof(*node), gfp);
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
	struct wr_slot *slot = wr_runs_alloc(sizeof(*slot), gfp | __GFP_ZERO);

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
	pages = wr_runs_alloc(WR_SLOT_PAGES * sizeof(*pages), gfp);
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < WR_SLOT_PAGES; i++)
		pages[i] = page + i;
	slot->pages = pages;
	slot->is_whole = false;
	return 0;
}

/*
 * The last page of a slot that is decommitted and committed in turn would have
 * the slot freed and made each time, so one is kept, with its array of states,
 * all of them slot->state. It may go to another window of the space.
 */
static bool keep_spare(struct wr_runs *runs, struct wr_slot *slot)
{
	WARN_ON_ONCE(slot->nr_huge || slot->units || slot->intact);
	return !READ_ONCE(*runs->spare) && !cmpxchg(runs->spare, NULL, slot);
}

/* push_down_to_slot() with what was kept. Return: whether there was one. */
static bool push_down_to_spare(struct wr_runs *runs, unsigned long *entry)
{
	u8 state = entry_state(*entry);
	struct wr_slot *slot = NULL;

	if (READ_ONCE(*runs->spare))
		slot = xchg(runs->spare, NULL);
	if (!slot)
		return false;
	if (slot->state != state)
		memset(slot->states, state, WR_SLOT_PAGES);
	slot->state = state;
	*entry = (unsigned long)slot;
	return true;
}

/* So that the pages of a slot can differ. */
static int slot_make_states(struct wr_slot *slot, gfp_t gfp)
{
	int err = wr_slot_spell_out(slot, gfp);

	if (err || slot->states)
		return err;
	slot->states = wr_runs_alloc(WR_SLOT_PAGES, gfp | __GFP_ZERO);
	if (!slot->states)
		return -ENOMEM;
	if (slot->state)
		memset(slot->states, slot->state, WR_SLOT_PAGES);
	return 0;
}

/* The same for an entry on the lowest level. */
static int entry_make_states(struct wr_runs *runs, unsigned long *entry,
			     gfp_t gfp)
{
	int err = 0;

	if (wr_entry_is_state(*entry) && !push_down_to_spare(runs, entry))
		err = push_down_to_slot(entry, gfp);
	return err ? err : slot_make_states(entry_slot(*entry), gfp);
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
		if (shift == WR_SLOT_SHIFT)
			return entry_make_states(runs, entry, gfp);
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

/**
 * struct compaction - see wr_runs_compact()
 * @runs: the states
 * @first: the first page that changed
 * @end: the page behind the last
 * @low: the first page of their region
 * @high: the page behind its last
 */
struct compaction {
	struct wr_runs *runs;
	pgoff_t first;
	pgoff_t end;
	pgoff_t low;
	pgoff_t high;
};

/* @uniform: whether the block may forget that its pages could differ */
static bool slot_is_alike(struct wr_slot *slot, bool uniform)
{
	const u8 *states = slot->states;

	return (uniform || !states[0]) &&
	       states[0] == states[WR_SLOT_PAGES - 1] &&
	       wr_states_same(states, states[0], WR_SLOT_PAGES) ==
		       WR_SLOT_PAGES;
}

static void compact_slot(struct wr_runs *runs, unsigned long *entry,
			 bool uniform)
{
	struct wr_slot *slot = entry_slot(*entry);

	if (!slot->nr_resident) {
		kfree(slot->pages);
		slot->pages = NULL;
	}
	if (slot->states) {
		if (!slot_is_alike(slot, uniform))
			return;
		slot->state = slot->states[0];
	}
	if (slot->nr_resident) {
		kfree(slot->states);
		slot->states = NULL;
		return;
	}
	*entry = state_entry(slot->state);
	if (!slot->states || !keep_spare(runs, slot))
		wr_slot_free(slot);
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

static void compact_entry(struct compaction *at, unsigned long *entry,
			  pgoff_t start, unsigned int shift);

/* The children, blocks of 1 << @shift pages from @start on. */
static void compact_children(struct compaction *at, struct wr_node *node,
			     pgoff_t start, unsigned int shift)
{
	unsigned int i = at->first > start ? (at->first - start) >> shift : 0;
	pgoff_t child = start + ((pgoff_t)i << shift);

	for (; i < WR_NODE_ENTRIES && child < at->end; i++) {
		if (!wr_entry_is_state(node->entries[i]))
			compact_entry(at, &node->entries[i], child, shift);
		child += 1UL << shift;
	}
}

/*
 * @start: the first page of the entry's block, some of which is in the range. It
 * is not in one state.
 */
static void compact_entry(struct compaction *at, unsigned long *entry,
			  pgoff_t start, unsigned int shift)
{
	bool uniform = start >= at->low && start + (1UL << shift) <= at->high;

	if (shift == WR_SLOT_SHIFT) {
		compact_slot(at->runs, entry, uniform);
		return;
	}
	compact_children(at, entry_node(*entry), start, shift - WR_NODE_SHIFT);
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
	struct compaction at = {
		.runs = runs,
		.first = first,
		.end = end,
		.low = low,
		.high = high,
	};

	if (!wr_entry_is_state(runs->root) && !stays_split(runs, first, end))
		compact_entry(&at, &runs->root, runs->base, runs->shift);
}

/*
 * wr_runs_peek(); @next is set to the first page behind the slot or behind all
 * pages that have no slot either.
 */
struct wr_slot *wr_runs_slot(struct wr_runs *runs, pgoff_t index, pgoff_t *next)
{
	unsigned int shift;
	unsigned long entry = *find_entry(runs, index, &shift);

	*next = block_end(runs, index, shift);
	return wr_entry_is_state(entry) ? NULL : entry_slot(entry);
}

/* The entry of the slot of @index, on the lowest level; NULL: no memory. */
static unsigned long *slot_entry(struct wr_runs *runs, pgoff_t index)
{
	unsigned int shift;
	unsigned long *entry = find_entry(runs, index, &shift);

	for (; shift > WR_SLOT_SHIFT; entry = find_entry(runs, index, &shift))
		if (push_down(entry, GFP_KERNEL_ACCOUNT))
			return NULL;
	return entry;
}

/* The slot of @index, made if need be, or NULL if there is no memory. */
struct wr_slot *wr_runs_make_slot(struct wr_runs *runs, pgoff_t index)
{
	unsigned long *entry = slot_entry(runs, index);

	if (!entry)
		return NULL;
	if (wr_entry_is_state(*entry) &&
	    push_down_to_slot(entry, GFP_KERNEL_ACCOUNT))
		return NULL;
	return entry_slot(*entry);
}

/* The same, with an array of states. */
struct wr_slot *wr_runs_make_states(struct wr_runs *runs, pgoff_t index)
{
	unsigned long *entry = slot_entry(runs, index);

	if (!entry || entry_make_states(runs, entry, GFP_KERNEL_ACCOUNT))
		return NULL;
	return entry_slot(*entry);
}
