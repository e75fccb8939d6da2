/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/event.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "util/auto.h"
#include "util/text.h"

/* clang-format off */
static const struct event_row rows[] = {
	{ EVENT_NONE, "none", "", LOG_DEBUG, "", "" },
	{ EVENT_LOCK_OPERATION, "lock_operation", "0403bc65a5068ea4510f4e445db09773", LOG_NOTICE,
		"A lock was operated",
		"Somebody or something locked, unlocked or unlatched the lock. LOCKHUB_USER and LOCKHUB_SOURCE say who and by which means, as far as there is evidence." },
	{ EVENT_LOCK_OPERATION_ERROR, "lock_operation_error", "f81ef16174fe38ac4cb3f98fc6a86fe3", LOG_WARNING,
		"An operation at a lock failed",
		"An attempt to operate the lock was refused or did not succeed. If you do not know of it, see who was at the door: lockhubctl log --lock @LOCKHUB_LOCK@" },
	{ EVENT_DOOR_STATE_CHANGE, "door_state_change", "7b56f3df248774f0757e00cc61fb9a7a", LOG_INFO,
		"A door was opened or closed",
		"The lock's door sensor reported a change." },
	{ EVENT_ALARM, "alarm", "b483bd75c95171782a4a220829201af9", LOG_ERR,
		"A lock raised an alarm",
		"The lock found an abnormal condition; the message names it. Look at the door. For a jam: see that the door is closed and that nothing presses on the bolt, then try again." },
	{ EVENT_LOCK_USER_CHANGE, "lock_user_change", "d30573ea0f215940439972d741f53a3d", LOG_NOTICE,
		"A user or credential was changed",
		"A user, code or schedule was added, changed or removed." },
	{ EVENT_STATE_SEEN, "state_seen", "1aa3d97cdb542a58344b6fedc9e78968", LOG_NOTICE,
		"The bolt was found in another position",
		"The lock's state differs from the last known one and its log does not say (yet) who moved it. Without the lock's PIN its log cannot be read: lockhubctl set-pin @LOCKHUB_LOCK@" },
	{ EVENT_BATTERY, "battery", "3eb6ef7a92ebc696c224414fd8752a92", LOG_WARNING,
		"The battery level of a lock changed",
		"Below 20 percent change the batteries soon, below 10 percent now: lockhubctl battery @LOCKHUB_LOCK@" },
	{ EVENT_FAULT, "fault", "0ab73b33b3a1f5ed7874c5722fbe8171", LOG_WARNING,
		"A fault began",
		"The message says what is wrong and LOCKHUB_FAULT names it. lockhubctl show @LOCKHUB_LOCK@ tells what to do next." },
	{ EVENT_FAULT_CLEARED, "fault_cleared", "f9efb4867331d94965f08f333478f20f", LOG_NOTICE,
		"A fault is over",
		"Nothing needs to be done." },
	{ EVENT_LOG_GAP, "log_gap", "728971d168eaa29abed322c7af11ef36", LOG_WARNING,
		"Entries of the lock's own log were lost",
		"The lock overwrote them before the hub could read them. If this happens often, the hub is out of reach too long: lockhubctl signal @LOCKHUB_LOCK@" },
	{ EVENT_PAIRED, "paired", "4c927e5d90f8aec52fba3a80b7030a8c", LOG_NOTICE,
		"A lock was paired with this hub",
		"It is listed by lockhubctl list and appears in Home Assistant." },
	{ EVENT_UNPAIRED, "unpaired", "4254a54d51e2510db2a5c5a4970ad352", LOG_NOTICE,
		"A lock was removed from this hub",
		"Its events stay in the log. To use it again, pair it again." },
	{ EVENT_REACHABLE, "reachable", "41cf47cce9d97e0544ea12fb247c3b88", LOG_NOTICE,
		"A lock is reachable again",
		"Nothing needs to be done." },
	{ EVENT_UNREACHABLE, "unreachable", "5e7374d1c183003a9869d7aed4700459", LOG_WARNING,
		"A lock is out of reach",
		"Nothing was heard of the lock for longer than allowed. Its batteries may be empty or something may shield it: lockhubctl signal @LOCKHUB_LOCK@" },
	{ EVENT_HUB_STARTED, "hub_started", "a2eab2913a0c6adbdb84b355c23aa762", LOG_INFO,
		"The hub was started",
		"All locks are being read." },
	{ EVENT_HUB_STOPPED, "hub_stopped", "d43aeb5513f1b5e16e68a003fcdff234", LOG_INFO,
		"The hub was stopped",
		"Locks go on working without the hub; their logs are imported at the next start." },
	{ EVENT_OPERATION_REQUESTED, "operation_requested", "45affa484a956693d4452c69275e00ab", LOG_INFO,
		"An operation was requested",
		"It was recorded before anything was sent to the lock." },
	{ EVENT_OPERATION_FINISHED, "operation_finished", "01d42a58a7134687ae2f25089167a82c", LOG_INFO,
		"A requested operation ended",
		"The message gives its outcome. An unknown outcome means that the link broke in the middle: the state shown was read from the lock afterwards." },
	{ EVENT_LOCK_SETTING, "lock_setting", "67a7b81523c5cd904f66cc58af4217cc", LOG_INFO,
		"A setting or the firmware of a lock changed",
		"The lock wrote this in its own log." },
	{ EVENT_CLOCK_SET, "clock_set", "1954f754afd56a06046df6e88f6ea685", LOG_INFO,
		"A lock's clock was set",
		"It had drifted from the time of the hub." },
	{ EVENT_RENAMED, "renamed", "855bfcf4e576d665fcc01c8f1442efe9", LOG_INFO,
		"A lock was renamed",
		"Its id and its history stay the same." },
	{ EVENT_CODE_REVEALED, "code_revealed", "3797a359b2a5b0ffc0ce59c411c6e95a", LOG_NOTICE,
		"A keypad code was shown to somebody",
		"A manager asked lockhub to show it. If nobody of yours did, change the code: lockhubctl code change" },
	{ EVENT_SYNCED, "synced", "3b9af9361d4eaf125530f95d196f2744", LOG_INFO,
		"A lock agrees with the hub's users and codes again",
		"What was to be added, changed or removed was written to the lock and read back from it." },
	{ EVENT_LOCKED_OUT, "locked_out", "facdad2c7df20e40a79f0fa513874a9b", LOG_WARNING,
		"Too many wrong codes in remote commands",
		"Commands that open the lock are refused for a while, with the right code too. See who tried: lockhubctl log" },
	{ EVENT_BACKED_UP, "backed_up", "689df79704a34391a14ad0fdfca6e326", LOG_NOTICE,
		"A backup of everything was written",
		"It holds the keys of all locks and all codes, sealed with a passphrase. If nobody of yours asked for it, pair the locks anew and change the codes." },
	{ EVENT_RESTORED, "restored", "4734b5ef1aab4908bbaaab8d84fb1700", LOG_WARNING,
		"The database was restored from a backup",
		"What was changed after that backup is lost; codes that were revoked since are back. Look at users and codes; all locks are being read again." },
};
/* clang-format on */

void event_init(struct event *event, enum event_kind kind, const struct clock *clock) {
	*event = (struct event){
		.kind = kind,
		.operation = OPERATION_NONE,
		.error = OPERATION_ERROR_NONE,
		.alarm = ALARM_NONE,
		.door = DOOR_STATE_UNKNOWN,
		.state = LOCK_STATE_UNKNOWN,
		.credential = CREDENTIAL_NONE,
	};
	if (clock != NULL) {
		event->time = clock_wall(clock);
		event->is_time_trusted = clock_is_trusted(clock);
		event->mono = clock_mono(clock);
	}
}

const struct event_row *event_row(enum event_kind kind) {
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].kind == kind) {
			return &rows[i];
		}
	}
	return &rows[0];
}

const struct event_row *event_rows(size_t *ret_n) {
	*ret_n = ARRAY_SIZE(rows);
	return rows;
}

const char *event_kind_name(enum event_kind kind) {
	return event_row(kind)->name;
}

static const char *const words[] = { "locked", "unlocked", "unlatched", "lock_failed",
	"unlock_failed", "unlatch_failed", "wrong_code", "denied", "jammed", "wrong_code_limit",
	"door_forced", "door_ajar", "tamper", "alarm", "door_opened", "door_closed", "door_jammed",
	"door_error", "state_changed", "battery_ok", "battery_low", "battery_critical", "fault",
	"fault_cleared", "log_gap", "paired", "unpaired", "reachable", "unreachable", "hub_started",
	"hub_stopped", "requested", "finished", "failed", "outcome_unknown", "setting_changed",
	"clock_set", "renamed", "code_revealed", "synced", "locked_out", "backed_up", "restored",
	"user_changed", "operated", "other", NULL };

const char *const *event_words(void) {
	return words;
}

static const char *operation_word(const struct event *event) {
	switch (event->operation) {
	case OPERATION_LOCK:
		return "locked";
	case OPERATION_UNLOCK:
		return "unlocked";
	case OPERATION_UNLATCH:
		return "unlatched";
	case OPERATION_NON_ACCESS_USER_EVENT:
	case OPERATION_FORCED_USER_EVENT:
	case OPERATION_NONE:
		break;
	}
	return "operated";
}

static const char *operation_error_word(const struct event *event) {
	if (event->error == OPERATION_ERROR_INVALID_CREDENTIAL) {
		return "wrong_code";
	}
	if (event->error == OPERATION_ERROR_DISABLED_USER ||
		event->error == OPERATION_ERROR_RESTRICTED) {
		return "denied";
	}
	switch (event->operation) {
	case OPERATION_LOCK:
		return "lock_failed";
	case OPERATION_UNLATCH:
		return "unlatch_failed";
	case OPERATION_UNLOCK:
	case OPERATION_NON_ACCESS_USER_EVENT:
	case OPERATION_FORCED_USER_EVENT:
	case OPERATION_NONE:
		break;
	}
	return "unlock_failed";
}

static const char *door_word(const struct event *event) {
	switch (event->door) {
	case DOOR_STATE_OPEN:
		return "door_opened";
	case DOOR_STATE_CLOSED:
		return "door_closed";
	case DOOR_STATE_JAMMED:
		return "door_jammed";
	case DOOR_STATE_FORCED_OPEN:
		return "door_forced";
	case DOOR_STATE_AJAR:
		return "door_ajar";
	case DOOR_STATE_ERROR:
	case DOOR_STATE_UNKNOWN:
		break;
	}
	return "door_error";
}

static const char *alarm_word(const struct event *event) {
	switch (event->alarm) {
	case ALARM_LOCK_JAMMED:
		return "jammed";
	case ALARM_WRONG_CODE_LIMIT:
		return "wrong_code_limit";
	case ALARM_DOOR_FORCED_OPEN:
		return "door_forced";
	case ALARM_DOOR_AJAR:
		return "door_ajar";
	case ALARM_ESCUTCHEON_REMOVED:
		return "tamper";
	case ALARM_FACTORY_RESET:
	case ALARM_RADIO_POWER_CYCLED:
	case ALARM_FORCED_USER:
	case ALARM_NONE:
		break;
	}
	return "alarm";
}

static const char *battery_word(const struct event *event) {
	if (event->fault == FAULT_BATTERY_CRITICAL) {
		return "battery_critical";
	}
	return event->fault == FAULT_BATTERY_LOW ? "battery_low" : "battery_ok";
}

static const char *outcome_word(const struct event *event) {
	if (event->fault == FAULT_NONE) {
		return "finished";
	}
	if (event->fault == FAULT_OUTCOME_UNKNOWN || event->fault == FAULT_INTERRUPTED) {
		return "outcome_unknown";
	}
	return "failed";
}

const char *event_word(const struct event *event) {
	switch (event->kind) {
	case EVENT_LOCK_OPERATION:
		return operation_word(event);
	case EVENT_LOCK_OPERATION_ERROR:
		return operation_error_word(event);
	case EVENT_DOOR_STATE_CHANGE:
		return door_word(event);
	case EVENT_ALARM:
		return alarm_word(event);
	case EVENT_LOCK_USER_CHANGE:
		return "user_changed";
	case EVENT_STATE_SEEN:
		return "state_changed";
	case EVENT_BATTERY:
		return battery_word(event);
	case EVENT_FAULT:
		return "fault";
	case EVENT_FAULT_CLEARED:
		return "fault_cleared";
	case EVENT_LOG_GAP:
		return "log_gap";
	case EVENT_PAIRED:
		return "paired";
	case EVENT_UNPAIRED:
		return "unpaired";
	case EVENT_REACHABLE:
		return "reachable";
	case EVENT_UNREACHABLE:
		return "unreachable";
	case EVENT_HUB_STARTED:
		return "hub_started";
	case EVENT_HUB_STOPPED:
		return "hub_stopped";
	case EVENT_OPERATION_REQUESTED:
		return "requested";
	case EVENT_OPERATION_FINISHED:
		return outcome_word(event);
	case EVENT_LOCK_SETTING:
		return "setting_changed";
	case EVENT_CLOCK_SET:
		return "clock_set";
	case EVENT_RENAMED:
		return "renamed";
	case EVENT_CODE_REVEALED:
		return "code_revealed";
	case EVENT_SYNCED:
		return "synced";
	case EVENT_LOCKED_OUT:
		return "locked_out";
	case EVENT_BACKED_UP:
		return "backed_up";
	case EVENT_RESTORED:
		return "restored";
	case EVENT_NONE:
		break;
	}
	return "other";
}

static void line_add(char *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void line_add(char *out, const char *format, ...) {
	size_t used = strlen(out);
	va_list args;

	va_start(args, format);
	(void) vsnprintf(out + used, EVENT_LINE_MAX - used, format, args);
	va_end(args);
}

static void line_operation(const struct event *event, char *out) {
	line_add(out, "%s", event_word(event));
	if (event->user[0] != '\0') {
		line_add(out, " by %s", event->user);
	}
	if (event->source != SOURCE_UNSPECIFIED) {
		line_add(out, ", %s", operation_source_name(event->source));
	}
	if (event->error != OPERATION_ERROR_NONE) {
		line_add(out, ", %s", operation_error_name(event->error));
	}
}

/* "user Anna added", "pin of Anna removed". */
static void line_user_change(const struct event *event, char *out) {
	const char *verb = event->data_operation == DATA_ADD     ? "added"
			   : event->data_operation == DATA_CLEAR ? "removed"
								 : "changed";

	if (event->data == LOCK_DATA_USER_INDEX) {
		line_add(out, "user %s", event->user);
	} else if (event->data == LOCK_DATA_UNSPECIFIED) {
		line_add(out, "%s", event->user[0] != '\0' ? event->user : "lock");
	} else {
		line_add(out, "%s%s%s", lock_data_type_name(event->data),
			event->user[0] != '\0' ? " of " : "", event->user);
	}
	line_add(out, " %s", verb);
}

char *event_line(const struct event *event, char out[static EVENT_LINE_MAX]) {
	out[0] = '\0';
	switch (event->kind) {
	case EVENT_LOCK_OPERATION:
	case EVENT_LOCK_OPERATION_ERROR:
		line_operation(event, out);
		break;
	case EVENT_STATE_SEEN:
		line_add(out, "found %s", lock_state_name(event->state));
		if (event->source != SOURCE_UNSPECIFIED) {
			line_add(out, ", %s", operation_source_name(event->source));
		}
		break;
	case EVENT_OPERATION_REQUESTED:
		line_add(out, "%s requested by %s", act_name(event->act), event->user);
		break;
	case EVENT_OPERATION_FINISHED:
		line_add(out, "%s %s", act_name(event->act), outcome_word(event));
		break;
	case EVENT_ALARM:
		line_add(out, "alarm: %s", alarm_code_name(event->alarm));
		if (event->user[0] != '\0') {
			line_add(out, ", %s", event->user);
		}
		break;
	case EVENT_BATTERY:
		line_add(out, "%s", battery_word(event));
		if (event->number >= 0) {
			line_add(out, ", %d %%", (int) event->number);
		}
		break;
	case EVENT_LOCK_USER_CHANGE:
		line_user_change(event, out);
		break;
	case EVENT_LOCKED_OUT:
		line_add(out, "remote opening refused for %lld s", (long long) event->number);
		break;
	case EVENT_CODE_REVEALED:
		line_add(out, "%s", event_word(event));
		if (event->user[0] != '\0') {
			line_add(out, ", of %s", event->user);
		}
		break;
	case EVENT_LOG_GAP:
		line_add(out, "%lld entries of the lock's log are missing",
			(long long) event->number);
		break;
	case EVENT_NONE:
	case EVENT_DOOR_STATE_CHANGE:
	case EVENT_FAULT:
	case EVENT_FAULT_CLEARED:
	case EVENT_PAIRED:
	case EVENT_UNPAIRED:
	case EVENT_REACHABLE:
	case EVENT_UNREACHABLE:
	case EVENT_HUB_STARTED:
	case EVENT_HUB_STOPPED:
	case EVENT_LOCK_SETTING:
	case EVENT_CLOCK_SET:
	case EVENT_RENAMED:
	case EVENT_BACKED_UP:
	case EVENT_RESTORED:
	case EVENT_SYNCED:
		line_add(out, "%s", event_word(event));
		break;
	}
	if (event->fault != FAULT_NONE && event->kind != EVENT_BATTERY) {
		line_add(out, ": %s", fault_row(event->fault)->summary);
	}
	if (event->text[0] != '\0') {
		line_add(out, " (%s)", event->text);
	}
	return out;
}
