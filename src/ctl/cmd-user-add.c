/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int append_options(struct ctl *ctl, sd_bus_message *call) {
	int r = sd_bus_message_open_container(call, 'a', "{sv}");
	if (r >= 0 && ctl->opt.type != NULL) {
		r = sd_bus_message_append(call, "{sv}", "type", "s", ctl->opt.type);
	}
	if (r >= 0 && ctl->opt.expires_after != 0) {
		r = sd_bus_message_append(
			call, "{sv}", "expiring_minutes", "u", (uint32_t) ctl->opt.expires_after);
	}
	return r < 0 ? r : sd_bus_message_close_container(call);
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL, *reply = NULL;
	const char *path;
	if (talk_new(ctl, MANAGER_PATH, MANAGER_INTERFACE, "AddUser", &call) < 0) {
		return CTL_FAILED;
	}
	if (sd_bus_message_append(call, "s", args[0]) < 0 || append_options(ctl, call) < 0) {
		complain(ctl, "a user's name is UTF-8 text");
		return CTL_FAILED;
	}
	if (talk_send(ctl, call, NULL, &reply) < 0) {
		return CTL_FAILED;
	}
	if (sd_bus_message_read(reply, "o", &path) < 0) {
		facts_unreadable(ctl);
		return CTL_FAILED;
	}
	if (ctl->opt.lock != NULL &&
		people_call(ctl, path, USER_INTERFACE, "Grant", "ss", ctl->opt.lock,
			ctl->opt.valid != NULL ? ctl->opt.valid : "") != CTL_DONE) {
		advise(ctl, "The user was added without access");
		return CTL_FAILED;
	}
	if (ctl->opt.lock == NULL && ctl->opt.valid != NULL) {
		AUTO(json_decref) json_t *added = people_fetch_user(ctl, path);
		if (added == NULL ||
			people_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "AddSchedule", "sss",
				facts_text(added, "id"), "", ctl->opt.valid) != CTL_DONE) {
			advise(ctl, "The user was added without a schedule");
			return CTL_FAILED;
		}
	}
	AUTO(json_decref) json_t *user = people_fetch_user(ctl, path);
	if (user == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_incref(user));
	}
	say(ctl, "Added; commands know the user as %s\n", facts_text(user, "slug"));
	if (ctl->opt.lock == NULL) {
		say(ctl, "No access yet: lockhubctl access grant %s LOCK\n",
			facts_text(user, "slug"));
	}
	return CTL_DONE;
}

const struct command cmd_user_add = {
	.name = "user add",
	.args = "NAME",
	.blurb = "Add a person",
	.help = "Without --lock the person has no access to any lock yet. With --valid only in\n"
		"those windows of time, by the clock at the door. Needs the role manage.",
	.example = "lockhubctl user add \"Anna Huber\" --lock front-door",
	.options = OPT_JSON | OPT_USER_TYPE | OPT_AT_LOCK | OPT_VALID,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
