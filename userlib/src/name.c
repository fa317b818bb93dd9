// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names of sections, and who they are for
 *
 * The module has a user's own names and those of all users, and takes any bytes.
 * What stands before a name says which kind it is: here that is told apart, and
 * taken off. Names are UTF-8 there.
 */
#include <stdlib.h>
#include <string.h>

#include <winregion/securitybaseapi.h>

#include "internal.h"

static bool skip(const char **at, const char *end, const char *prefix)
{
	size_t size = strlen(prefix);

	if ((size_t)(end - *at) < size || memcmp(*at, prefix, size))
		return false;
	*at += size;

	return true;
}

/* Those of sessions are each user's own. */
static bool skip_session(const char **at, const char *end)
{
	const char *next = *at;

	if (!skip(&next, end, "\\Sessions\\") || next == end)
		return false;
	while (next < end && *next >= '0' && *next <= '9')
		next++;
	if (!skip(&next, end, "\\BaseNamedObjects\\"))
		return false;
	*at = next;

	return true;
}

/* The directory of a name of the Nt calls */
static NTSTATUS skip_directory(const char **at, const char *end, bool *global)
{
	*global = false;
	if (skip_session(at, end))
		return STATUS_SUCCESS;
	*global = true;
	if (skip(at, end, "\\BaseNamedObjects\\"))
		return STATUS_SUCCESS;

	return *at < end && **at == '\\' ? STATUS_OBJECT_PATH_NOT_FOUND :
					   STATUS_OBJECT_PATH_SYNTAX_BAD;
}

/* Rule CM-43 */
static NTSTATUS parse(struct wr_name *name, bool nt)
{
	const char *at = name->text, *end = at + name->length;
	NTSTATUS status = STATUS_SUCCESS;
	bool global = false;

	if (nt)
		status = skip_directory(&at, end, &global);
	if (status != STATUS_SUCCESS)
		return status;
	if (skip(&at, end, "Global\\"))
		global = true;
	else if (skip(&at, end, "Local\\"))
		global = false;
	if (at == end)
		return STATUS_OBJECT_NAME_INVALID;
	if (memchr(at, '\\', end - at))
		return STATUS_OBJECT_PATH_NOT_FOUND;
	if (end - at > WINREGION_MAX_NAME)
		return STATUS_NAME_TOO_LONG;

	name->length = end - at;
	memmove(name->text, at, name->length);
	name->flags = global ? WINREGION_NAME_GLOBAL : 0;

	return STATUS_SUCCESS;
}

NTSTATUS wr_name_of_utf8(const char *text, struct wr_name *name)
{
	size_t size = strnlen(text, sizeof(name->text) + 1);

	if (size > sizeof(name->text))
		return STATUS_NAME_TOO_LONG;
	if (wr_to_wide(text, size, NULL, 0, TRUE) < 0)
		return STATUS_OBJECT_NAME_INVALID;
	memcpy(name->text, text, size);
	name->length = size;

	return parse(name, false);
}

NTSTATUS wr_name_of_wide(const WCHAR *text, size_t units, bool nt,
			 struct wr_name *name)
{
	const size_t room = sizeof(name->text);
	long size = wr_to_utf8(text, units, name->text, room, TRUE);

	if (size == WR_NO_ROOM)
		return STATUS_NAME_TOO_LONG;
	if (size < 0)
		return STATUS_OBJECT_NAME_INVALID;
	name->length = size;

	return parse(name, nt);
}

/* ---- security descriptors ---- */

/* Its offsets or pointers lead to lists: is there one? */
static bool has_list(const SECURITY_DESCRIPTOR *descriptor, const ACL **list)
{
	const SECURITY_DESCRIPTOR_RELATIVE *relative = (const void *)descriptor;

	if (!(descriptor->Control & SE_SELF_RELATIVE))
		*list = descriptor->Dacl;
	else if (relative->Dacl)
		*list = (const void *)((const char *)relative + relative->Dacl);
	else
		*list = NULL;

	return *list;
}

NTSTATUS wr_others_of(const void *security, uint32_t *others)
{
	const SECURITY_DESCRIPTOR *descriptor = security;
	const ACL *list;

	*others = 0;
	if (!descriptor)
		return STATUS_SUCCESS;
	if (descriptor->Revision != SECURITY_DESCRIPTOR_REVISION)
		return STATUS_UNKNOWN_REVISION;
	if (!(descriptor->Control & SE_DACL_PRESENT))
		return STATUS_SUCCESS;
	if (has_list(descriptor, &list))
		return list->AceCount ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
	*others = WINREGION_SECTION_ALL;

	return STATUS_SUCCESS;
}

BOOL WINAPI InitializeSecurityDescriptor(PSECURITY_DESCRIPTOR security,
					 DWORD revision)
{
	SECURITY_DESCRIPTOR *descriptor = security;

	if (revision != SECURITY_DESCRIPTOR_REVISION)
		return wr_succeeded(STATUS_UNKNOWN_REVISION);
	if (!wr_writable(descriptor, sizeof(*descriptor)))
		return wr_succeeded(STATUS_ACCESS_VIOLATION);
	*descriptor = (SECURITY_DESCRIPTOR){
		.Revision = SECURITY_DESCRIPTOR_REVISION,
	};

	return TRUE;
}

BOOL WINAPI SetSecurityDescriptorDacl(PSECURITY_DESCRIPTOR security,
				      BOOL present, PACL dacl, BOOL defaulted)
{
	SECURITY_DESCRIPTOR *descriptor = security;

	if (!wr_writable(descriptor, sizeof(*descriptor)))
		return wr_succeeded(STATUS_ACCESS_VIOLATION);
	if (descriptor->Revision != SECURITY_DESCRIPTOR_REVISION)
		return wr_succeeded(STATUS_UNKNOWN_REVISION);
	if (descriptor->Control & SE_SELF_RELATIVE)
		return wr_succeeded(STATUS_INVALID_SECURITY_DESCR);
	descriptor->Control &= ~(SE_DACL_PRESENT | SE_DACL_DEFAULTED);
	descriptor->Dacl = NULL;
	if (!present)
		return TRUE;
	descriptor->Control |= SE_DACL_PRESENT;
	if (defaulted)
		descriptor->Control |= SE_DACL_DEFAULTED;
	descriptor->Dacl = dacl;

	return TRUE;
}
