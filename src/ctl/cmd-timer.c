/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a lock does by itself at a time of day: four commands about one list. */

#include "commands.h"

#include <string.h>

#include "util/text.h"

/* The hub keeps the list as it was read last; NULL after an explanation. */
static json_t *fetch(struct ctl *ctl, const char *path, const char *about) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(ctl, path, "org.freedesktop.DBus.Properties", "Get", about, &reply, "ss",
		    LOCK_INTERFACE, "Timers") < 0) {
		return NULL;
	}
	json_t *list = wire_read(reply);
	if (!json_is_array(list)) {
		json_decref(list);
		return facts_unreadable(ctl);
	}
	return facts_of_list(list);
}

/* Asks the lock for its list. CTL_DONE, or another after an explanation. */
static int read_list(struct ctl *ctl, const char *path, const char *about) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	AUTO(json_decref) json_t *facts = NULL;
	return talk_new(ctl, path, LOCK_INTERFACE, "ReadTimers", &call) < 0
		       ? CTL_FAILED
		       : operation_run(ctl, call, about, &facts);
}

static const json_t *find(const json_t *timers, int64_t id) {
	size_t i;
	json_t *timer;
	json_array_foreach(timers, i, timer) {
		if (facts_number(timer, "id", 0) == id) {
			return timer;
		}
	}
	return NULL;
}

static int run_list(struct ctl *ctl, char **args, int n_args) {
	static const struct column columns[] = { { "TIMER", true, false }, { "DAYS", false, false },
		{ "TIME", false, false }, { "ACT", false, false }, { "ON", false, false } };
	char path[PATH_TEXT_MAX];
	size_t i;
	json_t *timer;
	if (talk_find_lock(ctl, args[0], path) < 0) {
		return CTL_FAILED;
	}
	int r = read_list(ctl, path, args[0]);
	if (r != CTL_DONE) {
		return r;
	}
	AUTO(json_decref) json_t *timers = fetch(ctl, path, args[0]);
	if (timers == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:O}", "timers", timers));
	}
	if (json_array_size(timers) == 0) {
		say(ctl, "%s does nothing by itself at a time of day\n", args[0]);
		return CTL_DONE;
	}
	AUTO(table_free) struct table *table = table_new(ctl, columns, ARRAY_SIZE(columns));
	if (table == NULL) {
		return CTL_FAILED;
	}
	json_array_foreach(timers, i, timer) {
		bool is_on = facts_flag(timer, "enabled");
		table_row(table);
		table_cell(table, TONE_BOLD, "%jd", (intmax_t) facts_number(timer, "id", 0));
		table_cell(table, TONE_PLAIN, "%s", facts_text(timer, "days"));
		table_cell(table, TONE_PLAIN, "%s", facts_text(timer, "time"));
		table_cell(table, TONE_PLAIN, "%s", facts_text(timer, "act"));
		table_cell(table, is_on ? TONE_GOOD : TONE_FAINT, "%s", is_on ? "yes" : "no");
	}
	return table_print(table);
}

/* Sends a change and says how the timer is now; with --json the whole list goes along. */
static int change(struct ctl *ctl, sd_bus_message *call, const char *path, const char *about) {
	AUTO(json_decref) json_t *facts = NULL;
	int r = operation_run(ctl, call, about, &facts);
	if (r != CTL_DONE || facts == NULL) {
		return r;
	}
	AUTO(json_decref) json_t *timers = fetch(ctl, path, about);
	if (timers == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		json_object_set(facts, "timers", timers);
		return operation_print_json(ctl, STEAL(facts), path);
	}
	int64_t id = facts_number(facts, "timer", 0);
	const json_t *timer = find(timers, id);
	if (strcmp(facts_text(facts, "act"), "remove-timer") == 0) {
		say(ctl, "%s: the timer is gone\n", facts_text(facts, "lock_slug"));
	} else if (timer == NULL) {
		say(ctl, "%s: the lock has taken timer %jd\n", facts_text(facts, "lock_slug"),
			(intmax_t) id);
	} else {
		say(ctl, "%s: timer %jd: %s %s %s%s\n", facts_text(facts, "lock_slug"),
			(intmax_t) id, facts_text(timer, "days"), facts_text(timer, "time"),
			facts_text(timer, "act"), facts_flag(timer, "enabled") ? "" : " (off)");
	}
	return CTL_DONE;
}

/* @words: DAYS TIME ACT, or NULL to keep them. */
static int set(struct ctl *ctl, const char *path, const char *about, uint64_t id, char **words) {
	static const char *const keys[] = { "days", "time", "act" };
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	if (ctl->opt.is_enable && ctl->opt.is_disable) {
		return usage_error(ctl, "--enable or --disable, not both");
	}
	if (talk_new(ctl, path, LOCK_INTERFACE, "SetTimer", &call) < 0) {
		return CTL_FAILED;
	}
	int r = sd_bus_message_open_container(call, 'a', "{sv}");
	if (r >= 0) {
		r = sd_bus_message_append(call, "{sv}", "id", "x", (int64_t) id);
	}
	if (r >= 0 && (ctl->opt.is_enable || ctl->opt.is_disable)) {
		r = sd_bus_message_append(call, "{sv}", "enabled", "b", (int) ctl->opt.is_enable);
	}
	for (size_t i = 0; r >= 0 && words != NULL && i < ARRAY_SIZE(keys); i++) {
		r = sd_bus_message_append(call, "{sv}", keys[i], "s", words[i]);
	}
	if (r >= 0) {
		r = sd_bus_message_close_container(call);
	}
	if (r < 0) {
		complain(ctl, "%s: what was given is not text", about);
		return CTL_FAILED;
	}
	return change(ctl, call, path, about);
}

static int run_add(struct ctl *ctl, char **args, int n_args) {
	char path[PATH_TEXT_MAX];
	return talk_find_lock(ctl, args[0], path) < 0 ? CTL_FAILED
						      : set(ctl, path, args[0], 0, args + 1);
}

static int read_id(struct ctl *ctl, const char *word, uint64_t *ret) {
	return text_to_u64(word, 1, INT32_MAX, ret) >= 0
		       ? 0
		       : usage_error(ctl,
				 "'%s' is no number of a timer; see: lockhubctl timer list", word);
}

/*
 * Reads the list, so that what is not given can be kept, and so that a wrong number is told as
 * such: what locks say of one is not helpful.
 */
static int check_id(struct ctl *ctl, const char *path, const char *about, uint64_t id) {
	int r = read_list(ctl, path, about);
	if (r != CTL_DONE) {
		return r;
	}
	AUTO(json_decref) json_t *timers = fetch(ctl, path, about);
	if (timers == NULL) {
		return CTL_FAILED;
	}
	if (find(timers, (int64_t) id) == NULL) {
		complain(ctl, "%s has no timer %ju", about, (uintmax_t) id);
		advise(ctl, "See what there is: lockhubctl timer list %s", about);
		return CTL_FAILED;
	}
	return CTL_DONE;
}

static int run_change(struct ctl *ctl, char **args, int n_args) {
	char path[PATH_TEXT_MAX];
	uint64_t id;
	int r = read_id(ctl, args[1], &id);
	if (r != 0) {
		return r;
	}
	if (n_args != 2 && n_args != 5) {
		return usage_error(ctl, "DAYS, TIME and ACT go together");
	}
	if (n_args == 2 && !ctl->opt.is_enable && !ctl->opt.is_disable) {
		return usage_error(
			ctl, "nothing to change: give DAYS TIME ACT, --enable or --disable");
	}
	if (talk_find_lock(ctl, args[0], path) < 0) {
		return CTL_FAILED;
	}
	r = check_id(ctl, path, args[0], id);
	return r != CTL_DONE ? r : set(ctl, path, args[0], id, n_args == 5 ? args + 2 : NULL);
}

static int run_remove(struct ctl *ctl, char **args, int n_args) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	char path[PATH_TEXT_MAX];
	uint64_t id;
	int r = read_id(ctl, args[1], &id);
	if (r != 0) {
		return r;
	}
	if (talk_find_lock(ctl, args[0], path) < 0) {
		return CTL_FAILED;
	}
	r = check_id(ctl, path, args[0], id);
	if (r != CTL_DONE) {
		return r;
	}
	if (talk_new(ctl, path, LOCK_INTERFACE, "RemoveTimer", &call) < 0 ||
		sd_bus_message_append(call, "x", (int64_t) id) < 0) {
		return CTL_FAILED;
	}
	return change(ctl, call, path, args[0]);
}

const struct command cmd_timer_add = {
	.name = "timer add",
	.args = "LOCK DAYS TIME ACT",
	.blurb = "Let a lock do something by itself at a time of day",
	.help = "The lock keeps the time by its own clock, without the hub and when the hub is\n"
		"gone. DAYS: daily, Mon-Fri, \"Sat,Sun\". TIME: 22:30, by the clock at the door.\n"
		"ACT: lock, unlock, unlatch, lock-n-go, lock-n-go-unlatch. Needs the role manage\n"
		"and the lock's PIN (set-pin).",
	.example = "lockhubctl timer add front-door daily 22:30 lock",
	.options = OPT_JSON | OPT_TIMER,
	.min_args = 4,
	.max_args = 4,
	.run = run_add,
};

const struct command cmd_timer_change = {
	.name = "timer change",
	.args = "LOCK TIMER [DAYS TIME ACT]",
	.blurb = "Change what a lock does by itself, or switch it on or off",
	.help = "TIMER is its number in: lockhubctl timer list LOCK. What is not given stays as\n"
		"it is. Needs the role manage.",
	.example = "lockhubctl timer change front-door 3 --disable",
	.options = OPT_JSON | OPT_TIMER,
	.min_args = 2,
	.max_args = 5,
	.run = run_change,
};

const struct command cmd_timer_list = {
	.name = "timer list",
	.args = "LOCK",
	.blurb = "List what a lock does by itself at times of day",
	.help = "The lock is asked now, which takes a connection, the role operate and the lock's\n"
		"PIN (set-pin).",
	.example = "lockhubctl timer list front-door",
	.options = OPT_JSON,
	.min_args = 1,
	.max_args = 1,
	.run = run_list,
};

const struct command cmd_timer_remove = {
	.name = "timer remove",
	.args = "LOCK TIMER",
	.blurb = "Let a lock no longer do something by itself",
	.help = "TIMER is its number in: lockhubctl timer list LOCK. Needs the role manage.",
	.example = "lockhubctl timer remove front-door 3",
	.options = OPT_JSON,
	.min_args = 2,
	.max_args = 2,
	.run = run_remove,
};
