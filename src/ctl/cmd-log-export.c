/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

/* Page by page, so that a million entries need no more memory than five hundred. */
static int copy_pages(struct ctl *ctl, FILE *file, size_t *ret_n) {
	/* "after 0" would mean the newest; the very first entry is asked for by itself. */
	int64_t before = 2, after = 0;
	for (;;) {
		int r = CTL_FAILED;
		AUTO(json_decref)
		json_t *page = log_page(ctl, ctl->opt.lock, LOG_PAGE, before, after, &r);
		size_t i;
		json_t *event;
		if (page == NULL) {
			return r;
		}
		json_array_foreach(page, i, event) {
			after = facts_number(event, "seq", after);
			if (ctl->opt.is_csv) {
				log_print_csv(file, event);
			} else {
				json_dumpf(event, file, JSON_COMPACT);
				fputc('\n', file);
			}
		}
		*ret_n += json_array_size(page);
		if ((before == 0 && json_array_size(page) < LOG_PAGE) || ferror(file)) {
			return CTL_DONE;
		}
		after = after > 0 ? after : 1;
		before = 0;
		progress(ctl, "%zu entries", *ret_n);
	}
}

static int run(struct ctl *ctl, char **args, int n_args) {
	size_t n = 0;
	if (talk_connect(ctl) < 0) {
		return CTL_FAILED;
	}
	FILE *file = file_create(ctl, args[0]);
	if (file == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_csv) {
		log_print_csv_header(file);
	}
	int r = copy_pages(ctl, file, &n);
	progress_end(ctl);
	int closed = file_close(ctl, args[0], file);
	if (r == CTL_DONE && closed == CTL_DONE && file != ctl->out) {
		say(ctl, "%zu entries in %s\n", n, args[0]);
	}
	return r != CTL_DONE ? r : closed;
}

const struct command cmd_log_export = {
	.name = "log export",
	.args = "FILE",
	.blurb = "Write the whole log, or what fits, to a file",
	.help = "Oldest first, one JSON object a line, or with --csv as comma-separated values.\n"
		"FILE must not exist yet; - is standard output. To see beforehand that nothing\n"
		"was tampered with: lockhubctl log verify.",
	.example =
		"lockhubctl log export front-door.csv --csv --lock front-door --since 2027-01-01",
	.options = OPT_FILTER | OPT_CSV,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
