/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nuki.h"

/* What people are shown, and what survives a restart of the simulator (--state). */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/text.h"

#define FORM 2 /* of the saved memory; a saved one of another form is refused */

static const struct name_row type_names[] = {
	{ NUKI_TYPE_APP, "app" },
	{ NUKI_TYPE_BRIDGE, "bridge" },
	{ NUKI_TYPE_FOB, "fob" },
	{ NUKI_TYPE_KEYPAD, "keypad" },
};

static const struct name_row state_names[] = {
	{ 0x00, "uncalibrated" },
	{ 0x01, "locked" },
	{ 0x02, "unlocking" },
	{ 0x03, "unlocked" },
	{ 0x04, "locking" },
	{ 0x05, "unlatched" },
	{ 0x06, "unlocked (lock 'n' go)" },
	{ 0x07, "unlatching" },
	{ 0xfc, "calibrating" },
	{ 0xfe, "motor blocked" },
	{ 0xff, "undefined" },
};

static const struct name_row mode_names[] = {
	{ NUKI_MODE_UNINITIALISED, "uninitialised" },
	{ NUKI_MODE_PAIRING, "pairing" },
	{ NUKI_MODE_DOOR, "operating" },
};

static json_t *hex(const void *bytes, size_t n) {
	char text[2 * NUKI_CONFIG_MAX + 1];
	return json_string(hex_encode(bytes, n, text));
}

static int unhex(const json_t *value, void *out, size_t n) {
	const char *text = json_string_value(value);
	return text == NULL ? -EINVAL : hex_decode(text, out, n);
}

/* "2026-06-01T08:00:00Z .. never, MTWTF--, 08:00-17:30" */
static json_t *show_window(const struct nuki_window *window) {
	char from[WALL_TEXT_MAX], until[WALL_TEXT_MAX], days[8] = "MTWTFSS", text[128];
	for (unsigned i = 0; i < 7 && window->days != 0; i++) {
		days[i] = window->days & (0x40U >> i) ? days[i] : '-';
	}
	snprintf(text, sizeof(text), "%s .. %s, %s, %02u:%02u-%02u:%02u",
		wall_to_text(window->from, from), wall_to_text(window->until, until), days,
		window->from_hour, window->from_minute, window->until_hour, window->until_minute);
	return json_string(text);
}

static json_t *show_times(const struct nuki *nuki) {
	json_t *times = json_array();
	for (size_t i = 0; i < nuki->n_times; i++) {
		const struct nuki_time *time = &nuki->times[i];
		json_array_append_new(
			times, json_pack("{s:i, s:b, s:i, s:i, s:i, s:i}", "id", time->id,
				       "enabled", time->is_enabled, "days", time->days, "hour",
				       time->hour, "minute", time->minute, "action", time->action));
	}
	return times;
}

json_t *nuki_show(struct sim_lock *lock) {
	struct nuki *nuki = nuki_of(lock);
	char id[9], firmware[16], at[WALL_TEXT_MAX];
	snprintf(id, sizeof(id), "%08X", nuki->id);
	snprintf(firmware, sizeof(firmware), "%u.%u.%u", nuki->firmware[0], nuki->firmware[1],
		nuki->firmware[2]);
	json_t *auths = json_array();
	for (size_t i = 0; i < nuki->n_auths; i++) {
		const struct nuki_auth *auth = nuki->auths[i];
		json_array_append_new(auths,
			json_pack("{s:I, s:s, s:s, s:b, s:i}", "id", (json_int_t) auth->id, "type",
				name_of(type_names, ARRAY_SIZE(type_names), auth->type), "name",
				auth->name, "enabled", auth->is_enabled, "uses", auth->uses));
		if (auth->window.is_limited) {
			json_object_set_new(
				json_array_get(auths, i), "window", show_window(&auth->window));
		}
	}
	json_t *codes = json_array();
	for (size_t i = 0; i < nuki->n_codes; i++) {
		const struct nuki_code *code = nuki->codes[i];
		json_array_append_new(
			codes, json_pack("{s:i, s:I, s:s, s:b, s:i, s:b}", "id", code->id, "code",
				       (json_int_t) code->code, "name", code->name, "enabled",
				       code->is_enabled, "uses", code->uses, "limited",
				       code->window.is_limited));
		if (code->window.is_limited) {
			json_object_set_new(
				json_array_get(codes, i), "window", show_window(&code->window));
		}
	}
	char jam[JAM_TEXT_MAX];
	const struct body *body = &nuki->body;
	json_t *show = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:i, s:i, s:s, s:b, s:s}",
		"nuki-id", id, "firmware", firmware, "mode",
		name_of(mode_names, ARRAY_SIZE(mode_names), (int) nuki->mode), "lock-state",
		name_of(state_names, ARRAY_SIZE(state_names), nuki_lock_state(nuki)), "bolt",
		bolt_text(nuki->body.bolt), "door", nuki->body.is_door_open ? "open" : "closed",
		"door-sensor", nuki->has_door_sensor, "battery",
		(int) body_percent(body, nuki->now), "millivolt",
		(int) body_millivolt(body, nuki->now), "jam", jam_text(&body->jam, jam),
		"changed-bit", nuki->is_changed, "clock", wall_to_text(nuki_wall(nuki), at));
	json_object_set_new(show, "cells",
		json_pack("{s:s, s:f, s:f, s:f, s:f, s:i, s:i, s:i, s:i}", "chemistry",
			cell_chemistry_name(body->cells.chemistry), "charge", body->cells.percent,
			"age-days", body->cells.age_days, "worn", body->cells.worn, "celsius",
			body->cells.celsius, "milliohm", (int) cells_milliohm(&body->cells),
			"last-lowest", (int) body->last_lowest_mv, "last-current",
			(int) body->last_current_ma, "last-ms", (int) body->last_ms));
	json_object_set_new(show, "critical", json_boolean(body_is_critical(body, nuki->now)));
	json_object_set_new(show, "calibrated", json_boolean(body->is_calibrated));
	json_object_set_new(show, "friction", json_integer(body->friction));
	json_object_set_new(show, "friction-shut", json_integer(body->friction_shut));
	json_object_set_new(show, "logging", json_boolean(nuki->is_logging));
	json_object_set_new(show, "pairing-enabled", json_boolean(nuki->config.pairing_enabled));
	json_object_set_new(show, "clock-offset", json_integer(nuki->clock_offset_s));
	json_object_set_new(show, "drift", json_real(nuki->drift_s_per_day));
	json_object_set_new(show, "last-action", json_integer(nuki->last_action));
	json_object_set_new(show, "last-status", json_integer(nuki->last_status));
	json_object_set_new(show, "log-entries", json_integer((json_int_t) nuki->n_log));
	json_object_set_new(show, "time-controls", json_integer((json_int_t) nuki->n_times));
	json_object_set_new(show, "keypad",
		json_integer(nuki->config.has_keypad2  ? 2
			     : nuki->config.has_keypad ? 1
						       : 0));
	json_object_set_new(show, "authorisations", auths);
	json_object_set_new(show, "codes", codes);
	json_object_set_new(show, "timers", show_times(nuki));
	return show;
}

/* ---- saving ---- */

static json_t *save_window(const struct nuki_window *window) {
	return json_pack("[b, I, I, i, i, i, i, i]", window->is_limited,
		(json_int_t) window->from.s, (json_int_t) window->until.s, window->days,
		window->from_hour, window->from_minute, window->until_hour, window->until_minute);
}

static json_t *save_auths(const struct nuki *nuki) {
	json_t *list = json_array();
	for (size_t i = 0; i < nuki->n_auths; i++) {
		const struct nuki_auth *auth = nuki->auths[i];
		json_array_append_new(list,
			json_pack("{s:I, s:I, s:i, s:s, s:o, s:b, s:b, s:I, s:I, s:i, s:o}", "id",
				(json_int_t) auth->id, "app-id", (json_int_t) auth->app_id, "type",
				auth->type, "name", auth->name, "key",
				hex(auth->key, sizeof(auth->key)), "enabled", auth->is_enabled,
				"remote", auth->is_remote_allowed, "created",
				(json_int_t) auth->created.s, "active", (json_int_t) auth->active.s,
				"uses", auth->uses, "window", save_window(&auth->window)));
	}
	return list;
}

static json_t *save_codes(const struct nuki *nuki) {
	json_t *list = json_array();
	for (size_t i = 0; i < nuki->n_codes; i++) {
		const struct nuki_code *code = nuki->codes[i];
		json_array_append_new(list,
			json_pack("{s:i, s:I, s:s, s:b, s:I, s:I, s:i, s:o}", "id", code->id,
				"code", (json_int_t) code->code, "name", code->name, "enabled",
				code->is_enabled, "created", (json_int_t) code->created.s, "active",
				(json_int_t) code->active.s, "uses", code->uses, "window",
				save_window(&code->window)));
	}
	return list;
}

static json_t *save_log(const struct nuki *nuki) {
	json_t *list = json_array();
	for (size_t i = 0; i < nuki->n_log; i++) {
		const struct nuki_entry *entry = nuki_log_at(nuki, i);
		json_array_append_new(
			list, json_pack("[I, I, I, s, i, o]", (json_int_t) entry->index,
				      (json_int_t) entry->at.s, (json_int_t) entry->auth_id,
				      entry->name, entry->type, hex(entry->data, entry->n_data)));
	}
	return list;
}

static json_t *save_times(const struct nuki *nuki) {
	json_t *list = json_array();
	for (size_t i = 0; i < nuki->n_times; i++) {
		const struct nuki_time *time = &nuki->times[i];
		json_array_append_new(
			list, json_pack("[i, b, i, i, i, i]", time->id, time->is_enabled,
				      time->days, time->hour, time->minute, time->action));
	}
	return list;
}

json_t *nuki_save(struct sim_lock *lock) {
	struct nuki *nuki = nuki_of(lock);
	uint8_t config[NUKI_CONFIG_MAX], advanced[NUKI_ADVANCED_MAX];
	/* In the longest form there is, whatever this firmware tells of it. */
	nuki_config_bytes(nuki, config, sizeof(config));
	nuki_advanced_bytes(nuki, advanced, sizeof(advanced));
	json_t *memory = json_pack("{s:i, s:I, s:o, s:I, s:b, s:o, s:o, s:o, s:o}", "form", FORM,
		"id", (json_int_t) nuki->id, "uuid", hex(nuki->uuid, sizeof(nuki->uuid)), "pin",
		(json_int_t) nuki->pin, "pin-set", nuki->is_pin_set, "firmware",
		hex(nuki->firmware, sizeof(nuki->firmware)), "config", hex(config, sizeof(config)),
		"advanced", hex(advanced, sizeof(advanced)), "body", body_save(&nuki->body));
	json_object_set_new(memory, "authorisations", save_auths(nuki));
	json_object_set_new(memory, "codes", save_codes(nuki));
	json_object_set_new(memory, "times", save_times(nuki));
	json_object_set_new(memory, "log", save_log(nuki));
	json_object_set_new(memory, "numbers",
		json_pack("[I, i, I, i, I, i, i]", (json_int_t) nuki->next_auth_id,
			nuki->next_code_id, (json_int_t) nuki->next_index, nuki->next_time_id,
			(json_int_t) nuki->clock_offset_s, nuki->update_count, nuki->accessories));
	json_object_set_new(memory, "clock",
		json_pack("[f, I, b]", nuki->drift_s_per_day, (json_int_t) nuki->drifts_since.s,
			nuki->is_clock_stuck));
	json_object_set_new(memory, "last",
		json_pack("[i, i, i, i]", nuki->trigger, nuki->last_action, nuki->last_trigger,
			nuki->last_status));
	json_object_set_new(memory, "flags",
		json_pack("[b, b, b, b, b]", nuki->is_logging, nuki->is_door_logging,
			nuki->has_door_sensor, nuki->is_changed,
			nuki->mode == NUKI_MODE_UNINITIALISED));
	return memory;
}

/* ---- loading ---- */

static int load_window(const json_t *saved, struct nuki_window *window) {
	int limited = 0, days = 0, from_hour = 0, from_minute = 0, until_hour = 0, until_minute = 0;
	json_int_t from = 0, until = 0;
	if (json_unpack((json_t *) saved, "[b, I, I, i, i, i, i, i]", &limited, &from, &until,
		    &days, &from_hour, &from_minute, &until_hour, &until_minute) < 0) {
		return -EINVAL;
	}
	*window = (struct nuki_window){
		.is_limited = limited,
		.from = { from },
		.until = { until },
		.days = (uint8_t) days,
		.from_hour = (uint8_t) from_hour,
		.from_minute = (uint8_t) from_minute,
		.until_hour = (uint8_t) until_hour,
		.until_minute = (uint8_t) until_minute,
	};
	return 0;
}

static int load_auth(struct nuki *nuki, json_t *saved) {
	struct nuki_auth auth = { 0 };
	json_int_t id = 0, app_id = 0, created = 0, active = 0;
	int type = 0, enabled = 0, remote = 0, uses = 0;
	const char *name = NULL;
	const json_t *key = NULL, *window = NULL;
	if (json_unpack(saved, "{s:I, s:I, s:i, s:s, s:o, s:b, s:b, s:I, s:I, s:i, s:o}", "id", &id,
		    "app-id", &app_id, "type", &type, "name", &name, "key", &key, "enabled",
		    &enabled, "remote", &remote, "created", &created, "active", &active, "uses",
		    &uses, "window", &window) < 0 ||
		unhex(key, auth.key, sizeof(auth.key)) < 0 ||
		load_window(window, &auth.window) < 0) {
		return -EINVAL;
	}
	auth.id = (uint32_t) id;
	auth.app_id = (uint32_t) app_id;
	auth.type = (uint8_t) type;
	auth.is_enabled = enabled;
	auth.is_remote_allowed = remote;
	auth.uses = (uint16_t) uses;
	text_copy(auth.name, sizeof(auth.name), name);
	struct nuki_auth *added = nuki_auth_add(nuki, &auth);
	if (added == NULL) {
		return -EINVAL;
	}
	added->created.s = created;
	added->active.s = active;
	return 0;
}

static int load_code(struct nuki *nuki, json_t *saved) {
	json_int_t value = 0, created = 0, active = 0;
	int id = 0, enabled = 0, uses = 0;
	const char *name = NULL;
	const json_t *window = NULL;
	struct nuki_code *code = nuki->n_codes == NUKI_CODES_MAX ? NULL : calloc(1, sizeof(*code));
	if (code == NULL ||
		json_unpack(saved, "{s:i, s:I, s:s, s:b, s:I, s:I, s:i, s:o}", "id", &id, "code",
			&value, "name", &name, "enabled", &enabled, "created", &created, "active",
			&active, "uses", &uses, "window", &window) < 0 ||
		load_window(window, &code->window) < 0) {
		free(code);
		return -EINVAL;
	}
	code->id = (uint16_t) id;
	code->code = (uint32_t) value;
	code->is_enabled = enabled;
	code->created.s = created;
	code->active.s = active;
	code->uses = (uint16_t) uses;
	text_copy(code->name, sizeof(code->name), name);
	nuki->codes[nuki->n_codes++] = code;
	return 0;
}

static int load_time(struct nuki *nuki, json_t *saved) {
	int id = 0, enabled = 0, days = 0, hour = 0, minute = 0, action = 0;
	if (nuki->n_times == NUKI_TIMES_MAX ||
		json_unpack(saved, "[i, b, i, i, i, i]", &id, &enabled, &days, &hour, &minute,
			&action) < 0) {
		return -EINVAL;
	}
	nuki->times[nuki->n_times++] = (struct nuki_time){
		.id = (uint8_t) id,
		.is_enabled = enabled,
		.days = (uint8_t) days,
		.hour = (uint8_t) hour,
		.minute = (uint8_t) minute,
		.action = (uint8_t) action,
	};
	return 0;
}

static int load_entry(struct nuki *nuki, json_t *saved) {
	json_int_t index = 0, at = 0, auth_id = 0;
	int type = 0;
	const char *name = NULL;
	const json_t *data = NULL;
	if (nuki->n_log == NUKI_LOG_MAX || json_unpack(saved, "[I, I, I, s, i, o]", &index, &at,
						   &auth_id, &name, &type, &data) < 0) {
		return -EINVAL;
	}
	struct nuki_entry *entry = &nuki->log[nuki->n_log];
	size_t n = 0;
	const char *text = json_string_value(data);
	if (text == NULL || hex_decode_any(text, entry->data, sizeof(entry->data), &n) < 0) {
		return -EINVAL;
	}
	entry->index = (uint32_t) index;
	entry->at.s = at;
	entry->auth_id = (uint32_t) auth_id;
	entry->type = (uint8_t) type;
	entry->n_data = (uint8_t) n;
	text_copy(entry->name, sizeof(entry->name), name);
	nuki->n_log++;
	return 0;
}

static int load_list(struct nuki *nuki, const json_t *memory, const char *key,
	int (*load)(struct nuki *nuki, json_t *saved)) {
	const json_t *list = json_object_get(memory, key);
	size_t i;
	json_t *item;
	int r = json_is_array(list) ? 0 : -EINVAL;
	json_array_foreach(list, i, item) {
		r = r < 0 ? r : load(nuki, item);
	}
	return r;
}

static int load_numbers(struct nuki *nuki, const json_t *memory) {
	json_int_t next_auth = 0, next_index = 0, clock_offset = 0;
	int next_code = 0, next_time = 0, update_count = 0, accessories = 0;
	int trigger = 0, action = 0, last_trigger = 0, status = 0;
	int logging = 0, door_logging = 0, sensor = 0, changed = 0, raw = 0;
	if (json_unpack((json_t *) memory,
		    "{s:[I, i, I, i, I, i, i], s:[i, i, i, i], s:[b, b, b, b, b]}", "numbers",
		    &next_auth, &next_code, &next_index, &next_time, &clock_offset, &update_count,
		    &accessories, "last", &trigger, &action, &last_trigger, &status, "flags",
		    &logging, &door_logging, &sensor, &changed, &raw) < 0) {
		return -EINVAL;
	}
	json_int_t drifts_since = 0;
	int stuck = 0;
	if (json_unpack((json_t *) memory, "{s:[F, I, b]}", "clock", &nuki->drift_s_per_day,
		    &drifts_since, &stuck) < 0) {
		return -EINVAL;
	}
	nuki->drifts_since.s = drifts_since;
	nuki->is_clock_stuck = stuck;
	nuki->next_auth_id = (uint32_t) next_auth;
	nuki->next_code_id = (uint16_t) next_code;
	nuki->next_index = (uint32_t) next_index;
	nuki->next_time_id = (uint8_t) next_time;
	nuki->clock_offset_s = clock_offset;
	nuki->update_count = (uint8_t) update_count;
	nuki->accessories = (uint8_t) accessories;
	nuki->trigger = (uint8_t) trigger;
	nuki->last_action = (uint8_t) action;
	nuki->last_trigger = (uint8_t) last_trigger;
	nuki->last_status = (uint8_t) status;
	nuki->is_logging = logging;
	nuki->is_door_logging = door_logging;
	nuki->has_door_sensor = sensor;
	nuki->is_changed = changed;
	nuki->mode = raw ? NUKI_MODE_UNINITIALISED : NUKI_MODE_DOOR;
	return 0;
}

int nuki_load(struct sim_lock *lock, const json_t *memory) {
	struct nuki *nuki = nuki_of(lock);
	uint8_t config[NUKI_CONFIG_MAX], advanced[NUKI_ADVANCED_MAX];
	if (json_integer_value(json_object_get(memory, "form")) != FORM ||
		unhex(json_object_get(memory, "uuid"), nuki->uuid, sizeof(nuki->uuid)) < 0 ||
		unhex(json_object_get(memory, "firmware"), nuki->firmware, sizeof(nuki->firmware)) <
			0 ||
		unhex(json_object_get(memory, "config"), config, sizeof(config)) < 0 ||
		unhex(json_object_get(memory, "advanced"), advanced, sizeof(advanced)) < 0 ||
		body_load(&nuki->body, json_object_get(memory, "body")) < 0) {
		return -EINVAL;
	}
	nuki_wipe_users(nuki);
	nuki_set_pairing(nuki, false);
	nuki->log_first = 0;
	nuki->n_log = 0;
	nuki_config_restore(nuki, config, advanced);
	nuki->id = (uint32_t) json_integer_value(json_object_get(memory, "id"));
	nuki->pin = (uint32_t) json_integer_value(json_object_get(memory, "pin"));
	nuki->is_pin_set = json_is_true(json_object_get(memory, "pin-set"));
	int r = load_list(nuki, memory, "authorisations", load_auth);
	r = r < 0 ? r : load_list(nuki, memory, "codes", load_code);
	r = r < 0 ? r : load_list(nuki, memory, "times", load_time);
	r = r < 0 ? r : load_list(nuki, memory, "log", load_entry);
	r = r < 0 ? r : load_numbers(nuki, memory);
	if (nuki->n_times > 0) {
		nuki->next_minute = nuki->now;
	}
	return r;
}
