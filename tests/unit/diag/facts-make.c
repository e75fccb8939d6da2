/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "facts-make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "util/auto.h"
#include "util/text.h"

#define NOW INT64_C(1795356000) /* a Sunday in November 2026 */
#define DAY_S INT64_C(86400)

/* ---- chance ---- */

static uint32_t next(struct made *made) {
	made->random ^= made->random << 13;
	made->random ^= made->random >> 7;
	made->random ^= made->random << 17;
	return (uint32_t) (made->random >> 16);
}

static int between(struct made *made, int least, int most) {
	return least + (int) (next(made) % (uint32_t) (most - least + 1));
}

static bool chance(struct made *made, int percent) {
	return between(made, 1, 100) <= percent;
}

/* How many of n happen, each with that many percent. */
static uint32_t happen(struct made *made, uint32_t n, int percent) {
	uint32_t happened = 0;

	for (uint32_t i = 0; i < n; i++) {
		happened += chance(made, percent);
	}
	return happened;
}

static enum known_flag flag(struct made *made, int percent) {
	return chance(made, 12) ? FLAG_UNKNOWN : chance(made, percent) ? FLAG_YES : FLAG_NO;
}

/* ---- parts ---- */

static void know(struct known *known, enum evidence_how how, int64_t ago_s) {
	*known = (struct known){ .how = how, .wall = { NOW - ago_s } };
}

static void add_sample(struct made *made, enum sample_kind kind, int64_t at, int32_t value) {
	struct history *history = &made->lock.history;

	if (history->n_samples < MADE_SAMPLES) {
		made->samples[history->n_samples++] = (struct sample){
			.kind = kind, .at = { at }, .is_time_trusted = true, .value = value
		};
	}
}

static int compare_samples(const void *a, const void *b) {
	const struct sample *x = a;
	const struct sample *y = b;

	return (x->at.s > y->at.s) - (x->at.s < y->at.s);
}

static void sort_samples(struct made *made) {
	qsort(made->samples, made->lock.history.n_samples, sizeof(made->samples[0]),
		compare_samples);
}

static void drop_samples(struct made *made, enum sample_kind kind) {
	struct history *history = &made->lock.history;
	size_t n = 0;

	for (size_t i = 0; i < history->n_samples; i++) {
		if (made->samples[i].kind != kind) {
			made->samples[n++] = made->samples[i];
		}
	}
	history->n_samples = n;
}

struct habits {
	int attempts, fail_percent, moves, dbm, link_ms;
	bool has_door, knows_reasons;
};

static void strengths(struct made *made, uint32_t *counts, int dbm, int n) {
	static const enum day_key keys[] = { DAY_RSSI_50, DAY_RSSI_60, DAY_RSSI_70, DAY_RSSI_80,
		DAY_RSSI_90, DAY_RSSI_WEAKER };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		counts[keys[i]] = 0;
	}
	for (int i = 0; i < n; i++) {
		int at = dbm + between(made, -7, 7);
		int class = at >= -50 ? 0 : (-at - 41) / 10;
		counts[keys[class > 5 ? 5 : class]]++;
	}
}

static void live_day(struct made *made, struct lock_day *day, const struct habits *habits) {
	static const enum day_key attempts[] = { DAY_NIGHT_ATTEMPTS, DAY_MORNING_ATTEMPTS,
		DAY_NOON_ATTEMPTS, DAY_EVENING_ATTEMPTS };
	static const enum day_key failures[] = { DAY_NIGHT_FAILURES, DAY_MORNING_FAILURES,
		DAY_NOON_FAILURES, DAY_EVENING_FAILURES };
	uint32_t *c = day->counts;

	for (int i = between(made, habits->attempts / 2, habits->attempts * 3 / 2); i > 0; i--) {
		size_t quarter = (size_t) between(made, 0, 3);
		c[attempts[quarter]]++;
		c[DAY_ATTEMPTS]++;
		if (chance(made, habits->fail_percent)) {
			c[failures[quarter]]++;
			c[DAY_FAILURES]++;
		}
	}
	c[DAY_LINKS] = c[DAY_ATTEMPTS] - c[DAY_FAILURES];
	c[DAY_LINK_TIME_MS] = c[DAY_LINKS] * (uint32_t) habits->link_ms;
	c[DAY_LINK_S] = c[DAY_LINKS] * (uint32_t) between(made, 3, 8);
	c[DAY_ENDS_LOST] = habits->knows_reasons ? happen(made, c[DAY_LINKS], 4) : 0;
	c[DAY_ENDS_UNKNOWN] = habits->knows_reasons ? 0 : happen(made, c[DAY_LINKS], 15);
	c[DAY_ENDS_US] = c[DAY_LINKS] - c[DAY_ENDS_LOST] - c[DAY_ENDS_UNKNOWN];
	c[DAY_ENDS_LOCK] = happen(made, c[DAY_ENDS_US], 20);
	c[DAY_ENDS_US] -= c[DAY_ENDS_LOCK];
	c[DAY_ENDS_BLUEZ] = chance(made, 3);
	strengths(made, c, habits->dbm, between(made, 20, 300));

	uint32_t moves = (uint32_t) between(made, 0, habits->moves * 2);
	c[DAY_MOVES] = moves;
	c[DAY_UNLOCKS] = moves / 2;
	c[DAY_LOCKS] = moves - moves / 2;
	c[DAY_JAMS_LOCK] = happen(made, c[DAY_LOCKS], 1);
	if (habits->has_door) {
		c[DAY_LOCKS_OPEN] = happen(made, c[DAY_LOCKS] - c[DAY_JAMS_LOCK], 5);
		c[DAY_LOCKS_SHUT] = c[DAY_LOCKS] - c[DAY_LOCKS_OPEN];
		c[DAY_JAMS_LOCK_SHUT] = c[DAY_JAMS_LOCK];
	}
	c[DAY_OPS_DONE] = moves / 3;
	c[DAY_BY_HAND] = moves / 4;
	c[DAY_WRONG_CODES] = (uint32_t) between(made, 0, 2);
	c[DAY_SILENCES] = chance(made, 4);
	c[DAY_BUSY] = chance(made, 10);
}

/* The newest n days exist; those that do not yet are lived through in good order. */
static void ensure_days(struct made *made, size_t n, const struct habits *habits) {
	struct history *history = &made->lock.history;

	if (history->n_days >= n) {
		return;
	}
	/* Older ones go before those that there are. */
	size_t n_more = n - history->n_days;
	memmove(made->days + n_more, made->days, history->n_days * sizeof(made->days[0]));
	memset(made->days, 0, n_more * sizeof(made->days[0]));
	for (size_t i = 0; i < n_more; i++) {
		made->days[i].day = (int32_t) (NOW / DAY_S - (int64_t) (n - 1 - i));
		live_day(made, &made->days[i], habits);
	}
	history->days = made->days;
	history->n_days = n;
}

static const struct habits plain = { .attempts = 24,
	.fail_percent = 4,
	.moves = 10,
	.dbm = -65,
	.link_ms = 1500,
	.has_door = true,
	.knows_reasons = true };

static void each_day(struct made *made, size_t n, void (*fn)(struct made *made, uint32_t *counts)) {
	ensure_days(made, n, &plain);
	size_t all = made->lock.history.n_days;
	for (size_t i = all - n; i < all; i++) {
		fn(made, made->days[i].counts);
	}
}

static struct event *push_event(struct made *made, enum event_kind kind, int64_t ago_s) {
	size_t n =
		made->lock.n_events < DIAG_EVENTS_MAX ? made->lock.n_events : DIAG_EVENTS_MAX - 1;

	memmove(made->events + 1, made->events, n * sizeof(made->events[0]));
	event_init(&made->events[0], kind, NULL);
	made->events[0].time.s = NOW - ago_s;
	made->lock.events = made->events;
	made->lock.n_events = n + 1;
	return &made->events[0];
}

static void stand(struct made *made, enum fault_code code, const char *detail) {
	(void) fault_set(&made->lock.standing[made->lock.n_standing++], code, "%s", detail);
}

static void fail_probes(struct made *made, enum fault_code code, const char *detail) {
	made->lock.n_probes = 1;
	made->lock.probes[0] = (struct probe){ .act = ACT_READ_STATE, .was_tried = true };
	(void) fault_set(&made->lock.probes[0].fault, code, "%s", detail);
	made->lock.is_linked = false;
}

/* ---- healthy ---- */

static void make_model(struct made *made) {
	struct model *model = &made->model;
	static const struct {
		const char *brand, *file, *name, *firmware, *newest;
	} known[] = { { "nuki", "nuki-gen1", "Nuki Smart Lock 1.0", "1.11.5", "" },
		{ "nuki", "nuki-gen2", "Nuki Smart Lock 2.0", "2.15.2", "2.15.2" },
		{ "nuki", "nuki-gen3", "Nuki Smart Lock 3.0", "3.9.5", "3.9.5" },
		{ "nuki", "nuki-gen4", "Nuki Smart Lock 4.0", "4.4.10", "4.4.9" },
		{ "nuki", "nuki-5g", "Nuki Smart Lock Ultra", "5.3.8", "" },
		{ "eqiva", "keyless", "Some lock without a key", "0.9", "" } };
	size_t i = (size_t) between(made, 0, (int) ARRAY_SIZE(known));

	made->model = model_unknown;
	made->lock.model = &made->model;
	(void) text_copy(made->lock.status.versions.serial,
		sizeof(made->lock.status.versions.serial), "1A2B3C4D");
	know(&made->lock.status.versions_known, EVIDENCE_ANSWERED, 3600);
	if (i == ARRAY_SIZE(known)) {
		return; /* a model without a file */
	}
	(void) text_copy(made->lock.brand, sizeof(made->lock.brand), known[i].brand);
	(void) text_copy(made->lock.status.versions.firmware,
		sizeof(made->lock.status.versions.firmware), known[i].firmware);
	model->file = known[i].file;
	model->name = known[i].name;
	model->has_mechanical_key = i == ARRAY_SIZE(known) - 1 ? FLAG_NO : FLAG_YES;
	model->warn_percent = i == 4 ? 15 : 20;
	model->volt_full = i == 4 ? 0 : 6.0;
	model->firmware_newest = known[i].newest;
	model->firmware_min = i == 2 ? "3.5.0" : "";
}

static void make_hub(struct made *made) {
	struct hub_facts *hub = &made->facts.hub;

	hub_facts_init(hub);
	hub->now.s = NOW;
	hub->is_clock_trusted = FLAG_YES;
	hub->zone_offset_minutes = chance(made, 20) ? ZONE_OFFSET_UNKNOWN : 60;
	hub->radio.is_ready = true;
	hub->radio.n_adapters = 1;
	(void) text_copy(hub->radio.bluez_version, sizeof(hub->radio.bluez_version), "5.66");
	hub->is_anything_heard = flag(made, 95) == FLAG_NO ? FLAG_UNKNOWN : FLAG_YES;
	hub->n_adapters = 1;
	hub->n_locks = (unsigned) between(made, 1, 12);
	hub->n_locks_reachable = hub->n_locks;

	struct adapter_facts *adapter = &hub->adapters[0];
	bool is_onboard = chance(made, 50);
	(void) text_copy(adapter->name, sizeof(adapter->name), "hci0");
	(void) text_copy(adapter->address, sizeof(adapter->address), "00:11:22:33:44:55");
	adapter->is_powered = FLAG_YES;
	adapter->is_blocked = FLAG_NO;
	adapter->is_onboard = is_onboard ? FLAG_YES : FLAG_NO;
	adapter->is_usb = is_onboard ? FLAG_NO : FLAG_YES;
	adapter->is_usb3_port = is_onboard ? FLAG_UNKNOWN : flag(made, 40);
	adapter->is_autosuspending = is_onboard ? FLAG_UNKNOWN : flag(made, 40);
	adapter->deaf_s = chance(made, 10) ? -1 : between(made, 0, 100);
	adapter->stats.attempts = (unsigned) between(made, 0, 400);
	adapter->stats.failures = adapter->stats.attempts / 20;

	bool is_local = chance(made, 50);
	hub->broker.is_wanted = flag(made, 80);
	if (hub->broker.is_wanted == FLAG_YES) {
		hub->broker.is_connected = FLAG_YES;
		hub->broker.is_online = FLAG_YES;
		hub->broker.is_local = is_local ? FLAG_YES : FLAG_NO;
		hub->broker.is_tls = is_local ? flag(made, 30) : FLAG_YES;
		hub->broker.has_password = is_local ? flag(made, 70) : FLAG_YES;
		hub->broker.is_anonymous_ok = chance(made, 60) ? FLAG_UNKNOWN : FLAG_NO;
		(void) text_copy(hub->broker.broker, sizeof(hub->broker.broker),
			is_local ? "localhost:1883" : "broker.home.arpa:8883");
	}
	if (chance(made, 85)) {
		hub->host.disk_size = INT64_C(30) << 30;
		hub->host.disk_free = (int64_t) between(made, 1, 25) << 30;
		hub->host.database_size = (int64_t) between(made, 1, 90) << 20;
		hub->host.was_clean_stop = FLAG_YES;
		hub->host.is_log_whole = flag(made, 100);
		hub->host.n_restarts = between(made, 0, 2);
		hub->host.is_wifi_24ghz = flag(made, 40);
		hub->host.is_undervolted = chance(made, 40) ? FLAG_UNKNOWN : FLAG_NO;
		(void) text_copy(hub->host.wifi_security, sizeof(hub->host.wifi_security),
			chance(made, 50) ? "wpa2" : "");
		hub->host.backup_at.s = NOW - between(made, 600, 200000);
	}
}

static const struct protocol sound_protocol = {
	.name = "made up",
	.cipher = "all that is needed",
	.is_mutual = PROTOCOL_YES,
	.is_tamper_proof = PROTOCOL_YES,
	.is_replay_safe = PROTOCOL_YES,
	.has_fresh_nonces = PROTOCOL_YES,
	.weakness = "",
	.source = "this test",
};

static void make_past(struct made *made, int age_days, const struct habits *habits) {
	struct history *history = &made->lock.history;
	int motor = between(made, 1200, 4000);
	int sag = between(made, 200, 650);
	int level = 100;
	int64_t changed = NOW - DAY_S * between(made, 1, age_days);

	if (made->model.volt_full <= 0) {
		sag = sag * 2 / 3;
	}
	history->samples = made->samples;
	ensure_days(made, (size_t) (age_days < MADE_DAYS ? age_days : MADE_DAYS), habits);
	add_sample(made, SAMPLE_BATTERY_CHANGED, changed, 1);
	add_sample(made, SAMPLE_FIRMWARE, NOW - DAY_S * age_days, 0x30500);
	if (chance(made, 30) && age_days > 40) {
		add_sample(made, SAMPLE_FIRMWARE, NOW - DAY_S * between(made, 5, 25), 0x30902);
	}
	for (int i = 0; i < age_days && i < 200; i++) {
		int64_t at = NOW - DAY_S * i - between(made, 0, 40000);
		bool is_cold = i % 90 < 20 && age_days > 100;
		int noise = between(made, -12, 12);
		add_sample(made, SAMPLE_LOCK_MS, at, motor * (100 + noise) / 100);
		add_sample(made, SAMPLE_UNLOCK_MS, at, motor * (95 + noise) / 100);
		add_sample(made, SAMPLE_BATTERY_SAG_MV, at,
			sag * (100 + between(made, -10, 10) + (is_cold ? 20 : 0)) / 100);
		add_sample(made, SAMPLE_CELSIUS, at, is_cold ? -3 : between(made, 8, 28));
		if (i % 6 == 0 && level > 30) {
			add_sample(made, SAMPLE_BATTERY_PERCENT, at, level--);
		}
	}
	sort_samples(made);
	if (chance(made, 30)) {
		history->attempts = made->attempts;
		history->n_attempts = 1;
		made->attempts[0] = (struct attempt){ .begun_at = { NOW - DAY_S * 3 },
			.ended_at = { NOW - DAY_S * 3 + 600 },
			.outcome = ATTEMPT_HELPED };
		(void) text_copy(made->attempts[0].fault, sizeof(made->attempts[0].fault),
			fault_name(FAULT_MISALIGNED));
	}
}

static void make_events(struct made *made) {
	int n = between(made, 0, 60);

	for (int i = n; i > 0; i--) {
		int64_t ago = i * INT64_C(9000);
		struct event *event = push_event(made, EVENT_LOCK_OPERATION, ago);
		event->operation = i % 2 == 0 ? OPERATION_LOCK : OPERATION_UNLOCK;
		if (chance(made, 3)) {
			event = push_event(made, EVENT_LOCK_OPERATION_ERROR, ago - 60);
			event->error = OPERATION_ERROR_INVALID_CREDENTIAL;
		}
		if (chance(made, 3)) {
			event = push_event(made, EVENT_ALARM, ago - 100);
			event->alarm = ALARM_DOOR_AJAR;
		}
	}
}

void make_healthy(struct made *made, uint32_t seed) {
	struct lock_facts *lock = &made->lock;
	struct lock_status *status = &lock->status;

	memset(made, 0, sizeof(*made));
	made->random =
		UINT64_C(0x9e3779b97f4a7c15) ^ ((uint64_t) seed * UINT64_C(0x2545f4914f6cdd1d));
	for (int i = 0; i < 20; i++) {
		(void) next(made);
	}
	make_hub(made);
	made->facts.lock = lock;
	lock_facts_init(lock);
	make_model(made);
	(void) text_copy(lock->id, sizeof(lock->id), "0a1b2c3d");
	(void) text_copy(lock->slug, sizeof(lock->slug), "front-door");
	(void) text_copy(lock->name, sizeof(lock->name), "Front door");

	int age_days = chance(made, 20) ? 0 : between(made, 2, 400);
	struct habits habits = { .attempts = between(made, 4, 50),
		.fail_percent = between(made, 0, 12),
		.moves = between(made, 1, 20),
		.dbm = between(made, -76, -45),
		.link_ms = between(made, 600, 4000),
		.has_door = chance(made, 60),
		.knows_reasons = chance(made, 50) };
	lock->paired_at.s = NOW - DAY_S * age_days - 3600;
	lock->acts = ~0U;
	lock->has_pin = true;
	lock->pin = LOCK_PIN_GOOD;
	lock->pin_weakness = "";
	lock->protocol = &sound_protocol;
	lock->is_reachable = true;
	lock->is_announcing = chance(made, 70);
	lock->unheard_s = lock->is_announcing ? between(made, 0, 60) : between(made, 0, 800);
	(void) text_copy(lock->radio.adapter, sizeof(lock->radio.adapter), "00:11:22:33:44:55");
	lock->radio.rssi = (int16_t) habits.dbm;
	lock->radio.connects = 5;
	lock->radio.attempts = 5;
	for (int i = between(made, 0, 30); i > 0; i--) {
		tally_heard(&lock->radio.tally, (mono_t){ i * 2000 },
			(int16_t) (habits.dbm + between(made, -6, 6)));
	}

	status->bolt = (struct bolt_facts){ .state = LOCK_STATE_LOCKED };
	know(&status->bolt_known, EVIDENCE_ANSWERED, 100);
	status->battery.percent = chance(made, 20) ? -1 : between(made, 26, 100);
	status->battery.level = BATTERY_OK;
	know(&status->battery_known, chance(made, 80) ? EVIDENCE_ANSWERED : EVIDENCE_STORED, 500);
	status->actuator = (struct actuator_facts){ true, true };
	know(&status->actuator_known, EVIDENCE_ANSWERED, 100);
	status->config.is_log_enabled = true;
	status->config.is_pairing_enabled = chance(made, 60);
	know(&status->config_known, EVIDENCE_ANSWERED, 5000);
	if (chance(made, 80)) {
		status->clock =
			(struct clock_facts){ .lock_time = { NOW - 100 + between(made, -40, 40) },
				.hub_time = { NOW - 100 },
				.is_hub_trusted = true,
				.offset_minutes = 60 };
		know(&status->clock_known, EVIDENCE_ANSWERED, 100);
	}
	if (chance(made, 70)) {
		status->accessories.keypad = chance(made, 50) ? BATTERY_OK : BATTERY_UNKNOWN;
		status->accessories.door_sensor = habits.has_door ? BATTERY_OK : BATTERY_UNKNOWN;
		know(&status->accessories_known, EVIDENCE_ANSWERED, 100);
	}
	if (chance(made, 85)) {
		static const enum act acts[] = { ACT_READ_STATE, ACT_READ_BATTERY,
			ACT_READ_CONFIG };
		for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
			lock->probes[lock->n_probes++] = (struct probe){ .act = acts[i],
				.was_tried = true,
				.is_done = true,
				.took_ms = between(made, 300, 3000) };
		}
	}
	if (age_days > 0 && chance(made, 85)) {
		make_past(made, age_days, &habits);
	}
	if (chance(made, 70) && age_days > 20) {
		double per_day = between(made, 10, 60) / 100.0;
		lock->forecast = (struct forecast){ .is_known = true,
			.reason = "",
			.days = between(made, 25, 400),
			.percent_per_day = per_day,
			.percent_per_move = -1,
			.normal_per_day =
				chance(made, 80) ? per_day * between(made, 65, 180) / 100 : -1,
			.n = (size_t) between(made, 5, 60) };
		lock->forecast.days_least = lock->forecast.days * 0.7;
		lock->forecast.days_most = lock->forecast.days * 1.5;
	}
	lock->n_codes = (unsigned) between(made, 0, 10);
	lock->n_codes_short = lock->n_codes / 4;
	lock->n_codes_old = lock->n_codes / 5;
	lock->has_factor = flag(made, 50);
	make_events(made);
}

/* ---- what goes wrong ---- */

static void lose_contact(struct made *made, int unheard_s) {
	made->lock.is_reachable = false;
	made->lock.is_linked = false;
	made->lock.unheard_s = unheard_s;
	stand(made, FAULT_LOCK_NOT_HEARD, "nothing for a while");
	fail_probes(made, FAULT_LOCK_NOT_HEARD, "3 attempts in 20000 ms, no sign of it");
}

static void break_radio(struct made *made, enum fault_code code) {
	made->facts.hub.radio.is_ready = false;
	made->facts.hub.is_anything_heard = FLAG_NO;
	made->facts.hub.n_locks_reachable = 0;
	(void) fault_set(&made->facts.hub.radio.fault, code, "as the test says");
	lose_contact(made, 2000);
	fail_probes(made, code, "");
}

static void put_bus_lost(struct made *made) {
	break_radio(made, FAULT_BUS_LOST);
}
static void put_bluez_missing(struct made *made) {
	break_radio(made, FAULT_BLUEZ_MISSING);
}
static void put_bluez_hung(struct made *made) {
	break_radio(made, FAULT_BLUEZ_HUNG);
}
/* bluetoothd answers and its adapter does no good; the last step against that was refused. */
static void put_restart_denied(struct made *made) {
	(void) fault_set(&made->facts.hub.radio.hindrance, FAULT_RESTART_DENIED,
		"Interactive authentication required.");
}
static void put_bluez_denied(struct made *made) {
	break_radio(made, FAULT_BLUEZ_DENIED);
}
static void put_adapter_missing(struct made *made) {
	break_radio(made, FAULT_ADAPTER_MISSING);
	made->facts.hub.n_adapters = 0;
}
static void put_adapter_off(struct made *made) {
	break_radio(made, FAULT_ADAPTER_OFF);
	made->facts.hub.radio.fault.code = FAULT_NONE;
	made->facts.hub.adapters[0].is_powered = FLAG_NO;
}
static void put_adapter_blocked(struct made *made) {
	break_radio(made, FAULT_ADAPTER_BLOCKED);
	made->facts.hub.adapters[0].is_powered = FLAG_NO;
	made->facts.hub.adapters[0].is_blocked = FLAG_YES;
}
static void put_adapter_failing(struct made *made) {
	break_radio(made, FAULT_ADAPTER_FAILING);
}
static void put_adapter_deaf(struct made *made) {
	made->facts.hub.is_anything_heard = FLAG_NO;
	made->facts.hub.n_locks_reachable = 0;
	made->facts.hub.adapters[0].deaf_s = 1100;
	lose_contact(made, 1100);
}

static void failing_day(struct made *made, uint32_t *c) {
	static const enum day_key attempts[] = { DAY_NIGHT_ATTEMPTS, DAY_MORNING_ATTEMPTS,
		DAY_NOON_ATTEMPTS, DAY_EVENING_ATTEMPTS };
	static const enum day_key failures[] = { DAY_NIGHT_FAILURES, DAY_MORNING_FAILURES,
		DAY_NOON_FAILURES, DAY_EVENING_FAILURES };

	c[DAY_FAILURES] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		c[attempts[i]] += 3;
		c[DAY_ATTEMPTS] += 3;
		c[failures[i]] = happen(made, c[attempts[i]], 55);
		c[DAY_FAILURES] += c[failures[i]];
	}
}

static void put_usb_interference(struct made *made) {
	struct adapter_facts *adapter = &made->facts.hub.adapters[0];

	adapter->is_onboard = FLAG_NO;
	adapter->is_usb = FLAG_YES;
	adapter->is_usb3_port = FLAG_YES;
	adapter->is_autosuspending = FLAG_NO;
	each_day(made, 7, failing_day);
}
static void put_autosuspend(struct made *made) {
	put_usb_interference(made);
	made->facts.hub.adapters[0].is_usb3_port = FLAG_NO;
	made->facts.hub.adapters[0].is_autosuspending = FLAG_YES;
}
static void put_wifi_interference(struct made *made) {
	struct adapter_facts *adapter = &made->facts.hub.adapters[0];

	adapter->is_onboard = FLAG_YES;
	adapter->is_usb = FLAG_NO;
	made->facts.hub.host.is_wifi_24ghz = FLAG_YES;
	each_day(made, 7, failing_day);
}

static void adapter_falls(struct made *made, uint32_t *c) {
	(void) made;
	c[DAY_ENDS_ADAPTER] += 2;
}
static void put_links_failing(struct made *made) {
	put_usb_interference(made);
	made->facts.hub.adapters[0].is_usb3_port = FLAG_NO;
}
static void put_adapter_unstable(struct made *made) {
	each_day(made, 7, adapter_falls);
}
static void bluez_falls(struct made *made, uint32_t *c) {
	(void) made;
	c[DAY_ENDS_BLUEZ] += 2;
}
static void put_bluez_unstable(struct made *made) {
	each_day(made, 7, bluez_falls);
}
static void put_link_stuck(struct made *made) {
	fail_probes(made, FAULT_LINK_STUCK, "");
}

static void put_radio_busy(struct made *made) {
	fail_probes(made, FAULT_RADIO_BUSY, "3 links are in use");
}

static void put_hub_clock(struct made *made) {
	made->facts.hub.is_clock_trusted = FLAG_NO;
	made->lock.status.clock.is_hub_trusted = false;
}
static void put_undervoltage(struct made *made) {
	made->facts.hub.host.is_undervolted = FLAG_YES;
	made->facts.hub.host.was_clean_stop = FLAG_NO;
}
static void put_disk_low(struct made *made) {
	made->facts.hub.host.disk_size = INT64_C(30) << 30;
	made->facts.hub.host.disk_free = INT64_C(40) << 20;
}
static void put_database_io(struct made *made) {
	(void) fault_set(&made->facts.hub.ledger, FAULT_DATABASE_IO, "disk I/O error");
}
static void put_backup_failed(struct made *made) {
	(void) fault_set(&made->facts.hub.host.backup, FAULT_DATABASE_IO, "no such folder");
	made->facts.hub.host.backup_at.s = NOW - DAY_S * 6;
}
static void put_backup_old(struct made *made) {
	made->facts.hub.host.backup_at.s = NOW - DAY_S * 9;
}
static void put_restarting(struct made *made) {
	made->facts.hub.host.n_restarts = 9;
	made->facts.hub.host.was_clean_stop = FLAG_NO;
}
static void put_exposed(struct made *made) {
	made->facts.hub.host.n_exposed = 1;
	(void) text_copy(made->facts.hub.host.exposed[0], sizeof(made->facts.hub.host.exposed[0]),
		"/var/lib/lockhub/db.key");
}
static void put_log_broken(struct made *made) {
	made->facts.hub.host.is_log_whole = FLAG_NO;
}

static void break_broker(struct made *made, enum fault_code code, const char *detail) {
	made->facts.hub.broker.is_wanted = FLAG_YES;
	made->facts.hub.broker.is_connected = FLAG_NO;
	made->facts.hub.broker.is_tls = FLAG_YES;
	made->facts.hub.broker.is_local = FLAG_NO;
	made->facts.hub.broker.has_password = FLAG_YES;
	(void) fault_set(&made->facts.hub.broker.fault, code, "%s", detail);
}
static void put_broker_unreachable(struct made *made) {
	break_broker(made, FAULT_BROKER_UNREACHABLE, "10.0.0.9: Connection refused");
}
static void put_broker_name(struct made *made) {
	break_broker(made, FAULT_BROKER_UNREACHABLE, "broker.lan: Name or service not known");
}
static void put_broker_tls(struct made *made) {
	break_broker(
		made, FAULT_BROKER_TLS, "error:0A000086:SSL routines::certificate verify failed");
}
static void put_broker_expired(struct made *made) {
	break_broker(made, FAULT_BROKER_TLS, "certificate has expired");
}
static void put_broker_wrong_name(struct made *made) {
	break_broker(made, FAULT_BROKER_TLS, "host name verification failed.");
}
static void put_broker_refused(struct made *made) {
	break_broker(made, FAULT_BROKER_REFUSED, "Connection Refused: not authorised.");
}
static void put_broker_denied(struct made *made) {
	break_broker(made, FAULT_BROKER_DENIED, "subscribing to lockhub/+/lock/set");
	made->facts.hub.broker.is_connected = FLAG_YES;
}
static void put_broker_unprotected(struct made *made) {
	made->facts.hub.broker.is_wanted = FLAG_YES;
	made->facts.hub.broker.is_connected = FLAG_YES;
	made->facts.hub.broker.is_anonymous_ok = FLAG_YES;
}
static void put_wifi_unprotected(struct made *made) {
	(void) text_copy(made->facts.hub.host.wifi_security,
		sizeof(made->facts.hub.host.wifi_security), "wep");
}

static void hear_others(struct made *made) {
	made->facts.hub.is_anything_heard = FLAG_YES;
	made->facts.hub.n_locks = 3;
	made->facts.hub.n_locks_reachable = 2;
}
static void heard_well(struct made *made, uint32_t *c) {
	strengths(made, c, -66, 200);
}
static void heard_weakly(struct made *made, uint32_t *c) {
	strengths(made, c, -93, 200);
}
static void put_lock_dead(struct made *made) {
	hear_others(made);
	each_day(made, 7, heard_well);
	made->lock.status.battery.percent = 6;
	made->lock.status.battery.level = BATTERY_CRITICAL;
	know(&made->lock.status.battery_known, EVIDENCE_STORED, 90000);
	lose_contact(made, 9000);
}
static void put_out_of_range(struct made *made) {
	hear_others(made);
	each_day(made, 7, heard_weakly);
	lose_contact(made, 3000);
}
static void put_not_heard(struct made *made) {
	hear_others(made);
	each_day(made, 7, heard_well);
	lose_contact(made, 3000);
}
static void taken_day(struct made *made, uint32_t *c) {
	(void) made;
	heard_well(made, c);
	c[DAY_BUSY] += 5;
	c[DAY_ATTEMPTS] += 5;
	c[DAY_FAILURES] += 5;
}
static void put_lock_taken(struct made *made) {
	made->facts.hub.host.is_wifi_24ghz = FLAG_NO;
	made->facts.hub.adapters[0].is_usb3_port = FLAG_NO;
	made->facts.hub.adapters[0].is_autosuspending = FLAG_NO;
	each_day(made, 2, taken_day);
	each_day(made, 7, heard_well);
	made->lock.unheard_s = 4;
	stand(made, FAULT_LOCK_UNREACHABLE, "heard, but no connection in 20000 ms");
	fail_probes(made, FAULT_LOCK_UNREACHABLE, "heard, but no connection in 20000 ms");
}
static void weak_day(struct made *made, uint32_t *c) {
	heard_weakly(made, c);
	c[DAY_ATTEMPTS] += 10;
	c[DAY_FAILURES] += 8;
	c[DAY_ENDS_LOST] += 4;
	c[DAY_LINK_TIME_MS] = c[DAY_LINKS] * 9000;
}
static void put_signal_weak(struct made *made) {
	made->facts.hub.host.is_wifi_24ghz = FLAG_NO;
	made->facts.hub.adapters[0].is_usb3_port = FLAG_NO;
	made->facts.hub.adapters[0].is_autosuspending = FLAG_NO;
	each_day(made, 7, weak_day);
}
static void evening(struct made *made, uint32_t *c) {
	static const enum day_key rest[] = { DAY_NIGHT_FAILURES, DAY_MORNING_FAILURES,
		DAY_NOON_FAILURES };

	c[DAY_EVENING_ATTEMPTS] += 3;
	c[DAY_ATTEMPTS] += 3;
	c[DAY_FAILURES] -= c[DAY_EVENING_FAILURES];
	c[DAY_EVENING_FAILURES] = happen(made, c[DAY_EVENING_ATTEMPTS], 65);
	c[DAY_FAILURES] += c[DAY_EVENING_FAILURES];
	for (size_t i = 0; i < ARRAY_SIZE(rest); i++) {
		c[DAY_FAILURES] -= c[rest[i]] / 2;
		c[rest[i]] -= c[rest[i]] / 2;
	}
	heard_well(made, c);
}
static void put_radio_interference(struct made *made) {
	made->facts.hub.host.is_wifi_24ghz = FLAG_NO;
	made->facts.hub.adapters[0].is_usb3_port = FLAG_NO;
	made->facts.hub.adapters[0].is_autosuspending = FLAG_NO;
	each_day(made, 14, evening);
}
static void dropping_day(struct made *made, uint32_t *c) {
	heard_well(made, c);
	c[DAY_ENDS_LOST] += 4 + c[DAY_ENDS_US] / 2;
}
static void put_links_dropping(struct made *made) {
	made->facts.hub.host.is_wifi_24ghz = FLAG_NO;
	made->facts.hub.adapters[0].is_usb3_port = FLAG_NO;
	made->facts.hub.adapters[0].is_autosuspending = FLAG_NO;
	each_day(made, 7, dropping_day);
}
static void slow_day(struct made *made, uint32_t *c) {
	(void) made;
	c[DAY_LINKS] += 3;
	c[DAY_LINK_TIME_MS] = c[DAY_LINKS] * 12000;
}
static void put_links_slow(struct made *made) {
	each_day(made, 7, slow_day);
}
static void silent_day(struct made *made, uint32_t *c) {
	(void) made;
	c[DAY_SILENCES] += 3;
}
static void put_lock_silent(struct made *made) {
	each_day(made, 3, silent_day);
	fail_probes(made, FAULT_LOCK_SILENT, "no answer in 5000 ms");
}
static void put_gatt_mismatch(struct made *made) {
	fail_probes(made, FAULT_GATT_MISMATCH, "no service a92ee200");
}

static void refuse(struct made *made, enum fault_code code) {
	stand(made, code, "as the lock says");
	fail_probes(made, code, "as the lock says");
}
static void put_lock_reset(struct made *made) {
	refuse(made, FAULT_NOT_AUTHORIZED);
}
static void put_not_authorized(struct made *made) {
	refuse(made, FAULT_NOT_AUTHORIZED);
	made->lock.status.versions.serial[0] = '\0';
}
static void put_wrong_lock(struct made *made) {
	refuse(made, FAULT_WRONG_LOCK);
}
static void put_key_disabled(struct made *made) {
	refuse(made, FAULT_KEY_DISABLED);
}
static void put_bad_pin(struct made *made) {
	stand(made, FAULT_BAD_PIN, "while setting the clock");
}
static void put_pin_blocked(struct made *made) {
	stand(made, FAULT_PIN_BLOCKED, "for 10 min");
}
static void put_pin_missing(struct made *made) {
	made->lock.has_pin = false;
	made->lock.pin = LOCK_PIN_UNKNOWN;
}

static void jam_always(struct made *made, uint32_t *c) {
	(void) made;
	c[DAY_LOCKS_OPEN] += 2;
	c[DAY_LOCKS_SHUT] += 3;
	c[DAY_JAMS_LOCK_OPEN] += 1;
	c[DAY_JAMS_LOCK_SHUT] += 1 + c[DAY_LOCKS_SHUT] / 4;
	c[DAY_LOCKS] += 5;
	c[DAY_JAMS_LOCK] += 2 + c[DAY_LOCKS_SHUT] / 4;
}
static void jam_shut(struct made *made, uint32_t *c) {
	(void) made;
	c[DAY_LOCKS_OPEN] += 2;
	c[DAY_LOCKS_SHUT] += 3;
	c[DAY_JAMS_LOCK_SHUT] += 1 + c[DAY_LOCKS_SHUT] / 4;
	c[DAY_LOCKS] += 5;
	c[DAY_JAMS_LOCK] += 1 + c[DAY_LOCKS_SHUT] / 4;
}
static void jam_now(struct made *made) {
	made->lock.status.bolt.state = LOCK_STATE_NOT_FULLY_LOCKED;
	made->lock.status.bolt.is_jammed = true;
	stand(made, FAULT_JAMMED, "the lock reports a blocked motor");
}
static void forget_attempts(struct made *made) {
	made->lock.history.n_attempts = 0;
}
static void put_misaligned(struct made *made) {
	forget_attempts(made);
	each_day(made, 20, jam_shut);
	jam_now(made);
}
static void put_bolt_stiff(struct made *made) {
	forget_attempts(made);
	each_day(made, 20, jam_always);
	jam_now(made);
}
static void put_jammed(struct made *made) {
	jam_now(made);
}
static void put_not_calibrated(struct made *made) {
	forget_attempts(made);
	made->lock.status.actuator = (struct actuator_facts){ false, false };
	know(&made->lock.status.actuator_known, EVIDENCE_ANSWERED, 60);
	stand(made, FAULT_NOT_CALIBRATED, "as the lock says");
	each_day(made, 10, jam_always);
}
static void slow_motor(struct made *made, int percent) {
	drop_samples(made, SAMPLE_LOCK_MS);
	made->lock.history.samples = made->samples;
	for (int i = 0; i < 30; i++) {
		add_sample(made, SAMPLE_LOCK_MS, NOW - DAY_S * i,
			(i < 6 ? 2000 * percent / 100 : 2000) + between(made, -100, 100));
	}
	sort_samples(made);
}
static void put_motor_slow(struct made *made) {
	slow_motor(made, 170);
}
static void put_clutch_failure(struct made *made) {
	struct event *event = push_event(made, EVENT_LOCK_OPERATION_ERROR, 50);

	event->operation = OPERATION_LOCK;
	event->error = OPERATION_ERROR_UNSPECIFIED;
	event->fault = FAULT_CLUTCH_FAILURE;
}
static void put_motor_timeout(struct made *made) {
	put_clutch_failure(made);
	made->events[0].fault = FAULT_MOTOR_TIMEOUT;
}

static void put_handle_not_lifted(struct made *made) {
	put_clutch_failure(made);
	made->events[0].fault = FAULT_HANDLE_NOT_LIFTED;
}
static void put_sensor_faulty(struct made *made) {
	put_clutch_failure(made);
	made->events[0].fault = FAULT_DOOR_SENSOR_FAULTY;
}

static void put_clock_wrong(struct made *made) {
	made->lock.status.clock = (struct clock_facts){ .lock_time = { NOW - 700 },
		.hub_time = { NOW - 100 },
		.is_hub_trusted = true,
		.offset_minutes = 60 };
	know(&made->lock.status.clock_known, EVIDENCE_ANSWERED, 100);
	stand(made, FAULT_CLOCK_WRONG, "600 s slow");
}
static void put_clock_lost(struct made *made) {
	put_clock_wrong(made);
	made->lock.status.clock.lock_time.s = 946684800 + 4000; /* 2000-01-01 */
}
static void put_zone_wrong(struct made *made) {
	made->facts.hub.zone_offset_minutes = 60;
	made->lock.status.clock = (struct clock_facts){ .lock_time = { NOW - 100 },
		.hub_time = { NOW - 100 },
		.is_hub_trusted = true,
		.offset_minutes = -300 };
	know(&made->lock.status.clock_known, EVIDENCE_ANSWERED, 100);
}
static void put_log_gap(struct made *made) {
	push_event(made, EVENT_LOG_GAP, 80000)->number = 212;
}
static void put_log_disabled(struct made *made) {
	made->lock.status.config.is_log_enabled = false;
}

static void put_battery_critical(struct made *made) {
	made->lock.status.battery.percent = 6;
	made->lock.status.battery.level = BATTERY_CRITICAL;
	know(&made->lock.status.battery_known, EVIDENCE_ANSWERED, 60);
	stand(made, FAULT_BATTERY_CRITICAL, "6 %");
}
static void put_motor_low_voltage(struct made *made) {
	stand(made, FAULT_MOTOR_LOW_VOLTAGE, "error 0x49");
}
static void put_battery_low(struct made *made) {
	made->lock.status.battery.percent = 14;
	made->lock.status.battery.level = BATTERY_WARNING;
	know(&made->lock.status.battery_known, EVIDENCE_ANSWERED, 60);
	stand(made, FAULT_BATTERY_LOW, "14 %");
}
static void put_cells_weak(struct made *made) {
	drop_samples(made, SAMPLE_BATTERY_SAG_MV);
	drop_samples(made, SAMPLE_CELSIUS);
	made->lock.history.samples = made->samples;
	for (int i = 0; i < 10; i++) {
		add_sample(made, SAMPLE_BATTERY_SAG_MV, NOW - i * 3000 - 10,
			1300 + between(made, -100, 100));
	}
	sort_samples(made);
	slow_motor(made, 160);
}
static void put_battery_soon(struct made *made) {
	made->lock.forecast = (struct forecast){ .is_known = true,
		.reason = "",
		.days = 8,
		.days_least = 6,
		.days_most = 11,
		.percent_per_day = 0.5,
		.percent_per_move = -1,
		.normal_per_day = 0.45,
		.n = 30 };
}
static void put_battery_drain(struct made *made) {
	put_battery_soon(made);
	made->lock.forecast.days = 30;
	made->lock.forecast.days_least = 25;
	made->lock.forecast.days_most = 40;
	made->lock.forecast.percent_per_day = 1.9;
}
static void asked_day(struct made *made, uint32_t *c) {
	(void) made;
	c[DAY_LINKS] += 700;
	c[DAY_ATTEMPTS] += 700;
	c[DAY_ENDS_US] += 700;
	c[DAY_LINK_TIME_MS] += 700 * 1000;
	c[DAY_LINK_S] += 700 * 3;
}
static void put_links_many(struct made *made) {
	put_battery_drain(made);
	each_day(made, 7, asked_day);
}
static void busy_door(struct made *made, uint32_t *c) {
	(void) made;
	c[DAY_MOVES] += 160;
	c[DAY_LOCKS] += 80;
	c[DAY_LOCKS_SHUT] += 80;
	c[DAY_UNLOCKS] += 80;
}
static void put_used_often(struct made *made) {
	put_battery_drain(made);
	each_day(made, 7, busy_door);
}
static void put_keypad_battery(struct made *made) {
	made->lock.status.accessories.keypad = BATTERY_CRITICAL;
	know(&made->lock.status.accessories_known, EVIDENCE_ANSWERED, 60);
}
static void put_sensor_battery(struct made *made) {
	made->lock.status.accessories.door_sensor = BATTERY_CRITICAL;
	know(&made->lock.status.accessories_known, EVIDENCE_ANSWERED, 60);
}

static void put_firmware_faulty(struct made *made) {
	made->model.firmware_min = "9.1.0";
	made->model.firmware_fault = "loses the link after unlatching";
	(void) text_copy(made->lock.status.versions.firmware,
		sizeof(made->lock.status.versions.firmware), "9.0.12");
	know(&made->lock.status.versions_known, EVIDENCE_ANSWERED, 60);
}
static void put_firmware_outdated(struct made *made) {
	made->model.firmware_newest = "9.2.0";
	made->model.firmware_min = "";
	(void) text_copy(made->lock.status.versions.firmware,
		sizeof(made->lock.status.versions.firmware), "9.0.12");
	know(&made->lock.status.versions_known, EVIDENCE_ANSWERED, 60);
}
static void put_firmware_needed(struct made *made) {
	stand(made, FAULT_FIRMWARE_UPDATE_NEEDED, "error 0x4D");
}
static void put_worse_since_update(struct made *made) {
	drop_samples(made, SAMPLE_FIRMWARE);
	made->lock.history.samples = made->samples;
	add_sample(made, SAMPLE_FIRMWARE, NOW - DAY_S * 60, 0x30500);
	add_sample(made, SAMPLE_FIRMWARE, NOW - DAY_S * 6 - 3600, 0x30902);
	slow_motor(made, 150);
}

static void put_revocation(struct made *made) {
	made->lock.n_revocations_pending = 1;
	stand(made, FAULT_REVOCATION_PENDING, "");
}
static void put_sync_broken(struct made *made) {
	made->lock.n_sync_pending = 2;
	stand(made, FAULT_SYNC_BROKEN, "");
}
static void put_sync_pending(struct made *made) {
	made->lock.n_sync_pending = 2;
}
static void put_guessing(struct made *made) {
	for (int i = 0; i < 8; i++) {
		struct event *event = push_event(made, EVENT_LOCK_OPERATION_ERROR, 900 - i * 30);
		event->error = OPERATION_ERROR_INVALID_CREDENTIAL;
	}
}
static void put_tampered(struct made *made) {
	push_event(made, EVENT_ALARM, 500)->alarm = ALARM_ESCUTCHEON_REMOVED;
}
static void put_default_pin(struct made *made) {
	made->lock.pin = LOCK_PIN_DEFAULT;
}
static void put_protocol_weak(struct made *made) {
	static const struct protocol weak = {
		.name = "made up",
		.cipher = "AES without an integrity code",
		.is_mutual = PROTOCOL_YES,
		.is_tamper_proof = PROTOCOL_NO,
		.is_replay_safe = PROTOCOL_NO,
		.has_fresh_nonces = PROTOCOL_NO,
		.weakness = "whoever overheard a command can open",
		.source = "this test",
	};

	made->lock.protocol = &weak;
}

/* clang-format off */
#define NO_RADIO (WRITES_RADIO | WRITES_REACH | WRITES_KEY)
static const struct injection table[] = {
	{ FAULT_BUS_LOST, NO_RADIO, put_bus_lost },
	{ FAULT_BLUEZ_MISSING, NO_RADIO, put_bluez_missing },
	{ FAULT_BLUEZ_HUNG, NO_RADIO, put_bluez_hung },
	{ FAULT_BLUEZ_DENIED, NO_RADIO, put_bluez_denied },
	{ FAULT_RESTART_DENIED, NO_RADIO, put_restart_denied },
	{ FAULT_ADAPTER_MISSING, NO_RADIO, put_adapter_missing },
	{ FAULT_ADAPTER_OFF, NO_RADIO, put_adapter_off },
	{ FAULT_ADAPTER_BLOCKED, NO_RADIO, put_adapter_blocked },
	{ FAULT_ADAPTER_FAILING, NO_RADIO, put_adapter_failing },
	{ FAULT_ADAPTER_DEAF, NO_RADIO, put_adapter_deaf },
	{ FAULT_USB_INTERFERENCE, WRITES_RADIO | WRITES_LINKS, put_usb_interference },
	{ FAULT_ADAPTER_AUTOSUSPEND, WRITES_RADIO | WRITES_LINKS, put_autosuspend },
	{ FAULT_WIFI_INTERFERENCE, WRITES_RADIO | WRITES_LINKS, put_wifi_interference },
	{ FAULT_LINKS_FAILING, WRITES_RADIO | WRITES_LINKS, put_links_failing },
	{ FAULT_ADAPTER_UNSTABLE, WRITES_ENDS, put_adapter_unstable },
	{ FAULT_BLUEZ_UNSTABLE, WRITES_ENDS, put_bluez_unstable },
	{ FAULT_LINK_STUCK, WRITES_RADIO | WRITES_REACH | WRITES_KEY, put_link_stuck },
	{ FAULT_RADIO_BUSY, WRITES_RADIO | WRITES_REACH | WRITES_KEY, put_radio_busy },
	{ FAULT_HUB_CLOCK, WRITES_HUB_CLOCK | WRITES_CLOCK | WRITES_ZONE, put_hub_clock },
	{ FAULT_UNDERVOLTAGE, WRITES_HOST, put_undervoltage },
	{ FAULT_DISK_LOW, WRITES_DISK, put_disk_low },
	{ FAULT_DATABASE_IO, WRITES_DISK, put_database_io },
	{ FAULT_BACKUP_FAILED, WRITES_DISK, put_backup_failed },
	{ FAULT_BACKUP_OLD, WRITES_DISK, put_backup_old },
	{ FAULT_HUB_RESTARTING, WRITES_HOST, put_restarting },
	{ FAULT_SECRET_EXPOSED, WRITES_CONFIG, put_exposed },
	{ FAULT_LOG_BROKEN, WRITES_DISK, put_log_broken },
	{ FAULT_BROKER_UNREACHABLE, WRITES_BROKER, put_broker_unreachable },
	{ FAULT_BROKER_NAME, WRITES_BROKER, put_broker_name },
	{ FAULT_BROKER_TLS, WRITES_BROKER | WRITES_HUB_CLOCK, put_broker_tls },
	{ FAULT_BROKER_EXPIRED, WRITES_BROKER | WRITES_HUB_CLOCK, put_broker_expired },
	{ FAULT_BROKER_WRONG_NAME, WRITES_BROKER, put_broker_wrong_name },
	{ FAULT_BROKER_REFUSED, WRITES_BROKER, put_broker_refused },
	{ FAULT_BROKER_DENIED, WRITES_BROKER, put_broker_denied },
	{ FAULT_BROKER_UNPROTECTED, WRITES_BROKER, put_broker_unprotected },
	{ FAULT_WIFI_UNPROTECTED, WRITES_ZONE, put_wifi_unprotected },
	{ FAULT_LOCK_DEAD, NO_RADIO | WRITES_LEVEL | WRITES_STRENGTH, put_lock_dead },
	{ FAULT_OUT_OF_RANGE, NO_RADIO | WRITES_LEVEL | WRITES_STRENGTH | WRITES_FORECAST, put_out_of_range },
	{ FAULT_LOCK_NOT_HEARD, NO_RADIO | WRITES_LEVEL | WRITES_STRENGTH | WRITES_FORECAST, put_not_heard },
	{ FAULT_LOCK_TAKEN, NO_RADIO | WRITES_LINKS | WRITES_STRENGTH, put_lock_taken },
	{ FAULT_SIGNAL_WEAK, WRITES_RADIO | WRITES_LINKS | WRITES_STRENGTH, put_signal_weak },
	{ FAULT_RADIO_INTERFERENCE, WRITES_RADIO | WRITES_LINKS | WRITES_STRENGTH, put_radio_interference },
	{ FAULT_LINKS_DROPPING, WRITES_RADIO | WRITES_LINKS | WRITES_STRENGTH, put_links_dropping },
	{ FAULT_LINKS_SLOW, WRITES_LINKS, put_links_slow },
	{ FAULT_LOCK_SILENT, NO_RADIO, put_lock_silent },
	{ FAULT_GATT_MISMATCH, NO_RADIO, put_gatt_mismatch },
	{ FAULT_LOCK_RESET, NO_RADIO, put_lock_reset },
	{ FAULT_NOT_AUTHORIZED, NO_RADIO, put_not_authorized },
	{ FAULT_WRONG_LOCK, NO_RADIO, put_wrong_lock },
	{ FAULT_KEY_DISABLED, NO_RADIO, put_key_disabled },
	{ FAULT_BAD_PIN, WRITES_KEY | WRITES_CONFIG, put_bad_pin },
	{ FAULT_PIN_BLOCKED, WRITES_KEY | WRITES_CONFIG, put_pin_blocked },
	{ FAULT_PIN_REQUIRED, WRITES_KEY | WRITES_CONFIG, put_pin_missing },
	{ FAULT_MISALIGNED, WRITES_BOLT, put_misaligned },
	{ FAULT_BOLT_STIFF, WRITES_BOLT, put_bolt_stiff },
	{ FAULT_JAMMED, WRITES_BOLT, put_jammed },
	{ FAULT_NOT_CALIBRATED, WRITES_BOLT, put_not_calibrated },
	{ FAULT_MOTOR_SLOW, WRITES_MOTOR, put_motor_slow },
	{ FAULT_CLUTCH_FAILURE, WRITES_EVENTS, put_clutch_failure },
	{ FAULT_MOTOR_TIMEOUT, WRITES_EVENTS, put_motor_timeout },
	{ FAULT_HANDLE_NOT_LIFTED, WRITES_EVENTS, put_handle_not_lifted },
	{ FAULT_DOOR_SENSOR_FAULTY, WRITES_EVENTS, put_sensor_faulty },
	{ FAULT_CLOCK_WRONG, WRITES_CLOCK | WRITES_HUB_CLOCK, put_clock_wrong },
	{ FAULT_CLOCK_LOST, WRITES_CLOCK | WRITES_HUB_CLOCK, put_clock_lost },
	{ FAULT_ZONE_WRONG, WRITES_CLOCK | WRITES_HUB_CLOCK | WRITES_ZONE, put_zone_wrong },
	{ FAULT_LOG_GAP, WRITES_EVENTS, put_log_gap },
	{ FAULT_LOG_DISABLED, WRITES_CONFIG, put_log_disabled },
	{ FAULT_BATTERY_CRITICAL, WRITES_LEVEL, put_battery_critical },
	{ FAULT_BATTERY_LOW, WRITES_LEVEL, put_battery_low },
	{ FAULT_MOTOR_LOW_VOLTAGE, WRITES_CELLS, put_motor_low_voltage },
	{ FAULT_CELLS_WEAK, WRITES_CELLS | WRITES_MOTOR, put_cells_weak },
	{ FAULT_BATTERY_SOON, WRITES_FORECAST, put_battery_soon },
	{ FAULT_BATTERY_DRAIN, WRITES_FORECAST, put_battery_drain },
	{ FAULT_LINKS_MANY, WRITES_FORECAST | WRITES_LINKS, put_links_many },
	{ FAULT_USED_OFTEN, WRITES_FORECAST | WRITES_BOLT, put_used_often },
	{ FAULT_KEYPAD_BATTERY_LOW, WRITES_ACCESSORIES, put_keypad_battery },
	{ FAULT_DOOR_SENSOR_BATTERY_LOW, WRITES_ACCESSORIES, put_sensor_battery },
	{ FAULT_FIRMWARE_FAULTY, WRITES_MODEL, put_firmware_faulty },
	{ FAULT_FIRMWARE_OUTDATED, WRITES_MODEL, put_firmware_outdated },
	{ FAULT_FIRMWARE_UPDATE_NEEDED, WRITES_MODEL, put_firmware_needed },
	{ FAULT_WORSE_SINCE_UPDATE, WRITES_MOTOR, put_worse_since_update },
	{ FAULT_REVOCATION_PENDING, WRITES_SYNC, put_revocation },
	{ FAULT_SYNC_BROKEN, WRITES_SYNC, put_sync_broken },
	{ FAULT_SYNC_PENDING, WRITES_SYNC, put_sync_pending },
	{ FAULT_CODE_GUESSING, WRITES_EVENTS, put_guessing },
	{ FAULT_TAMPERED, WRITES_EVENTS, put_tampered },
	{ FAULT_PIN_DEFAULT, WRITES_CONFIG, put_default_pin },
	{ FAULT_PROTOCOL_WEAK, WRITES_MODEL, put_protocol_weak },
};
/* clang-format on */

const struct injection *injections(size_t *ret_n) {
	*ret_n = ARRAY_SIZE(table);
	return table;
}

const struct injection *injection_find(enum fault_code fault) {
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].fault == fault) {
			return &table[i];
		}
	}
	return NULL;
}
