/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * SwitchBot Lock, Lite, Pro, Pro Wi-Fi, Ultra, Vision and Vision Pro. Their advertisements tell
 * bolt, door and battery; a link is needed only to move the bolt. Not the keypads, which are
 * devices of their own.
 */

#include "core/driver.h"

extern const struct driver switchbot_driver;
