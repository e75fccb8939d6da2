/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is kept about a paired lock of TTLock: its key, the numbers with which one is let in, and
 * what it can do, on which everything else depends.
 *
 * Blob, version 1: version u8 (1), flags u8, scene u8, group u16, org u16, key (16), admin number
 * u32, unlock number u32, user number u32, flag position u32, start (5), end (5), features high
 * u32, low u32: 57 octets, big-endian.
 */

#include <stdbool.h>

#include "frame.h"
#include "util/fault.h"
#include "util/secret.h"

#define TTLOCK_DATE_LEN 5 /* year of the century, month, day, hour, minute */

struct ttlock_keys {
	struct ttlock_head head;
	uint8_t key[TTLOCK_KEY_LEN];
	bool is_admin; /* may do more than lock and unlock: has the admin number */
	bool is_ours;  /* set up by this hub: nobody else has these numbers */
	/* The state that it answers is always the same (ttlock.md 7.1): not to be believed. */
	bool is_stuck;
	uint32_t admin, unlock, uid;
	uint32_t flag_position; /* 24 bits: keys with less were revoked */
	uint8_t start[TTLOCK_DATE_LEN], end[TTLOCK_DATE_LEN];
	uint64_t features; /* bits of enum ttlock_feature; 0: not known */
};

enum ttlock_feature { /* bit numbers; ttlock.md 7.3 */
	TTLOCK_HAS_CODES = 0,
	TTLOCK_HAS_CARDS = 1,
	TTLOCK_HAS_FINGERS = 2,
	TTLOCK_HAS_AUTO_LOCK = 4,
	TTLOCK_HAS_MANAGED_CODES = 7,
	TTLOCK_HAS_LOCK = 8,
	TTLOCK_HAS_CODE_DISPLAY = 9,
	TTLOCK_HAS_FREEZE = 11,
	TTLOCK_HAS_DOOR_SENSOR = 13,
	TTLOCK_HAS_REMOTE_SWITCH = 14,
	TTLOCK_HAS_SOUND = 15,
	TTLOCK_HAS_NO_CLOCK = 20,
	TTLOCK_HAS_PASSAGE = 22,
	TTLOCK_HAS_LAMP = 25,
};
static inline bool ttlock_has(const struct ttlock_keys *keys, enum ttlock_feature feature) {
	return (keys->features >> feature & 1) != 0;
}

/* The key of every lock that nobody has set up. */
extern const uint8_t ttlock_factory_key[TTLOCK_KEY_LEN];
/* Of keys without an end: how all clients say it. */
extern const uint8_t ttlock_date_first[TTLOCK_DATE_LEN], ttlock_date_last[TTLOCK_DATE_LEN];

void ttlock_keys_wipe(struct ttlock_keys *keys);
void ttlock_keys_encode(const struct ttlock_keys *keys, struct secret *ret);
/* 0; -ENODATA: NULL or empty (not paired yet); -EBADMSG. *ret untouched on errors. */
int ttlock_keys_decode(const struct secret *blob, struct ttlock_keys *ret);

#define TTLOCK_KEY_FORM "its aesKey, adminPs and unlockKey, as JSON or separated by blanks"
#define TTLOCK_KEY_MEMBERS                                                                         \
	"aesKey aesKeyStr aes_key adminPs adminPwd admin_ps unlockKey lockKey unlock_key uid "     \
	"lockFlagPos startDate endDate scene groupId orgId"
/*
 * As a person gives it: members aesKey (aesKeyStr), adminPs (adminPwd), unlockKey (lockKey) and
 * perhaps uid, lockFlagPos, startDate, endDate, scene, groupId and orgId of a JSON text, at any
 * depth, numbers also in the maker's disguise, dates as ten digits (what the maker's cloud counts
 * in milliseconds does not matter); or the first three as words. Without an admin number it is a
 * key that can lock and unlock. @ret: what is not said is as usual. -EINVAL, and the fault never
 * holds anything of it.
 */
int ttlock_keys_parse(const struct secret *text, struct ttlock_keys *ret, struct fault *ret_fault);
/*
 * A number as the maker's cloud and apps keep it: base64 of decimal octets, the last of which is
 * the seed; ten characters or less are themselves. Digits to @out, with an end mark; -EINVAL.
 */
#define TTLOCK_DIGITS_MAX 32
int ttlock_digits_reveal(const char *field, char out[static TTLOCK_DIGITS_MAX]);
/* 32 hexadecimal digits, or 16 octets with commas between; -EINVAL. */
int ttlock_key_from_text(const char *text, uint8_t ret[static TTLOCK_KEY_LEN]);
