/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random calls against a simple model of what they should have done.
 *
 * A thread has regions of its own and knows of each page of them whether it is
 * committed, with which protection and what was written to it last; every
 * access must fault or not fault, and every read and every query must say what
 * the model says. Now and then a child is forked that goes on from the same
 * model on its own.
 *
 * A failure is printed with the call after which it was seen. The same seed
 * makes the same calls, so that it can be looked for again.
 */
#ifndef _SELFTESTS_STRESS_H
#define _SELFTESTS_STRESS_H

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>

#include "common.h"
#include "wr_test_util.h"

#define STRESS_SLOTS 10
#define STRESS_PAGES 1024
#define STRESS_MAX_DEPTH 2
#define STRESS_CHILDREN 2
#define STRESS_SHOWN 10

/* What the model knows about a page; @protection is 0 if it is reserved. */
struct stress_page {
	uint32_t protection;
	uint32_t value;
};

/* A region, or none if @pages is 0 */
struct stress_slot {
	char *base;
	unsigned int pages;
	struct stress_page *page;
};

struct stress {
	int fd;
	int pipe[2];
	uint64_t ops;
	uint64_t done;
	uint64_t seed;
	uint64_t random;
	unsigned int depth;
	unsigned int bad;
	/* Calls that the system refused for want of memory */
	uint64_t refused;
	pid_t child[STRESS_CHILDREN];
	struct stress_slot slot[STRESS_SLOTS];
};

static const uint32_t stress_protections[] = {
	RW, RW, RW, RW, RW, RW, RO, RO, RO, NA, NA,
	RW | WINREGION_GUARD, RO | WINREGION_GUARD, RX, RWX,
};

/* Accesses that may fault; the handler stays, so each costs nothing extra */

static __thread sigjmp_buf stress_env;
static __thread volatile sig_atomic_t stress_armed;

static void stress_handler(int sig)
{
	if (!stress_armed) {
		signal(sig, SIG_DFL);
		return;
	}
	siglongjmp(stress_env, sig);
}

static void stress_catch_faults(void)
{
	struct sigaction action = {
		.sa_handler = stress_handler,
		.sa_flags = SA_NODEFER,
	};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

/* 0, or the signal that the access raised */
static int stress_access(volatile uint32_t *word, uint32_t *value, bool write)
{
	int sig = sigsetjmp(stress_env, 0);

	if (!sig) {
		stress_armed = 1;
		if (write)
			*word = *value;
		else
			*value = *word;
	}
	stress_armed = 0;
	return sig;
}

/* xorshift64 */
static uint32_t stress_random(struct stress *stress, uint32_t below)
{
	stress->random ^= stress->random << 13;
	stress->random ^= stress->random >> 7;
	stress->random ^= stress->random << 17;
	return (uint32_t)(stress->random >> 32) % below;
}

__attribute__((format(printf, 2, 3)))
static void stress_fail(struct stress *stress, const char *format, ...)
{
	char text[256];
	va_list args;

	if (stress->bad++ >= STRESS_SHOWN)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "# seed %" PRIu64 " depth %u call %" PRIu64 ": %s\n",
		stress->seed, stress->depth, stress->done, text);
}

/* The model */

static bool page_readable(const struct stress_page *page)
{
	return page->protection && page->protection != NA &&
	       !(page->protection & WINREGION_GUARD);
}

static bool page_writable(const struct stress_page *page)
{
	return page->protection == RW || page->protection == RWX;
}

/*
 * A value is written to three words of a page, this is one of them. The third
 * depends on the address, which a page keeps when its region is cut.
 */
static volatile uint32_t *value_word(struct stress_slot *slot,
				     unsigned int index, unsigned int which)
{
	uint32_t *words = (uint32_t *)(slot->base + PAGES(index));
	unsigned int place = which == 0 ? 0 : which == 1 ? 1023 :
			     1 + ((uintptr_t)words / 4096 * 37) % 1000;

	return &words[place];
}

static struct stress_slot *live_slot(struct stress *stress)
{
	struct stress_slot *slot;
	unsigned int i;

	slot = &stress->slot[stress_random(stress, STRESS_SLOTS)];
	for (i = 0; !slot->pages && i < STRESS_SLOTS; i++)
		slot = &stress->slot[i];
	return slot->pages ? slot : NULL;
}

/* Some pages of a slot: often few, at times all or what a 2 MiB page covers */
static void some_pages(struct stress *stress, struct stress_slot *slot,
		       unsigned int *first, unsigned int *n)
{
	unsigned int to_huge;

	switch (stress_random(stress, 8)) {
	case 0:
		*first = 0;
		*n = slot->pages;
		return;
	case 1:
		to_huge = (-(uintptr_t)slot->base / 4096) % 512;
		if (to_huge + 512 > slot->pages)
			break;
		*first = to_huge;
		*n = 512;
		return;
	case 2:
	case 3:
		*first = stress_random(stress, slot->pages);
		*n = 1 + stress_random(stress, slot->pages - *first);
		return;
	}
	*first = stress_random(stress, slot->pages);
	*n = 1 + stress_random(stress, 16);
	if (*n > slot->pages - *first)
		*n = slot->pages - *first;
}

static void model_commit(struct stress_slot *slot, unsigned int first,
			 unsigned int n, uint32_t protection)
{
	unsigned int i;

	for (i = first; i < first + n; i++) {
		if (!slot->page[i].protection)
			slot->page[i].value = 0;
		slot->page[i].protection = protection;
	}
}

static void model_decommit(struct stress_slot *slot, unsigned int first,
			   unsigned int n)
{
	memset(slot->page + first, 0, n * sizeof(*slot->page));
}

static bool model_committed(const struct stress_slot *slot,
			    unsigned int first, unsigned int n)
{
	unsigned int i;

	for (i = first; i < first + n; i++)
		if (!slot->page[i].protection)
			return false;
	return true;
}

/* The model of one call, and the result that it must have */
static int model_change(struct stress_slot *slot, unsigned long cmd,
			unsigned int first, unsigned int n,
			uint32_t protection)
{
	switch (cmd) {
	case WINREGION_COMMIT:
		model_commit(slot, first, n, protection);
		return 0;
	case WINREGION_DECOMMIT:
		model_decommit(slot, first, n);
		return 0;
	default:
		if (!model_committed(slot, first, n))
			return -ENODATA;
		model_commit(slot, first, n, protection);
		return 0;
	}
}

/* Is this the answer of a system that has no memory left? */
static bool was_refused(struct stress *stress, int ret, const char *what)
{
	if (ret != -EDQUOT && ret != -ENOMEM)
		return false;
	if (!stress->refused++)
		fprintf(stderr,
			"# seed %" PRIu64 " depth %u call %" PRIu64 ": %s refused with %d\n",
			stress->seed, stress->depth, stress->done, what, ret);
	return true;
}

/* The calls */

static void reserve_one(struct stress *stress)
{
	static const unsigned int sizes[] = {
		1, 16, 16, 40, 100, 255, 256, 257, 300, 600, 1024,
	};
	struct winregion_reserve arg = { .size = sizeof(arg) };
	struct stress_slot *slot;
	unsigned int i, pages;
	int ret;

	for (i = 0; i < STRESS_SLOTS && stress->slot[i].pages; i++)
		;
	if (i == STRESS_SLOTS)
		return;
	slot = &stress->slot[i];
	pages = sizes[stress_random(stress, ARRAY_SIZE(sizes))];
	arg.length = PAGES(pages);
	arg.protection = RW;
	if (pages == STRESS_PAGES)
		arg.alignment = MIB(2);
	if (stress_random(stress, 4) == 0)
		arg.flags |= WINREGION_RESERVE_TOP_DOWN;
	if (stress_random(stress, 3) == 0)
		arg.flags |= WINREGION_RESERVE_COMMIT;
	ret = wr_ioctl(stress->fd, WINREGION_RESERVE, &arg);
	if (was_refused(stress, ret, "reserve"))
		return;
	if (ret) {
		stress_fail(stress, "reserve of %u pages: %d", pages, ret);
		return;
	}
	slot->base = (char *)(uintptr_t)arg.address;
	slot->pages = pages;
	model_decommit(slot, 0, pages);
	if (arg.flags & WINREGION_RESERVE_COMMIT)
		model_commit(slot, 0, pages, RW);
}

/* What is left on the right of a released part becomes a region of its own. */
static bool split_off(struct stress *stress, struct stress_slot *slot,
		      unsigned int from)
{
	struct stress_slot *right;
	unsigned int i;

	for (i = 0; i < STRESS_SLOTS && stress->slot[i].pages; i++)
		;
	if (i == STRESS_SLOTS)
		return false;
	right = &stress->slot[i];
	right->base = slot->base + PAGES(from);
	right->pages = slot->pages - from;
	memcpy(right->page, slot->page + from,
	       right->pages * sizeof(*right->page));
	return true;
}

static void release_part(struct stress *stress, struct stress_slot *slot)
{
	unsigned int first, n, left, right;
	int ret;

	some_pages(stress, slot, &first, &n);
	left = first;
	right = slot->pages - first - n;
	if (left && right && !split_off(stress, slot, first + n))
		return;
	ret = wr_release(stress->fd, slot->base + PAGES(first), PAGES(n));
	if (ret) {
		stress_fail(stress, "release of %u pages at %u: %d", n, first,
			    ret);
		return;
	}
	if (left) {
		slot->pages = left;
		return;
	}
	slot->base += PAGES(n);
	slot->pages = right;
	memmove(slot->page, slot->page + n, right * sizeof(*slot->page));
}

static void release_one(struct stress *stress, struct stress_slot *slot)
{
	int ret;

	if (stress_random(stress, 3) == 0) {
		release_part(stress, slot);
		return;
	}
	ret = wr_release(stress->fd, slot->base, 0);
	if (ret)
		stress_fail(stress, "release: %d", ret);
	slot->pages = 0;
}

static void change_one(struct stress *stress, struct stress_slot *slot,
		       unsigned long cmd)
{
	unsigned int first, n;
	uint32_t protection = 0, old, want_old = 0;
	int ret, want;

	some_pages(stress, slot, &first, &n);
	if (cmd != WINREGION_DECOMMIT)
		protection = stress_protections[stress_random(stress,
					ARRAY_SIZE(stress_protections))];
	want_old = slot->page[first].protection;
	ret = wr_change(stress->fd, cmd, slot->base + PAGES(first), PAGES(n),
			protection, &old);
	if (was_refused(stress, ret, "change"))
		return;
	want = model_change(slot, cmd, first, n, protection);
	if (ret != want)
		stress_fail(stress, "ioctl %lx of %u pages at %u: %d, not %d",
			    cmd, n, first, ret, want);
	else if (!ret && cmd == WINREGION_PROTECT && old != want_old)
		stress_fail(stress, "old protection %x, not %x", old,
			    want_old);
}

/* Several ranges in one call: all change, or none */
static void change_many(struct stress *stress)
{
	static const unsigned long cmds[] = {
		WINREGION_COMMIT, WINREGION_COMMIT, WINREGION_DECOMMIT,
		WINREGION_PROTECT,
	};
	unsigned long cmd = cmds[stress_random(stress, ARRAY_SIZE(cmds))];
	unsigned int nr = 2 + stress_random(stress, 7), i;
	struct winregion_range ranges[8] = { 0 };
	struct { struct stress_slot *slot; unsigned int first, n; } part[8];
	bool possible = true;
	int ret;

	for (i = 0; i < nr; i++) {
		part[i].slot = live_slot(stress);
		if (!part[i].slot)
			return;
		some_pages(stress, part[i].slot, &part[i].first, &part[i].n);
		ranges[i].address = (uintptr_t)part[i].slot->base +
				    PAGES(part[i].first);
		ranges[i].length = PAGES(part[i].n);
		if (cmd != WINREGION_DECOMMIT)
			ranges[i].protection =
				stress_protections[stress_random(stress,
					ARRAY_SIZE(stress_protections))];
		if (cmd == WINREGION_PROTECT)
			possible &= model_committed(part[i].slot,
						    part[i].first, part[i].n);
	}
	ret = wr_vector(stress->fd, cmd, ranges, nr);
	if (was_refused(stress, ret, "vector"))
		return;
	if (ret != (possible ? 0 : -ENODATA)) {
		stress_fail(stress, "ioctl %lx of %u ranges: %d", cmd, nr, ret);
		return;
	}
	for (i = 0; possible && i < nr; i++)
		model_change(part[i].slot, cmd, part[i].first, part[i].n,
			     ranges[i].protection);
}

/* Calls that must fail, and then change nothing */
static void call_badly(struct stress *stress, struct stress_slot *slot)
{
	char *end = slot->base + PAGES(slot->pages);
	/* Behind a region at the very top nothing can be. */
	int leaves = (uintptr_t)end > USER_HIGHEST ? EOVERFLOW : EXDEV;
	int ret = 0, want = 0;

	switch (stress_random(stress, 5)) {
	case 0:
		want = leaves;
		ret = wr_commit(stress->fd, end - PAGES(1), PAGES(2), RW);
		break;
	case 1:
		want = leaves;
		ret = wr_decommit(stress->fd, slot->base,
				  PAGES(slot->pages) + 1);
		break;
	case 2:
		want = EDOM;
		ret = wr_protect(stress->fd, slot->base, PAGES(1), RW | RO);
		break;
	case 3:
		want = EOVERFLOW;
		ret = wr_commit(stress->fd, slot->base, 0, RW);
		break;
	case 4:
		want = EINVAL;
		ret = wr_change(stress->fd, WINREGION_DECOMMIT, slot->base,
				PAGES(1), RW, NULL);
		break;
	}
	if (ret != -want)
		stress_fail(stress, "bad call: %d, not %d", ret, -want);
}

/* An access by the program: the page's protection decides. */
static void touch_page(struct stress *stress, struct stress_slot *slot,
		       unsigned int index)
{
	struct stress_page *page = &slot->page[index];
	uint32_t value = stress_random(stress, 0xffffffff) + 1;
	unsigned int which = stress_random(stress, 3);
	bool write = stress_random(stress, 2);
	uint32_t seen = 0;
	bool works;
	int sig;

	works = write ? page_writable(page) : page_readable(page);
	if (write)
		sig = stress_access(value_word(slot, index, which), &value,
				    true);
	else
		sig = stress_access(value_word(slot, index, which), &seen,
				    false);
	if (sig != (works ? 0 : SIGSEGV)) {
		stress_fail(stress, "%s of page %u (%x): signal %d",
			    write ? "write" : "read", index,
			    page->protection, sig);
		return;
	}
	if (!works) {
		page->protection &= ~WINREGION_GUARD;
		return;
	}
	if (!write) {
		if (seen != page->value)
			stress_fail(stress, "page %u has %x, not %x", index,
				    seen, page->value);
		return;
	}
	/* The other two words of it */
	*value_word(slot, index, (which + 1) % 3) = value;
	*value_word(slot, index, (which + 2) % 3) = value;
	page->value = value;
}

static void touch_some(struct stress *stress, struct stress_slot *slot)
{
	unsigned int first, n, i;

	some_pages(stress, slot, &first, &n);
	for (i = 0; i < 8; i++)
		touch_page(stress, slot, first + stress_random(stress, n));
}

/* An access by the kernel: the same, but a guard is not tripped. */
static void system_call(struct stress *stress, struct stress_slot *slot)
{
	unsigned int index = stress_random(stress, slot->pages);
	struct stress_page *page = &slot->page[index];
	volatile uint32_t *word = value_word(slot, index, 0);
	uint32_t value = stress_random(stress, 0xffffffff) + 1, seen;
	ssize_t n, want;
	unsigned int i;

	if (stress_random(stress, 2)) {
		want = page_readable(page) ? 4 : -1;
		n = write(stress->pipe[1], (void *)word, 4);
		if (n == 4 && (read(stress->pipe[0], &seen, 4) != 4 ||
			       seen != page->value))
			stress_fail(stress, "write(2) of page %u: %x, not %x",
				    index, seen, page->value);
	} else {
		want = page_writable(page) ? 4 : -1;
		if (write(stress->pipe[1], &value, 4) != 4)
			return;
		n = read(stress->pipe[0], (void *)word, 4);
		if (n != 4) {
			if (read(stress->pipe[0], &seen, 4) != 4)
				stress_fail(stress, "the pipe is empty");
		} else {
			page->value = value;
			for (i = 1; i < 3; i++)
				*value_word(slot, index, i) = value;
		}
	}
	if (n != want)
		stress_fail(stress, "system call on page %u (%x): %zd", index,
			    page->protection, n);
}

/* A query of one page: its run is as long as the model says. */
static void query_page(struct stress *stress, struct stress_slot *slot)
{
	unsigned int index = stress_random(stress, slot->pages);
	uint32_t protection = slot->page[index].protection;
	struct winregion_run run;
	unsigned int end = index, i;
	uint64_t committed = 0;
	int ret;

	while (end < slot->pages && slot->page[end].protection == protection)
		end++;
	for (i = 0; i < slot->pages; i++)
		committed += slot->page[i].protection ? PAGES(1) : 0;
	ret = wr_query(stress->fd, slot->base + PAGES(index) + 17, &run);
	if (ret || run.address != (uintptr_t)slot->base + PAGES(index) ||
	    run.length != PAGES(end - index) ||
	    run.protection != protection ||
	    run.state != (protection ? WINREGION_STATE_COMMIT :
			  WINREGION_STATE_RESERVE) ||
	    run.region_address != (uintptr_t)slot->base ||
	    run.region_length != PAGES(slot->pages) ||
	    run.region_committed != committed)
		stress_fail(stress,
			    "query of page %u: %d, %llx+%llx state %x protection %x in %llx+%llx (%llx), not %u pages of %x",
			    index, ret, run.address, run.length, run.state,
			    run.protection, run.region_address,
			    run.region_length, run.region_committed,
			    end - index, protection);
}

/* Every page: state by a query, contents by a read where it can be read */
static void verify_slot(struct stress *stress, struct stress_slot *slot)
{
	static __thread struct winregion_run runs[64];
	uint64_t next = (uintptr_t)slot->base;
	uint64_t end = next + PAGES(slot->pages);
	unsigned int index = 0, i;
	uint32_t seen;
	long n, r;

	while (next < end) {
		n = wr_query_runs(stress->fd, &next, end - 1, 0, runs, 64);
		if (n <= 0) {
			stress_fail(stress, "query of runs: %ld", n);
			return;
		}
		for (r = 0; r < n; r++)
			for (i = 0; i < runs[r].length / 4096 &&
			     index < slot->pages; i++, index++)
				if (slot->page[index].protection !=
				    runs[r].protection)
					stress_fail(stress,
						    "page %u is %x, not %x",
						    index, runs[r].protection,
						    slot->page[index].protection);
	}
	for (index = 0; index < slot->pages; index++) {
		if (!page_readable(&slot->page[index]))
			continue;
		for (i = 0; i < 3; i++)
			if (stress_access(value_word(slot, index, i), &seen,
					  false) ||
			    seen != slot->page[index].value)
				stress_fail(stress, "page %u (%x) word %u has %x, not %x",
					    index,
					    slot->page[index].protection, i,
					    seen, slot->page[index].value);
	}
}

static void verify(struct stress *stress)
{
	unsigned int i;

	for (i = 0; i < STRESS_SLOTS; i++)
		if (stress->slot[i].pages)
			verify_slot(stress, &stress->slot[i]);
}

static void end_stress_child(struct stress *stress, unsigned int i)
{
	int status;

	if (!stress->child[i])
		return;
	if (waitpid(stress->child[i], &status, 0) != stress->child[i] ||
	    status)
		stress_fail(stress, "a child ended with %x", status);
	stress->child[i] = 0;
}

static void stress_calls(struct stress *stress);

/* A child goes on from here, with a model of its own. */
static void fork_one(struct stress *stress)
{
	unsigned int i = stress_random(stress, STRESS_CHILDREN), j;
	pid_t pid;

	if (stress->depth >= STRESS_MAX_DEPTH)
		return;
	end_stress_child(stress, i);
	pid = fork();
	if (pid < 0) {
		was_refused(stress, -errno, "fork");
		return;
	}
	if (pid) {
		stress->child[i] = pid;
		if (stress_random(stress, 2))
			end_stress_child(stress, i);
		return;
	}
	for (j = 0; j < STRESS_CHILDREN; j++)
		stress->child[j] = 0;
	/* The pipe of the parent has the parent's bytes. */
	if (pipe2(stress->pipe, O_CLOEXEC))
		_exit(2);
	stress->depth++;
	stress->bad = 0;
	stress->random ^= 0x9e3779b97f4a7c15;
	stress->ops = stress->done + 200 + stress_random(stress, 300);
	verify(stress);
	stress_calls(stress);
	_exit(stress->bad ? 1 : 0);
}

static void one_call(struct stress *stress)
{
	struct stress_slot *slot = live_slot(stress);
	unsigned int kind = stress_random(stress, 1000);

	if (!slot || kind < 15)
		reserve_one(stress);
	else if (kind < 25)
		release_one(stress, slot);
	else if (kind < 200)
		change_one(stress, slot, WINREGION_COMMIT);
	else if (kind < 300)
		change_one(stress, slot, WINREGION_DECOMMIT);
	else if (kind < 450)
		change_one(stress, slot, WINREGION_PROTECT);
	else if (kind < 490)
		change_many(stress);
	else if (kind < 510)
		call_badly(stress, slot);
	else if (kind < 560)
		query_page(stress, slot);
	else if (kind < 620)
		system_call(stress, slot);
	else if (kind == 620 && stress_random(stress, 4) == 0)
		fork_one(stress);
	else if (kind < 624)
		madvise(slot->base, PAGES(slot->pages), MADV_DONTNEED);
	else
		touch_some(stress, slot);
}

static void stress_calls(struct stress *stress)
{
	unsigned int i;

	for (; stress->done < stress->ops; stress->done++) {
		one_call(stress);
		if (stress->done % 4096 == 0)
			verify(stress);
		if (stress->bad > STRESS_SHOWN)
			break;
	}
	verify(stress);
	for (i = 0; i < STRESS_CHILDREN; i++)
		end_stress_child(stress, i);
}

/* One thread's work, from nothing to nothing */
static void *stress_thread(void *arg)
{
	struct stress *stress = arg;
	struct stress_page *pages = calloc(STRESS_SLOTS * STRESS_PAGES,
					   sizeof(*pages));
	unsigned int i;

	/* xorshift stands still at 0. */
	stress->random = (stress->seed + 1) * 0x9e3779b97f4a7c15;
	stress->fd = wr_open();
	if (!pages || stress->fd < 0 || pipe2(stress->pipe, O_CLOEXEC)) {
		stress_fail(stress, "cannot start: %s", strerror(errno));
		return NULL;
	}
	for (i = 0; i < STRESS_SLOTS; i++)
		stress->slot[i].page = pages + i * STRESS_PAGES;
	stress_calls(stress);
	for (i = 0; i < STRESS_SLOTS; i++)
		if (stress->slot[i].pages &&
		    wr_release(stress->fd, stress->slot[i].base, 0))
			stress_fail(stress, "the last release failed");
	free(pages);
	close(stress->pipe[0]);
	close(stress->pipe[1]);
	close(stress->fd);
	return NULL;
}

/* The number of failures of one process */
static unsigned int stress_process(uint64_t ops, uint64_t seed,
				   unsigned int threads)
{
	struct stress *stress = calloc(threads, sizeof(*stress));
	pthread_t *thread = calloc(threads, sizeof(*thread));
	unsigned int i, bad = 0;
	uint64_t refused = 0;

	stress_catch_faults();
	for (i = 0; i < threads; i++) {
		stress[i].ops = ops / threads;
		stress[i].seed = seed + 1000 * i;
		if (pthread_create(&thread[i], NULL, stress_thread,
				   &stress[i]))
			return 1;
	}
	for (i = 0; i < threads; i++) {
		pthread_join(thread[i], NULL);
		bad += stress[i].bad;
		refused += stress[i].refused;
	}
	if (refused)
		printf("# seed %" PRIu64 ": %" PRIu64 " calls refused for want of memory\n",
		       seed, refused);
	free(thread);
	free(stress);
	return bad;
}

/* @processes at once, each with @ops calls; 0 if all of them went well */
static int stress_run(uint64_t ops, unsigned int processes, uint64_t seed,
		      unsigned int threads)
{
	unsigned int i;
	int status, bad = 0;

	fflush(NULL);
	for (i = 0; i < processes; i++) {
		switch (fork()) {
		case -1:
			return 1;
		case 0:
			bad = stress_process(ops, seed + i, threads);
			fflush(NULL);
			_exit(bad ? 1 : 0);
		}
	}
	while (wait(&status) > 0)
		bad |= status;
	return bad;
}

#endif /* _SELFTESTS_STRESS_H */
