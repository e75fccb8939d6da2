/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rig.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/auto.h"

/* ---- the fake driver ---- */

static struct fake *the_fake; /* sessions are made by the core, without a word from us */

#define FAKE_CHARACTERISTIC "00000001-0000-4000-8000-000000000000"

struct fake_session {
	struct session session;
	const struct session_host *host;
	void *user;
	struct job job;
	bool is_busy;
	bool is_moving;
};

static void tell(struct fake_session *fake, unsigned has, enum lock_motion motion) {
	struct evidence evidence = { .has = has, .how = EVIDENCE_ANSWERED };

	evidence.bolt.state = the_fake->state;
	evidence.bolt.motion = motion;
	evidence.bolt.is_jammed = the_fake->is_jammed;
	evidence.door = the_fake->door;
	evidence.battery.level = the_fake->level;
	evidence.battery.percent = the_fake->percent;
	evidence.config.has_door_sensor = the_fake->has_door_sensor;
	evidence.config.auto_lock_s = -1;
	(void) strcpy(evidence.versions.firmware, "3.7.7");
	(void) strcpy(evidence.versions.hardware, "5.11");
	(void) strcpy(evidence.versions.serial, "1A2B3C4D");
	(void) strcpy(evidence.versions.model, "Bolt 2");
	fake->host->evidence(fake->user, &evidence);
}

static void tell_settings(struct fake_session *fake) {
	struct setting told[4] = { { .key = "AutoRelockTime" }, { .key = "EnableInsideStatusLED" },
		{ .key = "NightModeStart" }, { .key = "EnableBluetoothPairing" } };

	if (!the_fake->has_settings) {
		return;
	}
	(void) strcpy(told[0].value, the_fake->auto_lock);
	(void) strcpy(told[1].value, the_fake->led);
	(void) strcpy(told[2].value, the_fake->night_start);
	(void) strcpy(told[3].value, the_fake->pairing);
	fake->host->settings(fake->user, told, ARRAY_SIZE(told));
}

/* Takes what is asked for, or refuses it; then tells what it has. */
static void put_setting(struct fake_session *fake) {
	const struct setting *wish = &fake->job.setting;
	struct job_result result = { .fault = { .code = FAULT_NONE } };

	the_fake->n_put_settings++;
	if (the_fake->refuses_settings) {
		(void) fault_set(&result.fault, FAULT_LOCK_ERROR, "not now");
	} else if (strcmp(wish->key, "AutoRelockTime") == 0) {
		(void) strcpy(the_fake->auto_lock, wish->value);
	} else if (strcmp(wish->key, "NightModeStart") == 0) {
		(void) strcpy(the_fake->night_start, wish->value);
	} else if (strcmp(wish->key, "EnableInsideStatusLED") == 0) {
		(void) strcpy(the_fake->led, wish->value);
	} else {
		(void) strcpy(the_fake->pairing, wish->value);
	}
	tell_settings(fake);
	fake->is_busy = false;
	fake->host->done(fake->user, &result);
}

static void end_job(struct fake_session *fake) {
	struct job_result result = { .fault = { .code = FAULT_NONE } };

	fake->is_busy = false;
	fake->host->done(fake->user, &result);
}

static void move(struct fake_session *fake) {
	bool is_lock = fake->job.act == ACT_LOCK;

	the_fake->n_motor++;
	the_fake->last_act = fake->job.act;
	if (the_fake->is_deaf) {
		return;
	}
	tell(fake, FACT_BOLT, is_lock ? LOCK_MOTION_LOCKING : LOCK_MOTION_UNLOCKING);
	fake->is_moving = true;
	fake->host->arm(fake->user, the_fake->motor_ms > 0 ? the_fake->motor_ms : 1);
}

/* Adds, changes, removes or lists what the lock holds. */
static void do_slots(struct fake_session *fake) {
	struct job_result result = { .fault = { .code = FAULT_NONE } };
	const struct slot *slot = &fake->job.slot;
	size_t i = 0;

	while (i < the_fake->n_slots && the_fake->slots[i].ref != slot->ref) {
		i++;
	}
	if (fake->job.act == ACT_READ_USERS) {
		fake->host->slots(fake->user, the_fake->slots, the_fake->n_slots);
	} else if (fake->job.act == ACT_REMOVE_CREDENTIAL) {
		assert_true(i < the_fake->n_slots);
		the_fake->slots[i] = the_fake->slots[--the_fake->n_slots];
	} else {
		assert_true(i < FAKE_SLOTS);
		the_fake->slots[i] = *slot;
		if (i == the_fake->n_slots) {
			the_fake->n_slots++;
			the_fake->slots[i].ref = ++the_fake->last_ref;
		}
		result.ref = the_fake->slots[i].ref;
	}
	fake->is_busy = false;
	fake->host->done(fake->user, &result);
}

static struct session *session_free(struct session *session) {
	free(session);
	return NULL;
}

static void session_up(struct session *session, unsigned mtu) {
	(void) session;
	(void) mtu;
	the_fake->n_links++;
}

static int session_start(struct session *session, const struct job *job, struct fault *ret_fault) {
	struct fake_session *fake = (struct fake_session *) (void *) session;

	(void) ret_fault;
	fake->job = *job;
	fake->is_busy = true;
	if (act_moves_motor(job->act)) {
		if (fake->host->gate(fake->user)) {
			move(fake);
		}
		return 0;
	}
	if (job->act == ACT_READ_USERS || job->act == ACT_PUT_CREDENTIAL ||
		job->act == ACT_REMOVE_CREDENTIAL) {
		do_slots(fake);
		return 0;
	}
	if (job->act == ACT_PUT_SETTING) {
		put_setting(fake);
		return 0;
	}
	tell_settings(fake);
	unsigned has = FACT_BOLT | FACT_BATTERY | FACT_VERSIONS | FACT_CONFIG;
	if (the_fake->has_door_sensor) {
		has |= FACT_DOOR;
	}
	tell(fake, has, LOCK_MOTION_NONE);
	end_job(fake);
	return 0;
}

static void session_gate_opened(struct session *session) {
	move((struct fake_session *) (void *) session);
}

static void session_written(struct session *session, int error, enum radio_sent sent) {
	(void) session;
	(void) error;
	(void) sent;
}

static void session_bytes(
	struct session *session, const char *characteristic, const uint8_t *buf, size_t n) {
	(void) session;
	(void) characteristic;
	(void) buf;
	(void) n;
}

static void session_timer(struct session *session) {
	struct fake_session *fake = (struct fake_session *) (void *) session;

	if (!fake->is_moving) {
		return;
	}
	fake->is_moving = false;
	the_fake->state = fake->job.act == ACT_LOCK      ? LOCK_STATE_LOCKED
			  : fake->job.act == ACT_UNLATCH ? LOCK_STATE_UNLATCHED
							 : LOCK_STATE_UNLOCKED;
	tell(fake, FACT_BOLT, LOCK_MOTION_NONE);
	end_job(fake);
}

static void session_down(struct session *session) {
	struct fake_session *fake = (struct fake_session *) (void *) session;
	struct job_result result = { .sent = JOB_MAYBE_SENT };

	if (fake->is_busy) {
		fake->is_busy = false;
		fake->is_moving = false;
		(void) fault_set(&result.fault, FAULT_LINK_LOST, "in the middle");
		fake->host->done(fake->user, &result);
	}
}

static const struct session_impl session_impl = {
	.free = session_free,
	.up = session_up,
	.start = session_start,
	.written = session_written,
	.bytes = session_bytes,
	.timer = session_timer,
	.gate_opened = session_gate_opened,
	.down = session_down,
};

static struct session *fake_session_new(
	const struct secret *keys, const struct session_host *host, void *user) {
	struct fake_session *fake = calloc(1, sizeof(*fake));

	(void) keys;
	assert_non_null(fake);
	fake->session.impl = &session_impl;
	fake->host = host;
	fake->user = user;
	return &fake->session;
}

static bool fake_sight(const struct advert *advert, struct sighting *ret) {
	(void) advert;
	(void) ret;
	return false;
}

static const struct radio_subscription *fake_subscriptions(
	const struct sighting *sighting, const struct secret *keys) {
	static const struct radio_subscription none[] = { { 0 } };

	(void) sighting;
	(void) keys;
	return none;
}

static unsigned fake_acts(const struct secret *keys, const struct lock_status *status) {
	(void) keys;
	(void) status;
	return (the_fake->has_settings ? 1U << ACT_READ_SETTINGS | 1U << ACT_PUT_SETTING : 0) |
	       1U << ACT_READ_USERS | 1U << ACT_PUT_CREDENTIAL | 1U << ACT_REMOVE_CREDENTIAL |
	       1U << ACT_LOCK | 1U << ACT_UNLOCK | 1U << ACT_UNLATCH | 1U << ACT_READ_STATE |
	       1U << ACT_READ_CONFIG | 1U << ACT_READ_BATTERY | 1U << ACT_CALIBRATE;
}

static bool fake_has_pin(const struct secret *keys) {
	(void) keys;
	return false;
}

static bool fake_is_announcing(const struct secret *keys, const struct lock_status *status) {
	(void) keys;
	(void) status;
	return true;
}

static int fake_set_pin(struct secret *keys, const struct secret *pin, struct fault *ret_fault) {
	(void) keys;
	(void) pin;
	return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "no PIN");
}

static int fake_check_pin(const struct secret *pin, struct fault *ret_fault) {
	return pin->len == 6 ? 0 : fault_set(ret_fault, FAULT_CODE_INVALID, "six digits, please");
}

static const struct credential_limits *fake_credentials(
	const struct secret *keys, const struct lock_status *status) {
	static const struct credential_limits limits = {
		.types = 1U << CREDENTIAL_PIN,
		.n_max = FAKE_SLOTS,
		.pin_least = 6,
		.pin_most = 6,
		.name_most = 20,
		.n_windows = 1,
		.has_enable = true,
		.tells_pins = true,
		.check_pin = fake_check_pin,
	};

	(void) keys;
	(void) status;
	return the_fake->has_keypad ? &limits : NULL;
}

static const struct lock_setting *fake_settings(
	const struct secret *keys, const struct lock_status *status, size_t *ret_n) {
	static const struct lock_setting settings[] = {
		{ .key = "AutoRelockTime",
			.title = "Lock again after",
			.kind = SETTING_NUMBER,
			.unit = "s",
			.min = 30,
			.max = 1800,
			.is_zero_off = true },
		{ .key = "EnableInsideStatusLED", .title = "LED", .kind = SETTING_SWITCH },
		{ .key = "NightModeStart", .title = "Night mode from", .kind = SETTING_TIME },
		{ .key = "EnableBluetoothPairing", .title = "Pairing", .kind = SETTING_SWITCH },
	};

	(void) keys;
	(void) status;
	*ret_n = the_fake->has_settings ? ARRAY_SIZE(settings) : 0;
	return the_fake->has_settings ? settings : NULL;
}

static const struct driver fake_driver = {
	.settings = fake_settings,
	.credentials = fake_credentials,
	.name = "fake",
	.brand = "Acme",
	.sight = fake_sight,
	.subscriptions = fake_subscriptions,
	.session_new = fake_session_new,
	.acts = fake_acts,
	.has_pin = fake_has_pin,
	.is_announcing = fake_is_announcing,
	.set_pin = fake_set_pin,
	.pin_form = "none",
};
static const struct driver *const fake_drivers[] = { &fake_driver, NULL };

/* ---- the fake radio: a link is up one turn after it was wanted ---- */

struct radio_link {
	const struct radio_user *impl;
	void *user;
	struct loop_timer *timer;
	bool is_up;
	bool is_dropping;
};

static struct loop *the_loop;

static void link_turn(void *user) {
	struct radio_link *link = user;

	if (link->is_dropping) {
		link->is_dropping = false;
		if (link->is_up) {
			link->is_up = false;
			link->impl->down(link->user, NULL);
		}
	} else if (!link->is_up) {
		link->is_up = true;
		link->impl->up(link->user, 23);
	}
}

static struct radio_link *link_new(struct radio *radio, const struct radio_target *target,
	const struct radio_user *impl, void *user) {
	struct radio_link *link = calloc(1, sizeof(*link));

	(void) radio;
	(void) target;
	assert_non_null(link);
	link->impl = impl;
	link->user = user;
	link->timer = loop_timer_new(the_loop, link_turn, link);
	return link;
}

static struct radio_link *link_free(struct radio_link *link) {
	if (link != NULL) {
		link->timer = loop_timer_free(link->timer);
		free(link);
	}
	return NULL;
}

static void link_want(struct radio_link *link, enum radio_need need, unsigned patience_ms) {
	(void) need;
	(void) patience_ms;
	link->is_dropping = false;
	if (!link->is_up) {
		loop_timer_arm(link->timer, 1);
	}
}

static void link_drop(struct radio_link *link) {
	link->is_dropping = true;
	loop_timer_arm(link->timer, 1);
}

static int link_write(
	struct radio_link *link, const char *characteristic, const uint8_t *buf, size_t n) {
	(void) link;
	(void) characteristic;
	(void) buf;
	(void) n;
	return 0;
}

static void link_stats(const struct radio_link *link, struct radio_stats *ret) {
	(void) link;
	memset(ret, 0, sizeof(*ret));
	ret->state = "up";
	ret->attempts = the_fake->n_links + the_fake->n_reads_of_stats++; /* other ones each time */
}

static int radio_scan(struct radio *radio, unsigned ms,
	void (*heard)(void *user, const struct advert *advert),
	void (*ended)(void *user, const struct fault *fault), void *user) {
	(void) radio;
	(void) ms;
	(void) heard;
	(void) ended;
	(void) user;
	return 0;
}

static void radio_scan_stop(struct radio *radio) {
	(void) radio;
}

static void radio_get_status(const struct radio *radio, struct radio_status *ret) {
	(void) radio;
	memset(ret, 0, sizeof(*ret));
	ret->is_ready = true;
	ret->n_adapters = 1;
}

static const struct radio_impl radio_impl = {
	.link_new = link_new,
	.link_free = link_free,
	.want = link_want,
	.release = link_drop,
	.drop = link_drop,
	.write = link_write,
	.link_stats = link_stats,
	.scan = radio_scan,
	.scan_stop = radio_scan_stop,
	.status = radio_get_status,
};

/* ---- the fake ledger: commits at the next turn ---- */

static void ledger_turn(void *user) {
	struct rig *rig = user;
	struct fault fault;
	struct txn *txn;

	while ((txn = list_first(&rig->txns, struct txn, link)) != NULL) {
		struct txn_item *item;
		list_remove(&txn->link);
		list_for_each(item, &txn->items, link) {
			if (item->kind == TXN_EVENT && !rig->is_ledger_broken) {
				item->event.seq = ++rig->seq;
			}
		}
		(void) fault_set(&fault, FAULT_DATABASE_FULL, "test");
		if (txn->done != NULL) {
			txn->done(txn->user, txn, rig->is_ledger_broken ? &fault : NULL);
		}
		(void) txn_free(txn);
	}
	while (rig->n_queries > 0) {
		size_t i = --rig->n_queries;

		rig->queries[i].done(rig->queries[i].user, rig->past,
			strcmp(rig->queries[i].lock_id, RIG_LOCK) == 0 ? rig->n_past : 0, NULL);
	}
	while (rig->n_histories > 0) {
		static const struct history none;
		void *asker = rig->histories[--rig->n_histories].user;

		rig->histories[rig->n_histories].done(asker, &none, NULL);
	}
}

/* Nothing is remembered. */
static void ledger_history(struct ledger *ledger, const struct history_query *query,
	void (*done)(void *user, const struct history *history, const struct fault *fault),
	void *user) {
	struct rig *rig = container_of(ledger, struct rig, ledger);

	(void) query;
	assert_true(rig->n_histories < ARRAY_SIZE(rig->histories));
	rig->histories[rig->n_histories].done = done;
	rig->histories[rig->n_histories++].user = user;
	loop_timer_arm(rig->ledger_timer, 0);
}

static void ledger_commit(struct ledger *ledger, struct txn *take_txn) {
	struct rig *rig = container_of(ledger, struct rig, ledger);

	list_append(&rig->txns, &take_txn->link);
	loop_timer_arm(rig->ledger_timer, 0);
}

static void ledger_query(struct ledger *ledger, const struct log_query *query,
	void (*done)(void *user, const struct event *events, size_t n, const struct fault *fault),
	void *user) {
	struct rig *rig = container_of(ledger, struct rig, ledger);

	assert_true(rig->n_queries < ARRAY_SIZE(rig->queries));
	memcpy(rig->queries[rig->n_queries].lock_id, query->lock_id, LOCK_ID_MAX);
	rig->queries[rig->n_queries].done = done;
	rig->queries[rig->n_queries++].user = user;
	loop_timer_arm(rig->ledger_timer, 0);
}

static void ledger_verify(struct ledger *ledger,
	void (*done)(void *user, const struct log_verify *result, const struct fault *fault),
	void *user) {
	(void) ledger;
	(void) done;
	(void) user;
}

static const struct ledger_impl ledger_impl = {
	.commit = ledger_commit,
	.query = ledger_query,
	.verify = ledger_verify,
	.history = ledger_history,
};

/* ---- all together ---- */

int64_t rig_ms(void) {
	struct timespec now;

	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void drop_hub(struct rig *rig) {
	struct txn *txn;

	ledger_turn(rig);
	rig->hub = hub_free(rig->hub);
	/* Nobody is left to be told of these. */
	while ((txn = list_first(&rig->txns, struct txn, link)) != NULL) {
		list_remove(&txn->link);
		(void) txn_free(txn);
	}
}

void rig_hub(struct rig *rig) {
	struct lock_record record = { .id = RIG_LOCK,
		.name = "Front door",
		.slug = "front-door",
		.driver = "fake",
		.address = "AA:BB:CC:DD:EE:FF",
		.paired_at = { 1700000000 },
		.state = LOCK_STATE_LOCKED,
		.state_at = { 1700000000 } };
	struct hub_config config;

	if (rig->hub != NULL) {
		drop_hub(rig);
	}
	hub_config_defaults(&config);
	config.clock = loop_clock(rig->loop);
	config.radio = &rig->radio;
	config.ledger = &rig->ledger;
	config.drivers = fake_drivers;
	config.policy.allow_mqtt_unlock = true;
	(void) secret_set_text(&record.keys, "0123456789abcdef");
	rig->hub = hub_new(&config);
	assert_non_null(rig->hub);
	assert_int_equal(hub_load_lock(rig->hub, &record), 0);
}

void rig_init(struct rig *rig) {
	memset(rig, 0, sizeof(*rig));
	broker_init(&rig->broker);
	rig->loop = loop_new();
	assert_non_null(rig->loop);
	the_loop = rig->loop;
	the_fake = &rig->fake;
	rig->fake.state = LOCK_STATE_UNLOCKED;
	rig->fake.door = DOOR_STATE_UNKNOWN;
	rig->fake.percent = 87;
	rig->fake.level = BATTERY_OK;
	(void) strcpy(rig->fake.auto_lock, "120");
	(void) strcpy(rig->fake.led, "on");
	(void) strcpy(rig->fake.night_start, "22:30");
	(void) strcpy(rig->fake.pairing, "off");
	list_init(&rig->txns);
	rig->ledger.impl = &ledger_impl;
	rig->ledger_timer = loop_timer_new(rig->loop, ledger_turn, rig);
	rig->radio.impl = &radio_impl;
	rig_hub(rig);
	mqtt_config_defaults(&rig->config);
	rig->config.host = rig->broker.socket;
	rig->config.client_id = "lockhub-test";
	rig->config.hub_id = "51d0";
	rig->config.version = "0.1.0";
}

void rig_finish(struct rig *rig) {
	rig->mqtt = mqtt_free(rig->mqtt);
	drop_hub(rig);
	rig->ledger_timer = loop_timer_free(rig->ledger_timer);
	rig->loop = loop_free(rig->loop);
	watcher_finish(&rig->watcher);
	broker_finish(&rig->broker);
}

void rig_turn(struct rig *rig) {
	mono_t now = clock_mono(loop_clock(rig->loop));

	if (mono_is_due(hub_next_due(rig->hub), now)) {
		hub_run_due(rig->hub);
	}
	loop_turn(rig->loop, 2);
	watcher_turn(&rig->watcher);
}

void rig_wait_ms(struct rig *rig, unsigned ms) {
	int64_t end = rig_ms() + ms;

	while (rig_ms() < end) {
		rig_turn(rig);
	}
}

void rig_mqtt(struct rig *rig) {
	struct fault fault;

	rig->mqtt = mqtt_new(rig->loop, rig->hub, &rig->config);
	assert_non_null(rig->mqtt);
	assert_int_equal(mqtt_start(rig->mqtt, &fault), 0);
}

void rig_start(struct rig *rig) {
	broker_start(&rig->broker);
	watcher_start(&rig->watcher, &rig->broker);
	rig_mqtt(rig);
	hub_start(rig->hub);
	rig_until(rig, mqtt_status(rig->mqtt)->is_online);
	rig_until(rig, RIG_IS(rig, "lockhub/" RIG_LOCK "/availability", "online"));
	rig_until(rig, RIG_IS(rig, "lockhub/status", "online"));
}

static void stopped(void *user) {
	((struct rig *) user)->is_stopped = true;
}

void rig_stop_mqtt(struct rig *rig) {
	rig->is_stopped = false;
	mqtt_stop(rig->mqtt, stopped, rig);
	assert_false(rig->is_stopped); /* never inside the call */
	rig_until(rig, rig->is_stopped);
	rig->mqtt = mqtt_free(rig->mqtt);
}

void rig_read_state(struct rig *rig) {
	struct request request = { .act = ACT_READ_STATE,
		.lock = RIG_LOCK,
		.origin = REQUEST_DBUS,
		.role = ROLE_MANAGE,
		.actor = "test" };
	struct fault fault;
	struct op *op;

	assert_int_equal(hub_request(rig->hub, &request, &op, &fault), 0);
	char id[OP_ID_MAX];
	memcpy(id, op->id, sizeof(id));
	rig_until(rig, hub_find_op(rig->hub, id)->state == OP_FINISHED);
}
