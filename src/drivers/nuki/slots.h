/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Keypad codes and authorisations <-> struct slot (include/core/user.h). Pure.
 *
 * A Nuki has two lists without a link between them: keypad codes (CREDENTIAL_PIN, by code id) and
 * authorisations (CREDENTIAL_APP_KEY, by authorisation id: apps, bridges, fobs and keypads). Each
 * entry has a name, a switch and at most one window: dates in UTC, weekdays and times of day as the
 * lock's own clock on the wall shows them.
 *
 * Whoever holds a slot with a PIN wipes it.
 *
 * Source: docs/protocols/nuki.md 8.
 */

#include "core/driver.h"
#include "message.h"

#define NUKI_CODE_DIGITS 6
/* Ids of ours begin at 1. Whether Nuki's do is not known, so 0 stands behind the largest. */
#define NUKI_CODE_REF_MAX 0x10000
#define NUKI_TIMER_REF_MAX 0x100

/* What a Nuki with a keypad and a known PIN can hold. Static. */
extern const struct credential_limits nuki_credential_limits;

/* Weekdays of the wire (bit 6 Monday ... bit 0 Sunday) <-> DaysMask (bit 0 Sunday ... 6 Saturday).
 */
uint8_t nuki_days_to_mask(uint8_t weekdays);
uint8_t nuki_days_from_mask(uint8_t days);

int64_t nuki_code_ref(uint16_t code_id);

/* What the lock told; names are cleaned. */
void nuki_slot_from_code(const struct nuki_code *code, struct slot *ret);
void nuki_slot_from_auth(const struct nuki_auth *auth, uint32_t own_auth_id, struct slot *ret);

/*
 * Whether @slot can be put as it is: PIN, length of the name, bounds of the window and the range of
 * its id. -EINVAL with the reason, which never holds the PIN; nothing was sent then.
 */
int nuki_slot_check(const struct slot *slot, struct fault *ret_fault);
/* A checked slot into the members of a request; those of the signature are left alone. */
void nuki_slot_to_code(const struct slot *slot, struct nuki_code *ret);
void nuki_slot_to_auth(const struct slot *slot, struct nuki_auth *ret);
