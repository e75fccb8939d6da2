/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * doctor: lockhubd says what is wrong. Where it cannot be asked, that is what is wrong, and why is
 * found out as far as a client of the bus can see.
 */

#include "commands.h"

#include <errno.h>
#include <string.h>

#include "util/text.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define UNIT "lockhubd.service"

/* ---- without lockhubd ---- */

/* Whether somebody has that name; on a bus that cannot be asked nobody has. */
static bool has_owner(struct ctl *ctl, const char *name) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	int is_owned = 0;

	if (sd_bus_call_method(ctl->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
		    "org.freedesktop.DBus", "NameHasOwner", NULL, &reply, "s", name) < 0 ||
		sd_bus_message_read(reply, "b", &is_owned) < 0) {
		return false;
	}
	return is_owned;
}

struct unit {
	char load[32], active[32], sub[32], result[32];
	uint32_t n_restarts;
};

static void read_property(struct ctl *ctl, const char *path, const char *interface,
	const char *property, char *out, size_t size) {
	char *text = NULL;

	if (sd_bus_get_property_string(
		    ctl->bus, SYSTEMD_NAME, path, interface, property, NULL, &text) >= 0) {
		text_copy(out, size, text);
		text_sanitize(out);
	}
	free(text);
}

/* What systemd says of the service; false: it says nothing. */
static bool read_unit(struct ctl *ctl, struct unit *ret) {
	static const char unit[] = SYSTEMD_NAME ".Unit", service[] = SYSTEMD_NAME ".Service";
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	const char *path;

	*ret = (struct unit){ 0 };
	if (sd_bus_call_method(ctl->bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_NAME ".Manager",
		    "LoadUnit", NULL, &reply, "s", UNIT) < 0 ||
		sd_bus_message_read(reply, "o", &path) < 0) {
		return false;
	}
	read_property(ctl, path, unit, "LoadState", ret->load, sizeof(ret->load));
	read_property(ctl, path, unit, "ActiveState", ret->active, sizeof(ret->active));
	read_property(ctl, path, unit, "SubState", ret->sub, sizeof(ret->sub));
	read_property(ctl, path, service, "Result", ret->result, sizeof(ret->result));
	sd_bus_get_property_trivial(
		ctl->bus, SYSTEMD_NAME, path, service, "NRestarts", NULL, 'u', &ret->n_restarts);
	return ret->active[0] != '\0';
}

/* What is wrong, and what to do next. */
struct trouble {
	const char *fault;
	char verdict[200];
	char proof[200];
	const char *command;
};

static void judge_unit(const struct unit *unit, struct trouble *ret) {
	snprintf(ret->proof, sizeof(ret->proof), "systemd says of " UNIT ": %s, %s%s%s%s",
		unit->active, unit->sub, unit->result[0] != '\0' ? ", result " : "", unit->result,
		unit->n_restarts > 0 ? ", started again by itself" : "");
	if (strcmp(unit->load, "not-found") == 0) {
		snprintf(ret->verdict, sizeof(ret->verdict),
			"The hub's service is not installed on this machine.");
		ret->command = "sudo apt install lockhub";
	} else if (strcmp(unit->load, "masked") == 0) {
		snprintf(ret->verdict, sizeof(ret->verdict),
			"Somebody has forbidden the hub's service to start.");
		ret->command = "sudo systemctl unmask lockhubd && sudo systemctl start lockhubd";
	} else if (strcmp(unit->active, "failed") == 0 || strcmp(unit->sub, "auto-restart") == 0) {
		snprintf(ret->verdict, sizeof(ret->verdict),
			"The hub's service does not stay up. Its journal says why.");
		ret->command = "journalctl -x -u lockhubd -n 50";
	} else if (strcmp(unit->active, "active") == 0) {
		snprintf(ret->verdict, sizeof(ret->verdict),
			"The hub runs, but not on this bus. Its journal says why.");
		ret->command = "journalctl -x -u lockhubd -n 50";
	} else if (strcmp(unit->active, "activating") == 0) {
		snprintf(ret->verdict, sizeof(ret->verdict), "The hub is just starting.");
		ret->command = "systemctl status lockhubd";
	} else {
		snprintf(ret->verdict, sizeof(ret->verdict), "The hub's service is not running.");
		ret->command = "sudo systemctl start lockhubd";
	}
}

/* @return false when lockhubd is there: then it has said itself what is wrong. */
static bool look_around(struct ctl *ctl, struct trouble *ret) {
	struct unit unit;

	*ret = (struct trouble){ .fault = "service-not-running",
		.command = "sudo systemctl start lockhubd" };
	if (ctl->bus == NULL) {
		ret->fault = "bus-lost";
		snprintf(ret->verdict, sizeof(ret->verdict),
			"The bus by which the hub is asked cannot be reached.");
		ret->command = "systemctl status dbus";
		return true;
	}
	if (has_owner(ctl, HUB_NAME)) {
		return false;
	}
	snprintf(ret->verdict, sizeof(ret->verdict), "The hub's service is not running.");
	snprintf(ret->proof, sizeof(ret->proof), "nobody on the bus has the name " HUB_NAME);
	if (read_unit(ctl, &unit)) {
		judge_unit(&unit, ret);
	}
	return true;
}

static int print_trouble_json(struct ctl *ctl, const struct trouble *trouble) {
	json_t *finding = json_pack(
		"{s:s, s:s, s:s, s:s, s:i, s:s, s:[{s:s}], s:[{s:s, s:s, s:s}]}", "fault",
		trouble->fault, "summary", trouble->verdict, "check", "service", "severity",
		"critical", "confidence", 97, "because_of", "", "proof", "text", trouble->proof,
		"remedies", "name", "start-service", "by", "person", "command", trouble->command);

	return print_json(ctl,
		json_pack("{s:i, s:s, s:s, s:[{s:s, s:s, s:s, s:[], s:[o]}]}", "format", 1, "worst",
			"findings", "verdict", trouble->verdict, "targets", "kind", "hub", "worst",
			"findings", "verdict", trouble->verdict, "checks", "findings", finding));
}

/* lockhubd has given no diagnosis; why has been said. */
static int without_answer(struct ctl *ctl) {
	struct trouble trouble;

	if (!look_around(ctl, &trouble)) {
		return CTL_UNCHECKED;
	}
	if (ctl->opt.is_json) {
		int r = print_trouble_json(ctl, &trouble);
		return r != CTL_DONE ? r : CTL_FINDINGS;
	}
	say(ctl, "%sThe hub%s\n%s", tone_start(ctl, TONE_BOLD), tone_end(ctl, TONE_BOLD),
		tone_start(ctl, TONE_BAD));
	print_paragraph(ctl, 2, trouble.verdict);
	say(ctl, "%s", tone_end(ctl, TONE_BAD));
	if (trouble.proof[0] != '\0') {
		char line[LINE_TEXT_MAX];
		snprintf(line, sizeof(line), "Measured: %s", trouble.proof);
		print_paragraph(ctl, 4, line);
	}
	say(ctl, "    What to do:\n        %s%s%s\n", tone_start(ctl, TONE_BOLD), trouble.command,
		tone_end(ctl, TONE_BOLD));
	return CTL_FINDINGS;
}

/* ---- with it ---- */

static int diagnose(struct ctl *ctl, const char *word, unsigned flags) {
	AUTO(json_decref) json_t *diagnosis = NULL;

	flags |= ctl->opt.is_quiet ? DIAGNOSE_QUIET : 0;
	diagnosis = diagnosis_fetch(ctl, word, flags);
	if (diagnosis == NULL) {
		return without_answer(ctl);
	}
	if (ctl->opt.is_json) {
		int r = print_json(ctl, json_incref(diagnosis));
		return r != CTL_DONE ? r : verdict_status(diagnosis);
	}
	return verdict_print(ctl, diagnosis, ctl->opt.is_verbose);
}

static int run(struct ctl *ctl, char **args, int n_args) {
	return diagnose(ctl, n_args > 0 ? args[0] : NULL, 0);
}

static int run_security(struct ctl *ctl, char **args, int n_args) {
	return diagnose(ctl, n_args > 0 ? args[0] : NULL, DIAGNOSE_SECURITY);
}

const struct command cmd_doctor = {
	.name = "doctor",
	.args = "[LOCK]",
	.blurb = "Find out why a lock does not work, and what to do",
	.help = "Looks at the hub, then asks the lock itself (without LOCK each of them) for what\n"
		"is not known since the last minute: nothing is moved and nothing changed. What\n"
		"is wrong comes with the cause on top, with what was measured, and with what to\n"
		"do, least effort first. What the hub can do itself: lockhubctl fix LOCK.\n"
		"Exit status: 0 healthy, 3 something is wrong, 4 what matters most could not be\n"
		"measured, 1 it could not be asked for.",
	.example = "lockhubctl doctor front-door",
	.options = OPT_JSON | OPT_DOCTOR,
	.max_args = 1,
	.run = run,
};

const struct command cmd_doctor_security = {
	.name = "doctor security",
	.args = "[LOCK]",
	.blurb = "Find out how well hub and locks are protected",
	.help = "Encryption and codes of each lock, second factor, the broker's protection, who\n"
		"can read the hub's files, the activity log. No lock is asked anything. Exit\n"
		"status as of doctor.",
	.example = "lockhubctl doctor security",
	.options = OPT_JSON | OPT_DOCTOR,
	.max_args = 1,
	.run = run_security,
};
