/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

static int finish(struct ctl *ctl, const struct waiting *waiting, const char *pin) {
	AUTO(json_decref) json_t *locks = NULL;
	if (!ctl->opt.is_json) {
		if (ctl->opt.is_generate) {
			say(ctl,
				"Code: %s%s%s  (shown this once; later: lockhubctl code reveal "
				"%s)\n",
				tone_start(ctl, TONE_BOLD), pin, tone_end(ctl, TONE_BOLD),
				waiting->code);
			fflush(ctl->out);
		}
		return waiting_run(ctl, waiting, NULL);
	}
	int r = waiting_run(ctl, waiting, &locks);
	if (locks == NULL) {
		return r;
	}
	json_t *result = json_pack("{s:s, s:O}", "id", waiting->code, "locks", locks);
	if (ctl->opt.is_generate) {
		json_object_set_new(result, "pin", json_string(pin));
	}
	int printed = print_json(ctl, result);
	return r != CTL_DONE ? r : printed;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL, *reply = NULL;
	AUTO_VALUE(secret_wipe) struct secret pin = { 0 };
	struct waiting waiting = { .what = WAITING_ARRIVAL };
	const char *told;
	if (ctl->opt.is_generate && ctl->opt.is_pin_stdin) {
		return usage_error(ctl, "--generate and --stdin do not go together");
	}
	if (ctl->opt.digits != 0) {
		return usage_error(ctl, "--digits goes with 'code add'");
	}
	if (people_find_code(ctl, args[0], waiting.path) < 0) {
		return CTL_FAILED;
	}
	int r = ctl->opt.is_generate ? CTL_DONE : prompt_secret(ctl, "new code", true, &pin);
	if (r != CTL_DONE) {
		return r;
	}
	if (talk_new(ctl, MANAGER_PATH, MANAGER_INTERFACE, "ChangeCode", &call) < 0) {
		return CTL_FAILED;
	}
	sd_bus_message_sensitive(call);
	if (sd_bus_message_append(call, "ss", args[0],
		    ctl->opt.is_generate ? "" : (const char *) pin.bytes) < 0) {
		complain(ctl, "the question cannot be made; is all of it UTF-8 text?");
		return CTL_FAILED;
	}
	if (talk_send(ctl, call, NULL, &reply) < 0) {
		return CTL_FAILED;
	}
	sd_bus_message_sensitive(reply);
	if (sd_bus_message_read(reply, "s", &told) < 0) {
		facts_unreadable(ctl);
		return CTL_FAILED;
	}
	snprintf(waiting.code, sizeof(waiting.code), "%s", args[0]);
	return finish(ctl, &waiting, told);
}

const struct command cmd_code_change = {
	.name = "code change",
	.args = "CODE",
	.blurb = "Change a code",
	.help = "Asked for without being shown, read from standard input with --stdin, or made\n"
		"up with --generate. Everything else about it stays. Needs the role manage.",
	.example = "lockhubctl code change 1f2e3d4c --generate",
	.options = OPTS_OPERATION | OPT_NEW_PIN,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
