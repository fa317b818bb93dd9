// SPDX-License-Identifier: GPL-2.0
/*
 * Frees what is stashed because the program has reset or offered it, when memory is
 * short, the lowest class first: what stash.c says holds here.
 *
 * A shrinker does that on the way of reclaim. The core does not count such pages among
 * those that it could have, and may give up while there are any: so it asks once more
 * before it kills.
 */
#include <linux/list_lru.h>
#include <linux/nodemask.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/shrinker.h>
#include <linux/swap.h>

#include "evict.h"
#include "page.h"
#include "stash_in.h"
#include "trace.h"

static struct shrinker *shrinker;
static bool ready; /* lists are there; set once, before the module is used */

/* Most folios to free at a time, under the lock of a list. */
#define FOLIOS_AT_A_TIME 32

/* Most stashes of a class that are looked at in vain, one after the other */
#define MOST_IN_VAIN 8

/* Most folios of it that are tried at a time, and a slot's besides */
#define MOST_TRIES 1024

/* Most stashes of all lists that are gone by before somebody is killed, the first time */
#define MOST_AT_LAST 16384

/* Each time that nothing was found it is twice as many, so often */
#define MOST_PATIENCE 12

/**
 * struct wr_freeing - what is being freed
 * @folios: nobody's any more
 * @parts: how many references to each are to be put
 * @nr: how many folios
 * @pages: pages of them
 * @list: where, the last time
 * @in_vain: stashes of it that had nothing to free
 * @most_in_vain: how many of them there may be
 * @tries: folios of it that were looked at
 * @found: there was a stash
 */
struct wr_freeing {
	struct folio *folios[FOLIOS_AT_A_TIME];
	unsigned int parts[FOLIOS_AT_A_TIME];
	unsigned int nr;
	unsigned long pages;
	struct list_lru_one *list;
	unsigned int in_vain;
	unsigned int most_in_vain;
	unsigned int tries;
	bool found;
};

/* Forgets the @parts pages of @folio, one of which is at @offset. */
static void forget_pages(struct wr_stash *stash, struct folio *folio,
			 unsigned int offset, unsigned int parts)
{
	struct wr_slot *slot = &stash->slot;
	unsigned int i, end;

	wr_stash_span(folio, offset, &i, &end);
	wr_stash_forget_parts(slot, folio, offset, parts);
	for (; i < end; i++) {
		if (!slot->pages[i] || page_folio(slot->pages[i]) != folio)
			continue;
		slot->pages[i] = NULL;
		__set_bit(i, stash->gone);
	}
	WRITE_ONCE(slot->nr_resident, slot->nr_resident - parts);
	atomic_long_sub(parts, &wr_stash_sums[0].pages);
}

static void let_go(struct wr_stash *stash, unsigned int offset,
		   struct wr_freeing *freeing)
{
	struct folio *folio = page_folio(stash->slot.pages[offset]);
	unsigned int parts = wr_stash_held(&stash->slot, offset);

	freeing->tries++;
	if (!wr_folio_give_up(folio, parts))
		return;
	trace_wr_evict(wr_slot_first(stash->key) + offset, parts,
		       wr_stash_class_of(stash));
	forget_pages(stash, folio, offset, parts);
	freeing->folios[freeing->nr] = folio;
	freeing->parts[freeing->nr++] = parts;
	freeing->pages += parts;
}

/* As much of a stash as there is room for. */
static void free_from(struct wr_stash *stash, struct wr_freeing *freeing)
{
	struct wr_slot *slot = &stash->slot;
	struct folio *large = NULL, *folio;
	unsigned int i;

	for (i = 0; i < WR_SLOT_PAGES && freeing->nr < FOLIOS_AT_A_TIME; i++) {
		if (!slot->pages[i])
			continue;
		folio = page_folio(slot->pages[i]);
		if (folio == large)
			continue; /* it has to stay */
		if (folio_test_large(folio))
			large = folio;
		let_go(stash, i, freeing);
	}
}

/* Whether no more of a list is to be looked at, which one may be the first of. */
static bool is_enough(struct wr_freeing *freeing, struct list_lru_one *list)
{
	if (freeing->list != list) {
		freeing->list = list;
		freeing->in_vain = 0;
		freeing->tries = 0;
	}
	return freeing->nr == FOLIOS_AT_A_TIME ||
	       freeing->in_vain >= freeing->most_in_vain ||
	       freeing->tries >= MOST_TRIES;
}

/* Called with the lock of the list. */
static enum lru_status free_some(struct list_head *item,
				 struct list_lru_one *list, void *data)
{
	struct wr_stash *stash = container_of(item, struct wr_stash, list);
	struct wr_freeing *freeing = data;
	unsigned int before = freeing->nr;

	freeing->found = true;
	if (is_enough(freeing, list))
		return LRU_SKIP;
	free_from(stash, freeing);
	if (!stash->slot.nr_resident) {
		atomic_long_dec(&wr_stash_sums[0].stashes);
		list_lru_isolate(list, item);
		return LRU_REMOVED;
	}
	/* Go on with it, unless what is left cannot be freed. */
	if (freeing->nr > before)
		return LRU_SKIP;
	freeing->in_vain++;
	return LRU_ROTATE;
}

WR_DEFINE_LRU_WALK(free_some)

/*
 * Frees some pages of one stash, or of those of anybody, with 2 to the power of @patience
 * times as many that are looked at. Return: how many, or -1 if there is none.
 */
static long evict_some(struct list_lru *list, const struct wr_where *where,
		       unsigned int patience)
{
	struct wr_freeing freeing;
	unsigned int i;

	freeing.nr = 0;
	freeing.pages = 0;
	freeing.list = NULL;
	freeing.most_in_vain = MOST_IN_VAIN << patience;
	freeing.found = false;
	wr_lru_walk_some(list, where, where->any ? MOST_AT_LAST << patience : 1,
			 wr_lru_walk(free_some), &freeing);
	for (i = 0; i < freeing.nr; i++)
		folio_put_refs(freeing.folios[i], freeing.parts[i]);
	return freeing.found ? (long)freeing.pages : -1;
}

/*
 * Those in front may have nothing that can be freed, as it is shared since a fork, or
 * pinned: they go to the end of the list. After some of them the next class has its
 * turn, or nothing of that would ever be freed.
 */
static void evict_class(struct list_lru *list, const struct wr_where *where,
			unsigned long wanted, unsigned long *freed,
			unsigned long *looked)
{
	unsigned int in_vain = 0;
	long n;

	while (*looked < wanted && in_vain < MOST_IN_VAIN) {
		n = evict_some(list, where, 0);
		if (n < 0)
			return;
		in_vain = n ? 0 : in_vain + 1;
		*freed += n;
		*looked += n ? n : 1;
		cond_resched();
	}
}

static unsigned long evict(const struct wr_where *where, unsigned long wanted,
			   unsigned long *looked)
{
	unsigned long freed = 0;
	unsigned int i;

	*looked = 0;
	for (i = 0; i <= WR_STASH_OFFER_LAST; i++)
		evict_class(&wr_stash_lists[i], where, wanted, &freed, looked);
	return freed;
}

static unsigned long scan(struct shrinker *self, struct shrink_control *sc)
{
	struct wr_where where = { .nid = sc->nid, .memcg = sc->memcg };
	unsigned long freed, looked;

	if (!READ_ONCE(ready))
		return SHRINK_STOP;
	freed = evict(&where, sc->nr_to_scan, &looked);
	sc->nr_scanned = looked;
	mm_account_reclaimed_pages(freed);
	return looked ? freed : SHRINK_STOP;
}

static unsigned long count(struct shrinker *self, struct shrink_control *sc)
{
	unsigned long stashes = 0;
	unsigned int i;

	if (!READ_ONCE(ready))
		return 0;
	for (i = 0; i <= WR_STASH_OFFER_LAST; i++)
		stashes += list_lru_shrink_count(&wr_stash_lists[i], sc);
	return stashes ? wr_stash_estimate(&wr_stash_sums[0], stashes) :
			 SHRINK_EMPTY;
}

/* Of a class, whoever has it, on one node */
static unsigned long evict_anybodys(struct list_lru *list, int nid)
{
	struct wr_where where = { .nid = nid, .any = true };
	unsigned int patience = 0;
	unsigned long freed = 0;
	long n;

	while (patience < MOST_PATIENCE && freed < WR_SLOT_PAGES) {
		n = evict_some(list, &where, patience);
		if (n < 0)
			break;
		freed += n;
		patience += !n;
		cond_resched();
	}
	return freed;
}

static unsigned long evict_on_all_nodes(struct list_lru *lru)
{
	unsigned long freed = 0;
	int nid;

	for_each_online_node(nid)
		freed += evict_anybodys(lru, nid);
	return freed;
}

/* As much as is to be had of the lowest class that there is, unless others had some. */
static int before_oom(struct notifier_block *self, unsigned long unused,
		      void *data)
{
	unsigned long *freed = data;
	unsigned int i;

	for (i = 0; !*freed && i <= WR_STASH_OFFER_LAST; i++)
		*freed += evict_on_all_nodes(&wr_stash_lists[i]);
	return NOTIFY_OK;
}

/* In front of who would have to write. */
static struct notifier_block oom = {
	.notifier_call = before_oom,
	.priority = 1,
};

static void destroy_lists(unsigned int nr)
{
	while (nr--)
		list_lru_destroy(&wr_stash_lists[nr]);
}

static int make_lists(void)
{
	unsigned int i;
	int err;

	for (i = 0; i <= WR_STASH_OFFER_LAST; i++) {
		err = list_lru_init_memcg(&wr_stash_lists[i], shrinker);
		if (err) {
			destroy_lists(i);
			return err;
		}
	}
	return 0;
}

/**
 * wr_evict_init - the module has come
 *
 * Return: 0 or an error.
 */
int wr_evict_init(void)
{
	int err;

	shrinker = wr_shrinker_alloc(SHRINKER_MEMCG_AWARE | SHRINKER_NUMA_AWARE,
				     count, scan);
	if (!shrinker)
		return -ENOMEM;
	err = make_lists();
	if (err)
		goto err_shrinker;
	err = register_oom_notifier(&oom);
	if (err)
		goto err_lists;
	WRITE_ONCE(ready, true);
	wr_shrinker_register(shrinker);
	return 0;

err_lists:
	destroy_lists(WR_STASH_OFFER_LAST + 1);
err_shrinker:
	wr_shrinker_free(shrinker);
	return err;
}

/* The module is about to go. */
void wr_evict_exit(void)
{
	unregister_oom_notifier(&oom);
	wr_shrinker_free(shrinker);
	destroy_lists(WR_STASH_OFFER_LAST + 1);
}
