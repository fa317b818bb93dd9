/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptors that one process gives another one, through a socket.
 */
#ifndef _SELFTESTS_DESCRIPTORS_H
#define _SELFTESTS_DESCRIPTORS_H

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

union descriptor_control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int))];
};

static inline bool send_fd(int socket, int fd)
{
	union descriptor_control control = { 0 };
	char byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1;
}

/* @flags: of recvmsg(). Return: the descriptor, or -1. */
static inline int receive_fd(int socket, int flags)
{
	union descriptor_control control = { 0 };
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(socket, &message, flags) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

#endif /* _SELFTESTS_DESCRIPTORS_H */
