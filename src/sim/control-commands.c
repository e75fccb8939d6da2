/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control.h"

/* What a person, or a test, can do to the simulator while it runs. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/text.h"

/* 2000-01-01: where a clock begins that has lost its time; inferred. */
#define LOST_CLOCK_S 946684800

/* ---- arguments ---- */

static struct station *lock_arg(struct control *control, const char *name, char *why) {
	struct station *station = world_find(control->world, name);
	if (station != NULL) {
		return station;
	}
	const char *names[64];
	size_t n = 0;
	for (size_t i = 0; i < control->world->n_stations && n < ARRAY_SIZE(names); i++) {
		struct sim_lock *lock = control->world->stations[i]->lock;
		if (lock != NULL) {
			names[n++] = lock->name;
		}
	}
	const char *near = text_nearest(name, names, n);
	snprintf(why, SIM_TEXT_MAX, "no lock is called %s%s%s", name,
		near == NULL ? "" : "; did you mean ", near == NULL ? "" : near);
	return NULL;
}

static int number_arg(const char *text, uint64_t most, uint64_t *ret, char *why) {
	if (text_to_u64(text, 0, most, ret) < 0) {
		snprintf(why, SIM_TEXT_MAX, "%s: a number from 0 to %llu is needed", text,
			(unsigned long long) most);
		return -EINVAL;
	}
	return 0;
}

static int signed_arg(const char *text, int64_t *ret, char *why) {
	char *end = NULL;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0') {
		snprintf(why, SIM_TEXT_MAX, "%s: a number is needed, such as +3600 or -60", text);
		return -EINVAL;
	}
	*ret = value;
	return 0;
}

/* One of two words. */
static int word_arg(const char *text, const char *no, const char *yes, bool *ret, char *why) {
	if (!text_equal(text, no) && !text_equal(text, yes)) {
		snprintf(why, SIM_TEXT_MAX, "%s: %s or %s is needed", text, yes, no);
		return -EINVAL;
	}
	*ret = text_equal(text, yes);
	return 0;
}

static int cannot(const struct sim_lock *lock, const char *what, char *why) {
	snprintf(why, SIM_TEXT_MAX, "%s (%s) has no %s", lock->name, lock->model, what);
	return -EOPNOTSUPP;
}

static int no_lock(void) {
	return -ENODEV; /* the sentence is there already */
}

/* ---- telling ---- */

static json_t *counters_json(const struct sim_counters *counters) {
	const struct {
		const char *name;
		unsigned value;
	} rows[] = {
		{ "connections", counters->connections },
		{ "link-ms", counters->link_ms },
		{ "writes", counters->writes },
		{ "reads", counters->reads },
		{ "subscriptions", counters->subscriptions },
		{ "indications", counters->indications },
		{ "messages", counters->messages_in },
		{ "commands-lock", counters->commands_lock },
		{ "commands-unlock", counters->commands_unlock },
		{ "commands-unlatch", counters->commands_unlatch },
		{ "motor-lock", counters->motor_lock },
		{ "motor-unlock", counters->motor_unlock },
		{ "motor-unlatch", counters->motor_unlatch },
		{ "refused", counters->refused },
		{ "last-connection-writes", counters->last_connection_writes },
		{ "last-connection-indications", counters->last_connection_indications },
	};
	json_t *json = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_object_set_new(json, rows[i].name, json_integer(rows[i].value));
	}
	return json;
}

static json_t *troubles_json(const struct station *station) {
	json_t *troubles = json_object();
	for (size_t i = 1; i < N_TROUBLES; i++) {
		if (station->troubles[i] > 0) {
			json_object_set_new(troubles, trouble_name((enum trouble) i),
				json_integer(station->troubles[i]));
		}
	}
	return troubles;
}

static json_t *station_json(struct station *station) {
	struct sim_lock *lock = station->lock;
	char address[18];
	int links = 0;
	for (size_t i = 0; i < SIM_LINKS_MAX; i++) {
		links += lock->links[i].is_up;
	}
	station_address_text(station, address);
	json_t *json = json_pack("{s:s, s:s, s:s, s:b, s:i, s:i, s:i, s:b, s:i, s:i}", "name",
		lock->name, "model", lock->model, "address", address, "in-range",
		station->is_in_range, "rssi", station->rssi, "jitter", (int) station->jitter,
		"loss", (int) station->loss, "taken", station->is_taken, "links", links, "mtu",
		(int) lock->mtu);
	json_t *own = lock->impl->show(lock);
	json_object_update(json, own);
	json_decref(own);
	json_object_set_new(json, "bonded", json_boolean(station->is_bonded));
	json_object_set_new(json, "faults", troubles_json(station));
	json_object_set_new(json, "counters", counters_json(&lock->counters));
	return json;
}

static void print_json(const json_t *json, FILE *out) {
	json_dumpf(json, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	fputc('\n', out);
}

static void print_value(const json_t *value, FILE *out) {
	if (json_is_string(value)) {
		fputs(json_string_value(value), out);
	} else if (json_is_boolean(value)) {
		fputs(json_is_true(value) ? "yes" : "no", out);
	} else if (json_is_object(value)) {
		const char *key, *comma = "";
		json_t *item;
		json_object_foreach((json_t *) value, key, item) {
			fprintf(out, "%s%s ", comma, key);
			print_value(item, out);
			comma = ", ";
		}
	} else {
		char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		fputs(text == NULL ? "" : text, out);
		free(text);
	}
}

/* "key: value" lines; a list of objects gives a line each. */
static void print_lines(json_t *json, FILE *out) {
	const char *key;
	json_t *value;
	json_object_foreach(json, key, value) {
		if (json_is_array(value)) {
			size_t i;
			json_t *item;
			json_array_foreach(value, i, item) {
				fprintf(out, "%-15s ", i == 0 ? key : "");
				print_value(item, out);
				fputc('\n', out);
			}
			continue;
		}
		fprintf(out, "%-15s ", key);
		print_value(value, out);
		fputc('\n', out);
	}
}

static int run_list(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	json_auto_t *list = json_array();
	for (size_t i = 0; i < control->world->n_stations; i++) {
		struct station *station = control->world->stations[i];
		if (station->lock == NULL) {
			continue;
		}
		json_t *json = station_json(station);
		if (!is_json) {
			const char *state = json_string_value(json_object_get(json, "lock-state"));
			const char *address = json_string_value(json_object_get(json, "address"));
			fprintf(out, "%-16s %-10s %s %4d dBm %s%s\n", station->lock->name,
				station->lock->model, address, station->rssi,
				state == NULL ? "" : state,
				station->is_in_range ? "" : " (out of range)");
		}
		json_array_append_new(list, json);
	}
	if (is_json) {
		print_json(list, out);
	}
	return 0;
}

static int run_show(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	if (station == NULL) {
		return no_lock();
	}
	json_auto_t *json = station_json(station);
	if (is_json) {
		print_json(json, out);
	} else {
		print_lines(json, out);
	}
	return 0;
}

static int run_counters(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	if (station == NULL) {
		return no_lock();
	}
	if (args[1] != NULL) {
		if (!text_equal(args[1], "reset")) {
			snprintf(why, SIM_TEXT_MAX, "%s: only reset can be said here", args[1]);
			return -EINVAL;
		}
		station->lock->counters = (struct sim_counters){ 0 };
		return 0;
	}
	json_auto_t *json = counters_json(&station->lock->counters);
	if (is_json) {
		print_json(json, out);
	} else {
		print_lines(json, out);
	}
	return 0;
}

static int run_log(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	uint64_t most = 20;
	if (station == NULL) {
		return no_lock();
	}
	if (args[1] != NULL && number_arg(args[1], 100000, &most, why) < 0) {
		return -EINVAL;
	}
	if (station->lock->impl->log == NULL) {
		return cannot(station->lock, "log", why);
	}
	json_auto_t *list = station->lock->impl->log(station->lock, most);
	if (is_json) {
		print_json(list, out);
		return 0;
	}
	size_t i;
	json_t *entry;
	json_array_foreach(list, i, entry) {
		print_value(entry, out);
		fputc('\n', out);
	}
	return 0;
}

/* ---- a person at the door ---- */

#define NEEDS(station, hook, what)                                                                 \
	do {                                                                                       \
		if ((station) == NULL) {                                                           \
			return no_lock();                                                          \
		}                                                                                  \
		if ((station)->lock->impl->hook == NULL) {                                         \
			return cannot((station)->lock, what, why);                                 \
		}                                                                                  \
	} while (0)

static int run_turn(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	bool to_locked = false;
	NEEDS(station, turn, "knob");
	int r = word_arg(args[1], "unlock", "lock", &to_locked, why);
	return r < 0 ? r
		     : station->lock->impl->turn(
			       station->lock, to_locked, world_now(control->world), why);
}

static int run_button(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	uint64_t presses = 1;
	NEEDS(station, button, "button");
	int r = args[1] == NULL ? 0 : number_arg(args[1], 9, &presses, why);
	return r < 0 ? r
		     : station->lock->impl->button(
			       station->lock, (unsigned) presses, world_now(control->world), why);
}

static int run_fob(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	uint64_t presses = 1;
	NEEDS(station, fob, "fob");
	int r = args[1] == NULL ? 0 : number_arg(args[1], 9, &presses, why);
	return r < 0 ? r
		     : station->lock->impl->fob(
			       station->lock, (unsigned) presses, world_now(control->world), why);
}

static int run_keypad(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	bool is_key = text_equal(args[1], "key");
	uint64_t code = 0;
	NEEDS(station, keypad, "keypad");
	int r = is_key ? 0 : number_arg(args[1], 4294967295U, &code, why);
	return r < 0 ? r
		     : station->lock->impl->keypad(station->lock,
			       is_key ? SIM_KEYPAD_KEY : SIM_KEYPAD_CODE, (uint32_t) code, args[2],
			       world_now(control->world), why);
}

static int run_finger(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	uint64_t id = 0;
	NEEDS(station, keypad, "keypad");
	int r = number_arg(args[1], 4294967295U, &id, why);
	return r < 0 ? r
		     : station->lock->impl->keypad(station->lock, SIM_KEYPAD_FINGER, (uint32_t) id,
			       args[2], world_now(control->world), why);
}

static int run_app(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	uint32_t id = 0;
	NEEDS(station, app, "app");
	int r = station->lock->impl->app(
		station->lock, args + 1, world_now(control->world), &id, why);
	if (r == 0 && id != 0) {
		fprintf(out, "%u\n", (unsigned) id);
	}
	return r;
}

static int run_door(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	bool is_open = false;
	NEEDS(station, door, "door");
	int r = word_arg(args[1], "close", "open", &is_open, why);
	return r < 0 ? r
		     : station->lock->impl->door(
			       station->lock, is_open, world_now(control->world), why);
}

static int run_jam(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	NEEDS(station, jam, "motor");
	return station->lock->impl->jam(station->lock, args[1], why);
}

static int run_battery(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	uint64_t percent = 0;
	NEEDS(station, battery, "battery");
	int r = number_arg(args[1], 100, &percent, why);
	return r < 0 ? r : station->lock->impl->battery(station->lock, (unsigned) percent, why);
}

static int run_drain(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	uint64_t rate = 60;
	NEEDS(station, drain, "battery");
	int r = args[1] == NULL ? 0 : number_arg(args[1], 1000000, &rate, why);
	r = r < 0 ? r
		  : station->lock->impl->drain(
			    station->lock, (unsigned) rate, world_now(control->world), why);
	sim_lock_due_changed(station->lock);
	return r;
}

static int run_change(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	NEEDS(station, change, "cells");
	return station->lock->impl->change(station->lock, args[1], world_now(control->world), why);
}

static int run_age(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	uint64_t days = 0, moves = 8;
	NEEDS(station, age, "past");
	int r = number_arg(args[1], 3650, &days, why);
	r = r < 0 || args[2] == NULL ? r : number_arg(args[2], 200, &moves, why);
	if (r < 0) {
		return r;
	}
	json_auto_t *list = NULL;
	r = station->lock->impl->age(station->lock, (unsigned) days, (unsigned) moves,
		world_now(control->world), &list, why);
	if (r < 0) {
		return r;
	}
	sim_lock_due_changed(station->lock);
	if (is_json) {
		print_json(list, out);
		return 0;
	}
	size_t i;
	json_t *day;
	json_array_foreach(list, i, day) {
		print_value(day, out);
		fputc('\n', out);
	}
	return 0;
}

static int run_clock(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	int64_t offset = 0;
	NEEDS(station, clock, "clock");
	int r = 0;
	if (text_equal(args[1], "lost")) {
		const struct sim_env *env = &control->world->env;
		offset = LOST_CLOCK_S - env->wall(env->user).s;
	} else {
		r = signed_arg(args[1], &offset, why);
	}
	return r < 0 ? r : station->lock->impl->clock(station->lock, offset, why);
}

static int run_pairing(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	bool on = false;
	NEEDS(station, pairing, "pairing mode");
	int r = word_arg(args[1], "off", "on", &on, why);
	return r < 0 ? r
		     : station->lock->impl->pairing(
			       station->lock, on, world_now(control->world), why);
}

static int run_reboot(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	NEEDS(station, reboot, "program to restart");
	return station->lock->impl->reboot(station->lock, world_now(control->world), why);
}

static int run_reset(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	NEEDS(station, reset, "factory reset");
	return station->lock->impl->reset(station->lock, world_now(control->world), why);
}

static int run_firmware(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	NEEDS(station, firmware, "firmware");
	return station->lock->impl->firmware(station->lock, args[1], why);
}

static int run_set(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	NEEDS(station, set, "setting");
	char *value = strchr(args[1], '=');
	if (value == NULL) {
		snprintf(why, SIM_TEXT_MAX, "%s: KEY=VALUE is needed", args[1]);
		return -EINVAL;
	}
	*value++ = '\0';
	return station->lock->impl->set(station->lock, args[1], value, why);
}

/* ---- the air ---- */

static int run_range(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	if (station == NULL) {
		return no_lock();
	}
	int r = word_arg(args[1], "out", "in", &station->is_in_range, why);
	if (r < 0) {
		return r;
	}
	/* A radio notices by itself: its supervision timeout. */
	for (size_t i = 0; control->bluez != NULL && !station->is_in_range && i < SIM_LINKS_MAX;
		i++) {
		if (station->links[i] != NULL) {
			device_link_lost(station->links[i], true);
		}
	}
	station_changed(station);
	return 0;
}

static int run_rssi(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	int64_t rssi = 0;
	if (station == NULL) {
		return no_lock();
	}
	uint64_t jitter = station->jitter;
	int r = signed_arg(args[1], &rssi, why);
	r = r < 0 || args[2] == NULL ? r : number_arg(args[2], 40, &jitter, why);
	if (r < 0) {
		return r;
	}
	if (rssi < -127 || rssi > 20) {
		snprintf(
			why, SIM_TEXT_MAX, "%s: a strength from -127 to 20 dBm is needed", args[1]);
		return -EINVAL;
	}
	station->rssi = (int) rssi;
	station->jitter = (unsigned) jitter;
	station_changed(station);
	return 0;
}

/* Over a real adapter the air is not ours. */
static bool has_no_air(const struct control *control, char *why) {
	bool has_none = control->bluez == NULL && control->port == NULL;
	if (has_none) {
		snprintf(why, SIM_TEXT_MAX,
			"not with this face: the adapter is a real one (bluetoothctl)");
	}
	return has_none;
}

static int run_loss(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	uint64_t percent = 0;
	if (station == NULL || has_no_air(control, why)) {
		return station == NULL ? no_lock() : -ENOTSUP;
	}
	int r = number_arg(args[1], 100, &percent, why);
	station->loss = r < 0 ? station->loss : (unsigned) percent;
	return r;
}

static int run_taken(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	bool on = false;
	if (station == NULL || has_no_air(control, why)) {
		return station == NULL ? no_lock() : -ENOTSUP;
	}
	int r = word_arg(args[1], "off", "on", &on, why);
	if (r < 0) {
		return r;
	}
	station->is_taken = on;
	/* Whoever takes the links pushes us out of them. */
	for (int i = 0; on && i < SIM_LINKS_MAX; i++) {
		if (station->links[i] != NULL) {
			const struct world *world = control->world;
			world->face->lose(world->face_user, station, i);
		}
	}
	station_changed(station);
	return 0;
}

static int run_bond(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	return station == NULL ? no_lock()
			       : word_arg(args[1], "off", "on", &station->is_bonded, why);
}

static int need_bluez(const struct control *control, const char *what, char *why) {
	if (control->bluez == NULL) {
		snprintf(why, SIM_TEXT_MAX,
			"%s: only with --face=bluez-virtual; here bluetoothd is a real one", what);
		return -EOPNOTSUPP;
	}
	return 0;
}

/* Link loss, removal and a foreign hand happen at once and need no count. */
static int at_once(struct control *control, struct station *station, const char *kind, char *why) {
	const struct world *world = control->world;
	bool is_drop = text_equal(kind, "drop");
	bool is_removal = text_equal(kind, "remove-device");
	bool is_foreign = text_equal(kind, "foreign-disconnect");
	if ((is_removal || is_foreign) && need_bluez(control, kind, why) < 0) {
		return -EOPNOTSUPP;
	}
	for (size_t i = 0; i < SIM_LINKS_MAX; i++) {
		if (station->links[i] != NULL && is_drop) {
			world->face->lose(world->face_user, station, (int) i);
		} else if (station->links[i] != NULL && is_foreign) {
			device_foreign_disconnect(station->links[i]);
		}
	}
	for (size_t i = 0; is_removal && i < control->bluez->options.n_adapters; i++) {
		struct device *device = adapter_device(&control->bluez->adapters[i], station);
		if (device != NULL && device->is_exported) {
			device_removed(device);
		}
	}
	return is_drop || is_removal || is_foreign;
}

static int run_fault(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct station *station = lock_arg(control, args[0], why);
	enum trouble trouble = TROUBLE_NONE;
	uint64_t count = 1;
	if (station == NULL) {
		return no_lock();
	}
	if (args[2] != NULL && number_arg(args[2], UINT32_MAX, &count, why) < 0) {
		return -EINVAL;
	}
	if (text_equal(args[1], "none")) {
		memset(station->troubles, 0, sizeof(station->troubles));
		return 0;
	}
	int done = at_once(control, station, args[1], why);
	if (done != 0) {
		return done < 0 ? done : 0;
	}
	if (trouble_from_name(args[1], &trouble) < 0) {
		const char *near = trouble_nearest(args[1]);
		snprintf(why, SIM_TEXT_MAX, "%s: no such fault%s%s", args[1],
			near == NULL ? " (lockhub-sim ctl faults lists them)" : "; did you mean ",
			near == NULL ? "" : near);
		return -EINVAL;
	}
	const struct world *world = control->world;
	if (!world->face->can_play(world->face_user, trouble)) {
		snprintf(why, SIM_TEXT_MAX, "%s: only with --face=%s", args[1],
			control->bluez == NULL ? "bluez-virtual" : "vhci");
		return -EOPNOTSUPP;
	}
	station->troubles[trouble] = (unsigned) count;
	bool is_counted = trouble == TROUBLE_DROP_AFTER || trouble == TROUBLE_DROP_PACKETS;
	for (size_t i = 0; is_counted && i < SIM_LINKS_MAX; i++) {
		if (station->links[i] != NULL) {
			world->face->drop_after(
				world->face_user, station, (int) i, trouble, (unsigned) count);
			station->troubles[trouble] = 0;
		}
	}
	return 0;
}

static int run_faults(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	fprintf(out, "%-22s %s\n", "drop", "the link is lost now");
	if (control->bluez != NULL) {
		fprintf(out, "%-22s %s\n", "remove-device", "BlueZ forgets the device now");
		fprintf(out, "%-22s %s\n", "foreign-disconnect",
			"another program disconnects it now");
	}
	for (size_t i = 1; i < N_TROUBLES; i++) {
		const struct world *world = control->world;
		if (!world->face->can_play(world->face_user, (enum trouble) i)) {
			continue;
		}
		fprintf(out, "%-22s %s\n", trouble_name((enum trouble) i),
			trouble_text((enum trouble) i));
	}
	fprintf(out, "%-22s %s\n", "none", "ends all faults of this lock");
	return 0;
}

static int set_connected_signal(struct bluez *bluez, const char *when, char *why) {
	static const char *const modes[] = { "before", "missing", "after" };
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (text_equal(when, modes[i])) {
			bluez->options.connected_signal = (enum connected_signal) i;
			return 0;
		}
	}
	snprintf(why, SIM_TEXT_MAX, "before, missing or after is needed");
	return -EINVAL;
}

static int run_bluez(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct bluez *bluez = control->bluez;
	uint64_t ms = 0;
	if (need_bluez(control, "bluez", why) < 0) {
		return -EOPNOTSUPP;
	}
	if (text_equal(args[0], "connected-signal")) {
		return set_connected_signal(bluez, args[1], why);
	}
	if (text_equal(args[0], "hang") && args[1] != NULL) {
		return word_arg(args[1], "off", "on", &bluez->is_hung, why);
	}
	if (text_equal(args[0], "manager") && args[1] != NULL) {
		bool is_on = false;
		int r = word_arg(args[1], "off", "on", &is_on, why);
		return r < 0 ? r : control_manage(control, is_on);
	}
	if (args[1] != NULL && number_arg(args[1], 600000, &ms, why) < 0) {
		return -EINVAL;
	}
	if (text_equal(args[0], "kill")) {
		bluez_kill(bluez, (unsigned) ms);
		return 0;
	}
	if (text_equal(args[0], "restart")) {
		bluez_kill(bluez, args[1] == NULL ? 1000 : (unsigned) ms);
		return 0;
	}
	if (text_equal(args[0], "start")) {
		int r = bluez_start(bluez);
		if (r == -EALREADY) {
			snprintf(why, SIM_TEXT_MAX, "org.bluez is running");
		}
		return r;
	}
	snprintf(why, SIM_TEXT_MAX,
		"kill [MS], start, restart [MS], hang on|off, manager on|off or connected-signal "
		"WHEN "
		"is needed");
	return -EINVAL;
}

/* Pulling, plugging, and how many links it can have. Power is bluetoothd's business. */
static int run_vhci_adapter(struct control *control, char **args, char *why) {
	struct vhci *vhci = vhci_port_radio(control->port);
	uint64_t number = 0, most = VHCI_LINKS_MAX;
	if (number_arg(args[0], vhci->options.n_adapters - 1, &number, why) < 0) {
		return -EINVAL;
	}
	if (text_equal(args[1], "remove")) {
		return vhci_port_unplug(control->port, (unsigned) number);
	}
	if (text_equal(args[1], "return")) {
		return vhci_port_plug(control->port, (unsigned) number);
	}
	if (text_equal(args[1], "links")) {
		if (args[2] != NULL && number_arg(args[2], VHCI_LINKS_MAX, &most, why) < 0) {
			return -EINVAL;
		}
		vhci->controllers[number].links_max = (unsigned) most;
		return 0;
	}
	snprintf(why, SIM_TEXT_MAX, "%s: remove, return or links [MOST] is needed", args[1]);
	return -EINVAL;
}

/* "22-6": hours of UTC; "off". */
static int set_failing(struct adapter *adapter, const char *hours, char *why) {
	int from = 0, until = 0, end = 0;
	if (!text_equal(hours, "off") &&
		(hours == NULL || sscanf(hours, "%2d-%2d%n", &from, &until, &end) != 2 ||
			hours[end] != '\0' || from < 0 || from > 23 || until < 0 || until > 24)) {
		snprintf(why, SIM_TEXT_MAX,
			"failing: hours of UTC are needed, such as 22-6 or 0-24; or off");
		return -EINVAL;
	}
	adapter->fails_from = from;
	adapter->fails_until = until;
	return 0;
}

static int run_adapter(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	struct bluez *bluez = control->bluez;
	if (has_no_air(control, why)) {
		return -ENOTSUP;
	}
	if (bluez == NULL) {
		return run_vhci_adapter(control, args, why);
	}
	uint64_t number = 0, index = 0;
	sd_bus_message *none = NULL;
	if (number_arg(args[0], bluez->options.n_adapters - 1, &number, why) < 0) {
		return -EINVAL;
	}
	struct adapter *adapter = &bluez->adapters[number];
	index = adapter->index;
	if (text_equal(args[1], "failing")) {
		return set_failing(adapter, args[2], why);
	}
	if (args[2] != NULL && number_arg(args[2], 99, &index, why) < 0) {
		return -EINVAL;
	}
	if (text_equal(args[1], "off") || text_equal(args[1], "on")) {
		adapter_set_powered(adapter, text_equal(args[1], "on"), &none);
	} else if (text_equal(args[1], "block") || text_equal(args[1], "unblock")) {
		adapter_set_blocked(adapter, text_equal(args[1], "block"));
	} else if (text_equal(args[1], "deaf") || text_equal(args[1], "hearing")) {
		adapter_set_deaf(adapter, text_equal(args[1], "deaf"));
	} else if (text_equal(args[1], "wedged")) {
		adapter_set_deaf(adapter, true);
		adapter->is_wedged = true;
	} else if (text_equal(args[1], "remove")) {
		adapter->is_present = false;
		adapter_unexport(adapter, true);
	} else if (text_equal(args[1], "return")) {
		if (adapter->is_present) {
			snprintf(why, SIM_TEXT_MAX, "adapter %s is there", args[0]);
			return -EALREADY;
		}
		adapter->is_present = true;
		adapter->index = (unsigned) index;
		if (bluez->is_up) {
			adapter_export(adapter);
		}
	} else {
		snprintf(why, SIM_TEXT_MAX,
			"%s: off, on, remove, return [HCI], block, unblock, deaf, hearing, "
			"wedged or failing HOURS is needed",
			args[1]);
		return -EINVAL;
	}
	return 0;
}

static int run_storm(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	uint64_t loud = 0, rate = 0, quiet = 0;
	if (has_no_air(control, why)) {
		return -ENOTSUP;
	}
	if (text_equal(args[0], "off")) {
		return control->bluez == NULL ? vhci_storm(vhci_port_radio(control->port), 0, 0)
					      : bluez_storm(control->bluez, 0, 0, 0);
	}
	if (number_arg(args[0], 2000, &loud, why) < 0 ||
		(args[1] != NULL && number_arg(args[1], 10000, &rate, why) < 0) ||
		(args[1] != NULL && args[2] != NULL &&
			number_arg(args[2], 2000, &quiet, why) < 0)) {
		return -EINVAL;
	}
	if (control->bluez == NULL) {
		return vhci_storm(vhci_port_radio(control->port), (unsigned) loud, (unsigned) rate);
	}
	return bluez_storm(control->bluez, (unsigned) loud, (unsigned) rate, (unsigned) quiet);
}

static int run_save(struct control *control, char **args, bool is_json, FILE *out, char *why) {
	if (control->state_path == NULL) {
		snprintf(why, SIM_TEXT_MAX, "the simulator was started without --state");
		return -ENOENT;
	}
	return world_save(control->world, control->state_path);
}

/* clang-format off */
const struct command commands[] = {
	{ "list", "", "The locks, one a line", 0, 0, run_list },
	{ "show", "LOCK", "Everything about one lock", 1, 1, run_show },
	{ "counters", "LOCK [reset]", "Connections, writes, commands that reached it", 1, 2, run_counters },
	{ "log", "LOCK [N]", "The newest N entries of the lock's own log", 1, 2, run_log },
	{ "turn", "LOCK lock|unlock", "Turn the knob by hand", 2, 2, run_turn },
	{ "button", "LOCK [PRESSES]", "Press the button", 1, 2, run_button },
	{ "fob", "LOCK [PRESSES]", "Press the fob", 1, 2, run_fob },
	{ "code", "LOCK CODE", "Enter a code at the keypad", 2, 2, run_keypad },
	{ "keypad", "LOCK CODE|key [lock|unlock|unlatch]",
		"Enter a code, or press the key that needs none", 2, 3, run_keypad },
	{ "finger", "LOCK CODE-ID [lock|unlock|unlatch]",
		"Lay on the finger that belongs to a code; 0: a stranger's", 2, 3, run_finger },
	{ "app", "LOCK VERB [WORD] [WORD]",
		"Somebody else with the vendor's app: add-code CODE NAME, remove-code ID ...", 2, 4, run_app },
	{ "door", "LOCK open|close", "Move the door", 2, 2, run_door },
	{ "jam", "LOCK on|off|[shut+][lock+]N%",
		"Put something in the bolt's way: always, with the door shut, towards locked, now and then", 2, 2, run_jam },
	{ "battery", "LOCK PERCENT", "Put in batteries with this charge", 2, 2, run_battery },
	{ "drain", "LOCK [PERCENT-PER-HOUR]", "Let the battery run down (60; 0 stops)", 1, 2, run_drain },
	{ "change-batteries", "LOCK [alkaline|lithium|nimh]",
		"Put in new cells: it starts anew, without its time", 1, 2, run_change },
	{ "age", "LOCK DAYS [MOVES]",
		"Let days pass, with MOVES (8) motor runs in each: cells, clock and log go along", 2, 3, run_age },
	{ "clock", "LOCK SECONDS|lost", "Let the lock's clock be off, e.g. +3600, or begin anew", 2, 2, run_clock },
	{ "pairing", "LOCK on|off", "Hold the button until it can be paired", 2, 2, run_pairing },
	{ "reboot", "LOCK", "Restart the lock", 1, 1, run_reboot },
	{ "reset", "LOCK", "Factory reset: all users, codes, settings gone", 1, 1, run_reset },
	{ "firmware", "LOCK X.Y.Z", "Give it another firmware", 2, 2, run_firmware },
	{ "set", "LOCK KEY=VALUE", "Change a key of --lock, e.g. mtu=23", 2, 2, run_set },
	{ "range", "LOCK in|out", "Walk into or out of range", 2, 2, run_range },
	{ "rssi", "LOCK DBM [JITTER]", "How strongly it is heard, e.g. -85, and by how much that changes", 2, 3, run_rssi },
	{ "loss", "LOCK PERCENT", "So many of its packets end the link", 2, 2, run_loss },
	{ "taken", "LOCK on|off", "Somebody's phone has its links: it is heard, but takes none of ours", 2, 2, run_taken },
	{ "bond", "LOCK on|off", "BlueZ keeps keys of it, by no doing of lockhub", 2, 2, run_bond },
	{ "fault", "LOCK KIND [COUNT]", "Let something go wrong the next COUNT (1) times", 2, 3, run_fault },
	{ "faults", "", "The kinds of faults", 0, 0, run_faults },
	{ "bluez", "kill [MS] | start | restart [MS] | hang on|off | manager on|off | connected-signal WHEN",
		"Kill bluetoothd (back after MS), start it, or change its ways", 1, 2, run_bluez },
	{ "adapter", "N off|on|remove|return [HCI]|block|unblock|deaf|hearing|wedged|failing HOURS|links [MOST]",
		"Switch, pull, plug, block or deafen an adapter; links that fail at some hours, or their number (vhci)",
		2, 3, run_adapter },
	{ "storm", "DEVICES RATE [QUIET] | off",
		"Strangers: DEVICES with RATE signals a second, QUIET known ones", 1, 3, run_storm },
	{ "save", "", "Write the state file now", 0, 0, run_save },
};
/* clang-format on */
const size_t n_commands = ARRAY_SIZE(commands);
