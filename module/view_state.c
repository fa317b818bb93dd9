// SPDX-License-Identifier: GPL-2.0
/*
 * What a view is: the window, and the states of its pages.
 *
 * A state is the view's own, but for whether a page is committed where its section is
 * committed page by page: that is the section's. And a view can be larger than its
 * section: what is behind the end is not committed until there is something.
 */
#include <linux/folio_batch.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "resident.h"
#include "view_state.h"

/**
 * wr_view_alloc - a window that is a view, of no range yet
 * @space: whose
 * @section: of what
 * @rights: those that its pages can have
 *
 * Return: the window with a reference, or NULL if there is no memory.
 */
struct wr_window *wr_view_alloc(struct wr_space *space,
				struct wr_section *section, u8 rights)
{
	struct wr_window *window =
		wr_window_alloc(space, section->pseudo, sizeof(struct wr_view));

	if (!window)
		return NULL;
	window->view->section = section;
	window->view->rights = rights;
	return window;
}

/* The page behind those that are committed, by its offset. Both are locked. */
static pgoff_t find_reach(struct wr_view *view)
{
	u64 size = view->section->size;

	lockdep_assert_held(&view->section->lock);
	if (view->section->whole)
		size = max_t(u64, size, i_size_read(view->mapping->host));
	view->reach =
		max_t(pgoff_t, view->reach, DIV_ROUND_UP_ULL(size, PAGE_SIZE));
	return view->reach;
}

/* Whether pages are committed, up to *@next, at most @end, all by their offset. */
static bool is_committed(struct wr_view *view, pgoff_t first, pgoff_t end,
			 pgoff_t *next)
{
	pgoff_t reach;

	if (!view->grows)
		return wr_section_commit_span(view->section, first, end, next);
	reach = find_reach(view);
	*next = first < reach ? min(end, reach) : end;
	return first < reach;
}

/* wr_view_span(), with the section's lock held. */
u8 wr_view_span_locked(struct wr_window *window, pgoff_t index, pgoff_t end,
		       pgoff_t *next)
{
	u8 state = wr_runs_near_span(&window->runs, index, end, next);
	pgoff_t stop;

	if (!is_committed(window->view, wr_window_offset(window, index),
			  wr_window_offset(window, *next), &stop))
		state = 0;
	*next = wr_window_index(window, stop);
	return state;
}

/**
 * wr_view_span - the state of pages of a view
 * @window: the view; its lock is held
 * @index: the first page
 * @end: the page behind the last
 * @next: set to the first page that may differ, or @end
 *
 * Return: the state, 0 for what is not committed.
 */
u8 wr_view_span(struct wr_window *window, pgoff_t index, pgoff_t end,
		pgoff_t *next)
{
	struct wr_section *section = window->view->section;
	u8 state;

	lockdep_assert_held(&window->lock);
	if (!wr_view_is_reserved(window))
		return wr_runs_near_span(&window->runs, index, end, next);
	mutex_lock(&section->lock);
	state = wr_view_span_locked(window, index, end, next);
	mutex_unlock(&section->lock);
	return state;
}

/**
 * wr_view_look - which states there are in pages that are alike but for the section
 * @window: the view; its lock is held
 * @first: the first page
 * @end: the page behind the last
 * @states: set to the states; the second one is 0 if all are in the first
 * @next: set to the first page that differs in the view itself, or @end
 *
 * However often the section's pages differ there, who has many views of them need not look
 * at each.
 *
 * Return: how many states, 1 or 2.
 */
unsigned int wr_view_look(struct wr_window *window, pgoff_t first, pgoff_t end,
			  u8 states[2], pgoff_t *next)
{
	struct wr_section *section = window->view->section;
	u8 own = wr_runs_near_span(&window->runs, first, end, next);
	pgoff_t stop = *next;

	lockdep_assert_held(&window->lock);
	states[0] = own;
	states[1] = 0;
	if (wr_view_is_reserved(window)) {
		mutex_lock(&section->lock);
		states[0] = wr_view_span_locked(window, first, *next, &stop);
		mutex_unlock(&section->lock);
	}
	if (stop == *next)
		return 1;
	/* Where it differs it is committed, or else it is not. */
	states[1] = states[0] ? 0 : own;
	return 2;
}

/* That of one page. */
u8 wr_view_state(struct wr_window *window, pgoff_t index)
{
	pgoff_t next;

	return wr_view_span(window, index, index + 1, &next);
}

/* Pages of the range that the file has in memory; all of them, if that is not told. */
static unsigned long count_cached(struct wr_window *window, pgoff_t first,
				  pgoff_t end)
{
	pgoff_t start = wr_window_offset(window, first);
	pgoff_t last = wr_window_offset(window, end) - 1;
	struct folio_batch batch;
	unsigned long pages = 0;
	struct folio *folio;
	unsigned int i;

	if (!window->view->section->tells)
		return end - first;
	folio_batch_init(&batch);
	while (filemap_get_folios(window->view->mapping, &start, last,
				  &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++) {
			folio = batch.folios[i];
			pages += min(folio_next_index(folio), last + 1) -
				 max(folio->index,
				     wr_window_offset(window, first));
		}
		folio_batch_release(&batch);
		cond_resched();
		if (fatal_signal_pending(current))
			break;
	}
	return pages;
}

/*
 * Pages of the range that are in memory, whoever has touched them. The window is
 * locked.
 */
unsigned long wr_view_resident(struct wr_window *window, pgoff_t first,
			       pgoff_t end)
{
	unsigned long pages = 0;
	pgoff_t next;

	for (; first < end && !fatal_signal_pending(current); first = next) {
		next = wr_resident_next(window, first, end);
		if (first < next) {
			pages += count_cached(window, first, next);
			continue;
		}
		pages++;
		next++;
		cond_resched();
	}
	return pages;
}
