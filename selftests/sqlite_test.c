// SPDX-License-Identifier: GPL-2.0
/*
 * A database that maps its files, SQLite, by its own code for Windows on the library,
 * beside the same as it is built for Linux: its shell and two of its tests, with
 * several processes, and with some that are killed. What one build has left, and what
 * it is at, the other one goes on with.
 *
 * programs/sqlite makes the two builds of each program. The time of both is printed.
 */
/* vm: programs=sqlite kernels=turn modules=loop,ext4 timeout=900 */
#include "kselftest_harness.h"

#define DIRECTORY "/tmp/wr_sqlite"

#include "common.h"
#include "rounds.h"
#include "two_builds.h"
#include "wr_test_util.h"

/* Of each transaction of the writer; the last one's length */
#define VALUES 6
#define LONGEST 5000

/* ---- to compare what they print ---- */

/* Of SQLite's tests: without how long they took, and how often they tried */
static bool is_to_compare(char *line)
{
	char *end;

	/* mptest: its command */
	if (!strncmp(line, "BEGIN: ", 7) || !strncmp(line, "END: ", 5))
		return false;
	/* "Summary: 0 errors out of 81 tests" */
	end = strstr(line, " out of ");
	/* "... 0.123s" */
	if (!end)
		end = strstr(line, "... ");
	if (end)
		*end = '\0';
	return true;
}

/* ---- the file systems ---- */

FIXTURE(sqlite)
{
	struct place place;
};

FIXTURE_VARIANT(sqlite)
{
	bool disk;
	/* Where changes are before they are sure: "delete", a file of what was before,
	 * or "wal", a log, which is in memory that all processes share
	 */
	const char *journal;
	/* The writer's flags, and what the others are told instead */
	const char *flags;
	unsigned int mapped;
};

FIXTURE_VARIANT_ADD(sqlite, memory)
{
	.journal = "delete",
	.flags = "m",
	.mapped = MIB(64),
};

FIXTURE_VARIANT_ADD(sqlite, memory_log)
{
	.journal = "wal",
	.flags = "-",
};

FIXTURE_VARIANT_ADD(sqlite, disk_log)
{
	.disk = true,
	.journal = "wal",
	.flags = "m",
	.mapped = MIB(64),
};

FIXTURE_SETUP(sqlite)
{
	ASSERT_TRUE(find_programs("sqlite"));
	ASSERT_TRUE(make_place(&self->place, variant->disk));
}

FIXTURE_TEARDOWN(sqlite)
{
	remove_place(&self->place);
}

/* ---- databases ---- */

/* Let the shell do it with database @name. Return: whether it had no error */
static bool sql(enum build build, const char *directory, const char *name,
		const char *text, const char *out)
{
	char command[256];
	int fd = create(directory, "script"), status;
	bool written;

	written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	snprintf(command, sizeof(command), "shell -batch -bail %s", name);
	status = run_from(build, command, directory, "script", out);
	if (!written || status)
		fprintf(stderr, "# %s: %.60s...: %d\n", names[build], text,
			status);
	return written && !status;
}

/* An empty database for the writer */
static bool make_database(enum build build, const char *directory,
			  const FIXTURE_VARIANT(sqlite) *variant,
			  const char *name)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "PRAGMA journal_mode = %s;\n"
		 "CREATE TABLE t(key TEXT PRIMARY KEY, value TEXT);\n",
		 variant->journal);
	return sql(build, directory, name, text, "said");
}

/* The writer, on database @name */
static void to_write(char *command, size_t size,
		     const FIXTURE_VARIANT(sqlite) *variant, const char *name,
		     const char *work)
{
	snprintf(command, size, "writer %s %s %s", name, variant->flags, work);
}

/* What the writer puts there */
static void print_rows(FILE *file, char prefix, unsigned int transactions)
{
	unsigned int number, nth, size;

	for (number = 0; number < transactions; number++)
		for (nth = 0; nth < VALUES; nth++) {
			size = nth == VALUES - 1 ?
				       LONGEST :
				       1 + (number * 37 + nth * 101) % 700;
			fprintf(file, "%c%06u.%u|", prefix, number, nth);
			while (size--)
				putc('a' + (number + nth) % 26, file);
			putc('\n', file);
		}
}

#define ALL "PRAGMA integrity_check;\nSELECT * FROM t ORDER BY key;\n"

/* Database @name has so many transactions of "a", and of "b", whoever looks. */
static bool has(const char *directory, const char *name, unsigned int a,
		unsigned int b)
{
	FILE *file = fopen(DIRECTORY "/expected", "w");
	int build;

	if (!file)
		return false;
	fputs("ok\n", file);
	print_rows(file, 'a', a);
	print_rows(file, 'b', b);
	if (fclose(file))
		return false;
	for (build = NATIVE; build < BUILDS; build++)
		if (!sql(build, directory, name, ALL, "all") ||
		    !same_text(directory, "all", DIRECTORY, "expected",
			       1 + VALUES * (a + b)))
			return false;
	return true;
}

/* ---- one process ---- */

/* Run it by both builds, each in its directory, and measure it. */
static bool run_both(FIXTURE_DATA(sqlite) *self, const char *command,
		     const char *out)
{
	uint64_t begun;
	int build, status;

	for (build = NATIVE; build < BUILDS; build++) {
		begun = now_ms();
		status = run(build, command, self->place.directory[build], out);
		self->place.ms[build] += now_ms() - begun;
		if (status)
			fprintf(stderr, "# %s %s: %d\n", names[build], command,
				status);
		if (status)
			return false;
	}
	return true;
}

static bool sql_both(FIXTURE_DATA(sqlite) *self, const char *name,
		     const char *text, long lines)
{
	uint64_t begun;
	int build;

	for (build = NATIVE; build < BUILDS; build++) {
		begun = now_ms();
		if (!sql(build, self->place.directory[build], name, text, "said"))
			return false;
		self->place.ms[build] += now_ms() - begun;
	}
	return same_text(self->place.directory[NATIVE], "said",
			 self->place.directory[WIN32], "said", lines);
}

static const char first[] =
	"CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, size REAL, data BLOB);\n"
	"CREATE INDEX by_size ON t(size, name);\n"
	"CREATE VIEW small AS SELECT id, name FROM t WHERE size < 100;\n"
	"CREATE TABLE log(what TEXT, id INTEGER REFERENCES t);\n"
	"CREATE TRIGGER added AFTER INSERT ON t\n"
	"BEGIN INSERT INTO log VALUES('added', new.id); END;\n"
	"BEGIN;\n"
	"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 400)\n"
	"INSERT INTO t SELECT x, 'name ' || (x * 7919 % 1009), x * 0.75,\n"
	"zeroblob(x % 300) FROM c;\n"
	"SAVEPOINT one;\n"
	"DELETE FROM t WHERE id % 3 = 0;\n"
	"ROLLBACK TO one;\n"
	"DELETE FROM t WHERE id % 5 = 0;\n"
	"COMMIT;\n"
	".clone clone\n"
	"CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, y0, y1);\n"
	"INSERT INTO boxes SELECT id, id, id + 5, size, size + 5 FROM t;\n"
	"BEGIN; DELETE FROM t; ROLLBACK;\n"
	"UPDATE t SET data = CAST(name || '\xc3\xa4\xe2\x82\xac' AS BLOB) WHERE id < 50;\n"
	"SELECT count(*), sum(size), sum(length(data)) FROM t;\n"
	"SELECT * FROM small ORDER BY name LIMIT 20;\n"
	"SELECT id, quote(data) FROM t WHERE id < 20;\n"
	"SELECT count(*) FROM boxes WHERE x0 > 100 AND y1 < 300;\n"
	"SELECT id, sum(size) OVER (ORDER BY id ROWS 2 PRECEDING) FROM t LIMIT 10;\n"
	"SELECT json_group_array(json_object('id', id)) FROM small WHERE id < 9;\n"
	".tables\n"
	".schema\n"
	".indexes\n"
	".mode csv\n"
	"SELECT * FROM log LIMIT 10;\n"
	".mode list\n"
	/* A sort that is too large for the cache, in files that have no name */
	"PRAGMA temp_store = 1; PRAGMA cache_size = 5; PRAGMA threads = 2;\n"
	"CREATE TEMP TABLE much AS\n"
	"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5000)\n"
	"SELECT x, hex(x * 7919 % 5003) AS h FROM c;\n"
	"SELECT h FROM much ORDER BY h LIMIT 5 OFFSET 4900;\n"
	"ATTACH 'second' AS second;\n"
	"CREATE TABLE second.u AS SELECT * FROM t;\n"
	"BEGIN;\n"
	"DELETE FROM second.u WHERE id > 200; DELETE FROM t WHERE id > 350;\n"
	"COMMIT;\n"
	"DETACH second;\n"
	"VACUUM INTO 'packed';\n"
	".backup backup\n"
	"DELETE FROM t WHERE id > 100; VACUUM;\n"
	"PRAGMA page_count; PRAGMA freelist_count;\n"
	"PRAGMA integrity_check;\n"
	".dump\n";

static const char again[] =
	"PRAGMA integrity_check;\n"
	".dump\n"
	".restore backup\n"
	"SELECT count(*), sum(size), sum(length(data)) FROM t;\n"
	".sha3sum\n"
	"PRAGMA integrity_check;\n";

static const char look[] = "PRAGMA integrity_check;\n.sha3sum\n.tables\n";

/* The name is one that is another in UTF-16. */
#define DATABASE "gr\xc3\xbcn.db"

/* Rules: FILE-62, MV-51 */
TEST_F(sqlite, shell)
{
	static const char *const left[] = { DATABASE, "second", "packed",
					    "backup", "clone" };
	char text[sizeof(first) + 256];
	unsigned int i;

	snprintf(text, sizeof(text),
		 "PRAGMA journal_mode = %s;\nPRAGMA mmap_size = %u;\n%s",
		 variant->journal, variant->mapped, first);
	EXPECT_TRUE(sql_both(self, DATABASE, text, 500));
	show_times(&self->place, "shell");
	/* By the other build */
	for (i = 0; i < ARRAY_SIZE(left); i++) {
		EXPECT_TRUE(sql(WIN32, self->place.directory[NATIVE], left[i], look,
				"look"));
		EXPECT_TRUE(sql(NATIVE, self->place.directory[WIN32], left[i], look,
				"look"));
		EXPECT_TRUE(same_text(self->place.directory[NATIVE], "look",
				      self->place.directory[WIN32], "look", 3));
	}
	snprintf(text, sizeof(text), "PRAGMA mmap_size = %u;\n%s",
		 variant->mapped, again);
	EXPECT_TRUE(sql_both(self, DATABASE, text, 100));
}

/* Rules: CM-22, FILE-55, MV-51 */
TEST_F(sqlite, speed)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "speedtest1 --size 1 --verify --threads 2 --journal %s --mmap %u speed.db",
		 variant->journal, variant->mapped);
	ASSERT_TRUE(run_both(self, command, "said"));
	show_times(&self->place, "speedtest1");
	EXPECT_TRUE(same_text(self->place.directory[NATIVE], "said",
			      self->place.directory[WIN32], "said", 30));
	EXPECT_TRUE(sql(WIN32, self->place.directory[NATIVE], "speed.db", look,
			"look"));
	EXPECT_TRUE(sql(NATIVE, self->place.directory[WIN32], "speed.db", look,
			"look"));
	EXPECT_TRUE(same_text(self->place.directory[NATIVE], "look",
			      self->place.directory[WIN32], "look", 3));
}

/* The builds in turn on one file */
TEST_F(sqlite, in_turn)
{
	const char *directory = self->place.directory[WIN32];
	char command[128];
	int build;

	for (build = NATIVE; build < BUILDS; build++) {
		remove_tree(DIRECTORY "/win32/db*");
		ASSERT_TRUE(make_database(build, directory, variant, "db"));
		to_write(command, sizeof(command), variant, "db", "fill a 20");
		EXPECT_EQ(0, run(build, command, directory, "said"));
		to_write(command, sizeof(command), variant, "db", "fill b 30");
		EXPECT_EQ(0, run(!build, command, directory, "said"));
		EXPECT_TRUE(has(directory, "db", 20, 30));
	}
}

/* ---- several processes ---- */

/*
 * Its own test for that, once, as it takes long: a process that starts others, which
 * tell it of errors by the database itself. It has time limits of its own, for machines
 * that are faster than one with a debug kernel: rounds has none there.
 */
TEST_F(sqlite, own_test)
{
	char command[2 * PATH_MAX];

	if (variant->disk || strcmp(variant->journal, "wal") ||
	    !rounds(sqlite_mptest))
		return;
	snprintf(command, sizeof(command),
		 "mptest db %s/mptest/multiwrite01.test --trace 0 --journalmode wal",
		 programs);
	EXPECT_TRUE(run_both(self, command, "said"));
	show_times(&self->place, "mptest");
	EXPECT_TRUE(same_text(self->place.directory[NATIVE], "said",
			      self->place.directory[WIN32], "said", 1));
}

/*
 * Two of a build, and one of each, on one file, and one with threads that reads it
 * meanwhile. In the log's index they see what the others write at once.
 *
 * Rules: FILE-60, FILE-61, FILE-62, MV-50, MV-51
 */
TEST_F(sqlite, two_writers)
{
	static const enum build who[][2] = { { NATIVE, NATIVE },
					     { WIN32, WIN32 },
					     { NATIVE, WIN32 } };
	char command[128], what[64];
	struct run a, b;
	uint64_t begun;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(who); i++) {
		const char *directory = self->place.directory[who[i][1]];

		remove_tree(DIRECTORY "/*/db*");
		ASSERT_TRUE(make_database(who[i][0], directory, variant, "db"));
		begun = now_ms();
		to_write(command, sizeof(command), variant, "db", "fill a 25");
		a = start(who[i][0], command, directory);
		to_write(command, sizeof(command), variant, "db", "fill b 25");
		b = start(who[i][1], command, directory);
		EXPECT_EQ(1, read_lines(&a, 1));
		to_write(command, sizeof(command), variant, "db", "read 4");
		EXPECT_EQ(0, run(who[i][1], command, directory, "said"));
		EXPECT_EQ(0, end(&a));
		EXPECT_EQ(0, end(&b));
		begun = now_ms() - begun;
		snprintf(what, sizeof(what), "two writers, %s and %s",
			 names[who[i][0]], names[who[i][1]]);
		printf("# %s: %llu ms\n", what, (unsigned long long)begun);
		EXPECT_TRUE(has(directory, "db", 25, 25));
	}
}

/*
 * One makes the file short that another one looks at, and has mapped: that may be
 * refused, but nobody gets wrong answers, or a signal.
 *
 * Rules: CM-32, CM-33, MV-51
 */
TEST_F(sqlite, shrinks)
{
	const char *directory = self->place.directory[WIN32];
	char command[128];
	struct run watcher;
	int build, other;

	for (build = NATIVE; build < BUILDS; build++)
		for (other = !build; other < BUILDS; other++) {
			remove_tree(DIRECTORY "/win32/db*");
			ASSERT_TRUE(make_database(build, directory, variant,
						  "db"));
			to_write(command, sizeof(command), variant, "db",
				 "fill a 20");
			EXPECT_EQ(0, run(build, command, directory, "said"));
			to_write(command, sizeof(command), variant, "db",
				 "watch 0");
			watcher = start(build, command, directory);
			EXPECT_EQ(1, read_lines(&watcher, 1));
			EXPECT_TRUE(sql(other, directory, "db",
					".timeout 60000\n"
					"DELETE FROM t WHERE key > 'a000003';\n"
					"VACUUM;\n"
					"PRAGMA wal_checkpoint(TRUNCATE);\n"
					"DELETE FROM t;\n"
					"VACUUM;\n"
					"PRAGMA integrity_check;\n",
					"said"));
			EXPECT_LE(1, read_lines(&watcher, -1));
			EXPECT_EQ(0, end(&watcher));
			EXPECT_TRUE(has(directory, "db", 0, 0));
		}
}

/* ---- processes that are killed ---- */

/* Transactions whose rows are there, as a build finds them */
static long count_in(enum build build, const char *directory, const char *name)
{
	long n = -1;
	FILE *file;

	if (!sql(build, directory, name, "SELECT count(*) FROM t;\n", "count"))
		return -1;
	file = open_text(directory, "count");
	if (!file || fscanf(file, "%ld", &n) != 1)
		n = -1;
	if (file)
		fclose(file);
	return n % VALUES ? -1 : n / VALUES;
}

/*
 * In the middle of what they do, wherever that is: what they told is there. It is
 * the same build that finds out, or the other one.
 *
 * Rules: FILE-22, FILE-66
 */
TEST_F(sqlite, killed)
{
	long n = rounds(sqlite_kills), i, told, there;
	const char *directory;
	char command[128];
	struct run run;
	int build;

	for (i = 0; i < n; i++) {
		/* Mostly the one that is here to be tested */
		build = i % 4 == 3 ? NATIVE : WIN32;
		directory = self->place.directory[build];
		remove_tree(DIRECTORY "/*/db*");
		ASSERT_TRUE(make_database(build, directory, variant, "db"));
		to_write(command, sizeof(command), variant, "db",
			 "fill a 1000000");
		run = start(build, command, directory);
		told = read_lines(&run, 3 + 7 * i % 23);
		sleep_ms(i * 5 % 17);
		kill(run.pid, SIGKILL);
		told += read_lines(&run, -1);
		EXPECT_EQ(-SIGKILL, end_by_signal(&run));

		there = count_in(i & 1 ? !build : build, directory, "db");
		/* The last one may be done and not yet told. */
		EXPECT_LE(told, there);
		EXPECT_GE(told + 1, there);
		/* And it goes on. */
		to_write(command, sizeof(command), variant, "db", "fill b 5");
		EXPECT_EQ(0, run_from(build, command, directory, NULL, "said"));
		EXPECT_TRUE(has(directory, "db", there, 5));
	}
}

static off_t size_of(const char *directory, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return stat(path, &st) ? -1 : st.st_size;
}

/* Half of a transaction in the file, or in the log, is undone by the other build. */
TEST_F(sqlite, left_by_the_other)
{
	const char *left = strcmp(variant->journal, "wal") ? "db-journal" :
							     "db-wal";
	struct run holder;
	char command[128];
	int build;

	for (build = NATIVE; build < BUILDS; build++) {
		const char *directory = self->place.directory[build];

		ASSERT_TRUE(make_database(build, directory, variant, "db"));
		to_write(command, sizeof(command), variant, "db", "fill a 10");
		EXPECT_EQ(0, run(build, command, directory, "said"));
		to_write(command, sizeof(command), variant, "db", "hold x");
		holder = start(build, command, directory);
		EXPECT_EQ(1, read_lines(&holder, 1));
		EXPECT_EQ(-SIGKILL, end_by_signal(&holder));
		EXPECT_LT(0, size_of(directory, left));
		EXPECT_EQ(10, count_in(!build, directory, "db"));
		EXPECT_GE(0, size_of(directory, left));
		to_write(command, sizeof(command), variant, "db", "fill b 5");
		EXPECT_EQ(0, run(build, command, directory, "said"));
		EXPECT_TRUE(has(directory, "db", 10, 5));
	}
}

/*
 * Who waits for the lock of one that is killed gets it, and nothing of what it did,
 * whichever builds they are.
 *
 * Rules: FILE-60, FILE-66
 */
TEST_F(sqlite, killed_beside_another)
{
	struct run holder, waiter;
	char command[128];
	int build, other;

	for (build = NATIVE; build < BUILDS; build++)
		for (other = !build; other < BUILDS; other++) {
			const char *directory = self->place.directory[build];

			remove_tree(DIRECTORY "/*/db*");
			ASSERT_TRUE(make_database(build, directory, variant,
						  "db"));
			to_write(command, sizeof(command), variant, "db",
				 "fill a 10");
			EXPECT_EQ(0, run(build, command, directory, "said"));
			to_write(command, sizeof(command), variant, "db",
				 "hold x");
			holder = start(build, command, directory);
			EXPECT_EQ(1, read_lines(&holder, 1));
			to_write(command, sizeof(command), variant, "db",
				 "fill b 10");
			waiter = start(other, command, directory);
			sleep_ms(300);
			EXPECT_EQ(0, waitpid(waiter.pid, NULL, WNOHANG));
			EXPECT_EQ(-SIGKILL, end_by_signal(&holder));
			EXPECT_EQ(10, read_lines(&waiter, 10));
			EXPECT_EQ(0, end(&waiter));
			EXPECT_TRUE(has(directory, "db", 10, 10));
		}
}

TEST_HARNESS_MAIN
