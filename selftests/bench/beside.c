// SPDX-License-Identifier: GPL-2.0
/* Programs and files of the benchmark lie in one directory. */
#include <libgen.h>
#include <limits.h>

#include "bench.h"

char *path_beside(const char *name, const char *suffix)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n < 0)
		die("no /proc/self/exe");
	path[n] = '\0';
	dirname(path);
	n = strlen(path);
	snprintf(path + n, sizeof(path) - n, "/%s%s", name, suffix);
	return path;
}
