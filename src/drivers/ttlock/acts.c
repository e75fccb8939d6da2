/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which steps a job has: pairing, the bolt, state, battery, configuration, clock, log, reset.
 */

#include "machine.h"

#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "util/auto.h"
#include "util/text.h"

#define DEVICE_MODEL 1
#define DEVICE_HARDWARE 2
#define DEVICE_FIRMWARE 3
/* The record of what was just done is at the log's end: not further away than this. */
#define CHECK_PAGES_MAX 60

static size_t fill_word(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_word(out);
}

/* ---- state and battery ---- */

static void take_state(struct ttlock_session *session, const uint8_t *data, size_t n) {
	struct ttlock_state state;

	if (ttlock_state_parse(TTLOCK_STATE, data, n, &state) < 0) {
		ttlock_bad_answer(session, n);
		return;
	}
	ttlock_tell_percent(session, state.percent);
	if (state.has_state && !session->keys.is_stuck) {
		ttlock_tell_bolt(session,
			state.state == 0   ? LOCK_STATE_LOCKED
			: state.state == 1 ? LOCK_STATE_UNLOCKED
					   : LOCK_STATE_UNKNOWN,
			false);
	}
}

const struct ttlock_step ttlock_step_state = { TTLOCK_STATE, 0, fill_word, take_state };

int ttlock_plan_look(struct ttlock_session *session, struct fault *ret_fault) {
	ttlock_add_step(session, &ttlock_step_state);
	return 0;
}

static void take_features(struct ttlock_session *session, const uint8_t *data, size_t n) {
	uint64_t features;
	uint8_t percent;

	if (ttlock_features_parse(data, n, &percent, &features) < 0) {
		ttlock_bad_answer(session, n);
		return;
	}
	ttlock_tell_percent(session, percent);
	if (features != session->keys.features) {
		session->keys.features = features;
		if (session->job.act != ACT_PAIR) {
			ttlock_keep_keys(session);
		}
	}
}

static const struct ttlock_step features = { TTLOCK_FEATURES, 0, NULL, take_features };

int ttlock_plan_battery(struct ttlock_session *session, struct fault *ret_fault) {
	ttlock_add_step(session, &features);
	return 0;
}

/* ---- configuration ---- */

static size_t fill_model(struct ttlock_session *session, uint8_t *out) {
	out[0] = DEVICE_MODEL;
	return 1;
}

static size_t fill_hardware(struct ttlock_session *session, uint8_t *out) {
	out[0] = DEVICE_HARDWARE;
	return 1;
}

static size_t fill_firmware(struct ttlock_session *session, uint8_t *out) {
	out[0] = DEVICE_FIRMWARE;
	return 1;
}

static void take_model(struct ttlock_session *session, const uint8_t *data, size_t n) {
	struct version_facts *versions = &session->versions;
	char name[sizeof(versions->model) - sizeof("TTLock ")];

	ttlock_text_parse(data, n, name, sizeof(name));
	(void) snprintf(versions->model, sizeof(versions->model), "TTLock%s%s",
		name[0] != '\0' ? " " : "", name);
}

static void take_hardware(struct ttlock_session *session, const uint8_t *data, size_t n) {
	ttlock_text_parse(data, n, session->versions.hardware, sizeof(session->versions.hardware));
}

static void take_firmware(struct ttlock_session *session, const uint8_t *data, size_t n) {
	struct evidence evidence = { .has = FACT_VERSIONS, .how = EVIDENCE_ANSWERED };

	ttlock_text_parse(data, n, session->versions.firmware, sizeof(session->versions.firmware));
	evidence.versions = session->versions;
	session_evidence(&session->base, &evidence);
}

static void add_device(struct ttlock_session *session) {
	static const struct ttlock_step steps[] = {
		{ TTLOCK_DEVICE, STEP_OPTIONAL, fill_model, take_model },
		{ TTLOCK_DEVICE, STEP_OPTIONAL, fill_hardware, take_hardware },
		{ TTLOCK_DEVICE, STEP_OPTIONAL, fill_firmware, take_firmware },
	};

	(void) text_copy(session->versions.model, sizeof(session->versions.model), "TTLock");
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		ttlock_add_step(session, &steps[i]);
	}
}

static size_t fill_read(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_read(out);
}

static void take_auto_lock(struct ttlock_session *session, const uint8_t *data, size_t n) {
	struct evidence evidence = { .has = FACT_CONFIG, .how = EVIDENCE_ANSWERED };
	struct ttlock_auto_lock found;

	if (ttlock_auto_lock_parse(data, n, &found) < 0) {
		return;
	}
	ttlock_tell_percent(session, found.percent);
	evidence.config.auto_lock_s = found.seconds;
	evidence.config.has_keypad = ttlock_has(&session->keys, TTLOCK_HAS_CODES);
	evidence.config.has_door_sensor = ttlock_has(&session->keys, TTLOCK_HAS_DOOR_SENSOR);
	evidence.config.is_log_enabled = true;
	session_evidence(&session->base, &evidence);
}

static void take_time(struct ttlock_session *session, const uint8_t *data, size_t n) {
	struct evidence evidence = { .has = FACT_CLOCK, .how = EVIDENCE_ANSWERED };

	if (n < TTLOCK_TIME_LEN) {
		return;
	}
	evidence.clock = (struct clock_facts){
		.lock_time = ttlock_date_to_wall(session->job.zone, data, TTLOCK_TIME_LEN),
		.hub_time = session->job.now,
		.is_hub_trusted = session->job.is_now_trusted,
	};
	if (session->job.zone != NULL) {
		evidence.clock.offset_minutes =
			session->job.zone->offset(session->job.zone, session->job.now) / 60;
	}
	session_evidence(&session->base, &evidence);
}

static const struct ttlock_step read_time = { TTLOCK_GET_TIME, STEP_OPTIONAL, NULL, take_time };

static void add_time(struct ttlock_session *session) {
	if (!ttlock_has(&session->keys, TTLOCK_HAS_NO_CLOCK)) {
		ttlock_add_step(session, &read_time);
	}
}

int ttlock_plan_config(struct ttlock_session *session, struct fault *ret_fault) {
	static const struct ttlock_step auto_lock = { TTLOCK_AUTO_LOCK, STEP_OPTIONAL, fill_read,
		take_auto_lock };

	ttlock_add_step(session, &features);
	add_device(session);
	add_time(session);
	if (session->keys.is_admin && ttlock_has(&session->keys, TTLOCK_HAS_AUTO_LOCK)) {
		ttlock_add_login(session);
		ttlock_add_step(session, &auto_lock);
	}
	return 0;
}

/* ---- the clock ---- */

static size_t fill_time(struct ttlock_session *session, uint8_t *out) {
	ttlock_date_from_wall(session->job.zone, session->job.now, out);
	return TTLOCK_TIME_LEN;
}

int ttlock_plan_time(struct ttlock_session *session, struct fault *ret_fault) {
	static const struct ttlock_step set_time = { TTLOCK_SET_TIME, 0, fill_time, NULL };

	if (!session->job.is_now_trusted) {
		return fault_set(ret_fault, FAULT_CLOCK_WRONG, "the hub does not know the time");
	}
	ttlock_add_login(session);
	ttlock_add_step(session, &set_time);
	add_time(session);
	return 0;
}

/* ---- pairing ---- */

static void take_key(struct ttlock_session *session, const uint8_t *data, size_t n) {
	if (n != TTLOCK_KEY_LEN) {
		ttlock_bad_answer(session, n);
		return;
	}
	memcpy(session->keys.key, data, TTLOCK_KEY_LEN);
}

static size_t fill_admin_new(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_admin_new(&session->keys, out);
}

static void take_admin_new(struct ttlock_session *session, const uint8_t *data, size_t n) {
	if (n < TTLOCK_WORD_LEN || memcmp(data, TTLOCK_WORD, TTLOCK_WORD_LEN) != 0) {
		session_fail(
			&session->base, FAULT_PAIRING_FAILED, "it did not take the administrator");
	}
}

static size_t fill_user(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_user(&session->keys, out);
}

static void take_user(struct ttlock_session *session, const uint8_t *data, size_t n) {
	struct rd rd = rd_on(data, n);

	session->challenge = rd_u32be(&rd);
	if (rd_ok(&rd) < 0) {
		ttlock_bad_answer(session, n);
	}
}

static const struct ttlock_step user = { TTLOCK_USER, STEP_SECRET, fill_user, take_user };

static uint32_t new_number(void) {
	return crypto_random_u32() % TTLOCK_NUMBER_MAX + 1;
}

/* The numbers are kept only at the end: a lock that was left in the middle can be paired again. */
static void plan_init(struct ttlock_session *session) {
	static const struct ttlock_step begin[] = {
		{ TTLOCK_INIT, STEP_FACTORY, NULL, NULL },
		{ TTLOCK_GET_KEY, STEP_FACTORY | STEP_SECRET, fill_word, take_key },
		{ TTLOCK_ADD_ADMIN, STEP_SECRET | STEP_CHANGES, fill_admin_new, take_admin_new },
	};
	static const struct ttlock_step set_time = { TTLOCK_SET_TIME, STEP_OPTIONAL, fill_time,
		NULL };
	static const struct ttlock_step finish = { TTLOCK_FINISH, 0, NULL, NULL };

	session->keys.admin = new_number();
	session->keys.unlock = new_number();
	memcpy(session->keys.start, ttlock_date_first, sizeof(session->keys.start));
	memcpy(session->keys.end, ttlock_date_last, sizeof(session->keys.end));
	session->keys.is_admin = true;
	session->keys.is_ours = true;
	for (size_t i = 0; i < ARRAY_SIZE(begin); i++) {
		ttlock_add_step(session, &begin[i]);
	}
	if (session->job.is_now_trusted) {
		ttlock_add_step(session, &set_time);
	}
	ttlock_add_step(session, &features);
	add_device(session);
	ttlock_add_step(session, &finish);
	ttlock_add_step(session, &ttlock_step_state);
}

int ttlock_plan_pair(struct ttlock_session *session, struct fault *ret_fault) {
	ttlock_keys_wipe(&session->keys);
	session->keys.head =
		(struct ttlock_head){ .scene = session->job.variant, .group = 1, .org = 1 };
	if (session->job.key.len == 0) {
		plan_init(session);
		return 0;
	}
	const int r = ttlock_keys_parse(&session->job.key, &session->keys, ret_fault);
	if (r < 0) {
		return r;
	}
	if (session->keys.is_admin) {
		ttlock_add_login(session);
	}
	ttlock_add_step(session, &user);
	ttlock_add_step(session, &features);
	add_device(session);
	ttlock_add_step(session, &ttlock_step_state);
	return 0;
}

/* ---- the bolt ---- */

/* The time, as the apps do it; never the same twice. */
static uint32_t new_record(struct ttlock_session *session) {
	const uint32_t last =
		session->n_own > 0 ? session->own[(session->n_own - 1) % TTLOCK_OWN_MAX] : 0;
	const uint32_t now = (uint32_t) session->job.now.s;
	const uint32_t record = now > last ? now : last + 1;

	session->own[session->n_own++ % TTLOCK_OWN_MAX] = record;
	return record;
}

static bool is_own_record(const struct ttlock_session *session, uint32_t record) {
	for (size_t i = 0; i < session->n_own && i < TTLOCK_OWN_MAX; i++) {
		if (session->own[i] == record) {
			return true;
		}
	}
	return false;
}

static size_t fill_move(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_move(&session->keys, session->challenge, new_record(session), out);
}

int ttlock_plan_move(struct ttlock_session *session, struct fault *ret_fault) {
	static const struct ttlock_step lock = { TTLOCK_LOCK, STEP_MOVES | STEP_SECRET, fill_move,
		NULL };
	static const struct ttlock_step unlock = { TTLOCK_UNLOCK, STEP_MOVES | STEP_SECRET,
		fill_move, NULL };

	ttlock_add_step(session, &user);
	ttlock_add_step(session, session->job.act == ACT_LOCK ? &lock : &unlock);
	return 0;
}

/* ---- the log ---- */

static size_t fill_cursor(struct ttlock_session *session, uint8_t *out) {
	return ttlock_put_cursor(session->cursor, out);
}

static int64_t seq_of(uint16_t next) {
	return next; /* the record's own number is one less, and ours begin with 1 */
}

static void tell_record(
	struct ttlock_session *session, const struct ttlock_record *record, uint16_t next) {
	struct log_entry entry;
	struct ttlock_tail tail;

	ttlock_record_tail(record, &tail);
	const bool is_own =
		tail.has_user && ((session->keys.is_ours && tail.uid == session->keys.uid) ||
					 is_own_record(session, tail.record));
	ttlock_log_entry(&session->keys, session->job.zone, record, seq_of(next), is_own, &entry);
	if (entry.kind == EVENT_DOOR_STATE_CHANGE) {
		session->has_door = true;
		session->door = entry.door;
		session->sensor_percent = tail.accessory_percent;
	}
	wipe(&tail, sizeof(tail));
	session_log(&session->base, &entry, 1);
	session->n_entries++;
}

/*
 * Nothing asks where the door is: the log's last word about it counts, when it is read to its end.
 * Before that it may be an old story.
 */
static void tell_door(struct ttlock_session *session) {
	struct evidence evidence = { .has = FACT_DOOR, .how = EVIDENCE_LOGGED };

	if (!session->has_door) {
		return;
	}
	session->has_door = false;
	evidence.door = session->door;
	if (session->sensor_percent >= 0 && session->sensor_percent <= 100) {
		evidence.has |= FACT_ACCESSORIES;
		evidence.accessories.keypad = BATTERY_UNKNOWN;
		evidence.accessories.door_sensor =
			session->sensor_percent <= TTLOCK_CRITICAL_PERCENT  ? BATTERY_CRITICAL
			: session->sensor_percent <= TTLOCK_WARNING_PERCENT ? BATTERY_WARNING
									    : BATTERY_OK;
	}
	session_evidence(&session->base, &evidence);
}

/* One record a page, says everybody; if there are more, their numbers end at the page's. */
static int read_page(struct ttlock_session *session, struct rd *rd, uint16_t next) {
	struct ttlock_record records[16];
	size_t n = 0;
	int r = 1;

	while (n < ARRAY_SIZE(records) && (r = ttlock_record_next(rd, &records[n])) > 0) {
		n++;
	}
	for (size_t i = 0; i < n && r >= 0; i++) {
		const uint16_t its_next = (uint16_t) (next - (n - 1 - i));

		if (its_next > session->job.log_cursor) {
			tell_record(session, &records[i], its_next);
		}
	}
	return r < 0 ? r : (int) n;
}

static void take_log(struct ttlock_session *session, const uint8_t *data, size_t n) {
	uint16_t next;
	struct rd rd;

	if (ttlock_log_page(data, n, &next, &rd) < 0) {
		ttlock_bad_answer(session, n);
		return;
	}
	const bool is_end = next == 0 || next == TTLOCK_CURSOR_END || next <= session->cursor;
	if (next != 0 && read_page(session, &rd, next) < 0) {
		ttlock_bad_answer(session, n);
		return;
	}
	if (is_end) {
		tell_door(session);
		return;
	}
	if (session->n_entries >= session->job.log_max) {
		session->is_log_more = true;
		return;
	}
	(void) ttlock_next_page(session, next);
}

int ttlock_plan_log(struct ttlock_session *session, struct fault *ret_fault) {
	static const struct ttlock_step log = { TTLOCK_LOG, STEP_SECRET, fill_cursor, take_log };
	const int64_t cursor = session->job.log_cursor;

	if (cursor >= TTLOCK_CURSOR_END || cursor < 0) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED,
			"the log of such a lock has no entry %lld", (long long) cursor);
	}
	session->cursor = (uint16_t) cursor;
	ttlock_add_step(session, &log);
	return 0;
}

static void conclude(struct ttlock_session *session) {
	const bool is_locking = session->job.act == ACT_LOCK;

	if (!session->is_found) {
		ttlock_tell_bolt(session, LOCK_STATE_UNKNOWN, true);
		session_fail(&session->base, FAULT_JAMMED,
			"the lock took the command, but it does not say that it is %s, and its log "
			"has no record of it",
			is_locking ? "locked" : "unlocked");
		return;
	}
	/* That it says unlocked after an unlocking: it may have locked again by itself. */
	if (is_locking && !session->keys.is_stuck && session->state.has_state) {
		session_trace(&session->base, "its state is always %u: not believed from now on",
			session->state.state);
		session->keys.is_stuck = true;
		ttlock_keep_keys(session);
	}
	if (session->keys.is_stuck) {
		ttlock_tell_bolt(
			session, is_locking ? LOCK_STATE_LOCKED : LOCK_STATE_UNLOCKED, false);
	}
}

static void take_check(struct ttlock_session *session, const uint8_t *data, size_t n) {
	const uint32_t wanted = session->own[(session->n_own - 1) % TTLOCK_OWN_MAX];
	struct ttlock_record record;
	struct ttlock_tail tail;
	uint16_t next = 0;
	struct rd rd;

	if (ttlock_log_page(data, n, &next, &rd) < 0) {
		ttlock_bad_answer(session, n);
		return;
	}
	while (ttlock_record_next(&rd, &record) > 0) {
		ttlock_record_tail(&record, &tail);
		session->is_found = session->is_found || (tail.has_user && tail.record == wanted);
		wipe(&tail, sizeof(tail));
	}
	const bool is_end = next == 0 || next == TTLOCK_CURSOR_END || next <= session->cursor;
	if (!session->is_found && !is_end && session->n_pages < CHECK_PAGES_MAX) {
		(void) ttlock_next_page(session, next);
	} else if (session->is_found || is_end) {
		conclude(session);
	} else {
		session_fail(&session->base, FAULT_MOTOR_TIMEOUT,
			"the lock took the command, but does not say that it did it; its log is "
			"too long to look there");
	}
}

void ttlock_add_check(struct ttlock_session *session) {
	static const struct ttlock_step check = { TTLOCK_LOG, STEP_SECRET, fill_cursor,
		take_check };
	const int64_t cursor = session->job.log_cursor;

	session->cursor = cursor > 0 && cursor < TTLOCK_CURSOR_END ? (uint16_t) cursor : 0;
	session->n_pages = 0;
	ttlock_add_step(session, &check);
}

/* ---- back to the factory ---- */

int ttlock_plan_reset(struct ttlock_session *session, struct fault *ret_fault) {
	static const struct ttlock_step reset = { TTLOCK_RESET, STEP_CHANGES, NULL, NULL };

	ttlock_add_login(session);
	ttlock_add_step(session, &reset);
	return 0;
}
