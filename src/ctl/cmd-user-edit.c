/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

static int check_options(struct ctl *ctl) {
	const struct options *opt = &ctl->opt;
	if ((opt->is_enable && opt->is_disable) || (opt->is_code && opt->is_no_code) ||
		(opt->is_totp && opt->is_no_totp)) {
		return usage_error(ctl, "two of the options contradict each other");
	}
	if (opt->is_pin_stdin && !opt->is_code && !opt->is_totp) {
		return usage_error(ctl, "--stdin goes with --code or --totp");
	}
	if (opt->is_json && opt->is_totp) {
		return usage_error(ctl, "--totp is for people: it shows a QR code");
	}
	if (opt->name == NULL && opt->type == NULL && opt->expires_after == 0 && !opt->is_enable &&
		!opt->is_disable && !opt->is_code && !opt->is_no_code && !opt->is_totp &&
		!opt->is_no_totp) {
		return usage_error(ctl, "what shall be changed? See the options: lockhubctl help "
					"user edit");
	}
	return CTL_DONE;
}

static int append_text(sd_bus_message *call, const char *key, const char *text) {
	return text == NULL ? 0 : sd_bus_message_append(call, "{sv}", key, "s", text);
}

static int append_octets(sd_bus_message *call, const char *key, const struct secret *octets) {
	int r = sd_bus_message_open_container(call, 'e', "sv");
	if (r >= 0) {
		r = sd_bus_message_append(call, "s", key);
	}
	if (r >= 0) {
		r = sd_bus_message_open_container(call, 'v', "ay");
	}
	if (r >= 0) {
		r = sd_bus_message_append_array(call, 'y', octets->bytes, octets->len);
	}
	if (r >= 0) {
		r = sd_bus_message_close_container(call);
	}
	return r < 0 ? r : sd_bus_message_close_container(call);
}

static int append_changes(struct ctl *ctl, sd_bus_message *call, const struct secret *code,
	const struct secret *totp) {
	const struct options *opt = &ctl->opt;
	const char *status = opt->is_enable ? "enabled" : opt->is_disable ? "disabled" : NULL;
	int r = sd_bus_message_open_container(call, 'a', "{sv}");
	if (r >= 0) {
		r = append_text(call, "name", opt->name);
	}
	if (r >= 0) {
		r = append_text(call, "type", opt->type);
	}
	if (r >= 0) {
		r = append_text(call, "status", status);
	}
	if (r >= 0 && opt->expires_after != 0) {
		r = sd_bus_message_append(
			call, "{sv}", "expiring_minutes", "u", (uint32_t) opt->expires_after);
	}
	if (r >= 0 && (opt->is_code || opt->is_no_code)) {
		r = append_text(call, "code", (const char *) code->bytes);
	}
	if (r >= 0 && (opt->is_totp || opt->is_no_totp)) {
		r = append_octets(call, "totp", totp);
	}
	return r < 0 ? r : sd_bus_message_close_container(call);
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL, *reply = NULL;
	AUTO_VALUE(secret_wipe) struct secret code = { 0 }, totp = { 0 };
	char path[PATH_TEXT_MAX];
	const char *new_path;
	int r = check_options(ctl);
	if (r != CTL_DONE) {
		return r;
	}
	if (people_find(ctl, args[0], path) < 0) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *before = people_fetch_user(ctl, path);
	if (before == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_code) {
		r = prompt_secret(ctl, "personal code (digits)", true, &code);
	}
	if (r == CTL_DONE && ctl->opt.is_totp) {
		r = enrol_totp(ctl, facts_text(before, "name"), &totp);
	}
	if (r != CTL_DONE) {
		return r;
	}
	if (talk_new(ctl, path, USER_INTERFACE, "Edit", &call) < 0) {
		return CTL_FAILED;
	}
	sd_bus_message_sensitive(call);
	if (append_changes(ctl, call, &code, &totp) < 0) {
		complain(ctl, "the question cannot be made; is all of it UTF-8 text?");
		return CTL_FAILED;
	}
	if (talk_send(ctl, call, NULL, &reply) < 0) {
		return CTL_FAILED;
	}
	if (sd_bus_message_read(reply, "o", &new_path) < 0) {
		facts_unreadable(ctl);
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *user = people_fetch_user(ctl, new_path);
	if (user == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_incref(user));
	}
	say(ctl, "Changed%s%s\n", ctl->opt.name != NULL ? "; commands know the user as " : "",
		ctl->opt.name != NULL ? facts_text(user, "slug") : "");
	return CTL_DONE;
}

const struct command cmd_user_edit = {
	.name = "user edit",
	.args = "USER",
	.blurb = "Change a person's name, type or second factor",
	.help = "The second factor proves remote commands where a lock's rules ask for one:\n"
		"--code sets a personal code, asked for without being shown; --totp sets up\n"
		"one-time passwords: a QR code is shown for the app on the phone, and the first\n"
		"password is asked for to see that the phone agrees. Needs the role manage.",
	.example = "lockhubctl user edit anna --totp",
	.options = OPT_JSON | OPT_USER_TYPE | OPT_USER_EDIT,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
