// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Every function of the library by its name, from its version script
 *
 * No header is included, as each name is declared here as some bytes.
 */
#define WR_EXPORT(name) extern const char wr_at_##name[] __asm__(#name);
#include "exports.inc"
#undef WR_EXPORT

extern const struct wr_export {
	const char *name;
	const char *at;
} wr_exports[];

extern const unsigned int wr_nr_exports;

#define WR_EXPORT(name) { #name, wr_at_##name },
const struct wr_export wr_exports[] = {
#include "exports.inc"
};

const unsigned int wr_nr_exports = sizeof(wr_exports) / sizeof(*wr_exports);
