/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../tlhelp32.h"
