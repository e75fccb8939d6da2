/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a message on BASE/hub/request/NAME says (docs/mqtt-requests.md). Pure, and reads what
 * strangers wrote; fuzzed by tests/fuzz/mqtt/fuzz-request-intake.c. Strict as intake.h is: a key
 * that the request does not take is refused, and so is a value that is not of its form.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "core/setting.h"
#include "util/fault.h"

#define REQUEST_TRANSACTION_MAX 65 /* octets with the end mark */
#define REQUEST_OPTIONS_MAX 8      /* settings that one message may change */

/* What may stand in a request, besides "transaction". */
enum request_key {
	REQUEST_KEY_LOCK,    /* "id": a lock by id, slug or name */
	REQUEST_KEY_TO,      /* "to": a name */
	REQUEST_KEY_FORCE,   /* "force" */
	REQUEST_KEY_TIME,    /* "time": seconds */
	REQUEST_KEY_MINUTES, /* "minutes" */
	REQUEST_KEY_LEVEL,   /* "level" */
	REQUEST_KEY_START,   /* "start": where a list goes on */
	REQUEST_KEY_OPTIONS, /* "options": settings by their keys */
	REQUEST_KEY_COUNT_,
};
#define REQUEST_KEYS_ALL ((1U << REQUEST_KEY_COUNT_) - 1)

#define REQUEST_TIME_MOST 600 /* seconds; 0 is allowed too */
#define REQUEST_MINUTES_MOST 60
#define REQUEST_START_MOST 100000

struct request_intake {
	/* Set as soon as it has been read, also when the rest is refused; "": none. */
	char transaction[REQUEST_TRANSACTION_MAX];
	bool is_transaction_number; /* it came as a number and is to go back as one */
	unsigned has;               /* bits 1 << enum request_key of what was there */
	char lock[LOCK_NAME_MAX];
	char to[LOCK_NAME_MAX];
	bool is_forced;
	unsigned seconds;
	unsigned minutes;
	char level[16];
	unsigned start;
	size_t n_options;
	struct setting
		options[REQUEST_OPTIONS_MAX]; /* as written: core brings them to their form */
};

/*
 * @takes, @needs: bits 1 << enum request_key. An empty message is an empty object. 0, or
 * BAD_COMMAND with a reason that repeats nothing of the payload but the name of a known key; *ret
 * then holds the transaction, if it could be read, and nothing else.
 */
int request_intake_parse(const uint8_t *payload, size_t n, unsigned takes, unsigned needs,
	struct request_intake *ret, struct fault *ret_fault);
const char *request_key_name(enum request_key key);
