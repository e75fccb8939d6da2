/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

#include "util/text.h"

static const char *const texts[] = { "zone", "factor", "mode" };
static const char *const numbers[] = { "wrong_code_limit", "code_disable_s",
	"open_period_minutes" };

static bool is_one_of(const char *key, const char *const *keys, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (strcmp(keys[i], key) == 0) {
			return true;
		}
	}
	return false;
}

/* "factor=totp", "wrong-code-limit=3" */
static int append_rule(struct ctl *ctl, sd_bus_message *call, const char *word) {
	char key[64];
	uint64_t number;
	const char *value = strchr(word, '=');
	if (value == NULL) {
		return usage_error(ctl, "'%s' is not KEY=VALUE", word);
	}
	snprintf(key, sizeof(key), "%.*s", (int) (value - word), word);
	value++;
	for (char *p = key; *p != '\0'; p++) {
		*p = *p == '-' ? '_' : *p;
	}
	if (is_one_of(key, numbers, ARRAY_SIZE(numbers))) {
		if (text_to_u64(value, 0, UINT32_MAX, &number) < 0) {
			return usage_error(ctl, "%s must be a number", key);
		}
		return sd_bus_message_append(call, "{sv}", key, "u", (uint32_t) number) < 0
			       ? CTL_FAILED
			       : CTL_DONE;
	}
	if (!is_one_of(key, texts, ARRAY_SIZE(texts))) {
		return usage_error(ctl,
			"there is no rule '%s'; there are zone, factor, mode, wrong-code-limit, "
			"code-disable-s and open-period-minutes",
			key);
	}
	return sd_bus_message_append(call, "{sv}", key, "s", value) < 0 ? CTL_FAILED : CTL_DONE;
}

static int change(struct ctl *ctl, const char *id, char **words, int n_words) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL, *reply = NULL;
	if (talk_new(ctl, MANAGER_PATH, MANAGER_INTERFACE, "SetLockRules", &call) < 0 ||
		sd_bus_message_append(call, "s", id) < 0 ||
		sd_bus_message_open_container(call, 'a', "{sv}") < 0) {
		return CTL_FAILED;
	}
	for (int i = 0; i < n_words; i++) {
		int r = append_rule(ctl, call, words[i]);
		if (r != CTL_DONE) {
			return r;
		}
	}
	return sd_bus_message_close_container(call) < 0 || talk_send(ctl, call, NULL, &reply) < 0
		       ? CTL_FAILED
		       : CTL_DONE;
}

static void say_rules(struct ctl *ctl, const json_t *lock) {
	const json_t *rules = json_object_get(lock, "rules");
	const char *zone = facts_text(rules, "zone"), *mode = facts_text(rules, "mode");
	const char *now = facts_text(rules, "mode_in_force");
	int64_t open = facts_number(rules, "open_period_minutes", 0);
	say(ctl, "%s\n", facts_text(lock, "slug"));
	say(ctl, "  zone = %s%s%s%s\n", zone[0] != '\0' ? zone : facts_text(rules, "zone_in_force"),
		tone_start(ctl, TONE_FAINT), zone[0] != '\0' ? "" : "  (the hub's)",
		tone_end(ctl, TONE_FAINT));
	say(ctl, "  factor = %s\n", facts_text(rules, "factor"));
	say(ctl, "  mode = %s%s%s%s\n", mode, strcmp(mode, now) != 0 ? "  (now " : "",
		strcmp(mode, now) != 0 ? now : "", strcmp(mode, now) != 0 ? ", a holiday)" : "");
	say(ctl, "  wrong-code-limit = %jd\n",
		(intmax_t) facts_number(rules, "wrong_code_limit", 0));
	say(ctl, "  code-disable-s = %jd\n", (intmax_t) facts_number(rules, "code_disable_s", 0));
	say(ctl, "  open-period-minutes = %jd%s\n", (intmax_t) open, open == 0 ? "  (off)" : "");
}

static int run(struct ctl *ctl, char **args, int n_args) {
	char path[PATH_TEXT_MAX];
	if (talk_find_lock(ctl, args[0], path) < 0) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *lock = facts_fetch_lock(ctl, path);
	if (lock == NULL) {
		return CTL_FAILED;
	}
	if (n_args > 1) {
		int r = change(ctl, facts_text(lock, "id"), args + 1, n_args - 1);
		if (r != CTL_DONE) {
			return r;
		}
		json_decref(lock);
		lock = facts_fetch_lock(ctl, path);
		if (lock == NULL) {
			return CTL_FAILED;
		}
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_incref(json_object_get(lock, "rules")));
	}
	say_rules(ctl, lock);
	return CTL_DONE;
}

const struct command cmd_rules = {
	.name = "rules",
	.args = "LOCK [KEY=VALUE...]",
	.blurb = "Show or change the rules of a lock",
	.help = "zone                 time zone at the door, like Europe/Berlin; empty: the hub's\n"
		"factor               what a remote unlock by others than managers must bring\n"
		"                     along: none, code, totp, either, both\n"
		"mode                 normal, vacation, privacy, no_remote_lock_unlock, passage\n"
		"wrong-code-limit     1..255 wrong ones in a row, and all are refused for\n"
		"code-disable-s       1..255 seconds, doubled each time, at most an hour\n"
		"open-period-minutes  a door open for longer is alarmed; 0: never\n"
		"Changing needs the role manage.",
	.example = "lockhubctl rules front-door factor=either",
	.options = OPT_JSON,
	.min_args = 1,
	.max_args = 7,
	.run = run,
};
