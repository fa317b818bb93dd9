/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting for a word to change, and until when
 */
#ifndef _WINREGION_FUTEX_H
#define _WINREGION_FUTEX_H

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <winregion/windows.h>

/* The one that takes a struct timespec as it is here */
#ifdef __LP64__
#define WR_FUTEX SYS_futex
#else
#define WR_FUTEX SYS_futex_time64
_Static_assert(sizeof(time_t) == 8, "built with _TIME_BITS=64");
#endif

#define WR_NS_PER_MS 1000000
#define WR_NS_PER_SECOND 1000000000

/* A time of CLOCK_MONOTONIC; @never if there is none */
struct wr_deadline {
	struct timespec at;
	bool never;
};

static inline struct wr_deadline wr_deadline_in(DWORD milliseconds)
{
	struct wr_deadline until = { .never = milliseconds == INFINITE };

	if (until.never)
		return until;
	clock_gettime(CLOCK_MONOTONIC, &until.at);
	until.at.tv_sec += milliseconds / 1000;
	until.at.tv_nsec += milliseconds % 1000 * WR_NS_PER_MS;
	if (until.at.tv_nsec >= WR_NS_PER_SECOND) {
		until.at.tv_nsec -= WR_NS_PER_SECOND;
		until.at.tv_sec++;
	}

	return until;
}

/*
 * Sleep while *@word is @value. Return: false if it is too late; it may return true
 * for no reason. Changes errno.
 */
static inline bool wr_futex_wait(uint32_t *word, uint32_t value,
				 const struct wr_deadline *until)
{
	return !syscall(WR_FUTEX, word, FUTEX_WAIT_BITSET_PRIVATE, value,
			until->never ? NULL : &until->at, NULL,
			FUTEX_BITSET_MATCH_ANY) ||
	       errno != ETIMEDOUT;
}

/* Changes errno. */
static inline void wr_futex_wake(uint32_t *word, int how_many)
{
	syscall(WR_FUTEX, word, FUTEX_WAKE_PRIVATE, how_many);
}

/* All who sleep, in whatever process they have the word. Changes errno. */
static inline void wr_futex_wake_shared(uint32_t *word)
{
	syscall(WR_FUTEX, word, FUTEX_WAKE, INT_MAX);
}

#endif /* _WINREGION_FUTEX_H */
