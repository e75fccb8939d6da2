/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Advertisements: records of kind (1), length (1), octets. Kinds: Apple's manufacturer record, the
 * services of a Nuki lock, something else.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "nuki/advert.h"
#include "nuki/driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const char *const uuids[] = { NULL, NUKI_SERVICE_PAIRING, NUKI_SERVICE_PAIRING_5,
		NUKI_SERVICE_INIT, NUKI_SERVICE_KEYTURNER };
	struct advert advert = { .address = "54:D2:72:00:00:01" };
	struct sighting sighting;
	size_t at = 0;

	while (size - at >= 2 && advert.n_parts < ADVERT_PARTS_MAX) {
		struct advert_part *part = &advert.parts[advert.n_parts++];
		const char *uuid = uuids[data[at] % 5];
		size_t n = data[at + 1] % (sizeof(part->bytes) + 1);
		at += 2;
		n = n < size - at ? n : size - at;
		part->is_service = uuid != NULL;
		part->company = 0x004c;
		if (uuid != NULL) {
			strcpy(part->uuid, uuid);
		}
		memcpy(part->bytes, data + at, n);
		part->n_bytes = n;
		at += n;
	}
	if (nuki_driver.sight(&advert, &sighting)) {
		assert(strlen(sighting.serial) == 8);
		assert(sighting.is_pairing || !sighting.needs_pin);
		assert(nuki_driver.subscriptions(&sighting, NULL)[0].characteristic != NULL);
	}
	return 0;
}
