// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the errors are in words
 */
#include "internal.h"

static const struct {
	DWORD error;
	const char *text;
} texts[] = {
	{ ERROR_SUCCESS, "Nothing went wrong" },
	{ ERROR_INVALID_FUNCTION, "The file does not have this operation" },
	{ ERROR_FILE_NOT_FOUND, "There is no such file" },
	{ ERROR_PATH_NOT_FOUND, "There is no such directory" },
	{ ERROR_TOO_MANY_OPEN_FILES, "No more files can be open at once" },
	{ ERROR_ACCESS_DENIED, "This is not allowed" },
	{ ERROR_INVALID_HANDLE,
	  "The handle leads to nothing, or not to an object of this kind" },
	{ ERROR_NOT_ENOUGH_MEMORY, "There is not enough memory for it" },
	{ ERROR_OUTOFMEMORY, "There is not enough storage for it" },
	{ ERROR_NOT_SAME_DEVICE, "It cannot be moved to another device" },
	{ ERROR_NO_MORE_FILES, "The list has nothing more" },
	{ ERROR_WRITE_PROTECT, "What it is on cannot be written to" },
	{ ERROR_NOT_READY, "The device does not answer" },
	{ ERROR_BAD_LENGTH, "The length does not fit" },
	{ ERROR_GEN_FAILURE, "It did not work" },
	{ ERROR_SHARING_VIOLATION,
	  "Somebody else has the file open and does not share it" },
	{ ERROR_LOCK_VIOLATION, "Somebody else has locked a part of the file" },
	{ ERROR_HANDLE_EOF, "The file ends before" },
	{ ERROR_HANDLE_DISK_FULL, "The disk has no room left" },
	{ ERROR_NOT_SUPPORTED, "This is not supported" },
	{ ERROR_BAD_NETPATH, "The other computer was not found" },
	{ ERROR_DEV_NOT_EXIST, "The device is not there any more" },
	{ ERROR_UNEXP_NET_ERR, "No file is mapped at the address" },
	{ ERROR_FILE_EXISTS, "The file exists" },
	{ ERROR_INVALID_PARAMETER, "A parameter is wrong" },
	{ ERROR_BROKEN_PIPE, "Nobody is at the other end of the pipe" },
	{ ERROR_BUFFER_OVERFLOW, "The name is too long" },
	{ ERROR_DISK_FULL, "The disk has not enough room" },
	{ ERROR_CALL_NOT_IMPLEMENTED,
	  "This function does nothing on this system" },
	{ ERROR_SEM_TIMEOUT, "The time for waiting was over" },
	{ ERROR_INSUFFICIENT_BUFFER, "The buffer is too small for the data" },
	{ ERROR_INVALID_NAME, "The name is not one that a file can have" },
	{ ERROR_MOD_NOT_FOUND, "There is no such library" },
	{ ERROR_PROC_NOT_FOUND, "The library has no such function" },
	{ ERROR_NEGATIVE_SEEK, "That is before the beginning of the file" },
	{ ERROR_SEEK_ON_DEVICE, "The file has no positions" },
	{ ERROR_DIR_NOT_EMPTY, "The directory is not empty" },
	{ ERROR_DISCARDED, "What the memory had was discarded" },
	{ ERROR_NOT_LOCKED, "The pages, or the memory, were not locked" },
	{ ERROR_BAD_PATHNAME, "The path is not one that a file can have" },
	{ ERROR_BUSY, "It is in use" },
	{ ERROR_INVALID_ORDINAL, "The library has no function of this number" },
	{ ERROR_ALREADY_EXISTS, "It is there already" },
	{ ERROR_BAD_EXE_FORMAT, "It is not a program that can run here" },
	{ ERROR_ENVVAR_NOT_FOUND, "The environment has no such variable" },
	{ ERROR_FILENAME_EXCED_RANGE, "The name or its suffix is too long" },
	{ ERROR_LOCKED, "The memory is locked and stays where it is" },
	{ ERROR_FILE_TOO_LARGE, "The file would be too large" },
	{ ERROR_NO_DATA, "The pipe is being closed" },
	{ ERROR_MORE_DATA, "There is more data than room" },
	{ ERROR_NO_MORE_ITEMS, "There is nothing more" },
	{ ERROR_DIRECTORY, "The name is not that of a directory" },
	{ ERROR_NOT_OWNER, "Somebody else has it" },
	{ ERROR_TOO_MANY_POSTS, "The semaphore cannot count that far" },
	{ ERROR_PARTIAL_COPY,
	  "Only a part of the memory could be read or written" },
	{ ERROR_INVALID_LOCK_RANGE, "This range cannot be locked" },
	{ ERROR_MR_MID_NOT_FOUND, "There is no message of this number" },
	{ ERROR_INVALID_ADDRESS, "The address cannot be used for this" },
	{ ERROR_IMAGE_NOT_AT_BASE,
	  "The image lies elsewhere than it asks for" },
	{ ERROR_WAS_LOCKED, "The pages were locked already" },
	{ ERROR_IO_INCOMPLETE, "The transfer has not come to its end" },
	{ ERROR_IO_PENDING, "The transfer goes on" },
	{ ERROR_NOACCESS, "The memory cannot be accessed in this way" },
	{ ERROR_SWAPERROR, "The page could not be read in" },
	{ ERROR_STACK_OVERFLOW, "The stack is used up" },
	{ ERROR_INVALID_FLAGS, "The flags are wrong" },
	{ ERROR_FILE_INVALID,
	  "The file was changed so that it cannot be used as it is open" },
	{ ERROR_NO_UNICODE_TRANSLATION,
	  "The text has something that is no character" },
	{ ERROR_IO_DEVICE, "The device reports an error" },
	{ ERROR_MAPPED_ALIGNMENT,
	  "The address or the offset is not a multiple of what it has to be" },
	{ ERROR_TOO_MANY_LINKS, "The file has too many names" },
	{ ERROR_USER_MAPPED_FILE, "The file is mapped and stays as it is" },
	{ ERROR_ALREADY_FIBER, "The thread is a fiber already" },
	{ ERROR_ALREADY_THREAD, "The thread is no fiber" },
	{ ERROR_NO_TOKEN, "There is no such token" },
	{ ERROR_NOT_ALL_ASSIGNED, "Not all of the privileges are there" },
	{ ERROR_UNKNOWN_REVISION, "The revision is not known" },
	{ ERROR_NO_SUCH_PRIVILEGE, "There is no privilege of this name" },
	{ ERROR_PRIVILEGE_NOT_HELD, "A privilege for this is missing" },
	{ ERROR_INVALID_SECURITY_DESCR,
	  "The security descriptor is not valid" },
	{ ERROR_FILE_CORRUPT, "The file is damaged" },
	{ ERROR_NO_SYSTEM_RESOURCES,
	  "The system has no resources left for it" },
	{ ERROR_WORKING_SET_QUOTA,
	  "The process may have no more pages in memory" },
	{ ERROR_PAGEFILE_QUOTA, "The process may have no more memory" },
	{ ERROR_COMMITMENT_LIMIT, "The system can promise no more memory" },
	{ ERROR_TIMEOUT, "The time for it was over" },
	{ RPC_S_SERVER_UNAVAILABLE, "The other system cannot be reached" },
	{ ERROR_RESOURCE_DATA_NOT_FOUND, "The file has no resources" },
	{ ERROR_RESOURCE_TYPE_NOT_FOUND,
	  "The file has no resources of this type" },
	{ ERROR_RESOURCE_NAME_NOT_FOUND,
	  "The file has no resource with this name" },
	{ ERROR_RESOURCE_LANG_NOT_FOUND,
	  "The resource is not there in this language" },
	{ ERROR_CANT_RESOLVE_FILENAME, "The name leads around in a circle" },
	{ ERROR_RESOURCE_ENUM_USER_STOP,
	  "The program has ended the enumeration" },
};

/* An HRESULT of a Windows error has this in its upper half. */
#define FACILITY_BITS 0x80070000U

const char *wr_error_text(DWORD error)
{
	size_t i;

	if ((error & 0xFFFF0000U) == FACILITY_BITS)
		error &= 0xFFFF;
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].error == error)
			return texts[i].text;

	return NULL;
}
