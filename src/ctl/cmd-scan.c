/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

#define SECONDS_DEFAULT 20

static bool print_sighting(void *user, const json_t *sighting) {
	struct ctl *ctl = user;
	int64_t rssi = facts_number(sighting, "rssi", 0);
	const char *paired = facts_text(sighting, "paired");
	bool is_pairing = facts_flag(sighting, "pairing");
	if (ctl->opt.is_json) {
		return false;
	}
	progress_end(ctl);
	say(ctl, "%s  ", facts_text(sighting, "address"));
	if (rssi != 0) {
		say(ctl, "%4jd dBm  ", (intmax_t) rssi);
	} else {
		say(ctl, "          ");
	}
	say(ctl, "%s%s%s", facts_text(sighting, "model"),
		facts_text(sighting, "name")[0] != '\0' ? ", " : "", facts_text(sighting, "name"));
	if (paired[0] != '\0') {
		say(ctl, "  %spaired as %s%s", tone_start(ctl, TONE_FAINT), paired,
			tone_end(ctl, TONE_FAINT));
	} else if (is_pairing) {
		say(ctl, "  %sready to be paired%s", tone_start(ctl, TONE_GOOD),
			tone_end(ctl, TONE_GOOD));
	} else {
		say(ctl, "  %snot in pairing mode%s", tone_start(ctl, TONE_FAINT),
			tone_end(ctl, TONE_FAINT));
	}
	say(ctl, "\n");
	progress(ctl, "Looking for locks ... (Ctrl-C ends it)");
	return false;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(json_decref) json_t *seen = NULL;
	uint64_t seconds = ctl->opt.seconds != 0 ? ctl->opt.seconds : SECONDS_DEFAULT;
	progress(ctl, "Looking for locks ... (Ctrl-C ends it)");
	int r = scan_run(ctl, seconds, print_sighting, ctl, &seen);
	if (r != CTL_DONE) {
		return r;
	}
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:O}", "locks", seen));
	}
	if (json_array_size(seen) == 0) {
		say(ctl,
			"No lock was heard in %ju s. Touch the lock or turn its knob to wake it, "
			"and "
			"move the hub closer\n",
			(uintmax_t) seconds);
	}
	return CTL_DONE;
}

const struct command cmd_scan = {
	.name = "scan",
	.args = "",
	.blurb = "Look for locks in reach of the radio",
	.help = "Shows locks of all brands that are supported, paired ones too, as they are\n"
		"heard: address, strength, model and whether they are ready to be paired. Looks\n"
		"for 20 seconds, or as --seconds says.",
	.example = "lockhubctl scan --seconds 60",
	.options = OPT_JSON | OPT_SECONDS,
	.run = run,
};
