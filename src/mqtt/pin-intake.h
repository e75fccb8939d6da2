/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a message of the pin_code dialect says (docs/mqtt.md, "Code managers"): the form in which
 * zigbee2mqtt takes codes, as lock_code_manager and keymaster write it. Pure; fuzzed by
 * tests/fuzz/mqtt/fuzz-pin-intake.c. Strict as intake.h is.
 *
 *	TOPIC/set {"pin_code":{"user":3,"user_enabled":true,"pin_code":"482913",
 *	                       "user_type":"unrestricted"}}
 *	TOPIC/set {"pin_code":{"user":3,"user_enabled":false,"pin_code":null}}
 *	TOPIC/get {"pin_code":{"user":3}}
 *	TOPIC/set {"state":"LOCK"}
 */

#include "core/user.h"
#include "util/fault.h"

enum pin_wish {
	PIN_WISH_SET,   /* user, type, is_enabled, pin */
	PIN_WISH_CLEAR, /* user */
	PIN_WISH_GET,   /* user; 0 all of them */
	PIN_WISH_ACT,   /* act */
};

struct pin_intake {
	enum pin_wish wish;
	unsigned user; /* struct user.number */
	enum user_type type;
	bool is_enabled;
	struct secret pin;
	enum act act;
};

/*
 * @is_get: it came on TOPIC/get. 0, or FAULT_BAD_COMMAND with a reason that repeats nothing of the
 * payload. *ret is then untouched.
 */
int pin_intake_parse(const uint8_t *payload, size_t n, bool is_get, struct pin_intake *ret,
	struct fault *ret_fault);
void pin_intake_wipe(struct pin_intake *intake); /* takes NULL */
