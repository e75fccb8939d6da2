/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Filling a struct advert. BlueZ has already cut the advertisement into records; what is left is to
 * bound them: their number, their length, their texts. Pure.
 */

#include "util/radio.h"

/* Forgets all manufacturer records, or all service records: BlueZ always sends a kind as a whole.
 */
void advert_clear(struct advert *advert, bool is_service);
/*
 * -EINVAL: not a UUID; -EMSGSIZE: longer than a part holds; -ENOBUFS: no part left. The advert is
 * unchanged then. A record that is there already is replaced.
 */
int advert_put_manufacturer(
	struct advert *advert, uint16_t company, const uint8_t *bytes, size_t n_bytes);
int advert_put_service(
	struct advert *advert, const char *uuid, const uint8_t *bytes, size_t n_bytes);
/* Cut to size, made clean: names come from whoever advertises. */
void advert_set_name(struct advert *advert, const char *name);

/* 36 characters of the canonical form; @ret gets it in lower case. -EINVAL leaves *ret alone. */
int uuid_normalize(const char *text, char ret[static RADIO_UUID_MAX]);
/* "aa:bb:cc:dd:ee:ff" in either case; @ret gets it in upper case. -EINVAL leaves *ret alone. */
int address_normalize(const char *text, char ret[static RADIO_ADDRESS_MAX]);
