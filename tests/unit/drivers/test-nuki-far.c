/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The driver against the virtual lock, back to back: what one writes the other reads. Both were
 * written from the same document, apart from each other; that they agree shows that neither
 * misreads it in a way of its own, and that the jobs hold together over a life with a lock.
 */

#include "../../test.h"

#include <errno.h>
#include <stdio.h>

#include "core/driver.h"
#include "far-lock.h"
#include "nuki/driver.h"
#include "util/auto.h"

#define NOW 1795327200 /* 2026-11-22 06:00 UTC, a Sunday */
#define PIECES_MAX 4096
#define LOG_MAX 200

struct piece {
	char characteristic[40];
	uint8_t value[520];
	size_t n;
};

static struct scene {
	struct far_lock *far;
	struct session *session;
	struct secret keys;
	/* the air */
	struct piece out; /* the one write under way */
	bool is_writing;
	struct piece *in;
	size_t n_in, i_in;
	unsigned timer_ms;
	/* what came of it */
	unsigned n_done;
	struct job_result result;
	struct slot slots[SLOTS_PER_LOCK_MAX];
	size_t n_slots;
	struct log_entry log[LOG_MAX];
	size_t n_log;
	struct lock_timer timers[64];
	size_t n_timers;
	struct setting settings[SETTINGS_MAX]; /* as told last */
	size_t n_settings;
	FILE *record; /* NULL, or where a transcript goes */
	unsigned ms;  /* of it */
} scene;

/* ---- the host ---- */

static void host_write(void *host, const char *characteristic, const uint8_t *buf, size_t n) {
	assert_false(scene.is_writing);
	assert_true(n <= sizeof(scene.out.value));
	strcpy(scene.out.characteristic, characteristic);
	memcpy(scene.out.value, buf, n);
	scene.out.n = n;
	scene.is_writing = true;
}

static void host_arm(void *host, unsigned ms) {
	scene.timer_ms = ms;
}

static void host_evidence(void *host, const struct evidence *evidence) {
}

static void host_log(void *host, const struct log_entry *entries, size_t n) {
	assert_true(scene.n_log + n <= LOG_MAX);
	memcpy(scene.log + scene.n_log, entries, n * sizeof(*entries));
	scene.n_log += n;
}

static void host_slots(void *host, const struct slot *slots, size_t n) {
	assert_true(scene.n_slots + n <= SLOTS_PER_LOCK_MAX);
	memcpy(scene.slots + scene.n_slots, slots, n * sizeof(*slots));
	scene.n_slots += n;
}

static void host_timers(void *host, const struct lock_timer *timers, size_t n) {
	assert_true(scene.n_timers + n <= ARRAY_SIZE(scene.timers));
	memcpy(scene.timers + scene.n_timers, timers, n * sizeof(*timers));
	scene.n_timers += n;
}

static void host_settings(void *host, const struct setting *settings, size_t n) {
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < scene.n_settings &&
			strcmp(scene.settings[k].key, settings[i].key) != 0) {
			k++;
		}
		assert_true(k < SETTINGS_MAX);
		scene.n_settings = k == scene.n_settings ? k + 1 : scene.n_settings;
		scene.settings[k] = settings[i];
	}
}

static void host_keys(void *host, const struct secret *keys) {
	scene.keys = *keys;
}

static bool host_gate(void *host) {
	return true;
}

static void host_done(void *host, const struct job_result *result) {
	scene.result = *result;
	scene.n_done++;
}

static void host_trace(void *host, const char *text) {
}

static void host_frame(
	void *host, bool is_out, const char *characteristic, const uint8_t *plain, size_t n) {
	if (scene.record != NULL) {
		fprintf(scene.record, "%04u %c %.8s ", scene.ms, is_out ? '>' : '<',
			characteristic);
		for (size_t i = 0; i < n; i++) {
			fprintf(scene.record, "%02x", plain[i]);
		}
		fputc('\n', scene.record);
	}
}

static const struct session_host host = {
	.write = host_write,
	.arm = host_arm,
	.evidence = host_evidence,
	.log = host_log,
	.slots = host_slots,
	.timers = host_timers,
	.settings = host_settings,
	.keys = host_keys,
	.gate = host_gate,
	.done = host_done,
	.trace = host_trace,
	.frame = host_frame,
};

static void on_said(void *user, const char *characteristic, const uint8_t *value, size_t n) {
	assert_true(scene.n_in < PIECES_MAX && n <= sizeof(scene.in->value));
	struct piece *piece = &scene.in[scene.n_in++];
	strcpy(piece->characteristic, characteristic);
	memcpy(piece->value, value, n);
	piece->n = n;
}

/* ---- what happens ---- */

/* One thing: a write arrives, a piece arrives, or time passes. false: nothing is left. */
static bool step(void) {
	if (scene.is_writing) {
		scene.is_writing = false;
		int r = far_write(
			scene.far, scene.out.characteristic, scene.out.value, scene.out.n);
		scene.session->impl->written(scene.session, r, RADIO_NOT_SENT);
		return true;
	}
	if (scene.i_in < scene.n_in) {
		const struct piece *piece = &scene.in[scene.i_in++];
		scene.session->impl->bytes(
			scene.session, piece->characteristic, piece->value, piece->n);
		return true;
	}
	scene.i_in = scene.n_in = 0;
	if (scene.n_done > 0 || scene.timer_ms == 0) {
		return false;
	}
	/* The motor, or whatever the lock is at; else the session's patience is over. */
	const unsigned ms = scene.timer_ms;
	for (unsigned passed = 0; passed < ms && scene.n_in == 0; passed += 100) {
		far_pass(scene.far, 100);
		scene.ms += 100;
	}
	if (scene.n_in == 0) {
		scene.timer_ms = 0;
		scene.session->impl->timer(scene.session);
	}
	return true;
}

static int start(const struct job *job) {
	struct fault fault = { 0 };

	scene.n_done = 0;
	scene.n_slots = 0;
	scene.n_log = 0;
	scene.n_timers = 0;
	int r = scene.session->impl->start(scene.session, job, &fault);
	if (r < 0) {
		scene.result = (struct job_result){ .fault = fault };
	}
	return r;
}

static enum fault_code run(const struct job *job) {
	if (start(job) == 0) {
		while (scene.n_done == 0 && step()) {
		}
		assert_int_equal(scene.n_done, 1);
	}
	return scene.result.fault.code;
}

static void run_well(const struct job *job) {
	if (run(job) != FAULT_NONE) {
		fail_msg("%s: %s (%s)", act_name(job->act), fault_name(scene.result.fault.code),
			scene.result.fault.detail);
	}
}

static void link_up(unsigned mtu) {
	far_connect(scene.far, mtu);
	scene.session->impl->up(scene.session, mtu);
}

static void link_down(void) {
	far_disconnect(scene.far);
	scene.is_writing = false;
	scene.i_in = scene.n_in = 0;
	scene.session->impl->down(scene.session);
}

/* Paired, with the keys of that, and a link. */
static void scene_init(const char *model, unsigned mtu) {
	const bool is_5g = strcmp(model, "nuki:5g") == 0;
	/* A Keypad 2 is unknown to the firmware of that time. */
	const char *keypad = strcmp(model, "nuki:gen2") == 0 ? "1" : "2";
	const char *const pairs[] = { "name", "front", "model", model, "pin",
		is_5g ? "023456" : "1234", "keypad", keypad, "codes-max", "60", "idle", "0", NULL };
	struct job job = {
		.act = ACT_PAIR, .client_name = "lockhub", .client_id = 77, .as_bridge = true
	};

	memset(&scene, 0, sizeof(scene));
	scene.in = calloc(PIECES_MAX, sizeof(*scene.in));
	assert_non_null(scene.in);
	scene.far = far_new(pairs, on_said, NULL);
	assert_non_null(scene.far);
	far_set_wall(scene.far, NOW);
	assert_int_equal(far_pairing(scene.far), 0);
	scene.session = nuki_driver.session_new(NULL, &host, NULL);
	assert_non_null(scene.session);
	link_up(mtu);
	assert_int_equal(secret_set_text(&job.pin, is_5g ? "023456" : "1234"), 0);
	run_well(&job);
	link_down();
	scene.session = scene.session->impl->free(scene.session);
	scene.session = nuki_driver.session_new(&scene.keys, &host, NULL);
	assert_non_null(scene.session);
	link_up(mtu);
}

static void scene_finish(void) {
	scene.session = scene.session->impl->free(scene.session);
	scene.far = far_free(scene.far);
	free(scene.in);
	secret_wipe(&scene.keys);
}

/* ---- credentials ---- */

static struct slot code_slot(unsigned i) {
	struct slot slot = { .type = CREDENTIAL_PIN, .is_enabled = i % 7 != 6 };
	char digits[7];

	snprintf(digits, sizeof(digits), "%u%u%u%u%u%u", 2 + i % 8, 1 + i / 8 % 9, 9U, 8U, 7U,
		1 + i / 72 % 9);
	assert_int_equal(secret_set_text(&slot.pin, digits), 0);
	snprintf(slot.name, sizeof(slot.name), "Bj\xc3\xb6rn %u", i);
	slot.is_limited = i % 3 != 0;
	if (slot.is_limited) {
		slot.window = (struct slot_window){
			.from = { i % 2 == 0 ? 0 : NOW - 3600 * (int64_t) i },
			.until = { i % 5 == 0 ? 0 : NOW + 86400 * (int64_t) i },
			.days = (uint8_t) (i % 128),
			.start_minute = (int16_t) (i % 4 == 0 ? 0 : i),
			.end_minute = (int16_t) (i % 4 == 0 ? 0 : 1439 - i),
		};
	}
	return slot;
}

static enum fault_code put(const struct slot *slot) {
	const struct job job = { .act = ACT_PUT_CREDENTIAL, .slot = *slot };

	return run(&job);
}

static enum fault_code drop(enum credential_type type, int64_t ref) {
	const struct job job = { .act = ACT_REMOVE_CREDENTIAL,
		.slot = { .type = type, .ref = ref } };

	return run(&job);
}

static void read_users(void) {
	run_well(&(struct job){ .act = ACT_READ_USERS });
}

static const struct slot *find(enum credential_type type, int64_t ref) {
	for (size_t i = 0; i < scene.n_slots; i++) {
		if (scene.slots[i].type == type && scene.slots[i].ref == ref) {
			return &scene.slots[i];
		}
	}
	return NULL;
}

static const struct slot *find_pin(const struct secret *pin) {
	for (size_t i = 0; i < scene.n_slots; i++) {
		if (secret_equal(&scene.slots[i].pin, pin)) {
			return &scene.slots[i];
		}
	}
	return NULL;
}

static void assert_same(const struct slot *got, const struct slot *wanted) {
	assert_non_null(got);
	assert_string_equal(got->name, wanted->name);
	assert_true(secret_equal(&got->pin, &wanted->pin));
	assert_int_equal(got->is_enabled, wanted->is_enabled);
	assert_int_equal(got->is_limited, wanted->is_limited);
	assert_int_equal(got->window.from.s, wanted->window.from.s);
	assert_int_equal(got->window.until.s, wanted->window.until.s);
	assert_int_equal(got->window.days, wanted->window.days);
	assert_int_equal(got->window.start_minute, wanted->window.start_minute);
	assert_int_equal(got->window.end_minute, wanted->window.end_minute);
}

static void fifty_codes(const char *model, unsigned mtu) {
	struct slot wanted[50];

	scene_init(model, mtu);
	for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
		wanted[i] = code_slot(i);
		assert_int_equal(put(&wanted[i]), FAULT_NONE);
		assert_true(scene.result.ref > 0);
		wanted[i].ref = scene.result.ref;
	}
	read_users();
	assert_int_equal(scene.n_slots, 51);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_same(find(CREDENTIAL_PIN, wanted[i].ref), &wanted[i]);
		assert_int_equal(find(CREDENTIAL_PIN, wanted[i].ref)->n_uses, 0);
		assert_int_equal(
			find(CREDENTIAL_PIN, wanted[i].ref)->created_at.s / 3600, NOW / 3600);
	}
	/* Each third is changed in every respect, each second one goes. */
	for (unsigned i = 0; i < ARRAY_SIZE(wanted); i += 3) {
		const int64_t ref = wanted[i].ref;
		wanted[i] = code_slot(i + 100);
		wanted[i].ref = ref;
		assert_int_equal(put(&wanted[i]), FAULT_NONE);
		assert_int_equal(scene.result.ref, ref);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i += 2) {
		assert_int_equal(drop(CREDENTIAL_PIN, wanted[i].ref), FAULT_NONE);
	}
	read_users();
	assert_int_equal(scene.n_slots, 26);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (i % 2 == 0) {
			assert_null(find(CREDENTIAL_PIN, wanted[i].ref));
		} else {
			assert_same(find(CREDENTIAL_PIN, wanted[i].ref), &wanted[i]);
		}
	}
	scene_finish();
}

static void fifty_codes_come_back(void **state) {
	fifty_codes("nuki:gen4", 517);
	fifty_codes("nuki:5g", 517);
	fifty_codes("nuki:gen2", 23);
}

static void the_lock_has_limits(void **state) {
	struct slot slot;
	unsigned i = 0;

	scene_init("nuki:gen4", 247);
	for (; i < 60; i++) {
		slot = code_slot(i);
		assert_int_equal(put(&slot), FAULT_NONE);
	}
	slot = code_slot(i);
	assert_int_equal(put(&slot), FAULT_LIST_FULL);
	assert_int_equal(scene.result.sent, JOB_NOT_SENT);
	slot = code_slot(5);
	assert_int_equal(put(&slot), FAULT_CODE_EXISTS);
	slot.ref = 2;
	assert_int_equal(put(&slot), FAULT_CODE_EXISTS);
	assert_int_equal(scene.result.sent, JOB_NOT_SENT);
	slot.ref = 999;
	assert_int_equal(put(&slot), FAULT_BAD_PARAMETER);
	assert_int_equal(drop(CREDENTIAL_PIN, 999), FAULT_BAD_PARAMETER);
	assert_int_equal(drop(CREDENTIAL_APP_KEY, 999), FAULT_NO_SUCH_ENTRY);
	assert_int_equal(drop(CREDENTIAL_PIN, 1), FAULT_NONE);
	slot = code_slot(i);
	assert_int_equal(put(&slot), FAULT_NONE);
	assert_int_equal(scene.result.ref, 61);
	scene_finish();
}

/* ---- who it was ---- */

static const struct log_entry *read_newest(void) {
	const struct job job = { .act = ACT_READ_LOG, .log_max = LOG_MAX };

	run_well(&job);
	assert_true(scene.n_log > 0);
	return &scene.log[scene.n_log - 1];
}

static void the_log_says_who(void **state) {
	struct slot slot = code_slot(0);

	scene_init("nuki:gen4", 247);
	assert_int_equal(put(&slot), FAULT_NONE);
	const int64_t ref = scene.result.ref;
	const uint32_t code = (uint32_t) atoi((const char *) slot.pin.bytes);
	assert_int_equal(far_enter(scene.far, code), 0);
	far_pass(scene.far, 10000);
	const struct log_entry *entry = read_newest();
	assert_int_equal(entry->kind, EVENT_LOCK_OPERATION);
	assert_int_equal(entry->operation, OPERATION_UNLOCK);
	assert_int_equal(entry->source, SOURCE_KEYPAD);
	assert_int_equal(entry->credential, CREDENTIAL_PIN);
	assert_int_equal(entry->user_ref, ref);
	assert_string_equal(entry->user, slot.name);
	read_users();
	assert_int_equal(find(CREDENTIAL_PIN, ref)->n_uses, 1);
	assert_true(find(CREDENTIAL_PIN, ref)->last_used_at.s >= NOW);

	assert_int_equal(far_finger(scene.far, (uint32_t) ref), 0);
	far_pass(scene.far, 10000);
	entry = read_newest();
	assert_int_equal(entry->credential, CREDENTIAL_FINGERPRINT);
	assert_int_equal(entry->user_ref, ref);
	assert_int_equal(entry->operation, OPERATION_LOCK);
	assert_int_equal(far_key(scene.far), 0);
	far_pass(scene.far, 10000);
	entry = read_newest();
	assert_int_equal(entry->source, SOURCE_KEYPAD);
	assert_int_equal(entry->credential, CREDENTIAL_NONE);
	assert_int_equal(entry->user_ref, 0);
	assert_int_equal(far_enter(scene.far, 999999), -EACCES);
	entry = read_newest();
	assert_int_equal(entry->kind, EVENT_LOCK_OPERATION_ERROR);
	assert_int_equal(entry->error, OPERATION_ERROR_INVALID_CREDENTIAL);
	assert_int_equal(entry->credential, CREDENTIAL_NONE);
	assert_string_equal(entry->user, "");

	run_well(&(struct job){ .act = ACT_UNLOCK });
	entry = read_newest();
	assert_true(entry->is_own);
	assert_int_equal(entry->credential, CREDENTIAL_APP_KEY);
	assert_int_equal(entry->source, SOURCE_PROPRIETARY_REMOTE);
	assert_true(
		find(CREDENTIAL_APP_KEY, entry->user_ref) == NULL); /* forgotten by the job... */
	const int64_t own = entry->user_ref;
	read_users();
	assert_true(find(CREDENTIAL_APP_KEY, own)->is_own); /* ... and there it is */
	scene_finish();
}

/* What is put is what the keypad goes by. */
static void windows_are_those_of_the_keypad(void **state) {
	struct slot slot = code_slot(0);

	scene_init("nuki:gen4", 247);
	const uint32_t code = (uint32_t) atoi((const char *) slot.pin.bytes);
	slot.is_limited = true;
	/* 06:00 UTC on a Sunday is 07:00 where the lock hangs. */
	static const struct {
		struct slot_window window;
		bool is_open;
	} rows[] = {
		{ { .days = 0 }, true },
		{ { .days = DAY_SUNDAY }, true },
		{ { .days = DAYS_ALL & ~DAY_SUNDAY }, false },
		{ { .start_minute = 420, .end_minute = 439 }, true },
		{ { .start_minute = 360, .end_minute = 419 }, false },
		{ { .days = DAY_SUNDAY, .start_minute = 480, .end_minute = 1439 }, false },
		{ { .from = { NOW + 3600 } }, false },
		{ { .from = { NOW - 3600 }, .until = { NOW + 3600 } }, true },
		{ { .until = { NOW - 1 } }, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		slot.window = rows[i].window;
		assert_int_equal(put(&slot), FAULT_NONE);
		slot.ref = scene.result.ref;
		far_set_wall(scene.far, NOW);
		int r = far_enter(scene.far, code);
		if (r != (rows[i].is_open ? 0 : -EACCES)) {
			fail_msg("row %zu: %d", i, r);
		}
		far_pass(scene.far, 60000);
	}
	slot.is_limited = false;
	slot.is_enabled = false;
	assert_int_equal(put(&slot), FAULT_NONE);
	assert_int_equal(far_enter(scene.far, code), -EACCES);
	scene_finish();
}

/* ---- others ---- */

static uint32_t in_app(const char *a, const char *b, const char *c) {
	const char *const words[] = { a, b, c, NULL };
	uint32_t id = 0;

	assert_int_equal(far_app(scene.far, words, &id), 0);
	return id;
}

static void others_are_seen(void **state) {
	scene_init("nuki:gen4", 247);
	const uint32_t code = in_app("add-code", "987654", "Plumber");
	const uint32_t phone = in_app("add-phone", "Eva's phone", NULL);
	read_users();
	assert_int_equal(scene.n_slots, 3);
	assert_string_equal(find(CREDENTIAL_PIN, code)->name, "Plumber");
	struct slot slot = *find(CREDENTIAL_APP_KEY, phone);
	assert_string_equal(slot.name, "Eva's phone");
	assert_false(slot.is_own);
	assert_true(slot.is_enabled && slot.is_remote_allowed);
	slot.is_enabled = false;
	slot.is_limited = true;
	slot.window = (struct slot_window){ .until = { NOW + 86400 }, .days = 0x3e };
	assert_int_equal(put(&slot), FAULT_NONE);
	in_app("change-code", "1", "456789");
	read_users();
	assert_same(find(CREDENTIAL_APP_KEY, phone), &slot);
	assert_memory_equal(find(CREDENTIAL_PIN, code)->pin.bytes, "456789", 6);
	assert_int_equal(drop(CREDENTIAL_APP_KEY, phone), FAULT_NONE);
	assert_int_equal(drop(CREDENTIAL_PIN, code), FAULT_NONE);
	read_users();
	assert_int_equal(scene.n_slots, 1);
	assert_true(scene.slots[0].is_own);
	assert_int_equal(drop(CREDENTIAL_APP_KEY, scene.slots[0].ref), FAULT_BAD_ARGUMENT);
	assert_int_equal(far_reset(scene.far), 0);
	far_pass(scene.far, 10000);
	scene.i_in = scene.n_in = 0;
	link_down();
	link_up(247);
	assert_int_equal(run(&(struct job){ .act = ACT_READ_USERS }), FAULT_NOT_AUTHORIZED);
	assert_int_equal(scene.n_slots, 0);
	scene_finish();
}

/* ---- timers ---- */

static int64_t put_timer(const struct lock_timer *timer) {
	run_well(&(struct job){ .act = ACT_PUT_TIMER, .timer = *timer });
	assert_true(scene.result.ref > 0);
	return scene.result.ref;
}

static void timers_run(void **state) {
	/* 07:00 where the lock hangs, a Sunday. */
	struct lock_timer timers[] = {
		{ .is_enabled = true, .days = DAY_SUNDAY, .minute = 422, .act = ACT_UNLOCK },
		{ .is_enabled = true,
			.days = DAYS_ALL & ~DAY_SUNDAY,
			.minute = 424,
			.act = ACT_LOCK },
		{ .is_enabled = false, .minute = 426, .act = ACT_UNLATCH },
		{ .is_enabled = true, .minute = 1439, .act = ACT_LOCK_N_GO },
	};

	scene_init("nuki:gen4", 247);
	for (size_t i = 0; i < ARRAY_SIZE(timers); i++) {
		timers[i].ref = put_timer(&timers[i]);
	}
	run_well(&(struct job){ .act = ACT_READ_TIMERS });
	assert_int_equal(scene.n_timers, ARRAY_SIZE(timers));
	for (size_t i = 0; i < ARRAY_SIZE(timers); i++) {
		assert_int_equal(scene.timers[i].ref, timers[i].ref);
		assert_int_equal(scene.timers[i].is_enabled, timers[i].is_enabled);
		assert_int_equal(scene.timers[i].days, timers[i].days);
		assert_int_equal(scene.timers[i].minute, timers[i].minute);
		assert_int_equal(scene.timers[i].act, timers[i].act);
	}
	far_set_wall(scene.far, NOW);
	far_pass(scene.far, 10 * 60000);
	assert_int_equal(far_motor_runs(scene.far), 1);
	const struct log_entry *entry = read_newest();
	assert_int_equal(entry->kind, EVENT_LOCK_OPERATION);
	assert_int_equal(entry->operation, OPERATION_UNLOCK);
	assert_int_equal(entry->source, SOURCE_SCHEDULE);
	assert_int_equal(entry->credential, CREDENTIAL_NONE);
	assert_int_equal(entry->time.s / 60, NOW / 60 + 2);
	timers[2].is_enabled = true;
	timers[2].minute = 432;
	assert_int_equal(put_timer(&timers[2]), timers[2].ref);
	run_well(&(struct job){ .act = ACT_REMOVE_TIMER, .timer = timers[0] });
	run_well(&(struct job){ .act = ACT_READ_TIMERS });
	assert_int_equal(scene.n_timers, 3);
	far_pass(scene.far, 10 * 60000);
	assert_int_equal(read_newest()->operation, OPERATION_UNLATCH);
	assert_int_equal(run(&(struct job){ .act = ACT_REMOVE_TIMER, .timer = timers[0] }),
		FAULT_BAD_PARAMETER);
	scene_finish();
}

/* ---- settings ---- */

/* Another value that the setting takes, in its canonical form. */
static void other_value(const struct lock_setting *row, const char *now, char *out) {
	char range[SETTING_RANGE_MAX];

	switch (row->kind) {
	case SETTING_SWITCH:
		strcpy(out, strcmp(now, "on") == 0 ? "off" : "on");
		return;
	case SETTING_NUMBER:
		snprintf(out, SETTING_VALUE_MAX, "%d", atoi(now) == row->max ? row->min : row->max);
		return;
	case SETTING_SELECT:
		strcpy(out, row->options[strcmp(now, row->options[0]) == 0 ? 1 : 0]);
		return;
	case SETTING_TIME:
		strcpy(out, strcmp(now, "23:59") == 0 ? "00:00" : "23:59");
		return;
	case SETTING_TEXT:
		strcpy(out, "Haust\xc3\xbcr");
		return;
	}
	fail_msg("%s takes %s", row->key, setting_range(row, range));
}

static enum fault_code set(const char *key, const char *value) {
	struct job job = { .act = ACT_PUT_SETTING };

	strcpy(job.setting.key, key);
	strcpy(job.setting.value, value);
	return run(&job);
}

/* Each in turn: it is another one then, and all the rest is as it was, in the lock itself. */
static void settings_of(const char *model, size_t least) {
	struct setting before[SETTINGS_MAX];
	char wanted[SETTING_VALUE_MAX];
	size_t n_rows;
	size_t n;

	scene_init(model, 247);
	run_well(&(struct job){ .act = ACT_READ_SETTINGS });
	n = scene.n_settings;
	assert_true(n >= least);
	const struct lock_setting *rows = nuki_driver.settings(&scene.keys, NULL, &n_rows);
	assert_non_null(rows);
	for (size_t i = 0; i < n; i++) {
		const struct lock_setting *row = setting_find(rows, n_rows, scene.settings[i].key);

		assert_non_null(row);
		memcpy(before, scene.settings, sizeof(before));
		/* What is told is in the form in which it is taken. */
		assert_int_equal(setting_check(row, before[i].value, wanted, NULL), 0);
		assert_string_equal(wanted, before[i].value);
		other_value(row, before[i].value, wanted);
		assert_int_equal(set(row->key, wanted), FAULT_NONE);
		scene.n_settings = 0;
		run_well(&(struct job){ .act = ACT_READ_SETTINGS });
		assert_int_equal(scene.n_settings, n);
		strcpy(before[i].value, wanted);
		for (size_t k = 0; k < n; k++) {
			assert_string_equal(scene.settings[k].key, before[k].key);
			assert_string_equal(scene.settings[k].value, before[k].value);
		}
		/* A second time nothing has to be written. */
		assert_int_equal(set(row->key, wanted), FAULT_NONE);
	}
	scene_finish();
}

static void settings_are_set_one_by_one(void **state) {
	settings_of("nuki:gen1", 15);
	settings_of("nuki:gen2", 25);
	settings_of("nuki:gen3", 28);
	settings_of("nuki:gen4", 31);
	settings_of("nuki:5g", 31);
}

static void a_setting_that_is_not_there_is_not_set(void **state) {
	scene_init("nuki:gen4", 247);
	assert_int_equal(set("MotorSpeed", "gentle"), FAULT_NOT_SUPPORTED);
	assert_int_equal(set("LEDBrightness", "6"), FAULT_BAD_ARGUMENT);
	assert_int_equal(set("AutoRelockTime", "29"), FAULT_BAD_ARGUMENT);
	assert_int_equal(set("EnableButton", "yes"), FAULT_BAD_ARGUMENT); /* not canonical */
	assert_int_equal(set("unlocked_offset", "90"), FAULT_NOT_SUPPORTED);
	scene_finish();
}

/* Off is off, and the time stays for the day on which it is switched on again. */
static void auto_lock_is_two_fields_and_one_setting(void **state) {
	scene_init("nuki:gen4", 247);
	assert_int_equal(set("AutoRelockTime", "300"), FAULT_NONE);
	assert_int_equal(set("AutoRelockTime", "0"), FAULT_NONE);
	scene.n_settings = 0;
	run_well(&(struct job){ .act = ACT_READ_SETTINGS });
	for (size_t i = 0; i < scene.n_settings; i++) {
		if (strcmp(scene.settings[i].key, "AutoRelockTime") == 0) {
			assert_string_equal(scene.settings[i].value, "0");
		}
	}
	assert_int_equal(set("AutoRelockTime", "300"), FAULT_NONE);
	scene_finish();
}

/* ---- a transcript ---- */

static void record(const char *words, const struct job *job) {
	fprintf(scene.record, "%04u = start %s\n", scene.ms, words);
	run_well(job);
	fprintf(scene.record, "%04u = done none\n", scene.ms);
}

/*
 * What is said while a lock is read, as test-nuki-record.c replays it: the file says so too. With
 * LOCKHUB_TRANSCRIPT_WRITE=1 it is written anew.
 */
static void transcript_is_that_of_today(void **state) {
	const char *root = getenv("LOCKHUB_SOURCE_ROOT");
	const bool is_writing = getenv("LOCKHUB_TRANSCRIPT_WRITE") != NULL;
	char path[512], there[64 * 1024] = "";
	char *text = NULL;
	size_t n_text = 0;

	scene_init("nuki:gen4", 517);
	for (unsigned i = 0; i < 3; i++) {
		const struct slot slot = code_slot(i);
		assert_int_equal(put(&slot), FAULT_NONE);
	}
	in_app("add-phone", "Eva's phone", NULL);
	put_timer(&(struct lock_timer){ .is_enabled = true, .minute = 1350, .act = ACT_LOCK });
	far_key(scene.far);
	far_pass(scene.far, 10000);
	scene.i_in = scene.n_in = 0;
	link_down();
	link_up(517);
	run_well(&(struct job){ .act = ACT_READ_STATE });
	scene.record = open_memstream(&text, &n_text);
	assert_non_null(scene.record);
	scene.ms = 0;
	fputs("# lockhub transcript 1\n"
	      "# made by: LOCKHUB_TRANSCRIPT_WRITE=1 LOCKHUB_SOURCE_ROOT=. build/tests/"
	      "test-drivers-nuki-far, with the virtual nuki:gen4\n"
	      "# Keys, PINs, nonces, ids and names are blanked.\n"
	      "# milliseconds, direction, characteristic, octets in clear\n"
	      "0000 = up 0\n",
		scene.record);
	record("read-state", &(struct job){ .act = ACT_READ_STATE });
	record("read-users", &(struct job){ .act = ACT_READ_USERS });
	record("read-users", &(struct job){ .act = ACT_READ_USERS });
	record("read-timers", &(struct job){ .act = ACT_READ_TIMERS });
	record("read-battery", &(struct job){ .act = ACT_READ_BATTERY });
	record("read-log 0 50", &(struct job){ .act = ACT_READ_LOG, .log_max = 50 });
	fclose(scene.record);
	scene.record = NULL;

	snprintf(path, sizeof(path), "%s/tests/transcripts/nuki/users.txt",
		root != NULL ? root : ".");
	FILE *file = fopen(path, is_writing ? "w" : "r");
	assert_non_null(file);
	if (is_writing) {
		assert_int_equal(fwrite(text, 1, n_text, file), n_text);
	} else {
		assert_true(fread(there, 1, sizeof(there) - 1, file) > 0);
		assert_string_equal(there, text);
	}
	fclose(file);
	free(text);
	scene_finish();
}

/* The link goes after each single thing: "not sent" means that the lock knows nothing of it. */
static void a_lost_link_tells_the_truth(void **state) {
	unsigned n_sent = 0, n_maybe_there = 0, n_maybe_not = 0;

	for (unsigned n_steps = 0;; n_steps++) {
		struct slot slot = code_slot(n_steps);
		scene_init("nuki:gen4", 23);
		slot.is_enabled = true;
		assert_int_equal(
			start(&(struct job){ .act = ACT_PUT_CREDENTIAL, .slot = slot }), 0);
		for (unsigned k = 0; k < n_steps && scene.n_done == 0; k++) {
			step();
		}
		const bool was_done = scene.n_done > 0;
		link_down();
		assert_int_equal(scene.n_done, 1);
		const struct job_result result = scene.result;
		link_up(247);
		read_users();
		const struct slot *there = find_pin(&slot.pin);
		if (was_done) {
			assert_same(there, &slot);
			scene_finish();
			break;
		}
		assert_int_equal(result.fault.code, FAULT_LINK_LOST);
		if (result.sent == JOB_NOT_SENT) {
			assert_null(there);
			n_sent++;
		} else if (there != NULL) {
			assert_same(there, &slot);
			n_maybe_there++;
		} else {
			n_maybe_not++;
		}
		scene_finish();
	}
	assert_true(n_sent > 2 && n_maybe_there > 0 && n_maybe_not > 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fifty_codes_come_back),
		cmocka_unit_test(the_lock_has_limits),
		cmocka_unit_test(the_log_says_who),
		cmocka_unit_test(windows_are_those_of_the_keypad),
		cmocka_unit_test(others_are_seen),
		cmocka_unit_test(timers_run),
		cmocka_unit_test(settings_are_set_one_by_one),
		cmocka_unit_test(a_setting_that_is_not_there_is_not_set),
		cmocka_unit_test(auto_lock_is_two_fields_and_one_setting),
		cmocka_unit_test(transcript_is_that_of_today),
		cmocka_unit_test(a_lost_link_tells_the_truth),
	};

	return cmocka_run_group_tests_name("nuki-far", tests, NULL, NULL);
}
