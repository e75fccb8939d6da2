/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The payloads of a lock's and the hub's topics (docs/mqtt.md, "Topics"). Pure. */

#include <stdbool.h>

#include "util/when.h"

#include "view.h"

/*
 * The word on lock/state; "None" when the position is not known (L1). @is_old_ha: without OPEN and
 * OPENING, which Home Assistant knows since 2024.6 only.
 */
const char *payload_state(const struct view *view, bool is_old_ha);
/* Words after which Home Assistant takes "None" for "unknown"; after others it keeps the word. */
bool payload_state_is_clearable(const char *word);

/*
 * One of the small state payloads, "None" when not known, NULL when the part has none or it is made
 * by another function here (PART_LOCK, PART_ACTIVITY). Borrowed: a constant, or out.
 */
#define PAYLOAD_MAX 640
const char *payload_part(
	const struct view *view, enum part part, bool show_users, char out[static PAYLOAD_MAX]);

/* JSON, owned by the caller (free); NULL: no memory. */
char *payload_attributes(const struct view *view, bool show_users);
/*
 * Of the link's entity: what was counted of the radio. @rssi: the middle strength to tell; 0: none.
 */
char *payload_link_attributes(const struct radio_stats *stats, int rssi);
/* Of the problem's entity: what is wrong, how that is known, and the next step. */
char *payload_problem_attributes(const struct view *view);
/* Of the last operation's entity: who, how, when, and how that is known. */
char *payload_operation_attributes(const struct view *view, bool show_users);
/* Of an adapter's entity. */
char *payload_adapter_attributes(const struct radio_stats *stats);
/* Of the forecast's entity. */
char *payload_forecast_attributes(const struct forecast *forecast);
/* Of the codes' entity: how far the lock agrees with the hub's book. */
char *payload_codes_attributes(const struct sync_status *sync);
/* An event on ID/event, or hub/event when it is the hub's own. */
char *payload_event(const struct event *event, bool show_users);
/* The event that tells that a command was not carried out. @word NULL: not understood. */
char *payload_refusal(const char *word, const struct fault *fault, wall_t when);

/* ISO 8601 with offset, "None" for never. */
const char *payload_time(wall_t when, char out[static PAYLOAD_MAX]);
/* The options of the fault entity, "none" first, "other" last; NULL-terminated. */
const char *const *payload_fault_options(void);
/* Its word for a fault. */
const char *payload_fault(enum fault_code code);
