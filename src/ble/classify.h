/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What BlueZ's error names and texts mean (docs/bluez-notes.md). Texts carry little, and
 * names less: `Failed` is used for nearly everything. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/fault.h"
#include "util/radio.h"

enum bluez_error {
	BLUEZ_ERROR_NONE,
	BLUEZ_ERROR_OTHER,         /* none of the rows */
	BLUEZ_ERROR_ABORTED,       /* LE connect failed, for whatever reason but cancelling */
	BLUEZ_ERROR_CANCELED,      /* our own Disconnect, or the link fell first */
	BLUEZ_ERROR_KEY_MISSING,   /* one side has lost the bond */
	BLUEZ_ERROR_BUSY,          /* the same thing is under way already */
	BLUEZ_ERROR_IO,            /* no socket: mostly the adapter is off */
	BLUEZ_ERROR_NOT_READY,     /* the adapter is off */
	BLUEZ_ERROR_BLOCKED,       /* rfkill */
	BLUEZ_ERROR_CLASSIC,       /* BR/EDR was tried: not what we want */
	BLUEZ_ERROR_VANISHED,      /* no such object any more */
	BLUEZ_ERROR_GONE_ALREADY,  /* what was to be ended or removed was not there */
	BLUEZ_ERROR_TIMED_OUT,     /* sd-bus gave up waiting; the call goes on in BlueZ */
	BLUEZ_ERROR_DIED,          /* bluetoothd left the bus with our call, or the bus broke */
	BLUEZ_ERROR_ABSENT,        /* nobody owns org.bluez */
	BLUEZ_ERROR_DENIED,        /* the bus's policy */
	BLUEZ_ERROR_LIMITS,        /* the bus's limits: our leak */
	BLUEZ_ERROR_NOT_CONNECTED, /* refused at once; nothing went on air */
	BLUEZ_ERROR_ATT,           /* the device answered with an ATT error */
	BLUEZ_ERROR_ATT_LOST,      /* 0x0e: no answer at all, the link died or stalled */
	BLUEZ_ERROR_NOT_PAIRED,    /* needs a bond */
	BLUEZ_ERROR_TAKEN,         /* another program holds the characteristic */
	BLUEZ_ERROR_NOT_PERMITTED,
	BLUEZ_ERROR_NOT_SUPPORTED,
	BLUEZ_ERROR_INVALID, /* our bug, or too long a value */
	BLUEZ_ERROR_AUTH,    /* pairing failed */
	BLUEZ_ERROR_COUNT_,
};

/* @ret_att: the ATT code, 0 when there is none; may be NULL. Neither text may be NULL. */
enum bluez_error bluez_classify(const char *name, const char *text, uint8_t *ret_att);
const char *bluez_error_name(enum bluez_error error); /* never NULL */

/* Whether the next attempt would meet the same: the person has to do something first. */
bool bluez_error_is_lasting(enum bluez_error error);
/* Before the next attempt; @n_attempts were made so far. In ms. */
unsigned bluez_error_backoff_ms(enum bluez_error error, unsigned n_attempts, bool is_person);
/* What to tell when an attempt to connect failed for good like this. */
enum fault_code bluez_error_fault(enum bluez_error error);

/* How a write ended. */
enum radio_sent bluez_error_sent(enum bluez_error error);
int bluez_error_errno(enum bluez_error error);
/* ATT codes that mean that BlueZ's idea of the attribute table is stale. */
bool att_is_stale_handle(uint8_t att);
