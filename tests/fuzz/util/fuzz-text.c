/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names from outside: whatever comes in, what goes out is clean, bounded and stable. */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/auto.h"
#include "util/bytes.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_copy(const char *text, size_t n) {
	for (size_t room = 1; room <= 9; room++) {
		char small[9];
		bool is_whole = text_copy(small, room, text);
		size_t n_small = strlen(small);
		assert(n_small < room && strncmp(small, text, n_small) == 0);
		assert(is_whole == (n_small == n));
		/* What was good text is not made bad by the cut, and not cut more than needed. */
		if (text_is_utf8(text, n)) {
			assert(text_is_utf8(small, n_small));
			assert(is_whole || n_small + 4 >= room);
		}
	}
}

static void check_slug(const char *text) {
	char slug[24];
	char again[24];
	text_slug(text, slug, sizeof(slug));
	size_t n = strlen(slug);
	assert(n > 0 && n < sizeof(slug));
	assert(strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-") == n);
	assert(slug[0] != '-' && slug[n - 1] != '-' && strstr(slug, "--") == NULL);
	text_slug(slug, again, sizeof(again));
	assert(strcmp(slug, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size > 4096) {
		return 0;
	}
	(void) text_is_clean((const char *) data, size);

	AUTO(free) char *text = malloc(size + 1);
	AUTO(free) char *field = malloc(size + 1);
	assert(text != NULL && field != NULL);
	struct rd rd = rd_on(data, size);
	rd_text(&rd, size, text);
	assert(rd_end(&rd) == 0);
	size_t n = strlen(text);

	check_copy(text, n);
	check_slug(text);

	/* A text field that is written and read again. */
	struct wr wr = wr_on(field, size);
	wr_text(&wr, size, text);
	assert(wr_end(&wr) == (ssize_t) size);
	assert(memcmp(field, text, n) == 0);

	uint64_t number = 0;
	if (text_to_u64(text, 0, UINT64_MAX, &number) == 0) {
		assert(strspn(text, "0123456789") == n && n > 0);
	}
	size_t n_octets = 0;
	uint8_t octets[16];
	if (hex_decode_any(text, octets, sizeof(octets), &n_octets) == 0) {
		char digits[sizeof(octets) * 2 + 1];
		assert(n_octets * 2 == n);
		hex_encode(octets, n_octets, digits);
		assert(strcasecmp(digits, text) == 0);
	}

	static const char *const names[] = { "host", "port", "username", "" };
	(void) text_nearest(text, names, ARRAY_SIZE(names));
	char filled[64];
	(void) text_fill_lock(text, "front-door", filled, sizeof(filled));

	text_sanitize(text);
	assert(strlen(text) <= n);
	assert(text_is_clean(text, strlen(text)));
	return 0;
}
