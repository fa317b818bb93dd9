/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_TRIM_H
#define _WR_TRIM_H

#include "window.h"

struct shrink_control;
struct shrinker;
struct wr_where;

/**
 * struct wr_trimming - pages that were not used lately are being looked for
 * @wanted: how many pages
 * @looked: how many were looked at
 * @moved: how many are to leave now
 * @unmapped: those that are not, as a relative maps them, or they may be in use, but
 *	this one maps them no more
 * @passed: windows that were passed over, as they rest or have no pages
 * @busy: windows that somebody had locked
 * @any_age: used or not
 * @kept: what room for them may take of what is kept, as WR_KEPT_NONE
 * @again: also of windows that rest
 */
struct wr_trimming {
	unsigned long wanted;
	unsigned long looked;
	unsigned long moved;
	unsigned long unmapped;
	unsigned long passed;
	unsigned int busy;
	bool any_age;
	bool again;
	gfp_t kept;
};

void wr_trim_note(struct wr_window *window, struct mm_struct *payer);
void wr_trim_forget(struct wr_window *window);
bool wr_trim_any(struct shrink_control *sc);
unsigned long wr_trim_count(struct shrink_control *sc);
bool wr_trim_next(const struct wr_where *where, struct wr_trimming *trimming);
void wr_trim_range(struct wr_window *window, pgoff_t first, pgoff_t end);
int wr_trim_init(struct shrinker *shrinker);
void wr_trim_exit(void);

#endif /* _WR_TRIM_H */
