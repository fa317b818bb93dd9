// SPDX-License-Identifier: GPL-2.0
/*
 * Thread stacks: regions in which the guard moves down as it is touched.
 *
 * A program commits the top of a region that is marked as a stack, and one page below
 * that with READWRITE | GUARD. From then on it is a matter of the fault handler: the
 * guard that is touched becomes an ordinary page, the one below becomes the guard,
 * and the access goes on as a first touch. No signal, no call, one page of charge.
 *
 *	first                                                          end
 *	| reserved for ever | end line | ... reserved ... | guard | committed |
 *
 * The end line is the second page, or above that by the guarantee. When the guard
 * is touched there, or there is no charge, the stack is full: all down to the second
 * page is given, nothing is left to guard, and the access fails. What the program
 * does with its pages meanwhile needs no look at the mark: the guard is found by the
 * states alone, under the window's lock. It is the stack's if the page below it is
 * not committed, or it has come to the end line; any other is a guard like those of
 * all regions.
 *
 * That is what code for Windows goes by, which touches each page of a frame on the
 * way down. Other code leaps over a guard; a stack for that takes any touch between
 * its first page and the guard for a touch of all pages in between.
 */
#include <linux/sched.h>

#include "huge.h"
#include "pagefile.h"
#include "record.h"
#include "regiontree.h"
#include "stack.h"
#include "trace.h"
#include "window.h"

/*
 * Of the process itself: by the program, in its system calls, or to put the frame of a
 * signal there. Neither a debugger nor a core dump makes a stack grow.
 */
static bool is_own_access(struct vm_fault *vmf)
{
	return !(vmf->flags & FAULT_FLAG_REMOTE) &&
	       !(current->flags & PF_DUMPCORE);
}

/* The lowest page on which the guard can be. */
static pgoff_t end_line(struct wr_region *region)
{
	return region->first + 1 + region->guarantee;
}

/* The guard that a touch of @index is about, or 0. */
static pgoff_t find_guard(struct wr_window *window, struct wr_region *region,
			  pgoff_t index)
{
	u8 state = wr_runs_state(&window->runs, index);
	pgoff_t next;

	if (state == WR_STATE_READWRITE_GUARD)
		return index;
	if (!region->leaps || state != WR_STATE_NONE || index == region->first)
		return 0;
	wr_runs_span(&window->runs, index, region->end, &next);
	if (next == region->end ||
	    wr_runs_state(&window->runs, next) != WR_STATE_READWRITE_GUARD)
		return 0;
	return next;
}

/* Visits what of [@first, @end) is reserved; with @commit it is made committed. */
static unsigned long reserved_pages(struct wr_window *window, pgoff_t first,
				    pgoff_t end, bool commit)
{
	unsigned long pages = 0;
	pgoff_t next;

	for (; first < end; first = next) {
		cond_resched();
		if (wr_runs_span(&window->runs, first, end, &next) !=
		    WR_STATE_NONE)
			continue;
		pages += next - first;
		if (commit)
			wr_runs_fill(&window->runs, first, next,
				     WR_STATE_READWRITE);
	}
	return pages;
}

/* So that each of the pages there can have a state of its own */
static int split_at(struct wr_runs *runs, pgoff_t first)
{
	int err = wr_runs_split(runs, first, GFP_KERNEL_ACCOUNT);

	return err ? err : wr_runs_split(runs, first + 1, GFP_KERNEL_ACCOUNT);
}

/* Gives the pages from @first up to the guard, @guard included: they are split. */
static void give(struct wr_window *window, struct wr_region *region,
		 pgoff_t first, pgoff_t guard)
{
	region->committed += reserved_pages(window, first, guard, true);
	wr_huge_break(window, first, guard + 1);
	wr_runs_fill(&window->runs, guard, guard + 1, WR_STATE_READWRITE);
}

/* Return: 0 or -EDQUOT, -ENFILE, -ENOMEM. */
static int charge(struct wr_window *window, pgoff_t first, pgoff_t guard)
{
	unsigned long pages = reserved_pages(window, first, guard, false);

	return pages ? wr_pagefile_charge(&window->space->pagefile, pages) : 0;
}

/* The one place that says why such an access fails. */
static vm_fault_t stack_overflow(struct vm_fault *vmf, struct wr_window *window)
{
	wr_record_fault(&window->space->records, vmf,
			WINREGION_FAULT_STACK_OVERFLOW);
	return VM_FAULT_SIGSEGV;
}

/*
 * By the guard's own page, where both it and the one below have a byte for their state
 * already, and there is charge in store. Nothing can fail then. Return: whether.
 */
static bool grow_quick(struct wr_window *window, struct wr_region *region,
		       pgoff_t guard)
{
	struct wr_slot *slot = wr_runs_peek(&window->runs, guard);
	unsigned int offset = wr_slot_offset(guard);

	if (!slot || !slot->states || !offset ||
	    !wr_pagefile_charge_quick(&window->space->pagefile, 1))
		return false;
	wr_huge_break(window, guard - 1, guard + 1);
	slot->states[offset] = WR_STATE_READWRITE;
	slot->states[offset - 1] = WR_STATE_READWRITE_GUARD;
	region->committed++;
	trace_wr_stack(window->space->mm, guard - 1, guard + 1);
	return true;
}

/* The guard goes at the end only if the record says so to the program. */
static int prepare_overflow(struct vm_fault *vmf, struct wr_window *window)
{
	return wr_record_prepare(&window->space->records, vmf,
				 GFP_KERNEL_ACCOUNT);
}

/* It fails, and the stack stays as it is. */
static vm_fault_t refuse_call(struct vm_fault *vmf)
{
	trace_wr_refused(vmf, WINREGION_FAULT_STACK_OVERFLOW);
	return VM_FAULT_SIGSEGV;
}

/*
 * Up to @guard. A system call at the end fails, and leaves the guard to tell the program:
 * some of them try again at once.
 */
static vm_fault_t grow(struct vm_fault *vmf, struct wr_window *window,
		       struct wr_region *region, pgoff_t guard)
{
	bool program = vmf->flags & FAULT_FLAG_USER;
	pgoff_t below = wr_vmf_index(vmf) - 1;
	bool full = below < end_line(region);
	int err;

	if (full && !program)
		return refuse_call(vmf);
	if (!full && below + 1 == guard && grow_quick(window, region, guard))
		return 0;
	if (full)
		below = region->first + 1;
	if (split_at(&window->runs, below) || split_at(&window->runs, guard) ||
	    (full && prepare_overflow(vmf, window)))
		return VM_FAULT_OOM;
	err = charge(window, below, guard);
	if (err == -ENOMEM)
		return VM_FAULT_OOM;
	if (err) {
		if (!program)
			return refuse_call(vmf);
		if (prepare_overflow(vmf, window))
			return VM_FAULT_OOM;
		full = true;
		below = guard; /* that page is charged already */
	}
	give(window, region, below, guard);
	trace_wr_stack(window->space->mm, below, guard + 1);
	if (full)
		return stack_overflow(vmf, window);
	wr_runs_fill(&window->runs, below, below + 1, WR_STATE_READWRITE_GUARD);
	return 0;
}

/**
 * wr_stack_touch - a page is touched that its state does not allow as it is
 * @vmf: the fault
 * @window: the window, not a view; its lock is held
 *
 * Context: may sleep.
 * Return: 0 if the page's state is to be looked at again: it is the stack's, which has
 * grown, or nothing has changed. Else what the fault has come to.
 */
vm_fault_t wr_stack_touch(struct vm_fault *vmf, struct wr_window *window)
{
	pgoff_t index = wr_vmf_index(vmf), guard;
	struct wr_region *region = wr_region_find(window, index);

	if (!region || !region->stack || !is_own_access(vmf))
		return 0;
	guard = find_guard(window, region, index);
	if (!guard)
		return 0;
	if (index > end_line(region) &&
	    wr_runs_state(&window->runs, index - 1) != WR_STATE_NONE)
		return 0;
	return grow(vmf, window, region, guard);
}

static int set_locked(struct wr_window *window, pgoff_t index,
		      unsigned long guarantee, bool leaps)
{
	struct wr_region *region = wr_region_find(window, index);

	if (!region || !region->stack)
		return -ENOENT;
	/* A page to be reserved, the end line, and one above it */
	if (guarantee > U32_MAX || guarantee + 3 > region->end - region->first)
		return -EXDEV;
	region->guarantee = guarantee;
	region->leaps = leaps;
	return 0;
}

/**
 * wr_stack_set - how a stack grows
 * @space: where
 * @index: a page of its region
 * @guarantee: pages that are left when it is full
 * @leaps: any touch makes it grow
 *
 * Return: 0, -ENOENT or -EXDEV.
 */
int wr_stack_set(struct wr_space *space, pgoff_t index, unsigned long guarantee,
		 bool leaps)
{
	struct wr_window *window = wr_window_find(space, index);
	int err;

	if (!window)
		return -ENOENT;
	mutex_lock(&window->lock);
	err = set_locked(window, index, guarantee, leaps);
	mutex_unlock(&window->lock);
	wr_window_put(window);
	return err;
}
