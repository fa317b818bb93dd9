// SPDX-License-Identifier: GPL-2.0
/*
 * winregion-trace: of a program that makes calls which the test knows, each line; what is
 * counted, whom it follows, and what it says where it cannot. Call stacks are also those
 * of winregion-map.
 */
/* vm: programs=trace timeout=900 */
#include "kselftest_harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common.h"
#include "programs.h"
#include "wr_test_util.h"

#define OUT "/tmp/wr_trace.out"
#define ERRORS "/tmp/wr_trace.errors"
#define INSTANCES "/sys/kernel/tracing/instances"
#define MAX_WORDS 16
/* Seconds for what comes to an end by itself */
#define LAST 100
/* The tools know call stacks of x86 only. */
#ifdef __x86_64__
#define HAS_STACKS 1
#else
#define HAS_STACKS 0
#endif
#define NEEDS_STACKS() do {						\
	if (!HAS_STACKS)						\
		SKIP(return, "no call stacks of this processor");	\
} while (0)
/* Where the program has its region */
#define HERE "0x310000000000"

/* What is run */
static const char *tool_name = "winregion-trace";
static const char *steps_name = "trace_steps";

/* Both in the directory of programs, which a word of "@" stands for */
static void run_tool(char **words)
{
	char steps[PATH_MAX + 32], tool[PATH_MAX + 32];
	int i;

	snprintf(tool, sizeof(tool), "%s/%s", programs, tool_name);
	snprintf(steps, sizeof(steps), "%s/%s", programs, steps_name);
	words[0] = tool;
	for (i = 1; words[i]; i++)
		if (!strcmp(words[i], "@"))
			words[i] = steps;
	execv(tool, words);
	_exit(99);
}

static pid_t start(uid_t uid, char *const *given)
{
	int err = open(ERRORS, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	char *words[MAX_WORDS + 2] = { "" };
	pid_t pid;
	int i;

	for (i = 0; given[i]; i++)
		words[i + 1] = given[i];
	fflush(NULL);
	pid = fork();
	if (pid) {
		close(err);
		return pid;
	}
	dup2(err, STDERR_FILENO);
	if (uid && (setgid(uid) || setuid(uid)))
		_exit(99);
	run_tool(words);
	return 0;
}

/* Return: its exit status */
static int end(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

#define RUN(...) end(start(0, (char *[]){ __VA_ARGS__, NULL }))
#define RUN_AS_NOBODY(...) end(start(65534, (char *[]){ __VA_ARGS__, NULL }))

/* What the tool has as its standard output meanwhile */
#define WITH_STDOUT(path, expression) ({				\
	int _ours = dup(STDOUT_FILENO), _theirs = open(path, O_WRONLY); \
	int _ret;							\
									\
	fflush(stdout);							\
	ASSERT_EQ(STDOUT_FILENO, dup2(_theirs, STDOUT_FILENO));		\
	_ret = (expression);						\
	dup2(_ours, STDOUT_FILENO);					\
	close(_ours);							\
	close(_theirs);							\
	_ret; })

/* How often a text is in a file; -1 without one */
static int count_in(const char *path, const char *text)
{
	static char all[1 << 20];
	FILE *file = fopen(path, "re");
	char *at = all;
	int count = 0;

	if (!file)
		return -1;
	all[fread(all, 1, sizeof(all) - 1, file)] = '\0';
	fclose(file);
	while ((at = strstr(at, text))) {
		at++;
		count++;
	}
	return count;
}

/* If it is not so, what there is instead is printed. */
static bool out_has(int count, const char *text)
{
	char line[512];
	FILE *file;

	if (count_in(OUT, text) == count)
		return true;
	fprintf(stderr, "# not %d times: %s\n", count, text);
	file = fopen(OUT, "re");
	while (file && fgets(line, sizeof(line), file))
		fprintf(stderr, "# %s", line);
	if (file)
		fclose(file);
	return false;
}

static bool no_instance_left(void)
{
	DIR *directory = opendir(INSTANCES);
	struct dirent *entry;
	bool none = true;

	if (!directory)
		return false;
	while ((entry = readdir(directory)))
		none &= strncmp(entry->d_name, "winregion-trace", 15) != 0;
	closedir(directory);
	return none;
}

static int count_in_instance(pid_t tool, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), INSTANCES "/winregion-trace-%d/%s", tool,
		 name);
	return count_in(path, text);
}

/* Until it watches that process. A buffer that is new is on before it is set up. */
static void wait_for(pid_t tool, const char *number)
{
	while (count_in_instance(tool, "set_event_pid", number) <= 0 ||
	       count_in_instance(tool, "tracing_on", "1") <= 0)
		sleep_ms(10);
}

FIXTURE(tool)
{
};

FIXTURE_SETUP(tool)
{
	if (geteuid())
		SKIP(return, "only root may trace");
	ASSERT_TRUE(find_programs("trace"));
	unlink(OUT);
}

FIXTURE_TEARDOWN(tool)
{
	if (!geteuid())
		EXPECT_TRUE(no_instance_left());
}

#define ONE(text) EXPECT_TRUE(out_has(1, text))
#define NONE(text) EXPECT_TRUE(out_has(0, text))

/* Rules: TT-01. Each call once, by names of Windows; those of a child, too */
TEST_F(tool, calls)
{
	EXPECT_EQ(7, RUN("-o", OUT, "--", "@"));
	ONE(" reserve(" HERE ", 0x10000, MEM_RESERVE|MEM_WRITE_WATCH, PAGE_READWRITE) = 0x");
	ONE(" commit(0x310000000000, 0x1000, PAGE_READWRITE) = 0 <");
	ONE(" protect(0x310000000000, 0x1000, PAGE_READONLY|PAGE_GUARD) = PAGE_READWRITE <");
	ONE(" protect(0x310000001000, 0x1000, PAGE_READONLY) = -1 ENODATA (");
	ONE(" query(" HERE ") = {" HERE ", 0x1000, MEM_COMMIT, PAGE_READONLY|PAGE_GUARD} <");
	ONE(" decommit(0x310000001000, 0x1000) = 0 <");
	ONE(" release(0x310000000000, 0, MEM_RELEASE) = 0x10000 <");
	NONE("--");
	EXPECT_EQ(0, count_in(ERRORS, "winregion-trace"));
}

/* Rules: TT-01. Whatever the name of a thread has in it */
TEST_F(tool, name_of_two_lines)
{
	EXPECT_EQ(7, RUN("-o", OUT, "@", "name"));
	ONE(" release(" HERE ", 0, MEM_RELEASE) = 0x10000 <");
	ONE(" decommit(0x310000001000, 0x1000) = 0 <");
	EXPECT_EQ(0, count_in(ERRORS, "not understood"));
}

static bool set_option(const char *name, const char *value)
{
	char path[128];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/tracing/options/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, value, 1) == 1;
	close(fd);
	return done;
}

/* Rules: TT-01. However somebody else has set what the kernel prints */
TEST_F(tool, options_of_others)
{
	static const char *const names[] = {
		"raw", "hex", "bin", "verbose", "latency-format",
		"stacktrace", "record-tgid",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_TRUE(set_option(names[i], "1"));
		EXPECT_EQ(7, RUN("-t", "-o", OUT, "@"));
		EXPECT_TRUE(set_option(names[i], "0"));
		ONE(" release(" HERE ", 0, MEM_RELEASE) = 0x10000 <");
		EXPECT_EQ(0, count_in(ERRORS, "not understood")) {
			TH_LOG("%s", names[i]);
		}
	}
}

/* Rules: TT-02. Faults if they are asked for, with their reasons; or all that happens */
TEST_F(tool, faults)
{
	EXPECT_EQ(7, RUN("-f", "-o", OUT, "@", "fault"));
	ONE("address=0x310000000000 access=write asked=fault answer=ok\n");
	ONE(" -- refused address=");
	ONE("address=0x310000003000 access=write reason=reserved\n");
	NONE(" -- commit");
	EXPECT_EQ(7, RUN("-a", "-o", OUT, "@"));
	ONE(" -- reserve address=");
	ONE("address=0x310000000000 length=0x1000 protection=PAGE_READONLY|PAGE_GUARD\n");
	ONE(" -- release address=");
	ONE(" -- fork address=");
}

/* Rules: TT-03. How often, and how long */
TEST_F(tool, summary)
{
	EXPECT_EQ(7, RUN("-c", "-f", "-o", OUT, "@", "fault"));
	ONE("% time     seconds   usecs/call     calls    errors call\n");
	ONE("         1         0 commit\n");
	ONE("         2         1 protect\n");
	ONE(" total\n");
	ONE("        1 refused reserved\n");
	ONE(" fault ok\n");
	NONE("commit(");
}

/* The program, which goes on when there is a line for *@go; @number: its number */
static pid_t start_waiting(const char *word, int *go, char *number, size_t size)
{
	char path[PATH_MAX + 32];
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	snprintf(path, sizeof(path), "%s/trace_steps", programs);
	pid = fork();
	if (!pid) {
		dup2(ends[0], STDIN_FILENO);
		execl(path, path, word, NULL);
		_exit(99);
	}
	close(ends[0]);
	*go = ends[1];
	snprintf(number, size, "%d", pid);
	return pid;
}

/* Rules: TT-04. A process that runs, from then on, to its end */
TEST_F(tool, of_a_process)
{
	char number[16];
	pid_t pid, tool;
	int go;

	pid = start_waiting("wait", &go, number, sizeof(number));
	ASSERT_LT(0, pid);
	tool = start(0, (char *[]){ "-t", "-o", OUT, "-p", number, NULL });
	wait_for(tool, number);
	ASSERT_EQ(1, write(go, "\n", 1));
	EXPECT_EQ(7, end(pid));
	EXPECT_EQ(0, end(tool));
	EXPECT_EQ(1, count_in(ERRORS, " is followed until it ends, or Ctrl-C\n"));
	ONE(" reserve(0x310000000000, 0x10000, ");
	ONE(" release(0x310000000000, 0, MEM_RELEASE) = 0x10000 <");
	close(go);
}

/* Rules: TT-04. It lets go of a process when it is told to, in whatever way. */
TEST_F(tool, interrupted)
{
	static const int ways[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	pid_t pid = fork(), tool;
	char number[16];
	unsigned int i;

	if (!pid) {
		pause();
		_exit(0);
	}
	snprintf(number, sizeof(number), "%d", pid);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		tool = start(0, (char *[]){ "-c", "-o", OUT, "-p", number, NULL });
		wait_for(tool, number);
		kill(tool, ways[i]);
		EXPECT_EQ(0, end(tool));
		ONE(" total\n");
		EXPECT_TRUE(no_instance_left());
	}
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(-1, end(pid));
}

/*
 * Sooner or later, or it is killed: what is in the buffer takes its time on a slow machine.
 * Return: its exit status
 */
static int end_at_last(pid_t pid)
{
	siginfo_t info = { 0 };
	int left;

	for (left = LAST * 100; left && !info.si_pid; left--) {
		if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT))
			return -1;
		sleep_ms(10);
	}
	if (!info.si_pid)
		kill(pid, SIGKILL);
	return end(pid);
}

/* What has children of the program make calls all the time, as long as it is there */
#define BUSY "/tmp/wr_trace.busy"
/* What a program that has many children makes of it when they have ended */
#define DONE "/tmp/wr_trace.done"

static bool make_busy(void)
{
	int fd = open(BUSY, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	return fd >= 0 && !close(fd);
}

/* Rules: TT-04. More comes all the time, which is no reason to go on. */
TEST_F_TIMEOUT(tool, interrupted_under_load, 2 * LAST)
{
	pid_t tool;

	ASSERT_TRUE(make_busy());
	tool = start(0, (char *[]){ "-o", "/dev/null", "@", "busy", NULL });
	while (count_in_instance(tool, "tracing_on", "1") <= 0)
		sleep_ms(10);
	sleep_ms(500);
	EXPECT_EQ(0, kill(tool, SIGTERM));
	EXPECT_EQ(0, end_at_last(tool));
	EXPECT_EQ(0, unlink(BUSY));
}

/* Rules: TT-04. The program ends, and what it has started does not. */
TEST_F_TIMEOUT(tool, children_go_on, 2 * LAST)
{
	pid_t tool;

	ASSERT_TRUE(make_busy());
	tool = start(0, (char *[]){ "-o", "/dev/null", "@", "leave", NULL });
	EXPECT_EQ(7, end_at_last(tool));
	EXPECT_EQ(0, unlink(BUSY));
}

/* Has what is started from now on wait until something is written. Return: to there */
static int wait_on_stdin(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) || dup2(ends[0], STDIN_FILENO) < 0)
		return -1;
	close(ends[0]);
	return ends[1];
}

/* Rules: TT-05. Who has typed Ctrl-C gets the status of the program, or has had enough. */
TEST_F_TIMEOUT(tool, status_after_ctrl_c, 2 * LAST)
{
	pid_t tool;
	int go;

	ASSERT_TRUE(make_busy());
	tool = start(0, (char *[]){ "-o", OUT, "@", "slow", NULL });
	while (!access(BUSY, F_OK))
		sleep_ms(10);
	EXPECT_EQ(0, kill(tool, SIGINT));
	EXPECT_EQ(7, end_at_last(tool));
	go = wait_on_stdin();
	ASSERT_LE(0, go);
	tool = start(0, (char *[]){ "-o", OUT, "@", "linger", NULL });
	while (count_in(OUT, " release(") <= 0)
		sleep_ms(10);
	EXPECT_EQ(0, kill(tool, SIGINT));
	sleep_ms(1000);
	EXPECT_EQ(0, kill(tool, SIGINT));
	EXPECT_EQ(0, end_at_last(tool));
	EXPECT_EQ(1, write(go, "\n", 1));
	close(go);
}

/* The program for stacks, which has its threads already */
static pid_t start_idle(int *go, char *number, size_t size)
{
	pid_t pid = start_waiting("idle", go, number, size);
	char threads[64];

	snprintf(threads, sizeof(threads), "/proc/%d/status", pid);
	while (pid > 0 && count_in(threads, "\nThreads:\t202\n") != 1)
		sleep_ms(10);
	return pid;
}

/* The number of another thread than the first one */
static pid_t another_thread(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	DIR *directory;
	pid_t tid = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	while (directory && (!tid || tid == pid) && (entry = readdir(directory)))
		tid = atoi(entry->d_name);
	if (directory)
		closedir(directory);
	return tid;
}

/* Rules: TT-05. A thread is no process, whose end could be awaited. */
TEST_F_TIMEOUT(tool, thread_is_refused, 2 * LAST)
{
	char number[16], thread[16];
	int go, i;
	pid_t pid;

	pid = start_idle(&go, number, sizeof(number));
	ASSERT_LT(0, pid);
	snprintf(thread, sizeof(thread), "%d", another_thread(pid));
	ASSERT_NE(0, strcmp(thread, number));
	for (i = 0; i < (HAS_STACKS ? 3 : 1); i++) {
		char *words[] = { "-o", OUT, "-p", thread, i ? "-k" : NULL, NULL };
		char *of_map[] = { "-kftext", thread, NULL };

		tool_name = i < 2 ? "winregion-trace" : "winregion-map";
		EXPECT_EQ(125, end_at_last(start(0, i < 2 ? words : of_map)));
		EXPECT_EQ(1, count_in(ERRORS, "it is a thread, not a process"));
	}
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(-1, end(pid));
	close(go);
}

/* Rules: TT-04. It says so where something has to be left. */
TEST_F_TIMEOUT(tool, buffer_in_use, 2 * LAST)
{
	char path[128];
	pid_t tool;
	int go, fd;

	go = wait_on_stdin();
	ASSERT_LE(0, go);
	tool = start(0, (char *[]){ "-o", OUT, "@", "linger", NULL });
	while (count_in(OUT, " release(") <= 0)
		sleep_ms(10);
	snprintf(path, sizeof(path), INSTANCES "/winregion-trace-%d/tracing_on",
		 tool);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, write(go, "\n", 1));
	EXPECT_EQ(7, end_at_last(tool));
	EXPECT_EQ(1, count_in(ERRORS, ": Device or resource busy"));
	close(fd);
	*strrchr(path, '/') = '\0';
	EXPECT_EQ(0, rmdir(path));
	close(go);
}

/* Rules: TT-05. What it tells nobody else can read. */
TEST_F(tool, output_is_private)
{
	struct stat stat;

	umask(0);
	EXPECT_EQ(7, RUN("-o", OUT, "@"));
	ASSERT_EQ(0, lstat(OUT, &stat));
	EXPECT_EQ(0600, stat.st_mode & 0777);
}

/* Rules: TT-05. Nobody gets what it says, and no signal tells it. */
TEST_F_TIMEOUT(tool, output_fails, 2 * LAST)
{
	int ends[2];
	pid_t pid;

	ASSERT_TRUE(make_busy());
	pid = start(0, (char *[]){ "-o", "/dev/full", "@", "busy", NULL });
	EXPECT_EQ(125, end_at_last(pid));
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		signal(SIGPIPE, SIG_IGN);
		close(ends[0]);
		dup2(ends[1], STDERR_FILENO);
		run_tool((char *[]){ "", "@", "busy", NULL });
	}
	close(ends[0]);
	close(ends[1]);
	EXPECT_EQ(125, end_at_last(pid));
	EXPECT_EQ(0, unlink(BUSY));
}

/* Rules: TT-04. Who reads what it says, such as head(1), may go at any time. */
TEST_F_TIMEOUT(tool, nobody_reads, 2 * LAST)
{
	int ends[2], go;
	pid_t pid;

	go = wait_on_stdin();
	ASSERT_LE(0, go);
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		dup2(ends[1], STDERR_FILENO);
		run_tool((char *[]){ "", "@", "linger", NULL });
	}
	close(ends[0]);
	close(ends[1]);
	/* The program goes on. */
	EXPECT_EQ(0, end_at_last(pid));
	EXPECT_TRUE(no_instance_left());
	EXPECT_EQ(1, write(go, "\n", 1));
	close(go);
}

/* Rules: TT-05. What cannot be written is told, whatever the program has said. */
TEST_F(tool, disk_is_full)
{
	EXPECT_EQ(125, RUN("-o", "/dev/full", "@"));
	EXPECT_EQ(1, count_in(ERRORS, "cannot write: No space left on device"));
	EXPECT_EQ(125, RUN("-c", "-o", "/dev/full", "@"));
	if (HAS_STACKS)
		EXPECT_EQ(125, RUN("-k", "-o", "/dev/full", "@"));
	EXPECT_EQ(125, RUN("-o", "/nowhere/at_all", "@"));
	EXPECT_EQ(1, count_in(ERRORS, "winregion-trace: /nowhere/at_all: No such"));
}

/* Whether a stack is once in the output, with a frame, of which this is a part */
static bool stack_has_frame(const char *what, const char *frame)
{
	char line[512], head[128];
	bool found = false, inside = false;
	FILE *file = fopen(OUT, "re");

	snprintf(head, sizeof(head), "%s\n", what);
	while (file && fgets(line, sizeof(line), file)) {
		if (line[0] != ' ')
			inside = strstr(line, head);
		else if (inside && strstr(line, frame))
			found = true;
	}
	if (file)
		fclose(file);
	if (!found)
		fprintf(stderr, "# not in it: %s\n", frame);
	return out_has(1, head) && found;
}

/* ... with a function of the program */
static bool stack_has(const char *what, const char *function)
{
	char frame[128];

	snprintf(frame, sizeof(frame), " %s at steps.c:", function);
	return stack_has_frame(what, frame);
}

#define STACK(...) EXPECT_TRUE(stack_has(__VA_ARGS__))

/* Rules: TT-06. Who has how much, in all processes and threads */
TEST_F(tool, stacks)
{
	NEEDS_STACKS();
	EXPECT_EQ(7, RUN("-k", "-o", OUT, "@", "stacks"));
	EXPECT_EQ(0, count_in(ERRORS, "winregion-trace"));
	STACK("reserved 393216 bytes, 393216 left, 2 calls", "keep_reserved");
	STACK("reserved 393216 bytes, 393216 left, 2 calls", "allocate");
	EXPECT_TRUE(stack_has_frame("reserved 393216 bytes, 393216 left, 2 calls",
				    " VirtualAlloc at virtual.c:"));
	STACK("reserved 720896 bytes, 720896 left, 1 call", "reserve_in_thread");
	STACK("committed 12288 bytes, 12288 left, 1 call", "commit_some");
	STACK("committed 8192 bytes, 4096 left, 1 call", "commit_more");
	STACK("reserved 589824 bytes, 589824 left, 1 call", "reserve_in_child");
	STACK("reserved 327680 bytes, 0 left, 1 call", "give_back");
	STACK("committed 327680 bytes, 0 left, 1 call", "give_back");
	STACK("mapped 458752 bytes, 458752 left, 1 call", "map_section");
}

/* Rules: TT-06. Of a program whose addresses are not where they are in the file */
TEST_F(tool, stacks_of_code_elsewhere)
{
	NEEDS_STACKS();
	steps_name = "trace_steps_far";
	EXPECT_EQ(7, RUN("-k", "-o", OUT, "@", "stacks"));
	STACK("reserved 393216 bytes, 393216 left, 2 calls", "keep_reserved");
	STACK("reserved 393216 bytes, 393216 left, 2 calls", "allocate");
	STACK("reserved 589824 bytes, 589824 left, 1 call", "reserve_in_child");
}

/* Until it says so, or has ended */
static bool is_followed(pid_t tool)
{
	siginfo_t info = { 0 };

	while (count_in(ERRORS, " is followed until it ends, or Ctrl-C\n") <= 0) {
		if (waitid(P_PID, tool, &info, WEXITED | WNOHANG | WNOWAIT) ||
		    info.si_pid)
			return false;
		sleep_ms(10);
	}
	return true;
}

/* Rules: TT-06. Of a process that runs, from then on, whichever thread it is */
TEST_F(tool, stacks_of_a_process)
{
	char number[16];
	pid_t pid, tool;
	int go;

	NEEDS_STACKS();
	pid = start_idle(&go, number, sizeof(number));
	ASSERT_LT(0, pid);
	tool = start(0, (char *[]){ "-k", "-o", OUT, "-p", number, NULL });
	EXPECT_TRUE(is_followed(tool));
	ASSERT_EQ(1, write(go, "\n", 1));
	EXPECT_EQ(7, end(pid));
	EXPECT_EQ(0, end(tool));
	STACK("reserved 393216 bytes, 393216 left, 2 calls", "keep_reserved");
	STACK("reserved 393216 bytes, 393216 left, 2 calls",
	      "allocate_when_told");
	STACK("reserved 720896 bytes, 720896 left, 1 call", "reserve_in_thread");
	STACK("committed 8192 bytes, 4096 left, 1 call", "commit_more");
	STACK("reserved 589824 bytes, 589824 left, 1 call", "reserve_in_child");
	STACK("reserved 327680 bytes, 0 left, 1 call", "give_back");
	close(go);
}

static int count_fds(pid_t pid)
{
	char path[64];
	DIR *directory;
	int nr = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	directory = opendir(path);
	if (!directory)
		return -1;
	while (readdir(directory))
		nr++;
	closedir(directory);
	return nr;
}

/* Rules: TT-06. What has ended takes nothing any more, but is told. */
TEST_F(tool, stacks_of_many_processes)
{
	pid_t tool;
	int nr;

	NEEDS_STACKS();
	ASSERT_TRUE(make_busy());
	tool = start(0, (char *[]){ "-k", "-o", OUT, "@", "many", NULL });
	while (!access(BUSY, F_OK))
		sleep_ms(10);
	sleep_ms(500);
	nr = count_fds(tool);
	EXPECT_LT(0, nr);
	EXPECT_GT(400, nr) {
		TH_LOG("%d descriptors", nr);
	}
	EXPECT_EQ(0, unlink(DONE));
	EXPECT_EQ(7, end(tool));
	STACK("reserved 235929600 bytes, 235929600 left, 400 calls",
	      "reserve_in_child");
}

/* Rules: TT-06. Whatever is where the program had its files, it is not opened. */
TEST_F_TIMEOUT(tool, stacks_of_a_pipe, 2 * LAST)
{
	pid_t tool;

	NEEDS_STACKS();
	tool = start(0, (char *[]){ "-k", "-o", OUT, "@", "pipe", NULL });
	EXPECT_EQ(7, end_at_last(tool));
	STACK("reserved 393216 bytes, 393216 left, 2 calls", "keep_reserved");
	EXPECT_EQ(0, unlink("/tmp/wr_trace.pipe"));
}

/* Rules: TT-06. Nothing else with them */
TEST_F(tool, stacks_refused)
{
	NEEDS_STACKS();
	EXPECT_EQ(125, RUN("-k", "-p", "1999999999"));
	EXPECT_EQ(1, count_in(ERRORS, "1999999999: No such process"));
	EXPECT_EQ(125, RUN_AS_NOBODY("-k", "-p", "1"));
	EXPECT_EQ(2, RUN("-k", "-c", "@"));
	EXPECT_EQ(1, count_in(ERRORS, "no -a, -c, -f or -t with it"));
	EXPECT_EQ(2, RUN("-k", "-f", "@"));
	EXPECT_EQ(127, RUN("-k", "-o", OUT, "/nowhere/at_all"));
	EXPECT_EQ(0, RUN("-k", "-o", OUT, "/bin/true"));
	EXPECT_EQ(1, count_in(OUT, "nothing was reserved"));
	EXPECT_EQ(125, RUN_AS_NOBODY("-k", "/bin/true"));
	EXPECT_EQ(1, count_in(ERRORS, "only root may trace: try sudo"));
}

/* Where processes have other numbers than events tell */
static int trace_in_container(void *unused)
{
	CHECK(!unused);
	CHECK(!unshare(CLONE_NEWPID));
	CHECK(RUN("/bin/true") == 125);
	CHECK(count_in(ERRORS, "other numbers in this container") == 1);
	return 0;
}

TEST_F(tool, container)
{
	EXPECT_EQ(0, in_child(trace_in_container, NULL));
}

/* A line of winregion-map */
static bool map_stack_has(const char *kind, unsigned int most,
			  unsigned int left, unsigned int calls,
			  const char *function)
{
	char line[128];

	snprintf(line, sizeof(line), " %-10s %12u %12u %12u %8u", kind, most,
		 most, left, calls);
	return stack_has(line, function);
}

#define HELD_BY(...) EXPECT_TRUE(map_stack_has(__VA_ARGS__))

/* Rules: TT-07. Who had how much at once, and each block that was left */
TEST_F(tool, map_stacks)
{
	NEEDS_STACKS();
	tool_name = "winregion-map";
	EXPECT_EQ(7, RUN("-k", "-n", "0.1", "-f", "text", "-o", OUT, "--", "@",
			 "stacks"));
	EXPECT_EQ(0, count_in(ERRORS, "events are missing"));
	ONE(", the most of each in KiB, by ");
	HELD_BY("reserved", 384, 384, 2, "keep_reserved");
	HELD_BY("reserved", 704, 704, 1, "reserve_in_thread");
	HELD_BY("committed", 12, 12, 1, "commit_some");
	HELD_BY("committed", 8, 4, 1, "commit_more");
	HELD_BY("reserved", 576, 576, 1, "reserve_in_child");
	HELD_BY("reserved", 320, 0, 1, "give_back");
	HELD_BY("mapped", 448, 448, 1, "map_section");
	EXPECT_TRUE(out_has(2, " reserved            192 #"));
	ONE(" reserved            576 #");
	NONE(" reserved            320 #");
	ONE(" committed             4 #");
}

/* Rules: TT-07. The same for others to read */
TEST_F(tool, map_stacks_as_json)
{
	NEEDS_STACKS();
	tool_name = "winregion-map";
	EXPECT_EQ(7, RUN("-k", "-f", "json", "-o", OUT, "--", "@", "stacks"));
	ONE("\"total\":393216,\"left\":393216,\"calls\":2,\"frames\":[\"");
	ONE("\n{\"kind\":\"reserved\",\"most\":393216,");
	ONE("\"total\":8192,\"left\":4096,\"calls\":1,\"frames\":[\"");
	ONE(",\"reserve_in_child at steps.c:");
	EXPECT_TRUE(out_has(2, ",\"size\":196608,\"stack\":"));
	ONE(",\n\"events_lost\":0,\"stacks\":[\n{");
	/* Of whatever length a name is */
	EXPECT_TRUE(out_has(64, "long_name_"));
	ONE("long_name_ at steps.c:");
}

/* Rules: TT-07. Of a process that runs, until it ends or somebody has had enough */
TEST_F(tool, map_stacks_of_a_process)
{
	char number[16];
	char *words[] = { "-k", "-n0.1", "-ftext", "-o", OUT, number, NULL };
	pid_t pid, tool;
	int go;

	NEEDS_STACKS();
	tool_name = "winregion-map";
	pid = start_idle(&go, number, sizeof(number));
	ASSERT_LT(0, pid);
	tool = start(0, words);
	EXPECT_TRUE(is_followed(tool));
	EXPECT_EQ(0, kill(tool, SIGINT));
	EXPECT_EQ(0, end(tool));
	ONE(", the most of each in KiB, by ");
	ONE("\nnothing was reserved, committed or mapped\n");
	NONE("who has allocated");
	NONE("VirtualAlloc");
	tool = start(0, words);
	EXPECT_TRUE(is_followed(tool));
	ASSERT_EQ(1, write(go, "\n", 1));
	EXPECT_EQ(7, end(pid));
	EXPECT_EQ(0, end(tool));
	HELD_BY("reserved", 384, 384, 2, "allocate_when_told");
	HELD_BY("reserved", 704, 704, 1, "reserve_in_thread");
	HELD_BY("committed", 12, 12, 1, "commit_some");
	HELD_BY("reserved", 576, 576, 1, "reserve_in_child");
	EXPECT_TRUE(out_has(2, " reserved            192 #"));
	close(go);
}

/* Rules: TT-07. Of one process; without it, nothing of it is done. */
TEST_F(tool, map_stacks_refused)
{
	NEEDS_STACKS();
	tool_name = "winregion-map";
	EXPECT_EQ(2, RUN("-k"));
	EXPECT_EQ(2, RUN("-k", "-l"));
	EXPECT_EQ(2, RUN("-k", "-f", "svg", "1"));
	EXPECT_EQ(125, RUN("-k", "-f", "text", "1999999999"));
	EXPECT_EQ(125, RUN_AS_NOBODY("-k", "-f", "text", "1"));
	EXPECT_EQ(2, RUN("-k", "-f", "svg", "--", "@"));
	EXPECT_EQ(127, RUN("-k", "-o", OUT, "--", "/nowhere/at_all"));
	EXPECT_EQ(125, RUN_AS_NOBODY("-k", "--", "/bin/true"));
	EXPECT_EQ(1, count_in(ERRORS, "winregion-map: only root may trace"));
	EXPECT_EQ(0, RUN_AS_NOBODY("--", "/bin/true"));
	EXPECT_EQ(7, RUN("-f", "json", "-o", OUT, "--", "@"));
	NONE("stacks");
}

/* Those that a program has from this one */
static int count_inherited(void)
{
	int nr = 0, fd, flags;

	for (fd = 0; fd < 1024; fd++) {
		flags = fcntl(fd, F_GETFD);
		nr += flags >= 0 && !(flags & FD_CLOEXEC);
	}
	return nr;
}

/* Rules: TT-05. The program has nothing that is not its own. */
TEST_F(tool, descriptors)
{
	EXPECT_EQ(count_inherited(), RUN("-o", OUT, "@", "descriptors"));
	if (HAS_STACKS)
		EXPECT_EQ(count_inherited(),
			  RUN("-k", "-o", OUT, "@", "descriptors"));
}

/* Rules: TT-05. A user by name, by number, and by one that nobody has */
TEST_F(tool, users)
{
	static const char *const users[] = { "nobody", "65534", "12345" };
	static const char *const owners[] = { "65534", "65534", "12345" };
	char script[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(users); i++) {
		snprintf(script, sizeof(script),
			 "[ $(id -u):$(id -g):$(id -G) = %s:%s:%s ]", owners[i],
			 owners[i], owners[i]);
		EXPECT_EQ(0, RUN("-u", (char *)users[i], "-o", OUT, "/bin/sh",
				 "-c", script));
	}
	EXPECT_EQ(2, RUN("-u", "no-such-user", "/bin/true"));
	EXPECT_EQ(2, RUN("-u", "4294967295", "/bin/true"));
	EXPECT_EQ(2, RUN("-u", "-1", "/bin/true"));
	EXPECT_EQ(1, count_in(ERRORS, "no such user: -1"));
}

/* Rules: TT-05. Statuses, and what it says where it cannot */
TEST_F(tool, refusals)
{
	EXPECT_EQ(128 + SIGKILL, RUN("-o", OUT, "@", "kill"));
	EXPECT_EQ(127, RUN("-o", OUT, "/nowhere/at_all"));
	EXPECT_EQ(1, count_in(ERRORS, "/nowhere/at_all: No such file"));
	EXPECT_EQ(126, RUN("-o", OUT, "/tmp"));
	EXPECT_EQ(125, RUN("-p", "1999999999"));
	EXPECT_EQ(2, RUN("-p", "nobody"));
	EXPECT_EQ(2, RUN("-p", "1", "@"));
	EXPECT_EQ(2, RUN("-c"));
	EXPECT_EQ(2, RUN("--no-such-option"));
	EXPECT_EQ(1, count_in(ERRORS, "winregion-trace: unrecognized option"));
	EXPECT_EQ(0, count_in(ERRORS, "/winregion-trace: "));
	EXPECT_EQ(2, RUN("-c", "-t", "@"));
	EXPECT_EQ(1, count_in(ERRORS, "-c tells only sums, so no -t with it"));
	EXPECT_EQ(0, RUN("--version"));
	EXPECT_EQ(125, WITH_STDOUT("/dev/full", RUN("--version")));
	EXPECT_EQ(1, count_in(ERRORS, "cannot write: No space left on device"));
	EXPECT_EQ(125, WITH_STDOUT("/dev/full", RUN("--help")));
	EXPECT_EQ(125, RUN("-p", "1999999999"));
	EXPECT_EQ(1, count_in(ERRORS, "1999999999: No such process"));
	EXPECT_EQ(7, RUN("-o", OUT, "@"));
	ASSERT_EQ(0, chmod(OUT, 0666));
	EXPECT_EQ(125, RUN_AS_NOBODY("-o", OUT, "/bin/true"));
	EXPECT_EQ(1, count_in(ERRORS, "only root may trace: try sudo"));
	ONE(" release(" HERE ", 0, MEM_RELEASE) = 0x10000 <");
}

TEST_HARNESS_MAIN
