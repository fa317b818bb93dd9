// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Small files of the kernel's, as text
 */
#include <fcntl.h>
#include <unistd.h>

#include "internal.h"

bool wr_read_text(const char *name, char *text, size_t room)
{
	ssize_t n = -1;
	int fd;

	WR_NO_CANCEL();

	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, room - 1);
		wr_close(fd);
	}
	text[n < 0 ? 0 : n] = '\0';

	return n > 0;
}
