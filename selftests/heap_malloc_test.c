// SPDX-License-Identifier: GPL-2.0
/*
 * Programs of Debian's packages whose malloc() is of the process' heap: git, SQLite's
 * shell, Python and the C compiler do a job each, with the library loaded before them
 * and without, and say the same. At the end of each process its heap is looked at.
 *
 * programs/preload makes the image of a file system that they run in.
 */
/* vm: programs=preload kernels=turn modules=loop,squashfs cpus=2 timeout=900 */
/* vm: arch=amd64 (its programs are of the host) */
#include "kselftest_harness.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common.h"
#include "loop.h"
#include "programs.h"
#include "wr_test_util.h"

#define ROOT "/tmp/wr_heap_malloc"
#define PRELOAD "LD_PRELOAD=/test/libwinregion-heap-malloc.so:/test/proof.so"

/* ---- where they run ---- */

FIXTURE(heap_malloc)
{
	int loop;
};

FIXTURE_SETUP(heap_malloc)
{
	char image[PATH_MAX + 16], device[32];

	self->loop = -1;
	if (!has_driver("squashfs"))
		SKIP(return, "this kernel has not the file system");
	ASSERT_TRUE(find_programs("preload"));
	snprintf(image, sizeof(image), "%s/image", programs);
	umount2(ROOT, MNT_DETACH);
	mkdir(ROOT, 0755);
	self->loop = loop_over(open(image, O_RDWR | O_CLOEXEC), device,
			       sizeof(device));
	ASSERT_LE(0, self->loop);
	ASSERT_EQ(0, mount(device, ROOT, "squashfs", MS_RDONLY, NULL));
	ASSERT_EQ(0, mount("none", ROOT "/tmp", "tmpfs", 0, NULL));
	ASSERT_EQ(0, mount("none", ROOT "/proc", "proc", 0, NULL));
	ASSERT_EQ(0, mount("none", ROOT "/dev", "tmpfs", 0, NULL));
	ASSERT_EQ(0, mknod(ROOT "/dev/null", S_IFCHR | 0666, makedev(1, 3)));
	ASSERT_EQ(0, mknod(ROOT "/dev/urandom", S_IFCHR | 0666, makedev(1, 9)));
}

FIXTURE_TEARDOWN(heap_malloc)
{
	umount2(ROOT, MNT_DETACH);
	ioctl(self->loop, LOOP_CLR_FD);
	close(self->loop);
}

/* The device of the module, as others see it */
static bool make_device(void)
{
	struct stat st;

	return !stat(WR_DEVICE, &st) &&
	       !mknod(ROOT WR_DEVICE, S_IFCHR | 0666, st.st_rdev);
}

/* ---- to run one ---- */

static void set_up(const char *name)
{
	char place[64];
	int fd;

	snprintf(place, sizeof(place), "/tmp/%s", name);
	if (chroot(ROOT) || mkdir(place, 0755) || chdir(place))
		_exit(120);
	fd = open("../said", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(121);
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	if (dup2(fd, STDIN_FILENO) < 0)
		_exit(122);
}

/*
 * Run the program in a directory of its own, /tmp/@name, with the library or without;
 * all that it says is in ROOT/tmp/said. Return: its exit status, or -signal
 */
static int run(const char *name, bool with, char *const argv[])
{
	char *const plain[] = { "PATH=/usr/bin:/bin", NULL };
	char *const loaded[] = { "PATH=/usr/bin:/bin", PRELOAD,
				 "LD_LIBRARY_PATH=/test", "PROOF=/tmp/proof",
				 NULL };
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		set_up(name);
		execve(argv[0], argv, with ? loaded : plain);
		_exit(123);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1000;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* All of the file, or NULL; it is freed. */
static char *contents(const char *name)
{
	FILE *file = fopen(name, "r");
	char *text = NULL;
	size_t length;

	if (!file)
		return NULL;
	if (getdelim(&text, &(size_t){ 0 }, EOF, file) < 0)
		length = 0;
	else
		length = strlen(text);
	fclose(file);
	return length ? text : NULL;
}

/* Lines of what processes have left about their heaps */
struct proof {
	/* of the program that is looked for, and of all */
	int own;
	int all;
	/* with less in the heap than a program that does nothing else has */
	int bad;
	/* The most bytes that one of them had allocated */
	size_t most;
};

static struct proof look_at_proof(const char *program)
{
	size_t blocks, bytes, committed;
	struct proof proof = { 0 };
	char line[256], name[64];
	FILE *file = fopen(ROOT "/tmp/proof", "r");

	while (file && fgets(line, sizeof(line), file)) {
		proof.all++;
		if (sscanf(line, "%63s %zu %zu %zu", name, &blocks, &bytes,
			   &committed) != 4 ||
		    !blocks || !bytes || committed < bytes) {
			printf("# %s", line);
			proof.bad++;
			continue;
		}
		proof.own += !strncmp(name, program, strlen(program));
		if (bytes > proof.most)
			proof.most = bytes;
	}
	if (file)
		fclose(file);
	return proof;
}

/* ---- jobs ---- */

/* Its directory is as if it had never run. */
static bool forget(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s/tmp/%s", ROOT, name);
	return !system(command);
}

/* Return: what /bin/sh says that does the job @name, or NULL if that fails */
static char *text_of_job(const char *name, bool with)
{
	char path[64], *const argv[] = { "/bin/sh", "-e", path, NULL };
	uint64_t begun = now_ms();
	int status;
	char *text;

	snprintf(path, sizeof(path), "/test/jobs/%s", name);
	status = run(name, with, argv);
	text = contents(ROOT "/tmp/said");
	printf("# %s %s: status %d, %zu bytes, %llu ms\n", name,
	       with ? "with the library" : "without", status,
	       text ? strlen(text) : 0, (unsigned long long)(now_ms() - begun));
	if (!status && forget(name))
		return text;
	printf("# %.900s\n", text ? text : "");
	free(text);
	return NULL;
}

/*
 * Do the job @name, with the library and without. Of @program there are at least so
 * many @processes, and at the end of one of them @most bytes or more are in blocks.
 * Return: whether all is as it should be, which is told where it is not
 */
static bool do_job(const char *name, const char *program, int processes,
		   size_t most)
{
	char *plain = text_of_job(name, false);
	char *loaded = text_of_job(name, true);
	struct proof proof = look_at_proof(program);
	bool same = plain && loaded && strlen(plain) > 300 &&
		    !strcmp(plain, loaded);

	free(plain);
	free(loaded);
	printf("# %d processes, %d of %s; %zu bytes at most\n", proof.all,
	       proof.own, program, proof.most);
	return same && !proof.bad && proof.own >= processes &&
	       proof.most >= most;
}

/* Rules: HP-60 */
TEST_F_TIMEOUT(heap_malloc, git, 120)
{
	ASSERT_TRUE(make_device());
	EXPECT_TRUE(do_job("git", "git", 20, KIB(100)));
}

/* Rules: HP-60 */
TEST_F_TIMEOUT(heap_malloc, sqlite3, 120)
{
	ASSERT_TRUE(make_device());
	EXPECT_TRUE(do_job("sqlite3", "sqlite3", 1, KIB(1)));
}

/* Rules: HP-60 */
TEST_F_TIMEOUT(heap_malloc, python3, 120)
{
	ASSERT_TRUE(make_device());
	EXPECT_TRUE(do_job("python3", "python3", 3, KIB(10)));
}

/* Rules: HP-60 */
TEST_F_TIMEOUT(heap_malloc, gcc, 120)
{
	ASSERT_TRUE(make_device());
	EXPECT_TRUE(do_job("gcc", "cc1", 2, KIB(100)));
}

/* ---- each call ---- */

/* Rules: HP-60, HP-61. Without the library, this program is the C library's own test. */
TEST_F(heap_malloc, calls)
{
	char *const argv[] = { "/test/calls", NULL };
	struct proof proof;
	char *text;
	int with;

	ASSERT_TRUE(make_device());
	for (with = 0; with < 2; with++) {
		EXPECT_EQ(0, run("calls", with, argv));
		text = contents(ROOT "/tmp/said");
		EXPECT_STREQ("all is right\n", text ? text : "");
		free(text);
		EXPECT_TRUE(forget("calls"));
	}
	proof = look_at_proof("calls");
	EXPECT_EQ(1, proof.own);
	EXPECT_EQ(0, proof.bad);
}

/* Rules: HP-62. A block that is none, or is broken, is the end of a program. */
TEST_F(heap_malloc, wrong_calls)
{
	static char *const wrong[] = { "twice", "beyond", "foreign" };
	unsigned int i;
	char *text;

	ASSERT_TRUE(make_device());
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		char *const argv[] = { "/test/calls", wrong[i], NULL };

		EXPECT_EQ(-SIGABRT, run("calls", true, argv));
		text = contents(ROOT "/tmp/said");
		EXPECT_TRUE(text && strstr(text, "free(): 0x") &&
			    strstr(text, "is no block"));
		free(text);
		EXPECT_TRUE(forget("calls"));
	}
}

/* Rules: HP-63. It says so once, and the blocks are the C library's. */
TEST_F(heap_malloc, without_device)
{
	char *const argv[] = { "/test/calls", NULL };
	struct proof proof;
	char *text, *said;

	EXPECT_EQ(0, run("calls", true, argv));
	text = contents(ROOT "/tmp/said");
	ASSERT_NE(NULL, text);
	said = strstr(text, "libwinregion-heap-malloc: ");
	ASSERT_NE(NULL, said);
	EXPECT_EQ(NULL, strstr(said + 1, "libwinregion-heap-malloc: "));
	EXPECT_NE(NULL, strstr(text, "all is right\n"));
	free(text);
	proof = look_at_proof("calls");
	EXPECT_EQ(0, proof.own);
	EXPECT_EQ(1, proof.bad);
}

TEST_HARNESS_MAIN
