/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pairing, from "give me your public key" to an authorisation.
 *
 *	both      Request Data -> Public Key -> Public Key -> Challenge -> Authenticator ->
 *	gen1-4    Challenge -> Authorization Data -> Authorization-ID -> Confirmation -> Status
 *	5G        Authorization Info -> Authorization Data (with PIN) -> Authorization-ID, both
 *	          sealed
 *
 * Which of the two it is, the device says by the pairing characteristic it has (e101 or e301), not
 * by its name: one is tried, and when the radio knows no such characteristic, the other.
 *
 * Source: docs/protocols/nuki.md 4; transcripts doc21-pairing, flow-s-g14-pair, flow-s-5g-pair.
 */

#include "machine.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "advert.h"
#include "util/auto.h"
#include "util/bytes.h"
#include "util/text.h"

#define PIN_DIGITS_5G 6

/* HMAC input in Authorization Data: all behind the HMAC itself. */
#define AUTH_DATA_LEN 101

const char *nuki_pairing_characteristic(const struct nuki_session *session) {
	return session->pairing.generation == NUKI_GENERATION_5 ? NUKI_PAIRING_GDIO_5
								: NUKI_PAIRING_GDIO;
}

static void send_plain(
	struct nuki_session *session, const struct nuki_message *message, bool is_changing) {
	uint8_t payload[NUKI_PAYLOAD_MAX];
	uint8_t frame[NUKI_FRAME_MAX];
	char text[NUKI_TEXT_MAX];

	ssize_t n =
		nuki_message_format(message, session->pairing.generation, payload, sizeof(payload));
	assert(n >= 0);
	ssize_t n_frame =
		nuki_plain_build(message->kind->command, payload, (size_t) n, frame, sizeof(frame));
	assert(n_frame > 0);
	session_trace(&session->base, "> %s", nuki_message_text(message, text));
	nuki_post(session, nuki_pairing_characteristic(session), frame, (size_t) n_frame,
		is_changing);
}

static void ask_public_key(struct nuki_session *session) {
	struct nuki_message message;

	nuki_message_init(&message, NUKI_REQUEST_DATA, session->pairing.generation);
	message.request.command = NUKI_PUBLIC_KEY;
	nuki_wait(session, PHASE_PAIR_KEY, NUKI_PAIRING_MS);
	send_plain(session, &message, false);
}

int nuki_pairing_start(struct nuki_session *session, struct fault *ret_fault) {
	struct nuki_pairing_state *pairing = &session->pairing;
	const size_t n_pin = session->job.pin.len;
	uint32_t pin;

	if (n_pin > 0 && nuki_pin_parse(&session->job.pin, NUKI_GENERATION_1_TO_4, &pin) < 0 &&
		nuki_pin_parse(&session->job.pin, NUKI_GENERATION_5, &pin) < 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"the PIN has up to four digits, or six for a 5th generation lock");
	}
	wipe(pairing, sizeof(*pairing));
	/* A guess that costs nothing when wrong; see nuki_pairing_fall_back(). */
	pairing->generation = n_pin == PIN_DIGITS_5G ? NUKI_GENERATION_5 : NUKI_GENERATION_1_TO_4;
	session->random(pairing->own_secret, sizeof(pairing->own_secret));
	crypto_box_public(pairing->own_secret, pairing->own_public);
	ask_public_key(session);
	return 0;
}

bool nuki_pairing_fall_back(struct nuki_session *session, int error) {
	struct nuki_pairing_state *pairing = &session->pairing;

	if (session->phase != PHASE_PAIR_KEY || error != -ENOENT || pairing->has_fallen_back) {
		return false;
	}
	pairing->has_fallen_back = true;
	pairing->generation = pairing->generation == NUKI_GENERATION_5 ? NUKI_GENERATION_1_TO_4
								       : NUKI_GENERATION_5;
	ask_public_key(session);
	return true;
}

/* h1 of the protocol: HMAC under the shared key. */
static void authenticate(const struct nuki_session *session, const struct crypto_part *parts,
	size_t n_parts, uint8_t out[static NUKI_HMAC_LEN]) {
	crypto_hmac_sha256(session->pairing.shared, parts, n_parts, out);
}

/* ---- actions of the table ---- */

static void on_public_key(struct nuki_session *session, const struct nuki_message *message) {
	struct nuki_pairing_state *pairing = &session->pairing;
	struct nuki_message reply;

	/* The 5G lock takes the PIN in the last step: better no attempt than one without it. */
	if (pairing->generation == NUKI_GENERATION_5 && session->job.pin.len != PIN_DIGITS_5G) {
		session_fail(&session->base, FAULT_PIN_REQUIRED,
			"a 5th generation lock needs its six-digit PIN for pairing");
		return;
	}
	if (crypto_box_shared(message->pairing.key, pairing->own_secret, pairing->shared) < 0) {
		session_fail(
			&session->base, FAULT_PAIRING_FAILED, "the lock's public key is worthless");
		return;
	}
	memcpy(pairing->lock_public, message->pairing.key, sizeof(pairing->lock_public));
	nuki_message_init(&reply, NUKI_PUBLIC_KEY, pairing->generation);
	memcpy(reply.pairing.key, pairing->own_public, sizeof(reply.pairing.key));
	nuki_wait(session, PHASE_PAIR_CHALLENGE, NUKI_PAIRING_MS);
	send_plain(session, &reply, false);
}

static void on_first_challenge(struct nuki_session *session, const struct nuki_message *message) {
	const struct nuki_pairing_state *pairing = &session->pairing;
	const struct crypto_part parts[] = {
		{ pairing->own_public, sizeof(pairing->own_public) },
		{ pairing->lock_public, sizeof(pairing->lock_public) },
		{ message->pairing.nonce, sizeof(message->pairing.nonce) },
	};
	struct nuki_message reply;

	nuki_message_init(&reply, NUKI_AUTH_AUTHENTICATOR, pairing->generation);
	authenticate(session, parts, ARRAY_SIZE(parts), reply.pairing.hmac);
	nuki_wait(session, PHASE_PAIR_INFO, NUKI_PAIRING_MS);
	send_plain(session, &reply, false);
}

/* gen1-4: the second challenge; who we are goes out, signed. */
static void on_second_challenge(struct nuki_session *session, const struct nuki_message *message) {
	struct nuki_pairing_state *pairing = &session->pairing;
	AUTO_VALUE(nuki_message_wipe) struct nuki_message reply;
	uint8_t payload[AUTH_DATA_LEN];

	if (pairing->generation != NUKI_GENERATION_1_TO_4) {
		session_fail(
			&session->base, FAULT_PROTOCOL_ERROR, "a 5G lock sent a second challenge");
		return;
	}
	session->random(pairing->client_nonce, sizeof(pairing->client_nonce));
	pairing->keys.id_type = session->job.as_bridge ? NUKI_ID_BRIDGE : NUKI_ID_APP;
	nuki_message_init(&reply, NUKI_AUTH_DATA, pairing->generation);
	reply.pairing.id_type = pairing->keys.id_type;
	reply.pairing.app_id = session->job.client_id;
	text_copy(reply.pairing.name, sizeof(reply.pairing.name), session->job.client_name);
	memcpy(reply.pairing.nonce, pairing->client_nonce, sizeof(reply.pairing.nonce));

	ssize_t n = nuki_message_format(&reply, pairing->generation, payload, sizeof(payload));
	assert(n == AUTH_DATA_LEN);
	const struct crypto_part parts[] = {
		{ payload + NUKI_HMAC_LEN, AUTH_DATA_LEN - NUKI_HMAC_LEN },
		{ message->pairing.nonce, sizeof(message->pairing.nonce) },
	};
	authenticate(session, parts, ARRAY_SIZE(parts), reply.pairing.hmac);
	nuki_wait(session, PHASE_PAIR_ID, NUKI_PAIRING_MS);
	send_plain(session, &reply, false);
}

/* 5G: the lock says whether a PIN is set; who we are and the PIN go out sealed. */
static void on_auth_info(struct nuki_session *session, const struct nuki_message *message) {
	struct nuki_pairing_state *pairing = &session->pairing;
	AUTO_VALUE(nuki_message_wipe) struct nuki_message reply;
	uint8_t payload[NUKI_PAYLOAD_MAX];
	uint8_t frame[NUKI_FRAME_MAX];
	uint8_t nonce[CRYPTO_NONCE_LEN];
	char text[NUKI_TEXT_MAX];

	if (pairing->generation != NUKI_GENERATION_5) {
		session_fail(&session->base, FAULT_PROTOCOL_ERROR,
			"a gen1-4 lock sent Authorization Info");
		return;
	}
	pairing->is_pin_unset = message->pairing.is_pin_set == 0;
	pairing->keys.pin = 0;
	if (!pairing->is_pin_unset &&
		nuki_pin_parse(&session->job.pin, NUKI_GENERATION_5, &pairing->keys.pin) < 0) {
		session_fail(&session->base, FAULT_PIN_REQUIRED, "the PIN has six digits");
		return;
	}
	nuki_message_init(&reply, NUKI_AUTH_DATA, NUKI_GENERATION_5);
	reply.pairing.app_id = session->job.client_id;
	text_copy(reply.pairing.name, sizeof(reply.pairing.name), session->job.client_name);
	reply.pairing.pin = pairing->keys.pin;
	ssize_t n = nuki_message_format(&reply, NUKI_GENERATION_5, payload, sizeof(payload));
	assert(n >= 0);
	session->random(nonce, sizeof(nonce));
	ssize_t n_frame = nuki_seal(pairing->shared, nonce, NUKI_PAIRING_AUTH_ID, NUKI_AUTH_DATA,
		payload, (size_t) n, frame, sizeof(frame));
	assert(n_frame > 0);
	wipe(payload, sizeof(payload));
	session_trace(&session->base, "> %s", nuki_message_text(&reply, text));
	nuki_wait(session, PHASE_PAIR_ID, NUKI_PAIRING_MS);
	nuki_post(session, NUKI_PAIRING_GDIO_5, frame, (size_t) n_frame, true);
}

/* Paired: from here on the keys are worth keeping. */
static void pair(struct nuki_session *session) {
	struct nuki_pairing_state *pairing = &session->pairing;
	struct nuki_keys *keys = &pairing->keys;
	uint32_t pin;

	keys->generation = pairing->generation;
	keys->app_id = session->job.client_id;
	memcpy(keys->shared, pairing->shared, sizeof(keys->shared));
	if (keys->generation == NUKI_GENERATION_5) {
		keys->is_pin_known = true;
		keys->is_pin_verified = true;
	} else if (session->job.pin.len > 0 &&
		   nuki_pin_parse(&session->job.pin, keys->generation, &pin) == 0) {
		keys->is_pin_known = true;
		keys->pin = pin;
	}
	session->keys = *keys;
	session->is_paired = true;
	nuki_keys_changed(session);
	session_done(&session->base);
}

static void on_auth_id_5(struct nuki_session *session, const struct nuki_message *message) {
	struct nuki_keys *keys = &session->pairing.keys;

	keys->id_type = NUKI_ID_APP; /* 5G has no bridge role */
	keys->auth_id = message->pairing.auth_id;
	memcpy(keys->uuid, message->pairing.uuid, sizeof(keys->uuid));
	pair(session);
}

static void on_auth_id(struct nuki_session *session, const struct nuki_message *message) {
	struct nuki_pairing_state *pairing = &session->pairing;
	uint8_t auth_id[4];
	uint8_t expected[NUKI_HMAC_LEN];
	struct wr wr = wr_on(auth_id, sizeof(auth_id));
	struct nuki_message reply;

	if (pairing->generation == NUKI_GENERATION_5) {
		on_auth_id_5(session, message);
		return;
	}
	wr_u32le(&wr, message->pairing.auth_id);
	const struct crypto_part claim[] = {
		{ auth_id, sizeof(auth_id) },
		{ message->pairing.uuid, sizeof(message->pairing.uuid) },
		{ message->pairing.nonce, sizeof(message->pairing.nonce) },
		{ pairing->client_nonce, sizeof(pairing->client_nonce) },
	};
	authenticate(session, claim, ARRAY_SIZE(claim), expected);
	/* The only proof that it is the lock itself which knows the shared key. */
	if (!crypto_equal(expected, message->pairing.hmac, sizeof(expected))) {
		session_fail(&session->base, FAULT_PAIRING_FAILED,
			"the lock could not prove that it knows the shared key");
		return;
	}
	pairing->keys.auth_id = message->pairing.auth_id;
	memcpy(pairing->keys.uuid, message->pairing.uuid, sizeof(pairing->keys.uuid));

	const struct crypto_part answer[] = {
		{ auth_id, sizeof(auth_id) },
		{ message->pairing.nonce, sizeof(message->pairing.nonce) },
	};
	nuki_message_init(&reply, NUKI_AUTH_ID_CONFIRMATION, pairing->generation);
	authenticate(session, answer, ARRAY_SIZE(answer), reply.pairing.hmac);
	reply.pairing.auth_id = message->pairing.auth_id;
	nuki_wait(session, PHASE_PAIR_STATUS, NUKI_PAIRING_MS);
	send_plain(session, &reply, true);
}

static void on_paired(struct nuki_session *session, const struct nuki_message *message) {
	pair(session);
}

static void on_pairing_error(struct nuki_session *session, const struct nuki_message *message) {
	const struct nuki_error_row *row = nuki_error_row(message->reply.error);
	enum fault_code code = row->fault;

	if (session->pairing.is_pin_unset) {
		session_fail(&session->base, FAULT_PAIRING_FAILED,
			"no PIN is set in the lock (%s, 0x%02x): set one in the Nuki app first",
			row->name, message->reply.error);
		return;
	}
	if (code == FAULT_LOCK_ERROR || code == FAULT_NOT_AUTHORIZED) {
		code = FAULT_PAIRING_FAILED;
	}
	session_fail(&session->base, code, "the lock says: %s (0x%02x) while %s", row->name,
		message->reply.error, nuki_phase_name(session->phase));
}

static void on_pairing_silence(struct nuki_session *session, const struct nuki_message *message) {
	session_fail(&session->base, FAULT_LOCK_SILENT, "%u ms while %s", session->wait_ms,
		nuki_phase_name(session->phase));
}

/* clang-format off */
static const struct nuki_row rows[] = {
	/* phase, event, next, action */
	{ PHASE_PAIR_KEY,       EVENT_PUBLIC_KEY, PHASE_PAIR_KEY,       on_public_key },
	{ PHASE_PAIR_KEY,       EVENT_ERROR,      PHASE_PAIR_KEY,       on_pairing_error },
	{ PHASE_PAIR_KEY,       EVENT_TIMEOUT,    PHASE_PAIR_KEY,       on_pairing_silence },
	{ PHASE_PAIR_CHALLENGE, EVENT_CHALLENGE,  PHASE_PAIR_CHALLENGE, on_first_challenge },
	{ PHASE_PAIR_CHALLENGE, EVENT_ERROR,      PHASE_PAIR_CHALLENGE, on_pairing_error },
	{ PHASE_PAIR_CHALLENGE, EVENT_TIMEOUT,    PHASE_PAIR_CHALLENGE, on_pairing_silence },
	{ PHASE_PAIR_INFO,      EVENT_CHALLENGE,  PHASE_PAIR_INFO,      on_second_challenge },
	{ PHASE_PAIR_INFO,      EVENT_AUTH_INFO,  PHASE_PAIR_INFO,      on_auth_info },
	{ PHASE_PAIR_INFO,      EVENT_ERROR,      PHASE_PAIR_INFO,      on_pairing_error },
	{ PHASE_PAIR_INFO,      EVENT_TIMEOUT,    PHASE_PAIR_INFO,      on_pairing_silence },
	{ PHASE_PAIR_ID,        EVENT_AUTH_ID,    PHASE_PAIR_ID,        on_auth_id },
	{ PHASE_PAIR_ID,        EVENT_ERROR,      PHASE_PAIR_ID,        on_pairing_error },
	{ PHASE_PAIR_ID,        EVENT_TIMEOUT,    PHASE_PAIR_ID,        on_pairing_silence },
	{ PHASE_PAIR_STATUS,    EVENT_COMPLETE,   PHASE_PAIR_STATUS,    on_paired },
	{ PHASE_PAIR_STATUS,    EVENT_ERROR,      PHASE_PAIR_STATUS,    on_pairing_error },
	{ PHASE_PAIR_STATUS,    EVENT_TIMEOUT,    PHASE_PAIR_STATUS,    on_pairing_silence },
};
/* clang-format on */

const struct nuki_row *nuki_pairing_rows(size_t *ret_n) {
	*ret_n = ARRAY_SIZE(rows);
	return rows;
}
