/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "room.h"

/*
 * Shows how strongly the lock (@word is what a person calls it) is heard until Ctrl-C, or for
 * --seconds. Closing its end of the socket tells lockhubd to let the radio rest. CTL_DONE, or
 * CTL_FAILED after an explanation.
 */
int watch_run(struct ctl *ctl, const char *word);
