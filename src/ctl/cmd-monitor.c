/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <errno.h>
#include <string.h>

#include "util/text.h"
#include "util/when.h"

struct monitor {
	struct ctl *ctl;
	json_t *names;                /* object path -> slug */
	json_t *facts;                /* object path -> facts as last shown */
	char only[16][PATH_TEXT_MAX]; /* "" all */
	int n_only;
	bool is_over;
};

/* Not worth a line of their own: they go with others, or with the event. */
static const char *const quiet[] = { "known", "last_event", "log_cursor", "queue_length", "acts",
	"has_pin", "announcing", "previous_state", "previous_time", "fault_hint", "config",
	"battery_report", "clock_offset_s", "slug" };

static bool is_quiet(const char *key) {
	for (size_t i = 0; i < ARRAY_SIZE(quiet); i++) {
		if (strcmp(quiet[i], key) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_wanted(const struct monitor *monitor, const char *path) {
	for (int i = 0; i < monitor->n_only; i++) {
		if (strcmp(monitor->only[i], path) == 0) {
			return true;
		}
	}
	return monitor->n_only == 0;
}

static const char *name_of_lock(const struct monitor *monitor, const char *path) {
	const char *name = facts_text(monitor->names, path);
	return name[0] != '\0' ? name : path;
}

static void stamp(struct ctl *ctl) {
	char moment[MOMENT_TEXT_MAX];
	moment_format(moment_now(), moment);
	say(ctl, "%s%s%s  ", tone_start(ctl, TONE_FAINT), moment, tone_end(ctl, TONE_FAINT));
}

static int print_line(struct ctl *ctl, const char *kind, json_t *take_fields) {
	char now[WALL_TEXT_MAX];
	json_t *line = json_pack(
		"{s:s, s:s}", "at", wall_to_text((wall_t){ moment_now() }, now), "kind", kind);
	json_object_update(line, take_fields);
	json_decref(take_fields);
	return print_json_line(ctl, line);
}

/* A value for people; out has LINE_TEXT_MAX. */
static const char *value_text(const json_t *value, char *out) {
	if (json_is_string(value)) {
		return json_string_value(value);
	}
	if (json_is_boolean(value)) {
		return json_is_true(value) ? "yes" : "no";
	}
	if (json_is_integer(value)) {
		snprintf(out, LINE_TEXT_MAX, "%jd", (intmax_t) json_integer_value(value));
		return out;
	}
	return "-";
}

static void print_changes(struct monitor *monitor, const char *path, const json_t *changed) {
	struct ctl *ctl = monitor->ctl;
	json_t *before = json_object_get(monitor->facts, path), *value;
	const char *key;
	char old_text[LINE_TEXT_MAX], new_text[LINE_TEXT_MAX];
	json_object_foreach((json_t *) changed, key, value) {
		const json_t *old = json_object_get(before, key);
		if (is_quiet(key) || (old != NULL && json_equal(old, value))) {
			continue;
		}
		if (strcmp(key, "sync") == 0) {
			stamp(ctl);
			say(ctl, "%-20s  codes: %s\n", name_of_lock(monitor, path),
				people_sync_text(value, new_text, sizeof(new_text)));
			continue;
		}
		if (json_is_object(value) || json_is_array(value)) {
			stamp(ctl);
			say(ctl, "%-20s  %s changed\n", name_of_lock(monitor, path), key);
			continue;
		}
		enum tone tone = strcmp(key, "state") == 0 ? tone_of_state(facts_text(changed, key))
							   : TONE_PLAIN;
		stamp(ctl);
		say(ctl, "%-20s  %s: %s -> %s%s%s", name_of_lock(monitor, path), key,
			value_text(old, old_text), tone_start(ctl, tone),
			value_text(value, new_text), tone_end(ctl, tone));
		if (strcmp(key, "state") == 0 || strcmp(key, "door") == 0) {
			operation_print_evidence(ctl, changed, key);
		}
		say(ctl, "\n");
	}
}

static void remember(struct monitor *monitor, const char *path, json_t *changed) {
	json_t *facts = json_object_get(monitor->facts, path);
	if (facts == NULL) {
		json_object_set(monitor->facts, path, changed);
	} else {
		json_object_update(facts, changed);
	}
	if (facts_text(changed, "slug")[0] != '\0') {
		json_object_set(monitor->names, path, json_object_get(changed, "slug"));
	}
}

static void print_operation(struct monitor *monitor, const char *path, const json_t *changed) {
	const char *state = facts_text(changed, "state");
	if (monitor->n_only > 0 || state[0] == '\0') {
		return;
	}
	if (monitor->ctl->opt.is_json) {
		print_line(monitor->ctl, "operation",
			json_pack("{s:s, s:O}", "operation", strrchr(path, '/') + 1, "changed",
				changed));
		return;
	}
	stamp(monitor->ctl);
	say(monitor->ctl, "%-20s  %s%s%s%s\n", "operation", state,
		facts_text(changed, "message")[0] != '\0' ? ": " : "",
		facts_text(changed, "message"), "");
}

static int on_changed(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct monitor *monitor = user;
	const char *path = sd_bus_message_get_path(message), *interface;
	if (sd_bus_message_read(message, "s", &interface) < 0) {
		return 0;
	}
	AUTO(json_decref) json_t *changed = NULL;
	if (strcmp(interface, OPERATION_INTERFACE) == 0) {
		changed = facts_of_operation(wire_read(message));
		print_operation(monitor, path, changed);
	} else if (strcmp(interface, LOCK_INTERFACE) == 0 && is_wanted(monitor, path)) {
		changed = facts_of_lock(wire_read(message));
		if (changed == NULL) {
			return 0;
		}
		if (monitor->ctl->opt.is_json) {
			print_line(monitor->ctl, "change",
				json_pack("{s:s, s:O}", "lock", name_of_lock(monitor, path),
					"changed", changed));
		} else {
			print_changes(monitor, path, changed);
		}
		remember(monitor, path, changed);
	}
	fflush(monitor->ctl->out);
	return 0;
}

static int on_event(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct monitor *monitor = user;
	struct ctl *ctl = monitor->ctl;
	AUTO(json_decref) json_t *event = facts_of_event(wire_read(message));
	const char *lock = facts_text(event, "lock");
	bool is_mine = monitor->n_only == 0;
	for (int i = 0; i < monitor->n_only; i++) {
		is_mine |= strcmp(name_of_lock(monitor, monitor->only[i]), lock) == 0;
	}
	if (event == NULL || !is_mine) {
		return 0;
	}
	if (ctl->opt.is_json) {
		print_line(ctl, "event", json_pack("{s:O}", "event", event));
	} else {
		stamp(ctl);
		say(ctl, "%-20s  %s%s%s\n", lock[0] != '\0' ? lock : "hub",
			tone_start(ctl, TONE_BOLD), facts_text(event, "line"),
			tone_end(ctl, TONE_BOLD));
	}
	fflush(ctl->out);
	return 0;
}

static void print_simple(struct monitor *monitor, const char *lock, const char *what) {
	if (monitor->ctl->opt.is_json) {
		print_line(monitor->ctl, what, json_pack("{s:s}", "lock", lock));
	} else {
		stamp(monitor->ctl);
		say(monitor->ctl, "%-20s  %s\n", lock, what);
	}
	fflush(monitor->ctl->out);
}

static int on_added(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct monitor *monitor = user;
	const char *path;
	if (sd_bus_message_read(message, "o", &path) < 0) {
		return 0;
	}
	AUTO(json_decref) json_t *interfaces = wire_read(message);
	json_t *properties = json_object_get(interfaces, LOCK_INTERFACE);
	if (properties != NULL && is_wanted(monitor, path)) {
		AUTO(json_decref) json_t *facts = facts_of_lock(json_incref(properties));
		remember(monitor, path, facts);
		print_simple(monitor, facts_text(facts, "slug"), "added");
	}
	return 0;
}

static int on_removed(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct monitor *monitor = user;
	const char *path;
	if (sd_bus_message_read(message, "o", &path) >= 0 && is_wanted(monitor, path) &&
		json_object_get(monitor->names, path) != NULL) {
		print_simple(monitor, name_of_lock(monitor, path), "removed");
		json_object_del(monitor->names, path);
		json_object_del(monitor->facts, path);
	}
	return 0;
}

static int load(struct monitor *monitor) {
	AUTO(json_decref) json_t *locks = facts_fetch_locks(monitor->ctl, NULL, 0);
	size_t i;
	json_t *lock;
	if (locks == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach(locks, i, lock) {
		remember(monitor, facts_text(lock, "path"), lock);
	}
	return CTL_DONE;
}

static int on_owner(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct monitor *monitor = user;
	const char *name, *before, *now;
	if (sd_bus_message_read(message, "sss", &name, &before, &now) < 0) {
		return 0;
	}
	if (monitor->ctl->opt.is_json) {
		print_line(monitor->ctl, "daemon", json_pack("{s:b}", "running", now[0] != '\0'));
		fflush(monitor->ctl->out);
	} else {
		complain(monitor->ctl, now[0] == '\0'
					       ? "lockhubd stopped; waiting for it to come back"
					       : "lockhubd is back");
	}
	return 0;
}

static int listen(struct ctl *ctl, struct ears *ears, struct monitor *monitor) {
	return talk_connect(ctl) < 0 ||
			       talk_match(ctl, ears, NULL, "org.freedesktop.DBus.Properties",
				       "PropertiesChanged", on_changed, monitor) < 0 ||
			       talk_match(ctl, ears, MANAGER_PATH, MANAGER_INTERFACE, "Event",
				       on_event, monitor) < 0 ||
			       talk_match(ctl, ears, HUB_ROOT, "org.freedesktop.DBus.ObjectManager",
				       "InterfacesAdded", on_added, monitor) < 0 ||
			       talk_match(ctl, ears, HUB_ROOT, "org.freedesktop.DBus.ObjectManager",
				       "InterfacesRemoved", on_removed, monitor) < 0 ||
			       talk_match_owner(ctl, ears, on_owner, monitor) < 0
		       ? CTL_FAILED
		       : CTL_DONE;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(json_decref) json_t *names = json_object(), *facts = json_object();
	struct monitor monitor = { .ctl = ctl, .names = names, .facts = facts, .n_only = n_args };
	AUTO_VALUE(ears_finish) struct ears ears = { 0 };
	for (int i = 0; i < n_args; i++) {
		if (talk_find_lock(ctl, args[i], monitor.only[i]) < 0) {
			return CTL_FAILED;
		}
	}
	if (listen(ctl, &ears, &monitor) != CTL_DONE || load(&monitor) != CTL_DONE) {
		return CTL_FAILED;
	}
	if (ctl->is_tty && !ctl->opt.is_json) {
		fprintf(ctl->err, "Watching %zu lock%s; Ctrl-C ends it\n",
			n_args > 0 ? (size_t) n_args : json_object_size(names),
			(n_args > 0 ? (size_t) n_args : json_object_size(names)) == 1 ? "" : "s");
	}
	int r = talk_until(ctl, &monitor.is_over, UINT64_MAX, NULL);
	complain(ctl, "the bus broke off: %s", strerror(-r));
	return CTL_FAILED;
}

const struct command cmd_monitor = {
	.name = "monitor",
	.args = "[LOCK...]",
	.blurb = "Show changes and events as they happen",
	.help = "Until Ctrl-C; survives a restart of lockhubd. With --json one object per line:\n"
		"{\"at\": ..., \"kind\": \"change\", \"lock\": ..., \"changed\": {...}}; other "
		"kinds are\n"
		"event, operation, added, removed and daemon.",
	.example = "lockhubctl monitor front-door",
	.options = OPT_JSON,
	.max_args = 16,
	.run = run,
};
