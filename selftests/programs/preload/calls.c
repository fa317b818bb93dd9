// SPDX-License-Identifier: GPL-2.0
/*
 * A program that calls all that the library has, and says which line was not right. It
 * is the same with any allocator.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)						\
	do {								\
		if (!(condition)) {					\
			fprintf(stderr, "line %d: not %s\n", __LINE__,	\
				#condition);				\
			exit(1);					\
		}							\
	} while (0)

#define LARGE (3UL << 20)

static bool is_at(const void *block, size_t align)
{
	return block && !((uintptr_t)block % align);
}

static bool has(const unsigned char *block, int value, size_t size)
{
	while (size && block[size - 1] == value)
		size--;

	return !size;
}

static void plain(void)
{
	static const size_t sizes[] = { 0, 1, 24, 100, 5000, 200000, LARGE };
	unsigned char *block, *other;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		block = malloc(sizes[i]);
		CHECK(is_at(block, 16));
		CHECK(malloc_usable_size(block) >= sizes[i]);
		memset(block, 7, sizes[i]);
		other = realloc(block, 3 * sizes[i] + 1);
		CHECK(other && has(other, 7, sizes[i]));
		memset(other, 8, 3 * sizes[i] + 1);
		errno = 77;
		free(other);
		CHECK(errno == 77);
		block = calloc(sizes[i], 3);
		CHECK(block && has(block, 0, 3 * sizes[i]));
		block = realloc(block, sizes[i] / 2 + 1);
		CHECK(block);
		free(block);
	}
	block = reallocarray(NULL, 10, 10);
	CHECK(block && malloc_usable_size(block) >= 100);
	CHECK(!realloc(block, 0));
	free(NULL);
	CHECK(!malloc_usable_size(NULL));
}

/* A number that the compiler does not know */
static volatile size_t much = SIZE_MAX / 2;

static void impossible(void)
{
	void *block = malloc(10);
	void *place = block;

	errno = 0;
	CHECK(!malloc(much + 10) && errno == ENOMEM);
	errno = 0;
	CHECK(!calloc(much, 3) && errno == ENOMEM);
	errno = 0;
	CHECK(!realloc(block, much + 10) && errno == ENOMEM);
	errno = 0;
	CHECK(!reallocarray(block, much, 3) && errno == ENOMEM);
	errno = 0;
	CHECK(!pvalloc(much * 2) && errno == ENOMEM);
	errno = 0;
	CHECK(!aligned_alloc(64, much + 10) && errno == ENOMEM);
	CHECK(posix_memalign(&place, 24, 10) == EINVAL);
	CHECK(posix_memalign(&place, 2, 10) == EINVAL);
	CHECK(posix_memalign(&place, 64, much + 10) == ENOMEM);
	CHECK(place == block);
	free(block);
}

static void with_alignment(void)
{
	size_t sizes[] = { 0, 1, 100, 70000, LARGE };
	void *blocks[64];
	size_t align, i;
	int n;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		n = 0;
		for (align = 8; align <= 4UL << 20; align *= 2, n += 2) {
			CHECK(!posix_memalign(&blocks[n], align, sizes[i]));
			CHECK(is_at(blocks[n], align));
			memset(blocks[n], n, sizes[i]);
			blocks[n + 1] = i % 2 ? memalign(align, sizes[i]) :
						aligned_alloc(align, sizes[i]);
			CHECK(is_at(blocks[n + 1], align));
			memset(blocks[n + 1], n + 1, sizes[i]);
		}
		while (n--) {
			CHECK(has(blocks[n], n, sizes[i]));
			blocks[n] = realloc(blocks[n], sizes[i] + 50);
			CHECK(blocks[n] && has(blocks[n], n, sizes[i]));
			free(blocks[n]);
		}
	}
	blocks[0] = valloc(10);
	blocks[1] = pvalloc(10);
	CHECK(is_at(blocks[0], 4096) && is_at(blocks[1], 4096));
	CHECK(malloc_usable_size(blocks[1]) >= 4096);
	free(blocks[0]);
	free(blocks[1]);
}

/* ---- threads and children ---- */

#define SLOTS 64
#define ROUNDS 5000

static unsigned char *_Atomic slots[SLOTS];
static pthread_key_t key;

/* What others have allocated is freed here, also when the thread ends. */
static void *work(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	unsigned char *block;
	size_t size;
	int i;

	pthread_setspecific(key, malloc(50));
	for (i = 0; i < ROUNDS; i++) {
		size = 1 + rand_r(&seed) % 800;
		block = malloc(size);
		CHECK(block);
		memset(block, size % 256, size);
		block[0] = size % 256;
		block = __atomic_exchange_n(&slots[rand_r(&seed) % SLOTS],
					    block, __ATOMIC_ACQ_REL);
		CHECK(!block || has(block, *block, 1));
		free(block);
	}

	return malloc(10);
}

static int child(void)
{
	pthread_t thread;
	void *block;

	CHECK(!pthread_create(&thread, NULL, work, (void *)9UL));
	CHECK(!pthread_join(thread, &block));
	free(block);
	_exit(0);
}

/* Some fork while others allocate, and the children go on. */
static void threads(void)
{
	pthread_t thread[4];
	void *block;
	int status;
	size_t i;
	pid_t pid;

	CHECK(!pthread_key_create(&key, free));
	for (i = 0; i < 4; i++)
		CHECK(!pthread_create(&thread[i], NULL, work, (void *)(i + 1)));
	for (i = 0; i < 5; i++) {
		pid = fork();
		CHECK(pid >= 0);
		if (!pid)
			child();
		CHECK(waitpid(pid, &status, 0) == pid && !status);
	}
	for (i = 0; i < 4; i++) {
		CHECK(!pthread_join(thread[i], &block));
		free(block);
	}
	for (i = 0; i < SLOTS; i++)
		free(slots[i]);
}

/* ---- the ends of a program ---- */

static void *before;

__attribute__((constructor)) static void begin(void)
{
	before = strdup("before main()");
}

static void at_exit(void)
{
	char *text = strdup("at exit");

	CHECK(text && !strcmp(before, "before main()"));
	free(text);
	before = realloc(before, 1000);
}

__attribute__((destructor)) static void end(void)
{
	free(before);
	before = malloc(20);
	CHECK(before);
}

/* With a word: one wrong call, of which the program ends */
int main(int argc, char **argv)
{
	char local[64] = "";
	char *block = malloc(30);

	if (argc > 1 && !strcmp(argv[1], "twice")) {
		free(block);
		free(block);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "beyond")) {
		memset(block, 0, much > 1 ? 31 : 0);
		free(block);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "foreign")) {
		free(much ? local + 16 : NULL);
		return 0;
	}
	atexit(at_exit);
	plain();
	impossible();
	with_alignment();
	threads();
	puts("all is right");
	return 0;
}
