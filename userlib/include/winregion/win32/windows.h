/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an unmodified "#include <windows.h>" finds when this folder is on the
 * include path (pkg-config --cflags winregion-win32). The words below are not in
 * <winregion/windows.h>, as headers of this system have them for other things.
 */
#include "../windows.h"

#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif

#if !defined(NOMINMAX) && !defined(__cplusplus)
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#endif
