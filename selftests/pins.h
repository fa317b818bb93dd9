/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that a device has pinned, without a device.
 */
#ifndef _SELFTESTS_PINS_H
#define _SELFTESTS_PINS_H

#include <errno.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>

#include "common.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

/* Pin @pages of @addr, as a network card's memory; the socket, or -errno */
static inline int pin_pages(char *addr, unsigned int pages)
{
	struct xdp_umem_reg reg = {
		.addr = (uintptr_t)addr,
		.len = PAGES(pages),
		.chunk_size = 4096,
	};
	int sock = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), err;

	if (sock < 0)
		return -errno;
	if (!setsockopt(sock, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)))
		return sock;
	err = -errno;
	close(sock);
	return err;
}

#endif /* _SELFTESTS_PINS_H */
