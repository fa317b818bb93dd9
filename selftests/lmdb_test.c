// SPDX-License-Identifier: GPL-2.0
/*
 * A database that maps its file, LMDB, by its own code for Windows on the library,
 * beside the same as it is built for Linux: with its own tests and tools, with
 * several processes, and with some that are killed.
 *
 * programs/lmdb makes the two builds of each program. The time of both is printed.
 */
/* vm: programs=lmdb kernels=turn modules=loop,ext4 timeout=900 */
#include "kselftest_harness.h"

#define DIRECTORY "/tmp/wr_lmdb"

#include <sys/stat.h>

#include "common.h"
#include "rounds.h"
#include "two_builds.h"
#include "wr_test_util.h"

/* Of each transaction of the writer */
#define VALUES 6

/* ---- to compare what they print ---- */

/* An address is another one in each process: it becomes "0x". */
static void forget_addresses(char *line)
{
	char *at = line;

	while ((at = strstr(at, "0x"))) {
		at += 2;
		memmove(at, at + strspn(at, "0123456789abcdef"),
			strlen(at + strspn(at, "0123456789abcdef")) + 1);
	}
}

/* Lines that are about what is in the database */
static bool is_to_compare(char *line)
{
	static const char *const others[] = { "mapaddr=", "maxreaders=",
					      "mapsize=" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(others); i++)
		if (!strncmp(line, others[i], strlen(others[i])))
			return false;
	forget_addresses(line);
	return true;
}

/* ---- the file systems ---- */

/*
 * A database wants its file where it was mapped before. Something else is there now and
 * then, the more often the smaller the range is where mappings begin.
 */
#define RANDOM_BITS "/proc/sys/vm/mmap_rnd_bits"
#define ENOUGH_BITS 32

FIXTURE(lmdb)
{
	struct place place;
	int64_t random_bits;
};

FIXTURE_VARIANT(lmdb)
{
	bool disk;
	/* The writer's flags */
	const char *flags;
};

FIXTURE_VARIANT_ADD(lmdb, memory)
{
	.flags = "-",
};

FIXTURE_VARIANT_ADD(lmdb, memory_by_view)
{
	.flags = "w",
};

FIXTURE_VARIANT_ADD(lmdb, disk)
{
	.disk = true,
	.flags = "-",
};

FIXTURE_VARIANT_ADD(lmdb, disk_by_view)
{
	.disk = true,
	.flags = "w",
};

FIXTURE_SETUP(lmdb)
{
	ASSERT_TRUE(find_programs("lmdb"));
	ASSERT_TRUE(make_place(&self->place, variant->disk));
	self->random_bits = read_number(RANDOM_BITS);
	if (self->random_bits < ENOUGH_BITS)
		write_number(RANDOM_BITS, ENOUGH_BITS);
}

FIXTURE_TEARDOWN(lmdb)
{
	if (self->random_bits < ENOUGH_BITS)
		write_number(RANDOM_BITS, self->random_bits);
	remove_place(&self->place);
}

/* In each build's directory an empty one, for a database */
static bool make_databases(FIXTURE_DATA(lmdb) *self, const char *name)
{
	char path[128];
	int build;

	for (build = NATIVE; build < BUILDS; build++) {
		snprintf(path, sizeof(path), "%s/%s", self->place.directory[build],
			 name);
		if (mkdir(path, 0755))
			return false;
	}
	return true;
}

/* Run it by both builds, each in its directory, and measure it. */
static bool run_both(FIXTURE_DATA(lmdb) *self, const char *command,
		     const char *in, const char *out)
{
	uint64_t begun;
	int build, status;

	for (build = NATIVE; build < BUILDS; build++) {
		begun = now_ms();
		status = run_from(build, command, self->place.directory[build], in,
				  out);
		self->place.ms[build] += now_ms() - begun;
		if (status)
			fprintf(stderr, "# %s %s: %d\n", names[build], command,
				status);
		if (status)
			return false;
	}
	return true;
}

/* What a tool says of the database of each build is alike, by itself or the other. */
static bool tool_says_the_same(FIXTURE_DATA(lmdb) *self, const char *command,
			       long lines)
{
	const char *native = self->place.directory[NATIVE];
	const char *win32 = self->place.directory[WIN32];

	return !run(NATIVE, command, native, "own") &&
	       !run(WIN32, command, win32, "own") &&
	       !run(WIN32, command, native, "other") &&
	       !run(NATIVE, command, win32, "other") &&
	       same_text(native, "own", win32, "own", lines) &&
	       same_text(native, "own", native, "other", lines) &&
	       same_text(native, "own", win32, "other", lines);
}

/* @lines: of its dump, at least. @named: there are databases in it that have names. */
static bool databases_are_alike(FIXTURE_DATA(lmdb) *self, const char *name,
				bool named, long lines)
{
	char stat[64], dump[64], dump_all[64];

	snprintf(stat, sizeof(stat), "mdb_stat -a %s", name);
	snprintf(dump, sizeof(dump), "mdb_dump %s", name);
	snprintf(dump_all, sizeof(dump_all), "mdb_dump -a %s", name);
	return tool_says_the_same(self, stat, 6) &&
	       tool_says_the_same(self, dump, lines) &&
	       (!named || tool_says_the_same(self, dump_all, lines));
}

/* The writer, on database @name */
static void to_write(char *command, size_t size,
		     const FIXTURE_VARIANT(lmdb) *variant, const char *name,
		     const char *work)
{
	snprintf(command, size, "writer %s %s %s", name, variant->flags, work);
}

/*
 * A database of the native build with what so many transactions of "a", and of "b",
 * put there: @name of @directory has the same.
 */
static bool has(const char *directory, const char *name, unsigned int a,
		unsigned int b)
{
	char command[64], dump[64];
	long lines;

	remove_tree(DIRECTORY "/expected");
	if (mkdir(DIRECTORY "/expected", 0755))
		return false;
	snprintf(command, sizeof(command), "writer expected n fill a %u", a);
	if (run(NATIVE, command, DIRECTORY, "lines"))
		return false;
	snprintf(command, sizeof(command), "writer expected n fill b %u", b);
	if (run(NATIVE, command, DIRECTORY, "lines") ||
	    run(NATIVE, "mdb_dump expected", DIRECTORY, "dump.expected"))
		return false;

	snprintf(dump, sizeof(dump), "mdb_dump %s", name);
	/* A line for a key, and one for its value */
	lines = 2L * VALUES * (a + b);
	return !run(WIN32, dump, directory, "dump.win32") &&
	       !run(NATIVE, dump, directory, "dump.native") &&
	       same_text(directory, "dump.win32", DIRECTORY, "dump.expected",
			 lines) &&
	       same_text(directory, "dump.native", DIRECTORY, "dump.expected",
			 lines);
}

/* ---- its own tests and tools ---- */

/*
 * One after the other on one database, which each maps where the first has. They have
 * no flags: each variant draws other numbers.
 */
TEST_F(lmdb, own_tests)
{
	static const char *const tests[] = { "mtest", "mtest2", "mtest3",
					     "mtest4", "mtest5", "mtest6" };
	unsigned int i;

	setenv("LMDB_SEED", *variant->flags == 'w' ? "1" : "2", 1);
	ASSERT_TRUE(make_databases(self, "testdb"));
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		ASSERT_TRUE(run_both(self, tests[i], NULL, "said"));
		show_times(&self->place, tests[i]);
		EXPECT_TRUE(same_text(self->place.directory[NATIVE], "said",
				      self->place.directory[WIN32], "said", 30));
		EXPECT_TRUE(tool_says_the_same(self, "mdb_stat -a testdb", 6));
	}
	EXPECT_TRUE(databases_are_alike(self, "testdb", true, 30));
}

/* A dump is loaded; copies, compact ones too, by a name and by standard output. */
TEST_F(lmdb, tools)
{
	const char *native = self->place.directory[NATIVE];
	const char *win32 = self->place.directory[WIN32];
	/* A key, and a value */
	const long lines = 2 * VALUES * 100;
	char command[128];

	/* With a database that grows */
	snprintf(command, sizeof(command), "writer db g%s fill a 100",
		 variant->flags);
	ASSERT_TRUE(make_databases(self, "db"));
	ASSERT_TRUE(run_both(self, command, NULL, "lines"));
	show_times(&self->place, command);
	EXPECT_TRUE(databases_are_alike(self, "db", false, lines));

	ASSERT_TRUE(make_databases(self, "loaded"));
	ASSERT_TRUE(run_both(self, "mdb_dump db", NULL, "dump"));
	ASSERT_TRUE(run_both(self, "mdb_load loaded", "dump", "lines"));
	show_times(&self->place, "mdb_dump, mdb_load");
	EXPECT_TRUE(databases_are_alike(self, "loaded", false, lines));

	ASSERT_TRUE(make_databases(self, "copy"));
	ASSERT_TRUE(run_both(self, "mdb_copy db copy", NULL, "lines"));
	show_times(&self->place, "mdb_copy");
	EXPECT_TRUE(databases_are_alike(self, "copy", false, lines));

	ASSERT_TRUE(make_databases(self, "compact"));
	ASSERT_TRUE(run_both(self, "mdb_copy -c db compact", NULL, "lines"));
	show_times(&self->place, "mdb_copy -c");
	EXPECT_TRUE(databases_are_alike(self, "compact", false, lines));

	ASSERT_TRUE(run_both(self, "mdb_copy db", NULL, "data.mdb"));
	EXPECT_EQ(0, run(WIN32, "mdb_dump -n data.mdb", native, "other"));
	EXPECT_EQ(0, run(NATIVE, "mdb_dump -n data.mdb", win32, "other"));
	EXPECT_TRUE(same_text(native, "dump", native, "other", lines));
	EXPECT_TRUE(same_text(native, "dump", win32, "other", lines));
}

/* The builds in turn on one file */
TEST_F(lmdb, in_turn)
{
	const char *directory = self->place.directory[WIN32];
	char command[128];
	int build;

	ASSERT_TRUE(make_databases(self, "db"));
	for (build = NATIVE; build < BUILDS; build++) {
		to_write(command, sizeof(command), variant, "db", "fill a 20");
		EXPECT_EQ(0, run(build, command, directory, "lines"));
		EXPECT_TRUE(has(directory, "db", 20, build ? 30 : 0));
		to_write(command, sizeof(command), variant, "db", "fill b 30");
		EXPECT_EQ(0, run(!build, command, directory, "lines"));
		EXPECT_TRUE(has(directory, "db", 20, 30));
	}
}

/* ---- several processes ---- */

TEST_F(lmdb, two_writers)
{
	struct run a, b;
	char command[128];
	uint64_t begun;
	int build;

	ASSERT_TRUE(make_databases(self, "db"));
	for (build = NATIVE; build < BUILDS; build++) {
		const char *directory = self->place.directory[build];

		begun = now_ms();
		to_write(command, sizeof(command), variant, "db", "fill a 150");
		a = start(build, command, directory);
		to_write(command, sizeof(command), variant, "db", "fill b 150");
		b = start(build, command, directory);
		/* A reader meanwhile, with threads */
		EXPECT_EQ(1, read_lines(&a, 1));
		EXPECT_EQ(0, run(build, "writer db - read 10", directory,
				 "lines"));
		EXPECT_EQ(0, end(&a));
		EXPECT_EQ(0, end(&b));
		self->place.ms[build] = now_ms() - begun;
		EXPECT_TRUE(has(directory, "db", 150, 150));
	}
	show_times(&self->place, "two writers, 150 transactions each");
}

/* The table of readers has two places, and a thread that ends gives its own back. */
TEST_F(lmdb, threads_end)
{
	char command[128];

	ASSERT_TRUE(make_databases(self, "db"));
	to_write(command, sizeof(command), variant, "db", "fill a 5");
	ASSERT_TRUE(run_both(self, command, NULL, "lines"));
	memset(self->place.ms, 0, sizeof(self->place.ms));
	to_write(command, sizeof(command), variant, "db", "read 40");
	EXPECT_TRUE(run_both(self, command, NULL, "lines"));
	show_times(&self->place, "40 threads that read");
}

/* ---- processes that are killed ---- */

/* Transactions whose values a dump has */
static long count_in(const char *directory, const char *name)
{
	FILE *file = open_text(directory, name);
	long n = 0;
	int c;

	if (!file)
		return -1;
	/* Keys and values are the lines that begin with a blank. */
	while ((c = getc(file)) != EOF) {
		n += c == ' ';
		while (c != '\n' && c != EOF)
			c = getc(file);
	}
	fclose(file);
	return n % (2 * VALUES) ? -1 : n / (2 * VALUES);
}

/* In the middle of what they do, wherever that is: what they told is there. */
TEST_F(lmdb, killed)
{
	long n = rounds(lmdb_kills), i, told, there;
	const char *directory;
	char command[128];
	struct run run;
	int build;

	for (i = 0; i < n; i++) {
		/* Mostly the one that is here to be tested */
		build = i % 4 == 3 ? NATIVE : WIN32;
		directory = self->place.directory[build];
		remove_tree(DIRECTORY "/*/db");
		ASSERT_TRUE(make_databases(self, "db"));
		to_write(command, sizeof(command), variant, "db",
			 "fill a 1000000");
		run = start(build, command, directory);
		told = read_lines(&run, 3 + 7 * i % 23);
		sleep_ms(i * 5 % 17);
		kill(run.pid, SIGKILL);
		told += read_lines(&run, -1);
		EXPECT_EQ(-SIGKILL, end_by_signal(&run));

		EXPECT_EQ(0, run_from(build, "mdb_dump db", directory, NULL,
				      "dump"));
		there = count_in(directory, "dump");
		/* The last one may be done and not yet told. */
		EXPECT_LE(told, there);
		EXPECT_GE(told + 1, there);
		EXPECT_TRUE(has(directory, "db", there, 0));
		/* And it goes on. */
		to_write(command, sizeof(command), variant, "db", "fill b 5");
		EXPECT_EQ(0, run_from(build, command, directory, NULL,
				      "lines"));
		EXPECT_TRUE(has(directory, "db", there, 5));
	}
}

/* Who waits for the lock of one that is killed gets it, and nothing of what it did. */
TEST_F(lmdb, killed_beside_another)
{
	struct run holder, waiter;
	char command[128];
	int build;

	ASSERT_TRUE(make_databases(self, "db"));
	for (build = NATIVE; build < BUILDS; build++) {
		const char *directory = self->place.directory[build];

		to_write(command, sizeof(command), variant, "db", "fill a 10");
		EXPECT_EQ(0, run(build, command, directory, "lines"));
		to_write(command, sizeof(command), variant, "db", "hold x");
		holder = start(build, command, directory);
		EXPECT_EQ(1, read_lines(&holder, 1));
		to_write(command, sizeof(command), variant, "db", "fill b 10");
		waiter = start(build, command, directory);
		sleep_ms(300);
		EXPECT_EQ(0, waitpid(waiter.pid, NULL, WNOHANG));
		EXPECT_EQ(-SIGKILL, end_by_signal(&holder));
		EXPECT_EQ(10, read_lines(&waiter, 10));
		EXPECT_EQ(0, end(&waiter));
		EXPECT_TRUE(has(directory, "db", 10, 10));
	}
}

TEST_HARNESS_MAIN
