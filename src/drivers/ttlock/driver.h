/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Locks of TTLock (Sciener), protocol V3, which hundreds of brands sell. Their advertisements tell
 * bolt and battery; the log tells who it was.
 */

#include "core/driver.h"

extern const struct driver ttlock_driver;
