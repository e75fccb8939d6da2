/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* cmocka, with the headers it wants before it in the right order. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
