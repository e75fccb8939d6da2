/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every name of an error of BlueZ, and every text that was seen with one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "classify.h"
#include "util/auto.h"

#define BLUEZ "org.bluez.Error."
#define DBUS "org.freedesktop.DBus.Error."

struct sample {
	const char *name, *text;
	enum bluez_error error;
	uint8_t att;
};

/* clang-format off */
static const struct sample samples[] = {
	/* Connect */
	{ BLUEZ "Failed", "le-connection-abort-by-local", BLUEZ_ERROR_ABORTED, 0 },
	{ BLUEZ "Failed", "br-connection-canceled", BLUEZ_ERROR_CANCELED, 0 },
	{ BLUEZ "Failed", "br-connection-key-missing", BLUEZ_ERROR_KEY_MISSING, 0 },
	{ BLUEZ "Failed", "le-connection-key-missing", BLUEZ_ERROR_KEY_MISSING, 0 },
	{ BLUEZ "Failed", "Operation already in progress", BLUEZ_ERROR_BUSY, 0 },
	{ BLUEZ "InProgress", "Operation already in progress", BLUEZ_ERROR_BUSY, 0 },
	{ BLUEZ "InProgress", "In Progress", BLUEZ_ERROR_BUSY, 0 },
	{ BLUEZ "Failed", "Input/output error", BLUEZ_ERROR_IO, 0 },
	{ BLUEZ "NotReady", "Resource Not Ready", BLUEZ_ERROR_NOT_READY, 0 },
	{ BLUEZ "Failed", "br-connection-adapter-not-powered", BLUEZ_ERROR_NOT_READY, 0 },
	{ BLUEZ "Failed", "br-connection-page-timeout", BLUEZ_ERROR_CLASSIC, 0 },
	{ BLUEZ "NotAvailable", "br-connection-profile-unavailable", BLUEZ_ERROR_CLASSIC, 0 },
	{ DBUS "UnknownObject", "Method \"Connect\" ... doesn't exist\n", BLUEZ_ERROR_VANISHED, 0 },
	{ DBUS "UnknownMethod", "Method \"Connect\" ... doesn't exist\n", BLUEZ_ERROR_VANISHED, 0 },
	{ DBUS "NoReply", "Method call timed out", BLUEZ_ERROR_TIMED_OUT, 0 },
	{ DBUS "NoReply", "Message recipient disconnected from message bus without replying", BLUEZ_ERROR_DIED, 0 },
	{ DBUS "NoReply", "Connection terminated", BLUEZ_ERROR_DIED, 0 },
	{ DBUS "AccessDenied", "Rejected send message, 2 matched rules", BLUEZ_ERROR_DENIED, 0 },
	{ DBUS "LimitsExceeded", "", BLUEZ_ERROR_LIMITS, 0 },
	{ DBUS "ServiceUnknown", "The name org.bluez was not provided", BLUEZ_ERROR_ABSENT, 0 },
	{ DBUS "NameHasNoOwner", "Could not get owner of name 'org.bluez'", BLUEZ_ERROR_ABSENT, 0 },
	{ DBUS "Spawn.ChildExited", "Launch helper exited with unknown return code 1", BLUEZ_ERROR_ABSENT, 0 },
	/* writes */
	{ BLUEZ "Failed", "Operation failed with ATT error: 0x0e", BLUEZ_ERROR_ATT_LOST, 0x0e },
	{ BLUEZ "Failed", "Operation failed with ATT error: 0x80", BLUEZ_ERROR_ATT, 0x80 },
	{ BLUEZ "Failed", "Operation failed with ATT error: 0x9f", BLUEZ_ERROR_ATT, 0x9f },
	{ BLUEZ "Failed", "Operation failed with ATT error: 0x01", BLUEZ_ERROR_ATT, 0x01 },
	{ BLUEZ "Failed", "Not connected", BLUEZ_ERROR_NOT_CONNECTED, 0 },
	{ BLUEZ "NotConnected", "Not Connected", BLUEZ_ERROR_NOT_CONNECTED, 0 },
	{ BLUEZ "NotPermitted", "Not paired", BLUEZ_ERROR_NOT_PAIRED, 0 },
	{ BLUEZ "NotPermitted", "Write acquired", BLUEZ_ERROR_TAKEN, 0 },
	{ BLUEZ "NotPermitted", "Notify acquired", BLUEZ_ERROR_TAKEN, 0 },
	{ BLUEZ "NotAuthorized", "Operation Not Authorized", BLUEZ_ERROR_TAKEN, 0 },
	{ BLUEZ "NotPermitted", "Read not permitted", BLUEZ_ERROR_NOT_PERMITTED, 0 },
	{ BLUEZ "NotSupported", "Operation is not supported", BLUEZ_ERROR_NOT_SUPPORTED, 0 },
	{ BLUEZ "InvalidArguments", "Invalid Length", BLUEZ_ERROR_INVALID, 0 },
	/* the rest */
	{ BLUEZ "Failed", "No discovery started", BLUEZ_ERROR_GONE_ALREADY, 0 },
	{ BLUEZ "DoesNotExist", "Does Not Exist", BLUEZ_ERROR_GONE_ALREADY, 0 },
	{ BLUEZ "Blocked", "Blocked through rfkill", BLUEZ_ERROR_BLOCKED, 0 },
	{ BLUEZ "AuthenticationFailed", "Authentication Failed", BLUEZ_ERROR_AUTH, 0 },
	{ BLUEZ "AuthenticationCanceled", "Authentication Canceled", BLUEZ_ERROR_AUTH, 0 },
	{ BLUEZ "Failed", "something that nobody has seen yet", BLUEZ_ERROR_OTHER, 0 },
	{ "com.example.Error", "", BLUEZ_ERROR_OTHER, 0 },
	{ "", "", BLUEZ_ERROR_OTHER, 0 },
};
/* clang-format on */

static void rows_are_classified(void **state) {
	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		uint8_t att = 0xff;
		enum bluez_error error = bluez_classify(samples[i].name, samples[i].text, &att);
		if (error != samples[i].error || att != samples[i].att) {
			fail_msg("%s \"%s\": %s, ATT 0x%02x", samples[i].name, samples[i].text,
				bluez_error_name(error), att);
		}
		assert_int_equal(bluez_classify(samples[i].name, samples[i].text, NULL), error);
	}
}

static void every_class_is_met(void **state) {
	(void) state;
	for (unsigned error = BLUEZ_ERROR_OTHER; error < BLUEZ_ERROR_COUNT_; error++) {
		bool is_met = false;
		for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
			is_met = is_met || samples[i].error == error;
		}
		if (!is_met) {
			fail_msg("no sample of %s", bluez_error_name(error));
		}
		assert_true(bluez_error_errno(error) < 0);
		assert_string_not_equal(bluez_error_name(error), "?");
		assert_int_not_equal(bluez_error_fault(error), FAULT_NONE);
	}
}

/* The worst mistake would be to call something unsent that was sent: it would be sent again. */
static void only_refusals_are_unsent(void **state) {
	static const enum bluez_error refusals[] = {
		BLUEZ_ERROR_BUSY,
		BLUEZ_ERROR_NOT_READY,
		BLUEZ_ERROR_BLOCKED,
		BLUEZ_ERROR_VANISHED,
		BLUEZ_ERROR_GONE_ALREADY,
		BLUEZ_ERROR_ABSENT,
		BLUEZ_ERROR_DENIED,
		BLUEZ_ERROR_LIMITS,
		BLUEZ_ERROR_NOT_CONNECTED,
		BLUEZ_ERROR_NOT_PAIRED,
		BLUEZ_ERROR_TAKEN,
		BLUEZ_ERROR_NOT_PERMITTED,
		BLUEZ_ERROR_NOT_SUPPORTED,
		BLUEZ_ERROR_INVALID,
		BLUEZ_ERROR_AUTH,
	};

	(void) state;
	for (unsigned error = 0; error < BLUEZ_ERROR_COUNT_; error++) {
		bool is_refusal = false;
		for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
			is_refusal = is_refusal || refusals[i] == error;
		}
		assert_int_equal(
			bluez_error_sent(error), is_refusal ? RADIO_NOT_SENT : RADIO_MAYBE_SENT);
	}
	assert_int_equal(bluez_error_sent(BLUEZ_ERROR_COUNT_), RADIO_MAYBE_SENT);
}

static void backoff_is_short_for_people(void **state) {
	(void) state;
	for (unsigned n = 0; n < 10; n++) {
		assert_true(bluez_error_backoff_ms(BLUEZ_ERROR_ABORTED, n, true) <= 250);
		assert_true(bluez_error_backoff_ms(BLUEZ_ERROR_VANISHED, n, true) <= 1000);
	}
	assert_int_equal(bluez_error_backoff_ms(BLUEZ_ERROR_ABORTED, 1, false), 250);
	assert_int_equal(bluez_error_backoff_ms(BLUEZ_ERROR_ABORTED, 3, false), 4000);
	assert_int_equal(bluez_error_backoff_ms(BLUEZ_ERROR_ABORTED, 99, false), 300000);
	assert_int_equal(bluez_error_backoff_ms(BLUEZ_ERROR_VANISHED, 1, false), 4000);
}

static void lasting_errors_are_not_hammered(void **state) {
	(void) state;
	assert_true(bluez_error_is_lasting(BLUEZ_ERROR_DENIED));
	assert_true(bluez_error_is_lasting(BLUEZ_ERROR_KEY_MISSING));
	assert_false(bluez_error_is_lasting(BLUEZ_ERROR_ABORTED));
	assert_false(bluez_error_is_lasting(BLUEZ_ERROR_NONE));
	assert_true(att_is_stale_handle(0x0a));
	assert_false(att_is_stale_handle(0x80));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_classified),
		cmocka_unit_test(every_class_is_met),
		cmocka_unit_test(only_refusals_are_unsent),
		cmocka_unit_test(backoff_is_short_for_people),
		cmocka_unit_test(lasting_errors_are_not_hammered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
