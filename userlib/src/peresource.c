// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The resources in files of programs and libraries for Windows: tables of tables of
 * names. See pe.h.
 */
#include <string.h>

#include "pe.h"

#define TABLE_SIZE 16
#define ENTRY_SIZE 8
#define DATA_SIZE 16

/* Of the two words of an entry: the name is text, what it leads to is a table */
#define IS_TEXT 0x80000000U
#define IS_TABLE 0x80000000U

/* @size bytes at @offset of the resources, or NULL */
static const uint8_t *at_resources(const struct wr_pe *pe, uint64_t offset,
				   uint64_t size)
{
	struct wr_pe_directory all = wr_pe_directory(pe, WR_PE_RESOURCES);

	if (!all.size)
		return NULL;

	return wr_pe_at(pe, all.address + offset, size);
}

bool wr_pe_table(const struct wr_pe *pe, uint32_t offset,
		 struct wr_pe_table *table)
{
	const uint8_t *at = at_resources(pe, offset, TABLE_SIZE);
	uint16_t nr[2];

	if (!at)
		return false;
	memcpy(nr, at + 12, sizeof(nr));
	*table = (struct wr_pe_table){
		.offset = offset,
		.nr_named = nr[0],
		.nr_entries = (uint32_t)nr[0] + nr[1],
	};

	return true;
}

/* Text is a length, and then so many units. */
static bool read_name(const struct wr_pe *pe, uint32_t word,
		      struct wr_pe_name *name)
{
	uint32_t offset = word & ~IS_TEXT;
	const uint8_t *at;

	*name = (struct wr_pe_name){ .number = word };
	if (!(word & IS_TEXT))
		return word <= 0xFFFF;
	at = at_resources(pe, offset, sizeof(name->length));
	if (!at)
		return false;
	memcpy(&name->length, at, sizeof(name->length));
	name->text = at_resources(pe, (uint64_t)offset + sizeof(name->length),
				  2 * name->length);

	return name->text;
}

bool wr_pe_entry(const struct wr_pe *pe, const struct wr_pe_table *table,
		 uint32_t index, struct wr_pe_entry *entry)
{
	uint64_t offset = (uint64_t)table->offset + TABLE_SIZE +
			  (uint64_t)index * ENTRY_SIZE;
	const uint8_t *at = index < table->nr_entries ?
				    at_resources(pe, offset, ENTRY_SIZE) :
				    NULL;
	uint32_t words[2];

	if (!at)
		return false;
	memcpy(words, at, sizeof(words));
	entry->is_table = words[1] & IS_TABLE;
	entry->offset = words[1] & ~IS_TABLE;

	return read_name(pe, words[0], &entry->name);
}

static bool is_same(const struct wr_pe_name *a, const struct wr_pe_name *b)
{
	if (!a->text || !b->text)
		return !a->text && !b->text && a->number == b->number;

	return a->length == b->length &&
	       !memcmp(a->text, b->text, 2 * a->length);
}

bool wr_pe_find_entry(const struct wr_pe *pe, const struct wr_pe_table *table,
		      const struct wr_pe_name *name, struct wr_pe_entry *entry)
{
	uint32_t i = name->text ? 0 : table->nr_named;
	uint32_t end = name->text ? table->nr_named : table->nr_entries;

	for (; i < end; i++)
		if (wr_pe_entry(pe, table, i, entry) &&
		    is_same(&entry->name, name))
			return true;

	return false;
}

bool wr_pe_data(const struct wr_pe *pe, uint32_t offset, const uint8_t **place,
		struct wr_pe_data *data)
{
	const uint8_t *at = at_resources(pe, offset, DATA_SIZE);
	uint32_t words[2];

	if (!at)
		return false;
	memcpy(words, at, sizeof(words));
	*place = at;
	data->address = words[0];
	data->size = words[1];

	return true;
}
