/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace events: what happens to memory, each at the place where others can see it
 * from, and the calls that had it happen. winregion.4 lists them. Off, one is an
 * instruction that does nothing.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM winregion

#if !defined(_WR_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _WR_TRACE_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/tracepoint.h>

#include <linux/winregion.h>

#ifndef _WR_TRACE_ONCE
#define _WR_TRACE_ONCE

/* Words of the largest structure that a call has */
#define WR_TRACE_WORDS (sizeof(struct winregion_get_info) / sizeof(u64))

/**
 * struct wr_trace_call - a call that is over
 * @cmd: WINREGION_*
 * @result: 0 or an error
 * @took: nanoseconds
 * @before: its structure as the program has passed it; what was not there is 0
 * @after: the same with the answers
 */
struct wr_trace_call {
	unsigned int cmd;
	long result;
	u64 took;
	u64 before[WR_TRACE_WORDS];
	u64 after[WR_TRACE_WORDS];
};

/* Which question of the core's a fault was */
enum wr_trace_asked {
	WR_TRACE_FAULT,
	WR_TRACE_HUGE, /* for all of a slot at once */
	WR_TRACE_WRITE, /* of a page that is mapped, or about to be */
};

pid_t wr_trace_pid_in(struct mm_struct *mm, struct pid_namespace *ns);
pid_t wr_trace_pid(struct mm_struct *mm);
pid_t wr_trace_answered(const struct vm_fault *vmf, vm_fault_t answer);
u32 wr_trace_access(const struct vm_fault *vmf);
long wr_trace_ioctl(struct file *file, unsigned int cmd, unsigned long arg,
		    long (*call)(struct file *file, unsigned int cmd,
				 unsigned long arg));

#endif /* _WR_TRACE_ONCE */

/* To clang-format these are calls. */
/* clang-format off */

/* VM_FAULT_RESULT_TRACE, but numbers, as the core's own has a type of its own */
#define WR_TRACE_ANSWER(name) \
	{ (__force unsigned long)VM_FAULT_##name, #name }
#define WR_TRACE_ANSWERS \
	WR_TRACE_ANSWER(OOM), \
	WR_TRACE_ANSWER(SIGBUS), \
	WR_TRACE_ANSWER(MAJOR), \
	WR_TRACE_ANSWER(HWPOISON), \
	WR_TRACE_ANSWER(HWPOISON_LARGE), \
	WR_TRACE_ANSWER(SIGSEGV), \
	WR_TRACE_ANSWER(NOPAGE), \
	WR_TRACE_ANSWER(LOCKED), \
	WR_TRACE_ANSWER(RETRY), \
	WR_TRACE_ANSWER(FALLBACK), \
	WR_TRACE_ANSWER(DONE_COW), \
	WR_TRACE_ANSWER(NEEDDSYNC)

#define WR_TRACE_ACCESSES \
	{ WINREGION_ACCESS_READ, "read" }, \
	{ WINREGION_ACCESS_WRITE, "write" }, \
	{ WINREGION_ACCESS_EXECUTE, "execute" }

#define WR_TRACE_REASONS \
	{ WINREGION_FAULT_RESERVED, "reserved" }, \
	{ WINREGION_FAULT_PROTECTION, "protection" }, \
	{ WINREGION_FAULT_GUARD, "guard" }, \
	{ WINREGION_FAULT_STACK_OVERFLOW, "stack overflow" }, \
	{ WINREGION_FAULT_IN_PAGE, "in page" }, \
	{ WINREGION_FAULT_BEHIND_END, "behind end" }, \
	{ WINREGION_FAULT_POISONED, "poisoned" }

#define WR_TRACE_ASKED \
	{ WR_TRACE_FAULT, "fault" }, \
	{ WR_TRACE_HUGE, "huge" }, \
	{ WR_TRACE_WRITE, "write" }

#define WR_TRACE_OPERATIONS \
	{ WINREGION_OP_RESET, "reset" }, \
	{ WINREGION_OP_UNDO, "undo" }, \
	{ WINREGION_OP_DISCARD, "discard" }, \
	{ WINREGION_OP_OFFER, "offer" }, \
	{ WINREGION_OP_RECLAIM, "reclaim" }

TRACE_EVENT(wr_call,
	TP_PROTO(const struct wr_trace_call *call),
	TP_ARGS(call),
	TP_STRUCT__entry(
		__field(unsigned int, nr)
		__field(long, result)
		__field(u64, took)
		__array(u64, before, WR_TRACE_WORDS)
		__array(u64, after, WR_TRACE_WORDS)
	),
	TP_fast_assign(
		__entry->nr = _IOC_NR(call->cmd);
		__entry->result = call->result;
		__entry->took = call->took;
		memcpy(__entry->before, call->before, sizeof(call->before));
		memcpy(__entry->after, call->after, sizeof(call->after));
	),
	TP_printk("nr=0x%x result=%ld took=%llu before=%s after=%s",
		  __entry->nr, __entry->result, __entry->took,
		  __print_array(__entry->before, WR_TRACE_WORDS, sizeof(u64)),
		  __print_array(__entry->after, WR_TRACE_WORDS, sizeof(u64)))
);

DECLARE_EVENT_CLASS(wr_range,
	TP_PROTO(struct mm_struct *mm, pgoff_t first, pgoff_t end),
	TP_ARGS(mm, first, end),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u64, address)
		__field(u64, length)
	),
	TP_fast_assign(
		__entry->pid = wr_trace_pid(mm);
		__entry->address = (u64)first << PAGE_SHIFT;
		__entry->length = (u64)(end - first) << PAGE_SHIFT;
	),
	TP_printk("pid=%d address=0x%llx length=0x%llx", __entry->pid,
		  __entry->address, __entry->length)
);

#define WR_RANGE_EVENT(name) \
	DEFINE_EVENT(wr_range, name, \
		TP_PROTO(struct mm_struct *mm, pgoff_t first, pgoff_t end), \
		TP_ARGS(mm, first, end))

WR_RANGE_EVENT(wr_decommit);
WR_RANGE_EVENT(wr_coalesce);
WR_RANGE_EVENT(wr_guard);
WR_RANGE_EVENT(wr_stack);
WR_RANGE_EVENT(wr_unmap_view);
WR_RANGE_EVENT(wr_lost);
WR_RANGE_EVENT(wr_page_in);

DECLARE_EVENT_CLASS(wr_protection,
	TP_PROTO(struct mm_struct *mm, pgoff_t first, pgoff_t end,
		 u32 protection),
	TP_ARGS(mm, first, end, protection),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u64, address)
		__field(u64, length)
		__field(u32, protection)
	),
	TP_fast_assign(
		__entry->pid = wr_trace_pid(mm);
		__entry->address = (u64)first << PAGE_SHIFT;
		__entry->length = (u64)(end - first) << PAGE_SHIFT;
		__entry->protection = protection;
	),
	TP_printk("pid=%d address=0x%llx length=0x%llx protection=0x%x",
		  __entry->pid, __entry->address, __entry->length,
		  __entry->protection)
);

#define WR_PROTECTION_EVENT(name) \
	DEFINE_EVENT(wr_protection, name, \
		TP_PROTO(struct mm_struct *mm, pgoff_t first, pgoff_t end, \
			 u32 protection), \
		TP_ARGS(mm, first, end, protection))

WR_PROTECTION_EVENT(wr_commit);
WR_PROTECTION_EVENT(wr_protect);

TRACE_EVENT(wr_reserve,
	TP_PROTO(struct mm_struct *mm, pgoff_t first, pgoff_t end,
		 u32 protection, u32 flags),
	TP_ARGS(mm, first, end, protection, flags),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u64, address)
		__field(u64, length)
		__field(u32, protection)
		__field(u32, flags)
	),
	TP_fast_assign(
		__entry->pid = wr_trace_pid(mm);
		__entry->address = (u64)first << PAGE_SHIFT;
		__entry->length = (u64)(end - first) << PAGE_SHIFT;
		__entry->protection = protection;
		__entry->flags = flags;
	),
	TP_printk("pid=%d address=0x%llx length=0x%llx protection=0x%x flags=0x%x",
		  __entry->pid, __entry->address, __entry->length,
		  __entry->protection, __entry->flags)
);

TRACE_EVENT(wr_release,
	TP_PROTO(struct mm_struct *mm, pgoff_t first, pgoff_t end, bool kept),
	TP_ARGS(mm, first, end, kept),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u64, address)
		__field(u64, length)
		__field(bool, kept)
	),
	TP_fast_assign(
		__entry->pid = wr_trace_pid(mm);
		__entry->address = (u64)first << PAGE_SHIFT;
		__entry->length = (u64)(end - first) << PAGE_SHIFT;
		__entry->kept = kept;
	),
	TP_printk("pid=%d address=0x%llx length=0x%llx kept=%d", __entry->pid,
		  __entry->address, __entry->length, __entry->kept)
);

TRACE_EVENT(wr_reset,
	TP_PROTO(struct mm_struct *mm, pgoff_t first, pgoff_t end,
		 u32 operation, unsigned long gone),
	TP_ARGS(mm, first, end, operation, gone),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u64, address)
		__field(u64, length)
		__field(u32, operation)
		__field(u64, gone)
	),
	TP_fast_assign(
		__entry->pid = wr_trace_pid(mm);
		__entry->address = (u64)first << PAGE_SHIFT;
		__entry->length = (u64)(end - first) << PAGE_SHIFT;
		__entry->operation = operation;
		__entry->gone = (u64)gone << PAGE_SHIFT;
	),
	TP_printk("pid=%d address=0x%llx length=0x%llx operation=%s gone=0x%llx",
		  __entry->pid, __entry->address, __entry->length,
		  __print_symbolic(__entry->operation, WR_TRACE_OPERATIONS),
		  __entry->gone)
);

TRACE_EVENT(wr_fault,
	TP_PROTO(const struct vm_fault *vmf, enum wr_trace_asked asked,
		 vm_fault_t answer),
	TP_ARGS(vmf, asked, answer),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u64, address)
		__field(u32, access)
		__field(u32, asked)
		__field(unsigned int, answer)
	),
	TP_fast_assign(
		__entry->pid = wr_trace_answered(vmf, answer);
		__entry->address = vmf->real_address;
		__entry->access = wr_trace_access(vmf);
		__entry->asked = asked;
		__entry->answer = (__force unsigned int)answer;
	),
	TP_printk("pid=%d address=0x%llx access=%s asked=%s answer=%s",
		  __entry->pid, __entry->address,
		  __print_symbolic(__entry->access, WR_TRACE_ACCESSES),
		  __print_symbolic(__entry->asked, WR_TRACE_ASKED),
		  __print_flags(__entry->answer, "|", WR_TRACE_ANSWERS))
);

TRACE_EVENT(wr_refused,
	TP_PROTO(const struct vm_fault *vmf, u32 reason),
	TP_ARGS(vmf, reason),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u64, address)
		__field(u32, access)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->pid = wr_trace_pid(vmf->vma->vm_mm);
		__entry->address = vmf->real_address;
		__entry->access = wr_trace_access(vmf);
		__entry->reason = reason;
	),
	TP_printk("pid=%d address=0x%llx access=%s reason=%s", __entry->pid,
		  __entry->address,
		  __print_symbolic(__entry->access, WR_TRACE_ACCESSES),
		  __print_symbolic(__entry->reason, WR_TRACE_REASONS))
);

TRACE_EVENT(wr_fork,
	TP_PROTO(struct mm_struct *mm, pgoff_t first, pgoff_t end, bool copied),
	TP_ARGS(mm, first, end, copied),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u64, address)
		__field(u64, length)
		__field(bool, copied)
	),
	TP_fast_assign(
		__entry->pid = wr_trace_pid(mm);
		__entry->address = (u64)first << PAGE_SHIFT;
		__entry->length = (u64)(end - first) << PAGE_SHIFT;
		__entry->copied = copied;
	),
	TP_printk("pid=%d address=0x%llx length=0x%llx copied=%d", __entry->pid,
		  __entry->address, __entry->length, __entry->copied)
);

TRACE_EVENT(wr_section,
	TP_PROTO(const void *section, u64 size, u32 protection, u32 flags,
		 const struct file *file),
	TP_ARGS(section, size, protection, flags, file),
	TP_STRUCT__entry(
		__field(const void *, section)
		__field(u64, size)
		__field(u32, protection)
		__field(u32, flags)
		__field(dev_t, dev)
		__field(u64, ino)
	),
	TP_fast_assign(
		__entry->section = section;
		__entry->size = size;
		__entry->protection = protection;
		__entry->flags = flags;
		__entry->dev = file ? file_inode(file)->i_sb->s_dev : 0;
		__entry->ino = file ? file_inode(file)->i_ino : 0;
	),
	TP_printk("section=%p size=0x%llx protection=0x%x flags=0x%x dev=%d:%d ino=%llu",
		  __entry->section, __entry->size, __entry->protection,
		  __entry->flags, MAJOR(__entry->dev), MINOR(__entry->dev),
		  __entry->ino)
);

TRACE_EVENT(wr_section_end,
	TP_PROTO(const void *section),
	TP_ARGS(section),
	TP_STRUCT__entry(
		__field(const void *, section)
	),
	TP_fast_assign(
		__entry->section = section;
	),
	TP_printk("section=%p", __entry->section)
);

TRACE_EVENT(wr_map_view,
	TP_PROTO(struct mm_struct *mm, pgoff_t first, pgoff_t end, u64 offset,
		 u32 protection, const void *section),
	TP_ARGS(mm, first, end, offset, protection, section),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u64, address)
		__field(u64, length)
		__field(u64, offset)
		__field(u32, protection)
		__field(const void *, section)
	),
	TP_fast_assign(
		__entry->pid = wr_trace_pid(mm);
		__entry->address = (u64)first << PAGE_SHIFT;
		__entry->length = (u64)(end - first) << PAGE_SHIFT;
		__entry->offset = offset;
		__entry->protection = protection;
		__entry->section = section;
	),
	TP_printk("pid=%d address=0x%llx length=0x%llx offset=0x%llx protection=0x%x section=%p",
		  __entry->pid, __entry->address, __entry->length,
		  __entry->offset, __entry->protection, __entry->section)
);

DECLARE_EVENT_CLASS(wr_leaves,
	TP_PROTO(pgoff_t first, unsigned int pages, unsigned int priority),
	TP_ARGS(first, pages, priority),
	TP_STRUCT__entry(
		__field(u64, address)
		__field(u64, length)
		__field(unsigned int, priority)
	),
	TP_fast_assign(
		__entry->address = (u64)first << PAGE_SHIFT;
		__entry->length = (u64)pages << PAGE_SHIFT;
		__entry->priority = priority;
	),
	TP_printk("address=0x%llx length=0x%llx priority=%u", __entry->address,
		  __entry->length, __entry->priority)
);

#define WR_LEAVES_EVENT(name) \
	DEFINE_EVENT(wr_leaves, name, \
		TP_PROTO(pgoff_t first, unsigned int pages, \
			 unsigned int priority), \
		TP_ARGS(first, pages, priority))

WR_LEAVES_EVENT(wr_evict);
WR_LEAVES_EVENT(wr_page_out);

/* clang-format on */

#endif /* _WR_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
