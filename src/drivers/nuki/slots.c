/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "slots.h"

#include <stdio.h>
#include <string.h>

#include "util/auto.h"
#include "util/text.h"

#define DAYS_PER_WEEK 7
#define DAY_MINUTES 1440
#define WALL_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* ---- windows ---- */

/* Both masks begin the week with another day and count in another direction; Sunday is bit 0. */
static uint8_t turn_days(uint8_t days) {
	uint8_t turned = 0;

	for (unsigned i = 0; i < DAYS_PER_WEEK; i++) {
		if ((days & (1U << i)) != 0) {
			turned |= (uint8_t) (1U << ((DAYS_PER_WEEK - i) % DAYS_PER_WEEK));
		}
	}
	return turned;
}

uint8_t nuki_days_to_mask(uint8_t weekdays) {
	return turn_days(weekdays);
}

uint8_t nuki_days_from_mask(uint8_t days) {
	return turn_days(days);
}

static void window_from_wire(const struct nuki_window *window, struct slot_window *ret) {
	ret->from = nuki_date_to_wall(&window->from_date);
	ret->until = nuki_date_to_wall(&window->until_date);
	ret->days = nuki_days_to_mask(window->weekdays);
	ret->start_minute = (int16_t) (window->from_time.hour * 60 + window->from_time.minute);
	ret->end_minute = (int16_t) (window->until_time.hour * 60 + window->until_time.minute);
}

static struct nuki_date date_to_wire(wall_t at) {
	return at.s == 0 ? (struct nuki_date){ 0 } : nuki_date_from_wall(at);
}

static struct nuki_time time_to_wire(int16_t minute) {
	return (struct nuki_time){
		.hour = (uint8_t) (minute / 60),
		.minute = (uint8_t) (minute % 60),
	};
}

/* All zero when the slot has no window: so the vendor's document wants it. */
static void window_to_wire(
	const struct slot *slot, uint8_t *ret_limited, struct nuki_window *ret_window) {
	const struct slot_window *window = &slot->window;

	*ret_limited = slot->is_limited;
	*ret_window = (struct nuki_window){ 0 };
	if (slot->is_limited) {
		ret_window->from_date = date_to_wire(window->from);
		ret_window->until_date = date_to_wire(window->until);
		ret_window->weekdays = nuki_days_from_mask(window->days);
		ret_window->from_time = time_to_wire(window->start_minute);
		ret_window->until_time = time_to_wire(window->end_minute);
	}
}

static int check_window(const struct slot_window *window, struct fault *ret_fault) {
	const wall_t bounds[] = { window->from, window->until };

	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
		if (bounds[i].s < 0 || bounds[i].s > WALL_MAX) {
			return fault_set(
				ret_fault, FAULT_BAD_ARGUMENT, "a date that the lock cannot keep");
		}
	}
	if (window->until.s != 0 && window->until.s < window->from.s) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "the window ends before it begins");
	}
	if ((window->days & ~DAYS_ALL) != 0 || window->start_minute < 0 ||
		window->start_minute >= DAY_MINUTES || window->end_minute < 0 ||
		window->end_minute >= DAY_MINUTES) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a window beyond the days of a week or a day");
	}
	return 0;
}

/* ---- PINs ---- */

static int check_pin(const struct secret *pin, struct fault *ret_fault) {
	if (pin->len != NUKI_CODE_DIGITS) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "a code of a Nuki keypad has six digits");
	}
	for (size_t i = 0; i < pin->len; i++) {
		if (pin->bytes[i] < '1' || pin->bytes[i] > '9') {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "%s",
				pin->bytes[i] == '0' ? "a Nuki keypad has no key 0"
						     : "a code has digits only");
		}
	}
	if (memcmp(pin->bytes, "12", 2) == 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a code of a Nuki keypad must not begin with 12");
	}
	return 0;
}

const struct credential_limits nuki_credential_limits = {
	.types = 1U << CREDENTIAL_PIN,
	.has_app_keys = true,
	.n_max = 0, /* 100 on the first ones, more on later ones: 0x29 tells */
	.pin_least = NUKI_CODE_DIGITS,
	.pin_most = NUKI_CODE_DIGITS,
	.name_most = NUKI_CODE_NAME_LEN,
	.n_windows = 1,
	.has_enable = true,
	/* The vendor's staff in its forum: five or more, 30 s; longer from fifteen on. */
	.wrong_most = 5,
	.wrong_disable_s = 30,
	.tells_pins = true,
	.check_pin = check_pin,
};

/* ---- from the lock ---- */

int64_t nuki_code_ref(uint16_t code_id) {
	return code_id != 0 ? code_id : NUKI_CODE_REF_MAX;
}

static void name_from_wire(const char *name, struct slot *ret) {
	text_copy(ret->name, sizeof(ret->name), name);
	text_sanitize(ret->name);
}

void nuki_slot_from_code(const struct nuki_code *code, struct slot *ret) {
	char digits[11]; /* of any uint32 */

	*ret = (struct slot){
		.type = CREDENTIAL_PIN,
		.ref = nuki_code_ref(code->code_id),
		.is_enabled = code->enabled != 0,
		.is_limited = code->time_limited != 0,
		.created_at = nuki_date_to_wall(&code->created),
		.last_used_at = nuki_date_to_wall(&code->last_active),
		.n_uses = code->lock_count,
	};
	name_from_wire(code->name, ret);
	snprintf(digits, sizeof(digits), "%0*u", NUKI_CODE_DIGITS, (unsigned) code->code);
	(void) secret_set_text(&ret->pin, digits);
	wipe(digits, sizeof(digits));
	if (ret->is_limited) {
		window_from_wire(&code->window, &ret->window);
	}
}

void nuki_slot_from_auth(const struct nuki_auth *auth, uint32_t own_auth_id, struct slot *ret) {
	*ret = (struct slot){
		.type = CREDENTIAL_APP_KEY,
		.ref = auth->auth_id,
		.is_enabled = auth->enabled != 0,
		.is_own = auth->auth_id == own_auth_id,
		.is_remote_allowed = auth->remote_allowed != 0,
		.is_limited = auth->time_limited != 0,
		.created_at = nuki_date_to_wall(&auth->created),
		.last_used_at = nuki_date_to_wall(&auth->last_active),
		.n_uses = auth->lock_count,
	};
	name_from_wire(auth->name, ret);
	if (ret->is_limited) {
		window_from_wire(&auth->window, &ret->window);
	}
}

/* ---- to the lock ---- */

int nuki_slot_check(const struct slot *slot, struct fault *ret_fault) {
	const bool is_pin = slot->type == CREDENTIAL_PIN;
	const size_t name_most = is_pin ? NUKI_CODE_NAME_LEN : NUKI_NAME_LEN;
	int r = is_pin ? check_pin(&slot->pin, ret_fault) : 0;

	if (r < 0) {
		return r;
	}
	if (strnlen(slot->name, sizeof(slot->name)) > name_most) {
		/* Not cut: then what is read back would never be what was wanted. */
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a name there has at most %zu octets", name_most);
	}
	if (slot->ref < 0 || slot->ref > (is_pin ? NUKI_CODE_REF_MAX : UINT32_MAX)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "no id of a Nuki: %lld",
			(long long) slot->ref);
	}
	return slot->is_limited ? check_window(&slot->window, ret_fault) : 0;
}

void nuki_slot_to_code(const struct slot *slot, struct nuki_code *ret) {
	ret->code_id = (uint16_t) slot->ref;
	ret->code = 0;
	for (size_t i = 0; i < slot->pin.len && i < NUKI_CODE_DIGITS; i++) {
		ret->code = ret->code * 10 + (uint32_t) (slot->pin.bytes[i] - '0');
	}
	text_copy(ret->name, sizeof(ret->name), slot->name);
	ret->enabled = slot->is_enabled;
	window_to_wire(slot, &ret->time_limited, &ret->window);
}

void nuki_slot_to_auth(const struct slot *slot, struct nuki_auth *ret) {
	ret->auth_id = (uint32_t) slot->ref;
	text_copy(ret->name, sizeof(ret->name), slot->name);
	ret->enabled = slot->is_enabled;
	ret->remote_allowed = slot->is_remote_allowed;
	window_to_wire(slot, &ret->time_limited, &ret->window);
}
