/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/password.h"

#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "password-child.h"
#include "util/auto.h"

_Static_assert(crypto_pwhash_SALTBYTES == PASSWORD_SALT_LEN, "salt");

#define KIB_LEAST 8

static const char *child_program;

void password_use_child(const char *program) {
	child_program = program;
}

int password_key(const void *password, size_t n, const uint8_t salt[static PASSWORD_SALT_LEN],
	unsigned passes, unsigned kib, uint8_t out[static 32]) {
	if (passes < 1 || passes > PASSWORD_PASSES_MAX || kib < KIB_LEAST ||
		kib > PASSWORD_KIB_MAX) {
		return -EINVAL;
	}
	if (child_program != NULL) {
		int r = password_ask_child(child_program, password, n, salt, passes, kib, out);
		if (r != -ECHILD) {
			return r;
		}
	}
	return crypto_pwhash(out, 32, password, n, salt, passes, (size_t) kib * 1024,
		       crypto_pwhash_ALG_ARGON2ID13) == 0
		       ? 0
		       : -ENOMEM;
}

#define DISTINCT_LEAST 6

static unsigned count_distinct(const uint8_t *text, size_t n) {
	bool is_seen[256] = { false };
	unsigned count = 0;

	for (size_t i = 0; i < n; i++) {
		count += !is_seen[text[i]];
		is_seen[text[i]] = true;
	}
	return count;
}

/* "abcdef...", "987654...": most of it is one step up or down from what stands before. */
static bool is_run(const uint8_t *text, size_t n) {
	size_t n_up = 0;
	size_t n_down = 0;

	for (size_t i = 1; i < n; i++) {
		n_up += text[i] == text[i - 1] + 1;
		n_down += text[i] + 1 == text[i - 1];
	}
	return 3 * n_up >= 2 * n || 3 * n_down >= 2 * n;
}

/* "lockhublockhub": the beginning, again and again. */
static bool is_repeated(const uint8_t *text, size_t n) {
	for (size_t period = 1; period <= n / 2; period++) {
		if (memcmp(text, text + period, n - period) == 0) {
			return true;
		}
	}
	return false;
}

/* What is left without it has to be long enough by itself. */
static bool is_common(const uint8_t *text, size_t n) {
	static const char *const words[] = { "password", "passwort", "passphrase", "lockhub",
		"qwertyuiop", "qwertzuiop", "asdfghjkl", "letmein", "123456", "iloveyou" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t length = strlen(words[i]);
		for (size_t at = 0; at + length <= n; at++) {
			size_t same = 0;
			while (same < length && tolower(text[at + same]) == words[i][same]) {
				same++;
			}
			if (same == length && n - length < PASSPHRASE_STRONG - 4) {
				return true;
			}
		}
	}
	return false;
}

const char *passphrase_weakness(const void *passphrase, size_t n) {
	if (n < PASSPHRASE_STRONG) {
		return "it has fewer than 12 characters";
	}
	if (is_repeated(passphrase, n)) {
		return "it says the same again and again";
	}
	if (count_distinct(passphrase, n) < DISTINCT_LEAST) {
		return "it is made of fewer than 6 different characters";
	}
	if (is_run(passphrase, n)) {
		return "it only counts up or down";
	}
	if (is_common(passphrase, n)) {
		return "it is mostly a word that everybody tries first";
	}
	return NULL;
}
