/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <string.h>

#include "util/text.h"

#define SECONDS_DEFAULT 60
#define NAME_TEXT_MAX 128

struct search {
	struct ctl *ctl;
	const char *address; /* NULL: whichever is ready */
	json_t *chosen;
	bool is_told; /* that the lock with the address is not ready yet */
};

static void tell_how(struct ctl *ctl) {
	if (ctl->opt.is_json) {
		return;
	}
	fputs("Bring the lock into pairing mode now. Most have a button for it: on a Nuki Smart "
	      "Lock "
	      "hold it\nfor 5 seconds until the ring lights up; else see the lock's manual, "
	      "\"add a device\" or \"bridge\".\n",
		ctl->err);
}

static bool is_wanted(struct search *search, const json_t *sighting) {
	struct ctl *ctl = search->ctl;
	int64_t rssi = facts_number(sighting, "rssi", 0);
	char strength[32] = "";
	if (search->address != NULL) {
		return true;
	}
	if (ctl->opt.is_yes) {
		return true;
	}
	if (rssi != 0) {
		snprintf(strength, sizeof(strength), ", %jd dBm", (intmax_t) rssi);
	}
	return prompt_yes(ctl, "Pair %s%s%s (%s%s)?", facts_text(sighting, "model"),
		facts_text(sighting, "name")[0] != '\0' ? " " : "", facts_text(sighting, "name"),
		facts_text(sighting, "address"), strength);
}

static bool consider(void *user, const json_t *sighting) {
	struct search *search = user;
	if (search->address != NULL &&
		strcasecmp(search->address, facts_text(sighting, "address")) != 0) {
		return false;
	}
	if (!facts_flag(sighting, "pairing")) {
		if (search->address != NULL && !search->is_told) {
			tell_how(search->ctl);
			search->is_told = true;
		}
		return false;
	}
	/* These are always ready: whoever has the key of one says which. */
	if (search->address == NULL && facts_flag(sighting, "needs_key")) {
		return false;
	}
	if (facts_text(sighting, "paired")[0] != '\0' && search->address == NULL) {
		return false;
	}
	if (!is_wanted(search, sighting)) {
		return false;
	}
	search->chosen = json_incref((json_t *) sighting);
	return true;
}

static int find(struct ctl *ctl, struct search *search) {
	uint64_t seconds = ctl->opt.seconds != 0 ? ctl->opt.seconds : SECONDS_DEFAULT;
	if (search->address == NULL) {
		tell_how(ctl);
	}
	progress(ctl, "Waiting for a lock in pairing mode ... (Ctrl-C ends it)");
	int r = scan_run(ctl, seconds, consider, search, NULL);
	if (r != CTL_DONE || search->chosen != NULL) {
		return r;
	}
	complain(ctl, "no lock %s%s%s in pairing mode was heard in %ju s",
		search->address != NULL ? "with the address " : "",
		search->address != NULL ? search->address : "",
		search->address != NULL ? "" : "that is", (uintmax_t) seconds);
	advise(ctl, "See what is heard at all: lockhubctl scan");
	return CTL_FAILED;
}

/* --name, or what the person says, or "": the hub makes one up. */
static int choose_name(struct ctl *ctl, const json_t *sighting, char name[static NAME_TEXT_MAX]) {
	name[0] = '\0';
	if (ctl->opt.name != NULL) {
		if (!text_copy(name, NAME_TEXT_MAX, ctl->opt.name) ||
			!text_is_clean(name, strlen(name))) {
			return usage_error(
				ctl, "--name: at most %d octets of plain text", NAME_TEXT_MAX - 1);
		}
		return CTL_DONE;
	}
	if (ctl->opt.is_yes) {
		return CTL_DONE;
	}
	const char *given = facts_text(sighting, "name");
	/* Without a terminal the lock's own name does. */
	if (prompt_line(ctl, name, NAME_TEXT_MAX, "What shall it be called? [%s] ",
		    given[0] != '\0' ? given : facts_text(sighting, "model")) < 0) {
		name[0] = '\0';
	}
	text_sanitize(name);
	return CTL_DONE;
}

static int pair(struct ctl *ctl, const json_t *sighting) {
	AUTO_VALUE(pairing_wipe) struct pairing pairing = { 0 };
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	AUTO(json_decref) json_t *facts = NULL;
	char name[NAME_TEXT_MAX], path[PATH_TEXT_MAX];
	int r = pairing_agree(ctl, sighting, &pairing);
	if (r == CTL_DONE) {
		r = choose_name(ctl, sighting, name);
	}
	if (r == CTL_DONE && (ctl->opt.is_pin_stdin || facts_flag(sighting, "needs_pin"))) {
		r = prompt_pin(ctl, facts_text(sighting, "pin_form"), &pairing.pin);
	}
	if (r != CTL_DONE) {
		return r;
	}
	pairing.name = name;
	if (pairing_call(ctl, sighting, &pairing, &call) < 0) {
		return CTL_FAILED;
	}
	r = operation_run(ctl, call, facts_text(sighting, "address"), &facts);
	if (r != CTL_DONE || facts == NULL) {
		return r;
	}
	text_copy(path, sizeof(path), facts_text(facts, "lock"));
	if (ctl->opt.is_json) {
		return operation_print_json(ctl, STEAL(facts), path);
	}
	const char *slug = facts_text(facts, "lock_slug");
	say(ctl, "Paired as %s%s%s\n", tone_start(ctl, TONE_BOLD), slug, tone_end(ctl, TONE_BOLD));
	say(ctl, "Its state is being read; next: lockhubctl show %s\n", slug);
	if (pairing.pin.len == 0 && facts_text(sighting, "pin_form")[0] != '\0') {
		say(ctl,
			"With its PIN the hub can read its log and set its clock: lockhubctl "
			"set-pin "
			"%s\n",
			slug);
	}
	return CTL_DONE;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	struct search search = { .ctl = ctl, .address = n_args > 0 ? args[0] : NULL };
	if (search.address != NULL && !pairing_is_address(search.address)) {
		return usage_error(
			ctl, "'%s' is not an address; lockhubctl scan shows them", search.address);
	}
	if (search.address == NULL && !ctl->is_asking && !ctl->opt.is_yes) {
		return usage_error(ctl, "there is no terminal to ask which lock is meant; give its "
					"address, or --yes for the first one in pairing mode");
	}
	int r = find(ctl, &search);
	AUTO(json_decref) json_t *chosen = search.chosen;
	return r == CTL_DONE && chosen != NULL ? pair(ctl, chosen) : CTL_FAILED;
}

const struct command cmd_pair = {
	.name = "pair",
	.args = "[ADDRESS]",
	.blurb = "Add a lock to the hub",
	.help = "Waits for a lock in pairing mode, says how to get there, asks which lock is\n"
		"meant and what it shall be called, and for the PIN when pairing itself needs it.\n"
		"With --yes nothing is asked and the first lock in pairing mode is taken. A PIN\n"
		"comes from the terminal or with --pin-stdin, never as an argument. A lock whose\n"
		"key its maker keeps is named by its address, and the key comes from the terminal\n"
		"or with --key-file. Is its protocol weak, it asks whether to pair it all the\n"
		"same, unless --accept-weak says so. Needs the role manage.",
	.example = "lockhubctl pair 54:D2:72:00:11:22 --name \"Front door\"",
	.options = OPTS_OPERATION | OPT_NAME | OPT_YES | OPT_APP | OPT_PIN_STDIN | OPT_SECONDS |
		   OPT_KEY_FILE,
	.max_args = 1,
	.run = run,
};
