/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nuki.h"

/*
 * Pairing (nuki.md 6): one small machine per link, reset by every mistake and when the link goes.
 * Anything out of order is Error 0xFF, anything outside pairing mode 0x10.
 */

#include <errno.h>
#include <string.h>

#include "crypto/crypto.h"
#include "util/bytes.h"
#include "util/secret.h"
#include "util/text.h"

static void refuse(struct nuki *nuki, int link, uint8_t error, uint16_t command) {
	uint8_t payload[3] = { error, (uint8_t) command, (uint8_t) (command >> 8) };
	nuki->base.counters.refused++;
	nuki->links[link].pair = NUKI_PAIR_IDLE;
	nuki_send_plain(nuki, link, NUKI_CHAR_PAIRING, NUKI_ERROR_REPORT, payload, sizeof(payload));
}

static void answer(
	struct nuki *nuki, int link, uint16_t command, const uint8_t *payload, size_t n) {
	nuki_send_plain(nuki, link, NUKI_CHAR_PAIRING, command, payload, n);
}

static void fresh(struct nuki *nuki, enum sim_random what, void *out, size_t n) {
	nuki->base.env->random(nuki->base.env->user, what, out, n);
}

/* 6.1 step 1: 0x0001 asking for 0x0003. */
static void on_request(struct nuki *nuki, int link, const struct nuki_message *message) {
	struct nuki_link *at = &nuki->links[link];
	if (message->n != 2 || message->payload[0] != NUKI_PUBLIC_KEY || message->payload[1] != 0) {
		refuse(nuki, link, NUKI_E_UNKNOWN, message->command);
		return;
	}
	fresh(nuki, SIM_RANDOM_KEY, at->own_secret, sizeof(at->own_secret));
	crypto_box_public(at->own_secret, at->own_public);
	at->pair = NUKI_PAIR_KEY;
	answer(nuki, link, NUKI_PUBLIC_KEY, at->own_public, sizeof(at->own_public));
}

static void on_public_key(struct nuki *nuki, int link, const struct nuki_message *message) {
	struct nuki_link *at = &nuki->links[link];
	if (message->n != sizeof(at->peer_public)) {
		refuse(nuki, link, NUKI_E_BAD_LENGTH, message->command);
		return;
	}
	memcpy(at->peer_public, message->payload, sizeof(at->peer_public));
	if (crypto_box_shared(at->peer_public, at->own_secret, at->shared) < 0) {
		refuse(nuki, link, NUKI_E_PAIRING_PARAMETER, message->command);
		return;
	}
	fresh(nuki, SIM_RANDOM_CHALLENGE, at->challenge, sizeof(at->challenge));
	at->pair = NUKI_PAIR_AUTHENTICATOR;
	answer(nuki, link, NUKI_CHALLENGE, at->challenge, sizeof(at->challenge));
}

static void on_authenticator(struct nuki *nuki, int link, const struct nuki_message *message) {
	struct nuki_link *at = &nuki->links[link];
	uint8_t expected[32];
	const struct crypto_part parts[] = {
		{ at->peer_public, sizeof(at->peer_public) },
		{ at->own_public, sizeof(at->own_public) },
		{ at->challenge, sizeof(at->challenge) },
	};
	crypto_hmac_sha256(at->shared, parts, ARRAY_SIZE(parts), expected);
	if (message->n != sizeof(expected)) {
		refuse(nuki, link, NUKI_E_BAD_LENGTH, message->command);
		return;
	}
	if (!crypto_equal(expected, message->payload, sizeof(expected))) {
		refuse(nuki, link, NUKI_E_BAD_AUTHENTICATOR, message->command);
		return;
	}
	at->pair = NUKI_PAIR_DATA;
	if (nuki->generation >= 5) {
		uint8_t is_pin_set = nuki->is_pin_set;
		answer(nuki, link, NUKI_AUTHORIZATION_INFO, &is_pin_set, 1);
		return;
	}
	fresh(nuki, SIM_RANDOM_CHALLENGE, at->challenge, sizeof(at->challenge));
	answer(nuki, link, NUKI_CHALLENGE, at->challenge, sizeof(at->challenge));
}

/* 6.1 steps 7 and 8: a over the fields and n_K2; our a' over id, UUID, n_K3 and the client's nonce.
 */
static void on_data(struct nuki *nuki, int link, const struct nuki_message *message) {
	struct nuki_link *at = &nuki->links[link];
	if (message->n != 101) {
		refuse(nuki, link, NUKI_E_BAD_LENGTH, message->command);
		return;
	}
	uint8_t expected[32];
	const struct crypto_part parts[] = {
		{ message->payload + 32, 69 },
		{ at->challenge, sizeof(at->challenge) },
	};
	crypto_hmac_sha256(at->shared, parts, ARRAY_SIZE(parts), expected);
	if (!crypto_equal(expected, message->payload, sizeof(expected))) {
		refuse(nuki, link, NUKI_E_BAD_AUTHENTICATOR, message->command);
		return;
	}
	struct rd rd = rd_on(message->payload + 32, 69);
	at->pending = (struct nuki_auth){ .id = nuki->next_auth_id, .is_enabled = true };
	at->pending.type = rd_u8(&rd);
	at->pending.app_id = rd_u32le(&rd);
	rd_text(&rd, NUKI_NAME_LEN, at->pending.name);
	const uint8_t *client_nonce = rd_bytes(&rd, 32);
	if (at->pending.type > NUKI_TYPE_KEYPAD) {
		refuse(nuki, link, NUKI_E_PAIRING_PARAMETER, message->command);
		return;
	}
	memcpy(at->pending.key, at->shared, sizeof(at->shared));
	fresh(nuki, SIM_RANDOM_CHALLENGE, at->id_nonce, sizeof(at->id_nonce));

	uint8_t payload[84];
	struct wr wr = wr_on(payload, sizeof(payload));
	wr_zeros(&wr, 32);
	wr_u32le(&wr, at->pending.id);
	wr_bytes(&wr, nuki->uuid, sizeof(nuki->uuid));
	wr_bytes(&wr, at->id_nonce, sizeof(at->id_nonce));
	const struct crypto_part own[] = { { payload + 32, 52 }, { client_nonce, 32 } };
	crypto_hmac_sha256(at->shared, own, ARRAY_SIZE(own), payload);
	at->pair = NUKI_PAIR_CONFIRMATION;
	answer(nuki, link, NUKI_AUTHORIZATION_ID, payload, sizeof(payload));
}

static bool enroll(struct nuki *nuki, int link, uint16_t command) {
	struct nuki_link *at = &nuki->links[link];
	struct nuki_auth *auth = nuki_auth_add(nuki, &at->pending);
	if (auth == NULL) {
		refuse(nuki, link, NUKI_E_MAX_USER, command);
		return false;
	}
	at->pair = NUKI_PAIR_IDLE;
	wipe(at->own_secret, sizeof(at->own_secret));
	wipe(at->shared, sizeof(at->shared));
	wipe(&at->pending, sizeof(at->pending));
	return true;
}

static void on_confirmation(struct nuki *nuki, int link, const struct nuki_message *message) {
	struct nuki_link *at = &nuki->links[link];
	if (message->n != 36) {
		refuse(nuki, link, NUKI_E_BAD_LENGTH, message->command);
		return;
	}
	uint8_t expected[32];
	const struct crypto_part parts[] = {
		{ message->payload + 32, 4 },
		{ at->id_nonce, sizeof(at->id_nonce) },
	};
	crypto_hmac_sha256(at->shared, parts, ARRAY_SIZE(parts), expected);
	struct rd rd = rd_on(message->payload + 32, 4);
	if (!crypto_equal(expected, message->payload, sizeof(expected)) ||
		rd_u32le(&rd) != at->pending.id) {
		refuse(nuki, link, NUKI_E_BAD_AUTHENTICATOR, message->command);
		return;
	}
	if (!enroll(nuki, link, message->command)) {
		return;
	}
	uint8_t status = NUKI_STATUS_COMPLETE;
	answer(nuki, link, NUKI_STATUS, &status, 1);
	nuki_set_pairing(nuki, false);
}

/* 6.2 steps 7 and 8: sealed with s on the pairing characteristic; any authorisation id, echoed. */
static void on_sealed_data(struct nuki *nuki, int link, const uint8_t *value, size_t n) {
	struct nuki_link *at = &nuki->links[link];
	struct nuki_message message;
	uint32_t outer_id = 0;
	if (nuki_peek(value, n, &outer_id) < 0 ||
		nuki_open_sealed(at->shared, value, n, &message) < 0) {
		refuse(nuki, link, NUKI_E_BAD_AUTHENTICATOR, NUKI_AUTHORIZATION_DATA);
		return;
	}
	if (message.command != NUKI_AUTHORIZATION_DATA || message.n != 40) {
		refuse(nuki, link, NUKI_E_BAD_LENGTH, message.command);
		return;
	}
	struct rd rd = rd_on(message.payload, message.n);
	at->pending = (struct nuki_auth){ .id = nuki->next_auth_id, .is_enabled = true };
	at->pending.app_id = rd_u32le(&rd);
	rd_text(&rd, NUKI_NAME_LEN, at->pending.name);
	if (rd_u32le(&rd) != nuki->pin) {
		refuse(nuki, link, NUKI_E_BAD_PIN, message.command);
		return;
	}
	memcpy(at->pending.key, at->shared, sizeof(at->shared));
	uint8_t key[32];
	memcpy(key, at->shared, sizeof(key));
	uint8_t payload[20];
	struct wr wr = wr_on(payload, sizeof(payload));
	wr_u32le(&wr, at->pending.id);
	wr_bytes(&wr, nuki->uuid, sizeof(nuki->uuid));
	if (enroll(nuki, link, message.command)) {
		uint8_t nonce[CRYPTO_NONCE_LEN];
		fresh(nuki, SIM_RANDOM_NONCE, nonce, sizeof(nonce));
		uint8_t wire[NUKI_WIRE_MAX];
		size_t n_wire = nuki_seal(key, nonce, outer_id, NUKI_AUTHORIZATION_ID, payload,
			sizeof(payload), wire);
		if (at->subscribed[NUKI_CHAR_PAIRING]) {
			sim_lock_indicate(&nuki->base, link, NUKI_CHAR_PAIRING, wire, n_wire);
		}
		nuki_set_pairing(nuki, false);
	}
	wipe(key, sizeof(key));
}

void nuki_pair_write(struct nuki *nuki, int link, const uint8_t *value, size_t n) {
	static const struct {
		uint16_t command;
		enum nuki_pair_step at;
		void (*fn)(struct nuki *nuki, int link, const struct nuki_message *message);
	} rows[] = {
		{ NUKI_PUBLIC_KEY, NUKI_PAIR_KEY, on_public_key },
		{ NUKI_AUTHENTICATOR, NUKI_PAIR_AUTHENTICATOR, on_authenticator },
		{ NUKI_AUTHORIZATION_DATA, NUKI_PAIR_DATA, on_data },
		{ NUKI_AUTHORIZATION_ID_CONFIRMATION, NUKI_PAIR_CONFIRMATION, on_confirmation },
	};
	struct nuki_link *at = &nuki->links[link];
	struct nuki_message message = { 0 };
	nuki->base.counters.messages_in++;
	if (nuki->generation >= 5 && at->pair == NUKI_PAIR_DATA) {
		on_sealed_data(nuki, link, value, n);
		return;
	}
	int r = nuki_open_plain(value, n, &message);
	if (r < 0) {
		refuse(nuki, link, r == -EBADMSG ? NUKI_E_BAD_CRC : NUKI_E_BAD_LENGTH,
			message.command);
		return;
	}
	if (nuki->pairing_until.ms == INT64_MAX) {
		refuse(nuki, link, NUKI_E_NOT_PAIRING, message.command);
		return;
	}
	if (message.command == NUKI_REQUEST_DATA) {
		on_request(nuki, link, &message); /* always a new start */
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].command == message.command && rows[i].at == at->pair) {
			rows[i].fn(nuki, link, &message);
			return;
		}
	}
	refuse(nuki, link, NUKI_E_UNKNOWN, message.command);
}
