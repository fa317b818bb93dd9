/* SPDX-License-Identifier: GPL-2.0 */
/*
 * io_uring as far as tests need it: one request at a time.
 *
 * Include it after kselftest_harness.h, common.h and wr_test_util.h.
 */
#ifndef _SELFTESTS_RING_H
#define _SELFTESTS_RING_H

#include <linux/io_uring.h>

struct ring {
	int fd;
	struct io_uring_params params;
	char *sq;
	char *cq;
	struct io_uring_sqe *sqes;
	int rw_flags;	/* of what follows */
};

static inline int ring_open(struct ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->fd = syscall(SYS_io_uring_setup, 4, &ring->params);
	if (ring->fd < 0)
		return -errno;
	ring->sq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			ring->fd, IORING_OFF_SQ_RING);
	ring->cq = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			ring->fd, IORING_OFF_CQ_RING);
	ring->sqes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			  ring->fd, IORING_OFF_SQES);
	return 0;
}

static inline int ring_enter(struct ring *ring, unsigned int submit,
			     unsigned int wait)
{
	return syscall(SYS_io_uring_enter, ring->fd, submit, wait,
		       wait ? 1 /* GETEVENTS */ : 0, NULL, 0);
}

/* Begin a request: 0, or -errno. For registered buffers it is over number 0. */
static inline int ring_submit(struct ring *ring, int op, int fd, void *buffer,
			      unsigned int length, uint64_t offset)
{
	volatile uint32_t *tail = (void *)(ring->sq + ring->params.sq_off.tail);
	uint32_t mask = *(uint32_t *)(ring->sq +
				      ring->params.sq_off.ring_mask);
	uint32_t *array = (void *)(ring->sq + ring->params.sq_off.array);
	uint32_t slot = *tail & mask;

	ring->sqes[slot] = (struct io_uring_sqe) {
		.opcode = op,
		.fd = fd,
		.addr = (uintptr_t)buffer,
		.len = length,
		.off = offset,
		.rw_flags = ring->rw_flags,
	};
	array[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return ring_enter(ring, 1, 0) == 1 ? 0 : -errno;
}

static inline bool ring_is_over(struct ring *ring)
{
	volatile uint32_t *head = (void *)(ring->cq + ring->params.cq_off.head);
	volatile uint32_t *tail = (void *)(ring->cq + ring->params.cq_off.tail);

	return *head != __atomic_load_n(tail, __ATOMIC_ACQUIRE);
}

/* Its result */
static inline int ring_wait(struct ring *ring)
{
	volatile uint32_t *head = (void *)(ring->cq + ring->params.cq_off.head);
	struct io_uring_cqe *cqes = (void *)(ring->cq +
					     ring->params.cq_off.cqes);
	int result;

	while (!ring_is_over(ring))
		if (ring_enter(ring, 0, 1) < 0 && errno != EINTR)
			return -errno;
	result = cqes[*head & (ring->params.cq_entries - 1)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

/* One request, and its result */
static inline int ring_io(struct ring *ring, int op, int fd, void *buffer,
			  unsigned int length)
{
	int err = ring_submit(ring, op, fd, buffer, length, 0);

	return err ? err : ring_wait(ring);
}

#endif /* _SELFTESTS_RING_H */
