// SPDX-License-Identifier: GPL-2.0
/*
 * The parser of files of programs and libraries for Windows: good ones, bad ones, and
 * ones that are damaged at random. It needs no module.
 */
#include "kselftest_harness.h"

#include <sys/mman.h>

#include "common.h"
#include "pe_file.h"
#include "pe_walk.h"
#include "rounds.h"

#define BASE 0x180000000ULL

/* Where the sections of the test's file begin */
#define CODE 0x1000
#define VALUES 0x2000
#define EDATA 0x4000
#define RSRC 0x5000
#define RELOC 0x6000

FIXTURE(pe)
{
	struct pe_file file;
	/* A copy whose last byte is in front of a page that is not there */
	uint8_t *end;
};

FIXTURE_VARIANT(pe)
{
	int wide;
};

FIXTURE_VARIANT_ADD(pe, of_64_bits)
{
	.wide = 1,
};

FIXTURE_VARIANT_ADD(pe, of_32_bits)
{
	.wide = 0,
};

static void make_file(struct pe_file *file, int wide)
{
	const uint16_t places[] = { wide ? 0xA008 : 0x3008,
				    wide ? 0xAFF8 : 0x3FFC, 0 };
	uint8_t data[1024];
	uint32_t size;

	pe_begin(file, wide, wide ? BASE : 0x10000000);
	pe_section(file, ".text", "\xc3", 1, 0x10, PE_CODE);
	pe_section(file, ".data", "data", 4, 0x1800, PE_DATA);
	size = pe_exports(data, EDATA, CODE, VALUES);
	pe_section(file, ".edata", data, size, size, PE_CONST);
	pe_directory(file, 0, EDATA, size);
	size = pe_resources(data, RSRC);
	pe_section(file, ".rsrc", data, size, size, PE_CONST);
	pe_directory(file, 2, RSRC, size);
	size = pe_relocations(data, VALUES, places, 2);
	pe_section(file, ".reloc", data, size, size, PE_CONST);
	pe_directory(file, 5, RELOC, size);
}

FIXTURE_SETUP(pe)
{
	char *room = mmap(NULL, PE_MAX + 0x1000, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, room);
	ASSERT_EQ(0, mprotect(room + PE_MAX, 0x1000, PROT_NONE));
	self->end = (uint8_t *)room + PE_MAX;
	make_file(&self->file, variant->wide);
}

FIXTURE_TEARDOWN(pe)
{
}

/* The first @size bytes of the file, where no more can be read */
static uint8_t *copy(FIXTURE_DATA(pe) *self, size_t size)
{
	return memcpy(self->end - size, self->file.bytes, size);
}

static NTSTATUS read_all(FIXTURE_DATA(pe) *self, struct wr_pe *pe)
{
	size_t size = self->file.size;

	return wr_pe_read(copy(self, size), size, false, pe);
}

/* What the parser says of the file: that it cannot be read, or made an image */
static NTSTATUS judge(FIXTURE_DATA(pe) *self)
{
	struct wr_pe pe;
	NTSTATUS status = read_all(self, &pe);

	return status == STATUS_SUCCESS ? wr_pe_check(&pe) : status;
}

/* Rules: PE-01. */
TEST_F(pe, headers_are_read)
{
	struct wr_pe pe;

	ASSERT_EQ(STATUS_SUCCESS, read_all(self, &pe));
	EXPECT_EQ(variant->wide, pe.wide);
	EXPECT_EQ(variant->wide ? WR_PE_WIDE : WR_PE_I386, pe.machine);
	EXPECT_EQ(variant->wide ? BASE : 0x10000000, pe.base);
	EXPECT_EQ(0x7000, pe.image_size);
	EXPECT_EQ(0x400, pe.headers_size);
	EXPECT_EQ(0x2002, pe.flags);
	EXPECT_EQ(6, pe.subsystem_version[0]);
	EXPECT_EQ(3, pe.subsystem);
	ASSERT_EQ(5, pe.nr_sections);
	EXPECT_EQ(16, pe.nr_directories);
	EXPECT_EQ(VALUES, pe.sections[1].address);
	EXPECT_EQ(0x1800, pe.sections[1].size);
	EXPECT_EQ(0x200, pe.sections[1].bytes);
	EXPECT_EQ(0x600, pe.sections[1].offset);
	EXPECT_EQ(PE_DATA, pe.sections[1].flags);
	EXPECT_EQ(EDATA, wr_pe_end(&pe, &pe.sections[1]));
	EXPECT_EQ(STATUS_SUCCESS, wr_pe_check(&pe));
	EXPECT_EQ('d', *wr_pe_at(&pe, VALUES, 4));
	EXPECT_EQ(NULL, wr_pe_at(&pe, VALUES + 0x1FF, 2));
	EXPECT_EQ(NULL, wr_pe_at(&pe, VALUES + 0x1000, 1));
	EXPECT_EQ(NULL, wr_pe_at(&pe, UINT64_MAX, 2));
}

/* One value of the file changed, and what that is */
struct damage {
	size_t at;
	uint32_t value;
	unsigned int bytes;
	NTSTATUS status;
};

static NTSTATUS judge_damaged(FIXTURE_DATA(pe) *self,
			      const struct damage *damage)
{
	struct pe_file good = self->file;
	NTSTATUS status;

	memcpy(self->file.bytes + damage->at, &damage->value, damage->bytes);
	status = judge(self);
	self->file = good;
	return status;
}

/* Rules: PE-02, PE-03. */
TEST_F(pe, bad_headers)
{
	const NTSTATUS none = STATUS_INVALID_IMAGE_NOT_MZ;
	const NTSTATUS bad = STATUS_INVALID_IMAGE_FORMAT;
	const size_t first = pe_at_section(&self->file, 0);
	const size_t second = pe_at_section(&self->file, 1);
	const size_t last = pe_at_section(&self->file, 4);
	const struct damage damages[] = {
		{ 0, 'M' << 8 | 'Z', 2, none },
		{ 0x3C, 0xFFFFFFFF, 4, bad },
		{ 0x3C, PE_MAX, 4, bad },
		{ PE_AT_HEADER, 'N' | 'E' << 8, 4, bad },
		{ PE_AT_HEADER + 4, 0x1C0, 2, bad },
		{ PE_AT_HEADER + 4, variant->wide ? 0x14C : PE_WIDE, 2, bad },
		{ PE_AT_HEADER + 4, PE_FOREIGN, 2, bad },
		{ PE_AT_HEADER + 6, 97, 2, bad },
		{ PE_AT_HEADER + 6, 0xFFFF, 2, bad },
		{ PE_AT_HEADER + 20, 0, 2, bad },
		{ PE_AT_HEADER + 20, 0xFFFF, 2, bad },
		{ PE_AT_FLAGS, 0x2000, 2, bad },
		{ PE_AT_OPTIONAL, 0x107, 2, bad },
		{ PE_AT_OPTIONAL + 16, 0x7000, 4, bad },
		{ PE_AT_OPTIONAL + (variant->wide ? 24 : 28), 0x1000, 4, bad },
		{ PE_AT_OPTIONAL + 32, 0, 4, bad },
		{ PE_AT_OPTIONAL + 32, 0x3000, 4, bad },
		{ PE_AT_OPTIONAL + 32, 0x200, 4, bad },
		{ PE_AT_OPTIONAL + 36, 0x300, 4, bad },
		{ PE_AT_OPTIONAL + 36, 0x100, 4, bad },
		{ PE_AT_OPTIONAL + 36, 0x2000, 4, bad },
		{ PE_AT_OPTIONAL + 56, 0, 4, bad },
		{ PE_AT_OPTIONAL + 56, 0x6000, 4, bad },
		{ PE_AT_OPTIONAL + 56, 0x80000000, 4, bad },
		{ PE_AT_OPTIONAL + 60, 0, 4, bad },
		{ PE_AT_OPTIONAL + 60, 0x8000, 4, bad },
		{ first + 8, 0x1001, 4, bad },
		{ first + 8, 0xFFFFFFFF, 4, bad },
		{ first + 12, 0, 4, bad },
		{ first + 12, 0x1001, 4, bad },
		{ second + 12, 0x3000, 4, bad },
		{ second + 12, 0x1000, 4, bad },
		{ second + 16, 0xFFFFFFFF, 4, bad },
		{ second + 20, 0xFFFFFFFF, 4, bad },
		{ last + 20, 0x1000, 4, bad },
		{ last + 8, 0x1001, 4, bad },
		/* What is good, too */
		{ PE_AT_HEADER + 8, 0xFFFFFFFF, 4, STATUS_SUCCESS },
		{ PE_AT_OPTIONAL + 56, 0x8000, 4, STATUS_SUCCESS },
		{ PE_AT_OPTIONAL + 56, 0x6001, 4, STATUS_SUCCESS },
		{ second + 8, 0x1001, 4, STATUS_SUCCESS },
		{ second + 20, 0, 4, STATUS_SUCCESS },
		{ pe_at_directories(&self->file) - 4, 0, 4, STATUS_SUCCESS },
		{ pe_at_directories(&self->file) - 4, 0xFFFFFFFF, 4,
		  STATUS_SUCCESS },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(damages); i++) {
		EXPECT_EQ(damages[i].status,
			  judge_damaged(self, &damages[i])) {
			TH_LOG("damage %zu", i);
		}
	}
	EXPECT_EQ(STATUS_SUCCESS, judge(self));
}

/* Rules: PE-03. */
TEST_F(pe, files_that_end_too_early)
{
	size_t size, read = 0, whole = 0;
	struct wr_pe pe;

	for (size = 0; size <= self->file.size; size++) {
		uint8_t *at = copy(self, size);

		pe_look(at, size, false);
		pe_look(at, size, true);
		if (wr_pe_read(at, size, false, &pe) != STATUS_SUCCESS)
			continue;
		if (!read)
			read = size;
		if (!whole && wr_pe_check(&pe) == STATUS_SUCCESS)
			whole = size;
	}
	EXPECT_EQ(pe_at_section(&self->file, 5), read);
	EXPECT_EQ(self->file.size, whole);
}

/* All else than what is there for good is read as it is. Rules: PE-04. */
TEST_F(pe, damaged_at_random)
{
	unsigned int i, seed = 1;
	long round;
	struct pe_file good = self->file;

	for (round = 0; round < rounds(pe_damaged); round++) {
		for (i = 0; i <= round % 4; i++) {
			size_t at = rand_r(&seed) % good.size;

			/* Most of it in the headers */
			if (round % 8)
				at %= pe_at_section(&good, 5);
			self->file.bytes[at] = rand_r(&seed);
		}
		pe_look(copy(self, good.size), good.size, false);
		pe_look(copy(self, good.size), good.size, true);
		self->file = good;
	}
}

/* Rules: PE-05. */
TEST_F(pe, functions_by_name)
{
	struct wr_pe_export found;
	struct wr_pe pe;

	ASSERT_EQ(STATUS_SUCCESS, read_all(self, &pe));
	ASSERT_TRUE(wr_pe_find_export(&pe, "alpha", 0, &found));
	EXPECT_EQ(CODE, found.address);
	EXPECT_EQ(NULL, found.forward);
	ASSERT_TRUE(wr_pe_find_export(&pe, "beta", 0, &found));
	EXPECT_EQ(VALUES, found.address);
	ASSERT_TRUE(wr_pe_find_export(&pe, "gamma", 0, &found));
	EXPECT_STREQ("other.function", found.forward);
	EXPECT_EQ(strlen("other.function"), found.forward_size);
	ASSERT_TRUE(wr_pe_find_export(&pe, NULL, 7, &found));
	EXPECT_EQ(CODE, found.address);
	EXPECT_TRUE(wr_pe_find_export(&pe, NULL, 10, &found));
	EXPECT_FALSE(wr_pe_find_export(&pe, NULL, 9, &found));
	EXPECT_FALSE(wr_pe_find_export(&pe, NULL, 6, &found));
	EXPECT_FALSE(wr_pe_find_export(&pe, NULL, 11, &found));
	EXPECT_FALSE(wr_pe_find_export(&pe, "", 0, &found));
	EXPECT_FALSE(wr_pe_find_export(&pe, "alph", 0, &found));
	EXPECT_FALSE(wr_pe_find_export(&pe, "alphab", 0, &found));
	EXPECT_FALSE(wr_pe_find_export(&pe, "zeta", 0, &found));
}

struct places {
	unsigned int nr;
	uint32_t address[4];
	unsigned int type[4];
};

static bool note(void *arg, uint32_t address, unsigned int type)
{
	struct places *places = arg;

	if (places->nr == 4)
		return false;
	places->address[places->nr] = address;
	places->type[places->nr++] = type;
	return true;
}

/* Rules: PE-06. */
TEST_F(pe, places_to_relocate)
{
	const unsigned int type = variant->wide ? WR_PE_REL_DIR64 :
						  WR_PE_REL_HIGHLOW;
	struct places places = { .nr = 0 };
	struct wr_pe pe;

	ASSERT_EQ(STATUS_SUCCESS, read_all(self, &pe));
	EXPECT_TRUE(wr_pe_each_relocation(&pe, note, &places));
	ASSERT_EQ(2, places.nr);
	EXPECT_EQ(VALUES + 8, places.address[0]);
	EXPECT_EQ(type, places.type[0]);
	EXPECT_EQ(VALUES + (variant->wide ? 0xFF8 : 0xFFC), places.address[1]);
	/* A place behind the image, and a type that there is not */
	pe.image_size = VALUES + 8;
	EXPECT_FALSE(wr_pe_each_relocation(&pe, note, &places));
	ASSERT_EQ(STATUS_SUCCESS, read_all(self, &pe));
	*(uint8_t *)wr_pe_at(&pe, RELOC + 9, 1) = 0x50;
	EXPECT_FALSE(wr_pe_each_relocation(&pe, note, &places));
}

TEST_HARNESS_MAIN
