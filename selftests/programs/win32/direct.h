/* SPDX-License-Identifier: GPL-2.0 */
/*
 * <direct.h>: the library's, and directories by the names that programs bring along
 */
#ifndef _SELFTESTS_PROGRAMS_DIRECT_H
#define _SELFTESTS_PROGRAMS_DIRECT_H

#include <dirent.h>

#include <winregion/direct.h>

#define DIRENT dirent

#endif /* _SELFTESTS_PROGRAMS_DIRECT_H */
