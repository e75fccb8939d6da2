/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The conversations of tests/vectors/nuki.json, which an unmodified public client (pyNukiBT) had
 * with a lock that is not ours: its side is played to the virtual lock, whose keys, nonces and
 * challenges are those of the recording. What the lock says must be the recording, octet for octet,
 * but for the few fields that say so below.
 */

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "nuki-client.h"
#include "util/bytes.h"
#include "util/text.h"

static json_t *root;

static int load(void **state) {
	char path[4096];
	const char *top = getenv("LOCKHUB_SOURCE_ROOT");
	snprintf(path, sizeof(path), "%s/tests/vectors/nuki.json", top == NULL ? "." : top);
	json_error_t error;
	root = json_load_file(path, 0, &error);
	return root == NULL || crypto_setup() < 0 ? -1 : 0;
}

static int unload(void **state) {
	json_decref(root);
	return 0;
}

static json_t *find(const char *id) {
	size_t i;
	json_t *vector;
	json_array_foreach(json_object_get(root, "vectors"), i, vector) {
		if (text_equal(json_string_value(json_object_get(vector, "id")), id)) {
			return vector;
		}
	}
	fail_msg("no vector %s", id);
	return NULL;
}

static size_t hex(const json_t *object, const char *key, uint8_t *out, size_t size) {
	size_t n = 0;
	const char *text = json_string_value(json_object_get(object, key));
	assert_non_null(text);
	assert_int_equal(hex_decode_any(text, out, size, &n), 0);
	return n;
}

static unsigned number(const json_t *object, const char *key) {
	return (unsigned) json_integer_value(json_object_get(object, key));
}

static bool is_from_lock(const json_t *message) {
	return text_equal(json_string_value(json_object_get(message, "dir")), "L>C");
}

static unsigned command_of(const json_t *message) {
	return (unsigned) strtoul(json_string_value(json_object_get(message, "command")), NULL, 16);
}

/* The lock's chance, out of what the recorded lock said. */
static void queue_chance(struct bench *bench, const json_t *vector) {
	size_t i;
	const json_t *message;
	uint8_t bytes[512];
	hex(vector, "lock_private_key_hex", bytes, 32);
	bench_queue(bench, SIM_RANDOM_KEY, bytes, 32);
	json_array_foreach(json_object_get(vector, "messages"), i, message) {
		if (!is_from_lock(message)) {
			continue;
		}
		if (json_object_get(message, "nonce_hex") != NULL) {
			hex(message, "nonce_hex", bytes, 24);
			bench_queue(bench, SIM_RANDOM_NONCE, bytes, 24);
		}
		hex(message, "payload_hex", bytes, sizeof(bytes));
		if (command_of(message) == NUKI_CHALLENGE) {
			bench_queue(bench, SIM_RANDOM_CHALLENGE, bytes, 32);
		} else if (command_of(message) == NUKI_AUTHORIZATION_ID &&
			   bench->nuki->generation < 5) {
			bench_queue(bench, SIM_RANDOM_CHALLENGE, bytes + 52, 32);
		}
	}
}

/* The state in which the recorded lock was. */
static void set_state(struct bench *bench, const json_t *vector) {
	struct nuki *nuki = bench->nuki;
	bool is_5g = nuki->generation >= 5;
	hex(vector, "lock_uuid_hex", nuki->uuid, sizeof(nuki->uuid));
	nuki->pin = number(vector, "security_pin");
	nuki->next_auth_id = number(vector, "authorization_id");
	if (json_object_get(vector, "id_type") == NULL) {
		struct nuki_auth auth = { .id = nuki->next_auth_id, .type = NUKI_TYPE_BRIDGE };
		auth.is_enabled = true;
		hex(vector, "shared_key_hex", auth.key, sizeof(auth.key));
		assert_non_null(nuki_auth_add(nuki, &auth));
	} else {
		nuki_set_pairing(nuki, true);
	}
	nuki->body.cells.percent = is_5g ? 76 : 88;
	nuki->is_charging = is_5g;
	nuki->update_count = 3;
	nuki->config.tz_offset = 120;
	nuki->last_action = NUKI_ACTION_LOCK;
	nuki->has_door_sensor = true;
	nuki->accessories = 1;
	nuki->rssi_seen = -61;
}

static unsigned char_of(const json_t *message) {
	const char *text = json_string_value(json_object_get(message, "char"));
	return text_equal(text, "e202")   ? NUKI_CHAR_USER
	       : text_equal(text, "e201") ? NUKI_CHAR_PLAIN
					  : NUKI_CHAR_PAIRING;
}

static void compare(const struct bench *bench, const json_t *message, const struct said *said) {
	uint8_t wanted[512];
	size_t n = hex(message, "hex", wanted, sizeof(wanted));
	assert_int_equal(said->chr, char_of(message));
	assert_int_equal(said->n, n);
	assert_memory_equal(said->value, wanted, n);
	(void) bench;
}

/* Log entries: ours are padded further (gen4); Config: its time is that of the recording. */
static void compare_loosely(
	const struct bench *bench, const json_t *message, const struct said *said) {
	uint8_t wanted[512];
	struct nuki_message got;
	const struct nuki_auth *auth = bench->nuki->auths[0];
	size_t n = hex(message, "payload_hex", wanted, sizeof(wanted));
	assert_int_equal(nuki_open_sealed(auth->key, said->value, said->n, &got), 0);
	assert_int_equal(got.command, command_of(message));
	assert_true(got.n >= n);
	if (got.command == NUKI_CONFIG) {
		assert_int_equal(got.n, n);
		memcpy(wanted + 49, got.payload + 49, 7);
	}
	assert_memory_equal(got.payload, wanted, n);
	for (size_t i = n; i < got.n; i++) {
		assert_int_equal(got.payload[i], 0);
	}
}

static void replay_on(struct bench *bench, const json_t *vector) {
	size_t i;
	const json_t *message;
	int link = bench_connect(bench, 517);
	json_array_foreach(json_object_get(vector, "messages"), i, message) {
		uint8_t wire[512];
		if (!is_from_lock(message)) {
			bench_expect_silence(bench);
			size_t n = hex(message, "hex", wire, sizeof(wire));
			bench_write(bench, link, char_of(message), wire, n);
			bench_pass(bench, 5000); /* as long as a motor takes, and no longer */
			continue;
		}
		const struct said *said = bench_next(bench);
		assert_non_null(said);
		unsigned command = command_of(message);
		if (command == NUKI_LOG_ENTRY || command == NUKI_CONFIG) {
			compare_loosely(bench, message, said);
		} else {
			compare(bench, message, said);
		}
	}
	bench_expect_silence(bench);
}

static void replay(const char *id, void (*prepare)(struct bench *bench, const json_t *vector)) {
	const json_t *vector = find(id);
	bool is_5g = text_equal(json_string_value(json_object_get(vector, "profile")), "5G");
	struct bench bench;
	bench_init(&bench, is_5g ? "nuki:5g" : "nuki:gen4", NULL);
	queue_chance(&bench, vector);
	set_state(&bench, vector);
	if (prepare != NULL) {
		prepare(&bench, vector);
	}
	replay_on(&bench, vector);
	bench_finish(&bench);
}

static void unlocked(struct bench *bench, const json_t *vector) {
	(void) vector;
	bench->nuki->body.bolt = BOLT_UNLOCKED;
}

static void pair_gen1_4(void **state) {
	const json_t *vector = find("flow-s-g14-pair");
	struct bench bench;
	uint8_t shared[32];
	bench_init(&bench, "nuki:gen4", NULL);
	queue_chance(&bench, vector);
	set_state(&bench, vector);
	replay_on(&bench, vector);
	hex(vector, "shared_key_hex", shared, sizeof(shared));
	assert_int_equal(bench.nuki->n_auths, 1);
	assert_int_equal(bench.nuki->auths[0]->id, 7);
	assert_int_equal(bench.nuki->auths[0]->type, NUKI_TYPE_BRIDGE);
	assert_int_equal(bench.nuki->auths[0]->app_id, number(vector, "app_id"));
	assert_string_equal(bench.nuki->auths[0]->name, "lockhub");
	assert_memory_equal(bench.nuki->auths[0]->key, shared, sizeof(shared));
	assert_int_equal(bench.nuki->mode, NUKI_MODE_DOOR); /* pairing mode is over */
	bench_finish(&bench);
}

static void pair_5g(void **state) {
	replay("flow-s-5g-pair", NULL);
}

static void config_of_recording(struct bench *bench, const json_t *vector) {
	size_t i;
	const json_t *message;
	uint8_t payload[512] = { 0 }, advanced[NUKI_ADVANCED_MAX];
	struct nuki *nuki = bench->nuki;
	json_array_foreach(json_object_get(vector, "messages"), i, message) {
		if (is_from_lock(message) && command_of(message) == NUKI_CONFIG) {
			hex(message, "payload_hex", payload, sizeof(payload));
		}
	}
	nuki_advanced_bytes(nuki, advanced, sizeof(advanced));
	nuki_config_restore(nuki, payload, advanced);
	/* States of the recording say +120 minutes, Config +60; each is compared on its own. */
	nuki->id = 0x1a2b3c4d;
	memcpy(nuki->firmware, payload + 66, 3);
	memcpy(nuki->hardware, payload + 69, 2);
}

static void state_and_config(void **state) {
	const json_t *vector = find("flow-s-g14-state");
	struct bench bench;
	bench_init(&bench, "nuki:gen4", NULL);
	queue_chance(&bench, vector);
	set_state(&bench, vector);
	config_of_recording(&bench, vector);
	int16_t of_config = bench.nuki->config.tz_offset;
	int link = bench_connect(&bench, 517);
	size_t i;
	const json_t *message;
	json_array_foreach(json_object_get(vector, "messages"), i, message) {
		uint8_t wire[512];
		if (!is_from_lock(message)) {
			size_t n = hex(message, "hex", wire, sizeof(wire));
			/* States (i 0) and Config differ in the zone's offset in the recording. */
			bench.nuki->config.tz_offset = i == 0 ? 120 : of_config;
			bench_write(&bench, link, NUKI_CHAR_USER, wire, n);
			continue;
		}
		const struct said *said = bench_next(&bench);
		assert_non_null(said);
		if (command_of(message) == NUKI_CONFIG) {
			compare_loosely(&bench, message, said);
		} else {
			compare(&bench, message, said);
		}
	}
	bench_expect_silence(&bench);
	bench_finish(&bench);
}

static void lock(void **state) {
	replay("flow-s-g14-lock", unlocked);
}

static void unlock(void **state) {
	replay("flow-s-g14-unlock", NULL);
}

static void verify(void **state) {
	replay("flow-s-g14-verify", NULL);
}

static void verify_bad(void **state) {
	replay("flow-s-g14-verify_bad", NULL);
}

static void two_entries(struct bench *bench, const json_t *vector) {
	static const uint8_t keypad[] = { 1, 1, 0, 3, 0 }, action[] = { 2, 0, 0, 0 };
	(void) vector;
	bench->nuki->next_index = 1041;
	nuki_log_add(bench->nuki, NUKI_LOG_KEYPAD, 0x0205, "", keypad, sizeof(keypad));
	nuki_log_add(bench->nuki, NUKI_LOG_ACTION, 0x0205, "", action, sizeof(action));
	for (size_t i = 0; i < 2; i++) {
		struct nuki_entry *entry = &bench->nuki->log[i];
		entry->auth_id = 2;
		entry->at.s = 1748779205; /* 12:00:05 */
		text_copy(entry->name, sizeof(entry->name), "Anna iPhone");
	}
}

static void log_entries(void **state) {
	replay("flow-s-g14-logs", two_entries);
}

static void update_time(void **state) {
	replay("flow-s-g14-time", NULL);
}

static void state_5g(void **state) {
	replay("flow-s-5g-state_only", NULL);
}

static void lock_5g(void **state) {
	replay("flow-s-5g-lock", unlocked);
}

static void verify_5g(void **state) {
	replay("flow-s-5g-verify", NULL);
}

/*
 * The vendor's own worked example. Its lock's private key is not known, so the key exchange is made
 * good by hand; from the authenticator on everything is compared.
 */
static void vendor_example(void **state) {
	const json_t *vector = find("doc21-pairing");
	const json_t *messages = json_object_get(vector, "messages");
	const json_t *expect = json_object_get(vector, "expect");
	static const uint8_t request[] = { 0x01, 0x00, 0x03, 0x00, 0x27, 0xa7 };
	struct bench bench;
	uint8_t wire[512], said[512];
	bench_init(&bench, "nuki:gen2", NULL);
	struct nuki *nuki = bench.nuki;
	nuki_set_pairing(nuki, true);
	nuki->next_auth_id = number(expect, "authorization_id");
	hex(expect, "lock_uuid_hex", nuki->uuid, sizeof(nuki->uuid));
	hex(json_array_get(messages, 5), "hex", wire, sizeof(wire));
	bench_queue(&bench, SIM_RANDOM_CHALLENGE, wire + 2, 32);
	hex(json_array_get(messages, 7), "hex", wire, sizeof(wire));
	bench_queue(&bench, SIM_RANDOM_CHALLENGE, wire + 54, 32);
	int link = bench_connect(&bench, 517);
	bench_write(&bench, link, NUKI_CHAR_PAIRING, request, sizeof(request));
	assert_non_null(bench_next(&bench));

	struct nuki_link *at = &nuki->links[link];
	hex(json_array_get(messages, 1), "hex", wire, sizeof(wire));
	memcpy(at->own_public, wire + 2, 32);
	hex(json_array_get(messages, 2), "hex", wire, sizeof(wire));
	memcpy(at->peer_public, wire + 2, 32);
	hex(json_array_get(messages, 3), "hex", wire, sizeof(wire));
	memcpy(at->challenge, wire + 2, 32);
	hex(expect, "shared_key_hex", at->shared, sizeof(at->shared));
	at->pair = NUKI_PAIR_AUTHENTICATOR;

	for (size_t i = 4; i < json_array_size(messages); i += 2) {
		size_t n = hex(json_array_get(messages, i), "hex", wire, sizeof(wire));
		bench_write(&bench, link, NUKI_CHAR_PAIRING, wire, n);
		n = hex(json_array_get(messages, i + 1), "hex", said, sizeof(said));
		const struct said *answer = bench_next(&bench);
		assert_non_null(answer);
		assert_int_equal(answer->n, n);
		assert_memory_equal(answer->value, said, n);
	}
	assert_int_equal(nuki->n_auths, 1);
	assert_string_equal(nuki->auths[0]->name, "Marc (Test)");
	bench_finish(&bench);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pair_gen1_4),
		cmocka_unit_test(pair_5g),
		cmocka_unit_test(vendor_example),
		cmocka_unit_test(state_and_config),
		cmocka_unit_test(lock),
		cmocka_unit_test(unlock),
		cmocka_unit_test(verify),
		cmocka_unit_test(verify_bad),
		cmocka_unit_test(log_entries),
		cmocka_unit_test(update_time),
		cmocka_unit_test(state_5g),
		cmocka_unit_test(lock_5g),
		cmocka_unit_test(verify_5g),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
