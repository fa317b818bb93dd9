// SPDX-License-Identifier: GPL-2.0
/*
 * What the Windows memory calls say of views, which are made here by the ioctls
 * themselves.
 */
#include "kselftest_harness.h"

#include <winregion/windows.h>

#include "common.h"
#include "wr_test_util.h"
#include "sections.h"

#define UNIT 0x10000UL

FIXTURE(view)
{
	int fd;
	int file;
	int section;
	char *whole;
	char *readonly;
	char *none;
};

FIXTURE_VARIANT(view)
{
	bool file;
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(view, memory)
{
	.file = false,
};

FIXTURE_VARIANT_ADD(view, reserved)
{
	.flags = WINREGION_SECTION_RESERVE,
};

FIXTURE_VARIANT_ADD(view, file)
{
	.file = true,
};

FIXTURE_SETUP(view)
{
	self->file = -1;
	self->fd = wr_open();
	ASSERT_LE(0, self->fd);
	if (variant->file) {
		self->file = memfd_create("view", MFD_CLOEXEC);
		ASSERT_EQ(0, ftruncate(self->file, UNIT));
	}
	self->section = sec_create(self->fd, self->file, UNIT, variant->flags,
				   RW);
	ASSERT_LE(0, self->section);
	ASSERT_EQ(0, sec_map(self->section, 0, 0, RW, &self->whole));
	ASSERT_EQ(0, sec_map(self->section, 0, 0, RO, &self->readonly));
	ASSERT_EQ(0, sec_map(self->section, 0, 0, NA, &self->none));
}

FIXTURE_TEARDOWN(view)
{
	sec_unmap(self->fd, self->whole);
	sec_unmap(self->fd, self->readonly);
	sec_unmap(self->fd, self->none);
	close(self->section);
	close(self->file);
	close(self->fd);
}

#define FAILS(error, call) do {						\
	SetLastError(0);						\
	EXPECT_FALSE(call);						\
	EXPECT_EQ(error, GetLastError());				\
} while (0)

/* Rules: VV-02, VV-09. */
TEST_F(view, protect_beyond)
{
	DWORD old;

	FAILS(ERROR_INVALID_PARAMETER,
	      VirtualProtect(self->readonly, 4096, PAGE_READWRITE, &old));
	FAILS(ERROR_INVALID_PARAMETER,
	      VirtualProtect(self->none, 4096, PAGE_READONLY, &old));
	if (variant->flags)
		FAILS(ERROR_INVALID_ADDRESS,
		      VirtualProtect(self->whole, 4096, PAGE_READONLY, &old));
	else
		EXPECT_TRUE(VirtualProtect(self->readonly, 4096, PAGE_NOACCESS,
					   &old));
}

/* Rules: VC-01, VC-03, VC-04, VC-05. */
TEST_F(view, allocate)
{
	if (variant->file) {
		FAILS(ERROR_ACCESS_DENIED,
		      VirtualAlloc(self->whole, 4096, MEM_COMMIT,
				   PAGE_READWRITE));
	} else {
		EXPECT_EQ(self->whole,
			  VirtualAlloc(self->whole, 4096, MEM_COMMIT,
				       PAGE_READWRITE));
		FAILS(ERROR_INVALID_PARAMETER,
		      VirtualAlloc(self->readonly, 4096, MEM_COMMIT,
				   PAGE_READWRITE));
	}
	FAILS(ERROR_INVALID_ADDRESS,
	      VirtualAlloc(self->whole + UNIT - 4096, 8192, MEM_COMMIT,
			   PAGE_READWRITE));
	FAILS(ERROR_INVALID_ADDRESS,
	      VirtualAlloc(self->whole, 4096, MEM_RESERVE, PAGE_READWRITE));
}

/* Rules: P-13. The views are as they were. */
TEST_F(view, uncached)
{
	const DWORD error = variant->file ? ERROR_ACCESS_DENIED :
					    ERROR_INVALID_PARAMETER;
	static const DWORD bits[] = { PAGE_NOCACHE, PAGE_WRITECOMBINE };
	MEMORY_BASIC_INFORMATION before, after;
	unsigned int i;

	VirtualQuery(self->whole, &before, sizeof(before));
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		FAILS(error, VirtualAlloc(self->whole, 4096, MEM_COMMIT,
					  PAGE_READWRITE | bits[i]));
		FAILS(error, VirtualAlloc(self->whole, 4096, MEM_COMMIT,
					  PAGE_READONLY | bits[i]));
	}
	VirtualQuery(self->whole, &after, sizeof(after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
}

/* Rules: VF-14, SR-06. */
TEST_F(view, free)
{
	FAILS(ERROR_INVALID_PARAMETER, VirtualFree(self->whole, 0, MEM_RELEASE));
	FAILS(ERROR_INVALID_PARAMETER,
	      VirtualFree(self->whole, 4096, MEM_DECOMMIT));
	FAILS(ERROR_INVALID_PARAMETER,
	      VirtualFree(self->whole, 0, MEM_DECOMMIT));
}

TEST_HARNESS_MAIN
