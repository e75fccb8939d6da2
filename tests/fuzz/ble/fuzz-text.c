/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts from the bus: paths, addresses, UUIDs, names, error names and texts. Separated by zeros. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "advert.h"
#include "classify.h"
#include "path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_path(const char *text) {
	char address[RADIO_ADDRESS_MAX];
	char again[DEVICE_PATH_MAX];
	unsigned index;

	if (path_to_adapter(text, &index) == 0) {
		assert(index < ADAPTERS_MAX);
		assert(path_to_device(text, &index, address) < 0);
	}
	if (path_to_device(text, &index, address) == 0) {
		assert(index < ADAPTERS_MAX);
		/* What parses must print back the same, but for the case of the digits. */
		path_of_device(index, address, again);
		char check[RADIO_ADDRESS_MAX];
		unsigned check_index;
		assert(path_to_device(again, &check_index, check) == 0);
		assert(check_index == index && strcmp(check, address) == 0);
		char parent[ADAPTER_PATH_MAX];
		path_of_adapter(index, parent);
		assert(path_is_below(again, parent));
	}
}

static void try_texts(const char *text, const char *next) {
	struct advert advert = { 0 };
	char uuid[RADIO_UUID_MAX], address[RADIO_ADDRESS_MAX];
	uint8_t att;

	try_path(text);
	if (uuid_normalize(text, uuid) == 0) {
		assert(strlen(uuid) == RADIO_UUID_MAX - 1);
	}
	if (address_normalize(text, address) == 0) {
		assert(strlen(address) == RADIO_ADDRESS_MAX - 1);
	}
	advert_set_name(&advert, text);
	assert(strlen(advert.name) < ADVERT_NAME_MAX);
	assert(bluez_minor_from_modalias(text) <= 0xff);
	enum bluez_error error = bluez_classify(text, next, &att);
	assert(error != BLUEZ_ERROR_NONE && error < BLUEZ_ERROR_COUNT_);
	(void) path_is_below(text, next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	char *copy = malloc(size + 1);

	if (copy == NULL) {
		return 0;
	}
	if (size > 0) {
		memcpy(copy, data, size);
	}
	copy[size] = '\0';
	const char *next = "";
	for (size_t at = 0; at <= size; at += strlen(copy + at) + 1) {
		try_texts(copy + at, next);
		next = copy + at;
	}
	free(copy);
	return 0;
}
