/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

static bool is_lock_wanted(const struct ctl *ctl, const char *lock) {
	return ctl->opt.lock == NULL || strcmp(ctl->opt.lock, lock) == 0;
}

static void start_row(struct table *table, const char *user, const json_t *credential) {
	const char *label = facts_text(credential, "label");
	table_row(table);
	table_cell(table, TONE_BOLD, "%s", user);
	table_cell(table, TONE_PLAIN, "%s", facts_text(credential, "id"));
	table_cell(table, TONE_PLAIN, "%s%s%s", facts_text(credential, "type"),
		label[0] != '\0' ? ", " : "", label);
}

static void end_row(struct table *table, const json_t *credential, const char *since) {
	char moment[MOMENT_TEXT_MAX];
	const char *until = facts_text(credential, "valid_until");
	table_cell(table, TONE_FAINT, "%s", since[0] != '\0' ? moment_text(since, moment) : "-");
	table_cell(table, TONE_PLAIN, "%s%s%s", until[0] != '\0' ? "until " : "",
		until[0] != '\0' ? moment_text(until, moment) : "",
		facts_flag(credential, "once") ? " once" : "");
}

static void add_credential(
	struct ctl *ctl, struct table *table, const char *user, const json_t *credential) {
	const char *state = facts_text(credential, "state");
	char text[LINE_TEXT_MAX];
	size_t i, n = 0;
	json_t *at;
	json_array_foreach(json_object_get(credential, "locks"), i, at) {
		if (!is_lock_wanted(ctl, facts_text(at, "lock"))) {
			continue;
		}
		n++;
		start_row(table, user, credential);
		table_cell(table, TONE_PLAIN, "%s", facts_text(at, "lock"));
		table_cell(table, tone_of_placement(facts_text(at, "state")), "%s",
			people_placement_text(at, text, sizeof(text)));
		end_row(table, credential, facts_text(at, "since"));
	}
	if (n == 0 && ctl->opt.lock == NULL) {
		const char *lock = facts_text(credential, "lock");
		start_row(table, user, credential);
		table_cell(table, TONE_PLAIN, "%s", lock[0] != '\0' ? lock : "-");
		table_cell(table, TONE_FAINT, "%s",
			strcmp(state, "active") == 0 ? "at no lock" : state);
		end_row(table, credential, "");
	}
}

static void add_foreign(struct table *table, const json_t *lock, const json_t *slot) {
	table_row(table);
	table_cell(table, TONE_FAINT, "foreign");
	table_cell(table, TONE_PLAIN, "%jd", (intmax_t) facts_number(slot, "ref", 0));
	table_cell(table, TONE_PLAIN, "%s, %s", facts_text(slot, "type"), facts_text(slot, "name"));
	table_cell(table, TONE_PLAIN, "%s", facts_text(lock, "slug"));
	table_cell(table, TONE_PLAIN, "%s", facts_flag(slot, "enabled") ? "present" : "disabled");
	end_row(table, slot, facts_text(slot, "created_at"));
}

/* [{"lock", "slots"}]; NULL after an explanation. */
static json_t *fetch_foreign(struct ctl *ctl, bool is_for_all) {
	AUTO(json_decref) json_t *all = is_for_all ? facts_fetch_all(ctl) : NULL;
	AUTO(json_decref) json_t *result = json_array();
	size_t i, k;
	json_t *lock, *slot;
	if (is_for_all && all == NULL) {
		return NULL;
	}
	json_array_foreach(json_object_get(all, "locks"), i, lock) {
		if (!is_lock_wanted(ctl, facts_text(lock, "slug"))) {
			continue;
		}
		AUTO(json_decref) json_t *slots = people_fetch_slots(ctl, facts_text(lock, "path"));
		if (slots == NULL) {
			return NULL;
		}
		json_array_foreach(slots, k, slot) {
			if (facts_flag(slot, "foreign")) {
				json_array_append_new(result,
					json_pack("{s:O, s:O}", "lock", lock, "slot", slot));
			}
		}
	}
	return STEAL(result);
}

static int print_as_json(struct ctl *ctl, const json_t *users, const json_t *foreign) {
	json_t *codes = json_array(), *others = json_array(), *user, *each;
	size_t i, k;
	json_array_foreach((json_t *) users, i, user) {
		json_array_foreach(json_object_get(user, "credentials"), k, each) {
			json_object_set(each, "user", json_object_get(user, "slug"));
			json_array_append(codes, each);
		}
	}
	json_array_foreach((json_t *) foreign, i, each) {
		json_t *slot = json_object_get(each, "slot");
		json_object_set(
			slot, "lock", json_object_get(json_object_get(each, "lock"), "slug"));
		json_array_append(others, slot);
	}
	return print_json(ctl, json_pack("{s:o, s:o}", "codes", codes, "foreign", others));
}

static int run(struct ctl *ctl, char **args, int n_args) {
	static const struct column columns[] = { { "USER", false, false }, { "CODE", false, false },
		{ "WHAT", false, true }, { "LOCK", false, false }, { "STATE", false, true },
		{ "SINCE", false, false }, { "VALID", false, true } };
	char slug[PATH_TEXT_MAX];
	size_t i, k;
	json_t *user, *each;
	if (ctl->opt.lock != NULL) {
		if (talk_find_lock(ctl, ctl->opt.lock, slug) < 0) {
			return CTL_FAILED;
		}
		AUTO(json_decref) json_t *lock = facts_fetch_lock(ctl, slug);
		if (lock == NULL) {
			return CTL_FAILED;
		}
		snprintf(slug, sizeof(slug), "%s", facts_text(lock, "slug"));
		ctl->opt.lock = slug;
	}
	AUTO(json_decref) json_t *users = people_fetch_users(ctl, n_args > 0 ? args[0] : NULL);
	AUTO(json_decref) json_t *foreign = users != NULL ? fetch_foreign(ctl, n_args == 0) : NULL;
	if (foreign == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		return print_as_json(ctl, users, foreign);
	}
	AUTO(table_free) struct table *table = table_new(ctl, columns, ARRAY_SIZE(columns));
	if (table == NULL) {
		return CTL_FAILED;
	}
	size_t n = json_array_size(foreign);
	json_array_foreach(users, i, user) {
		json_array_foreach(json_object_get(user, "credentials"), k, each) {
			n++;
			add_credential(ctl, table, facts_text(user, "slug"), each);
		}
	}
	json_array_foreach(foreign, i, each) {
		add_foreign(table, json_object_get(each, "lock"), json_object_get(each, "slot"));
	}
	if (n == 0) {
		say(ctl, "There are no codes. To add one: lockhubctl code add USER --generate\n");
		return CTL_DONE;
	}
	return table_print(table);
}

const struct command cmd_code_list = {
	.name = "code list",
	.args = "[USER]",
	.blurb = "List the codes and keys, and what became of them at each lock",
	.help = "STATE at a lock: pending (not there yet), sent (not read back yet), present\n"
		"(seen in the lock's list), leaving (must go and is not confirmed to be gone),\n"
		"refused (why), absent (it is not its time; the hub puts it there when it is).\n"
		"foreign: found at a lock, and not made here; CODE is its number there, for\n"
		"lockhubctl code adopt. Codes themselves are not shown.",
	.example = "lockhubctl code list --lock front-door",
	.options = OPT_JSON | OPT_AT_LOCK,
	.max_args = 1,
	.run = run,
};
