// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What an image is made of, by the headers of its file
 */
#include "imageplan.h"

static uint32_t whole_pages(uint32_t size)
{
	return (size + WR_PE_PAGE - 1) & ~(WR_PE_PAGE - 1);
}

/* As a file on a disk is read */
static uint32_t sector(uint32_t offset)
{
	return offset & ~511U;
}

static ULONG protection_of(bool reads, bool writes, bool executes, bool shared)
{
	if (writes && shared)
		return executes ? PAGE_EXECUTE_READWRITE : PAGE_READWRITE;
	if (writes)
		return executes ? PAGE_EXECUTE_WRITECOPY : PAGE_WRITECOPY;
	if (executes)
		return reads ? PAGE_EXECUTE_READ : PAGE_EXECUTE;

	return reads ? PAGE_READONLY : PAGE_NOACCESS;
}

static struct wr_image_piece *add(struct wr_image_plan *plan, uint32_t end)
{
	struct wr_image_piece *piece = &plan->pieces[plan->nr++];

	*piece = (struct wr_image_piece){
		.begin = piece == plan->pieces ? 0 : piece[-1].end,
		.end = end,
		.protect = PAGE_NOACCESS,
	};

	return piece;
}

/* What nobody may access is as what is before it: no view of its own. */
static void be_like_before(struct wr_image_piece *piece)
{
	piece->executes = piece[-1].executes;
	piece->shared = piece[-1].shared;
}

static void add_section(struct wr_image_plan *plan, const struct wr_pe *pe,
			const struct wr_pe_section *section, bool executes)
{
	struct wr_image_piece *piece = add(plan, wr_pe_end(pe, section));
	bool writes = section->flags & WR_PE_WRITES;
	bool reads = section->flags & WR_PE_READS;
	bool runs = section->flags & WR_PE_EXECUTES;

	piece->bytes = wr_pe_filled(pe, section);
	if (piece->bytes)
		piece->offset = sector(section->offset);
	piece->executes = runs && executes;
	piece->shared = writes && section->flags & WR_PE_SHARED;
	/* What cannot be executed can be read, at least. */
	reads |= runs && !executes;
	piece->protect =
		protection_of(reads, writes, piece->executes, piece->shared);
	if (piece->protect == PAGE_NOACCESS)
		be_like_before(piece);
}

/* The image is the file, and all of it can be anything. */
static void plan_flat(const struct wr_pe *pe, bool executes,
		      struct wr_image_plan *plan)
{
	struct wr_image_piece *piece = add(plan, plan->size);

	piece->bytes = pe->image_size < pe->size ? pe->image_size : pe->size;
	piece->executes = executes;
	piece->protect = executes ? PAGE_EXECUTE_WRITECOPY : PAGE_WRITECOPY;
}

void wr_image_plan(const struct wr_pe *pe, bool executes,
		   struct wr_image_plan *plan)
{
	struct wr_image_piece *piece;
	unsigned int i;
	uint32_t end;

	plan->nr = 0;
	plan->size = whole_pages(pe->image_size);
	if (wr_pe_is_flat(pe)) {
		plan_flat(pe, executes, plan);
		return;
	}
	end = pe->nr_sections ? pe->sections[0].address : plan->size;
	piece = add(plan, end);
	piece->bytes = pe->headers_size;
	piece->protect = PAGE_READONLY;
	for (i = 0; i < pe->nr_sections; i++)
		add_section(plan, pe, &pe->sections[i], executes);
	end = plan->pieces[plan->nr - 1].end;
	if (end < plan->size)
		be_like_before(add(plan, plan->size));
	else
		plan->size = end;
}
