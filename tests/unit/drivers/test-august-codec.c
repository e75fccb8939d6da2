/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The vectors of tests/vectors/august-yale.json. A case of this program is all vectors of one kind;
 * a kind that is in the file and not in the table fails.
 */

#include "vectors.h"

#include <errno.h>

#include "august/driver.h"
#include "august/frame.h"
#include "august/keys.h"
#include "august/message.h"
#include "util/auto.h"
#include "util/bytes.h"

static void frame_of(const json_t *object, const char *key, uint8_t out[static OCTETS_MAX]) {
	assert_int_equal(octets(object, key, out), AUGUST_FRAME_LEN);
}

/* ---- sums ---- */

static void run_mcu_sum(const json_t *in, const json_t *out) {
	uint8_t frame[OCTETS_MAX];

	frame_of(in, "frame_with_zero_checksum", frame);
	august_mcu_finish(frame);
	assert_int_equal(frame[3], number_of(out, "checksum"));
	assert_octets(out, "frame", frame, AUGUST_FRAME_LEN);
	assert_true(august_mcu_is_good(frame));
	august_mcu_finish(frame); /* what stood there does not count */
	assert_true(august_mcu_is_good(frame));
	frame[7] ^= 0x10;
	assert_false(august_mcu_is_good(frame));
}

static void run_sec_sum(const json_t *in, const json_t *out) {
	uint8_t frame[OCTETS_MAX] = { 0 };

	assert_int_equal(octets(in, "first12", frame), 12);
	august_sec_finish(frame);
	assert_octets(out, "bytes12_15", frame + 12, 4);
	assert_true(august_sec_is_good(frame));
	frame[4] ^= 1;
	assert_false(august_sec_is_good(frame));
}

static void run_sec_valid(const json_t *in, const json_t *out) {
	uint8_t frame[OCTETS_MAX];

	frame_of(in, "plain", frame);
	assert_int_equal(august_sec_is_good(frame), json_is_true(json_object_get(out, "valid")));
	assert_int_equal(frame[0], AUGUST_SEC_NONCE);
	assert_octets(out, "lock_nonce", frame + 4, AUGUST_NONCE_LEN);
	assert_int_equal(frame[17], number_of(out, "slot"));
}

/* ---- from the lock ---- */

static void assert_relock(const json_t *want, struct august_relock relock) {
	const char *mode = json_string_value(json_object_get(want, "autolock_mode"));

	mode = mode != NULL ? mode : text_of(want, "mode");
	assert_int_equal(august_relock_s(relock), number_of(want, "seconds"));
	assert_int_equal(august_relock_is_on_close(relock), strcmp(mode, "instant") == 0);
	assert_int_equal(august_relock_s(relock) == 0, strcmp(mode, "off") == 0);
}

static void assert_fact(const json_t *want, const struct august_said *said) {
	struct evidence evidence = { 0 };

	if (json_object_get(want, "lock") != NULL) {
		if (said->op == AUGUST_OP_STATUS) {
			assert_true((said->has & AUGUST_HAS_BOLT) != 0);
			assert_int_equal(said->bolt, number_of(want, "lock"));
			august_bolt_evidence(said->bolt, &evidence);
			assert_int_equal(evidence.bolt.is_jammed, said->bolt == 7);
		} else {
			assert_int_not_equal(said->result, AUGUST_RESULT_DONE);
		}
	}
	if (json_object_get(want, "door") != NULL) {
		assert_true((said->has & AUGUST_HAS_DOOR) != 0);
		assert_int_equal(said->door, number_of(want, "door"));
	}
	if (json_object_get(want, "battery_mv") != NULL) {
		assert_true((said->has & AUGUST_HAS_BATTERY) != 0);
		assert_int_equal(said->millivolt, number_of(want, "battery_mv"));
		assert_true(august_battery_evidence(said->millivolt, &evidence));
		assert_int_equal(evidence.battery.percent, number_of(want, "percent_table"));
		assert_int_equal(evidence.report.millivolts, number_of(want, "battery_mv"));
	}
	if (json_object_get(want, "autolock_mode") != NULL) {
		assert_true((said->has & AUGUST_HAS_RELOCK) != 0);
		assert_relock(want, said->relock);
	}
}

static void run_parse(const json_t *in, const json_t *out) {
	const json_t *result = json_object_get(out, "op_result");
	uint8_t frame[OCTETS_MAX];
	struct august_said said;
	const json_t *want;
	size_t i;

	frame_of(in, "plain", frame);
	assert_true(august_parse(frame, &said));
	json_array_foreach(json_object_get(out, "states"), i, want) {
		assert_fact(want, &said);
	}
	if (json_is_true(json_object_get(out, "is_ack"))) {
		assert_int_equal(said.kind, AUGUST_TAKEN);
		assert_int_equal(said.op, number_of(out, "op"));
		assert_int_equal(said.sub, number_of(out, "subtype"));
		assert_int_equal(said.has, 0);
	}
	if (result != NULL) {
		const char *text;

		assert_int_equal(said.result, json_integer_value(result));
		assert_int_equal(said.has, 0);
		if (said.result != AUGUST_RESULT_DONE) {
			assert_int_not_equal(
				august_result_fault(said.result, &text), FAULT_LOCK_ERROR);
		}
	}
}

/* What has another length never reaches a cipher: tests of the session. */
static void run_admission(const json_t *in, const json_t *out) {
	uint8_t frame[OCTETS_MAX];
	struct august_said said;

	if (json_object_get(in, "plain") != NULL) {
		frame_of(in, "plain", frame);
		assert_false(august_parse(frame, &said));
	} else {
		assert_int_not_equal(octets(in, "wire", frame), AUGUST_FRAME_LEN);
	}
	assert_false(json_is_true(json_object_get(out, "accept")));
}

static void run_match(const json_t *in, const json_t *out) {
	const char *sub = json_object_get(in, "subtype") != NULL ? "subtype" : "setting";
	uint8_t frame[OCTETS_MAX];
	struct august_said said;

	frame_of(in, "frame", frame);
	assert_true(august_parse(frame, &said));
	assert_int_equal(august_answers(&said, (enum august_op) number_of(in, "op"),
				 (uint8_t) number_of(in, sub)),
		json_is_true(json_object_get(out, "match")));
}

static void run_activity(const json_t *in, const json_t *out) {
	static const struct {
		const char *name;
		enum august_record_type type;
	} types[] = { { "none", AUGUST_RECORD_END }, { "door", AUGUST_RECORD_DOOR },
		{ "lock", AUGUST_RECORD_LOCK }, { "pin", AUGUST_RECORD_PIN } };
	static const struct {
		const char *name;
		enum operation_source source;
	} sources[] = { { "REMOTE", SOURCE_PROPRIETARY_REMOTE }, { "MANUAL", SOURCE_MANUAL },
		{ "PIN", SOURCE_KEYPAD }, { "AUTO_LOCK", SOURCE_AUTO },
		{ "UNKNOWN", SOURCE_UNSPECIFIED } };
	const char *source = json_string_value(json_object_get(out, "source"));
	const char *remote = json_string_value(json_object_get(out, "remote_type"));
	struct august_record record;
	uint8_t frame[OCTETS_MAX];
	bool is_found = false;

	frame_of(in, "plain", frame);
	august_record_parse(frame, &record);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i].name, text_of(out, "type")) == 0) {
			is_found = true;
			assert_int_equal(record.type, types[i].type);
		}
	}
	assert_true(is_found);
	if (record.type == AUGUST_RECORD_END) {
		return;
	}
	assert_int_equal(record.unix_s, number_of(out, "unix"));
	if (record.type == AUGUST_RECORD_DOOR) {
		assert_int_equal(record.door, number_of(out, "door"));
		return;
	}
	assert_int_equal(record.bolt, number_of(out, "lock"));
	assert_int_equal(record.is_bluetooth, remote != NULL && strcmp(remote, "BLE") == 0);
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		if (strcmp(sources[i].name, source) == 0) {
			assert_int_equal(record.source, sources[i].source);
		}
	}
	if (record.type == AUGUST_RECORD_PIN) {
		assert_int_equal(record.slot, number_of(out, "slot"));
	}
}

/* Of the first models lockhub asks for the clock alone; the rest is not read. */
static void run_legacy_status(const json_t *in, const json_t *out) {
	uint8_t frame[OCTETS_MAX];
	struct august_said said;

	frame_of(in, "plain", frame);
	assert_true(august_parse(frame, &said));
	if (json_object_get(out, "unix") != NULL) {
		assert_int_equal(said.has, AUGUST_HAS_CLOCK);
		assert_int_equal(said.clock_s, number_of(out, "unix"));
	} else {
		assert_int_equal(said.has, 0);
	}
}

/* ---- to the lock ---- */

static void run_build(const json_t *in, const json_t *out) {
	static const struct {
		const char *name;
		uint8_t op, sub;
	} rows[] = {
		{ "getBatteryLevel", 0x02, 0x05 },
		{ "getRtc", 0x02, 0x0a },
		{ "getNumberOfLogEntries", 0x02, 0x09 },
		{ "getLockLogEntry", 0x00, 0x00 },
		{ "factoryReset", 0x24, 0x00 }, /* of which lockhub has no command */
		{ "getParameter 36", 0x04, 36 },
		{ "unlock", 0x0a, 0x00 },
	};
	uint8_t frame[AUGUST_FRAME_LEN];
	bool is_found = false;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].name, text_of(in, "name")) == 0) {
			is_found = true;
			august_make_sub((enum august_op) rows[i].op, rows[i].sub, frame);
			assert_octets(out, "plain", frame, sizeof(frame));
		}
	}
	assert_true(is_found);
}

static void run_relock_write(const json_t *in, const json_t *out) {
	const char *mode = text_of(in, "mode");
	const uint16_t seconds = (uint16_t) number_of(in, "seconds");
	const bool is_off = strcmp(mode, "off") == 0;
	const bool is_on_close = strcmp(mode, "instant") == 0;
	uint8_t frame[AUGUST_FRAME_LEN];

	august_make_relock(
		(struct august_relock){ is_off ? 0 : seconds, is_off || is_on_close ? 0 : seconds },
		frame);
	assert_octets(out, "plain", frame, sizeof(frame));
}

static void run_relock_read(const json_t *in, const json_t *out) {
	uint8_t value[OCTETS_MAX];
	uint8_t frame[AUGUST_FRAME_LEN] = { AUGUST_ANSWER, AUGUST_OP_READ_SETTING, 0, 0,
		AUGUST_SETTING_RELOCK };
	struct august_said said;

	assert_int_equal(octets(in, "value", value), 4);
	memcpy(frame + 8, value, 4);
	august_mcu_finish(frame);
	assert_true(august_parse(frame, &said));
	assert_relock(out, said.relock);
}

static void run_percent(const json_t *in, const json_t *out) {
	assert_int_equal(
		august_percent((unsigned) number_of(in, "millivolt")), number_of(out, "percent"));
}

static void run_plausible(const json_t *in, const json_t *out) {
	struct evidence evidence = { 0 };

	assert_int_equal(august_battery_evidence((unsigned) number_of(in, "millivolt"), &evidence),
		json_is_true(json_object_get(out, "accept")));
	assert_int_equal(evidence.has, 0);
}

static void run_name(const json_t *in, const json_t *out) {
	char name[AUGUST_LOCAL_NAME_LEN + 1];

	august_local_name(text_of(in, "serial"), name);
	assert_string_equal(name, text_of(out, "local_name"));
	august_local_name("L6W7A0", name);
	assert_string_equal(name, "");
}

/* ---- advertisements ---- */

static void hear_one(const json_t *data, struct advert *advert) {
	const char *company;
	json_t *value;

	json_object_foreach((json_t *) data, company, value) {
		struct advert_part *part = &advert->parts[advert->n_parts++];
		size_t n = 0;

		part->company = (uint16_t) atoi(company);
		assert_int_equal(hex_decode_any(json_string_value(value), part->bytes, 64, &n), 0);
		part->n_bytes = n;
	}
}

/* Both as it is found, and as the driver tells it: until the state has been read. */
static void run_adverts(const json_t *in, const json_t *out) {
	const json_t *wanted = json_object_get(out, "poll_wanted");
	struct august_heard heard = { 0 };
	struct heard_memory memory = { 0 };
	struct lock_status status = { 0 };
	const json_t *data;
	size_t i;

	json_array_foreach(json_object_get(in, "manufacturer_data"), i, data) {
		const bool is_wanted = json_is_true(json_array_get(wanted, i));
		struct advert advert = { .address = "78:9C:85:00:00:01" };
		struct evidence evidence = { .has = FACT_HEARD };

		hear_one(data, &advert);
		assert_int_equal(august_advert_take(&advert, &heard), is_wanted);
		august_driver.hear(NULL, &status, &advert, &memory, &evidence);
		assert_int_equal(evidence.is_changed, is_wanted);
		/* Once more, before it has been read: still; after that: not any more. */
		august_driver.hear(NULL, &status, &advert, &memory, &evidence);
		assert_int_equal(evidence.is_changed, is_wanted);
		status.bolt_known.at.ms++;
		august_driver.hear(NULL, &status, &advert, &memory, &evidence);
		assert_false(evidence.is_changed);
	}
}

static void run_gsn(const json_t *in, const json_t *out) {
	struct advert advert = { .n_parts = 1, .parts = { { .company = 76 } } };
	struct august_heard heard = { 0 };

	advert.parts[0].n_bytes =
		octets_into(in, "payload", advert.parts[0].bytes, sizeof(advert.parts[0].bytes));
	assert_true(august_advert_take(&advert, &heard));
	assert_int_equal(heard.gsn, number_of(out, "gsn"));
	advert.parts[0].n_bytes--;
	heard.has_gsn = false;
	assert_false(august_advert_take(&advert, &heard));
}

/* ---- codes ---- */

static void run_pin(const json_t *in, const json_t *out) {
	AUTO_VALUE(secret_wipe) struct secret pin = { 0 };
	AUTO_VALUE(secret_wipe) struct secret again = { 0 };
	uint8_t frame[AUGUST_FRAME_LEN];
	unsigned slot;

	assert_int_equal(secret_set_text(&pin, text_of(in, "pin")), 0);
	august_make_code(AUGUST_OP_CODE_SET, 0, &pin, frame);
	assert_octets(out, "bcd", frame + 4, AUGUST_PIN_LEN);
	/* An answer has it two octets further on. */
	memmove(frame + 6, frame + 4, AUGUST_PIN_LEN);
	frame[4] = 7;
	frame[5] = 1;
	assert_true(august_code_parse(frame, &slot, &again));
	assert_int_equal(slot, 0x107);
	assert_true(secret_equal(&pin, &again));
	for (unsigned empty = 0; empty < 2; empty++) {
		memset(frame + 6, empty == 0 ? 0x00 : 0xff, AUGUST_PIN_LEN);
		assert_false(august_code_parse(frame, &slot, &again));
		assert_int_equal(again.len, 0);
	}
}

static void run_pin_frame(const json_t *in, const json_t *out) {
	const uint8_t op = (uint8_t) number_of(in, "op");
	const char *schedule = json_string_value(json_object_get(in, "schedule"));
	const json_t *slot = json_object_get(in, "slot");
	AUTO_VALUE(secret_wipe) struct secret pin = { 0 };
	uint8_t frame[AUGUST_FRAME_LEN];

	if (json_object_get(in, "pin") != NULL) {
		assert_int_equal(secret_set_text(&pin, text_of(in, "pin")), 0);
	}
	if (op == AUGUST_OP_SET_CLOCK) {
		august_make_clock((uint32_t) number_of(in, "unix"), frame);
	} else if (op == 0x29) { /* clear all: not a command of lockhub's */
		august_make((enum august_op) op, frame);
	} else if (schedule != NULL && strcmp(schedule, "temporary") == 0) {
		august_make_access(
			(uint32_t) number_of(in, "start"), (uint32_t) number_of(in, "end"), frame);
	} else {
		august_make_code((enum august_op) op, (unsigned) json_integer_value(slot),
			pin.len > 0 ? &pin : NULL, frame);
	}
	assert_octets(out, "plain", frame, sizeof(frame));
}

static void run_pin_response(const json_t *in, const json_t *out) {
	uint8_t frame[OCTETS_MAX];
	struct august_said said;

	frame_of(in, "plain", frame);
	assert_true(august_parse(frame, &said));
	assert_true(august_answers(&said, (enum august_op) number_of(out, "op"), 0));
	assert_int_equal(said.result, number_of(out, "result"));
}

/* ---- whole conversations ---- */

static void run_handshake(const json_t *in, const json_t *out) {
	uint8_t key[OCTETS_MAX], random[OCTETS_MAX], nonce[OCTETS_MAX], ready[OCTETS_MAX];
	uint8_t session_key[AUGUST_KEY_LEN];
	const uint8_t slot = (uint8_t) number_of(in, "slot");
	const struct {
		enum august_sec opcode;
		const uint8_t *payload;
		const uint8_t *key;
	} rows[] = { { AUGUST_SEC_OFFER, random, key }, { AUGUST_SEC_NONCE, nonce, key },
		{ AUGUST_SEC_PROOF, random + 8, session_key },
		{ AUGUST_SEC_READY, ready, session_key } };
	const json_t *frames = json_object_get(out, "frames");

	(void) octets(in, "offline_key", key);
	(void) octets(in, "client_random16", random);
	(void) octets(in, "lock_nonce8", nonce);
	(void) octets(in, "lock_init_payload8", ready);
	august_session_key(random, nonce, session_key);
	assert_octets(out, "session_key", session_key, sizeof(session_key));
	assert_int_equal(json_array_size(frames), ARRAY_SIZE(rows));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t plain[AUGUST_FRAME_LEN], wire[AUGUST_FRAME_LEN];
		const json_t *frame = json_array_get(frames, i);

		august_sec_make(rows[i].opcode, rows[i].payload, slot, plain);
		assert_octets(frame, "plain", plain, sizeof(plain));
		august_sec_seal(rows[i].key, plain, wire);
		assert_octets(frame, "wire", wire, sizeof(wire));
		august_sec_open(rows[i].key, wire, wire);
		assert_memory_equal(wire, plain, sizeof(wire));
	}
}

static void run_transcript(const json_t *in, const json_t *out) {
	uint8_t key[OCTETS_MAX];
	struct august_chain chain;
	const json_t *frame;
	size_t i;

	(void) octets(in, "session_key", key);
	august_chain_start(&chain, key);
	json_array_foreach(json_object_get(out, "frames"), i, frame) {
		uint8_t plain[OCTETS_MAX], wire[OCTETS_MAX], got[AUGUST_FRAME_LEN];
		const bool is_out = strcmp(text_of(frame, "dir"), "c2l") == 0;

		frame_of(frame, "plain", plain);
		frame_of(frame, "wire", wire);
		if (strcmp(text_of(frame, "chan"), "sec") == 0) {
			assert_true(august_sec_is_good(plain));
			august_sec_seal(key, plain, got);
			assert_memory_equal(got, wire, sizeof(got));
		} else if (is_out) {
			august_chain_seal(&chain, plain, got);
			assert_memory_equal(got, wire, sizeof(got));
			assert_true(august_mcu_is_good(plain));
		} else {
			struct august_said said;

			august_chain_open(&chain, wire, got);
			assert_memory_equal(got, plain, sizeof(got));
			assert_true(august_parse(got, &said));
		}
	}
}

/* Setting keys in a lock is not lockhub's business; the sums are the same. */
static void run_build_sec(const json_t *in, const json_t *out) {
	uint8_t block[OCTETS_MAX], frame[OCTETS_MAX] = { 0 };

	assert_int_equal(octets(out, "block", block), 16);
	memcpy(frame, block, 12);
	august_sec_finish(frame);
	assert_memory_equal(frame, block, 16);
}

/* ---- the table ---- */

static const struct vector_kind runs[] = {
	{ "mcu_checksum", 6, run_mcu_sum },
	{ "sec_checksum", 6, run_sec_sum },
	{ "sec_frame_valid", 1, run_sec_valid },
	{ "frame_admission", 4, run_admission },
	{ "parse_mcu", 17, run_parse },
	{ "poll_answer_match", 3, run_match },
	{ "setting_answer_match", 2, run_match },
	{ "activity_parse", 6, run_activity },
	{ "legacy_event_parse", 2, NULL }, /* the log of the first models */
	{ "legacy_status_parse", 3, run_legacy_status },
	{ "build_mcu", 7, run_build },
	{ "build_sec", 3, run_build_sec },
	{ "autolock_write", 4, run_relock_write },
	{ "autolock_read", 3, run_relock_read },
	{ "battery_percent", 12, run_percent },
	{ "battery_plausible", 2, run_plausible },
	{ "local_name", 2, run_name },
	{ "advert_sequence", 3, run_adverts },
	{ "homekit_gsn", 1, run_gsn },
	{ "pin_bcd", 4, run_pin },
	{ "pin_frame", 8, run_pin_frame },
	{ "pin_response", 3, run_pin_response },
	{ "handshake", 4, run_handshake },
	{ "session_transcript", 4, run_transcript },
};

static void key_is_read_as_people_write_it(void **state) {
	static const char *const good[] = { "0123456789abcdef0123456789abcdef 200",
		"01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF, 200 ",
		"01234567-89abcdef-01234567-89abcdef  200" };
	static const char *const bad[] = { "", "200", "0123456789abcdef0123456789abcdef",
		"0123456789abcdef0123456789abcdef 0", "0123456789abcdef0123456789abcdef 256",
		"0123456789abcdef0123456789abcdef200", "0123456789abcdef0123456789abcdeg 200",
		"0123456789abcdef0123456789abcdef 2 0", "0123456789abcdef0123456789abcdef x" };
	struct august_keys keys = { .choices = AUGUST_CODES, .model = "ASL-03" };
	struct august_keys again;
	struct secret blob = { 0 };
	struct secret text = { 0 };
	struct fault fault;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		keys.slot = 0;
		assert_int_equal(secret_set_text(&text, good[i]), 0);
		assert_int_equal(august_keys_parse(&text, &keys, &fault), 0);
		assert_int_equal(keys.slot, 200);
		assert_int_equal(keys.key[1], 0x23);
		assert_int_equal(keys.key[15], 0xef);
	}
	august_keys_encode(&keys, &blob);
	assert_int_equal(august_keys_decode(&blob, &again), 0);
	assert_memory_equal(&again, &keys, sizeof(keys));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(secret_set_text(&text, bad[i]), 0);
		fault = (struct fault){ .code = FAULT_NONE };
		assert_int_equal(august_keys_parse(&text, &again, &fault), -EINVAL);
		assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);
		assert_null(strstr(fault.detail, "456789"));
	}
	assert_memory_equal(&again, &keys, sizeof(keys));
	assert_int_equal(august_keys_decode(NULL, &again), -ENODATA);
	blob.len--;
	assert_int_equal(august_keys_decode(&blob, &again), -EBADMSG);
	blob.len++;
	blob.bytes[1] = 0; /* the maker's own slot */
	assert_int_equal(august_keys_decode(&blob, &again), -EBADMSG);
}

/* One change of one octet of neighbours is not ours. */
static void only_its_own_are_sighted(void **state) {
	static const struct {
		uint16_t company;
		size_t n;
		uint8_t second;
		bool is_ours;
	} rows[] = {
		{ 465, 1, 0, true },
		{ 465, 18, 0, true },
		{ 302, 1, 0, true },
		{ 465, 18, 1, false },
		{ 465, 0, 0, false },
		{ 465, 7, 0, false },
		{ 76, 18, 0, false },
		{ 466, 1, 0, false },
	};
	struct sighting sighting;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct advert advert = { .name = "L60004G", .n_parts = 1 };

		advert.parts[0].company = rows[i].company;
		advert.parts[0].n_bytes = rows[i].n;
		advert.parts[0].bytes[1] = rows[i].second;
		assert_int_equal(august_driver.sight(&advert, &sighting), rows[i].is_ours);
	}
	assert_true(sighting.needs_key);
	assert_string_equal(sighting.name, "L60004G");
}

int main(void) {
	static const struct vectors vectors = { "august-codec", "august-yale.json", "kind", "in",
		"out" };
	const struct CMUnitTest others[] = {
		cmocka_unit_test(key_is_read_as_people_write_it),
		cmocka_unit_test(only_its_own_are_sighted),
	};

	return vectors_main(&vectors, runs, ARRAY_SIZE(runs), others, ARRAY_SIZE(others));
}
