/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _WR_IMAGE_H
#define _WR_IMAGE_H

#include <sys/types.h>

#include "imageplan.h"
#include "internal.h"

/* image.c: what the headers of an open file come to: see imageplan.h */
NTSTATUS wr_image_of_file(int fd, bool executes, struct wr_image_plan *plan);

/*
 * image.c: a descriptor for the section of that image, @arg.out_fd; @arg has the rights
 * and the name, if there is one.
 */
int wr_image_create(int fd, const struct wr_image_plan *plan, bool executes,
		    struct winregion_create_section *arg);

/* image.c: a view of the bytes of the section @fd, which is an image */
NTSTATUS wr_image_bytes(int fd, const void **bytes, size_t *size);
void wr_image_bytes_end(const void *bytes);

/*
 * image.c: map the image whose section is @fd: at *@base, or if that is NULL, where it
 * wants to be, or anywhere. STATUS_IMAGE_NOT_AT_BASE: it was relocated.
 */
NTSTATUS wr_image_map(int fd, PVOID *base, SIZE_T *size);

/* image.c: an image with this address is mapped no more. */
void wr_image_unmapped(const void *base);

#endif /* _WR_IMAGE_H */
