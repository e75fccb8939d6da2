/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Waiting until the locks have what was changed in the hub's book. The change itself is safe before
 * anything here begins: giving up loses nothing. Each signal that says something has changed leads
 * to a look at how things are now; nothing is concluded from the signal itself.
 */

#include "room.h"

#include <errno.h>
#include <string.h>

#include "util/text.h"

/* Should a signal ever be missed. */
#define LOOK_EVERY_S 2
#define LOCKS_IN_LINE 6

struct watch {
	struct ctl *ctl;
	const struct waiting *waiting;
	bool is_changed;
	bool is_stopped; /* lockhubd */
	json_t *locks;   /* [{"lock", "state", ...}] by the last look */
	bool is_settled; /* nothing is under way any more */
	bool is_stuck;   /* nor will it be before the next contact */
};

static int on_changed(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	((struct watch *) user)->is_changed = true;
	return 0;
}

static int on_owner(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct watch *watch = user;
	const char *name, *before, *now;
	if (sd_bus_message_read(message, "sss", &name, &before, &now) >= 0 && now[0] == '\0') {
		watch->is_stopped = true;
		watch->is_changed = true;
	}
	return 0;
}

static bool is_under_way(const struct watch *watch, const char *state) {
	if (watch->waiting->what == WAITING_DEPARTURE) {
		return strcmp(state, "absent") != 0 && strcmp(state, "unsupported") != 0;
	}
	return strcmp(state, "pending") == 0 || strcmp(state, "sent") == 0 ||
	       strcmp(state, "leaving") == 0;
}

/*
 * The credentials of the user, without a word when he has gone. 0, -ENOENT: gone, or another
 * negative errno after an explanation.
 */
static int fetch_credentials(struct watch *watch, json_t **ret) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL, *reply = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct ctl *ctl = watch->ctl;
	int r = talk_new(
		ctl, watch->waiting->path, "org.freedesktop.DBus.Properties", "Get", &call);
	if (r >= 0) {
		r = sd_bus_message_append(call, "ss", USER_INTERFACE, "Credentials");
	}
	if (r >= 0) {
		r = sd_bus_call(ctl->bus, call, 0, &error, &reply);
	}
	if (r < 0 && sd_bus_error_has_names(&error, "org.lockhub1.Error.NoSuchUser",
			     SD_BUS_ERROR_UNKNOWN_OBJECT, SD_BUS_ERROR_UNKNOWN_INTERFACE,
			     SD_BUS_ERROR_UNKNOWN_PROPERTY)) {
		r = -ENOENT;
	} else if (r < 0 && sd_bus_error_is_set(&error)) {
		talk_explain(ctl, &error, NULL);
	}
	sd_bus_error_free(&error);
	if (r < 0) {
		return r;
	}
	*ret = wire_read(reply);
	return *ret != NULL ? 0 : -EBADMSG;
}

/* Collects how it stands at each lock that matters. */
static void collect(struct watch *watch, const json_t *credentials) {
	const struct waiting *waiting = watch->waiting;
	size_t i, k;
	json_t *credential, *at;
	json_array_foreach((json_t *) credentials, i, credential) {
		bool is_meant = waiting->code[0] == '\0' ||
				strcmp(facts_text(credential, "id"), waiting->code) == 0;
		/* Of a user who loses everything, what only waits to be put there is of no
		 * interest. */
		json_array_foreach(json_object_get(credential, "locks"), k, at) {
			const char *lock = facts_text(at, "lock");
			if (is_meant &&
				(waiting->lock[0] == '\0' || strcmp(lock, waiting->lock) == 0)) {
				json_object_set(at, "code", json_object_get(credential, "id"));
				json_array_append_new(watch->locks, facts_of_user(json_incref(at)));
			}
		}
	}
}

/* Why it does not go on at this lock for now; "" when it does. */
static void find_obstacle(struct watch *watch, json_t *at) {
	char path[PATH_TEXT_MAX];
	if (talk_find_lock(watch->ctl, facts_text(at, "lock_id"), path) < 0) {
		return;
	}
	AUTO(json_decref) json_t *lock = facts_fetch_lock(watch->ctl, path);
	if (lock == NULL) {
		return;
	}
	const json_t *sync = json_object_get(lock, "sync");
	bool has_fault = facts_text(sync, "fault")[0] != '\0';
	if (facts_flag(sync, "running")) {
		return;
	}
	if (has_fault) {
		json_object_set(at, "obstacle", json_object_get(sync, "fault_text"));
		json_object_set(at, "obstacle_hint", json_object_get(sync, "fault_hint"));
	} else if (!facts_flag(lock, "reachable")) {
		json_object_set_new(at, "obstacle", json_string("the lock is out of reach"));
	}
	if (strcmp(facts_text(lock, "fault"), "revocation-pending") == 0) {
		json_object_set(at, "alarm", json_object_get(lock, "fault_text"));
	}
}

/* 0 or negative errno after an explanation. */
static int look(struct watch *watch) {
	AUTO(json_decref) json_t *credentials = NULL;
	size_t i;
	json_t *at;
	json_decref(watch->locks);
	watch->locks = json_array();
	watch->is_settled = true;
	watch->is_stuck = true;
	int r = fetch_credentials(watch, &credentials);
	if (r == -ENOENT) {
		return 0; /* with everything that was his */
	}
	if (r < 0) {
		return r;
	}
	collect(watch, credentials);
	json_array_foreach(watch->locks, i, at) {
		if (is_under_way(watch, facts_text(at, "state"))) {
			watch->is_settled = false;
			find_obstacle(watch, at);
			watch->is_stuck &= json_object_get(at, "obstacle") != NULL;
		}
	}
	return 0;
}

static void show_progress(struct watch *watch) {
	char line[LINE_TEXT_MAX];
	size_t i, n = 0, n_waiting = 0;
	json_t *at;
	line[0] = '\0';
	json_array_foreach(watch->locks, i, at) {
		if (!is_under_way(watch, facts_text(at, "state"))) {
			continue;
		}
		if (n_waiting++ < LOCKS_IN_LINE && n < sizeof(line)) {
			n += (size_t) snprintf(line + n, sizeof(line) - n, "%s%s %s",
				n > 0 ? ", " : "", facts_text(at, "lock"), facts_text(at, "state"));
		}
	}
	progress(watch->ctl, "%s%s ...", line, n_waiting > LOCKS_IN_LINE ? ", more" : "");
}

static int listen(struct ctl *ctl, struct ears *ears, struct watch *watch) {
	int r = talk_connect(ctl);
	if (r >= 0) {
		r = talk_match(ctl, ears, NULL, "org.freedesktop.DBus.Properties",
			"PropertiesChanged", on_changed, watch);
	}
	if (r >= 0) {
		r = talk_match(ctl, ears, HUB_ROOT, "org.freedesktop.DBus.ObjectManager",
			"InterfacesRemoved", on_changed, watch);
	}
	return r < 0 ? r : talk_match_owner(ctl, ears, on_owner, watch);
}

static int print_departure(struct watch *watch) {
	struct ctl *ctl = watch->ctl;
	size_t i, n = 0;
	json_t *at;
	json_array_foreach(watch->locks, i, at) {
		const char *why = facts_text(at, "obstacle"), *alarm = facts_text(at, "alarm");
		if (!is_under_way(watch, facts_text(at, "state"))) {
			continue;
		}
		n++;
		complain(ctl, "%s: not confirmed yet that it is gone%s%s", facts_text(at, "lock"),
			why[0] != '\0' ? ": " : "", why);
		if (alarm[0] != '\0') {
			advise(ctl, "Alarm: %s", alarm);
		}
	}
	if (n == 0) {
		say(ctl, "%sGone%s: confirmed by reading back\n", tone_start(ctl, TONE_GOOD),
			tone_end(ctl, TONE_GOOD));
		return CTL_DONE;
	}
	advise(ctl,
		"It may still open %s. The hub goes on trying, first thing at the next contact; "
		"watch it with: lockhubctl code list",
		n == 1 ? "that door" : "those doors");
	return CTL_FAILED;
}

static int print_arrival(struct watch *watch) {
	struct ctl *ctl = watch->ctl;
	int result = CTL_DONE;
	size_t i;
	json_t *at;
	if (json_array_size(watch->locks) == 0) {
		say(ctl, "No lock is to hold it: lockhubctl access grant gives access\n");
	}
	json_array_foreach(watch->locks, i, at) {
		char text[LINE_TEXT_MAX];
		const char *state = facts_text(at, "state"), *why = facts_text(at, "obstacle");
		enum tone tone = tone_of_placement(state);
		if (is_under_way(watch, state)) {
			say(ctl, "%s: %spending%s%s%s; it will be done at the next contact\n",
				facts_text(at, "lock"), tone_start(ctl, tone), tone_end(ctl, tone),
				why[0] != '\0' ? ": " : "", why);
			continue;
		}
		say(ctl, "%s: %s%s%s\n", facts_text(at, "lock"), tone_start(ctl, tone),
			people_placement_text(at, text, sizeof(text)), tone_end(ctl, tone));
		if (strcmp(state, "refused") == 0) {
			advise(ctl, "%s", facts_text(at, "fault_hint"));
			result = CTL_FAILED;
		}
	}
	return result;
}

static int judge_json(const struct watch *watch) {
	size_t i;
	json_t *at;
	json_array_foreach(watch->locks, i, at) {
		const char *state = facts_text(at, "state");
		if (strcmp(state, "refused") == 0 ||
			(watch->waiting->what == WAITING_DEPARTURE && is_under_way(watch, state))) {
			return CTL_FAILED;
		}
	}
	return CTL_DONE;
}

static int follow(struct watch *watch) {
	struct ctl *ctl = watch->ctl;
	const volatile int *interrupted = prompt_catch_interrupt();
	uint64_t deadline = talk_deadline(ctl->opt.timeout);
	for (;;) {
		watch->is_changed = false;
		int r = look(watch);
		if (r < 0) {
			return r;
		}
		if (watch->is_settled || watch->is_stuck) {
			return 0;
		}
		show_progress(watch);
		uint64_t next = talk_deadline(LOOK_EVERY_S);
		bool is_last = next >= deadline;
		r = talk_until(ctl, &watch->is_changed, is_last ? deadline : next, interrupted);
		if (watch->is_stopped) {
			complain(ctl, "lockhubd stopped; what was changed is kept");
			advise(ctl, "See why: journalctl -x -u lockhubd -n 50");
			return -ECONNRESET;
		}
		if (r == -EINTR || (r == -ETIMEDOUT && is_last)) {
			return look(watch);
		}
		if (r < 0 && r != -ETIMEDOUT) {
			complain(ctl, "the bus broke off: %s", strerror(-r));
			return r;
		}
	}
}

int waiting_run(struct ctl *ctl, const struct waiting *waiting, json_t **ret_locks) {
	struct watch watch = { .ctl = ctl, .waiting = waiting };
	AUTO_VALUE(ears_finish) struct ears ears = { 0 };
	if (listen(ctl, &ears, &watch) < 0) {
		return CTL_FAILED;
	}
	int r = ctl->opt.is_no_wait ? look(&watch) : follow(&watch);
	progress_end(ctl);
	AUTO(json_decref) json_t *locks = watch.locks;
	if (r < 0) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		r = ctl->opt.is_no_wait ? CTL_DONE : judge_json(&watch);
		if (ret_locks != NULL) {
			*ret_locks = STEAL(locks);
		}
		return r;
	}
	if (ctl->opt.is_no_wait) {
		return CTL_DONE;
	}
	return waiting->what == WAITING_DEPARTURE ? print_departure(&watch) : print_arrival(&watch);
}
