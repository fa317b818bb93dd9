/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads against each other: accesses that may fault and cost nothing extra,
 * and a crew of threads that starts and stops together.
 *
 * Include it after kselftest_harness.h, common.h and wr_test_util.h.
 */
#ifndef _SELFTESTS_RACE_H
#define _SELFTESTS_RACE_H

#include <pthread.h>
#include <sched.h>
#include <sys/uio.h>

#include "rounds.h"

#define RACE_MAX_THREADS 16

/* xorshift64; @state must not be 0 */
static inline uint32_t race_random(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32) % below;
}

static inline uint64_t race_load(const volatile uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void race_add(volatile uint64_t *word, uint64_t n)
{
	__atomic_fetch_add(word, n, __ATOMIC_SEQ_CST);
}

/* Accesses */

static __thread sigjmp_buf race_env;
static __thread volatile sig_atomic_t race_armed;

static void race_handler(int sig)
{
	if (!race_armed) {
		signal(sig, SIG_DFL);
		return;
	}
	siglongjmp(race_env, sig);
}

/* The handler stays for the life of the process. */
static inline void race_catch_faults(void)
{
	struct sigaction action = {
		.sa_handler = race_handler,
		.sa_flags = SA_NODEFER,
	};

	sigemptyset(&action.sa_mask);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

enum race_kind {
	USER_READ,
	USER_WRITE,
	COPY_READ,	/* write(2) out of the region */
	COPY_WRITE,	/* read(2) into the region */
	REMOTE_READ,	/* process_vm_readv(2) */
	REMOTE_WRITE,
	RACE_KINDS
};

static inline bool race_writes(enum race_kind kind)
{
	return kind == USER_WRITE || kind == COPY_WRITE || kind == REMOTE_WRITE;
}

static inline bool user_access(volatile uint64_t *word, uint64_t *value,
			       bool write)
{
	int sig = sigsetjmp(race_env, 0);

	if (!sig) {
		race_armed = 1;
		if (write)
			*word = *value;
		else
			*value = *word;
	}
	race_armed = 0;
	return !sig;
}

/* @file: a memfd of the caller's */
static inline bool copy_access(int file, volatile uint64_t *word,
			       uint64_t *value, bool write)
{
	if (write)
		return pwrite(file, value, 8, 0) == 8 &&
		       pread(file, (void *)word, 8, 0) == 8;
	return pwrite(file, (void *)word, 8, 0) == 8 &&
	       pread(file, value, 8, 0) == 8;
}

static inline bool remote_access(volatile uint64_t *word, uint64_t *value,
				 bool write)
{
	struct iovec local = { value, 8 }, remote = { (void *)word, 8 };

	if (write)
		return process_vm_writev(getpid(), &local, 1, &remote, 1,
					 0) == 8;
	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 8;
}

/* Access @word in one of the ways; false if that was refused. */
static inline bool race_access(enum race_kind kind, int file,
			       volatile uint64_t *word, uint64_t *value)
{
	bool write = race_writes(kind);

	switch (kind) {
	case COPY_READ:
	case COPY_WRITE:
		return copy_access(file, word, value, write);
	case REMOTE_READ:
	case REMOTE_WRITE:
		return remote_access(word, value, write);
	default:
		return user_access(word, value, write);
	}
}

/* Threads */

/**
 * struct crew - threads that run until they are told to stop
 * @stop: they are
 * @nr: how many
 * @thread: the threads
 */
struct crew {
	volatile uint64_t stop;
	unsigned int nr;
	pthread_t thread[RACE_MAX_THREADS];
};

static inline bool crew_goes_on(struct crew *crew)
{
	return !race_load(&crew->stop);
}

static inline void crew_add(struct crew *crew, void *(*fn)(void *), void *arg)
{
	if (crew->nr == RACE_MAX_THREADS ||
	    pthread_create(&crew->thread[crew->nr], NULL, fn, arg))
		abort();
	crew->nr++;
}

/* Wait for threads that end by themselves. */
static inline void crew_join(struct crew *crew)
{
	while (crew->nr)
		pthread_join(crew->thread[--crew->nr], NULL);
}

static inline void crew_stop(struct crew *crew)
{
	race_add(&crew->stop, 1);
	crew_join(crew);
	crew->stop = 0;
}

#endif /* _SELFTESTS_RACE_H */
