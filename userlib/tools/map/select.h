/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which blocks are shown, and in which order
 */
#ifndef _WINREGION_MAP_SELECT_H
#define _WINREGION_MAP_SELECT_H

#include "map.h"

/* To sort by, beside the sizes */
enum map_key {
	MAP_BY_ADDRESS = MAP_SIZES,
	MAP_BY_TYPE,
	MAP_BY_NAME,
	MAP_KEYS
};

/* Bits of types */
enum {
	MAP_ALL_TYPES = (1U << MAP_TYPES) - 1,
	MAP_HOLES = 1U << MAP_FREE | 1U << MAP_UNUSABLE
};

/**
 * struct map_choice - what to show
 * @types: a bit for each
 * @key: enum map_key or enum map_size; the largest sizes come first
 * @reverse: the other way round
 * @has_address: only the block that has @address
 * @address: an address
 * @text: only blocks whose names have it; or empty
 */
struct map_choice {
	unsigned int types;
	unsigned int key;
	bool reverse;
	bool has_address;
	uint64_t address;
	char text[128];
};

/**
 * struct map_list - the numbers of blocks, in the order to show them in
 * @at: so many numbers
 * @nr: how many
 * @room: how many @at has room for
 */
struct map_list {
	uint32_t *at;
	size_t nr;
	size_t room;
};

void map_select(const struct map *map, const struct map_choice *choice,
		struct map_list *list);
void map_list_free(struct map_list *list);
bool map_is_chosen(const struct map *map, const struct map_choice *choice,
		   const struct map_block *block);

const char *map_key_name(unsigned int key);
bool map_key_by_name(const char *name, unsigned int *key);

#endif /* _WINREGION_MAP_SELECT_H */
