/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The n-th of the allocations and user copies that the kernel makes for the
 * calling thread fails: /proc/self/task/TID/fail-nth of a kernel that was built
 * with fault injection.
 *
 * Include it after kselftest_harness.h, common.h and wr_test_util.h.
 */
#ifndef _SELFTESTS_FAIL_NTH_H
#define _SELFTESTS_FAIL_NTH_H

#include <sys/rseq.h>

#define FAIL_DEBUGFS "/sys/kernel/debug/"

static int fail_fd = -1;

/*
 * The C library's restartable sequences: the kernel copies from and to user
 * memory for them whenever it preempts the thread, and kills it if that fails.
 */
static inline void fail_without_rseq(void)
{
#ifdef RSEQ_SIG
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	syscall(SYS_rseq, area, sizeof(struct rseq), RSEQ_FLAG_UNREGISTER,
		RSEQ_SIG);
#endif
}

/* For the calling thread; once more in each child. */
static inline bool fail_open(void)
{
	char path[64];

	fail_without_rseq();
	if (fail_fd >= 0)
		close(fail_fd);
	snprintf(path, sizeof(path), "/proc/self/task/%ld/fail-nth",
		 syscall(SYS_gettid));
	fail_fd = open(path, O_RDWR | O_CLOEXEC);
	return fail_fd >= 0;
}

/* All allocations, also those that may sleep, and without a word in the log */
static inline bool fail_everything(void)
{
	static const struct {
		const char *file;
		const char *value;
	} knobs[] = {
		{ "failslab/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/verbose", "0" },
		{ "fail_usercopy/verbose", "0" },
	};
	char path[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		snprintf(path, sizeof(path), FAIL_DEBUGFS "%s", knobs[i].file);
		if (!write_text(path, knobs[i].value))
			return false;
	}
	return true;
}

static inline bool fail_set(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	return pwrite(fail_fd, text, len, 0) == len;
}

/*
 * No more failures. Return: whether there was one. Asking is itself a call with
 * user copies: if it fails, the count had not run out before.
 */
static inline bool fail_clear(void)
{
	char text[16] = "";
	ssize_t n = pread(fail_fd, text, sizeof(text) - 1, 0);
	int error = errno;

	while (!fail_set(0))
		;
	errno = error;
	return n > 0 && text[0] == '0';
}

/*
 * fork() blocks all signals for a while, and its call that gives them back may be the one
 * that fails, of which it tells nothing. They are not blocked here, nor in the child.
 */
static inline pid_t fail_fork(void)
{
	pid_t pid = fork();
	int error = errno;
	sigset_t none;

	sigemptyset(&none);
	while (sigprocmask(SIG_SETMASK, &none, NULL))
		;
	errno = error;
	return pid;
}

#endif /* _SELFTESTS_FAIL_NTH_H */
