// SPDX-License-Identifier: GPL-2.0
/*
 * The examples for bpftrace in winregion-trace.1: each runs as it stands there, and finds
 * what a program does.
 */
/* vm: programs=oneliners kernels=one mem=3G timeout=900 */
/* vm: arch=amd64 (bpftrace is of the host) */
#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common.h"
#include "programs.h"

#define BPFTRACE "/usr/bin/bpftrace"
#define OUT "/tmp/wr_oneliner"

FIXTURE(oneliner)
{
	char text[8192];
};

FIXTURE_SETUP(oneliner)
{
	if (geteuid())
		SKIP(return, "only root may trace");
	if (syscall(SYS_bpf, -1, NULL, 0) < 0 && errno == ENOSYS)
		SKIP(return, "this kernel was built without BPF");
	ASSERT_TRUE(find_programs("oneliners"));
	memset(self->text, 0, sizeof(self->text));
}

FIXTURE_TEARDOWN(oneliner)
{
	unlink(OUT);
}

static void run(const char *script, const char *command)
{
	int out = open(OUT, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execl(BPFTRACE, BPFTRACE, "-c", command, script, NULL);
	_exit(99);
}

/* Of the page's example @nr, while the program runs: what it prints, or an empty text */
static void run_oneliner(char *text, size_t size, int nr, const char *word)
{
	char script[PATH_MAX + 32], command[PATH_MAX + 32];
	int file, status;
	pid_t pid;

	snprintf(script, sizeof(script), "%s/oneliner_%d", programs, nr);
	snprintf(command, sizeof(command), "%s/trace_steps %s", programs,
		 word);
	fflush(NULL);
	pid = fork();
	if (!pid)
		run(script, command);
	waitpid(pid, &status, 0);
	file = open(OUT, O_RDONLY | O_CLOEXEC);
	if (read(file, text, size - 1) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status)) {
		fprintf(stderr, "# status %#x: %s\n", status, text);
		*text = '\0';
	}
	close(file);
}

/* Rules: TR-07. How much each program commits */
TEST_F_TIMEOUT(oneliner, commits, 60)
{
	run_oneliner(self->text, sizeof(self->text), 1, "");
	EXPECT_TRUE(strstr(self->text, "@[trace_steps]: 4096\n"));
}

/* Rules: TR-07. Where accesses are refused, and why: 1 is WINREGION_FAULT_RESERVED. */
TEST_F_TIMEOUT(oneliner, refused, 60)
{
	run_oneliner(self->text, sizeof(self->text), 2, "fault");
	EXPECT_TRUE(strstr(self->text, ", 1]: 1\n"));
}

/* Rules: TR-07. There is no other one. */
TEST_F(oneliner, all_of_them)
{
	char script[PATH_MAX + 32];

	snprintf(script, sizeof(script), "%s/oneliner_3", programs);
	EXPECT_EQ(-1, access(script, F_OK));
}

TEST_HARNESS_MAIN
