// SPDX-License-Identifier: GPL-2.0
/*
 * Which page protections there are, and what they allow (rules P-*).
 */
#include "kselftest_harness.h"

#include "region_fixture.h"

static const struct {
	DWORD value;
	bool read;
	bool write;
	bool exec;
} protections[] = {
	{ PAGE_NOACCESS, false, false, false },
	{ PAGE_READONLY, true, false, false },
	{ PAGE_READWRITE, true, true, false },
	/* What may be executed may be read on some processors. */
	{ PAGE_EXECUTE, true, false, true },
	{ PAGE_EXECUTE_READ, true, false, true },
	{ PAGE_EXECUTE_READWRITE, true, true, true },
};

/* Those that pages can have: without code, the last three are not. */
static size_t nr_protections(void)
{
	return ARRAY_SIZE(protections) - (code_is_refused() ? 3 : 0);
}

static bool is_code(DWORD value)
{
	return value == PAGE_EXECUTE || value == PAGE_EXECUTE_READ ||
	       value == PAGE_EXECUTE_READWRITE;
}

static bool is_base_value(DWORD value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(protections); i++)
		if (protections[i].value == value)
			return true;
	return false;
}

/* Reads, writes and calls at @address go as protections[@i] says. */
#define EXPECT_ACCESS(address, i) do {					\
	if (protections[i].value != PAGE_EXECUTE) {			\
		EXPECT_EQ(protections[i].read, try_read(address));	\
	}								\
	if (protections[i].write) {					\
		EXPECT_TRUE(try_write_byte(address, *(address)));	\
	} else {							\
		EXPECT_FALSE(try_write(address));			\
	}								\
	EXPECT_EQ(protections[i].exec, try_exec(address));		\
} while (0)

/* Rules: P-01 */
TEST_F(region, six_values_can_be_reserved)
{
	char *base;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(protections); i++) {
		base = VirtualAlloc(NULL, self->size, MEM_RESERVE,
				    protections[i].value);
		ASSERT_NE(NULL, base);
		EXPECT_RESERVED(base, self->size, base, protections[i].value);
		EXPECT_FALSE(try_read(base));
		EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	}
}

/* Rules: P-01 */
TEST_F(region, six_values_can_be_committed)
{
	char *page;
	size_t i;

	for (i = 0; i < nr_protections(); i++) {
		page = self->base + 2 * i * PAGE;
		COMMIT(2 * i * PAGE, PAGE, PAGE_READWRITE);
		write_code(page);
		COMMIT(2 * i * PAGE, PAGE, protections[i].value);
	}
	for (i = 0; i < nr_protections(); i++) {
		page = self->base + 2 * i * PAGE;
		REGION_COMMITTED(2 * i * PAGE, PAGE, protections[i].value);
		EXPECT_ACCESS(page, i);
	}
}

/* Rules: P-01 */
TEST_F(region, six_values_can_be_committed_fresh)
{
	size_t i;

	for (i = 0; i < nr_protections(); i++) {
		COMMIT(2 * i * PAGE, PAGE, protections[i].value);
		REGION_COMMITTED(2 * i * PAGE, PAGE, protections[i].value);
	}
	for (i = 0; i < nr_protections(); i++) {
		if (protections[i].value != PAGE_EXECUTE) {
			EXPECT_EQ(protections[i].read,
				  try_read(self->base + 2 * i * PAGE));
		}
		EXPECT_EQ(protections[i].write,
			  try_write(self->base + 2 * i * PAGE));
	}
}

/* Rules: P-01 */
TEST_F(region, six_values_can_be_set_from_each_other)
{
	size_t i, j, size;
	DWORD old;

	COMMIT(0, 3 * PAGE, PAGE_READWRITE);
	write_code(self->base + PAGE);
	for (i = 0; i < nr_protections(); i++) {
		for (j = 0; j < nr_protections(); j++) {
			ASSERT_TRUE(VirtualProtect(self->base + PAGE, PAGE,
						   protections[i].value, &old));
			EXPECT_ACCESS(self->base + PAGE, i);
			old = POISON;
			ASSERT_TRUE(VirtualProtect(self->base + PAGE, PAGE,
						   protections[j].value, &old));
			EXPECT_EQ(protections[i].value, old);
			/* The page after it is READWRITE. */
			size = protections[j].value == PAGE_READWRITE ?
			       2 * PAGE : PAGE;
			REGION_COMMITTED(PAGE, size, protections[j].value);
			EXPECT_ACCESS(self->base + PAGE, j);
		}
	}
	EXPECT_TRUE(try_write(self->base));
	EXPECT_TRUE(try_write(self->base + 2 * PAGE));
	EXPECT_FALSE(try_exec(self->base));
	EXPECT_FALSE(try_exec(self->base + 2 * PAGE));
}

/* All values but the six: no bit, two or more bits, copy-on-write. */
/* Rules: P-02, P-03, VA-12 */
TEST_F(region, other_values_cannot_be_reserved)
{
	DWORD value;

	for (value = 0; value <= 0xff; value++) {
		if (is_base_value(value))
			continue;
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualAlloc(NULL, self->size, MEM_RESERVE,
					  value));
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualAlloc(NULL, self->size,
					  MEM_RESERVE | MEM_COMMIT, value));
	}
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(NULL, self->size, MEM_RESERVE, 0xffffffff));
}

/* Rules: P-02, P-03, VA-12 */
TEST_F(region, other_values_cannot_be_committed)
{
	DWORD value;

	COMMIT(PAGE, PAGE, PAGE_READONLY);
	for (value = 0; value <= 0xff; value++) {
		if (is_base_value(value))
			continue;
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualAlloc(self->base, PAGE, MEM_COMMIT, value));
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualAlloc(self->base + PAGE, PAGE, MEM_COMMIT,
					  value));
	}
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualAlloc(self->base, PAGE, MEM_COMMIT, 0xffffffff));
}

/* Rules: P-02, P-03, VP-08 */
TEST_F(region, other_values_cannot_be_set)
{
	DWORD value, old = POISON;

	COMMIT(0, PAGE, PAGE_READONLY);
	for (value = 0; value <= 0xff; value++) {
		if (is_base_value(value))
			continue;
		EXPECT_FAILS(ERROR_INVALID_PARAMETER,
			     VirtualProtect(self->base, PAGE, value, &old));
	}
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,
		     VirtualProtect(self->base, PAGE, 0xffffffff, &old));
	REGION_COMMITTED(0, PAGE, PAGE_READONLY);
	EXPECT_TRUE(try_read(self->base));
	EXPECT_FALSE(try_write(self->base));
}

/* Rules: P-02, VP-08 */
TEST_F(region, bad_protection_has_its_own_status)
{
	PVOID base = self->base;
	SIZE_T size = PAGE;
	ULONG old = POISON;

	COMMIT(0, PAGE, PAGE_READWRITE);
	EXPECT_STATUS_FAILS(STATUS_INVALID_PAGE_PROTECTION,
			    NtAllocateVirtualMemory(SELF, &base, 0,
						    &size, MEM_COMMIT, 0));
	EXPECT_STATUS_FAILS(STATUS_INVALID_PAGE_PROTECTION,
			    NtProtectVirtualMemory(SELF, &base, &size,
						   0, &old));
}

/* Neither reserve nor commit nor protect takes @value. */
#define EXPECT_BAD_PROTECTION(value) do {				\
	DWORD old_ = POISON;						\
									\
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,				\
		     VirtualAlloc(NULL, PAGE, MEM_RESERVE, value));	\
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,				\
		     VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT,	\
				  value));				\
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,				\
		     VirtualAlloc(self->base, PAGE, MEM_COMMIT, value)); \
	EXPECT_FAILS(ERROR_INVALID_PARAMETER,				\
		     VirtualProtect(self->base, PAGE, value, &old_));	\
} while (0)

/* Rules: P-04, GP-05 */
TEST_F(region, guard_excludes_noaccess)
{
	COMMIT(0, PAGE, PAGE_READWRITE);
	EXPECT_BAD_PROTECTION(PAGE_NOACCESS | PAGE_GUARD);
	EXPECT_BAD_PROTECTION(PAGE_GUARD);
}

/* Rules: P-05 */
TEST_F(region, writecombine_excludes_noaccess)
{
	COMMIT(0, PAGE, PAGE_READWRITE);
	EXPECT_BAD_PROTECTION(PAGE_NOACCESS | PAGE_WRITECOMBINE);
	EXPECT_BAD_PROTECTION(PAGE_WRITECOMBINE);
}

/* Whether a page of private memory can have @value. */
static bool is_valid(DWORD value)
{
	DWORD base = value & 0xff, modifiers = value & ~(DWORD)0xff;

	if (!is_base_value(base) || (is_code(base) && code_is_refused()))
		return false;
	if (!modifiers)
		return true;
	return base != PAGE_NOACCESS && (modifiers == PAGE_GUARD ||
					 modifiers == PAGE_NOCACHE ||
					 modifiers == PAGE_WRITECOMBINE);
}

/* What a query shows of @value, for pages whose region is not NOCACHE. */
#define SHOWN(value) ((value) & ~(DWORD)PAGE_NOCACHE)

/* Rules: P-01, P-02, P-03, P-04, P-05, P-07, P-08, P-10, VP-08 */
TEST_F(region, each_value_is_taken_or_refused)
{
	DWORD value, old, last = PAGE_READWRITE;
	bool taken;

	COMMIT(0, PAGE, PAGE_READWRITE);
	for (value = 0; value < 0x1000; value++) {
		old = POISON;
		taken = VirtualProtect(self->base, PAGE, value, &old);
		ASSERT_EQ(is_valid(value), taken);
		if (taken) {
			EXPECT_EQ(last, old);
			last = SHOWN(value);
		}
		REGION_COMMITTED(0, PAGE, last);
	}
}

/* Rules: P-01, P-10, GP-01, VP-01, VA-08 */
TEST_F(region, each_value_follows_each_other)
{
	DWORD values[16], value, old;
	size_t i, j, n = 0;

	for (value = 0; value < 0x1000; value++)
		if (is_valid(value) && SHOWN(value) == value)
			values[n++] = value;
	ASSERT_EQ(ARRAY_SIZE(values) - (code_is_refused() ? 9 : 0), n);
	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++) {
			COMMIT(0, PAGE, values[i]);
			REGION_COMMITTED(0, PAGE, values[i]);
			old = POISON;
			ASSERT_TRUE(VirtualProtect(self->base, PAGE, values[j],
						   &old));
			EXPECT_EQ(values[i], old);
			REGION_COMMITTED(0, PAGE, values[j]);
		}
		DECOMMIT(0, PAGE);
		REGION_RESERVED(0, self->size);
	}
}

/* Rules: P-06 */
TEST_F(region, writecombine_goes_with_readonly)
{
	DWORD old = POISON;
	char *base;

	base = VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT,
			    PAGE_READONLY | PAGE_WRITECOMBINE);
	ASSERT_NE(NULL, base);
	EXPECT_TRUE(try_read(base));
	EXPECT_FALSE(try_write(base));
	ASSERT_TRUE(VirtualProtect(base, PAGE, PAGE_READWRITE, &old));
	EXPECT_EQ(PAGE_READONLY, old & 0xff);
	EXPECT_TRUE(try_write(base));
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));

	COMMIT(0, PAGE, PAGE_READONLY | PAGE_WRITECOMBINE);
	EXPECT_TRUE(try_read(self->base));
	EXPECT_FALSE(try_write(self->base));
}

/* Rules: P-07 */
TEST_F(region, nocache_excludes_noaccess_guard_and_writecombine)
{
	COMMIT(0, PAGE, PAGE_READWRITE);
	EXPECT_BAD_PROTECTION(PAGE_NOACCESS | PAGE_NOCACHE);
	EXPECT_BAD_PROTECTION(PAGE_READWRITE | PAGE_NOCACHE | PAGE_GUARD);
	EXPECT_BAD_PROTECTION(PAGE_READWRITE | PAGE_NOCACHE |
			      PAGE_WRITECOMBINE);
	EXPECT_BAD_PROTECTION(PAGE_NOCACHE);
}

/* Rules: P-08 */
TEST_F(region, writecombine_excludes_guard_and_nocache)
{
	COMMIT(0, PAGE, PAGE_READWRITE);
	EXPECT_BAD_PROTECTION(PAGE_READWRITE | PAGE_WRITECOMBINE | PAGE_GUARD);
	EXPECT_BAD_PROTECTION(PAGE_READONLY | PAGE_WRITECOMBINE | PAGE_NOCACHE);
}

/* Rules: P-09 */
TEST_F(region, nocache_stays_with_the_allocation)
{
	const DWORD nocache = PAGE_READWRITE | PAGE_NOCACHE;
	DWORD old = POISON;
	char *base;

	base = VirtualAlloc(NULL, self->size, MEM_RESERVE | MEM_COMMIT,
			    nocache);
	ASSERT_NE(NULL, base);
	EXPECT_COMMITTED(base, self->size, nocache, base, nocache);
	EXPECT_TRUE(try_write(base));

	ASSERT_TRUE(VirtualProtect(base, PAGE, PAGE_READWRITE, &old));
	EXPECT_EQ(nocache, old);
	EXPECT_COMMITTED(base, self->size, nocache, base, nocache);

	old = POISON;
	ASSERT_TRUE(VirtualProtect(base, PAGE, PAGE_READONLY, &old));
	EXPECT_EQ(nocache, old);
	EXPECT_COMMITTED(base, PAGE, PAGE_READONLY | PAGE_NOCACHE, base,
			 nocache);
	EXPECT_COMMITTED(base + PAGE, self->size - PAGE, nocache, base,
			 nocache);
	EXPECT_FALSE(try_write(base));

	old = POISON;
	ASSERT_TRUE(VirtualProtect(base, PAGE, nocache, &old));
	EXPECT_EQ(PAGE_READONLY | PAGE_NOCACHE, old);
	EXPECT_COMMITTED(base, self->size, nocache, base, nocache);
	EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
}

/* Rules: P-10 */
TEST_F(region, nocache_of_protect_alone_is_dropped)
{
	DWORD old = POISON;

	COMMIT(0, 2 * PAGE, PAGE_READWRITE);
	ASSERT_TRUE(VirtualProtect(self->base, PAGE,
				   PAGE_READWRITE | PAGE_NOCACHE, &old));
	EXPECT_EQ(PAGE_READWRITE, old);
	REGION_COMMITTED(0, 2 * PAGE, PAGE_READWRITE);

	old = POISON;
	ASSERT_TRUE(VirtualProtect(self->base, PAGE,
				   PAGE_READONLY | PAGE_NOCACHE, &old));
	EXPECT_EQ(PAGE_READWRITE, old);
	REGION_COMMITTED(0, PAGE, PAGE_READONLY);
}

/* Rules: P-12 */
TEST_F(region, control_flow_bit_goes_with_executable_values)
{
	DWORD old = POISON;
	char *base;
	size_t i;

	NEEDS_CODE();
	for (i = 3; i < ARRAY_SIZE(protections); i++) {
		DWORD value = protections[i].value;

		base = VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT,
				    value | PAGE_TARGETS_INVALID);
		ASSERT_NE(NULL, base);
		EXPECT_COMMITTED(base, PAGE, value, base, value);
		ASSERT_TRUE(VirtualProtect(base, PAGE, PAGE_READWRITE, &old));
		EXPECT_EQ(value, old);
		write_code(base);
		ASSERT_TRUE(VirtualProtect(base, PAGE,
					   value | PAGE_TARGETS_NO_UPDATE,
					   &old));
		EXPECT_COMMITTED(base, PAGE, value, base, value);
		EXPECT_TRUE(try_exec(base));
		EXPECT_TRUE(VirtualFree(base, 0, MEM_RELEASE));
	}
}

/* Rules: P-12 */
TEST_F(region, control_flow_bit_excludes_other_values)
{
	size_t i;

	COMMIT(0, PAGE, PAGE_READWRITE);
	for (i = 0; i < 3; i++)
		EXPECT_BAD_PROTECTION(protections[i].value |
				      PAGE_TARGETS_INVALID);
}

TEST_HARNESS_MAIN
