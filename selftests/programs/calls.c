// SPDX-License-Identifier: GPL-2.0
/*
 * Which calls of the module's a program has made: as it ends, the file "calls" of its
 * directory gets a line for each. It is linked with --wrap=ioctl.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/winregion.h>

#define CALL(name) \
	[WINREGION_CMD_##name - WINREGION_CMD_BASE] = #name

static const char *const names[] = {
	CALL(RESERVE),	  CALL(RELEASE),    CALL(COMMIT), CALL(DECOMMIT),
	CALL(PROTECT),	  CALL(QUERY),	    CALL(RESET),  CALL(WRITE_WATCH),
	CALL(CREATE_SECTION), CALL(MAP_VIEW),
};

#define NAMES (sizeof(names) / sizeof(*names))

static atomic_ulong calls[NAMES];

int __real_ioctl(int fd, unsigned long request, void *argument);
int __wrap_ioctl(int fd, unsigned long request, void *argument);

int __wrap_ioctl(int fd, unsigned long request, void *argument)
{
	unsigned int n = _IOC_NR(request) - WINREGION_CMD_BASE;
	int result = __real_ioctl(fd, request, argument);

	if (!result && _IOC_TYPE(request) == WINREGION_TYPE && n < NAMES)
		calls[n]++;

	return result;
}

__attribute__((__destructor__)) static void tell(void)
{
	int fd = open("calls", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	unsigned int i;

	for (i = 0; i < NAMES; i++)
		if (names[i])
			dprintf(fd, "%s %lu\n", names[i], calls[i]);
	close(fd);
}
