// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages of a window are locked, so that they stay in memory.
 *
 * A second map of runs, made for a window when the first of its pages is locked. What
 * is locked can be read, and is in memory, or just coming there: whoever takes pages
 * away, or the right to read them, has them no longer locked (wr_locked_clear()), and
 * whoever looks for pages that can leave memory asks wr_locked_has(). Pages of a file,
 * in a view, are the core's to evict: they are pinned as long as they are locked. A
 * child has no pages that are locked.
 *
 * What a process has locked counts in its mm->locked_vm, and so in RLIMIT_MEMLOCK.
 * That takes mmap_lock for writing, which most that unlock do not have, or could not
 * take. So a space has a counter of its own, and locked_vm follows: at once where a
 * call locks, at the end of calls that can unlock, and by a worker where a program has
 * unmapped something.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "locked.h"

/**
 * struct wr_locked - what of a window is locked
 * @runs: WR_UNLOCKED, WR_LOCKING, WR_LOCKED or WR_LOCKED_LARGE for each of its pages
 * @pins: pages of a file that are pinned for it, by index
 *
 * The window's lock protects it.
 */
struct wr_locked {
	struct wr_runs runs;
	struct xarray pins;
};

/* ---- the charge ---- */

/* Spaces of which the worker is to look, with a reference. */
static LIST_HEAD(unsettled);
static DEFINE_SPINLOCK(unsettled_lock); /* a leaf */

static struct wr_space *next_unsettled(void)
{
	struct wr_space *space;

	spin_lock(&unsettled_lock);
	space = list_first_entry_or_null(&unsettled, struct wr_space,
					 unsettled);
	if (space)
		list_del_init(&space->unsettled);
	spin_unlock(&unsettled_lock);
	return space;
}

static void settle_all(struct work_struct *work);
static DECLARE_DELAYED_WORK(settle_work, settle_all);

/* Of a process that ends nobody asks what it has locked. */
static void settle_later(struct wr_space *space)
{
	bool is_new;

	if (!atomic_read(&space->mm->mm_users))
		return;
	spin_lock(&unsettled_lock);
	is_new = list_empty(&space->unsettled);
	if (is_new) {
		wr_space_get(space);
		list_add_tail(&space->unsettled, &unsettled);
	}
	spin_unlock(&unsettled_lock);
	if (is_new) /* else the worker is about to come */
		mod_delayed_work(wr_percpu_wq, &settle_work, 0);
}

/**
 * wr_locked_charge - have locked_vm say what is locked
 * @space: whose; its mmap_lock is held for writing
 *
 * Return: 0, or -EAGAIN if RLIMIT_MEMLOCK does not allow it: then nothing is changed.
 */
int wr_locked_charge(struct wr_space *space)
{
	unsigned long now = atomic_long_read(&space->locked);
	unsigned long before = space->locked_charge;
	int err = 0;

	if (now > before)
		err = __account_locked_vm(space->mm, now - before, true,
					  current, capable(CAP_IPC_LOCK));
	else if (now < before)
		__account_locked_vm(space->mm, before - now, false, current,
				    false);
	if (err)
		return -EAGAIN;
	WRITE_ONCE(space->locked_charge, now);
	return 0;
}

static bool is_settled(struct wr_space *space)
{
	return READ_ONCE(space->locked_charge) ==
	       atomic_long_read(&space->locked);
}

/* Return: whether it is done: mmap_lock may be held for as long as a program likes. */
static bool try_settle(struct wr_space *space)
{
	bool done;

	if (!mmget_not_zero(space->mm))
		return true;
	done = is_settled(space);
	if (!done && wr_mmap_trylock(space->mm)) {
		wr_locked_charge(space);
		wr_mmap_unlock(space->mm);
		done = true;
	}
	/* The last one may wait for who serves a file. */
	mmput_async(space->mm);
	return done;
}

/* How long the worker leaves those alone whose mmap_lock was held */
#define BUSY_FOR (HZ / 20)

static void settle_all(struct work_struct *work)
{
	struct wr_space *space;
	LIST_HEAD(busy);

	while ((space = next_unsettled())) {
		if (try_settle(space)) {
			wr_space_put(space);
			continue;
		}
		spin_lock(&unsettled_lock);
		if (list_empty(&space->unsettled))
			list_add_tail(&space->unsettled, &busy);
		else /* the list has another reference */
			refcount_dec(&space->refs);
		spin_unlock(&unsettled_lock);
	}
	if (list_empty(&busy))
		return;
	spin_lock(&unsettled_lock);
	list_splice_tail(&busy, &unsettled);
	spin_unlock(&unsettled_lock);
	schedule_delayed_work(&settle_work, BUSY_FOR);
}

/* The same as wr_locked_charge() for who may have unlocked something. Takes mmap_lock. */
void wr_locked_settle(struct wr_space *space)
{
	if (likely(is_settled(space)))
		return;
	if (mmap_write_lock_killable(space->mm)) {
		settle_later(space);
		return;
	}
	wr_locked_charge(space);
	mmap_write_unlock(space->mm);
}

/**
 * wr_locked_add - count pages as locked, which the map of no window says, or not yet
 * @space: whose they are
 * @n: how many
 *
 * Under one hold of mmap_lock, so that nobody else is charged for them.
 *
 * Context: takes mmap_lock.
 * Return: 0, or -EAGAIN if RLIMIT_MEMLOCK does not allow it, or -EINTR.
 */
int wr_locked_add(struct wr_space *space, unsigned long n)
{
	int err;

	if (mmap_write_lock_killable(space->mm))
		return -EINTR;
	atomic_long_add(n, &space->locked);
	err = wr_locked_charge(space);
	if (err)
		atomic_long_sub(n, &space->locked);
	mmap_write_unlock(space->mm);
	return err;
}

/* They are so no longer. Takes no mmap_lock. */
void wr_locked_sub(struct wr_space *space, unsigned long n)
{
	atomic_long_sub(n, &space->locked);
	settle_later(space);
}

/* The module is about to go; a process whose mmap_lock is held keeps its charge. */
void wr_locked_exit(void)
{
	struct wr_space *space;

	flush_delayed_work(&settle_work);
	cancel_delayed_work_sync(&settle_work);
	while ((space = next_unsettled()))
		wr_space_put(space);
}

/* ---- the map ---- */

static struct wr_locked *make(struct wr_window *window)
{
	struct wr_locked *locked = window->locked;

	if (locked)
		return locked;
	locked = kzalloc(sizeof(*locked), GFP_KERNEL_ACCOUNT);
	if (!locked)
		return NULL;
	wr_runs_init(&locked->runs, window->first, window->end,
		     &window->space->spare);
	xa_init_flags(&locked->pins, XA_FLAGS_ACCOUNT);
	window->locked = locked;
	return locked;
}

/* The window is about to be freed. */
void wr_locked_free(struct wr_window *window)
{
	struct wr_locked *locked = window->locked;

	if (!locked)
		return;
	WARN_ON_ONCE(!xa_empty(&locked->pins));
	wr_runs_destroy(&locked->runs);
	kfree(locked);
}

/**
 * wr_locked_span - whether pages are locked
 * @window: their window; its lock is held
 * @index: the first page
 * @end: the page behind the last
 * @next: set to the first page that differs, or @end
 *
 * Return: WR_UNLOCKED, WR_LOCKING, WR_LOCKED or WR_LOCKED_LARGE.
 */
u8 wr_locked_span(struct wr_window *window, pgoff_t index, pgoff_t end,
		  pgoff_t *next)
{
	lockdep_assert_held(&window->lock);
	if (window->locked)
		return wr_runs_span(&window->locked->runs, index, end, next);
	*next = end;
	return WR_UNLOCKED;
}

/* Pages of a range that are locked, or about to be. The window is locked. */
unsigned long wr_locked_count(struct wr_window *window, pgoff_t first,
			      pgoff_t end)
{
	unsigned long n = 0;
	pgoff_t next;

	if (!window->locked)
		return 0;
	for (; first < end; first = next) {
		if (wr_locked_span(window, first, end, &next))
			n += next - first;
		cond_resched();
	}
	return n;
}

static void compact(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	wr_runs_compact(&window->locked->runs, first, end, 0, ULONG_MAX);
}

/* All pages of a range become @to that are @from. Return: how many. */
static unsigned long turn(struct wr_window *window, pgoff_t first, pgoff_t end,
			  u8 from, u8 to)
{
	struct wr_runs *runs = &window->locked->runs;
	unsigned long n = 0;
	pgoff_t i, next;

	for (i = first; i < end; i = next) {
		cond_resched();
		if (wr_runs_span(runs, i, end, &next) != from)
			continue;
		wr_runs_fill(runs, i, next, to);
		n += next - i;
	}
	return n;
}

/**
 * wr_locked_prepare - have the map able to say something else of a range
 * @window: the window; its lock is held
 * @first: the first page
 * @end: the page behind the last
 *
 * Return: 0 or -ENOMEM.
 */
int wr_locked_prepare(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_locked *locked = make(window);
	int err = -ENOMEM;

	lockdep_assert_held(&window->lock);
	if (locked)
		err = wr_runs_split(&locked->runs, first, GFP_KERNEL_ACCOUNT);
	if (!err)
		err = wr_runs_split(&locked->runs, end, GFP_KERNEL_ACCOUNT);
	if (err && locked)
		compact(window, first, end);
	return err;
}

/**
 * wr_locked_note_large - pages are large, and locked for as long as they are there
 * @window: their window; its lock is held since wr_locked_prepare()
 * @first: the first page; none of the range is locked
 * @end: the page behind the last
 *
 * They have been counted already, by wr_locked_add().
 */
void wr_locked_note_large(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	lockdep_assert_held(&window->lock);
	wr_runs_fill(&window->locked->runs, first, end, WR_LOCKED_LARGE);
	compact(window, first, end);
}

/**
 * wr_locked_begin - lock those pages of a range that are not locked
 * @window: their window; its lock is held
 * @first: the first page
 * @end: the page behind the last
 *
 * wr_locked_finish() is to follow, for a range that has all of this one.
 *
 * Return: 0 or -ENOMEM.
 */
int wr_locked_begin(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	int err = wr_locked_prepare(window, first, end);

	if (err)
		return err;
	atomic_long_add(turn(window, first, end, WR_UNLOCKED, WR_LOCKING),
			&window->space->locked);
	compact(window, first, end);
	return 0;
}

static void unpin(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct xarray *pins = &window->locked->pins;
	unsigned long index = first;
	struct page *page;

	while ((page = xa_find(pins, &index, end - 1, XA_PRESENT))) {
		xa_erase(pins, index);
		unpin_user_page(page);
		cond_resched();
	}
}

/* Pages that were locked, or were to be, are so no longer. */
static void unlocked(struct wr_window *window, pgoff_t first, pgoff_t end,
		     unsigned long n)
{
	compact(window, first, end);
	if (!n)
		return;
	atomic_long_sub(n, &window->space->locked);
	settle_later(window->space);
}

/**
 * wr_locked_finish - what wr_locked_begin() began
 * @window: the window; its lock is held
 * @first: the first page
 * @end: the page behind the last
 * @locked: whether it has come to be; if not, the pages are as they were before
 *
 * Those that have been taken away meanwhile are left alone.
 */
void wr_locked_finish(struct wr_window *window, pgoff_t first, pgoff_t end,
		      bool locked)
{
	unsigned long n = 0;
	pgoff_t i, next;

	if (!window->locked)
		return;
	wr_runs_split_surely(&window->locked->runs, first, end);
	for (i = first; !locked && i < end; i = next)
		if (wr_locked_span(window, i, end, &next) == WR_LOCKING)
			unpin(window, i, next);
	n = turn(window, first, end, WR_LOCKING,
		 locked ? WR_LOCKED : WR_UNLOCKED);
	unlocked(window, first, end, locked ? 0 : n);
}

/**
 * wr_locked_pin - a page of a file that is to be locked has been pinned
 * @window: the view that it is in; its lock is held
 * @index: which page of that
 * @page: the page; the pin is the window's then
 *
 * Return: 0, or -ENOMEM, or -ENOENT if it is not to be locked any more, or has one.
 */
int wr_locked_pin(struct wr_window *window, pgoff_t index, struct page *page)
{
	struct xarray *pins;

	lockdep_assert_held(&window->lock);
	if (!wr_locked_has(window, index))
		return -ENOENT;
	pins = &window->locked->pins;
	if (xa_load(pins, index))
		return -ENOENT;
	return xa_err(xa_store(pins, index, page, GFP_KERNEL_ACCOUNT));
}

/**
 * wr_locked_remove - pages are no longer locked, but for large ones
 * @window: their window; its lock is held
 * @first: the first page
 * @end: the page behind the last
 *
 * Never fails.
 */
void wr_locked_remove(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t next;

	if (!window->locked)
		return;
	for (; first < end; first = next) {
		if (wr_locked_span(window, first, end, &next) !=
		    WR_LOCKED_LARGE)
			wr_locked_clear(window, first, next);
		cond_resched();
	}
}

/**
 * wr_locked_clear - pages are no longer locked
 * @window: their window; its lock is held
 * @first: the first page
 * @end: the page behind the last
 *
 * Never fails.
 */
void wr_locked_clear(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	unsigned long n = wr_locked_count(window, first, end);

	lockdep_assert_held(&window->lock);
	if (!n)
		return;
	wr_runs_split_surely(&window->locked->runs, first, end);
	unpin(window, first, end);
	wr_runs_fill(&window->locked->runs, first, end, WR_UNLOCKED);
	unlocked(window, first, end, n);
}
