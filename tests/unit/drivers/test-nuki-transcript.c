/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The conversations of tests/vectors/nuki.json replayed against the session: with the client's
 * randomness put in, it must write the very octets that the other client wrote. Then the same
 * pairings with one thing wrong at a time.
 */

#include "nuki-bench.h"

#include <errno.h>

#include "crypto/crypto.h"
#include "nuki-vectors.h"
#include "nuki/driver.h"
#include "util/auto.h"
#include "util/bytes.h"
#include "util/text.h"

static struct bench bench;

/* ---- replaying ---- */

struct script {
	const json_t *messages;
	const char *characteristic; /* for messages that do not say */
	size_t i;
};

static const char *full_uuid(const struct script *script, const json_t *message) {
	static const char *const uuids[][2] = {
		{ "e101", NUKI_PAIRING_GDIO },
		{ "e301", NUKI_PAIRING_GDIO_5 },
		{ "e201", NUKI_GDIO },
		{ "e202", NUKI_USDIO },
	};
	const char *text = json_string_value(json_object_get(message, "char"));

	for (size_t i = 0; text != NULL && i < ARRAY_SIZE(uuids); i++) {
		if (strcmp(uuids[i][0], text) == 0) {
			return uuids[i][1];
		}
	}
	return script->characteristic;
}

static bool is_to_lock(const json_t *message) {
	return strcmp(vector_text(message, "dir"), "C>L") == 0;
}

static void script_open(struct script *script, const char *id) {
	const json_t *vector = vector_by_id(id);

	script->messages = json_object_get(vector, "messages");
	script->characteristic = json_string_value(json_object_get(vector, "characteristic"));
	script->i = 0;
}

/* Queues the nonces of the client's sealed messages from here to the end. */
static void push_nonces(const struct script *script) {
	uint8_t nonce[24];

	for (size_t i = script->i; i < json_array_size(script->messages); i++) {
		const json_t *message = json_array_get(script->messages, i);
		if (is_to_lock(message) && json_object_get(message, "nonce_hex") != NULL) {
			vector_hex(message, "nonce_hex", nonce, sizeof(nonce));
			bench_random_push(nonce, sizeof(nonce));
		}
	}
}

/*
 * The session's next write must be this message; then everything up to the client's next one comes
 * in, in pieces of @piece octets. false: at the end.
 */
static bool script_step(struct script *script, size_t piece) {
	uint8_t expected[600];
	const json_t *message = json_array_get(script->messages, script->i);

	if (message == NULL || !is_to_lock(message)) {
		return false;
	}
	const size_t n = vector_hex(message, "hex", expected, sizeof(expected));
	assert_true(bench.is_writing);
	assert_string_equal(bench.written.characteristic, full_uuid(script, message));
	assert_int_equal(bench.written.n, n);
	assert_memory_equal(bench.written.bytes, expected, n);
	script->i++;
	bench.is_writing = false;
	bench.session->impl->written(bench.session, 0, RADIO_NOT_SENT);

	for (;; script->i++) {
		message = json_array_get(script->messages, script->i);
		if (message == NULL || is_to_lock(message)) {
			return message != NULL;
		}
		const size_t n_in = vector_hex(message, "hex", expected, sizeof(expected));
		for (size_t at = 0; at < n_in; at += piece) {
			bench.session->impl->bytes(bench.session, full_uuid(script, message),
				expected + at, n_in - at < piece ? n_in - at : piece);
		}
	}
}

static void replay(struct script *script, size_t piece) {
	while (script_step(script, piece)) {
	}
}

/* ---- pairing ---- */

static struct job pairing_job(const char *id) {
	const json_t *vector = vector_by_id(id);
	const json_t *pin = json_object_get(vector, "security_pin");
	struct job job = { .act = ACT_PAIR };
	char digits[16];

	job.client_id = (uint32_t) json_integer_value(json_object_get(vector, "app_id"));
	job.as_bridge = json_integer_value(json_object_get(vector, "id_type")) == 1;
	text_copy(job.client_name, sizeof(job.client_name), vector_text(vector, "name"));
	if (pin != NULL) {
		snprintf(digits, sizeof(digits), "%lld", (long long) json_integer_value(pin));
		job.pin = bench_pin(digits);
	}
	return job;
}

/* Where the client's own nonce is: the last 32 octets of the plain Authorization Data. */
static void push_pairing_randomness(const char *id, struct script *script) {
	const json_t *vector = vector_by_id(id);
	uint8_t octets[600];

	assert_int_equal(vector_hex(vector, "client_private_key_hex", octets, 32), 32);
	bench_random_push(octets, 32);
	for (size_t i = 0; i < json_array_size(script->messages); i++) {
		const json_t *message = json_array_get(script->messages, i);
		const size_t n = vector_hex(message, "hex", octets, sizeof(octets));
		if (is_to_lock(message) && n == 105) {
			bench_random_push(octets + n - 2 - 32, 32);
		}
	}
	push_nonces(script);
}

static void start_pairing(const char *id, struct script *script) {
	const struct job job = pairing_job(id);

	bench_init_unpaired(&bench);
	script_open(script, id);
	push_pairing_randomness(id, script);
	assert_int_equal(bench_start_job(&bench, &job), 0);
}

static void pairing_matches(const char *id, enum nuki_generation generation, uint8_t id_type) {
	const json_t *vector = vector_by_id(id);
	const json_t *source = json_object_get(vector, "expect") != NULL
				       ? json_object_get(vector, "expect")
				       : vector;

	for (size_t piece = 20; piece <= 500; piece += 480) {
		struct script script;
		struct nuki_keys keys;
		uint8_t expected[32];

		start_pairing(id, &script);
		replay(&script, piece);
		assert_int_equal(bench.n_done, 1);
		assert_int_equal(bench.result.fault.code, FAULT_NONE);
		assert_int_equal(bench.n_keys, 1);
		assert_int_equal(nuki_keys_decode(&bench.keys, &keys), 0);
		assert_int_equal(keys.generation, generation);
		assert_int_equal(keys.id_type, id_type);
		assert_int_equal(keys.auth_id,
			json_integer_value(json_object_get(source, "authorization_id")));
		vector_hex(source, "shared_key_hex", expected, 32);
		assert_memory_equal(keys.shared, expected, 32);
		vector_hex(source, "lock_uuid_hex", expected, 16);
		assert_memory_equal(keys.uuid, expected, 16);
		assert_int_equal(keys.app_id, pairing_job(id).client_id);
		assert_int_equal(keys.is_pin_known, pairing_job(id).pin.len > 0);
		assert_int_equal(keys.is_pin_verified, generation == NUKI_GENERATION_5);
		/* The session can be used at once. */
		bench.generation = generation;
		bench.auth_id = keys.auth_id;
		memcpy(bench.key, keys.shared, 32);
		bench_start(&bench, ACT_READ_STATE);
		bench_run(&bench);
		assert_int_equal(bench.result.fault.code, FAULT_NONE);
		bench_finish(&bench);
	}
}

static void pairing_of_the_vendors_example(void **state) {
	pairing_matches("doc21-pairing", NUKI_GENERATION_1_TO_4, NUKI_ID_APP);
}

static void pairing_gen1_4(void **state) {
	pairing_matches("flow-s-g14-pair", NUKI_GENERATION_1_TO_4, NUKI_ID_BRIDGE);
}

static void pairing_5g(void **state) {
	pairing_matches("flow-s-5g-pair", NUKI_GENERATION_5, NUKI_ID_APP);
}

/* ---- jobs ---- */

static void init_from(const char *id) {
	const json_t *vector = vector_by_id(id);
	const char *profile = vector_text(vector, "profile");
	const json_t *pairing =
		vector_by_id(strcmp(profile, "5G") == 0 ? "flow-s-5g-pair" : "flow-s-g14-pair");
	struct nuki_keys keys = {
		.generation =
			strcmp(profile, "5G") == 0 ? NUKI_GENERATION_5 : NUKI_GENERATION_1_TO_4,
		.auth_id =
			(uint32_t) json_integer_value(json_object_get(vector, "authorization_id")),
		.app_id = (uint32_t) json_integer_value(json_object_get(pairing, "app_id")),
		.nuki_id = 0x1a2b3c4d,
		.pin = (uint32_t) json_integer_value(json_object_get(vector, "security_pin")),
		.is_pin_known = true,
	};
	struct secret blob = { 0 };

	bench_init_unpaired(&bench);
	bench.session = bench.session->impl->free(bench.session);
	vector_hex(vector, "shared_key_hex", keys.shared, sizeof(keys.shared));
	memcpy(bench.key, keys.shared, sizeof(bench.key));
	bench.generation = keys.generation;
	bench.auth_id = keys.auth_id;
	nuki_keys_encode(&keys, &blob);
	bench.session = nuki_session_new(&blob, &bench_host, &bench);
	assert_non_null(bench.session);
	nuki_session_set_random(bench.session, bench_random);
	bench.session->impl->up(bench.session, 247);
}

static void replay_job(const char *id, const struct job *job, enum fault_code code) {
	for (size_t piece = 20; piece <= 500; piece += 480) {
		struct script script;

		init_from(id);
		script_open(&script, id);
		push_nonces(&script);
		assert_int_equal(bench_start_job(&bench, job), 0);
		replay(&script, piece);
		assert_int_equal(bench.n_done, 1);
		assert_int_equal(bench.result.fault.code, code);
		bench_finish(&bench);
	}
}

static void state_then_config(void **state) {
	const struct job read_state = { .act = ACT_READ_STATE };
	const struct job read_config = { .act = ACT_READ_CONFIG };
	struct script script;

	init_from("flow-s-g14-state");
	script_open(&script, "flow-s-g14-state");
	push_nonces(&script);
	assert_int_equal(bench_start_job(&bench, &read_state), 0);
	assert_true(script_step(&script, 20));
	assert_int_equal(bench.n_done, 1);
	assert_int_equal(bench.evidence.bolt.state, LOCK_STATE_LOCKED);
	assert_int_equal(bench.evidence.door, DOOR_STATE_CLOSED);
	assert_int_equal(bench.evidence.battery.percent, 88);
	assert_int_equal(bench.evidence.accessories.keypad, BATTERY_OK);
	assert_int_equal(bench.evidence.accessories.door_sensor, BATTERY_UNKNOWN);
	assert_int_equal(bench.evidence.lock_rssi, -61);

	/* The other client stops after Config; we go on to Advanced Config. */
	assert_int_equal(bench_start_job(&bench, &read_config), 0);
	assert_true(script_step(&script, 20));
	assert_false(script_step(&script, 20));
	assert_int_equal(bench.n_done, 1);
	assert_true(bench.is_writing);
	assert_true((bench.evidence.has & FACT_VERSIONS) != 0);
	assert_string_equal(bench.evidence.versions.firmware, "4.2.8");
	assert_string_equal(bench.evidence.versions.hardware, "7.0");
	assert_string_equal(bench.evidence.versions.serial, "1A2B3C4D");
	assert_string_equal(bench.evidence.versions.model, "Nuki Smart Lock 4.0 Pro");
	bench_finish(&bench);
}

static void jobs(void **state) {
	static const struct {
		const char *id;
		enum act act;
		const char *pin;
		enum fault_code code;
	} rows[] = {
		{ "flow-s-g14-lock", ACT_LOCK, "", FAULT_NONE },
		{ "flow-s-g14-unlock", ACT_UNLOCK, "", FAULT_NONE },
		{ "flow-s-g14-verify", ACT_VERIFY_PIN, "", FAULT_NONE },
		{ "flow-s-g14-verify_bad", ACT_VERIFY_PIN, "4322", FAULT_BAD_PIN },
		{ "flow-s-g14-time", ACT_SET_TIME, "", FAULT_NONE },
		{ "flow-s-5g-state_only", ACT_READ_STATE, "", FAULT_NONE },
		{ "flow-s-5g-lock", ACT_LOCK, "", FAULT_NONE },
		{ "flow-s-5g-verify", ACT_VERIFY_PIN, "123456", FAULT_NONE },
	};
	const struct nuki_date time = { 2025, 10, 26, 0, 59, 58 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct job job = {
			.act = rows[i].act,
			.now = nuki_date_to_wall(&time),
			.is_now_trusted = true,
		};
		if (rows[i].pin[0] != '\0') {
			job.pin = bench_pin(rows[i].pin);
		}
		replay_job(rows[i].id, &job, rows[i].code);
	}
}

/*
 * The other client reads the newest entries first, which we never do: its answers are fed to our
 * request, and the one that comes out of order is left alone.
 */
static void log_answers(void **state) {
	const struct job job = { .act = ACT_READ_LOG, .log_max = 1 };
	uint8_t octets[600];
	struct script script;

	init_from("flow-s-g14-logs");
	script_open(&script, "flow-s-g14-logs");
	push_nonces(&script);
	assert_int_equal(bench_start_job(&bench, &job), 0);
	assert_true(script_step(&script, 20));
	assert_true(bench.is_writing);
	for (size_t i = script.i + 1; i < json_array_size(script.messages); i++) {
		const size_t n = vector_hex(
			json_array_get(script.messages, i), "hex", octets, sizeof(octets));
		bench.session->impl->bytes(bench.session, NUKI_USDIO, octets, n);
	}
	assert_int_equal(bench.n_done, 1);
	assert_int_equal(bench.n_log, 1);
	assert_int_equal(bench.log[0].seq, 1042);
	assert_int_equal(bench.log[0].kind, EVENT_LOCK_OPERATION);
	assert_int_equal(bench.log[0].operation, OPERATION_LOCK);
	assert_string_equal(bench.log[0].user, "Anna iPhone");
	bench_finish(&bench);
}

/* ---- pairing gone wrong ---- */

/* Up to the lock's message number @n of its own, which is then given with one octet changed. */
static void pair_with_bent_message(const char *id, unsigned n_bent, size_t at_octet) {
	struct script script;
	uint8_t octets[600];
	unsigned n_seen = 0;

	start_pairing(id, &script);
	for (; script.i < json_array_size(script.messages) && bench.n_done == 0; script.i++) {
		const json_t *message = json_array_get(script.messages, script.i);
		size_t n = vector_hex(message, "hex", octets, sizeof(octets));
		if (is_to_lock(message)) {
			if (bench.is_writing) {
				bench.is_writing = false;
				bench.session->impl->written(bench.session, 0, RADIO_NOT_SENT);
			}
			continue;
		}
		if (n_seen++ == n_bent) {
			const bool is_sealed = json_is_true(json_object_get(message, "encrypted"));
			octets[at_octet % n] ^= 0x10;
			if (!is_sealed) { /* with a CRC that agrees */
				struct wr wr = wr_on(octets + n - 2, 2);
				wr_u16le(&wr,
					crypto_crc16_ccitt(CRYPTO_CRC16_CCITT_INIT, octets, n - 2));
			}
		}
		bench.session->impl->bytes(bench.session, full_uuid(&script, message), octets, n);
	}
}

static void bent_pairings_fail(void **state) {
	static const struct {
		const char *id;
		unsigned n_messages;
		unsigned id_message; /* Authorization-ID, whose every octet is protected */
	} rows[] = {
		{ "doc21-pairing", 5, 3 },
		{ "flow-s-5g-pair", 4, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t at = 2; at < 86; at++) {
			pair_with_bent_message(rows[i].id, rows[i].id_message, at);
			if (bench.n_done == 0) {
				bench_run_with_timer(&bench, 3);
			}
			assert_int_equal(bench.n_done, 1);
			assert_true(bench.result.fault.code != FAULT_NONE);
			assert_int_equal(bench.n_keys, 0);
			bench_finish(&bench);
		}
	}
}

/* Steps 2 and 8 with keys of its own: somebody who does not know s. */
static void proof_of_the_lock_is_checked(void **state) {
	pair_with_bent_message("doc21-pairing", 3, 10);
	assert_int_equal(bench.n_done, 1);
	assert_int_equal(bench.result.fault.code, FAULT_PAIRING_FAILED);
	assert_int_equal(bench.result.sent, JOB_NOT_SENT);
	bench_finish(&bench);
}

static void worthless_key_is_refused(void **state) {
	const uint8_t zeros[32] = { 0 };
	struct script script;

	start_pairing("doc21-pairing", &script);
	bench.is_writing = false;
	bench.session->impl->written(bench.session, 0, RADIO_NOT_SENT);
	bench_send_plain(&bench, NUKI_PAIRING_GDIO, NUKI_PUBLIC_KEY, zeros, sizeof(zeros));
	assert_int_equal(bench.result.fault.code, FAULT_PAIRING_FAILED);
	bench_finish(&bench);
}

static void pairing_errors(void **state) {
	static const struct {
		uint8_t error;
		enum fault_code code;
	} rows[] = {
		{ 0x10, FAULT_NOT_PAIRING },
		{ 0x11, FAULT_PAIRING_FAILED },
		{ 0x13, FAULT_TOO_MANY_USERS },
		{ 0x21, FAULT_BAD_PIN },
		{ 0xff, FAULT_PAIRING_FAILED },
	};
	static const char *const ids[] = { "flow-s-g14-pair", "flow-s-5g-pair" };

	for (size_t k = 0; k < ARRAY_SIZE(ids); k++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			for (unsigned n_steps = 0; n_steps < 4; n_steps++) {
				const uint8_t payload[] = { rows[i].error, 0x01, 0x00 };
				struct script script;

				start_pairing(ids[k], &script);
				for (unsigned s = 0; s < n_steps; s++) {
					script_step(&script, 20);
				}
				if (bench.n_done > 0) {
					bench_finish(&bench);
					continue;
				}
				bench.is_writing = false;
				bench.session->impl->written(bench.session, 0, RADIO_NOT_SENT);
				bench.piece = 3;
				bench_send_plain(&bench,
					k == 0 ? NUKI_PAIRING_GDIO : NUKI_PAIRING_GDIO_5,
					NUKI_ERROR_REPORT, payload, sizeof(payload));
				assert_int_equal(bench.n_done, 1);
				assert_int_equal(bench.result.fault.code, rows[i].code);
				assert_int_equal(bench.n_keys, 0);
				bench_finish(&bench);
			}
		}
	}
}

/* The wrong PIN on 5G may be told sealed, too. */
static void sealed_pin_error(void **state) {
	const json_t *vector = vector_by_id("flow-s-5g-pair");
	const uint8_t payload[] = { 0x21, 0x06, 0x00 };
	static const uint8_t nonce[24] = { 9 };
	uint8_t key[32], frame[100];
	struct script script;

	start_pairing("flow-s-5g-pair", &script);
	for (unsigned i = 0; i < 3; i++) {
		script_step(&script, 20);
	}
	vector_hex(vector, "shared_key_hex", key, sizeof(key));
	ssize_t n = nuki_seal(key, nonce, NUKI_PAIRING_AUTH_ID, NUKI_ERROR_REPORT, payload,
		sizeof(payload), frame, sizeof(frame));
	bench.is_writing = false;
	bench.session->impl->written(bench.session, 0, RADIO_NOT_SENT);
	for (ssize_t at = 0; at < n; at++) {
		bench.session->impl->bytes(bench.session, NUKI_PAIRING_GDIO_5, frame + at, 1);
	}
	assert_int_equal(bench.result.fault.code, FAULT_BAD_PIN);
	bench_finish(&bench);
}

/* Which pairing service there is decides, not what we guessed from the PIN. */
static void generation_by_characteristic(void **state) {
	struct job job = pairing_job("flow-s-g14-pair");
	const uint8_t key[32] = { 9 };

	bench_init_unpaired(&bench);
	assert_int_equal(bench_start_job(&bench, &job), 0);
	assert_string_equal(bench.written.characteristic, NUKI_PAIRING_GDIO);
	bench.is_writing = false;
	bench.session->impl->written(bench.session, -ENOENT, RADIO_NOT_SENT);
	assert_int_equal(bench.n_done, 0);
	assert_string_equal(bench.written.characteristic, NUKI_PAIRING_GDIO_5);
	/* It is a 5G, and four digits are not its PIN. */
	bench.is_writing = false;
	bench.session->impl->written(bench.session, 0, RADIO_NOT_SENT);
	bench_send_plain(&bench, NUKI_PAIRING_GDIO_5, NUKI_PUBLIC_KEY, key, sizeof(key));
	assert_int_equal(bench.result.fault.code, FAULT_PIN_REQUIRED);

	job.pin = bench_pin("000548");
	bench.n_done = 0;
	assert_int_equal(bench_start_job(&bench, &job), 0);
	assert_string_equal(bench.written.characteristic, NUKI_PAIRING_GDIO_5);
	for (unsigned i = 0; i < 2; i++) { /* neither of them */
		bench.is_writing = false;
		bench.session->impl->written(bench.session, -ENOENT, RADIO_NOT_SENT);
	}
	assert_int_equal(bench.n_done, 1);
	assert_int_equal(bench.result.fault.code, FAULT_GATT_MISMATCH);
	bench_finish(&bench);
}

static void link_lost_while_pairing(void **state) {
	static const char *const ids[] = { "flow-s-g14-pair", "flow-s-5g-pair" };

	for (size_t k = 0; k < ARRAY_SIZE(ids); k++) {
		for (unsigned n_steps = 0; n_steps < 5; n_steps++) {
			struct script script;

			start_pairing(ids[k], &script);
			for (unsigned s = 0; s < n_steps; s++) {
				script_step(&script, 20);
			}
			if (bench.n_done == 0) {
				bench.session->impl->down(bench.session);
				assert_int_equal(bench.result.fault.code, FAULT_LINK_LOST);
				assert_int_equal(bench.n_keys, 0);
			}
			assert_int_equal(bench.n_done, 1);
			bench_finish(&bench);
		}
	}
}

static void garbage_while_pairing(void **state) {
	static const char *const ids[] = { "flow-s-g14-pair", "flow-s-5g-pair" };
	static const char *const characteristics[] = { NUKI_PAIRING_GDIO, NUKI_PAIRING_GDIO_5,
		NUKI_USDIO, NUKI_GDIO };

	for (size_t k = 0; k < ARRAY_SIZE(ids); k++) {
		for (unsigned n_steps = 0; n_steps < 5; n_steps++) {
			struct script script;
			uint32_t noise = n_steps + 1;
			uint8_t octets[300];

			start_pairing(ids[k], &script);
			for (unsigned s = 0; s < n_steps; s++) {
				script_step(&script, 20);
			}
			const unsigned n_keys = bench.n_keys;
			for (unsigned i = 0; i < 200; i++) {
				for (size_t at = 0; at < sizeof(octets); at++) {
					noise = noise * 1664525u + 1013904223u;
					octets[at] = (uint8_t) (noise >> 24);
				}
				bench.session->impl->bytes(bench.session,
					characteristics[i % ARRAY_SIZE(characteristics)], octets,
					noise % sizeof(octets));
			}
			for (unsigned i = 0; i < 3 && bench.n_done == 0; i++) {
				bench.session->impl->timer(bench.session);
			}
			assert_int_equal(bench.n_done, 1);
			assert_int_equal(bench.n_keys, n_keys);
			bench_finish(&bench);
		}
	}
}

static int close_vectors(void **state) {
	vectors_close();
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairing_of_the_vendors_example),
		cmocka_unit_test(pairing_gen1_4),
		cmocka_unit_test(pairing_5g),
		cmocka_unit_test(state_then_config),
		cmocka_unit_test(jobs),
		cmocka_unit_test(log_answers),
		cmocka_unit_test(bent_pairings_fail),
		cmocka_unit_test(proof_of_the_lock_is_checked),
		cmocka_unit_test(worthless_key_is_refused),
		cmocka_unit_test(pairing_errors),
		cmocka_unit_test(sealed_pin_error),
		cmocka_unit_test(generation_by_characteristic),
		cmocka_unit_test(link_lost_while_pairing),
		cmocka_unit_test(garbage_while_pairing),
	};

	return cmocka_run_group_tests_name("nuki-transcript", tests, NULL, close_vectors);
}
