// SPDX-License-Identifier: GPL-2.0
/*
 * Work for a database, to be done by several processes at once, or killed in:
 *
 *	writer DATABASE FLAGS fill PREFIX COUNT	so many transactions
 *	writer DATABASE FLAGS hold PREFIX	one that has no end
 *	writer DATABASE FLAGS watch COUNT	until there are so many rows
 *	writer DATABASE FLAGS read COUNT	in so many threads at once
 *
 * The database has a table t(key, value). FLAGS are letters: "m" maps its file, "n"
 * does not wait for the disk. What is committed is told to standard output, a line for
 * each transaction; "hold" when what it has changed is in the file, too, not to stay
 * there; "watch" how many rows there are, whenever that changes. The keys of a
 * transaction, and their values, depend on PREFIX and its number alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#define BUSY_MS 120000
#define MAX_THREADS 8
/* The last value is longer than a page. */
#define VALUES 6
#define LONGEST 5000
/* Of "hold": more than the cache has */
#define HELD 20

static const char *database, *flags;

static void check(sqlite3 *db, int error, const char *what)
{
	if (error == SQLITE_OK || error == SQLITE_DONE || error == SQLITE_ROW)
		return;
	fprintf(stderr, "%s: error %d, %s, system error %d\n", what,
		sqlite3_extended_errcode(db), sqlite3_errmsg(db),
		sqlite3_system_errno(db));
	exit(EXIT_FAILURE);
}

static void run(sqlite3 *db, const char *sql)
{
	check(db, sqlite3_exec(db, sql, NULL, NULL, NULL), sql);
}

/* A file that it cannot map it reads and writes, and says so here only. */
static void complain(void *unused, int error, const char *text)
{
	if (error != SQLITE_IOERR_MMAP)
		return;
	fprintf(stderr, "%s\n", text);
	_exit(EXIT_FAILURE);
}

static sqlite3 *open_database(void)
{
	sqlite3 *db;

	check(NULL, sqlite3_open(database, &db), "open");
	check(db, sqlite3_busy_timeout(db, BUSY_MS), "busy_timeout");
	/* So that much goes from the log into the file */
	run(db, "PRAGMA wal_autocheckpoint = 50");
	if (strchr(flags, 'm'))
		run(db, "PRAGMA mmap_size = 0x4000000");
	if (strchr(flags, 'n'))
		run(db, "PRAGMA synchronous = OFF");

	return db;
}

static void put(sqlite3 *db, sqlite3_stmt *insert, const char *prefix,
		unsigned int number, unsigned int nth)
{
	static char data[LONGEST];
	unsigned int size = nth == VALUES - 1 ?
				    LONGEST :
				    1 + (number * 37 + nth * 101) % 700;
	char name[64];

	snprintf(name, sizeof(name), "%s%06u.%u", prefix, number, nth);
	memset(data, 'a' + (number + nth) % 26, size);
	sqlite3_bind_text(insert, 1, name, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(insert, 2, data, size, SQLITE_TRANSIENT);
	check(db, sqlite3_step(insert), "insert");
	check(db, sqlite3_reset(insert), "insert");
}

static void change(sqlite3 *db, const char *prefix, unsigned int number)
{
	sqlite3_stmt *insert;
	unsigned int nth;

	check(db,
	      sqlite3_prepare_v2(db, "INSERT INTO t VALUES(?, ?)", -1, &insert,
				 NULL),
	      "prepare");
	for (nth = 0; nth < VALUES; nth++)
		put(db, insert, prefix, number, nth);
	check(db, sqlite3_finalize(insert), "insert");
}

static void fill(sqlite3 *db, const char *prefix, unsigned int count)
{
	unsigned int number;

	for (number = 0; number < count; number++) {
		run(db, "BEGIN IMMEDIATE");
		change(db, prefix, number);
		run(db, "COMMIT");
		printf("%u\n", number);
		fflush(stdout);
	}
}

/* With a cache of few pages the file, or the log, has the others already. */
static void hold(sqlite3 *db, const char *prefix)
{
	unsigned int number;

	run(db, "PRAGMA cache_size = 10");
	run(db, "BEGIN IMMEDIATE");
	run(db, "UPDATE t SET value = 'held'");
	for (number = 0; number < HELD; number++)
		change(db, prefix, number);
	puts("begun");
	fflush(stdout);
	for (;;)
		pause();
}

/* Rows, each of which is read */
static long count_rows(sqlite3 *db)
{
	sqlite3_stmt *count;
	long n = 0;

	check(db,
	      sqlite3_prepare_v2(db, "SELECT key, value FROM t", -1, &count,
				 NULL),
	      "prepare");
	while (sqlite3_step(count) == SQLITE_ROW)
		n += sqlite3_column_bytes(count, 0) &&
		     sqlite3_column_bytes(count, 1);
	check(db, sqlite3_finalize(count), "select");

	return n;
}

static void watch(sqlite3 *db, long until)
{
	long n, before = -1;

	do {
		n = count_rows(db);
		if (n != before) {
			printf("%ld\n", n);
			fflush(stdout);
		}
		before = n;
		sqlite3_sleep(10);
	} while (n != until);
}

/* Each with the database open for itself */
static void read_all(void)
{
	sqlite3 *db = open_database();

	count_rows(db);
	check(db, sqlite3_close(db), "close");
}

#ifdef _WIN32
#include <windows.h>

#define THREAD HANDLE

static DWORD WINAPI reader(LPVOID unused)
{
	read_all();
	return 0;
}

static void begin(THREAD *thread)
{
	*thread = CreateThread(NULL, 0, reader, NULL, 0, NULL);
	if (!*thread)
		exit(EXIT_FAILURE);
}

static void wait_for(THREAD thread)
{
	if (WaitForSingleObject(thread, INFINITE) != WAIT_OBJECT_0)
		exit(EXIT_FAILURE);
	CloseHandle(thread);
}
#else
#include <pthread.h>

#define THREAD pthread_t

static void *reader(void *unused)
{
	read_all();
	return NULL;
}

static void begin(THREAD *thread)
{
	if (pthread_create(thread, NULL, reader, NULL))
		exit(EXIT_FAILURE);
}

static void wait_for(THREAD thread)
{
	if (pthread_join(thread, NULL))
		exit(EXIT_FAILURE);
}
#endif

static void read_at_once(int count)
{
	THREAD threads[MAX_THREADS];
	int i;

	if (count > MAX_THREADS)
		count = MAX_THREADS;
	for (i = 0; i < count; i++)
		begin(&threads[i]);
	for (i = 0; i < count; i++)
		wait_for(threads[i]);
}

static int usage(void)
{
	fprintf(stderr, "how to call it is in its source\n");
	return 2;
}

int main(int argc, char **argv)
{
	sqlite3 *db;

	if (argc < 5)
		return usage();

	database = argv[1];
	flags = argv[2];
	check(NULL, sqlite3_config(SQLITE_CONFIG_LOG, complain, NULL), "log");
	db = open_database();
	if (!strcmp(argv[3], "fill") && argc == 6)
		fill(db, argv[4], atoi(argv[5]));
	else if (!strcmp(argv[3], "hold"))
		hold(db, argv[4]);
	else if (!strcmp(argv[3], "watch"))
		watch(db, atol(argv[4]));
	else if (!strcmp(argv[3], "read"))
		read_at_once(atoi(argv[4]));
	else
		return usage();
	check(db, sqlite3_close(db), "close");

	return 0;
}
