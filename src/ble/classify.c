/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/auto.h"
#include "util/text.h"

#define BLUEZ "org.bluez.Error."
#define DBUS "org.freedesktop.DBus.Error."
#define ATT_TEXT "Operation failed with ATT error: 0x"
#define ATT_UNLIKELY 0x0e

struct row {
	const char *name;
	const char *text; /* a part of the text; NULL: any */
	enum bluez_error error;
};

/* The first row that fits counts. The texts are 5.66's as seen (bluez-traces), then later ones. */
/* clang-format off */
static const struct row rows[] = {
	{ BLUEZ "Failed", ATT_TEXT "0e",                          BLUEZ_ERROR_ATT_LOST },
	{ BLUEZ "Failed", ATT_TEXT,                               BLUEZ_ERROR_ATT },
	{ BLUEZ "Failed", "le-connection-abort-by-local",         BLUEZ_ERROR_ABORTED },
	{ BLUEZ "Failed", "br-connection-canceled",               BLUEZ_ERROR_CANCELED },
	{ BLUEZ "Failed", "le-connection-canceled",               BLUEZ_ERROR_CANCELED },
	{ BLUEZ "Failed", "connection-key-missing",               BLUEZ_ERROR_KEY_MISSING },
	{ BLUEZ "Failed", "already in progress",                  BLUEZ_ERROR_BUSY },
	{ BLUEZ "Failed", "already connected",                    BLUEZ_ERROR_BUSY },
	{ BLUEZ "Failed", "Input/output error",                   BLUEZ_ERROR_IO },
	{ BLUEZ "Failed", "adapter-not-powered",                  BLUEZ_ERROR_NOT_READY },
	{ BLUEZ "Failed", "No discovery started",                 BLUEZ_ERROR_GONE_ALREADY },
	{ BLUEZ "Failed", "No notify session started",            BLUEZ_ERROR_GONE_ALREADY },
	{ BLUEZ "Failed", "ot connected",                         BLUEZ_ERROR_NOT_CONNECTED },
	{ BLUEZ "Failed", "br-connection-",                       BLUEZ_ERROR_CLASSIC },
	{ BLUEZ "Failed", "le-connection-",                       BLUEZ_ERROR_ABORTED },
	{ BLUEZ "InProgress", NULL,                               BLUEZ_ERROR_BUSY },
	{ BLUEZ "NotReady", NULL,                                 BLUEZ_ERROR_NOT_READY },
	{ BLUEZ "Blocked", NULL,                                  BLUEZ_ERROR_BLOCKED },
	{ BLUEZ "NotConnected", NULL,                             BLUEZ_ERROR_NOT_CONNECTED },
	{ BLUEZ "NotAvailable", "br-connection-profile-unavailable", BLUEZ_ERROR_CLASSIC },
	{ BLUEZ "NotAvailable", NULL,                             BLUEZ_ERROR_CLASSIC },
	{ BLUEZ "DoesNotExist", NULL,                             BLUEZ_ERROR_GONE_ALREADY },
	{ BLUEZ "NotPermitted", "Not paired",                     BLUEZ_ERROR_NOT_PAIRED },
	{ BLUEZ "NotPermitted", "acquired",                       BLUEZ_ERROR_TAKEN },
	{ BLUEZ "NotPermitted", NULL,                             BLUEZ_ERROR_NOT_PERMITTED },
	{ BLUEZ "NotAuthorized", NULL,                            BLUEZ_ERROR_TAKEN },
	{ BLUEZ "NotSupported", NULL,                             BLUEZ_ERROR_NOT_SUPPORTED },
	{ BLUEZ "InvalidArguments", NULL,                         BLUEZ_ERROR_INVALID },
	{ BLUEZ "InvalidValueLength", NULL,                       BLUEZ_ERROR_INVALID },
	{ BLUEZ "Authentication", NULL,                           BLUEZ_ERROR_AUTH },
	{ DBUS "UnknownObject", NULL,                             BLUEZ_ERROR_VANISHED },
	{ DBUS "UnknownMethod", NULL,                             BLUEZ_ERROR_VANISHED },
	{ DBUS "UnknownInterface", NULL,                          BLUEZ_ERROR_VANISHED },
	{ DBUS "NoReply", "disconnected from message bus",        BLUEZ_ERROR_DIED },
	{ DBUS "NoReply", "Connection terminated",                BLUEZ_ERROR_DIED },
	{ DBUS "NoReply", NULL,                                   BLUEZ_ERROR_TIMED_OUT },
	{ DBUS "Timeout", NULL,                                   BLUEZ_ERROR_TIMED_OUT },
	{ DBUS "TimedOut", NULL,                                  BLUEZ_ERROR_TIMED_OUT },
	{ DBUS "Disconnected", NULL,                              BLUEZ_ERROR_DIED },
	{ DBUS "ServiceUnknown", NULL,                            BLUEZ_ERROR_ABSENT },
	{ DBUS "NameHasNoOwner", NULL,                            BLUEZ_ERROR_ABSENT },
	{ DBUS "Spawn.", NULL,                                    BLUEZ_ERROR_ABSENT },
	{ DBUS "AccessDenied", NULL,                              BLUEZ_ERROR_DENIED },
	{ DBUS "LimitsExceeded", NULL,                            BLUEZ_ERROR_LIMITS },
	{ DBUS "NoMemory", NULL,                                  BLUEZ_ERROR_LIMITS },
};

/* What follows from each class. */
static const struct {
	const char *name;
	enum fault_code fault;
	enum radio_sent sent;
	int error;
} classes[BLUEZ_ERROR_COUNT_] = {
	[BLUEZ_ERROR_NONE]          = { "none",          FAULT_NONE,             RADIO_MAYBE_SENT, 0 },
	[BLUEZ_ERROR_OTHER]         = { "other",         FAULT_LOCK_UNREACHABLE, RADIO_MAYBE_SENT, -EIO },
	[BLUEZ_ERROR_ABORTED]       = { "aborted",       FAULT_LOCK_UNREACHABLE, RADIO_MAYBE_SENT, -ECONNRESET },
	[BLUEZ_ERROR_CANCELED]      = { "canceled",      FAULT_LOCK_UNREACHABLE, RADIO_MAYBE_SENT, -ECONNRESET },
	[BLUEZ_ERROR_KEY_MISSING]   = { "key-missing",   FAULT_LOCK_UNREACHABLE, RADIO_MAYBE_SENT, -EPERM },
	[BLUEZ_ERROR_BUSY]          = { "busy",          FAULT_LOCK_UNREACHABLE, RADIO_NOT_SENT,   -EBUSY },
	[BLUEZ_ERROR_IO]            = { "io",            FAULT_LOCK_UNREACHABLE, RADIO_MAYBE_SENT, -EIO },
	[BLUEZ_ERROR_NOT_READY]     = { "not-ready",     FAULT_ADAPTER_OFF,      RADIO_NOT_SENT,   -ENOTCONN },
	[BLUEZ_ERROR_BLOCKED]       = { "blocked",       FAULT_ADAPTER_BLOCKED,  RADIO_NOT_SENT,   -ENOTCONN },
	[BLUEZ_ERROR_CLASSIC]       = { "classic",       FAULT_LOCK_UNREACHABLE, RADIO_MAYBE_SENT, -EIO },
	[BLUEZ_ERROR_VANISHED]      = { "vanished",      FAULT_LOCK_NOT_HEARD,   RADIO_NOT_SENT,   -ENOENT },
	[BLUEZ_ERROR_GONE_ALREADY]  = { "gone-already",  FAULT_LOCK_UNREACHABLE, RADIO_NOT_SENT,   -ENOENT },
	[BLUEZ_ERROR_TIMED_OUT]     = { "timed-out",     FAULT_LOCK_UNREACHABLE, RADIO_MAYBE_SENT, -ETIMEDOUT },
	[BLUEZ_ERROR_DIED]          = { "died",          FAULT_BLUEZ_MISSING,    RADIO_MAYBE_SENT, -ECONNRESET },
	[BLUEZ_ERROR_ABSENT]        = { "absent",        FAULT_BLUEZ_MISSING,    RADIO_NOT_SENT,   -ENOTCONN },
	[BLUEZ_ERROR_DENIED]        = { "denied",        FAULT_BLUEZ_DENIED,     RADIO_NOT_SENT,   -EACCES },
	[BLUEZ_ERROR_LIMITS]        = { "limits",        FAULT_INTERNAL,         RADIO_NOT_SENT,   -ENOBUFS },
	[BLUEZ_ERROR_NOT_CONNECTED] = { "not-connected", FAULT_LOCK_UNREACHABLE, RADIO_NOT_SENT,   -ENOTCONN },
	[BLUEZ_ERROR_ATT]           = { "att",           FAULT_LOCK_UNREACHABLE, RADIO_MAYBE_SENT, -EPROTO },
	[BLUEZ_ERROR_ATT_LOST]      = { "att-lost",      FAULT_LOCK_UNREACHABLE, RADIO_MAYBE_SENT, -ECONNRESET },
	[BLUEZ_ERROR_NOT_PAIRED]    = { "not-paired",    FAULT_LOCK_UNREACHABLE, RADIO_NOT_SENT,   -EPERM },
	[BLUEZ_ERROR_TAKEN]         = { "taken",         FAULT_LOCK_UNREACHABLE, RADIO_NOT_SENT,   -EBUSY },
	[BLUEZ_ERROR_NOT_PERMITTED] = { "not-permitted", FAULT_LOCK_UNREACHABLE, RADIO_NOT_SENT,   -EPERM },
	[BLUEZ_ERROR_NOT_SUPPORTED] = { "not-supported", FAULT_GATT_MISMATCH,    RADIO_NOT_SENT,   -EPERM },
	[BLUEZ_ERROR_INVALID]       = { "invalid",       FAULT_INTERNAL,         RADIO_NOT_SENT,   -EINVAL },
	[BLUEZ_ERROR_AUTH]          = { "auth",          FAULT_LOCK_UNREACHABLE, RADIO_NOT_SENT,   -EPERM },
};
/* clang-format on */

/* Names that end in a dot, or are families (Authentication...), match by their beginning. */
static bool name_fits(const char *row, const char *name) {
	size_t n = strlen(row);

	if (row[n - 1] == '.' || text_equal(row, BLUEZ "Authentication")) {
		return strncmp(row, name, n) == 0;
	}
	return strcmp(row, name) == 0;
}

enum bluez_error bluez_classify(const char *name, const char *text, uint8_t *ret_att) {
	const char *att = strstr(text, ATT_TEXT);

	if (ret_att != NULL) {
		*ret_att = 0;
		if (att != NULL) {
			*ret_att = (uint8_t) strtoul(att + strlen(ATT_TEXT), NULL, 16);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (name_fits(rows[i].name, name) &&
			(rows[i].text == NULL || strstr(text, rows[i].text) != NULL)) {
			return rows[i].error;
		}
	}
	return BLUEZ_ERROR_OTHER;
}

const char *bluez_error_name(enum bluez_error error) {
	if ((unsigned) error >= BLUEZ_ERROR_COUNT_) {
		return "?";
	}
	return classes[error].name;
}

bool bluez_error_is_lasting(enum bluez_error error) {
	return error == BLUEZ_ERROR_DENIED || error == BLUEZ_ERROR_KEY_MISSING ||
	       error == BLUEZ_ERROR_LIMITS || error == BLUEZ_ERROR_INVALID ||
	       error == BLUEZ_ERROR_NOT_PAIRED || error == BLUEZ_ERROR_AUTH ||
	       error == BLUEZ_ERROR_NOT_SUPPORTED;
}

unsigned bluez_error_backoff_ms(enum bluez_error error, unsigned n_attempts, bool is_person) {
	static const unsigned steps[] = { 250, 1000, 4000, 15000, 60000, 300000 };
	unsigned step = n_attempts == 0 ? 0 : n_attempts - 1;

	/* Home Assistant sees the object disappear when the controller has no slot left: give it
	 * time. */
	if (error == BLUEZ_ERROR_VANISHED) {
		return is_person ? 1000 : 4000;
	}
	if (is_person) {
		return steps[0];
	}
	return steps[step < ARRAY_SIZE(steps) ? step : ARRAY_SIZE(steps) - 1];
}

enum fault_code bluez_error_fault(enum bluez_error error) {
	return (unsigned) error < BLUEZ_ERROR_COUNT_ ? classes[error].fault : FAULT_INTERNAL;
}

enum radio_sent bluez_error_sent(enum bluez_error error) {
	return (unsigned) error < BLUEZ_ERROR_COUNT_ ? classes[error].sent : RADIO_MAYBE_SENT;
}

int bluez_error_errno(enum bluez_error error) {
	return (unsigned) error < BLUEZ_ERROR_COUNT_ ? classes[error].error : -EIO;
}

bool att_is_stale_handle(uint8_t att) {
	return att == 0x01 || att == 0x0a; /* invalid handle, attribute not found */
}
