// SPDX-License-Identifier: GPL-2.0
/*
 * Where the bytes of a page are that relatives by a fork own, once the first of them
 * has had it written: so it is written once, whoever else has it go.
 *
 * The note keeps no place from being given up: who finds one has to look whether it is
 * the same one still, with wr_outfile_join(). It is there as long as the page cannot
 * change, and has an owner.
 */
#include <linux/mm.h>
#include <linux/xarray.h>

#include "written.h"

#define NOTE_GFP (GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN)

/* By the page's number: the place, and above it the serial number */
static DEFINE_XARRAY_FLAGS(notes, XA_FLAGS_ACCOUNT);

/**
 * wr_written_note - a page has been written, or will be at once
 * @page: the page; its folio's lock is held, and it has an owner
 * @out: where
 *
 * Context: waits for nothing.
 * Return: whether there was memory for it.
 */
bool wr_written_note(struct page *page, struct wr_out out)
{
	unsigned long value = (unsigned long)out.serial << WR_OUT_BITS;

	return !xa_err(xa_store(&notes, page_to_pfn(page),
				xa_mk_value(value | out.place), NOTE_GFP));
}

/**
 * wr_written_find - where a page was written
 * @page: the page, to which the caller has a reference
 *
 * Return: the place, which may be gone by now; or one with the serial number 0.
 */
struct wr_out wr_written_find(struct page *page)
{
	void *entry = xa_load(&notes, page_to_pfn(page));
	unsigned long value = entry ? xa_to_value(entry) : 0;

	return (struct wr_out){
		.place = value & GENMASK(WR_OUT_BITS - 1, 0),
		.serial = value >> WR_OUT_BITS,
	};
}

/* The folio's pages may change from now on, or are nobody's; its lock is held. */
void wr_written_forget(struct folio *folio)
{
	unsigned long pfn = folio_pfn(folio), end = pfn + folio_nr_pages(folio);

	for (; pfn < end; pfn++)
		xa_erase(&notes, pfn);
}

/* The module is about to go: no page is left. */
void wr_written_exit(void)
{
	WARN_ON_ONCE(!xa_empty(&notes));
	xa_destroy(&notes);
}
