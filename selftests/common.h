/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What more than one test needs and neither the library nor the harness has:
 * accesses that may fault, and what /proc says about the address space.
 *
 * Include it after kselftest_harness.h, which defines _GNU_SOURCE.
 */
#ifndef _SELFTESTS_COMMON_H
#define _SELFTESTS_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <winregion/winregion.h>

/* Newer than the C library's headers may be */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif
#define SYS_MSEAL 462

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)
#define TIB(n) ((uint64_t)(n) << 40)
#define PAGES(n) ((uint64_t)(n) * 4096)

/* The lowest and the highest byte that a region can have. */
#define USER_LOWEST 0x10000UL
#ifdef __aarch64__
#define USER_HIGHEST 0xfffffffeffffUL
#else
#define USER_HIGHEST 0x7ffffffeffffUL
#endif
/* Behind that are 64 KiB that no region can have, and then no addresses. */
#define USER_END (USER_HIGHEST + 0x10001)

/* A clock of the processor's own, of whatever unit */
static inline uint64_t cpu_ticks(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	asm volatile("mrs %0, cntvct_el0" : "=r" (ticks));
	return ticks;
#endif
}

/* How the processor rounds numbers, and the bits of that which are rounding to zero */
static inline unsigned int float_control(void)
{
	unsigned int control;

#if defined(__x86_64__)
	asm volatile("stmxcsr %0" : "=m" (control));
#elif defined(__aarch64__)
	uint64_t fpcr;

	asm volatile("mrs %0, fpcr" : "=r" (fpcr));
	control = fpcr;
#endif
	return control;
}

static inline void set_float_control(unsigned int control)
{
#if defined(__x86_64__)
	asm volatile("ldmxcsr %0" : : "m" (control));
#elif defined(__aarch64__)
	asm volatile("msr fpcr, %0" : : "r" ((uint64_t)control));
#endif
}

#ifdef __aarch64__
#define FLOAT_TO_ZERO 0xc00000U
#else
#define FLOAT_TO_ZERO 0x6000U
#endif

/* Whether the module refuses code in regions, and what tests of it do then */
static inline bool code_is_refused(void)
{
#ifdef __aarch64__
	return true;
#else
	return false;
#endif
}

/* @code, a protection, or @other where that is refused */
static inline uint32_t code_or(uint32_t code, uint32_t other)
{
	return code_is_refused() ? other : code;
}

#define NEEDS_CODE() do {						\
	if (code_is_refused())						\
		SKIP(return, "no code is allowed in regions here");	\
} while (0)

/*
 * Whether the module edits PTEs. Where only the core may, pages are unmapped by what
 * changes many of them, and each takes a fault when it is used next.
 */
#ifdef __aarch64__
#define EDITS_PTES 0
#else
#define EDITS_PTES 1
#endif

/* Accesses that may fault */

/**
 * struct probe_fault - the signal that the last try_*() caught
 * @sig: SIGSEGV or SIGBUS; 0 if the access went through
 * @code: si_code
 * @addr: si_addr
 * @write: the fault was a write
 * @exec: the fault was an instruction fetch
 * @count: signals that this try_*() caught: 0 or 1
 */
struct probe_fault {
	int sig;
	int code;
	void *addr;
	bool write;
	bool exec;
	int count;
};

/*
 * The signal is raised by the access itself, so the handler runs between two
 * statements of the thread that it interrupts, and may use plain objects of
 * that thread; volatile keeps the compiler from moving the accesses.
 */
static __thread volatile struct probe_fault probe_fault;
static __thread sigjmp_buf probe_env;
static __thread volatile sig_atomic_t probe_armed;

#if defined(__x86_64__)
static inline void probe_what(const ucontext_t *uc)
{
	probe_fault.write = uc->uc_mcontext.gregs[REG_ERR] & 2;
	probe_fault.exec = uc->uc_mcontext.gregs[REG_ERR] & 16;
}
#elif defined(__aarch64__)
/* By the processor's own record, which is one of several behind the registers */
static inline void probe_what(const ucontext_t *uc)
{
	const char *at = (const char *)uc->uc_mcontext.__reserved;
	const struct _aarch64_ctx *head = (const struct _aarch64_ctx *)at;
	uint64_t esr;

	while (head->magic && head->magic != ESR_MAGIC) {
		at += head->size;
		head = (const struct _aarch64_ctx *)at;
	}
	if (!head->magic)
		return;
	esr = ((const struct esr_context *)head)->esr;
	probe_fault.exec = esr >> 26 == 0x20;
	probe_fault.write = esr >> 26 == 0x24 && esr & (1 << 6);
}
#endif

static inline void probe_handler(int sig, siginfo_t *info, void *context)
{
	if (!probe_armed) {
		/* Not ours: die of it, as without a handler. */
		signal(sig, SIG_DFL);
		return;
	}
	probe_fault.sig = sig;
	probe_fault.code = info->si_code;
	probe_fault.addr = info->si_addr;
	probe_what(context);
	probe_fault.count++;
	probe_armed = 0;
	siglongjmp(probe_env, 1);
}

static inline void probe_begin(struct sigaction old[2])
{
	struct sigaction action = {
		.sa_sigaction = probe_handler,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	sigemptyset(&action.sa_mask);
	memset((void *)&probe_fault, 0, sizeof(probe_fault));
	sigaction(SIGSEGV, &action, &old[0]);
	sigaction(SIGBUS, &action, &old[1]);
	probe_armed = 1;
}

static inline void probe_end(const struct sigaction old[2])
{
	probe_armed = 0;
	sigaction(SIGSEGV, &old[0], NULL);
	sigaction(SIGBUS, &old[1], NULL);
}

/* Read the byte at @addr. False if that raised SIGSEGV or SIGBUS. */
static inline bool try_read(const volatile void *addr)
{
	struct sigaction old[2];

	probe_begin(old);
	if (!sigsetjmp(probe_env, 1))
		(void)*(const volatile unsigned char *)addr;
	probe_end(old);
	return !probe_fault.count;
}

/* Write @value to the byte at @addr. False if that raised a signal. */
static inline bool try_write_byte(volatile void *addr, unsigned char value)
{
	struct sigaction old[2];

	probe_begin(old);
	if (!sigsetjmp(probe_env, 1))
		*(volatile unsigned char *)addr = value;
	probe_end(old);
	return !probe_fault.count;
}

/* Write a byte at @addr that is not 0. */
static inline bool try_write(volatile void *addr)
{
	return try_write_byte(addr, 0xa5);
}

/* Call the function at @addr, for which write_code() is good. */
static inline bool try_exec(const volatile void *addr)
{
	struct sigaction old[2];

	probe_begin(old);
	if (!sigsetjmp(probe_env, 1))
		((void (*)(void))(uintptr_t)addr)();
	probe_end(old);
	return !probe_fault.count;
}

/* Put a function that returns at once to @addr, which must be writable. */
static inline void write_code(volatile void *addr)
{
#if defined(__x86_64__)
	*(volatile unsigned char *)addr = 0xc3;
#elif defined(__aarch64__)
	*(volatile uint32_t *)addr = 0xd65f03c0;
#else
#error "no code for this architecture"
#endif
	__builtin___clear_cache((char *)addr, (char *)addr + 4);
}

/* A function that returns @value, its length, and where that is in it; and its call */
#ifdef __aarch64__
#define FUNCTION_SIZE 12
#define FUNCTION_VALUE 8
#else
#define FUNCTION_SIZE 6
#define FUNCTION_VALUE 1
#endif

static inline void write_function(char *at, uint32_t value)
{
#if defined(__x86_64__)
	static const unsigned char ret = 0xc3;

	at[0] = (char)0xb8;
	memcpy(at + 1, &value, 4);
	memcpy(at + 5, &ret, 1);
	__builtin___clear_cache(at, at + 6);
#elif defined(__aarch64__)
	/* The number is behind "ldr w0, . + 8; ret". */
	const uint32_t code[] = { 0x18000040, 0xd65f03c0, value };

	memcpy(at, code, sizeof(code));
	__builtin___clear_cache(at, at + sizeof(code));
#endif
}

static inline uint32_t call_function(const char *at)
{
	return ((uint32_t (*)(void))(uintptr_t)at)();
}

/* Are all @length bytes from @addr on @value? They must be readable. */
static inline bool all_bytes(const volatile void *addr, size_t length,
			     unsigned char value)
{
	const volatile unsigned char *byte = addr;
	size_t i;

	for (i = 0; i < length; i++)
		if (byte[i] != value)
			return false;
	return true;
}

/* What /proc/self/maps says */

struct vma {
	uint64_t start;
	uint64_t end;
	char perms[5];
	uint64_t offset;
	char path[128];
};

/*
 * Read the lines of maps that overlap [@first, @last] into @vmas, at most @max
 * of them, and return how many there are. @vmas may be NULL.
 */
static inline size_t read_vmas(uint64_t first, uint64_t last,
			       struct vma *vmas, size_t max)
{
	FILE *file = fopen("/proc/self/maps", "re");
	unsigned long start, end, offset;
	struct vma vma = { 0 };
	char line[512];
	size_t n = 0;
	int fields;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		vma.path[0] = '\0';
		fields = sscanf(line, "%lx-%lx %4s %lx %*s %*s %127[^\n]",
				&start, &end, vma.perms, &offset, vma.path);
		if (fields < 4 || end <= first || start > last)
			continue;
		vma.start = start;
		vma.end = end;
		vma.offset = offset;
		if (vmas && n < max)
			vmas[n] = vma;
		n++;
	}
	fclose(file);
	return n;
}

/* How many VMAs overlap the @length bytes from @addr on? */
static inline size_t count_vmas(const volatile void *addr, size_t length)
{
	uint64_t first = (uintptr_t)addr;

	return read_vmas(first, first + length - 1, NULL, 0);
}

/* How many VMAs has the process? */
static inline size_t count_all_vmas(void)
{
	return read_vmas(0, UINT64_MAX, NULL, 0);
}

/* Find the VMA that @addr is in. */
static inline bool find_vma(const volatile void *addr, struct vma *vma)
{
	return read_vmas((uintptr_t)addr, (uintptr_t)addr, vma, 1) == 1;
}

/* What other files of /proc say */

/* The number after "@name:" in @path, in bytes where the unit is kB, or -1. */
static inline int64_t read_proc_field(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	size_t length = strlen(name);
	int64_t value = -1;
	char line[256], unit[8];
	long long number;
	int fields;

	if (!file)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, length) || line[length] != ':')
			continue;
		fields = sscanf(line + length + 1, "%lld %7s", &number, unit);
		if (fields >= 1)
			value = fields == 2 && !strcmp(unit, "kB") ?
				number * 1024 : number;
	}
	fclose(file);
	return value;
}

#define PROC_MEMINFO "/proc/meminfo"

/* A field of /proc/meminfo in bytes, e.g. "MemTotal" or "CommitLimit". */
static inline int64_t meminfo(const char *name)
{
	return read_proc_field(PROC_MEMINFO, name);
}

/* Bytes that the system has promised. */
static inline int64_t committed_as(void)
{
	return meminfo("Committed_AS");
}

/* A field of /proc/self/status, in bytes where it is a size, e.g. "VmRSS". */
static inline int64_t self_status(const char *name)
{
	return read_proc_field("/proc/self/status", name);
}

/* Bytes of files and of shared memory that page tables map */
static inline int64_t self_mapped(void)
{
	return self_status("RssFile") + self_status("RssShmem");
}

/* Faults of this process that had to read nothing */
static inline long minor_faults(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) ? -1 : usage.ru_minflt;
}

/* The number in a file such as /proc/sys/vm/overcommit_memory, or -1. */
static inline int64_t read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long long number = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%lld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

/* References to the module, or -1 */
static inline int64_t module_users(void)
{
	return read_number("/sys/module/winregion/refcnt");
}

/* Write @number to such a file. False if that failed. */
static inline bool write_number(const char *path, int64_t number)
{
	FILE *file = fopen(path, "we");
	bool ok;

	if (!file)
		return false;
	ok = fprintf(file, "%lld\n", (long long)number) > 0;
	return !fclose(file) && ok;
}

#define KEPT_PER_CPU "/proc/sys/vm/percpu_pagelist_high_fraction"

/*
 * Free pages that the core keeps for each processor are not available by its own
 * account, and they are up to an eighth of a zone. Keep few, from now on: what is
 * kept goes when something more is freed.
 */
static inline bool keep_few_free(void)
{
	char *more;

	if (!write_number(KEPT_PER_CPU, 1000))
		return false;
	more = mmap(NULL, MIB(32), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (more == MAP_FAILED)
		return false;
	madvise(more, MIB(32), MADV_NOHUGEPAGE);
	memset(more, 1, MIB(32));
	return !munmap(more, MIB(32));
}

static inline bool keep_as_usual(void)
{
	return write_number(KEPT_PER_CPU, 0);
}

/* The text of @path from the line that contains @key on */
static inline char *read_from(const char *path, const char *key)
{
	static char buffer[8192];
	char line[512];
	bool found = false;
	FILE *file = fopen(path, "re");

	buffer[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		found |= !!strstr(line, key);
		if (found && strlen(buffer) + strlen(line) < sizeof(buffer))
			strcat(buffer, line);
	}
	if (file)
		fclose(file);
	return buffer;
}

/* Whether the kernel has the driver of a file system of disks */
static inline bool has_driver(const char *name)
{
	char line[80];

	snprintf(line, sizeof(line), "\t%s\n", name);
	return *read_from("/proc/filesystems", line);
}

/* The number behind @name in a text, or -1 */
static inline long field_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? atol(at + strlen(name)) : -1;
}

/* The physical page behind @addr; 0 if no PTE maps one. Needs root. */
static inline uint64_t page_frame(const volatile char *addr)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, 8, (uintptr_t)addr / 4096 * 8) != 8)
		entry = 0;
	close(fd);
	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

/* The flags that /proc has of a physical page, or -1 */
static inline int64_t page_flags(uint64_t frame)
{
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	int64_t flags;

	if (fd < 0)
		return -1;
	if (pread(fd, &flags, 8, frame * 8) != 8)
		flags = -1;
	close(fd);
	return flags;
}

/* Some of their bits */
#define KPF_DIRTY 4
#define KPF_COMPOUND_HEAD 15
#define KPF_COMPOUND_TAIL 16

/* The flags of the page that is mapped at @addr */
static inline uint64_t flags_of(const volatile char *addr)
{
	uint64_t frame = page_frame(addr);
	int64_t flags = frame ? page_flags(frame) : 0;

	return flags < 0 ? 0 : flags;
}

/* Whether it is part of a larger one */
static inline bool is_part(const volatile char *addr)
{
	uint64_t flags = flags_of(addr);

	return flags >> KPF_COMPOUND_HEAD & 1 || flags >> KPF_COMPOUND_TAIL & 1;
}

/* For what looks at single pages: this process gets no 2 MiB ones. */
static inline void small_pages_only(void)
{
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

/* Whether the running kernel is @major.@minor or newer */
static inline bool kernel_is(int major, int minor)
{
	int is_major, is_minor;
	struct utsname name;

	if (uname(&name) ||
	    sscanf(name.release, "%d.%d", &is_major, &is_minor) != 2)
		return false;
	return is_major > major || (is_major == major && is_minor >= minor);
}

#endif /* _SELFTESTS_COMMON_H */
