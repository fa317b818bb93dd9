/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an unmodified "#include <windows.h>" finds when this folder is on the
 * include path (pkg-config --cflags winregion-win32).
 */
#include "../windows.h"
