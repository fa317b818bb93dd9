// SPDX-License-Identifier: GPL-2.0
/*
 * Work for a database, to be done by several processes at once, or killed in:
 *
 *	writer DATABASE FLAGS fill PREFIX COUNT	so many transactions
 *	writer DATABASE FLAGS hold PREFIX	one that has no end
 *	writer DATABASE FLAGS read COUNT	so many threads, one after the other
 *
 * FLAGS are letters: "w" writes by the view, "n" does not wait for the disk, and "g"
 * lets the database grow by and by, which only one process can do. What is committed
 * is told to standard output, a line for each transaction; "hold" when it has begun.
 * The keys of a transaction, and their values, depend on PREFIX and its number alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lmdb.h>

#define MAP_SIZE 0x1000000
/* Of one that grows: at first, and more after some transactions */
#define GROWTH 0x100000
#define GROWS_AFTER 10
/* The last value is longer than a page. */
#define VALUES 6
#define LONGEST 5000

static MDB_env *env;
static MDB_dbi dbi;
static size_t map_size = MAP_SIZE;
static int grows;

static void check(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "%s: error %d\n", what, error);
	exit(EXIT_FAILURE);
}

static unsigned int flags_of(const char *letters)
{
	unsigned int flags = 0;

	if (strchr(letters, 'w'))
		flags |= MDB_WRITEMAP;
	if (strchr(letters, 'n'))
		flags |= MDB_NOSYNC;

	return flags;
}

static void open_env(const char *database, const char *letters)
{
	grows = !!strchr(letters, 'g');
	if (grows)
		map_size = GROWTH;
	check(mdb_env_create(&env), "create");
	check(mdb_env_set_mapsize(env, map_size), "mapsize");
	/* The main thread, and one */
	check(mdb_env_set_maxreaders(env, 2), "maxreaders");
	check(mdb_env_open(env, database, flags_of(letters), 0644), "open");
}

static void put(MDB_txn *txn, const char *prefix, unsigned int number,
		unsigned int nth)
{
	static char data[LONGEST];
	char name[64];
	MDB_val key, value;

	key.mv_size = snprintf(name, sizeof(name), "%s%06u.%u", prefix, number,
			       nth);
	key.mv_data = name;
	value.mv_size = nth == VALUES - 1 ? LONGEST :
					    1 + (number * 37 + nth * 101) % 700;
	value.mv_data = data;
	memset(data, 'a' + (number + nth) % 26, value.mv_size);
	check(mdb_put(txn, dbi, &key, &value, 0), "put");
}

static void change(MDB_txn *txn, const char *prefix, unsigned int number)
{
	unsigned int nth;

	check(mdb_dbi_open(txn, NULL, 0, &dbi), "dbi_open");
	for (nth = 0; nth < VALUES; nth++)
		put(txn, prefix, number, nth);
}

static void fill(const char *prefix, unsigned int count)
{
	unsigned int number;
	MDB_txn *txn;

	for (number = 0; number < count; number++) {
		if (grows && number % GROWS_AFTER == GROWS_AFTER - 1)
			check(mdb_env_set_mapsize(env, map_size += GROWTH),
			      "mapsize");
		check(mdb_txn_begin(env, NULL, 0, &txn), "begin");
		change(txn, prefix, number);
		check(mdb_txn_commit(txn), "commit");
		printf("%u\n", number);
		fflush(stdout);
	}
}

static void hold(const char *prefix)
{
	MDB_txn *txn;

	check(mdb_txn_begin(env, NULL, 0, &txn), "begin");
	change(txn, prefix, 0);
	puts("begun");
	fflush(stdout);
	for (;;)
		pause();
}

/* Whoever reads has a place in the table of readers, until its thread ends. */
static void read_all(void)
{
	MDB_val key, value;
	MDB_cursor *cursor;
	MDB_txn *txn;
	int error;

	check(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), "begin");
	check(mdb_dbi_open(txn, NULL, 0, &dbi), "dbi_open");
	check(mdb_cursor_open(txn, dbi, &cursor), "cursor_open");
	while (!(error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)))
		;
	if (error != MDB_NOTFOUND)
		check(error, "cursor_get");
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
}

#ifdef _WIN32
#include <windows.h>

static DWORD WINAPI reader(LPVOID unused)
{
	read_all();
	return 0;
}

static void run_reader(void)
{
	HANDLE thread = CreateThread(NULL, 0, reader, NULL, 0, NULL);

	if (!thread || WaitForSingleObject(thread, INFINITE) != WAIT_OBJECT_0)
		exit(EXIT_FAILURE);
	CloseHandle(thread);
}
#else
#include <pthread.h>

static void *reader(void *unused)
{
	read_all();
	return NULL;
}

static void run_reader(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, reader, NULL) ||
	    pthread_join(thread, NULL))
		exit(EXIT_FAILURE);
}
#endif

static int usage(void)
{
	fprintf(stderr, "how to call it is in its source\n");
	return 2;
}

int main(int argc, char **argv)
{
	int i;

	if (argc < 5)
		return usage();

	open_env(argv[1], argv[2]);
	if (!strcmp(argv[3], "fill") && argc == 6)
		fill(argv[4], atoi(argv[5]));
	else if (!strcmp(argv[3], "hold"))
		hold(argv[4]);
	else if (!strcmp(argv[3], "read"))
		for (i = 0; i < atoi(argv[4]); i++)
			run_reader();
	else
		return usage();
	mdb_env_close(env);

	return 0;
}
