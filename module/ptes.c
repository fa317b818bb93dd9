// SPDX-License-Identifier: GPL-2.0
/*
 * PTEs of pages in memory, made writable or read only where they are.
 *
 * Unmapping takes rights away too, and faults give them back; but a fault costs
 * some thousand instructions, and this some ten a page. It is for many pages,
 * as it needs mmap_lock: page tables can go at any moment without it.
 *
 * PTEs become read only and clean: the core takes one that is read only and dirty
 * for one that it may make writable again.
 *
 * Nothing that flushes TLBs is exported as such. But each of the core's functions
 * that removes or protects PTEs ends with a flush of the whole mm if somebody else has changed
 * PTEs and not flushed yet, which inc_tlb_flush_pending() says. Whether there was
 * one can be told on x86; where there was none, or nobody can tell, what was
 * edited is unmapped instead, which is right everywhere, and that once is enough:
 * editing is switched off. Where PTEs cannot be edited at all, as on arm64, that is
 * what is done from the beginning. A fork needs no flush of ours, as dup_mmap() ends with
 * one for the PTEs that it makes read only itself.
 *
 * A slot is what one table of PTEs maps, or a PMD. The window's lock is held.
 */
#include <linux/leafops.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>

#include "fault.h"
#include "ptes.h"
#include "resident.h"
#include "watch.h"

/**
 * struct wr_edit - what is done to page tables
 * @table: edits PTEs of [@first, @end) in one slot, all of whose are at @ptes
 * @pmd: what becomes of the PMD of an intact slot
 * @grants: it gives rights
 */
struct wr_edit {
	void (*table)(struct wr_window *window, struct wr_slot *slot,
		      pte_t *ptes, pgoff_t first, pgoff_t end);
	pmd_t (*pmd)(pmd_t pmd);
	bool grants;
};

static pmd_t *find_pmd(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;

	if (pgd_none(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d))
		return NULL;
	pud = pud_offset(p4d, addr);
	if (pud_none(*pud) || pud_leaf(*pud))
		return NULL;
	return pmd_offset(pud, addr);
}

/* That of the slot at @addr; @before, if not NULL, is that of the slot before. */
static pmd_t *next_pmd(struct mm_struct *mm, pmd_t *before, unsigned long addr)
{
	if (before && addr & ~PUD_MASK)
		return before + 1; /* in the same table */
	return find_pmd(mm, addr);
}

/*
 * Newer kernels free empty tables under mmap_lock for reading, after a grace
 * period, hence the second look.
 */
static void edit_table(struct wr_window *window, struct wr_slot *slot,
		       pmd_t *pmd, pmd_t value, pgoff_t first, pgoff_t end,
		       const struct wr_edit *how)
{
	unsigned long addr = wr_address(wr_slot_first(first));
	spinlock_t *lock; /* of the table */

	lock = pte_lockptr(window->space->mm, &value);
	spin_lock(lock);
	if (pmd_val(READ_ONCE(*pmd)) == pmd_val(value))
		how->table(window, slot, pte_offset_kernel(&value, addr), first,
			   end);
	spin_unlock(lock);
}

/* Who changes a part of an intact slot has broken it, and unmapped all of it. */
static void edit_whole(struct wr_window *window, struct wr_slot *slot,
		       pmd_t *pmd, pgoff_t first, const struct wr_edit *how)
{
	struct mm_struct *mm = window->space->mm;
	spinlock_t *lock; /* of the table of PMDs */
	pmd_t old, new;

	if (how->grants && window->forked &&
	    !wr_resident_is_own(window, wr_slot_first(first),
				wr_slot_page(slot, 0)))
		return;
	lock = pmd_lock(mm, pmd);
	old = READ_ONCE(*pmd);

	if (pmd_trans_huge(old) && pmd_present(old)) {
		new = how->pmd(old);
		if (!pmd_same(old, new))
			set_pmd_at(mm, wr_address(first), pmd, new);
	}
	spin_unlock(lock);
}

/* Edits what maps pages of one slot, under its lock, if anything does. */
static void edit_slot(struct wr_window *window, struct wr_slot *slot,
		      pmd_t *pmd, pgoff_t first, pgoff_t end,
		      const struct wr_edit *how)
{
	pmd_t value;

	rcu_read_lock();
	value = READ_ONCE(*pmd);
	if (slot->intact && pmd_trans_huge(value))
		edit_whole(window, slot, pmd, first, how);
	else if (!pmd_none(value) && !pmd_bad(value))
		edit_table(window, slot, pmd, value, first, end, how);
	rcu_read_unlock();
}

static void edit(struct wr_window *window, pgoff_t first, pgoff_t end,
		 const struct wr_edit *how)
{
	struct wr_slot *slot;
	pmd_t *pmd = NULL;
	pgoff_t next;

	lockdep_assert_held(&window->lock);
	for (; first < end; first = next) {
		slot = wr_runs_slot(&window->runs, first, &next);
		next = min(next, end);
		if (!slot || !slot->nr_resident) {
			pmd = NULL;
			continue;
		}
		pmd = next_pmd(window->space->mm, pmd, wr_address(first));
		if (pmd)
			edit_slot(window, slot, pmd, first, next, how);
		cond_resched();
	}
}

/*
 * What is mapped is the window's page, as that is never replaced without unmapping
 * the old one.
 */
static void allow_in_table(struct wr_window *window, struct wr_slot *slot,
			   pte_t *ptes, pgoff_t first, pgoff_t end)
{
	unsigned int i = wr_slot_offset(first);
	pte_t pte, *ptep = ptes + i;

	for (; first < end; first++, i++, ptep++) {
		pte = READ_ONCE(*ptep);
		if (!pte_present(pte) || pte_protnone(pte) || pte_write(pte))
			continue;
		if (window->forked &&
		    !wr_resident_is_own(window, first, wr_slot_page(slot, i)))
			continue;
		pte = pte_mkwrite_novma(pte_mkyoung(pte));
		pte = window->watch ? pte_mksoft_dirty(pte) : pte_mkdirty(pte);
		set_pte_at(window->space->mm, wr_address(first), ptep, pte);
	}
}

/*
 * The processor may be about to set the dirty bit, and comes too late, or is
 * overwritten; the pages are dirty anyway.
 */
static void forbid_in_table(struct wr_window *window, struct wr_slot *slot,
			    pte_t *ptes, pgoff_t first, pgoff_t end)
{
	unsigned int i = wr_slot_offset(first);
	pte_t pte, *ptep = ptes + i;

	for (; first < end; first++, ptep++) {
		pte = READ_ONCE(*ptep);
		if (!pte_present(pte) || (!pte_write(pte) && !pte_dirty(pte)))
			continue;
		pte = pte_mkclean(pte_wrprotect(pte));
		set_pte_at(window->space->mm, wr_address(first), ptep, pte);
	}
}

static pmd_t allow_in_pmd(pmd_t pmd)
{
	if (pmd_protnone(pmd) || pmd_write(pmd))
		return pmd;
	return pmd_mkdirty(pmd_mkwrite_novma(pmd_mkyoung(pmd)));
}

static pmd_t forbid_in_pmd(pmd_t pmd)
{
	return pmd_mkclean(pmd_wrprotect(pmd));
}

static const struct wr_edit allow = {
	.table = allow_in_table,
	.pmd = allow_in_pmd,
	.grants = true,
};

static const struct wr_edit forbid = {
	.table = forbid_in_table,
	.pmd = forbid_in_pmd,
};

/*
 * Only what is a VMA is looked at: one that is just being unmapped has left the
 * tree, and its page tables go while mmap_lock is held for reading.
 */
static void edit_vmas(struct wr_window *window, pgoff_t first, pgoff_t end,
		      const struct wr_edit *how)
{
	VMA_ITERATOR(vmi, window->space->mm, wr_address(first));
	struct vm_area_struct *vma;

	mmap_assert_locked(window->space->mm);
	if (!window->nr_resident)
		return;
	for_each_vma_range(vmi, vma, wr_address(end))
		if (wr_vma_window(vma) == window)
			edit(window, max(first, wr_vma_first(vma)),
			     min(end, wr_vma_end(vma)), how);
}

/**
 * wr_ptes_allow_write - make pages writable without a fault each
 * @window: the window; its lock is held, and mmap_lock for reading at least
 * @first: the first page
 * @end: the page behind the last; the states of all of them allow it
 *
 * What is left out, such as pages that others own too, is left to faults.
 */
void wr_ptes_allow_write(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	if (wr_can_edit_ptes())
		edit_vmas(window, first, end, &allow);
}

/**
 * wr_ptes_allow_write_in - the same in one VMA
 * @window: the window; its lock is held
 * @vma: a VMA of it, in which the caller has a fault
 * @first: the first page
 * @end: the page behind the last, in the VMA; the states of all of them allow it
 */
void wr_ptes_allow_write_in(struct wr_window *window,
			    struct vm_area_struct *vma, pgoff_t first,
			    pgoff_t end)
{
	WARN_ON_ONCE(vma->vm_private_data != window);
	if (wr_can_edit_ptes() && first < end)
		edit(window, first, end, &allow);
}

/* Editing without a flush that can be seen is off: see the top. */
static bool no_flush;

/* A page of the VMA at @first that is not in memory, if that is easy to find. */
static pgoff_t page_to_zap(struct wr_window *window, struct vm_area_struct *vma)
{
	pgoff_t last = wr_vma_end(vma) - 1;

	return wr_resident_find(window, last) ? wr_vma_first(vma) : last;
}

/*
 * What zaps nothing flushes as well. Where that cannot be had: to zap a part of what
 * a PMD maps would cost all of that.
 */
static void flush_by(struct wr_window *window, struct vm_area_struct *vma,
		     pgoff_t first, pgoff_t end)
{
	pgoff_t page;

	if (wr_zaps_one_vma()) {
		wr_zap_vma(vma, vma->vm_start, vma->vm_start);
	} else if (window->huge && !window->forked && !window->watch) {
		wp_shared_mapping_range(window->file->f_mapping,
					wr_window_offset(window, first),
					end - first);
	} else {
		page = page_to_zap(window, vma);
		wr_zap_vma(vma, wr_address(page), wr_address(page + 1));
	}
}

/* Flushes TLBs by a VMA of the window. Return: whether there was a flush. */
static bool flush_by_vma(struct wr_window *window, struct vm_area_struct *vma,
			 pgoff_t first, pgoff_t end)
{
	struct mm_struct *mm = window->space->mm;
	u64 flushes = wr_mm_flushes(mm);

	inc_tlb_flush_pending(mm);
	flush_by(window, vma, first, end);
	dec_tlb_flush_pending(mm);
	return wr_mm_flushes(mm) != flushes;
}

/*
 * Flushes the TLBs of what has been edited. Return: whether it did. At most one
 * page is not mapped any more, and mostly none.
 */
static bool flush(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct vm_area_struct *vma =
		find_vma(window->space->mm, wr_address(first));

	if (!vma || vma->vm_private_data != window)
		return false;
	return flush_by_vma(window, vma, first, end);
}

/*
 * Secondary MMUs, as of KVM, hear of what is unmapped. In a watched window a PTE that
 * becomes clean could have been dirty.
 */
static bool can_forbid(struct wr_window *window)
{
	return wr_can_edit_ptes() && !READ_ONCE(no_flush) &&
	       !mm_has_notifiers(window->space->mm) && !window->watch;
}

static void switch_off(void)
{
	pr_notice_once("winregion: PTEs are no longer edited\n");
	WRITE_ONCE(no_flush, true);
}

/**
 * wr_ptes_forbid_write - make pages read only without unmapping them
 * @window: the window; its lock is held, it is tracked, and mmap_lock and the
 *	VMAs' locks are held for writing, so that no fault is on its way
 * @first: the first page
 * @end: the page behind the last
 */
void wr_ptes_forbid_write(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	mmap_assert_write_locked(window->space->mm);
	if (can_forbid(window)) {
		edit_vmas(window, first, end, &forbid);
		if (flush(window, first, end))
			return;
		switch_off();
	}
	wr_resident_unmap(window, first, end);
}

/**
 * wr_ptes_forbid_for_fork - the same for pages that a child is about to own too
 * @window: the parent's window; as for wr_ptes_forbid_write()
 * @first: the first page
 * @end: the page behind the last
 *
 * TLBs are flushed before the child can run.
 */
void wr_ptes_forbid_for_fork(struct wr_window *window, pgoff_t first,
			     pgoff_t end)
{
	mmap_assert_write_locked(window->space->mm);
	if (wr_can_edit_ptes() && !mm_has_notifiers(window->space->mm) &&
	    !window->watch)
		edit_vmas(window, first, end, &forbid);
	else
		wr_resident_unmap(window, first, end);
	/* Who has pinned a page by an old PTE is seen, or sees the new one. */
	smp_mb();
}

/* ---- dirty bits ---- */

static void collect_in_table(struct wr_window *window, struct wr_slot *slot,
			     pte_t *ptes, pgoff_t first, pgoff_t end)
{
	unsigned long *written = wr_watch_written(window, first);
	unsigned int i = wr_slot_offset(first), stop = i + (end - first);

	while (i < stop) {
		if (!(i % WR_SOME_PTES) && stop - i >= WR_SOME_PTES &&
		    wr_some_ptes_are_clean(ptes + i)) {
			i += WR_SOME_PTES;
			continue;
		}
		if (wr_pte_make_clean(ptes + i)) {
			__set_bit(i, written);
			window->watch->stale = true;
		}
		i++;
	}
}

static pmd_t leave_pmd(pmd_t pmd)
{
	return pmd;
}

static const struct wr_edit collect = {
	.table = collect_in_table,
	.pmd = leave_pmd,
};

/* Whether TLBs were flushed by a VMA of the window, which is as good as any. */
static bool flush_by_any(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	VMA_ITERATOR(vmi, window->space->mm, wr_address(first));
	struct vm_area_struct *vma;

	for_each_vma_range(vmi, vma, wr_address(end))
		if (wr_vma_window(vma) == window)
			return flush_by_vma(window, vma, first, end);
	return false;
}

/**
 * wr_ptes_collect - take the dirty bits of PTEs to where writes are noted
 * @window: the window, watched, where there is room for what is noted; its lock is
 *	held, and mmap_lock for reading at least
 * @first: the first page
 * @end: the page behind the last
 *
 * Secondary MMUs would not hear of it, and what has no flush must not be edited: then
 * the caller is to unmap the pages, which has the core take the bits.
 *
 * Return: whether all of it is done.
 */
bool wr_ptes_collect(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct wr_watch *watch = window->watch;

	if (!wr_can_edit_ptes() || READ_ONCE(no_flush) ||
	    mm_has_notifiers(window->space->mm))
		return false;
	edit_vmas(window, first, end, &collect);
	if (!watch->stale || flush_by_any(window, first, end)) {
		watch->stale = false;
		return true;
	}
	watch->stale = false;
	switch_off();
	return false;
}

/* ---- accessed bits ---- */

/* As edit_table() */
static void age_table(struct vm_area_struct *vma, pmd_t *pmd, pmd_t value,
		      pgoff_t first, pgoff_t end, unsigned long *young)
{
	unsigned int i = wr_slot_offset(first);
	spinlock_t *lock; /* of the table */
	pte_t *ptes;

	lock = pte_lockptr(vma->vm_mm, &value);
	spin_lock(lock);
	if (pmd_val(READ_ONCE(*pmd)) == pmd_val(value)) {
		ptes = pte_offset_kernel(&value,
					 wr_address(wr_slot_first(first)));
		for (; first < end; first++, i++)
			if (wr_pte_make_old(vma, wr_address(first), ptes + i))
				__set_bit(i, young);
	}
	spin_unlock(lock);
}

static void age_vma(struct vm_area_struct *vma, pgoff_t first, pgoff_t end,
		    unsigned long *young)
{
	pmd_t *pmd = find_pmd(vma->vm_mm, wr_address(first));
	pmd_t value;

	if (!pmd)
		return;
	rcu_read_lock();
	value = READ_ONCE(*pmd);
	if (pmd_trans_huge(value)) {
		if (wr_pmd_make_old(vma, wr_address(first), pmd))
			bitmap_fill(young, WR_SLOT_PAGES);
	} else if (!pmd_none(value) && !pmd_bad(value)) {
		age_table(vma, pmd, value, first, end, young);
	}
	rcu_read_unlock();
}

/**
 * wr_ptes_age - which pages of a slot were used since it was asked last
 * @window: the window; its lock is held, and mmap_lock for reading at least
 * @first: the slot's first page
 * @stay: a bit is set for each such page, and for those in VMAs that are locked
 * @any_age: only for the latter
 *
 * A page that others map too, as they have it since a fork, is looked at here only.
 */
void wr_ptes_age(struct wr_window *window, pgoff_t first, unsigned long *stay,
		 bool any_age)
{
	VMA_ITERATOR(vmi, window->space->mm, wr_address(first));
	pgoff_t end = first + WR_SLOT_PAGES, from, to;
	struct vm_area_struct *vma;

	mmap_assert_locked(window->space->mm);
	for_each_vma_range(vmi, vma, wr_address(end)) {
		if (wr_vma_window(vma) != window)
			continue;
		from = max(first, wr_vma_first(vma));
		to = min(end, wr_vma_end(vma));
		if (vma->vm_flags & VM_LOCKED)
			bitmap_set(stay, wr_slot_offset(from), to - from);
		else if (!any_age)
			age_vma(vma, from, to, stay);
	}
}

/* ---- markers of others ---- */

/* As edit_table(): @value is what was in the PMD. */
static bool is_guard(struct mm_struct *mm, pmd_t *pmd, pmd_t value,
		     unsigned long addr)
{
	spinlock_t *lock; /* of the table */
	bool guard = false;
	pte_t *pte;

	lock = pte_lockptr(mm, &value);
	spin_lock(lock);
	if (pmd_val(READ_ONCE(*pmd)) == pmd_val(value)) {
		pte = pte_offset_kernel(&value, addr);
		guard = wr_pte_is_guard(ptep_get(pte));
	}
	spin_unlock(lock);
	return guard;
}

/**
 * wr_ptes_guard - whether a page was made a guard by MADV_GUARD_INSTALL
 * @mm: an address space; mmap_lock is held
 * @addr: a page of a VMA with WR_MAYBE_GUARD
 * @next: becomes the address up to which the answer is the same for sure
 *
 * Return: whether nobody may touch it.
 */
bool wr_ptes_guard(struct mm_struct *mm, unsigned long addr,
		   unsigned long *next)
{
	pmd_t *pmd = find_pmd(mm, addr), value;
	bool guard = false;

	mmap_assert_locked(mm);
	*next = (addr & PMD_MASK) + PMD_SIZE;
	if (!pmd)
		return false;
	rcu_read_lock();
	value = READ_ONCE(*pmd);
	if (pmd_present(value) && !pmd_leaf(value) && !pmd_bad(value)) {
		*next = addr + PAGE_SIZE;
		guard = is_guard(mm, pmd, value, addr);
	}
	rcu_read_unlock();
	return guard;
}
