/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What Nuki messages mean in our terms (include/core/terms.h): messages -> evidence, log entries ->
 * struct log_entry. Pure; nothing fails: what cannot be told stays unknown.
 *
 * Decisions made here:
 *  - Moving, jammed, uncalibrated and undefined bolts are "not fully locked"; a state number that
 * is not in the table is "unknown". Only 0x01 is ever "locked" (L1).
 *  - Battery percent: only when bits 2..7 are not all zero and at most 100; never made from the
 *    critical flag.
 *  - A log entry gives one event. A blocked motor is a LOCK_OPERATION_ERROR (who, by what, which
 * way) with fault JAMMED and alarm LOCK_JAMMED, not an ALARM of its own, so that it counts once.
 *  - A wrong code or finger is a LOCK_OPERATION_ERROR with INVALID_CREDENTIAL.
 *
 * Source: docs/protocols/nuki.md 5.
 */

#include "core/driver.h"
#include "core/evidence.h"
#include "message.h"

/* What the session knows around a message. */
struct nuki_setting {
	uint32_t own_auth_id;
	/* Our own motor command runs: a system trigger is then ours. */
	bool is_own_action;
	/* Our clock when the message came, or 0: then the lock's clock is not judged. */
	wall_t now;
	bool is_now_trusted;
};

void nuki_facts_states(
	const struct nuki_states *states, const struct nuki_setting *setting, struct evidence *ret);
void nuki_facts_battery(const struct nuki_battery *battery, struct evidence *ret);
/*
 * Versions and configuration. @config: facts known so far, updated; states, Config, Advanced Config
 * and the log count each tell a part.
 */
void nuki_facts_config(
	const struct nuki_config *config, struct config_facts *facts, struct evidence *ret);
void nuki_facts_advanced(
	const struct nuki_advanced *advanced, struct config_facts *facts, struct evidence *ret);

/* @own_auth_id as in nuki_setting. */
void nuki_facts_log(
	const struct nuki_log_entry *entry, uint32_t own_auth_id, struct log_entry *ret);

enum lock_state nuki_facts_lock_state(uint8_t state);
enum door_state nuki_facts_door(uint8_t door);
void nuki_facts_charge(uint8_t battery, struct battery_facts *ret);
/* "1A2B3C4D". */
void nuki_facts_serial(uint32_t nuki_id, char out[static VERSION_TEXT_MAX]);
