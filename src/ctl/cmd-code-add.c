/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

static bool needs_pin(const struct ctl *ctl) {
	return ctl->opt.type == NULL || strcmp(ctl->opt.type, "pin") == 0;
}

static int append_text(sd_bus_message *call, const char *key, const char *text) {
	return text == NULL ? 0 : sd_bus_message_append(call, "{sv}", key, "s", text);
}

static int append_options(struct ctl *ctl, sd_bus_message *call, const struct secret *pin) {
	const struct options *opt = &ctl->opt;
	const struct {
		const char *key, *text;
	} texts[] = {
		{ "lock", opt->lock },
		{ "type", opt->type },
		{ "label", opt->label },
		{ "when", opt->valid },
		{ "until", opt->until },
		{ "pin", pin->len > 0 ? (const char *) pin->bytes : NULL },
	};
	int r = sd_bus_message_open_container(call, 'a', "{sv}");
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(texts); i++) {
		r = append_text(call, texts[i].key, texts[i].text);
	}
	if (r >= 0 && opt->is_generate) {
		r = sd_bus_message_append(call, "{sv}", "generate", "b", 1);
	}
	if (r >= 0 && opt->digits != 0) {
		r = sd_bus_message_append(call, "{sv}", "digits", "u", (uint32_t) opt->digits);
	}
	if (r >= 0 && opt->is_once) {
		r = sd_bus_message_append(call, "{sv}", "once", "b", 1);
	}
	return r < 0 ? r : sd_bus_message_close_container(call);
}

static int finish(struct ctl *ctl, const struct waiting *waiting, const char *pin) {
	AUTO(json_decref) json_t *locks = NULL;
	bool is_shown = ctl->opt.is_generate;
	if (!ctl->opt.is_json) {
		if (is_shown) {
			say(ctl,
				"Code: %s%s%s  (shown this once; later: lockhubctl code reveal "
				"%s)\n",
				tone_start(ctl, TONE_BOLD), pin, tone_end(ctl, TONE_BOLD),
				waiting->code);
			fflush(ctl->out);
		} else {
			say(ctl, "Added as %s\n", waiting->code);
		}
		return needs_pin(ctl) ? waiting_run(ctl, waiting, NULL) : CTL_DONE;
	}
	int r = waiting_run(ctl, waiting, &locks);
	if (locks == NULL) {
		return r;
	}
	json_t *result = json_pack("{s:s, s:O}", "id", waiting->code, "locks", locks);
	if (is_shown) {
		json_object_set_new(result, "pin", json_string(pin));
	}
	int printed = print_json(ctl, result);
	return r != CTL_DONE ? r : printed;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL, *reply = NULL;
	AUTO_VALUE(secret_wipe) struct secret pin = { 0 };
	struct waiting waiting = { .what = WAITING_ARRIVAL };
	const char *id, *told;
	int r = CTL_DONE;
	if (ctl->opt.is_generate && ctl->opt.is_pin_stdin) {
		return usage_error(ctl, "--generate and --stdin do not go together");
	}
	if (ctl->opt.digits != 0 && !ctl->opt.is_generate) {
		return usage_error(ctl, "--digits goes with --generate");
	}
	if (people_find(ctl, args[0], waiting.path) < 0) {
		return CTL_FAILED;
	}
	if (needs_pin(ctl) && !ctl->opt.is_generate) {
		r = prompt_secret(ctl, "code", true, &pin);
	}
	if (r != CTL_DONE) {
		return r;
	}
	if (talk_new(ctl, MANAGER_PATH, MANAGER_INTERFACE, "AddCode", &call) < 0) {
		return CTL_FAILED;
	}
	sd_bus_message_sensitive(call);
	if (sd_bus_message_append(call, "s", args[0]) < 0 || append_options(ctl, call, &pin) < 0) {
		complain(ctl, "the question cannot be made; is all of it UTF-8 text?");
		return CTL_FAILED;
	}
	if (talk_send(ctl, call, NULL, &reply) < 0) {
		return CTL_FAILED;
	}
	sd_bus_message_sensitive(reply);
	if (sd_bus_message_read(reply, "ss", &id, &told) < 0) {
		facts_unreadable(ctl);
		return CTL_FAILED;
	}
	snprintf(waiting.code, sizeof(waiting.code), "%s", id);
	return finish(ctl, &waiting, told);
}

const struct command cmd_code_add = {
	.name = "code add",
	.args = "USER",
	.blurb = "Give a person a keypad code, or note a key",
	.help = "The code is made up with --generate and shown once, or asked for without being\n"
		"shown, or read from standard input with --stdin; it can never be an argument.\n"
		"Weak codes are refused with the reason. It counts at all locks that the person\n"
		"has access to, or with --lock at that one, to which it gives access. Waits until\n"
		"the locks have it: one that is out of reach gets it at the next contact. With\n"
		"--type mechanical_key a key is noted, of which nothing is in the lock.",
	.example = "lockhubctl code add anna --lock front-door --generate --valid \"Mon-Fri "
		   "08:00-12:00\"",
	.options = OPTS_OPERATION | OPT_AT_LOCK | OPT_NEW_PIN | OPT_VALID | OPT_CODE_ADD,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
