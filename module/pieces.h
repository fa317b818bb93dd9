/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_PIECES_H
#define _WR_PIECES_H

#include "window.h"

int wr_window_remap(struct wr_window *window, pgoff_t first, pgoff_t end,
		    bool exec);
void wr_window_refit_or_lose(struct wr_window *window, pgoff_t first,
			     pgoff_t end);
bool wr_window_fits(struct wr_window *window, pgoff_t first, pgoff_t end,
		    bool exec);
void wr_window_map_again(struct wr_window *window, pgoff_t first, pgoff_t end);
bool wr_window_has_many_vmas(struct wr_window *window);
bool wr_window_is_untidy(struct wr_window *window);
void wr_window_tidy(struct wr_window *window);
void wr_window_rejoin(struct wr_window *window, pgoff_t first, pgoff_t end);

#endif /* _WR_PIECES_H */
