/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fault matrix: attributes, links that BlueZ only believes in, other programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "matrix.h"

static void never_resolves(struct matrix *m) {
	m->a->is_resolve_withheld = true;
	if (m->state == MX_QUEUED || m->state == MX_CONNECTING) {
		matrix_let_go(m);
	}
}

static void resolves_late(struct matrix *m) {
	m->a->has_gatt = false;
	m->a->gatt_delay_ms = 6; /* the grace is 10 */
}

/* Resolved, and the characteristic that is needed is not there; found in the end or not at all. */
static void lacks_objects(struct matrix *m) {
	m->a->has_usdio = false;
	if (m->state == MX_QUEUED || m->state == MX_CONNECTING || m->state == MX_RESOLVING) {
		matrix_let_go(m);
	}
}

static void handles_move(struct matrix *m) {
	m->a->handle = m->a->handle == 0x10 ? 0x20 : 0x10;
}

static void att_invalid_handle(struct matrix *m) {
	m->a->write = WRITE_ERROR;
	m->a->error_name = "org.bluez.Error.Failed";
	m->a->error_text = "Operation failed with ATT error: 0x01";
}

/* BlueZ issue 947: Connected stays true, every call says that it is not, Disconnect says nothing.
 */
static void phantom(struct matrix *m) {
	struct fake_device *a = m->a;

	a->is_disconnect_swallowed = true;
	a->write = WRITE_ERROR;
	a->error_name = a->notify_error_name = "org.bluez.Error.Failed";
	a->error_text = a->notify_error_text = "Not connected";
	a->pending_disconnect = sd_bus_message_unref(a->pending_disconnect);
	if (m->state == MX_QUEUED || m->state == MX_CONNECTING || m->state == MX_RESOLVING) {
		matrix_let_go(m);
	}
	if (a->held_notify != NULL) {
		(void) sd_bus_reply_method_errorf(
			a->held_notify, a->notify_error_name, "%s", a->notify_error_text);
		a->held_notify = sd_bus_message_unref(a->held_notify);
	}
	if (a->held_write != NULL) {
		(void) sd_bus_reply_method_errorf(
			a->held_write, a->error_name, "%s", a->error_text);
		a->held_write = sd_bus_message_unref(a->held_write);
	}
}

static void phantom_ends(struct matrix *m) {
	m->a->is_disconnect_swallowed = false;
	if (m->a->is_connected) {
		fake_device_drop(m->a);
	}
	matrix_turn_for(m, 20);
}

static void disconnect_is_silent(struct matrix *m) {
	m->a->is_disconnect_swallowed = true;
	m->a->pending_disconnect = sd_bus_message_unref(m->a->pending_disconnect);
	if (m->state == MX_CONNECTING) {
		m->a->connect = CONNECT_DEAF;
	}
	if (m->state == MX_QUEUED) {
		matrix_let_go(m);
	}
}

static void disconnect_speaks(struct matrix *m) {
	m->a->is_disconnect_swallowed = false;
	m->a->connect = CONNECT_QUIET;
	if (m->a->pending_connect != NULL) {
		fake_device_connect(m->a);
		matrix_turn_for(m, 10);
	}
	phantom_ends(m);
}

static void foreign_notify(struct matrix *m) {
	struct fake_device *a = m->a;

	a->notify_error_name = "org.bluez.Error.NotPermitted";
	a->notify_error_text = "Notify acquired";
	if (m->state == MX_QUEUED || m->state == MX_CONNECTING || m->state == MX_RESOLVING) {
		matrix_let_go(m);
	}
	if (a->held_notify != NULL) {
		(void) sd_bus_reply_method_errorf(
			a->held_notify, a->notify_error_name, "%s", a->notify_error_text);
		a->held_notify = sd_bus_message_unref(a->held_notify);
	}
}

static void foreign_write(struct matrix *m) {
	m->a->write = WRITE_ERROR;
	m->a->error_name = "org.bluez.Error.InProgress";
	m->a->error_text = "In Progress";
}

/* Another program's pattern: Discovering is true and nothing is shown. */
static void foreign_pattern(struct matrix *m) {
	m->is_hidden = true;
}

/* clang-format off */
static const struct matrix_row rows[] = {
	/*                                        aiqf crsRw ldbk */
	{ "services never resolve",              "DDDDDDppppDDp", never_resolves, NULL, true, false, 0,
		{ FAULT_LOCK_UNREACHABLE } },
	{ "resolved before the objects come",    "UUUUUUppppUUp", resolves_late, NULL, false, false, 0, { 0 } },
	{ "resolved, no objects",                "DDDDDDppppDDp", lacks_objects, NULL, true, false, 0,
		{ FAULT_GATT_MISMATCH } },
	{ "stale handles: UnknownObject",        "UUUUUUpSWUUUp", handles_move, NULL, false, false, 0,
		{ FAULT_GATT_MISMATCH } },
	{ "stale handles: ATT 0x01",             "pppppppSppppp", att_invalid_handle, NULL, true, false, 0,
		{ FAULT_GATT_MISMATCH } },
	{ "phantom link (issue 947)",            "DDDDDDDSSUDDD", phantom, phantom_ends, true, false, 0,
		{ FAULT_LINK_STUCK, FAULT_LINK_LOST, FAULT_LOCK_UNREACHABLE } },
	{ "Disconnect never answers",            "UUUUDDDUMUDUD", disconnect_is_silent, disconnect_speaks, true, false, 0,
		{ FAULT_LINK_STUCK, FAULT_LOCK_UNREACHABLE, FAULT_LOCK_NOT_HEARD, FAULT_LOCK_SILENT } },
	{ "foreign client holds notify",         "DDDDDDDpppDDp", foreign_notify, NULL, true, false, 0,
		{ FAULT_LOCK_UNREACHABLE } },
	{ "foreign client writes",               "wwwwwwwEpwwww", foreign_write, NULL, true, false, 0,
		{ FAULT_LOCK_UNREACHABLE } },
	{ "foreign pattern hides the lock",      "DooDooooooooo", foreign_pattern, NULL, true, false, 0,
		{ FAULT_LOCK_NOT_HEARD } },
};
/* clang-format on */

int main(void) {
	return matrix_run(rows, sizeof(rows) / sizeof(rows[0]));
}
