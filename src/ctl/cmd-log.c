/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <errno.h>
#include <string.h>

#define LINES_DEFAULT 50
#define LINES_MAX 10000
#define WIDTH_LOCK_MAX 24

/* How the person is known, when the log names one. */
static const char *attribution_text(const json_t *event) {
	static const struct {
		const char *name, *text;
	} rows[] = {
		{ "lock_name", "  (a name at the lock)" },
		{ "credential", "  (by the credential in the lock's log)" },
		{ "request", "  (asked the hub for it)" },
		{ "factor", "  (proven by a personal code or one-time password)" },
	};
	/* The line of a request says who asked. */
	bool is_told = strcmp(facts_text(event, "kind"), "operation_requested") == 0 ||
		       strcmp(facts_text(event, "kind"), "operation_finished") == 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows) && !is_told; i++) {
		if (strcmp(rows[i].name, facts_text(event, "attribution")) == 0) {
			return rows[i].text;
		}
	}
	return "";
}

static void print_event(struct ctl *ctl, const json_t *event) {
	if (ctl->opt.is_csv) {
		log_print_csv(ctl->out, event);
		return;
	}
	char moment[MOMENT_TEXT_MAX];
	const char *lock = facts_text(event, "lock"), *fault = facts_text(event, "fault");
	if (lock[0] == '\0') {
		lock = facts_text(event, "lock_id"); /* unpaired meanwhile */
	}
	enum tone tone =
		fault[0] != '\0' || facts_text(event, "alarm")[0] != '\0' ? TONE_BAD : TONE_PLAIN;
	say(ctl, "%s%s%s%s  %-*s  %s%s%s%s%s%s\n", tone_start(ctl, TONE_FAINT),
		moment_text(facts_text(event, "time"), moment),
		facts_flag(event, "time_trusted") ? " " : "?", tone_end(ctl, TONE_FAINT),
		WIDTH_LOCK_MAX, lock[0] != '\0' ? lock : "hub", tone_start(ctl, tone),
		facts_text(event, "line"), tone_end(ctl, tone), tone_start(ctl, TONE_FAINT),
		attribution_text(event), tone_end(ctl, TONE_FAINT));
}

struct follow {
	struct ctl *ctl;
	char lock_id[32]; /* "" all */
	char user[256];   /* "" all; as the log names him */
	int64_t last_seq;
	json_t *early; /* came before the answer to the question */
	bool is_live;
	bool is_over;
};

static bool is_wanted(const struct follow *follow, const json_t *event) {
	const struct options *opt = &follow->ctl->opt;
	return (follow->lock_id[0] == '\0' ||
		       strcmp(follow->lock_id, facts_text(event, "lock_id")) == 0) &&
	       (follow->user[0] == '\0' || strcmp(follow->user, facts_text(event, "user")) == 0) &&
	       (opt->type == NULL || strcmp(opt->type, facts_text(event, "type")) == 0);
}

static void show_live(struct follow *follow, json_t *event) {
	int64_t seq = facts_number(event, "seq", 0);
	if (seq <= follow->last_seq || !is_wanted(follow, event)) {
		return;
	}
	follow->last_seq = seq;
	if (follow->ctl->opt.is_json) {
		print_json_line(follow->ctl, json_incref(event));
	} else {
		print_event(follow->ctl, event);
		fflush(follow->ctl->out);
	}
}

static int on_event(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct follow *follow = user;
	AUTO(json_decref) json_t *event = facts_of_event(wire_read(message));
	if (event == NULL) {
		return 0;
	}
	if (follow->is_live) {
		show_live(follow, event);
	} else {
		json_array_append(follow->early, event);
	}
	return 0;
}

static int on_owner(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct follow *follow = user;
	const char *name, *before, *now;
	if (sd_bus_message_read(message, "sss", &name, &before, &now) >= 0) {
		complain(follow->ctl, now[0] == '\0'
					      ? "lockhubd stopped; waiting for it to come back"
					      : "lockhubd is back");
	}
	return 0;
}

/* Oldest first; asked for in pages from the newest back, since the hub answers no more at once. */
static json_t *query(struct ctl *ctl, const char *lock, int *ret_exit) {
	size_t left = ctl->opt.lines != 0      ? ctl->opt.lines
		      : ctl->opt.since != NULL ? LINES_MAX
					       : LINES_DEFAULT;
	AUTO(json_decref) json_t *events = json_array();
	int64_t before = 0;
	while (left > 0) {
		size_t wanted = left < LOG_PAGE ? left : LOG_PAGE;
		json_t *page = log_page(ctl, lock, (int64_t) wanted, before, 0, ret_exit);
		if (page == NULL) {
			return NULL;
		}
		size_t n = json_array_size(page);
		if (n > 0) {
			before = facts_number(json_array_get(page, 0), "seq", 0);
		}
		json_array_extend(page, events);
		json_decref(events);
		events = page;
		if (n < wanted) {
			break;
		}
		left -= n;
	}
	return STEAL(events);
}

/* The name of whom --user means; somebody who has gone is still named in the log. */
static void resolve_user(struct ctl *ctl, struct follow *follow) {
	char path[PATH_TEXT_MAX];
	if (ctl->opt.user == NULL) {
		return;
	}
	snprintf(follow->user, sizeof(follow->user), "%s", ctl->opt.user);
	ctl->expected = FAULT_NO_SUCH_USER;
	if (people_find(ctl, ctl->opt.user, path) >= 0) {
		AUTO(json_decref) json_t *user = people_fetch_user(ctl, path);
		if (user != NULL) {
			snprintf(
				follow->user, sizeof(follow->user), "%s", facts_text(user, "name"));
		}
	}
	ctl->expected = FAULT_NONE;
}

static int start_following(
	struct ctl *ctl, struct ears *ears, struct follow *follow, const char *lock) {
	if (lock != NULL) {
		char path[PATH_TEXT_MAX];
		if (talk_find_lock(ctl, lock, path) < 0) {
			return CTL_FAILED;
		}
		AUTO(json_decref) json_t *facts = facts_fetch_lock(ctl, path);
		if (facts == NULL) {
			return CTL_FAILED;
		}
		snprintf(follow->lock_id, sizeof(follow->lock_id), "%s", facts_text(facts, "id"));
	}
	resolve_user(ctl, follow);
	return talk_connect(ctl) < 0 ||
			       talk_match(ctl, ears, MANAGER_PATH, MANAGER_INTERFACE, "Event",
				       on_event, follow) < 0 ||
			       talk_match_owner(ctl, ears, on_owner, follow) < 0
		       ? CTL_FAILED
		       : CTL_DONE;
}

static int follow_on(struct ctl *ctl, struct follow *follow) {
	size_t i;
	json_t *event;
	follow->is_live = true;
	json_array_foreach(follow->early, i, event) {
		show_live(follow, event);
	}
	fflush(ctl->out);
	int r = talk_until(ctl, &follow->is_over, UINT64_MAX, NULL);
	complain(ctl, "the bus broke off: %s", strerror(-r));
	return CTL_FAILED;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO(json_decref) json_t *early = json_array();
	struct follow follow = { .ctl = ctl, .early = early };
	AUTO_VALUE(ears_finish) struct ears ears = { 0 };
	const char *lock = n_args > 0 ? args[0] : ctl->opt.lock;
	int r = CTL_DONE;
	size_t i;
	json_t *event;
	if (n_args > 0 && ctl->opt.lock != NULL) {
		return usage_error(ctl, "the lock is given twice");
	}
	if (ctl->opt.is_follow && ctl->opt.until != NULL) {
		return usage_error(ctl, "--follow and --until do not go together");
	}
	if (ctl->opt.is_csv && ctl->opt.is_json) {
		return usage_error(ctl, "--csv and --json do not go together");
	}
	if (ctl->opt.is_follow && start_following(ctl, &ears, &follow, lock) != CTL_DONE) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *events = query(ctl, lock, &r);
	if (events == NULL) {
		return r;
	}
	if (ctl->opt.is_json && !ctl->opt.is_follow) {
		return print_json(ctl, json_pack("{s:O}", "events", events));
	}
	if (ctl->opt.is_csv) {
		log_print_csv_header(ctl->out);
	}
	json_array_foreach(events, i, event) {
		follow.last_seq = facts_number(event, "seq", follow.last_seq);
		if (ctl->opt.is_json) {
			print_json_line(ctl, json_incref(event));
		} else {
			print_event(ctl, event);
		}
	}
	if (ctl->opt.is_follow) {
		return follow_on(ctl, &follow);
	}
	if (json_array_size(events) == 0 && !ctl->opt.is_json && !ctl->opt.is_csv) {
		say(ctl, "Nothing is in the log%s\n",
			lock != NULL || ctl->opt.user != NULL || ctl->opt.type != NULL ||
					ctl->opt.since != NULL || ctl->opt.until != NULL
				? " that fits"
				: "");
	}
	return CTL_DONE;
}

const struct command cmd_log = {
	.name = "log",
	.args = "[LOCK]",
	.blurb = "Show who locked and unlocked, and what else happened",
	.help = "Newest entries last. A person is named only when the lock or the request said\n"
		"who it was. A ? behind the time says that the hub's clock could not be believed\n"
		"then. With --json and --follow: one object per line. See also: log verify,\n"
		"log export.",
	.example = "lockhubctl log front-door --since yesterday --type unlocked",
	.options = OPT_JSON | OPT_LINES | OPT_FOLLOW | OPT_FILTER | OPT_CSV,
	.max_args = 1,
	.run = run,
};
