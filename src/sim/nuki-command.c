/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nuki.h"

/*
 * The encrypted side (nuki.md 5, 7): who is it, is it authentic, is the challenge the right one, is
 * the PIN; then one function per command, by table. Order of the checks as in 12.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "crypto/crypto.h"
#include "util/bytes.h"

enum kind { PLAIN, CHALLENGED, PIN };

static int do_request_data(struct nuki_call *call);
static int do_verify_pin(struct nuki_call *call);
static int do_set_pin(struct nuki_call *call);
static int do_update_time(struct nuki_call *call);
static int do_reboot(struct nuki_call *call);

/* Least and most octets of arguments, before challenge and PIN. */
static const struct row {
	uint16_t command;
	enum kind kind;
	size_t least, most;
	int (*fn)(struct nuki_call *call);
} rows[] = {
	{ NUKI_REQUEST_DATA, PLAIN, 2, 64, do_request_data },
	{ NUKI_REMOVE_AUTHORIZATION, PIN, 4, 4, nuki_do_remove_auth },
	{ NUKI_REQUEST_AUTHORIZATIONS, PIN, 4, 4, nuki_do_request_auths },
	{ NUKI_AUTHORIZATION_INVITE, PIN, 86, 86, nuki_do_invite },
	{ NUKI_LOCK_ACTION, CHALLENGED, 6, 26, nuki_do_lock_action },
	{ NUKI_SET_CONFIG, PIN, 51, 55, nuki_do_set_config },
	{ NUKI_REQUEST_CONFIG, CHALLENGED, 0, 0, nuki_do_request_config },
	{ NUKI_SET_PIN, PIN, 2, 4, do_set_pin },
	{ NUKI_CALIBRATION, PIN, 0, 0, nuki_do_calibration },
	{ NUKI_REBOOT, PIN, 0, 0, do_reboot },
	{ NUKI_VERIFY_PIN, PIN, 0, 0, do_verify_pin },
	{ NUKI_UPDATE_TIME, PIN, 7, 7, do_update_time },
	{ NUKI_UPDATE_AUTHORIZATION, PIN, 58, 58, nuki_do_update_auth },
	{ NUKI_REQUEST_LOG, PIN, 8, 8, nuki_do_request_log },
	{ NUKI_ENABLE_LOGGING, PIN, 1, 1, nuki_do_enable_logging },
	{ NUKI_SET_ADVANCED_CONFIG, PIN, 8, 31, nuki_do_set_advanced },
	{ NUKI_REQUEST_ADVANCED_CONFIG, CHALLENGED, 0, 0, nuki_do_request_advanced },
	{ NUKI_ADD_TIME_CONTROL, PIN, 4, 4, nuki_do_add_time },
	{ NUKI_REMOVE_TIME_CONTROL, PIN, 1, 1, nuki_do_remove_time },
	{ NUKI_REQUEST_TIME_CONTROL, PIN, 0, 0, nuki_do_request_times },
	{ NUKI_UPDATE_TIME_CONTROL, PIN, 6, 6, nuki_do_update_time },
	{ NUKI_ADD_CODE, PIN, 44, 44, nuki_do_add_code },
	{ NUKI_REQUEST_CODES, PIN, 4, 4, nuki_do_request_codes },
	{ NUKI_UPDATE_CODE, PIN, 47, 47, nuki_do_update_code },
	{ NUKI_REMOVE_CODE, PIN, 2, 2, nuki_do_remove_code },
	{ NUKI_KEYPAD_ACTION, CHALLENGED, 6, 6, nuki_do_keypad_action },
	{ NUKI_SIMPLE_LOCK_ACTION, CHALLENGED, 1, 1, nuki_do_simple_action },
};

static void send_challenge(struct nuki_call *call) {
	const struct sim_env *env = call->nuki->base.env;
	env->random(env->user, SIM_RANDOM_CHALLENGE, call->auth->challenge,
		sizeof(call->auth->challenge));
	call->auth->has_challenge = true;
	nuki_send(call->nuki, call->link, call->auth, NUKI_CHALLENGE, call->auth->challenge,
		sizeof(call->auth->challenge));
}

static void send_openings(struct nuki_call *call) {
	const struct body *body = &call->nuki->body;
	uint8_t payload[8];
	struct wr wr = wr_on(payload, sizeof(payload));
	for (int i = 0; i < 2; i++) { /* total, since boot */
		wr_u16le(&wr, (uint16_t) body->motor_unlock);
		wr_u16le(&wr, (uint16_t) body->motor_lock);
	}
	nuki_send(call->nuki, call->link, call->auth, NUKI_OPENINGS, payload, sizeof(payload));
}

static int do_request_data(struct nuki_call *call) {
	struct nuki *nuki = call->nuki;
	struct rd rd = rd_on(call->args, call->n_args);
	uint16_t wanted = rd_u16le(&rd);
	switch (wanted) {
	case NUKI_CHALLENGE:
		send_challenge(call);
		return 0;
	case NUKI_STATES:
		if (call->auth->type == NUKI_TYPE_BRIDGE && nuki->is_changed) {
			nuki->is_changed = false; /* 3.4: only a bridge clears it */
			sim_lock_advert_changed(&nuki->base);
		}
		nuki_send_states(nuki, call->link, call->auth);
		return 0;
	case NUKI_BATTERY_REPORT:
		nuki_send_battery(nuki, call->link, call->auth);
		return 0;
	case NUKI_OPENINGS:
		if (nuki->generation > 1) {
			return NUKI_E_BAD_PARAMETER;
		}
		send_openings(call);
		return 0;
	case NUKI_FIRMWARE_STATUS: {
		uint8_t payload[8] = { nuki->firmware[0], nuki->firmware[1], nuki->firmware[2] };
		nuki_send(nuki, call->link, call->auth, NUKI_FIRMWARE_STATUS, payload,
			sizeof(payload));
		return 0;
	}
	default:
		return NUKI_E_BAD_PARAMETER;
	}
}

static int complete(struct nuki_call *call) {
	nuki_send_status(call->nuki, call->link, call->auth, NUKI_STATUS_COMPLETE);
	return 0;
}

static int do_verify_pin(struct nuki_call *call) {
	return complete(call); /* it has been verified on the way here */
}

static int do_set_pin(struct nuki_call *call) {
	if (call->n_args != nuki_pin_len(call->nuki)) {
		return NUKI_E_BAD_LENGTH;
	}
	struct rd rd = rd_on(call->args, call->n_args);
	uint32_t pin = call->n_args == 4 ? rd_u32le(&rd) : rd_u16le(&rd);
	if (pin > (call->n_args == 4 ? 999999U : 9999U)) {
		return NUKI_E_BAD_PARAMETER;
	}
	call->nuki->pin = pin;
	call->nuki->is_pin_set = true;
	nuki_config_changed(call->nuki);
	return complete(call);
}

static int do_update_time(struct nuki_call *call) {
	struct rd rd = rd_on(call->args, call->n_args);
	wall_t wall;
	if (nuki_read_time(&rd, &wall) < 0 || wall.s == 0) {
		return NUKI_E_BAD_PARAMETER;
	}
	if (!call->nuki->is_clock_stuck) {
		nuki_set_clock(call->nuki, wall);
	}
	return complete(call);
}

static int do_reboot(struct nuki_call *call) {
	char why[SIM_TEXT_MAX];
	complete(call);
	return nuki_impl.reboot(&call->nuki->base, call->nuki->now, why) < 0 ? NUKI_E_UNKNOWN : 0;
}

/* ---- the gate ---- */

/* 5.1: whatever becomes of the command, its challenge is used up. */
static int check_challenge(struct nuki_call *call) {
	struct nuki_auth *auth = call->auth;
	if (call->n_args < sizeof(auth->challenge)) {
		return NUKI_E_BAD_LENGTH;
	}
	call->n_args -= sizeof(auth->challenge);
	bool is_right =
		auth->has_challenge &&
		crypto_equal(auth->challenge, call->args + call->n_args, sizeof(auth->challenge));
	auth->has_challenge = false;
	return is_right ? 0 : NUKI_E_BAD_NONCE;
}

static int check_pin(struct nuki_call *call, uint32_t pin) {
	struct nuki *nuki = call->nuki;
	if (!mono_is_due(nuki->pin_locked_until, nuki->now)) {
		return NUKI_E_TOO_MANY_PIN_ATTEMPTS;
	}
	if (pin == nuki->pin) {
		nuki->pin_failures = 0;
		return 0;
	}
	if (++nuki->pin_failures >= NUKI_PIN_TRIES) {
		nuki->pin_failures = 0;
		nuki->pin_locked_until = mono_after(nuki->now, NUKI_PIN_LOCKED_MS);
	}
	return NUKI_E_BAD_PIN;
}

static int gate(struct nuki_call *call, const struct row *row) {
	uint32_t pin = 0;
	if (row->kind == PIN) {
		size_t n_pin = nuki_pin_len(call->nuki);
		if (call->n_args < n_pin) {
			return NUKI_E_BAD_LENGTH;
		}
		call->n_args -= n_pin;
		struct rd rd = rd_on(call->args + call->n_args, n_pin);
		pin = n_pin == 4 ? rd_u32le(&rd) : rd_u16le(&rd);
	}
	size_t behind = row->kind == PLAIN ? 0 : sizeof(call->auth->challenge);
	if (call->n_args < row->least + behind || call->n_args > row->most + behind) {
		return NUKI_E_BAD_LENGTH;
	}
	if (row->kind != PLAIN) {
		int error = check_challenge(call);
		if (error != 0) {
			return error;
		}
	}
	if (row->kind == PIN) {
		int error = check_pin(call, pin);
		if (error != 0) {
			return error;
		}
	}
	return call->auth->is_enabled ? 0 : NUKI_E_DISABLED;
}

static void dispatch(struct nuki_call *call) {
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].command != call->command) {
			continue;
		}
		int error = gate(call, &rows[i]);
		if (error == 0) {
			error = rows[i].fn(call);
		}
		if (error != 0) {
			nuki_send_error(
				call->nuki, call->link, call->auth, (uint8_t) error, call->command);
		}
		return;
	}
	nuki_send_error(call->nuki, call->link, call->auth, NUKI_E_UNKNOWN, call->command);
}

/* 5.2: plain, on e201, for command 0. */
static void refuse_stranger(struct nuki *nuki, int link) {
	static const uint8_t payload[] = { NUKI_E_NOT_AUTHORIZED, 0, 0 };
	nuki->base.counters.refused++;
	nuki_send_plain(nuki, link, NUKI_CHAR_PLAIN, NUKI_ERROR_REPORT, payload, sizeof(payload));
}

void nuki_user_write(struct nuki *nuki, int link, const uint8_t *value, size_t n) {
	struct nuki_message message;
	uint32_t auth_id = 0;
	nuki->base.counters.messages_in++;
	struct nuki_auth *auth =
		nuki_peek(value, n, &auth_id) < 0 ? NULL : nuki_auth_find(nuki, auth_id);
	int r = auth == NULL ? -EACCES : nuki_open_sealed(auth->key, value, n, &message);
	if (r == -EACCES || r == -EMSGSIZE) {
		refuse_stranger(nuki, link);
		return;
	}
	nuki->links[link].auth_id = auth_id;
	if (r < 0) {
		nuki_send_error(nuki, link, auth, NUKI_E_BAD_CRC, message.command);
		return;
	}
	auth->active = nuki_wall(nuki);
	struct nuki_call call = {
		.nuki = nuki,
		.link = link,
		.auth = auth,
		.command = message.command,
		.args = message.payload,
		.n_args = message.n,
	};
	dispatch(&call);
}
