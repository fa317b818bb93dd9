/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ioctls of sections and views, one thin wrapper for each: 0, a descriptor,
 * or -errno. Include it after wr_test_util.h.
 */
#ifndef _SELFTESTS_SECTIONS_H
#define _SELFTESTS_SECTIONS_H

/* A descriptor that allows @access. @length: 0 for all of the file */
static inline int sec_create_as(int fd, int file, uint64_t *length,
				uint32_t flags, uint32_t protection,
				uint32_t access)
{
	struct winregion_create_section arg = {
		.size = sizeof(arg),
		.flags = flags,
		.file = file,
		.protection = protection,
		.access = access,
		.length = *length,
		.out_fd = -1,
	};
	int ret = wr_ioctl(fd, WINREGION_CREATE_SECTION, &arg);

	if (ret)
		return ret;
	*length = arg.length;
	return arg.out_fd;
}

static inline int sec_create(int fd, int file, uint64_t length, uint32_t flags,
			     uint32_t protection)
{
	return sec_create_as(fd, file, &length, flags, protection,
			     WINREGION_SECTION_ALL);
}

/* By a name: what is not in @arg is what most tests want. A descriptor, or -errno */
static inline int sec_create_named_with(int fd, const char *name,
					struct winregion_create_section *arg)
{
	int ret;

	arg->size = sizeof(*arg);
	arg->name = (uintptr_t)name;
	if (!arg->name_length)
		arg->name_length = strlen(name);
	if (!arg->file)
		arg->file = -1;
	if (!arg->protection)
		arg->protection = WINREGION_READWRITE;
	if (!arg->access)
		arg->access = WINREGION_SECTION_ALL;
	if (!arg->length)
		arg->length = 0x10000;
	arg->out_fd = -1;
	arg->out_existed = ~0U;
	ret = wr_ioctl(fd, WINREGION_CREATE_SECTION, arg);
	return ret ? ret : arg->out_fd;
}

/* One that is new; 0 instead of a descriptor if it was there */
static inline int sec_create_named(int fd, const char *name, uint32_t flags,
				   uint32_t others)
{
	struct winregion_create_section arg = {
		.name_flags = flags,
		.others = others,
	};
	int section = sec_create_named_with(fd, name, &arg);

	if (section < 0 || !arg.out_existed)
		return section;
	close(section);
	return 0;
}

static inline int sec_open_with(int fd, const char *name,
				struct winregion_open_section *arg)
{
	int ret;

	arg->size = sizeof(*arg);
	arg->name = (uintptr_t)name;
	if (!arg->name_length)
		arg->name_length = strlen(name);
	arg->out_fd = -1;
	ret = wr_ioctl(fd, WINREGION_OPEN_SECTION, arg);
	return ret ? ret : arg->out_fd;
}

static inline int sec_open(int fd, const char *name, uint32_t flags,
			   uint32_t access)
{
	struct winregion_open_section arg = {
		.flags = flags,
		.access = access,
	};

	return sec_open_with(fd, name, &arg);
}

static inline int sec_map_with(int section, struct winregion_map_view *arg,
			       char **base)
{
	int ret;

	arg->size = sizeof(*arg);
	ret = wr_ioctl(section, WINREGION_MAP_VIEW, arg);
	*base = ret ? NULL : (char *)(uintptr_t)arg->address;
	return ret;
}

/* @length: 0 for the rest */
static inline int sec_map(int section, uint64_t offset, uint64_t length,
			  uint32_t protection, char **base)
{
	struct winregion_map_view arg = {
		.protection = protection,
		.offset = offset,
		.length = length,
	};

	return sec_map_with(section, &arg, base);
}

static inline int sec_map_at(int section, void *address, uint64_t offset,
			     uint64_t length, uint32_t protection)
{
	struct winregion_map_view arg = {
		.protection = protection,
		.address = (uintptr_t)address,
		.offset = offset,
		.length = length,
	};
	char *base;

	return sec_map_with(section, &arg, &base);
}

static inline int sec_unmap(int fd, volatile void *address)
{
	struct winregion_unmap_view arg = {
		.size = sizeof(arg),
		.address = (uintptr_t)address,
	};

	return wr_ioctl(fd, WINREGION_UNMAP_VIEW, &arg);
}

static inline int sec_flush(int fd, volatile void *address, uint64_t length)
{
	struct winregion_flush_view arg = {
		.size = sizeof(arg),
		.address = (uintptr_t)address,
		.length = length,
	};

	return wr_ioctl(fd, WINREGION_FLUSH_VIEW, &arg);
}

static inline int sec_query(int section, struct winregion_query_section *arg)
{
	memset(arg, 0xcc, sizeof(*arg));
	arg->size = sizeof(*arg);
	arg->flags = 0;
	return wr_ioctl(section, WINREGION_QUERY_SECTION, arg);
}

static inline int sec_extend(int section, uint64_t length)
{
	struct winregion_extend_section arg = {
		.size = sizeof(arg),
		.length = length,
	};

	return wr_ioctl(section, WINREGION_EXTEND_SECTION, &arg);
}

static inline int sec_duplicate(int section, uint32_t access)
{
	struct winregion_duplicate_section arg = {
		.size = sizeof(arg),
		.access = access,
		.out_fd = -1,
	};
	int ret = wr_ioctl(section, WINREGION_DUPLICATE_SECTION, &arg);

	return ret ? ret : arg.out_fd;
}

/* Bytes of @file that sections need, or ~0 */
static inline uint64_t sec_query_file(int fd, int file)
{
	struct winregion_query_file arg = {
		.size = sizeof(arg),
		.file = file,
	};

	return wr_ioctl(fd, WINREGION_QUERY_FILE, &arg) ? ~0ULL :
							  arg.out_length;
}

#endif /* _SELFTESTS_SECTIONS_H */
