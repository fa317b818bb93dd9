/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_PIECES_H
#define _WR_PIECES_H

#include "window.h"

int wr_window_remap(struct wr_window *window, pgoff_t first, pgoff_t end,
		    bool exec);
void wr_window_refit_or_lose(struct wr_window *window, pgoff_t first,
			     pgoff_t end);
void wr_window_announce(struct wr_window *window, pgoff_t first, pgoff_t end,
			u8 state);
void wr_window_rejoin(struct wr_window *window, pgoff_t first, pgoff_t end);

#endif /* _WR_PIECES_H */
