/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * recall.c: what was the last that happened at each lock before the daemon was started, from the
 * log, so that the page does not say "unknown" until somebody comes home.
 */

struct face;
struct mqtt;

/* Asks the log; the answer shows on the face if that is still there. */
void recall_begin(struct mqtt *mqtt, const struct face *face);
/* Answers that come later find nobody. */
void recall_free(struct mqtt *mqtt);
