/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the model check of each call
 */
#ifndef _FUZZ_MODEL_CHECK_H
#define _FUZZ_MODEL_CHECK_H

#include "model.h"

bool model_protection_is_valid(uint32_t protection);
bool model_in_region(const struct model_page *page);
bool model_is_view(const struct model_spot *spot);
bool model_is_zero(const void *bytes, unsigned int n);
uint32_t model_pages_of(uint64_t address, uint64_t length);

/* That of an address, or NULL if the model does not know it */
struct model_page *model_page_at(struct model *model, uint64_t address);

/* Each of @n pages from the one of @address on, as far as they are known */
#define FOR_EACH_PAGE(model, address, n, i, page) \
	for (i = 0; i < (n) && \
	     (page = model_page_at(model, (address) + (i) * MODEL_PAGE)); \
	     i++)

/* Of pages */
void model_put_region(struct model *model, struct model_span *span,
		      uint32_t first, uint32_t n,
		      const struct winregion_reserve *arg);
void model_commit_page(struct model *model, struct model_page *page,
		       uint32_t protection);
void model_release_pages(struct model_span *span, bool roaming, uint32_t first,
			 uint32_t n);
void model_end_span(struct model_span *span);

/* Placeholders, once the rest of the call has been checked */
uint32_t model_check_kind(const struct winregion_reserve *arg);
uint32_t model_replace(struct model *model, struct winregion_reserve *arg);
uint32_t model_keep(struct model *model, struct winregion_release *arg,
		    uint32_t errors);

/* The errors that there are */
uint32_t model_check_size(uint32_t size, uint32_t known, bool dirty);
uint32_t model_check_range(uint64_t address, uint64_t length);
uint32_t model_check_region(struct model *model, uint64_t address,
			    uint64_t length, bool whole,
			    struct model_spot *spot, uint32_t *n);
bool model_commit_is_refused(const struct winregion_reserve *arg);
uint32_t model_check_change(const struct winregion_change *arg, bool dirty);

#endif /* _FUZZ_MODEL_CHECK_H */
