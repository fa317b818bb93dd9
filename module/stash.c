// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that may be freed when memory is short, as the program has reset or offered
 * them: they are taken out of their window, and stashed here.
 *
 * A stash has the pages of one slot and one class. While it has any it is in the list
 * of its class, from which a shrinker frees, the lowest class first; a list for each
 * memory cgroup and node. What was freed is noted, for who takes pages back.
 *
 * Nothing maps a page that is stashed: so it cannot change, and no reference to it
 * appears. Who touches it has it taken back first, under the window's lock, or gets
 * none, if it is offered. No page is made where one is stashed.
 *
 * The shrinker, evict.c, takes no lock of ours. It may be called by who waits for memory
 * under any of them, that of the very window too. A stash that is in a list is the
 * shrinker's to change, under that list's lock. Who holds the window's lock takes it
 * out first, and has it alone then: wr_stash_claim() and wr_stash_settle(). The shrinker
 * allocates nothing, waits for nothing, and looks at a bounded number of pages at a time.
 *
 * It frees no page that others own too, since a fork, nor one of which somebody has
 * another reference, such as a device that reads it. What may be written without a
 * PTE, by such a reference, is not stashed by a reset at all. A large page goes as a
 * whole: all parts of it that the window has are in one stash, or in the slot. Where
 * only some of them are to be stashed, those become pages of their own.
 */
#include <linux/bitmap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "outfile.h"
#include "pageout.h"
#include "resident.h"
#include "stash_in.h"
#include "trace.h"
#include "watch.h"

static struct kmem_cache *cache;
struct list_lru wr_stash_lists[WR_STASH_CLASSES];
struct wr_stash_sum wr_stash_sums[2];

static struct wr_stash *to_stash(struct rb_node *node)
{
	return rb_entry_safe(node, struct wr_stash, node);
}

static struct wr_stash *next_of(struct wr_stash *stash)
{
	return to_stash(rb_next(&stash->node));
}

static bool is_in(struct wr_stash *stash, struct wr_stash_set set)
{
	enum wr_stash_class class = wr_stash_class_of(stash);

	return class >= set.first && class <= set.last;
}

/* The first one from the slot of @index on, at @class of that or behind it. */
static struct wr_stash *find_from(struct wr_window *window, pgoff_t index,
				  enum wr_stash_class class)
{
	struct rb_node *node = window->stashes.rb_node;
	pgoff_t key = wr_slot_first(index) + class;
	struct wr_stash *found = NULL, *stash;

	lockdep_assert_held(&window->lock);
	while (node) {
		stash = to_stash(node);
		if (stash->key >= key) {
			found = stash;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/* That of the slot of @index in a class, or NULL. */
struct wr_stash *wr_stash_find(struct wr_window *window, pgoff_t index,
			       enum wr_stash_class class)
{
	struct wr_stash *stash = find_from(window, index, class);

	return stash && stash->key == wr_slot_first(index) + class ? stash :
								     NULL;
}

static void insert(struct wr_window *window, struct wr_stash *stash)
{
	struct rb_node **link = &window->stashes.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = stash->key < to_stash(parent)->key ? &parent->rb_left :
							    &parent->rb_right;
	}
	rb_link_node(&stash->node, parent, link);
	rb_insert_color(&stash->node, &window->stashes);
}

static void *alloc_stash(const void *what, gfp_t gfp)
{
	const enum wr_stash_class *class = what;

	return kmem_cache_alloc_lru(cache, &wr_stash_lists[*class],
				    gfp | __GFP_ZERO);
}

/* A new one of the slot of @index, with no pages yet, or NULL. */
struct wr_stash *wr_stash_new(struct wr_window *window, pgoff_t index,
			      enum wr_stash_class class, gfp_t gfp)
{
	struct wr_stash *stash;

	stash = wr_runs_alloc_by(alloc_stash, &class, gfp);
	if (!stash)
		return NULL;
	INIT_LIST_HEAD(&stash->list);
	stash->key = wr_slot_first(index) + class;
	stash->space = window->space;
	insert(window, stash);
	return stash;
}

/* Pages in it; the shrinker may be about to free some. */
static unsigned int pages_in(struct wr_stash *stash)
{
	return READ_ONCE(stash->slot.nr_resident);
}

static struct wr_stash_sum *sum_of(struct wr_stash *stash)
{
	return &wr_stash_sums[wr_stash_class_of(stash) == WR_STASH_COLD];
}

static struct list_lru *list_of(struct wr_stash *stash)
{
	return &wr_stash_lists[wr_stash_class_of(stash)];
}

/* Has it for the holder of the window's lock alone. wr_stash_settle() is to follow. */
void wr_stash_claim(struct wr_stash *stash)
{
	struct wr_stash_sum *sum = sum_of(stash);

	if (list_lru_del_obj(list_of(stash), &stash->list)) {
		atomic_long_dec(&sum->stashes);
		atomic_long_sub(stash->slot.nr_resident, &sum->pages);
	}
}

/* Puts it back where the shrinker finds it. */
void wr_stash_put_back(struct wr_stash *stash)
{
	unsigned int pages = stash->slot.nr_resident;
	struct wr_stash_sum *sum = sum_of(stash);

	if (!pages)
		return;
	atomic_long_inc(&sum->stashes);
	atomic_long_add(pages, &sum->pages);
	list_lru_add_obj(list_of(stash), &stash->list);
}

/* The same, but frees one that says nothing. */
void wr_stash_settle(struct wr_window *window, struct wr_stash *stash)
{
	if (stash->slot.nr_resident) {
		/* It is the shrinker's then, which may have emptied it by now. */
		wr_stash_put_back(stash);
		return;
	}
	kfree(stash->slot.pages);
	stash->slot.pages = NULL;
	if (stash->nr_offered || stash->nr_out ||
	    !bitmap_empty(stash->gone, WR_SLOT_PAGES))
		return;
	rb_erase(&stash->node, &window->stashes);
	kfree(stash->out);
	kmem_cache_free(cache, stash);
}

/* ---- pages move ---- */

/* Parts of @folio from @first to @end. */
static unsigned int count_parts(struct wr_slot *slot, struct folio *folio,
				unsigned int first, unsigned int end)
{
	unsigned int n = 0;

	for (; first < end; first++)
		n += slot->pages[first] &&
		     page_folio(slot->pages[first]) == folio;
	return n;
}

/* All parts that @slot has of the folio of which one is at @offset. */
unsigned int wr_stash_held(struct wr_slot *slot, unsigned int offset)
{
	struct folio *folio = page_folio(slot->pages[offset]);
	unsigned int first, end;

	if (!folio_test_large(folio))
		return 1;
	wr_stash_span(folio, offset, &first, &end);
	return count_parts(slot, folio, first, end);
}

static void move_page(struct wr_slot *from, struct wr_slot *to,
		      unsigned int offset)
{
	to->pages[offset] = from->pages[offset];
	from->pages[offset] = NULL;
	WRITE_ONCE(from->nr_resident, from->nr_resident - 1);
	WRITE_ONCE(to->nr_resident, to->nr_resident + 1);
}

static void move_large(struct wr_slot *from, struct wr_slot *to,
		       unsigned int offset, struct folio *folio)
{
	unsigned int i, end;
	u32 unit = 0;

	wr_stash_span(folio, offset, &i, &end);
	if (folio_order(folio) == WR_SLOT_SHIFT) {
		to->nr_huge = from->nr_huge;
		from->nr_huge = 0;
		from->intact = false;
	} else {
		unit = from->units & wr_slot_unit(offset);
	}
	from->units &= ~unit;
	to->units |= unit;
	for (; i < end; i++)
		if (from->pages[i] && page_folio(from->pages[i]) == folio)
			move_page(from, to, i);
}

/* Moves a page, and if it is a part of a large one all there is of that. */
void wr_stash_move(struct wr_slot *from, struct wr_slot *to,
		   unsigned int offset)
{
	struct folio *folio = page_folio(from->pages[offset]);

	if (folio_test_large(folio))
		move_large(from, to, offset, folio);
	else
		move_page(from, to, offset);
}

/* What becomes of the parts of a large page, or of another one */
enum wr_fate {
	STAYS,
	MOVES,
	SPLITS, /* some of its parts move, as pages of their own */
};

/**
 * struct wr_stashing - pages of a slot are being stashed
 * @window: their window; its lock is held, and nothing maps them
 * @stash: where they go, claimed
 * @slot: where they are
 * @first: the first page
 * @end: the page behind the last
 * @folio: the large page that was come to last
 * @fate: what becomes of that
 */
struct wr_stashing {
	struct wr_window *window;
	struct wr_stash *stash;
	struct wr_slot *slot;
	pgoff_t first;
	pgoff_t end;
	struct folio *folio;
	enum wr_fate fate;
};

/*
 * Whether nobody can write the page, of which the window has @parts, but by a PTE that
 * is yet to come. Who has offered it has promised that.
 */
static bool may_go(struct wr_stashing *at, struct folio *folio,
		   unsigned int parts)
{
	return wr_stash_class_of(at->stash) != WR_STASH_RESET ||
	       wr_page_is_shared(&folio->page) ||
	       wr_folio_is_known(folio, parts);
}

static enum wr_fate decide(struct wr_stashing *at, struct folio *folio,
			   unsigned int offset)
{
	unsigned int from = wr_slot_offset(at->first), first, end, held;
	unsigned int to = from + (at->end - at->first);

	wr_stash_span(folio, offset, &first, &end);
	held = count_parts(at->slot, folio, first, end);
	if (!may_go(at, folio, held))
		return STAYS;
	first = max(first, from);
	end = min(end, to);
	return count_parts(at->slot, folio, first, end) == held ? MOVES :
								  SPLITS;
}

static enum wr_fate fate_of(struct wr_stashing *at, unsigned int offset)
{
	struct folio *folio = page_folio(at->slot->pages[offset]);

	if (!folio_test_large(folio))
		return may_go(at, folio, 1) ? MOVES : STAYS;
	if (at->folio != folio) {
		at->folio = folio;
		at->fate = decide(at, folio, offset);
	}
	return at->fate;
}

/*
 * Has the page at @offset be one of its own. If there is no memory for that, what is
 * reset stays, and what is offered is gone at once: nobody may touch it. Return:
 * whether it is to be moved.
 */
static bool split_off(struct wr_stashing *at, unsigned int offset)
{
	pgoff_t index = wr_slot_first(at->first) + offset;

	if (!wr_resident_replace(at->window, index))
		return true;
	if (wr_stash_class_of(at->stash) == WR_STASH_RESET)
		return false;
	wr_resident_drop(at->window, index, index + 1, false);
	__set_bit(offset, at->stash->gone);
	return false;
}

static void stash_pages(struct wr_stashing *at)
{
	unsigned int i = wr_slot_offset(at->first), nr = at->slot->nr_resident;
	unsigned int end = i + (at->end - at->first);
	enum wr_fate fate;

	for (; i < end; i++) {
		if (!at->slot->pages[i])
			continue;
		fate = fate_of(at, i);
		if (fate == STAYS || (fate == SPLITS && !split_off(at, i)))
			continue;
		nr = at->slot->nr_resident;
		wr_stash_move(at->slot, &at->stash->slot, i);
		at->window->nr_resident -= nr - at->slot->nr_resident;
	}
}

/* Stashes those of [@first, @end) of one slot that can be. */
static void stash_range(struct wr_window *window, struct wr_stash *stash,
			pgoff_t first, pgoff_t end)
{
	struct wr_stashing at = {
		.window = window,
		.stash = stash,
		.slot = wr_runs_peek(&window->runs, first),
		.first = first,
		.end = end,
	};

	if (first < end && at.slot && at.slot->nr_resident &&
	    !WARN_ON_ONCE(at.slot->is_whole || !stash->slot.pages))
		stash_pages(&at);
}

/*
 * Gives the pages of [@first, @end) of one slot back to it, which has room. Parts of
 * large pages around them come as well; those that are offered go again.
 */
static void wr_stash_unstash(struct wr_window *window, struct wr_stash *stash,
			     pgoff_t first, pgoff_t end)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, first);
	unsigned int i = wr_slot_offset(first), to = i + (end - first);
	unsigned int low = i, high = to, from, till, nr;

	if (!stash->slot.nr_resident)
		return;
	nr = slot->nr_resident;
	for (; i < to; i++) {
		if (!stash->slot.pages[i])
			continue;
		wr_stash_span(page_folio(stash->slot.pages[i]), i, &from,
			      &till);
		low = min(low, from);
		high = max(high, till);
		wr_stash_move(&stash->slot, slot, i);
	}
	window->nr_resident += slot->nr_resident - nr;
	if (window->watch)
		wr_watch_look_again(window, first);
	if (wr_stash_class_of(stash) == WR_STASH_RESET ||
	    wr_stash_class_of(stash) == WR_STASH_COLD)
		return;
	stash_range(window, stash, wr_slot_first(first) + low, first);
	stash_range(window, stash, end, wr_slot_first(first) + high);
}

/*
 * Whether there is one, of a slot that begins in front of @end. To look at the key would not
 * do: of a slot's first pages that is behind @end.
 */
static bool starts_before(struct wr_stash *stash, pgoff_t end)
{
	return stash && wr_slot_first(stash->key) < end;
}

/* The part of [@first, @end) that is in the slot of @stash. */
static void clip(struct wr_stash *stash, pgoff_t *first, pgoff_t *end)
{
	*first = max(*first, wr_slot_first(stash->key));
	*end = min(*end, wr_slot_first(stash->key) + WR_SLOT_PAGES);
}

/* ---- preparing ---- */

/* Room for the pages of a slot. Return: 0 or -ENOMEM. */
int wr_stash_prepare_pages(struct wr_stash *stash, gfp_t gfp)
{
	if (!stash->slot.pages)
		stash->slot.pages =
			wr_runs_alloc(WR_SLOT_PAGES *
					      sizeof(*stash->slot.pages),
				      gfp | __GFP_ZERO);
	return stash->slot.pages ? 0 : -ENOMEM;
}

/* Whether another class has pages of the slot, which may have to go to this one. */
static bool others_have(struct wr_window *window, struct wr_stash *stash)
{
	struct wr_stash *other = find_from(window, stash->key, WR_STASH_RESET);
	pgoff_t end = wr_slot_first(stash->key) + WR_SLOT_PAGES;

	for (; other && other->key < end; other = next_of(other))
		if (other != stash && pages_in(other))
			return true;
	return false;
}

static int prepare_slot(struct wr_window *window, pgoff_t index,
			enum wr_stash_class class, gfp_t gfp)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, index);
	struct wr_stash *stash = wr_stash_find(window, index, class);
	bool others;
	int err = 0;

	if (!stash)
		stash = wr_stash_new(window, index, class, gfp);
	if (!stash)
		return -ENOMEM;
	others = class != WR_STASH_RESET && others_have(window, stash);
	if (others)
		err = wr_resident_make_room(window, index);
	if (!err && slot)
		err = wr_slot_spell_out(slot, GFP_KERNEL_ACCOUNT);
	if (!err && (others || (slot && slot->nr_resident)))
		err = wr_stash_prepare_pages(stash, GFP_KERNEL_ACCOUNT);
	return err;
}

static int yield_or_die(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/**
 * wr_stash_prepare - get the memory that stashing pages takes
 * @window: the window; its lock is held until that is done
 * @first: the first page
 * @end: the page behind the last
 * @class: which class they are to be in
 *
 * If it fails, or is not needed, wr_stash_forget() is to follow as well. It overdraws for
 * no more stashes than there are pages that may leave for them.
 *
 * Return: 0, -ENOMEM or -EINTR.
 */
int wr_stash_prepare(struct wr_window *window, pgoff_t first, pgoff_t end,
		     enum wr_stash_class class)
{
	unsigned long left = window->nr_resident;
	gfp_t gfp = GFP_KERNEL_ACCOUNT;
	struct wr_slot *slot;
	pgoff_t next;
	int err = 0;

	for (; !err && first < end; first = next) {
		slot = wr_runs_slot(&window->runs, first, &next);
		if (class == WR_STASH_RESET && (!slot || !slot->nr_resident))
			continue;
		next = wr_slot_first(first) + WR_SLOT_PAGES;
		if (!left--)
			gfp |= __GFP_NORETRY;
		err = prepare_slot(window, first, class, gfp);
		if (!err)
			err = yield_or_die();
	}
	return err;
}

/**
 * wr_stash_prepare_back - have room for pages that are to be taken back
 * @window: the window; its lock is held until that is done
 * @first: the first page
 * @end: the page behind the last
 * @set: of which classes
 *
 * Return: 0, -ENOMEM or -EINTR.
 */
int wr_stash_prepare_back(struct wr_window *window, pgoff_t first, pgoff_t end,
			  struct wr_stash_set set)
{
	struct wr_stash *stash = find_from(window, first, WR_STASH_RESET);
	int err = 0;

	for (; !err && starts_before(stash, end); stash = next_of(stash)) {
		if (is_in(stash, set) && pages_in(stash))
			err = wr_resident_make_room(window, stash->key);
		if (!err)
			err = yield_or_die();
	}
	return err;
}

/* Frees what has been prepared for a range and is not used. */
void wr_stash_forget(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_stash *stash = find_from(window, first, WR_STASH_RESET);
	struct wr_stash *next;

	for (; starts_before(stash, end); stash = next) {
		next = next_of(stash);
		wr_stash_claim(stash);
		wr_stash_settle(window, stash);
		cond_resched();
	}
}

/* ---- what cannot fail ---- */

static void note_offered(struct wr_stash *stash, unsigned int offset,
			 unsigned int n, bool offered)
{
	if (offered)
		bitmap_set(stash->offered, offset, n);
	else
		bitmap_clear(stash->offered, offset, n);
	stash->nr_offered = bitmap_weight(stash->offered, WR_SLOT_PAGES);
}

/* Takes back those of [@first, @end) of one slot. Return: how many are gone. */
static unsigned int take_back(struct wr_window *window, struct wr_stash *stash,
			      pgoff_t first, pgoff_t end)
{
	unsigned int i = wr_slot_offset(first), n = end - first, gone;
	DECLARE_BITMAP(range, WR_SLOT_PAGES) = {};

	bitmap_set(range, i, n);
	bitmap_and(range, range, stash->gone, WR_SLOT_PAGES);
	gone = bitmap_weight(range, WR_SLOT_PAGES);
	bitmap_clear(stash->gone, i, n);
	wr_stash_unstash(window, stash, first, end);
	note_offered(stash, i, n, false);
	return gone;
}

/**
 * wr_stash_take_back - pages are in use again
 * @window: the window; its lock is held, and wr_stash_prepare_back() was called
 * @first: the first page
 * @end: the page behind the last
 * @set: of which classes
 *
 * Return: how many of them have been freed.
 */
unsigned long wr_stash_take_back(struct wr_window *window, pgoff_t first,
				 pgoff_t end, struct wr_stash_set set)
{
	struct wr_stash *stash = find_from(window, first, WR_STASH_RESET);
	struct wr_stash *next;
	unsigned long gone = 0;
	pgoff_t from, to;

	for (; starts_before(stash, end); stash = next) {
		next = next_of(stash);
		if (!is_in(stash, set))
			continue;
		from = first;
		to = end;
		clip(stash, &from, &to);
		wr_stash_claim(stash);
		if (from < to)
			gone += take_back(window, stash, from, to);
		wr_stash_settle(window, stash);
		cond_resched();
	}
	return gone;
}

/* What is offered once more is as gone as before: nobody has asked yet. */
static void take_over(struct wr_window *window, struct wr_stash *stash,
		      struct wr_stash *other, pgoff_t first, pgoff_t end)
{
	DECLARE_BITMAP(range, WR_SLOT_PAGES) = {};

	wr_stash_claim(other);
	if (wr_stash_class_of(other) != WR_STASH_RESET) {
		bitmap_set(range, wr_slot_offset(first), end - first);
		bitmap_and(range, range, other->gone, WR_SLOT_PAGES);
		bitmap_or(stash->gone, stash->gone, range, WR_SLOT_PAGES);
	}
	take_back(window, other, first, end);
	/* It may be prepared for another range of the call. */
	wr_stash_put_back(other);
}

/* The pages are no longer in another class. */
static void take_over_all(struct wr_window *window, struct wr_stash *stash,
			  pgoff_t first, pgoff_t end)
{
	struct wr_stash *other = find_from(window, first, WR_STASH_RESET);
	pgoff_t stop = wr_slot_first(first) + WR_SLOT_PAGES;

	for (; other && other->key < stop; other = next_of(other))
		if (other != stash)
			take_over(window, stash, other, first, end);
}

static bool is_about_to_leave(struct wr_stash *cold, unsigned int offset)
{
	return (cold->slot.pages && cold->slot.pages[offset]) ||
	       (cold->nr_out && cold->out[offset].serial);
}

/*
 * What was freed, and has been made anew since, is whole. What is reset once more without
 * that is as gone as before: nobody has asked yet.
 */
static void forget_made_anew(struct wr_window *window, struct wr_stash *stash,
			     pgoff_t first, pgoff_t end)
{
	struct wr_stash *cold = wr_stash_find(window, first, WR_STASH_COLD);
	unsigned int i = wr_slot_offset(first);

	if (cold)
		wr_stash_claim(cold);
	for (; first < end; first++, i++)
		if (test_bit(i, stash->gone) &&
		    (wr_resident_find(window, first) ||
		     (cold && is_about_to_leave(cold, i))))
			__clear_bit(i, stash->gone);
	if (cold)
		wr_stash_put_back(cold);
}

static void put_in(struct wr_window *window, struct wr_stash *stash,
		   pgoff_t first, pgoff_t end)
{
	bool offered = wr_stash_class_of(stash) != WR_STASH_RESET;
	unsigned int i = wr_slot_offset(first), n = end - first;

	if (offered)
		take_over_all(window, stash, first, end);
	else if (!bitmap_empty(stash->gone, WR_SLOT_PAGES))
		forget_made_anew(window, stash, first, end);
	stash_range(window, stash, first, end);
	if (offered)
		note_offered(stash, i, n, true);
}

/**
 * wr_stash_put - pages may be freed from now on
 * @window: the window; its lock is held, nothing maps the pages, and
 *	wr_stash_prepare() was called
 * @first: the first page
 * @end: the page behind the last
 * @class: their class
 *
 * What is offered stays so where it is reset. wr_stash_forget() is to follow, once all
 * that was prepared is done.
 */
void wr_stash_put(struct wr_window *window, pgoff_t first, pgoff_t end,
		  enum wr_stash_class class)
{
	struct wr_stash *stash = find_from(window, first, WR_STASH_RESET);
	pgoff_t from, to;

	for (; starts_before(stash, end); stash = next_of(stash)) {
		from = first;
		to = end;
		clip(stash, &from, &to);
		if (wr_stash_class_of(stash) == class && from < to) {
			wr_stash_claim(stash);
			put_in(window, stash, from, to);
			wr_stash_put_back(stash);
			cond_resched();
		}
	}
}

static void drop_out(struct wr_stash *stash, unsigned int i, unsigned int n)
{
	for (; n && stash->nr_out; n--, i++) {
		if (!stash->out[i].serial)
			continue;
		wr_outfile_free(stash->out[i]);
		stash->out[i] = (struct wr_out){};
		stash->nr_out--;
		wr_stash_count_out(stash, -1);
	}
}

/**
 * wr_stash_drop - pages are given up, and nobody asks for them any more
 * @window: the window; its lock is held
 * @first: the first page
 * @end: the page behind the last
 */
void wr_stash_drop(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_stash *stash, *next;
	pgoff_t from, to;

	if (!wr_stash_any(window))
		return;
	stash = find_from(window, first, WR_STASH_RESET);
	for (; starts_before(stash, end); stash = next) {
		next = next_of(stash);
		from = first;
		to = end;
		clip(stash, &from, &to);
		if (from >= to)
			continue;
		wr_stash_claim(stash);
		wr_resident_drop_from(window, &stash->slot, from, to);
		if (stash->nr_out)
			drop_out(stash, wr_slot_offset(from), to - from);
		bitmap_clear(stash->gone, wr_slot_offset(from), to - from);
		note_offered(stash, wr_slot_offset(from), to - from, false);
		wr_stash_settle(window, stash);
		cond_resched();
	}
}

static int take_back_one(struct wr_window *window, struct wr_stash *stash,
			 pgoff_t index)
{
	int err;

	if (!stash->slot.nr_resident ||
	    !stash->slot.pages[wr_slot_offset(index)])
		return 0;
	err = wr_resident_make_room(window, index);
	if (!err)
		wr_stash_unstash(window, stash, index, index + 1);
	return err;
}

static void note_in(struct wr_window *window, struct wr_stash *stash,
		    pgoff_t index)
{
	unsigned int offset = wr_slot_offset(index);

	stash->out[offset] = (struct wr_out){};
	stash->nr_out--;
	wr_stash_count_out(stash, -1);
	stash->next_in = offset + 1;
	trace_wr_page_in(window->space->mm, index, index + 1);
}

/* Whether a page is offered, whatever its priority. */
static bool is_offered(struct wr_window *window, pgoff_t index)
{
	pgoff_t end = wr_slot_first(index) + WR_SLOT_PAGES;
	struct wr_stash *stash = find_from(window, index, WR_STASH_OFFER_FIRST);

	for (; starts_before(stash, end); stash = next_of(stash))
		if (test_bit(wr_slot_offset(index), stash->offered))
			return true;
	return false;
}

/*
 * A page is to be read. A program that goes through its memory will want those behind it
 * next, which takes as many faults less: others would only have more of it read, and
 * written again, than they use.
 */
static void want_behind(struct wr_window *window, struct wr_stash *stash,
			pgoff_t index)
{
	unsigned int offset = wr_slot_offset(index), end;

	if (offset - stash->next_in >= WR_UNIT_PAGES)
		return;
	end = min(offset + 1 + WR_MOST_BEHIND, WR_SLOT_PAGES);
	while (++offset < end) {
		index++;
		if (stash->out[offset].serial && !is_offered(window, index))
			wr_pageout_want_behind(window, index,
					       stash->out[offset]);
	}
}

/*
 * Those that were read with the one at @index, and are where they were then. What has
 * been offered meanwhile is left there: nobody is to get at it.
 */
static void bring_behind(struct wr_window *window, struct wr_stash *stash,
			 pgoff_t index)
{
	struct wr_room *room = window->held.room;
	struct wr_behind *behind;
	struct wr_out *out;
	unsigned int i;

	for (i = 0; i < room->nr_behind; i++) {
		behind = &room->behind[i];
		if (wr_slot_first(behind->index) != wr_slot_first(index))
			return;
		out = &stash->out[wr_slot_offset(behind->index)];
		if (!wr_out_is(*out, behind->out) ||
		    is_offered(window, behind->index) ||
		    !wr_pageout_undo_behind(window, behind))
			continue;
		note_in(window, stash, behind->index);
		if (behind->index == index + 1 + room->came)
			room->came++;
	}
}

/* The same of one that was to leave, or has left. */
static int bring_back(struct wr_window *window, struct wr_stash *stash,
		      pgoff_t index)
{
	unsigned int offset = wr_slot_offset(index);
	struct wr_room *room = window->held.room;
	int err = take_back_one(window, stash, index);

	if (err || !stash->nr_out || !stash->out[offset].serial)
		return err;
	err = wr_pageout_undo(window, index, stash->out[offset]);
	if (err && room && room->wants)
		want_behind(window, stash, index);
	if (err)
		return err;
	note_in(window, stash, index);
	if (room)
		bring_behind(window, stash, index);
	return 0;
}

/* See wr_stash_touch(). */
int wr_stash_touch_any(struct wr_window *window, pgoff_t index)
{
	struct wr_stash *reset = wr_stash_find(window, index, WR_STASH_RESET);
	struct wr_stash *cold = wr_stash_find(window, index, WR_STASH_COLD);
	int err = 0;

	if (is_offered(window, index))
		return -EACCES;
	if (reset && pages_in(reset)) {
		wr_stash_claim(reset);
		err = take_back_one(window, reset, index);
		wr_stash_settle(window, reset);
	}
	if (!err && cold) {
		wr_stash_claim(cold);
		err = bring_back(window, cold, index);
		wr_stash_settle(window, cold);
	}
	return err;
}

/* A page that is leaving is first in @nr_out, and only then no more in the slot. */
static bool has_any(struct wr_stash *stash)
{
	if (pages_in(stash))
		return true;
	smp_rmb(); /* pairs with wr_stash_note_out() */
	return READ_ONCE(stash->nr_out);
}

/**
 * wr_stash_in_slot - whether pages of a slot are stashed, or offered
 * @window: the window; its lock is held
 * @index: a page of the slot
 *
 * If not, pages that are missing there are no others'.
 *
 * Return: whether.
 */
bool wr_stash_in_slot(struct wr_window *window, pgoff_t index)
{
	pgoff_t end = wr_slot_first(index) + WR_SLOT_PAGES;
	struct wr_stash *stash;

	if (likely(!wr_stash_any(window)))
		return false;
	stash = find_from(window, index, WR_STASH_RESET);
	for (; starts_before(stash, end); stash = next_of(stash))
		if (stash->nr_offered || has_any(stash))
			return true;
	return false;
}

/* Whether pages of one slot are offered, whatever their priority. */
static bool slot_is_offered(struct wr_window *window, pgoff_t first,
			    pgoff_t end)
{
	struct wr_stash *stash = find_from(window, first, WR_STASH_OFFER_FIRST);
	DECLARE_BITMAP(missing, WR_SLOT_PAGES) = {};

	bitmap_set(missing, wr_slot_offset(first), end - first);
	for (; stash && stash->key < wr_slot_first(first) + WR_SLOT_PAGES;
	     stash = next_of(stash))
		bitmap_andnot(missing, missing, stash->offered, WR_SLOT_PAGES);
	return bitmap_empty(missing, WR_SLOT_PAGES);
}

/* Whether all pages of a range are offered. The window is locked. */
bool wr_stash_offered(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	bool offered = true;
	pgoff_t next;

	for (; offered && first < end; first = next) {
		next = min(end, wr_slot_first(first) + WR_SLOT_PAGES);
		offered = slot_is_offered(window, first, next);
		cond_resched();
	}
	return offered;
}

/* Whether pages of the range are about to leave, or out. The window is locked. */
bool wr_stash_any_cold(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_stash *stash = NULL;

	if (wr_stash_any(window))
		stash = find_from(window, first, WR_STASH_RESET);
	for (; starts_before(stash, end); stash = next_of(stash))
		if (wr_stash_class_of(stash) == WR_STASH_COLD)
			return true;
	return false;
}

/* Pages of the range that are stashed, and in memory. The window is locked. */
unsigned long wr_stash_count(struct wr_window *window, pgoff_t first,
			     pgoff_t end)
{
	struct wr_stash *stash = NULL;
	unsigned long n = 0;
	pgoff_t from, to;

	if (wr_stash_any(window))
		stash = find_from(window, first, WR_STASH_RESET);
	for (; starts_before(stash, end); stash = next_of(stash)) {
		from = first;
		to = end;
		clip(stash, &from, &to);
		if (!pages_in(stash))
			continue;
		wr_stash_claim(stash);
		for (; from < to && stash->slot.pages; from++)
			n += !!stash->slot.pages[wr_slot_offset(from)];
		wr_stash_settle(window, stash);
		cond_resched();
	}
	return n;
}

/* Which pages of a slot a child has: not those of a VMA that it did not get. */
static void find_copied(struct wr_window *child, pgoff_t first,
			unsigned long *copied)
{
	pgoff_t at = first, end = first + WR_SLOT_PAGES, next;
	u8 state;

	bitmap_zero(copied, WR_SLOT_PAGES);
	for (; at < end; at = next) {
		state = wr_runs_span(&child->runs, at, end, &next);
		if (!wr_state_is_lost(state))
			bitmap_set(copied, at - first, next - at);
	}
}

/* What is out both have; what is not has been taken back. */
static int fork_out(struct wr_stash *copy, struct wr_stash *stash,
		    const unsigned long *copied)
{
	unsigned int i;
	int err;

	copy->out = wr_runs_alloc(WR_SLOT_PAGES * sizeof(*copy->out),
				  GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!copy->out)
		return -ENOMEM;
	for_each_set_bit(i, copied, WR_SLOT_PAGES) {
		if (!stash->out[i].serial)
			continue;
		err = wr_outfile_share(stash->out[i]);
		if (err)
			return err;
		copy->out[i] = stash->out[i];
		copy->nr_out++;
		wr_stash_count_out(copy, 1);
	}
	return 0;
}

/* The child has none of the pages, and is told so when it asks for them. */
static void fork_gone(struct wr_stash *copy, struct wr_stash *stash,
		      const unsigned long *copied)
{
	unsigned int i;

	bitmap_and(copy->gone, stash->gone, copied, WR_SLOT_PAGES);
	bitmap_and(copy->offered, stash->offered, copied, WR_SLOT_PAGES);
	copy->nr_offered = bitmap_weight(copy->offered, WR_SLOT_PAGES);
	if (!stash->slot.nr_resident)
		return;
	for_each_set_bit(i, copied, WR_SLOT_PAGES)
		if (stash->slot.pages[i])
			__set_bit(i, copy->gone);
}

static int fork_stash(struct wr_window *child, struct wr_stash *stash)
{
	DECLARE_BITMAP(copied, WR_SLOT_PAGES);
	struct wr_stash *copy;
	int err = 0;

	find_copied(child, wr_slot_first(stash->key), copied);
	if (bitmap_empty(copied, WR_SLOT_PAGES))
		return 0;
	copy = wr_stash_new(child, stash->key, wr_stash_class_of(stash),
			    GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	if (stash->nr_out)
		err = fork_out(copy, stash, copied);
	else
		fork_gone(copy, stash, copied);
	if (!err)
		wr_stash_settle(child, copy);
	return err;
}

/**
 * wr_stash_fork - what a child knows of the stashed pages of its parent
 * @parent: the parent's window
 * @child: the child's; both are locked
 *
 * Return: 0, -ENOMEM or -EINTR.
 */
int wr_stash_fork(struct wr_window *parent, struct wr_window *child)
{
	struct wr_stash *stash = to_stash(rb_first(&parent->stashes));
	struct wr_stash *next;
	int err = 0;

	for (; stash && !err; stash = next) {
		next = next_of(stash);
		wr_stash_claim(stash);
		err = fork_stash(child, stash);
		wr_stash_settle(parent, stash);
		if (!err)
			err = yield_or_die();
	}
	return err;
}

/* Pages of @stashes, if they have as many as all have on average. */
unsigned long wr_stash_estimate(struct wr_stash_sum *sum, unsigned long stashes)
{
	long pages = max(atomic_long_read(&sum->pages), 1L);
	long all = max(atomic_long_read(&sum->stashes), 1L);

	return stashes * DIV_ROUND_UP(pages, all);
}

/**
 * wr_stash_init - the module has come
 *
 * Return: 0 or -ENOMEM.
 */
int wr_stash_init(void)
{
	cache = kmem_cache_create("winregion_stash", sizeof(struct wr_stash), 0,
				  SLAB_ACCOUNT, NULL);
	return cache ? 0 : -ENOMEM;
}

/* The module is about to go. */
void wr_stash_exit(void)
{
	kmem_cache_destroy(cache);
}
