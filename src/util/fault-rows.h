/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/fault.h"

extern const struct fault_row fault_rows[FAULT_COUNT_];
