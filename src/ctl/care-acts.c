/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What several tasks of care do at a lock, and what they measure. */

#include "care.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define TRIES 3
#define CLOCK_OFF_S 10
#define SIGNAL_LEAST_DBM (-82)
#define BATTERY_LEAST_PERCENT 30
#define SAMPLES_MAX 64

bool care_look(struct care *care) {
	json_t *lock = facts_fetch_lock(care->ctl, care->path);
	if (lock != NULL) {
		json_decref(care->lock);
		care->lock = lock;
	}
	return lock != NULL;
}

bool care_can(const struct care *care, const char *act) {
	const json_t *each;
	size_t i;
	json_array_foreach(json_object_get(care->lock, "acts"), i, each) {
		const char *name = json_string_value(each);
		if (name != NULL && strcmp(name, act) == 0) {
			return true;
		}
	}
	return false;
}

static bool run(struct care *care, const char *method, const struct secret *factor) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	AUTO(json_decref) json_t *facts = NULL;
	if (talk_new(care->ctl, care->path, LOCK_INTERFACE, method, &call) < 0) {
		return false;
	}
	if (factor != NULL) {
		sd_bus_message_sensitive(call);
		if (sd_bus_message_append(call, "s", (const char *) factor->bytes) < 0) {
			return false;
		}
	}
	return operation_run(care->ctl, call, care->slug, &facts) == CTL_DONE;
}

/* Remote unlocking may ask for a second factor; a terminal is needed to give it. */
static bool run_proven(struct care *care) {
	AUTO_VALUE(secret_wipe) struct secret factor = { 0 };
	care->ctl->expected = care->ctl->is_asking ? FAULT_FACTOR_REQUIRED : FAULT_NONE;
	care->ctl->has_met_expected = false;
	bool is_done = run(care, "Unlock", NULL);
	care->ctl->expected = FAULT_NONE;
	if (is_done || !care->ctl->has_met_expected) {
		return is_done;
	}
	return prompt_secret(care->ctl, "code (personal code or one-time password)", false,
		       &factor) == CTL_DONE &&
	       run(care, "UnlockWithFactor", &factor);
}

bool care_act(struct care *care, const char *method, int64_t *ret_ms) {
	int64_t begun = moment_boot_ms();
	bool is_done = strcmp(method, "Unlock") == 0 ? run_proven(care) : run(care, method, NULL);
	if (ret_ms != NULL) {
		*ret_ms = moment_boot_ms() - begun;
	}
	return is_done && care_look(care);
}

const char *care_battery_text(const json_t *lock, char out[static CARE_TEXT_MAX]) {
	int64_t percent = facts_number(lock, "battery_percent", -1);
	const char *level = facts_text(lock, "battery_level");
	if (percent >= 0) {
		snprintf(out, CARE_TEXT_MAX, "%jd %%, %s", (intmax_t) percent, level);
	} else {
		snprintf(out, CARE_TEXT_MAX, "%s", level[0] != '\0' ? level : "unknown");
	}
	return out;
}

enum care_result care_wait_back(struct care *care) {
	for (int i = 0; i < TRIES; i++) {
		int64_t ms = 0;
		if (care_act(care, "Refresh", &ms)) {
			return care_tell(
				care, CARE_DONE, "it answers, after %.1f s", (double) ms / 1000);
		}
	}
	return care_tell(care, CARE_FAILED, "it does not answer");
}

/* Clock, battery, signal, calibration */

enum care_result care_check_clock(struct care *care) {
	int64_t before = facts_number(care->lock, "clock_offset_s", INT64_MIN);
	if (!care_can(care, "set-time")) {
		return care_tell(care, CARE_SKIPPED, "this lock has no clock to be set");
	}
	if (!facts_flag(care->lock, "has_pin")) {
		return care_tell(
			care, CARE_SKIPPED, "needs the PIN: lockhubctl set-pin %s", care->slug);
	}
	if (!care_act(care, "SyncClock", NULL) || !care_act(care, "ReadConfig", NULL)) {
		return care_tell(care, CARE_FAILED, "it could not be set");
	}
	int64_t after = facts_number(care->lock, "clock_offset_s", INT64_MIN);
	if (after == INT64_MIN) {
		return care_tell(care, CARE_DONE, "set");
	}
	bool is_right = after >= -CLOCK_OFF_S && after <= CLOCK_OFF_S;
	if (before == INT64_MIN) {
		return care_tell(care, is_right ? CARE_DONE : CARE_FAILED, "set; %jd s off now",
			(intmax_t) after);
	}
	return care_tell(care, is_right ? CARE_DONE : CARE_FAILED, "%jd s off before, %jd s now",
		(intmax_t) before, (intmax_t) after);
}

enum care_result care_check_battery(struct care *care) {
	char text[CARE_TEXT_MAX];
	if (care_can(care, "read-battery") && !care_act(care, "ReadBattery", NULL)) {
		return care_tell(care, CARE_FAILED, "it could not be read");
	}
	if (!care_act(care, "Refresh", NULL)) {
		return care_tell(care, CARE_FAILED, "the lock does not answer");
	}
	bool is_good = strcmp(facts_text(care->lock, "battery_level"), "ok") == 0 &&
		       facts_number(care->lock, "battery_percent", 100) >= BATTERY_LEAST_PERCENT;
	return care_tell(
		care, is_good ? CARE_DONE : CARE_FAILED, "%s", care_battery_text(care->lock, text));
}

enum care_result care_check_signal(struct care *care) {
	int64_t rssi = facts_number(care->lock, "rssi", 0);
	if (rssi == 0) {
		return care_tell(care, CARE_FAILED, "the lock is not heard");
	}
	return care_tell(care, rssi >= SIGNAL_LEAST_DBM ? CARE_DONE : CARE_FAILED,
		"heard with %jd dBm (%d or better is good)", (intmax_t) rssi, SIGNAL_LEAST_DBM);
}

enum care_result care_check_calibrated(struct care *care) {
	if (json_object_get(json_object_get(care->lock, "known"), "actuator") == NULL) {
		(void) care_act(care, "ReadConfig", NULL);
	}
	if (facts_flag(care->lock, "calibrated")) {
		return care_tell(care, CARE_DONE, "the lock says that it is calibrated");
	}
	if (!care_can(care, "calibrate")) {
		return care_tell(care, CARE_FAILED, "not calibrated; only the app can do it");
	}
	care_print_steps(care, "calibrate");
	switch (care_ask(care, "The motor turns to both ends. Calibrate now?")) {
	case ANSWER_NO:
		return care_tell(care, CARE_FAILED, "not calibrated");
	case ANSWER_NOBODY:
		return care_tell(care, CARE_OPEN, "not calibrated");
	case ANSWER_YES:
		break;
	}
	if (!care_act(care, "Calibrate", NULL) || !care_act(care, "Refresh", NULL)) {
		return care_tell(care, CARE_FAILED, "calibrating failed");
	}
	return care_tell(care, facts_flag(care->lock, "calibrated") ? CARE_DONE : CARE_FAILED,
		facts_flag(care->lock, "calibrated") ? "calibrated" : "still not calibrated");
}

/* The bolt */

static int compare_int64(const void *a, const void *b) {
	int64_t left = *(const int64_t *) a, right = *(const int64_t *) b;
	return left < right ? -1 : left > right;
}

static int64_t median_of(int64_t *values, size_t n) {
	if (n == 0) {
		return -1;
	}
	qsort(values, n, sizeof(values[0]), compare_int64);
	return values[n / 2];
}

int64_t care_median_sample(const struct care *care, const char *kind, size_t n) {
	const json_t *samples = json_object_get(json_object_get(care->history, "samples"), kind);
	int64_t values[SAMPLES_MAX];
	size_t all = json_array_size(samples), n_values = 0;
	for (size_t i = all > n ? all - n : 0; i < all && n_values < SAMPLES_MAX; i++) {
		values[n_values++] =
			json_integer_value(json_array_get(json_array_get(samples, i), 1));
	}
	return median_of(values, n_values);
}

int care_link_percent(const struct care *care, int days) {
	const json_t *rows = json_object_get(care->history, "days");
	size_t all = json_array_size(rows);
	int64_t attempts = 0, failures = 0;
	for (size_t i = all > (size_t) days ? all - (size_t) days : 0; i < all; i++) {
		attempts += facts_number(json_array_get(rows, i), "attempts", 0);
		failures += facts_number(json_array_get(rows, i), "failures", 0);
	}
	return attempts < 5 || failures > attempts ? -1
						   : (int) ((attempts - failures) * 100 / attempts);
}

bool care_look_back(struct care *care) {
	json_t *history = history_fetch(care->ctl, care->path, care->slug);
	if (history != NULL) {
		json_decref(care->history);
		care->history = history;
	}
	return history != NULL;
}

static bool is_at(const struct care *care, const char *state) {
	return strcmp(facts_text(care->lock, "state"), state) == 0;
}

/* There and back; the time of the slower way. */
static enum care_result cycle(
	struct care *care, const char *first, const char *second, int64_t *ret_ms) {
	const char *const methods[] = { first, second };
	for (size_t i = 0; i < 2; i++) {
		bool is_lock = strcmp(methods[i], "Lock") == 0;
		int64_t ms = 0;
		if (!care_act(care, methods[i], &ms)) {
			return care_tell(
				care, CARE_FAILED, "%s failed", is_lock ? "locking" : "unlocking");
		}
		if (facts_flag(care->lock, "jammed") ||
			!is_at(care, is_lock ? "locked" : "unlocked")) {
			return care_tell(care, CARE_FAILED, "after %s it is %s%s",
				is_lock ? "locking" : "unlocking", facts_text(care->lock, "state"),
				facts_flag(care->lock, "jammed") ? ", jammed" : "");
		}
		*ret_ms = ms > *ret_ms ? ms : *ret_ms;
	}
	return CARE_DONE;
}

/* What hub and lock have measured of the last runs. */
static void say_motor(struct care *care) {
	if (care_look_back(care)) {
		int64_t locking = care_median_sample(care, "lock_ms", 1);
		int64_t unlocking = care_median_sample(care, "unlock_ms", 1);
		if (locking >= 0 && unlocking >= 0) {
			care_say(care, "  the motor alone: locking %.1f s, unlocking %.1f s\n",
				(double) locking / 1000, (double) unlocking / 1000);
		}
	}
	if (care_can(care, "read-battery") && care_act(care, "ReadBattery", NULL)) {
		const json_t *report = json_object_get(care->lock, "battery_report");
		int64_t peak = facts_number(report, "milliamps_peak", 0);
		int64_t lowest = facts_number(report, "millivolts_lowest", 0);
		if (peak > 0 && lowest > 0) {
			care_say(care, "  at most %jd mA, at the lowest %jd mV\n", (intmax_t) peak,
				(intmax_t) lowest);
		}
	}
}

enum care_result care_cycle_bolt(struct care *care, uint64_t cycles) {
	int64_t values[SAMPLES_MAX];
	size_t n_values = 0;
	switch (care_ask(
		care, "The bolt will move %ju times there and back. May it?", (uintmax_t) cycles)) {
	case ANSWER_NO:
		return care_tell(care, CARE_SKIPPED, "the bolt was not to move");
	case ANSWER_NOBODY:
		return care_tell(care, CARE_OPEN, "nobody allowed the bolt to move");
	case ANSWER_YES:
		break;
	}
	if (!care_act(care, "Refresh", NULL)) {
		return care_tell(care, CARE_FAILED, "it does not answer");
	}
	bool was_unlocked = !is_at(care, "locked");
	for (uint64_t i = 0; i < cycles; i++) {
		int64_t ms = 0;
		enum care_result result = was_unlocked ? cycle(care, "Lock", "Unlock", &ms)
						       : cycle(care, "Unlock", "Lock", &ms);
		if (result != CARE_DONE) {
			char why[CARE_TEXT_MAX];
			text_copy(why, sizeof(why), care->text);
			return care_tell(care, result, "%.60s (round %ju of %ju)", why,
				(uintmax_t) i + 1, (uintmax_t) cycles);
		}
		care_say(care, "  round %ju of %ju: %.1f s\n", (uintmax_t) i + 1,
			(uintmax_t) cycles, (double) ms / 1000);
		if (n_values < SAMPLES_MAX) {
			values[n_values++] = ms;
		}
	}
	int64_t median = median_of(values, n_values);
	say_motor(care);
	return care_tell(care, CARE_DONE,
		"%ju times there and back; slower way %.1f s in the middle, %.1f s at most",
		(uintmax_t) cycles, (double) median / 1000,
		n_values > 0 ? (double) values[n_values - 1] / 1000 : 0);
}

/* What people do at the door */

static int64_t newest_seq(struct care *care) {
	int status = CTL_DONE;
	AUTO(json_decref) json_t *events = log_page(care->ctl, care->slug, 1, 0, 0, &status);
	return facts_number(json_array_get(events, 0), "seq", 0);
}

static bool has_seen(struct care *care, int64_t after, const char *source) {
	int status = CTL_DONE;
	AUTO(json_decref)
	json_t *events = log_page(care->ctl, care->slug, LOG_PAGE, 0, after, &status);
	const json_t *event;
	size_t i;
	json_array_foreach(events, i, event) {
		/* "remote", or "proprietary_remote" where the lock says no more. */
		if (strstr(facts_text(event, "source"), source) != NULL) {
			care_tell(care, CARE_DONE, "seen: %.80s", facts_text(event, "line"));
			return true;
		}
	}
	return false;
}

static void read_log(struct care *care) {
	if (care_act(care, "Refresh", NULL) && facts_flag(care->lock, "has_pin")) {
		(void) care_act(care, "ReadLog", NULL);
	}
}

enum care_result care_watch_hand(struct care *care, const char *source, const char *request) {
	/* What was done before, and is not in the hub's log yet, does not count. */
	read_log(care);
	int64_t after = newest_seq(care);
	enum care_result result = care_person(care, request);
	if (result != CARE_DONE) {
		/* "No" here means that there is nothing to try: no key, no keypad. */
		return result == CARE_FAILED ? care_tell(care, CARE_SKIPPED, "not tried") : result;
	}
	for (int i = 0; i < TRIES; i++) {
		read_log(care);
		if (has_seen(care, after, source)) {
			return CARE_DONE;
		}
	}
	return care_tell(care, CARE_FAILED, "the hub has not seen it%s",
		facts_flag(care->lock, "has_pin") ? ""
						  : "; it reads the lock's log only with the PIN");
}

/* Versions */

int care_compare_versions(const char *a, const char *b) {
	while (*a != '\0' || *b != '\0') {
		char *end_a, *end_b;
		unsigned long left = strtoul(a, &end_a, 10), right = strtoul(b, &end_b, 10);
		if (left != right) {
			return left < right ? -1 : 1;
		}
		if (end_a == a && end_b == b) {
			return strcmp(a, b);
		}
		a = *end_a == '.' ? end_a + 1 : end_a;
		b = *end_b == '.' ? end_b + 1 : end_b;
	}
	return 0;
}
