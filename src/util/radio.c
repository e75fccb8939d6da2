/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/radio.h"

#include <strings.h>

const struct advert_part *advert_manufacturer(const struct advert *advert, uint16_t company) {
	for (size_t i = 0; i < advert->n_parts && i < ADVERT_PARTS_MAX; i++) {
		const struct advert_part *part = &advert->parts[i];
		if (!part->is_service && part->company == company) {
			return part;
		}
	}
	return NULL;
}

const struct advert_part *advert_service(const struct advert *advert, const char *uuid) {
	for (size_t i = 0; i < advert->n_parts && i < ADVERT_PARTS_MAX; i++) {
		const struct advert_part *part = &advert->parts[i];
		if (part->is_service && strcasecmp(part->uuid, uuid) == 0) {
			return part;
		}
	}
	return NULL;
}
