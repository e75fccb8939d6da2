/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Time-based one-time passwords (RFC 6238, SHA-1, 6 digits, 30 s), over liboath. Any thread.
 */

#include "util/secret.h"
#include "util/when.h"

#define TOTP_DIGITS 6
#define TOTP_KEY_LEN 20
#define TOTP_STEP_S 30
#define TOTP_URI_MAX 512

/* A new key from the system's randomness. */
void totp_key_new(struct secret *ret);
/*
 * Whether @digits are right at @now, one step early or late included, and for a step after
 * @last_step: each password counts once. *ret_step: the step, to be kept. 0; -EACCES wrong, used
 * already, or not six digits. In constant time as far as the digits go.
 */
int totp_check(const struct secret *key, const char *digits, size_t n_digits, wall_t now,
	int64_t last_step, int64_t *ret_step);
/* The digits at @now, for tests and for showing that the phone agrees. */
void totp_make(const struct secret *key, wall_t now, char ret[static TOTP_DIGITS + 1]);
/*
 * "otpauth://totp/lockhub:Anna?secret=...&issuer=lockhub", percent-encoded, for a QR code. Holds
 * the key: to be wiped by the caller. -ENOBUFS.
 */
int totp_uri(const struct secret *key, const char *account, const char *issuer,
	char ret[static TOTP_URI_MAX]);
