/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a command message says (docs/mqtt.md, "Commands"). Pure; fuzzed by
 * tests/fuzz/mqtt/fuzz-intake.c. Strict: whatever is not understood to the last key is refused,
 * since a misspelled "ts" would silently lose its meaning.
 */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "core/policy.h"
#include "util/fault.h"
#include "util/secret.h"

#define INTAKE_PAYLOAD_MAX 4096
#define INTAKE_CODE_MAX 32 /* octets */

struct intake {
	enum act act;
	struct secret code;      /* empty: none. Wipe with intake_wipe() */
	int64_t sent_at_ms;      /* sender's clock, ms since 1970; 0: none */
	char id[REQUEST_ID_MAX]; /* sender's id; "": none */
};

/*
 * 0, or FAULT_BAD_COMMAND with a reason that repeats nothing of the payload (it may hold a code).
 * *ret is then untouched.
 */
int intake_parse(const uint8_t *payload, size_t n, struct intake *ret, struct fault *ret_fault);
void intake_wipe(struct intake *intake); /* takes NULL */
/*
 * The careful way into a JSON object from outside: bounded in size and depth, UTF-8, no key twice.
 * 0 and *ret_root, to be json_decref()ed; or FAULT_BAD_COMMAND that repeats nothing of it.
 */
int intake_load(const uint8_t *payload, size_t n, json_t **ret_root, struct fault *ret_fault);
/* "LOCK" for ACT_LOCK; NULL for an act that cannot be asked for by MQTT. */
const char *intake_word(enum act act);
