/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The keys blob: what decodes must encode to the same octets, and every hook must cope with it. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "nuki/driver.h"
#include "nuki/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct secret blob = { 0 }, again = { 0 };
	struct nuki_keys keys;
	struct fault fault;
	uint32_t pin;

	if (secret_set(&blob, data, size) < 0) {
		return 0;
	}
	(void) nuki_pin_parse(&blob, NUKI_GENERATION_5, &pin);
	(void) nuki_pin_parse(&blob, NUKI_GENERATION_1_TO_4, &pin);
	(void) nuki_driver.acts(&blob, NULL);
	(void) nuki_driver.is_announcing(&blob, NULL);
	if (nuki_keys_decode(&blob, &keys) < 0) {
		assert(!nuki_driver.has_pin(&blob));
		return 0;
	}
	nuki_keys_encode(&keys, &again);
	assert(again.len == size && memcmp(again.bytes, data, size) == 0);
	assert(nuki_driver.set_pin(&again, &blob, &fault) < 0);
	return 0;
}
