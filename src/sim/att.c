/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "att.h"

/* The server: one row for each kind of request (Core specification 3.F.3.4). */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

/* Error codes: 3.F.3.4.1.1. */
#define ATT_INVALID_HANDLE 0x01
#define ATT_INVALID_PDU 0x04
#define ATT_NOT_SUPPORTED 0x06
#define ATT_QUEUE_FULL 0x09
#define ATT_NOT_FOUND 0x0a
#define ATT_UNSUPPORTED_GROUP 0x10
#define ATT_VALUE_NOT_ALLOWED 0x13

#define ATT_ERROR_RSP 0x01
#define ATT_WRITE_CMD 0x52
#define ATT_NOTIFY 0x1b
#define ATT_INDICATE 0x1d
#define ATT_COMMAND_FLAG 0x40

struct request {
	uint8_t op;
	struct rd rd;      /* behind the opcode */
	struct wr out;     /* the response, at most MTU octets */
	uint16_t handle;   /* for the error response */
	const uint8_t *at; /* the whole PDU */
	size_t n;
};

static void send(struct att *att, const uint8_t *pdu, size_t n) {
	if (att->is_open && !att->is_stalled) {
		att->impl->send(att->user, pdu, n);
	}
}

static void send_error(struct att *att, uint8_t op, uint16_t handle, uint8_t code) {
	const uint8_t pdu[] = { ATT_ERROR_RSP, op, (uint8_t) handle, (uint8_t) (handle >> 8),
		code };
	send(att, pdu, sizeof(pdu));
}

/* ---- what the attributes hold ---- */

/* @return octets or SIM_ATT(code). */
static ssize_t read_attr(struct att *att, const struct att_attr *attr, uint8_t *out, size_t size) {
	assert(size >= ATT_VALUE_MAX);
	switch (attr->kind) {
	case ATT_SERVICE:
	case ATT_DECLARATION:
		memcpy(out, attr->value, attr->n_value);
		return (ssize_t) attr->n_value;
	case ATT_CCC:
		out[0] = (uint8_t) attr->ccc;
		out[1] = (uint8_t) (attr->ccc >> 8);
		return 2;
	case ATT_VALUE:
		break;
	}
	return attr->flags & SIM_FLAG_READ ? att->impl->read(att->user, attr->chr, out, size)
					   : SIM_ATT(SIM_ATT_READ_NOT_PERMITTED);
}

static int write_ccc(struct att *att, struct att_attr *attr, const uint8_t *value, size_t n) {
	if (n != 2) {
		return SIM_ATT(SIM_ATT_INVALID_LENGTH);
	}
	uint16_t ccc = (uint16_t) (value[0] | value[1] << 8);
	uint16_t possible = (uint16_t) ((attr->flags & SIM_FLAG_NOTIFY ? 1 : 0) |
					(attr->flags & SIM_FLAG_INDICATE ? 2 : 0));
	if (ccc & ~possible) {
		return SIM_ATT(ATT_VALUE_NOT_ALLOWED);
	}
	bool was_on = attr->ccc != 0;
	attr->ccc = ccc;
	if (attr->chr < 0 || (ccc != 0) == was_on) {
		return 0;
	}
	return att->impl->subscribe(att->user, attr->chr, ccc != 0);
}

static bool is_writable(const struct att_attr *attr, unsigned flag) {
	return attr->kind == ATT_CCC || (attr->kind == ATT_VALUE && (attr->flags & flag));
}

static int write_attr(struct att *att, struct att_attr *attr, const uint8_t *value, size_t n) {
	return attr->kind == ATT_CCC ? write_ccc(att, attr, value, n)
				     : att->impl->write(att->user, attr->chr, value, n);
}

/* ---- requests: 0 = the response is in @out, else SIM_ATT(code) ---- */

static int read_range(struct request *request, uint16_t *ret_from, uint16_t *ret_to) {
	*ret_from = rd_u16le(&request->rd);
	*ret_to = rd_u16le(&request->rd);
	request->handle = *ret_from;
	return *ret_from == 0 || *ret_from > *ret_to ? SIM_ATT(ATT_INVALID_HANDLE) : 0;
}

/* The attributes of a range, one after the other; NULL at the end. */
static struct att_attr *next_in_range(struct att *att, size_t *at, uint16_t from, uint16_t to) {
	while (!att->is_empty && *at < att->table.n) {
		struct att_attr *attr = &att->table.attrs[(*at)++];
		if (attr->handle >= from && attr->handle <= to) {
			return attr;
		}
	}
	return NULL;
}

static int on_mtu(struct att *att, struct request *request) {
	unsigned wanted = rd_u16le(&request->rd);
	wr_u16le(&request->out, (uint16_t) att->mtu_max);
	unsigned mtu = wanted < att->mtu_max ? wanted : att->mtu_max;
	/* The response itself still goes by the old one, which it fits. */
	att->mtu = mtu < ATT_MTU_MIN ? ATT_MTU_MIN : mtu;
	att->impl->mtu_agreed(att->user, att->mtu);
	return 0;
}

static int on_find_information(struct att *att, struct request *request) {
	uint16_t from, to;
	int r = read_range(request, &from, &to);
	size_t at = 0, n_type = 0;
	for (struct att_attr *attr; r == 0 && (attr = next_in_range(att, &at, from, to)) != NULL;) {
		if (n_type == 0) {
			n_type = attr->n_type;
			wr_u8(&request->out, n_type == 2 ? 1 : 2);
		}
		if (attr->n_type != n_type || request->out.used + 2 + n_type > request->out.size) {
			break;
		}
		wr_u16le(&request->out, attr->handle);
		wr_bytes(&request->out, attr->type, n_type);
	}
	return r < 0 ? r : n_type == 0 ? SIM_ATT(ATT_NOT_FOUND) : 0;
}

static int on_find_by_type(struct att *att, struct request *request) {
	uint16_t from, to;
	int r = read_range(request, &from, &to);
	const uint8_t *type = rd_bytes(&request->rd, 2);
	size_t n_value = rd_left(&request->rd);
	const uint8_t *value = rd_bytes(&request->rd, n_value);
	size_t at = 0;
	bool is_found = false;
	for (struct att_attr *attr; r == 0 && (attr = next_in_range(att, &at, from, to)) != NULL;) {
		if (!att_is_type(attr, type, 2) || attr->kind == ATT_VALUE ||
			attr->n_value != n_value || memcmp(attr->value, value, n_value) != 0) {
			continue;
		}
		if (request->out.used + 4 > request->out.size) {
			break;
		}
		is_found = true;
		wr_u16le(&request->out, attr->handle);
		wr_u16le(&request->out, attr->group_end);
	}
	return r < 0 ? r : is_found ? 0 : SIM_ATT(ATT_NOT_FOUND);
}

/* Read By Type and Read By Group Type differ in the group's end and in what may be asked for. */
static int read_list(struct att *att, struct request *request, bool is_group) {
	uint16_t from, to;
	uint8_t value[ATT_VALUE_MAX];
	size_t n_head = is_group ? 4 : 2, n_entry = 0, at = 0;
	int r = read_range(request, &from, &to);
	size_t n_type = rd_left(&request->rd);
	const uint8_t *type = rd_bytes(&request->rd, n_type);
	if (r == 0 && n_type != 2 && n_type != 16) {
		r = SIM_ATT(ATT_INVALID_PDU);
	}
	for (struct att_attr *attr; r == 0 && (attr = next_in_range(att, &at, from, to)) != NULL;) {
		if (!att_is_type(attr, type, n_type)) {
			continue;
		}
		ssize_t n = read_attr(att, attr, value, sizeof(value));
		if (n < 0 && n_entry == 0) {
			request->handle = attr->handle;
			return (int) n;
		}
		/* All entries are of one length, which has an octet to be told in. */
		size_t most = request->out.size - 2 < 255 ? request->out.size - 2 : 255;
		size_t n_wanted = n < 0 ? 0 : n_head + (size_t) n;
		n_wanted = n_wanted > most ? most : n_wanted;
		if (n < 0 || (n_entry != 0 && n_wanted != n_entry) ||
			request->out.used + n_wanted > request->out.size) {
			break;
		}
		if (n_entry == 0) {
			n_entry = n_wanted;
			wr_u8(&request->out, (uint8_t) n_entry);
		}
		wr_u16le(&request->out, attr->handle);
		if (is_group) {
			wr_u16le(&request->out, attr->group_end);
		}
		wr_bytes(&request->out, value, n_entry - n_head);
	}
	return r < 0 ? r : n_entry == 0 ? SIM_ATT(ATT_NOT_FOUND) : 0;
}

static int on_read_by_type(struct att *att, struct request *request) {
	return read_list(att, request, false);
}

static int on_read_by_group(struct att *att, struct request *request) {
	const uint8_t *type = request->at + 5;
	uint16_t number = (uint16_t) (type[0] | type[1] << 8);
	if (request->n == 7 && number != 0x2800 && number != 0x2801) {
		request->handle = (uint16_t) (request->at[1] | request->at[2] << 8);
		return SIM_ATT(ATT_UNSUPPORTED_GROUP);
	}
	return read_list(att, request, true);
}

static int read_from(struct att *att, struct request *request, bool is_blob) {
	uint8_t value[ATT_VALUE_MAX];
	request->handle = rd_u16le(&request->rd);
	size_t offset = is_blob ? rd_u16le(&request->rd) : 0;
	const struct att_attr *attr = att_table_find(&att->table, request->handle);
	if (attr == NULL) {
		return SIM_ATT(ATT_INVALID_HANDLE);
	}
	ssize_t n = read_attr(att, attr, value, sizeof(value));
	if (n < 0) {
		return (int) n;
	}
	if (offset > (size_t) n) {
		return SIM_ATT(SIM_ATT_INVALID_OFFSET);
	}
	size_t left = (size_t) n - offset, room = request->out.size - request->out.used;
	wr_bytes(&request->out, value + offset, left < room ? left : room);
	return 0;
}

static int on_read(struct att *att, struct request *request) {
	return read_from(att, request, false);
}

static int on_read_blob(struct att *att, struct request *request) {
	return read_from(att, request, true);
}

static int find_writable(
	struct att *att, struct request *request, unsigned flag, struct att_attr **ret) {
	request->handle = rd_u16le(&request->rd);
	*ret = att_table_find(&att->table, request->handle);
	if (*ret == NULL) {
		return SIM_ATT(ATT_INVALID_HANDLE);
	}
	return is_writable(*ret, flag) ? 0 : SIM_ATT(SIM_ATT_WRITE_NOT_PERMITTED);
}

static int on_write(struct att *att, struct request *request) {
	struct att_attr *attr = NULL;
	int r = find_writable(att, request, SIM_FLAG_WRITE, &attr);
	size_t n = rd_left(&request->rd);
	return r < 0 ? r : write_attr(att, attr, rd_bytes(&request->rd, n), n);
}

static int on_write_command(struct att *att, struct request *request) {
	struct att_attr *attr = NULL;
	size_t n = rd_left(&request->rd) - 2;
	if (find_writable(att, request, SIM_FLAG_WRITE_COMMAND, &attr) == 0) {
		write_attr(att, attr, rd_bytes(&request->rd, n), n);
	}
	return 0;
}

static int on_prepare(struct att *att, struct request *request) {
	struct att_attr *attr = NULL;
	int r = find_writable(att, request, SIM_FLAG_WRITE, &attr);
	uint16_t offset = rd_u16le(&request->rd);
	size_t n = rd_left(&request->rd);
	if (r < 0) {
		return r;
	}
	if (att->n_parts == ATT_PARTS_MAX || n > ATT_PREPARED_MAX - att->n_prepared) {
		return SIM_ATT(ATT_QUEUE_FULL);
	}
	att->parts[att->n_parts++] =
		(struct att_part){ request->handle, offset, att->n_prepared, n };
	rd_copy(&request->rd, att->prepared + att->n_prepared, n);
	att->n_prepared += n;
	/* The response repeats the request: the client compares (3.F.3.4.6.2). */
	wr_bytes(&request->out, request->at + 1, request->n - 1);
	return 0;
}

/* Puts together the parts from @*at on that are for one attribute, and writes it. */
static int execute_one(struct att *att, struct request *request, size_t *at) {
	uint8_t value[ATT_VALUE_MAX];
	size_t n = 0;
	request->handle = att->parts[*at].handle;
	for (; *at < att->n_parts && att->parts[*at].handle == request->handle; (*at)++) {
		const struct att_part *part = &att->parts[*at];
		if (part->offset > n) {
			return SIM_ATT(SIM_ATT_INVALID_OFFSET);
		}
		if (part->offset + part->n > sizeof(value)) {
			return SIM_ATT(SIM_ATT_INVALID_LENGTH);
		}
		memcpy(value + part->offset, att->prepared + part->at, part->n);
		n = part->offset + part->n > n ? part->offset + part->n : n;
	}
	struct att_attr *attr = att_table_find(&att->table, request->handle);
	return attr == NULL ? SIM_ATT(ATT_INVALID_HANDLE) : write_attr(att, attr, value, n);
}

static int on_execute(struct att *att, struct request *request) {
	bool is_write = rd_u8(&request->rd) == 1;
	int r = 0;
	for (size_t at = 0; is_write && r == 0 && at < att->n_parts;) {
		r = execute_one(att, request, &at);
	}
	att->n_parts = 0;
	att->n_prepared = 0;
	return r;
}

static int on_confirmation(struct att *att, struct request *request) {
	(void) request;
	if (att->is_waiting) {
		att->is_waiting = false;
		att->impl->confirmed(att->user);
	}
	return 0;
}

/* Least and most octets, the opcode's included. An answer of 0 means that there is none. */
static const struct row {
	uint8_t op;
	uint8_t answer;
	size_t least, most;
	int (*fn)(struct att *att, struct request *request);
} rows[] = {
	{ 0x02, 0x03, 3, 3, on_mtu },
	{ 0x04, 0x05, 5, 5, on_find_information },
	{ 0x06, 0x07, 7, ATT_MTU_MAX, on_find_by_type },
	{ 0x08, 0x09, 7, 21, on_read_by_type },
	{ 0x0a, 0x0b, 3, 3, on_read },
	{ 0x0c, 0x0d, 5, 5, on_read_blob },
	{ 0x10, 0x11, 7, 21, on_read_by_group },
	{ 0x12, 0x13, 3, ATT_MTU_MAX, on_write },
	{ 0x16, 0x17, 5, ATT_MTU_MAX, on_prepare },
	{ 0x18, 0x19, 2, 2, on_execute },
	{ 0x1e, 0x00, 1, 1, on_confirmation },
	{ ATT_WRITE_CMD, 0x00, 3, ATT_MTU_MAX, on_write_command },
};

static const struct row *find_row(uint8_t op) {
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].op == op) {
			return &rows[i];
		}
	}
	return NULL;
}

void att_input(struct att *att, const uint8_t *pdu, size_t n) {
	uint8_t out[ATT_MTU_MAX];
	if (!att->is_open || att->is_stalled || n == 0) {
		return;
	}
	const struct row *row = find_row(pdu[0]);
	bool is_request = (pdu[0] & (ATT_COMMAND_FLAG | 1)) == 0 && pdu[0] != 0x1e;
	if (row == NULL || n < row->least || n > row->most || n > att->mtu) {
		/* Commands, and what only a server sends, are passed over (3.F.3.3). */
		if (is_request) {
			send_error(
				att, pdu[0], 0, row == NULL ? ATT_NOT_SUPPORTED : ATT_INVALID_PDU);
		}
		return;
	}
	struct request request = {
		.op = pdu[0],
		.rd = rd_on(pdu + 1, n - 1),
		.out = wr_on(out, att->mtu),
		.at = pdu,
		.n = n,
	};
	wr_u8(&request.out, row->answer);
	int r = row->fn(att, &request);
	if (row->answer == 0) {
		return;
	}
	if (r < 0) {
		int code = -r - SIM_ATT_BASE;
		send_error(att, pdu[0], request.handle,
			code > 0 && code < 256 ? (uint8_t) code : SIM_ATT_UNLIKELY);
	} else {
		send(att, out, request.out.used);
	}
}

/* ---- what the lock says by itself ---- */

int att_send_value(struct att *att, int chr, const uint8_t *value, size_t n) {
	uint8_t pdu[ATT_MTU_MAX];
	const struct att_attr *attr = NULL, *ccc = NULL;
	for (size_t i = 0; i < att->table.n; i++) {
		const struct att_attr *one = &att->table.attrs[i];
		if (one->chr == chr && one->kind == ATT_VALUE) {
			attr = one;
		} else if (one->chr == chr && one->kind == ATT_CCC) {
			ccc = one;
		}
	}
	if (!att->is_open || attr == NULL || ccc == NULL || ccc->ccc == 0) {
		return -ENOENT;
	}
	bool is_indication = (ccc->ccc & 2) != 0;
	if (is_indication && att->is_waiting) {
		return -EBUSY;
	}
	struct wr wr = wr_on(pdu, att->mtu);
	wr_u8(&wr, is_indication ? ATT_INDICATE : ATT_NOTIFY);
	wr_u16le(&wr, attr->handle);
	wr_bytes(&wr, value, n < att->mtu - 3 ? n : att->mtu - 3);
	att->is_waiting = att->is_waiting || is_indication;
	send(att, pdu, wr.used);
	return 0;
}

/* ---- life ---- */

int att_open(struct att *att, const struct sim_gatt *gatt, unsigned shift, unsigned mtu_max,
	const struct att_user *impl, void *user) {
	att_finish(att);
	int r = att_table_build(&att->table, gatt, shift);
	if (r < 0) {
		return r;
	}
	att->impl = impl;
	att->user = user;
	att->mtu = ATT_MTU_MIN;
	att->mtu_max = mtu_max < ATT_MTU_MIN   ? ATT_MTU_MIN
		       : mtu_max > ATT_MTU_MAX ? ATT_MTU_MAX
					       : mtu_max;
	att->is_open = true;
	return 0;
}

void att_close(struct att *att) {
	att->is_open = false;
}

void att_finish(struct att *att) {
	att_table_finish(&att->table);
	att->is_open = att->is_stalled = att->is_empty = att->is_waiting = false;
	att->n_parts = 0;
	att->n_prepared = 0;
}
