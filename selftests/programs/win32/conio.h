/* SPDX-License-Identifier: GPL-2.0 */
/*
 * <conio.h>: there is no console
 */
#include "console.h"
