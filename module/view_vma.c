// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of the VMA of a view that is there, and of what it maps.
 *
 * A VMA that can have copies is a shared one that can be written, or the core would
 * make copies of its own, which are no affair of ours; but the file has never been
 * told. Such a VMA also gets an anon_vma, as of a private one that was written. Nobody
 * looks at that but fork and who collapses the pages of a file into a large one: he
 * would take the table of PTEs away as empty, and with it those of copies.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "fault.h"
#include "view_vma.h"

/* Where there is no view any more. */
vm_fault_t wr_view_no_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

/* Of a VMA that is about to go. */
const struct vm_operations_struct wr_view_closed_ops = {
	.fault = wr_view_no_fault,
	.may_split = wr_vma_may_split,
};

/* The file is told of the end of a VMA. Return: the window that it had. */
struct wr_window *wr_view_close_vma(struct vm_area_struct *vma)
{
	struct wr_window *window = vma->vm_private_data;
	const struct vm_operations_struct *host = window->view->host;

	if (host->close)
		host->close(vma);
	if (READ_ONCE(window->nr_resident)) /* copies */
		wr_space_keep_inode(window->file, vma);
	vma->vm_ops = &wr_view_closed_ops;
	vma->vm_private_data = NULL;
	return window;
}

/* The VMA of a view; mmap_lock is held. */
struct vm_area_struct *wr_view_vma(struct wr_window *window)
{
	struct vm_area_struct *vma;

	mmap_assert_locked(window->space->mm);
	vma = vma_lookup(window->space->mm, wr_address(window->first));
	if (!vma || wr_vma_view(vma) != window)
		return NULL;
	return vma;
}

/**
 * wr_view_zap - remove what maps pages of a view
 * @window: the view; mmap_lock is held, and if rights are to go, for writing, with
 *	the VMA's lock
 * @first: the first page
 * @end: the page behind the last
 */
void wr_view_zap(struct wr_window *window, pgoff_t first, pgoff_t end)
{
	struct vm_area_struct *vma = wr_view_vma(window);

	if (vma)
		wr_zap_vma(vma, wr_address(first), wr_address(end));
}

/*
 * The only way to an anon_vma: what a private mapping gets for a write, before the
 * fault handler is asked, which has none. There are no PTEs, nor faults but this one.
 */
static int make_anon_vma(struct vm_area_struct *vma)
{
	const struct vm_operations_struct *ops = vma->vm_ops;
	const vm_flags_t write = VM_WRITE | VM_MAYWRITE;
	const vm_flags_t flags = vma->vm_flags;
	int err;

	if (vma->anon_vma)
		return 0;
	vma->vm_ops = &wr_view_closed_ops;
	vm_flags_clear(vma, VM_SHARED);
	vm_flags_set(vma, write);
	err = fixup_user_fault(vma->vm_mm, vma->vm_start, FAULT_FLAG_WRITE,
			       NULL);
	vm_flags_clear(vma, write);
	vm_flags_set(vma, flags & (VM_SHARED | write));
	vma->vm_ops = ops;
	if (vma->anon_vma)
		return 0;
	return err == -EINTR ? -EINTR : -ENOMEM;
}

/* As the core does it: of mappings for code, with which it shows those of libraries */
static long code_pages(struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_EXEC | VM_WRITE)) == VM_EXEC ?
		       vma_pages(vma) :
		       0;
}

/* Of a VMA that is there. mmap_lock is held for writing. */
static void change_flags(struct vm_area_struct *vma, vm_flags_t set,
			 vm_flags_t clear)
{
	long before = code_pages(vma);

	mmap_assert_write_locked(vma->vm_mm);
	vm_flags_clear(vma, clear);
	vm_flags_set(vma, set);
	vma->vm_mm->exec_vm += code_pages(vma) - before;
}

/*
 * Has writes come to our handlers, in a VMA of pages that may only be read: the core
 * takes it for one that writes the file. It is locked, and has no PTEs.
 */
static int admit_writes(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_SHARED)
		return 0;
	if (mapping_map_writable(vma->vm_file->f_mapping))
		return -EKEYREJECTED;
	change_flags(vma, VM_SHARED | VM_MAYSHARE | VM_WRITE | VM_MAYWRITE, 0);
	return 0;
}

/*
 * Lets guards of a VMA, which is tracked, be set off by writes. Where the file has been
 * sealed, only reads do it. mmap_lock is held for writing.
 */
static void admit_guards(struct wr_window *window, struct vm_area_struct *vma)
{
	if (window->view->writes)
		return;
	vma_start_write(vma);
	wr_zap_vma(vma, vma->vm_start, vma->vm_end);
	admit_writes(vma);
	mutex_lock(&window->lock);
	WRITE_ONCE(window->view->writes, true);
	mutex_unlock(&window->lock);
}

/* Lets a VMA, which is tracked, have copies. mmap_lock is held for writing. */
static int admit_copies(struct wr_window *window, struct vm_area_struct *vma)
{
	int err;

	if (window->view->copies)
		return 0;
	vma_start_write(vma);
	wr_zap_vma(vma, vma->vm_start, vma->vm_end);
	err = make_anon_vma(vma);
	if (!err)
		err = admit_writes(vma);
	if (err)
		return err;
	mutex_lock(&window->lock);
	WRITE_ONCE(window->view->copies, true);
	WRITE_ONCE(window->view->writes, true);
	mutex_unlock(&window->lock);
	return 0;
}

static void track_vma(struct wr_window *window, struct vm_area_struct *vma)
{
	vma_start_write(vma);
	vma->vm_ops = &window->view->ops->tracked;
	/* As the core does: where page_mkwrite is asked, nothing is writable. */
	WRITE_ONCE(vma->vm_page_prot,
		   vm_get_page_prot(vma->vm_flags & ~VM_SHARED));
	wr_zap_vma(vma, vma->vm_start, vma->vm_end);
	mutex_lock(&window->lock);
	window->tracked = true;
	mutex_unlock(&window->lock);
}

/**
 * wr_view_track - from now on ask for each page of a view
 * @window: the view
 * @state: some will have that state
 *
 * Return: 0, -ENOENT if it is gone, -EINTR, and for copies -ENOMEM, or -EKEYREJECTED
 * if the file is sealed.
 */
int wr_view_track(struct wr_window *window, u8 state)
{
	struct vm_area_struct *vma;
	int err = -ENOENT;

	if (mmap_write_lock_killable(window->space->mm))
		return -EINTR;
	vma = wr_view_vma(window);
	if (vma) {
		err = 0;
		if (!window->tracked)
			track_vma(window, vma);
		if (wr_state_copies(state))
			err = admit_copies(window, vma);
		else if (wr_state_is_guard(state))
			admit_guards(window, vma);
	}
	mmap_write_unlock(window->space->mm);
	return err;
}

/* ---- executing ---- */

/*
 * To the core PTEs are executable as their VMA is, also where it makes them anew, as
 * for a page that has moved. So of a view, which has one VMA, all pages that can be
 * read can be executed, or none can.
 */

/* Whether pages can have a state only if the VMA is changed. The window is locked. */
bool wr_view_changes_exec(struct wr_window *window, u8 state)
{
	struct wr_view *view = window->view;
	u8 rights = wr_view_rights(state);

	return view->rights & WR_EXEC && rights &&
	       !(rights & WR_EXEC) == view->executes;
}

static bool is_sealed_vma(struct wr_window *window)
{
	struct vm_area_struct *vma = wr_view_vma(window);

	return vma && wr_vma_is_sealed(vma);
}

/**
 * wr_view_may_change_exec - whether the VMA can be changed with pages of a range
 * @window: the view; its lock is held
 * @first: the first page
 * @end: the page behind the last
 * @locked: mmap_lock is held; if not, there will be another look
 *
 * Return: 0, -EDOM if others can be read, -EACCES if it is sealed, or -EINTR.
 */
int wr_view_may_change_exec(struct wr_window *window, pgoff_t first,
			    pgoff_t end, bool locked)
{
	pgoff_t i, next;
	u8 state;

	if (locked && is_sealed_vma(window))
		return -EACCES;
	for (i = window->first; i < window->end; i = next) {
		state = wr_runs_span(&window->runs, i, window->end, &next);
		if (wr_view_rights(state) && (i < first || next > end))
			return -EDOM;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/* The window is locked, mmap_lock and the VMA for writing. */
void wr_view_change_exec(struct wr_window *window)
{
	struct vm_area_struct *vma = wr_view_vma(window);
	vm_flags_t flags;

	if (!vma)
		return;
	if (window->view->executes)
		change_flags(vma, 0, VM_EXEC);
	else
		change_flags(vma, VM_EXEC, 0);
	WRITE_ONCE(window->view->executes, !window->view->executes);
	flags = window->tracked ? vma->vm_flags & ~VM_SHARED : vma->vm_flags;
	WRITE_ONCE(vma->vm_page_prot, vm_get_page_prot(flags));
	wr_zap_vma(vma, vma->vm_start, vma->vm_end);
}
