/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Tells the journal what the hub's signals say: every recorded event, every refused request, and
 * changes of the hub's own condition. The one place where events are logged (R9).
 */

#include "core/hub.h"

struct journal {
	struct hub *hub;
	struct listener event;
	struct listener refused;
	struct listener condition;
	enum fault_code ledger_fault; /* as last said */
	enum fault_code radio_said;   /* as last said */
	enum fault_code radio_seen;   /* as it looks now, since radio_since */
	mono_t radio_since;
	bool is_radio_said;
};

void journal_init(struct journal *journal, struct hub *hub);
void journal_finish(struct journal *journal);
/*
 * Looks at the radio's condition and says it when it has changed; @return true then. Trouble has to
 * stand for two seconds first (a start goes through "not connected yet"): *ret_again_ms tells when
 * to look again, untouched when there is no need.
 */
bool journal_check_radio(struct journal *journal, int64_t *ret_again_ms);
