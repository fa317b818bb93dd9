// SPDX-License-Identifier: GPL-2.0
/*
 * Paging: pages that were not used lately leave memory, and come back as they were at
 * the next touch.
 *
 * In two steps. First a page is taken out of its window and put into a stash of the
 * class of the cold: see trim.c. From there it is written: this shrinker takes no lock
 * of ours but that of the list the stash is in, so that it can be called under any. A
 * page goes out if nobody has a reference to it but the stash, and nothing maps it, so
 * that it cannot change; or else but its owners, relatives by a fork, none of whom may
 * write it as long as this one has a reference. Its place in the file is locked before
 * the stash says where it is, and until its bytes are there: see outfile.c.
 *
 * Of a large page one part after the other goes; it is free when the last one has. At
 * most one is begun at a time, by one who makes memory free.
 *
 * Who touches what is in the stash has it back at once; of what is out a fault reads a
 * copy, before it comes for the window's lock a second time: struct wr_room.
 *
 * The core does not know that our pages could leave, and may think that nothing can be
 * had any more. Before it kills, it asks: then age does not matter.
 */
#include <linux/completion.h>
#include <linux/hash.h>
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/list_lru.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/workqueue.h>

#include "account.h"
#include "commit.h"
#include "page.h"
#include "pageout.h"
#include "resident.h"
#include "settings.h"
#include "stash_in.h"
#include "trace.h"
#include "trim.h"
#include "written.h"

/* Pages that are written together */
#define AT_A_TIME 16

/* After so many times in vain the age of pages does not matter. */
#define HUNGRY 8

static struct shrinker *shrinker;
static bool ready; /* lists are there; set once, before the module is used */

#define HUNGERS_BITS 6
#define HUNGERS_AT_ONE 8

/*
 * What is remembered of a memory cgroup, but not for long if there are hundreds. They are
 * written without a lock: who is told what another one was has to try in vain.
 * @id: which, by wr_memcg_id()
 * @used: when it was last asked for; jiffies
 * @in_vain: so often nothing became free
 * @refused: until then nothing is to be had in swap; jiffies, or 0
 */
static struct wr_hunger {
	u64 id;
	unsigned long used;
	atomic_t in_vain;
	unsigned long refused;
} hungers[1 << HUNGERS_BITS][HUNGERS_AT_ONE];

/* Of the group @id, or where it would go. */
static struct wr_hunger *find_hunger(u64 id)
{
	struct wr_hunger *some = hungers[hash_64(id, HUNGERS_BITS)];
	struct wr_hunger *oldest = some;
	unsigned int i;

	for (i = 0; i < HUNGERS_AT_ONE; i++) {
		if (READ_ONCE(some[i].id) == id)
			return &some[i];
		if (time_before(READ_ONCE(some[i].used),
				READ_ONCE(oldest->used)))
			oldest = &some[i];
	}
	return oldest;
}

static struct wr_hunger *hunger_of(const struct wr_where *where)
{
	u64 id = wr_memcg_id(where->memcg);
	struct wr_hunger *hunger = find_hunger(id);

	if (READ_ONCE(hunger->id) != id) {
		atomic_set(&hunger->in_vain, 0);
		WRITE_ONCE(hunger->refused, 0);
		WRITE_ONCE(hunger->id, id);
	}
	WRITE_ONCE(hunger->used, jiffies);
	return hunger;
}

/* Whether @memcg got nothing in swap just now. */
static bool is_refused(const struct mem_cgroup *memcg)
{
	u64 id = wr_memcg_id(memcg);
	const struct wr_hunger *hunger = find_hunger(id);
	unsigned long until = READ_ONCE(hunger->refused);

	return READ_ONCE(hunger->id) == id && until &&
	       !time_after(jiffies, until);
}

/* ---- out ---- */

/**
 * struct wr_paging - pages are being written
 * @to: places for them
 * @from: the pages, which are no stash's any more
 * @nr: how many places
 * @used: how many of them are taken
 * @joined: pages that a relative has had written
 * @freed: pages that become free
 * @only: of no other space, or NULL
 * @found: there was a stash, which was looked at
 * @wanted: so many places it takes for a folio of it whose parts have to go at a time
 * @again: it has been looked at before, when there were fewer places
 */
struct wr_paging {
	struct wr_out_page to[AT_A_TIME];
	struct page *from[AT_A_TIME];
	unsigned int nr;
	unsigned int used;
	unsigned int joined;
	unsigned long freed;
	const struct wr_space *only;
	bool found;
	unsigned int wanted;
	bool again;
};

/* References to a folio that those have which are being written. */
static unsigned int count_taken(struct wr_paging *paging, struct folio *folio)
{
	unsigned int i, n = 0;

	for (i = 0; i < paging->used; i++)
		n += page_folio(paging->from[i]) == folio;
	return n;
}

/*
 * Has a page be out, which the stash has given up but for its reference: at @written if
 * somebody has that place still, else it is to be written. Return: whether it is.
 */
static bool send_page(struct wr_stash *stash, unsigned int offset,
		      struct wr_out written, struct wr_paging *paging)
{
	struct page *page = stash->slot.pages[offset];
	bool joins = written.serial && wr_outfile_join(written);

	wr_stash_note_out(stash, offset,
			  joins ? written : paging->to[paging->used].out);
	trace_wr_page_out(wr_slot_first(stash->key) + offset, 1, WR_STASH_COLD);
	atomic_long_dec(&wr_stash_sums[1].pages);
	if (joins) {
		paging->joined++;
		put_page(page);
	} else {
		paging->from[paging->used++] = page;
	}
	return !joins;
}

/* A part of a folio that relatives own, too; it is locked. */
static void take_part(struct wr_stash *stash, struct folio *folio,
		      unsigned int offset, struct wr_paging *paging)
{
	struct page *page = stash->slot.pages[offset];
	struct wr_out out = paging->to[paging->used].out;

	if (send_page(stash, offset, wr_written_find(page), paging) &&
	    wr_outfile_let_join(out))
		wr_folio_note_written(folio, page, out);
}

/*
 * Has all parts go of a folio that relatives own, too, or none, as they could not be told
 * from references that somebody else has. Nothing is free as long as one has it.
 */
static bool take_from_relatives(struct wr_stash *stash, unsigned int offset,
				unsigned int parts, struct wr_paging *paging)
{
	struct wr_slot *slot = &stash->slot;
	struct folio *folio = page_folio(slot->pages[offset]);
	unsigned int i, end;

	if (paging->nr - paging->used < parts) {
		if (parts <= AT_A_TIME)
			paging->wanted = parts;
		return false;
	}
	if (!wr_folio_leave_to_others(folio, count_taken(paging, folio)))
		return false;
	folio_get(folio); /* all of what the stash had may be put */
	wr_stash_forget_parts(slot, folio, offset, parts);
	wr_stash_span(folio, offset, &i, &end);
	for (; i < end; i++)
		if (slot->pages[i] && page_folio(slot->pages[i]) == folio)
			take_part(stash, folio, i, paging);
	folio_unlock(folio);
	folio_put(folio);
	return true;
}

/* Return: whether the page at @offset is on its way. */
static bool take_page(struct wr_stash *stash, unsigned int offset,
		      struct wr_paging *paging)
{
	struct wr_slot *slot = &stash->slot;
	struct page *page = slot->pages[offset];
	struct folio *folio = page_folio(page);
	unsigned int parts = wr_stash_held(slot, offset);
	struct wr_out written;

	if (wr_page_is_shared(page))
		return take_from_relatives(stash, offset, parts, paging);
	written = wr_written_find(page);
	if (!wr_folio_leave(folio, parts, count_taken(paging, folio)))
		return false;
	wr_stash_forget_parts(slot, folio, offset, 1);
	if (parts == 1)
		paging->freed += folio_nr_pages(folio);
	send_page(stash, offset, written, paging);
	return true;
}

/* Called with the lock of the list. */
static enum lru_status take_some(struct list_head *item,
				 struct list_lru_one *list, void *data)
{
	struct wr_stash *stash = container_of(item, struct wr_stash, list);
	struct wr_slot *slot = &stash->slot;
	struct wr_paging *paging = data;
	struct folio *stays = NULL, *folio;
	unsigned int i;

	if (paging->found || (paging->only && stash->space != paging->only))
		return LRU_SKIP;
	paging->found = true;
	for (i = 0; i < WR_SLOT_PAGES && paging->used < paging->nr; i++) {
		if (!slot->pages[i])
			continue;
		folio = page_folio(slot->pages[i]);
		if (folio != stays && !take_page(stash, i, paging))
			stays = folio;
	}
	if (!slot->nr_resident) {
		atomic_long_dec(&wr_stash_sums[1].stashes);
		list_lru_isolate(list, item);
		kfree(slot->pages); /* as much as one of them was */
		slot->pages = NULL;
		return LRU_REMOVED;
	}
	if (paging->used || paging->joined ||
	    (paging->wanted && !paging->again))
		return LRU_SKIP;
	return LRU_ROTATE;
}

WR_DEFINE_LRU_WALK(take_some)

/* Most stashes that are looked at for the next of anybody who may write, at first */
#define MOST_LOOKED 16384

/**
 * struct wr_payer - who is charged for what is written
 * @memcg: counted
 * @space: whose pages are the next; there may be others by now
 * @refused: the last one who gets nothing in swap
 */
struct wr_payer {
	struct mem_cgroup *memcg;
	const struct wr_space *space;
	const struct wr_space *refused;
};

/* Called with the lock of the list. */
static enum lru_status see_payer(struct list_head *item,
				 struct list_lru_one *list, void *data)
{
	struct wr_stash *stash = container_of(item, struct wr_stash, list);
	struct wr_payer *payer = data;
	struct mem_cgroup *memcg;

	if (payer->space || stash->space == payer->refused)
		return LRU_SKIP;
	memcg = get_mem_cgroup_from_mm(stash->space->mm);
	if (is_refused(memcg) || !wr_memcg_may_swap(memcg, true)) {
		mem_cgroup_put(memcg);
		payer->refused = stash->space;
	} else {
		payer->memcg = memcg;
		payer->space = stash->space;
	}
	return LRU_SKIP;
}

WR_DEFINE_LRU_WALK(see_payer)

/* All are out before the first one waits for a disk. Return: whether swap took all. */
static bool write_taken(struct wr_paging *paging)
{
	bool sent = true;
	unsigned int i;

	for (i = 0; i < paging->used; i++) {
		wr_outfile_fill(&paging->to[i], paging->from[i]);
		put_page(paging->from[i]);
	}
	for (; i < paging->nr; i++)
		wr_outfile_abandon(&paging->to[i]);
	for (i = 0; i < paging->used; i++)
		sent &= wr_outfile_send(&paging->to[i]);
	return sent;
}

static bool is_machine_short(const struct wr_where *where)
{
	return where->any || current_is_kswapd();
}

/* Return: whether swap may be had. */
static bool may_write(const struct wr_where *where)
{
	return wr_commit_free_swap() && !is_refused(where->memcg) &&
	       wr_memcg_may_swap(where->memcg, is_machine_short(where));
}

/* Whether there is any sense in it that pages of @mm are to leave. */
bool wr_pageout_is_possible(struct mm_struct *mm)
{
	struct mem_cgroup *memcg;
	bool possible;

	if (!wr_commit_free_swap())
		return false;
	memcg = get_mem_cgroup_from_mm(mm);
	possible = wr_memcg_may_swap(memcg, current_is_kswapd());
	mem_cgroup_put(memcg);
	return possible;
}

/* Of what the core keeps, where there is nothing else */
static gfp_t may_take(const struct wr_where *where, bool in_need)
{
	if (where->any)
		return WR_KEPT_ALL;
	return in_need ? WR_KEPT_HALF : WR_KEPT_NONE;
}

static void make_places(struct wr_paging *paging, unsigned int nr, gfp_t kept)
{
	while (paging->nr < nr &&
	       wr_outfile_make(&paging->to[paging->nr], kept))
		paging->nr++;
}

/*
 * Takes pages from a stash. One for which something of what the core keeps is taken is
 * alone, as it gives back as much at once, or with the last part of a larger one; but parts
 * that have to go at a time do.
 */
static void take_pages(const struct wr_where *where, struct wr_paging *paging,
		       unsigned int most)
{
	struct list_lru *list = &wr_stash_lists[WR_STASH_COLD];
	gfp_t kept = may_take(where, true);
	unsigned long nr = paging->only ? wr_look_further(where, MOST_LOOKED) :
					  1;

	make_places(paging, most, WR_KEPT_NONE);
	make_places(paging, 1, kept);
	if (!paging->nr)
		return;
	wr_lru_walk_some(list, where, nr, wr_lru_walk(take_some), paging);
	/* Where swap has just refused it is tried with one page. */
	if (!paging->wanted || paging->used || paging->joined || most == 1)
		return;
	make_places(paging, paging->wanted, kept);
	paging->found = false;
	paging->again = true;
	wr_lru_walk_some(list, where, nr, wr_lru_walk(take_some), paging);
}

/*
 * Writes some pages of one stash. Return: how many pages are free now, or -1 if there
 * is no stash, or nowhere to write to.
 */
static long write_some_of(const struct wr_space *only,
			  const struct wr_where *where, unsigned long *looked)
{
	struct wr_hunger *hunger = hunger_of(where);
	struct wr_paging paging;
	unsigned int most = READ_ONCE(hunger->refused) ? 1 : AT_A_TIME;

	if (!may_write(where) ||
	    !wr_lru_has_some(&wr_stash_lists[WR_STASH_COLD], where))
		return -1;
	paging.nr = 0;
	paging.used = 0;
	paging.joined = 0;
	paging.freed = 0;
	paging.only = only;
	paging.found = false;
	paging.wanted = 0;
	paging.again = false;
	take_pages(where, &paging, most);
	*looked += paging.used + paging.joined;
	if (!write_taken(&paging)) {
		WRITE_ONCE(hunger->refused, (jiffies + HZ) | 1);
		return -1;
	}
	/* Nor can it be tried with one page where all are parts of larger ones. */
	if (paging.used || (paging.found && !paging.joined))
		WRITE_ONCE(hunger->refused, 0);
	return paging.found ? (long)paging.freed : -1;
}

/*
 * The same. Whose cgroup reclaims is charged by scan(); where anybody's is to go, who has
 * the next, and not who happens to want memory.
 */
static long write_some(const struct wr_where *where, unsigned long *looked)
{
	struct wr_payer payer = {};
	struct wr_where whose = *where;
	struct mem_cgroup *old;
	long n;

	if (!where->any)
		return write_some_of(NULL, where, looked);
	wr_lru_walk_some(&wr_stash_lists[WR_STASH_COLD], where,
			 wr_look_further(where, MOST_LOOKED),
			 wr_lru_walk(see_payer), &payer);
	if (!payer.space)
		return -1;
	whose.memcg = payer.memcg;
	old = set_active_memcg(payer.memcg);
	n = write_some_of(payer.space, &whose, looked);
	set_active_memcg(old);
	mem_cgroup_put(payer.memcg);
	return n;
}

/* Most stashes, or windows, that are looked at in vain, one after the other */
#define MOST_IN_VAIN 8

static unsigned long write_cold(const struct wr_where *where,
				unsigned long wanted, unsigned long *looked)
{
	unsigned int vain = 0;
	unsigned long freed = 0, before;
	long n;

	while (*looked < wanted && vain < MOST_IN_VAIN) {
		before = *looked;
		n = write_some(where, looked);
		if (n < 0)
			break;
		vain = *looked == before ? vain + 1 : 0;
		freed += n;
		cond_resched();
	}
	return freed;
}

/* Most windows that are passed over */
#define MOST_PASSED 1024

static void look_at_windows(const struct wr_where *where,
			    struct wr_trimming *trimming)
{
	unsigned int windows;

	trimming->passed = 0;
	for (windows = 0; windows < MOST_IN_VAIN + trimming->passed;
	     windows++) {
		if (trimming->passed >= MOST_PASSED ||
		    trimming->moved >= trimming->wanted ||
		    !wr_trim_next(where, trimming))
			return;
		cond_resched();
	}
}

static void find_cold(const struct wr_where *where,
		      struct wr_trimming *trimming)
{
	look_at_windows(where, trimming);
	if (trimming->moved || !trimming->passed)
		return;
	trimming->again = true;
	look_at_windows(where, trimming);
}

/*
 * Not where only what was called cold by name is to go, unless the core is about to kill.
 * Nor where memory is not short: who asks for caches to be dropped asks shrinkers, too.
 */
static bool may_look(const struct wr_where *where)
{
	return where->any || (where->reclaims && wr_settings_swappiness());
}

/*
 * Who has a window locked may have lost his processor, and the core would kill before he has
 * one again: so it waits a moment. Return: pages that are free now, or SHRINK_STOP if there
 * is nothing to be done.
 */
static unsigned long page_out(const struct wr_where *where,
			      unsigned long wanted, unsigned long *looked)
{
	struct wr_hunger *hunger = hunger_of(where);
	struct wr_trimming trimming = {
		.wanted = wanted,
		.any_age = atomic_read(&hunger->in_vain) >= HUNGRY,
	};
	unsigned long freed, written = 0;

	*looked = 0;
	if (!may_write(where))
		return SHRINK_STOP;
	trimming.kept = may_take(where, trimming.any_age);
	freed = write_cold(where, wanted, &written);
	if (written < wanted && may_look(where)) {
		trimming.wanted -= written;
		find_cold(where, &trimming);
		if (trimming.moved)
			freed += write_cold(where, wanted, &written);
	}
	if (freed || written)
		atomic_set(&hunger->in_vain, 0);
	else if (may_look(where) && atomic_read(&hunger->in_vain) < HUNGRY)
		atomic_inc(&hunger->in_vain);
	*looked = max(written, trimming.looked);
	if (freed || written || trimming.moved || trimming.unmapped)
		return freed;
	if (trimming.any_age && trimming.busy)
		schedule_timeout_killable(1);
	return SHRINK_STOP;
}

static unsigned long scan(struct shrinker *self, struct shrink_control *sc)
{
	struct wr_where where = {
		.nid = sc->nid,
		.memcg = sc->memcg,
		.reclaims = current->flags & PF_MEMALLOC,
	};
	const gfp_t needed = __GFP_FS | __GFP_IO;
	unsigned int flags = memalloc_noreclaim_save();
	unsigned long freed = SHRINK_STOP, looked = 0;
	struct mem_cgroup *old;

	/* Whose memory it was has it charged that they are written. */
	old = set_active_memcg(sc->memcg);
	if (READ_ONCE(ready) && (sc->gfp_mask & needed) == needed)
		freed = page_out(&where, sc->nr_to_scan, &looked);
	set_active_memcg(old);
	memalloc_noreclaim_restore(flags);
	sc->nr_scanned = max(looked, 1UL);
	if (freed != SHRINK_STOP)
		mm_account_reclaimed_pages(freed);
	return freed;
}

/* From so much of the RAM on that files have and did not use lately, those go first. */
#define FILES_FIRST 16

/*
 * Pages that are not called cold yet, and may be looked at. The core does not tell shrinkers
 * which way it would choose between files and what is swapped: so it is done as it does,
 * more or less.
 */
static unsigned long count_idle(struct shrink_control *sc)
{
	unsigned long files = global_node_page_state(NR_INACTIVE_FILE);
	unsigned int swappiness = min(wr_settings_swappiness(), 100U);
	unsigned long pages = wr_trim_count(sc);

	if (!pages || !swappiness)
		return 0;
	if (files > totalram_pages() / FILES_FIRST)
		pages >>= 3;
	return max(mult_frac(pages, swappiness, 100U), 1UL);
}

/* That nothing is in memory now does not mean that nothing will be: no SHRINK_EMPTY. */
static unsigned long count(struct shrinker *self, struct shrink_control *sc)
{
	struct wr_where where = { .nid = sc->nid, .memcg = sc->memcg };
	unsigned long stashes, pages;

	if (!READ_ONCE(ready) || !may_write(&where))
		return 0;
	stashes = list_lru_shrink_count(&wr_stash_lists[WR_STASH_COLD], sc);
	if (!stashes && !wr_trim_any(sc))
		return SHRINK_EMPTY;
	pages = count_idle(sc);
	if (stashes)
		pages += wr_stash_estimate(&wr_stash_sums[1], stashes);
	return pages;
}

/* Rounds that may free nothing, as others have what was written: see below */
#define MOST_ROUNDS 64

/*
 * Of what relatives share, and of a large page, nothing is free before the last part, or
 * the last owner, has gone.
 */
static unsigned long page_out_any(int nid)
{
	static unsigned int turn; /* goes on where it ended; one at a time asks */
	struct wr_where where = { .nid = nid, .any = true };
	unsigned long looked, freed;
	unsigned int rounds;

	for (rounds = 0; rounds < MOST_ROUNDS; rounds++) {
		where.turn = turn++;
		if (!may_write(&where))
			break;
		atomic_set(&hunger_of(&where)->in_vain, HUNGRY);
		freed = page_out(&where, SWAP_CLUSTER_MAX, &looked);
		/* Where this turn's windows all had to stay, the next one has others. */
		if (freed && freed != SHRINK_STOP)
			return freed;
		cond_resched();
	}
	return 0;
}

/* How long it is waited for that. Who would be killed has to wait, as does everybody. */
#define LONGEST HZ

static struct workqueue_struct *last_queue;
static DECLARE_COMPLETION(last_done);
static atomic_long_t last_freed;
static DEFINE_SPINLOCK(last_lock);
static bool last_begun; /* the work is to be done, or being done; last_lock */

static void page_out_at_last(struct work_struct *work)
{
	unsigned int flags = memalloc_noreclaim_save();
	int nid;

	for_each_online_node(nid)
		atomic_long_add(page_out_any(nid), &last_freed);
	memalloc_noreclaim_restore(flags);
	spin_lock(&last_lock);
	last_begun = false;
	complete_all(&last_done);
	spin_unlock(&last_lock);
}

static DECLARE_WORK(last_work, page_out_at_last);

static void begin_at_last(void)
{
	spin_lock(&last_lock);
	if (!last_begun) {
		last_begun = true;
		reinit_completion(&last_done);
		atomic_long_set(&last_freed, 0); /* what came late is used up */
		queue_work(last_queue, &last_work);
	}
	spin_unlock(&last_lock);
}

/*
 * Nothing else was to be had, and what may be lost has gone before. To write may be to
 * wait for a disk, and so for who serves it, who may want memory himself and cannot
 * have it while others wait here. So a worker writes, and it is waited for that only so
 * long.
 */
static int before_oom(struct notifier_block *self, unsigned long unused,
		      void *data)
{
	unsigned long *sum = data;

	if (*sum)
		return NOTIFY_OK;
	begin_at_last();
	wait_for_completion_timeout(&last_done, LONGEST);
	*sum += atomic_long_xchg(&last_freed, 0);
	return NOTIFY_OK;
}

static struct notifier_block oom = { .notifier_call = before_oom };

/**
 * wr_pageout_repay - after a call that may have overdrawn: see wr_runs_alloc()
 * @mm: whose memory cgroup it is
 * @before: wr_runs_overdrafts() as it began
 *
 * Context: no lock is held, so pages can leave for it.
 */
void wr_pageout_repay(struct mm_struct *mm, unsigned long before)
{
	struct wr_account account;
	struct page *page;

	if (likely(wr_runs_overdrafts() == before))
		return;
	wr_account_begin(&account, mm);
	page = wr_page_alloc_nobodys(0);
	if (page)
		put_page(page);
	wr_account_end(&account);
}

/* ---- back ---- */

static void drop_behind(struct wr_room *room)
{
	while (room->nr_behind)
		if (room->behind[--room->nr_behind].page)
			put_page(room->behind[room->nr_behind].page);
}

/* The holder of the window's lock could not go on, and is to make room first. */
void wr_pageout_want(struct wr_window *window, struct wr_out out)
{
	struct wr_room *room = window->held.room;

	drop_behind(room);
	room->wanted = out;
	room->wants = true;
}

/* Another one is to be read with it, as it will be wanted next, most likely. */
void wr_pageout_want_behind(struct wr_window *window, pgoff_t index,
			    struct wr_out out)
{
	struct wr_room *room = window->held.room;

	if (WARN_ON_ONCE(room->nr_behind == WR_MOST_BEHIND))
		return;
	room->behind[room->nr_behind++] = (struct wr_behind){
		.out = out,
		.index = index,
	};
}

/* What cannot be had easily is left to faults. */
static void read_behind(struct wr_room *room)
{
	struct wr_behind *behind = room->behind;
	unsigned int i;

	for (i = 0; i < room->nr_behind; i++) {
		if (fatal_signal_pending(current))
			return;
		behind[i].page =
			wr_page_alloc_nobodys(__GFP_NORETRY | __GFP_NOWARN);
		if (!behind[i].page)
			return;
		if (!wr_outfile_read(behind[i].out, behind[i].page))
			continue;
		put_page(behind[i].page);
		behind[i].page = NULL;
	}
}

/**
 * wr_pageout_make_room - have what a fault was missing
 * @room: of the fault, which holds no lock of ours
 *
 * Return: whether there is something to try it with again.
 */
bool wr_pageout_make_room(struct wr_room *room)
{
	if (!room->wants || fatal_signal_pending(current))
		return false;
	room->wants = false;
	if (!room->page)
		room->page = wr_page_alloc_nobodys(0);
	if (!room->page)
		return false;
	room->out = room->wanted;
	room->err = 0;
	if (room->out.serial) {
		room->err = wr_outfile_read(room->out, room->page);
		room->read = true;
	} else {
		clear_highpage(room->page);
	}
	read_behind(room);
	return true;
}

/* The fault is over. */
void wr_pageout_end_room(struct wr_room *room)
{
	if (room->page)
		put_page(room->page);
	drop_behind(room);
}

/* Puts a page to where it was; then it is NULL for the caller. */
static int put_in(struct wr_window *window, pgoff_t index, struct page **page)
{
	int err = wr_resident_make_room(window, index);

	if (err || WARN_ON_ONCE(wr_resident_find(window, index)))
		return err ?: -ENOMEM;
	wr_resident_adopt(window, index, *page);
	err = wr_resident_add(window, index, *page);
	if (WARN_ON_ONCE(err))
		wr_folio_disown(page_folio(*page));
	else
		*page = NULL;
	return err;
}

/**
 * wr_pageout_undo - a page that is out is in memory again
 * @window: the window; its lock is held
 * @index: the page
 * @out: where it is
 *
 * Return: 0, -ENOMEM, also if the holder of the lock is to come again, or -EIO.
 */
int wr_pageout_undo(struct wr_window *window, pgoff_t index, struct wr_out out)
{
	struct wr_room *room = window->held.room;
	struct wr_room own;
	int err;

	wr_pageout_begin_room(&own);
	if (!room) {
		own.wanted = out;
		own.wants = true;
		room = &own;
		wr_pageout_make_room(room);
	} else if (!room->page || !wr_out_is(room->out, out)) {
		wr_pageout_want(window, out);
		return -ENOMEM;
	}
	err = room->page ? room->err : -ENOMEM;
	if (!err)
		err = put_in(window, index, &room->page);
	if (!err)
		wr_outfile_free(out);
	wr_pageout_end_room(&own);
	return err;
}

/**
 * wr_pageout_undo_behind - the same of one that was read with it
 * @window: the window; its lock is held
 * @behind: the page, which is out where that says
 *
 * Return: whether it is in memory now.
 */
bool wr_pageout_undo_behind(struct wr_window *window, struct wr_behind *behind)
{
	if (!behind->page || put_in(window, behind->index, &behind->page))
		return false;
	wr_outfile_free(behind->out);
	return true;
}

/**
 * wr_pageout_init - the module has come
 *
 * Return: 0 or an error.
 */
int wr_pageout_init(void)
{
	int err;

	if (!wr_paging)
		return 0;
	wr_runs_overdraw = true;
	err = wr_outfile_init();
	if (err)
		return err;
	shrinker = wr_shrinker_alloc(SHRINKER_MEMCG_AWARE | SHRINKER_NUMA_AWARE,
				     count, scan);
	if (!shrinker) {
		err = -ENOMEM;
		goto err_file;
	}
	err = list_lru_init_memcg(&wr_stash_lists[WR_STASH_COLD], shrinker);
	if (err)
		goto err_shrinker;
	err = wr_trim_init(shrinker);
	if (err)
		goto err_list;
	last_queue =
		alloc_workqueue("winregion", WQ_MEM_RECLAIM | WQ_UNBOUND, 1);
	if (!last_queue) {
		err = -ENOMEM;
		goto err_trim;
	}
	err = register_oom_notifier(&oom);
	if (err)
		goto err_queue;
	WRITE_ONCE(ready, true);
	wr_shrinker_register(shrinker);
	return 0;

err_queue:
	destroy_workqueue(last_queue);
err_trim:
	wr_trim_exit();
err_list:
	list_lru_destroy(&wr_stash_lists[WR_STASH_COLD]);
err_shrinker:
	wr_shrinker_free(shrinker);
err_file:
	wr_outfile_exit();
	return err;
}

/* The module is about to go. */
void wr_pageout_exit(void)
{
	if (!wr_paging)
		return;
	unregister_oom_notifier(&oom);
	destroy_workqueue(last_queue);
	wr_shrinker_free(shrinker);
	wr_trim_exit();
	list_lru_destroy(&wr_stash_lists[WR_STASH_COLD]);
	wr_written_exit();
	wr_outfile_exit();
}
