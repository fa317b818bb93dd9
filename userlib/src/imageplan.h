/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _WR_IMAGEPLAN_H
#define _WR_IMAGEPLAN_H

#include "pe.h"

/* What an image is made of: its headers, sections, and what is behind them */
#define WR_MAX_PIECES (WR_PE_MAX_SECTIONS + 2)

/* One of them: its place, its contents in the file, and its protection */
struct wr_image_piece {
	uint32_t begin;
	uint32_t end;
	uint32_t offset;
	uint32_t bytes;
	ULONG protect;
	/* Views of it are like those of others with the same, beside it. */
	bool executes;
	bool shared;
};

struct wr_image_plan {
	uint32_t size;
	unsigned int nr;
	struct wr_image_piece pieces[WR_MAX_PIECES];
};

/* imageplan.c: what the headers come to; @executes: unless nothing may */
void wr_image_plan(const struct wr_pe *pe, bool executes,
		   struct wr_image_plan *plan);

#endif /* _WR_IMAGEPLAN_H */
