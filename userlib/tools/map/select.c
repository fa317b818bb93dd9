// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which blocks are shown, and in which order
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "select.h"

static const char *const keys[] = { "address", "type", "name" };

const char *map_key_name(unsigned int key)
{
	return key < MAP_SIZES ? map_size_name(key) : keys[key - MAP_SIZES];
}

bool map_key_by_name(const char *name, unsigned int *key)
{
	for (*key = 0; *key < MAP_KEYS; (*key)++)
		if (!strcasecmp(map_key_name(*key), name))
			return true;

	return false;
}

bool map_is_chosen(const struct map *map, const struct map_choice *choice,
		   const struct map_block *block)
{
	if (!(choice->types & 1U << block->type))
		return false;
	if (choice->has_address && (choice->address < block->address ||
				    choice->address >= map_block_end(block)))
		return false;

	return !*choice->text || strcasestr(map_name(map, block), choice->text);
}

struct order {
	const struct map *map;
	const struct map_choice *choice;
};

static int by_number(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_key(const struct order *order, const struct map_block *a,
		  const struct map_block *b)
{
	unsigned int key = order->choice->key;

	if (key < MAP_SIZES)
		return by_number(b->sizes[key], a->sizes[key]);
	if (key == MAP_BY_TYPE)
		return by_number(a->type, b->type);
	if (key == MAP_BY_NAME)
		return strcmp(map_name(order->map, a), map_name(order->map, b));

	return 0;
}

/* Blocks are by address, so the lower number is the lower address. */
static int compare(const void *x, const void *y, void *data)
{
	uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
	const struct order *order = data;
	int by = by_key(order, &order->map->blocks[i], &order->map->blocks[j]);

	if (!by)
		by = by_number(i, j);

	return order->choice->reverse ? -by : by;
}

static void reverse(struct map_list *list)
{
	uint32_t swap;
	size_t i;

	for (i = 0; i < list->nr / 2; i++) {
		swap = list->at[i];
		list->at[i] = list->at[list->nr - 1 - i];
		list->at[list->nr - 1 - i] = swap;
	}
}

/* They come by address. */
void map_select(const struct map *map, const struct map_choice *choice,
		struct map_list *list)
{
	struct order order = { map, choice };
	size_t i;

	list->nr = 0;
	list->at = map_grow(list->at, &list->room, map->nr_blocks + 1,
			    sizeof(*list->at));
	for (i = 0; i < map->nr_blocks; i++)
		if (map_is_chosen(map, choice, &map->blocks[i]))
			list->at[list->nr++] = i;
	if (choice->key != MAP_BY_ADDRESS)
		qsort_r(list->at, list->nr, sizeof(*list->at), compare, &order);
	else if (choice->reverse)
		reverse(list);
}

void map_list_free(struct map_list *list)
{
	free(list->at);
	*list = (struct map_list){ 0 };
}
