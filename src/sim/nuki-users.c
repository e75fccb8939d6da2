/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nuki.h"

/* Authorisations (nuki.md 7.8), keypad codes (7.7) and time control (7.9). */

#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/secret.h"
#include "util/text.h"

static int complete(struct nuki_call *call) {
	nuki_send_status(call->nuki, call->link, call->auth, NUKI_STATUS_COMPLETE);
	return 0;
}

/* ---- the window that codes and authorisations share ---- */

static bool read_window(struct rd *rd, struct nuki_window *window) {
	window->is_limited = rd_u8(rd) != 0;
	bool is_right = nuki_read_time(rd, &window->from) == 0;
	is_right = nuki_read_time(rd, &window->until) == 0 && is_right;
	window->days = rd_u8(rd);
	window->from_hour = rd_u8(rd);
	window->from_minute = rd_u8(rd);
	window->until_hour = rd_u8(rd);
	window->until_minute = rd_u8(rd);
	return !window->is_limited ||
	       (is_right && window->days < 0x80 && window->from_hour < 24 &&
		       window->until_hour < 24 && window->from_minute < 60 &&
		       window->until_minute < 60 &&
		       (window->until.s == 0 || window->from.s <= window->until.s));
}

/* In answers the window is there only when the entry is limited (DOC21). */
static void write_window(struct wr *wr, const struct nuki_window *window) {
	wr_u8(wr, window->is_limited);
	if (!window->is_limited) {
		return;
	}
	nuki_write_time(wr, window->from);
	nuki_write_time(wr, window->until);
	wr_u8(wr, window->days);
	wr_u8(wr, window->from_hour);
	wr_u8(wr, window->from_minute);
	wr_u8(wr, window->until_hour);
	wr_u8(wr, window->until_minute);
}

/* ---- authorisations ---- */

struct nuki_auth *nuki_auth_find(struct nuki *nuki, uint32_t id) {
	for (size_t i = 0; i < nuki->n_auths; i++) {
		if (nuki->auths[i]->id == id) {
			return nuki->auths[i];
		}
	}
	return NULL;
}

void nuki_auth_remove(struct nuki *nuki, uint32_t id) {
	for (size_t i = 0; i < nuki->n_auths; i++) {
		struct nuki_auth *auth = nuki->auths[i];
		if (auth->id == id) {
			wipe(auth, sizeof(*auth));
			free(auth);
			nuki->n_auths--;
			memmove(&nuki->auths[i], &nuki->auths[i + 1],
				(nuki->n_auths - i) * sizeof(struct nuki_auth *));
			return;
		}
	}
}

struct nuki_auth *nuki_auth_add(struct nuki *nuki, const struct nuki_auth *auth) {
	for (size_t i = nuki->n_auths; i-- > 0;) {
		const struct nuki_auth *old = nuki->auths[i];
		/* 6.1: the same app id replaces; 3.4: a lock keeps one bridge. */
		if ((auth->app_id != 0 && old->app_id == auth->app_id) ||
			(auth->type == NUKI_TYPE_BRIDGE && old->type == NUKI_TYPE_BRIDGE)) {
			nuki_auth_remove(nuki, old->id);
		}
	}
	if (nuki->n_auths == NUKI_AUTHS_MAX) {
		return NULL;
	}
	struct nuki_auth *copy = malloc(sizeof(*copy));
	if (copy == NULL) {
		return NULL;
	}
	*copy = *auth;
	copy->created = nuki_wall(nuki);
	nuki->auths[nuki->n_auths++] = copy;
	if (nuki->next_auth_id <= copy->id) {
		nuki->next_auth_id = copy->id + 1;
	}
	nuki_config_changed(nuki);
	return copy;
}

static void send_auth(struct nuki_call *call, const struct nuki_auth *auth) {
	uint8_t payload[80];
	struct wr wr = wr_on(payload, sizeof(payload));
	wr_u32le(&wr, auth->id);
	wr_u8(&wr, auth->type);
	wr_text(&wr, NUKI_NAME_LEN, auth->name);
	wr_u8(&wr, auth->is_enabled);
	wr_u8(&wr, auth->is_remote_allowed);
	nuki_write_time(&wr, auth->created);
	nuki_write_time(&wr, auth->active);
	wr_u16le(&wr, auth->uses);
	write_window(&wr, &auth->window);
	nuki_send(call->nuki, call->link, call->auth, NUKI_AUTHORIZATION_ENTRY, payload,
		(size_t) wr_end(&wr));
}

int nuki_do_request_auths(struct nuki_call *call) {
	struct nuki *nuki = call->nuki;
	struct rd rd = rd_on(call->args, call->n_args);
	size_t offset = rd_u16le(&rd);
	size_t count = rd_u16le(&rd);
	if (offset == 0) {
		uint8_t total[2] = { (uint8_t) nuki->n_auths, (uint8_t) (nuki->n_auths >> 8) };
		nuki_send(nuki, call->link, call->auth, NUKI_AUTHORIZATION_COUNT, total,
			sizeof(total));
	}
	/* The caller's own entry comes first. */
	for (size_t i = offset; i < nuki->n_auths && count > 0; i++, count--) {
		const struct nuki_auth *auth = call->auth;
		size_t left = i;
		for (size_t k = 0; i > 0 && k < nuki->n_auths; k++) {
			if (nuki->auths[k] != call->auth && --left == 0) {
				auth = nuki->auths[k];
				break;
			}
		}
		send_auth(call, auth);
	}
	return complete(call);
}

int nuki_do_invite(struct nuki_call *call) {
	struct nuki *nuki = call->nuki;
	struct nuki_auth auth = { .id = nuki->next_auth_id, .is_enabled = true };
	struct rd rd = rd_on(call->args, call->n_args);
	rd_text(&rd, NUKI_NAME_LEN, auth.name);
	auth.type = rd_u8(&rd);
	rd_copy(&rd, auth.key, sizeof(auth.key));
	auth.is_remote_allowed = rd_u8(&rd) != 0;
	bool is_right = read_window(&rd, &auth.window);
	if (!is_right || rd_end(&rd) < 0 || auth.type > NUKI_TYPE_KEYPAD) {
		return NUKI_E_BAD_PARAMETER;
	}
	const struct nuki_auth *added = nuki_auth_add(nuki, &auth);
	wipe(&auth, sizeof(auth));
	if (added == NULL) {
		return NUKI_E_TOO_MANY_ENTRIES;
	}
	uint8_t payload[11];
	struct wr wr = wr_on(payload, sizeof(payload));
	wr_u32le(&wr, added->id);
	nuki_write_time(&wr, added->created);
	nuki_send(nuki, call->link, call->auth, NUKI_AUTHORIZATION_ID_INVITE, payload,
		sizeof(payload));
	return 0;
}

int nuki_do_update_auth(struct nuki_call *call) {
	struct rd rd = rd_on(call->args, call->n_args);
	struct nuki_auth *auth = nuki_auth_find(call->nuki, rd_u32le(&rd));
	if (auth == NULL) {
		return NUKI_E_INVALID_AUTH_ID;
	}
	struct nuki_auth next = *auth;
	rd_text(&rd, NUKI_NAME_LEN, next.name);
	next.is_enabled = rd_u8(&rd) != 0;
	next.is_remote_allowed = rd_u8(&rd) != 0;
	bool is_right = read_window(&rd, &next.window);
	if (!is_right || rd_end(&rd) < 0) {
		wipe(&next, sizeof(next));
		return NUKI_E_BAD_PARAMETER;
	}
	*auth = next;
	wipe(&next, sizeof(next));
	nuki_config_changed(call->nuki);
	return complete(call);
}

int nuki_do_remove_auth(struct nuki_call *call) {
	struct rd rd = rd_on(call->args, call->n_args);
	uint32_t id = rd_u32le(&rd);
	if (nuki_auth_find(call->nuki, id) == NULL) {
		return NUKI_E_INVALID_AUTH_ID;
	}
	complete(call); /* first: the caller may be removing its own key */
	nuki_auth_remove(call->nuki, id);
	nuki_config_changed(call->nuki);
	return 0;
}

/* ---- keypad codes ---- */

struct nuki_code *nuki_code_find(struct nuki *nuki, uint16_t id) {
	for (size_t i = 0; i < nuki->n_codes; i++) {
		if (nuki->codes[i]->id == id) {
			return nuki->codes[i];
		}
	}
	return NULL;
}

struct nuki_code *nuki_code_by_value(struct nuki *nuki, uint32_t value) {
	for (size_t i = 0; i < nuki->n_codes; i++) {
		if (nuki->codes[i]->code == value) {
			return nuki->codes[i];
		}
	}
	return NULL;
}

/* 7.7: six digits 1-9, not beginning with 12. */
static bool is_legal_code(uint32_t code) {
	if (code < 111111 || code > 999999 || code / 10000 == 12) {
		return false;
	}
	for (; code > 0; code /= 10) {
		if (code % 10 == 0) {
			return false;
		}
	}
	return true;
}

static bool has_keypad(const struct nuki *nuki) {
	return nuki->config.has_keypad || nuki->config.has_keypad2;
}

int nuki_code_add(struct nuki *nuki, const struct nuki_code *code, struct nuki_code **ret) {
	if (!has_keypad(nuki) || !is_legal_code(code->code)) {
		return NUKI_E_BAD_PARAMETER;
	}
	if (nuki_code_by_value(nuki, code->code) != NULL) {
		return NUKI_E_CODE_ALREADY_EXISTS;
	}
	struct nuki_code *copy = nuki->n_codes >= nuki->codes_max ? NULL : malloc(sizeof(*copy));
	if (copy == NULL) {
		return NUKI_E_TOO_MANY_ENTRIES;
	}
	*copy = *code;
	copy->id = nuki->next_code_id++;
	copy->created = nuki_wall(nuki);
	nuki->codes[nuki->n_codes++] = copy;
	nuki_config_changed(nuki);
	*ret = copy;
	return 0;
}

int nuki_code_change(struct nuki *nuki, struct nuki_code *code, const struct nuki_code *next) {
	if (!is_legal_code(next->code)) {
		return NUKI_E_BAD_PARAMETER;
	}
	const struct nuki_code *same = nuki_code_by_value(nuki, next->code);
	if (same != NULL && same != code) {
		return NUKI_E_CODE_ALREADY_EXISTS;
	}
	*code = *next;
	nuki_config_changed(nuki);
	return 0;
}

void nuki_code_remove(struct nuki *nuki, uint16_t id) {
	for (size_t i = 0; i < nuki->n_codes; i++) {
		if (nuki->codes[i]->id == id) {
			free(nuki->codes[i]);
			nuki->n_codes--;
			memmove(&nuki->codes[i], &nuki->codes[i + 1],
				(nuki->n_codes - i) * sizeof(struct nuki_code *));
			nuki_config_changed(nuki);
			return;
		}
	}
}

int nuki_do_add_code(struct nuki_call *call) {
	struct nuki_code code = { .is_enabled = true }, *added = NULL;
	struct rd rd = rd_on(call->args, call->n_args);
	code.code = rd_u32le(&rd);
	rd_text(&rd, NUKI_CODE_NAME_LEN, code.name);
	bool is_right = read_window(&rd, &code.window);
	int error = !is_right || rd_end(&rd) < 0 ? NUKI_E_BAD_PARAMETER
						 : nuki_code_add(call->nuki, &code, &added);
	if (error != 0) {
		return error;
	}
	uint8_t payload[9];
	struct wr wr = wr_on(payload, sizeof(payload));
	wr_u16le(&wr, added->id);
	nuki_write_time(&wr, added->created);
	nuki_send(call->nuki, call->link, call->auth, NUKI_CODE_ID, payload, sizeof(payload));
	if (call->nuki->are_codes_stuck) {
		nuki_code_remove(call->nuki, added->id);
	}
	return 0;
}

int nuki_do_request_codes(struct nuki_call *call) {
	struct nuki *nuki = call->nuki;
	struct rd rd = rd_on(call->args, call->n_args);
	size_t offset = rd_u16le(&rd);
	size_t count = rd_u16le(&rd);
	uint8_t total[2] = { (uint8_t) nuki->n_codes, (uint8_t) (nuki->n_codes >> 8) };
	nuki_send(nuki, call->link, call->auth, NUKI_CODE_COUNT, total, sizeof(total));
	for (size_t i = offset; i < nuki->n_codes && count > 0; i++, count--) {
		const struct nuki_code *code = nuki->codes[i];
		uint8_t payload[64];
		struct wr wr = wr_on(payload, sizeof(payload));
		wr_u16le(&wr, code->id);
		wr_u32le(&wr, code->code);
		wr_text(&wr, NUKI_CODE_NAME_LEN, code->name);
		wr_u8(&wr, code->is_enabled);
		nuki_write_time(&wr, code->created);
		nuki_write_time(&wr, code->active);
		wr_u16le(&wr, code->uses);
		write_window(&wr, &code->window);
		nuki_send(nuki, call->link, call->auth, NUKI_CODE, payload, (size_t) wr_end(&wr));
	}
	return complete(call);
}

int nuki_do_update_code(struct nuki_call *call) {
	struct nuki *nuki = call->nuki;
	struct rd rd = rd_on(call->args, call->n_args);
	struct nuki_code *code = nuki_code_find(nuki, rd_u16le(&rd));
	if (code == NULL) {
		return NUKI_E_BAD_PARAMETER;
	}
	struct nuki_code next = *code;
	next.code = rd_u32le(&rd);
	rd_text(&rd, NUKI_CODE_NAME_LEN, next.name);
	next.is_enabled = rd_u8(&rd) != 0;
	bool is_right = read_window(&rd, &next.window);
	int error = !is_right || rd_end(&rd) < 0 ? NUKI_E_BAD_PARAMETER
						 : nuki_code_change(nuki, code, &next);
	return error != 0 ? error : complete(call);
}

int nuki_do_remove_code(struct nuki_call *call) {
	struct rd rd = rd_on(call->args, call->n_args);
	uint16_t id = rd_u16le(&rd);
	if (nuki_code_find(call->nuki, id) == NULL) {
		return NUKI_E_BAD_PARAMETER;
	}
	nuki_code_remove(call->nuki, id);
	return complete(call);
}

/* ---- time control ---- */

static bool read_time(struct rd *rd, struct nuki_time *time) {
	time->days = rd_u8(rd);
	time->hour = rd_u8(rd);
	time->minute = rd_u8(rd);
	time->action = rd_u8(rd);
	return time->days < 0x80 && time->hour < 24 && time->minute < 60 &&
	       time->action >= NUKI_ACTION_UNLOCK && time->action <= NUKI_ACTION_FULL_LOCK;
}

int nuki_do_add_time(struct nuki_call *call) {
	struct nuki *nuki = call->nuki;
	struct nuki_time time = { .is_enabled = true };
	struct rd rd = rd_on(call->args, call->n_args);
	if (!read_time(&rd, &time)) {
		return NUKI_E_BAD_PARAMETER;
	}
	if (nuki->n_times == NUKI_TIMES_MAX) {
		return NUKI_E_TOO_MANY_ENTRIES;
	}
	time.id = nuki->next_time_id++;
	nuki->times[nuki->n_times++] = time;
	nuki->next_minute = nuki->now;
	nuki_config_changed(nuki);
	nuki_send(nuki, call->link, call->auth, NUKI_TIME_CONTROL_ID, &time.id, 1);
	return 0;
}

int nuki_do_request_times(struct nuki_call *call) {
	struct nuki *nuki = call->nuki;
	uint8_t total = (uint8_t) nuki->n_times;
	nuki_send(nuki, call->link, call->auth, NUKI_TIME_CONTROL_COUNT, &total, 1);
	for (size_t i = 0; i < nuki->n_times; i++) {
		const struct nuki_time *time = &nuki->times[i];
		const uint8_t payload[] = { time->id, time->is_enabled, time->days, time->hour,
			time->minute, time->action };
		nuki_send(nuki, call->link, call->auth, NUKI_TIME_CONTROL_ENTRY, payload,
			sizeof(payload));
	}
	return complete(call);
}

int nuki_do_update_time(struct nuki_call *call) {
	struct nuki *nuki = call->nuki;
	for (size_t i = 0; i < nuki->n_times; i++) {
		if (nuki->times[i].id != call->args[0]) {
			continue;
		}
		struct nuki_time next = { .id = call->args[0], .is_enabled = call->args[1] != 0 };
		struct rd rd = rd_on(call->args + 2, call->n_args - 2);
		if (!read_time(&rd, &next)) {
			return NUKI_E_BAD_PARAMETER;
		}
		nuki->times[i] = next;
		nuki_config_changed(nuki);
		return complete(call);
	}
	return NUKI_E_BAD_PARAMETER;
}

int nuki_do_remove_time(struct nuki_call *call) {
	struct nuki *nuki = call->nuki;
	for (size_t i = 0; i < nuki->n_times; i++) {
		if (nuki->times[i].id == call->args[0]) {
			nuki->n_times--;
			memmove(&nuki->times[i], &nuki->times[i + 1],
				(nuki->n_times - i) * sizeof(struct nuki_time));
			nuki_config_changed(nuki);
			return complete(call);
		}
	}
	return NUKI_E_BAD_PARAMETER;
}
