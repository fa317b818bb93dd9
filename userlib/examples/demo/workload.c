// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Scene 1: a million calls of malloc(), calloc(), realloc() and free()
 *
 * Each thread works on a table of blocks: it takes a random slot, and either
 * gets a block for it, lets a vector grow, resizes, or frees. After each round
 * the threads change tables, so blocks are freed by threads that did not get
 * them. In the last round most blocks go, as when a program closes a
 * document.
 *
 * What a block holds follows from its number and the offset, so whatever was
 * written over it, or lost by realloc(), is noticed.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <winregion/windows.h>

#include "demo.h"

#define THREADS 2
#define ROUNDS 4
#define CALLS 1000000
#define CALLS_PER_TURN (CALLS / ROUNDS / THREADS)

/* Slots of a table, and how many of them a round may use */
#define SLOTS ((SIZE_T)1 << 20)
#define SLOTS_PER_ROUND 6000

#define VECTOR_MAX ((size_t)1 << 20)
#define MAX_REPORTS 8
#define SEED UINT64_C(0x77696e726567696f)

struct block {
	unsigned char *memory;
	size_t size;
	size_t used; /* bytes written; only a vector has more than that */
	uint64_t number;
	int vector;
};

/* Reserved in full, committed as far as the rounds have come */
struct table {
	struct block *slot;
	SIZE_T count;
	uint64_t random;
	uint64_t last_number;
};

struct tally {
	uint64_t malloc;
	uint64_t calloc;
	uint64_t realloc;
	uint64_t free;
	uint64_t checked; /* bytes */
	uint64_t errors;
};

struct turn {
	struct table *table;
	struct tally tally;
	int last;
};

static struct table tables[THREADS];
static pthread_mutex_t report_lock = PTHREAD_MUTEX_INITIALIZER;
static int reports;
int workload_unchecked;

/* ---- how often the allocator asks for memory ---- */

static uint64_t allocs, frees;

LPVOID __real_VirtualAlloc(LPVOID address, SIZE_T size, DWORD type,
			   DWORD protect);
BOOL __real_VirtualFree(LPVOID address, SIZE_T size, DWORD type);

/* The linker leads the allocator's calls here (--wrap), and also our own. */
LPVOID __wrap_VirtualAlloc(LPVOID address, SIZE_T size, DWORD type,
			   DWORD protect)
{
	__atomic_add_fetch(&allocs, 1, __ATOMIC_RELAXED);

	return __real_VirtualAlloc(address, size, type, protect);
}

BOOL __wrap_VirtualFree(LPVOID address, SIZE_T size, DWORD type)
{
	__atomic_add_fetch(&frees, 1, __ATOMIC_RELAXED);

	return __real_VirtualFree(address, size, type);
}

/* ---- contents ---- */

/* Steps of a counter that no two blocks start alike: cheap, and never the same */
#define STEP UINT64_C(0x9E3779B97F4A7C15)

static uint64_t scramble(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);

	return x ^ (x >> 31);
}

static uint64_t word_at(const struct block *block, size_t index)
{
	return scramble(block->number) + index * STEP;
}

/* Writes from byte @from on; whole words, as those before are the same again. */
static void fill(struct block *block, size_t from, size_t to)
{
	size_t i = from / 8;
	uint64_t word = word_at(block, i);

	for (; (i + 1) * 8 <= to; i++, word += STEP)
		memcpy(block->memory + i * 8, &word, 8);
	memcpy(block->memory + i * 8, &word, to % 8);
	block->used = to;
}

static void report(const struct block *block, size_t at, size_t end)
{
	uint64_t word = word_at(block, at / 8);
	const unsigned char *must = (unsigned char *)&word;

	while (at < end && block->memory[at] == must[at % 8])
		at++;
	pthread_mutex_lock(&report_lock);
	if (reports++ < MAX_REPORTS)
		wrong("block %s of %s bytes: byte %s is 0x%02x, not 0x%02x",
		      text_number(block->number).s, text_number(block->size).s,
		      text_number(at).s, block->memory[at], must[at % 8]);
	pthread_mutex_unlock(&report_lock);
}

/* Whether the first @length bytes are what was written */
static void check(struct tally *tally, const struct block *block, size_t length)
{
	uint64_t word = word_at(block, 0), found = 0;
	size_t i;

	if (workload_unchecked)
		return;
	for (i = 0; (i + 1) * 8 <= length; i++, word += STEP) {
		memcpy(&found, block->memory + i * 8, 8);
		if (found != word)
			goto bad;
	}
	found = word;
	memcpy(&found, block->memory + i * 8, length % 8);
	if (found != word)
		goto bad;
	tally->checked += length;
	return;

bad:
	tally->errors++;
	report(block, i * 8, length);
}

static void check_zero(struct tally *tally, const struct block *block)
{
	size_t i;

	if (workload_unchecked)
		return;
	for (i = 0; i < block->size; i++)
		if (block->memory[i]) {
			tally->errors++;
			wrong("calloc() of %s bytes: byte %s is not 0",
			      text_number(block->size).s, text_number(i).s);
			return;
		}
	tally->checked += block->size;
}

/* ---- one call ---- */

static uint64_t random_below(struct table *table, uint64_t limit)
{
	table->random += STEP;

	return scramble(table->random) % limit;
}

/* Short ones are frequent: the number of digits is what is uniform. */
static size_t random_size(struct table *table, int min_bits, int max_bits)
{
	int bits = min_bits + random_below(table, max_bits - min_bits);

	return ((size_t)1 << bits) + random_below(table, (size_t)1 << bits);
}

static void must_have(const struct block *block)
{
	if (!block->memory)
		die("the allocator has no %s more", text_bytes(block->size).s);
}

static void get_block(struct table *table, struct tally *tally,
		      struct block *block, size_t size)
{
	block->number = ++table->last_number;
	block->size = size;
	block->vector = 0;
	if (random_below(table, 8)) {
		block->memory = dlmalloc(size);
		must_have(block);
		tally->malloc++;
	} else {
		block->memory = dlcalloc(1, size);
		must_have(block);
		check_zero(tally, block);
		tally->calloc++;
	}
}

/* Objects, strings and nodes; buffers; vectors; now and then an image */
static void get_some(struct table *table, struct tally *tally,
		     struct block *block)
{
	uint64_t kind = random_below(table, 1000);
	int vector = kind >= 940 && kind < 999;

	if (kind < 750)
		get_block(table, tally, block, random_size(table, 3, 9));
	else if (kind < 940)
		get_block(table, tally, block, random_size(table, 9, 14));
	else if (vector)
		get_block(table, tally, block, 64);
	else
		get_block(table, tally, block, random_size(table, 19, 22));
	block->vector = vector;
	fill(block, 0, vector ? 1 + random_below(table, 64) : block->size);
}

static void free_block(struct tally *tally, struct block *block)
{
	check(tally, block, block->used);
	dlfree(block->memory);
	block->memory = NULL;
	tally->free++;
}

static void resize_block(struct tally *tally, struct block *block, size_t size)
{
	size_t kept = block->used < size ? block->used : size;

	check(tally, block, block->used);
	block->size = size;
	block->memory = dlrealloc(block->memory, size);
	must_have(block);
	check(tally, block, kept);
	block->used = kept;
	tally->realloc++;
}

/* Appends about half of what is there; doubles the room when it is used up. */
static void grow_vector(struct table *table, struct tally *tally,
			struct block *block)
{
	size_t used = block->used + 1 + random_below(table, block->used);

	if (used > VECTOR_MAX) {
		free_block(tally, block);
		return;
	}
	if (used > block->size)
		resize_block(tally, block, 2 * block->size);
	fill(block, block->used, used);
}

static void use_block(struct table *table, struct tally *tally,
		      struct block *block)
{
	if (block->vector && random_below(table, 8)) {
		grow_vector(table, tally, block);
	} else if (!block->vector && !random_below(table, 6)) {
		resize_block(tally, block,
			     1 + random_below(table, 2 * block->size));
		fill(block, block->used, block->size);
	} else {
		free_block(tally, block);
	}
}

static uint64_t calls(const struct tally *tally)
{
	return tally->malloc + tally->calloc + tally->realloc + tally->free;
}

static void *take_turn(void *argument)
{
	struct turn *turn = argument;
	struct table *table = turn->table;
	struct block *block;

	while (calls(&turn->tally) < CALLS_PER_TURN) {
		block = &table->slot[random_below(table, table->count)];
		if (!block->memory && (!turn->last || !random_below(table, 4)))
			get_some(table, &turn->tally, block);
		else if (block->memory && turn->last &&
			 !random_below(table, 12))
			free_block(&turn->tally, block);
		else if (block->memory)
			use_block(table, &turn->tally, block);
	}

	return NULL;
}

/* ---- all of it ---- */

static void make_tables(void)
{
	int i;

	for (i = 0; i < THREADS; i++) {
		tables[i].slot = VirtualAlloc(NULL,
					      SLOTS * sizeof(struct block),
					      MEM_RESERVE, PAGE_READWRITE);
		if (!tables[i].slot)
			die("VirtualAlloc of a table: error %u",
			    GetLastError());
		tables[i].random = SEED + i;
		/* Blocks of different threads hold different things. */
		tables[i].last_number = (uint64_t)i * 1000000;
	}
}

static void grow_table(struct table *table)
{
	table->count += SLOTS_PER_ROUND;
	if (!VirtualAlloc(table->slot, table->count * sizeof(struct block),
			  MEM_COMMIT, PAGE_READWRITE))
		die("VirtualAlloc for a table: error %u", GetLastError());
}

static void add_tally(struct tally *sum, const struct tally *tally)
{
	sum->malloc += tally->malloc;
	sum->calloc += tally->calloc;
	sum->realloc += tally->realloc;
	sum->free += tally->free;
	sum->checked += tally->checked;
	sum->errors += tally->errors;
}

static struct tally run_round(int round)
{
	struct turn turns[THREADS] = { 0 };
	struct tally sum = { 0 };
	pthread_t thread[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		turns[i].table = &tables[(i + round) % THREADS];
		turns[i].last = round == ROUNDS - 1;
		if (!turns[i].last)
			grow_table(turns[i].table);
		if (pthread_create(&thread[i], NULL, take_turn, &turns[i]))
			die("no thread to be had");
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		add_tally(&sum, &turns[i].tally);
	}

	return sum;
}

/* Return: bytes that the blocks have */
static uint64_t live(uint64_t *blocks)
{
	uint64_t bytes = 0;
	SIZE_T slot;
	int i;

	*blocks = 0;
	for (i = 0; i < THREADS; i++)
		for (slot = 0; slot < tables[i].count; slot++)
			if (tables[i].slot[slot].memory) {
				bytes += tables[i].slot[slot].size;
				++*blocks;
			}

	return bytes;
}

static void print_round(const char *name, const struct tally *tally,
			double seconds)
{
	uint64_t blocks, bytes = live(&blocks);

	printf("   %-7s %9s %10s %9s %10s %10s %9s\n", name,
	       text_number(calls(tally)).s, text_bytes(tally->checked).s,
	       text_number(blocks).s, text_bytes(bytes).s,
	       text_bytes(dlmalloc_footprint()).s, text_seconds(seconds).s);
}

static void print_tally(const struct tally *tally, double seconds)
{
	printf("\n   malloc %s, calloc %s, realloc %s, free %s\n",
	       text_number(tally->malloc).s, text_number(tally->calloc).s,
	       text_number(tally->realloc).s, text_number(tally->free).s);
	printf("   %s calls a second, writing and checking included\n",
	       text_number(calls(tally) / seconds).s);
	printf("   VirtualAlloc() was called %s times, VirtualFree() %s times\n",
	       text_number(allocs).s, text_number(frees).s);
	printf("   %s of contents checked; errors: %s\n",
	       text_bytes(tally->checked).s, text_number(tally->errors).s);
}

/* Change a byte that nobody but the check can see. */
static void spoil_block(void)
{
	SIZE_T slot;

	for (slot = 0; slot < tables[0].count; slot++)
		if (tables[0].slot[slot].memory) {
			tables[0].slot[slot].memory[0] ^= 1;
			return;
		}
}

int workload_run(int spoil)
{
	struct tally sum = { 0 }, tally;
	double start = now(), round_start;
	char name[8];
	int round;

	make_tables();
	/* The allocator's very first call must not meet another one. */
	dlfree(dlmalloc(1));
	printf("   %-7s %9s %10s %9s %10s %10s %9s\n", "round", "calls",
	       "checked", "blocks", "they have", "footprint", "time");
	for (round = 0; round < ROUNDS; round++) {
		round_start = now();
		tally = run_round(round);
		add_tally(&sum, &tally);
		snprintf(name, sizeof(name), "%d", round + 1);
		print_round(name, &tally, now() - round_start);
	}
	print_round("all", &sum, now() - start);
	print_tally(&sum, now() - start);
	if (spoil)
		spoil_block();

	return sum.errors;
}

static void free_table(struct table *table, struct tally *tally)
{
	SIZE_T slot;

	for (slot = 0; slot < table->count; slot++)
		if (table->slot[slot].memory)
			free_block(tally, &table->slot[slot]);
	if (!VirtualFree(table->slot, 0, MEM_RELEASE))
		tally->errors += wrong("VirtualFree of a table: error %u",
				       GetLastError());
}

int workload_end(void)
{
	struct tally tally = { 0 };
	struct winregion_get_info info;
	int i;

	for (i = 0; i < THREADS; i++)
		free_table(&tables[i], &tally);
	dlmalloc_trim(0);
	info = get_info();
	printf("   %s blocks checked and freed; errors: %s\n",
	       text_number(tally.free).s, text_number(tally.errors).s);
	printf("   %s regions are left, %s committed: what dlmalloc keeps\n",
	       text_number(info.out_regions).s,
	       text_bytes(info.out_committed).s);

	return tally.errors;
}
