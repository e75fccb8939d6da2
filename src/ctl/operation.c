/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Asking for something and waiting for its outcome. Listening begins before the call, and what the
 * operation says of itself is read after it: so an outcome can be seen twice but not missed.
 */

#include "room.h"

#include <errno.h>
#include <string.h>

#include "util/text.h"

struct wait {
	struct ctl *ctl;
	const char *about;
	char path[PATH_TEXT_MAX];
	bool is_over; /* finished, or nobody left who could tell */
	bool is_gone; /* lockhubd stopped */
	bool is_learning;
};

static const char *state_text(const char *state) {
	static const struct {
		const char *state;
		const char *text;
	} rows[] = {
		{ "recording", "noting the request" },
		{ "queued", "connecting to the lock" },
		{ "running", "talking to the lock" },
		{ "reading-back", "reading what the lock did" },
		{ "closing", "noting the outcome" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].state, state) == 0) {
			return rows[i].text;
		}
	}
	return state;
}

static int on_finished(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct wait *wait = user;
	if (strcmp(sd_bus_message_get_path(message), wait->path) == 0) {
		wait->is_over = true;
	}
	return 0;
}

/* The lock waits for whoever stands there, who must hear of it without a terminal, too. */
static void ask_to_present(const struct wait *wait, const json_t *changed) {
	int64_t n = facts_number(changed, "Presented", 0);
	int64_t n_all = facts_number(changed, "ToPresent", 0);
	char text[LINE_TEXT_MAX];
	if (n == 0) {
		snprintf(text, sizeof(text), "%s: hold it to the lock now", wait->about);
	} else if (n_all == 0) {
		snprintf(text, sizeof(text), "%s: once more", wait->about);
	} else {
		snprintf(text, sizeof(text), "%s: %jd of %jd times%s", wait->about, (intmax_t) n,
			(intmax_t) n_all, n < n_all ? ", once more" : "");
	}
	if (wait->ctl->is_tty) {
		progress(wait->ctl, "%s", text);
	} else if (!wait->ctl->opt.is_json) {
		fprintf(wait->ctl->err, "%s\n", text);
		fflush(wait->ctl->err);
	}
}

static int on_changed(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct wait *wait = user;
	const char *interface;
	if (strcmp(sd_bus_message_get_path(message), wait->path) != 0 ||
		sd_bus_message_read(message, "s", &interface) < 0) {
		return 0;
	}
	AUTO(json_decref) json_t *changed = wire_read(message);
	const char *state = facts_text(changed, "State");
	if (state[0] != '\0' && strcmp(state, "finished") != 0) {
		progress(wait->ctl, "%s: %s ...", wait->about, state_text(state));
	}
	if (facts_flag(changed, "Presenting")) {
		ask_to_present(wait, changed);
	}
	return 0;
}

static int on_owner(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct wait *wait = user;
	const char *name, *before, *now;
	if (sd_bus_message_read(message, "sss", &name, &before, &now) >= 0 && now[0] == '\0') {
		wait->is_gone = true;
		wait->is_over = true;
	}
	return 0;
}

static int listen(struct ctl *ctl, struct ears *ears, struct wait *wait) {
	int r = talk_match(ctl, ears, NULL, OPERATION_INTERFACE, "Finished", on_finished, wait);
	if (r >= 0) {
		r = talk_match_owner(ctl, ears, on_owner, wait);
	}
	if (r >= 0 && (ctl->is_tty || wait->is_learning)) {
		r = talk_match(ctl, ears, NULL, "org.freedesktop.DBus.Properties",
			"PropertiesChanged", on_changed, wait);
	}
	return r;
}

/* NULL after an explanation. */
static json_t *fetch(struct ctl *ctl, const struct wait *wait) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(ctl, wait->path, "org.freedesktop.DBus.Properties", "GetAll", wait->about,
		    &reply, "s", OPERATION_INTERFACE) < 0) {
		return NULL;
	}
	return facts_of_operation(wire_read(reply));
}

static bool is_finished(const json_t *facts) {
	return strcmp(facts_text(facts, "state"), "finished") == 0;
}

static int explain_no_outcome(struct ctl *ctl, const struct wait *wait, int r) {
	if (wait->is_gone) {
		complain(ctl, "%s: lockhubd stopped; the outcome is not known", wait->about);
		advise(ctl, "See why: journalctl -x -u lockhubd -n 50; then: lockhubctl show %s",
			wait->about);
	} else if (r == -ETIMEDOUT) {
		complain(ctl, "%s: no outcome within %ju s; the operation goes on", wait->about,
			(uintmax_t) ctl->opt.timeout);
		advise(ctl, "It is %s; its outcome will be in: lockhubctl log", wait->path);
	} else {
		complain(ctl, "%s: the bus broke off (%s); the outcome is not known", wait->about,
			strerror(-r));
		advise(ctl, "Look at the door, and at: lockhubctl log");
	}
	return CTL_FAILED;
}

static int explain_failure(struct ctl *ctl, const json_t *facts, const char *about) {
	bool is_unknown = strcmp(facts_text(facts, "outcome"), "unknown") == 0;
	const char *message = facts_text(facts, "message"), *hint = facts_text(facts, "hint");
	complain(ctl, "%s: %s %s: %s", about, facts_text(facts, "act"),
		is_unknown ? "may or may not have been done" : "failed",
		message[0] != '\0' ? message : facts_text(facts, "fault"));
	if (hint[0] != '\0') {
		advise(ctl, "%s", hint);
	}
	return CTL_FAILED;
}

static void print_lock_if_any(struct ctl *ctl, const json_t *facts) {
	const char *path = facts_text(facts, "lock");
	if (path[0] == '\0' || strcmp(path, "/") == 0) {
		return;
	}
	AUTO(json_decref) json_t *lock = facts_fetch_lock(ctl, path);
	if (lock != NULL) {
		operation_print_state(ctl, lock);
	}
}

static int judge(struct ctl *ctl, json_t *take_facts, const char *about, json_t **ret_facts) {
	AUTO(json_decref) json_t *facts = take_facts;
	bool is_done = strcmp(facts_text(facts, "outcome"), "done") == 0;
	if (ctl->opt.is_json) {
		/* For the caller to print; a failure is printed the same way. */
		if (is_done && ret_facts != NULL) {
			*ret_facts = STEAL(facts);
			return CTL_DONE;
		}
		char path[PATH_TEXT_MAX];
		text_copy(path, sizeof(path), facts_text(facts, "lock"));
		int r = operation_print_json(ctl, STEAL(facts), path);
		return is_done ? r : CTL_FAILED;
	}
	if (!is_done) {
		int r = explain_failure(ctl, facts, about);
		if (strcmp(facts_text(facts, "outcome"), "unknown") == 0) {
			print_lock_if_any(ctl, facts);
		}
		return r;
	}
	if (ret_facts != NULL) {
		*ret_facts = STEAL(facts);
		return CTL_DONE;
	}
	say(ctl, "%s: %s done\n", about, facts_text(facts, "act"));
	return CTL_DONE;
}

static int print_not_waited(struct ctl *ctl, const struct wait *wait) {
	const char *id = wait->path + strlen(OPERATION_PREFIX) + 1;
	if (ctl->opt.is_json) {
		return print_json(ctl, json_pack("{s:s, s:s}", "id", id, "outcome", "pending"));
	}
	say(ctl, "%s: operation %s\n", wait->about, id);
	return CTL_DONE;
}

int operation_run(struct ctl *ctl, sd_bus_message *call, const char *about, json_t **ret_facts) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	struct wait wait = { .ctl = ctl,
		.about = about,
		.is_learning = strcmp(sd_bus_message_get_member(call), "LearnCredential") == 0 };
	AUTO_VALUE(ears_finish) struct ears ears = { 0 };
	const char *path;
	if (!ctl->opt.is_no_wait && listen(ctl, &ears, &wait) < 0) {
		return CTL_FAILED;
	}
	progress(ctl, "%s: asking lockhubd ...", about);
	if (talk_send(ctl, call, about, &reply) < 0) {
		return CTL_FAILED;
	}
	if (sd_bus_message_read(reply, "o", &path) < 0 ||
		strncmp(path, OPERATION_PREFIX "/", strlen(OPERATION_PREFIX) + 1) != 0 ||
		!text_copy(wait.path, sizeof(wait.path), path)) {
		complain(ctl, "%s: the answer of lockhubd cannot be read", about);
		return CTL_FAILED;
	}
	if (ctl->opt.is_no_wait) {
		progress_end(ctl);
		return print_not_waited(ctl, &wait);
	}

	AUTO(json_decref) json_t *facts = fetch(ctl, &wait);
	int r = 0;
	if (facts != NULL && !is_finished(facts)) {
		progress(ctl, "%s: %s ...", about, state_text(facts_text(facts, "state")));
		r = talk_until(ctl, &wait.is_over, talk_deadline(ctl->opt.timeout), NULL);
		json_decref(facts);
		facts = r < 0 || wait.is_gone ? NULL : fetch(ctl, &wait);
	} else if (facts == NULL) {
		return CTL_FAILED;
	}
	progress_end(ctl);
	if (facts == NULL) {
		return r < 0 || wait.is_gone ? explain_no_outcome(ctl, &wait, r) : CTL_FAILED;
	}
	return judge(ctl, STEAL(facts), about, ret_facts);
}

static const char *how_text(const char *how) {
	static const struct {
		const char *how;
		const char *text;
	} rows[] = {
		{ "answered", "answered by the lock" },
		{ "advertised", "heard in its advertisement" },
		{ "logged", "from the lock's own log" },
		{ "stored", "remembered from before lockhubd started" },
		{ "inferred", "inferred" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].how, how) == 0) {
			return rows[i].text;
		}
	}
	return how;
}

void operation_print_evidence(struct ctl *ctl, const json_t *lock, const char *group) {
	const json_t *known = json_object_get(json_object_get(lock, "known"), group);
	char age[AGE_TEXT_MAX];
	if (known == NULL) {
		return;
	}
	int64_t ms = facts_number(known, "age_ms", -1);
	say(ctl, "%s  (%s%s%s)%s", tone_start(ctl, TONE_FAINT), how_text(facts_text(known, "how")),
		ms >= 0 ? ", " : "", ms >= 0 ? age_text(ms, age) : "", tone_end(ctl, TONE_FAINT));
}

void operation_print_state(struct ctl *ctl, const json_t *lock) {
	const char *state = facts_text(lock, "state"), *motion = facts_text(lock, "motion");
	enum tone tone = tone_of_state(state);
	say(ctl, "%s is %s%s%s", facts_text(lock, "slug"), tone_start(ctl, tone), state,
		tone_end(ctl, tone));
	if (motion[0] != '\0' && strcmp(motion, "none") != 0) {
		say(ctl, ", %s", motion);
	}
	if (facts_flag(lock, "jammed")) {
		say(ctl, ", %sjammed%s", tone_start(ctl, TONE_BAD), tone_end(ctl, TONE_BAD));
	}
	operation_print_evidence(ctl, lock, "state");
	say(ctl, "\n");
}

int operation_print_json(struct ctl *ctl, json_t *take_facts, const char *lock_path) {
	json_t *facts = take_facts;
	bool has_lock = lock_path[0] == '/' && lock_path[1] != '\0';
	AUTO(json_decref) json_t *lock = NULL;
	/* An unpaired lock has no object any more, and that is no failure. */
	if (has_lock && strcmp(facts_text(facts, "act"), "unpair") != 0) {
		lock = facts_fetch_lock(ctl, lock_path);
	}
	if (lock != NULL) {
		json_object_set(facts, "state_after", json_object_get(lock, "state"));
		json_object_set(facts, "known_after",
			json_object_get(json_object_get(lock, "known"), "state"));
	}
	json_object_del(facts, "lock");
	json_object_set(facts, "lock", json_object_get(facts, "lock_slug"));
	json_object_del(facts, "lock_slug");
	return print_json(ctl, facts);
}

/* @factor: the one argument, or NULL for a method without. */
static int run_simple(
	struct ctl *ctl, const char *word, const char *method, const struct secret *factor) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	AUTO(json_decref) json_t *facts = NULL;
	char path[PATH_TEXT_MAX];
	if (talk_find_lock(ctl, word, path) < 0 ||
		talk_new(ctl, path, LOCK_INTERFACE, method, &call) < 0) {
		return CTL_FAILED;
	}
	if (factor != NULL) {
		sd_bus_message_sensitive(call);
		if (sd_bus_message_append(call, "s", (const char *) factor->bytes) < 0) {
			complain(ctl, "the code is not text");
			return CTL_FAILED;
		}
	}
	int r = operation_run(ctl, call, word, &facts);
	if (r != CTL_DONE || facts == NULL) {
		return r;
	}
	if (ctl->opt.is_json) {
		return operation_print_json(ctl, STEAL(facts), path);
	}
	/* Of a refresh the state is all that matters. */
	if (strcmp(method, "Refresh") != 0) {
		say(ctl, "%s: %s done\n", facts_text(facts, "lock_slug"), facts_text(facts, "act"));
	}
	print_lock_if_any(ctl, facts);
	return CTL_DONE;
}

int operation_simple(struct ctl *ctl, const char *word, const char *method) {
	return run_simple(ctl, word, method, NULL);
}

int operation_proven(struct ctl *ctl, const char *word, const char *method) {
	AUTO_VALUE(secret_wipe) struct secret factor = { 0 };
	char with_factor[64];
	if (ctl->opt.is_pin_stdin && !ctl->opt.is_code) {
		return usage_error(ctl, "--stdin goes with --code");
	}
	if (!ctl->opt.is_code) {
		/* Nothing has happened when the hub asks for a code: it may be asked again. */
		ctl->expected =
			ctl->is_asking && !ctl->opt.is_json ? FAULT_FACTOR_REQUIRED : FAULT_NONE;
		int r = run_simple(ctl, word, method, NULL);
		if (!ctl->has_met_expected) {
			return r;
		}
		ctl->expected = FAULT_NONE;
	}
	int r = prompt_secret(ctl,
		"code (personal code, one-time password, or one after the other)", false, &factor);
	if (r != CTL_DONE) {
		return r;
	}
	snprintf(with_factor, sizeof(with_factor), "%sWithFactor", method);
	return run_simple(ctl, word, with_factor, &factor);
}
