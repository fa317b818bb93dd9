// SPDX-License-Identifier: GPL-2.0
/*
 * What the core asks us: the callbacks of our VMAs and of the file they map.
 *
 * A fault may run under a per-VMA lock alone, and for another process than the
 * one whose memory it is. It finds the window in vm_private_data, which is NULL
 * in a child for which fork could not copy the window, and acts under the
 * window's lock only. Pages are returned locked, so that a PTE appears under
 * the page lock (or, where we map it ourselves, the window's); see resident.c for
 * who relies on it.
 *
 * Two tables of callbacks: a simple window has writable pages only, which are
 * mapped writable at first touch. In a tracked one the core asks page_mkwrite
 * before it makes a PTE writable.
 */
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/task_work.h>

#include "account.h"
#include "fault.h"
#include "force.h"
#include "fork.h"
#include "frames.h"
#include "huge.h"
#include "layout.h"
#include "pageout.h"
#include "ptes.h"
#include "record.h"
#include "regiontree.h"
#include "resident.h"
#include "stack.h"
#include "stash.h"
#include "trace.h"
#include "trim.h"
#include "watch.h"

/* What a page must allow for a fault to be answered. */
u8 wr_fault_wants(struct vm_fault *vmf)
{
	if (vmf->flags & FAULT_FLAG_WRITE)
		return WR_READ | WR_WRITE;
	if (vmf->flags & FAULT_FLAG_INSTRUCTION)
		return WR_READ | WR_EXEC;
	return WR_READ;
}

/* The access is refused. Return: as the fault handler does then. */
vm_fault_t wr_fault_refuse(struct vm_fault *vmf, struct wr_window *window,
			   u8 state)
{
	wr_record_fault(&window->space->records, vmf,
			wr_state_is_memory(state) ? WINREGION_FAULT_PROTECTION :
						    WINREGION_FAULT_RESERVED);
	return VM_FAULT_SIGSEGV;
}

/**
 * wr_fault_disarm - a guard goes
 * @window: the window, or view; its lock is held
 * @index: the page
 * @state: its state
 *
 * Return: 0, or -ENOMEM: then it stays.
 */
int wr_fault_disarm(struct wr_window *window, pgoff_t index, u8 state)
{
	struct wr_runs *runs = &window->runs;

	if (wr_runs_split(runs, index, GFP_KERNEL_ACCOUNT) ||
	    wr_runs_split(runs, index + 1, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	wr_huge_break(window, index, index + 1);
	wr_runs_fill(runs, index, index + 1, wr_state_disarmed(state));
	trace_wr_guard(window->space->mm, index, index + 1);
	return 0;
}

/**
 * struct wr_taken - a guard that goes once the system call that has touched it is over
 * @work: of the task that is in it
 * @window: the window, or view; counted
 * @file: one of ours, which keeps the module until the core puts it, after @work
 * @index: the page
 * @state: that it had: of a view it need not be in the runs
 */
struct wr_taken {
	struct callback_head work;
	struct wr_window *window;
	struct file *file;
	pgoff_t index;
	u8 state;
};

/* mmap_lock is held for reading: relatives have pages there, too, and keep theirs. */
static void disarm_taken(struct wr_taken *taken)
{
	struct wr_window *window = taken->window;
	u8 state;

	mutex_lock(&window->lock);
	window->held.mmap = true;
	state = wr_runs_state(&window->runs, taken->index);
	if (window->view && state == WR_STATE_NONE)
		state = taken->state;
	if (!window->dead && wr_window_has(window, taken->index) &&
	    wr_state_is_guard(state))
		wr_fault_disarm(window, taken->index, state);
	window->held.mmap = false;
	mutex_unlock(&window->lock);
}

/* Before the program goes on, or at the end of the task, which has no mm then. */
static void take_guard(struct callback_head *work)
{
	struct wr_taken *taken = container_of(work, struct wr_taken, work);
	struct wr_window *window = taken->window;
	struct wr_account account;

	if (current->mm == window->space->mm &&
	    !mmap_read_lock_killable(current->mm)) {
		wr_account_begin(&account, current->mm);
		disarm_taken(taken);
		wr_account_end(&account);
		mmap_read_unlock(current->mm);
	}
	wr_window_put(window);
	fput(taken->file);
	kfree(taken);
}

/*
 * A system call has touched a guard: it fails, and takes the guard when it is over.
 * Not before, as some try again at once, and would find none. A task that never goes on
 * as a program leaves it, and so does a core dump.
 */
static void take_guard_later(struct vm_fault *vmf, struct wr_window *window,
			     u8 state, struct file *file)
{
	struct wr_taken *taken;

	if (vmf->flags & (FAULT_FLAG_REMOTE | FAULT_FLAG_MKWRITE) ||
	    vmf->vma->vm_mm != current->mm ||
	    current->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER |
			      PF_EXITING | PF_DUMPCORE))
		return;
	taken = kmalloc(sizeof(*taken), GFP_KERNEL_ACCOUNT);
	if (!taken)
		return;
	init_task_work(&taken->work, take_guard);
	wr_window_get(window);
	taken->window = window;
	taken->file = get_file(file);
	taken->index = wr_vmf_index(vmf);
	taken->state = state;
	if (!task_work_add(current, &taken->work, TWA_RESUME))
		return;
	/* The fault's VMA has both, so neither is the last. */
	fput(taken->file);
	wr_window_put(window);
	kfree(taken);
}

/**
 * wr_fault_trip_guard - the alarm of a guard page
 * @vmf: the fault
 * @window: the window, or view; its lock is held
 * @state: the page's state
 * @file: a file of ours that the window keeps
 *
 * The access fails, and the next one will not. Those of debuggers and core dumps fail
 * without taking the guard away. Of an access by the program the guard goes only if the
 * record says so to it, as it could not see it otherwise.
 *
 * Return: as the fault handler does then.
 */
vm_fault_t wr_fault_trip_guard(struct vm_fault *vmf, struct wr_window *window,
			       u8 state, struct file *file)
{
	struct wr_records *records = &window->space->records;

	if (!(vmf->flags & FAULT_FLAG_USER) || vmf->flags & FAULT_FLAG_REMOTE) {
		trace_wr_refused(vmf, WINREGION_FAULT_GUARD);
		take_guard_later(vmf, window, state, file);
		return VM_FAULT_SIGSEGV;
	}
	if (wr_record_prepare(records, vmf, GFP_KERNEL_ACCOUNT) ||
	    wr_fault_disarm(window, wr_vmf_index(vmf), state))
		return VM_FAULT_OOM;
	wr_record_fault(records, vmf, WINREGION_FAULT_GUARD);
	return VM_FAULT_SIGSEGV;
}

/* A core dump does not make pages just to write zeros. */
static bool dump_skips(struct wr_window *window, pgoff_t index)
{
	return unlikely(current->flags & PF_DUMPCORE) &&
	       !wr_resident_find(window, index);
}

static vm_fault_t page_error(struct vm_fault *vmf, struct wr_window *window,
			     struct page *page)
{
	if (page == ERR_PTR(-EACCES))
		return VM_FAULT_SIGSEGV;
	if (page == ERR_PTR(-EIO)) {
		wr_record_fault(&window->space->records, vmf,
				WINREGION_FAULT_IN_PAGE);
		return VM_FAULT_SIGBUS;
	}
	if (page != ERR_PTR(-EHWPOISON))
		return VM_FAULT_OOM;
	wr_huge_note_error(window, wr_vmf_index(vmf));
	wr_record_fault(&window->space->records, vmf, WINREGION_FAULT_POISONED);
	return VM_FAULT_HWPOISON;
}

/**
 * wr_vma_set_rights - what the PTEs that are inserted next allow
 * @vma: a VMA of ours, in which the caller has a fault, or all of whose faults
 *	are over; its window's lock is held
 * @rights: of the pages
 * @write: they may be writable at once, if they have that right
 *
 * In a VMA that is executable pages are so or not, by their states: no PTE there
 * but those that we insert, under the window's lock, which protects vm_page_prot.
 * wr_vma_drop_rights() is to follow.
 */
void wr_vma_set_rights(struct vm_area_struct *vma, u8 rights, bool write)
{
	vm_flags_t flags = vma->vm_flags;

	if (!(flags & VM_EXEC))
		return;
	if (!(rights & WR_EXEC))
		flags &= ~VM_EXEC;
	if (!(rights & WR_WRITE) || !write)
		flags &= ~VM_SHARED;
	WRITE_ONCE(vma->vm_page_prot, vm_get_page_prot(flags));
}

/**
 * wr_vma_drop_rights - the PTEs have been inserted
 * @vma: as for wr_vma_set_rights()
 *
 * So that no PTE gets a right that its page has not, whatever else may take one from
 * vm_page_prot.
 */
void wr_vma_drop_rights(struct vm_area_struct *vma)
{
	wr_vma_set_rights(vma, WR_READ, false);
}

/* Not in a tracked window, where PTEs must not be writable yet. */
static bool may_map_more(struct vm_fault *vmf, struct wr_window *window)
{
	return vmf->vma->vm_flags & VM_MIXEDMAP && !window->tracked &&
	       !(vmf->flags & FAULT_FLAG_REMOTE);
}

/* Nor where what has no page is not to have one yet. */
static bool may_map_ahead(struct vm_fault *vmf, struct wr_window *window)
{
	return may_map_more(vmf, window) &&
	       !wr_stash_in_slot(window, wr_vmf_index(vmf));
}

/* What cannot be mapped is left to faults. */
static void map_behind(struct vm_fault *vmf, struct page **pages,
		       unsigned long n)
{
	vm_insert_pages(vmf->vma, vmf->address + PAGE_SIZE, pages, &n);
}

/*
 * A program that touches one page after the other gets some more at once. They
 * are mapped under the window's lock, so whoever changes their states later
 * finds the PTEs.
 */
static void map_ahead(struct vm_fault *vmf, struct wr_window *window)
{
	struct vm_area_struct *vma = vmf->vma;
	pgoff_t end = wr_vma_end(vma), next;
	struct page *pages[WR_UNIT_PAGES];
	unsigned long n;

	if (!may_map_ahead(vmf, window))
		return;
	end = min(end, wr_vmf_index(vmf) + WR_UNIT_PAGES);
	wr_runs_span(&window->runs, wr_vmf_index(vmf), end, &next);
	n = wr_resident_ahead(window, wr_vmf_index(vmf),
			      next - wr_vmf_index(vmf) - 1, pages);
	if (n)
		map_behind(vmf, pages, n);
}

/*
 * What was read from swap with the page of the fault, as far as it is behind that, in
 * the same state. It is mapped, and so counts as used: else it could leave again before
 * the program comes to it. Seldom, so it has a stack frame of its own.
 */
static noinline void map_what_came(struct vm_fault *vmf,
				   struct wr_window *window)
{
	pgoff_t index = wr_vmf_index(vmf), end, next;
	struct page *pages[WR_MOST_BEHIND], *page;
	unsigned long n = 0;

	if (!may_map_more(vmf, window))
		return;
	end = min(index + 1 + window->held.room->came, wr_vma_end(vmf->vma));
	wr_runs_span(&window->runs, index, end, &next);
	while (++index < next) {
		page = wr_resident_find(window, index);
		if (!page || PageCompound(page))
			break;
		pages[n++] = page;
	}
	if (n)
		map_behind(vmf, pages, n);
}

/*
 * All pages of a unit at once, if the program has come to its start through the one
 * in front of it. Return: the pages, or NULL.
 */
static struct page **make_unit(struct vm_fault *vmf, struct wr_window *window)
{
	struct vm_area_struct *vma = vmf->vma;
	pgoff_t end = wr_vmf_index(vmf) + WR_UNIT_PAGES, next;

	if (!wr_is_unit(wr_vmf_index(vmf), wr_vma_end(vma)))
		return NULL;
	if (!may_map_ahead(vmf, window))
		return NULL;
	wr_runs_span(&window->runs, wr_vmf_index(vmf), end, &next);
	return next == end ? wr_resident_make_unit(window, wr_vmf_index(vmf)) :
			     NULL;
}

/* Whether a table of PTEs would be made by what is mapped here, under the window's lock. */
static bool wants_table(struct vm_fault *vmf, struct wr_window *window)
{
	if (!(vmf->vma->vm_flags & VM_MIXEDMAP) || !window->held.room ||
	    !pmd_none(READ_ONCE(*vmf->pmd)))
		return false;
	window->held.room->wants_table = true;
	return true;
}

/* Maps a page by its own rights, where the core would go by those of the VMA. */
static vm_fault_t map_by_state(struct vm_fault *vmf, struct wr_window *window,
			       u8 state, struct page *page)
{
	bool own = !window->tracked ||
		   wr_resident_is_own(window, wr_vmf_index(vmf), page);
	int err;

	if (WARN_ON_ONCE(!(vmf->vma->vm_flags & VM_MIXEDMAP)))
		return VM_FAULT_SIGBUS;
	wr_vma_set_rights(vmf->vma, wr_state_rights(state), own);
	err = vm_insert_page(vmf->vma, vmf->address & PAGE_MASK, page);
	if (err && err != -EBUSY) /* another fault was faster */
		return vmf_error(err);
	return VM_FAULT_NOPAGE;
}

/* Has the core map a page; @unit: it cannot be a part of a 2 MiB page. */
static vm_fault_t hand_over(struct vm_fault *vmf, struct wr_window *window,
			    struct page *page, bool unit)
{
	vm_fault_t ret;

	if (!unit &&
	    unlikely(wr_huge_in_parts(window, wr_vmf_index(vmf), page))) {
		ret = wr_vmf_map_part(vmf, page, vmf->flags & FAULT_FLAG_WRITE);
		if (ret)
			return ret;
	}
	get_page(page);
	lock_page(page);
	vmf->page = page;
	return VM_FAULT_LOCKED;
}

/* At a page whose state is WR_STATE_FRAME. The window is locked. */
static vm_fault_t fault_frame(struct vm_fault *vmf, struct wr_window *window)
{
	struct page *page = wr_frames_page(window, wr_vmf_index(vmf));
	vm_fault_t ret;

	if (IS_ERR(page))
		return VM_FAULT_SIGBUS;
	if (PageHWPoison(page)) {
		wr_record_fault(&window->space->records, vmf,
				WINREGION_FAULT_POISONED);
		return VM_FAULT_HWPOISON;
	}
	if (wants_table(vmf, window))
		return VM_FAULT_OOM;
	if (vmf->vma->vm_flags & VM_MIXEDMAP) {
		ret = map_by_state(vmf, window, WR_STATE_FRAME, page);
		wr_vma_drop_rights(vmf->vma);
		return ret;
	}
	/* A hole of a window of large pages, or where a fork has failed */
	window->hands_over = true;
	return hand_over(vmf, window, page, true);
}

static vm_fault_t fault_locked(struct vm_fault *vmf, struct wr_window *window)
{
	u8 state = wr_runs_state(&window->runs, wr_vmf_index(vmf));
	unsigned long nr_resident = window->nr_resident;
	u8 wanted = wr_fault_wants(vmf);
	struct page **unit = NULL, *page;
	vm_fault_t ret;
	int err;

	if (unlikely(!wr_state_allows(state, wanted))) {
		ret = wr_stack_touch(vmf, window);
		if (ret)
			return ret;
		state = wr_runs_state(&window->runs, wr_vmf_index(vmf));
	}
	if (unlikely(wr_state_is_guard(state)))
		return wr_fault_trip_guard(vmf, window, state, window->file);
	if (!wr_state_allows(state, wanted))
		return wr_fault_refuse(vmf, window, state);
	if (unlikely(state == WR_STATE_FRAME))
		return fault_frame(vmf, window);
	err = wr_stash_touch(window, wr_vmf_index(vmf));
	if (err)
		return page_error(vmf, window, ERR_PTR(err));
	if (dump_skips(window, wr_vmf_index(vmf)))
		return VM_FAULT_SIGBUS;
	if (wants_table(vmf, window))
		return VM_FAULT_OOM;
	if (window->huge)
		wr_huge_prepare(vmf, window);
	else
		unit = make_unit(vmf, window);
	if (vmf->flags & FAULT_FLAG_WRITE)
		page = wr_resident_own(window, wr_vmf_index(vmf), NULL);
	else
		page = wr_resident_get(window, wr_vmf_index(vmf));
	if (IS_ERR(page))
		return page_error(vmf, window, page);
	if (vmf->vma->vm_flags & VM_EXEC)
		ret = map_by_state(vmf, window, state, page);
	else
		ret = hand_over(vmf, window, page, unit);
	if (unit)
		map_behind(vmf, unit + 1, WR_UNIT_PAGES - 1);
	else if (unlikely(window->held.room && window->held.room->came))
		map_what_came(vmf, window);
	else if (window->nr_resident != nr_resident)
		map_ahead(vmf, window);
	wr_vma_drop_rights(vmf->vma);
	return ret;
}

static vm_fault_t huge_fault_locked(struct vm_fault *vmf,
				    struct wr_window *window)
{
	u8 state = wr_runs_state(&window->runs, wr_vmf_index(vmf));
	struct folio *folio;

	if (!wr_state_allows(state, wr_fault_wants(vmf)) ||
	    dump_skips(window, wr_vmf_index(vmf)))
		return VM_FAULT_FALLBACK;
	folio = wr_huge_find(vmf, window);
	return folio ? wr_vmf_insert_folio(vmf, folio) : VM_FAULT_FALLBACK;
}

/*
 * Maps a slot that is intact, under the window's lock, so whoever breaks it later
 * finds the PMD. It saves the core the table of PTEs that it has ready for
 * wr_vma_fault(), which sees to all else. Not for a tracked window.
 */
static vm_fault_t __maybe_unused wr_vma_huge_fault(struct vm_fault *vmf,
						   unsigned int order)
{
	struct wr_window *window = vmf->vma->vm_private_data;
	struct wr_account account;
	vm_fault_t ret;

	if (order != WR_SLOT_SHIFT || !window || !window->huge)
		return VM_FAULT_FALLBACK;
	wr_account_begin(&account, window->space->mm);
	mutex_lock(&window->lock);
	if (wr_paging)
		wr_trim_note(window, window->space->mm);
	ret = huge_fault_locked(vmf, window);
	mutex_unlock(&window->lock);
	wr_account_end(&account);
	if (ret != VM_FAULT_FALLBACK)
		trace_wr_fault(vmf, WR_TRACE_HUGE, ret);
	return ret;
}

/* Return: whether a fault has what it was missing, and is to come again. */
static bool has_room_now(struct vm_fault *vmf, struct wr_room *room)
{
	if (room->wants_table) {
		room->wants_table = false;
		return !wr_vmf_make_table(vmf);
	}
	return wr_pageout_make_room(room);
}

/*
 * A fault, or what a fault asks next, under the window's lock: @locked. Where memory is
 * missing the lock is given up to get it, and all is looked at anew.
 */
static __always_inline vm_fault_t
in_window(struct vm_fault *vmf, struct wr_window *window,
	  vm_fault_t (*locked)(struct vm_fault *vmf, struct wr_window *window))
{
	struct wr_room room;
	vm_fault_t ret;

	wr_pageout_begin_room(&room);
	do {
		mutex_lock(&window->lock);
		window->held.vma = vmf->vma;
		if (wr_paging) {
			window->held.room = &room;
			wr_trim_note(window, window->space->mm);
		}
		ret = locked(vmf, window);
		window->held.room = NULL;
		window->held.vma = NULL;
		mutex_unlock(&window->lock);
	} while (unlikely(room.wants || room.wants_table) &&
		 ret & VM_FAULT_ERROR && has_room_now(vmf, &room));
	wr_pageout_end_room(&room);
	return unlikely(room.read) ? ret | VM_FAULT_MAJOR : ret;
}

static vm_fault_t wr_vma_fault(struct vm_fault *vmf)
{
	struct wr_window *window = vmf->vma->vm_private_data;
	struct wr_account account;
	vm_fault_t ret;

	if (unlikely(!window))
		return VM_FAULT_SIGBUS;
	wr_account_begin(&account, window->space->mm);
	ret = in_window(vmf, window, fault_locked);
	wr_account_end(&account);
	trace_wr_fault(vmf, WR_TRACE_FAULT, ret);
	return ret;
}

/* The pages of the unit of a fault, in its VMA, that are in the same state. */
static void find_near(struct vm_fault *vmf, struct wr_window *window,
		      pgoff_t *first, pgoff_t *end)
{
	struct vm_area_struct *vma = vmf->vma;
	pgoff_t unit = round_down(wr_vmf_index(vmf), WR_UNIT_PAGES), next;

	*first = max(unit, wr_vma_first(vma));
	*end = min(unit + WR_UNIT_PAGES, wr_vma_end(vma));
	wr_runs_span(&window->runs, wr_vmf_index(vmf), *end, end);
	wr_runs_span(&window->runs, *first, *end, &next);
	if (next != *end)
		*first = wr_vmf_index(vmf);
}

/*
 * A page that was shared by a fork has been left to this window. So have those
 * around it, most likely, and shall not take a fault each.
 */
static void allow_near(struct vm_fault *vmf, struct wr_window *window)
{
	pgoff_t first, end;

	find_near(vmf, window, &first, &end);
	wr_resident_claim(window, first, end);
	wr_ptes_allow_write_in(window, vmf->vma, first, wr_vmf_index(vmf));
	wr_ptes_allow_write_in(window, vmf->vma, wr_vmf_index(vmf) + 1, end);
}

/*
 * A page was replaced, with those of its unit if that was a large one. What is now
 * the window's own is mapped, under its lock, instead of by a fault each. What
 * is mapped already, or cannot be, is left as it is.
 */
static void map_near(struct vm_fault *vmf, struct wr_window *window, u8 rights)
{
	struct vm_area_struct *vma = vmf->vma;
	pgoff_t first, end, i;
	struct page *page;

	if (!(vma->vm_flags & VM_MIXEDMAP))
		return;
	find_near(vmf, window, &first, &end);
	wr_vma_set_rights(vma, rights, false);
	for (i = first; i < end; i++) {
		page = wr_resident_find(window, i);
		if (page && !PageCompound(page) && !PageHWPoison(page) &&
		    wr_resident_is_own(window, i, page))
			vm_insert_page(vma, wr_address(i), page);
	}
	wr_vma_drop_rights(vma);
	wr_ptes_allow_write_in(window, vma, first, end);
}

/*
 * Frames can always be written. But the core may be about to map one that it got by
 * fault_frame(), and has given its lock up since: by now another one can be there.
 */
static vm_fault_t mkwrite_frame(struct vm_fault *vmf, struct wr_window *window)
{
	if (wr_frames_page(window, wr_vmf_index(vmf)) != vmf->page)
		return VM_FAULT_NOPAGE;
	lock_page(vmf->page);
	return VM_FAULT_LOCKED;
}

static vm_fault_t mkwrite_locked(struct vm_fault *vmf, struct wr_window *window)
{
	u8 state = wr_runs_state(&window->runs, wr_vmf_index(vmf));
	bool claimed;
	struct page *page;

	/* It was armed after the core has found a PTE, which is gone: a fault raises the alarm. */
	if (unlikely(wr_state_is_guard(state)))
		return VM_FAULT_NOPAGE;
	if (!wr_state_allows(state, WR_WRITE))
		return wr_fault_refuse(vmf, window, state);
	if (unlikely(state == WR_STATE_FRAME))
		return mkwrite_frame(vmf, window);
	claimed = window->forked &&
		  !wr_resident_is_own(window, wr_vmf_index(vmf), vmf->page);
	page = wr_resident_own(window, wr_vmf_index(vmf), vmf->page);
	if (IS_ERR(page))
		return page_error(vmf, window, page);
	if (page != vmf->page) {
		/* It was replaced; take away what still maps the old one. */
		wr_resident_zap(window, wr_vmf_index(vmf),
				wr_vmf_index(vmf) + 1);
		map_near(vmf, window, wr_state_rights(state));
		return VM_FAULT_NOPAGE;
	}
	/* Its slot was broken since the fault, and the core maps all of it. */
	if (wr_huge_in_parts(window, wr_vmf_index(vmf), page) &&
	    wr_vmf_maps_whole(vmf))
		return VM_FAULT_NOPAGE;
	if (claimed && folio_order(page_folio(page)) != WR_SLOT_SHIFT)
		allow_near(vmf, window);
	lock_page(page);
	return VM_FAULT_LOCKED;
}

static vm_fault_t wr_vma_page_mkwrite(struct vm_fault *vmf)
{
	struct wr_window *window = vmf->vma->vm_private_data;
	struct wr_account account;
	vm_fault_t ret;

	if (unlikely(!window))
		return VM_FAULT_SIGBUS;
	wr_account_begin(&account, window->space->mm);
	ret = in_window(vmf, window, mkwrite_locked);
	wr_account_end(&account);
	trace_wr_fault(vmf, WR_TRACE_WRITE, ret);
	return ret;
}

/*
 * Maps nothing. That it is there lets the core take faults under a per-VMA
 * lock. Called under rcu_read_lock().
 */
static vm_fault_t wr_vma_map_pages(struct vm_fault *vmf, pgoff_t first,
				   pgoff_t last)
{
	return 0;
}

/*
 * The child has no memory there: no PTEs are to be copied. Whether they are is up
 * to the parent's VMA, or in later kernels, such as 7.3, to the child's.
 */
static void leave_out(struct wr_window *parent, struct vm_area_struct *vma)
{
	struct vm_area_struct *from =
		vma_lookup(parent->space->mm, vma->vm_start);

	if (from && from->vm_flags & VM_EXEC) {
		/* It cannot do without the flag, but without PTEs. */
		vma_start_write(from);
		wr_zap_vma(from, from->vm_start, from->vm_end);
	} else if (from) {
		vm_flags_clear(from, VM_MIXEDMAP);
	}
	vm_flags_clear(vma, VM_MIXEDMAP);
}

/*
 * The child has memory there, but an earlier one that had none has left the parent's
 * VMA without the flag: else all children from then on would take a fault for each
 * page that they only read.
 */
static void take_in(struct wr_window *parent, struct vm_area_struct *vma)
{
	struct vm_area_struct *from;

	if (parent->huge || vma->vm_flags & VM_MIXEDMAP)
		return;
	from = vma_lookup(parent->space->mm, vma->vm_start);
	if (from)
		vm_flags_set(from, VM_MIXEDMAP);
	vm_flags_set(vma, VM_MIXEDMAP);
}

/* A split (by the holder of layout_lock) or a fork; can't fail. */
static void wr_vma_open(struct vm_area_struct *vma)
{
	struct wr_window *window = vma->vm_private_data;

	if (!window)
		return;
	if (vma->vm_mm == window->space->mm) {
		wr_window_opened(window);
		return;
	}
	vma->vm_private_data = wr_window_fork(window, vma);
	if (vma->vm_private_data)
		take_in(window, vma);
	else
		leave_out(window, vma);
	/* Some kernels, such as 6.2 to 6.8, have copied PTEs by now, writable ones. */
	wr_zap_vma(vma, vma->vm_start, vma->vm_end);
	wr_vma_set_tracked(vma);
}

/*
 * Called for much else than an munmap by the program: pieces that we replace,
 * failed splits (on 6.1 empty ones at offset 0), failed forks.
 */
static void wr_vma_close(struct vm_area_struct *vma)
{
	struct wr_window *window = vma->vm_private_data;
	pgoff_t first = wr_vma_first(vma);
	enum wr_closing why = WR_CLOSE_REPLACED;

	if (!window)
		return;
	if (vma->vm_start < vma->vm_end &&
	    vma->vm_pgoff == wr_window_offset(window, first))
		why = wr_layout_closing(window);
	wr_window_closed(window, first, first + vma_pages(vma), why);
}

/* Partial munmap, mprotect, madvise, mbind, mlock: ours are never cut. */
int wr_vma_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	struct wr_window *window = vma->vm_private_data;

	return window && wr_layout_is_mine(window->space) ? 0 : -EINVAL;
}

/* Protection is a matter of pages here: WINREGION_PROTECT. */
int wr_vma_mprotect(struct vm_area_struct *vma, unsigned long start,
		    unsigned long end, unsigned long newflags)
{
	return -EACCES;
}

/* The address is what a page is found by. */
int wr_vma_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

/* Not one with a memory error. */
static struct page *access_frame(struct wr_window *window, pgoff_t index)
{
	struct page *page = wr_frames_page(window, index);

	return !IS_ERR(page) && PageHWPoison(page) ? ERR_PTR(-EFAULT) : page;
}

/*
 * The page to copy from or to, or NULL for one that is all zeros: pages are not
 * made to be read. What has no page reads as zeros too, and what is offered, so that a
 * debugger can save all of a window.
 */
static struct page *access_page(struct wr_window *window, pgoff_t index,
				bool write)
{
	u8 state = wr_runs_state(&window->runs, index);
	u8 wanted = write ? WR_WRITE : WR_READ;
	int err;

	if (state == WR_STATE_FRAME)
		return access_frame(window, index);
	if (!wr_state_is_committed(state))
		return write ? ERR_PTR(-EFAULT) : NULL;
	if (!wr_state_allows(state, wanted) &&
	    !wr_force_allows(window->space->mm))
		return ERR_PTR(-EFAULT);
	err = wr_stash_touch(window, index);
	if (err && (write || err != -EACCES))
		return ERR_PTR(-EFAULT);
	if (write)
		return wr_resident_own(window, index, NULL);
	return wr_resident_find(window, index) ?
		       wr_resident_get(window, index) :
		       NULL;
}

static void copy_from_page(struct page *page, unsigned int offset, void *buf,
			   int len)
{
	char *kaddr;

	if (!page) {
		memset(buf, 0, len);
		return;
	}
	kaddr = kmap_local_page(page);
	memcpy(buf, kaddr + offset, len);
	kunmap_local(kaddr);
}

static void copy_to_page(struct page *page, unsigned int offset, void *buf,
			 int len)
{
	char *kaddr = kmap_local_page(page);

	memcpy(kaddr + offset, buf, len);
	kunmap_local(kaddr);
}

/* Copies within one page. Return: bytes copied. */
static int access_one(struct wr_window *window, unsigned long addr, void *buf,
		      int len, bool write)
{
	unsigned int offset = offset_in_page(addr);
	struct page *page;

	len = min_t(int, len, PAGE_SIZE - offset);
	page = access_page(window, addr >> PAGE_SHIFT, write);
	if (IS_ERR(page))
		return 0;
	if (write) {
		copy_to_page(page, offset, buf, len);
		wr_watch_note(window, page);
	} else {
		copy_from_page(page, offset, buf, len);
	}
	return len;
}

/* The same under the window's lock, which is not held while memory is waited for. */
static int access_in_room(struct vm_area_struct *vma, unsigned long addr,
			  void *buf, int len, bool write)
{
	struct wr_window *window = vma->vm_private_data;
	struct wr_room room;
	int n;

	wr_pageout_begin_room(&room);
	do {
		mutex_lock(&window->lock);
		window->held.vma = vma;
		if (wr_paging) {
			window->held.room = &room;
			wr_trim_note(window, window->space->mm);
		}
		n = access_one(window, addr, buf, len, write);
		window->held.room = NULL;
		window->held.vma = NULL;
		mutex_unlock(&window->lock);
	} while (!n && room.wants && wr_pageout_make_room(&room));
	wr_pageout_end_room(&room);
	return n;
}

/*
 * For a debugger, where the core cannot get at a page because it is not
 * writable or not accessible: a shared mapping has no copy-on-write to force. It
 * does not say whether protections are to be overridden: see force.c.
 */
static int wr_vma_access(struct vm_area_struct *vma, unsigned long addr,
			 void *buf, int len, int write)
{
	struct wr_window *window = vma->vm_private_data;
	struct wr_account account;
	int done = 0, n;

	if (!window)
		return -EIO;
	len = min_t(unsigned long, len, vma->vm_end - addr);
	wr_account_begin(&account, window->space->mm);
	while (done < len && !fatal_signal_pending(current)) {
		n = access_in_room(vma, addr + done, buf + done, len - done,
				   write);
		if (!n)
			break;
		done += n;
		cond_resched();
	}
	wr_account_end(&account);
	return done ? done : -EIO;
}

/* ---- core dumps ---- */

/*
 * What nothing else of ours has both of: we have set VM_DONTDUMP, not the program.
 * Each alone is a hint for files.
 */
#define VM_UNDUMPED (VM_SEQ_READ | VM_RAND_READ)

static unsigned long core_sparse_mb = 1048576;
module_param(core_sparse_mb, ulong, 0644);
MODULE_PARM_DESC(core_sparse_mb,
		 "Core dumps leave out larger VMAs, if mostly not in memory");

/* From this part in memory on, a VMA is dumped whatever its size. */
#define DUMP_SHARE 64

#define LEFT_OUT \
	"winregion: the core dump of %s[%d] lacks %lx-%lx, where some pages are in memory: see core_sparse_mb\n"

/* Who looks for it in the core should know. */
static void tell_left_out(struct vm_area_struct *vma)
{
	pr_notice_ratelimited(LEFT_OUT, current->comm, task_tgid_vnr(current),
			      vma->vm_start, vma->vm_end);
}

static bool is_worth_dumping(struct wr_window *window,
			     struct vm_area_struct *vma)
{
	unsigned long pages = vma_pages(vma), enough = 1, found;
	pgoff_t first = wr_vma_first(vma);

	if (pages >> (20 - PAGE_SHIFT) > READ_ONCE(core_sparse_mb))
		enough = max(pages / DUMP_SHARE, 1UL);
	mutex_lock(&window->lock);
	found = wr_resident_at_most(window, first, first + pages, enough);
	if (found < enough)
		found += wr_frames_at_most(window, first, first + pages,
					   enough - found);
	if (!found && wr_stash_any_cold(window, first, first + pages))
		found = enough;
	mutex_unlock(&window->lock);
	if (found && found < enough)
		tell_left_out(vma);
	return found >= enough;
}

/* What the program does not want to be dumped stays so. */
static void decide_dump(struct wr_window *window, struct vm_area_struct *vma)
{
	bool ours = (vma->vm_flags & VM_UNDUMPED) == VM_UNDUMPED;

	mmap_assert_write_locked(vma->vm_mm);
	if (vma->vm_flags & VM_DONTDUMP && !ours)
		return;
	if (!is_worth_dumping(window, vma))
		vm_flags_set(vma, VM_DONTDUMP | VM_UNDUMPED);
	else if (ours)
		vm_flags_clear(vma, VM_DONTDUMP | VM_UNDUMPED);
}

/*
 * There is no name. But this is what a core dump asks first, under mmap_lock for
 * writing, when it decides whether to contain a VMA: all of it or nothing,
 * zeros for what is not in memory. Another process may go on with the mm, and
 * dump it later.
 */
static const char *wr_vma_name(struct vm_area_struct *vma)
{
	struct wr_window *window = vma->vm_private_data;

	if (unlikely(current->flags & PF_DUMPCORE) && window &&
	    vma->vm_mm == current->mm)
		decide_dump(window, vma);
	return NULL;
}

static const struct vm_operations_struct simple_ops = {
	.open = wr_vma_open,
	.close = wr_vma_close,
	.may_split = wr_vma_may_split,
	.mprotect = wr_vma_mprotect,
	.mremap = wr_vma_mremap,
	.access = wr_vma_access,
	.name = wr_vma_name,
	.fault = wr_vma_fault,
	.map_pages = wr_vma_map_pages,
	.huge_fault = WR_HUGE_FAULT(wr_vma_huge_fault),
};

static const struct vm_operations_struct tracked_ops = {
	.open = wr_vma_open,
	.close = wr_vma_close,
	.may_split = wr_vma_may_split,
	.mprotect = wr_vma_mprotect,
	.mremap = wr_vma_mremap,
	.access = wr_vma_access,
	.name = wr_vma_name,
	.fault = wr_vma_fault,
	.map_pages = wr_vma_map_pages,
	.page_mkwrite = wr_vma_page_mkwrite,
};

/* Whether it is a window's. By its vm_ops, which nothing but this file sets. */
bool wr_vma_is_ours(struct vm_area_struct *vma)
{
	return vma->vm_ops == &simple_ops || vma->vm_ops == &tracked_ops;
}

/* Whose it is, or NULL: a fork that fails leaves VMAs of ours that are no window's. */
struct wr_window *wr_vma_window(struct vm_area_struct *vma)
{
	return wr_vma_is_ours(vma) ? vma->vm_private_data : NULL;
}

/* The same of a view, each of which has tables of its own: see view_mmap.c. */
struct wr_window *wr_vma_view(struct vm_area_struct *vma)
{
	if (!vma->vm_ops || vma->vm_ops->may_split != wr_vma_may_split ||
	    wr_vma_is_ours(vma))
		return NULL;
	return vma->vm_private_data;
}

/*
 * As the core does: where page_mkwrite is asked, nothing is mapped writable. And where
 * we insert PTEs ourselves, nothing has more than the least, but meanwhile.
 */
static void set_page_prot(struct vm_area_struct *vma)
{
	vm_flags_t flags = vma->vm_flags;

	if (vma->vm_ops == &tracked_ops || flags & VM_EXEC)
		flags &= ~(VM_SHARED | VM_EXEC);
	WRITE_ONCE(vma->vm_page_prot, vm_get_page_prot(flags));
}

/* Ask page_mkwrite from now on. PTEs that are writable stay so. */
void wr_vma_set_tracked(struct vm_area_struct *vma)
{
	vma_start_write(vma);
	vma->vm_ops = &tracked_ops;
	set_page_prot(vma);
}

/*
 * No page of it may be executed any more, nor can be: their PTEs say so already. Where
 * pages may be large the next ones are so again.
 */
void wr_vma_clear_exec(struct vm_area_struct *vma)
{
	struct wr_window *window = vma->vm_private_data;

	vma_start_write(vma);
	vm_flags_clear(vma, VM_EXEC);
	if (window->huge)
		vm_flags_clear(vma, VM_MIXEDMAP);
	set_page_prot(vma);
}

/*
 * Fork copies our VMAs: no VM_DONTCOPY. Core dumps contain them: no
 * VM_DONTDUMP. VM_DONTEXPAND is load-bearing: it makes the core refuse to
 * merge, grow, duplicate (mremap of length 0) or collapse them, and to
 * register them with userfaultfd, whose write protection would undo ours.
 * VM_MIXEDMAP is what vm_insert_pages() asks for: see map_ahead(); and what makes
 * a fork copy PTEs. Not for 2 MiB pages, which the core then does not count: none
 * are in VMAs that are executable.
 */
static int wr_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long len = vma->vm_end - vma->vm_start;
	struct wr_window *window;
	struct wr_space *space;

	if (!wr_layout_allows(file, vma->vm_start, len, vma->vm_pgoff))
		return -EINVAL;
	space = wr_space_find(vma->vm_mm);
	window = space->layout.window;
	if (space->layout.step == WR_STEP_LEAVE) {
		wr_space_put(space);
		return -ECANCELED; /* what was here is unmapped */
	}
	vma->vm_pgoff = wr_window_offset(window, wr_vma_first(vma));
	vm_flags_set(vma, VM_DONTEXPAND);
	if (READ_ONCE(space->file_forked) && RB_EMPTY_NODE(&window->node))
		window->huge = false; /* a fork came before it was mapped */
	if (!window->huge || space->layout.exec)
		vm_flags_set(vma, VM_MIXEDMAP);
	if (window->huge && space->layout.exec)
		wr_huge_break_all(window, wr_vma_first(vma), wr_vma_end(vma));
	if (!space->layout.exec) /* personality(READ_IMPLIES_EXEC) */
		vm_flags_clear(vma, VM_EXEC);
	vma->vm_ops = &simple_ops;
	if (space->layout.keep)
		vm_flags_set(vma, space->layout.keep);
	if (window->tracked)
		wr_vma_set_tracked(vma);
	wr_window_opened(window);
	vma->vm_private_data = window;
	if (space->layout.step == WR_STEP_REFILL)
		wr_window_refilled(window, wr_vma_first(vma), wr_vma_end(vma));
	wr_layout_arrived(window);
	wr_space_put(space);
	return 0;
}

const struct file_operations wr_file_operations = {
	.owner = THIS_MODULE,
	.mmap = wr_file_mmap,
	.get_unmapped_area = wr_layout_address,
	.fsync = noop_fsync, /* msync() */
};

/* Of a window that has a file of its own, as it is watched. */
const struct file_operations wr_watched_file_operations = {
	.owner = THIS_MODULE,
	.mmap = wr_file_mmap,
	.get_unmapped_area = wr_layout_address,
	.fsync = noop_fsync,
	.release = wr_watch_release_file,
};
