/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The last resort: a lock is reset, paired again as the lock that it was, and gets back what it
 * had. Each step can be the last one of a process that is killed: what is to be put back is with
 * lockhubd, and `reset LOCK --restore` goes on from wherever things stand.
 */

#include "commands.h"

#include <errno.h>
#include <string.h>

#include "backup.h"
#include "util/text.h"

#define SECONDS_DEFAULT 120
#define LOOK_S 1

struct reset {
	struct ctl *ctl;
	char path[PATH_TEXT_MAX];
	const char *word; /* the lock as the person calls it */
	json_t *lock;     /* its facts */
	json_t *seen;     /* the sighting in pairing mode */
	unsigned n_set, n_failed;
	unsigned n_timers; /* put back */
};

static const char *slug_of(const struct reset *reset) {
	return facts_text(reset->lock, "slug");
}

static int fetch_lock(struct reset *reset) {
	json_decref(reset->lock);
	reset->lock = facts_fetch_lock(reset->ctl, reset->path);
	return reset->lock != NULL ? CTL_DONE : CTL_FAILED;
}

static json_t *get(struct reset *reset, const char *property) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(reset->ctl, reset->path, "org.freedesktop.DBus.Properties", "Get",
		    reset->word, &reply, "ss", LOCK_INTERFACE, property) < 0) {
		return NULL;
	}
	return wire_read(reply);
}

/* ------------------------------------------------------------------------- before it */

static bool asks_for_reset(const json_t *finding) {
	size_t i;
	json_t *remedy;
	json_array_foreach(json_object_get(finding, "remedies"), i, remedy) {
		if (strcmp(facts_text(remedy, "name"), "reset-lock") == 0) {
			return true;
		}
	}
	return false;
}

/* What is known already decides; nobody is kept waiting by measurements here. */
static void explain(struct reset *reset) {
	struct ctl *ctl = reset->ctl;
	AUTO(json_decref) json_t *diagnosis = diagnosis_fetch(ctl, slug_of(reset), DIAGNOSE_QUIET);
	size_t i, k;
	json_t *target, *finding;
	bool is_advised = false;
	json_array_foreach(json_object_get(diagnosis, "targets"), i, target) {
		json_array_foreach(json_object_get(target, "findings"), k, finding) {
			if (strcmp(facts_text(target, "kind"), "lock") == 0 &&
				asks_for_reset(finding)) {
				say(ctl,
					"Found: %s. A reset is the last thing to try against it.\n",
					facts_text(finding, "summary"));
				is_advised = true;
			}
		}
	}
	if (!is_advised) {
		say(ctl,
			"Nothing that is known of %s calls for a reset. What helps more often: "
			"lockhubctl doctor %s\n",
			slug_of(reset), slug_of(reset));
	}
}

static void show_losses(struct reset *reset) {
	struct ctl *ctl = reset->ctl;
	AUTO(json_decref) json_t *users = get(reset, "Users");
	AUTO(json_decref) json_t *settings = get(reset, "Settings");
	AUTO(json_decref) json_t *timers = get(reset, "Timers");
	size_t i, n_codes = 0, n_foreign = 0, n_apps = 0;
	json_t *slot;
	json_array_foreach(users, i, slot) {
		if (strcmp(facts_text(slot, "type"), "app_key") == 0) {
			n_apps += !facts_flag(slot, "own");
		} else if (facts_flag(slot, "foreign")) {
			n_foreign++;
		} else {
			n_codes++;
		}
	}
	say(ctl,
		"A reset takes everything out of the lock. Put back afterwards:\n"
		"  %zu codes of this hub with their times, %zu timers, and %zu settings\n",
		n_codes, json_array_size(timers), json_array_size(settings));
	say(ctl,
		"Lost for good, as nobody but the lock has it:\n"
		"  %zu codes that were not made here, %zu apps and other devices, the lock's own\n"
		"  log (this hub keeps what it has read), calibration, PIN\n",
		n_foreign, n_apps);
}

static int back_up(struct reset *reset, const char *reason) {
	struct ctl *ctl = reset->ctl;
	if (ctl->opt.is_no_backup || backup_before(ctl, reason) == CTL_DONE) {
		return CTL_DONE;
	}
	advise(ctl,
		"Nothing has been reset. To do it without a backup: lockhubctl reset%s --no-backup "
		"%s",
		ctl->opt.is_for_sale ? " --for-sale" : "", slug_of(reset));
	return CTL_FAILED;
}

static int confirm(struct reset *reset) {
	struct ctl *ctl = reset->ctl;
	char typed[128];
	if (ctl->opt.is_yes) {
		return CTL_DONE;
	}
	if (prompt_line(ctl, typed, sizeof(typed), "Type the name of the lock (%s) to go on: ",
		    facts_text(reset->lock, "name")) < 0) {
		return usage_error(ctl, "there is no terminal to ask at; give --yes");
	}
	if (strcasecmp(typed, facts_text(reset->lock, "name")) != 0 &&
		strcmp(typed, slug_of(reset)) != 0) {
		complain(ctl, "that is not its name; nothing was done");
		return CTL_FAILED;
	}
	return CTL_DONE;
}

static void show_steps(struct reset *reset, const char *which) {
	struct ctl *ctl = reset->ctl;
	AUTO(json_decref) json_t *history = history_fetch(ctl, reset->path, reset->word);
	const json_t *model = json_object_get(history, "model_data");
	const json_t *steps = json_object_get(json_object_get(model, "steps"), which);
	char text[512];
	size_t i, n = 0;
	json_t *step;
	json_array_foreach(steps, i, step) {
		text_fill_lock(json_string_value(step), slug_of(reset), text, sizeof(text));
		/* What is to be typed is done from here. */
		if (strstr(text, "lockhubctl ") == NULL) {
			say(ctl, "  %zu. %s\n", ++n, text);
		}
	}
	if (n == 0) {
		say(ctl, "  See the manual of the lock.\n");
	}
}

/* ------------------------------------------------------------------------- pairing */

static bool consider(void *user, const json_t *sighting) {
	struct reset *reset = user;
	const char *serial = facts_text(reset->lock, "serial");
	bool is_it = strcasecmp(facts_text(sighting, "address"),
			     facts_text(reset->lock, "address")) == 0 ||
		     (serial[0] != '\0' && strcasecmp(facts_text(sighting, "serial"), serial) == 0);
	if (!is_it || !facts_flag(sighting, "pairing")) {
		return false;
	}
	json_decref(reset->seen);
	reset->seen = json_incref((json_t *) sighting);
	return true;
}

static int find(struct reset *reset) {
	struct ctl *ctl = reset->ctl;
	uint64_t seconds = ctl->opt.seconds != 0 ? ctl->opt.seconds : SECONDS_DEFAULT;
	if (!ctl->opt.is_json) {
		say(ctl, "Bring %s into pairing mode now:\n", slug_of(reset));
		show_steps(reset, "pairing");
	}
	progress(ctl, "Waiting for %s in pairing mode ... (Ctrl-C ends it)", slug_of(reset));
	int r = scan_run(ctl, seconds, consider, reset, NULL);
	if (r != CTL_DONE || reset->seen != NULL) {
		return r;
	}
	complain(ctl, "%s was not heard in pairing mode in %ju s", slug_of(reset),
		(uintmax_t) seconds);
	advise(ctl, "Nothing is lost. When it is ready: lockhubctl reset --restore %s",
		slug_of(reset));
	return CTL_FAILED;
}

static int send_pair(struct reset *reset, const struct pairing *pairing) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	AUTO(json_decref) json_t *facts = NULL;
	if (pairing_call(reset->ctl, reset->seen, pairing, &call) < 0) {
		return CTL_FAILED;
	}
	int r = operation_run(reset->ctl, call, slug_of(reset), &facts);
	if (r != CTL_DONE) {
		advise(reset->ctl, "Go on with: lockhubctl reset --restore %s", slug_of(reset));
	}
	return r;
}

static int pair(struct reset *reset) {
	struct ctl *ctl = reset->ctl;
	AUTO_VALUE(pairing_wipe)
	struct pairing pairing = { .name = "", .replaces = facts_text(reset->lock, "id") };
	int r = CTL_DONE;
	/* Without it neither codes nor settings can be put back. */
	if (facts_text(reset->lock, "pin_form")[0] != '\0' &&
		(ctl->opt.is_pin_stdin || ctl->is_asking || facts_flag(reset->lock, "has_pin"))) {
		r = prompt_pin(ctl, facts_text(reset->lock, "pin_form"), &pairing.pin);
	}
	if (r == CTL_DONE) {
		r = find(reset);
	}
	if (r == CTL_DONE) {
		r = pairing_agree(ctl, reset->seen, &pairing);
	}
	if (r == CTL_DONE) {
		r = send_pair(reset, &pairing);
	}
	if (r == CTL_DONE && !ctl->opt.is_json) {
		say(ctl, "%s is paired again\n", slug_of(reset));
	}
	return r;
}

/* ------------------------------------------------------------------------- putting back */

static int ask_lock(struct reset *reset, const char *method) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	AUTO(json_decref) json_t *facts = NULL;
	return talk_new(reset->ctl, reset->path, LOCK_INTERFACE, method, &call) < 0
		       ? CTL_FAILED
		       : operation_run(reset->ctl, call, slug_of(reset), &facts);
}

static int set(struct reset *reset, const char *key, const char *value) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	AUTO(json_decref) json_t *facts = NULL;
	if (talk_new(reset->ctl, reset->path, LOCK_INTERFACE, "SetSetting", &call) < 0 ||
		sd_bus_message_append(call, "sv", key, "s", value) < 0) {
		return CTL_FAILED;
	}
	return operation_run(reset->ctl, call, slug_of(reset), &facts);
}

static bool can(const struct reset *reset, const char *name) {
	size_t i;
	json_t *act;
	json_array_foreach(json_object_get(reset->lock, "acts"), i, act) {
		if (json_is_string(act) && strcmp(json_string_value(act), name) == 0) {
			return true;
		}
	}
	return false;
}

/* What is as it was already leaves the list by being read. */
static int restore_settings(struct reset *reset) {
	if (!can(reset, "read-settings")) {
		return CTL_DONE;
	}
	if (ask_lock(reset, "ReadSettings") != CTL_DONE) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *wanted = get(reset, "SettingsToRestore");
	const char *key;
	json_t *value;
	json_object_foreach(wanted, key, value) {
		progress(reset->ctl, "%s: %s ...", slug_of(reset), key);
		if (set(reset, key, json_string_value(value)) == CTL_DONE) {
			reset->n_set++;
		} else {
			reset->n_failed++;
		}
	}
	progress_end(reset->ctl);
	return wanted != NULL ? CTL_DONE : CTL_FAILED;
}

static bool is_other_act(const json_t *timer) {
	return strcmp(facts_text(timer, "act"), "other") == 0;
}

static bool is_at_same_time(const json_t *a, const json_t *b) {
	static const char *const keys[] = { "days", "time", "act" };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(facts_text(a, keys[i]), facts_text(b, keys[i])) != 0) {
			return false;
		}
	}
	return true;
}

/*
 * The lock's id of one that is like @timer but for being on or off: what came of an attempt that
 * was cut off between the two. 0: a new one is wanted.
 */
static int64_t half_made(struct reset *reset, const json_t *timer) {
	AUTO(json_decref) json_t *timers = get(reset, "Timers");
	size_t i;
	json_t *each;
	json_array_foreach(timers, i, each) {
		if (is_at_same_time(each, timer) &&
			facts_flag(each, "enabled") != facts_flag(timer, "enabled")) {
			return facts_number(each, "id", 0);
		}
	}
	return 0;
}

static int set_timer(struct reset *reset, const json_t *timer) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	AUTO(json_decref) json_t *facts = NULL;
	if (talk_new(reset->ctl, reset->path, LOCK_INTERFACE, "SetTimer", &call) < 0 ||
		sd_bus_message_append(call, "a{sv}", 5, "id", "x", half_made(reset, timer),
			"enabled", "b", (int) facts_flag(timer, "enabled"), "days", "s",
			facts_text(timer, "days"), "time", "s", facts_text(timer, "time"), "act",
			"s", facts_text(timer, "act")) < 0) {
		return CTL_FAILED;
	}
	return operation_run(reset->ctl, call, slug_of(reset), &facts);
}

/* As with settings: what the lock lists leaves the list by being read. */
static int restore_timers(struct reset *reset) {
	if (!can(reset, "put-timer")) {
		return CTL_DONE;
	}
	if (ask_lock(reset, "ReadTimers") != CTL_DONE) {
		return CTL_FAILED;
	}
	AUTO(json_decref) json_t *wanted = get(reset, "TimersToRestore");
	size_t i;
	json_t *timer;
	json_array_foreach(wanted, i, timer) {
		progress(reset->ctl, "%s: timer %s %s ...", slug_of(reset),
			facts_text(timer, "days"), facts_text(timer, "time"));
		if (!is_other_act(timer) && set_timer(reset, timer) == CTL_DONE) {
			reset->n_timers++;
		}
	}
	progress_end(reset->ctl);
	return wanted != NULL ? CTL_DONE : CTL_FAILED;
}

/* The hub writes the codes by itself; here it is only waited for. */
static int await_codes(struct reset *reset, json_t **ret_sync) {
	struct ctl *ctl = reset->ctl;
	uint64_t deadline = talk_deadline(ctl->opt.timeout);
	const volatile int *stop = prompt_catch_interrupt();
	const bool never = false;
	bool was_over = false;
	if (people_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "SyncCodes", "s", slug_of(reset)) !=
		CTL_DONE) {
		return CTL_FAILED;
	}
	for (;;) {
		json_t *sync = get(reset, "Sync");
		int64_t open = facts_number(sync, "pending", 0) + facts_number(sync, "leaving", 0);
		bool is_over = !facts_flag(sync, "supported") || facts_flag(sync, "broken") ||
			       (open == 0 && !facts_flag(sync, "running") &&
				       facts_number(sync, "read_at", 0) != 0);
		progress(ctl, "%s: %jd codes to write ...", slug_of(reset), (intmax_t) open);
		/* What was asked for just now may not have been looked at yet. */
		bool is_surely_over = is_over && was_over;
		was_over = is_over;
		if (sync == NULL || is_surely_over || *stop != 0 ||
			(ctl->opt.timeout != 0 && talk_deadline(1) > deadline)) {
			progress_end(ctl);
			*ret_sync = sync;
			return sync != NULL && is_surely_over ? CTL_DONE : CTL_FAILED;
		}
		json_decref(sync);
		talk_until(ctl, &never, talk_deadline(LOOK_S), stop);
	}
}

static void print_report(
	struct reset *reset, bool is_whole, const json_t *sync, json_t *settings, json_t *timers) {
	print_json(reset->ctl,
		json_pack("{s:s, s:b, s:i, s:O, s:i, s:O, s:I, s:I, s:I}", "lock", slug_of(reset),
			"restored", is_whole, "settings_set", (int) reset->n_set, "settings_left",
			settings, "timers_set", (int) reset->n_timers, "timers_left", timers,
			"codes_present", (json_int_t) facts_number(sync, "present", 0),
			"codes_refused", (json_int_t) facts_number(sync, "refused", 0), "foreign",
			(json_int_t) facts_number(sync, "foreign", 0)));
}

static void complain_of_timers(struct reset *reset, const json_t *timers) {
	size_t i;
	json_t *timer;
	json_array_foreach(timers, i, timer) {
		complain(reset->ctl, "%s: the timer %s %s %s%s is not in it", slug_of(reset),
			facts_text(timer, "days"), facts_text(timer, "time"),
			facts_text(timer, "act"), facts_flag(timer, "enabled") ? "" : " (off)");
		if (is_other_act(timer)) {
			advise(reset->ctl, "Only the app of its maker can make that one.");
		}
	}
}

static int report(struct reset *reset, const json_t *sync) {
	struct ctl *ctl = reset->ctl;
	AUTO(json_decref) json_t *left = get(reset, "SettingsToRestore");
	AUTO(json_decref) json_t *timers = get(reset, "TimersToRestore");
	const char *key;
	json_t *value;
	int64_t n_refused = facts_number(sync, "refused", 0);
	/* What could not be read is not known to be back. */
	bool is_whole = left != NULL && json_object_size(left) == 0 && timers != NULL &&
			json_array_size(timers) == 0 && n_refused == 0;
	if (left == NULL || timers == NULL) {
		return CTL_FAILED;
	}
	if (ctl->opt.is_json) {
		print_report(reset, is_whole, sync, left, timers);
		return is_whole ? CTL_DONE : CTL_FAILED;
	}
	say(ctl, "%s: %u settings and %u timers put back, %jd codes in the lock\n", slug_of(reset),
		reset->n_set, reset->n_timers, (intmax_t) facts_number(sync, "present", 0));
	if (is_whole) {
		say(ctl, "Read again: it has what it had.%s%s\n",
			can(reset, "calibrate") ? " Calibrate it now, with the door open: "
						  "lockhubctl calibrate "
						: "",
			can(reset, "calibrate") ? slug_of(reset) : "");
		return CTL_DONE;
	}
	json_object_foreach(left, key, value) {
		complain(ctl, "%s: %s is not %s", slug_of(reset), key, json_string_value(value));
	}
	complain_of_timers(reset, timers);
	if (n_refused > 0) {
		complain(ctl, "%s refused %jd codes", slug_of(reset), (intmax_t) n_refused);
		advise(ctl, "See which: lockhubctl code list");
	}
	advise(ctl, "Try once more: lockhubctl reset --restore %s", slug_of(reset));
	return CTL_FAILED;
}

static int put_back(struct reset *reset) {
	AUTO(json_decref) json_t *sync = NULL;
	if (fetch_lock(reset) != CTL_DONE) {
		return CTL_FAILED;
	}
	if (facts_text(reset->lock, "pin_form")[0] != '\0' && !facts_flag(reset->lock, "has_pin")) {
		complain(reset->ctl, "%s is paired, but without its PIN nothing can be put back",
			slug_of(reset));
		advise(reset->ctl,
			"Run: lockhubctl set-pin %s; then: lockhubctl reset --restore %s",
			slug_of(reset), slug_of(reset));
		return CTL_FAILED;
	}
	if (restore_settings(reset) != CTL_DONE || restore_timers(reset) != CTL_DONE ||
		(can(reset, "put-credential") && await_codes(reset, &sync) != CTL_DONE)) {
		advise(reset->ctl, "Go on with: lockhubctl reset --restore %s", slug_of(reset));
		return CTL_FAILED;
	}
	return report(reset, sync);
}

/* ------------------------------------------------------------------------- to be sold */

static bool has_lock(const json_t *user, const json_t *lock) {
	size_t i;
	json_t *each;
	json_array_foreach(json_object_get(user, "locks"), i, each) {
		const char *text = json_string_value(each);
		if (text != NULL && (strcmp(text, facts_text(lock, "slug")) == 0 ||
					    strcmp(text, facts_text(lock, "id")) == 0)) {
			return true;
		}
	}
	return false;
}

/* Nobody may enter here any more: the hub takes the codes out of the lock. */
static int revoke_all(struct reset *reset, size_t *ret_n) {
	AUTO(json_decref) json_t *all = facts_fetch_all(reset->ctl);
	size_t i;
	json_t *user;
	*ret_n = 0;
	json_array_foreach(json_object_get(all, "users"), i, user) {
		if (!has_lock(user, reset->lock)) {
			continue;
		}
		if (people_call(reset->ctl, facts_text(user, "path"), USER_INTERFACE, "Revoke", "s",
			    facts_text(reset->lock, "id")) != CTL_DONE) {
			return CTL_FAILED;
		}
		++*ret_n;
	}
	return all != NULL ? CTL_DONE : CTL_FAILED;
}

/* Rows of the lock that are not the hub's: counts. */
static void count_others(struct reset *reset, size_t *ret_codes, size_t *ret_apps) {
	AUTO(json_decref) json_t *users = get(reset, "Users");
	size_t i;
	json_t *slot;
	*ret_codes = *ret_apps = 0;
	json_array_foreach(users, i, slot) {
		bool is_app = strcmp(facts_text(slot, "type"), "app_key") == 0;
		*ret_apps += is_app && !facts_flag(slot, "own");
		*ret_codes += !is_app;
	}
}

static int unpair(struct reset *reset) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	AUTO(json_decref) json_t *facts = NULL;
	if (talk_new(reset->ctl, reset->path, LOCK_INTERFACE, "Unpair", &call) < 0 ||
		sd_bus_message_append(call, "b", (int) reset->ctl->opt.is_forced) < 0) {
		return CTL_FAILED;
	}
	return operation_run(reset->ctl, call, slug_of(reset), &facts);
}

static void tell_bond(struct reset *reset, enum bond bond) {
	switch (bond) {
	case BOND_NONE:
	case BOND_REMOVED:
		break;
	case BOND_KEPT:
		say(reset->ctl,
			"  the keys that BlueZ has of it, which it did not let you take: sudo "
			"bluetoothctl "
			"remove %s\n",
			facts_text(reset->lock, "address"));
		break;
	case BOND_UNKNOWN:
		say(reset->ctl,
			"  keys that BlueZ may have of it; it could not be asked: sudo "
			"bluetoothctl remove "
			"%s\n",
			facts_text(reset->lock, "address"));
		break;
	}
}

static void tell_wiped(struct reset *reset, size_t n_users, size_t n_codes, size_t n_apps) {
	struct ctl *ctl = reset->ctl;
	enum bond bond = bond_remove(ctl, facts_text(reset->lock, "address"));
	const char *bonded = bond == BOND_REMOVED ? ", the keys that BlueZ had of it" : "";
	if (ctl->opt.is_forced) {
		say(ctl,
			"\nWiped here, and the lock was not asked: the rights of %zu users, the "
			"hub's key, "
			"its\nsettings, timers, topics and measurements%s.\n"
			"Not wiped:\n"
			"  %zu codes in the lock, which open it as before, the hub's key there, "
			"its "
			"settings and\n"
			"  timers, %zu apps and other devices, its own log, its PIN: reset it, as "
			"above\n",
			n_users, bonded, n_codes, n_apps);
	} else {
		say(ctl,
			"\nWiped: the rights of %zu users, their codes in the lock, the hub's key, "
			"its "
			"settings,\ntimers, topics and measurements here%s.\n"
			"Not wiped:\n"
			"  %zu codes, %zu apps and other devices in the lock, its settings and "
			"timers, "
			"its own\n"
			"  log, its PIN: reset it, as above\n",
			n_users, bonded, n_codes, n_apps);
	}
	tell_bond(reset, bond);
	say(ctl, "  the entries of this hub's log, which nobody can take out: retention does in "
		 "time\n"
		 "  backups made before, daily ones too, with the old key, sealed: lockhubctl "
		 "backup "
		 "list\n"
		 "  what Home Assistant has recorded, and the lock in the vendor's account\n");
}

static int run_for_sale(struct reset *reset) {
	struct ctl *ctl = reset->ctl;
	AUTO(json_decref) json_t *sync = NULL;
	size_t n_users, n_codes = 0, n_apps = 0;
	if (ctl->opt.is_json) {
		return usage_error(ctl, "--json goes with --restore");
	}
	say(ctl,
		"%s is to go: all codes of this hub and the hub's own key are taken out of it, and "
		"its\nkeys, settings, rights, topics and measurements are wiped here. There is no "
		"way back.\n",
		facts_text(reset->lock, "name"));
	int r = confirm(reset);
	if (r == CTL_DONE) {
		r = back_up(reset, "before-sale");
	}
	if (r == CTL_DONE) {
		r = revoke_all(reset, &n_users);
	}
	if (r == CTL_DONE && !ctl->opt.is_forced && await_codes(reset, &sync) != CTL_DONE) {
		complain(ctl, "%s has not confirmed that all codes are gone", slug_of(reset));
		advise(ctl,
			"Try again, or go on without it: lockhubctl reset --for-sale --force %s",
			slug_of(reset));
		r = CTL_FAILED;
	}
	if (r != CTL_DONE) {
		return r;
	}
	count_others(reset, &n_codes, &n_apps);
	/* What to do at the lock is not known any more when it is gone from here. */
	say(ctl, "Then reset the lock itself, which takes out what nobody else can:\n");
	show_steps(reset, "factory_reset");
	r = unpair(reset);
	if (r != CTL_DONE) {
		advise(ctl,
			"Without the lock's own consent: lockhubctl reset --for-sale --force %s",
			slug_of(reset));
		return r;
	}
	tell_wiped(reset, n_users, n_codes, n_apps);
	return CTL_DONE;
}

/* ------------------------------------------------------------------------- the ways */

/* Whether the lock does not know the hub any more: it is asked now. */
static bool has_lost_us(struct reset *reset) {
	if (ask_lock(reset, "Refresh") == CTL_DONE) {
		return false;
	}
	return fetch_lock(reset) == CTL_DONE &&
	       strcmp(facts_text(reset->lock, "fault"), "not-authorized") == 0;
}

static int run_restore(struct reset *reset) {
	int r = CTL_DONE;
	if (has_lost_us(reset)) {
		if (!reset->ctl->opt.is_json) {
			say(reset->ctl, "That is what a lock says that was reset. What it had is "
					"still known here.\n");
		}
		r = pair(reset);
	}
	return r == CTL_DONE ? put_back(reset) : r;
}

/*
 * What a phone changed since it was read last goes into the backup, too. A lock that is to be reset
 * may well be one that answers nothing: then what is known has to do.
 */
static void read_once_more(struct reset *reset) {
	if (!facts_flag(reset->lock, "reachable") || !facts_flag(reset->lock, "has_pin")) {
		return;
	}
	if (ask_lock(reset, "ReadSettings") != CTL_DONE ||
		(can(reset, "put-timer") && ask_lock(reset, "ReadTimers") != CTL_DONE)) {
		say(reset->ctl, "What is put back is what was read from it before.\n");
	}
}

static int run_reset(struct reset *reset) {
	struct ctl *ctl = reset->ctl;
	if (ctl->opt.is_json) {
		return usage_error(ctl, "--json goes with --restore");
	}
	explain(reset);
	show_losses(reset);
	int r = confirm(reset);
	if (r == CTL_DONE) {
		read_once_more(reset);
		r = back_up(reset, "before-reset");
	}
	if (r != CTL_DONE) {
		return r;
	}
	say(ctl, "Reset the lock now:\n");
	show_steps(reset, "factory_reset");
	r = pair(reset);
	return r == CTL_DONE ? put_back(reset) : r;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	struct reset reset = { .ctl = ctl, .word = args[0] };
	if (ctl->opt.is_restore && ctl->opt.is_for_sale) {
		return usage_error(ctl, "--restore or --for-sale, not both");
	}
	int r = talk_find_lock(ctl, args[0], reset.path) < 0 ? CTL_FAILED : fetch_lock(&reset);
	if (r == CTL_DONE) {
		r = ctl->opt.is_restore    ? run_restore(&reset)
		    : ctl->opt.is_for_sale ? run_for_sale(&reset)
					   : run_reset(&reset);
	}
	json_decref(reset.lock);
	json_decref(reset.seen);
	return r;
}

const struct command cmd_reset = {
	.name = "reset",
	.args = "LOCK",
	.blurb = "Reset a lock with you, pair it again and put back what it had",
	.help = "The last resort. Says whether what is known calls for it and what will be lost,\n"
		"wants the name of the lock typed, backs up, restores that on the side and\n"
		"compares, tells the steps of this model, waits for the lock in pairing mode,\n"
		"pairs it as the same lock (users, codes, history and topics stay), puts back its\n"
		"settings, timers and codes, and reads them again. With --restore: of a lock that\n"
		"was reset already, and to go on after an interruption. With --for-sale, after\n"
		"the same backup, all of it is wiped instead, here and in the lock, and what\n"
		"cannot be wiped is listed; --force does it without the lock. Needs the role\n"
		"manage.",
	.example = "lockhubctl reset --restore front-door",
	.options = OPT_JSON | OPT_YES | OPT_PIN_STDIN | OPT_KEY_FILE | OPT_SECONDS | OPT_FORCE |
		   OPT_RESET,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
