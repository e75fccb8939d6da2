/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The time of the scene, of the loop and of sd-bus: see scene-clock.c. */

#include <stdint.h>

/* Called with each turn: a longer time since the last one has not been. */
void scene_clock_turn(void);
/* Time goes by at once: all that is due is due with the next turn. */
void scene_clock_skip(int64_t ms);
void scene_clock_step_wall(int64_t seconds);
int64_t scene_now_ms(void);
