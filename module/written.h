/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_WRITTEN_H
#define _WR_WRITTEN_H

#include "outfile.h"

bool wr_written_note(struct page *page, struct wr_out out);
struct wr_out wr_written_find(struct page *page);
void wr_written_forget(struct folio *folio);
void wr_written_exit(void);

#endif /* _WR_WRITTEN_H */
