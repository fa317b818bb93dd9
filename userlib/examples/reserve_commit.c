// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An array that grows in place
 *
 * Reserves address space for the largest size it may ever have, and commits
 * pages only as it gets longer, so that pointers into it stay good.
 */
#include <stdio.h>

#include <winregion/windows.h>
#include <winregion/winregion.h>

#define MAXIMUM ((SIZE_T)1 << 30)
#define STEP ((SIZE_T)1 << 20)
#define NUMBERS 1000000

struct array {
	int *items;
	SIZE_T count;
	SIZE_T committed;
};

static int append(struct array *array, int item)
{
	char *end = (char *)array->items + array->committed;

	if ((array->count + 1) * sizeof(item) > array->committed) {
		if (!VirtualAlloc(end, STEP, MEM_COMMIT, PAGE_READWRITE))
			return -1;
		array->committed += STEP;
	}
	array->items[array->count++] = item;

	return 0;
}

static int fail(const char *call)
{
	const char *why = winregion_unavailable();

	if (why)
		fprintf(stderr, "%s: %s\n", call, why);
	else
		fprintf(stderr, "%s: error %u\n", call, GetLastError());

	return 1;
}

int main(void)
{
	struct array array = { 0 };
	int i;

	array.items = VirtualAlloc(NULL, MAXIMUM, MEM_RESERVE, PAGE_READWRITE);
	if (!array.items)
		return fail("VirtualAlloc");

	for (i = 0; i < NUMBERS; i++)
		if (append(&array, i))
			return fail("VirtualAlloc");

	printf("%zu numbers at %p, %zu of %zu MiB committed\n",
	       (size_t)array.count, (void *)array.items,
	       (size_t)(array.committed >> 20), (size_t)(MAXIMUM >> 20));

	if (!VirtualFree(array.items, 0, MEM_RELEASE))
		return fail("VirtualFree");

	return 0;
}
