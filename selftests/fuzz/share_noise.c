// SPDX-License-Identifier: GPL-2.0
/*
 * What a process does while others have their turns: it maps views of the sections
 * that it has, touches, protects and unmaps them. Nothing of that may change what
 * others see, so the model need not know.
 */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "share.h"

/* No word of the model is there. */
#define NOISE_OFFSET 512

static bool map(struct share *share, struct winregion_map_view *view)
{
	static const uint32_t protections[] = {
		WINREGION_READONLY, WINREGION_READWRITE, WINREGION_READWRITE,
		WINREGION_WRITECOPY,
	};
	const struct share_handle *handle =
		&share_self(share)->handle[rand() % SHARE_HANDLES];

	*view = (struct winregion_map_view) {
		.size = sizeof(*view),
		.protection = protections[rand() % ARRAY_SIZE(protections)],
		.offset = rand() % 4 * MODEL_UNIT,
	};
	if (share->world->section[handle->section].nr_pieces)
		view->flags = WINREGION_VIEW_IMAGE;
	return handle->used && !ioctl(handle->fd, WINREGION_MAP_VIEW, view);
}

static void touch(uint64_t address)
{
	uint32_t value;

	value = rand();
	address += NOISE_OFFSET;
	fuzz_access(address, rand() % 2 ? MODEL_READ : MODEL_WRITE, &value);
}

/* Any of these may fail, as what can be done depends on others. */
static void use(struct share *share, uint64_t page)
{
	static const uint32_t protections[] = {
		WINREGION_READONLY, WINREGION_NOACCESS, WINREGION_READWRITE,
		WINREGION_READWRITE | WINREGION_GUARD, WINREGION_WRITECOPY,
	};
	struct winregion_change change = {
		.size = sizeof(change),
		.range = {
			.address = page,
			.length = 1 + rand() % 0x3000,
			.protection = protections[rand() % ARRAY_SIZE(protections)],
		},
	};
	struct winregion_flush_view flush = {
		.size = sizeof(flush),
		.address = page,
		.length = 1,
	};

	switch (rand() % 8) {
	case 0:
	case 1:
		(void)!ioctl(share->fd, WINREGION_PROTECT, &change);
		break;
	case 2:
		madvise((void *)(uintptr_t)page, MODEL_PAGE, MADV_DONTNEED);
		break;
	case 3:
		if (!(rand() % 4))
			(void)!ioctl(share->fd, WINREGION_FLUSH_VIEW, &flush);
		break;
	default:
		touch(page);
	}
}

/* One round of it; nothing is left of it at the end. */
void share_noise(struct share *share)
{
	struct winregion_unmap_view unmap = { .size = sizeof(unmap) };
	struct winregion_map_view view;
	uint64_t page;
	unsigned int i;

	if (!map(share, &view))
		return;
	for (i = 0; i < 12; i++) {
		page = rand() % (view.length / MODEL_PAGE);
		use(share, view.address + page * MODEL_PAGE);
	}
	unmap.address = view.address + rand() % view.length;
	if (ioctl(share->fd, WINREGION_UNMAP_VIEW, &unmap))
		fuzz_differs(&share->fuzz, "a view that was mapped is gone");
}
