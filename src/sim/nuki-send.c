/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nuki.h"

#include <string.h>

#include "crypto/crypto.h"
#include "util/bytes.h"

void nuki_send_plain(struct nuki *nuki, int link, unsigned chr, uint16_t command,
	const uint8_t *payload, size_t n) {
	uint8_t wire[NUKI_WIRE_MAX];
	size_t n_wire = nuki_plain(command, payload, n, wire);
	if (link >= 0 && nuki->links[link].subscribed[chr]) {
		sim_lock_indicate(&nuki->base, link, chr, wire, n_wire);
	}
}

void nuki_send(struct nuki *nuki, int link, struct nuki_auth *auth, uint16_t command,
	const uint8_t *payload, size_t n) {
	if (link < 0 || !nuki->links[link].subscribed[NUKI_CHAR_USER]) {
		return;
	}
	const struct sim_env *env = nuki->base.env;
	uint8_t nonce[CRYPTO_NONCE_LEN];
	env->random(env->user, SIM_RANDOM_NONCE, nonce, sizeof(nonce));
	uint8_t wire[NUKI_WIRE_MAX];
	size_t n_wire = nuki_seal(auth->key, nonce, auth->id, command, payload, n, wire);
	sim_lock_indicate(&nuki->base, link, NUKI_CHAR_USER, wire, n_wire);
}

void nuki_send_status(struct nuki *nuki, int link, struct nuki_auth *auth, uint8_t status) {
	nuki_send(nuki, link, auth, NUKI_STATUS, &status, 1);
}

void nuki_send_error(
	struct nuki *nuki, int link, struct nuki_auth *auth, uint8_t error, uint16_t command) {
	uint8_t payload[3] = { error, (uint8_t) command, (uint8_t) (command >> 8) };
	nuki->base.counters.refused++;
	nuki_send(nuki, link, auth, NUKI_ERROR_REPORT, payload, sizeof(payload));
}

static size_t nuki_states_len(const struct nuki *nuki) {
	return nuki_form(nuki)->states;
}

static uint8_t battery_octet(const struct nuki *nuki) {
	unsigned percent = body_percent(&nuki->body, nuki->now);
	uint8_t critical = body_is_critical(&nuki->body, nuki->now);
	if (nuki->generation < 2) {
		return critical; /* 7.2: firmware of that time knew no percentage */
	}
	return (uint8_t) ((percent / 2) << 2 | (nuki->is_charging ? 2 : 0) | critical);
}

static uint8_t door_octet(const struct nuki *nuki) {
	if (!nuki->has_door_sensor) {
		return NUKI_DOOR_NONE;
	}
	return nuki->body.is_door_open ? NUKI_DOOR_OPEN : NUKI_DOOR_CLOSED;
}

void nuki_send_states(struct nuki *nuki, int link, struct nuki_auth *auth) {
	uint8_t payload[32];
	struct wr wr = wr_on(payload, sizeof(payload));
	wr_u8(&wr, (uint8_t) nuki->mode);
	wr_u8(&wr, nuki_lock_state(nuki));
	wr_u8(&wr, nuki->trigger);
	nuki_write_time(&wr, nuki_wall(nuki));
	wr_u16le(&wr, (uint16_t) nuki->config.tz_offset);
	wr_u8(&wr, battery_octet(nuki));
	wr_u8(&wr, nuki->update_count);
	int64_t left = nuki->lock_n_go_until.ms == INT64_MAX
			       ? 0
			       : (mono_since(nuki->now, nuki->lock_n_go_until) + 999) / 1000;
	wr_u8(&wr, (uint8_t) (left > 255 ? 255 : left < 0 ? 0 : left));
	wr_u8(&wr, nuki->last_action);
	wr_u8(&wr, nuki->last_trigger);
	wr_u8(&wr, nuki->last_status);
	wr_u8(&wr, door_octet(nuki));
	wr_u8(&wr, 0); /* night mode */
	wr_u8(&wr, nuki->accessories);
	wr_u8(&wr, nuki->remote_access);
	wr_u8(&wr, (uint8_t) nuki->rssi_seen);
	wr_u8(&wr, 1); /* Wi-Fi signal: not supported */
	wr_u8(&wr, 0);
	wr_u8(&wr, 0);
	wr_u8(&wr, 0);
	nuki_send(nuki, link, auth, NUKI_STATES, payload, nuki_states_len(nuki));
}

void nuki_send_battery(struct nuki *nuki, int link, struct nuki_auth *auth) {
	const struct body *body = &nuki->body;
	uint8_t payload[17];
	struct wr wr = wr_on(payload, sizeof(payload));
	wr_u16le(&wr, (uint16_t) (body->last_mws > UINT16_MAX ? UINT16_MAX : body->last_mws));
	wr_u16le(&wr, (uint16_t) body_millivolt(body, nuki->now));
	wr_u8(&wr, battery_octet(nuki));
	wr_u8(&wr, nuki->last_action);
	wr_u16le(&wr, (uint16_t) body->last_start_mv);
	wr_u16le(&wr, (uint16_t) body->last_lowest_mv);
	wr_u16le(&wr, (uint16_t) body->last_degrees);
	wr_u8(&wr, (uint8_t) (int8_t) body->cells.celsius);
	wr_u16le(&wr, (uint16_t) body->last_current_ma);
	wr_u16le(&wr, (uint16_t) cells_milliohm(&body->cells));
	nuki_send(nuki, link, auth, NUKI_BATTERY_REPORT, payload, sizeof(payload));
}
