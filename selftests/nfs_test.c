// SPDX-License-Identifier: GPL-2.0
/*
 * Views of files of NFS, by a server and a client in one machine: what is written
 * reaches the server, whoever has closed the file before.
 */
/* vm: modules=nfsd,nfsv4 timeout=300 */
#include "kselftest_harness.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "common.h"
#include "wr_test_util.h"
#include "sections.h"

#define EXPORTED "/tmp/wr_exported"
#define MOUNTED "/tmp/wr_nfs"
#define CONTROL "/proc/fs/nfsd"
#define SIZE 65536
#define FOR_EVER "2147483647"

static bool bring_up_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool done;

	request.ifr_flags = IFF_UP | IFF_RUNNING;
	done = fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	return done;
}

/* What programs of the system tell the server when it asks: who may have what. */
static int tell_server(void)
{
	CHECK(write_text("/proc/net/rpc/auth.unix.ip/channel",
			 "nfsd 127.0.0.1 " FOR_EVER " here\n"));
	CHECK(write_text("/proc/net/rpc/nfsd.export/channel",
			 "here " EXPORTED " " FOR_EVER " 9234 65534 65534 0\n"));
	CHECK(write_text("/proc/net/rpc/nfsd.fh/channel",
			 "here 1 \\x00000000 " FOR_EVER " " EXPORTED "\n"));
	return 0;
}

static int serve(void)
{
	mkdir(EXPORTED, 0777);
	CHECK(bring_up_loopback());
	CHECK(!mount("none", EXPORTED, "tmpfs", 0, "mode=777"));
	CHECK(!mount("nfsd", CONTROL, "nfsd", 0, NULL));
	CHECK(write_text(CONTROL "/versions", "-3\n"));
	CHECK(write_text(CONTROL "/versions", "+4\n"));
	CHECK(write_text(CONTROL "/versions", "+4.1\n"));
	CHECK(write_text(CONTROL "/nfsv4gracetime", "10\n"));
	CHECK(!tell_server());
	CHECK(write_text(CONTROL "/portlist", "tcp 2049\n"));
	CHECK(write_text(CONTROL "/threads", "2\n"));
	return 0;
}

static int use(void)
{
	mkdir(MOUNTED, 0777);
	CHECK(!mount("127.0.0.1:/", MOUNTED, "nfs4", 0,
		     "addr=127.0.0.1,clientaddr=127.0.0.1,vers=4.1,proto=tcp,sec=sys"));
	return 0;
}

enum how {
	MMAP,
	VIEW,
	TRACKED, /* each page is asked for */
	NR_WAYS,
};

static const char *const names[] = { "mmap", "view", "tracked" };

FIXTURE(nfs) {
	int fd;
};

FIXTURE_SETUP(nfs)
{
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	/* Kernels that check everything are built without. */
	if (getenv("KSFT_SLOWDOWN") && !has_driver("nfsd"))
		SKIP(return, "no NFS here");
	ASSERT_EQ(0, serve());
	ASSERT_EQ(0, use());
}

FIXTURE_TEARDOWN(nfs)
{
	EXPECT_TRUE(SETTLES(!umount(MOUNTED)));
	EXPECT_TRUE(write_text(CONTROL "/threads", "0\n"));
	umount(CONTROL);
	EXPECT_TRUE(SETTLES(!umount(EXPORTED)));
}

struct writer {
	int fd;
	enum how how;
};

/* It maps a file, closes it, writes, and leaves nothing. */
static int write_and_leave(void *arg)
{
	struct writer *writer = arg;
	char path[64], *base;
	int file, section;

	snprintf(path, sizeof(path), MOUNTED "/%s", names[writer->how]);
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	CHECK(file >= 0 && !ftruncate(file, SIZE) && !fsync(file));
	if (writer->how == MMAP) {
		base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			    file, 0);
		CHECK(base != MAP_FAILED);
		close(file);
		fill_pages(base, SIZE / 4096, 1);
		return 0;
	}
	section = sec_create(writer->fd, file, 0, 0, RW);
	CHECK(section >= 0);
	close(file);
	CHECK(!sec_map(section, 0, 0, RW, &base));
	if (writer->how == TRACKED)
		CHECK(!wr_protect(writer->fd, base + 8192, 4096, NA) &&
		      !wr_protect(writer->fd, base + 8192, 4096, RW));
	fill_pages(base, SIZE / 4096, 1);
	CHECK(!sec_unmap(writer->fd, base));
	close(section);
	return 0;
}

static int sync_all(void *arg)
{
	int dir = open(MOUNTED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(dir >= 0 && !syncfs(dir));
	return 0;
}

static bool server_has(const char *name)
{
	static char data[SIZE];
	char path[64];
	int file;
	bool has;

	snprintf(path, sizeof(path), EXPORTED "/%s", name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	has = pread(file, data, SIZE, 0) == SIZE;
	close(file);
	return has && pages_have(data, SIZE / 4096, 1);
}

/*
 * The server lets nobody write who has no file open to write, and a view's is open for
 * reading: so a section has all written while there is one. Rules: FV-01; hazard V36.
 */
TEST_F_TIMEOUT(nfs, written_in_the_end, 120)
{
	struct writer writer = { .fd = self->fd };
	struct child child;

	for (; writer.how < NR_WAYS; writer.how++) {
		ASSERT_EQ(0, in_child(write_and_leave, &writer));
		child = start_child(sync_all, NULL);
		EXPECT_TRUE(SETTLES(server_has(names[writer.how])))
			TH_LOG("%s", names[writer.how]);
		EXPECT_TRUE(SETTLES(waitpid(child.pid, NULL, WNOHANG)));
		kill(child.pid, SIGKILL);
	}
}

TEST_HARNESS_MAIN
