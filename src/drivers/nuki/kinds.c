/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The messages, as tables. The order of the rows of a list is the order on the wire. A test checks
 * that each kind's least and most agree with its fields, and that every vector comes out.
 *
 * Lengths seen in the field: Keyturner States 15 (gen1), 19, 21, 26, 27; Config 63, 65, 72, 74, 76,
 * 77, 78, 79; Advanced Config 10, 16, 17, 19, 27, 28, 31, 33.
 */

#include "message.h"

#include <assert.h>

#include "util/auto.h"

#define AT(member) .at = offsetof(struct nuki_message, member)
#define OPT .flags = NUKI_OPTIONAL
#define HIDE .flags = NUKI_SECRET
#define MINE .flags = NUKI_PRIVATE

/* clang-format off */

/* The end of every protected command. */
#define SIGNED(body) \
	{ "nonce", NUKI_NONCE, AT(body.nonce), HIDE }, \
	{ "pin", NUKI_PIN, AT(body.pin), HIDE }
#define CHALLENGED(body) \
	{ "nonce", NUKI_NONCE, AT(body.nonce), HIDE }

/* pairing */
static const struct nuki_field public_key_fields[] = {
	{ "key", NUKI_OCTETS, 32, AT(pairing.key), MINE },
};
static const struct nuki_field challenge_fields[] = {
	{ "nonce", NUKI_OCTETS, 32, AT(pairing.nonce), HIDE },
};
static const struct nuki_field authenticator_fields[] = {
	{ "hmac", NUKI_OCTETS, 32, AT(pairing.hmac), MINE },
};
static const struct nuki_field auth_data_fields[] = {
	{ "hmac", NUKI_OCTETS, 32, AT(pairing.hmac), MINE },
	{ "id_type", NUKI_U8, AT(pairing.id_type) },
	{ "app_id", NUKI_U32, AT(pairing.app_id), MINE },
	{ "name", NUKI_TEXT, 32, AT(pairing.name) },
	{ "nonce", NUKI_OCTETS, 32, AT(pairing.nonce), HIDE },
};
static const struct nuki_field auth_data_5_fields[] = {
	{ "app_id", NUKI_U32, AT(pairing.app_id), MINE },
	{ "name", NUKI_TEXT, 32, AT(pairing.name) },
	{ "pin", NUKI_PIN, AT(pairing.pin), HIDE },
};
static const struct nuki_field auth_id_fields[] = {
	{ "hmac", NUKI_OCTETS, 32, AT(pairing.hmac), MINE },
	{ "auth_id", NUKI_U32, AT(pairing.auth_id), MINE },
	{ "uuid", NUKI_OCTETS, 16, AT(pairing.uuid), MINE },
	{ "nonce", NUKI_OCTETS, 32, AT(pairing.nonce), HIDE },
};
static const struct nuki_field auth_id_5_fields[] = {
	{ "auth_id", NUKI_U32, AT(pairing.auth_id), MINE },
	{ "uuid", NUKI_OCTETS, 16, AT(pairing.uuid), MINE },
};
static const struct nuki_field auth_confirmation_fields[] = {
	{ "hmac", NUKI_OCTETS, 32, AT(pairing.hmac), MINE },
	{ "auth_id", NUKI_U32, AT(pairing.auth_id), MINE },
};
static const struct nuki_field auth_info_fields[] = {
	{ "pin_set", NUKI_U8, AT(pairing.is_pin_set) },
};

/* requests */
static const struct nuki_field request_data_fields[] = {
	{ "command", NUKI_U16, AT(request.command) },
};
static const struct nuki_field challenged_fields[] = { CHALLENGED(request) };
static const struct nuki_field signed_fields[] = { SIGNED(request) };
static const struct nuki_field range_fields[] = {
	{ "offset", NUKI_U16, AT(request.offset) },
	{ "count", NUKI_U16, AT(request.count) },
	SIGNED(request),
};
static const struct nuki_field request_log_fields[] = {
	{ "start_index", NUKI_U32, AT(request.start_index) },
	{ "count", NUKI_U16, AT(request.count) },
	{ "sort_order", NUKI_U8, AT(request.sort_order) },
	{ "total_count", NUKI_U8, AT(request.total_count) },
	SIGNED(request),
};
static const struct nuki_field enable_logging_fields[] = {
	{ "enabled", NUKI_U8, AT(request.enabled) },
	SIGNED(request),
};
static const struct nuki_field set_pin_fields[] = {
	{ "new_pin", NUKI_PIN, AT(request.new_pin), HIDE },
	SIGNED(request),
};
static const struct nuki_field update_time_fields[] = {
	{ "time", NUKI_DATE, AT(request.time) },
	SIGNED(request),
};

/* short replies */
static const struct nuki_field status_fields[] = {
	{ "status", NUKI_U8, AT(reply.status) },
};
static const struct nuki_field error_fields[] = {
	{ "error", NUKI_U8, AT(reply.error) },
	{ "command", NUKI_U16, AT(reply.command) },
};
static const struct nuki_field count_fields[] = {
	{ "count", NUKI_U16, AT(reply.count) },
};
static const struct nuki_field count8_fields[] = {
	{ "count", NUKI_U8, AT(reply.count8) },
};
static const struct nuki_field log_count_fields[] = {
	{ "enabled", NUKI_U8, AT(reply.enabled) },
	{ "count", NUKI_U16, AT(reply.count) },
	{ "door_sensor_enabled", NUKI_U8, AT(reply.door_sensor_enabled), OPT },
	{ "door_sensor_logging", NUKI_U8, AT(reply.door_sensor_logging), OPT },
};
static const struct nuki_field openings_fields[] = {
	{ "open_total", NUKI_U16, AT(reply.open_total) },
	{ "close_total", NUKI_U16, AT(reply.close_total) },
	{ "open_boot", NUKI_U16, AT(reply.open_boot) },
	{ "close_boot", NUKI_U16, AT(reply.close_boot) },
};
static const struct nuki_field door_sensor_config_fields[] = {
	{ "enabled", NUKI_U8, AT(reply.enabled) },
	{ "ajar_timeout", NUKI_U8, AT(reply.ajar_timeout) },
	{ "ajar_log", NUKI_U8, AT(reply.ajar_log) },
	{ "mismatch_log", NUKI_U8, AT(reply.mismatch_log) },
};

/* states, actions, battery */
static const struct nuki_field states_fields[] = {
	{ "mode", NUKI_U8, AT(states.mode) },
	{ "lock_state", NUKI_U8, AT(states.lock_state) },
	{ "trigger", NUKI_U8, AT(states.trigger) },
	{ "time", NUKI_DATE, AT(states.time) },
	{ "tz_offset", NUKI_I16, AT(states.tz_offset) },
	{ "battery", NUKI_U8, AT(states.battery) },
	{ "config_count", NUKI_U8, AT(states.config_count) },
	{ "lock_n_go_timer", NUKI_U8, AT(states.lock_n_go_timer) },
	{ "last_action", NUKI_U8, AT(states.last_action), OPT },
	{ "last_trigger", NUKI_U8, AT(states.last_trigger), OPT, .absent = 0xff },
	{ "last_completion", NUKI_U8, AT(states.last_completion), OPT, .absent = 0xff },
	{ "door", NUKI_U8, AT(states.door), OPT, .absent = 0xff },
	{ "night_mode", NUKI_U8, AT(states.night_mode), OPT },
	{ "accessories", NUKI_U8, AT(states.accessories), OPT },
	{ "remote", NUKI_U8, AT(states.remote), OPT },
	{ "ble_rssi", NUKI_I8, AT(states.ble_rssi), OPT },
	{ "wifi_rssi", NUKI_I8, AT(states.wifi_rssi), OPT },
	{ "wifi", NUKI_U8, AT(states.wifi), OPT },
	{ "mqtt", NUKI_U8, AT(states.mqtt), OPT },
	{ "thread", NUKI_U8, AT(states.thread), OPT },
};
static const struct nuki_field lock_action_fields[] = {
	{ "action", NUKI_U8, AT(lock_action.action) },
	{ "app_id", NUKI_U32, AT(lock_action.app_id), MINE },
	{ "flags", NUKI_U8, AT(lock_action.flags) },
	{ "name_suffix", NUKI_TEXT, 20, AT(lock_action.name_suffix), OPT },
	CHALLENGED(lock_action),
};
static const struct nuki_field simple_action_fields[] = {
	{ "action", NUKI_U8, AT(lock_action.action) },
	CHALLENGED(lock_action),
};
static const struct nuki_field keypad_action_fields[] = {
	{ "source", NUKI_U8, AT(lock_action.source) },
	{ "code", NUKI_U32, AT(lock_action.code), HIDE },
	{ "action", NUKI_U8, AT(lock_action.action) },
	CHALLENGED(lock_action),
};
static const struct nuki_field battery_fields[] = {
	{ "drain_mws", NUKI_U16, AT(battery.drain_mws) },
	{ "voltage_mv", NUKI_U16, AT(battery.voltage_mv) },
	{ "critical", NUKI_U8, AT(battery.critical) },
	{ "action", NUKI_U8, AT(battery.action) },
	{ "start_mv", NUKI_U16, AT(battery.start_mv) },
	{ "lowest_mv", NUKI_U16, AT(battery.lowest_mv) },
	{ "distance_deg", NUKI_U16, AT(battery.distance_deg) },
	{ "temperature_c", NUKI_I8, AT(battery.temperature_c) },
	{ "max_current_ma", NUKI_U16, AT(battery.max_current_ma) },
	{ "resistance_mohm", NUKI_U16, AT(battery.resistance_mohm) },
};

/* configuration */
#define CONFIG_HEAD \
	{ "name", NUKI_TEXT, 32, AT(config.name) }, \
	{ "latitude", NUKI_F32, AT(config.latitude), HIDE }, \
	{ "longitude", NUKI_F32, AT(config.longitude), HIDE }, \
	{ "auto_unlatch", NUKI_U8, AT(config.auto_unlatch) }, \
	{ "pairing_enabled", NUKI_U8, AT(config.pairing_enabled) }, \
	{ "button_enabled", NUKI_U8, AT(config.button_enabled) }, \
	{ "led_enabled", NUKI_U8, AT(config.led_enabled) }, \
	{ "led_brightness", NUKI_U8, AT(config.led_brightness) }
static const struct nuki_field config_fields[] = {
	{ "nuki_id", NUKI_U32, AT(config.nuki_id), MINE },
	CONFIG_HEAD,
	{ "time", NUKI_DATE, AT(config.time) },
	{ "tz_offset", NUKI_I16, AT(config.tz_offset) },
	{ "dst_mode", NUKI_U8, AT(config.dst_mode) },
	{ "has_fob", NUKI_U8, AT(config.has_fob) },
	{ "fob1", NUKI_U8, AT(config.fob1) },
	{ "fob2", NUKI_U8, AT(config.fob2) },
	{ "fob3", NUKI_U8, AT(config.fob3) },
	{ "single_lock", NUKI_U8, AT(config.single_lock), OPT },
	{ "adv_mode", NUKI_U8, AT(config.adv_mode), OPT },
	{ "has_keypad", NUKI_U8, AT(config.has_keypad), OPT },
	{ "firmware", NUKI_OCTETS, 3, AT(config.firmware), OPT },
	{ "hardware", NUKI_OCTETS, 2, AT(config.hardware), OPT },
	{ "homekit", NUKI_U8, AT(config.homekit), OPT },
	{ "tz_id", NUKI_U16, AT(config.tz_id), OPT, .absent = 0xffff },
	{ "device_type", NUKI_U8, AT(config.device_type), OPT },
	{ "capabilities", NUKI_U8, AT(config.capabilities), OPT },
	{ "has_keypad2", NUKI_U8, AT(config.has_keypad2), OPT },
	{ "matter", NUKI_U8, AT(config.matter), OPT },
	{ "variant", NUKI_U8, AT(config.variant), OPT },
};
static const struct nuki_field set_config_fields[] = {
	CONFIG_HEAD,
	{ "tz_offset", NUKI_I16, AT(config.tz_offset) },
	{ "dst_mode", NUKI_U8, AT(config.dst_mode) },
	{ "fob1", NUKI_U8, AT(config.fob1) },
	{ "fob2", NUKI_U8, AT(config.fob2) },
	{ "fob3", NUKI_U8, AT(config.fob3) },
	{ "single_lock", NUKI_U8, AT(config.single_lock), OPT },
	{ "adv_mode", NUKI_U8, AT(config.adv_mode), OPT },
	{ "tz_id", NUKI_U16, AT(config.tz_id), OPT, .absent = 0xffff },
	SIGNED(config),
};
#define OFFSETS \
	{ "unlocked_offset", NUKI_I16, AT(advanced.unlocked_offset) }, \
	{ "locked_offset", NUKI_I16, AT(advanced.locked_offset) }, \
	{ "single_locked_offset", NUKI_I16, AT(advanced.single_locked_offset) }, \
	{ "transition_offset", NUKI_I16, AT(advanced.transition_offset) }
#define ADVANCED_TAIL \
	{ "lock_n_go_timeout", NUKI_U8, AT(advanced.lock_n_go_timeout), OPT }, \
	{ "button_single", NUKI_U8, AT(advanced.button_single), OPT }, \
	{ "button_double", NUKI_U8, AT(advanced.button_double), OPT }, \
	{ "detached_cylinder", NUKI_U8, AT(advanced.detached_cylinder), OPT }, \
	{ "battery_type", NUKI_U8, AT(advanced.battery_type), OPT }, \
	{ "auto_battery_type", NUKI_U8, AT(advanced.auto_battery_type), OPT }, \
	{ "unlatch_duration", NUKI_U8, AT(advanced.unlatch_duration), OPT }, \
	{ "auto_lock_timeout", NUKI_U16, AT(advanced.auto_lock_timeout), OPT }, \
	{ "auto_unlock_disabled", NUKI_U8, AT(advanced.auto_unlock_disabled), OPT }, \
	{ "night_mode", NUKI_U8, AT(advanced.night_mode), OPT }, \
	{ "night_start", NUKI_TIME, AT(advanced.night_start), OPT }, \
	{ "night_end", NUKI_TIME, AT(advanced.night_end), OPT }, \
	{ "night_auto_lock", NUKI_U8, AT(advanced.night_auto_lock), OPT }, \
	{ "night_auto_unlock_disabled", NUKI_U8, AT(advanced.night_auto_unlock_disabled), OPT }, \
	{ "night_lock_at_start", NUKI_U8, AT(advanced.night_lock_at_start), OPT }, \
	{ "auto_lock_enabled", NUKI_U8, AT(advanced.auto_lock_enabled), OPT, .absent = 0xff }, \
	{ "immediate_auto_lock", NUKI_U8, AT(advanced.immediate_auto_lock), OPT }, \
	{ "auto_update", NUKI_U8, AT(advanced.auto_update), OPT }, \
	{ "motor_speed", NUKI_U8, AT(advanced.motor_speed), OPT }, \
	{ "slow_in_night_mode", NUKI_U8, AT(advanced.slow_in_night_mode), OPT }
#define MORE { "more", NUKI_REST, NUKI_MORE_MAX, AT(advanced.more), HIDE }
static const struct nuki_field advanced_fields[] = {
	{ "total_degrees", NUKI_U16, AT(advanced.total_degrees) },
	OFFSETS,
	ADVANCED_TAIL,
	MORE,
};
static const struct nuki_field set_advanced_fields[] = {
	OFFSETS,
	ADVANCED_TAIL,
	MORE,
	SIGNED(advanced),
};
static_assert(offsetof(struct nuki_advanced, n_more) ==
	offsetof(struct nuki_advanced, more) + NUKI_MORE_MAX,
	"a field of type NUKI_REST keeps its length behind its octets");

/* log */
static const struct nuki_field log_entry_fields[] = {
	{ "index", NUKI_U32, AT(log_entry.index) },
	{ "time", NUKI_DATE, AT(log_entry.time) },
	{ "auth_id", NUKI_U32, AT(log_entry.auth_id), MINE },
	{ "name", NUKI_TEXT, 32, AT(log_entry.name), HIDE },
	{ "type", NUKI_U8, AT(log_entry.type) },
	{ "data", NUKI_REST, NUKI_LOG_DATA_MAX, AT(log_entry.data) },
};
static_assert(offsetof(struct nuki_log_entry, n_data) ==
	offsetof(struct nuki_log_entry, data) + NUKI_LOG_DATA_MAX,
	"a field of type NUKI_REST keeps its length behind its octets");

/* keypad codes */
static const struct nuki_field add_code_fields[] = {
	{ "code", NUKI_U32, AT(code.code), HIDE },
	{ "name", NUKI_TEXT, 20, AT(code.name), HIDE },
	{ "time_limited", NUKI_U8, AT(code.time_limited) },
	{ "window", NUKI_WINDOW, AT(code.window) },
	SIGNED(code),
};
static const struct nuki_field code_id_fields[] = {
	{ "code_id", NUKI_U16, AT(code.code_id) },
	{ "created", NUKI_DATE, AT(code.created) },
};
static const struct nuki_field code_fields[] = {
	{ "code_id", NUKI_U16, AT(code.code_id) },
	{ "code", NUKI_U32, AT(code.code), HIDE },
	{ "name", NUKI_TEXT, 20, AT(code.name), HIDE },
	{ "enabled", NUKI_U8, AT(code.enabled) },
	{ "created", NUKI_DATE, AT(code.created) },
	{ "last_active", NUKI_DATE, AT(code.last_active) },
	{ "lock_count", NUKI_U16, AT(code.lock_count) },
	{ "time_limited", NUKI_U8, AT(code.time_limited) },
	{ "window", NUKI_WINDOW, AT(code.window), OPT },
};
static const struct nuki_field update_code_fields[] = {
	{ "code_id", NUKI_U16, AT(code.code_id) },
	{ "code", NUKI_U32, AT(code.code), HIDE },
	{ "name", NUKI_TEXT, 20, AT(code.name), HIDE },
	{ "enabled", NUKI_U8, AT(code.enabled) },
	{ "time_limited", NUKI_U8, AT(code.time_limited) },
	{ "window", NUKI_WINDOW, AT(code.window) },
	SIGNED(code),
};
static const struct nuki_field remove_code_fields[] = {
	{ "code_id", NUKI_U16, AT(code.code_id) },
	SIGNED(code),
};

/* authorisations */
static const struct nuki_field remove_auth_fields[] = {
	{ "auth_id", NUKI_U32, AT(auth.auth_id), MINE },
	SIGNED(auth),
};
static const struct nuki_field auth_entry_fields[] = {
	{ "auth_id", NUKI_U32, AT(auth.auth_id), MINE },
	{ "id_type", NUKI_U8, AT(auth.id_type) },
	{ "name", NUKI_TEXT, 32, AT(auth.name), HIDE },
	{ "enabled", NUKI_U8, AT(auth.enabled) },
	{ "remote_allowed", NUKI_U8, AT(auth.remote_allowed) },
	{ "created", NUKI_DATE, AT(auth.created) },
	{ "last_active", NUKI_DATE, AT(auth.last_active) },
	{ "lock_count", NUKI_U16, AT(auth.lock_count) },
	{ "time_limited", NUKI_U8, AT(auth.time_limited) },
	{ "window", NUKI_WINDOW, AT(auth.window), OPT },
};
static const struct nuki_field invite_fields[] = {
	{ "name", NUKI_TEXT, 32, AT(auth.name), HIDE },
	{ "id_type", NUKI_U8, AT(auth.id_type) },
	{ "shared_key", NUKI_OCTETS, 32, AT(auth.shared_key), HIDE },
	{ "remote_allowed", NUKI_U8, AT(auth.remote_allowed) },
	{ "time_limited", NUKI_U8, AT(auth.time_limited) },
	{ "window", NUKI_WINDOW, AT(auth.window) },
	SIGNED(auth),
};
static const struct nuki_field invite_id_fields[] = {
	{ "auth_id", NUKI_U32, AT(auth.auth_id), MINE },
	{ "created", NUKI_DATE, AT(auth.created) },
};
static const struct nuki_field update_auth_fields[] = {
	{ "auth_id", NUKI_U32, AT(auth.auth_id), MINE },
	{ "name", NUKI_TEXT, 32, AT(auth.name), HIDE },
	{ "enabled", NUKI_U8, AT(auth.enabled) },
	{ "remote_allowed", NUKI_U8, AT(auth.remote_allowed) },
	{ "time_limited", NUKI_U8, AT(auth.time_limited) },
	{ "window", NUKI_WINDOW, AT(auth.window) },
	SIGNED(auth),
};

/* time control */
#define TIME_CONTROL \
	{ "weekdays", NUKI_U8, AT(time_control.weekdays) }, \
	{ "time", NUKI_TIME, AT(time_control.time) }, \
	{ "action", NUKI_U8, AT(time_control.action) }
static const struct nuki_field add_time_control_fields[] = {
	TIME_CONTROL,
	SIGNED(time_control),
};
static const struct nuki_field time_control_id_fields[] = {
	{ "entry_id", NUKI_U8, AT(time_control.entry_id) },
};
static const struct nuki_field remove_time_control_fields[] = {
	{ "entry_id", NUKI_U8, AT(time_control.entry_id) },
	SIGNED(time_control),
};
static const struct nuki_field time_control_fields[] = {
	{ "entry_id", NUKI_U8, AT(time_control.entry_id) },
	{ "enabled", NUKI_U8, AT(time_control.enabled) },
	TIME_CONTROL,
};
static const struct nuki_field update_time_control_fields[] = {
	{ "entry_id", NUKI_U8, AT(time_control.entry_id) },
	{ "enabled", NUKI_U8, AT(time_control.enabled) },
	TIME_CONTROL,
	SIGNED(time_control),
};

#define LIST(fields) ARRAY_SIZE(fields), fields
#define UP NUKI_TO_LOCK
#define PAIR NUKI_PAIRING

static const struct nuki_kind kinds[] = {
	/* number, name, least, most, flags, parser */
	{ NUKI_REQUEST_DATA, "Request Data", 2, 2, UP, LIST(request_data_fields) },
	{ NUKI_PUBLIC_KEY, "Public Key", 32, 32, PAIR, LIST(public_key_fields) },
	{ NUKI_CHALLENGE, "Challenge", 32, 32, 0, LIST(challenge_fields) },
	{ NUKI_AUTH_AUTHENTICATOR, "Authorization Authenticator", 32, 32, UP | PAIR,
		LIST(authenticator_fields) },
	{ NUKI_AUTH_DATA, "Authorization Data", 101, 101, UP | PAIR | NUKI_ONLY_1_4,
		LIST(auth_data_fields) },
	{ NUKI_AUTH_DATA, "Authorization Data", 40, 40, UP | PAIR | NUKI_ONLY_5,
		LIST(auth_data_5_fields) },
	{ NUKI_AUTH_ID, "Authorization-ID", 84, 84, PAIR | NUKI_ONLY_1_4, LIST(auth_id_fields) },
	{ NUKI_AUTH_ID, "Authorization-ID", 20, 20, PAIR | NUKI_ONLY_5, LIST(auth_id_5_fields) },
	{ NUKI_REMOVE_AUTH, "Remove Authorization Entry", 38, 38, UP, LIST(remove_auth_fields) },
	{ NUKI_REQUEST_AUTHS, "Request Authorization Entries", 38, 38, UP, LIST(range_fields) },
	{ NUKI_AUTH_ENTRY, "Authorization Entry", 56, 75, NUKI_GROWS, LIST(auth_entry_fields) },
	{ NUKI_INVITE, "Authorization Data (Invite)", 120, 120, UP, LIST(invite_fields) },
	{ NUKI_STATES, "Keyturner States", 15, 27, NUKI_GROWS, LIST(states_fields) },
	{ NUKI_LOCK_ACTION, "Lock Action", 38, 58, UP, LIST(lock_action_fields) },
	{ NUKI_STATUS, "Status", 1, 1, 0, LIST(status_fields) },
	{ NUKI_OPENINGS, "Openings Closings Summary", 8, 8, 0, LIST(openings_fields) },
	{ NUKI_BATTERY_REPORT, "Battery Report", 17, 17, NUKI_GROWS, LIST(battery_fields) },
	{ NUKI_ERROR_REPORT, "Error Report", 3, 3, 0, LIST(error_fields) },
	{ NUKI_SET_CONFIG, "Set Config", 85, 89, UP, LIST(set_config_fields) },
	{ NUKI_REQUEST_CONFIG, "Request Config", 32, 32, UP, LIST(challenged_fields) },
	{ NUKI_CONFIG, "Config", 63, 79, NUKI_GROWS, LIST(config_fields) },
	{ NUKI_SET_PIN, "Set Security PIN", 36, 36, UP, LIST(set_pin_fields) },
	{ NUKI_REQUEST_CALIBRATION, "Request Calibration", 34, 34, UP, LIST(signed_fields) },
	{ NUKI_REQUEST_REBOOT, "Request Reboot", 34, 34, UP, LIST(signed_fields) },
	{ NUKI_AUTH_ID_CONFIRMATION, "Authorization-ID Confirmation", 36, 36, UP | PAIR,
		LIST(auth_confirmation_fields) },
	{ NUKI_INVITE_ID, "Authorization-ID (Invite)", 11, 11, 0, LIST(invite_id_fields) },
	{ NUKI_VERIFY_PIN, "Verify Security PIN", 34, 34, UP, LIST(signed_fields) },
	{ NUKI_UPDATE_TIME, "Update Time", 41, 41, UP, LIST(update_time_fields) },
	{ NUKI_UPDATE_AUTH, "Update Authorization Entry", 92, 92, UP, LIST(update_auth_fields) },
	{ NUKI_AUTH_COUNT, "Authorization Entry Count", 2, 2, 0, LIST(count_fields) },
	{ NUKI_REQUEST_LOG, "Request Log Entries", 42, 42, UP, LIST(request_log_fields) },
	{ NUKI_LOG_ENTRY, "Log Entry", 48, 88, NUKI_GROWS, LIST(log_entry_fields) },
	{ NUKI_LOG_COUNT, "Log Entry Count", 3, 5, NUKI_GROWS, LIST(log_count_fields) },
	{ NUKI_ENABLE_LOGGING, "Enable Logging", 35, 35, UP, LIST(enable_logging_fields) },
	{ NUKI_SET_ADVANCED_CONFIG, "Set Advanced Config", 42, 65 + NUKI_MORE_MAX, UP,
		LIST(set_advanced_fields) },
	{ NUKI_REQUEST_ADVANCED_CONFIG, "Request Advanced Config", 32, 32, UP,
		LIST(challenged_fields) },
	{ NUKI_ADVANCED_CONFIG, "Advanced Config", 10, 33 + NUKI_MORE_MAX, NUKI_GROWS, LIST(advanced_fields) },
	{ NUKI_ADD_TIME_CONTROL, "Add Time Control Entry", 38, 38, UP,
		LIST(add_time_control_fields) },
	{ NUKI_TIME_CONTROL_ID, "Time Control Entry ID", 1, 1, 0, LIST(time_control_id_fields) },
	{ NUKI_REMOVE_TIME_CONTROL, "Remove Time Control Entry", 35, 35, UP,
		LIST(remove_time_control_fields) },
	{ NUKI_REQUEST_TIME_CONTROLS, "Request Time Control Entries", 34, 34, UP,
		LIST(signed_fields) },
	{ NUKI_TIME_CONTROL_COUNT, "Time Control Entry Count", 1, 1, 0, LIST(count8_fields) },
	{ NUKI_TIME_CONTROL_ENTRY, "Time Control Entry", 6, 6, 0, LIST(time_control_fields) },
	{ NUKI_UPDATE_TIME_CONTROL, "Update Time Control Entry", 40, 40, UP,
		LIST(update_time_control_fields) },
	{ NUKI_ADD_CODE, "Add Keypad Code", 78, 78, UP, LIST(add_code_fields) },
	{ NUKI_CODE_ID, "Keypad Code ID", 9, 9, 0, LIST(code_id_fields) },
	{ NUKI_REQUEST_CODES, "Request Keypad Codes", 38, 38, UP, LIST(range_fields) },
	{ NUKI_CODE_COUNT, "Keypad Code Count", 2, 2, 0, LIST(count_fields) },
	{ NUKI_CODE, "Keypad Code", 44, 63, NUKI_GROWS, LIST(code_fields) },
	{ NUKI_UPDATE_CODE, "Update Keypad Code", 81, 81, UP, LIST(update_code_fields) },
	{ NUKI_REMOVE_CODE, "Remove Keypad Code", 36, 36, UP, LIST(remove_code_fields) },
	{ NUKI_KEYPAD_ACTION, "Keypad Action", 38, 38, UP, LIST(keypad_action_fields) },
	{ NUKI_AUTH_INFO, "Authorization Info", 1, 1, PAIR, LIST(auth_info_fields) },
	{ NUKI_REQUEST_DOOR_SENSOR_CONFIG, "Request Door Sensor Config", 32, 32, UP,
		LIST(challenged_fields) },
	{ NUKI_DOOR_SENSOR_CONFIG, "Door Sensor Config", 4, 4, NUKI_GROWS,
		LIST(door_sensor_config_fields) },
	{ NUKI_SIMPLE_LOCK_ACTION, "Simple Lock Action", 33, 33, UP, LIST(simple_action_fields) },
};
/* clang-format on */

const struct nuki_kind *nuki_kinds(size_t *ret_n) {
	*ret_n = ARRAY_SIZE(kinds);
	return kinds;
}

const struct nuki_kind *nuki_kind(uint16_t command, enum nuki_generation generation) {
	const uint8_t other =
		generation == NUKI_GENERATION_5 ? (uint8_t) NUKI_ONLY_1_4 : (uint8_t) NUKI_ONLY_5;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].command == command && (kinds[i].flags & other) == 0) {
			return &kinds[i];
		}
	}
	return NULL;
}

const char *nuki_command_name(uint16_t command) {
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].command == command) {
			return kinds[i].name;
		}
	}
	return "?";
}
