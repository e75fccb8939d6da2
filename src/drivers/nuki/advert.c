/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "advert.h"

#include <string.h>

#include "util/bytes.h"

#define COMPANY_APPLE 0x004c
#define BEACON_LEN 23
#define NUKI_ID_LEN 4
#define CHANGED_BIT 0x01

/* Type and length of an iBeacon, then the keyturner service as proximity UUID, big-endian. */
static const uint8_t beacon_head[] = { 0x02, 0x15, 0xa9, 0x2e, 0xe2, 0x00, 0x55, 0x01, 0x11, 0xe4,
	0x91, 0x6c, 0x08, 0x00, 0x20, 0x0c, 0x9a, 0x66 };

/* The same as it stands in the advertisement: behind the company id, low byte first. */
const struct radio_pattern nuki_beacon_patterns[] = {
	{ .offset = 0,
		.type = 0xff,
		.n_bytes = 2 + sizeof(beacon_head),
		.bytes = { 0x4c, 0x00, 0x02, 0x15, 0xa9, 0x2e, 0xe2, 0x00, 0x55, 0x01, 0x11, 0xe4,
			0x91, 0x6c, 0x08, 0x00, 0x20, 0x0c, 0x9a, 0x66 } },
	{ .n_bytes = 0 },
};

/* HomeKit records of the same company begin otherwise and are left alone. */
static bool parse_beacon(const struct advert *advert, struct nuki_advert *ret) {
	const struct advert_part *part = advert_manufacturer(advert, COMPANY_APPLE);

	if (part == NULL || part->n_bytes != BEACON_LEN ||
		memcmp(part->bytes, beacon_head, sizeof(beacon_head)) != 0) {
		return false;
	}
	struct rd rd = rd_on(part->bytes, part->n_bytes);
	rd_skip(&rd, sizeof(beacon_head));
	ret->nuki_id = rd_u32be(&rd);
	ret->is_changed = (rd_u8(&rd) & CHANGED_BIT) != 0;
	return true;
}

static bool parse_service(const struct advert *advert, const char *uuid, struct nuki_advert *ret) {
	const struct advert_part *part = advert_service(advert, uuid);

	if (part == NULL || part->n_bytes != NUKI_ID_LEN) {
		return false;
	}
	struct rd rd = rd_on(part->bytes, part->n_bytes);
	ret->nuki_id = rd_u32be(&rd);
	return true;
}

bool nuki_advert_parse(const struct advert *advert, struct nuki_advert *ret) {
	struct nuki_advert found = { 0 };
	/* A 5G lock in pairing mode may send both forms: the service data tell more. */
	bool is_ours = parse_beacon(advert, &found);

	if (parse_service(advert, NUKI_SERVICE_PAIRING_5, &found)) {
		found.is_pairing = true;
		found.generation = NUKI_GENERATION_5;
		is_ours = true;
	} else if (parse_service(advert, NUKI_SERVICE_PAIRING, &found)) {
		found.is_pairing = true;
		found.generation = NUKI_GENERATION_1_TO_4;
		is_ours = true;
	} else if (parse_service(advert, NUKI_SERVICE_INIT, &found)) {
		found.is_uninitialised = true;
		is_ours = true;
	}
	if (is_ours) {
		*ret = found;
	}
	return is_ours;
}
