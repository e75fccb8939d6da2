/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "advert.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "util/text.h"

int uuid_normalize(const char *text, char ret[static RADIO_UUID_MAX]) {
	char out[RADIO_UUID_MAX];

	for (size_t i = 0; i < RADIO_UUID_MAX - 1; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		unsigned char c = (unsigned char) text[i];
		if (is_dash ? c != '-' : !isxdigit(c)) {
			return -EINVAL;
		}
		out[i] = (char) tolower(c);
	}
	if (text[RADIO_UUID_MAX - 1] != '\0') {
		return -EINVAL;
	}
	out[RADIO_UUID_MAX - 1] = '\0';
	memcpy(ret, out, sizeof(out));
	return 0;
}

int address_normalize(const char *text, char ret[static RADIO_ADDRESS_MAX]) {
	char out[RADIO_ADDRESS_MAX];

	for (size_t i = 0; i < RADIO_ADDRESS_MAX - 1; i++) {
		unsigned char c = (unsigned char) text[i];
		if (i % 3 == 2 ? c != ':' : !isxdigit(c)) {
			return -EINVAL;
		}
		out[i] = (char) toupper(c);
	}
	if (text[RADIO_ADDRESS_MAX - 1] != '\0') {
		return -EINVAL;
	}
	out[RADIO_ADDRESS_MAX - 1] = '\0';
	memcpy(ret, out, sizeof(out));
	return 0;
}

void advert_clear(struct advert *advert, bool is_service) {
	size_t n_kept = 0;

	for (size_t i = 0; i < advert->n_parts; i++) {
		if (advert->parts[i].is_service != is_service) {
			if (n_kept != i) {
				advert->parts[n_kept] = advert->parts[i];
			}
			n_kept++;
		}
	}
	advert->n_parts = n_kept;
}

static int put(struct advert *advert, struct advert_part *old, const struct advert_part *head,
	const uint8_t *bytes, size_t n_bytes) {
	struct advert_part *part = old;

	if (n_bytes > sizeof(part->bytes)) {
		return -EMSGSIZE;
	}
	if (part == NULL) {
		if (advert->n_parts >= ADVERT_PARTS_MAX) {
			return -ENOBUFS;
		}
		part = &advert->parts[advert->n_parts++];
	}
	*part = *head;
	if (n_bytes > 0) {
		memcpy(part->bytes, bytes, n_bytes);
	}
	part->n_bytes = n_bytes;
	return 0;
}

int advert_put_manufacturer(
	struct advert *advert, uint16_t company, const uint8_t *bytes, size_t n_bytes) {
	struct advert_part head = { .is_service = false, .company = company };

	return put(advert, (struct advert_part *) advert_manufacturer(advert, company), &head,
		bytes, n_bytes);
}

int advert_put_service(
	struct advert *advert, const char *uuid, const uint8_t *bytes, size_t n_bytes) {
	struct advert_part head = { .is_service = true };

	if (uuid_normalize(uuid, head.uuid) < 0) {
		return -EINVAL;
	}
	return put(advert, (struct advert_part *) advert_service(advert, head.uuid), &head, bytes,
		n_bytes);
}

void advert_set_name(struct advert *advert, const char *name) {
	(void) text_copy(advert->name, sizeof(advert->name), name);
	text_sanitize(advert->name);
}
