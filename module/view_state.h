/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_VIEW_STATE_H
#define _WR_VIEW_STATE_H

#include "regiontree.h"
#include "section.h"
#include "states.h"
#include "window.h"

/**
 * struct wr_view - what a window that is a view has besides
 * @section: what it is a view of; window->file holds it
 * @state: of all of its pages at first
 * @rights: those that its pages can have
 * @executes: its VMA is executable, and so is what can be read of it; else nothing is.
 *	mmap_lock for writing and the window's lock
 * @copies: its VMA can hold copies; mmap_lock for writing and the window's lock, never
 *	reset
 * @writes: writes of pages that may only be read come to our handlers, or it has been
 *	tried to have it so; as @copies
 * @begun: its pages are what they are to be, and can change: wr_view_begin(); the
 *	window's lock, never reset
 * @grows: it may be larger than its section, whose pages are committed as far as the
 *	section reaches, or its file, if the section was all of it
 * @image: the first page of the image that it is a part of, or 0
 * @reach: where that was the last time, by its offset, if @grows: the page behind the
 *	last; the window's lock, never less
 * @host: the operations of the file underneath
 * @mapping: of that file
 * @ops: its operations
 * @region: the only one of the window, not there before it is mapped
 *
 * What has no lock does not change once it is mapped.
 */
struct wr_view {
	struct wr_section *section;
	u8 state;
	u8 rights;
	bool executes;
	bool copies;
	bool writes;
	bool begun;
	bool grows;
	pgoff_t image;
	pgoff_t reach;
	const struct vm_operations_struct *host;
	struct address_space *mapping;
	struct wr_view_ops *ops;
	struct wr_region region;
};

/* What a state lets pages be used for, or will once a guard has gone off. */
static inline u8 wr_view_rights(u8 state)
{
	if (wr_state_is_guard(state))
		state = wr_state_disarmed(state);
	return wr_state_rights(state);
}

/* Whether pages of a view that has @rights can have a state: 0 or an error. */
static inline int wr_view_check_state(u8 rights, u8 state)
{
	if (wr_states[state].protection & WINREGION_WRITECOMBINE)
		return -EDOM;
	return wr_view_rights(state) & ~rights ? -EKEYREJECTED : 0;
}

/* Whether its VMA is such that pages can have a state. */
static inline bool wr_view_is_ready(struct wr_window *window, u8 state)
{
	struct wr_view *view = window->view;

	if (wr_state_copies(state) && !READ_ONCE(view->copies))
		return false;
	return !wr_state_is_guard(state) || READ_ONCE(view->writes);
}

/*
 * Whether pages can have the state that it is mapped with only once its VMA has been
 * changed, which is another step.
 */
static inline bool wr_view_begins_late(const struct wr_view *view)
{
	return wr_state_copies(view->state) ||
	       (wr_state_is_guard(view->state) && !(view->rights & WR_WRITE));
}

/* Whether the pages of its section have to be committed before they are there. */
static inline bool wr_view_commits(struct wr_window *window)
{
	return window->view->section->flags & WINREGION_SECTION_RESERVE;
}

/* Whether there may be pages that are not committed, whatever its own states say. */
static inline bool wr_view_is_reserved(struct wr_window *window)
{
	return window->view->grows || wr_view_commits(window);
}

/* Those that its VMA is to have. */
static inline const struct vm_operations_struct *
wr_view_ops_of(struct wr_window *window)
{
	struct wr_view_ops *ops = window->view->ops;

	return window->tracked ? &ops->tracked : &ops->simple;
}

struct wr_window *wr_view_alloc(struct wr_space *space,
				struct wr_section *section, u8 rights);
u8 wr_view_span_locked(struct wr_window *window, pgoff_t index, pgoff_t end,
		       pgoff_t *next);
u8 wr_view_span(struct wr_window *window, pgoff_t index, pgoff_t end,
		pgoff_t *next);
unsigned int wr_view_look(struct wr_window *window, pgoff_t first, pgoff_t end,
			  u8 states[2], pgoff_t *next);
u8 wr_view_state(struct wr_window *window, pgoff_t index);
unsigned long wr_view_resident(struct wr_window *window, pgoff_t first,
			       pgoff_t end);

#endif /* _WR_VIEW_STATE_H */
