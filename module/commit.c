// SPDX-License-Identifier: GPL-2.0
/*
 * Who may commit how much: the sum of all quotas, and its limits.
 *
 * There are four, none of them with vm.overcommit_memory=1, where the
 * administrator asked for no limit:
 *
 * - The parameter commit_limit_mb, or RAM, but for pages that can leave for swap.
 * - A promise must be kept. What is promised and not in memory yet must fit in
 *   what the system can still give, with a rest that everything else needs, and in
 *   the swap that is free, if that can be used. What is in memory, or was and is in
 *   swap, is counted per CPU, as that is done by each first touch; what is
 *   shared by a fork counts once, as long as one of its owners is left: see page.c.
 *   Nobody tells what is touched of a section, in a file of shmem: the files are
 *   looked at before something is refused.
 * - A user's share: what others have left, but for a part of that. The next user
 *   gets as much of the rest. All ids that somebody can take on in user namespaces
 *   are one user. CAP_SYS_ADMIN is without that limit, and is not counted.
 * - What the core grants: see backing.c.
 *
 * A request is looked at under commit_lock, and counted only when it is granted.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/user_namespace.h>
#include <linux/vmstat.h>

#include "backing.h"
#include "commit.h"
#include "pagefile.h"
#include "settings.h"

/* No sum of sizes of files can be more. */
#define MOST_PAGES ((unsigned long)(MAX_LFS_FILESIZE >> PAGE_SHIFT))

/* Tables of pages take less than one page for so many. */
#define PAGES_PER_TABLE 128

/* For everybody a 32nd of RAM stays, but not more than this; see the core's */
#define MAX_REST (SZ_128M >> PAGE_SHIFT)

/* vm.user_reserve_kbytes and vm.admin_reserve_kbytes. */
#define MAX_ADMIN_REST (SZ_8M >> PAGE_SHIFT)

/* Lists are walked so far before somebody else may have the lock. */
#define AT_ONCE 32

static unsigned long commit_limit_mb;
module_param(commit_limit_mb, ulong, 0644);
MODULE_PARM_DESC(commit_limit_mb,
		 "Limit of all commits in MiB (0: none, RAM without paging)");

bool wr_paging = true;
module_param_named(paging, wr_paging, bool, 0444);
MODULE_PARM_DESC(paging, "Committed memory may leave for swap (default: Y)");

static unsigned int user_share_percent = 75;
module_param(user_share_percent, uint, 0644);
MODULE_PARM_DESC(user_share_percent,
		 "Share of a user, in percent of what others have left");

DEFINE_PER_CPU(long, wr_resident_pages);

/**
 * struct wr_share - what a user has committed
 * @node: in the table of shares
 * @uid: the user
 * @refs: pagefiles whose quota it is, and requests
 * @pages: their quotas
 *
 * commit_lock protects all of it.
 */
struct wr_share {
	struct hlist_node node;
	kuid_t uid;
	unsigned long refs;
	unsigned long pages;
};

/* Outside of pagefile->lock, else a leaf; protects all here. */
static DEFINE_SPINLOCK(commit_lock);
static DEFINE_HASHTABLE(shares, 6);
static LIST_HEAD(pagefiles); /* those with a quota */
static unsigned long nr_pagefiles;
static LIST_HEAD(files); /* those with an inode */
static unsigned long nr_files;
static unsigned long total_pages; /* all quotas */

/**
 * struct wr_request - who asks for charge
 * @pagefile: for whom
 * @share: in whose share it is counted; NULL for CAP_SYS_ADMIN
 * @pages: how many
 * @promised: what the total may come to, if all promises are to be kept
 * @missing: how much too much it was
 */
struct wr_request {
	struct wr_pagefile *pagefile;
	struct wr_share *share;
	unsigned long pages;
	unsigned long promised;
	unsigned long missing;
};

static bool is_admin(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
}

/* ---- shares ---- */

/*
 * Who pays for a namespace, which is one of @uid: whose it is. One that root has
 * made, as for a container, has ids of its own, which whoever is root in it can all
 * take on: that is who pays. If those are the system's ids, each of them does.
 */
static kuid_t namespace_user(struct user_namespace *ns, kuid_t uid)
{
	kuid_t root;

	if (!uid_eq(ns->owner, GLOBAL_ROOT_UID))
		return ns->owner;
	root = make_kuid(ns, 0);
	if (!uid_valid(root) || uid_eq(root, GLOBAL_ROOT_UID))
		return uid;
	return root;
}

/*
 * The user of the calling process. For all the ids that a user can take on in
 * namespaces of its own it is that user.
 */
static kuid_t current_user_id(void)
{
	struct user_namespace *ns = current_user_ns();
	kuid_t uid = current_uid();

	for (; ns != &init_user_ns; ns = ns->parent)
		uid = namespace_user(ns, uid);
	return uid;
}

static struct wr_share *find_share(kuid_t uid)
{
	struct wr_share *share;

	lockdep_assert_held(&commit_lock);
	hash_for_each_possible(shares, share, node, __kuid_val(uid))
		if (uid_eq(share->uid, uid))
			break;
	if (share)
		share->refs++;
	return share;
}

/* Adds @share, unless the user has got one meanwhile, which is returned then. */
static struct wr_share *add_share(struct wr_share *share)
{
	struct wr_share *other;

	spin_lock(&commit_lock);
	other = find_share(share->uid);
	if (!other)
		hash_add(shares, &share->node, __kuid_val(share->uid));
	spin_unlock(&commit_lock);
	if (!other)
		return share;
	kfree(share);
	return other;
}

/* The share of the calling process, with a reference, or NULL if no memory. */
static struct wr_share *get_share(void)
{
	kuid_t uid = current_user_id();
	struct wr_share *share;

	spin_lock(&commit_lock);
	share = find_share(uid);
	spin_unlock(&commit_lock);
	if (share)
		return share;
	share = kzalloc(sizeof(*share), GFP_KERNEL_ACCOUNT);
	if (!share)
		return NULL;
	share->uid = uid;
	share->refs = 1;
	return add_share(share);
}

/* Return: what is to be freed. */
static struct wr_share *put_share_locked(struct wr_share *share)
{
	lockdep_assert_held(&commit_lock);
	if (!share || --share->refs)
		return NULL;
	hash_del(&share->node);
	return share;
}

static void put_share(struct wr_share *share)
{
	spin_lock(&commit_lock);
	share = put_share_locked(share);
	spin_unlock(&commit_lock);
	kfree(share);
}

/* ---- limits ---- */

static unsigned long ram_limit(void)
{
	unsigned long mb = READ_ONCE(commit_limit_mb);

	if (mb)
		return min(mb, ULONG_MAX >> 20) << (20 - PAGE_SHIFT);
	return wr_paging ? MOST_PAGES : totalram_pages();
}

static unsigned long movable_of(struct zone *zone)
{
	if (!populated_zone(zone))
		return 0;
	return zone_page_state(zone, NR_FREE_PAGES) +
	       zone_page_state(zone, NR_ZONE_ACTIVE_FILE) +
	       zone_page_state(zone, NR_ZONE_INACTIVE_FILE);
}

/* Free memory that is not for pages which cannot be moved */
static unsigned long movable_pages(void)
{
	unsigned long pages = global_zone_page_state(NR_FREE_CMA_PAGES);
	int node;

	for_each_online_node(node)
		pages += movable_of(&NODE_DATA(node)->node_zones[ZONE_MOVABLE]);
	return pages;
}

static unsigned long no_swap_until; /* jiffies, or 0 */

/* Nothing can leave for swap for @time jiffies, for whatever reason. */
void wr_commit_no_swap(unsigned long time)
{
	WRITE_ONCE(no_swap_until, (jiffies + time) | 1);
}

/* Swap that is free, if pages of ours may go there */
unsigned long wr_commit_free_swap(void)
{
	unsigned long until = READ_ONCE(no_swap_until);

	if (!wr_paging || (until && time_before(jiffies, until)))
		return 0;
	return max(get_nr_swap_pages(), 0L);
}

/* What the system can still give for promises */
static unsigned long available_pages(bool admin)
{
	unsigned long rest = totalram_pages() / 32;
	unsigned long pages = max(si_mem_available(), 0L);

	rest = min_t(unsigned long, rest, MAX_REST) +
	       (admin ? 0 : min_t(unsigned long, rest, MAX_ADMIN_REST));
	rest += movable_pages();
	return pages - min(pages, rest) + wr_commit_free_swap();
}

static long sum_resident(void)
{
	long pages = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		pages += READ_ONCE(per_cpu(wr_resident_pages, cpu));
	return pages;
}

/* Committed pages that have something behind them, also if that is swap. */
unsigned long wr_commit_resident(void)
{
	return max(sum_resident(), 0L);
}

/*
 * What total_pages may come to if all promises are to be kept. Read before
 * commit_lock is taken: a touch changes both terms, but not their sum. In steps,
 * so that what programs are told does not change with every page of anybody.
 */
static unsigned long promise_limit(bool admin)
{
	unsigned long resident =
		min(wr_commit_resident(), READ_ONCE(total_pages));
	unsigned long pages = available_pages(admin);

	pages = resident + pages - pages / (PAGES_PER_TABLE + 1);
	return rounddown(pages, max(totalram_pages() / 64, 1UL));
}

/* What total_pages may come to by quotas of @share, or of CAP_SYS_ADMIN. */
static unsigned long limit_for(struct wr_share *share, unsigned long promised)
{
	unsigned int percent = min(READ_ONCE(user_share_percent), 100U);
	unsigned long limit = min(ram_limit(), promised), others;

	lockdep_assert_held(&commit_lock);
	if (!share)
		return limit;
	others = total_pages - share->pages;
	if (limit <= others)
		return limit;
	return others + mult_frac(limit - others, percent, 100U);
}

/* The same, as if the quota were the share's already */
static unsigned long limit_of(struct wr_request *request)
{
	struct wr_pagefile *pagefile = request->pagefile;
	struct wr_share *share = request->share;
	unsigned long moved = 0, limit;

	if (share && pagefile->share != share)
		moved = pagefile->quota;
	if (share)
		share->pages += moved;
	limit = limit_for(share, request->promised);
	if (share)
		share->pages -= moved;
	return limit;
}

/* Whether it is too much, and how much */
static bool is_too_much(struct wr_request *request)
{
	unsigned long sum;

	lockdep_assert_held(&commit_lock);
	sum = total_pages + request->pages;
	request->missing = sum - min(sum, limit_of(request));
	return request->missing;
}

/* Whether it cannot be, as sums of sizes have an end. */
static bool is_absurd(unsigned long pages)
{
	unsigned long total = READ_ONCE(total_pages);

	return pages > MOST_PAGES || total > MOST_PAGES - pages;
}

static bool is_limited(void)
{
	return wr_settings_overcommit() != WR_OVERCOMMIT_ALWAYS;
}

/* ---- quotas ---- */

static void unlist(struct wr_pagefile *pagefile)
{
	lockdep_assert_held(&commit_lock);
	list_del_init(&pagefile->node);
	nr_pagefiles--;
}

static void add_quota(struct wr_pagefile *pagefile, unsigned long pages)
{
	lockdep_assert_held(&commit_lock);
	if (!pagefile->quota) {
		list_add(&pagefile->node, &pagefiles);
		nr_pagefiles++;
	}
	total_pages += pages;
	if (pagefile->share)
		pagefile->share->pages += pages;
	spin_lock(&pagefile->lock);
	WRITE_ONCE(pagefile->quota, pagefile->quota + pages);
	atomic_long_add(pages, &pagefile->store);
	spin_unlock(&pagefile->lock);
}

/* The quota counts in another share now. Return: what is to be freed. */
static struct wr_share *move_quota(struct wr_pagefile *pagefile,
				   struct wr_share *share)
{
	struct wr_share *old = pagefile->share;

	lockdep_assert_held(&commit_lock);
	if (old == share)
		return NULL;
	if (old)
		old->pages -= pagefile->quota;
	if (share) {
		share->pages += pagefile->quota;
		share->refs++;
	}
	pagefile->share = share;
	return put_share_locked(old);
}

/*
 * Takes up to @wanted pages of quota away that are not in use; returns how
 * many.
 */
static unsigned long take_quota(struct wr_pagefile *pagefile,
				unsigned long wanted)
{
	unsigned long taken;
	long store;

	lockdep_assert_held(&commit_lock);
	spin_lock(&pagefile->lock);
	store = atomic_long_read(&pagefile->store);
	do {
		taken = min_t(unsigned long, wanted, store);
	} while (!atomic_long_try_cmpxchg(&pagefile->store, &store,
					  store - taken));
	WRITE_ONCE(pagefile->quota, pagefile->quota - taken);
	spin_unlock(&pagefile->lock);
	total_pages -= taken;
	if (pagefile->share)
		pagefile->share->pages -= taken;
	if (taken && !pagefile->quota)
		unlist(pagefile);
	return taken;
}

/**
 * wr_commit_return - take quota back that is not in use
 * @pagefile: whose
 * @wanted: pages, at most
 *
 * wr_backing_trim() should follow.
 *
 * Return: how many pages it was.
 */
unsigned long wr_commit_return(struct wr_pagefile *pagefile,
			       unsigned long wanted)
{
	unsigned long taken, backing;

	spin_lock(&commit_lock);
	taken = take_quota(pagefile, wanted);
	backing = taken;
	if (!pagefile->quota) {
		/* The file has stood for the rest of it. */
		backing -= min(backing, pagefile->in_file);
		pagefile->in_file = 0;
	}
	spin_unlock(&commit_lock);
	if (backing && !pagefile->backed)
		wr_backing_give(backing);
	return taken;
}

/*
 * The pagefile is about to go; it has no quota any more. If it had one, that would
 * stay counted, but nobody finds the pagefile.
 */
void wr_commit_forget(struct wr_pagefile *pagefile)
{
	struct wr_share *old;

	spin_lock(&commit_lock);
	if (WARN_ON_ONCE(pagefile->quota))
		unlist(pagefile);
	old = move_quota(pagefile, NULL);
	spin_unlock(&commit_lock);
	kfree(old);
}

/* The module is about to go: no page is left. */
void wr_commit_exit(void)
{
	WARN_ON_ONCE(sum_resident());
}

static int check_request(struct wr_request *request)
{
	bool too_much;

	if (is_absurd(request->pages))
		return -EDQUOT;
	spin_lock(&commit_lock);
	too_much = is_too_much(request);
	spin_unlock(&commit_lock);
	return too_much ? -EDQUOT : 0;
}

/* Looks at it once more, since others may have been granted something. */
static int count_request(struct wr_request *request, bool limited)
{
	struct wr_share *old = NULL;
	int err = 0;

	spin_lock(&commit_lock);
	if ((limited && is_too_much(request)) || is_absurd(request->pages)) {
		err = -EDQUOT;
	} else {
		old = move_quota(request->pagefile, request->share);
		add_quota(request->pagefile, request->pages);
	}
	spin_unlock(&commit_lock);
	kfree(old);
	return err;
}

/* Whether it was a limit, and there is one. */
static bool is_over_limit(struct wr_request *request, int err)
{
	return err && (!request->missing || is_limited());
}

static int grant(struct wr_request *request)
{
	bool limited;
	int err;

	request->missing = 0;
	err = check_request(request);
	if (is_over_limit(request, err))
		return err;
	limited = !err;
	err = 0;
	if (!request->pagefile->backed)
		err = wr_backing_take(request->pages, !request->share,
				      &request->missing);
	if (err)
		return err;
	err = count_request(request, limited);
	if (err && !is_over_limit(request, err))
		err = count_request(request, false);
	if (err && !request->pagefile->backed)
		wr_backing_give(request->pages);
	return err;
}

/* ---- what is in files ---- */

/* Return: how many pages have come since it was looked at last. */
static unsigned long look_at(struct wr_pagefile *pagefile)
{
	unsigned long pages, more;

	lockdep_assert_held(&commit_lock);
	pages = READ_ONCE(pagefile->inode->i_blocks) >> (PAGE_SHIFT - 9);
	pages = min(pages, wr_pagefile_used(pagefile));
	more = pages - min(pages, pagefile->in_file);
	pagefile->in_file += more;
	wr_commit_touched(more);
	return more;
}

/*
 * Looks at @most files, those first that have not been looked at for the longest
 * time. Return: whether any has pages that were not counted.
 */
static bool look_at_files(unsigned long most)
{
	unsigned long more, sum = 0, backing = 0, n, i;
	struct wr_pagefile *pagefile;

	spin_lock(&commit_lock);
	n = min(nr_files, most);
	for (i = 1; i <= n && !list_empty(&files); i++) {
		pagefile =
			list_first_entry(&files, struct wr_pagefile, file_node);
		list_rotate_left(&files);
		more = look_at(pagefile);
		sum += more;
		if (!pagefile->backed)
			backing += more;
		if (!(i % AT_ONCE))
			cond_resched_lock(&commit_lock);
	}
	spin_unlock(&commit_lock);
	if (backing)
		wr_backing_give(backing);
	return sum;
}

/**
 * wr_commit_follow_file - the pages of a quota are in a file
 * @pagefile: whose; wr_pagefile_destroy() forgets it
 * @inode: of a file of shmem, which stays until then; its pages stay until it ends
 */
void wr_commit_follow_file(struct wr_pagefile *pagefile, struct inode *inode)
{
	spin_lock(&commit_lock);
	pagefile->inode = inode;
	list_add_tail(&pagefile->file_node, &files);
	nr_files++;
	spin_unlock(&commit_lock);
}

/* What is in its file counts no more. */
void wr_commit_forget_file(struct wr_pagefile *pagefile)
{
	spin_lock(&commit_lock);
	if (!list_empty(&pagefile->file_node)) {
		list_del_init(&pagefile->file_node);
		nr_files--;
		wr_commit_touched(-(long)pagefile->in_file);
	}
	spin_unlock(&commit_lock);
}

/* ---- what others have in store ---- */

/* What others can have of its store: of what is in its file nothing is left to give. */
static unsigned long left_in_store(struct wr_pagefile *pagefile)
{
	unsigned long quota = pagefile->quota;

	lockdep_assert_held(&commit_lock);
	return min_t(unsigned long, atomic_long_read(&pagefile->store),
		     quota - min(quota, pagefile->in_file));
}

/*
 * Goes once around the list: counts what others than @pagefile have in store, up
 * to @wanted pages, and with @take takes it.
 */
static unsigned long visit_stores(struct wr_pagefile *pagefile,
				  unsigned long wanted, bool take)
{
	unsigned long sum = 0, n, i;
	struct wr_pagefile *other;

	spin_lock(&commit_lock);
	n = nr_pagefiles;
	for (i = 1; sum < wanted && i <= n && !list_empty(&pagefiles); i++) {
		other = list_first_entry(&pagefiles, struct wr_pagefile, node);
		list_rotate_left(&pagefiles);
		if (other->backed)
			; /* has nothing in store but for a moment */
		else if (other != pagefile && take)
			sum += take_quota(other, min(wanted - sum,
						     left_in_store(other)));
		else if (other != pagefile)
			sum += left_in_store(other);
		if (!(i % AT_ONCE))
			cond_resched_lock(&commit_lock);
	}
	spin_unlock(&commit_lock);
	return sum;
}

/*
 * Looks at what is in files by now. If that is nothing new, lets others give up what
 * they only have in store, as much as is missing. If all of it would not do, they
 * keep it. Return: whether to try again.
 */
static bool reclaim(struct wr_request *request)
{
	struct wr_pagefile *pagefile = request->pagefile;
	unsigned long missing = request->missing, taken;

	if (look_at_files(ULONG_MAX)) {
		request->promised = promise_limit(!request->share);
		return true;
	}
	if (!missing || missing > READ_ONCE(total_pages) ||
	    visit_stores(pagefile, missing, false) < missing)
		return false;
	taken = visit_stores(pagefile, missing, true);
	wr_backing_give(taken);
	return taken;
}

/* The share that a quota is to be counted in, with a reference. Return: 0 or -ENOMEM */
static int choose_share(struct wr_pagefile *pagefile, struct wr_share **share)
{
	bool admin = is_admin();

	if (pagefile->fixed_share) {
		spin_lock(&commit_lock);
		*share = pagefile->share;
		if (*share)
			(*share)->refs++;
		spin_unlock(&commit_lock);
		return 0;
	}
	*share = admin ? NULL : get_share();
	return *share || admin ? 0 : -ENOMEM;
}

/**
 * wr_commit_fix_share - let the calling process pay, whoever commits
 * @pagefile: for what; it has no quota yet
 *
 * For memory that several processes use: who makes it says how much it can be.
 *
 * Return: 0 or -ENOMEM.
 */
int wr_commit_fix_share(struct wr_pagefile *pagefile)
{
	struct wr_share *share;
	int err;

	err = choose_share(pagefile, &share);
	if (err)
		return err;
	spin_lock(&commit_lock);
	pagefile->share = share;
	pagefile->fixed_share = true;
	spin_unlock(&commit_lock);
	return 0;
}

static int start_request(struct wr_request *request,
			 struct wr_pagefile *pagefile, unsigned long pages)
{
	int err = choose_share(pagefile, &request->share);

	request->pagefile = pagefile;
	request->pages = pages;
	request->promised = promise_limit(!request->share);
	return err;
}

/**
 * wr_commit_take - raise a quota
 * @pagefile: whose
 * @pages: by how much; it is in store then
 * @hard: others give up their store before it is refused
 *
 * Context: may sleep.
 * Return: 0, -EDQUOT (limit), -ENFILE or -ENOMEM.
 */
int wr_commit_take(struct wr_pagefile *pagefile, unsigned long pages, bool hard)
{
	struct wr_request request;
	int err, tries = 8;

	err = start_request(&request, pagefile, pages);
	if (err)
		return err;
	do {
		err = grant(&request);
	} while (err == -EDQUOT && hard && --tries && reclaim(&request));
	put_share(request.share);
	if (err)
		wr_backing_trim(false);
	return err;
}

/**
 * wr_commit_state - how much is committed, and can be
 * @total: set to all quotas, in pages
 *
 * Context: may sleep.
 * Return: what the total can come to by commits of the calling process, as
 * things are, in pages; ULONG_MAX if there is no limit.
 */
unsigned long wr_commit_state(unsigned long *total)
{
	struct wr_share none = {}, *share = NULL;
	unsigned long promised, limit, left;
	bool admin = is_admin();

	*total = READ_ONCE(total_pages);
	if (!is_limited())
		return ULONG_MAX;
	look_at_files(AT_ONCE);
	left = wr_backing_left(admin);
	promised = promise_limit(admin);
	spin_lock(&commit_lock);
	if (!admin)
		share = find_share(current_user_id());
	limit = limit_for(admin || share ? share : &none, promised);
	if (left < LONG_MAX)
		limit = min(limit, total_pages + left);
	*total = total_pages;
	put_share_locked(share); /* others have it, too */
	spin_unlock(&commit_lock);
	return max(limit, *total);
}
