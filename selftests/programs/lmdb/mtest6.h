/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What mtest6.c calls and nobody declares: without this it takes the address that it
 * gets for an int.
 */
#include <lmdb.h>

char *mdb_dkey(MDB_val *key, char *buf);
