/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "message.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/bytes.h"
#include "util/secret.h"
#include "util/text.h"

#define DATE_LEN 7
#define TIME_LEN 2
#define WINDOW_LEN (2 * DATE_LEN + 1 + 2 * TIME_LEN)

/* Octets on the wire; 0 for the rest, which may be empty. */
static size_t field_width(const struct nuki_field *field, enum nuki_generation generation) {
	switch (field->type) {
	case NUKI_U8:
	case NUKI_I8:
		return 1;
	case NUKI_U16:
	case NUKI_I16:
		return 2;
	case NUKI_U32:
	case NUKI_F32:
		return 4;
	case NUKI_DATE:
		return DATE_LEN;
	case NUKI_TIME:
		return TIME_LEN;
	case NUKI_WINDOW:
		return WINDOW_LEN;
	case NUKI_TEXT:
	case NUKI_OCTETS:
		return field->n;
	case NUKI_REST:
		return 0;
	case NUKI_NONCE:
		return NUKI_CHALLENGE_LEN;
	case NUKI_PIN:
		return generation == NUKI_GENERATION_5 ? 4 : 2;
	}
	return 0;
}

/* What must still follow field @i. */
static size_t width_after(const struct nuki_kind *kind, size_t i, enum nuki_generation generation) {
	size_t width = 0;

	for (size_t k = i + 1; k < kind->n_fields; k++) {
		if ((kind->fields[k].flags & NUKI_OPTIONAL) == 0) {
			width += field_width(&kind->fields[k], generation);
		}
	}
	return width;
}

static void *member(struct nuki_message *message, const struct nuki_field *field) {
	return (uint8_t *) message + field->at;
}

static const void *member_const(
	const struct nuki_message *message, const struct nuki_field *field) {
	return (const uint8_t *) message + field->at;
}

static struct nuki_date read_date(struct rd *rd) {
	struct nuki_date date;

	date.year = rd_u16le(rd);
	date.month = rd_u8(rd);
	date.day = rd_u8(rd);
	date.hour = rd_u8(rd);
	date.minute = rd_u8(rd);
	date.second = rd_u8(rd);
	return date;
}

static struct nuki_time read_time(struct rd *rd) {
	struct nuki_time time;

	time.hour = rd_u8(rd);
	time.minute = rd_u8(rd);
	return time;
}

static void read_window(struct rd *rd, struct nuki_window *ret) {
	ret->from_date = read_date(rd);
	ret->until_date = read_date(rd);
	ret->weekdays = rd_u8(rd);
	ret->from_time = read_time(rd);
	ret->until_time = read_time(rd);
}

/* Up to what must still follow, @n_after octets. */
static void read_rest(struct rd *rd, const struct nuki_field *field, size_t n_after, uint8_t *out) {
	size_t n = rd_left(rd) < n_after ? 0 : rd_left(rd) - n_after;

	n = n < field->n ? n : field->n;

	rd_copy(rd, out, n);
	out[field->n] = (uint8_t) n;
}

static void read_field(struct rd *rd, const struct nuki_field *field,
	enum nuki_generation generation, size_t n_after, void *out) {
	switch (field->type) {
	case NUKI_U8:
		*(uint8_t *) out = rd_u8(rd);
		break;
	case NUKI_I8:
		*(int8_t *) out = rd_i8(rd);
		break;
	case NUKI_U16:
		*(uint16_t *) out = rd_u16le(rd);
		break;
	case NUKI_I16:
		*(int16_t *) out = rd_i16le(rd);
		break;
	case NUKI_U32:
		*(uint32_t *) out = rd_u32le(rd);
		break;
	case NUKI_F32:
		*(float *) out = rd_f32le(rd);
		break;
	case NUKI_DATE:
		*(struct nuki_date *) out = read_date(rd);
		break;
	case NUKI_TIME:
		*(struct nuki_time *) out = read_time(rd);
		break;
	case NUKI_WINDOW:
		read_window(rd, out);
		break;
	case NUKI_TEXT:
		rd_text(rd, field->n, out);
		break;
	case NUKI_OCTETS:
		rd_copy(rd, out, field->n);
		break;
	case NUKI_REST:
		read_rest(rd, field, n_after, out);
		break;
	case NUKI_NONCE:
		rd_copy(rd, out, NUKI_CHALLENGE_LEN);
		break;
	case NUKI_PIN:
		*(uint32_t *) out = generation == NUKI_GENERATION_5 ? rd_u32le(rd) : rd_u16le(rd);
		break;
	}
}

static void write_date(struct wr *wr, const struct nuki_date *date) {
	wr_u16le(wr, date->year);
	wr_u8(wr, date->month);
	wr_u8(wr, date->day);
	wr_u8(wr, date->hour);
	wr_u8(wr, date->minute);
	wr_u8(wr, date->second);
}

static void write_time(struct wr *wr, const struct nuki_time *time) {
	wr_u8(wr, time->hour);
	wr_u8(wr, time->minute);
}

static void write_window(struct wr *wr, const struct nuki_window *window) {
	write_date(wr, &window->from_date);
	write_date(wr, &window->until_date);
	wr_u8(wr, window->weekdays);
	write_time(wr, &window->from_time);
	write_time(wr, &window->until_time);
}

static void write_field(struct wr *wr, const struct nuki_field *field,
	enum nuki_generation generation, const void *in) {
	const uint8_t *octets = in;

	switch (field->type) {
	case NUKI_U8:
	case NUKI_I8:
		wr_u8(wr, octets[0]);
		break;
	case NUKI_U16:
	case NUKI_I16:
		wr_u16le(wr, *(const uint16_t *) in);
		break;
	case NUKI_U32:
		wr_u32le(wr, *(const uint32_t *) in);
		break;
	case NUKI_F32:
		wr_f32le(wr, *(const float *) in);
		break;
	case NUKI_DATE:
		write_date(wr, in);
		break;
	case NUKI_TIME:
		write_time(wr, in);
		break;
	case NUKI_WINDOW:
		write_window(wr, in);
		break;
	case NUKI_TEXT:
		wr_text(wr, field->n, in);
		break;
	case NUKI_OCTETS:
		wr_bytes(wr, in, field->n);
		break;
	case NUKI_REST:
		wr_bytes(wr, in, octets[field->n]);
		break;
	case NUKI_NONCE:
		wr_bytes(wr, in, NUKI_CHALLENGE_LEN);
		break;
	case NUKI_PIN:
		if (generation == NUKI_GENERATION_5) {
			wr_u32le(wr, *(const uint32_t *) in);
		} else {
			wr_u16le(wr, (uint16_t) * (const uint32_t *) in);
		}
		break;
	}
}

static void set_absent(const struct nuki_field *field, void *out) {
	switch (field->type) {
	case NUKI_U8:
		*(uint8_t *) out = (uint8_t) field->absent;
		break;
	case NUKI_U16:
		*(uint16_t *) out = field->absent;
		break;
	default: /* RULE R3: zero, which the message already is, says "absent" for the rest */
		break;
	}
}

void nuki_message_init(
	struct nuki_message *message, uint16_t command, enum nuki_generation generation) {
	memset(message, 0, sizeof(*message));
	message->kind = nuki_kind(command, generation);
	message->has = UINT64_MAX;
	assert(message->kind != NULL); /* only commands of our own table */
	for (size_t i = 0; i < message->kind->n_fields; i++) {
		set_absent(&message->kind->fields[i], member(message, &message->kind->fields[i]));
	}
}

void nuki_message_wipe(struct nuki_message *message) {
	wipe(message, sizeof(*message));
}

static int field_index(const struct nuki_message *message, const char *name) {
	for (size_t i = 0; i < message->kind->n_fields; i++) {
		if (text_equal(message->kind->fields[i].name, name)) {
			return (int) i;
		}
	}
	return -ENOENT;
}

void nuki_message_leave_out(struct nuki_message *message, const char *name) {
	int i = field_index(message, name);

	assert(i >= 0 && (message->kind->fields[i].flags & NUKI_OPTIONAL) != 0);
	message->has &= ~(UINT64_C(1) << i);
}

static const struct nuki_field *number_field(const struct nuki_message *message, const char *name) {
	int i = field_index(message, name);

	return i >= 0 && (message->has & (UINT64_C(1) << i)) != 0 ? &message->kind->fields[i]
								  : NULL;
}

int nuki_message_number(const struct nuki_message *message, const char *name, int64_t *ret) {
	const struct nuki_field *field = number_field(message, name);
	const struct nuki_time *time;

	if (field == NULL) {
		return -ENOENT;
	}
	switch (field->type) {
	case NUKI_U8:
		*ret = *(const uint8_t *) member_const(message, field);
		break;
	case NUKI_U16:
		*ret = *(const uint16_t *) member_const(message, field);
		break;
	case NUKI_I16:
		*ret = *(const int16_t *) member_const(message, field);
		break;
	case NUKI_TIME:
		time = member_const(message, field);
		*ret = time->hour * 60 + time->minute;
		break;
	default: /* RULE R3: the types that settings have; any other is no number */
		return -ENOENT;
	}
	return 0;
}

void nuki_message_set_number(struct nuki_message *message, const char *name, int64_t number) {
	const struct nuki_field *field = number_field(message, name);

	assert(field != NULL);
	switch (field->type) {
	case NUKI_U8:
		*(uint8_t *) member(message, field) = (uint8_t) number;
		break;
	case NUKI_U16:
		*(uint16_t *) member(message, field) = (uint16_t) number;
		break;
	case NUKI_I16:
		*(int16_t *) member(message, field) = (int16_t) number;
		break;
	case NUKI_TIME:
		*(struct nuki_time *) member(message, field) =
			(struct nuki_time){ .hour = (uint8_t) (number / 60),
				.minute = (uint8_t) (number % 60) };
		break;
	default: /* RULE R3: see nuki_message_number() */
		assert(false);
	}
}

bool nuki_message_has(const struct nuki_message *message, const char *name) {
	int i = field_index(message, name);

	return i >= 0 && (message->has & (UINT64_C(1) << i)) != 0;
}

void nuki_message_sign(struct nuki_message *message, const uint8_t nonce[static NUKI_CHALLENGE_LEN],
	uint32_t pin) {
	for (size_t i = 0; i < message->kind->n_fields; i++) {
		const struct nuki_field *field = &message->kind->fields[i];
		if (field->type == NUKI_NONCE) {
			memcpy(member(message, field), nonce, NUKI_CHALLENGE_LEN);
		} else if (field->type == NUKI_PIN && text_equal(field->name, "pin")) {
			*(uint32_t *) member(message, field) = pin;
		}
	}
}

/* The lengths of the row are those with the narrow PIN. */
static size_t pin_excess(const struct nuki_kind *kind, enum nuki_generation generation) {
	size_t excess = 0;

	for (size_t i = 0; i < kind->n_fields; i++) {
		bool is_wide = generation == NUKI_GENERATION_5 && kind->fields[i].type == NUKI_PIN;
		excess += is_wide && (kind->flags & NUKI_ONLY_5) == 0 ? 2 : 0;
	}
	return excess;
}

int nuki_message_parse(struct nuki_message *ret, uint16_t command, enum nuki_generation generation,
	const uint8_t *payload, size_t n) {
	const struct nuki_kind *kind = nuki_kind(command, generation);
	if (kind == NULL) {
		return -ENOENT;
	}
	const bool is_growing = (kind->flags & NUKI_GROWS) != 0;
	const size_t excess = pin_excess(kind, generation);
	if (n < kind->least + excess || (n > kind->most + excess && !is_growing)) {
		return -EBADMSG;
	}

	struct rd rd = rd_on(payload, n);
	bool is_short = false;
	memset(ret, 0, sizeof(*ret));
	ret->kind = kind;
	for (size_t i = 0; i < kind->n_fields; i++) {
		const struct nuki_field *field = &kind->fields[i];
		const size_t n_after = width_after(kind, i, generation);
		const size_t needed = field_width(field, generation) + n_after;
		/* Messages grow at their end: behind what is missing there is nothing known. */
		is_short = is_short || rd_left(&rd) < needed;
		if ((field->flags & NUKI_OPTIONAL) != 0 && is_short) {
			set_absent(field, member(ret, field));
		} else {
			read_field(&rd, field, generation, n_after, member(ret, field));
			ret->has |= UINT64_C(1) << i;
		}
	}
	return is_growing ? rd_ok(&rd) : rd_end(&rd);
}

ssize_t nuki_message_format(const struct nuki_message *message, enum nuki_generation generation,
	uint8_t *out, size_t size) {
	struct wr wr = wr_on(out, size);

	for (size_t i = 0; i < message->kind->n_fields; i++) {
		const struct nuki_field *field = &message->kind->fields[i];
		if ((field->flags & NUKI_OPTIONAL) == 0 ||
			(message->has & (UINT64_C(1) << i)) != 0) {
			write_field(&wr, field, generation, member_const(message, field));
		}
	}
	return wr_end(&wr);
}

/* Octets of the member; 0 for types that are never secret. */
static size_t blank_size(const struct nuki_field *field) {
	switch (field->type) {
	case NUKI_U32:
	case NUKI_F32:
	case NUKI_PIN:
		return 4;
	case NUKI_OCTETS:
	case NUKI_REST: /* how many there are stays */
		return field->n;
	case NUKI_NONCE:
		return NUKI_CHALLENGE_LEN;
	default: /* RULE R3: texts are handled by the caller, the others are numbers of states */
		return 0;
	}
}

void nuki_message_blank(struct nuki_message *message) {
	for (size_t i = 0; i < message->kind->n_fields; i++) {
		const struct nuki_field *field = &message->kind->fields[i];
		char *in = member(message, field);
		if (field->type == NUKI_TEXT) {
			bool is_empty = in[0] == '\0';
			wipe(in, field->n + 1U);
			in[0] = is_empty ? '\0' : 'x';
		} else if ((field->flags & (NUKI_SECRET | NUKI_PRIVATE)) != 0) {
			wipe(in, blank_size(field));
		}
	}
}

static int field_text(const struct nuki_field *field, const void *in, char *out, size_t size) {
	const struct nuki_date *date = in;
	const struct nuki_time *time = in;
	const uint8_t *octets = in;
	char clean[NUKI_NAME_LEN + 1];

	switch (field->type) {
	case NUKI_U8:
		return snprintf(out, size, "%u", octets[0]);
	case NUKI_I8:
		return snprintf(out, size, "%d", *(const int8_t *) in);
	case NUKI_U16:
		return snprintf(out, size, "%u", *(const uint16_t *) in);
	case NUKI_I16:
		return snprintf(out, size, "%d", *(const int16_t *) in);
	case NUKI_U32:
		return snprintf(out, size, "%u", (unsigned) *(const uint32_t *) in);
	case NUKI_F32:
		return snprintf(out, size, "%g", (double) *(const float *) in);
	case NUKI_DATE:
		return snprintf(out, size, "%04u-%02u-%02uT%02u:%02u:%02uZ", date->year,
			date->month, date->day, date->hour, date->minute, date->second);
	case NUKI_TIME:
		return snprintf(out, size, "%02u:%02u", time->hour, time->minute);
	case NUKI_TEXT:
		text_copy(clean, sizeof(clean), in);
		text_sanitize(clean);
		return snprintf(out, size, "\"%s\"", clean);
	case NUKI_REST:
		return snprintf(out, size, "(%u octets)", octets[field->n]);
	case NUKI_OCTETS:
		return snprintf(out, size, "(%u octets)", field->n);
	case NUKI_WINDOW:
	case NUKI_NONCE:
	case NUKI_PIN:
		break;
	}
	return snprintf(out, size, "...");
}

char *nuki_message_text(const struct nuki_message *message, char out[static NUKI_TEXT_MAX]) {
	const char *separator = ": ";
	int n = snprintf(out, NUKI_TEXT_MAX, "%s", message->kind->name);

	for (size_t i = 0; i < message->kind->n_fields && n >= 0 && n < NUKI_TEXT_MAX; i++) {
		const struct nuki_field *field = &message->kind->fields[i];
		if ((field->flags & NUKI_SECRET) != 0 || (message->has & (UINT64_C(1) << i)) == 0) {
			continue;
		}
		char value[80];
		(void) field_text(field, member_const(message, field), value, sizeof(value));
		n += snprintf(out + n, NUKI_TEXT_MAX - (size_t) n, "%s%s=%s", separator,
			field->name, value);
		separator = " ";
	}
	return out;
}

wall_t nuki_date_to_wall(const struct nuki_date *date) {
	const struct civil civil = {
		.year = date->year,
		.month = date->month,
		.day = date->day,
		.hour = date->hour,
		.minute = date->minute,
		.second = date->second,
	};
	wall_t wall = { 0 };

	(void) wall_from_civil(&civil, &wall);
	return wall;
}

struct nuki_date nuki_date_from_wall(wall_t wall) {
	const struct civil civil = wall_to_civil(wall);

	return (struct nuki_date){
		.year = (uint16_t) civil.year,
		.month = (uint8_t) civil.month,
		.day = (uint8_t) civil.day,
		.hour = (uint8_t) civil.hour,
		.minute = (uint8_t) civil.minute,
		.second = (uint8_t) civil.second,
	};
}
