/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fault matrix: what goes wrong on the air and in the device, and what is no fault at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "matrix.h"

/* Not on the air from now on; a link that there is breaks off. */
static void goes_silent(struct matrix *m) {
	m->is_hidden = true;
	m->a->connect = CONNECT_PENDING;
	if (m->a->is_connected) {
		fake_device_drop(m->a);
	}
	if (m->state == MX_QUEUED) {
		matrix_let_go(m);
	}
}

static void noise(struct matrix *m) {
	m->a->connect = CONNECT_QUIET;
	m->a->n_fail_connects = 1;
}

static void lasting_noise(struct matrix *m) {
	m->a->connect = CONNECT_FLIP;
	if (m->a->pending_connect != NULL) {
		fake_device_connect(m->a);
	}
	if (m->state == MX_QUEUED) {
		matrix_let_go(m);
	}
}

static void link_falls(struct matrix *m) {
	fake_device_drop(m->a);
	m->a->is_resolve_withheld = m->a->is_notify_withheld = false;
}

static void remote_hangs_up(struct matrix *m) {
	fake_device_reason(m->a, "org.bluez.Reason.Remote");
	link_falls(m);
}

static void foreign_hang_up(struct matrix *m) {
	fake_device_reason(m->a, "org.bluez.Reason.Local");
	link_falls(m);
}

static void lost_in_write(struct matrix *m) {
	m->a->write = WRITE_ATT_LOST;
}

static void lost_before_error(struct matrix *m) {
	m->a->write = WRITE_LOST_ATT;
}

static void falls_without_answer(struct matrix *m) {
	m->a->write = WRITE_DROP;
	if (m->state == MX_WRITING) {
		fake_device_drop(m->a);
	}
}

/* The ATT layer takes the write, the device says nothing. */
static void mute(struct matrix *m) {
	m->a->is_notifying = false;
}

static void att_stalls(struct matrix *m) {
	m->a->write = WRITE_STALL;
}

static void hollow(struct matrix *m) {
	m->a->connect = CONNECT_HOLLOW;
	if (m->a->pending_connect != NULL) {
		fake_device_connect(m->a);
	}
	if (m->state == MX_QUEUED) {
		matrix_let_go(m);
	}
}

/* Connect says yes long after it was cancelled; until then Disconnect does not help either. */
static void late(struct matrix *m) {
	m->a->connect = CONNECT_DEAF;
	if (m->state == MX_QUEUED) {
		matrix_let_go(m);
	}
}

static void late_comes(struct matrix *m) {
	matrix_turn_for(m, 30);
	m->a->connect = CONNECT_QUIET;
	if (m->a->pending_connect != NULL) {
		fake_device_connect(m->a);
		matrix_turn_for(m, 30);
	}
}

static void storm(struct matrix *m) {
	for (unsigned i = 0; i < 5; i++) {
		fake_storm(&m->scene.fake, m->a->adapter, 300);
		matrix_turn_for(m, 2);
	}
}

/* The hub stands still, and everything comes meanwhile: deadlines are over when it goes on. */
static void stall_of_ours(struct matrix *m) {
	bool is_long =
		m->state == MX_SUBSCRIBING || m->state == MX_WRITING || m->state == MX_CONNECTING;

	matrix_let_go(m);
	for (unsigned i = 0; i < 30; i++) {
		scene_clock_turn();
		fake_turn(&m->scene.fake);
		fake_bus_settle(&m->scene.fake);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	scene_clock_skip(is_long ? 450 : 60);
}

static void burst(struct matrix *m) {
	unsigned n = m->scene.users[0].n_bytes;

	for (unsigned i = 0; i < 200; i++) {
		uint8_t value = (uint8_t) i;
		fake_device_value(m->a, &value, 1);
	}
	if (m->state == MX_READY || m->state == MX_WRITING || m->state == MX_LINGER) {
		UNTIL(&m->scene, m->scene.users[0].n_bytes == n + 200);
	}
}

static void repeats(struct matrix *m) {
	fake_device_value(m->a, (const uint8_t *) "same", 4);
	fake_device_value(m->a, (const uint8_t *) "same", 4);
	matrix_turn_for(m, 5);
}

static void clock_steps(struct matrix *m) {
	scene_clock_step_wall(400 * 86400);
	matrix_turn_for(m, 10);
	scene_clock_step_wall(-800 * 86400);
	matrix_turn_for(m, 10);
	scene_clock_step_wall(400 * 86400);
}

/* clang-format off */
static const struct matrix_row rows[] = {
	/*                                        aiqf crsRw ldbk */
	{ "out of range, battery dead",          "DDDDDDDDMNDDF", goes_silent, NULL, true, false, 0,
		{ FAULT_LOCK_NOT_HEARD, FAULT_LOCK_UNREACHABLE, FAULT_LINK_LOST } },
	{ "radio noise (0x3e), once",            "UUUUUppppUUUp", noise, NULL, false, false, 0, { 0 } },
	{ "radio noise (0x3e), lasting",         "DDDDDppppUDDp", lasting_noise, NULL, true, false, 0,
		{ FAULT_LOCK_UNREACHABLE } },
	{ "link lost",                           "lllllUUDMNUlF", link_falls, NULL, true, false, 0,
		{ FAULT_LINK_LOST } },
	{ "lost in a write: 0x0e, false",        "pppppppMppppp", lost_in_write, NULL, true, false, 0,
		{ FAULT_LINK_LOST } },
	{ "lost in a write: false, 0x0e",        "pppppppMppppp", lost_before_error, NULL, true, false, 0,
		{ FAULT_LINK_LOST } },
	{ "lost in a write: false, no answer",   "pppppppMMpppp", falls_without_answer, NULL, true, false, 0,
		{ FAULT_LINK_LOST } },
	{ "lock hangs up (5.83: Remote)",        "lllllUUDMNUlF", remote_hangs_up, NULL, true, true, 0,
		{ FAULT_LINK_LOST } },
	{ "foreign client hangs up (5.83: Local)", "lllllUUDMNUlF", foreign_hang_up, NULL, true, true, 0,
		{ FAULT_LINK_LOST } },
	{ "lock mute after the write",           "wwwwwwwUWwwww", mute, NULL, false, false, 0, { 0 } },
	{ "ATT stalls",                          "wwwwwwwMMwwww", att_stalls, NULL, true, false, 0,
		{ FAULT_LOCK_SILENT } },
	{ "Connect says yes, no link",           "DDDDDppppUDDp", hollow, NULL, true, false, 0,
		{ FAULT_LOCK_UNREACHABLE, FAULT_LOCK_NOT_HEARD } },
	{ "late answer after the cancel",        "DDDDDppppUDDp", late, late_comes, true, false, 0,
		{ FAULT_LOCK_UNREACHABLE, FAULT_LOCK_NOT_HEARD, FAULT_LINK_STUCK } },
	{ "discovery storm",                     "UUUUUUUUWUUUD", storm, NULL, false, false, 0, { 0 } },
	{ "hub stalled 3 s or a deadline",       "UUUUUUUUWUUUD", stall_of_ours, NULL, false, false, 60000, { 0 } },
	{ "200 notifications at once",           "nnnnnnnUWUnnn", burst, NULL, false, false, 0, { 0 } },
	{ "a notification twice",                "nnnnnnnUWUnnn", repeats, NULL, false, false, 0, { 0 } },
	{ "wall clock steps 400 days",           "UUUUUUUUWUUUD", clock_steps, NULL, false, false, 0, { 0 } },
};
/* clang-format on */

int main(void) {
	return matrix_run(rows, sizeof(rows) / sizeof(rows[0]));
}
