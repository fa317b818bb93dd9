/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_REGION_H
#define _WR_REGION_H

#include "space.h"

/**
 * struct wr_reserve - a reserve, checked and in pages
 * @first: the first page, if @fixed
 * @serial: what was made
 * @pages: how many
 * @lowest: lowest byte allowed
 * @highest: highest byte allowed
 * @alignment: of the base
 * @protection: allocation protection
 * @state: the state of its pages, if @commit
 * @fixed: the address is given
 * @bound: @lowest, @highest or @alignment matter
 * @top_down: the highest place
 * @commit: commit all of it
 * @exec: its pages will be executable, as far as one can tell
 * @placeholder: it is to be one
 * @replace: it is to replace one, of just those pages
 * @stack: it is for a stack
 * @large: of large pages
 * @physical: for frames
 * @watched: with a write watch
 * @node: where its pages are to be, or NUMA_NO_NODE
 * @watch: for a window without, if @watched
 */
struct wr_reserve {
	pgoff_t first;
	u64 serial;
	unsigned long pages;
	unsigned long lowest;
	unsigned long highest;
	unsigned long alignment;
	u32 protection;
	u8 state;
	bool fixed;
	bool bound;
	bool top_down;
	bool commit;
	bool exec;
	bool placeholder;
	bool replace;
	bool stack;
	bool large;
	bool physical;
	bool watched;
	int node;
	struct wr_watch *watch;
};

int wr_reserve(struct wr_space *space, struct wr_reserve *request);
int wr_unreserve(struct wr_space *space, struct wr_reserve *request);
int wr_release(struct wr_space *space, pgoff_t first, unsigned long *pages,
	       bool preserve);

int wr_placeholder_replace(struct wr_space *space, struct wr_reserve *request);
int wr_placeholder_coalesce(struct wr_space *space, pgoff_t first,
			    unsigned long pages);

#endif /* _WR_REGION_H */
