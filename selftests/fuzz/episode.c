// SPDX-License-Identifier: GPL-2.0
/*
 * Many operations, in a process that has done nothing else before: as many
 * threads as wanted, each with an arena of its own, and children of them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "share.h"

/* Seconds after which an episode hangs, also on a slow machine */
#define TIME_LIMIT 900

static void *shared(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

bool episode_init(struct fuzz_episode *episode,
		  const struct fuzz_options *options)
{
	unsigned int i;

	memset(episode, 0, sizeof(*episode));
	episode->options = *options;
	episode->report = shared(sizeof(*episode->report));
	for (i = 0; i < options->threads; i++) {
		episode->ops[i] = shared(options->ops * sizeof(struct op));
		if (!episode->ops[i])
			return false;
	}
	return episode->report;
}

void episode_free(struct fuzz_episode *episode)
{
	unsigned int i;

	for (i = 0; i < episode->options.threads; i++)
		munmap(episode->ops[i],
		       episode->options.ops * sizeof(struct op));
	munmap(episode->report, sizeof(*episode->report));
}

/* ---- where ---- */

static bool arena_is_free(int fd, uint64_t arena)
{
	struct winregion_query query = {
		.size = sizeof(query),
		.address = arena,
	};

	return !ioctl(fd, WINREGION_QUERY, &query) &&
	       query.out.state == WINREGION_STATE_FREE &&
	       query.out.length >= MODEL_ARENA_PAGES * MODEL_PAGE;
}

/* Mostly far from all else, at times at one end of what is usable */
static uint64_t arena_of(const struct fuzz_options *options, uint64_t seed,
			 unsigned int thread)
{
	uint64_t arena = 0x100000000000 + ((uint64_t)thread << 30) +
			 seed % 32 * MODEL_UNIT, edge;
	bool ok;
	int fd;

	if (options->threads > 1 || options->dry || seed % 8 > 1)
		return arena;
	edge = seed % 8 ? MODEL_HIGHEST + 1 - MODEL_ARENA_PAGES * MODEL_PAGE :
			  MODEL_LOWEST;
	fd = open("/dev/winregion", O_RDWR | O_CLOEXEC);
	ok = arena_is_free(fd, edge);
	close(fd);
	return ok ? edge : arena;
}

/* ---- children ---- */

static bool play(struct fuzz *fuzz, unsigned int i, unsigned int end);

/* Of all children of a program that is printed */
static unsigned int number_of(const struct fuzz *fuzz, unsigned int slot)
{
	return fuzz->depth * FUZZ_CHILDREN + slot;
}

static void let_go(struct fuzz *fuzz, unsigned int slot)
{
	if (!fuzz->go[slot])
		return;
	emit_line(fuzz, "end_hold(%u);", number_of(fuzz, slot));
	/* If the child is dead, its status says so. */
	if (write(fuzz->go[slot], "", 1) != 1)
		errno = 0;
	close(fuzz->go[slot]);
	fuzz->go[slot] = 0;
}

static bool join(struct fuzz *fuzz, unsigned int slot)
{
	pid_t pid = fuzz->child[slot];
	int status;

	if (!pid)
		return true;
	fuzz->child[slot] = 0;
	let_go(fuzz, slot);
	emit_line(fuzz, "end_child(__LINE__, child[%u]);",
		  number_of(fuzz, slot));
	if (waitpid(pid, &status, 0) != pid)
		status = -1;
	return !status || fuzz_differs(fuzz, "a child ended with status 0x%x",
				       status);
}

static bool join_all(struct fuzz *fuzz)
{
	unsigned int i;
	bool ok = true;

	for (i = 0; i < FUZZ_CHILDREN; i++)
		if (!join(fuzz, i))
			ok = false;
	return ok;
}

/* Where the child's part ends */
static unsigned int end_of_child(struct fuzz *fuzz, unsigned int i,
				 unsigned int end)
{
	unsigned int depth = 1, stop;

	if (fuzz->generate) {
		stop = i + 1 + fuzz->ops[i].value;
		if (stop >= end)
			stop = end - 1;
		memset(&fuzz->ops[stop], 0, sizeof(fuzz->ops[stop]));
		fuzz->ops[stop].kind = OP_END;
		return stop;
	}
	for (i++; i < end; i++) {
		depth += fuzz->ops[i].kind == OP_FORK;
		depth -= fuzz->ops[i].kind == OP_END;
		if (!depth)
			return i;
	}
	return end;
}

/* Two pipes: the child is ready, and it may go on. */
struct hold {
	unsigned int number;
	int ready[2];
	int go[2];
};

static bool prepare_hold(struct fuzz *fuzz, struct hold *hold,
			 unsigned int slot)
{
	hold->number = number_of(fuzz, slot);
	emit_line(fuzz, "make_hold(%u);", hold->number);
	if (pipe2(hold->ready, O_CLOEXEC) || pipe2(hold->go, O_CLOEXEC))
		return fuzz_differs(fuzz, "no pipe: %s", strerror(errno));
	return true;
}

/* What is printed is in the order of the text, so nobody waits then. */
static bool be_held(struct fuzz *fuzz, struct hold *hold)
{
	char c = 0;

	close(hold->go[1]);
	emit_line(fuzz, "in_hold(%u);", hold->number);
	fuzz_emit_contents(fuzz);
	if (!fuzz->emit && (write(hold->ready[1], &c, 1) != 1 ||
			    read(hold->go[0], &c, 1) < 0))
		return false;
	return fuzz_verify(fuzz);
}

static void wait_held(struct fuzz *fuzz, struct hold *hold, unsigned int slot)
{
	char c;

	emit_line(fuzz, "await_hold(%u);", hold->number);
	close(hold->ready[1]);
	close(hold->go[0]);
	/* Nothing comes if the child is dead, which join() will see. */
	if (!fuzz->emit && read(hold->ready[0], &c, 1) < 0)
		errno = 0;
	close(hold->ready[0]);
	fuzz->go[slot] = hold->go[1];
}

/* The child has what the parent had, and from now on a model of its own. */
static void run_child(struct fuzz *fuzz, unsigned int i, unsigned int end,
		      struct hold *hold)
{
	bool ok;

	alarm(TIME_LIMIT);
	memset(fuzz->child, 0, sizeof(fuzz->child));
	memset(fuzz->go, 0, sizeof(fuzz->go));
	fuzz->random ^= 0x9e3779b97f4a7c15;
	fuzz->depth++;
	model_in_child(fuzz->model);
	ok = !pipe2(fuzz->pipe, O_CLOEXEC) && fuzz_verify(fuzz) &&
	     play(fuzz, i, end) && fuzz_verify(fuzz);
	if (ok && hold)
		ok = be_held(fuzz, hold);
	if (!join_all(fuzz))
		ok = false;
	emit_line(fuzz, "_exit(bad);");
	_exit(!ok);
}

static bool do_fork(struct fuzz *fuzz, unsigned int i, unsigned int stop)
{
	unsigned int slot = i % FUZZ_CHILDREN, n = number_of(fuzz, slot);
	uint32_t flags = fuzz->ops[i].flags;
	struct hold hold;
	siginfo_t info;
	pid_t pid;

	if (!join(fuzz, slot))
		return false;
	if ((flags & OP_HOLD) && !prepare_hold(fuzz, &hold, slot))
		return false;
	emit_line(fuzz, "child[%u] = start_child();", n);
	emit_line(fuzz, "if (!child[%u]) {", n);
	pid = fork();
	if (pid < 0)
		return fuzz_differs(fuzz, "fork: %s", strerror(errno));
	if (!pid)
		run_child(fuzz, i + 1, stop, flags & OP_HOLD ? &hold : NULL);
	fuzz->child[slot] = pid;
	/* What the child prints comes before what the parent does. */
	if (fuzz->emit)
		waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	emit_line(fuzz, "}");
	if (flags & OP_HOLD)
		wait_held(fuzz, &hold, slot);
	return flags & OP_WAIT ? join(fuzz, slot) && fuzz_verify(fuzz) : true;
}

/* ---- sequences ---- */

static void make_op(struct fuzz *fuzz, unsigned int i, unsigned int end)
{
	struct op *op = &fuzz->ops[i];

	fuzz_generate(fuzz, op);
	if (op->kind == OP_FORK && end - i < 3)
		op->kind = OP_NONE;
	fuzz->nr = i + 1;
}

static bool play(struct fuzz *fuzz, unsigned int i, unsigned int end)
{
	unsigned int stop, done = 0;
	bool ok = true;

	for (; ok && i < end; i++, done++) {
		fuzz->at = i;
		if (fuzz->generate)
			make_op(fuzz, i, end);
		if (fuzz->ops[i].kind == OP_FORK) {
			stop = end_of_child(fuzz, i, end);
			ok = do_fork(fuzz, i, stop);
			i = stop;
		} else {
			ok = fuzz_execute(fuzz, &fuzz->ops[i]);
		}
		if (!(i % 64) && fuzz->report->found)
			break;
	}
	__atomic_add_fetch(&fuzz->report->done, done, __ATOMIC_RELAXED);
	return ok;
}

static struct model *new_model(void)
{
	struct model *model = mmap(NULL, sizeof(*model),
				   PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return model == MAP_FAILED ? NULL : model;
}

static bool fuzz_init(struct fuzz *fuzz, struct fuzz_episode *episode,
		      unsigned int thread)
{
	memset(fuzz, 0, sizeof(*fuzz));
	fuzz->thread = thread;
	fuzz->report = episode->report;
	fuzz->dry = episode->options.dry;
	fuzz->random = (episode->seed * FUZZ_THREADS + thread + 1) *
		       0x9e3779b97f4a7c15;
	fuzz->model = new_model();
	if (!fuzz->model || pipe2(fuzz->pipe, O_CLOEXEC))
		return false;
	fuzz->fd = -1;
	if (fuzz->dry)
		return true;
	fuzz->fd = open("/dev/winregion", O_RDWR | O_CLOEXEC);
	return fuzz->fd >= 0;
}

static void fuzz_run(struct fuzz *fuzz, unsigned int end)
{
	/* A difference is in the report, so the results say nothing more. */
	if (play(fuzz, 0, end) && join_all(fuzz))
		fuzz_verify(fuzz);
	join_all(fuzz);
}

struct worker {
	struct fuzz fuzz;
	unsigned int ops;
};

static void *thread_main(void *arg)
{
	struct worker *worker = arg;

	fuzz_run(&worker->fuzz, worker->ops);
	return NULL;
}

/* All threads together; they are idle now. */
static void verify_process(struct worker *workers, unsigned int n)
{
	struct winregion_get_info info = { .size = sizeof(info) };
	uint64_t regions = 0, committed = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		regions += model_regions(workers[i].fuzz.model);
		committed += model_committed(workers[i].fuzz.model);
	}
	if (workers[0].fuzz.dry)
		return;
	if (ioctl(workers[0].fuzz.fd, WINREGION_GET_INFO, &info) ||
	    info.out_regions != regions || info.out_committed != committed)
		fuzz_differs(&workers[0].fuzz,
			     "%llu regions with 0x%llx committed, but it must be %llu with 0x%llx",
			     info.out_regions, info.out_committed,
			     (unsigned long long)regions,
			     (unsigned long long)committed);
}

static int run_threads(struct fuzz_episode *episode)
{
	static struct worker workers[FUZZ_THREADS];
	unsigned int i, n = episode->options.threads;
	pthread_t threads[FUZZ_THREADS];

	fuzz_catch_faults();
	for (i = 0; i < n; i++) {
		if (!fuzz_init(&workers[i].fuzz, episode, i))
			return 2;
		workers[i].fuzz.generate = true;
		workers[i].fuzz.alone = n == 1;
		workers[i].fuzz.ops = episode->ops[i];
		workers[i].ops = episode->options.ops / n;
		model_init(workers[i].fuzz.model,
			   arena_of(&episode->options, episode->seed, i),
			   episode->options.bug);
		workers[i].fuzz.model->paging = episode->options.paging;
	}
	if (n == 1) {
		thread_main(&workers[0]);
		return 0;
	}
	for (i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, thread_main, &workers[i]))
			return 2;
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	verify_process(workers, n);
	return 0;
}

/* ---- processes ---- */

static int end_process(struct fuzz_episode *episode, pid_t pid)
{
	struct fuzz_report *report = episode->report;
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status))
		return -1;
	if (status && !report->found) {
		report->found = 1;
		snprintf(report->text, sizeof(report->text),
			 "the process died of signal %d", WTERMSIG(status));
		report->op = episode->options.ops - 1;
	}
	return report->found;
}

int episode_run(struct fuzz_episode *episode, uint64_t seed)
{
	unsigned int i;
	pid_t pid;

	memset(episode->report, 0, sizeof(*episode->report));
	for (i = 0; i < episode->options.threads; i++)
		memset(episode->ops[i], 0,
		       episode->options.ops * sizeof(struct op));
	episode->seed = seed;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		alarm(TIME_LIMIT);
		_exit(episode->options.sharers ?
		      share_run(episode, episode->ops[0], episode->options.ops,
				true, NULL) :
		      run_threads(episode));
	}
	return end_process(episode, pid);
}

static int replay(struct fuzz_episode *episode, struct op *ops,
		  unsigned int nr, FILE *emit)
{
	struct fuzz fuzz;

	fuzz_catch_faults();
	if (!fuzz_init(&fuzz, episode, episode->report->thread))
		return 2;
	fuzz.alone = true;
	fuzz.ops = ops;
	fuzz.nr = nr;
	fuzz.emit = emit;
	model_init(fuzz.model, episode->arena, episode->options.bug);
	fuzz.model->paging = episode->options.paging;
	fuzz_run(&fuzz, nr);
	return 0;
}

/* The same operations once more, or some of them, by one thread */
int episode_replay(struct fuzz_episode *episode, struct op *ops,
		   unsigned int nr, FILE *emit)
{
	int thread = episode->report->thread;
	char title[60];
	pid_t pid;

	memset(episode->report, 0, sizeof(*episode->report));
	episode->report->thread = thread;
	episode->arena = arena_of(&episode->options, episode->seed, thread);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		alarm(TIME_LIMIT);
		if (episode->options.sharers)
			_exit(share_run(episode, ops, nr, false, emit));
		snprintf(title, sizeof(title), "seed %llu, thread %d",
			 (unsigned long long)episode->seed, thread);
		emit_begin(emit, episode->arena, title);
		thread = replay(episode, ops, nr, emit);
		emit_end(emit);
		_exit(thread);
	}
	return end_process(episode, pid);
}

/* What the model says of random operations, as a program, without a kernel */
int episode_print(const struct fuzz_options *options, uint64_t seed,
		  FILE *file)
{
	struct fuzz_options dry = *options;
	struct fuzz_episode episode;
	struct fuzz fuzz;

	dry.dry = true;
	dry.threads = 1;
	if (!episode_init(&episode, &dry))
		return -1;
	episode.seed = seed;
	fuzz_catch_faults();
	if (!fuzz_init(&fuzz, &episode, 0))
		return -1;
	fuzz.generate = true;
	fuzz.alone = true;
	fuzz.ops = episode.ops[0];
	fuzz.emit = file;
	model_init(fuzz.model, arena_of(&dry, seed, 0), 0);
	emit_begin(file, fuzz.model->span[0].base, "what the model says");
	fuzz_run(&fuzz, dry.ops);
	emit_end(file);
	episode_free(&episode);
	return 0;
}
