// SPDX-License-Identifier: GPL-2.0
/*
 * Write watch: which pages of a region have been written, without a fault for any
 * of them.
 *
 * Who writes by a PTE, be it the program or the kernel in a system call, leaves the
 * dirty bit in it, as the processor sets that. The core hands the bit on to the page
 * whenever it removes a PTE, and who writes by another way, such as a device or a
 * debugger, marks the page itself. So a page was written if its PTE is dirty, or the
 * page is, or it is noted here already that it was. A question collects: it moves
 * dirty bits to where they are noted, first those of the PTEs, then those of the
 * pages, so that one that moves meanwhile is not missed.
 *
 * Who has a page pinned marks it when he begins, if its PTE is not dirty, and not always
 * when he ends; and who has had it by a PTE that was writable may not have marked it at
 * all. See take_pin(), and WW-46 for what is left.
 *
 * Once the bits of PTEs have been taken the TLBs are flushed, or a processor would
 * write on without setting them again. What it writes before that is written before
 * the question is answered, and in the answer.
 *
 * This asks for something of all who have to do with pages of a watched window, and
 * they look at window->watch: pages are born clean, unlike others; no PTE becomes
 * dirty or clean but by a write, and by what is here: rights are taken away by
 * unmapping, and given without the dirty bit; and a page is one of its own,
 * as it has one mark however large it is.
 *
 * What is noted of a page is noted until somebody asks with a reset, or the page is
 * no longer committed. Pages that leave their slots before, as they are reset, offered
 * or discarded, take their marks with them: so those are noted first
 * (wr_watch_collect()). That contents are freed is not a write, and what was written
 * before is told whether it is there still or not.
 */
#include <linux/bitmap.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/mmu_notifier.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "page.h"
#include "pageout.h"
#include "ptes.h"
#include "regiontree.h"
#include "resident.h"
#include "watch.h"

/* Slots with pages in memory that are looked at under one hold of the locks */
#define SLOTS_AT_ONCE 256

#define WORDS BITS_TO_LONGS(WR_SLOT_PAGES)

/**
 * struct wr_written - what is noted of a slot
 * @pages: a bit for each page that was written
 * @pinned: a bit for each page that somebody had pinned when that was looked at last
 * @seen: what wr_mark.done was when the marks of its pages were taken
 *
 * All fields: the window's lock.
 */
struct wr_written {
	DECLARE_BITMAP(pages, WR_SLOT_PAGES);
	DECLARE_BITMAP(pinned, WR_SLOT_PAGES);
	u32 seen;
};

/* ---- files ---- */

/**
 * struct wr_mark - how often pages of some slots were marked
 * @begun: before that
 * @done: after it
 *
 * If both are what they were when marks were taken, no page has been marked since.
 */
struct wr_mark {
	atomic_t begun;
	atomic_t done;
};

#define MARKS_MAX 1024UL

/**
 * struct wr_marks - what a file knows of its pages
 * @mask: one less than a power of two
 * @marks: for slots, by the lowest bits of their number
 *
 * In inode->i_private, as long as some window has the file. Relatives of a forked
 * window share it: so nothing of it is ever reset.
 */
struct wr_marks {
	unsigned long mask;
	struct wr_mark marks[];
};

static struct wr_mark *mark_of(struct wr_marks *marks, pgoff_t index)
{
	return &marks->marks[(index >> WR_SLOT_SHIFT) & marks->mask];
}

/*
 * Somebody marks a page. It has an owner, whose window has the file: what marks it
 * has the page's lock, or that of a page table which maps it.
 */
static bool dirty_folio(struct address_space *mapping, struct folio *folio)
{
	struct wr_mark *mark = mark_of(mapping->host->i_private, folio->index);
	bool was_clean;

	atomic_inc(&mark->begun);
	smp_mb__after_atomic(); /* pairs with is_unmarked() */
	was_clean = noop_dirty_folio(mapping, folio);
	smp_mb__before_atomic(); /* the same */
	atomic_inc(&mark->done);
	return was_clean;
}

static const struct address_space_operations watched_aops = {
	.dirty_folio = dirty_folio,
};

/**
 * wr_watch_make_file - a file for a window that will be watched
 * @operations: of the file
 * @pages: of the window
 *
 * It counts the marks of its pages, so that most of them need not be looked at.
 *
 * Return: the file or an error pointer.
 */
struct file *wr_watch_make_file(const struct file_operations *operations,
				unsigned long pages)
{
	unsigned long n = DIV_ROUND_UP(pages, WR_SLOT_PAGES);
	struct wr_marks *marks;
	struct inode *inode;
	struct file *file;

	n = roundup_pow_of_two(min(n, MARKS_MAX));
	marks = kzalloc(struct_size(marks, marks, n), GFP_KERNEL_ACCOUNT);
	if (!marks)
		return ERR_PTR(-ENOMEM);
	marks->mask = n - 1;
	file = wr_space_make_file(WR_FILE_NAME, operations, NULL);
	if (IS_ERR(file)) {
		kfree(marks);
		return file;
	}
	inode = file_inode(file);
	inode->i_private = marks;
	inode->i_mapping->a_ops = &watched_aops;
	return file;
}

/* Its release: no window has it any more, and so no page is of it. */
int wr_watch_release_file(struct inode *inode, struct file *file)
{
	kfree(inode->i_private);
	inode->i_private = NULL;
	wr_space_unpin_files();
	return 0;
}

/* NULL where the window has no file of its own. */
static struct wr_marks *marks_of(struct wr_window *window)
{
	struct address_space *mapping = window->file->f_mapping;

	return mapping->a_ops == &watched_aops ? mapping->host->i_private :
						 NULL;
}

/* ---- windows ---- */

/* A window in which nothing was written, or NULL. */
struct wr_watch *wr_watch_new(void)
{
	struct wr_watch *watch = kzalloc(sizeof(*watch), GFP_KERNEL_ACCOUNT);

	if (watch)
		xa_init_flags(&watch->slots, XA_FLAGS_ACCOUNT);
	return watch;
}

/* @watch: may be NULL; no window has it any more. */
void wr_watch_free(struct wr_watch *watch)
{
	struct wr_written *written;
	unsigned long i;

	if (!watch)
		return;
	xa_for_each(&watch->slots, i, written) {
		kfree(written);
		cond_resched();
	}
	xa_destroy(&watch->slots);
	kfree(watch);
}

static unsigned long slot_number(pgoff_t index)
{
	return index >> WR_SLOT_SHIFT;
}

static struct wr_written *find_written(struct wr_window *window, pgoff_t index)
{
	lockdep_assert_held(&window->lock);
	return xa_load(&window->watch->slots, slot_number(index));
}

/* A bit for each page of the slot of @index, or NULL: nothing was noted yet. */
unsigned long *wr_watch_written(struct wr_window *window, pgoff_t index)
{
	struct wr_written *written = find_written(window, index);

	return written ? written->pages : NULL;
}

/* Memory for what is to be stored next, if that failed without. */
static void *alloc_node(const void *what, gfp_t gfp)
{
	struct xa_state *const *xas = what;

	return xas_nomem(*xas, gfp) ? *xas : NULL;
}

/* Return: 0 or -ENOMEM. */
static int store_written(struct wr_window *window, pgoff_t index,
			 struct wr_written *written, gfp_t gfp)
{
	XA_STATE(xas, &window->watch->slots, slot_number(index));
	struct xa_state *what = &xas;

	do {
		xas_lock(&xas);
		xas_store(&xas, written);
		xas_unlock(&xas);
	} while (wr_runs_alloc_by(alloc_node, &what, gfp));
	return xas_error(&xas);
}

/* The same, made if need be; NULL if there is no memory. */
static unsigned long *make_written(struct wr_window *window, pgoff_t index,
				   gfp_t gfp)
{
	struct wr_written *written;

	written = xa_load(&window->watch->slots, slot_number(index));
	if (written)
		return written->pages;
	written = wr_runs_alloc(sizeof(*written), gfp | __GFP_ZERO);
	if (!written)
		return NULL;
	if (store_written(window, index, written, gfp)) {
		kfree(written);
		return NULL;
	}
	return written->pages;
}

/* A page is written, but not by a PTE. The window is locked. */
void wr_watch_note(struct wr_window *window, struct page *page)
{
	if (window->watch)
		folio_mark_dirty(page_folio(page));
}

/* The next slot in [@first, @end) with pages in memory; @next: behind it, or NULL. */
static struct wr_slot *next_slot(struct wr_window *window, pgoff_t *first,
				 pgoff_t end, pgoff_t *next)
{
	struct wr_slot *slot;

	if (!window->nr_resident)
		return NULL;
	for (; *first < end; *first = *next) {
		slot = wr_runs_slot(&window->runs, *first, next);
		*next = min(*next, end);
		if (slot && slot->nr_resident)
			return slot;
		cond_resched();
	}
	return NULL;
}

/* ---- collecting ---- */

/**
 * wr_watch_prepare_slot - as wr_watch_prepare(), for one slot
 * @window: the window, watched; its lock is held until that is done
 * @index: a page of the slot
 * @gfp: how to get memory
 *
 * Return: 0 or -ENOMEM.
 */
int wr_watch_prepare_slot(struct wr_window *window, pgoff_t index, gfp_t gfp)
{
	return make_written(window, index, gfp) ? 0 : -ENOMEM;
}

/**
 * wr_watch_prepare - have room for what wr_watch_collect() notes
 * @window: the window, watched; its lock is held until that is done
 * @first: the first page
 * @end: the page behind the last
 *
 * Return: 0, -ENOMEM or -EINTR.
 */
int wr_watch_prepare(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	pgoff_t next;

	for (; next_slot(window, &first, end, &next); first = next) {
		if (!make_written(window, first, GFP_KERNEL_ACCOUNT))
			return -ENOMEM;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/*
 * Room for what is collected in [@first, *@end), which is cut down to SLOTS_AT_ONCE.
 * Return: 0 or -ENOMEM.
 */
static int make_room(struct wr_window *window, pgoff_t first, pgoff_t *end)
{
	unsigned int n = 0;
	pgoff_t next;

	for (; next_slot(window, &first, *end, &next); first = next) {
		if (n++ == SLOTS_AT_ONCE) {
			*end = first;
			return 0;
		}
		if (!make_written(window, first, GFP_KERNEL_ACCOUNT))
			return -ENOMEM;
		cond_resched();
	}
	return 0;
}

/*
 * Of pages that others own too nothing has been written since the fork, but by who
 * has had them before.
 */
static bool take_mark(struct page *page)
{
	return PageDirty(page) && !wr_page_is_shared(page) &&
	       TestClearPageDirty(page);
}

/*
 * Whether no page of a slot has been marked since its marks were taken: else they are
 * taken now. A mark that is just being made is looked for each time, as whoever finds
 * it there has made none.
 */
static bool is_unmarked(struct wr_marks *marks, struct wr_written *written,
			pgoff_t index)
{
	struct wr_mark *mark = mark_of(marks, index);
	u32 done = atomic_read(&mark->done);
	u32 begun;

	smp_rmb(); /* what is done was begun */
	begun = atomic_read(&mark->begun);
	if (done == begun && done == written->seen)
		return true;
	written->seen = done;
	smp_mb(); /* pairs with dirty_folio() */
	return false;
}

/* Secondary MMUs, as of KVM, mark pages and tell nobody. */
static bool are_counted(struct wr_window *window)
{
	return !mm_has_notifiers(window->space->mm);
}

/*
 * Who has a page pinned says nothing of writes before he ends, and some do not even
 * then, as io_uring: so it counts as written as long as he has it, and once more. Who
 * has had it for a moment and said nothing, as AF_ALG, has left the trace of how he
 * came by it; he has it pinned before he leaves that. Secondary MMUs leave the same
 * where they only read.
 */
static bool take_pin(struct wr_window *window, struct wr_written *written,
		     unsigned int i, struct page *page)
{
	struct folio *folio = page_folio(page);
	bool got = are_counted(window) && !wr_page_is_shared(page) &&
		   wr_folio_was_got(folio);

	if (!folio_maybe_dma_pinned(folio))
		return __test_and_clear_bit(i, written->pinned) || got;
	__set_bit(i, written->pinned);
	return true;
}

static bool take_page(struct wr_window *window, struct wr_written *written,
		      unsigned int i, struct page *page)
{
	bool taken = take_mark(page);

	/* In this order: who pins a page says so of the mm, and marks it last. */
	if (wr_mm_has_pinned(window->space->mm))
		taken |= take_pin(window, written, i, page);
	return taken;
}

/* Those of one slot. */
static void collect_marks(struct wr_window *window, struct wr_slot *slot,
			  pgoff_t first, pgoff_t end)
{
	struct wr_written *written = find_written(window, first);
	struct wr_marks *marks = marks_of(window);
	unsigned int i, from = wr_slot_offset(first);
	unsigned int to = from + (end - first);
	struct page *page;

	if (marks && !wr_mm_has_pinned(window->space->mm) &&
	    are_counted(window) && is_unmarked(marks, written, first))
		return;
	if (marks) { /* all that are counted together */
		from = 0;
		to = WR_SLOT_PAGES;
	}
	for (i = from; i < to; i++) {
		page = wr_slot_page(slot, i);
		if (page && take_page(window, written, i, page))
			__set_bit(i, written->pages);
	}
}

/**
 * wr_watch_collect - note which pages were written, before they leave their slots
 * @window: the window, watched, prepared by wr_watch_prepare(); its lock is held
 * @first: the first page
 * @end: the page behind the last; nothing maps those that leave
 */
void wr_watch_collect(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_slot *slot;
	pgoff_t next;

	for (; (slot = next_slot(window, &first, end, &next)); first = next) {
		/* What comes from another stash on the way was noted there. */
		if (find_written(window, first))
			collect_marks(window, slot, first, next);
		cond_resched();
	}
}

/**
 * wr_watch_look_again - pages come back to their slot, and may have been marked since
 * @window: the window, watched; its lock is held
 * @index: a page of the slot
 */
void wr_watch_look_again(struct wr_window *window, pgoff_t index)
{
	struct wr_written *written = find_written(window, index);
	struct wr_marks *marks = marks_of(window);

	/* Else nothing was taken yet, and all marks will be looked at. */
	if (written && marks)
		written->seen = atomic_read(&mark_of(marks, index)->done) - 1;
}

/* Moves all that is known of writes to where it is noted; there is room. */
static void collect(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	if (!wr_ptes_collect(window, first, end))
		wr_resident_unmap(window, first, end);
	wr_watch_collect(window, first, end);
}

/* ---- telling ---- */

/* The bits of word @i of a slot that stand for pages of [@first, @end). */
static unsigned long word_mask(unsigned int i, unsigned int first,
			       unsigned int end)
{
	unsigned int low = i * BITS_PER_LONG;
	unsigned long mask = ~0UL;

	if (first >= low + BITS_PER_LONG || end <= low)
		return 0;
	if (first > low)
		mask &= BITMAP_FIRST_WORD_MASK(first);
	if (end < low + BITS_PER_LONG)
		mask &= BITMAP_LAST_WORD_MASK(end);
	return mask;
}

/* Those of @bits, at most @room, that are the lowest. */
static unsigned long lowest(unsigned long bits, unsigned long room)
{
	while (hweight_long(bits) > room)
		bits &= ~BIT(__fls(bits));
	return bits;
}

/* What is noted of [@first, @end) in one slot. Return: how many pages. */
static unsigned int tell_pages(struct wr_telling *telling, struct wr_told *told,
			       unsigned long *written, unsigned int first,
			       unsigned int end)
{
	unsigned long room = telling->room - telling->nr, bits;
	unsigned int i, nr = 0;

	for (i = 0; i < WORDS; i++) {
		bits = written[i] & word_mask(i, first, end);
		if (bits)
			bits = lowest(bits, room - nr);
		told->pages[i] = bits;
		nr += hweight_long(bits);
		if (telling->reset)
			written[i] &= ~bits;
	}
	return nr;
}

static bool is_any_written(unsigned long *written, unsigned int first,
			   unsigned int end)
{
	return find_next_bit(written, end, first) < end;
}

/* Return: 0 or -ENOMEM. */
static int tell_slot(struct wr_window *window, struct wr_telling *telling,
		     pgoff_t first, pgoff_t end)
{
	unsigned long *written = wr_watch_written(window, first);
	unsigned int from = wr_slot_offset(first), to = from + (end - first);
	struct wr_told *told;

	if (telling->nr == telling->room || !is_any_written(written, from, to))
		return 0;
	told = wr_runs_alloc(sizeof(*told), GFP_KERNEL_ACCOUNT);
	if (!told)
		return -ENOMEM;
	told->first = wr_slot_first(first);
	telling->nr += tell_pages(telling, told, written, from, to);
	list_add_tail(&told->list, &telling->told);
	return 0;
}

static int check_region(struct wr_window *window, struct wr_telling *telling)
{
	struct wr_region *region = wr_region_find(window, telling->next);

	if (!region || (telling->serial && telling->serial != region->serial))
		return -ENOENT;
	if (window->view || !region->watched)
		return -EUNATCH;
	if (telling->end > region->end)
		return -EXDEV;
	telling->serial = region->serial;
	return 0;
}

/*
 * Tells what is noted of [@first, @end), also where no page is in memory: there may be
 * many of such slots, so not all of them at once.
 */
static int tell_noted(struct wr_window *window, struct wr_telling *telling,
		      pgoff_t first, pgoff_t end)
{
	struct wr_written *written;
	unsigned int n = 0;
	unsigned long i;
	int err = 0;

	telling->next = end;
	xa_for_each_range(&window->watch->slots, i, written, slot_number(first),
			  slot_number(end - 1)) {
		first = max(first, (pgoff_t)i << WR_SLOT_SHIFT);
		if (n++ == SLOTS_AT_ONCE)
			telling->next = first;
		if (err || telling->next == first)
			break;
		err = tell_slot(window, telling, first,
				min(end, (pgoff_t)(i + 1) << WR_SLOT_SHIFT));
		cond_resched();
	}
	return err;
}

/* What is forgotten now may have to be noted again, until wr_watch_end(). */
static void begin_reset(struct wr_window *window, struct wr_telling *telling)
{
	if (telling->window || !telling->reset)
		return;
	wr_window_get(window);
	telling->window = window;
	window->watch->resets++;
}

static void end_reset(struct wr_window *window)
{
	mutex_lock(&window->lock);
	window->watch->resets--;
	mutex_unlock(&window->lock);
	wr_window_put(window);
}

/* Tells some of what is left; the window is locked. */
static int tell_locked(struct wr_window *window, struct wr_telling *telling)
{
	pgoff_t first = telling->next, end = telling->end;
	int err;

	err = check_region(window, telling);
	if (!err)
		err = make_room(window, first, &end);
	if (err)
		return err;
	begin_reset(window, telling);
	collect(window, first, end);
	return tell_noted(window, telling, first, end);
}

static int tell_some(struct wr_window *window, struct wr_telling *telling)
{
	unsigned long overdrafts = wr_runs_overdrafts();
	struct mm_struct *mm = window->space->mm;
	int err;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	mutex_lock(&window->lock);
	window->held.mmap = true;
	err = tell_locked(window, telling);
	window->held.mmap = false;
	mutex_unlock(&window->lock);
	mmap_read_unlock(mm);
	wr_pageout_repay(mm, overdrafts);
	return err;
}

/**
 * wr_watch_tell - which pages of a range have been written
 * @space: where
 * @telling: the question; wr_watch_end() is to follow, whatever comes of it
 *
 * With a reset every write is told by one answer at least: what is written after it
 * was collected is for the next one.
 *
 * Context: takes mmap_lock and the window's lock.
 * Return: 0, or -ENOENT, -EUNATCH, -EXDEV, -ENOMEM, -EINTR; then nothing is
 * forgotten.
 */
int wr_watch_tell(struct wr_space *space, struct wr_telling *telling)
{
	struct wr_window *window = wr_window_find(space, telling->first);
	int err = 0;

	if (!window)
		return -ENOENT;
	telling->next = telling->first;
	do {
		if (fatal_signal_pending(current))
			err = -EINTR;
		else
			err = tell_some(window, telling);
		cond_resched();
	} while (!err && telling->next < telling->end &&
		 telling->nr < telling->room);
	wr_window_put(window);
	if (err)
		wr_watch_undo(telling);
	return err;
}

/* Whether a page is the region's still, or one of its parts', and committed. */
static bool is_still_there(struct wr_window *window, pgoff_t index, u64 serial)
{
	struct wr_region *region = wr_region_find(window, index);

	return region && region->serial == serial &&
	       wr_state_is_committed(wr_runs_state(&window->runs, index));
}

/* The window is locked. */
static void put_back(struct wr_window *window, struct wr_told *told, u64 serial)
{
	unsigned long *written = wr_watch_written(window, told->first);
	unsigned int i;

	if (WARN_ON_ONCE(!written))
		return;
	for_each_set_bit(i, told->pages, WR_SLOT_PAGES)
		if (is_still_there(window, told->first + i, serial))
			__set_bit(i, written);
}

/**
 * wr_watch_undo - the answer could not be given
 * @telling: the question; what it has forgotten is noted again
 */
void wr_watch_undo(struct wr_telling *telling)
{
	struct wr_window *window = telling->window;
	struct wr_told *told;

	if (!window)
		return;
	mutex_lock(&window->lock);
	list_for_each_entry(told, &telling->told, list) {
		put_back(window, told, telling->serial);
		cond_resched();
	}
	mutex_unlock(&window->lock);
}

/* The answer is given, or will not be. */
void wr_watch_end(struct wr_telling *telling)
{
	struct wr_told *told, *next;

	if (telling->window)
		end_reset(telling->window);
	list_for_each_entry_safe(told, next, &telling->told, list) {
		kfree(told);
		cond_resched();
	}
}

/* ---- what becomes of pages ---- */

/* Whether nothing is noted of a slot, nor will be soon. */
static bool is_idle(struct wr_window *window, pgoff_t index,
		    struct wr_written *written)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, index);

	return !window->watch->resets && (!slot || !slot->nr_resident) &&
	       bitmap_empty(written->pages, WR_SLOT_PAGES) &&
	       bitmap_empty(written->pinned, WR_SLOT_PAGES);
}

/* Those of one slot. */
static void forget(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_written *written = find_written(window, first);

	if (!written)
		return;
	bitmap_clear(written->pages, wr_slot_offset(first), end - first);
	bitmap_clear(written->pinned, wr_slot_offset(first), end - first);
	if (is_idle(window, first, written))
		kfree(xa_erase(&window->watch->slots, slot_number(first)));
}

/**
 * wr_watch_forget - pages are no longer committed
 * @window: the window, watched; its lock is held, and they are not in memory
 * @first: the first page
 * @end: the page behind the last
 */
void wr_watch_forget(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	unsigned long number = slot_number(first);
	struct wr_written *written;

	xa_for_each_range(&window->watch->slots, number, written,
			  slot_number(first), slot_number(end - 1)) {
		forget(window, max(first, (pgoff_t)number << WR_SLOT_SHIFT),
		       min(end, (pgoff_t)(number + 1) << WR_SLOT_SHIFT));
		cond_resched();
	}
}

/* Return: 0 or -ENOMEM. */
static int fork_slot(struct wr_window *child, struct wr_written *written,
		     pgoff_t first, pgoff_t end)
{
	unsigned int from = wr_slot_offset(first), to = from + (end - first), i;
	unsigned long *copy;

	if (!is_any_written(written->pages, from, to))
		return 0;
	copy = make_written(child, first, GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	for (i = 0; i < WORDS; i++)
		copy[i] |= written->pages[i] & word_mask(i, from, to);
	return 0;
}

/**
 * wr_watch_fork - a child goes on with what is known
 * @parent: the parent's window, watched; nothing of the range is mapped, nor owned
 *	by the child yet
 * @child: the child's window, watched; both are locked
 * @first: the first page
 * @end: the page behind the last
 *
 * Return: 0, -ENOMEM or -EINTR.
 */
int wr_watch_fork(struct wr_window *parent, struct wr_window *child,
		  pgoff_t first, pgoff_t end)
{
	struct wr_written *written;
	unsigned long i;
	int err;

	err = wr_watch_prepare(parent, first, end);
	if (err)
		return err;
	wr_watch_collect(parent, first, end);
	xa_for_each_range(&parent->watch->slots, i, written, slot_number(first),
			  slot_number(end - 1)) {
		err = fork_slot(child, written,
				max(first, (pgoff_t)i << WR_SLOT_SHIFT),
				min(end, (pgoff_t)(i + 1) << WR_SLOT_SHIFT));
		cond_resched();
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		if (err)
			break;
	}
	return err;
}
