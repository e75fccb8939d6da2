/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/totp.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <liboath/oath.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"

/* Clocks of phones are near enough: one step to either side (RFC 6238, 5.2). */
#define STEPS_ASIDE 1

_Static_assert(OATH_TOTP_DEFAULT_TIME_STEP_SIZE == TOTP_STEP_S, "step");

void totp_key_new(struct secret *ret) {
	ret->len = TOTP_KEY_LEN;
	crypto_random(ret->bytes, ret->len);
}

void totp_make(const struct secret *key, wall_t now, char ret[static TOTP_DIGITS + 1]) {
	int r = oath_totp_generate((const char *) key->bytes, key->len, now.s, TOTP_STEP_S,
		OATH_TOTP_DEFAULT_START_TIME, TOTP_DIGITS, ret);
	assert(r == OATH_OK);
	(void) r;
}

int totp_check(const struct secret *key, const char *digits, size_t n_digits, wall_t now,
	int64_t last_step, int64_t *ret_step) {
	int64_t found = -1;
	if (key->len == 0 || n_digits != TOTP_DIGITS || now.s < TOTP_STEP_S) {
		return -EACCES;
	}
	/* All of them are compared, whichever fits: how long it takes tells nothing. */
	for (int64_t aside = -STEPS_ASIDE; aside <= STEPS_ASIDE; aside++) {
		char right[TOTP_DIGITS + 1];
		int64_t step = now.s / TOTP_STEP_S + aside;
		totp_make(key, (wall_t){ step * TOTP_STEP_S }, right);
		bool is_right = crypto_equal(right, digits, TOTP_DIGITS);
		wipe(right, sizeof(right));
		if (is_right && step > last_step) {
			found = step;
		}
	}
	if (found < 0) {
		return -EACCES;
	}
	*ret_step = found;
	return 0;
}

/* RFC 3986: all but the unreserved characters. false: it does not fit. */
static bool append_escaped(char *out, size_t size, const char *text) {
	size_t n = strlen(out);
	for (const char *p = text; *p != '\0'; p++) {
		uint8_t c = (uint8_t) *p;
		bool is_plain = c < 0x80 && (isalnum(c) || strchr("-._~", c) != NULL);
		if (n + (is_plain ? 1 : 3) >= size) {
			return false;
		}
		n += (size_t) snprintf(out + n, size - n, is_plain ? "%c" : "%%%02X", c);
	}
	return true;
}

static bool append(char *out, size_t size, const char *text) {
	size_t n = strlen(out);
	return (size_t) snprintf(out + n, size - n, "%s", text) < size - n;
}

int totp_uri(const struct secret *key, const char *account, const char *issuer,
	char ret[static TOTP_URI_MAX]) {
	char *base32 = NULL;
	size_t n = 0;
	if (oath_base32_encode((const char *) key->bytes, key->len, &base32, &n) != OATH_OK) {
		return -ENOMEM;
	}
	base32[strcspn(base32, "=")] = '\0'; /* apps want it without padding */
	snprintf(ret, TOTP_URI_MAX, "otpauth://totp/");
	bool fits = append_escaped(ret, TOTP_URI_MAX, issuer) && append(ret, TOTP_URI_MAX, ":") &&
		    append_escaped(ret, TOTP_URI_MAX, account) &&
		    append(ret, TOTP_URI_MAX, "?secret=") && append(ret, TOTP_URI_MAX, base32) &&
		    append(ret, TOTP_URI_MAX, "&issuer=") &&
		    append_escaped(ret, TOTP_URI_MAX, issuer);
	wipe(base32, n);
	free(base32);
	if (!fits) {
		wipe(ret, TOTP_URI_MAX);
		return -ENOBUFS;
	}
	return 0;
}
