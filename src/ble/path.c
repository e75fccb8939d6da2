/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advert.h"

#define ADAPTER_PREFIX BLUEZ_ROOT "/hci"
#define DEVICE_PREFIX "/dev_"

/* Reads "/org/bluez/hciN" and says where it ends. */
static int adapter_part(const char *path, unsigned *ret_index, const char **ret_rest) {
	size_t n_prefix = strlen(ADAPTER_PREFIX);

	if (strncmp(path, ADAPTER_PREFIX, n_prefix) != 0 ||
		!isdigit((unsigned char) path[n_prefix])) {
		return -EINVAL;
	}
	const char *at = path + n_prefix;
	unsigned index = 0;
	while (isdigit((unsigned char) *at)) {
		index = index * 10 + (unsigned) (*at++ - '0');
		if (index >= ADAPTERS_MAX) {
			return -ERANGE;
		}
	}
	*ret_index = index;
	*ret_rest = at;
	return 0;
}

int path_to_adapter(const char *path, unsigned *ret_index) {
	unsigned index;
	const char *rest;
	int r = adapter_part(path, &index, &rest);

	if (r < 0) {
		return r;
	}
	if (*rest != '\0') {
		return -EINVAL;
	}
	*ret_index = index;
	return 0;
}

int path_to_device(
	const char *path, unsigned *ret_index, char ret_address[static RADIO_ADDRESS_MAX]) {
	unsigned index;
	const char *rest;
	char text[RADIO_ADDRESS_MAX];
	int r = adapter_part(path, &index, &rest);

	if (r < 0) {
		return r;
	}
	size_t n_prefix = strlen(DEVICE_PREFIX);
	if (strncmp(rest, DEVICE_PREFIX, n_prefix) != 0 ||
		strlen(rest) != n_prefix + RADIO_ADDRESS_MAX - 1) {
		return -EINVAL;
	}
	for (size_t i = 0; i < RADIO_ADDRESS_MAX; i++) {
		char c = rest[n_prefix + i];
		if (i % 3 == 2 && c != '_' && c != '\0') {
			return -EINVAL;
		}
		text[i] = c == '_' ? ':' : c;
	}
	if (address_normalize(text, ret_address) < 0) {
		return -EINVAL;
	}
	*ret_index = index;
	return 0;
}

void path_of_adapter(unsigned index, char out[static ADAPTER_PATH_MAX]) {
	snprintf(out, ADAPTER_PATH_MAX, ADAPTER_PREFIX "%u", index % 10);
}

void path_of_device(unsigned index, const char *address, char out[static DEVICE_PATH_MAX]) {
	int n = snprintf(out, DEVICE_PATH_MAX, ADAPTER_PREFIX "%u" DEVICE_PREFIX "%.17s",
		index % 10, address);

	for (int i = 0; i < n && i < DEVICE_PATH_MAX; i++) {
		if (out[i] == ':') {
			out[i] = '_';
		}
	}
}

bool path_is_below(const char *path, const char *parent) {
	size_t n = strlen(parent);

	return strncmp(path, parent, n) == 0 && path[n] == '/' && path[n + 1] != '\0';
}

int bluez_minor_from_modalias(const char *modalias) {
	static const char prefix[] = "usb:v1D6Bp0246d05";
	const char *at = modalias + sizeof(prefix) - 1;
	char *end;

	if (strncmp(modalias, prefix, sizeof(prefix) - 1) != 0 || strlen(at) != 2 ||
		!isxdigit((unsigned char) at[0])) {
		return -EINVAL;
	}
	long minor = strtol(at, &end, 16);
	return *end == '\0' ? (int) minor : -EINVAL;
}
