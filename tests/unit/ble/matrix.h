/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The fault matrix: a fault strikes while a link is in a certain state, and the cell says how what
 * was wanted has to end. Each cell is a test case. After its outcome the fault is mended, a new
 * want must come up and write, and after link_free() nothing may be left: no link, no match rule
 * (the bus is asked), no file descriptor.
 *
 * Outcomes, in capitals:
 *   U  up, and it can be written          D  down with a fault of the row's list
 *   N  down without a fault               W  the write under way was done, the link stays
 *   M  write maybe sent, then down        S  write not sent, then down
 *   E  write refused, the link stays     F  BlueZ let go of a stuck link
 * Cells that make no sense carry the reason, a small letter: see matrix_reasons in matrix.c.
 *
 * What a protocol does on a link (SECURING of the guide) is READY here; QUARANTINE is core's.
 */

#include "scene.h"

enum matrix_state {
	MX_ABSENT,
	MX_IDLE,
	MX_QUEUED,
	MX_FINDING,
	MX_CONNECTING,
	MX_RESOLVING,
	MX_SUBSCRIBING,
	MX_READY,   /* the fault strikes, then a write */
	MX_WRITING, /* the fault strikes during a write */
	MX_LINGER,
	MX_DISCONNECTING, /* with a new want waiting for the end of it */
	MX_BACKOFF,
	MX_STUCK,
	MX_STATES,
};

#define MX_PERCENT 2 /* Connect's 20 s become 0.4 s */
#define MX_FAULTS_MAX 6

struct matrix {
	struct scene scene;
	struct fake_device *a; /* its link is under test */
	struct fake_device *b; /* takes the only slot, for another program */
	enum matrix_state state;
	bool is_hidden; /* discovery does not find it */
};

struct matrix_row {
	const char *name;
	const char *cells; /* one letter per state */
	void (*strike)(struct matrix *m);
	void (*mend)(struct matrix *m); /* what matrix.c does not mend for all; may be NULL */
	bool is_holding;                /* what the state waits for does not come either */
	bool is_new_bluez;              /* 5.83 */
	unsigned patience_ms;           /* 0: 25 s */
	enum fault_code faults[MX_FAULTS_MAX];
};

/* What the state waits for comes now. */
void matrix_let_go(struct matrix *m);
void matrix_turn_for(struct matrix *m, int ms);
int matrix_run(const struct matrix_row *rows, size_t n);
