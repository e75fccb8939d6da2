/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "advert.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "util/bytes.h"

#define LEAST 15
#define ADDRESS_LEN 6
#define TYPE_V3 5
#define VERSION_V3 3
#define FLAG_UNLOCKED 0x01
#define FLAG_LOG 0x02
#define FLAG_SETTABLE 0x04
#define FLAG_TOUCHED 0x08
#define PERCENT_MAX 100

/* Firmware being updated, a gateway's, a wristband: of the same makers, and no lock. */
static bool is_other(const uint8_t *buf) {
	static const uint8_t others[][2] = { { 0x12, 0x19 }, { 0x13, 0x19 }, { 0xff, 0xff },
		{ 0x34, 0x12 } };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (memcmp(buf, others[i], sizeof(others[i])) == 0) {
			return true;
		}
	}
	return false;
}

bool ttlock_advert_read(const uint8_t *buf, size_t n, struct ttlock_advert *ret) {
	if (n < LEAST || is_other(buf)) {
		return false;
	}
	const bool is_v3 = buf[0] == TYPE_V3 && buf[1] == VERSION_V3;
	/* Others say type and version only behind four octets, and one more in front of scene. */
	const uint8_t *at = is_v3 ? buf : buf + 4;
	const uint8_t *state = is_v3 ? at + 2 : at + 3;
	const uint8_t *address = buf + n - ADDRESS_LEN;
	struct ttlock_advert found = { .type = at[0], .version = at[1], .scene = state[0] };

	if (state + 3 > address || state[2] > PERCENT_MAX) {
		return false;
	}
	found.has_state = found.type >= TYPE_V3 && !(found.type == 5 && found.version == 1);
	if (found.has_state) {
		found.is_unlocked = (state[1] & FLAG_UNLOCKED) != 0;
		found.has_log = (state[1] & FLAG_LOG) != 0;
		found.is_touched = (state[1] & FLAG_TOUCHED) != 0;
	}
	found.is_settable = (state[1] & FLAG_SETTABLE) != 0;
	found.percent = state[2];
	(void) snprintf(found.address, sizeof(found.address), "%02X:%02X:%02X:%02X:%02X:%02X",
		address[5], address[4], address[3], address[2], address[1], address[0]);
	*ret = found;
	return true;
}

bool ttlock_advert_parse(const struct advert *advert, struct ttlock_advert *ret) {
	for (size_t i = 0; i < advert->n_parts; i++) {
		const struct advert_part *part = &advert->parts[i];
		uint8_t buf[sizeof(part->bytes) + 2] = { (uint8_t) part->company,
			(uint8_t) (part->company >> 8) };
		struct ttlock_advert found;

		if (part->is_service || part->n_bytes > sizeof(part->bytes)) {
			continue;
		}
		memcpy(buf + 2, part->bytes, part->n_bytes);
		if (ttlock_advert_read(buf, part->n_bytes + 2, &found) &&
			strcasecmp(found.address, advert->address) == 0) {
			*ret = found;
			return true;
		}
	}
	return false;
}

bool ttlock_advert_is_ours(const struct ttlock_advert *advert) {
	/* ttlock.md 1: parking, remote control, lift, power saver. */
	static const uint8_t strange[] = { 7, 10, 12, 13 };

	return advert->type == TYPE_V3 && advert->version == VERSION_V3 &&
	       memchr(strange, advert->scene, sizeof(strange)) == NULL;
}
