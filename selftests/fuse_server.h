/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file system of a process's own, by /dev/fuse: a root with a few files in it,
 * whose server does as it is told while it serves: is late, lies, fails, or dies.
 *
 * Include it after kselftest_harness.h, common.h and wr_test_util.h.
 */
#ifndef _SELFTESTS_FUSE_SERVER_H
#define _SELFTESTS_FUSE_SERVER_H

#include <linux/fuse.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define FUSE_FILES 2
#ifndef FUSE_BYTES
#define FUSE_BYTES KIB(64)
#endif
#define FUSE_HANDLES 64
#define FUSE_ROOT 1
#define FUSE_FIRST_FILE 2 /* its node; its name is "0" */
#define FUSE_MESSAGE (FUSE_MIN_READ_BUFFER + MIB(1))
#define FUSE_MOST_HELD 64

/* Of later kernels' headers */
#define FUSE_BIT_INIT_EXT 0x40000000U
#define FUSE_BIT_PASSTHROUGH 0x2000000000ULL
#define FUSE_OPENED_PASSTHROUGH 0x80
#define FUSE_IOC_BACKING_OPEN _IOW(229, 1, struct fuse_backing)

struct fuse_backing {
	int32_t fd;
	uint32_t flags;
	uint64_t padding;
};

/**
 * struct fuse_file - a file as its server has it, and how it serves it
 * @size: what it says that the size is
 * @readable: bytes that reads give
 * @open_flags: FOPEN_*
 * @refused: error that opens get, or 0
 * @bad: a page that cannot be read, or -1
 * @bad_write: a page that cannot be written, or -1
 * @data: its bytes
 */
struct fuse_file {
	volatile uint64_t size;
	volatile uint64_t readable;
	volatile uint32_t open_flags;
	volatile int refused;
	volatile int bad;
	volatile int bad_write;
	char data[FUSE_BYTES];
};

/**
 * struct fuse_shared - what the server and who tells it what to do both see
 * @file: the files
 * @hold: requests of this kind are kept, and answered once it is 0
 * @held: how many have been
 * @interruptible: what is kept is answered when its process is interrupted
 * @deaf: no requests are to be taken
 * @is_deaf: none are
 * @notify: a node whose pages are to be forgotten; 0 once that is done
 * @notified: what the kernel said to it, an errno or 0
 * @backing: set before the start: a file that shows itself, by passthrough, or -1
 * @backing_error: errno if the kernel does not want it
 * @handles: opened so far; the numbers are handles
 * @modes: of each
 * @opened: that wanted to write
 * @writes: requests to write
 * @wrong_writes: those by handles that are for reading only
 * @wants_flush: set before the start: it is told of each close
 * @flushes: those
 */
struct fuse_shared {
	struct fuse_file file[FUSE_FILES];
	volatile uint32_t hold;
	volatile int held;
	volatile bool interruptible;
	volatile bool deaf;
	volatile bool is_deaf;
	volatile uint64_t notify;
	volatile int notified;
	int backing;
	volatile int backing_error;
	int handles;
	uint32_t modes[FUSE_HANDLES];
	volatile int opened;
	volatile int writes;
	volatile int wrong_writes;
	bool wants_flush;
	volatile int flushes;
};

struct fuse_server {
	pid_t pid;
	struct fuse_shared *shared;
	const char *where;
};

/* What only the server's process has */
struct fuse_serving {
	int dev;
	struct fuse_shared *shared;
	struct fuse_in_header *held[FUSE_MOST_HELD];
	char buffer[FUSE_MESSAGE];
	char reply[FUSE_MESSAGE];
};

static inline void fuse_answer(struct fuse_serving *serving, uint64_t unique,
			       int error, size_t size)
{
	struct fuse_out_header *out = (void *)serving->reply;

	out->len = sizeof(*out) + (error ? 0 : size);
	out->error = error;
	out->unique = unique;
	/* Whose process has been killed has nobody who wants it any more. */
	(void)!write(serving->dev, out, out->len);
}

static inline void *fuse_reply(struct fuse_serving *serving, size_t size)
{
	void *reply = serving->reply + sizeof(struct fuse_out_header);

	memset(reply, 0, size);
	return reply;
}

static inline struct fuse_file *fuse_node(struct fuse_shared *shared,
					  uint64_t node)
{
	if (node < FUSE_FIRST_FILE || node >= FUSE_FIRST_FILE + FUSE_FILES)
		return NULL;
	return &shared->file[node - FUSE_FIRST_FILE];
}

static inline void fuse_attr(struct fuse_shared *shared, uint64_t node,
			     struct fuse_attr *attr)
{
	struct fuse_file *file = fuse_node(shared, node);

	attr->ino = node;
	attr->mode = file ? S_IFREG | 0644 : S_IFDIR | 0755;
	attr->nlink = 1;
	attr->size = file ? file->size : 0;
	attr->blksize = 4096;
}

static inline void fuse_init_kernel(struct fuse_serving *serving,
				    struct fuse_in_header *in)
{
	struct fuse_init_in *init = (void *)(in + 1);
	struct fuse_init_out *out = fuse_reply(serving, sizeof(*out));
	uint32_t *words = (void *)out;

	out->major = FUSE_KERNEL_VERSION;
	out->minor = 40; /* newer than this header may be */
	out->max_readahead = init->max_readahead;
	out->max_write = KIB(128);
	out->flags = init->flags & (FUSE_BIG_WRITES | FUSE_MAX_PAGES |
				    FUSE_ASYNC_READ | FUSE_BIT_INIT_EXT);
	out->max_pages = 32;
	out->max_background = 16;
	out->congestion_threshold = 12;
	if (serving->shared->backing >= 0) {
		words[8] = FUSE_BIT_PASSTHROUGH >> 32;	/* flags2 */
		words[9] = 1;				/* max_stack_depth */
	}
	fuse_answer(serving, in->unique, 0, sizeof(*out));
}

static inline void fuse_lookup(struct fuse_serving *serving,
			       struct fuse_in_header *in)
{
	const char *name = (void *)(in + 1);
	struct fuse_entry_out *out = fuse_reply(serving, sizeof(*out));

	out->nodeid = FUSE_FIRST_FILE + name[0] - '0';
	out->entry_valid = 1000;
	fuse_attr(serving->shared, out->nodeid, &out->attr);
	fuse_answer(serving, in->unique,
		    name[1] || !fuse_node(serving->shared, out->nodeid) ?
		    -ENOENT : 0, sizeof(*out));
}

/* Attributes are asked for each time, so that they can change. */
static inline void fuse_getattr(struct fuse_serving *serving,
				struct fuse_in_header *in)
{
	struct fuse_attr_out *out = fuse_reply(serving, sizeof(*out));

	fuse_attr(serving->shared, in->nodeid, &out->attr);
	fuse_answer(serving, in->unique, 0, sizeof(*out));
}

static inline void fuse_setattr(struct fuse_serving *serving,
				struct fuse_in_header *in)
{
	struct fuse_setattr_in *set = (void *)(in + 1);
	struct fuse_file *file = fuse_node(serving->shared, in->nodeid);

	if (file && set->valid & FATTR_SIZE && set->size <= FUSE_BYTES) {
		file->size = set->size;
		file->readable = set->size;
	}
	fuse_getattr(serving, in);
}

/* The number of the file that is shown instead, or 0 */
static inline int fuse_backing_id(struct fuse_serving *serving)
{
	struct fuse_backing backing = { .fd = serving->shared->backing };
	static int id; /* that of the first open */

	if (backing.fd < 0 || id > 0)
		return id > 0 ? id : 0;
	id = ioctl(serving->dev, FUSE_IOC_BACKING_OPEN, &backing);
	serving->shared->backing_error = id < 0 ? errno : 0;
	return id < 0 ? 0 : id;
}

static inline void fuse_open(struct fuse_serving *serving,
			     struct fuse_in_header *in)
{
	struct fuse_open_in *open = (void *)(in + 1);
	struct fuse_open_out *out = fuse_reply(serving, sizeof(*out));
	struct fuse_shared *shared = serving->shared;
	struct fuse_file *file = fuse_node(shared, in->nodeid);

	out->fh = shared->handles;
	if (shared->handles < FUSE_HANDLES)
		shared->modes[shared->handles] = open->flags & O_ACCMODE;
	shared->handles++;
	shared->opened += (open->flags & O_ACCMODE) != O_RDONLY;
	out->open_flags = file->open_flags;
	if (out->open_flags & FUSE_OPENED_PASSTHROUGH)
		out->padding = fuse_backing_id(serving); /* backing_id */
	fuse_answer(serving, in->unique, -file->refused, sizeof(*out));
}

static inline void fuse_read(struct fuse_serving *serving,
			     struct fuse_in_header *in)
{
	struct fuse_read_in *read = (void *)(in + 1);
	struct fuse_file *file = fuse_node(serving->shared, in->nodeid);
	uint64_t end = read->offset + read->size;
	char *reply = serving->reply + sizeof(struct fuse_out_header);

	if (file->bad >= 0 && read->offset < PAGES(file->bad + 1) &&
	    end > PAGES(file->bad)) {
		fuse_answer(serving, in->unique, -EIO, 0);
		return;
	}
	if (end > file->readable)
		end = file->readable;
	if (end < read->offset)
		end = read->offset;
	memcpy(reply, file->data + read->offset, end - read->offset);
	fuse_answer(serving, in->unique, 0, end - read->offset);
}

static inline void fuse_write(struct fuse_serving *serving,
			      struct fuse_in_header *in)
{
	struct fuse_write_in *write = (void *)(in + 1);
	struct fuse_write_out *out = fuse_reply(serving, sizeof(*out));
	struct fuse_shared *shared = serving->shared;
	struct fuse_file *file = fuse_node(shared, in->nodeid);
	uint64_t end = write->offset + write->size;

	shared->writes++;
	if (write->fh >= FUSE_HANDLES || shared->modes[write->fh] == O_RDONLY)
		shared->wrong_writes++;
	if (file->bad_write >= 0 && write->offset < PAGES(file->bad_write + 1) &&
	    end > PAGES(file->bad_write)) {
		fuse_answer(serving, in->unique, -EIO, 0);
		return;
	}
	if (end <= FUSE_BYTES)
		memcpy(file->data + write->offset, write + 1, write->size);
	out->size = write->size;
	fuse_answer(serving, in->unique, 0, sizeof(*out));
}

static inline void fuse_flush(struct fuse_serving *serving,
			      struct fuse_in_header *in)
{
	struct fuse_shared *shared = serving->shared;

	if (shared->wants_flush)
		shared->flushes++;
	fuse_answer(serving, in->unique, shared->wants_flush ? 0 : -ENOSYS, 0);
}

static inline void fuse_statfs(struct fuse_serving *serving,
			       struct fuse_in_header *in)
{
	struct fuse_statfs_out *out = fuse_reply(serving, sizeof(*out));

	out->st.bsize = 4096;
	out->st.namelen = 255;
	fuse_answer(serving, in->unique, 0, sizeof(*out));
}

static inline void fuse_serve(struct fuse_serving *serving,
			      struct fuse_in_header *in)
{
	switch (in->opcode) {
	case FUSE_INIT:
		fuse_init_kernel(serving, in);
		break;
	case FUSE_LOOKUP:
		fuse_lookup(serving, in);
		break;
	case FUSE_GETATTR:
		fuse_getattr(serving, in);
		break;
	case FUSE_STATFS:
		fuse_statfs(serving, in);
		break;
	case FUSE_SETATTR:
		fuse_setattr(serving, in);
		break;
	case FUSE_OPEN:
		fuse_open(serving, in);
		break;
	case FUSE_READ:
		fuse_read(serving, in);
		break;
	case FUSE_WRITE:
		fuse_write(serving, in);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		break; /* wants no answer */
	case FUSE_FLUSH:
		fuse_flush(serving, in);
		break;
	case FUSE_RELEASE:
	case FUSE_FSYNC:
		fuse_answer(serving, in->unique, 0, 0);
		break;
	default:
		fuse_answer(serving, in->unique, -ENOSYS, 0);
	}
}

/* Keep a request for later. False if there are too many. */
static inline bool fuse_hold(struct fuse_serving *serving,
			     struct fuse_in_header *in)
{
	unsigned int i;

	for (i = 0; i < FUSE_MOST_HELD; i++) {
		if (serving->held[i])
			continue;
		serving->held[i] = malloc(in->len);
		memcpy(serving->held[i], in, in->len);
		serving->shared->held++;
		return true;
	}
	return false;
}

/* @unique: of one that is to be interrupted, or 0 for all, which are served */
static inline void fuse_let_go(struct fuse_serving *serving, uint64_t unique)
{
	unsigned int i;

	for (i = 0; i < FUSE_MOST_HELD; i++) {
		if (!serving->held[i] ||
		    (unique && serving->held[i]->unique != unique))
			continue;
		if (unique)
			fuse_answer(serving, unique, -EINTR, 0);
		else
			fuse_serve(serving, serving->held[i]);
		free(serving->held[i]);
		serving->held[i] = NULL;
	}
}

static inline void fuse_take(struct fuse_serving *serving)
{
	struct fuse_in_header *in = (void *)serving->buffer;
	struct fuse_interrupt_in *interrupt = (void *)(in + 1);
	ssize_t n = read(serving->dev, in, sizeof(serving->buffer));

	if (n < 0) {
		if (errno == ENODEV)
			_exit(0); /* unmounted */
		return;
	}
	if (in->opcode == FUSE_INTERRUPT) {
		if (serving->shared->interruptible)
			fuse_let_go(serving, interrupt->unique);
		return;
	}
	if (in->opcode == serving->shared->hold && fuse_hold(serving, in))
		return;
	fuse_serve(serving, in);
}

static inline void fuse_notify(struct fuse_serving *serving)
{
	struct {
		struct fuse_out_header header;
		struct fuse_notify_inval_inode_out inode;
	} message = {
		.header = {
			.len = sizeof(message),
			.error = FUSE_NOTIFY_INVAL_INODE,
		},
		.inode = { .ino = serving->shared->notify },
	};

	serving->shared->notified =
		write(serving->dev, &message, sizeof(message)) < 0 ? errno : 0;
	serving->shared->notify = 0;
}

static inline void fuse_run(int dev, struct fuse_shared *shared)
{
	struct fuse_serving *serving = calloc(1, sizeof(*serving));
	struct pollfd poll_dev = { .fd = dev, .events = POLLIN };

	serving->dev = dev;
	serving->shared = shared;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (!shared->hold)
			fuse_let_go(serving, 0);
		if (shared->notify)
			fuse_notify(serving);
		shared->is_deaf = shared->deaf;
		if (shared->is_deaf) {
			sleep_ms(5);
			continue;
		}
		if (poll(&poll_dev, 1, 5) > 0)
			fuse_take(serving);
	}
}

/* Before the start: what it is to do can be changed. */
static inline bool fuse_prepare(struct fuse_server *server)
{
	struct fuse_shared *shared;
	unsigned int i;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return false;
	for (i = 0; i < FUSE_FILES; i++) {
		shared->file[i].size = FUSE_BYTES;
		shared->file[i].readable = FUSE_BYTES;
		shared->file[i].bad = -1;
		shared->file[i].bad_write = -1;
	}
	shared->backing = -1;
	server->shared = shared;
	server->pid = -1;
	return true;
}

/* The server has the only descriptor: with it the file system ends. */
static inline bool fuse_start(struct fuse_server *server, const char *where)
{
	int dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[128];

	server->where = where;
	mkdir(where, 0700);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", dev);
	if (dev < 0 || mount("wr", where, "fuse", 0, options))
		return false;
	server->pid = fork();
	if (!server->pid)
		fuse_run(dev, server->shared);
	close(dev);
	return server->pid > 0;
}

static inline void fuse_die(struct fuse_server *server)
{
	if (server->pid <= 0)
		return;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	server->pid = -1;
}

/* Whether nobody has anything of it any more */
static inline bool fuse_stop(struct fuse_server *server)
{
	bool gone = SETTLES(!umount(server->where));

	fuse_die(server);
	munmap(server->shared, sizeof(*server->shared));
	return gone;
}

/* Have the pages of file @nr forgotten. */
static inline bool fuse_forget(struct fuse_server *server, int nr)
{
	server->shared->notify = FUSE_FIRST_FILE + nr;
	return SETTLES(!server->shared->notify) && !server->shared->notified;
}

#endif /* _SELFTESTS_FUSE_SERVER_H */
