/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Swap on a compressed disk in memory, for tests and fuzzers of paging.
 *
 * Include it after common.h and wr_test_util.h.
 */
#ifndef _SELFTESTS_SWAP_H
#define _SELFTESTS_SWAP_H

#include <sys/swap.h>

#define SWAP_DEVICE "/dev/zram0"
#ifndef SWAP_BYTES
#define SWAP_BYTES (600ULL << 20)
#endif

/* The head of a swap area, as mkswap writes it */
struct swap_head {
	char boot[1024];
	uint32_t version;
	uint32_t last_page;
	uint32_t bad_pages;
	char rest[4096 - 1024 - 3 * 4 - 10];
	char magic[10];
} __attribute__((packed));

static inline bool write_swap_head(int fd, uint64_t bytes)
{
	struct swap_head head = {
		.version = 1,
		.last_page = bytes / 4096 - 1,
	};

	memcpy(head.magic, "SWAPSPACE2", sizeof(head.magic));
	return pwrite(fd, &head, sizeof(head), 0) == sizeof(head);
}

static inline bool make_swap(void)
{
	char text[32];
	bool written;
	int fd;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)SWAP_BYTES);
	if (!write_text("/sys/block/zram0/disksize", text))
		return false;
	fd = open(SWAP_DEVICE, O_RDWR | O_CLOEXEC);
	written = fd >= 0 && write_swap_head(fd, SWAP_BYTES);
	close(fd);
	return written;
}

/* Once for all tests */
static inline bool have_swap(void)
{
	if (*read_from("/proc/swaps", "zram0"))
		return true;
	if (!*read_from("/sys/block/zram0/disksize", "\n"))
		return false;
	if (*read_from("/sys/block/zram0/initstate", "0") && !make_swap())
		return false;
	return !swapon(SWAP_DEVICE, 0);
}

static inline int64_t swap_used(void)
{
	return meminfo("SwapTotal") - meminfo("SwapFree");
}

#endif /* _SELFTESTS_SWAP_H */
