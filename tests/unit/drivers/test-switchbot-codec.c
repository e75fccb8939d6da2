/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The vectors of tests/vectors/switchbot-lock.json. A case of this program is all vectors of one
 * kind; a kind that is in the file and not in the table fails. Keypads are devices of their own, of
 * which lockhub has none: their kinds stand in the table without a function, and their
 * advertisements must not be taken for a lock's.
 */

#include "vectors.h"

#include <errno.h>

#include "switchbot/cipher.h"
#include "switchbot/keys.h"
#include "switchbot/message.h"
#include "util/auto.h"
#include "util/bytes.h"

#define SERVICE_UUID "0000fd3d-0000-1000-8000-00805f9b34fb"
#define SWITCHBOT_COMPANY 2409

static const struct {
	const char *name;
	enum switchbot_model model;
} model_names[] = {
	{ "lock", SWITCHBOT_LOCK },
	{ "lock_lite", SWITCHBOT_LOCK_LITE },
	{ "lock_pro", SWITCHBOT_LOCK_PRO },
	{ "lock_ultra", SWITCHBOT_LOCK_ULTRA },
	{ "lock_vision", SWITCHBOT_LOCK_VISION },
	{ "lock_vision_pro", SWITCHBOT_LOCK_VISION_PRO },
	{ "lock_pro_wifi", SWITCHBOT_LOCK_PRO_WIFI },
};

/* UNKNOWN: a keypad, or none. */
static enum switchbot_model model_of(const json_t *object, const char *key) {
	const char *name = json_string_value(json_object_get(object, key));

	for (size_t i = 0; name != NULL && i < ARRAY_SIZE(model_names); i++) {
		if (strcmp(name, model_names[i].name) == 0) {
			return model_names[i].model;
		}
	}
	return SWITCHBOT_MODEL_UNKNOWN;
}

static struct switchbot_cipher cipher_of(const json_t *in, enum switchbot_mode mode) {
	struct switchbot_cipher cipher = { .mode = mode };
	uint8_t buf[OCTETS_MAX];

	assert_int_equal(octets(in, "key", buf), SWITCHBOT_KEY_LEN);
	memcpy(cipher.key, buf, sizeof(cipher.key));
	cipher.key_id = (uint8_t) json_integer_value(json_object_get(in, "key_id"));
	if (json_object_get(in, "iv") != NULL) {
		memcpy(cipher.start, buf, octets(in, "iv", buf) <= 16 ? 16 : 0);
	}
	return cipher;
}

/* ---- advertisements ---- */

static void put_part(
	struct advert *advert, const json_t *in, const char *key, struct advert_part part) {
	if (json_is_string(json_object_get(in, key))) {
		part.n_bytes = octets_into(in, key, part.bytes, sizeof(part.bytes));
		advert->parts[advert->n_parts++] = part;
	}
}

static void assert_flag(const json_t *fields, const char *key, bool got) {
	const json_t *want = json_object_get(fields, key);

	if (want != NULL && json_is_true(want) != got) {
		fail_msg("%s is %d", key, got);
	}
}

static void assert_number(const json_t *fields, const char *key, int got) {
	const json_t *want = json_object_get(fields, key);

	if (want != NULL) {
		assert_int_equal(got, json_is_null(want) ? -1 : json_integer_value(want));
	}
}

static void assert_state(const json_t *fields, const struct switchbot_state *state) {
	assert_flag(fields, "calibration", state->is_calibrated);
	assert_number(fields, "status", state->status);
	assert_flag(fields, "door_open", state->is_door_open);
	assert_flag(fields, "unclosed_alarm", state->is_left_open);
	assert_flag(fields, "unlocked_alarm", state->is_left_unlocked);
}

static void run_advert(const json_t *in, const json_t *out) {
	struct advert advert = { .address = "B0:E9:FE:00:00:01" };
	struct switchbot_advert got;
	const enum switchbot_model known = model_of(in, "model_hint");
	const enum switchbot_model want = model_of(out, "model");
	const json_t *fields = json_object_get(out, "fields");

	put_part(&advert, in, "mfr_2409", (struct advert_part){ .company = SWITCHBOT_COMPANY });
	put_part(&advert, in, "svc_fd3d",
		(struct advert_part){ .is_service = true, .uuid = SERVICE_UUID });
	const bool is_ours = switchbot_advert_parse(&advert, known, &got);
	if (json_is_true(json_object_get(out, "decoded")) && want != SWITCHBOT_MODEL_UNKNOWN) {
		assert_true(is_ours);
		assert_int_equal(got.model != SWITCHBOT_MODEL_UNKNOWN ? got.model : known, want);
		assert_true(got.has_state);
		assert_number(fields, "sequence_number", got.sequence);
		assert_number(fields, "battery", got.state.percent);
		assert_flag(fields, "update_from_secondary_lock", got.state.is_secondary);
		assert_flag(fields, "night_latch", got.state.has_night_latch);
		assert_state(fields, &got.state);
	} else if (known == SWITCHBOT_MODEL_UNKNOWN && want == SWITCHBOT_MODEL_UNKNOWN) {
		/* Recognised without a model: too short, and a lock's; else a keypad's or nobody's.
		 */
		assert_true(!is_ours || !got.has_state);
	} else {
		assert_false(is_ours && got.has_state);
	}
}

/* ---- answers ---- */

static void run_info(const json_t *in, const json_t *out) {
	struct switchbot_state state;
	uint8_t buf[OCTETS_MAX];
	const size_t n = octets(in, "payload", buf);

	assert_int_equal(switchbot_info_parse(model_of(in, "model"), buf, n, &state), 0);
	assert_state(out, &state);
	assert_int_equal(switchbot_info_parse(model_of(in, "model"), buf, 1, &state), -EBADMSG);
}

static void run_basic(const json_t *in, const json_t *out) {
	uint8_t buf[OCTETS_MAX];
	const size_t n = octets(in, "payload_after_status", buf);
	int percent;
	int firmware;

	assert_int_equal(switchbot_basic_parse(buf, n, &percent, &firmware), 0);
	assert_number(out, "battery", percent);
	assert_number(out, "firmware_x10", firmware);
	buf[0] = 101; /* more than full: what a wrong key makes of it */
	assert_int_equal(switchbot_basic_parse(buf, n, &percent, &firmware), -EBADMSG);
	assert_int_equal(switchbot_basic_parse(buf, 0, &percent, &firmware), -EBADMSG);
}

static void run_result(const json_t *in, const json_t *out) {
	const uint8_t result = (uint8_t) json_integer_value(json_object_get(in, "first_byte"));

	assert_flag(out, "success", switchbot_is_done(result));
	assert_flag(out, "unsolicited", result == SWITCHBOT_NEWS);
	assert_flag(out, "low_battery", result == SWITCHBOT_DONE_WEAK);
}

static void run_news(const json_t *in, const json_t *out) {
	const struct switchbot_cipher cipher = cipher_of(in, SWITCHBOT_MODE_CTR);
	struct switchbot_state state;
	uint8_t wire[OCTETS_MAX];
	uint8_t plain[SWITCHBOT_FRAME_MAX];
	const size_t n = octets(in, "wire", wire);
	const ssize_t n_plain = switchbot_open(&cipher, wire, n, plain);

	assert_int_equal(wire[0], SWITCHBOT_NEWS);
	assert_true(n_plain > 0);
	assert_int_equal(
		switchbot_info_parse(model_of(in, "model"), plain, (size_t) n_plain, &state), 0);
	assert_state(out, &state);
}

/* ---- commands ---- */

static void run_command(const json_t *in, const json_t *out) {
	static const struct {
		const char *action;
		enum switchbot_command command;
	} rows[] = {
		{ "lock", SWITCHBOT_DO_LOCK },
		{ "unlock", SWITCHBOT_DO_UNLATCH }, /* that one pulls the latch */
		{ "unlock_without_unlatch", SWITCHBOT_DO_UNLOCK },
		{ "info", SWITCHBOT_READ_STATE },
		{ "enable_notifications", SWITCHBOT_NOTIFY },
		{ "basic_info", SWITCHBOT_READ_BASIC },
	};
	const char *action = text_of(in, "action");
	uint8_t buf[SWITCHBOT_COMMAND_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].action, action) == 0) {
			assert_octets(out, "plain_after_57", buf,
				switchbot_command(model_of(in, "model"), rows[i].command, buf));
			return;
		}
	}
	/* Nothing that lockhub says. */
	assert_true(
		strcmp(action, "half_lock") == 0 || strcmp(action, "disable_notifications") == 0);
}

/* ---- cipher ---- */

static void run_start_request(const json_t *in, const json_t *out) {
	uint8_t buf[SWITCHBOT_FRAME_MAX];

	assert_octets(out, "wire", buf,
		switchbot_start_request(
			(uint8_t) json_integer_value(json_object_get(in, "key_id")), buf));
}

static void run_start(const json_t *in, const json_t *out) {
	struct switchbot_cipher cipher = { 0 };
	uint8_t buf[OCTETS_MAX];
	const int r = switchbot_start_take(&cipher, buf, octets(in, "reply", buf));

	assert_flag(out, "ok", r == 0);
	if (r == 0) {
		const bool is_gcm = strcmp(text_of(out, "mode"), "gcm") == 0;

		assert_int_equal(cipher.mode, is_gcm ? SWITCHBOT_MODE_GCM : SWITCHBOT_MODE_CTR);
		assert_octets(out, "iv", cipher.start, is_gcm ? 12 : 16);
	} else {
		assert_int_equal(cipher.mode, SWITCHBOT_MODE_NONE);
	}
}

static void seal(const json_t *in, const json_t *out, enum switchbot_mode mode) {
	const struct switchbot_cipher cipher = cipher_of(in, mode);
	uint8_t plain[OCTETS_MAX];
	uint8_t wire[SWITCHBOT_FRAME_MAX];
	const ssize_t n = switchbot_seal(&cipher, plain, octets(in, "plain_after_57", plain), wire);

	assert_true(n > 0);
	assert_octets(out, "wire", wire, (size_t) n);
}

static void run_ctr(const json_t *in, const json_t *out) {
	seal(in, out, SWITCHBOT_MODE_CTR);
}

static void run_gcm(const json_t *in, const json_t *out) {
	seal(in, out, SWITCHBOT_MODE_GCM);
}

static void run_open(const json_t *in, const json_t *out) {
	const bool is_gcm = strcmp(text_of(in, "mode"), "gcm") == 0;
	const struct switchbot_cipher cipher =
		cipher_of(in, is_gcm ? SWITCHBOT_MODE_GCM : SWITCHBOT_MODE_CTR);
	uint8_t wire[OCTETS_MAX];
	uint8_t plain[SWITCHBOT_FRAME_MAX];
	const ssize_t n = switchbot_open(&cipher, wire, octets(in, "wire", wire), plain);

	assert_true(n >= 0);
	assert_int_equal(wire[0], json_integer_value(json_object_get(out, "status")));
	assert_octets(out, "payload", plain, (size_t) n);
}

static void run_next(const json_t *in, const json_t *out) {
	struct switchbot_cipher cipher = { .mode = SWITCHBOT_MODE_GCM };
	uint8_t buf[OCTETS_MAX];

	assert_int_equal(octets(in, "iv", buf), 12);
	memcpy(cipher.start, buf, 12);
	switchbot_cipher_next(&cipher);
	assert_octets(out, "iv", cipher.start, 12);
}

/*
 * The key of these real logs is not known: what they prove is that one key stream does for all
 * messages of a link, both ways, so that what is known of one reads the others.
 */
static void run_key_stream(const json_t *in, const json_t *out) {
	uint8_t request[OCTETS_MAX], answer[OCTETS_MAX], stream[OCTETS_MAX], plain[OCTETS_MAX];
	const json_t *stream_owner = json_object_get(in, "keystream_prefix") != NULL ? in : out;
	size_t n_known = octets(in, "request_plain_prefix", plain);

	(void) octets(in, "request", request);
	for (size_t i = 0; i < n_known; i++) {
		stream[i] = plain[i] ^ request[SWITCHBOT_HEAD_LEN + i];
	}
	n_known = octets(stream_owner, "keystream_prefix", plain);
	assert_memory_equal(plain, stream, octets(in, "request_plain_prefix", answer));
	memcpy(stream, plain, n_known);
	if (json_object_get(in, "iv_reply") != NULL) {
		struct switchbot_cipher cipher = { 0 };
		uint8_t start[OCTETS_MAX];

		assert_int_equal(
			switchbot_start_take(&cipher, start, octets(in, "iv_reply", start)), 0);
		assert_memory_equal(request + 2, cipher.start, 2);
	}
	size_t n = octets(in, "answer", answer) - SWITCHBOT_HEAD_LEN;
	n = n < n_known ? n : n_known;
	for (size_t i = 0; i < n; i++) {
		plain[i] = answer[SWITCHBOT_HEAD_LEN + i] ^ stream[i];
	}
	assert_octets(out,
		json_object_get(out, "answer_plain") != NULL ? "answer_plain"
							     : "answer_plain_first_byte",
		plain, n);
}

/* A whole conversation of the public client with a simulated lock: each frame is made again. */
static void run_transcript(const json_t *in, const json_t *out) {
	struct switchbot_cipher cipher = cipher_of(in, SWITCHBOT_MODE_NONE);
	const json_t *message;
	size_t i;

	json_array_foreach(json_object_get(out, "messages"), i, message) {
		const bool is_out = strcmp(text_of(message, "dir"), "c2l") == 0;
		uint8_t plain[OCTETS_MAX], wire[OCTETS_MAX], buf[SWITCHBOT_FRAME_MAX];
		const size_t n_plain = octets(message, "plain", plain);
		const size_t n_wire = octets(message, "wire", wire);

		if (is_out && n_plain == 0) {
			assert_octets(
				message, "wire", buf, switchbot_start_request(cipher.key_id, buf));
		} else if (is_out) {
			const ssize_t n = switchbot_seal(&cipher, plain, n_plain, buf);
			assert_octets(message, "wire", buf, (size_t) n);
		} else if (n_plain == 0) {
			assert_int_equal(switchbot_start_take(&cipher, wire, n_wire), 0);
		} else {
			const ssize_t n = switchbot_open(&cipher, wire, n_wire, buf);
			assert_int_equal(n, n_plain - 1);
			assert_int_equal(wire[0], plain[0]);
			assert_memory_equal(buf, plain + 1, n_plain - 1);
			if (wire[0] != SWITCHBOT_NEWS) {
				switchbot_cipher_next(&cipher);
			}
		}
	}
}

/* ---- the table ---- */

static const struct vector_kind runs[] = {
	{ "adv_parse", 42, run_advert },
	{ "lock_info_parse", 14, run_info },
	{ "basic_info_parse", 3, run_basic },
	{ "status_code", 9, run_result },
	{ "notification", 3, run_news },
	{ "build_command", 23, run_command },
	{ "build_iv_request", 2, run_start_request },
	{ "iv_reply_parse", 6, run_start },
	{ "encrypt_ctr", 15, run_ctr },
	{ "encrypt_gcm", 7, run_gcm },
	{ "decrypt_reply", 11, run_open },
	{ "gcm_iv_increment", 2, run_next },
	{ "real_keystream", 3, run_key_stream },
	{ "session_transcript", 4, run_transcript },
	{ "keypad_to_lock", 8, NULL },
	{ "keypad_add_permanent", 4, NULL },
	{ "keypad_reject", 2, NULL },
	{ "keypad_add_typed", 1, NULL },
	{ "keypad_modify", 1, NULL },
	{ "keypad_delete", 1, NULL },
	{ "keypad_sync_time", 1, NULL },
	{ "keypad_count_parse", 1, NULL },
	{ "keypad_basic_info", 1, NULL },
};

static void key_is_read_as_people_write_it(void **state) {
	static const char *const good[] = { "34 0123456789abcdef0123456789abcdef",
		"340123456789ABCDEF0123456789ABCDEF",
		" 34:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef " };
	static const char *const bad[] = { "", "34", "34 0123456789abcdef0123456789abcde",
		"34 0123456789abcdef0123456789abcdef0", "3g 0123456789abcdef0123456789abcdef" };
	const uint8_t key[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45,
		0x67, 0x89, 0xab, 0xcd, 0xef };
	struct switchbot_keys keys = { .model = SWITCHBOT_LOCK_PRO };
	struct switchbot_keys again;
	struct secret text, blob = { 0 };
	struct fault fault;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(secret_set_text(&text, good[i]), 0);
		assert_int_equal(switchbot_keys_parse(&text, &keys, &fault), 0);
		assert_int_equal(keys.key_id, 0x34);
		assert_memory_equal(keys.key, key, sizeof(key));
	}
	switchbot_keys_encode(&keys, &blob);
	assert_int_equal(switchbot_keys_decode(&blob, &again), 0);
	assert_memory_equal(&again, &keys, sizeof(keys));
	blob.len--;
	assert_int_equal(switchbot_keys_decode(&blob, &again), -EBADMSG);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(secret_set_text(&text, bad[i]), 0);
		assert_int_equal(switchbot_keys_parse(&text, &keys, &fault), -EINVAL);
		assert_null(strstr(fault.detail, "abcde"));
	}
}

int main(void) {
	static const struct vectors vectors = { "switchbot-codec", "switchbot-lock.json", "kind",
		"in", "out" };
	const struct CMUnitTest others[] = {
		cmocka_unit_test(key_is_read_as_people_write_it),
	};

	return vectors_main(&vectors, runs, ARRAY_SIZE(runs), others, ARRAY_SIZE(others));
}
