/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that are written
 */
#ifndef _WINREGION_TOOLS_CREATE_H
#define _WINREGION_TOOLS_CREATE_H

#include <stdio.h>

/*
 * A file to write to, as fopen() with O_APPEND, O_EXCL or O_TRUNC of open(). One that is new
 * is for its owner only: where memory is helps who attacks its process.
 */
FILE *create_file(const char *path, int flags);

#endif /* _WINREGION_TOOLS_CREATE_H */
