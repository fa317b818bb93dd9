/* SPDX-License-Identifier: GPL-2.0 */
/*
 * <direct.h>, and directories by the names that programs bring along
 */
#ifndef _SELFTESTS_PROGRAMS_DIRECT_H
#define _SELFTESTS_PROGRAMS_DIRECT_H

#include <dirent.h>
#include <sys/stat.h>

#define DIRENT dirent

#define _mkdir(name) mkdir(name, 0777)

#endif /* _SELFTESTS_PROGRAMS_DIRECT_H */
