/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * winregion - Windows-style memory regions in the caller's address space
 */
#ifndef _UAPI_LINUX_WINREGION_H
#define _UAPI_LINUX_WINREGION_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: The contract of /dev/winregion
 *
 * Every ioctl acts on the address space of the process that calls it, however
 * the file descriptor was come by, but for those that WINREGION_OPEN_PROCESS makes;
 * and takes a pointer to one structure whose first field, @size, is the size of that
 * structure in bytes.
 *
 * A @size below the structure's first published version is refused with
 * EINVAL. A larger one than the kernel knows is accepted as long as the
 * unknown bytes are 0 (else E2BIG), so that a newer program runs on an older
 * module. Fields named __reserved must be 0 (EINVAL); flag bits that the module
 * does not know are refused (EOPNOTSUPP). Fields named out_* are written on
 * success only, except where their description says otherwise. Structures have
 * the same layout for 32-bit and 64-bit callers.
 *
 * A call that has released or changed memory succeeds even if its result cannot
 * be written, as it may lie in that very memory; it is left out then. A
 * reservation that could not be told is undone (EFAULT), and so is an answer
 * that is all there is to a call.
 *
 * Addresses and lengths are in bytes. A range is widened to whole pages.
 * Every call is all or nothing: when it fails, nothing has changed.
 *
 * Each errno has one reason:
 *
 * ============== =========================================================
 * ENOTTY         unknown ioctl number
 * E2BIG          structure newer than the module, and its new part is used
 * EFAULT         a pointer to memory that cannot be read or written
 * EINVAL         a parameter that is never valid: @size, a reserved field,
 *                an impossible requirement, too many ranges
 * EOPNOTSUPP     unknown flag
 * EDOM           a page protection that is not valid for that kind of memory
 * EADDRNOTAVAIL  the address lies outside the usable address range
 * EOVERFLOW      length 0, or a range that wraps or leaves the usable range
 * EEXIST         the range to reserve overlaps something that exists
 * ENOENT         no region at that address, or none of the kind asked for
 * EXDEV          the range, or a guarantee, leaves the region in which it starts
 * ESPIPE         length 0, but the address is not in the region's first page
 * ENODATA        a page of the range is not committed
 * ENOSPC         no room in the address space: no hole large enough,
 *                RLIMIT_AS or vm.max_map_count
 * EDQUOT         a commit limit would be passed: that of all processes, of the
 *                memory there is, of the user's share, or of the system
 * EMFILE         the process has as many regions as the module allows
 * EAGAIN         RLIMIT_MEMLOCK forbids it (to lock it, or after
 *                mlockall(MCL_FUTURE))
 * EACCES         a security policy forbids executable memory, or the machine is an
 *                arm64, where regions have none; views have
 * ENOMEM         no kernel memory
 * ENFILE         the system has no free file structure
 * EINTR          the process is being killed
 * EBADF          a descriptor that is not open for it
 * EMEDIUMTYPE    a file that sections cannot be of, or what only a file has, or an
 *                operation on contents that views do not have
 * ENXIO          all of a file is wanted, which is empty
 * EFBIG          a section larger than its file, or than any address space
 * ERANGE         a view that begins or ends behind its section
 * EKEYREJECTED   a right that the file, the descriptor, the section or the view
 *                does not have, or the name does not give
 * EBUSY          decommit or release of a view
 * EALREADY       commit in a view of a file, which is committed always
 * ENOMSG         a page to be reclaimed that is not offered
 * EIO            the file system has failed, or a page to be locked cannot be had
 * ESRCH          no section has that name
 * ENOTUNIQ       a section has the name that was to be new
 * EPROTO         a page to be locked may not be read
 * ESTALE         a page to be locked was a guard, which it is no longer
 * ENOLCK         a page of the range is not locked
 * ENAMETOOLONG   a name of more than WINREGION_MAX_NAME bytes
 * EBADSLT        no placeholder where one has to be, or one where none may be
 * EUNATCH        memory without a write watch is asked what was written
 * ENOBUFS        there is no large page
 * ENOTBLK        large pages, or regions for frames, do not let that be done with them
 * EOWNERDEAD     the other process has ended, or runs another program
 * ENOEXEC        the other process has fewer addresses than most: it is of 32 bits
 * ============== =========================================================
 */

/* ioctl type and first number */
#define WINREGION_TYPE 0xE7
#define WINREGION_CMD_BASE 0x80

/*
 * Raised with every change that a program can see; new fields and flags only.
 */
#define WINREGION_ABI_VERSION 1

/* Every region starts at a multiple of this many bytes. */
#define WINREGION_GRANULARITY 0x10000

/* Bytes of a large page. */
#define WINREGION_LARGE_PAGE 0x200000

/* The most ranges that one call takes. */
#define WINREGION_MAX_RANGES 1024

/**
 * DOC: Page protections
 *
 * The numbers are those of Windows. A valid protection of private memory is
 * exactly one of the first seven but WRITECOPY, alone or with modifiers: GUARD,
 * NOCACHE and WRITECOMBINE exclude each other and NOACCESS. TARGETS_INVALID is accepted
 * with an executable protection, and has no effect.
 */
#define WINREGION_NOACCESS 0x01
#define WINREGION_READONLY 0x02
#define WINREGION_READWRITE 0x04
#define WINREGION_WRITECOPY 0x08 /* of sections and views only */
#define WINREGION_EXECUTE 0x10
#define WINREGION_EXECUTE_READ 0x20
#define WINREGION_EXECUTE_READWRITE 0x40
#define WINREGION_EXECUTE_WRITECOPY 0x80 /* of sections and views only */
#define WINREGION_GUARD 0x100
#define WINREGION_NOCACHE 0x200
#define WINREGION_WRITECOMBINE 0x400
#define WINREGION_TARGETS_INVALID 0x40000000

/* Page states; the numbers are those of Windows. */
#define WINREGION_STATE_COMMIT 0x1000
#define WINREGION_STATE_RESERVE 0x2000
#define WINREGION_STATE_FREE 0x10000

/* Region types; the numbers are those of Windows. Free pages have type 0. */
#define WINREGION_TYPE_PRIVATE 0x20000
#define WINREGION_TYPE_MAPPED 0x40000
#define WINREGION_TYPE_IMAGE 0x1000000

/* ioctl numbers; the structure's size is not part of the number */
enum {
	WINREGION_CMD_GET_INFO = WINREGION_CMD_BASE,
	WINREGION_CMD_RESERVE,
	WINREGION_CMD_RELEASE,
	WINREGION_CMD_COMMIT,
	WINREGION_CMD_DECOMMIT,
	WINREGION_CMD_PROTECT,
	WINREGION_CMD_QUERY,
	WINREGION_CMD_QUERY_RUNS,
	WINREGION_CMD_CREATE_SECTION,
	WINREGION_CMD_MAP_VIEW,
	WINREGION_CMD_UNMAP_VIEW,
	WINREGION_CMD_FLUSH_VIEW,
	WINREGION_CMD_QUERY_SECTION,
	WINREGION_CMD_EXTEND_SECTION,
	WINREGION_CMD_DUPLICATE_SECTION,
	WINREGION_CMD_QUERY_FILE,
	WINREGION_CMD_OPEN_SECTION,
	WINREGION_CMD_LAST_FAULT,
	WINREGION_CMD_WRITE_WATCH,
	WINREGION_CMD_RESET,
	WINREGION_CMD_LOCK,
	WINREGION_CMD_SET_STACK,
	WINREGION_CMD_FRAMES,
	WINREGION_CMD_MAP_FRAMES,
	WINREGION_CMD_OPEN_PROCESS
};

/* Features of this module, in winregion_get_info.out_features */
#define WINREGION_FEATURE_VECTOR (1 << 0) /* nr_ranges may be above 0 */
#define WINREGION_FEATURE_EXECUTE (1 << 1) /* executable protections */
#define WINREGION_FEATURE_GUARD (1 << 2) /* one-shot guard pages */
#define WINREGION_FEATURE_FORK (1 << 3) /* copy-on-write fork */
#define WINREGION_FEATURE_SECTION (1 << 4) /* sections and views of them */
#define WINREGION_FEATURE_NAME (1 << 6) /* names of sections */
#define WINREGION_FEATURE_EXECUTE_VIEW (1 << 7) /* sections that execute */
#define WINREGION_FEATURE_LAST_FAULT (1 << 8) /* why an access has failed */
#define WINREGION_FEATURE_WRITE_WATCH (1 << 9) /* which pages were written */
#define WINREGION_FEATURE_PLACEHOLDER (1 << 10) /* placeholders */
#define WINREGION_FEATURE_RESET (1 << 11) /* contents that may be freed */
#define WINREGION_FEATURE_LOCK (1 << 12) /* pages that stay in memory */
#define WINREGION_FEATURE_STACK (1 << 13) /* stacks that grow */
#define WINREGION_FEATURE_LARGE_PAGES (1 << 14) /* regions of large pages */
#define WINREGION_FEATURE_FRAMES (1 << 15) /* frames, and regions for them */
#define WINREGION_FEATURE_NODE (1 << 16) /* memory nodes of regions */
#define WINREGION_FEATURE_PROCESS (1 << 17) /* memory of other processes */
#define WINREGION_FEATURE_IMAGE (1 << 18) /* sections of pieces of a file */

/**
 * struct winregion_get_info - ioctl(WINREGION_GET_INFO)
 * @size: sizeof(struct winregion_get_info)
 * @flags: must be 0
 * @out_abi_version: WINREGION_ABI_VERSION of the module
 * @out_page_size: bytes in a page
 * @out_granularity: WINREGION_GRANULARITY
 * @out_max_ranges: WINREGION_MAX_RANGES
 * @out_features: WINREGION_FEATURE_* bits
 * @out_lowest: lowest address that a new region can have, which
 *	vm.mmap_min_addr can raise
 * @out_highest: highest byte that a region can have
 * @out_max_regions: regions that one process may have
 * @out_regions: regions that this process has
 * @out_windows: groups of regions, each normally one VMA, of this process
 * @out_committed: bytes that this process has committed
 * @out_charged: bytes charged to the system for it; above @out_committed by
 *	what is kept in store for the next commits
 * @out_total: bytes charged by all processes through this module
 * @out_limit: what @out_total can come to by commits of this process, as things
 *	are, or ~0 if there is no limit; never below @out_total
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT.
 */
struct winregion_get_info {
	__u32 size;
	__u32 flags;
	__u32 out_abi_version;
	__u32 out_page_size;
	__u32 out_granularity;
	__u32 out_max_ranges;
	__aligned_u64 out_features;
	__aligned_u64 out_lowest;
	__aligned_u64 out_highest;
	__aligned_u64 out_max_regions;
	__aligned_u64 out_regions;
	__aligned_u64 out_windows;
	__aligned_u64 out_committed;
	__aligned_u64 out_charged;
	__aligned_u64 out_total;
	__aligned_u64 out_limit;
};

#define WINREGION_GET_INFO _IO(WINREGION_TYPE, WINREGION_CMD_GET_INFO)

/* Flags of winregion_reserve */
#define WINREGION_RESERVE_TOP_DOWN (1 << 0) /* as high as possible */
#define WINREGION_RESERVE_COMMIT (1 << 1) /* and commit all of it */
#define WINREGION_RESERVE_WRITE_WATCH (1 << 2) /* for WINREGION_WRITE_WATCH */
#define WINREGION_RESERVE_PLACEHOLDER (1 << 3) /* as a placeholder */
#define WINREGION_RESERVE_REPLACE (1 << 4) /* in place of a placeholder */
#define WINREGION_RESERVE_STACK (1 << 5) /* a stack: WINREGION_SET_STACK */
#define WINREGION_RESERVE_LARGE_PAGES (1 << 6) /* of large pages, all at once */
#define WINREGION_RESERVE_NODE (1 << 7) /* on a memory node, if possible */
#define WINREGION_RESERVE_PHYSICAL (1 << 8) /* for WINREGION_MAP_FRAMES */

/**
 * struct winregion_reserve - ioctl(WINREGION_RESERVE)
 * @size: sizeof(struct winregion_reserve)
 * @flags: WINREGION_RESERVE_* bits
 * @protection: the region's allocation protection; with
 *	WINREGION_RESERVE_COMMIT that of its pages too
 * @node: with WINREGION_RESERVE_NODE a memory node that is online, else 0
 * @address: in: 0, or an address in the first 64 KiB unit of the region; out:
 *	the region's base, a multiple of WINREGION_GRANULARITY
 * @length: in: bytes, at least 1; out: bytes reserved, a multiple of the page
 *	size. With a given @address the region ends with the page of the last
 *	byte asked for, and starts with its 64 KiB unit.
 * @lowest: 0, or the lowest base allowed, a multiple of WINREGION_GRANULARITY
 * @highest: 0, or the highest byte allowed: one less than a multiple of the
 *	page size, and not above out_highest
 * @alignment: 0, or a power of two, at least WINREGION_GRANULARITY
 * @lowest, @highest and @alignment must be 0 when @address is given. A stack has
 * the protection WINREGION_READWRITE (else EDOM).
 *
 * A placeholder is a region that keeps its addresses for what will replace it: nothing
 * can be committed in it (EBADSLT). Its @protection is WINREGION_NOACCESS (EDOM).
 * With WINREGION_RESERVE_REPLACE the pages from @address on must be those of one
 * placeholder, all of it (EBADSLT), which need not start at a unit; what replaces it is
 * a region like others, and committed in the same step, if it is to be. At no moment
 * can anybody else have the range, and a call that fails leaves the placeholder. See
 * WINREGION_RELEASE_PRESERVE for the way back.
 *
 * WINREGION_RESERVE_WRITE_WATCH is for as long as the region is there; a placeholder has
 * none, but what replaces one may. No stack is a placeholder, or replaces one (EINVAL).
 *
 * With WINREGION_RESERVE_NODE the region's pages come from that node as long as it has
 * some, whatever policy the program has, and from others after that (but none of 2 MiB,
 * unless the region is of large pages). It is for as long as the region is there, and
 * for its copies after a fork; a placeholder has none (EINVAL), but what replaces one
 * may.
 *
 * WINREGION_RESERVE_LARGE_PAGES goes with WINREGION_RESERVE_COMMIT, and else only with
 * WINREGION_RESERVE_TOP_DOWN and WINREGION_RESERVE_NODE (EINVAL); @address and @length
 * are multiples of WINREGION_LARGE_PAGE (EINVAL), and @alignment is at least that. When
 * the call comes back the region has all of its pages, zeroed, in pieces of that size
 * (ENOBUFS), and they stay in memory, and such pieces, as long as the region is there.
 * They count as locked memory does (EAGAIN). Pages can be protected one by one, but all
 * of them can always be read, and have no modifier (EDOM); the region goes as a whole,
 * and is neither decommitted, nor committed again, nor offered (ENOTBLK). To lock or to
 * unlock such pages, or to reset them, does nothing. A forked child has a copy, made by
 * the fork, which is an ordinary region.
 *
 * WINREGION_RESERVE_PHYSICAL goes only with WINREGION_RESERVE_TOP_DOWN (EINVAL), and
 * with the protection WINREGION_READWRITE (EDOM): the region is for frames. What is mapped
 * in it, by WINREGION_MAP_FRAMES, is told as committed, and all else of it as reserved. It
 * is neither committed, nor decommitted, nor offered (ENOTBLK), nor protected otherwise
 * (EDOM). When it is released its frames are mapped nowhere. A forked child's is empty.
 *
 * Rules: M-03 to M-09, VA-01 to VA-26, VA-30, AR-01 to AR-11, PH-01 to PH-09, PH-30, PH-33,
 * VX-08, LP-01 to LP-05.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EDOM, EADDRNOTAVAIL, EOVERFLOW,
 * EEXIST, ENOSPC, EDQUOT, EMFILE, EAGAIN, EACCES, ENOMEM, ENFILE, EINTR, EBADSLT,
 * ENOBUFS.
 */
struct winregion_reserve {
	__u32 size;
	__u32 flags;
	__u32 protection;
	__u32 node;
	__aligned_u64 address;
	__aligned_u64 length;
	__aligned_u64 lowest;
	__aligned_u64 highest;
	__aligned_u64 alignment;
};

#define WINREGION_RESERVE _IO(WINREGION_TYPE, WINREGION_CMD_RESERVE)

/* Flags of winregion_release, one of them at most */
#define WINREGION_RELEASE_PRESERVE (1 << 0) /* leave a placeholder */
#define WINREGION_RELEASE_COALESCE (1 << 1) /* make one of several */

/**
 * struct winregion_release - ioctl(WINREGION_RELEASE)
 * @size: sizeof(struct winregion_release)
 * @flags: WINREGION_RELEASE_* or 0
 * @address: in: an address in the region; out: the first byte released
 * @length: in: 0 for the whole region, whose first page @address must then be
 *	in, or the bytes to release; out: bytes released
 *
 * When a part is released, what is left of the region on each side is a region
 * of its own. Rules: VF-05 to VF-07, NF-01 to NF-07.
 *
 * With a flag nothing becomes free, and @length is never 0 (EOVERFLOW). With
 * WINREGION_RELEASE_PRESERVE the pages become a placeholder: those of a region that has
 * replaced one, all or some of them, or some of those of a placeholder, which is split
 * by that. With WINREGION_RELEASE_COALESCE they are those of at least two placeholders
 * that touch, which become one. All else is EBADSLT. Rules: PH-11 to PH-25.
 *
 * Large pages are released as a whole (ENOTBLK). Rule: LP-05.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EADDRNOTAVAIL, EOVERFLOW, ENOENT,
 * EXDEV, ESPIPE, EMFILE, EBUSY, EBADSLT, ENOTBLK, ENOMEM, EINTR; EFAULT only where
 * the structure cannot be read.
 */
struct winregion_release {
	__u32 size;
	__u32 flags;
	__aligned_u64 address;
	__aligned_u64 length;
};

#define WINREGION_RELEASE _IO(WINREGION_TYPE, WINREGION_CMD_RELEASE)

/*
 * The program does not touch each page on its way down: so any touch between the
 * region's first page and the guard makes the stack grow down to there.
 */
#define WINREGION_STACK_LEAPS (1 << 0)

/**
 * struct winregion_set_stack - ioctl(WINREGION_SET_STACK)
 * @size: sizeof(struct winregion_set_stack)
 * @flags: WINREGION_STACK_* bits
 * @address: an address in the region
 * @guarantee: bytes that are left when the stack is full, in whole pages
 *
 * What a region that was made by WINREGION_RESERVE_STACK does from now on; at first
 * both are 0. Such a region is for a stack: the program commits what is at its upper
 * end, and the page below that with WINREGION_READWRITE | WINREGION_GUARD. When that
 * guard is touched, by the program or in a system call, its page becomes an ordinary
 * one, the page below becomes the guard, which takes commit charge, and the access
 * goes on.
 *
 * The first page of the region stays as it is. If the guard is touched on the second
 * one, or on the pages above it that are the guarantee, or there is no commit charge,
 * the stack is full: there is no guard any more, all pages from the second one up to
 * it are committed (but not without charge), and the access fails, with SIGSEGV. (One
 * of a system call fails, and changes nothing.) Who has gone back up makes them a
 * guard again by WINREGION_DECOMMIT and WINREGION_COMMIT.
 *
 * Any other guard page, below which there is a committed one, is like those of other
 * regions. A process that is forked, and what a release of a part leaves, are the
 * same. Rule: GP-17.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EADDRNOTAVAIL, ENOENT also for a region
 * that is not a stack, EXDEV if the guarantee leaves no page in between, EINTR.
 */
struct winregion_set_stack {
	__u32 size;
	__u32 flags;
	__aligned_u64 address;
	__aligned_u64 guarantee;
};

#define WINREGION_SET_STACK _IO(WINREGION_TYPE, WINREGION_CMD_SET_STACK)

/* Flags of winregion_frames */
#define WINREGION_FRAMES_FREE (1 << 0) /* free them, instead */
#define WINREGION_FRAMES_NODE (1 << 1) /* on a memory node, if possible */

/**
 * struct winregion_frames - ioctl(WINREGION_FRAMES)
 * @size: sizeof(struct winregion_frames)
 * @flags: WINREGION_FRAMES_* bits
 * @node: with WINREGION_FRAMES_NODE a memory node that is online, else 0
 * @__reserved: must be 0
 * @count: in: how many, at least 1 (EOVERFLOW); out: how many it were
 * @frames: the address of @count numbers of 64 bits: out, or with WINREGION_FRAMES_FREE in
 *
 * A frame is a page of zeros that stays in memory until it is freed, wherever it is mapped
 * and what it holds with it. It has a number, above 0, which means nothing in another
 * process, nor in a child. They count as committed (EDQUOT) and as locked memory does
 * (EAGAIN). If limits or memory do not allow all of them there are fewer; there is an error
 * if there is none, or if @frames cannot be written.
 *
 * Those that are freed are unmapped, too, all in front of the first number of none (EINVAL):
 * @count says how many, also then. Frames end with the process, at exec, and if it unmaps
 * the page of addresses that /proc/PID/maps shows as winregion-frames.
 *
 * Rules: AW-01 to AW-03, AW-08, AW-11.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EOVERFLOW, EAGAIN, EDQUOT, ENOMEM, ENFILE,
 * EINTR.
 */
struct winregion_frames {
	__u32 size;
	__u32 flags;
	__u32 node;
	__u32 __reserved;
	__aligned_u64 count;
	__aligned_u64 frames;
};

#define WINREGION_FRAMES _IO(WINREGION_TYPE, WINREGION_CMD_FRAMES)

/**
 * struct winregion_map_frames - ioctl(WINREGION_MAP_FRAMES)
 * @size: sizeof(struct winregion_map_frames)
 * @flags: must be 0
 * @address: where the first one is to be, and the others behind it; 0 with @addresses
 * @count: how many pages; with 0 nothing is done
 * @frames: the address of @count numbers of frames, 64 bits each, or 0: nothing is to be
 *	mapped there
 * @addresses: 0, or the address of @count addresses, 64 bits each
 *
 * All of it is done, or nothing. All pages must be in regions that were made with
 * WINREGION_RESERVE_PHYSICAL, and each number must be that of another frame, which is
 * mapped nowhere, or in a page that this call is about (EINVAL). What was mapped there is
 * mapped nowhere then; if an address comes twice the last frame counts.
 * At most 65536 addresses, or as many as there are frames (ENOMEM).
 *
 * Rules: AW-04 to AW-07, AW-09.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EADDRNOTAVAIL, EOVERFLOW, ENOMEM, EINTR.
 */
struct winregion_map_frames {
	__u32 size;
	__u32 flags;
	__aligned_u64 address;
	__aligned_u64 count;
	__aligned_u64 frames;
	__aligned_u64 addresses;
};

#define WINREGION_MAP_FRAMES _IO(WINREGION_TYPE, WINREGION_CMD_MAP_FRAMES)

/**
 * struct winregion_range - a range of pages and what to do with it
 * @address: any byte of the first page
 * @length: bytes; 0 only for WINREGION_DECOMMIT, for the whole region whose
 *	first page @address must then be in
 * @protection: the new protection; must be 0 for WINREGION_DECOMMIT
 * @out_old_protection: written by WINREGION_PROTECT only: the protection that
 *	the first page of the range had
 */
struct winregion_range {
	__aligned_u64 address;
	__aligned_u64 length;
	__u32 protection;
	__u32 out_old_protection;
};

/**
 * struct winregion_change - ioctl(WINREGION_COMMIT, _DECOMMIT, _PROTECT)
 * @size: sizeof(struct winregion_change)
 * @flags: must be 0
 * @nr_ranges: 0 for the one range in @range, else the number of elements of
 *	the array at @ranges, at most WINREGION_MAX_RANGES
 * @__reserved: must be 0
 * @ranges: user pointer to an array of struct winregion_range; must be 0 when
 *	@nr_ranges is 0
 * @range: the range when @nr_ranges is 0; else all its fields must be 0
 *
 * Each range lies in one region. All ranges change in one step, as if one after
 * the other in the order given, or none does.
 *
 * WINREGION_COMMIT makes the pages committed, with the protection given;
 * pages that were committed keep their contents, the others are zero. It takes
 * the commit charge. WINREGION_DECOMMIT gives pages, contents and charge back;
 * pages that are not committed are skipped. WINREGION_PROTECT changes the
 * protection of committed pages.
 *
 * Rules: M-10 to M-13, P-01 to P-12, VA-05 to VA-09, VF-08 to VF-13, VP-01 to
 * VP-14.
 *
 * In a view of a file all pages are committed, and COMMIT fails. In one of memory
 * COMMIT commits pages of the section, for all views of all processes, and gives them
 * the protection in this view. No protection can have a right that the allocation
 * protection of the view has not. Rules: VV-01, VV-02, VV-08, VV-09, VC-01 to VC-05,
 * SR-01 to SR-12.
 *
 * Of views also EKEYREJECTED, and of COMMIT EALREADY, of DECOMMIT EBUSY. Of
 * placeholders COMMIT is EBADSLT. Of large pages COMMIT and DECOMMIT are ENOTBLK.
 *
 * Errors of all three: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EADDRNOTAVAIL,
 * EOVERFLOW, ENOENT, EXDEV, EAGAIN, ENOMEM, EINTR; of COMMIT and PROTECT also
 * EDOM, EACCES, ENOSPC; of COMMIT EDQUOT, ENFILE; of PROTECT ENODATA; of
 * DECOMMIT ESPIPE, ENOSPC; EFAULT only where the structure or the array cannot
 * be read.
 */
struct winregion_change {
	__u32 size;
	__u32 flags;
	__u32 nr_ranges;
	__u32 __reserved;
	__aligned_u64 ranges;
	struct winregion_range range;
};

#define WINREGION_COMMIT _IO(WINREGION_TYPE, WINREGION_CMD_COMMIT)
#define WINREGION_DECOMMIT _IO(WINREGION_TYPE, WINREGION_CMD_DECOMMIT)
#define WINREGION_PROTECT _IO(WINREGION_TYPE, WINREGION_CMD_PROTECT)

/* What is done to the contents of pages: winregion_reset.operation */
#define WINREGION_OP_RESET 1
#define WINREGION_OP_UNDO 2
#define WINREGION_OP_DISCARD 3
#define WINREGION_OP_OFFER 4
#define WINREGION_OP_RECLAIM 5

/* How much offered contents are worth; the numbers are those of Windows. */
#define WINREGION_PRIORITY_VERY_LOW 1
#define WINREGION_PRIORITY_LOW 2
#define WINREGION_PRIORITY_BELOW_NORMAL 3
#define WINREGION_PRIORITY_NORMAL 4

/**
 * struct winregion_reset - ioctl(WINREGION_RESET)
 * @size: sizeof(struct winregion_reset)
 * @flags: must be 0
 * @operation: WINREGION_OP_*
 * @nr_ranges: as in struct winregion_change
 * @ranges: as in struct winregion_change
 * @range: as in struct winregion_change. For WINREGION_OP_RESET and _UNDO @protection
 *	must be valid, and is not used; for _OFFER it is a WINREGION_PRIORITY_*; for the
 *	others it must be 0.
 * @out_gone: bytes of pages that were to be taken back and whose contents were freed;
 *	~0 if the call fails, or if it could not be told any more
 *
 * States, protections and the commit charge stay as they are. Pages whose contents were
 * freed read as zeros. All ranges change in one step, or none does.
 *
 * WINREGION_OP_RESET lets the contents of pages be freed when memory is short. That ends
 * with the next access to a page, which finds the old contents, or zeros. Only pages
 * that are wholly in the range are reset; those that are not committed, that are offered
 * or locked, or that a device may be writing stay as they are.
 * WINREGION_OP_UNDO ends it for all pages, and tells how many were freed since they were
 * reset, used again or not.
 *
 * WINREGION_OP_OFFER does the same with committed pages, which cannot be accessed until
 * they are taken back by WINREGION_OP_RECLAIM, all of whose pages must be offered; that
 * does not tell what a reset has lost before the offer. What was reset is freed first,
 * then what is offered, that of the lowest priority first. Pages that are locked are
 * unlocked by it.
 *
 * WINREGION_OP_DISCARD frees the contents of pages, all WINREGION_READWRITE (EDOM), at
 * once. Those that are locked stay so, and in memory.
 *
 * None of these writes a page, nor forgets which were written: WINREGION_WRITE_WATCH.
 *
 * In a view of memory RESET and UNDO do nothing; all else in views is an error
 * (EMEDIUMTYPE). A forked child has zeros in place of what is reset or offered, and is
 * told so. Rules: RS-01 to RS-09, DC-01, DC-02, OF-01 to OF-03, RC-01 to RC-03.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EDOM, EADDRNOTAVAIL, EOVERFLOW, ENOENT,
 * EXDEV, ENODATA, EMEDIUMTYPE, ENOMSG, ENOMEM, EINTR; of OFFER also ENOTBLK.
 */
struct winregion_reset {
	__u32 size;
	__u32 flags;
	__u32 operation;
	__u32 nr_ranges;
	__aligned_u64 ranges;
	struct winregion_range range;
	__aligned_u64 out_gone;
};

#define WINREGION_RESET _IO(WINREGION_TYPE, WINREGION_CMD_RESET)

/**
 * struct winregion_run - pages that follow each other and are alike
 * @address: first byte
 * @length: bytes to the first page of another state, protection or region
 * @region_address: base of the region; 0 if free
 * @region_length: bytes of the whole region; 0 if free
 * @region_committed: committed bytes of the whole region
 * @resident: bytes of this run that are in memory, where
 *	WINREGION_QUERY_RESIDENT asked for it, else 0; in a view of a file that who has
 *	made the section neither owns nor could write that is not told, and all of it
 *	counts
 * @region_protection: allocation protection of the region; 0 if free
 * @state: WINREGION_STATE_*
 * @protection: 0 for reserved pages, WINREGION_NOACCESS for free ones
 * @type: WINREGION_TYPE_PRIVATE, WINREGION_TYPE_MAPPED or WINREGION_TYPE_IMAGE for
 *	views, or 0 for free pages
 * @flags: WINREGION_RUN_* bits
 * @__reserved: 0
 */
struct winregion_run {
	__aligned_u64 address;
	__aligned_u64 length;
	__aligned_u64 region_address;
	__aligned_u64 region_length;
	__aligned_u64 region_committed;
	__aligned_u64 resident;
	__u32 region_protection;
	__u32 state;
	__u32 protection;
	__u32 type;
	__u32 flags;
	__u32 __reserved;
};

/*
 * The pages belong to a mapping that this module did not make: the region is
 * that mapping (VMA), its type WINREGION_TYPE_MAPPED if it maps a file, and
 * WINREGION_TYPE_PRIVATE otherwise. No other ioctl acts on it. Pages of it that
 * the mapping lets be read, but that are not there (behind the end of a file, or
 * in a hole of what a driver or the kernel maps), are committed with
 * WINREGION_NOACCESS, and so are all of a driver's mapping in another process; the
 * run of such a mapping may be cut into several.
 * Reserved, as a region of its own, is also what a stack may still grow into, and
 * all from 64 KiB up to where the system lets the process map anything.
 */
#define WINREGION_RUN_FOREIGN (1 << 0)

/* The region has large pages: WINREGION_RESERVE_LARGE_PAGES */
#define WINREGION_RUN_LARGE_PAGES (1 << 1)

/* Flags of winregion_query and winregion_query_runs */
#define WINREGION_QUERY_RESIDENT (1 << 0) /* count resident pages */
#define WINREGION_QUERY_REGIONS (1 << 1) /* skip what is in no region */

/**
 * struct winregion_query - ioctl(WINREGION_QUERY)
 * @size: sizeof(struct winregion_query)
 * @flags: WINREGION_QUERY_RESIDENT or 0
 * @address: any address up to out_highest, also below out_lowest
 * @out: the run from the page of @address on; it is not moved back to where
 *	the run starts
 *
 * Rules: VQ-01 to VQ-12, RI-01, RI-02, RI-06.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EADDRNOTAVAIL, EINTR.
 */
struct winregion_query {
	__u32 size;
	__u32 flags;
	__aligned_u64 address;
	struct winregion_run out;
};

#define WINREGION_QUERY _IO(WINREGION_TYPE, WINREGION_CMD_QUERY)

/**
 * struct winregion_query_runs - ioctl(WINREGION_QUERY_RUNS)
 * @size: sizeof(struct winregion_query_runs)
 * @flags: WINREGION_QUERY_* bits
 * @address: in: where to start; out: where to go on, or above @last if all of
 *	the range has been described
 * @last: the last byte of interest; at most out_highest
 * @runs: user pointer to an array of struct winregion_run
 * @nr_runs: in: elements of the array, at least 1; out: elements written
 * @__reserved: must be 0
 *
 * The runs follow each other without holes, in ascending order, the last one
 * whole even where it ends beyond @last; with WINREGION_QUERY_REGIONS runs that
 * belong to no region are left out. Each run is exact at the moment it is
 * read; a long array is not one snapshot.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EADDRNOTAVAIL, ENOMEM, EINTR.
 */
struct winregion_query_runs {
	__u32 size;
	__u32 flags;
	__aligned_u64 address;
	__aligned_u64 last;
	__aligned_u64 runs;
	__u32 nr_runs;
	__u32 __reserved;
};

#define WINREGION_QUERY_RUNS _IO(WINREGION_TYPE, WINREGION_CMD_QUERY_RUNS)

/* Flags of winregion_write_watch */
#define WINREGION_WATCH_GET (1 << 0) /* tell which pages were written */
#define WINREGION_WATCH_RESET (1 << 1) /* forget it, or what is told of it */

/**
 * struct winregion_write_watch - ioctl(WINREGION_WRITE_WATCH)
 * @size: sizeof(struct winregion_write_watch)
 * @flags: WINREGION_WATCH_* bits, at least one
 * @address: an address in a region made with WINREGION_RESERVE_WRITE_WATCH
 * @length: bytes, at least 1, in that region
 * @pages: user pointer to an array of __u64; 0 without WINREGION_WATCH_GET
 * @nr_pages: in: elements of the array, at least 1, or 0 without WINREGION_WATCH_GET;
 *	out: elements written
 * @out_granularity: bytes that each of them stands for
 * @__reserved: must be 0
 *
 * A page was written if anybody has written to it since it was committed, or since
 * the last reset: the program, by whatever thread; the kernel, for a system call,
 * a device or another process. A page that is pinned for a device counts as written
 * each time, as long as it is, and once more. Reads do not count, nor do changes of the
 * protection. What is not committed was not written. A child of a fork goes on with
 * what the parent's calls would say. What the kernel writes by a reference that it
 * neither pins nor marks, as kTLS does, may not be told: WW-46.
 *
 * The addresses of such pages are told in ascending order. If the array is too small
 * for all of them the lowest are told, and only those are forgotten by a reset.
 * No write is forgotten that is not told by the same call, or by a later one.
 * When the call fails nothing is forgotten. Rules: WW-01 to WW-46, VA-16.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EADDRNOTAVAIL, EOVERFLOW, ENOENT,
 * EUNATCH, EXDEV, ENOMEM, EINTR.
 */
struct winregion_write_watch {
	__u32 size;
	__u32 flags;
	__aligned_u64 address;
	__aligned_u64 length;
	__aligned_u64 pages;
	__aligned_u64 nr_pages;
	__u32 out_granularity;
	__u32 __reserved;
};

#define WINREGION_WRITE_WATCH _IO(WINREGION_TYPE, WINREGION_CMD_WRITE_WATCH)

/* What winregion_lock.operation can be */
#define WINREGION_LOCK_ADD 0 /* lock pages */
#define WINREGION_LOCK_REMOVE 1 /* unlock them */
#define WINREGION_LOCK_TRIM 2 /* have the others leave the working set */
#define WINREGION_LOCK_COUNT 3 /* only say how many are locked */

/**
 * struct winregion_lock - ioctl(WINREGION_LOCK)
 * @size: sizeof(struct winregion_lock)
 * @flags: must be 0
 * @operation: WINREGION_LOCK_*
 * @__reserved: must be 0
 * @address: any byte of the first page
 * @length: bytes
 * @out_locked: bytes of the range, in whole pages, that were locked before
 *
 * A range to be locked can have pages of several regions and views, one behind the
 * other: all of them committed (ENOENT, ENODATA), to be read (EPROTO), and no guards.
 * They are in memory when the call comes back, and stay there, until they are
 * unlocked, decommitted, released or unmapped, or become such as can not be read; of a
 * file in a view also until it is cut off. A page is locked or not, however often it was
 * locked. What a process has locked counts as by mlock() (EAGAIN); a child has
 * nothing locked. The first page that cannot be locked decides; if it is a guard, that
 * is set off as by an access (ESTALE), and nothing else has changed.
 *
 * To be unlocked, all pages have to be locked (ENOLCK). If some are not, they leave
 * the working set, as all that are not locked do with WINREGION_LOCK_TRIM: nothing
 * maps them any more, but they keep what they hold, and the next access finds them
 * again. Where the module has paging they are the next to leave for swap. That, and to
 * count them, goes for what of the range is in regions.
 *
 * Rules: LK-01 to LK-12, GP-08, GP-09, WS-08.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EADDRNOTAVAIL, EOVERFLOW, EINTR; to lock
 * also ENOENT, ENODATA, EPROTO, ESTALE, EAGAIN, EIO, ENOMEM; to unlock ENOLCK. EFAULT only
 * where the structure cannot be read, but for WINREGION_LOCK_COUNT.
 */
struct winregion_lock {
	__u32 size;
	__u32 flags;
	__u32 operation;
	__u32 __reserved;
	__aligned_u64 address;
	__aligned_u64 length;
	__aligned_u64 out_locked;
};

#define WINREGION_LOCK _IO(WINREGION_TYPE, WINREGION_CMD_LOCK)

/**
 * DOC: Sections and views
 *
 * A section stands for a file, or for memory that is its own. Its descriptor is a
 * right: what it lets be done is fixed when it is made, whoever has it. A view is a
 * region of Type WINREGION_TYPE_MAPPED that shows a part of a section. It stays when
 * the descriptor is closed, and ends by WINREGION_UNMAP_VIEW or munmap() of all of
 * it, or with the process; a fork copies it, and both show the same.
 *
 * Views are as coherent with each other, and with read(), write() and mmap(), as
 * mmap() of the file is. Pages behind the end of the file raise SIGBUS.
 *
 * A page with WINREGION_WRITECOPY becomes the view's own when it is written, and
 * WINREGION_READWRITE: no more of it is shared, until the view ends. WINREGION_PROTECT
 * can make pages of all views so that can be read; a copy stays one, whatever protection
 * it gets. Charged to the process are all pages of a view that was mapped so, and of
 * others those that are so or have a copy. A view that can hold copies counts as one
 * that writes where its file is to be sealed (EKEYREJECTED). Rules: MV-52 to MV-54,
 * VV-03 to VV-08, RI-04.
 *
 * A view that was mapped executable, of a section that allows it, can be executed, or
 * not, as a whole: of its pages that can be read all can be executed or none can. A
 * WINREGION_PROTECT, or WINREGION_COMMIT, of one range changes that where no other page
 * of the view, committed or not, has a protection to read it; else it is EDOM.
 */

/*
 * What a section's descriptor allows; the numbers are those of Windows. A view that
 * can be read needs MAP_READ, one that can be written MAP_WRITE and not MAP_READ,
 * one with no access MAP_READ, and one that copies what is written MAP_READ. One that
 * can be executed needs MAP_EXECUTE as well.
 */
#define WINREGION_SECTION_QUERY 0x01
#define WINREGION_SECTION_MAP_WRITE 0x02
#define WINREGION_SECTION_MAP_READ 0x04
#define WINREGION_SECTION_MAP_EXECUTE 0x08
#define WINREGION_SECTION_EXTEND 0x10
#define WINREGION_SECTION_ALL 0x1f

/* Flags of winregion_create_section, and winregion_query_section.out_flags */
#define WINREGION_SECTION_RESERVE (1 << 0) /* memory: committed page by page */
#define WINREGION_SECTION_NOCACHE (1 << 1) /* shown in protections, no effect */
#define WINREGION_SECTION_WRITECOMBINE (1 << 2) /* remembered, no effect */
#define WINREGION_SECTION_FILE (1 << 3) /* of a file; out_flags only */
#define WINREGION_SECTION_NAMED (1 << 4) /* it has a name; out_flags only */
#define WINREGION_SECTION_IMAGE (1 << 5) /* of pieces of a file */

/**
 * DOC: Names of sections
 *
 * A name belongs to an IPC namespace, that of who gives it. It is any bytes, 1 to
 * WINREGION_MAX_NAME, and lasts as long as a descriptor of its section is open
 * somewhere; views alone do not keep it. Rules: CM-44 to CM-46.
 *
 * Each user has names of his own, which nobody else can use. With
 * WINREGION_NAME_GLOBAL a name is one of all users, and is looked for in three
 * places: the user's own names of that kind, then root's, then those that users
 * share. A new one goes to the first if it is for its owner alone (@others is 0), to
 * the second if its owner is root, and else to the third. The owner is the effective
 * user ID, root the one of the user namespace that the IPC namespace belongs to.
 *
 * So nobody can take a name from somebody else: a new section is never another
 * user's one, but for root's (for who is in that user namespace), and but for who
 * gives everybody MAP_READ and MAP_WRITE anyway: if it is not of a file, which that user
 * could cut, nor smaller, nor has SECTION_RESERVE or SECTION_IMAGE where the new one
 * would not. If a name that is to be shared is another user's already, there is an error
 * (EKEYREJECTED). Who opens a name of all users has asked for anybody's:
 * WINREGION_NAME_OWNER says whose it has to be, and winregion_query_section.out_owner
 * tells whose it is.
 *
 * The owner can open a section for all there is to it, root others' sections for no
 * more than everybody.
 */
#define WINREGION_MAX_NAME 1024

/* Flags of winregion_create_section.name_flags, winregion_open_section.flags */
#define WINREGION_NAME_GLOBAL (1 << 0) /* one of all users */
#define WINREGION_NAME_NEW (1 << 1) /* create: never one that exists */
#define WINREGION_NAME_EXISTING (1 << 2) /* create: only one that exists */
#define WINREGION_NAME_OWNER (1 << 3) /* open: only that of @owner */

/* The most pieces that an image has. */
#define WINREGION_MAX_PIECES 128

/**
 * struct winregion_piece - a part of an image
 * @address: where in the section it begins, a multiple of the page size
 * @length: its bytes, at least 1
 * @offset: where in the file its contents begin
 * @bytes: how many of those there are, at most @length; zeros follow
 * @protection: the most that views of it can have: WINREGION_READONLY or
 *	WINREGION_EXECUTE_READ, and so copies of what is written; or WINREGION_READWRITE
 *	or WINREGION_EXECUTE_READWRITE, if it is to be written for all
 * @__reserved: must be 0
 */
struct winregion_piece {
	__aligned_u64 address;
	__aligned_u64 length;
	__aligned_u64 offset;
	__aligned_u64 bytes;
	__u32 protection;
	__u32 __reserved;
};

/**
 * struct winregion_create_section - ioctl(WINREGION_CREATE_SECTION)
 * @size: sizeof(struct winregion_create_section)
 * @flags: WINREGION_SECTION_RESERVE, _NOCACHE, _WRITECOMBINE; or WINREGION_SECTION_IMAGE
 * @file: a descriptor of a regular file, or -1 for memory
 * @protection: WINREGION_READONLY, WINREGION_WRITECOPY, which is the same,
 *	WINREGION_READWRITE, or WINREGION_EXECUTE_READ, WINREGION_EXECUTE_WRITECOPY, which
 *	is the same, or WINREGION_EXECUTE_READWRITE: the most that views can have
 * @access: WINREGION_SECTION_* that the new descriptor allows
 * @out_fd: the new descriptor, which is closed by exec
 * @length: in: bytes, or 0 for all of the file; out: bytes of the section, of memory
 *	whole pages
 * @name: 0, or the address of its name
 * @name_length: bytes of @name
 * @name_flags: WINREGION_NAME_GLOBAL, _NEW, _EXISTING
 * @others: WINREGION_SECTION_* that other users can open it for, by a name of all
 *	users
 * @out_existed: 1 if the name was there, else 0; only written if there is a @name
 * @pieces: with WINREGION_SECTION_IMAGE the address of its pieces, else 0
 * @nr_pieces: how many; at most WINREGION_MAX_PIECES
 * @__reserved: must be 0
 *
 * The file must be open for reading, and for writing if @protection is
 * WINREGION_READWRITE, and as large as the section (EFBIG); it must be possible to
 * map it in that way (EKEYREJECTED), by pages that are its own (EMEDIUMTYPE): so no
 * file of hugetlbfs or with DAX. It may be closed afterwards. While there is a section it
 * cannot be sealed against writing. Memory is charged as a whole, unless
 * WINREGION_SECTION_RESERVE says that each page is to be charged once it is
 * committed; for files that flag has no effect. Rules: CM-01, CM-02, CM-04 to CM-06,
 * CM-08, CM-10, CM-11, CM-20, CM-21, CM-23, CM-25 to CM-29, CM-31, CM-47, CM-48.
 *
 * With WINREGION_SECTION_IMAGE the section is memory, of @length bytes, with the contents
 * that its pieces have in @file now; what is in no piece is zero. The pieces are in the
 * order of their addresses, and do not overlap (EINVAL); the file must have their
 * contents (EFBIG), and be one that can be mapped to be read, and if @protection
 * executes, to be executed. What becomes of it later is nothing to the section. No piece can
 * have more than @protection (EDOM). Views can have what all of their pieces can, and
 * where there is none, be read (EKEYREJECTED).
 *
 * With a name that a section has already, @out_fd is a descriptor of that one, if it
 * can be opened for @access, and what was to be made does not matter (CM-41), but for
 * an image, which has to be of the same file, unchanged, in the same pieces (ENOTUNIQ);
 * WINREGION_NAME_NEW refuses it (ENOTUNIQ). With WINREGION_NAME_EXISTING nothing is
 * made (ESRCH).
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EBADF, EDOM, EMEDIUMTYPE,
 * EKEYREJECTED, ENXIO, EFBIG, EDQUOT, EMFILE, ENFILE, ENOSPC, EAGAIN, ENOMEM, EINTR,
 * ENAMETOOLONG, ENOTUNIQ, ESRCH, EIO.
 */
struct winregion_create_section {
	__u32 size;
	__u32 flags;
	__s32 file;
	__u32 protection;
	__u32 access;
	__s32 out_fd;
	__aligned_u64 length;
	__aligned_u64 name;
	__u32 name_length;
	__u32 name_flags;
	__u32 others;
	__u32 out_existed;
	__aligned_u64 pieces;
	__u32 nr_pieces;
	__u32 __reserved;
};

#define WINREGION_CREATE_SECTION \
	_IO(WINREGION_TYPE, WINREGION_CMD_CREATE_SECTION)

/**
 * struct winregion_open_section - ioctl(WINREGION_OPEN_SECTION)
 * @size: sizeof(struct winregion_open_section)
 * @flags: WINREGION_NAME_GLOBAL, _OWNER
 * @name: the address of its name
 * @name_length: bytes of @name
 * @access: WINREGION_SECTION_* that the new descriptor allows
 * @owner: with WINREGION_NAME_OWNER the user whose it has to be, else 0
 * @out_fd: the new descriptor, which is closed by exec
 *
 * Rules: OM-01 to OM-03, CM-43.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, ENAMETOOLONG, ESRCH, EKEYREJECTED,
 * EMFILE, ENFILE, ENOMEM.
 */
struct winregion_open_section {
	__u32 size;
	__u32 flags;
	__aligned_u64 name;
	__u32 name_length;
	__u32 access;
	__u32 owner;
	__s32 out_fd;
};

#define WINREGION_OPEN_SECTION _IO(WINREGION_TYPE, WINREGION_CMD_OPEN_SECTION)

/* Flags of winregion_map_view */
#define WINREGION_VIEW_TOP_DOWN (1 << 0) /* as high as possible */
#define WINREGION_VIEW_REPLACE (1 << 1) /* in place of a placeholder */
#define WINREGION_VIEW_RESERVE (1 << 2) /* of a file: maybe larger than it */
#define WINREGION_VIEW_IMAGE (1 << 3) /* of an image */

/**
 * struct winregion_map_view - ioctl(WINREGION_MAP_VIEW) of a section's descriptor
 * @size: sizeof(struct winregion_map_view)
 * @flags: WINREGION_VIEW_* bits
 * @protection: the view's allocation protection: any of the eight, maybe with
 *	WINREGION_GUARD
 * @section: 0; of a process's descriptor, that of the section
 * @address: in: 0, or the base; out: the base. A multiple of WINREGION_GRANULARITY
 * @offset: bytes in the section, a multiple of WINREGION_GRANULARITY
 * @length: in: bytes, or 0 for the rest of the section; out: whole pages
 * @commit: bytes at the beginning that are committed with it; 0 for a file
 * @lowest: 0, or the lowest base allowed, as for winregion_reserve
 * @highest: 0, or the highest byte allowed, as for winregion_reserve
 * @image: with WINREGION_VIEW_IMAGE the address of the image, or 0; else 0
 *
 * @lowest and @highest must be 0 when @address is given. With WINREGION_VIEW_REPLACE the
 * view takes the place of a placeholder, as with WINREGION_RESERVE_REPLACE, that has just
 * its pages (EBADSLT); @address and @offset are multiples of the page size then.
 *
 * With WINREGION_VIEW_RESERVE, of a section of a file that can be written (EINVAL,
 * EKEYREJECTED), @length may be more than the section has. Pages behind the end of the
 * section are reserved, and an access fails as to any such page. They are committed once
 * the section has grown so far, and stay so; if the section was all of the file when it
 * was made, the file may also grow, by whatever call. Of a section of a part of a file
 * the rest is seen by nobody. Rules: MV-42, MV-43.
 *
 * WINREGION_VIEW_IMAGE is for a section with WINREGION_SECTION_IMAGE, and that for no other
 * views (EMEDIUMTYPE). If @image is 0 the view shows the bytes, and is one like others.
 * Else, and with WINREGION_VIEW_REPLACE (EINVAL), it is a part of an image that lies at @image,
 * a multiple of WINREGION_GRANULARITY, and has its place in it: @address less @image is
 * @offset (EINVAL). Such parts are told as one region of WINREGION_TYPE_IMAGE, with the
 * allocation protection WINREGION_EXECUTE_WRITECOPY, and WINREGION_UNMAP_VIEW ends all
 * of them. The descriptor need allow no more than WINREGION_SECTION_MAP_READ.
 *
 * Rules: PH-27, PH-28, PH-31, MV-01, MV-10, MV-20 to MV-22, MV-24 to MV-28, MV-30,
 * MV-31, MV-46, MV-47, MV-50, MV-51, AR-21, AR-22.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EDOM, EKEYREJECTED, ERANGE,
 * EADDRNOTAVAIL, EOVERFLOW, EEXIST, ENOSPC, EDQUOT, EMFILE, EAGAIN, EACCES,
 * EMEDIUMTYPE, ENOMEM, ENFILE, EINTR, EBADSLT; of a process's descriptor also EBADF.
 */
struct winregion_map_view {
	__u32 size;
	__u32 flags;
	__u32 protection;
	__s32 section;
	__aligned_u64 address;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 commit;
	__aligned_u64 lowest;
	__aligned_u64 highest;
	__aligned_u64 image;
};

#define WINREGION_MAP_VIEW _IO(WINREGION_TYPE, WINREGION_CMD_MAP_VIEW)

/* Flags of winregion_unmap_view */
#define WINREGION_UNMAP_PRESERVE (1 << 0) /* leave a placeholder */

/**
 * struct winregion_unmap_view - ioctl(WINREGION_UNMAP_VIEW)
 * @size: sizeof(struct winregion_unmap_view)
 * @flags: WINREGION_UNMAP_PRESERVE, of a view that has replaced a placeholder (EBADSLT),
 *	or 0
 * @address: in: any address in the view; out: its base
 * @out_length: its bytes
 *
 * Of an image all parts are unmapped, the first one last, and no placeholder is left
 * (EBADSLT); after an error some may be gone.
 *
 * Rules: UM-01 to UM-05, UM-07, UM-09.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EADDRNOTAVAIL, ENOENT, ENOMEM, ENOSPC,
 * EACCES, EINTR, EBADSLT, and with the flag EMFILE, ENFILE, EAGAIN; EFAULT only where
 * the structure cannot be read.
 */
struct winregion_unmap_view {
	__u32 size;
	__u32 flags;
	__aligned_u64 address;
	__aligned_u64 out_length;
};

#define WINREGION_UNMAP_VIEW _IO(WINREGION_TYPE, WINREGION_CMD_UNMAP_VIEW)

/**
 * struct winregion_flush_view - ioctl(WINREGION_FLUSH_VIEW)
 * @size: sizeof(struct winregion_flush_view)
 * @flags: must be 0
 * @address: in a view
 * @length: bytes, or 0 for the rest of the view
 *
 * Writes what was changed in that part of the file to it, and waits for it; not what
 * else there is to know of the file, nor what the disk keeps in a cache of its own.
 * For memory there is nothing to do. Rules: FV-01 to FV-04.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EADDRNOTAVAIL, ENOENT, EXDEV, EIO.
 */
struct winregion_flush_view {
	__u32 size;
	__u32 flags;
	__aligned_u64 address;
	__aligned_u64 length;
};

#define WINREGION_FLUSH_VIEW _IO(WINREGION_TYPE, WINREGION_CMD_FLUSH_VIEW)

/**
 * struct winregion_query_section - ioctl(WINREGION_QUERY_SECTION) of a section's
 * descriptor
 * @size: sizeof(struct winregion_query_section)
 * @flags: must be 0
 * @out_flags: WINREGION_SECTION_*
 * @out_protection: as it was made with
 * @out_access: WINREGION_SECTION_* that this descriptor allows
 * @__reserved: 0
 * @out_length: bytes
 * @out_device: st_dev of its file, as by stat(); 0 for memory
 * @out_inode: st_ino of its file; 0 for memory
 * @out_owner: who has given it its name; ~0 if that user is not known in the caller's
 *	user namespace; 0 without a name
 * @out_others: WINREGION_SECTION_* that other users can open it for
 *
 * Needs WINREGION_SECTION_QUERY (EKEYREJECTED). Rules: CM-25, CM-26, CM-49.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EKEYREJECTED, EIO.
 */
struct winregion_query_section {
	__u32 size;
	__u32 flags;
	__u32 out_flags;
	__u32 out_protection;
	__u32 out_access;
	__u32 __reserved;
	__aligned_u64 out_length;
	__aligned_u64 out_device;
	__aligned_u64 out_inode;
	__u32 out_owner;
	__u32 out_others;
};

#define WINREGION_QUERY_SECTION _IO(WINREGION_TYPE, WINREGION_CMD_QUERY_SECTION)

/**
 * struct winregion_extend_section - ioctl(WINREGION_EXTEND_SECTION) of a section's
 * descriptor
 * @size: sizeof(struct winregion_extend_section)
 * @flags: must be 0
 * @length: bytes that it is to have at least; not more than its file has (EFBIG)
 *
 * For sections of files (EMEDIUMTYPE). Needs WINREGION_SECTION_EXTEND (EKEYREJECTED).
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EKEYREJECTED, EMEDIUMTYPE, EFBIG.
 */
struct winregion_extend_section {
	__u32 size;
	__u32 flags;
	__aligned_u64 length;
};

#define WINREGION_EXTEND_SECTION \
	_IO(WINREGION_TYPE, WINREGION_CMD_EXTEND_SECTION)

/**
 * struct winregion_duplicate_section - ioctl(WINREGION_DUPLICATE_SECTION) of a
 * section's descriptor
 * @size: sizeof(struct winregion_duplicate_section)
 * @flags: must be 0
 * @access: WINREGION_SECTION_* that the new descriptor allows; none that this one
 *	does not allow (EKEYREJECTED)
 * @out_fd: the new descriptor, which is closed by exec
 *
 * Rules: OM-05 to OM-07.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EKEYREJECTED, EMFILE, ENFILE, ENOMEM.
 */
struct winregion_duplicate_section {
	__u32 size;
	__u32 flags;
	__u32 access;
	__s32 out_fd;
};

#define WINREGION_DUPLICATE_SECTION \
	_IO(WINREGION_TYPE, WINREGION_CMD_DUPLICATE_SECTION)

/**
 * struct winregion_query_file - ioctl(WINREGION_QUERY_FILE)
 * @size: sizeof(struct winregion_query_file)
 * @flags: must be 0
 * @file: a descriptor of the file
 * @__reserved: must be 0
 * @out_length: bytes that sections of the file, and their views, need; 0 if there
 *	are none
 *
 * For who is about to make a file shorter.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EBADF.
 */
struct winregion_query_file {
	__u32 size;
	__u32 flags;
	__s32 file;
	__u32 __reserved;
	__aligned_u64 out_length;
};

#define WINREGION_QUERY_FILE _IO(WINREGION_TYPE, WINREGION_CMD_QUERY_FILE)

/* Kinds of access; the numbers are those of Windows. */
#define WINREGION_ACCESS_READ 0
#define WINREGION_ACCESS_WRITE 1
#define WINREGION_ACCESS_EXECUTE 8

/* Why an access has failed */
#define WINREGION_FAULT_NONE 0 /* none has */
#define WINREGION_FAULT_RESERVED 1 /* the page is not committed */
#define WINREGION_FAULT_PROTECTION 2 /* its protection does not allow it */
#define WINREGION_FAULT_GUARD 3 /* it had a guard, which is gone now */
#define WINREGION_FAULT_STACK_OVERFLOW 4 /* the guard of a stack's last page */
#define WINREGION_FAULT_IN_PAGE 5 /* the file has failed to give the page */
#define WINREGION_FAULT_BEHIND_END 6 /* the file ends in front of the page */
#define WINREGION_FAULT_POISONED 7 /* the memory is broken, the contents lost */

/**
 * struct winregion_last_fault - ioctl(WINREGION_LAST_FAULT)
 * @size: sizeof(struct winregion_last_fault)
 * @flags: must be 0
 * @out_address: the byte that was accessed
 * @out_sequence: how many accesses of the calling thread have failed so far; 0 if
 *	none, and all else is 0 then
 * @out_told: how often this one has been told before
 * @out_access: WINREGION_ACCESS_*
 * @out_reason: WINREGION_FAULT_*
 *
 * About the last access to a region or a view by the calling thread that has become a
 * SIGSEGV or a SIGBUS: for the handler of that, which should look whether the address
 * is that of the signal, and @out_told 0. What the kernel accesses for system calls
 * is not told here, nor is what the processor refuses at once by what is mapped there: an
 * instruction fetch from a page in memory, a write to a view that only reads. The
 * page's protection does not allow it then. What is told of other threads, and of the
 * parent of a process, is theirs. Rules: GP-01, GP-02, MV-55.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT.
 */
struct winregion_last_fault {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_address;
	__aligned_u64 out_sequence;
	__aligned_u64 out_told;
	__u32 out_access;
	__u32 out_reason;
};

#define WINREGION_LAST_FAULT _IO(WINREGION_TYPE, WINREGION_CMD_LAST_FAULT)

/* Flags of winregion_open_process */
#define WINREGION_PROCESS_CHANGE (1 << 0) /* for calls that change its memory */

/**
 * struct winregion_open_process - ioctl(WINREGION_OPEN_PROCESS)
 * @size: sizeof(struct winregion_open_process)
 * @flags: WINREGION_PROCESS_CHANGE, or 0
 * @memory: a descriptor of /proc/PID/mem, which with WINREGION_PROCESS_CHANGE must
 *	be open for writing (EKEYREJECTED); or without it of /proc/PID/environ
 * @out_fd: the new descriptor, which is closed by exec
 *
 * The descriptor stands for the address space of another process: WINREGION_GET_INFO,
 * WINREGION_QUERY, WINREGION_QUERY_RUNS and WINREGION_LOCK_COUNT of it are about that
 * one, and with the flag (EKEYREJECTED) WINREGION_RESERVE, WINREGION_RELEASE,
 * WINREGION_COMMIT, WINREGION_DECOMMIT, WINREGION_PROTECT, WINREGION_RESET,
 * WINREGION_LOCK, WINREGION_MAP_VIEW and WINREGION_UNMAP_VIEW, too. Others are unknown
 * (ENOTTY). What is charged, and all limits, are the other process's, as if one of its
 * threads had made the call; of WINREGION_GET_INFO the members about "this process", and
 * its addresses. The structures, and what they point to, are in the caller's memory.
 *
 * Who may do that is who may open the file: the kernel decides it, as it decides who
 * may trace a process, or for environ who may look at it. Once the process has ended, or
 * has run another program, calls fail (EOWNERDEAD). @memory may be closed.
 *
 * Rules: XP-01, XP-03, XP-04.
 *
 * Errors: EINVAL, EOPNOTSUPP, E2BIG, EFAULT, EBADF, EKEYREJECTED, EOWNERDEAD,
 * ENOEXEC, EMFILE, ENFILE, ENOMEM, and ENOTTY where WINREGION_FEATURE_PROCESS is not
 * there: /proc was not mounted when the module was loaded.
 */
struct winregion_open_process {
	__u32 size;
	__u32 flags;
	__s32 memory;
	__s32 out_fd;
};

#define WINREGION_OPEN_PROCESS _IO(WINREGION_TYPE, WINREGION_CMD_OPEN_PROCESS)

#endif /* _UAPI_LINUX_WINREGION_H */
