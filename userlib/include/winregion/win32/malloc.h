/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where sources look for _resetstkoflw(), and the rest of what it has
 */
#pragma GCC system_header
#include_next <malloc.h>
#include "../process.h"
