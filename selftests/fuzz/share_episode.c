// SPDX-License-Identifier: GPL-2.0
/*
 * An episode of processes that share sections: one process leads, makes the files
 * and the others, and sees who ends. The others take turns, and hand on the turn
 * themselves.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop.h"
#include "share.h"

/* ---- words that processes wait for ---- */

static uint32_t load(uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void store(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void wait_while(uint32_t *word, uint32_t value)
{
	while (load(word) == value)
		syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

/* ---- whose turn it is ---- */

/* The next one that is alive, from a slot on; there always is one. */
static unsigned int alive_from(const struct share_world *world,
			       unsigned int slot)
{
	while (!world->process[slot % SHARE_PROCESSES].alive)
		slot++;
	return slot % SHARE_PROCESSES;
}

static void end_all(struct share_world *world)
{
	unsigned int i;

	__atomic_store_n(&world->over, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < SHARE_PROCESSES; i++)
		store(&world->role[i], SHARE_ENDS);
}

/* Not to who has been told to end meanwhile */
static void pass_turn(struct share_world *world, unsigned int slot)
{
	store(&world->role[slot], SHARE_ACTS);
	if (load(&world->over))
		store(&world->role[slot], SHARE_ENDS);
}

bool share_set_noise(struct share *share, unsigned int slot, bool on)
{
	store(&share->world->role[slot], on ? SHARE_MAKES_NOISE : SHARE_SLEEPS);
	return true;
}

/* Until the turn has come. Return: false if all is over. */
static bool await_turn(struct share *share)
{
	uint32_t *role = &share->world->role[share->me];

	for (;;) {
		switch (load(role)) {
		case SHARE_SLEEPS:
			wait_while(role, SHARE_SLEEPS);
			break;
		case SHARE_MAKES_NOISE:
			share_noise(share);
			break;
		case SHARE_ACTS:
			return true;
		default:
			return false;
		}
	}
}

/* ---- operations ---- */

/* What is done next, by this process; or who does it. Return: whether there is any. */
static bool find_op(struct share *share, unsigned int *who)
{
	struct share_world *world = share->world;
	const struct op *op;

	*who = share->me;
	if (share->generate && world->at < world->end) {
		if (!share_random(world, 12))
			*who = alive_from(world, share_random(world,
							      SHARE_PROCESSES));
		return true;
	}
	for (; world->at < world->end; world->at++) {
		op = &share->ops[world->at];
		if (op->kind && world->process[op->odd].alive) {
			*who = op->odd;
			return true;
		}
	}
	return false;
}

static void __attribute__((noreturn)) leave(struct share *share)
{
	struct share_world *world = share->world;

	world->expected |= 1 << share->me;
	world->leaving = share->me + 1;
	_exit(0);
}

static bool do_op(struct share *share)
{
	struct share_world *world = share->world;
	struct op *op = &share->ops[world->at];

	if (share->generate)
		share_generate(share, op);
	share->fuzz.at = world->at;
	share->compared = false;
	share_print(share->fuzz.emit, world->at, op);
	if (!share_execute(share, op))
		return false;
	world->at++;
	/* What there was nothing to do for does not count. */
	share->fuzz.report->done += share->compared;
	if (op->kind == SHARE_EXIT && share_alive(world) > 2)
		leave(share);
	return !share->fuzz.report->found;
}

/* All is done; everybody looks at what there is. */
static bool finish(struct share *share)
{
	unsigned int next = share->me + 1;
	struct share_world *world = share->world;

	if (!share_verify(share))
		return false;
	while (next < SHARE_PROCESSES && !world->process[next].alive)
		next++;
	if (next == SHARE_PROCESSES)
		return false;
	store(&world->role[share->me], SHARE_SLEEPS);
	pass_turn(world, next);
	return true;
}

/* Return: false if that is the end. */
static bool take_turn(struct share *share)
{
	struct share_world *world = share->world;
	unsigned int who;

	if (!share_fetch(share))
		return false;
	if (world->finishing)
		return finish(share);
	while (find_op(share, &who)) {
		if (who != share->me) {
			store(&world->role[share->me], SHARE_SLEEPS);
			pass_turn(world, who);
			return true;
		}
		if (!do_op(share))
			return false;
	}
	world->finishing = true;
	who = alive_from(world, 0);
	if (who == share->me)
		return finish(share);
	store(&world->role[share->me], SHARE_SLEEPS);
	pass_turn(world, who);
	return true;
}

static void __attribute__((noreturn)) be_process(struct share *share)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	srand(share->me);
	while (await_turn(share))
		if (!take_turn(share))
			end_all(share->world);
	_exit(0);
}

/* ---- processes ---- */

/* A child of the leader, whoever forks it. Return: false if that failed. */
static bool start(struct share *share, unsigned int slot, unsigned long flags)
{
	struct share_world *world = share->world;
	long pid;

	store(&world->role[slot], SHARE_SLEEPS);
	fflush(NULL);
	world->process[slot].alive = true;
	pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
	if (!pid) {
		share->me = slot;
		share->fuzz.depth = slot;
		be_process(share);
	}
	if (pid < 0)
		return fuzz_differs(&share->fuzz, "fork: %s", strerror(errno));
	world->pid[slot] = pid;
	return true;
}

bool share_fork(struct share *share, unsigned int slot)
{
	share_forked(share->world, share->me, slot);
	return start(share, slot, CLONE_PARENT);
}

/* Return when it is gone */
bool share_kill(struct share *share, unsigned int slot)
{
	struct share_world *world = share->world;
	uint32_t *gone = (uint32_t *)&world->pid[slot];
	uint32_t pid = *gone;

	world->expected |= 1 << slot;
	kill(pid, SIGKILL);
	wait_while(gone, pid);
	share_gone(world, slot);
	return true;
}

/* Who has left by itself could not hand on the turn. */
static void replace(struct share_world *world, unsigned int slot)
{
	world->leaving = 0;
	share_gone(world, slot);
	pass_turn(world, alive_from(world, slot));
}

static void has_ended(struct share *share, pid_t pid, int status)
{
	struct share_world *world = share->world;
	unsigned int slot = 0;
	bool left;

	while (slot < SHARE_PROCESSES && world->pid[slot] != pid)
		slot++;
	if (slot == SHARE_PROCESSES || !(world->expected & 1 << slot)) {
		if (!load(&world->over) || status) {
			share->fuzz.at = world->at;
			fuzz_differs(&share->fuzz,
				     "process %u ended with status 0x%x", slot,
				     status);
			end_all(world);
		}
		return;
	}
	world->expected &= ~(1 << slot);
	/* Of one that was killed, its killer goes on now, and may leave itself. */
	left = world->leaving == slot + 1;
	store((uint32_t *)&world->pid[slot], 0);
	if (left)
		replace(world, slot);
}

static void lead(struct share *share, unsigned int processes)
{
	unsigned int i;
	int status;
	pid_t pid;

	for (i = 0; i < processes; i++)
		if (!start(share, i, 0))
			end_all(share->world);
	pass_turn(share->world, 0);
	while ((pid = wait(&status)) > 0 || errno == EINTR)
		has_ended(share, pid, status);
}

/* ---- files ---- */

/* Where an episode has its files */
struct place {
	char directory[40];
	char tmpfs[60];
	char disk[60];
	char image[60];
	bool has_tmpfs;
	bool has_disk;
	int loop;
};

static bool mount_disk(struct place *place)
{
	char device[32];

	if (access("/dev/loop-control", F_OK))
		return false;
	place->loop = loop_begin(place->image, 12 << 20, device,
				 sizeof(device));
	return place->loop >= 0 && loop_mount(device, place->disk);
}

static void make_place(struct place *place, bool huge)
{
	memset(place, 0, sizeof(*place));
	place->loop = -1;
	snprintf(place->directory, sizeof(place->directory), "/tmp/wr_share.%d",
		 getpid());
	snprintf(place->tmpfs, sizeof(place->tmpfs), "%s/tmpfs",
		 place->directory);
	snprintf(place->disk, sizeof(place->disk), "%s/disk", place->directory);
	snprintf(place->image, sizeof(place->image), "%s/image",
		 place->directory);
	mkdir(place->directory, 0700);
	mkdir(place->tmpfs, 0700);
	mkdir(place->disk, 0700);
	place->has_tmpfs = !mount("tmpfs", place->tmpfs, "tmpfs", 0,
				  huge ? "size=64m,huge=always" : "size=64m");
	place->has_disk = mount_disk(place);
}

/* What was mapped may be let go of a little later than its process. */
static bool unmount(const char *path)
{
	unsigned int tries;

	for (tries = 0; tries < 500; tries++) {
		if (!umount(path))
			return true;
		usleep(20000);
	}
	return false;
}

static bool clear_place(struct place *place)
{
	bool ok = (!place->has_tmpfs || unmount(place->tmpfs)) &&
		  (!place->has_disk || unmount(place->disk));

	loop_end(place->loop, place->image);
	rmdir(place->tmpfs);
	rmdir(place->disk);
	rmdir(place->directory);
	return ok;
}

/* Once to write, and once more only to read */
static bool open_file(struct share *share, const struct place *place,
		      unsigned int i)
{
	char path[80];
	int *file = share->file[i];

	if (i == SHARE_MEMFD)
		file[0] = memfd_create("share", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "%s/file",
		 i == SHARE_TMPFS ? place->tmpfs : place->disk);
	if (i != SHARE_MEMFD)
		file[0] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file[0]);
	file[1] = open(path, O_RDONLY | O_CLOEXEC);
	return file[1] >= 0 &&
	       !ftruncate(file[0], share->world->file[i].size);
}

static bool open_all(struct share *share, const struct place *place)
{
	unsigned int i;

	share->fd = open("/dev/winregion", O_RDWR | O_CLOEXEC);
	share->scratch = memfd_create("scratch", MFD_CLOEXEC);
	for (i = 0; i < SHARE_MEMORY; i++)
		if (!open_file(share, place, i))
			return false;
	for (i = 0; i < SHARE_PROCESSES; i++)
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0,
			       share->post[i]))
			return false;
	return share->fd >= 0 && share->scratch >= 0;
}

/* Descriptors that are on their way are closed with their sockets. */
static void close_all(struct share *share)
{
	unsigned int i;

	for (i = 0; i < SHARE_MEMORY; i++) {
		close(share->file[i][0]);
		close(share->file[i][1]);
	}
	for (i = 0; i < SHARE_PROCESSES; i++) {
		close(share->post[i][0]);
		close(share->post[i][1]);
	}
	close(share->scratch);
	close(share->fd);
}

/* ---- an episode ---- */

static struct share_world *new_world(const struct fuzz_episode *episode,
				     unsigned int nr)
{
	struct share_world *world = mmap(NULL, sizeof(*world),
					 PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (world == MAP_FAILED)
		return NULL;
	share_init(world, episode->options.bug, episode->seed);
	world->random = (episode->seed + 1) * 0x9e3779b97f4a7c15;
	world->end = nr;
	return world;
}

/**
 * share_run - lead an episode; the calling process has nothing else to do
 * @episode: what to run, and where to report
 * @ops: the operations
 * @nr: how many
 * @generate: make them up
 * @print: where to print them, or NULL
 *
 * Return: 0, or 2 if it cannot be run.
 */
int share_run(struct fuzz_episode *episode, struct op *ops, unsigned int nr,
	      bool generate, FILE *print)
{
	struct share share = {
		.fuzz.report = episode->report,
		.fuzz.emit = print,
		.world = new_world(episode, nr),
		.ops = ops,
		.generate = generate,
	};
	struct place place;
	bool opened;

	if (!share.world)
		return 2;
	fuzz_catch_faults();
	make_place(&place, share.world->huge);
	opened = open_all(&share, &place);
	if (opened)
		lead(&share, episode->options.sharers);
	close_all(&share);
	if (!clear_place(&place))
		fuzz_differs(&share.fuzz,
			     "a file system is still in use at the end");
	return opened ? 0 : 2;
}
