/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _WR_ACCOUNT_H
#define _WR_ACCOUNT_H

#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>

/**
 * struct wr_account - for whom memory is allocated
 * @memcg: the memory cgroup of somebody else than the caller, or NULL
 * @old: what the caller had in its place
 */
struct wr_account {
	struct mem_cgroup *memcg;
	struct mem_cgroup *old;
};

/*
 * What is allocated with __GFP_ACCOUNT from here on is charged to the memory
 * cgroup of @mm, though it may be a debugger that reads it, a kernel thread, or a
 * child in another cgroup that has the same memory. Not for a fork, as the child is in
 * no cgroup yet.
 */
static __always_inline void wr_account_begin(struct wr_account *account,
					     struct mm_struct *mm)
{
	account->memcg = NULL;
	if (likely(wr_mm_is_callers(mm)))
		return;
	account->memcg = get_mem_cgroup_from_mm(mm);
	if (account->memcg)
		account->old = set_active_memcg(account->memcg);
}

static __always_inline void wr_account_end(struct wr_account *account)
{
	if (likely(!account->memcg))
		return;
	set_active_memcg(account->old);
	mem_cgroup_put(account->memcg);
}

#endif /* _WR_ACCOUNT_H */
