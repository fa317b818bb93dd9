/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every function of the library by its name
 */
#ifndef _WINREGION_EXPORTS_H
#define _WINREGION_EXPORTS_H

struct wr_export {
	const char *name;
	/* Its code */
	const char *at;
};

/* exports.c: sorted by name, as strcmp(3) does it */
extern const struct wr_export wr_exports[];
extern const unsigned int wr_nr_exports;

#endif /* _WINREGION_EXPORTS_H */
