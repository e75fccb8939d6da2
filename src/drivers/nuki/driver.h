/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Nuki Smart Locks 1.0 to 4.0 and Pro, Smart Door, and the 5th generation (Go, Pro, Ultra). Not the
 * Opener, which opens a house door's intercom and has no bolt.
 */

#include "core/driver.h"

extern const struct driver nuki_driver;
