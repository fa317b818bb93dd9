// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The module's events by perf_event_open(), each with the registers and a part of the
 * stack of the program: of a process and all that it starts, on each processor. What
 * comes from several processors is put in order before it is told.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <asm/perf_regs.h>

#include "allocated.h"
#include "stacks.h"

/* Of a processor's buffer at most, behind the page that tells where it is written */
#define BUFFER_SIZE (8UL << 20)
/* Of a stack that comes with an event */
#define STACK_SIZE 8192
#define MAX_EVENTS 16

#define BITS(first, last) ((2ULL << (last)) - (1ULL << (first)))
#define REGISTERS \
	(BITS(PERF_REG_X86_AX, PERF_REG_X86_IP) | \
	 BITS(PERF_REG_X86_R8, PERF_REG_X86_R15))

/* Where DWARF's registers are among those */
static const unsigned char dwarf_order[DWARF_REGISTERS] = {
	0, 3, 2, 1, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 8,
};

/* An event, and where its fields are; 0: it has none of that name */
static struct event {
	unsigned int id;
	unsigned int pid;
	unsigned int address;
	unsigned int length;
	unsigned int flags;
	unsigned int kept;
} events[MAX_EVENTS];
static size_t nr_events;

/* One for each event, thread that was followed, and processor */
static int *fds;
static size_t nr_fds, room_fds;

/**
 * struct buffer - what comes from a processor
 * @fd: the event that has it, or -1: there is none yet
 * @page: where it is written
 * @data: what is
 */
struct buffer {
	int fd;
	struct perf_event_mmap_page *page;
	const unsigned char *data;
};

static struct buffer *buffers;
static long nr_buffers;
static size_t buffer_size;

/* What is not told yet */
struct pending {
	uint64_t time;
	uint64_t nr;
	struct perf_event_header *record;
};

static struct pending *pending;
static size_t nr_pending, room;
static uint64_t newest, numbered;
static unsigned long lost;

/* ---- events ---- */

static size_t read_file(const char *tracefs, const char *event,
			const char *name, char *text, size_t size)
{
	char path[256];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/events/winregion/wr_%s/%s", tracefs,
		 event, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, size - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? n : 0;
}

static unsigned int offset_of(const char *format, const char *field)
{
	unsigned int offset = 0;
	char text[64];
	char *at;

	snprintf(text, sizeof(text), " %s;\toffset:", field);
	at = strstr(format, text);
	if (at)
		sscanf(at + strlen(text), "%u", &offset);
	return offset;
}

static bool add_event(const char *tracefs, const char *name)
{
	struct event *event = &events[nr_events];
	char text[4096];

	if (!read_file(tracefs, name, "id", text, sizeof(text)))
		return false;
	event->id = strtoul(text, NULL, 10);
	if (!read_file(tracefs, name, "format", text, sizeof(text)))
		return false;
	event->pid = offset_of(text, "pid");
	event->address = offset_of(text, "address");
	event->length = offset_of(text, "length");
	event->flags = offset_of(text, "flags");
	event->kept = offset_of(text, "kept");
	nr_events++;
	return event->pid && event->address && event->length;
}

/* ---- processors ---- */

static void keep_fd(int fd)
{
	if (nr_fds == room_fds) {
		room_fds = 2 * room_fds + 64;
		fds = realloc(fds, room_fds * sizeof(*fds));
		if (!fds)
			abort();
	}
	fds[nr_fds++] = fd;
}

static int open_event(struct perf_event_attr *attr, pid_t tid, long processor)
{
	int fd;

	attr->size = sizeof(*attr);
	attr->sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME;
	attr->sample_id_all = 1;
	attr->inherit = 1;
	if (attr->type == PERF_TYPE_TRACEPOINT) {
		attr->sample_type |= PERF_SAMPLE_RAW | PERF_SAMPLE_REGS_USER |
				     PERF_SAMPLE_STACK_USER;
		attr->sample_period = 1;
		attr->sample_regs_user = REGISTERS;
		attr->sample_stack_user = STACK_SIZE;
	}
	fd = syscall(SYS_perf_event_open, attr, tid, (int)processor, -1,
		     PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0)
		keep_fd(fd);
	return fd;
}

static bool map_buffer(struct buffer *buffer, int fd)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, page + buffer_size, PROT_READ | PROT_WRITE,
			MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return false;
	buffer->fd = fd;
	buffer->page = at;
	buffer->data = (unsigned char *)at + page;
	return true;
}

/* All of a processor's is in one buffer, which the first event has. */
static bool direct(struct buffer *buffer, int fd)
{
	if (fd < 0)
		return false;
	if (buffer->fd < 0)
		return map_buffer(buffer, fd);
	return !ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, buffer->fd);
}

/* What the thread's process maps and starts, and the events */
static bool open_processor(pid_t tid, long processor)
{
	struct buffer *buffer = &buffers[processor];
	struct perf_event_attr changes = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.mmap = 1,
		.mmap2 = 1,
		.task = 1,
		.comm = 1,
		.comm_exec = 1,
	};
	size_t i;

	if (!direct(buffer, open_event(&changes, tid, processor)))
		return errno == ENODEV; /* it is not there, or not now */
	for (i = 0; i < nr_events; i++) {
		struct perf_event_attr attr = {
			.type = PERF_TYPE_TRACEPOINT,
			.config = events[i].id,
		};

		if (!direct(buffer, open_event(&attr, tid, processor)))
			return false;
	}
	return true;
}

static int trouble(const char *what)
{
	fprintf(stderr, "%s: %s: %s%s\n", program_invocation_short_name, what,
		strerror(errno),
		errno == EACCES || errno == EPERM ?
			" (call stacks need CAP_PERFMON)" :
			"");
	return 125;
}

/**
 * sampling_open - begin
 * @tracefs: where tracefs is
 * @names: of events, without their prefix, 16 at most
 * @nr: how many
 *
 * Return: 0, or a status to exit with, when it has said why.
 */
int sampling_open(const char *tracefs, const char *const *names, size_t nr)
{
	size_t i;
	long p;

	nr_buffers = sysconf(_SC_NPROCESSORS_CONF);
	buffer_size = trace_room(BUFFER_SIZE);
	buffers = calloc(nr_buffers, sizeof(*buffers));
	if (!buffers)
		abort();
	for (p = 0; p < nr_buffers; p++)
		buffers[p].fd = -1;
	for (i = 0; i < nr; i++)
		if (!add_event(tracefs, names[i]))
			return trouble(names[i]);
	return 0;
}

static bool set_limit(rlim_t most, rlim_t limit)
{
	struct rlimit both = { .rlim_cur = limit,
			       .rlim_max = most < limit ? limit : most };

	return !setrlimit(RLIMIT_NOFILE, &both);
}

/*
 * Each thread has as many descriptors on each processor as there are events, and one. The
 * system may allow no more than that.
 */
static void make_room(void)
{
	rlim_t need = nr_fds + nr_buffers * (nr_events + 1) + 64;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= need)
		return;
	if (!set_limit(limit.rlim_max, 2 * need))
		set_limit(limit.rlim_max, need);
}

/**
 * sampling_follow - follow a thread, and all that it starts from now on
 * @tid: its number
 *
 * Return: 0; -1: it has ended; or a status to exit with, when it has said why.
 */
int sampling_follow(pid_t tid)
{
	long i;

	make_room();
	for (i = 0; i < nr_buffers; i++) {
		if (open_processor(tid, i))
			continue;
		return errno == ESRCH ? -1 : trouble("perf_event_open");
	}
	return 0;
}

void sampling_close(void)
{
	size_t i;

	for (i = 0; i < nr_fds; i++)
		close(fds[i]);
	nr_fds = 0;
}

unsigned long sampling_lost(void)
{
	return lost;
}

/* ---- what a record says ---- */

static uint64_t take(const unsigned char **at)
{
	uint64_t word;

	memcpy(&word, *at, sizeof(word));
	*at += sizeof(word);
	return word;
}

static uint64_t field(const unsigned char *raw, unsigned int offset,
		      size_t size)
{
	uint64_t value = 0;

	if (offset)
		memcpy(&value, raw + offset, size);
	return value;
}

static bool tell_raw(struct sampled *sampled, const unsigned char *raw)
{
	const struct event *event = events;
	uint16_t id;

	memcpy(&id, raw, sizeof(id));
	while (event < events + nr_events && event->id != id)
		event++;
	if (event == events + nr_events)
		return false;
	sampled->event = event - events;
	sampled->owner = field(raw, event->pid, sizeof(pid_t));
	sampled->address = field(raw, event->address, sizeof(uint64_t));
	sampled->length = field(raw, event->length, sizeof(uint64_t));
	sampled->flags = field(raw, event->flags, sizeof(uint32_t));
	sampled->kept = field(raw, event->kept, sizeof(bool));
	return true;
}

static void tell_user(struct user_state *user, const unsigned char *at)
{
	uint64_t in[DWARF_REGISTERS];
	unsigned int i;

	if (take(&at) != PERF_SAMPLE_REGS_ABI_NONE) {
		for (i = 0; i < DWARF_REGISTERS; i++)
			in[i] = take(&at);
		for (i = 0; i < DWARF_REGISTERS; i++)
			user->registers[i] = in[dwarf_order[i]];
	}
	user->size = take(&at);
	user->stack = at;
	if (user->size) {
		at += user->size;
		user->size = take(&at); /* how much there really was */
	}
}

static void tell_sample(const unsigned char *at)
{
	struct sampled sampled = {};
	uint32_t size;

	memcpy(&sampled.pid, at, sizeof(pid_t));
	at += 2 * sizeof(uint64_t); /* the thread, and the time */
	memcpy(&size, at, sizeof(size));
	at += sizeof(size);
	if (!tell_raw(&sampled, at))
		return;
	tell_user(&sampled.user, at + size);
	stacks_event(&sampled);
}

/*
 * A map's record: process and thread, address, length, offset in the file, its device in two
 * halves, its inode with a generation, what is allowed, its path
 */
static void tell_map(const unsigned char *at)
{
	struct code code = {};
	uint32_t device[2];
	pid_t pid;

	memcpy(&pid, at, sizeof(pid));
	at += sizeof(uint64_t);
	code.address = take(&at);
	code.length = take(&at);
	code.offset = take(&at);
	memcpy(device, at, sizeof(device));
	code.device = makedev(device[0], device[1]);
	at += sizeof(device);
	code.inode = take(&at);
	at += 2 * sizeof(uint64_t);
	code.path = (const char *)at;
	stacks_map(pid, &code);
}

/* Process, its parent */
static void tell_fork(const unsigned char *at)
{
	pid_t pids[2];

	memcpy(pids, at, sizeof(pids));
	if (pids[0] != pids[1])
		stacks_fork(pids[1], pids[0]);
}

/* Process, its parent, thread */
static void tell_exit(const unsigned char *at)
{
	pid_t ids[3];

	memcpy(ids, at, sizeof(ids));
	if (ids[0] == ids[2])
		stacks_exit(ids[0]);
}

static void tell_exec(const struct perf_event_header *record,
		      const unsigned char *at)
{
	pid_t pid;

	memcpy(&pid, at, sizeof(pid));
	if (record->misc & PERF_RECORD_MISC_COMM_EXEC)
		stacks_exec(pid);
}

static void tell_lost(const unsigned char *at)
{
	take(&at);
	lost += take(&at);
}

static void tell(const struct perf_event_header *record)
{
	const unsigned char *at = (const unsigned char *)(record + 1);

	if (record->type == PERF_RECORD_SAMPLE)
		tell_sample(at);
	else if (record->type == PERF_RECORD_MMAP2)
		tell_map(at);
	else if (record->type == PERF_RECORD_FORK)
		tell_fork(at);
	else if (record->type == PERF_RECORD_EXIT)
		tell_exit(at);
	else if (record->type == PERF_RECORD_COMM)
		tell_exec(record, at);
	else if (record->type == PERF_RECORD_LOST)
		tell_lost(at);
}

/* ---- what has come ---- */

/* A sample has its time behind its thread; others, at their end. */
static uint64_t time_of(const struct perf_event_header *record)
{
	const unsigned char *at = (const unsigned char *)record;

	if (record->type == PERF_RECORD_SAMPLE)
		at += sizeof(*record) + sizeof(uint64_t);
	else
		at += record->size - sizeof(uint64_t);
	return take(&at);
}

/* From the ring, where it may be in two parts */
static void copy_out(const struct buffer *buffer, uint64_t at, void *to,
		     size_t size)
{
	size_t offset = at % buffer_size, part = buffer_size - offset;

	if (part > size)
		part = size;
	memcpy(to, buffer->data + offset, part);
	memcpy((char *)to + part, buffer->data, size - part);
}

static uint64_t keep(const struct buffer *buffer, uint64_t at)
{
	struct perf_event_header header;
	struct pending *entry;

	if (nr_pending == room) {
		room = 2 * room + 1024;
		pending = realloc(pending, room * sizeof(*pending));
		if (!pending)
			abort();
	}
	copy_out(buffer, at, &header, sizeof(header));
	entry = &pending[nr_pending++];
	entry->record = malloc(header.size);
	if (!entry->record)
		abort();
	copy_out(buffer, at, entry->record, header.size);
	entry->time = time_of(entry->record);
	entry->nr = numbered++;
	return header.size;
}

static void drain(const struct buffer *buffer)
{
	uint64_t head =
		__atomic_load_n(&buffer->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = buffer->page->data_tail;

	while (tail < head)
		tail += keep(buffer, tail);
	__atomic_store_n(&buffer->page->data_tail, tail, __ATOMIC_RELEASE);
}

static int compare(const void *a, const void *b)
{
	const struct pending *first = a, *second = b;

	if (first->time != second->time)
		return first->time < second->time ? -1 : 1;
	return first->nr < second->nr ? -1 : 1;
}

/**
 * sampling_read - tell what has come
 * @all: nothing comes after it. Otherwise what is newer than all that had come when this
 *	was called before waits: another processor may still tell of something older.
 */
void sampling_read(bool all)
{
	uint64_t until = newest;
	size_t i;
	long p;

	for (p = 0; p < nr_buffers; p++)
		if (buffers[p].fd >= 0)
			drain(&buffers[p]);
	qsort(pending, nr_pending, sizeof(*pending), compare);
	if (nr_pending && pending[nr_pending - 1].time > newest)
		newest = pending[nr_pending - 1].time;
	for (i = 0; i < nr_pending && (all || pending[i].time <= until); i++) {
		tell(pending[i].record);
		free(pending[i].record);
	}
	nr_pending -= i;
	memmove(pending, pending + i, nr_pending * sizeof(*pending));
}
