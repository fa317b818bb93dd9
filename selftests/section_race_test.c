// SPDX-License-Identifier: GPL-2.0
/* vm: modules=loop,ext4 timeout=900 cpus=2 */
/*
 * Sections and views of several processes against each other, and against who cuts,
 * deletes and unmounts their files. However it goes: no call fails that must not,
 * and nothing is left at the end, of file systems, memory or charge.
 */
#include "kselftest_harness.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "common.h"
#include "wr_test_util.h"
#include "race.h"
#include "sections.h"
#include "loop.h"

#define DIRECTORY "/tmp/wr_section_race"
#define IMAGE DIRECTORY ".img"
#define FILE_PATH DIRECTORY "/file"
#define SIZE MIB(4)
#define NR_PAGES (SIZE / 4096)
#define PROCESSES 4

/**
 * struct arena - what all processes of a test have
 * @wrong: what must not have happened, and did
 * @line, @error: the first of it
 * @memory: a section that is committed page by page
 * @base: a view of it, for who has been forked
 * @committed: by some process, for each page
 */
struct arena {
	volatile uint64_t wrong;
	volatile int line;
	volatile int error;
	int fd;
	int memory;
	char *base;
	volatile bool committed[NR_PAGES];
};

static void note(struct arena *arena, int line, int error)
{
	if (!arena->wrong) {
		arena->line = line;
		arena->error = error;
	}
	race_add(&arena->wrong, 1);
}

#define MUST(arena, cond) do {						\
	if (!(cond))							\
		note(arena, __LINE__, errno);				\
} while (0)

/* A call that returns 0 or -errno */
#define WORKS(arena, call) do {						\
	int __ret = (call);						\
									\
	if (__ret)							\
		note(arena, __LINE__, __ret);				\
} while (0)

#define EXPECT_ALL_RIGHT(arena) EXPECT_EQ(0, (arena)->wrong) {		\
	TH_LOG("first in line %d: %d", (arena)->line, (arena)->error);	\
}

static struct arena *new_arena(int fd)
{
	struct arena *arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	arena->fd = fd;
	arena->memory = sec_create(fd, -1, SIZE, WINREGION_SECTION_RESERVE, RW);
	if (arena->memory < 0 || sec_map(arena->memory, 0, 0, RW, &arena->base))
		abort();
	return arena;
}

static void end_arena(struct arena *arena)
{
	WORKS(arena, sec_unmap(arena->fd, arena->base));
	close(arena->memory);
}

static int wait_for_all(void)
{
	int status, bad = 0;

	while (wait(&status) > 0)
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			bad |= status;
	return bad;
}

/* ---- what one of many does ---- */

static void touch(char *base, uint64_t bytes, uint64_t *random)
{
	uint64_t value = 7;
	unsigned int i;

	for (i = 0; i < 6; i++)
		user_access((uint64_t *)(base + PAGES(race_random(random,
								  bytes / 4096))),
			    &value, race_random(random, 2));
}

/* A view of its own, that nobody else can take away */
static void use_view(struct arena *arena, char *base, uint64_t bytes,
		     uint64_t *random)
{
	char *page = base + PAGES(race_random(random, bytes / 4096));
	struct winregion_run run;
	int ret;

	touch(base, bytes, random);
	WORKS(arena, wr_protect(arena->fd, page, 1,
				race_random(random, 2) ? RO : NA));
	touch(base, bytes, random);
	WORKS(arena, wr_query(arena->fd, page, &run));
	MUST(arena, run.type == WINREGION_TYPE_MAPPED);
	if (race_random(random, 2)) {
		ret = sec_flush(arena->fd, base, 0);
		/* A disk may be full. */
		MUST(arena, !ret || ret == -EIO);
	}
	if (race_random(random, 4) == 0)
		madvise(base, bytes, MADV_DONTNEED);
	WORKS(arena, wr_protect(arena->fd, page, 1, RW));
	touch(base, bytes, random);
}

/* Where the file is gone, or empty, or shorter than a moment ago */
static bool is_excused(int section)
{
	return section == -ENXIO || section == -EFBIG;
}

static int open_file(void)
{
	return open(FILE_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static void map_file(struct arena *arena, uint64_t *random)
{
	struct winregion_query_section info;
	int file = open_file(), section;
	char *base;

	if (file < 0)
		return;
	section = sec_create(arena->fd, file, 0, 0, RW);
	if (section < 0 && !is_excused(section))
		note(arena, __LINE__, section);
	close(file);
	if (section < 0)
		return;
	WORKS(arena, sec_query(section, &info));
	WORKS(arena, sec_map(section, 0, 0, RW, &base));
	close(section);
	use_view(arena, base, (info.out_length + 4095) / 4096 * 4096, random);
	if (race_random(random, 2))
		WORKS(arena, sec_unmap(arena->fd, base + 9));
	else
		MUST(arena, !munmap(base, (info.out_length + 4095) / 4096 *
				    4096));
}

/* What was there once is, however the file is cut. */
static void look_again(struct arena *arena, const char *page,
		       const struct winregion_run *before)
{
	bool committed = before->state == WINREGION_STATE_COMMIT;
	struct winregion_run run;
	int ret;

	WORKS(arena, wr_query(arena->fd, page, &run));
	MUST(arena, run.type == WINREGION_TYPE_MAPPED);
	MUST(arena, run.region_address == before->region_address);
	MUST(arena, !committed || run.state == WINREGION_STATE_COMMIT);
	ret = wr_protect(arena->fd, page, 1, run.region_protection);
	MUST(arena, !ret || (ret == -ENODATA && !committed));
}

/* A view of more than the file has, of which others have made more and less meanwhile */
static void use_larger_view(struct arena *arena, int file, char *base,
			    uint64_t *random)
{
	struct winregion_run run;
	char *page = base;
	pid_t pid;
	int i;

	for (i = 0; i < 8; i++) {
		page = base + PAGES(race_random(random, 2 * NR_PAGES));
		WORKS(arena, wr_query(arena->fd, page, &run));
		touch(base, 2 * SIZE, random);
		if (race_random(random, 2))
			(void)!ftruncate(file, race_random(random, 2 * SIZE));
		look_again(arena, page, &run);
	}
	WORKS(arena, wr_query(arena->fd, page, &run));
	pid = fork();
	if (!pid) {
		look_again(arena, page, &run);
		_exit(sec_unmap(arena->fd, base));
	}
	(void)!ftruncate(file, race_random(random, 2 * SIZE));
	look_again(arena, page, &run);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void map_larger(struct arena *arena, uint64_t *random)
{
	struct winregion_map_view arg = {
		.flags = WINREGION_VIEW_RESERVE,
		.protection = race_random(random, 3) ? RW : WINREGION_WRITECOPY,
		.length = 2 * SIZE,
	};
	int file = open_file(), section, ret;
	char *base;

	if (file < 0)
		return;
	section = sec_create(arena->fd, file, 0, 0, RW);
	if (section < 0 && !is_excused(section))
		note(arena, __LINE__, section);
	if (section >= 0) {
		ret = sec_map_with(section, &arg, &base);
		close(section);
		WORKS(arena, ret);
		if (!ret) {
			use_larger_view(arena, file, base, random);
			WORKS(arena, sec_unmap(arena->fd, base));
		}
	}
	close(file);
}

static void change_file(uint64_t *random)
{
	int file = open_file();
	uint64_t value = 3;

	if (file < 0)
		return;
	switch (race_random(random, 5)) {
	case 0:
		(void)!ftruncate(file, race_random(random, SIZE));
		break;
	case 1:
		(void)!fallocate(file, FALLOC_FL_PUNCH_HOLE |
				 FALLOC_FL_KEEP_SIZE, PAGES(5), PAGES(30));
		break;
	case 2:
		unlink(FILE_PATH);
		break;
	default:
		(void)!ftruncate(file, SIZE);
		(void)!pwrite(file, &value, 8, PAGES(race_random(random,
								 NR_PAGES)));
	}
	close(file);
}

/* What somebody has committed all have, whoever has been killed since. */
static void commit(struct arena *arena, uint64_t *random)
{
	unsigned int page = race_random(random, NR_PAGES - 8), i;
	unsigned int n = 1 + race_random(random, 8);
	uint64_t value;
	char *base;

	WORKS(arena, wr_commit(arena->fd, arena->base + PAGES(page), PAGES(n),
			       RW));
	for (i = page; i < page + n; i++)
		arena->committed[i] = true;
	WORKS(arena, sec_map(arena->memory, 0, 0, RO, &base));
	for (i = 0; i < 20; i++) {
		page = race_random(random, NR_PAGES);
		if (arena->committed[page])
			MUST(arena, user_access((uint64_t *)(base + PAGES(page)),
						&value, false));
	}
	WORKS(arena, sec_unmap(arena->fd, base));
}

/* The child ends by itself, too, as who forked it may be killed first. */
static void fork_once(struct arena *arena, uint64_t *random)
{
	bool killed = race_random(random, 2);
	pid_t pid = fork();
	int i;

	if (!pid) {
		map_file(arena, random);
		touch(arena->base, SIZE, random);
		if (race_random(random, 2))
			_exit(sec_unmap(arena->fd, arena->base));
		for (i = 0; i < 20 && killed; i++)
			map_file(arena, random);
		_exit(0);
	}
	if (killed)
		kill(pid, SIGKILL);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void do_something(struct arena *arena, uint64_t *random)
{
	switch (race_random(random, 10)) {
	case 0:
		fork_once(arena, random);
		break;
	case 1:
	case 2:
		change_file(random);
		break;
	case 3:
	case 4:
		commit(arena, random);
		break;
	case 5:
		map_larger(arena, random);
		break;
	default:
		map_file(arena, random);
	}
}

struct actor {
	struct arena *arena;
	uint64_t random;
	long rounds;
};

static void *act(void *arg)
{
	struct actor *actor = arg;

	race_catch_faults();
	while (actor->rounds-- > 0)
		do_something(actor->arena, &actor->random);
	return NULL;
}

/* A process of two threads */
static pid_t start_actor(struct arena *arena, unsigned int seed, long rounds)
{
	struct actor actors[2] = {
		{ arena, seed * 7919 + 1, rounds },
		{ arena, seed * 104729 + 2, rounds },
	};
	struct crew crew = { 0 };
	pid_t pid = fork();

	if (pid)
		return pid;
	crew_add(&crew, act, &actors[0]);
	act(&actors[1]);
	crew_join(&crew);
	_exit(0);
}

/* ---- files ---- */

FIXTURE(section_race)
{
	int fd;
	int loop;
	char device[32];
	bool mounted;
	uint64_t total;
	struct arena *arena;
};

FIXTURE_VARIANT(section_race)
{
	const char *options; /* of a tmpfs; NULL: ext4 */
	/* 7.3 maps all of a large folio for each write, which takes its time. */
	unsigned int slowness;
};

FIXTURE_VARIANT_ADD(section_race, tmpfs)
{
	.options = "size=64m",
	.slowness = 1,
};

FIXTURE_VARIANT_ADD(section_race, tmpfs_huge)
{
	.options = "size=64m,huge=always",
	.slowness = 10,
};

FIXTURE_VARIANT_ADD(section_race, ext4) { .slowness = 1 };

static bool mount_again(const char *device, const char *options)
{
	if (options)
		return !mount("tmpfs", DIRECTORY, "tmpfs", 0, options);
	return !mount(device, DIRECTORY, "ext4", 0, NULL);
}

FIXTURE_SETUP(section_race)
{
	self->loop = -1;
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	if (geteuid())
		SKIP(return, "only root may mount");
	if (!variant->options && access("/dev/loop-control", F_OK))
		SKIP(return, "no loop devices; \"make test\" has them");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	mkdir(DIRECTORY, 0700);
	if (variant->options) {
		ASSERT_TRUE(mount_again(NULL, variant->options));
	} else {
		self->loop = loop_begin(IMAGE, MIB(12), self->device,
					sizeof(self->device));
		ASSERT_LE(0, self->loop);
		ASSERT_TRUE(loop_mount(self->device, DIRECTORY));
	}
	self->mounted = true;
	self->total = WR_INFO(self->fd, out_total);
	self->arena = new_arena(self->fd);
}

/* All of it is gone. */
FIXTURE_TEARDOWN(section_race)
{
	if (self->arena) {
		end_arena(self->arena);
		EXPECT_ALL_RIGHT(self->arena);
		EXPECT_EQ(0, WR_INFO(self->fd, out_regions));
		EXPECT_EQ(0, WR_INFO(self->fd, out_committed));
		EXPECT_TRUE(SETTLES(WR_INFO(self->fd, out_total) ==
				    self->total));
	}
	if (self->mounted)
		EXPECT_TRUE(SETTLES(!umount(DIRECTORY)));
	loop_end(self->loop, IMAGE);
	rmdir(DIRECTORY);
	close(self->fd);
}

/*
 * Rules: MV-01, MV-42, MV-50, UM-01, UM-02, VV-01, SR-02, SR-07, CM-47. All of it at
 * once, and one process after the other is killed in the middle of it.
 */
TEST_F_TIMEOUT(section_race, everything, 120)
{
	long n = rounds(section_race_all) / variant->slowness + 4, i;
	pid_t pid[PROCESSES];

	for (i = 0; i < PROCESSES; i++)
		pid[i] = start_actor(self->arena, i, n);
	for (i = 0; i < n / 4; i++) {
		sleep_ms(10 + i % 7);
		kill(pid[i % PROCESSES], SIGKILL);
		waitpid(pid[i % PROCESSES], NULL, 0);
		pid[i % PROCESSES] = start_actor(self->arena, i + PROCESSES, n);
	}
	EXPECT_EQ(0, wait_for_all());
}

/*
 * A file system that views are of is busy, and is not once who has them is gone, in
 * whichever way. One that has been taken out of the tree meanwhile goes with them.
 */
TEST_F_TIMEOUT(section_race, unmounted, 120)
{
	long n = rounds(section_race_unmounted) / variant->slowness + 1, i, j;
	pid_t pid[PROCESSES];
	int section, file;
	char *base;

	for (i = 0; i < n; i++) {
		file = open_file();
		ASSERT_EQ(0, ftruncate(file, SIZE));
		section = sec_create(self->fd, file, 0, 0, RW);
		ASSERT_LE(0, section);
		close(file);
		ASSERT_EQ(0, sec_map(section, 0, 0, RW, &base));
		close(section);
		for (j = 0; j < PROCESSES; j++)
			pid[j] = start_actor(self->arena, i * PROCESSES + j, 8);
		EXPECT_EQ(-1, umount(DIRECTORY));
		EXPECT_EQ(EBUSY, errno);
		sleep_ms(5 + i % 11);
		if (i % 2)
			EXPECT_EQ(0, umount2(DIRECTORY, MNT_DETACH));
		for (j = 0; j < PROCESSES && i % 3; j++)
			kill(pid[j], SIGKILL);
		EXPECT_EQ(0, wait_for_all());
		EXPECT_TRUE(try_write(base + PAGES(3)) ||
			    probe_fault.sig == SIGBUS);
		ASSERT_EQ(0, sec_unmap(self->fd, base));
		if (!(i % 2))
			EXPECT_TRUE(SETTLES(!umount(DIRECTORY)));
		/* Of what was there before nothing is needed any more. */
		self->mounted = mount_again(self->device, variant->options);
		ASSERT_TRUE(self->mounted);
	}
	EXPECT_ALL_RIGHT(self->arena);
}

/* ---- one place ---- */

FIXTURE(section_place)
{
	int fd;
	int section;
};

FIXTURE_SETUP(section_place)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	self->section = sec_create(self->fd, -1, MIB(1), 0, RW);
	ASSERT_LE(0, self->section);
}

FIXTURE_TEARDOWN(section_place)
{
	close(self->section);
	close(self->fd);
}

#define PLACE ((char *)0x210000000000)

struct settler {
	int fd;
	int section;
	long rounds;
	volatile uint64_t *owners;
	uint64_t had;
	uint64_t wrong;
};

static void *settle(void *arg)
{
	struct settler *settler = arg;
	int ret;

	/* Who has never had it goes on until the others are done. */
	while (settler->rounds-- > 0 || !settler->had) {
		ret = sec_map_at(settler->section, PLACE, 0, 0x10000, RW);
		if (ret == -EEXIST)
			continue;
		settler->wrong += ret || __atomic_add_fetch(settler->owners, 1,
							    __ATOMIC_SEQ_CST) != 1;
		settler->had++;
		fill_page(PLACE, settler->rounds);
		settler->wrong += !page_has(PLACE, settler->rounds);
		race_add(settler->owners, -1);
		settler->wrong += !!sec_unmap(settler->fd, PLACE + 5);
	}
	return NULL;
}

/* A place is had by one at a time, and who has it can give it up. */
TEST_F_TIMEOUT(section_place, one_owner, 60)
{
	volatile uint64_t owners = 0;
	struct settler settlers[3];
	struct crew crew = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(settlers); i++) {
		settlers[i] = (struct settler) {
			.fd = self->fd,
			.section = self->section,
			.rounds = rounds(section_race_place),
			.owners = &owners,
		};
		crew_add(&crew, settle, &settlers[i]);
	}
	crew_join(&crew);
	for (i = 0; i < ARRAY_SIZE(settlers); i++) {
		EXPECT_EQ(0, settlers[i].wrong);
		EXPECT_LT(0, settlers[i].had);
	}
	EXPECT_EQ(0, WR_INFO(self->fd, out_regions));
}

#define COPY WINREGION_WRITECOPY

struct early {
	int fd;
	volatile uint64_t round;	/* the view of which is about to be there */
	volatile uint64_t mapped;
	volatile uint64_t done;
	uint64_t wrong;
};

/* Changes each view as soon as that is possible, and nobody else does. */
static void *commit_early(void *arg)
{
	struct early *early = arg;
	uint64_t round;

	for (round = 1; round; round++) {
		while (early->round < round)
			sched_yield();
		if (early->round == UINT64_MAX)
			break;
		while (wr_commit(early->fd, PLACE, 0x10000, RO))
			;
		while (early->mapped < round)
			sched_yield();
		early->wrong += !wr_is(early->fd, PLACE, RO);
		early->done = round;
	}
	return NULL;
}

/* What is told to be committed is not undone by who has the view made. Hazard V40. */
TEST_F_TIMEOUT(section_place, committed_while_made, 60)
{
	struct early early = { .fd = self->fd };
	struct crew crew = { 0 };
	uint64_t round;

	crew_add(&crew, commit_early, &early);
	for (round = 1; round < (uint64_t)rounds(section_race_place); round++) {
		early.round = round;
		ASSERT_EQ(0, sec_map_at(self->section, PLACE, 0, 0x10000,
					COPY));
		early.mapped = round;
		while (early.done < round)
			sched_yield();
		ASSERT_EQ(0, sec_unmap(self->fd, PLACE));
	}
	early.round = UINT64_MAX;
	crew_join(&crew);
	EXPECT_EQ(0, early.wrong);
}

TEST_HARNESS_MAIN
