/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/terms.h"

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

int lock_state_from_name(const char *name, enum lock_state *ret) {
	return NAME_TO(lock_states, name, ret);
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

int operation_type_from_name(const char *name, enum operation_type *ret) {
	return NAME_TO(operation_types, name, ret);
}

const char *operation_source_name(enum operation_source source) {
	return NAME_OF(operation_sources, source);
}

int operation_source_from_name(const char *name, enum operation_source *ret) {
	return NAME_TO(operation_sources, name, ret);
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
