// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Every function of the library by its name, from its version script
 *
 * No header with functions is included: what is made of the script declares each as
 * some bytes, and has a row of the table for it.
 */
#include "exports.h"

#define WR_DECLARATIONS
#include "exports.inc"
#undef WR_DECLARATIONS

const struct wr_export wr_exports[] = {
#include "exports.inc"
};

const unsigned int wr_nr_exports = sizeof(wr_exports) / sizeof(*wr_exports);
