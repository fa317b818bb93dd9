/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_OUTFILE_H
#define _WR_OUTFILE_H

#include <linux/gfp_types.h>
#include <linux/mm_types.h>

/*
 * What who makes memory free may take of what the core keeps for him: nothing, half of it,
 * or all. Swap may want a page to note where the next ones are (7.3), and has it from the
 * first half only. So nobody goes further, unless somebody would be killed else, and what
 * comes back late takes none. (Nodes of an xarray are taken from all of it, whatever it is
 * told: one for 64 places, and for 64 pages one of which relatives have had written.)
 */
#define WR_KEPT_NONE __GFP_NOMEMALLOC
#define WR_KEPT_HALF (__GFP_NOMEMALLOC | __GFP_HIGH)
#define WR_KEPT_ALL __GFP_HIGH

/* A place, and a serial number, take so many bits: two of them fit into an xarray's value. */
#define WR_OUT_BITS 31

/**
 * struct wr_out - where a page is that is out of memory
 * @place: its page in the file
 * @serial: of the time that it went there, so that a place which was used again is not
 *	taken for the same; 0 if it is not out
 */
struct wr_out {
	u32 place;
	u32 serial;
};

/* Whether two are the same, of the same time. */
static inline bool wr_out_is(struct wr_out a, struct wr_out b)
{
	return a.place == b.place && a.serial == b.serial;
}

/**
 * struct wr_out_page - a place that a page can be written to
 * @page: its page in the file, with a reference; locked until it is filled
 * @out: it
 */
struct wr_out_page {
	struct page *page;
	struct wr_out out;
};

bool wr_outfile_make(struct wr_out_page *to, gfp_t kept);
void wr_outfile_abandon(struct wr_out_page *to);
void wr_outfile_fill(struct wr_out_page *to, struct page *from);
bool wr_outfile_send(struct wr_out_page *to);
int wr_outfile_read(struct wr_out out, struct page *to);
int wr_outfile_share(struct wr_out out);
bool wr_outfile_let_join(struct wr_out out);
bool wr_outfile_join(struct wr_out out);
void wr_outfile_free(struct wr_out out);
unsigned long wr_outfile_used(void);
int wr_outfile_init(void);
void wr_outfile_exit(void);

#endif /* _WR_OUTFILE_H */
