/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/terms.h"

#include "core/user.h"

#include "util/auto.h"
#include "util/text.h"

/* One table per enum; text both ways comes from it (R3). */

static const struct name_row lock_states[] = {
	{ LOCK_STATE_NOT_FULLY_LOCKED, "not_fully_locked" },
	{ LOCK_STATE_LOCKED, "locked" },
	{ LOCK_STATE_UNLOCKED, "unlocked" },
	{ LOCK_STATE_UNLATCHED, "unlatched" },
	{ LOCK_STATE_UNKNOWN, "unknown" },
};

static const struct name_row lock_motions[] = {
	{ LOCK_MOTION_NONE, "none" },
	{ LOCK_MOTION_LOCKING, "locking" },
	{ LOCK_MOTION_UNLOCKING, "unlocking" },
	{ LOCK_MOTION_UNLATCHING, "unlatching" },
	{ LOCK_MOTION_CALIBRATING, "calibrating" },
};

static const struct name_row door_states[] = {
	{ DOOR_STATE_OPEN, "open" },
	{ DOOR_STATE_CLOSED, "closed" },
	{ DOOR_STATE_JAMMED, "jammed" },
	{ DOOR_STATE_FORCED_OPEN, "forced_open" },
	{ DOOR_STATE_ERROR, "error" },
	{ DOOR_STATE_AJAR, "ajar" },
	{ DOOR_STATE_UNKNOWN, "unknown" },
};

static const struct name_row operation_types[] = {
	{ OPERATION_LOCK, "lock" },
	{ OPERATION_UNLOCK, "unlock" },
	{ OPERATION_NON_ACCESS_USER_EVENT, "non_access_user_event" },
	{ OPERATION_FORCED_USER_EVENT, "forced_user_event" },
	{ OPERATION_UNLATCH, "unlatch" },
	{ OPERATION_NONE, "none" },
};

static const struct name_row operation_sources[] = {
	{ SOURCE_UNSPECIFIED, "unspecified" },
	{ SOURCE_MANUAL, "manual" },
	{ SOURCE_PROPRIETARY_REMOTE, "proprietary_remote" },
	{ SOURCE_KEYPAD, "keypad" },
	{ SOURCE_AUTO, "auto" },
	{ SOURCE_BUTTON, "button" },
	{ SOURCE_SCHEDULE, "schedule" },
	{ SOURCE_REMOTE, "remote" },
	{ SOURCE_RFID, "rfid" },
	{ SOURCE_BIOMETRIC, "biometric" },
	{ SOURCE_ALIRO, "aliro" },
};

static const struct name_row operation_errors[] = {
	{ OPERATION_ERROR_UNSPECIFIED, "unspecified" },
	{ OPERATION_ERROR_INVALID_CREDENTIAL, "invalid_credential" },
	{ OPERATION_ERROR_DISABLED_USER, "disabled_user" },
	{ OPERATION_ERROR_RESTRICTED, "restricted" },
	{ OPERATION_ERROR_INSUFFICIENT_BATTERY, "insufficient_battery" },
	{ OPERATION_ERROR_NONE, "none" },
};

static const struct name_row alarm_codes[] = {
	{ ALARM_LOCK_JAMMED, "lock_jammed" },
	{ ALARM_FACTORY_RESET, "factory_reset" },
	{ ALARM_RADIO_POWER_CYCLED, "radio_power_cycled" },
	{ ALARM_WRONG_CODE_LIMIT, "wrong_code_limit" },
	{ ALARM_ESCUTCHEON_REMOVED, "escutcheon_removed" },
	{ ALARM_DOOR_FORCED_OPEN, "door_forced_open" },
	{ ALARM_DOOR_AJAR, "door_ajar" },
	{ ALARM_FORCED_USER, "forced_user" },
	{ ALARM_NONE, "none" },
};

static const struct name_row battery_levels[] = {
	{ BATTERY_OK, "ok" },
	{ BATTERY_WARNING, "warning" },
	{ BATTERY_CRITICAL, "critical" },
	{ BATTERY_UNKNOWN, "unknown" },
};

static const struct name_row evidence_hows[] = {
	{ EVIDENCE_NONE, "none" },
	{ EVIDENCE_STORED, "stored" },
	{ EVIDENCE_ADVERTISED, "advertised" },
	{ EVIDENCE_LOGGED, "logged" },
	{ EVIDENCE_ANSWERED, "answered" },
	{ EVIDENCE_INFERRED, "inferred" },
};

static const struct name_row roles[] = {
	{ ROLE_NONE, "none" },
	{ ROLE_VIEW, "view" },
	{ ROLE_OPERATE, "operate" },
	{ ROLE_MANAGE, "manage" },
};

static const struct name_row user_statuses[] = {
	{ USER_STATUS_AVAILABLE, "available" },
	{ USER_STATUS_OCCUPIED_ENABLED, "enabled" },
	{ USER_STATUS_OCCUPIED_DISABLED, "disabled" },
	{ USER_STATUS_LEAVING, "leaving" },
};

static const struct name_row user_types[] = {
	{ USER_UNRESTRICTED, "unrestricted" },
	{ USER_YEAR_DAY_SCHEDULE, "year_day_schedule" },
	{ USER_WEEK_DAY_SCHEDULE, "week_day_schedule" },
	{ USER_PROGRAMMING, "programming" },
	{ USER_NON_ACCESS, "non_access" },
	{ USER_FORCED, "forced" },
	{ USER_DISPOSABLE, "disposable" },
	{ USER_EXPIRING, "expiring" },
	{ USER_SCHEDULE_RESTRICTED, "schedule_restricted" },
	{ USER_REMOTE_ONLY, "remote_only" },
};

static const struct name_row credential_types[] = {
	{ CREDENTIAL_PROGRAMMING_PIN, "programming_pin" },
	{ CREDENTIAL_PIN, "pin" },
	{ CREDENTIAL_RFID, "rfid" },
	{ CREDENTIAL_FINGERPRINT, "fingerprint" },
	{ CREDENTIAL_FINGER_VEIN, "finger_vein" },
	{ CREDENTIAL_FACE, "face" },
	{ CREDENTIAL_APP_KEY, "app_key" },
	{ CREDENTIAL_MECHANICAL_KEY, "mechanical_key" },
	{ CREDENTIAL_NONE, "none" },
};

static const struct name_row operating_modes[] = {
	{ MODE_NORMAL, "normal" },
	{ MODE_VACATION, "vacation" },
	{ MODE_PRIVACY, "privacy" },
	{ MODE_NO_REMOTE_LOCK_UNLOCK, "no_remote_lock_unlock" },
	{ MODE_PASSAGE, "passage" },
};

static const struct name_row data_operations[] = {
	{ DATA_ADD, "add" },
	{ DATA_CLEAR, "clear" },
	{ DATA_MODIFY, "modify" },
};

static const struct name_row lock_data_types[] = {
	{ LOCK_DATA_UNSPECIFIED, "unspecified" },
	{ LOCK_DATA_PROGRAMMING_CODE, "programming_code" },
	{ LOCK_DATA_USER_INDEX, "user_index" },
	{ LOCK_DATA_WEEK_DAY_SCHEDULE, "week_day_schedule" },
	{ LOCK_DATA_YEAR_DAY_SCHEDULE, "year_day_schedule" },
	{ LOCK_DATA_HOLIDAY_SCHEDULE, "holiday_schedule" },
	{ LOCK_DATA_PIN, "pin" },
	{ LOCK_DATA_RFID, "rfid" },
	{ LOCK_DATA_FINGERPRINT, "fingerprint" },
};

static const struct name_row attributions[] = {
	{ ATTRIBUTION_NONE, "none" },
	{ ATTRIBUTION_LOCK_NAME, "lock_name" },
	{ ATTRIBUTION_CREDENTIAL, "credential" },
	{ ATTRIBUTION_REQUEST, "request" },
	{ ATTRIBUTION_FACTOR, "factor" },
};

static const struct name_row placement_states[] = {
	{ PLACEMENT_WANTED, "pending" },
	{ PLACEMENT_SENT, "sent" },
	{ PLACEMENT_PRESENT, "present" },
	{ PLACEMENT_LEAVING, "leaving" },
	{ PLACEMENT_REFUSED, "refused" },
};

static const struct name_row factor_rules[] = {
	{ FACTOR_NONE, "none" },
	{ FACTOR_CODE, "code" },
	{ FACTOR_TOTP, "totp" },
	{ FACTOR_EITHER, "either" },
	{ FACTOR_BOTH, "both" },
};

/* What an act is, besides its name. */
struct act_row {
	bool moves_motor;
	enum operation_type operation;
};

static const struct name_row acts[] = {
	{ ACT_NONE, "none" },
	{ ACT_LOCK, "lock" },
	{ ACT_UNLOCK, "unlock" },
	{ ACT_UNLATCH, "unlatch" },
	{ ACT_LOCK_N_GO, "lock-n-go" },
	{ ACT_LOCK_N_GO_UNLATCH, "lock-n-go-unlatch" },
	{ ACT_CALIBRATE, "calibrate" },
	{ ACT_PAIR, "pair" },
	{ ACT_UNPAIR, "unpair" },
	{ ACT_READ_STATE, "read-state" },
	{ ACT_READ_CONFIG, "read-config" },
	{ ACT_READ_BATTERY, "read-battery" },
	{ ACT_READ_LOG, "read-log" },
	{ ACT_SET_TIME, "set-time" },
	{ ACT_VERIFY_PIN, "verify-pin" },
	{ ACT_REBOOT, "reboot" },
	{ ACT_READ_USERS, "read-users" },
	{ ACT_PUT_CREDENTIAL, "put-credential" },
	{ ACT_REMOVE_CREDENTIAL, "remove-credential" },
	{ ACT_READ_TIMERS, "read-timers" },
	{ ACT_PUT_TIMER, "put-timer" },
	{ ACT_REMOVE_TIMER, "remove-timer" },
	{ ACT_READ_SETTINGS, "read-settings" },
	{ ACT_PUT_SETTING, "put-setting" },
};

static const struct act_row act_rows[ACT_COUNT_] = {
	[ACT_LOCK] = { true, OPERATION_LOCK },
	[ACT_UNLOCK] = { true, OPERATION_UNLOCK },
	[ACT_UNLATCH] = { true, OPERATION_UNLATCH },
	[ACT_LOCK_N_GO] = { true, OPERATION_UNLOCK },
	[ACT_LOCK_N_GO_UNLATCH] = { true, OPERATION_UNLATCH },
	[ACT_CALIBRATE] = { true, OPERATION_NONE },
};

#define NAME_OF(rows, value) name_of(rows, ARRAY_SIZE(rows), (int) (value))

#define NAME_TO(rows, name, ret)                                                                   \
	({                                                                                         \
		int value_ = 0;                                                                    \
		int r_ = name_to(rows, ARRAY_SIZE(rows), name, &value_);                           \
		if (r_ >= 0) {                                                                     \
			*(ret) = (__typeof__(*(ret))) value_;                                      \
		}                                                                                  \
		r_;                                                                                \
	})

const char *lock_state_name(enum lock_state state) {
	return NAME_OF(lock_states, state);
}

const char *lock_motion_name(enum lock_motion motion) {
	return NAME_OF(lock_motions, motion);
}

const char *door_state_name(enum door_state state) {
	return NAME_OF(door_states, state);
}

const char *operation_type_name(enum operation_type type) {
	return NAME_OF(operation_types, type);
}

const char *operation_source_name(enum operation_source source) {
	return NAME_OF(operation_sources, source);
}

const char *operation_error_name(enum operation_error error) {
	return NAME_OF(operation_errors, error);
}

const char *alarm_code_name(enum alarm_code code) {
	return NAME_OF(alarm_codes, code);
}

const char *battery_level_name(enum battery_level level) {
	return NAME_OF(battery_levels, level);
}

const char *act_name(enum act act) {
	return NAME_OF(acts, act);
}

int act_from_name(const char *name, enum act *ret) {
	return NAME_TO(acts, name, ret);
}

bool act_moves_motor(enum act act) {
	return act >= 0 && act < ACT_COUNT_ && act_rows[act].moves_motor;
}

enum operation_type act_operation(enum act act) {
	return act_moves_motor(act) ? act_rows[act].operation : OPERATION_NONE;
}

const char *evidence_how_name(enum evidence_how how) {
	return NAME_OF(evidence_hows, how);
}

const char *role_name(enum role role) {
	return NAME_OF(roles, role);
}

const char *user_status_name(enum user_status status) {
	return NAME_OF(user_statuses, status);
}

int user_status_from_name(const char *name, enum user_status *ret) {
	return NAME_TO(user_statuses, name, ret);
}

const char *user_type_name(enum user_type type) {
	return NAME_OF(user_types, type);
}

int user_type_from_name(const char *name, enum user_type *ret) {
	return NAME_TO(user_types, name, ret);
}

enum lock_data_type credential_data(enum credential_type type) {
	switch (type) {
	case CREDENTIAL_PIN:
		return LOCK_DATA_PIN;
	case CREDENTIAL_RFID:
		return LOCK_DATA_RFID;
	case CREDENTIAL_FINGERPRINT:
		return LOCK_DATA_FINGERPRINT;
	case CREDENTIAL_PROGRAMMING_PIN:
		return LOCK_DATA_PROGRAMMING_CODE;
	case CREDENTIAL_FINGER_VEIN:
	case CREDENTIAL_FACE:
	case CREDENTIAL_APP_KEY:
	case CREDENTIAL_MECHANICAL_KEY:
	case CREDENTIAL_NONE:
		break;
	}
	return LOCK_DATA_UNSPECIFIED;
}

const char *credential_type_name(enum credential_type type) {
	return NAME_OF(credential_types, type);
}

int credential_type_from_name(const char *name, enum credential_type *ret) {
	return NAME_TO(credential_types, name, ret);
}

const char *operating_mode_name(enum operating_mode mode) {
	return NAME_OF(operating_modes, mode);
}

int operating_mode_from_name(const char *name, enum operating_mode *ret) {
	return NAME_TO(operating_modes, name, ret);
}

const char *data_operation_name(enum data_operation operation) {
	return NAME_OF(data_operations, operation);
}

const char *lock_data_type_name(enum lock_data_type type) {
	return NAME_OF(lock_data_types, type);
}

const char *attribution_name(enum attribution attribution) {
	return NAME_OF(attributions, attribution);
}

const char *placement_state_name(enum placement_state state) {
	return NAME_OF(placement_states, state);
}

const char *factor_rule_name(enum factor_rule rule) {
	return NAME_OF(factor_rules, rule);
}

int factor_rule_from_name(const char *name, enum factor_rule *ret) {
	return NAME_TO(factor_rules, name, ret);
}
