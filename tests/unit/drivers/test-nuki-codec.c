/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Every vector of tests/vectors/nuki.json, in both directions where it has both. A case of this
 * program is all vectors of one kind; test-nuki-message.c has what the vectors do not say.
 */

#include "../../test.h"

#include <errno.h>

#include "crypto/crypto.h"
#include "nuki-vectors.h"
#include "nuki/advert.h"
#include "nuki/frame.h"
#include "nuki/message.h"
#include "util/auto.h"
#include "util/bytes.h"
#include "util/text.h"

#define OCTETS_MAX 600

static enum nuki_generation profile(const json_t *vector) {
	const char *text = json_string_value(json_object_get(vector, "profile"));

	return text != NULL && strncmp(text, "5G", 2) == 0 ? NUKI_GENERATION_5
							   : NUKI_GENERATION_1_TO_4;
}

/* ---- payloads ---- */

/* What the vectors call a field, and what we call it. */
static const char *const names[][2] = {
	{ "nuki_state", "mode" },
	{ "cfg_count", "config_count" },
	{ "lng_timer", "lock_n_go_timer" },
	{ "last_status", "last_completion" },
	{ "nightmode", "night_mode" },
	{ "accessory", "accessories" },
	{ "fw", "firmware" },
	{ "hw", "hardware" },
	{ "unlocked_ofs", "unlocked_offset" },
	{ "locked_ofs", "locked_offset" },
	{ "single_locked_ofs", "single_locked_offset" },
	{ "transition_ofs", "transition_offset" },
	{ "lockngo_timeout", "lock_n_go_timeout" },
	{ "btn1", "button_single" },
	{ "btn2", "button_double" },
	{ "detached", "detached_cylinder" },
	{ "bat_type", "battery_type" },
	{ "auto_bat", "auto_battery_type" },
	{ "unlatch_dur", "unlatch_duration" },
	{ "autolock_timeout", "auto_lock_timeout" },
	{ "nm_enabled", "night_mode" },
	{ "nm_start", "night_start" },
	{ "nm_end", "night_end" },
	{ "nm_autolock", "night_auto_lock" },
	{ "nm_auto_unlock_disabled", "night_auto_unlock_disabled" },
	{ "nm_immediate", "night_lock_at_start" },
	{ "autolock_enabled", "auto_lock_enabled" },
	{ "immediate_autolock", "immediate_auto_lock" },
	{ "slow_nm", "slow_in_night_mode" },
	{ "temp_c", "temperature_c" },
	{ "ds_enabled", "door_sensor_enabled" },
	{ "ds_logging", "door_sensor_logging" },
};

static const char *our_name(const char *name) {
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i][0], name) == 0) {
			return names[i][1];
		}
	}
	return name;
}

static json_int_t item(const json_t *array, size_t i) {
	json_t *value = json_array_get(array, i);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static struct nuki_date date_from(const json_t *json) {
	assert_int_equal(json_array_size(json), 6);
	return (struct nuki_date){
		.year = (uint16_t) item(json, 0),
		.month = (uint8_t) item(json, 1),
		.day = (uint8_t) item(json, 2),
		.hour = (uint8_t) item(json, 3),
		.minute = (uint8_t) item(json, 4),
		.second = (uint8_t) item(json, 5),
	};
}

static struct nuki_time time_from(const json_t *json) {
	assert_int_equal(json_array_size(json), 2);
	return (struct nuki_time){ (uint8_t) item(json, 0), (uint8_t) item(json, 1) };
}

static void window_from(const json_t *json, struct nuki_window *ret) {
	ret->from_date = date_from(json_object_get(json, "from_date"));
	ret->until_date = date_from(json_object_get(json, "until_date"));
	ret->weekdays = (uint8_t) json_integer_value(json_object_get(json, "weekdays"));
	ret->from_time = time_from(json_object_get(json, "from_time"));
	ret->until_time = time_from(json_object_get(json, "until_time"));
}

static void octets_from(const json_t *json, size_t n, uint8_t *out) {
	if (json_is_string(json)) {
		assert_int_equal(hex_octets(json_string_value(json), out, n), n);
		return;
	}
	assert_int_equal(json_array_size(json), n);
	for (size_t i = 0; i < n; i++) {
		out[i] = (uint8_t) item(json, i);
	}
}

static void set_field(
	struct nuki_message *message, const struct nuki_field *field, const json_t *json) {
	uint8_t *out = (uint8_t *) message + field->at;
	json_int_t number = json_integer_value(json);

	switch (field->type) {
	case NUKI_U8:
	case NUKI_I8:
		*out = (uint8_t) number;
		break;
	case NUKI_U16:
	case NUKI_I16:
		*(uint16_t *) out = (uint16_t) number;
		break;
	case NUKI_U32:
	case NUKI_PIN:
		*(uint32_t *) out = (uint32_t) number;
		break;
	case NUKI_F32:
		*(float *) out = (float) json_real_value(json);
		break;
	case NUKI_DATE:
		*(struct nuki_date *) out = date_from(json);
		break;
	case NUKI_TIME:
		*(struct nuki_time *) out = time_from(json);
		break;
	case NUKI_WINDOW:
		window_from(json, (struct nuki_window *) out);
		break;
	case NUKI_TEXT:
		assert_true(text_copy((char *) out, field->n + 1u, json_string_value(json)));
		break;
	case NUKI_OCTETS:
		octets_from(json, field->n, out);
		break;
	case NUKI_NONCE:
		octets_from(json, NUKI_CHALLENGE_LEN, out);
		break;
	case NUKI_REST:
		out[field->n] = (uint8_t) hex_octets(json_string_value(json), out, field->n);
		break;
	}
}

static const json_t *find_field(const json_t *fields, const char *name) {
	const char *key;
	json_t *value;

	json_object_foreach((json_t *) fields, key, value) {
		if (strcmp(our_name(key), name) == 0) {
			return value;
		}
	}
	return NULL;
}

/* The vector's fields as a message; returns how many of them were used. */
static size_t build(const json_t *vector, struct nuki_message *ret) {
	const json_t *fields = json_object_get(vector, "fields");
	size_t n_used = 0;

	nuki_message_init(ret, vector_command(vector), profile(vector));
	for (size_t i = 0; i < ret->kind->n_fields; i++) {
		const struct nuki_field *field = &ret->kind->fields[i];
		const json_t *json = find_field(fields, field->name);
		n_used += json != NULL ? 1 : 0;
		if (json != NULL && !json_is_null(json)) {
			set_field(ret, field, json);
		} else if ((field->flags & NUKI_OPTIONAL) != 0) {
			nuki_message_leave_out(ret, field->name);
		} else if (field->type != NUKI_REST) {              /* which may be nothing */
			assert_int_equal(field->type, NUKI_WINDOW); /* zeros in requests */
		}
	}
	return n_used;
}

static void run_payload(const json_t *vector) {
	const json_t *fields = json_object_get(vector, "fields");
	uint8_t expected[OCTETS_MAX], out[OCTETS_MAX];
	const size_t n = vector_hex(vector, "payload_hex", expected, sizeof(expected));
	struct nuki_message built, parsed;

	assert_string_equal(
		nuki_command_name(vector_command(vector)), vector_text(vector, "command_name"));
	assert_int_equal(build(vector, &built), json_object_size(fields));
	assert_int_equal(nuki_message_format(&built, profile(vector), out, sizeof(out)), n);
	assert_memory_equal(out, expected, n);

	assert_int_equal(
		nuki_message_parse(&parsed, vector_command(vector), profile(vector), expected, n),
		0);
	memset(out, 0xee, sizeof(out));
	assert_int_equal(nuki_message_format(&parsed, profile(vector), out, sizeof(out)), n);
	assert_memory_equal(out, expected, n);
	for (size_t i = 0; i < built.kind->n_fields; i++) {
		assert_int_equal(built.has >> i & 1, parsed.has >> i & 1);
	}
	/* Too small a buffer, and one octet less than the least. */
	assert_int_equal(nuki_message_format(&built, profile(vector), out, n - 1), -ENOBUFS);
	for (size_t less = 0; less < n; less++) {
		(void) nuki_message_parse(
			&parsed, vector_command(vector), profile(vector), expected, less);
	}

	uint8_t frame[OCTETS_MAX];
	const size_t n_frame = vector_hex(vector, "frame_plain_hex", frame, sizeof(frame));
	assert_int_equal(
		nuki_plain_build(vector_command(vector), expected, n, out, sizeof(out)), n_frame);
	assert_memory_equal(out, frame, n_frame);
}

/* ---- frames ---- */

static void run_plain_frame(const json_t *vector) {
	uint8_t frame[OCTETS_MAX], payload[OCTETS_MAX];
	const size_t n = vector_hex(vector, "frame_hex", frame, sizeof(frame));
	const size_t n_payload = vector_hex(vector, "payload_hex", payload, sizeof(payload));
	struct nuki_frame opened;

	assert_int_equal(nuki_plain_open(frame, n, &opened), 0);
	assert_int_equal(opened.command, vector_command(vector));
	assert_int_equal(opened.n_payload, n_payload);
	assert_memory_equal(opened.payload, payload, n_payload);
	/* The CRC is always checked here, and 0 is no excuse. */
	frame[n - 1] = frame[n - 2] = 0;
	assert_int_equal(nuki_plain_open(frame, n, &opened), -EBADMSG);
}

static uint32_t auth_id_of(const json_t *vector) {
	uint8_t octets[4];
	assert_int_equal(vector_hex(vector, "authorization_id_le_hex", octets, 4), 4);
	struct rd rd = rd_on(octets, 4);

	return rd_u32le(&rd);
}

/* PDATA is what is inside the box: sealing and opening must agree with it. */
static void run_pdata(const json_t *vector) {
	static const uint8_t key[CRYPTO_KEY_LEN], nonce[CRYPTO_NONCE_LEN];
	uint8_t payload[OCTETS_MAX], pdata[OCTETS_MAX], wire[OCTETS_MAX], plain[NUKI_BOX_MAX];
	const size_t n_payload = vector_hex(vector, "payload_hex", payload, sizeof(payload));
	const size_t n_pdata = vector_hex(vector, "pdata_hex", pdata, sizeof(pdata));

	ssize_t n = nuki_seal(key, nonce, auth_id_of(vector), vector_command(vector), payload,
		n_payload, wire, sizeof(wire));
	assert_int_equal(n, NUKI_HEAD_LEN + CRYPTO_TAG_LEN + n_pdata);
	assert_int_equal(crypto_secretbox_unseal(key, nonce, wire + NUKI_HEAD_LEN,
				 (size_t) n - NUKI_HEAD_LEN, plain),
		0);
	assert_memory_equal(plain, pdata, n_pdata);
}

static void run_encrypted(const json_t *vector) {
	uint8_t key[32], nonce[24], payload[OCTETS_MAX], wire[OCTETS_MAX], out[OCTETS_MAX];
	uint8_t plain[NUKI_BOX_MAX];
	struct nuki_frame frame;

	assert_int_equal(vector_hex(vector, "shared_key_hex", key, sizeof(key)), 32);
	assert_int_equal(vector_hex(vector, "nonce_hex", nonce, sizeof(nonce)), 24);
	const size_t n_payload = vector_hex(vector, "payload_hex", payload, sizeof(payload));
	const size_t n_wire = vector_hex(vector, "wire_hex", wire, sizeof(wire));
	assert_int_equal(n_wire, NUKI_SEALED_OVERHEAD + n_payload);

	assert_int_equal(nuki_seal(key, nonce, auth_id_of(vector), vector_command(vector), payload,
				 n_payload, out, sizeof(out)),
		n_wire);
	assert_memory_equal(out, wire, n_wire);
	assert_int_equal(nuki_seal(key, nonce, auth_id_of(vector), vector_command(vector), payload,
				 n_payload, out, n_wire - 1),
		-ENOBUFS);

	assert_int_equal(nuki_open(key, wire, n_wire, plain, &frame), 0);
	assert_int_equal(frame.auth_id, auth_id_of(vector));
	assert_int_equal(frame.command, vector_command(vector));
	assert_int_equal(frame.n_payload, n_payload);
	assert_memory_equal(frame.payload, payload, n_payload);
	assert_false(frame.is_crc_missing);
	for (size_t i = 0; i < n_wire; i++) {
		/* No octet may be changed; that of the outer id is caught by the inner one. */
		wire[i] ^= 0x01;
		assert_int_equal(nuki_open(key, wire, n_wire, plain, &frame), -EBADMSG);
		wire[i] ^= 0x01;
	}
}

static void run_encrypted_bad(const json_t *vector) {
	uint8_t key[32], wire[OCTETS_MAX], plain[NUKI_BOX_MAX];
	static struct nuki_inbox inbox;
	const uint8_t *buf;
	size_t n_buf;
	bool is_plain;
	struct nuki_frame frame;
	const bool is_waiting = strstr(vector_text(vector, "expect"), "keep waiting") != NULL;
	const bool is_malformed = strstr(vector_text(vector, "expect"), "malformed") != NULL;

	vector_hex(vector, "shared_key_hex", key, sizeof(key));
	const size_t n = vector_hex(vector, "wire_hex", wire, sizeof(wire));
	assert_int_equal(nuki_open(key, wire, n, plain, &frame), -EBADMSG);

	nuki_inbox_clear(&inbox);
	assert_int_equal(nuki_inbox_push(&inbox, wire, n), n);
	int r = nuki_inbox_next(&inbox, NUKI_INBOX_SEALED, &buf, &n_buf, &is_plain);
	assert_int_equal(r, is_waiting ? 0 : is_malformed ? -EBADMSG : 1);
	assert_int_equal(nuki_inbox_is_partial(&inbox), is_waiting);
}

static void run_fragmentation(const json_t *vector) {
	const bool is_sealed = strcmp(vector_text(vector, "characteristic"), "usdio") == 0;
	const json_t *pieces = json_object_get(vector, "indications_hex");
	uint8_t message[OCTETS_MAX], piece[OCTETS_MAX];
	const size_t n = vector_hex(vector, "message_hex", message, sizeof(message));
	static struct nuki_inbox inbox;
	const uint8_t *buf = NULL;
	size_t n_buf = 0;
	bool is_plain;
	const enum nuki_inbox_kind kind = is_sealed ? NUKI_INBOX_SEALED : NUKI_INBOX_PLAIN;

	nuki_inbox_clear(&inbox);
	for (size_t i = 0; i < json_array_size(pieces); i++) {
		const size_t n_piece = hex_octets(
			json_string_value(json_array_get(pieces, i)), piece, sizeof(piece));
		assert_int_equal(nuki_inbox_push(&inbox, piece, n_piece), n_piece);
		const bool is_last = i + 1 == json_array_size(pieces);
		assert_int_equal(
			nuki_inbox_next(&inbox, kind, &buf, &n_buf, &is_plain), is_last ? 1 : 0);
	}
	assert_int_equal(n_buf, n);
	assert_memory_equal(buf, message, n);
	/* Octet by octet, and two in one indication. */
	size_t n_whole = 0;
	nuki_inbox_clear(&inbox);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(nuki_inbox_push(&inbox, &message[i], 1), 1);
		n_whole += nuki_inbox_next(&inbox, kind, &buf, &n_buf, &is_plain) > 0 ? 1 : 0;
	}
	memcpy(message + n, message, n);
	nuki_inbox_push(&inbox, message, 2 * n);
	while (nuki_inbox_next(&inbox, kind, &buf, &n_buf, &is_plain) > 0) {
		assert_memory_equal(buf, message, n);
		n_whole++;
	}
	assert_int_equal(n_whole, 3);
	assert_false(nuki_inbox_is_partial(&inbox));
}

/* ---- primitives ---- */

static void run_crc16(const json_t *vector) {
	uint8_t data[OCTETS_MAX];
	const size_t n = vector_hex(vector, "data_hex", data, sizeof(data));

	assert_int_equal(crypto_crc16_ccitt(CRYPTO_CRC16_CCITT_INIT, data, n),
		strtoul(vector_text(vector, "crc"), NULL, 16));
}

static void run_dh1(const json_t *vector) {
	uint8_t secret[32], public[32], lock[32], expected[32], out[32];

	vector_hex(vector, "client_private_key_hex", secret, 32);
	vector_hex(vector, "client_public_key_hex", public, 32);
	vector_hex(vector, "lock_public_key_hex", lock, 32);
	vector_hex(vector, "dh_key_hex", expected, 32);
	crypto_box_public(secret, out);
	assert_memory_equal(out, public, 32);
	assert_int_equal(crypto_x25519(secret, lock, out), 0);
	assert_memory_equal(out, expected, 32);
}

/* We only have both in one: with the keys that gave this dh key (vector doc21-dh). */
static void run_kdf1(const json_t *vector) {
	const json_t *dh = vector_by_id("doc21-dh");
	uint8_t secret[32], lock[32], expected[32], out[32];

	assert_string_equal(vector_text(dh, "dh_key_hex"), vector_text(vector, "dh_key_hex"));
	vector_hex(dh, "client_private_key_hex", secret, 32);
	vector_hex(dh, "lock_public_key_hex", lock, 32);
	vector_hex(vector, "shared_key_hex", expected, 32);
	assert_int_equal(crypto_box_shared(lock, secret, out), 0);
	assert_memory_equal(out, expected, 32);
}

static void run_h1(const json_t *vector) {
	const json_t *texts = json_object_get(vector, "parts_hex");
	uint8_t key[32], expected[32], out[32], data[8][128];
	struct crypto_part parts[8];
	const size_t n = json_array_size(texts);

	vector_hex(vector, "shared_key_hex", key, 32);
	vector_hex(vector, "hmac_hex", expected, 32);
	for (size_t i = 0; i < n; i++) {
		parts[i].data = data[i];
		parts[i].n = hex_octets(
			json_string_value(json_array_get(texts, i)), data[i], sizeof(data[i]));
	}
	crypto_hmac_sha256(key, parts, n, out);
	assert_memory_equal(out, expected, 32);
}

static void run_datetime(const json_t *vector) {
	const struct nuki_date date = date_from(json_object_get(vector, "fields"));
	struct nuki_message message;
	uint8_t expected[7], out[OCTETS_MAX];

	vector_hex(vector, "hex", expected, sizeof(expected));
	nuki_message_init(&message, NUKI_UPDATE_TIME, NUKI_GENERATION_1_TO_4);
	message.request.time = date;
	nuki_message_format(&message, NUKI_GENERATION_1_TO_4, out, sizeof(out));
	assert_memory_equal(out, expected, 7);
	const struct nuki_date back = nuki_date_from_wall(nuki_date_to_wall(&date));
	assert_int_equal(back.year, date.year);
	assert_int_equal(back.second, date.second);
}

static void run_time(const json_t *vector) {
	struct nuki_message message;
	uint8_t expected[2], out[OCTETS_MAX];

	vector_hex(vector, "hex", expected, sizeof(expected));
	nuki_message_init(&message, NUKI_ADD_TIME_CONTROL, NUKI_GENERATION_1_TO_4);
	message.time_control.time = time_from(json_object_get(vector, "fields"));
	nuki_message_format(&message, NUKI_GENERATION_1_TO_4, out, sizeof(out));
	assert_memory_equal(out + 1, expected, 2);
}

/* ---- advertisements ---- */

/* The beacons, and nothing else, match the pattern that the radio listens for. */
static bool is_listened_for(const struct advert_part *part) {
	const struct radio_pattern *pattern = &nuki_beacon_patterns[0];
	uint8_t record[2 + sizeof(part->bytes)] = { (uint8_t) part->company,
		(uint8_t) (part->company >> 8) };

	assert_int_equal(pattern->type, 0xff);
	assert_int_equal(pattern->offset, 0);
	assert_int_equal(nuki_beacon_patterns[1].n_bytes, 0);
	memcpy(record + 2, part->bytes, part->n_bytes);
	return !part->is_service && 2 + part->n_bytes >= pattern->n_bytes &&
	       memcmp(record, pattern->bytes, pattern->n_bytes) == 0;
}

static void run_advertisement(const json_t *vector) {
	const json_t *expect = json_object_get(vector, "expect");
	const char *service = json_string_value(json_object_get(vector, "service_data_uuid"));
	struct advert advert = { .address = "54:D2:72:2B:3C:4D", .n_parts = 1 };
	struct advert_part *part = &advert.parts[0];
	struct nuki_advert found;

	if (service != NULL) {
		part->is_service = true;
		assert_true(text_copy(part->uuid, sizeof(part->uuid), service));
		part->n_bytes =
			vector_hex(vector, "service_data_hex", part->bytes, sizeof(part->bytes));
	} else {
		part->company = 0x004c;
		part->n_bytes = vector_hex(
			vector, "manufacturer_data_hex", part->bytes, sizeof(part->bytes));
	}
	if (json_is_true(json_object_get(expect, "ignore"))) {
		assert_false(nuki_advert_parse(&advert, &found));
		assert_false(is_listened_for(part));
		return;
	}
	assert_true(nuki_advert_parse(&advert, &found));
	assert_int_equal(is_listened_for(part), service == NULL);
	assert_int_equal(found.nuki_id, strtoul(vector_text(expect, "nuki_id"), NULL, 16));
	assert_int_equal(found.is_changed, json_is_true(json_object_get(expect, "state_changed")));
	assert_int_equal(found.is_pairing, strcmp(vector_text(expect, "mode"), "pairing") == 0);
	if (found.is_pairing) {
		assert_int_equal(
			found.generation, strcmp(vector_text(expect, "generation"), "5G") == 0
						  ? NUKI_GENERATION_5
						  : NUKI_GENERATION_1_TO_4);
	}
	/* Any other length is somebody else's. */
	part->n_bytes--;
	assert_false(nuki_advert_parse(&advert, &found));
}

/* ---- transcripts, message by message; test-nuki-transcript.c drives the session ---- */

static void run_transcript_message(const json_t *vector, const json_t *message) {
	const bool is_sealed = json_is_true(json_object_get(message, "encrypted"));
	uint8_t wire[OCTETS_MAX], payload[OCTETS_MAX], out[OCTETS_MAX], plain[NUKI_BOX_MAX];
	uint8_t key[32], nonce[24];
	const size_t n = vector_hex(message, "hex", wire, sizeof(wire));
	const json_t *parts = json_object_get(message, "payload_hex");
	struct nuki_message parsed;
	struct nuki_frame frame;

	if (is_sealed) {
		vector_hex(vector, "shared_key_hex", key, sizeof(key));
		vector_hex(message, "nonce_hex", nonce, sizeof(nonce));
		assert_int_equal(nuki_open(key, wire, n, plain, &frame), 0);
		assert_int_equal(nuki_seal(key, nonce, frame.auth_id, frame.command, frame.payload,
					 frame.n_payload, out, sizeof(out)),
			n);
	} else {
		assert_int_equal(nuki_plain_open(wire, n, &frame), 0);
		assert_int_equal(nuki_plain_build(frame.command, frame.payload, frame.n_payload,
					 out, sizeof(out)),
			n);
	}
	assert_memory_equal(out, wire, n);
	if (parts != NULL) {
		assert_int_equal(frame.command, vector_command(message));
		assert_int_equal(frame.n_payload,
			vector_hex(message, "payload_hex", payload, sizeof(payload)));
		assert_memory_equal(frame.payload, payload, frame.n_payload);
	}
	assert_int_equal(nuki_message_parse(&parsed, frame.command, profile(vector), frame.payload,
				 frame.n_payload),
		0);
	assert_int_equal(
		nuki_message_format(&parsed, profile(vector), out, sizeof(out)), frame.n_payload);
	assert_memory_equal(out, frame.payload, frame.n_payload);
}

static void run_transcript(const json_t *vector) {
	const json_t *messages = json_object_get(vector, "messages");

	assert_true(json_array_size(messages) > 0);
	for (size_t i = 0; i < json_array_size(messages); i++) {
		run_transcript_message(vector, json_array_get(messages, i));
	}
}

static const struct {
	const char *kind;
	void (*run)(const json_t *vector);
	size_t n; /* in the file */
} runs[] = {
	{ "payload", run_payload, 75 },
	{ "plain_frame", run_plain_frame, 4 },
	{ "pdata", run_pdata, 2 },
	{ "encrypted", run_encrypted, 13 },
	{ "encrypted_bad", run_encrypted_bad, 5 },
	{ "fragmentation", run_fragmentation, 2 },
	{ "crc16", run_crc16, 1 },
	{ "dh1", run_dh1, 1 },
	{ "kdf1", run_kdf1, 1 },
	{ "h1", run_h1, 4 },
	{ "datetime", run_datetime, 1 },
	{ "time", run_time, 1 },
	{ "advertisement", run_advertisement, 6 },
	{ "transcript", run_transcript, 13 },
};

static void run_kind(void **state) {
	const size_t k = (size_t) (uintptr_t) *state;
	const json_t *vectors = vectors_open();
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(vectors); i++) {
		const json_t *vector = json_array_get(vectors, i);
		if (strcmp(vector_text(vector, "kind"), runs[k].kind) == 0) {
			print_message("# %s\n", vector_text(vector, "id"));
			runs[k].run(vector);
			n++;
		}
	}
	assert_int_equal(n, runs[k].n);
}

static void no_vector_is_left_out(void **state) {
	size_t n = 0;

	for (size_t k = 0; k < ARRAY_SIZE(runs); k++) {
		n += runs[k].n;
	}
	assert_int_equal(n, 129);
	assert_int_equal(json_array_size(vectors_open()), 129);
}

static int close_vectors(void **state) {
	vectors_close();
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_vector_is_left_out),
	};
	struct CMUnitTest all[ARRAY_SIZE(runs) + ARRAY_SIZE(tests)];

	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		all[i] = (struct CMUnitTest){ runs[i].kind, run_kind, NULL, NULL,
			(void *) (uintptr_t) i };
	}
	memcpy(all + ARRAY_SIZE(runs), tests, sizeof(tests));
	return cmocka_run_group_tests_name("nuki-codec", all, NULL, close_vectors);
}
