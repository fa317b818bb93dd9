// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages are to leave memory: those that were not used since it was looked last.
 *
 * Windows are in lists, one for each memory cgroup and node, from the first fault in
 * them on, or from the fork that made them, as long as they have pages. Each goes to the
 * end of its list once it was looked at, and what is looked at in it goes on where it
 * ended: a clock, with the accessed bits of the page tables, which are taken away, for its
 * hand. TLBs are not flushed for them, as the core does not either. Once round a window
 * rests, so that there is time to use its pages before they are looked at again.
 *
 * It is called by who waits for memory, maybe under any of our locks. So it only tries
 * those that it needs: mmap_lock, that of the window, and those of pages. Without mmap_lock,
 * which a thread that maps has, or one that waits for memory, it cannot look at page tables:
 * then what is mapped counts as used, and is unmapped, by its file. A page whose
 * lock it has is mapped by no fault that is on its way, nor will be before the window's
 * lock is free. Once it is unmapped its references tell whether anybody else has it:
 * if so, it stays.
 *
 * What relatives by a fork own too leaves each of them, once none maps it: so whoever has
 * not used it lately unmaps it, and who comes last has it leave. What is locked, or a
 * view's, stays. That a watched page was written is noted before it leaves.
 */
#include <linux/bitmap.h>
#include <linux/list_lru.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/oom.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>
#include <linux/slab.h>

#include "account.h"
#include "commit.h"
#include "locked.h"
#include "pageout.h"
#include "ptes.h"
#include "resident.h"
#include "stash_in.h"
#include "trim.h"
#include "watch.h"

/* For what is made while memory is short, and stays until its pages are back */
#define TRIM_GFP (GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN)

/* Most entries of a window's states that are passed at a time */
#define MOST_STEPS 64

/* So long a window rests, unless there is nothing else */
#define REST (HZ / 10)

/**
 * struct wr_trim - a window in a list
 * @list: the list, or empty while the window has no pages; the list's lock, and what is
 *	in which list is changed under the window's
 * @window: the window, which has this one, and so is there
 * @next: where to look next; the window's lock
 * @left: so many pages are to be looked at before it rests; the window's lock
 * @rests: until then it does; jiffies; written under the window's lock
 * @memcg: the memory cgroup whose list it is in, with a reference; the window's lock
 */
struct wr_trim {
	struct list_head list;
	struct wr_window *window;
	pgoff_t next;
	unsigned long left;
	unsigned long rests;
	struct mem_cgroup *memcg;
};

static struct kmem_cache *cache;
static struct list_lru list;
static atomic_long_t nr_windows;

/* Whose the process is; it may be another's with each call. Called under RCU. */
static struct mem_cgroup *memcg_of(struct mm_struct *mm)
{
#ifdef CONFIG_MEMCG
	return mem_cgroup_from_task(wr_mm_owner(mm));
#else
	return NULL;
#endif
}

static void go_to_list(struct wr_trim *trim)
{
	if (list_lru_add_obj(&list, &trim->list))
		atomic_long_inc(&nr_windows);
}

static void leave_list(struct wr_trim *trim)
{
	if (list_lru_del_obj(&list, &trim->list))
		atomic_long_dec(&nr_windows);
}

/* What has no pages is in nobody's way: there may be thousands. */
static void leave_if_empty(struct wr_window *window)
{
	if (!window->nr_resident && window->trim)
		leave_list(window->trim);
}

static void free_trim(struct wr_trim *trim)
{
	leave_list(trim);
	mem_cgroup_put(trim->memcg);
	kmem_cache_free(cache, trim);
}

static void *alloc_trim(const void *unused, gfp_t gfp)
{
	return kmem_cache_alloc_lru(cache, &list, gfp);
}

/* Without memory it waits for the next time. */
static void bring_to_list(struct wr_window *window, struct mem_cgroup *memcg)
{
	struct wr_trim *trim, *old = window->trim;

	trim = wr_runs_alloc_by(alloc_trim, NULL, GFP_KERNEL_ACCOUNT);
	if (!trim) {
		mem_cgroup_put(memcg);
		if (old)
			go_to_list(old);
		return;
	}
	INIT_LIST_HEAD(&trim->list);
	trim->window = window;
	trim->next = old ? old->next : window->first;
	trim->left = window->end - window->first;
	trim->rests = jiffies;
	trim->memcg = memcg;
	window->trim = trim;
	go_to_list(trim);
	if (old)
		free_trim(old);
}

/**
 * wr_trim_note - a window has pages now, or gets more
 * @window: the window; its lock is held
 * @payer: who pays for them
 *
 * The list is the one of who pays, so it changes when that one moves to another memory
 * cgroup.
 */
void wr_trim_note(struct wr_window *window, struct mm_struct *payer)
{
	struct wr_trim *trim = window->trim;
	struct mem_cgroup *memcg;
	bool moved;

	lockdep_assert_held(&window->lock);
	if (window->view)
		return;
	rcu_read_lock();
	memcg = memcg_of(payer);
	moved = (!trim || trim->memcg != memcg) && wr_memcg_tryget(memcg);
	rcu_read_unlock();
	if (unlikely(moved))
		bring_to_list(window, memcg);
	else if (unlikely(trim && list_empty(&trim->list)))
		go_to_list(trim);
}

/* The window has no references left. */
void wr_trim_forget(struct wr_window *window)
{
	if (window->trim)
		free_trim(window->trim);
}

/* ---- one slot ---- */

/**
 * struct wr_leaving - pages of a slot that are to leave
 * @window: their window; its lock is held
 * @slot: the slot, whose pages are spelled out
 * @first: its first page
 * @from: the first offset that may
 * @to: the offset behind the last
 * @stay: those that must not, as they were used
 * @chosen: those whose folios are locked by us
 * @moved: pages that are to leave now
 * @unmapped: pages, or folios, that are not
 */
struct wr_leaving {
	struct wr_window *window;
	struct wr_slot *slot;
	pgoff_t first;
	unsigned int from;
	unsigned int to;
	DECLARE_BITMAP(stay, WR_SLOT_PAGES);
	DECLARE_BITMAP(chosen, WR_SLOT_PAGES);
	unsigned int moved;
	unsigned int unmapped;
};

static bool is_part(struct wr_slot *slot, unsigned int offset,
		    struct folio *folio)
{
	struct page *page = slot->pages[offset];

	return page && page_folio(page) == folio;
}

/*
 * Whether nobody has a reference to a folio but who owns it. Of one that others own, too,
 * all parts go at a time, see pageout.c.
 */
static bool is_known(struct wr_leaving *leaving, struct folio *folio,
		     unsigned int offset)
{
	unsigned int parts = wr_stash_held(leaving->slot, offset);

	if (wr_page_is_shared(&folio->page))
		return parts <= WR_UNIT_PAGES && wr_folio_is_owners(folio);
	return wr_folio_is_known(folio, parts);
}

/*
 * Where page tables cannot be looked at: what is mapped was used since it was unmapped here,
 * and is unmapped now. That a slot is mapped as a whole is not changed for it.
 */
static void stay_if_mapped(struct wr_leaving *leaving)
{
	struct wr_slot *slot = leaving->slot;
	unsigned int i;

	if (slot->is_whole || slot->intact) {
		bitmap_fill(leaving->stay, WR_SLOT_PAGES);
		return;
	}
	for (i = leaving->from; i < leaving->to; i++)
		if (slot->pages[i] &&
		    folio_mapped(page_folio(slot->pages[i]))) {
			__set_bit(i, leaving->stay);
			leaving->unmapped++;
		}
	if (leaving->unmapped)
		wr_resident_zap(leaving->window, leaving->first + leaving->from,
				leaving->first + leaving->to);
}

/* Which pages were used since it was looked last, as far as that can be told. */
static void find_used(struct wr_leaving *leaving, bool any_age)
{
	if (leaving->window->held.mmap)
		wr_ptes_age(leaving->window, leaving->first, leaving->stay,
			    any_age);
	else if (!any_age)
		stay_if_mapped(leaving);
}

/* Whether each part that the window has of a folio may leave. */
static bool may_leave(struct wr_leaving *leaving, struct folio *folio,
		      unsigned int offset)
{
	unsigned int i, end;

	/* What somebody has is not unmapped only to stay. */
	if (!is_known(leaving, folio, offset))
		return false;
	wr_stash_span(folio, offset, &i, &end);
	for (; i < end; i++) {
		if (!is_part(leaving->slot, i, folio))
			continue;
		if (i < leaving->from || i >= leaving->to ||
		    test_bit(i, leaving->stay) ||
		    PageHWPoison(leaving->slot->pages[i]) ||
		    wr_locked_has(leaving->window, leaving->first + i))
			return false;
	}
	return true;
}

static void note_parts(struct wr_leaving *leaving, struct folio *folio,
		       unsigned int offset, bool chosen)
{
	unsigned int i, end;

	wr_stash_span(folio, offset, &i, &end);
	for (; i < end; i++) {
		if (!is_part(leaving->slot, i, folio))
			continue;
		if (chosen)
			__set_bit(i, leaving->chosen);
		else
			__set_bit(i, leaving->stay);
	}
}

static void choose(struct wr_leaving *leaving)
{
	struct wr_slot *slot = leaving->slot;
	struct folio *folio;
	unsigned int i;

	for (i = leaving->from; i < leaving->to; i++) {
		if (!slot->pages[i] || test_bit(i, leaving->chosen) ||
		    test_bit(i, leaving->stay))
			continue;
		folio = page_folio(slot->pages[i]);
		note_parts(leaving, folio, i,
			   may_leave(leaving, folio, i) &&
				   folio_trylock(folio));
	}
}

static void unmap_chosen(struct wr_leaving *leaving)
{
	unsigned int first, end;

	if (leaving->slot->intact) {
		leaving->slot->intact = false;
		wr_resident_zap(leaving->window, leaving->first,
				leaving->first + WR_SLOT_PAGES);
		return;
	}
	for_each_set_bitrange(first, end, leaving->chosen, WR_SLOT_PAGES)
		wr_resident_zap(leaving->window, leaving->first + first,
				leaving->first + end);
}

/* Unlocks a folio. Return: whether nobody has it but who owns it, and nothing maps it. */
static bool is_unused(struct wr_leaving *leaving, struct folio *folio,
		      unsigned int offset)
{
	bool unused = !folio_mapped(folio) && is_known(leaving, folio, offset);

	folio_unlock(folio);
	return unused;
}

static void clear_parts(struct wr_leaving *leaving, struct folio *folio,
			unsigned int offset)
{
	unsigned int i, end;

	wr_stash_span(folio, offset, &i, &end);
	for (; i < end; i++)
		if (is_part(leaving->slot, i, folio))
			__clear_bit(i, leaving->chosen);
}

static void move_chosen(struct wr_leaving *leaving, struct wr_stash *stash)
{
	struct wr_slot *slot = leaving->slot;
	struct folio *folio;
	unsigned int nr, i;

	for (;;) {
		i = find_first_bit(leaving->chosen, WR_SLOT_PAGES);
		if (i == WR_SLOT_PAGES)
			break;
		folio = page_folio(slot->pages[i]);
		clear_parts(leaving, folio, i);
		if (!is_unused(leaving, folio, i)) {
			leaving->unmapped++;
			continue;
		}
		nr = slot->nr_resident;
		wr_stash_move(slot, &stash->slot, i);
		leaving->moved += nr - slot->nr_resident;
	}
	leaving->window->nr_resident -= leaving->moved;
}

/*
 * What it takes to know where pages are is not to be more than what they leave: a program
 * can have one in each slot.
 */
static void forget_room(struct wr_slot *slot)
{
	if (slot->nr_resident)
		return;
	kfree(slot->pages);
	slot->pages = NULL;
}

/* A stash with room for all that can come, claimed, or NULL. */
static struct wr_stash *prepare(struct wr_leaving *leaving, gfp_t gfp)
{
	struct wr_window *window = leaving->window;
	struct wr_stash *stash;

	if (wr_slot_spell_out(leaving->slot, gfp))
		return NULL;
	if (window->watch && wr_watch_prepare_slot(window, leaving->first, gfp))
		return NULL;
	stash = wr_stash_find(window, leaving->first, WR_STASH_COLD);
	if (!stash)
		stash = wr_stash_new(window, leaving->first, WR_STASH_COLD,
				     gfp);
	if (!stash)
		return NULL;
	wr_stash_claim(stash);
	if (!stash->out)
		stash->out = wr_runs_alloc(WR_SLOT_PAGES * sizeof(*stash->out),
					   gfp | __GFP_ZERO);
	if (stash->out && !wr_stash_prepare_pages(stash, gfp))
		return stash;
	wr_stash_settle(window, stash);
	return NULL;
}

/* Whether a page of the slot may leave, if that can be seen before there is room for it. */
static bool has_any(struct wr_leaving *leaving)
{
	struct wr_slot *slot = leaving->slot;
	struct folio *folio;
	unsigned int i;

	if (slot->is_whole)
		return !bitmap_full(leaving->stay, WR_SLOT_PAGES);
	for (i = leaving->from; i < leaving->to; i++) {
		if (!slot->pages[i] || test_bit(i, leaving->stay))
			continue;
		folio = page_folio(slot->pages[i]);
		if (may_leave(leaving, folio, i))
			return true;
		note_parts(leaving, folio, i, false);
	}
	return false;
}

/* Has pages of [@first, @end) of one slot leave that were not used lately, or all. */
static void trim_slot(struct wr_window *window, pgoff_t first, pgoff_t end,
		      struct wr_slot *slot, struct wr_trimming *trimming,
		      gfp_t gfp)
{
	struct wr_leaving leaving = {
		.window = window,
		.slot = slot,
		.first = wr_slot_first(first),
		.from = wr_slot_offset(first),
		.to = wr_slot_offset(first) + (end - first),
	};
	struct wr_stash *stash;

	find_used(&leaving, trimming->any_age);
	trimming->unmapped += leaving.unmapped;
	if (!has_any(&leaving))
		return;
	leaving.unmapped = 0;
	stash = prepare(&leaving, gfp);
	if (!stash)
		return;
	choose(&leaving);
	if (!bitmap_empty(leaving.chosen, WR_SLOT_PAGES)) {
		unmap_chosen(&leaving);
		if (window->watch)
			wr_watch_collect(window, leaving.first,
					 leaving.first + WR_SLOT_PAGES);
		move_chosen(&leaving, stash);
		forget_room(slot);
	}
	wr_stash_settle(window, stash);
	trimming->moved += leaving.moved;
	trimming->unmapped += leaving.unmapped;
}

/* ---- windows ---- */

/* Whether the window, of which so many pages were looked at, rests now. */
static bool is_round(struct wr_trim *trim, unsigned long pages)
{
	if (trim->left > pages) {
		trim->left -= pages;
		return false;
	}
	trim->left = trim->window->end - trim->window->first;
	WRITE_ONCE(trim->rests, jiffies + REST);
	return true;
}

static void go_round(struct wr_window *window, struct wr_trimming *trimming)
{
	struct wr_trim *trim = window->trim;
	unsigned int steps;
	struct wr_slot *slot;
	pgoff_t first, next;

	for (steps = 0; steps < MOST_STEPS; steps++) {
		if (trimming->moved >= trimming->wanted ||
		    trimming->unmapped >= trimming->wanted ||
		    !window->nr_resident)
			return;
		if (!wr_window_has(window, trim->next))
			trim->next = window->first;
		first = trim->next;
		slot = wr_runs_slot(&window->runs, first, &next);
		next = min(next, window->end);
		if (slot && slot->nr_resident) {
			trimming->looked += slot->nr_resident;
			trim_slot(window, first, next, slot, trimming,
				  TRIM_GFP | trimming->kept);
		}
		trim->next = next;
		if (is_round(trim, next - first))
			return;
		cond_resched();
	}
}

static bool is_locked_at(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr);

	return vma && vma->vm_start <= addr && vma->vm_flags & VM_LOCKED;
}

/*
 * Whether mlockall() was called: for what comes, or for what was there. Our VMAs are among
 * those that the core does not mark then; but it marks the stack, and the program, both of
 * which nobody locks by name.
 */
static bool is_all_locked(struct mm_struct *mm)
{
	return mm->def_flags & VM_LOCKED ||
	       (is_locked_at(mm, READ_ONCE(mm->start_stack)) &&
		is_locked_at(mm, READ_ONCE(mm->start_code)));
}

/*
 * What is not a file's cannot leave where all is locked. Without mmap_lock nothing does where
 * anything is but by WINREGION_LOCK, which each page knows.
 */
static bool is_kept(struct wr_window *window)
{
	struct mm_struct *mm = window->space->mm;

	if (window->view)
		return true;
	if (window->held.mmap)
		return is_all_locked(mm);
	return mm->def_flags & VM_LOCKED ||
	       READ_ONCE(mm->locked_vm) >
		       READ_ONCE(window->space->locked_charge);
}

/* What a virtual machine uses, or a device, it tells to nobody whom we could ask. */
static bool is_used_unseen(struct wr_window *window,
			   const struct wr_trimming *trimming)
{
	return mm_has_notifiers(window->space->mm) && !trimming->any_age;
}

static void trim_locked(struct wr_window *window, struct wr_trimming *trimming)
{
	if (!window->nr_resident)
		trimming->passed++;
	else if (!window->dead && !is_kept(window) &&
		 !is_used_unseen(window, trimming))
		go_round(window, trimming);
	leave_if_empty(window);
}

/*
 * What a fork has begun is not charged to whose it will be, nor are its VMAs all there. Nor
 * does what could not be written leave; a list may have windows of any group.
 */
static bool may_trim(struct mm_struct *mm)
{
	return wr_mm_is_whole(mm) && !check_stable_address_space(mm) &&
	       wr_pageout_is_possible(mm);
}

static void trim_window(struct wr_window *window, struct wr_trimming *trimming)
{
	struct mm_struct *mm = window->space->mm;
	struct wr_account account;
	bool mmap;

	if (!mmget_not_zero(mm))
		return;
	mmap = mmap_read_trylock(mm);
	if (!may_trim(mm))
		goto out;
	if (!mutex_trylock(&window->lock)) {
		trimming->busy++;
		goto out;
	}
	wr_account_begin(&account, mm);
	window->held.mmap = mmap;
	trim_locked(window, trimming);
	window->held.mmap = false;
	wr_account_end(&account);
	mutex_unlock(&window->lock);
out:
	if (mmap)
		mmap_read_unlock(mm);
	mmput_async(mm);
}

/* Most windows that are looked at to come to the next list, at first */
#define MOST_LOOKED 65536

/**
 * struct wr_taking - a window is being looked for
 * @window: the first of a list; a reference, or NULL
 * @rests: whether it does
 * @one: the list that was looked at last
 * @nr: how many lists before that
 * @pass: how many are to be passed over
 */
struct wr_taking {
	struct wr_window *window;
	bool rests;
	struct list_lru_one *one;
	unsigned int nr;
	unsigned int pass;
};

/* Called with the lock of the list. */
static enum lru_status take_window(struct list_head *item,
				   struct list_lru_one *one, void *data)
{
	struct wr_trim *trim = container_of(item, struct wr_trim, list);
	struct wr_taking *taking = data;

	if (taking->window || taking->one == one)
		return LRU_SKIP;
	taking->one = one;
	if (taking->nr++ < taking->pass)
		return LRU_SKIP;
	if (refcount_inc_not_zero(&trim->window->refs)) {
		taking->window = trim->window;
		taking->rests = time_before(jiffies, READ_ONCE(trim->rests));
	}
	return LRU_ROTATE;
}

WR_DEFINE_LRU_WALK(take_window)

/* Return: a window, with a reference, or NULL */
static struct wr_window *next_window(const struct wr_where *where, bool *rests)
{
	struct wr_taking taking = { .pass = where->turn };
	unsigned long most = where->any ? wr_look_further(where, MOST_LOOKED) :
					  1;

	wr_lru_walk_some(&list, where, most, wr_lru_walk(take_window), &taking);
	if (!taking.window && taking.nr && where->any) {
		taking = (struct wr_taking){ .pass = where->turn % taking.nr };
		wr_lru_walk_some(&list, where, most, wr_lru_walk(take_window),
				 &taking);
	}
	*rests = taking.rests;
	return taking.window;
}

/**
 * wr_trim_next - look for pages in the next window
 * @where: of whom
 * @trimming: what to look for
 *
 * Context: as of reclaim; only tries locks.
 * Return: whether there was one.
 */
bool wr_trim_next(const struct wr_where *where, struct wr_trimming *trimming)
{
	struct wr_window *window;
	bool rests;

	window = next_window(where, &rests);
	if (!window)
		return false;
	if (rests && !trimming->any_age && !trimming->again) {
		trimming->passed++;
	} else {
		trimming->looked++;
		trim_window(window, trimming);
	}
	wr_window_put(window);
	return true;
}

/* Whether there are windows that have, or had, pages. */
bool wr_trim_any(struct shrink_control *sc)
{
	return list_lru_shrink_count(&list, sc);
}

/* An estimate of the pages that may leave: all windows have as many. */
unsigned long wr_trim_count(struct shrink_control *sc)
{
	unsigned long windows = list_lru_shrink_count(&list, sc);
	unsigned long all = max(atomic_long_read(&nr_windows), 1L);
	unsigned long pages = wr_commit_resident();

	pages -= min(pages, wr_outfile_used());
	return windows * DIV_ROUND_UP(pages, all);
}

/**
 * wr_trim_range - have pages leave at once, used or not
 * @window: the window; its lock is held, and mmap_lock
 * @first: the first page
 * @end: the page behind the last
 *
 * Those that can. Whether there is memory for it does not matter.
 */
void wr_trim_range(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_trimming trimming = { .any_age = true };
	struct wr_slot *slot;
	pgoff_t next;

	lockdep_assert_held(&window->lock);
	if (is_kept(window))
		return;
	for (; first < end; first = next) {
		slot = wr_runs_slot(&window->runs, first, &next);
		next = min(next, end);
		if (slot && slot->nr_resident)
			trim_slot(window, first, next, slot, &trimming,
				  GFP_KERNEL_ACCOUNT);
		cond_resched();
	}
	leave_if_empty(window);
}

/**
 * wr_trim_init - the module has come
 * @shrinker: which will ask
 *
 * Return: 0 or -ENOMEM.
 */
int wr_trim_init(struct shrinker *shrinker)
{
	int err;

	cache = kmem_cache_create("winregion_trim", sizeof(struct wr_trim), 0,
				  SLAB_ACCOUNT, NULL);
	if (!cache)
		return -ENOMEM;
	err = list_lru_init_memcg(&list, shrinker);
	if (err)
		kmem_cache_destroy(cache);
	return err;
}

/* The module is about to go: no window is left. */
void wr_trim_exit(void)
{
	list_lru_destroy(&list);
	kmem_cache_destroy(cache);
}
