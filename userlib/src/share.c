// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Share modes: who uses a file for what, and what it denies others
 *
 * Each user of the library holds locks on bytes far beyond the end of the file:
 * one for each use, and one for each use that it denies. They belong to its open
 * file description, so they are gone with its last descriptor, however the
 * process ends, and are passed on with an inherited one. Where that is not meant,
 * they are given up before: a child of vfork() has all descriptors for a moment.
 *
 * A read lock needs a descriptor for reading. One for writing only takes a write
 * lock, on a byte that it has to find; so each mark is a range of bytes.
 *
 * A lock cannot be taken on the condition that others have none elsewhere. So a
 * user marks what it wants, then looks at the marks of others, and takes its own
 * back if they are against it. Two at a time would both find the other, where
 * one of them has to win: for as long as a user looks it has a mark that says
 * so, and who is refused while somebody looks tries again after a random time.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "file.h"

/* The marks, by number: uses, denials, and this one */
#define DENIES_SHIFT 3
#define LOOKING 6
#define NR_MARKS 7

/* The bytes of a mark; the first is for read locks */
#define MARK_BYTES 0x100000

/* How often to try again, and the longest time to wait before the first ones */
#define MAX_ROUNDS 200
#define FIRST_WAIT_NS 20000
#define MAX_DOUBLINGS 7

static off_t mark_start(int mark)
{
	return WR_SHARE_AREA + (off_t)mark * MARK_BYTES;
}

static int lock_bytes(int fd, int cmd, struct flock *lock)
{
	lock->l_whence = SEEK_SET;
	lock->l_pid = 0;

	return fcntl(fd, cmd, lock) ? -errno : 0;
}

/* Any number that others do not come upon at the same time */
static unsigned int random_number(void)
{
	static unsigned int calls;
	struct timespec now;
	uint64_t number;

	clock_gettime(CLOCK_MONOTONIC, &now);
	number = now.tv_nsec ^ (uint64_t)gettid() << 32;
	number += __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
	number *= 0x9E3779B97F4A7C15;

	return number >> 32;
}

static int set_read_mark(int fd, int mark)
{
	struct flock lock = {
		.l_type = F_RDLCK,
		.l_start = mark_start(mark),
		.l_len = 1,
	};

	return lock_bytes(fd, F_OFD_SETLK, &lock);
}

static int set_write_mark(int fd, int mark)
{
	struct flock lock = { .l_type = F_WRLCK, .l_len = 1 };
	int i, err = -EAGAIN;

	for (i = 0; i < MAX_ROUNDS && err == -EAGAIN; i++) {
		lock.l_start = mark_start(mark) + 1 +
			       random_number() % (MARK_BYTES - 1);
		err = lock_bytes(fd, F_OFD_SETLK, &lock);
	}

	return err;
}

static int set_mark(int fd, int mark)
{
	int mode = fcntl(fd, F_GETFL) & O_ACCMODE;

	return mode == O_WRONLY ? set_write_mark(fd, mark) :
				  set_read_mark(fd, mark);
}

static void clear_mark(int fd, int mark)
{
	struct flock lock = {
		.l_type = F_UNLCK,
		.l_start = mark_start(mark),
		.l_len = MARK_BYTES,
	};

	lock_bytes(fd, F_OFD_SETLK, &lock);
}

/* Does another user have this mark? */
static bool others_have(int fd, int mark)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_start = mark_start(mark),
		.l_len = MARK_BYTES,
	};

	return !lock_bytes(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

static bool others_have_any(int fd, unsigned int marks)
{
	int i;

	for (i = 0; i < NR_MARKS; i++)
		if (marks & (1U << i) && others_have(fd, i))
			return true;

	return false;
}

/* The mark of looking first: it is there whenever the rest may go again. */
static int set_marks(int fd, unsigned int marks)
{
	int i, err = set_mark(fd, LOOKING);

	for (i = 0; i < NR_MARKS && !err; i++)
		if (marks & (1U << i))
			err = set_mark(fd, i);

	return err;
}

/* And last */
static void clear_marks(int fd, unsigned int marks)
{
	int i;

	for (i = 0; i < NR_MARKS; i++)
		if (marks & (1U << i))
			clear_mark(fd, i);
	clear_mark(fd, LOOKING);
}

static void wait_randomly(int round)
{
	int doublings = round < MAX_DOUBLINGS ? round : MAX_DOUBLINGS;
	struct timespec time = {
		.tv_nsec = random_number() % (FIRST_WAIT_NS << doublings),
	};

	nanosleep(&time, NULL);
}

/*
 * Once: 0; -ETXTBSY if others are against it who will not just go away, and
 * -EAGAIN if they may.
 */
static int try_share(int fd, unsigned int against)
{
	bool looking;

	if (!others_have_any(fd, against))
		return 0;

	looking = others_have(fd, LOOKING);
	/* Who was looking may have been refused, too, and be gone. */
	if (!looking && others_have_any(fd, against))
		looking = others_have(fd, LOOKING);
	else
		looking = true;

	return looking ? -EAGAIN : -ETXTBSY;
}

/* A lock over the whole file of a program that knows nothing of this denies all. */
static int share_error(int err)
{
	switch (err) {
	case 0:
	case -ETXTBSY:
		return err;
	case -EAGAIN:
	case -EACCES:
		return -ETXTBSY;
	default:
		/* This file system has no such locks, so nobody has marks. */
		return 0;
	}
}

int wr_share(int fd, unsigned int uses, unsigned int denies)
{
	unsigned int mine = uses | denies << DENIES_SHIFT;
	unsigned int against = denies | uses << DENIES_SHIFT;
	int round, err = -EAGAIN;

	for (round = 0; round < MAX_ROUNDS; round++) {
		err = set_marks(fd, mine);
		if (err)
			break;
		err = try_share(fd, against);
		if (!err) {
			clear_mark(fd, LOOKING);
			return 0;
		}
		if (err != -EAGAIN)
			break;
		clear_marks(fd, mine);
		wait_randomly(round);
	}

	clear_marks(fd, mine);

	return share_error(err);
}

void wr_unshare(int fd, unsigned int uses)
{
	int i;

	for (i = 0; i < DENIES_SHIFT; i++)
		if (uses & (1U << i))
			clear_mark(fd, i);
}

void wr_share_end(int fd)
{
	struct flock all = { .l_type = F_UNLCK };

	lock_bytes(fd, F_OFD_SETLK, &all);
	wr_close(fd);
}

/*
 * Of a regular file or a directory nobody is sent a signal, whatever it is. The number is
 * the open file's, not the descriptor's.
 */
#define COPIED SIGURG

void wr_share_copied(int fd)
{
	fcntl(fd, F_SETSIG, COPIED);
}

bool wr_share_is_copied(int fd)
{
	return fcntl(fd, F_GETSIG) == COPIED;
}

int wr_share_name(const struct wr_path *path)
{
	const int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	struct stat st;
	int fd, err;

	if (lstat(path->name, &st) ||
	    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return -ENOENT;
	fd = open(path->name, O_RDONLY | flags);
	if (fd < 0)
		fd = open(path->name, O_WRONLY | flags);
	if (fd < 0)
		return wr_lacks_something(errno) ? -errno : -ENOENT;

	err = wr_share(fd, WR_DELETES, 0);
	if (err) {
		wr_share_end(fd);
		return err;
	}

	return fd;
}
