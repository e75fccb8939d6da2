/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An ATT server (Core specification 3.F) for one link to one lock: PDUs in, PDUs out through
 * struct att_user, nothing else. It keeps what belongs to the link: MTU, the client's configuration
 * (CCC), prepared writes, and whether an indication waits for its confirmation. The lock's values
 * are asked for when a request wants them.
 */

#include "sim/lock.h"

#define ATT_MTU_MIN 23
#define ATT_MTU_MAX 517
#define ATT_VALUE_MAX 512 /* 3.F.3.2.9 */
#define ATT_PARTS_MAX 64  /* prepared writes; 512 octets at the least MTU are 29 */
#define ATT_PREPARED_MAX 1024

/* Characteristics that are not of the lock's own table. */
enum att_own_chr { ATT_CHR_NAME = -1, ATT_CHR_APPEARANCE = -2, ATT_CHR_CHANGED = -3 };

enum att_kind { ATT_SERVICE, ATT_DECLARATION, ATT_VALUE, ATT_CCC };

struct att_attr {
	enum att_kind kind;
	uint16_t handle, group_end;
	uint8_t type[16]; /* as on the wire: little-endian, 2 or 16 octets */
	size_t n_type;
	uint8_t value[19]; /* of services and declarations */
	size_t n_value;
	int chr;        /* the lock's number, or enum att_own_chr */
	unsigned flags; /* enum sim_flag, of the characteristic */
	uint16_t ccc;   /* bit 0 notify, bit 1 indicate (3.G.3.3.3.3) */
};

struct att_table {
	struct att_attr *attrs;
	size_t n;
};

/*
 * GAP first (handles 1 to 5), then GATT and the lock's services from handle 6 + @shift on.
 * @return 0 or -ENOMEM.
 */
int att_table_build(struct att_table *table, const struct sim_gatt *gatt, unsigned shift);
void att_table_finish(struct att_table *table);
struct att_attr *att_table_find(const struct att_table *table, uint16_t handle);
bool att_is_type(const struct att_attr *attr, const uint8_t *type, size_t n);
/* "0000180a-0000-1000-8000-00805f9b34fb" to its shortest wire form. @return 2, 16 or 0. */
size_t att_uuid(const char *text, uint8_t out[static 16]);

struct att_user {
	void (*send)(void *user, const uint8_t *pdu, size_t n);
	/* A whole value; long writes put together. 0 or SIM_ATT(code). May close the server. */
	int (*write)(void *user, int chr, const uint8_t *value, size_t n);
	/* @return octets or SIM_ATT(code). @chr may be one of enum att_own_chr. */
	ssize_t (*read)(void *user, int chr, uint8_t *out, size_t size);
	int (*subscribe)(void *user, int chr, bool on);
	void (*mtu_agreed)(void *user, unsigned mtu);
	void (*confirmed)(void *user); /* the next indication may be sent */
};

struct att_part {
	uint16_t handle, offset;
	size_t at, n; /* in the server's @prepared */
};

struct att {
	const struct att_user *impl;
	void *user;
	struct att_table table;
	unsigned mtu, mtu_max;
	bool is_open;
	bool is_stalled; /* answers nothing any more */
	bool is_empty;   /* says that it has no attributes */
	bool is_waiting; /* for a confirmation */
	struct att_part parts[ATT_PARTS_MAX];
	size_t n_parts;
	uint8_t prepared[ATT_PREPARED_MAX];
	size_t n_prepared;
};

/* @return 0 or -ENOMEM. */
int att_open(struct att *att, const struct sim_gatt *gatt, unsigned shift, unsigned mtu_max,
	const struct att_user *impl, void *user);
/* Legal from inside a hook: nothing is sent any more, but the table stays until att_finish(). */
void att_close(struct att *att);
void att_finish(struct att *att);
/* One PDU of the client, which may be anything. */
void att_input(struct att *att, const uint8_t *pdu, size_t n);
/*
 * Sends a value of @chr: as an indication or a notification, as the client has asked for; cut to
 * MTU - 3. @return 0, -ENOENT (nobody listens), -EBUSY (an indication is not confirmed yet).
 */
int att_send_value(struct att *att, int chr, const uint8_t *value, size_t n);
