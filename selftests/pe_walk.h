/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Look at all that the library finds in bytes that are said to be a file of a program
 * for Windows: every byte that it says is there is read.
 */
#ifndef _SELFTESTS_PE_WALK_H
#define _SELFTESTS_PE_WALK_H

#include <stdlib.h>

#include "../userlib/src/imageplan.h"

static volatile unsigned int pe_sink;

static inline void pe_touch(const uint8_t *at, size_t size)
{
	while (at && size--)
		pe_sink += *at++;
}

static inline void pe_check(bool holds)
{
	if (!holds)
		abort();
}

static inline void pe_look_at_sections(const struct wr_pe *pe)
{
	uint32_t end = 0;
	unsigned int i;

	for (i = 0; i < pe->nr_sections; i++) {
		const struct wr_pe_section *section = &pe->sections[i];
		uint32_t filled = wr_pe_filled(pe, section);

		pe_check(section->address >= end);
		end = wr_pe_end(pe, section);
		pe_check(end > section->address &&
			 end - section->address >= filled);
		/* In an image it is somewhere else. */
		if (pe->laid_out)
			continue;
		pe_check(!filled ||
			 section->offset + (uint64_t)filled <= pe->size);
		pe_touch(pe->bytes + section->offset, filled);
	}
	pe_check(end <= pe->image_size + 0x80000000ULL);
}

/* What the module would be told: it takes no other lists. */
static inline void pe_look_at_plan(const struct wr_pe *pe, bool executes)
{
	const struct wr_image_piece *piece;
	struct wr_image_plan plan;
	uint32_t end = 0;
	unsigned int i;

	wr_image_plan(pe, executes, &plan);
	pe_check(plan.nr && plan.nr <= WR_MAX_PIECES);
	for (i = 0; i < plan.nr; i++) {
		piece = &plan.pieces[i];
		pe_check(piece->begin == end && piece->end > end);
		pe_check(!(piece->end % WR_PE_PAGE));
		pe_check(piece->bytes <= piece->end - piece->begin);
		pe_check(pe->laid_out ||
			 piece->offset + (uint64_t)piece->bytes <= pe->size);
		pe_check(executes || !piece->executes);
		end = piece->end;
	}
	pe_check(end == plan.size);
}

static inline void pe_look_at_functions(const struct wr_pe *pe)
{
	static const char *const names[] = { "alpha", "beta", "gamma", "", "z" };
	struct wr_pe_export found;
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!wr_pe_find_export(pe, names[i], 0, &found))
			continue;
		pe_check(found.address && found.address < pe->image_size);
		pe_touch((const uint8_t *)found.forward, found.forward_size);
	}
	for (i = 0; i < 16; i++)
		wr_pe_find_export(pe, NULL, i, &found);
}

static inline bool pe_count(void *arg, uint32_t address, unsigned int type)
{
	const struct wr_pe *pe = arg;

	pe_check(address + (uint64_t)wr_pe_relocation_size(type) <=
		 pe->image_size);
	return true;
}

/* The budget ends what leads to itself. */
static inline void pe_look_at_table(const struct wr_pe *pe, uint32_t offset,
				    int depth, unsigned int *budget)
{
	struct wr_pe_entry entry, found;
	struct wr_pe_table table;
	struct wr_pe_data data;
	const uint8_t *place;
	uint32_t i;

	if (!wr_pe_table(pe, offset, &table))
		return;
	for (i = 0; i < table.nr_entries && *budget; i++) {
		--*budget;
		if (!wr_pe_entry(pe, &table, i, &entry))
			continue;
		pe_touch(entry.name.text, 2 * entry.name.length);
		if (i < 4)
			wr_pe_find_entry(pe, &table, &entry.name, &found);
		if (entry.is_table && depth < 4)
			pe_look_at_table(pe, entry.offset, depth + 1, budget);
		else if (wr_pe_data(pe, entry.offset, &place, &data))
			pe_touch(wr_pe_at(pe, data.address, data.size),
				 data.size);
	}
}

static inline void pe_look(const uint8_t *bytes, size_t size, bool laid_out)
{
	unsigned int budget = 200;
	struct wr_pe pe;

	if (wr_pe_read(bytes, size, laid_out, &pe) != STATUS_SUCCESS)
		return;
	if (wr_pe_check(&pe) == STATUS_SUCCESS) {
		pe_look_at_sections(&pe);
		pe_look_at_plan(&pe, true);
		pe_look_at_plan(&pe, false);
	}
	pe_look_at_functions(&pe);
	wr_pe_each_relocation(&pe, pe_count, &pe);
	pe_look_at_table(&pe, 0, 0, &budget);
}

#endif /* _SELFTESTS_PE_WALK_H */
