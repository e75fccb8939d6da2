/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

static void say_credential(struct ctl *ctl, const json_t *credential) {
	char moment[MOMENT_TEXT_MAX], text[LINE_TEXT_MAX];
	const char *label = facts_text(credential, "label"), *lock = facts_text(credential, "lock");
	const char *until = facts_text(credential, "valid_until");
	const char *state = facts_text(credential, "state");
	size_t i;
	json_t *at;
	say(ctl, "  %s%s%s  %s%s%s%s%s%s%s", tone_start(ctl, TONE_BOLD),
		facts_text(credential, "id"), tone_end(ctl, TONE_BOLD),
		facts_text(credential, "type"), label[0] != '\0' ? ", " : "", label,
		lock[0] != '\0' ? ", at " : "", lock,
		facts_flag(credential, "once") ? ", once" : "",
		strcmp(state, "active") == 0 ? "" : ", ");
	if (strcmp(state, "active") != 0) {
		say(ctl, "%s%s%s", tone_start(ctl, TONE_WARN), state, tone_end(ctl, TONE_WARN));
	}
	if (until[0] != '\0') {
		say(ctl, ", until %s", moment_text(until, moment));
	}
	say(ctl, "\n");
	json_array_foreach(json_object_get(credential, "locks"), i, at) {
		enum tone tone = tone_of_placement(facts_text(at, "state"));
		say(ctl, "    %s: %s%s%s", facts_text(at, "lock"), tone_start(ctl, tone),
			people_placement_text(at, text, sizeof(text)), tone_end(ctl, tone));
		if (facts_text(at, "since")[0] != '\0') {
			say(ctl, "%s since %s%s", tone_start(ctl, TONE_FAINT),
				moment_text(facts_text(at, "since"), moment),
				tone_end(ctl, TONE_FAINT));
		}
		say(ctl, "\n");
	}
}

static void say_user(struct ctl *ctl, const json_t *user) {
	char text[LINE_TEXT_MAX], moment[MOMENT_TEXT_MAX];
	size_t i;
	json_t *each;
	say(ctl, "%s%s%s (%s), number %jd\n", tone_start(ctl, TONE_BOLD), facts_text(user, "name"),
		tone_end(ctl, TONE_BOLD), facts_text(user, "slug"),
		(intmax_t) facts_number(user, "number", 0));
	say(ctl, "  type: %s", facts_text(user, "type"));
	if (facts_number(user, "expiring_minutes", 0) != 0) {
		say(ctl, ", for %jd minutes after the first use",
			(intmax_t) facts_number(user, "expiring_minutes", 0));
	}
	say(ctl, "\n  status: %s\n", facts_text(user, "status"));
	say(ctl, "  proves remote commands by: %s%s%s\n",
		facts_flag(user, "has_code") ? "personal code" : "",
		facts_flag(user, "has_code") && facts_flag(user, "has_totp") ? ", " : "",
		facts_flag(user, "has_totp")   ? "one-time password"
		: facts_flag(user, "has_code") ? ""
					       : "nothing");
	say(ctl, "  added: %s by %s\n", moment_text(facts_text(user, "created_at"), moment),
		facts_text(user, "created_by"));
	people_join(json_object_get(user, "locks"), text, sizeof(text));
	say(ctl, "Access: %s\n", text[0] != '\0' ? text : "none");
	json_array_foreach(json_object_get(user, "schedules"), i, each) {
		const char *lock = facts_text(each, "lock");
		say(ctl, "  %s  %s%s%s\n", facts_text(each, "id"), facts_text(each, "text"),
			lock[0] != '\0' ? ", at " : "", lock);
	}
	say(ctl, "Codes and keys:%s\n",
		json_array_size(json_object_get(user, "credentials")) == 0 ? " none" : "");
	json_array_foreach(json_object_get(user, "credentials"), i, each) {
		say_credential(ctl, each);
	}
}

static int run(struct ctl *ctl, char **args, int n_args) {
	char path[PATH_TEXT_MAX];
	if (people_find(ctl, args[0], path) < 0) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *user = people_fetch_user(ctl, path);
	if (user == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_incref(user));
	}
	say_user(ctl, user);
	return CTL_DONE;
}

const struct command cmd_user_show = {
	.name = "user show",
	.args = "USER",
	.blurb = "Show all that is known about a person",
	.help = "Access, schedules, and each code with what became of it at each lock. Codes\n"
		"themselves are not shown: lockhubctl code reveal.",
	.example = "lockhubctl user show anna",
	.options = OPT_JSON,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
