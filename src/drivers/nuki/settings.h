/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The settings of a Nuki, for the vtable and for tests; what a session does with them is in
 * machine.h.
 */

#include "codes.h"
#include "core/setting.h"

/* Static; which of them the firmware has shows when they are read. */
const struct lock_setting *nuki_settings(enum nuki_generation generation, size_t *ret_n);
