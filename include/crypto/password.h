/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A key from a passphrase: Argon2id (RFC 9106) with one lane, for files that people carry about.
 * Slow on purpose, up to a second or so on a small machine: not for the loop.
 */

#include <stddef.h>
#include <stdint.h>

#define PASSWORD_SALT_LEN 16
/* RFC 9106's second recommendation, but for the lanes. */
#define PASSWORD_PASSES 3
#define PASSWORD_KIB (64 * 1024)
/* The most that a file may ask of us. */
#define PASSWORD_PASSES_MAX 16
#define PASSWORD_KIB_MAX (512 * 1024)

/* libsodium's "moderate", for what is worth waiting for: a backup holds every key. */
#define PASSWORD_KIB_STRONG (256 * 1024)

#define PASSPHRASE_STRONG 12
/*
 * Why a passphrase that protects everything is not good enough, as the end of a sentence ("it has
 * fewer than 12 characters"), or NULL. Finds only the worst: too short, one pattern over and over,
 * runs of neighbours, words that everybody tries first.
 */
const char *passphrase_weakness(const void *passphrase, size_t n);

/*
 * -EINVAL: @passes or @kib are beyond the limits above or below what Argon2 allows; -ENOMEM: not so
 * much memory. @out untouched then.
 */
int password_key(const void *password, size_t n, const uint8_t salt[static PASSWORD_SALT_LEN],
	unsigned passes, unsigned kib, uint8_t out[static 32]);
