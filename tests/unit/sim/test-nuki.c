/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The virtual Nuki by the document: what it accepts, refuses, remembers and forgets. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "nuki-client.h"
#include "util/bytes.h"

static const uint32_t pin = 1234;
static const char *const with_pin[] = { "pin", "1234", "keypad", "1", "sensor", "1", NULL };
static const uint8_t want_states[] = { NUKI_STATES, 0 };
static const uint8_t unlock_args[] = { NUKI_ACTION_UNLOCK, 0, 0, 0, 0, 0 };
static const uint8_t lock_args[] = { NUKI_ACTION_LOCK, 0, 0, 0, 0, 0 };

static int setup_crypto(void **state) {
	return crypto_setup();
}

static void start(struct bench *bench) {
	bench_init(bench, "nuki:gen4", with_pin);
}

/* ---- messages ---- */

static void small_mtu_cuts_into_20(void **state) {
	struct bench bench;
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_BRIDGE, 7);
	int link = bench_connect(&bench, 23);
	bench_send(&bench, link, auth, NUKI_REQUEST_DATA, want_states, sizeof(want_states));
	size_t n = 54 + 27;
	assert_int_equal(bench.n_said, (n + 19) / 20);
	for (size_t i = 0; i + 1 < bench.n_said; i++) {
		assert_int_equal(bench.said[i].n, 20);
	}
	bench_expect(&bench, auth, NUKI_STATES, NUKI_MODE_DOOR);
	bench_finish(&bench);
}

static void stranger_gets_the_plain_error(void **state) {
	static const uint8_t wanted[] = { 0x12, 0x00, 0x20, 0x00, 0x00, 0x13, 0xd7 };
	struct bench bench;
	start(&bench);
	struct nuki_auth wrong = *bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	wrong.key[0] ^= 1;
	bench_send(&bench, link, &wrong, NUKI_REQUEST_DATA, want_states, sizeof(want_states));
	wrong.key[0] ^= 1;
	wrong.id = 8;
	bench_send(&bench, link, &wrong, NUKI_REQUEST_DATA, want_states, sizeof(want_states));
	for (int i = 0; i < 2; i++) {
		const struct said *said = bench_next(&bench);
		assert_non_null(said);
		assert_int_equal(said->chr, NUKI_CHAR_PLAIN);
		assert_int_equal(said->n, sizeof(wanted));
		assert_memory_equal(said->value, wanted, sizeof(wanted));
	}
	bench_expect_silence(&bench);
	bench_finish(&bench);
}

static void states_grow_with_the_firmware(void **state) {
	static const struct {
		const char *model, *firmware;
		size_t n;
	} rows[] = {
		{ "nuki:gen1", "1.2.0", 15 },
		{ "nuki:gen2", "2.2.0", 19 },
		{ "nuki:gen2", "2.8.15", 21 },
		{ "nuki:gen3", "3.2.0", 26 },
		{ "nuki:gen4", "4.0.8", 27 },
		{ "nuki:5g", "5.1.0", 27 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *const extra[] = { "firmware", rows[i].firmware, NULL };
		struct bench bench;
		struct nuki_message message;
		bench_init(&bench, rows[i].model, extra);
		const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 3);
		int link = bench_connect(&bench, 517);
		bench_send(&bench, link, auth, NUKI_REQUEST_DATA, want_states, sizeof(want_states));
		assert_true(bench_receive(&bench, auth, &message));
		assert_int_equal(message.n, rows[i].n);
		bench_finish(&bench);
	}
}

static void wrong_length_is_told(void **state) {
	struct bench bench;
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	bench_command(&bench, link, auth, NUKI_LOCK_ACTION, lock_args, 5, NULL);
	bench_expect(&bench, auth, NUKI_ERROR_REPORT, NUKI_E_BAD_LENGTH);
	bench_send(&bench, link, auth, 0x7777, NULL, 0);
	bench_expect(&bench, auth, NUKI_ERROR_REPORT, NUKI_E_UNKNOWN);
	bench_finish(&bench);
}

static void garbage_does_no_harm(void **state) {
	struct bench bench;
	uint8_t wire[300];
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	nuki_set_pairing(bench.nuki, true);
	int link = bench_connect(&bench, 517);
	for (unsigned round = 0; round < 3000; round++) {
		size_t n = round % sizeof(wire);
		for (size_t i = 0; i < n; i++) {
			wire[i] = (uint8_t) (round * 31 + i * i * 7 + (i >> 3));
		}
		bench_write(&bench, link, round % 2 ? NUKI_CHAR_USER : NUKI_CHAR_PAIRING, wire, n);
		/* And well sealed nonsense: every command with every length. */
		bench_send(&bench, link, auth, (uint16_t) (round % 0x60), wire, n);
		bench.n_said = bench.n_read = 0;
		bench_pass(&bench, 10);
	}
	bench_finish(&bench);
}

/* ---- pairing ---- */

static void expect_plain_error(struct bench *bench, uint8_t error) {
	struct nuki_message message;
	const struct said *said = bench_next(bench);
	assert_non_null(said);
	assert_int_equal(said->chr, NUKI_CHAR_PAIRING);
	assert_int_equal(nuki_open_plain(said->value, said->n, &message), 0);
	assert_int_equal(message.command, NUKI_ERROR_REPORT);
	assert_int_equal(message.payload[0], error);
}

static void send_plain(
	struct bench *bench, int link, uint16_t command, const void *payload, size_t n) {
	uint8_t wire[NUKI_WIRE_MAX];
	size_t n_wire = nuki_plain(command, payload, n, wire);
	bench_write(bench, link, NUKI_CHAR_PAIRING, wire, n_wire);
}

static void pairing_needs_the_mode_and_the_order(void **state) {
	static const uint8_t want_key[] = { NUKI_PUBLIC_KEY, 0 };
	uint8_t key[32] = { 9 }, bad[32] = { 1 };
	struct bench bench;
	start(&bench);
	int link = bench_connect(&bench, 517);
	send_plain(&bench, link, NUKI_REQUEST_DATA, want_key, sizeof(want_key));
	expect_plain_error(&bench, NUKI_E_NOT_PAIRING);

	nuki_set_pairing(bench.nuki, true);
	send_plain(&bench, link, NUKI_PUBLIC_KEY, key, sizeof(key));
	expect_plain_error(&bench, NUKI_E_UNKNOWN);

	send_plain(&bench, link, NUKI_REQUEST_DATA, want_key, sizeof(want_key));
	assert_non_null(bench_next(&bench));
	send_plain(&bench, link, NUKI_PUBLIC_KEY, key, sizeof(key));
	assert_non_null(bench_next(&bench));
	send_plain(&bench, link, NUKI_AUTHENTICATOR, bad, sizeof(bad));
	expect_plain_error(&bench, NUKI_E_BAD_AUTHENTICATOR);
	/* The mistake has put it back to the beginning. */
	send_plain(&bench, link, NUKI_AUTHENTICATOR, bad, sizeof(bad));
	expect_plain_error(&bench, NUKI_E_UNKNOWN);

	memset(key, 0, sizeof(key));
	send_plain(&bench, link, NUKI_REQUEST_DATA, want_key, sizeof(want_key));
	assert_non_null(bench_next(&bench));
	send_plain(&bench, link, NUKI_PUBLIC_KEY, key, sizeof(key)); /* a point of low order */
	expect_plain_error(&bench, NUKI_E_PAIRING_PARAMETER);
	assert_int_equal(bench.nuki->n_auths, 0);
	bench_finish(&bench);
}

static void pairing_mode_shows_and_ends(void **state) {
	struct bench bench;
	struct sim_advert advert;
	char why[SIM_TEXT_MAX];
	start(&bench);
	sim_lock_advert(bench.lock, &advert);
	assert_int_equal(advert.company, 0x004c);
	assert_int_equal(advert.n_manufacturer, 23);
	assert_int_equal(bench.lock->impl->pairing(bench.lock, true, bench.now, why), 0);
	sim_lock_advert(bench.lock, &advert);
	assert_int_equal(advert.n_manufacturer, 0);
	assert_string_equal(advert.service, "a92ee100-5501-11e4-916c-0800200c9a66");
	assert_int_equal(advert.n_data, 4);
	bench_pass(&bench, NUKI_PAIRING_MS);
	sim_lock_advert(bench.lock, &advert);
	assert_int_equal(advert.n_manufacturer, 23);
	bench.nuki->config.pairing_enabled = 0;
	assert_int_equal(bench.lock->impl->pairing(bench.lock, true, bench.now, why), -EPERM);
	bench_finish(&bench);
}

static void one_bridge_and_one_per_app(void **state) {
	struct bench bench;
	start(&bench);
	bench_auth(&bench, NUKI_TYPE_BRIDGE, 7);
	bench_auth(&bench, NUKI_TYPE_APP, 8);
	assert_int_equal(bench.nuki->n_auths, 2);
	bench_auth(&bench, NUKI_TYPE_BRIDGE, 9);
	assert_int_equal(bench.nuki->n_auths, 2);
	assert_null(nuki_auth_find(bench.nuki, 7));
	struct nuki_auth again = {
		.id = 10, .app_id = 8, .type = NUKI_TYPE_APP, .is_enabled = true
	};
	assert_non_null(nuki_auth_add(bench.nuki, &again));
	assert_null(nuki_auth_find(bench.nuki, 8));
	bench_finish(&bench);
}

/* ---- challenge and PIN ---- */

static void challenge_is_good_for_one_command(void **state) {
	struct bench bench;
	struct nuki_message challenge;
	static const uint8_t wanted[] = { NUKI_CHALLENGE, 0 };
	uint8_t payload[38];
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	bench_send(&bench, link, auth, NUKI_REQUEST_DATA, wanted, sizeof(wanted));
	assert_true(bench_receive(&bench, auth, &challenge));
	memcpy(payload, unlock_args, 6);
	memcpy(payload + 6, challenge.payload, 32);
	bench_send(&bench, link, auth, NUKI_LOCK_ACTION, payload, sizeof(payload));
	bench_expect(&bench, auth, NUKI_STATUS, NUKI_STATUS_ACCEPTED);
	/* The very same message once more: a replay. */
	bench_send(&bench, link, auth, NUKI_LOCK_ACTION, payload, sizeof(payload));
	bench_expect(&bench, auth, NUKI_ERROR_REPORT, NUKI_E_BAD_NONCE);
	bench_pass(&bench, 10000);
	assert_int_equal(bench.lock->counters.motor_unlock, 1);
	assert_int_equal(bench.lock->counters.commands_unlock, 1);
	bench_finish(&bench);
}

static void wrong_pins_lock_it_for_a_while(void **state) {
	struct bench bench;
	uint32_t wrong = 4321;
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	bench.nuki->idle_ms = 0;
	int link = bench_connect(&bench, 517);
	for (int i = 0; i < NUKI_PIN_TRIES; i++) {
		bench_command(&bench, link, auth, NUKI_VERIFY_PIN, NULL, 0, &wrong);
		bench_expect(&bench, auth, NUKI_ERROR_REPORT, NUKI_E_BAD_PIN);
	}
	bench_command(&bench, link, auth, NUKI_VERIFY_PIN, NULL, 0, &pin);
	bench_expect(&bench, auth, NUKI_ERROR_REPORT, NUKI_E_TOO_MANY_PIN_ATTEMPTS);
	bench_pass(&bench, NUKI_PIN_LOCKED_MS);
	bench_command(&bench, link, auth, NUKI_VERIFY_PIN, NULL, 0, &pin);
	bench_expect(&bench, auth, NUKI_STATUS, NUKI_STATUS_COMPLETE);
	bench_finish(&bench);
}

/* ---- the motor ---- */

static void unlatch_passes_all_states(void **state) {
	static const uint8_t args[] = { NUKI_ACTION_UNLATCH, 0, 0, 0, 0, 0 };
	static const uint8_t states[] = { 0x02, 0x07, 0x05, 0x03 };
	struct bench bench;
	struct nuki_message message;
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	bench_command(&bench, link, auth, NUKI_LOCK_ACTION, args, sizeof(args), NULL);
	bench_pass(&bench, 10000);
	bench_expect(&bench, auth, NUKI_STATUS, NUKI_STATUS_ACCEPTED);
	for (size_t i = 0; i < sizeof(states); i++) {
		assert_true(bench_receive(&bench, auth, &message));
		assert_int_equal(message.command, NUKI_STATES);
		assert_int_equal(message.payload[1], states[i]);
	}
	bench_expect(&bench, auth, NUKI_STATUS, NUKI_STATUS_COMPLETE);
	bench_expect_silence(&bench);
	bench_finish(&bench);
}

static void jam_ends_in_an_error(void **state) {
	struct bench bench;
	struct nuki_message message;
	char why[SIM_TEXT_MAX];
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	bench.nuki->body.bolt = BOLT_UNLOCKED;
	int link = bench_connect(&bench, 517);
	bench.lock->impl->jam(bench.lock, "on", why);
	bench_command(&bench, link, auth, NUKI_LOCK_ACTION, lock_args, sizeof(lock_args), NULL);
	bench_pass(&bench, 10000);
	bench_expect(&bench, auth, NUKI_STATUS, NUKI_STATUS_ACCEPTED);
	assert_true(bench_receive(&bench, auth, &message));
	assert_int_equal(message.payload[1], 0x04);
	assert_true(bench_receive(&bench, auth, &message));
	assert_int_equal(message.payload[1], 0xfe);
	assert_int_equal(message.payload[17], 0x01); /* completion: motor blocked */
	assert_true(bench_receive(&bench, auth, &message));
	assert_int_equal(message.command, NUKI_ERROR_REPORT);
	assert_int_equal(message.payload[0], NUKI_E_MOTOR_BLOCKED);
	assert_int_equal(message.payload[1], NUKI_LOCK_ACTION);
	assert_int_equal(nuki_log_at(bench.nuki, bench.nuki->n_log - 1)->data[3], 0x01);
	/* The way is free again. */
	bench.lock->impl->jam(bench.lock, "off", why);
	bench_command(&bench, link, auth, NUKI_LOCK_ACTION, lock_args, sizeof(lock_args), NULL);
	bench_pass(&bench, 10000);
	assert_int_equal(nuki_lock_state(bench.nuki), 0x01);
	bench_finish(&bench);
}

static void second_action_is_told_busy(void **state) {
	struct bench bench;
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	bench_command(&bench, link, auth, NUKI_LOCK_ACTION, unlock_args, sizeof(unlock_args), NULL);
	bench_expect(&bench, auth, NUKI_STATUS, NUKI_STATUS_ACCEPTED);
	bench_command(&bench, link, auth, NUKI_LOCK_ACTION, lock_args, sizeof(lock_args), NULL);
	bench_expect(&bench, auth, NUKI_ERROR_REPORT, NUKI_E_BUSY);
	bench_finish(&bench);
}

static void motor_goes_on_without_the_link(void **state) {
	struct bench bench;
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	bench_command(&bench, link, auth, NUKI_LOCK_ACTION, unlock_args, sizeof(unlock_args), NULL);
	sim_lock_disconnect(bench.lock, link, bench.now);
	bench_pass(&bench, 10000);
	assert_int_equal(nuki_lock_state(bench.nuki), 0x03);
	bench_finish(&bench);
}

static void lock_n_go_locks_again(void **state) {
	static const uint8_t args[] = { NUKI_ACTION_LOCK_N_GO, 0, 0, 0, 0, 0 };
	struct bench bench;
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	bench_command(&bench, link, auth, NUKI_LOCK_ACTION, args, sizeof(args), NULL);
	bench_pass(&bench, 5000);
	assert_int_equal(nuki_lock_state(bench.nuki), 0x06);
	bench_pass(&bench, 30000);
	assert_int_equal(nuki_lock_state(bench.nuki), 0x01);
	bench_finish(&bench);
}

static void empty_battery_does_not_turn(void **state) {
	struct bench bench;
	char why[SIM_TEXT_MAX];
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	bench.lock->impl->battery(bench.lock, 1, why);
	bench_command(&bench, link, auth, NUKI_LOCK_ACTION, unlock_args, sizeof(unlock_args), NULL);
	bench_expect(&bench, auth, NUKI_ERROR_REPORT, NUKI_E_MOTOR_LOW_VOLTAGE);
	bench_pass(&bench, 10000);
	assert_int_equal(nuki_lock_state(bench.nuki), 0x01);
	bench_finish(&bench);
}

static void battery_drains(void **state) {
	struct bench bench;
	char why[SIM_TEXT_MAX];
	start(&bench);
	bench.lock->impl->drain(bench.lock, 10, bench.now, why);
	bench_pass(&bench, 2 * 3600000);
	assert_int_equal(body_percent(&bench.nuki->body, bench.now), 80);
	bench_finish(&bench);
}

/* ---- at the door ---- */

static uint8_t advert_bit(struct bench *bench) {
	struct sim_advert advert;
	sim_lock_advert(bench->lock, &advert);
	return advert.manufacturer[22] & 1;
}

static void only_a_bridge_clears_the_bit(void **state) {
	struct bench bench;
	char why[SIM_TEXT_MAX];
	start(&bench);
	const struct nuki_auth *bridge = bench_auth(&bench, NUKI_TYPE_BRIDGE, 7);
	const struct nuki_auth *app = bench_auth(&bench, NUKI_TYPE_APP, 8);
	int link = bench_connect(&bench, 517);
	assert_int_equal(bench.lock->impl->turn(bench.lock, false, bench.now, why), 0);
	assert_int_equal(advert_bit(&bench), 1);
	bench_send(&bench, link, app, NUKI_REQUEST_DATA, want_states, sizeof(want_states));
	assert_int_equal(advert_bit(&bench), 1);
	bench_send(&bench, link, bridge, NUKI_REQUEST_DATA, want_states, sizeof(want_states));
	assert_int_equal(advert_bit(&bench), 0);
	assert_int_equal(bench.lock->impl->turn(bench.lock, true, bench.now, why), 0);
	assert_int_equal(advert_bit(&bench), 1);
	bench_finish(&bench);
}

static size_t code_args(uint8_t *out, size_t size, uint32_t code) {
	struct wr wr = wr_on(out, size);
	wr_u32le(&wr, code);
	wr_text(&wr, 20, "Anna");
	wr_zeros(&wr, 20);
	return (size_t) wr_end(&wr);
}

static int enter(struct bench *bench, uint32_t code) {
	char why[SIM_TEXT_MAX];
	return bench->lock->impl->keypad(bench->lock, SIM_KEYPAD_CODE, code, NULL, bench->now, why);
}

static void keypad_codes(void **state) {
	struct bench bench;
	uint8_t args[64];
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	static const struct {
		uint32_t code;
		int error;
	} bad[] = { { 123456, 0x23 }, { 345607, 0x23 }, { 34567, 0x23 } };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t n = code_args(args, sizeof(args), bad[i].code);
		bench_command(&bench, link, auth, NUKI_ADD_CODE, args, n, &pin);
		bench_expect(&bench, auth, NUKI_ERROR_REPORT, bad[i].error);
	}
	size_t n = code_args(args, sizeof(args), 345678);
	bench_command(&bench, link, auth, NUKI_ADD_CODE, args, n, &pin);
	bench_expect(&bench, auth, NUKI_CODE_ID, 1);
	bench_command(&bench, link, auth, NUKI_ADD_CODE, args, n, &pin);
	bench_expect(&bench, auth, NUKI_ERROR_REPORT, NUKI_E_CODE_ALREADY_EXISTS);

	assert_int_equal(enter(&bench, 345678), 0);
	bench_pass(&bench, 5000);
	assert_int_equal(nuki_lock_state(bench.nuki), 0x03);
	const struct nuki_entry *entry = nuki_log_at(bench.nuki, bench.nuki->n_log - 1);
	assert_int_equal(entry->type, NUKI_LOG_KEYPAD);
	assert_memory_equal(entry->data, ((uint8_t[]){ 1, 1, 0, 1, 0 }), 5);
	for (int i = 0; i < NUKI_CODE_TRIES; i++) {
		assert_int_equal(enter(&bench, 999999), -EACCES);
	}
	entry = nuki_log_at(bench.nuki, bench.nuki->n_log - 1);
	assert_int_equal(entry->data[2], 0xe0);
	assert_int_equal(enter(&bench, 345678), -EAGAIN);
	bench_finish(&bench);
}

static void code_window_counts(void **state) {
	struct bench bench;
	uint8_t args[64];
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	struct wr wr = wr_on(args, sizeof(args));
	wr_u32le(&wr, 345678);
	wr_text(&wr, 20, "Anna");
	wr_u8(&wr, 1);
	nuki_write_time(&wr, (wall_t){ 0 });
	nuki_write_time(&wr, (wall_t){ bench.wall.s + 3600 });
	wr_u8(&wr, 0x01); /* Sundays: 2025-06-01 is one */
	wr_zeros(&wr, 4);
	bench_command(&bench, link, auth, NUKI_ADD_CODE, args, (size_t) wr_end(&wr), &pin);
	bench_expect(&bench, auth, NUKI_CODE_ID, 1);
	assert_int_equal(enter(&bench, 345678), 0);
	bench_pass(&bench, 5000);
	bench.nuki->codes[0]->window.days = 0x02; /* Saturdays only */
	assert_int_equal(enter(&bench, 345678), -EACCES);
	bench.nuki->codes[0]->window.days = 0;
	bench.wall.s += 3601;
	assert_int_equal(enter(&bench, 345678), -EACCES);
	bench_finish(&bench);
}

static void door_is_told_and_logged(void **state) {
	struct bench bench;
	struct nuki_message message;
	char why[SIM_TEXT_MAX];
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	assert_int_equal(bench.lock->impl->door(bench.lock, true, bench.now, why), -EPERM);
	bench.nuki->body.bolt = BOLT_UNLOCKED;
	bench_send(&bench, link, auth, NUKI_REQUEST_DATA, want_states, sizeof(want_states));
	assert_true(bench_receive(&bench, auth, &message));
	assert_int_equal(message.payload[18], NUKI_DOOR_CLOSED);
	assert_int_equal(bench.lock->impl->door(bench.lock, true, bench.now, why), 0);
	assert_true(bench_receive(&bench, auth, &message)); /* unasked */
	assert_int_equal(message.payload[18], NUKI_DOOR_OPEN);
	assert_int_equal(nuki_log_at(bench.nuki, bench.nuki->n_log - 1)->type, NUKI_LOG_DOOR);
	bench_finish(&bench);
}

/* ---- log ---- */

static void ask_log(struct bench *bench, int link, const struct nuki_auth *auth,
	uint32_t start_index, uint16_t count, uint8_t order) {
	uint8_t args[8];
	struct wr wr = wr_on(args, sizeof(args));
	wr_u32le(&wr, start_index);
	wr_u16le(&wr, count);
	wr_u8(&wr, order);
	wr_u8(&wr, 1);
	bench_command(bench, link, auth, NUKI_REQUEST_LOG, args, sizeof(args), &pin);
}

static void log_wraps_and_pages(void **state) {
	const char *const extra[] = { "pin", "1234", "log", "1500", NULL };
	struct bench bench;
	struct nuki_message message;
	bench_init(&bench, "nuki:gen4", extra);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	assert_int_equal(bench.nuki->n_log, 1000);
	ask_log(&bench, link, auth, 0, 3, 0);
	assert_true(bench_receive(&bench, auth, &message));
	assert_int_equal(message.command, NUKI_LOG_COUNT);
	assert_int_equal(message.payload[1] | message.payload[2] << 8, 1000);
	for (uint32_t wanted = 501; wanted < 504; wanted++) {
		assert_true(bench_receive(&bench, auth, &message));
		struct rd rd = rd_on(message.payload, message.n);
		assert_int_equal(rd_u32le(&rd), wanted);
	}
	bench_expect(&bench, auth, NUKI_STATUS, NUKI_STATUS_COMPLETE);
	/* The entry that is named is not given again. */
	ask_log(&bench, link, auth, 1498, 10, 0);
	assert_true(bench_receive(&bench, auth, &message));
	bench_expect(&bench, auth, NUKI_LOG_ENTRY, 1499 & 0xff);
	bench_expect(&bench, auth, NUKI_LOG_ENTRY, 1500 & 0xff);
	bench_expect(&bench, auth, NUKI_STATUS, NUKI_STATUS_COMPLETE);
	ask_log(&bench, link, auth, 0, 1, 1);
	assert_true(bench_receive(&bench, auth, &message));
	bench_expect(&bench, auth, NUKI_LOG_ENTRY, 1500 & 0xff);
	bench_expect(&bench, auth, NUKI_STATUS, NUKI_STATUS_COMPLETE);
	bench_finish(&bench);
}

/* ---- configuration ---- */

static void config_is_kept_and_checked(void **state) {
	struct bench bench;
	struct nuki_message message;
	uint8_t args[31];
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	uint8_t count = bench.nuki->update_count;
	bench_command(&bench, link, auth, NUKI_REQUEST_ADVANCED_CONFIG, NULL, 0, NULL);
	assert_true(bench_receive(&bench, auth, &message));
	assert_int_equal(message.n, 31);
	memcpy(args, message.payload + 2, 29);
	args[8] = 30; /* lock 'n' go timeout */
	bench_command(&bench, link, auth, NUKI_SET_ADVANCED_CONFIG, args, 29, &pin);
	bench_expect(&bench, auth, NUKI_STATUS, NUKI_STATUS_COMPLETE);
	assert_int_equal(bench.nuki->advanced.lock_n_go_s, 30);
	assert_int_equal(bench.nuki->update_count, count + 1);
	args[8] = 3;
	bench_command(&bench, link, auth, NUKI_SET_ADVANCED_CONFIG, args, 29, &pin);
	bench_expect(&bench, auth, NUKI_ERROR_REPORT, NUKI_E_BAD_PARAMETER);
	bench_command(&bench, link, auth, NUKI_SET_ADVANCED_CONFIG, args, 31, &pin);
	bench_expect(&bench, auth, NUKI_ERROR_REPORT, NUKI_E_BAD_LENGTH);
	bench_finish(&bench);
}

static void own_entry_comes_first(void **state) {
	static const uint8_t args[] = { 0, 0, 10, 0 };
	struct bench bench;
	start(&bench);
	bench_auth(&bench, NUKI_TYPE_APP, 5);
	const struct nuki_auth *own = bench_auth(&bench, NUKI_TYPE_APP, 6);
	bench_auth(&bench, NUKI_TYPE_APP, 9);
	int link = bench_connect(&bench, 517);
	bench_command(&bench, link, own, NUKI_REQUEST_AUTHORIZATIONS, args, sizeof(args), &pin);
	bench_expect(&bench, own, NUKI_AUTHORIZATION_COUNT, 3);
	bench_expect(&bench, own, NUKI_AUTHORIZATION_ENTRY, 6);
	bench_expect(&bench, own, NUKI_AUTHORIZATION_ENTRY, 5);
	bench_expect(&bench, own, NUKI_AUTHORIZATION_ENTRY, 9);
	bench_expect(&bench, own, NUKI_STATUS, NUKI_STATUS_COMPLETE);
	bench_finish(&bench);
}

/* ---- links ---- */

static void idle_link_is_dropped(void **state) {
	struct bench bench;
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	bench_pass(&bench, 19000);
	bench_send(&bench, link, auth, NUKI_REQUEST_DATA, want_states, sizeof(want_states));
	bench_pass(&bench, 19999);
	assert_int_equal(bench.n_dropped, 0);
	bench_pass(&bench, 1);
	assert_int_equal(bench.n_dropped, 1);
	assert_int_equal(bench.lock->counters.connections, 1);
	bench_finish(&bench);
}

static void fifth_link_is_refused(void **state) {
	struct bench bench;
	start(&bench);
	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		bench_connect(&bench, 517);
	}
	assert_int_equal(sim_lock_connect(bench.lock, 517, bench.now), -EBUSY);
	sim_lock_disconnect(bench.lock, 2, bench.now);
	assert_int_equal(sim_lock_connect(bench.lock, 517, bench.now), 2);
	bench_finish(&bench);
}

static void reboot_and_reset(void **state) {
	struct bench bench;
	struct sim_advert advert;
	char why[SIM_TEXT_MAX];
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_APP, 7);
	int link = bench_connect(&bench, 517);
	bench_command(&bench, link, auth, NUKI_REBOOT, NULL, 0, &pin);
	bench_expect(&bench, auth, NUKI_STATUS, NUKI_STATUS_COMPLETE);
	assert_int_equal(bench.n_dropped, 1);
	sim_lock_advert(bench.lock, &advert);
	assert_true(advert.is_silent);
	bench_pass(&bench, NUKI_REBOOT_MS);
	sim_lock_advert(bench.lock, &advert);
	assert_false(advert.is_silent);
	assert_int_equal(bench.nuki->n_auths, 1);
	assert_int_equal(bench.lock->impl->reset(bench.lock, bench.now, why), 0);
	assert_int_equal(bench.nuki->n_auths, 0);
	sim_lock_advert(bench.lock, &advert);
	assert_string_equal(advert.service, "a92ee000-5501-11e4-916c-0800200c9a66");
	bench_finish(&bench);
}

/* ---- memory ---- */

static void memory_survives(void **state) {
	struct bench bench, again;
	uint8_t args[64];
	char why[SIM_TEXT_MAX];
	start(&bench);
	const struct nuki_auth *auth = bench_auth(&bench, NUKI_TYPE_BRIDGE, 7);
	int link = bench_connect(&bench, 517);
	size_t n = code_args(args, sizeof(args), 345678);
	bench_command(&bench, link, auth, NUKI_ADD_CODE, args, n, &pin);
	assert_int_equal(bench.lock->impl->turn(bench.lock, false, bench.now, why), 0);
	assert_int_equal(bench.lock->impl->firmware(bench.lock, "4.1.2", why), 0);
	bench.nuki->config.tz_offset = -300;
	bench.nuki->advanced.unlatch_s = 7;
	json_t *memory = bench.lock->impl->save(bench.lock);

	start(&again);
	assert_int_equal(again.lock->impl->load(again.lock, memory), 0);
	json_t *twice = again.lock->impl->save(again.lock);
	assert_true(json_equal(memory, twice));
	assert_int_equal(again.nuki->n_auths, 1);
	assert_memory_equal(again.nuki->auths[0]->key, auth->key, sizeof(auth->key));
	assert_int_equal(again.nuki->body.bolt, BOLT_UNLOCKED);
	assert_int_equal(again.nuki->advanced.unlatch_s, 7);
	json_object_del(memory, "uuid");
	assert_int_equal(again.lock->impl->load(again.lock, memory), -EINVAL);
	json_decref(memory);
	json_decref(twice);
	bench_finish(&bench);
	bench_finish(&again);
}

static void bad_words_are_told(void **state) {
	static const char *const rows[][7] = {
		{ "name", "Front", "model", "nuki:gen4", NULL },
		{ "name", "front", "model", "nuki:gen6", NULL },
		{ "name", "front", "model", "nuki:gen4", "address", "54:D2:72:AA:BB", NULL },
		{ "name", "front", "model", "nuki:gen4", "pin", "123456", NULL },
		{ "name", "front", "model", "nuki:gen4", "colour", "red", NULL },
		{ "model", "nuki:gen4", NULL },
	};
	struct bench bench;
	start(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sim_lock *lock = NULL;
		char why[SIM_TEXT_MAX] = "";
		assert_int_equal(sim_lock_make(rows[i], &bench.env, &lock, why), -EINVAL);
		assert_null(lock);
		assert_string_not_equal(why, "");
	}
	bench_finish(&bench);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_mtu_cuts_into_20),
		cmocka_unit_test(stranger_gets_the_plain_error),
		cmocka_unit_test(states_grow_with_the_firmware),
		cmocka_unit_test(wrong_length_is_told),
		cmocka_unit_test(garbage_does_no_harm),
		cmocka_unit_test(pairing_needs_the_mode_and_the_order),
		cmocka_unit_test(pairing_mode_shows_and_ends),
		cmocka_unit_test(one_bridge_and_one_per_app),
		cmocka_unit_test(challenge_is_good_for_one_command),
		cmocka_unit_test(wrong_pins_lock_it_for_a_while),
		cmocka_unit_test(unlatch_passes_all_states),
		cmocka_unit_test(jam_ends_in_an_error),
		cmocka_unit_test(second_action_is_told_busy),
		cmocka_unit_test(motor_goes_on_without_the_link),
		cmocka_unit_test(lock_n_go_locks_again),
		cmocka_unit_test(empty_battery_does_not_turn),
		cmocka_unit_test(battery_drains),
		cmocka_unit_test(only_a_bridge_clears_the_bit),
		cmocka_unit_test(keypad_codes),
		cmocka_unit_test(code_window_counts),
		cmocka_unit_test(door_is_told_and_logged),
		cmocka_unit_test(log_wraps_and_pages),
		cmocka_unit_test(config_is_kept_and_checked),
		cmocka_unit_test(own_entry_comes_first),
		cmocka_unit_test(idle_link_is_dropped),
		cmocka_unit_test(fifth_link_is_refused),
		cmocka_unit_test(reboot_and_reset),
		cmocka_unit_test(memory_survives),
		cmocka_unit_test(bad_words_are_told),
	};
	return cmocka_run_group_tests(tests, setup_crypto, NULL);
}
