/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What of a lock's own configuration a person may choose. */

#include "commands.h"

#include <string.h>
#include <strings.h>

#include "util/text.h"

#define KEYS_MAX 64

static json_t *get(struct ctl *ctl, const char *path, const char *about, const char *property) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(ctl, path, "org.freedesktop.DBus.Properties", "Get", about, &reply, "ss",
		    LOCK_INTERFACE, property) < 0) {
		return NULL;
	}
	return wire_read(reply);
}

/* NULL after an explanation. */
static json_t *fetch(struct ctl *ctl, const char *path, const char *about) {
	json_t *list = get(ctl, path, about, "Settings");
	if (list != NULL && !json_is_array(list)) {
		json_decref(list);
		return facts_unreadable(ctl);
	}
	return list;
}

static int read_at_lock(struct ctl *ctl, const char *path, const char *about) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	AUTO(json_decref) json_t *facts = NULL;
	return talk_new(ctl, path, LOCK_INTERFACE, "ReadSettings", &call) < 0
		       ? CTL_FAILED
		       : operation_run(ctl, call, about, &facts);
}

/* As lockhubd has them; the lock is asked when it has not read them yet, or with --read. */
static json_t *load(struct ctl *ctl, const char *path, const char *about) {
	AUTO(json_decref) json_t *at = get(ctl, path, about, "SettingsRead");
	if (at == NULL) {
		return NULL;
	}
	if ((ctl->opt.is_read || json_integer_value(at) == 0) &&
		read_at_lock(ctl, path, about) != CTL_DONE) {
		return NULL;
	}
	return fetch(ctl, path, about);
}

static const json_t *find(const json_t *settings, const char *key) {
	size_t i;
	json_t *setting;
	json_array_foreach(settings, i, setting) {
		if (strcasecmp(facts_text(setting, "key"), key) == 0) {
			return setting;
		}
	}
	return NULL;
}

static int explain_unknown(
	struct ctl *ctl, const json_t *settings, const char *about, const char *key) {
	const char *names[KEYS_MAX] = { NULL };
	size_t i, n = json_array_size(settings) < KEYS_MAX ? json_array_size(settings) : KEYS_MAX;
	char shown[48];
	for (i = 0; i < n; i++) {
		names[i] = facts_text(json_array_get(settings, i), "key");
	}
	const char *nearest = text_nearest(key, names, n);
	text_copy(shown, sizeof(shown), key);
	text_sanitize(shown);
	complain(ctl, "%s has no setting '%s'", about, shown);
	if (nearest != NULL) {
		advise(ctl, "Did you mean %s?", nearest);
	} else {
		advise(ctl, "See what there is: lockhubctl settings %s", about);
	}
	return CTL_FAILED;
}

/* "300 s", "off" */
static void say_value(struct ctl *ctl, const json_t *setting) {
	const char *text = facts_text(setting, "text"), *unit = facts_text(setting, "unit");
	bool is_off = facts_flag(setting, "zero_is_off") && strcmp(text, "0") == 0;
	say(ctl, "%s%s%s", is_off ? "off" : text, unit[0] != '\0' && !is_off ? " " : "",
		is_off ? "" : unit);
}

static int show_one(struct ctl *ctl, const json_t *settings, const char *about, const char *key) {
	const json_t *setting = find(settings, key);
	if (setting == NULL) {
		return explain_unknown(ctl, settings, about, key);
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_deep_copy(setting));
	}
	say_value(ctl, setting);
	say(ctl, "%s  (%s; takes %s)%s\n", tone_start(ctl, TONE_FAINT),
		facts_text(setting, "title"), facts_text(setting, "takes"),
		tone_end(ctl, TONE_FAINT));
	return CTL_DONE;
}

static int show_all(struct ctl *ctl, json_t *settings, const char *about) {
	static const struct column columns[] = { { "SETTING", false, false },
		{ "VALUE", false, false }, { "WHAT IT IS", false, true },
		{ "TAKES", false, true } };
	size_t i;
	json_t *setting;
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:O}", "settings", settings));
	}
	if (json_array_size(settings) == 0) {
		say(ctl, "%s has no settings that could be read\n", about);
		return CTL_DONE;
	}
	AUTO(table_free) struct table *table = table_new(ctl, columns, ARRAY_SIZE(columns));
	if (table == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach(settings, i, setting) {
		const char *unit = facts_text(setting, "unit"), *text = facts_text(setting, "text");
		bool is_off = facts_flag(setting, "zero_is_off") && strcmp(text, "0") == 0;
		table_row(table);
		table_cell(table, TONE_BOLD, "%s", facts_text(setting, "key"));
		table_cell(table, TONE_PLAIN, "%s%s%s", is_off ? "off" : text,
			unit[0] != '\0' && !is_off ? " " : "", is_off ? "" : unit);
		table_cell(table, TONE_PLAIN, "%s", facts_text(setting, "title"));
		table_cell(table, TONE_FAINT, "%s", facts_text(setting, "takes"));
	}
	return table_print(table);
}

/* @word is KEY=VALUE. */
static int change(
	struct ctl *ctl, const char *path, const char *about, const char *word, json_t *changed) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	AUTO(json_decref) json_t *facts = NULL;
	const char *equals = strchr(word, '=');
	char key[64];
	size_t n = (size_t) (equals - word);
	if (n == 0 || n >= sizeof(key)) {
		return usage_error(ctl, "'%s' does not begin with the name of a setting", word);
	}
	memcpy(key, word, n);
	key[n] = '\0';
	if (talk_new(ctl, path, LOCK_INTERFACE, "SetSetting", &call) < 0) {
		return CTL_FAILED;
	}
	if (sd_bus_message_append(call, "sv", key, "s", equals + 1) < 0) {
		complain(ctl, "%s: what was given is not text", about);
		return CTL_FAILED;
	}
	int r = operation_run(ctl, call, about, &facts);
	if (r != CTL_DONE || facts == NULL) {
		return r;
	}
	AUTO(json_decref) json_t *settings = fetch(ctl, path, about);
	const json_t *setting = settings != NULL ? find(settings, key) : NULL;
	if (setting == NULL) {
		return settings != NULL ? explain_unknown(ctl, settings, about, key) : CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		json_array_append_new(changed, json_deep_copy(setting));
		return CTL_DONE;
	}
	say(ctl, "%s: %s is ", facts_text(facts, "lock_slug"), facts_text(setting, "key"));
	say_value(ctl, setting);
	say(ctl, "%s  (answered by the lock)%s\n", tone_start(ctl, TONE_FAINT),
		tone_end(ctl, TONE_FAINT));
	return CTL_DONE;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	char path[PATH_TEXT_MAX];
	bool is_change = n_args > 1 && strchr(args[1], '=') != NULL;
	for (int i = 1; i < n_args; i++) {
		if ((strchr(args[i], '=') != NULL) != is_change || (!is_change && n_args > 2)) {
			return usage_error(ctl, "one KEY to see, or KEY=VALUE to change");
		}
	}
	if (talk_find_lock(ctl, args[0], path) < 0) {
		return CTL_FAILED;
	}
	if (!is_change) {
		AUTO(json_decref) json_t *settings = load(ctl, path, args[0]);
		return settings == NULL ? CTL_FAILED
		       : n_args == 1    ? show_all(ctl, settings, args[0])
					: show_one(ctl, settings, args[0], args[1]);
	}
	AUTO(json_decref) json_t *changed = json_array();
	for (int i = 1; i < n_args; i++) {
		int r = change(ctl, path, args[0], args[i], changed);
		if (r != CTL_DONE) {
			return r; /* what came before has been told */
		}
	}
	return ctl->opt.is_json ? print_json(ctl, json_pack("{s:O}", "settings", changed))
				: CTL_DONE;
}

const struct command cmd_settings = {
	.name = "settings",
	.args = "LOCK [KEY | KEY=VALUE...]",
	.blurb = "Show or change what a lock lets people choose",
	.help = "Without a KEY all settings of the lock as they were read last, with --read asked\n"
		"for now. Each KEY=VALUE is written and read again: what is shown then is what\n"
		"the lock says. Changing needs the role manage and, with most locks, their PIN\n"
		"(set-pin). Positions of the bolt are for the vendor's app alone.",
	.example = "lockhubctl settings front-door AutoRelockTime=300",
	.options = OPT_JSON | OPT_READ,
	.min_args = 1,
	.max_args = 32,
	.run = run,
};
