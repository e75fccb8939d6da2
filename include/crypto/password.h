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
 * much memory, also when it was the child (below) that did not get it. @out untouched then.
 */
int password_key(const void *password, size_t n, const uint8_t salt[static PASSWORD_SALT_LEN],
	unsigned passes, unsigned kib, uint8_t out[static 32]);

/*
 * From now on password_key() has the work done by a child: "@program PASSWORD_CHILD_OPTION", which
 * must do what password_child_main() does. The kernel maps and unmaps Argon2's memory in one go,
 * and meanwhile no other thread of the process can map any: on a busy machine its loop stood still
 * for half a second. A child disturbs nobody, and when memory runs out it is the child that is
 * ended. If it cannot be started the work is done here. Once, before there are threads; @program
 * must last.
 */
void password_use_child(const char *program);

#define PASSWORD_CHILD_OPTION "--make-key"
/*
 * The child's part: one request from the socket at standard input, one answer to it; passphrase and
 * key are in neither arguments nor environment. Ends when the parent does. @return the exit status,
 * 0 when an answer was given, also one that says no.
 */
int password_child_main(void);
