/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fault matrix: objects, adapters, bluetoothd and the bus come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "matrix.h"

static void removed(struct matrix *m) {
	if (m->a->is_present) {
		fake_device_hide(m->a);
	}
}

static void removed_for_good(struct matrix *m) {
	m->is_hidden = true;
	removed(m);
	if (m->state == MX_QUEUED) {
		matrix_let_go(m);
	}
}

static void power_off(struct matrix *m) {
	fake_adapter_power(&m->scene.fake, m->a->adapter, false);
}

static void power_on(struct matrix *m) {
	fake_adapter_power(&m->scene.fake, m->a->adapter, true);
}

static void power_cycle(struct matrix *m) {
	power_off(m);
	matrix_turn_for(m, 20); /* a want waits 100 for the adapter */
	power_on(m);
}

static void blocked(struct matrix *m) {
	fake_adapter_block(&m->scene.fake, m->a->adapter);
}

/* The objects of @device are another adapter's. */
static void move(struct fake_device *device, unsigned adapter) {
	device->adapter = adapter;
	device->path[strlen("/org/bluez/hci")] = (char) ('0' + adapter);
}

static void unplug(struct matrix *m) {
	fake_adapter_remove(&m->scene.fake, m->a->adapter);
}

static void plug(struct matrix *m) {
	unsigned index = m->a->adapter == 0 ? 2 : 0;

	move(m->a, index);
	move(m->b, index);
	fake_adapter_add(&m->scene.fake, index, HCI, true);
	fake_device_show(m->a);
	fake_device_show(m->b);
}

static void replug(struct matrix *m) {
	unplug(m);
	matrix_turn_for(m, 20);
	plug(m);
}

static void killed(struct matrix *m) {
	fake_die(&m->scene.fake);
}

static void restarted(struct matrix *m) {
	fake_start(&m->scene.fake);
}

static void killed_and_back(struct matrix *m) {
	killed(m);
	matrix_turn_for(m, 20);
	restarted(m);
}

static void hangs(struct matrix *m) {
	m->scene.fake.is_hung = true;
}

static void bus_gone(struct matrix *m) {
	fake_bus_kill(&m->scene.fake);
}

static void bus_back(struct matrix *m) {
	fake_bus_again(&m->scene.fake);
	fake_start(&m->scene.fake);
}

/* clang-format off */
static const struct matrix_row rows[] = {
	/*                                        aiqf crsRw ldbk */
	{ "device removed",                      "UUUUUUUDMNUUF", removed, NULL, false, false, 0,
		{ FAULT_LINK_LOST } },
	{ "device removed for good",             "DDDDDDDDMNDDF", removed_for_good, NULL, true, false, 0,
		{ FAULT_LOCK_NOT_HEARD, FAULT_LOCK_UNREACHABLE, FAULT_LINK_LOST } },
	{ "adapter off",                         "DDDDDDDDMNDDF", power_off, power_on, true, false, 0,
		{ FAULT_ADAPTER_OFF, FAULT_LINK_LOST } },
	{ "adapter off and on",                  "UUUUUUUDMNUUF", power_cycle, NULL, false, false, 0,
		{ FAULT_ADAPTER_OFF, FAULT_LINK_LOST } },
	{ "rfkill",                              "DDDDDDDDMNDDF", blocked, power_on, true, false, 0,
		{ FAULT_ADAPTER_BLOCKED, FAULT_ADAPTER_OFF, FAULT_LINK_LOST } },
	{ "adapter unplugged",                   "DDDDDDDDMNDDF", unplug, plug, true, false, 0,
		{ FAULT_ADAPTER_MISSING, FAULT_ADAPTER_OFF, FAULT_LINK_LOST } },
	{ "adapter comes back as hci2",          "UUUUUUUDMNUUF", replug, NULL, false, false, 0,
		{ FAULT_ADAPTER_MISSING, FAULT_ADAPTER_OFF, FAULT_LINK_LOST } },
	{ "bluetoothd killed",                   "DDDDDDDDMNDDF", killed, restarted, true, false, 0,
		{ FAULT_BLUEZ_MISSING } },
	{ "bluetoothd killed, started again",    "UUUUUUUDMNUUF", killed_and_back, NULL, false, false, 0,
		{ FAULT_BLUEZ_MISSING } },
	{ "bluetoothd hangs",                    "DDDDDDDMMUDDD", hangs, NULL, true, false, 0,
		{ FAULT_BLUEZ_HUNG, FAULT_LOCK_SILENT, FAULT_LINK_STUCK, FAULT_LOCK_NOT_HEARD, FAULT_RADIO_BUSY, FAULT_LOCK_UNREACHABLE } },
	/* A dbus-daemon that ends may hang up on bluetoothd, and tell us so, before it hangs up on us. */
	{ "bus gone",                            "DDDDDDDDMNDDF", bus_gone, bus_back, true, false, 0,
		{ FAULT_BUS_LOST, FAULT_BLUEZ_MISSING } },
};
/* clang-format on */

int main(void) {
	return matrix_run(rows, sizeof(rows) / sizeof(rows[0]));
}
