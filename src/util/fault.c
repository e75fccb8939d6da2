/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/fault.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fault-rows.h"

const struct fault_row *fault_row(enum fault_code code) {
	return (unsigned) code < FAULT_COUNT_ ? &fault_rows[code] : &fault_rows[FAULT_INTERNAL];
}

const char *fault_name(enum fault_code code) {
	return fault_row(code)->name;
}

int fault_from_name(const char *name, enum fault_code *ret) {
	for (unsigned i = 0; i < FAULT_COUNT_; i++) {
		if (text_equal(fault_rows[i].name, name)) {
			*ret = (enum fault_code) i;
			return 0;
		}
	}
	return -EINVAL;
}

int fault_from_dbus(const char *dbus, enum fault_code *ret) {
	for (unsigned i = FAULT_NONE + 1; i < FAULT_COUNT_; i++) {
		if (text_equal(fault_rows[i].dbus, dbus)) {
			*ret = (enum fault_code) i;
			return 0;
		}
	}
	return -EINVAL;
}

int fault_errno(enum fault_code code) {
	switch (code) {
	case FAULT_NONE:
		return 0;

	case FAULT_LOCK_NOT_HEARD:
	case FAULT_LOCK_UNREACHABLE:
	case FAULT_NOT_DISCOVERED:
	case FAULT_LOCK_DEAD:
	case FAULT_OUT_OF_RANGE:
	case FAULT_BROKER_NAME:
		return -EHOSTUNREACH;
	case FAULT_LINK_LOST:
	case FAULT_BUS_LOST:
		return -ECONNRESET;
	case FAULT_LOCK_SILENT:
	case FAULT_EXPIRED:
	case FAULT_NOT_PRESENTED:
	case FAULT_BLUEZ_HUNG:
	case FAULT_MOTOR_TIMEOUT:
		return -ETIMEDOUT;
	case FAULT_RADIO_BUSY:
	case FAULT_LINK_STUCK:
	case FAULT_LOCK_BUSY:
	case FAULT_LOCK_TAKEN:
	case FAULT_DATABASE_IN_USE:
		return -EBUSY;
	case FAULT_ADAPTER_MISSING:
	case FAULT_BLUEZ_MISSING:
		return -ENODEV;
	case FAULT_ADAPTER_OFF:
	case FAULT_ADAPTER_FAILING:
	case FAULT_ADAPTER_DEAF:
	case FAULT_ADAPTER_UNSTABLE:
		return -ENETDOWN;
	case FAULT_ADAPTER_BLOCKED:
		return -ERFKILL;

	case FAULT_CANCELLED:
	case FAULT_CANCELLED_AT_LOCK:
	case FAULT_INTERRUPTED:
		return -ECANCELED;
	case FAULT_DUPLICATE:
	case FAULT_ALREADY_PAIRED:
		return -EALREADY;
	case FAULT_NAME_TAKEN:
	case FAULT_CODE_TAKEN:
	case FAULT_CODE_EXISTS:
		return -EEXIST;
	case FAULT_RETAINED_COMMAND:
	case FAULT_BAD_COMMAND:
	case FAULT_BAD_ARGUMENT:
	case FAULT_BAD_PARAMETER:
	case FAULT_CODE_INVALID:
	case FAULT_WEAK_CODE:
	case FAULT_PASSPHRASE_WEAK:
	case FAULT_CONFIG_INVALID:
		return -EINVAL;
	case FAULT_NOT_SUPPORTED:
	case FAULT_FIRMWARE_UPDATE_NEEDED:
		return -EOPNOTSUPP;
	case FAULT_NO_SUCH_LOCK:
	case FAULT_NO_SUCH_OPERATION:
	case FAULT_NO_SUCH_ENTRY:
	case FAULT_NO_SUCH_USER:
	case FAULT_NO_SUCH_CODE:
	case FAULT_NO_SUCH_SCHEDULE:
		return -ENOENT;
	case FAULT_HUB_FULL:
	case FAULT_TOO_MANY_USERS:
	case FAULT_LIST_FULL:
	case FAULT_DATABASE_FULL:
	case FAULT_DISK_LOW:
		return -ENOSPC;
	case FAULT_QUEUE_FULL:
		return -ENOBUFS;

	case FAULT_BLUEZ_DENIED:
	case FAULT_RESTART_DENIED:
	case FAULT_DENIED:
	case FAULT_FACTOR_REQUIRED:
	case FAULT_FACTOR_WRONG:
	case FAULT_LOCKED_OUT:
	case FAULT_USER_DISABLED:
	case FAULT_USER_RESTRICTED:
	case FAULT_NO_ACCESS:
	case FAULT_MODE_FORBIDS:
	case FAULT_PIN_REQUIRED:
	case FAULT_KEY_REQUIRED:
	case FAULT_NOT_AUTHORIZED:
	case FAULT_BAD_PIN:
	case FAULT_PIN_BLOCKED:
	case FAULT_KEY_DISABLED:
	case FAULT_REMOTE_NOT_ALLOWED:
	case FAULT_TIME_NOT_ALLOWED:
	case FAULT_KEYPAD_LOCKED:
	case FAULT_BROKER_DENIED:
	case FAULT_SECRET_EXPOSED:
	case FAULT_CODE_GUESSING:
	case FAULT_FACTOR_MISSING:
	case FAULT_PIN_DEFAULT:
	case FAULT_PIN_OLD:
	case FAULT_TAMPERED:
	case FAULT_PAIRING_OPEN:
	case FAULT_PROTOCOL_WEAK:
	case FAULT_PIN_WEAK:
	case FAULT_CODES_WEAK:
	case FAULT_LOCK_RESET:
	case FAULT_BROKER_UNPROTECTED:
	case FAULT_WIFI_UNPROTECTED:
		return -EACCES;
	case FAULT_KEY_MISSING:
	case FAULT_PASSPHRASE_WRONG:
		return -ENOKEY;

	case FAULT_GATT_MISMATCH:
	case FAULT_PROTOCOL_ERROR:
	case FAULT_WRONG_LOCK:
	case FAULT_BROKER_TLS:
	case FAULT_BROKER_EXPIRED:
	case FAULT_BROKER_WRONG_NAME:
		return -EPROTO;
	case FAULT_DATABASE_CORRUPT:
	case FAULT_LOG_BROKEN:
	case FAULT_BACKUP_DAMAGED:
	case FAULT_DATABASE_RESTORED:
		return -EUCLEAN;
	case FAULT_DATABASE_NEWER:
	case FAULT_BACKUP_NEWER:
		return -EPROTONOSUPPORT;
	case FAULT_BROKER_UNREACHABLE:
	case FAULT_BROKER_REFUSED:
		return -ECONNREFUSED;
	case FAULT_NO_MEMORY:
		return -ENOMEM;

	case FAULT_OUTCOME_UNKNOWN:
	case FAULT_NOT_PAIRING:
	case FAULT_PAIRING_FAILED:
	case FAULT_AUTO_UNLOCK_TOO_RECENT:
	case FAULT_POSITION_UNKNOWN:
	case FAULT_JAMMED:
	case FAULT_HANDLE_NOT_LIFTED:
	case FAULT_DOOR_SENSOR_FAULTY:
	case FAULT_CLUTCH_FAILURE:
	case FAULT_NOT_CALIBRATED:
	case FAULT_MOTOR_LIMIT:
	case FAULT_MOTOR_LOW_VOLTAGE:
	case FAULT_MOTOR_POWER:
	case FAULT_CLUTCH_POWER:
	case FAULT_VOLTAGE_TOO_LOW:
	case FAULT_ACTION_REJECTED:
	case FAULT_LOCK_ERROR:
	case FAULT_REVOCATION_PENDING:
	case FAULT_SYNC_BROKEN:
	case FAULT_BATTERY_LOW:
	case FAULT_BATTERY_CRITICAL:
	case FAULT_CLOCK_WRONG:
	case FAULT_LOG_GAP:
	case FAULT_DATABASE_IO:
	case FAULT_DATABASE_OPEN:
	case FAULT_DISCOVERY_CLEARED:
	case FAULT_SIGNAL_WEAK:
	case FAULT_LINKS_FAILING:
	case FAULT_LINKS_SLOW:
	case FAULT_LINKS_DROPPING:
	case FAULT_RADIO_INTERFERENCE:
	case FAULT_WIFI_INTERFERENCE:
	case FAULT_USB_INTERFERENCE:
	case FAULT_ADAPTER_AUTOSUSPEND:
	case FAULT_BLUEZ_UNSTABLE:
	case FAULT_SYNC_PENDING:
	case FAULT_CODES_HELD:
	case FAULT_CODES_SHORT:
	case FAULT_CODES_OLD:
	case FAULT_CELLS_WEAK:
	case FAULT_BATTERY_SOON:
	case FAULT_BATTERY_DRAIN:
	case FAULT_LINKS_MANY:
	case FAULT_USED_OFTEN:
	case FAULT_KEYPAD_BATTERY_LOW:
	case FAULT_DOOR_SENSOR_BATTERY_LOW:
	case FAULT_LOCKOUT_RISK:
	case FAULT_MISALIGNED:
	case FAULT_BOLT_STIFF:
	case FAULT_MOTOR_SLOW:
	case FAULT_CLOCK_LOST:
	case FAULT_ZONE_WRONG:
	case FAULT_LOG_DISABLED:
	case FAULT_FIRMWARE_FAULTY:
	case FAULT_FIRMWARE_OUTDATED:
	case FAULT_WORSE_SINCE_UPDATE:
	case FAULT_BACKUP_FAILED:
	case FAULT_BACKUP_OLD:
	case FAULT_HUB_CLOCK:
	case FAULT_UNCLEAN_STOP:
	case FAULT_HUB_RESTARTING:
	case FAULT_UNDERVOLTAGE:
	case FAULT_INTERNAL:
	case FAULT_COUNT_:
		break;
	}
	return -EIO;
}

__attribute__((format(printf, 4, 0))) static int fault_setv(
	struct fault *ret, enum fault_code code, int cause, const char *format, va_list args) {
	assert((unsigned) code < FAULT_COUNT_);
	assert(cause <= 0);

	if (ret != NULL) {
		/* Formatted aside: the arguments may point into *ret. */
		char detail[2 * FAULT_DETAIL_MAX];
		int n = vsnprintf(detail, sizeof(detail), format, args);
		if (n < 0) {
			detail[0] = '\0';
			n = 0;
		}
		if (cause < 0 && (size_t) n < sizeof(detail)) {
			const char *text = strerrordesc_np(-cause);
			snprintf(detail + n, sizeof(detail) - (size_t) n, "%s%s", n > 0 ? ": " : "",
				text != NULL ? text : "unknown error");
		}
		text_sanitize(detail);
		*ret = (struct fault){ .code = code, .cause = cause };
		text_copy(ret->detail, sizeof(ret->detail), detail);
	}
	return fault_errno(code);
}

int fault_set(struct fault *ret, enum fault_code code, const char *format, ...) {
	va_list args;
	va_start(args, format);
	int r = fault_setv(ret, code, 0, format, args);
	va_end(args);
	return r;
}

int fault_set_errno(struct fault *ret, enum fault_code code, int cause, const char *format, ...) {
	va_list args;
	va_start(args, format);
	int r = fault_setv(ret, code, cause, format, args);
	va_end(args);
	return r;
}

char *fault_text(const struct fault *fault, char out[static FAULT_TEXT_MAX]) {
	const struct fault_row *row = fault_row(fault->code);
	if (fault->detail[0] == '\0') {
		snprintf(out, FAULT_TEXT_MAX, "%s", row->summary);
	} else {
		snprintf(out, FAULT_TEXT_MAX, "%s (%s)", row->summary, fault->detail);
	}
	return out;
}

char *fault_hint(enum fault_code code, const char *lock, char out[static FAULT_TEXT_MAX]) {
	text_fill_lock(fault_row(code)->hint, lock, out, FAULT_TEXT_MAX);
	return out;
}
