/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_CHANGE_H
#define _WR_CHANGE_H

#include "regiontree.h"
#include "trace.h"
#include "window.h"

enum wr_op {
	WR_COMMIT,
	WR_DECOMMIT,
	WR_PROTECT,
	WR_RESET, /* this one and those behind it: see reset.c */
	WR_UNDO,
	WR_DISCARD,
	WR_OFFER,
	WR_RECLAIM,
};

/**
 * struct wr_rights - what a change does to rights
 * @lost: those that some page loses
 * @gained: those that some readable page gains
 * @unlike: some page has other rights than before
 */
struct wr_rights {
	u8 lost;
	u8 gained;
	bool unlike;
};

/**
 * struct wr_change - one range of a change
 * @first: the first page
 * @end: the page behind the last; @first for the whole region (WR_DECOMMIT)
 * @state: what the pages become; 0 for WR_DECOMMIT; for WR_OFFER their class
 * @rights: what becomes of theirs
 * @hard: it is known not to be easy
 * @nocache: WINREGION_NOCACHE was asked for
 * @part_first: it begins within its first page
 * @part_last: it ends within its last page
 * @whole: the whole region, whatever is there each time that it is looked at
 * @replaces: the pages are those of a placeholder, which they replace (WR_COMMIT)
 * @large: they are those of a region of large pages that is just made (WR_COMMIT)
 * @protection: of what does so
 * @watch: if that is watched: for a window without, and NULL once it has it
 * @node: and its memory node, or NUMA_NO_NODE
 * @charged: pages of a section that have been charged for it
 * @serial: of the region, if it must be a certain one; if it @replaces one set to
 *	what it is
 * @gone: set in the first range to the pages of all of them that have lost what was to
 *	be taken back (WR_UNDO, WR_RECLAIM)
 * @old_protection: set to what the first page had (WR_PROTECT)
 * @window: the window of the range; referenced while the change runs
 * @region: its region; valid under the window's lock
 * @slot: the slot that it is in if it is easy; as @region
 */
struct wr_change {
	pgoff_t first;
	pgoff_t end;
	u8 state;
	struct wr_rights rights;
	bool hard;
	bool nocache;
	bool part_first;
	bool part_last;
	bool whole;
	bool replaces;
	bool large;
	u32 protection;
	struct wr_watch *watch;
	int node;
	unsigned long charged;
	u64 serial;
	unsigned long gone;
	u32 old_protection;
	struct wr_window *window;
	struct wr_region *region;
	struct wr_slot *slot;
};

/* How a change holds mmap_lock; the last one with the VMAs' locks too. */
enum wr_mmap {
	WR_MMAP_NONE,
	WR_MMAP_READ,
	WR_MMAP_WRITE,
};

/**
 * struct wr_needs - what a change needs before any state can change
 * @track: a window that must be tracked first
 * @state: and that, if it is a view, must be able to have such pages
 * @exec: the VMAs must fit first
 * @denied: the process has had that forbidden to itself, by PR_SET_MDWE
 * @mmap: how mmap_lock should be held, for the PTEs of pages in memory
 * @charge: pages to charge
 */
struct wr_needs {
	struct wr_window *track;
	u8 state;
	bool exec;
	bool denied;
	enum wr_mmap mmap;
	unsigned long charge;
};

/* How many more of @pages are committed once that is done. */
static __always_inline long wr_change_more(enum wr_op op, u8 old,
					   unsigned long pages)
{
	if (op == WR_COMMIT)
		return wr_state_is_committed(old) ? 0 : pages;
	return op == WR_DECOMMIT && wr_state_is_committed(old) ? -pages : 0;
}

/* Some pages @had rights, and now @has others. */
static __always_inline void wr_rights_note(struct wr_rights *rights, u8 had,
					   u8 has)
{
	rights->lost |= had & ~has;
	rights->unlike |= had != has;
	if (had & WR_READ)
		rights->gained |= has & ~had;
}

/*
 * Whether PR_SET_MDWE denies it, by the rules of mprotect(): nothing becomes writable
 * and executable, and what was not executable never does. What is committed anew has
 * not been written; its VMA is what wr_window_fits() asks for.
 */
static __always_inline bool wr_change_is_denied(struct wr_window *window,
						u8 old, u8 new)
{
	return (wr_state_is_write_exec(new) ||
		(wr_state_is_committed(old) && !wr_state_is_exec(old))) &&
	       wr_mm_denies_exec(window->space->mm);
}

/**
 * wr_change_check_run - whether pages in one state may change, and what it takes
 * @window: their window; its lock is held
 * @op: what to do
 * @old: their state
 * @new: what they are to become; lost pages stay so
 * @pages: how many
 * @rights: what becomes of their rights is added
 * @needs: what they need is added, but for @needs->mmap
 *
 * The one place that knows what a change may do, however it is done.
 *
 * Return: 0, -ENODATA, -ENOENT or -EDOM.
 */
static __always_inline int wr_change_check_run(struct wr_window *window,
					       enum wr_op op, u8 old, u8 new,
					       unsigned long pages,
					       struct wr_rights *rights,
					       struct wr_needs *needs)
{
	bool exec = op == WR_DECOMMIT ? window->exec : wr_state_is_exec(new);

	if (op == WR_PROTECT && !wr_state_is_committed(old))
		return -ENODATA;
	if (op == WR_COMMIT && wr_state_is_lost(old))
		return -ENOENT;
	if (op == WR_COMMIT)
		needs->charge += wr_change_more(op, old, pages);
	needs->exec |= wr_window_exec_at(window, old) != exec;
	if (op != WR_DECOMMIT && exec)
		needs->denied |= !wr_exec_is_by_page() ||
				 wr_change_is_denied(window, old, new);
	if (wr_state_needs_tracking(new)) {
		if (wr_state_copies(new))
			return -EDOM;
		if (!window->tracked)
			needs->track = window;
	}
	wr_rights_note(rights, wr_state_rights(old), wr_state_rights(new));
	return 0;
}

static __always_inline bool wr_change_is_traced(enum wr_op op)
{
	switch (op) {
	case WR_COMMIT:
		return trace_wr_commit_enabled();
	case WR_DECOMMIT:
		return trace_wr_decommit_enabled();
	case WR_PROTECT:
		return trace_wr_protect_enabled();
	default:
		return false;
	}
}

void wr_change_trace(struct wr_window *window, enum wr_op op, pgoff_t first,
		     pgoff_t end, u8 state);

/*
 * The pages have changed; their window is locked. They go by value, as those who are in
 * a hurry have them in registers.
 */
static __always_inline void wr_change_tell(struct wr_window *window,
					   enum wr_op op, pgoff_t first,
					   pgoff_t end, u8 state)
{
	if (wr_change_is_traced(op))
		wr_change_trace(window, op, first, end, state);
}

/* Frees what no longer tells a difference; the window is locked. */
static __always_inline void wr_change_compact(struct wr_window *window,
					      struct wr_change *change)
{
	wr_runs_compact(&window->runs, change->first, change->end,
			change->region->first, change->region->end);
}

/* What the first page of a range has just before its own change. */
static __always_inline void wr_change_note_old(struct wr_change *change, u8 old)
{
	change->old_protection =
		wr_state_protection(old, change->region->protection);
}

int wr_change(struct wr_space *space, enum wr_op op, struct wr_change *changes,
	      unsigned int nr);

#endif /* _WR_CHANGE_H */
