// SPDX-License-Identifier: GPL-2.0
/*
 * The parser of files of programs for Windows, for libFuzzer: see the Makefile here.
 */
#include "../pe_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	pe_look(bytes, size, false);
	pe_look(bytes, size, true);
	return 0;
}
