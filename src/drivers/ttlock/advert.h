/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What an advertisement of a lock of TTLock says: manufacturer data whose "company" is really the
 * protocol's type and version. Pure; anybody can send one.
 *
 * Source: docs/protocols/ttlock.md 3; vectors in tests/vectors/ttlock.json.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/radio.h"

struct ttlock_advert {
	uint8_t type, version;
	uint8_t scene;
	bool has_state; /* older ones have none */
	bool is_unlocked;
	bool has_log;     /* something in the log was never read by the maker's app */
	bool is_settable; /* nobody has set it up: it can be paired */
	bool is_touched;
	uint8_t percent;
	char address[RADIO_ADDRESS_MAX]; /* its own, as it stands in there */
};

/* @buf: a whole manufacturer record, company first. false: no lock's; *ret untouched. */
bool ttlock_advert_read(const uint8_t *buf, size_t n, struct ttlock_advert *ret);
/*
 * The record of @advert that is this device's: BlueZ keeps those of other ids that it had before.
 * false: there is none.
 */
bool ttlock_advert_parse(const struct advert *advert, struct ttlock_advert *ret);
/* V3, and of a kind that is a door's or a container's lock: what this driver can talk to. */
bool ttlock_advert_is_ours(const struct ttlock_advert *advert);
