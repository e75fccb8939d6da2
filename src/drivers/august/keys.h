/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is kept about a paired lock of August or Yale: the offline key that its maker's account
 * gave and the slot of the lock in which it is, the model, and what a person has decided about it.
 *
 * Blob, version 1: version u8 (1), slot u8, key (16), choices u8, model (23 octets, zeros behind):
 * 42 octets.
 */

#include "frame.h"
#include "models.h"
#include "util/fault.h"
#include "util/secret.h"

/* What a person has decided; bits. Values are kept. */
enum august_choice {
	AUGUST_SECURE_LOCK = 1 << 0, /* locking switches the knob inside off, too */
	AUGUST_READ_LOG = 1 << 1,    /* take the records that the maker's app would show */
	AUGUST_CODES = 1 << 2,       /* manage keypad codes, which few locks were tried with */
};
#define AUGUST_CHOICES_ALL (AUGUST_SECURE_LOCK | AUGUST_READ_LOG | AUGUST_CODES)

struct august_keys {
	uint8_t slot; /* 1 to 255 */
	uint8_t key[AUGUST_KEY_LEN];
	unsigned choices;             /* enum august_choice */
	char model[AUGUST_MODEL_MAX]; /* as the lock says; "" not known yet */
};

void august_keys_wipe(struct august_keys *keys);
void august_keys_encode(const struct august_keys *keys, struct secret *ret);
/* 0; -ENODATA: NULL or empty (not paired yet); -EBADMSG. *ret untouched on errors. */
int august_keys_decode(const struct secret *blob, struct august_keys *ret);

#define AUGUST_KEY_FORM                                                                            \
	"the offline key and its slot, 32 hex digits and a number: \"0123...cdef 1\""
/*
 * As a person gives it: 32 hex digits, among which blanks, colons and dashes may stand, then the
 * slot, 1 to 255. -EINVAL, and the fault never holds a digit of it. *ret untouched on errors, and
 * its choices and model always.
 */
int august_keys_parse(const struct secret *text, struct august_keys *ret, struct fault *ret_fault);
