// SPDX-License-Identifier: GPL-2.0
/*
 * Calls about what regions can be besides: a view in place of a placeholder, a stack
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fuzz.h"

/* A descriptor of new memory, which is zero, or -1 */
static int new_section(struct fuzz *fuzz, uint64_t length)
{
	struct winregion_create_section arg = {
		.size = sizeof(arg),
		.file = -1,
		.protection = WINREGION_READWRITE,
		.access = WINREGION_SECTION_ALL,
		.length = length,
	};

	return ioctl(fuzz->fd, WINREGION_CREATE_SECTION, &arg) ? -1 : arg.out_fd;
}

/* Each view is one of memory that nothing else shows, and nobody writes. */
bool kinds_map_view(struct fuzz *fuzz, const struct op *op)
{
	struct winregion_map_view arg = {
		.size = sizeof(arg),
		.flags = WINREGION_VIEW_REPLACE,
		.protection = WINREGION_READONLY,
		.length = op->range[0].length,
	}, must;
	uint64_t address;
	int section, ret;
	uint32_t errors;
	char text[80];

	if (!arg.length || !fuzz_resolve(fuzz, &op->range[0], &address))
		return true;
	arg.address = address;
	must = arg;
	errors = model_map_view(fuzz->model, &must);
	if (errors & MODEL_UNKNOWN)
		return true;
	emit_errors(text, sizeof(text), errors);
	emit_line(fuzz, "MAP_VIEW(%s, 0x%lx, %s);",
		  emit_address(&op->range[0]), op->range[0].length, text);
	if (fuzz->dry)
		return true;
	section = new_section(fuzz, arg.length);
	if (section < 0)
		return fuzz_differs(fuzz, "no section: errno %d", errno);
	ret = ioctl(section, WINREGION_MAP_VIEW, &arg) ? -errno : 0;
	close(section);
	return fuzz_judge(fuzz, op, ret, errors) &&
	       fuzz_same_bytes(fuzz, op, &arg, &must, sizeof(arg));
}

bool kinds_unmap_view(struct fuzz *fuzz, const struct op *op)
{
	struct winregion_unmap_view arg = {
		.size = fuzz_size_of(op, sizeof(arg)),
		.flags = op->flags,
		.out_length = ~0ULL,
	}, must;
	uint64_t address;
	uint32_t errors;

	if (!fuzz_resolve(fuzz, &op->range[0], &address))
		return true;
	arg.address = address;
	must = arg;
	errors = model_unmap_view(fuzz->model, &must, op->size == OP_DIRTY);
	if (errors & MODEL_UNKNOWN)
		return true;
	fuzz_claim_all(fuzz);
	return fuzz_call_like(fuzz, op, WINREGION_UNMAP_VIEW, &arg, &must,
			      sizeof(arg), errors);
}

bool kinds_set_stack(struct fuzz *fuzz, const struct op *op)
{
	struct winregion_set_stack arg = {
		.size = fuzz_size_of(op, sizeof(arg)),
		.flags = op->flags,
		.guarantee = op->range[0].length,
	}, must;
	uint64_t address;
	uint32_t errors;

	if (!fuzz_resolve(fuzz, &op->range[0], &address))
		return true;
	arg.address = address;
	must = arg;
	errors = model_set_stack(fuzz->model, &arg, op->size == OP_DIRTY);
	if (errors & MODEL_UNKNOWN)
		return true;
	return fuzz_call_like(fuzz, op, WINREGION_SET_STACK, &arg, &must,
			      sizeof(arg), errors);
}
