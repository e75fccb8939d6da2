/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "att.h"

/* A lock's GATT table as attributes with handles (Core specification 3.G.3). */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

#define FIRST_HANDLE 6 /* GAP has the ones before */
#define PRIMARY_SERVICE 0x2800
#define CHARACTERISTIC 0x2803
#define CLIENT_CONFIGURATION 0x2902

/* The Bluetooth base UUID, little-endian; octets 12 and 13 hold the short form (3.B.2.5.1). */
static const uint8_t base[16] = { 0xfb, 0x34, 0x9b, 0x5f, 0x80, 0x00, 0x00, 0x80, 0x00, 0x10, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00 };

size_t att_uuid(const char *text, uint8_t out[static 16]) {
	char digits[33];
	uint8_t big[16];
	size_t n = 0;
	for (; *text != '\0'; text++) {
		if (*text == '-') {
			continue;
		}
		if (n == 32) {
			return 0;
		}
		digits[n++] = *text;
	}
	digits[n] = '\0';
	if (hex_decode(digits, big, sizeof(big)) < 0) {
		return 0;
	}
	for (size_t i = 0; i < 16; i++) {
		out[i] = big[15 - i];
	}
	if (memcmp(out, base, 12) == 0 && out[14] == 0 && out[15] == 0) {
		memmove(out, out + 12, 2);
		return 2;
	}
	return 16;
}

bool att_is_type(const struct att_attr *attr, const uint8_t *type, size_t n) {
	if (attr->n_type == n) {
		return memcmp(attr->type, type, n) == 0;
	}
	/* A short UUID may be asked for in its long form. */
	return n == 16 && attr->n_type == 2 && memcmp(type, base, 12) == 0 &&
	       memcmp(type + 12, attr->type, 2) == 0 && type[14] == 0 && type[15] == 0;
}

static struct att_attr *add(struct att_table *table, uint16_t handle, uint16_t type) {
	struct att_attr *attr = &table->attrs[table->n++];
	*attr = (struct att_attr){
		.handle = handle,
		.group_end = handle,
		.type = { (uint8_t) type, (uint8_t) (type >> 8) },
		.n_type = 2,
	};
	return attr;
}

static struct att_attr *add_service(struct att_table *table, const char *uuid, uint16_t *handle) {
	struct att_attr *attr = add(table, (*handle)++, PRIMARY_SERVICE);
	attr->kind = ATT_SERVICE;
	attr->n_value = att_uuid(uuid, attr->value);
	return attr;
}

/* Properties of a declaration: 3.G.3.3.1.1. */
static uint8_t properties(unsigned flags) {
	return (uint8_t) ((flags & SIM_FLAG_READ ? 0x02 : 0) |
			  (flags & SIM_FLAG_WRITE_COMMAND ? 0x04 : 0) |
			  (flags & SIM_FLAG_WRITE ? 0x08 : 0) |
			  (flags & SIM_FLAG_NOTIFY ? 0x10 : 0) |
			  (flags & SIM_FLAG_INDICATE ? 0x20 : 0));
}

static void add_char(struct att_table *table, struct att_attr *service, const char *uuid,
	unsigned flags, int chr, uint16_t *handle) {
	struct att_attr *declaration = add(table, (*handle)++, CHARACTERISTIC);
	struct att_attr *value = add(table, (*handle)++, 0);
	value->kind = ATT_VALUE;
	value->n_type = att_uuid(uuid, value->type);
	value->chr = chr;
	value->flags = flags;
	declaration->kind = ATT_DECLARATION;
	struct wr wr = wr_on(declaration->value, sizeof(declaration->value));
	wr_u8(&wr, properties(flags));
	wr_u16le(&wr, value->handle);
	wr_bytes(&wr, value->type, value->n_type);
	declaration->n_value = (size_t) wr_end(&wr);
	if (flags & (SIM_FLAG_NOTIFY | SIM_FLAG_INDICATE)) {
		struct att_attr *ccc = add(table, (*handle)++, CLIENT_CONFIGURATION);
		ccc->kind = ATT_CCC;
		ccc->chr = chr;
		ccc->flags = flags;
	}
	service->group_end = (uint16_t) (*handle - 1);
}

int att_table_build(struct att_table *table, const struct sim_gatt *gatt, unsigned shift) {
	size_t n = 16;
	for (size_t i = 0; i < gatt->n_services; i++) {
		n += 1 + 3 * gatt->services[i].n_chars;
	}
	*table = (struct att_table){ .attrs = calloc(n, sizeof(struct att_attr)) };
	if (table->attrs == NULL) {
		return -ENOMEM;
	}
	uint16_t handle = 1;
	struct att_attr *service =
		add_service(table, "00001800-0000-1000-8000-00805f9b34fb", &handle);
	add_char(table, service, "00002a00-0000-1000-8000-00805f9b34fb", SIM_FLAG_READ,
		ATT_CHR_NAME, &handle);
	add_char(table, service, "00002a01-0000-1000-8000-00805f9b34fb", SIM_FLAG_READ,
		ATT_CHR_APPEARANCE, &handle);
	handle = (uint16_t) (FIRST_HANDLE + shift);
	service = add_service(table, "00001801-0000-1000-8000-00805f9b34fb", &handle);
	add_char(table, service, "00002a05-0000-1000-8000-00805f9b34fb", SIM_FLAG_INDICATE,
		ATT_CHR_CHANGED, &handle);
	int number = 0;
	for (size_t i = 0; i < gatt->n_services; i++) {
		const struct sim_service *def = &gatt->services[i];
		service = add_service(table, def->uuid, &handle);
		for (size_t k = 0; k < def->n_chars; k++) {
			add_char(table, service, def->chars[k].uuid, def->chars[k].flags, number++,
				&handle);
		}
	}
	return 0;
}

void att_table_finish(struct att_table *table) {
	free(table->attrs);
	*table = (struct att_table){ 0 };
}

struct att_attr *att_table_find(const struct att_table *table, uint16_t handle) {
	for (size_t i = 0; i < table->n; i++) {
		if (table->attrs[i].handle == handle) {
			return &table->attrs[i];
		}
	}
	return NULL;
}
