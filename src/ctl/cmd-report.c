/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <time.h>

#include "report.h"

/* "lockhub-report-front-door-2026-11-22.html" */
static void default_name(const json_t *locks, int64_t now, char *out, size_t size) {
	time_t t = now;
	struct tm tm = { 0 };
	char day[16] = "today";
	const char *slug = NULL;
	if (json_object_size(locks) == 1) {
		slug = json_object_iter_key(json_object_iter((json_t *) locks));
	}
	if (localtime_r(&t, &tm) != NULL) {
		strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	}
	snprintf(out, size, "lockhub-report-%s%s%s.html", slug != NULL ? slug : "",
		slug != NULL ? "-" : "", day);
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(json_decref)
	json_t *diagnosis = diagnosis_fetch(ctl, n_args > 0 ? args[0] : NULL, false);
	if (diagnosis == NULL) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *locks = diagnosis_locks(ctl, diagnosis);
	char name[PATH_TEXT_MAX];
	int64_t now = moment_now();
	default_name(locks, now, name, sizeof(name));
	const char *path = ctl->opt.output != NULL ? ctl->opt.output : name;
	FILE *file = file_create(ctl, path);
	if (file == NULL) {
		return CTL_FAILED;
	}
	report_write(file, &(struct report){ diagnosis, locks, now, LOCKHUB_VERSION });
	bool is_shown = file == ctl->out;
	int r = file_close(ctl, path, file);
	if (r == CTL_DONE && !is_shown) {
		say(ctl, "%s\n", facts_text(diagnosis, "verdict"));
		say(ctl, "The report is in %s\n", path);
	}
	return r;
}

const struct command cmd_report = {
	.name = "report",
	.args = "[LOCK]",
	.blurb = "Write a page about a lock's health, for the screen or for paper",
	.help = "Looks at the lock (or at all of them) and the hub as doctor does, and writes one\n"
		"HTML file: state, verdict, what was found and how that is known, what to do,\n"
		"what was tried, and charts of the batteries with a forecast, of the signal, of\n"
		"operations, failures and jams. It needs no network to be read. It names the lock\n"
		"and people; for strangers make a support-bundle. FILE must not exist yet.",
	.example = "lockhubctl report front-door -o front-door.html",
	.options = OPT_OUTPUT,
	.max_args = 1,
	.run = run,
};
