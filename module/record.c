// SPDX-License-Identifier: GPL-2.0
/*
 * Why an access has failed: a record for each thread, which its handler of SIGSEGV or
 * SIGBUS reads. The signal says where, and nothing else: to ask for the state of the
 * page comes too late, as its guard is gone, and other threads change it.
 *
 * Only a thread itself writes its record, in a fault of its own, and only it reads
 * it; the signal is delivered before it goes on. So the lock is for the tree, not for
 * what is in a record. Accesses by the kernel, for system calls, get EFAULT and make
 * no record, nor do those by other processes.
 *
 * A thread is known by its struct pid, which is kept while the record is there, so
 * no other thread can be taken for it. Nobody tells of the end of a thread: whoever
 * needs a new record looks at a few old ones first, and uses one whose thread is no
 * more. So there are few more records than threads.
 */
#include <linux/pid.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>

#include <asm/syscall.h>

#include "record.h"
#include "trace.h"

/* Old records that a new thread looks at; two bound their number. */
#define LOOKED_AT 4

/**
 * struct wr_record - the last failed access of a thread
 * @node: in records->threads; records->lock
 * @age: in records->age; records->lock
 * @pid: the thread; counted, changes under records->lock
 * @address: what it has accessed; this and the rest are the thread's own
 * @sequence: how many accesses of the thread have failed
 * @told: how often this one has been read
 * @access: WINREGION_ACCESS_*
 * @reason: WINREGION_FAULT_*
 */
struct wr_record {
	struct rb_node node;
	struct list_head age;
	struct pid *pid;
	u64 address;
	u64 sequence;
	u64 told;
	u32 access;
	u32 reason;
};

static struct wr_record *record_of(struct rb_node *node)
{
	return rb_entry(node, struct wr_record, node);
}

/* records->lock is held. */
static struct wr_record *find(struct wr_records *records, struct pid *pid)
{
	struct rb_node *node = records->threads.rb_node;
	struct wr_record *record;

	while (node) {
		record = record_of(node);
		if (record->pid == pid)
			return record;
		node = pid < record->pid ? node->rb_left : node->rb_right;
	}
	return NULL;
}

/* records->lock is held. */
static void add(struct wr_records *records, struct wr_record *record)
{
	struct rb_node **link = &records->threads.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = record->pid < record_of(parent)->pid ? &parent->rb_left :
							      &parent->rb_right;
	}
	rb_link_node(&record->node, parent, link);
	rb_insert_color(&record->node, &records->threads);
	list_add_tail(&record->age, &records->age);
}

/* Takes out a record whose thread is no more, or returns NULL. */
static struct wr_record *reuse(struct wr_records *records)
{
	struct wr_record *record;
	unsigned int i;

	for (i = 0; i < LOOKED_AT && !list_empty(&records->age); i++) {
		record = list_first_entry(&records->age, struct wr_record, age);
		if (pid_has_task(record->pid, PIDTYPE_PID)) {
			list_move_tail(&record->age, &records->age);
			continue;
		}
		rb_erase(&record->node, &records->threads);
		list_del(&record->age);
		return record;
	}
	return NULL;
}

/* That of the thread, or NULL. Nothing but the end of the space takes it away. */
static struct wr_record *find_own(struct wr_records *records)
{
	struct wr_record *record;

	spin_lock(&records->lock);
	record = find(records, task_pid(current));
	spin_unlock(&records->lock);
	return record;
}

/* The same; it is made if there is none. NULL: no memory. */
static struct wr_record *get_own(struct wr_records *records, gfp_t gfp)
{
	struct wr_record *record = find_own(records);

	if (record)
		return record;
	spin_lock(&records->lock);
	record = reuse(records);
	spin_unlock(&records->lock);
	if (record) {
		put_pid(record->pid);
		memset(record, 0, sizeof(*record));
	} else {
		record = kzalloc(sizeof(*record), gfp);
	}
	if (!record)
		return NULL;
	record->pid = get_pid(task_pid(current));
	spin_lock(&records->lock);
	add(records, record); /* by nobody else meanwhile: the thread is here */
	spin_unlock(&records->lock);
	return record;
}

/*
 * Whether the program is told of it, by a signal for the thread that is here. For
 * page_mkwrite the core leaves out of the flags who it is: it is not the kernel if the
 * thread is in no system call.
 */
static bool is_own_access(struct vm_fault *vmf)
{
	if (vmf->vma->vm_mm != current->mm)
		return false;
	if (vmf->flags & FAULT_FLAG_MKWRITE)
		return syscall_get_nr(current, task_pt_regs(current)) == -1;
	return vmf->flags & FAULT_FLAG_USER &&
	       !(vmf->flags & FAULT_FLAG_REMOTE);
}

/**
 * wr_record_prepare - make sure that the record of a fault can be written
 * @records: of the space that the fault is in
 * @vmf: the fault
 * @gfp: for memory
 *
 * For faults that change something, of which the record is all that tells then.
 *
 * Return: 0 or -ENOMEM.
 */
int wr_record_prepare(struct wr_records *records, struct vm_fault *vmf,
		      gfp_t gfp)
{
	if (!is_own_access(vmf) || get_own(records, gfp))
		return 0;
	return -ENOMEM;
}

/**
 * wr_record_fault - an access fails
 * @records: of the space that the fault is in
 * @vmf: the fault; the handler is about to return an error that becomes a signal
 * @reason: WINREGION_FAULT_*
 *
 * Does not sleep. If there is no memory nothing is recorded: the program takes what is
 * not for a page that does not allow the access.
 */
void wr_record_fault(struct wr_records *records, struct vm_fault *vmf,
		     u32 reason)
{
	struct wr_record *record;

	trace_wr_refused(vmf, reason);
	if (!is_own_access(vmf))
		return;
	record = get_own(records, GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN);
	if (!record)
		return;
	record->address = vmf->real_address;
	record->sequence++;
	record->told = 0;
	record->access = wr_trace_access(vmf);
	record->reason = reason;
}

/**
 * wr_record_read - the last failed access of the calling thread
 * @records: of its space
 * @last: what is told; not changed if there is none
 */
void wr_record_read(struct wr_records *records,
		    struct winregion_last_fault *last)
{
	struct wr_record *record;

	spin_lock(&records->lock);
	record = find(records, task_pid(current));
	if (record) {
		last->out_address = record->address;
		last->out_sequence = record->sequence;
		last->out_told = record->told++;
		last->out_access = record->access;
		last->out_reason = record->reason;
	}
	spin_unlock(&records->lock);
}

/* Of a new space. */
void wr_records_init(struct wr_records *records)
{
	spin_lock_init(&records->lock);
	records->threads = RB_ROOT;
	INIT_LIST_HEAD(&records->age);
}

/* Of a space that ends; a thread may be about to ask for its record. */
void wr_records_destroy(struct wr_records *records)
{
	struct wr_record *record, *next;
	LIST_HEAD(all);

	spin_lock(&records->lock);
	list_splice_init(&records->age, &all);
	records->threads = RB_ROOT;
	spin_unlock(&records->lock);
	list_for_each_entry_safe(record, next, &all, age) {
		put_pid(record->pid);
		kfree(record);
	}
}
