/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The vectors of tests/vectors/ttlock.json. A case of this program is all vectors of one category;
 * one that is in the file and not in the table fails. What the hub never sends (codes of the
 * maker's cloud, rules by the day of the week for cards) stands in the tables without a function;
 * the virtual lock has its say about the rest.
 */

#include "vectors.h"

#include <errno.h>

#include "core/terms.h"
#include "ttlock/advert.h"
#include "ttlock/frame.h"
#include "ttlock/keys.h"
#include "ttlock/log.h"
#include "ttlock/message.h"
#include "util/auto.h"
#include "util/bytes.h"

static bool has(const json_t *object, const char *key) {
	return json_object_get(object, key) != NULL;
}

static uint8_t octet_of(const char *text) {
	uint8_t buf[OCTETS_MAX];

	assert_int_equal(octets_of(text, buf), 1);
	return buf[0];
}

/* ---- checksum and cipher ---- */

static void run_crc(const json_t *in, const json_t *out) {
	uint8_t buf[OCTETS_MAX];
	size_t i;
	const json_t *body;

	if (has(in, "body")) {
		const size_t n = octets(in, "body", buf);
		assert_int_equal(ttlock_crc(buf, n), octet_of(text_of(out, "crc")));
		return;
	}
	json_array_foreach(json_object_get(in, "bodies"), i, body) {
		const size_t n = octets_of(json_string_value(body), buf);
		const json_t *want = json_array_get(json_object_get(out, "crcs"), i);
		assert_int_equal(ttlock_crc(buf, n), octet_of(json_string_value(want)));
	}
}

static void run_aes(const json_t *in, const json_t *out) {
	uint8_t key[OCTETS_MAX], buf[OCTETS_MAX], got[OCTETS_MAX];
	ssize_t n;

	assert_int_equal(octets(in, "key", key), TTLOCK_KEY_LEN);
	if (has(in, "plaintext")) {
		const size_t n_plain = octets(in, "plaintext", buf);
		n = (ssize_t) ttlock_seal(key, buf, n_plain, got);
		assert_octets(out, "ciphertext", got, (size_t) n);
	} else {
		const size_t n_cipher = octets(in, "ciphertext", buf);
		n = ttlock_open(key, buf, n_cipher, got);
		assert_true(n > 0);
		assert_octets(out, "plaintext", got, (size_t) n);
		key[0] ^= 1; /* another key leaves no padding */
		assert_int_equal(ttlock_open(key, buf, n_cipher, got), -EBADMSG);
		assert_int_equal(ttlock_open(key, buf, n_cipher - 1, got), -EBADMSG);
	}
}

static void run_digits(const json_t *in, const json_t *out) {
	char digits[TTLOCK_DIGITS_MAX];

	assert_int_equal(ttlock_digits_reveal(text_of(in, "field"), digits), 0);
	assert_string_equal(digits, text_of(out, "digits"));
}

static void run_key_text(const json_t *in, const json_t *out) {
	uint8_t key[TTLOCK_KEY_LEN];

	assert_int_equal(ttlock_key_from_text(text_of(in, "text"), key), 0);
	assert_octets(out, "key", key, sizeof(key));
}

/* ---- advertisements ---- */

static void run_advert(const json_t *in, const json_t *out) {
	struct advert advert = { .n_parts = 2 };
	struct ttlock_advert got;
	uint8_t buf[OCTETS_MAX];
	const size_t n = octets(in, "ad_ff_bytes", buf);

	assert_int_equal(
		ttlock_advert_read(buf, n, &got), json_is_true(json_object_get(out, "accepted")));
	if (!json_is_true(json_object_get(out, "accepted"))) {
		return;
	}
	/* Of another device first, as BlueZ keeps them. */
	advert.parts[0].company = 0x0305;
	advert.parts[0].n_bytes = n - 2;
	memset(advert.parts[0].bytes, 0x11, n - 2);
	advert.parts[1].company = (uint16_t) strtoul(text_of(in, "bluez_company_id"), NULL, 0);
	advert.parts[1].n_bytes = octets(in, "bluez_payload", buf);
	memcpy(advert.parts[1].bytes, buf, advert.parts[1].n_bytes);
	strcpy(advert.address, "AA:BB:CC:11:22:34");
	assert_false(ttlock_advert_parse(&advert, &got));
	strcpy(advert.address, text_of(out, "lock_mac"));
	assert_true(ttlock_advert_parse(&advert, &got));
	assert_int_equal(got.type, number_of(out, "protocol_type"));
	assert_int_equal(got.version, number_of(out, "protocol_version"));
	assert_int_equal(got.scene, number_of(out, "scene"));
	assert_int_equal(got.is_unlocked, !json_is_true(json_object_get(out, "locked")));
	assert_int_equal(got.has_log, json_is_true(json_object_get(out, "new_records")));
	assert_int_equal(got.is_settable, json_is_true(json_object_get(out, "setting_mode")));
	assert_int_equal(got.percent, number_of(out, "battery"));
	assert_true(got.has_state);
	assert_int_equal(ttlock_advert_is_ours(&got), got.version == 3);
}

/* ---- requests ---- */

static void read_date(const json_t *params, const char *key, uint8_t out[static TTLOCK_DATE_LEN]) {
	const char *digits = text_of(params, key);

	for (size_t i = 0; i < TTLOCK_DATE_LEN; i++) {
		out[i] = (uint8_t) ((digits[2 * i] - '0') * 10 + digits[2 * i + 1] - '0');
	}
}

static struct ttlock_keys keys_of(const json_t *params) {
	struct ttlock_keys keys = { 0 };

	keys.admin = has(params, "admin_ps") ? (uint32_t) number_of(params, "admin_ps") : 0;
	keys.unlock = has(params, "unlock_key") ? (uint32_t) number_of(params, "unlock_key") : 0;
	keys.uid = has(params, "uid") ? (uint32_t) number_of(params, "uid") : 0;
	keys.flag_position =
		has(params, "lock_flag_pos") ? (uint32_t) number_of(params, "lock_flag_pos") : 0;
	if (has(params, "start") && strlen(text_of(params, "start")) == 10) {
		read_date(params, "start", keys.start);
		memcpy(keys.end, ttlock_date_last, sizeof(keys.end));
	}
	return keys;
}

static size_t put_code(const json_t *params, uint8_t *out) {
	struct ttlock_code code = { .type = 0 };
	const char *op = text_of(params, "op");

	if (strcmp(op, "clear") == 0) {
		return 0;
	}
	code.type = (uint8_t) number_of(params, "type");
	code.n = (uint8_t) strlen(text_of(params, "code"));
	memcpy(code.digits, text_of(params, "code"), code.n);
	if (strcmp(op, "delete") == 0) {
		return ttlock_put_code_removal(&code, out);
	}
	assert_string_equal(op, "add");
	read_date(params, "start", code.start);
	if (has(params, "end")) {
		read_date(params, "end", code.end);
	}
	return ttlock_put_code(&code, out);
}

static size_t put_token(uint8_t command, const json_t *params, uint8_t *out) {
	struct ttlock_token token = { .n = command == TTLOCK_CARD ? 4 : 6 };
	const char *op = text_of(params, "op");

	if (strcmp(op, "list") == 0) {
		return ttlock_put_token_list(command, (uint16_t) number_of(params, "cursor"), out);
	}
	if (strcmp(op, "enrol") == 0) {
		return ttlock_put_token_learning(out);
	}
	const uint64_t id = number_of(params, command == TTLOCK_CARD ? "number" : "id");
	for (size_t i = 0; i < token.n; i++) {
		token.id[i] = (uint8_t) (id >> (8 * (token.n - 1 - i)));
	}
	if (strcmp(op, "delete") == 0) {
		return ttlock_put_token_removal(&token, out);
	}
	assert_string_equal(op, "modify");
	read_date(params, "start", token.start);
	read_date(params, "end", token.end);
	return ttlock_put_token_change(&token, out);
}

static size_t put_passage(const json_t *params, uint8_t *out) {
	const unsigned start = (unsigned) strtoul(text_of(params, "start"), NULL, 10);
	const unsigned end = (unsigned) strtoul(text_of(params, "end"), NULL, 10);
	const struct ttlock_passage passage = {
		.is_monthly = number_of(params, "type") == 2,
		.day = (uint8_t) number_of(params, "weekday"),
		.month = (uint8_t) number_of(params, "month"),
		.start_hour = (uint8_t) (start / 100),
		.start_minute = (uint8_t) (start % 100),
		.end_hour = (uint8_t) (end / 100),
		.end_minute = (uint8_t) (end % 100),
	};

	return ttlock_put_passage(&passage, out);
}

static size_t put_setting(uint8_t command, const json_t *params, uint8_t *out) {
	if (strcmp(text_of(params, "op"), "query") == 0) {
		return ttlock_put_read(out);
	}
	return ttlock_put_value(command == TTLOCK_AUTO_LOCK,
		(uint16_t) number_of(params, command == TTLOCK_AUTO_LOCK ? "seconds" : "value"),
		out);
}

static size_t put_time(const json_t *params, uint8_t *out) {
	const char *digits = text_of(params, "time");
	uint8_t date[TTLOCK_TIME_LEN];

	for (size_t i = 0; i < sizeof(date); i++) {
		date[i] = (uint8_t) ((digits[2 * i] - '0') * 10 + digits[2 * i + 1] - '0');
	}
	ttlock_date_from_wall(NULL, ttlock_date_to_wall(NULL, date, sizeof(date)), out);
	return TTLOCK_TIME_LEN;
}

/* 0: nothing that the hub sends. */
static size_t put_request(uint8_t command, const json_t *params, uint8_t *out) {
	const struct ttlock_keys keys = keys_of(params);
	const uint32_t challenge =
		has(params, "ps_from_lock") ? (uint32_t) number_of(params, "ps_from_lock") : 0;

	switch (command) {
	case TTLOCK_ADD_ADMIN:
		return ttlock_put_admin_new(&keys, out);
	case TTLOCK_ADMIN:
		return ttlock_put_admin(&keys, out);
	case TTLOCK_PROVE:
		return ttlock_put_proof(&keys, challenge, out);
	case TTLOCK_USER:
		return ttlock_put_user(&keys, out);
	case TTLOCK_UNLOCK:
		return ttlock_put_move(&keys, challenge, (uint32_t) number_of(params, "time"), out);
	case TTLOCK_CODE:
		return put_code(params, out);
	case TTLOCK_CARD:
	case TTLOCK_FINGER:
		return put_token(command, params, out);
	case TTLOCK_PASSAGE:
		return put_passage(params, out);
	case TTLOCK_AUTO_LOCK:
	case TTLOCK_SOUND:
	case TTLOCK_CODE_DISPLAY:
		return put_setting(command, params, out);
	case TTLOCK_SET_TIME:
		return put_time(params, out);
	case 0x53: /* the code of the administrator */
	case 0x70: /* cards by the day of the week */
		return 0;
	default:
		fail_msg("command 0x%02x", command);
	}
	return 0;
}

/* Those of put_request() that are not sent: clearing, 0x53, 0x70. */
#define N_NOT_SENT 4
static unsigned n_not_sent;

static void run_request(const json_t *in, const json_t *out) {
	const uint8_t command = (uint8_t) strtoul(text_of(in, "command"), NULL, 0);
	uint8_t got[OCTETS_MAX];
	const size_t n = put_request(command, json_object_get(in, "params"), got);

	if (n == 0) {
		n_not_sent++;
		return;
	}
	assert_octets(out, "payload", got, n);
}

/* ---- answers ---- */

static void assert_number(const json_t *out, const char *key, uint64_t got) {
	if (has(out, key)) {
		assert_int_equal(got, number_of(out, key));
	}
}

static void assert_date(const char *want, const uint8_t *date, size_t n) {
	char text[32];

	snprintf(text, sizeof(text), "20%02u-%02u-%02u %02u:%02u", date[0], date[1], date[2],
		date[3], date[4]);
	if (n > TTLOCK_DATE_LEN) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ":%02u", date[5]);
	}
	assert_string_equal(text, want);
}

static void check_codes(const struct ttlock_reply *reply, const json_t *out) {
	const json_t *want = json_array_get(json_object_get(out, "codes"), 0);
	struct ttlock_code code;
	uint16_t next;
	struct rd rd;

	assert_int_equal(ttlock_code_page(reply->data, reply->n, &next, &rd), 0);
	assert_int_equal(next, number_of(out, "next_seq"));
	assert_int_equal(ttlock_code_next(&rd, &code), 1);
	assert_int_equal(code.type, number_of(want, "type"));
	assert_string_equal(code.digits, text_of(want, "code"));
	assert_string_equal(code.first, text_of(want, "original"));
	assert_date(text_of(want, "start"), code.start, sizeof(code.start));
	assert_int_equal(ttlock_code_next(&rd, &code), 0);
}

static uint64_t number_of_id(const struct ttlock_token *token) {
	uint64_t number = 0;

	for (size_t i = 0; i < token->n; i++) {
		number = number << 8 | token->id[i];
	}
	return number;
}

static void check_cards(const struct ttlock_reply *reply, const json_t *out) {
	const json_t *want = json_array_get(json_object_get(out, "cards"), 0);
	struct ttlock_token token;
	uint16_t next;
	uint8_t n_id;
	struct rd rd;

	assert_int_equal(
		ttlock_token_page(reply->command, reply->data, reply->n, &next, &n_id, &rd), 0);
	assert_int_equal(next, number_of(out, "next_seq"));
	assert_int_equal(ttlock_token_next(&rd, n_id, &token), 1);
	assert_int_equal(number_of_id(&token), number_of(want, "number"));
	assert_date(text_of(want, "start"), token.start, sizeof(token.start));
	assert_date(text_of(want, "end"), token.end, sizeof(token.end));
	assert_int_equal(ttlock_token_next(&rd, n_id, &token), 0);
}

static void check_auto_lock(const struct ttlock_reply *reply, const json_t *out) {
	struct ttlock_auto_lock got;

	assert_int_equal(ttlock_auto_lock_parse(reply->data, reply->n, &got), 0);
	assert_int_equal(got.percent, number_of(out, "battery"));
	assert_int_equal(got.seconds, number_of(out, "seconds"));
	assert_int_equal(got.least, number_of(out, "min"));
	assert_int_equal(got.most, number_of(out, "max"));
	assert_int_equal(ttlock_auto_lock_parse(reply->data, reply->n - 1, &got), -EBADMSG);
}

static void check_features(const struct ttlock_reply *reply, const json_t *out) {
	uint64_t features, want = 0;
	uint8_t percent;
	const json_t *bit;
	size_t i;

	json_array_foreach(json_object_get(out, "bits"), i, bit) {
		want |= (uint64_t) 1 << json_integer_value(bit);
	}
	assert_int_equal(ttlock_features_parse(reply->data, reply->n, &percent, &features), 0);
	assert_int_equal(percent, number_of(out, "battery"));
	assert_int_equal(features, want);
	assert_int_equal(
		ttlock_features_parse(reply->data, reply->n - 1, &percent, &features), -EBADMSG);
}

static void check_state(const struct ttlock_reply *reply, const json_t *out) {
	struct ttlock_state got;

	assert_int_equal(ttlock_state_parse(reply->command, reply->data, reply->n, &got), 0);
	assert_int_equal(got.percent, number_of(out, "battery"));
	assert_number(out, "record_id", got.record);
	assert_int_equal(got.has_record, has(out, "record_id"));
	if (has(out, "state")) {
		assert_true(got.has_state);
		assert_int_equal(got.state, strcmp(text_of(out, "state"), "locked") != 0);
	}
}

static void run_response(const json_t *in, const json_t *out) {
	struct ttlock_reply reply;
	uint8_t buf[OCTETS_MAX];
	const size_t n = octets(in, "plaintext", buf);

	assert_int_equal(ttlock_reply_parse(buf, n, &reply), 0);
	assert_int_equal(ttlock_reply_parse(buf, 1, &reply), -EBADMSG);
	assert_int_equal(ttlock_reply_parse(buf, n, &reply), 0);
	if (has(out, "echo")) {
		assert_int_equal(reply.command, octet_of(text_of(out, "echo")));
	}
	if (has(out, "ps_from_lock")) {
		struct rd rd = rd_on(reply.data, reply.n);
		assert_int_equal(rd_u32be(&rd), number_of(out, "ps_from_lock"));
		assert_int_equal(rd_end(&rd), 0);
	} else if (has(out, "error")) {
		assert_false(reply.is_done);
		assert_int_equal(reply.error, number_of(out, "error"));
		assert_int_equal(ttlock_error_row(reply.error)->fault, FAULT_NOT_AUTHORIZED);
	} else if (reply.command == TTLOCK_CODE_LIST) {
		check_codes(&reply, out);
	} else if (has(out, "cards")) {
		check_cards(&reply, out);
	} else if (reply.command == TTLOCK_CARD) {
		struct ttlock_learn learn;
		assert_string_equal(text_of(out, "status"), "added");
		assert_int_equal(ttlock_learn_parse(TTLOCK_CARD, reply.data, reply.n, &learn), 0);
		assert_int_equal(learn.status, TTLOCK_LEARNT);
		assert_int_equal(number_of_id(&learn.token), number_of(out, "number"));
	} else if (reply.command == TTLOCK_AUTO_LOCK) {
		check_auto_lock(&reply, out);
	} else if (reply.command == TTLOCK_FEATURES) {
		check_features(&reply, out);
	} else {
		check_state(&reply, out);
	}
}

/* ---- the log ---- */

static void check_id(const json_t *want, const struct ttlock_tail *tail) {
	char text[32] = "";
	uint64_t number = 0;

	if (tail->has_address) {
		snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", tail->address[5],
			tail->address[4], tail->address[3], tail->address[2], tail->address[1],
			tail->address[0]);
	} else if (tail->credential == CREDENTIAL_PIN) {
		memcpy(text, tail->id, tail->n_id);
	} else {
		for (size_t i = 0; i < tail->n_id; i++) {
			number = number << 8 | tail->id[i];
		}
		snprintf(text, sizeof(text), "%llu", (unsigned long long) number);
	}
	assert_string_equal(text, text_of(want, "password"));
}

static void check_record(const json_t *want, const struct ttlock_record *record, uint16_t next) {
	const struct ttlock_keys keys = { .key = "0123456789abcde" };
	struct ttlock_tail tail;
	struct log_entry entry;
	char moment[WALL_TEXT_MAX], expected[32];

	ttlock_record_tail(record, &tail);
	assert_int_equal(record->type, number_of(want, "record_type"));
	assert_int_equal(record->percent, number_of(want, "lock_battery"));
	assert_date(text_of(want, "time"), record->date, sizeof(record->date));
	assert_number(want, "record_number", next - 1U);
	assert_number(want, "uid", tail.uid);
	assert_number(want, "record_id", tail.record);
	assert_number(want, "key_id", tail.key_id);
	assert_number(want, "accessory_battery", (uint64_t) tail.accessory_percent);
	if (has(want, "password")) {
		check_id(want, &tail);
	}
	ttlock_log_entry(&keys, NULL, record, next, false, &entry);
	assert_int_equal(entry.seq, next);
	snprintf(expected, sizeof(expected), "%sZ", text_of(want, "time"));
	expected[10] = 'T';
	assert_string_equal(wall_to_text(entry.time, moment), expected);
	/* No digit of a code is in what people and files get. */
	if (tail.credential == CREDENTIAL_PIN) {
		assert_null(strstr(entry.text, "1234"));
		assert_true(entry.user_ref > 1234);
	}
}

static void run_log(const json_t *in, const json_t *out) {
	const json_t *records = json_object_get(out, "records");
	struct ttlock_record record;
	struct ttlock_reply reply;
	uint8_t buf[OCTETS_MAX];
	const size_t n = octets(in, "plaintext", buf);
	const json_t *want;
	uint16_t next;
	struct rd rd;
	size_t i;

	assert_int_equal(ttlock_reply_parse(buf, n, &reply), 0);
	assert_int_equal(ttlock_log_page(reply.data, reply.n, &next, &rd), 0);
	assert_int_equal(next, number_of(out, "next_seq"));
	json_array_foreach(records, i, want) {
		assert_int_equal(ttlock_record_next(&rd, &record), 1);
		check_record(want, &record, next);
	}
	assert_int_equal(ttlock_record_next(&rd, &record), 0);
	if (json_array_size(records) > 0) {
		assert_int_equal(ttlock_log_page(reply.data, reply.n - 1, &next, &rd), 0);
		assert_int_equal(ttlock_record_next(&rd, &record), -EBADMSG);
	}
}

/* ---- frames ---- */

static void run_reassembly(const json_t *in, const json_t *out) {
	const json_t *want = json_array_get(json_object_get(out, "frames"), 0);
	struct ttlock_inbox inbox = { .n = 0 };
	struct ttlock_received got;
	uint8_t buf[OCTETS_MAX];
	const json_t *part;
	size_t i;

	ttlock_inbox_put(&inbox, (const uint8_t *) "\x7f\x00\x7f", 3); /* of nothing */
	json_array_foreach(json_object_get(in, "notifications"), i, part) {
		assert_false(ttlock_inbox_take(&inbox, &got));
		const size_t n = octets_of(json_string_value(part), buf);
		ttlock_inbox_put(&inbox, buf, n);
	}
	assert_true(ttlock_inbox_take(&inbox, &got));
	assert_int_equal(got.command, number_of(want, "command"));
	assert_octets(want, "ciphertext", got.cipher, got.n_cipher);
	assert_false(ttlock_inbox_take(&inbox, &got));
}

static void check_chunks(const json_t *step, const uint8_t *frame, size_t n_frame) {
	const json_t *chunk;
	size_t at = 0;
	size_t i;
	uint8_t buf[OCTETS_MAX];

	json_array_foreach(json_object_get(step, "chunks"), i, chunk) {
		const size_t n = octets_of(json_string_value(chunk), buf);

		assert_true(n <= TTLOCK_CHUNK);
		assert_true(at + n <= n_frame);
		assert_memory_equal(buf, frame + at, n);
		at += n;
	}
	assert_int_equal(at, n_frame);
}

static void run_session(const json_t *in, const json_t *out) {
	uint8_t key[OCTETS_MAX], plain[OCTETS_MAX], wire[OCTETS_MAX];
	struct ttlock_inbox inbox = { .n = 0 };
	struct ttlock_received got;
	const json_t *step;
	size_t i;

	char first[33];

	snprintf(first, sizeof(first), "%s", text_of(in, "aes_key"));
	assert_int_equal(octets_of(first, key), TTLOCK_KEY_LEN);
	json_array_foreach(json_object_get(out, "steps"), i, step) {
		const size_t n = octets(step, "plaintext", plain);
		const size_t n_wire = octets(step, "frame", wire);
		const uint8_t command = (uint8_t) strtoul(text_of(step, "command"), NULL, 0);
		const struct ttlock_head head = { .scene = wire[4], .group = 1, .org = 1 };
		uint8_t frame[TTLOCK_FRAME_MAX];

		assert_int_equal(ttlock_frame(&head, command, key, plain, n, frame), n_wire);
		assert_memory_equal(frame, wire, n_wire);
		check_chunks(step, wire, n_wire);
		ttlock_inbox_put(&inbox, wire, n_wire);
		assert_true(ttlock_inbox_take(&inbox, &got));
		assert_true(got.is_crc_right);
		assert_int_equal(got.command, command);
		uint8_t again[TTLOCK_PLAIN_MAX];
		assert_int_equal(ttlock_open(key, got.cipher, got.n_cipher, again), n);
		assert_memory_equal(again, plain, n);
		if (n == 18 && plain[0] == TTLOCK_GET_KEY) {
			memcpy(key, plain + 2, TTLOCK_KEY_LEN);
		}
		wire[n_wire - 3] ^= 1;
		ttlock_inbox_put(&inbox, wire, n_wire);
		assert_true(ttlock_inbox_take(&inbox, &got));
		assert_false(got.is_crc_right);
	}
}

/* ---- the table ---- */

static const struct vector_kind runs[] = {
	{ "crc", 6, run_crc }, { "aes", 5, run_aes }, { "credential-deobfuscation", 4, run_digits },
	{ "aes-key-text", 1, run_key_text }, { "advertisement", 6, run_advert },
	{ "request-payload", 24, run_request }, { "response-parse", 10, run_response },
	{ "oplog-parse", 12, run_log }, { "reassembly", 2, run_reassembly },
	{ "session", 7, run_session }, { "tolerance", 1, NULL }, /* of a virtual lock */
	{ "code-secret", 2, NULL },                              /* codes of the maker's cloud */
};

/* ---- beside the vectors ---- */

static const uint8_t key_want[TTLOCK_KEY_LEN] = { 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x07, 0x18,
	0x29, 0x3a, 0x4b, 0x5c, 0x6d, 0x7e, 0x8f, 0x90 };

static void key_is_read_as_people_have_it(void **state) {
	static const char *const good[] = {
		"a1b2c3d4e5f60718293a4b5c6d7e8f90 12345678 87654321",
		"{\"address\":\"AA:BB:CC:11:22:33\",\"privateData\":{\"aesKey\":"
		"\"a1b2c3d4e5f60718293a4b5c6d7e8f90\",\"admin\":{\"adminPs\":12345678,"
		"\"unlockKey\":87654321}}}",
		"{ \"aes_key\" : \"A1B2C3D4E5F60718293A4B5C6D7E8F90\", \"admin_ps\": \"12345678\", "
		"\"unlock_key\": 87654321 }",
		"{\"aesKeyStr\":\"a1,b2,c3,d4,e5,f6,07,18,29,3a,4b,5c,6d,7e,8f,90\","
		"\"adminPwd\":12345678,\"lockKey\":\"NTAsNjEsNjAsNjMsNjIsNTcsNTYsNTksMjAw\","
		"\"uid\":null}",
	};
	static const char *const bad[] = { "", "a1b2c3d4e5f60718293a4b5c6d7e8f90",
		"a1b2c3d4e5f60718293a4b5c6d7e8f90 12345678 87654321 1",
		"a1b2c3d4e5f60718293a4b5c6d7e8f9 12345678 87654321",
		"{\"aesKey\":\"a1b2c3d4e5f60718293a4b5c6d7e8f90\",\"adminPs\":12345678}",
		"{\"aesKey\":\"a1b2c3d4e5f60718293a4b5c6d7e8f90\",\"adminPs\":\"x\",\"unlockKey\":"
		"1}",
		"{\"aesKey\":\"a1b2c3d4e5f60718293a4b5c6d7e8f90\",\"unlockKey\":1,\"endDate\":"
		"\"1\"}",
		"{\"adminPs\":12345678,\"unlockKey\":87654321}" };
	struct ttlock_keys keys = { .head = { 2, 1, 1 } };
	struct ttlock_keys again;
	struct secret text, blob = { 0 };
	struct fault fault;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(secret_set_text(&text, good[i]), 0);
		assert_int_equal(ttlock_keys_parse(&text, &keys, &fault), 0);
		assert_memory_equal(keys.key, key_want, sizeof(key_want));
		assert_int_equal(keys.admin, 12345678);
		assert_int_equal(keys.unlock, 87654321);
		assert_true(keys.is_admin);
		assert_false(keys.is_ours);
		assert_int_equal(keys.head.scene, 2);
		assert_memory_equal(keys.end, ttlock_date_last, sizeof(keys.end));
	}
	keys.features = 0x100000008;
	ttlock_keys_encode(&keys, &blob);
	assert_int_equal(ttlock_keys_decode(&blob, &again), 0);
	assert_memory_equal(&again, &keys, sizeof(keys));
	blob.len--;
	assert_int_equal(ttlock_keys_decode(&blob, &again), -EBADMSG);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(secret_set_text(&text, bad[i]), 0);
		assert_int_equal(ttlock_keys_parse(&text, &keys, &fault), -EINVAL);
		assert_null(strstr(fault.detail, "a1b2"));
		assert_null(strstr(fault.detail, "12345678"));
	}
}

/* That of a guest: no administrator, an end, and a place in the row of those who were let in. */
static void guest_is_no_administrator(void **state) {
	struct ttlock_keys keys = { .head = { 2, 1, 1 } };
	struct secret text;
	struct fault fault;
	static const uint8_t end[] = { 26, 12, 31, 23, 59 };

	assert_int_equal(
		secret_set_text(&text,
			"{\"aesKeyStr\":\"a1b2c3d4e5f60718293a4b5c6d7e8f90\",\"unlockKey\":7,"
			"\"uid\":4711,\"lockFlagPos\":3,\"startDate\":0,\"endDate\":\"2612312359\","
			"\"scene\":5,\"groupId\":10,\"orgId\":12}"),
		0);
	assert_int_equal(ttlock_keys_parse(&text, &keys, &fault), 0);
	assert_false(keys.is_admin);
	assert_int_equal(keys.uid, 4711);
	assert_int_equal(keys.flag_position, 3);
	assert_int_equal(keys.head.scene, 5);
	assert_int_equal(keys.head.group, 10);
	assert_int_equal(keys.head.org, 12);
	assert_memory_equal(keys.start, ttlock_date_first, sizeof(keys.start));
	assert_memory_equal(keys.end, end, sizeof(end));
}

static void refs_tell_nothing_and_differ(void **state) {
	const struct ttlock_keys one = { .key = "0123456789abcde" };
	const struct ttlock_keys two = { .key = "1123456789abcde" };
	const int64_t ref = ttlock_ref(&one, CREDENTIAL_PIN, "1234", 4);

	assert_true(ref > 0 && ref < (int64_t) 1 << 48);
	assert_int_equal(ref, ttlock_ref(&one, CREDENTIAL_PIN, "1234", 4));
	assert_int_not_equal(ref, ttlock_ref(&one, CREDENTIAL_RFID, "1234", 4));
	assert_int_not_equal(ref, ttlock_ref(&one, CREDENTIAL_PIN, "1235", 4));
	assert_int_not_equal(ref, ttlock_ref(&two, CREDENTIAL_PIN, "1234", 4));
	assert_int_equal(ttlock_ref(&one, CREDENTIAL_RFID, "1234", 4),
		ttlock_ref(&one, CREDENTIAL_RFID, "1234\xff\xff\xff\xff", 8));
	assert_int_equal(
		ttlock_ref(&one, CREDENTIAL_RFID, "1234", 4), ttlock_ref(&one, CREDENTIAL_RFID,
								      "\0\0\0\0"
								      "1234",
								      8));
	assert_int_not_equal(
		ttlock_ref(&one, CREDENTIAL_RFID, "1234", 4), ttlock_ref(&one, CREDENTIAL_RFID,
								      "\0\0\0\1"
								      "1234",
								      8));
}

static int two_hours_east(const struct zone *zone, wall_t at) {
	return 7200;
}

static void dates_are_those_of_the_wall(void **state) {
	const struct zone zone = { "Test/East", two_hours_east };
	const uint8_t noon[] = { 26, 7, 1, 12, 0, 30 };
	const uint8_t never[] = { 26, 13, 1, 12, 0, 0 };
	uint8_t date[TTLOCK_TIME_LEN];
	char text[WALL_TEXT_MAX];

	assert_string_equal(wall_to_text(ttlock_date_to_wall(&zone, noon, sizeof(noon)), text),
		"2026-07-01T10:00:30Z");
	ttlock_date_from_wall(&zone, ttlock_date_to_wall(&zone, noon, sizeof(noon)), date);
	assert_memory_equal(date, noon, sizeof(noon));
	assert_int_equal(ttlock_date_to_wall(&zone, never, sizeof(never)).s, 0);
	ttlock_date_from_wall(NULL, (wall_t){ 0 }, date);
	assert_int_equal(date[0], 0);
}

/* Counted by the case of the requests, which comes before. */
static void what_is_not_sent_is_known(void **state) {
	(void) state;
	assert_int_equal(n_not_sent, N_NOT_SENT);
}

int main(void) {
	static const struct vectors vectors = { "ttlock-codec", "ttlock.json", "category", "input",
		"expected" };
	const struct CMUnitTest others[] = {
		cmocka_unit_test(what_is_not_sent_is_known),
		cmocka_unit_test(key_is_read_as_people_have_it),
		cmocka_unit_test(guest_is_no_administrator),
		cmocka_unit_test(refs_tell_nothing_and_differ),
		cmocka_unit_test(dates_are_those_of_the_wall),
	};

	return vectors_main(&vectors, runs, ARRAY_SIZE(runs), others, ARRAY_SIZE(others));
}
