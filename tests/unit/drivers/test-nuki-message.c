/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the vectors do not say: the tables agree with themselves, lengths between the known ones,
 * names, windows, dates, errors, what must not be traced, frames at their limits.
 */

#include "../../test.h"

#include <errno.h>

#include "crypto/crypto.h"
#include "nuki-vectors.h"
#include "nuki/frame.h"
#include "nuki/message.h"
#include "util/auto.h"
#include "util/bytes.h"

#define OCTETS_MAX 600

static enum nuki_generation profile(const json_t *vector) {
	const char *text = json_string_value(json_object_get(vector, "profile"));

	return text != NULL && strncmp(text, "5G", 2) == 0 ? NUKI_GENERATION_5
							   : NUKI_GENERATION_1_TO_4;
}

static size_t width_of(const struct nuki_field *field) {
	static const uint8_t widths[] = {
		[NUKI_U8] = 1,
		[NUKI_I8] = 1,
		[NUKI_U16] = 2,
		[NUKI_I16] = 2,
		[NUKI_U32] = 4,
		[NUKI_F32] = 4,
		[NUKI_DATE] = 7,
		[NUKI_TIME] = 2,
		[NUKI_WINDOW] = 19,
		[NUKI_NONCE] = 32,
		[NUKI_PIN] = 2,
	};

	return field->type == NUKI_TEXT || field->type == NUKI_OCTETS || field->type == NUKI_REST
		       ? field->n
		       : widths[field->type];
}

static void kinds_agree_with_their_fields(void **state) {
	size_t n;
	const struct nuki_kind *kinds = nuki_kinds(&n);

	for (size_t i = 0; i < n; i++) {
		size_t least = 0, most = 0;
		assert_true(kinds[i].n_fields <= 64);
		for (size_t k = 0; k < kinds[i].n_fields; k++) {
			const struct nuki_field *field = &kinds[i].fields[k];
			const bool is_wide =
				field->type == NUKI_PIN && (kinds[i].flags & NUKI_ONLY_5) != 0;
			const size_t width = width_of(field) + (is_wide ? 2 : 0);
			const bool is_free =
				(field->flags & NUKI_OPTIONAL) != 0 || field->type == NUKI_REST;
			least += is_free ? 0 : width;
			most += width;
			if (field->type == NUKI_NONCE || field->type == NUKI_PIN) {
				assert_true((field->flags & NUKI_SECRET) != 0);
			}
		}
		assert_int_equal(kinds[i].least, least);
		assert_int_equal(kinds[i].most, most);
		assert_true(i == 0 || kinds[i].command >= kinds[i - 1].command);
	}
}

/* What a newer firmware has behind all that we know goes back as it came, whatever its length. */
static void what_is_not_known_goes_back(void **state) {
	uint8_t payload[33 + NUKI_MORE_MAX], back[160];
	const size_t lengths[] = { 10, 11, 18, 19, 27, 28, 31, 33, 34, 40, 33 + NUKI_MORE_MAX };
	struct nuki_message message, set;

	for (size_t i = 0; i < sizeof(payload); i++) {
		payload[i] = (uint8_t) (i + 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		const size_t n = lengths[i];

		assert_int_equal(nuki_message_parse(&message, NUKI_ADVANCED_CONFIG,
					 NUKI_GENERATION_1_TO_4, payload, n),
			0);
		nuki_message_init(&set, NUKI_SET_ADVANCED_CONFIG, NUKI_GENERATION_1_TO_4);
		set.advanced = message.advanced;
		for (size_t k = 0; k < set.kind->n_fields; k++) {
			const struct nuki_field *field = &set.kind->fields[k];

			if ((field->flags & NUKI_OPTIONAL) != 0 &&
				!nuki_message_has(&message, field->name)) {
				nuki_message_leave_out(&set, field->name);
			}
		}
		/* Without the degrees of the calibration, with challenge and PIN. */
		assert_int_equal(
			nuki_message_format(&set, NUKI_GENERATION_1_TO_4, back, sizeof(back)),
			(ssize_t) (n - 2 + 34));
		assert_memory_equal(back, payload + 2, n - 2);
		/* And the lock reads it so. */
		assert_int_equal(nuki_message_parse(&set, NUKI_SET_ADVANCED_CONFIG,
					 NUKI_GENERATION_1_TO_4, back, n - 2 + 34),
			0);
		assert_int_equal(set.advanced.n_more, message.advanced.n_more);
	}
}

/* Firmware sends States of any length from 15 on; what is missing is unknown, not zero. */
static void states_of_any_length(void **state) {
	uint8_t payload[40];
	const size_t n = vector_hex(
		vector_by_id("payload-s-000c-4"), "payload_hex", payload, sizeof(payload));
	struct nuki_message message;

	assert_int_equal(n, 27);
	memset(payload + n, 0x55, sizeof(payload) - n);
	for (size_t length = 0; length <= sizeof(payload); length++) {
		int r = nuki_message_parse(
			&message, NUKI_STATES, NUKI_GENERATION_1_TO_4, payload, length);
		assert_int_equal(r, length < 15 ? -EBADMSG : 0);
		if (r == 0) {
			assert_int_equal(message.states.lock_state, NUKI_LOCK_MOTOR_BLOCKED);
			assert_int_equal(message.states.door, length > 18 ? 0x10 : 0xff);
			assert_int_equal(nuki_message_has(&message, "door"), length > 18);
			assert_int_equal(message.states.ble_rssi, length > 22 ? -67 : 0);
		}
	}
}

/* A Config with half a time zone id: what is whole counts. */
static void config_cut_within_a_field(void **state) {
	uint8_t payload[80];
	vector_hex(vector_by_id("payload-s-0015-1"), "payload_hex", payload, sizeof(payload));
	struct nuki_message message;

	assert_int_equal(
		nuki_message_parse(&message, NUKI_CONFIG, NUKI_GENERATION_1_TO_4, payload, 73), 0);
	assert_int_equal(message.config.tz_id, 0xffff);
	assert_int_equal(message.config.homekit, 3);
}

static void fixed_kinds_take_no_leftovers(void **state) {
	uint8_t payload[40] = { 0 };
	struct nuki_message message;

	assert_int_equal(nuki_message_parse(&message, NUKI_STATUS, 1, payload, 2), -EBADMSG);
	assert_int_equal(nuki_message_parse(&message, NUKI_ERROR_REPORT, 1, payload, 4), -EBADMSG);
	assert_int_equal(nuki_message_parse(&message, NUKI_CHALLENGE, 1, payload, 33), -EBADMSG);
	/* Between 38 and 58 octets there is no Lock Action. */
	for (size_t n = 39; n <= 40; n++) {
		assert_int_equal(
			nuki_message_parse(&message, NUKI_LOCK_ACTION, 1, payload, n), -EBADMSG);
	}
	assert_int_equal(nuki_message_parse(&message, 0x7777, 1, payload, 1), -ENOENT);
}

/* Keypad 2 leaves rubbish behind the end mark; a name may fill its field. */
static void names_end_where_they_end(void **state) {
	uint8_t payload[80] = { 0 };
	struct nuki_message message;

	memset(payload, 'x', 48);
	payload[15 + 4] = '\0';
	assert_int_equal(nuki_message_parse(&message, NUKI_LOG_ENTRY, 1, payload, 48), 0);
	assert_string_equal(message.log_entry.name, "xxxx");
	assert_int_equal(message.log_entry.n_data, 0);
	memset(payload, 'y', 48);
	assert_int_equal(nuki_message_parse(&message, NUKI_LOG_ENTRY, 1, payload, 48), 0);
	assert_int_equal(strlen(message.log_entry.name), 32);

	/* 31 octets and an umlaut: cut before it, not within. */
	nuki_message_init(&message, NUKI_ADD_CODE, NUKI_GENERATION_1_TO_4);
	strcpy(message.code.name, "1234567890123456789");
	memcpy(message.code.name + 19, "\xc3", 2);
	assert_true(nuki_message_format(&message, 1, payload, sizeof(payload)) == 78);
}

static void windows_may_be_there_or_not(void **state) {
	uint8_t payload[80] = { 0 };
	struct nuki_message message;

	assert_int_equal(nuki_message_parse(&message, NUKI_CODE, 1, payload, 44), 0);
	assert_false(nuki_message_has(&message, "window"));
	assert_int_equal(nuki_message_parse(&message, NUKI_CODE, 1, payload, 63), 0);
	assert_true(nuki_message_has(&message, "window"));
	assert_int_equal(nuki_message_parse(&message, NUKI_AUTH_ENTRY, 1, payload, 56), 0);
	assert_false(nuki_message_has(&message, "window"));
	assert_int_equal(nuki_message_parse(&message, NUKI_AUTH_ENTRY, 1, payload, 75), 0);
	assert_true(nuki_message_has(&message, "window"));
}

static void odd_dates_are_no_dates(void **state) {
	static const struct nuki_date dates[] = {
		{ 0 },
		{ 2025, 13, 1, 0, 0, 0 },
		{ 2025, 2, 29, 0, 0, 0 },
		{ 2025, 1, 1, 24, 0, 0 },
		{ 65535, 255, 255, 255, 255, 255 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(dates); i++) {
		assert_int_equal(nuki_date_to_wall(&dates[i]).s, 0);
	}
	const struct nuki_date leap = { 2024, 2, 29, 23, 59, 59 };
	assert_int_equal(nuki_date_to_wall(&leap).s, 1709251199);
}

static void text_hides_secrets(void **state) {
	uint8_t payload[OCTETS_MAX];
	char text[NUKI_TEXT_MAX];
	struct nuki_message message;
	const json_t *vectors = vectors_open();

	for (size_t i = 0; i < json_array_size(vectors); i++) {
		const json_t *vector = json_array_get(vectors, i);
		if (strcmp(vector_text(vector, "kind"), "payload") != 0) {
			continue;
		}
		const size_t n = vector_hex(vector, "payload_hex", payload, sizeof(payload));
		assert_int_equal(nuki_message_parse(&message, vector_command(vector),
					 profile(vector), payload, n),
			0);
		nuki_message_text(&message, text);
		static const char *const secrets[] = { "4321", "123456", "345678", "987654",
			"246813", "19ad99", "d2ee77", "2468" };
		for (size_t k = 0; k < ARRAY_SIZE(secrets); k++) {
			assert_null(strstr(text, secrets[k]));
		}
	}
	memset(payload, 0xff, sizeof(payload));
	assert_int_equal(nuki_message_parse(&message, NUKI_CONFIG, 1, payload, 79), 0);
	assert_true(strlen(nuki_message_text(&message, text)) < NUKI_TEXT_MAX);
}

static void errors_have_rows(void **state) {
	size_t n, n_completions;
	const struct nuki_error_row *rows = nuki_error_rows(&n);
	const struct nuki_completion_row *completions = nuki_completion_rows(&n_completions);

	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || rows[i].code > rows[i - 1].code);
		assert_true(rows[i].fault > FAULT_NONE && rows[i].fault < FAULT_COUNT_);
		/* Only what the lock refused may be tried again. */
		assert_true(rows[i].retry == NUKI_RETRY_NONE || rows[i].is_refusal);
		assert_ptr_equal(nuki_error_row(rows[i].code), &rows[i]);
	}
	/* The motor may have moved: never a refusal, never repeated. */
	static const uint8_t moved[] = { 0x42, 0x43, 0x44, 0x46, 0x48, 0x49, 0x4a, 0x4b, 0xff };
	for (size_t i = 0; i < ARRAY_SIZE(moved); i++) {
		assert_false(nuki_error_row(moved[i])->is_refusal);
	}
	for (size_t i = 0; i < n_completions; i++) {
		assert_true(i == 0 || completions[i].code > completions[i - 1].code);
		assert_int_equal(completions[i].fault == FAULT_NONE,
			completions[i].error == OPERATION_ERROR_NONE);
	}
	assert_int_equal(nuki_error_row(0x77)->fault, FAULT_LOCK_ERROR);
	assert_false(nuki_error_row(0x77)->is_refusal);
	assert_int_equal(nuki_completion_row(0x77)->fault, FAULT_LOCK_ERROR);
}

/* A lock that knows the key may still send a box with too little in it. */
static void boxes_may_be_too_small(void **state) {
	static const uint8_t key[32] = { 1 }, nonce[24] = { 2 }, zeros[16];
	uint8_t wire[100], plain[NUKI_BOX_MAX];
	struct nuki_frame frame;

	for (size_t n = 0; n <= 9; n++) {
		struct wr wr = wr_on(wire, sizeof(wire));
		wr_bytes(&wr, nonce, sizeof(nonce));
		wr_u32le(&wr, 0);
		wr_u16le(&wr, (uint16_t) (n + CRYPTO_TAG_LEN));
		crypto_secretbox_seal(key, nonce, zeros, n, wire + NUKI_HEAD_LEN);
		assert_int_equal(
			nuki_open(key, wire, NUKI_HEAD_LEN + n + CRYPTO_TAG_LEN, plain, &frame),
			n < 8 ? -EBADMSG : 0);
	}
	assert_int_equal(nuki_open(key, wire, 0, plain, &frame), -EBADMSG);
	assert_int_equal(nuki_plain_open(zeros, 3, &frame), -EBADMSG);
}

static void crc_zero_is_tolerated_when_sealed(void **state) {
	static const uint8_t key[32] = { 1 }, nonce[24] = { 2 };
	const uint8_t pdata[] = { 7, 0, 0, 0, 0x0e, 0x00, 0x00, 0x00, 0x00 };
	uint8_t wire[100], plain[NUKI_BOX_MAX];
	struct nuki_frame frame;
	struct wr wr = wr_on(wire, sizeof(wire));

	wr_bytes(&wr, nonce, sizeof(nonce));
	wr_u32le(&wr, 7);
	wr_u16le(&wr, sizeof(pdata) + CRYPTO_TAG_LEN);
	crypto_secretbox_seal(key, nonce, pdata, sizeof(pdata), wire + NUKI_HEAD_LEN);
	assert_int_equal(
		nuki_open(key, wire, NUKI_HEAD_LEN + sizeof(pdata) + CRYPTO_TAG_LEN, plain, &frame),
		0);
	assert_int_equal(frame.command, NUKI_STATUS);
	assert_true(frame.is_crc_missing);
}

static void inbox_survives_anything(void **state) {
	static struct nuki_inbox inbox;
	const uint8_t *buf;
	uint8_t octets[700];
	size_t n_buf;
	bool is_plain;
	int r;

	/* A length of 513 is refused, 512 is awaited to its last octet. */
	memset(octets, 0, sizeof(octets));
	octets[28] = 0x01;
	octets[29] = 0x02;
	nuki_inbox_clear(&inbox);
	nuki_inbox_push(&inbox, octets, 30);
	assert_int_equal(
		nuki_inbox_next(&inbox, NUKI_INBOX_SEALED, &buf, &n_buf, &is_plain), -EBADMSG);
	octets[28] = 0x00;
	assert_int_equal(nuki_inbox_push(&inbox, octets, sizeof(octets)), NUKI_FRAME_MAX);
	assert_int_equal(nuki_inbox_next(&inbox, NUKI_INBOX_SEALED, &buf, &n_buf, &is_plain), 1);
	assert_int_equal(n_buf, NUKI_FRAME_MAX);
	assert_int_equal(nuki_inbox_push(&inbox, octets, 3), 3);
	assert_true(nuki_inbox_is_partial(&inbox));

	/* 5G pairing: an Error Report in clear, in pieces, where a sealed answer was due. */
	const uint8_t error[] = { 0x12, 0x00, 0x20, 0x00, 0x00, 0x13, 0xd7 };
	nuki_inbox_clear(&inbox);
	for (size_t i = 0; i < sizeof(error); i++) {
		nuki_inbox_push(&inbox, &error[i], 1);
		r = nuki_inbox_next(&inbox, NUKI_INBOX_EITHER, &buf, &n_buf, &is_plain);
		assert_int_equal(r, i + 1 == sizeof(error));
	}
	assert_true(is_plain);
	assert_int_equal(n_buf, sizeof(error));
}

static int close_vectors(void **state) {
	vectors_close();
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_agree_with_their_fields),
		cmocka_unit_test(what_is_not_known_goes_back),
		cmocka_unit_test(states_of_any_length),
		cmocka_unit_test(config_cut_within_a_field),
		cmocka_unit_test(fixed_kinds_take_no_leftovers),
		cmocka_unit_test(names_end_where_they_end),
		cmocka_unit_test(windows_may_be_there_or_not),
		cmocka_unit_test(odd_dates_are_no_dates),
		cmocka_unit_test(text_hides_secrets),
		cmocka_unit_test(errors_have_rows),
		cmocka_unit_test(boxes_may_be_too_small),
		cmocka_unit_test(crc_zero_is_tolerated_when_sealed),
		cmocka_unit_test(inbox_survives_anything),
	};

	return cmocka_run_group_tests_name("nuki-message", tests, NULL, close_vectors);
}
