/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a Nuki lock advertises: in use an iBeacon with its Nuki ID and a state-changed bit, in
 * pairing mode (or before its first set-up) service data with the Nuki ID. It never tells bolt,
 * door or battery. The Opener (a92a...) is not ours and is not recognised.
 *
 * Source: docs/protocols/nuki.md 2; vectors of kind advertisement.
 */

#include <stdbool.h>
#include <stdint.h>

#include "codes.h"
#include "util/radio.h"

#define NUKI_UUID(part) "a92e" part "-5501-11e4-916c-0800200c9a66"
#define NUKI_SERVICE_INIT NUKI_UUID("e000")
#define NUKI_SERVICE_PAIRING NUKI_UUID("e100")
#define NUKI_SERVICE_PAIRING_5 NUKI_UUID("e300")
#define NUKI_SERVICE_KEYTURNER NUKI_UUID("e200")
#define NUKI_PAIRING_GDIO NUKI_UUID("e101")
#define NUKI_PAIRING_GDIO_5 NUKI_UUID("e301")
#define NUKI_GDIO NUKI_UUID("e201")
#define NUKI_USDIO NUKI_UUID("e202")

struct nuki_advert {
	uint32_t nuki_id;
	bool is_uninitialised;
	bool is_pairing;
	bool is_changed;
	enum nuki_generation generation; /* unknown unless pairing */
};

/* The beacon of a lock in use, the one that tells of changes; ends with n_bytes 0. */
extern const struct radio_pattern nuki_beacon_patterns[];

/* false: not a Nuki lock, *ret untouched. */
bool nuki_advert_parse(const struct advert *advert, struct nuki_advert *ret);
