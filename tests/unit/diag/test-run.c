/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Runs and remedies on a fake hub: what the lock is asked, what comes back in which form, what is
 * kept of a remedy. The form of the JSON is compared with golden/diagnosis.json; when it changes on
 * purpose, run this program with LOCKHUB_GOLDEN=write, look at the difference, and put it into
 * docs/diagnosis.md.
 */

#include <errno.h>

#include "judge.h"
#include "mock/fake-hub.h"
#include "room.h"
#include "test.h"
#include "util/text.h"

#define ADDRESS "AA:BB:CC:DD:EE:11"
#define LOCK "11111111"
#define MINUTE_MS 60000

static struct fake *fake;
static struct fake_link *door;
static struct diag *diag;

/* What came back. */
static json_t *answer;
static char worst[16];
static struct fault problem;
static unsigned n_done, n_progress, n_scans;

/* The log is empty; it answers when it is told to. */
static struct ledger_impl ledger;
static struct {
	void (*done)(void *user, const struct event *events, size_t n, const struct fault *fault);
	void *user;
} queries[DIAG_RUNS_MAX * 2];
static size_t n_queries;

static void query(struct ledger *self, const struct log_query *query_,
	void (*done)(void *user, const struct event *events, size_t n, const struct fault *fault),
	void *user) {
	(void) self;
	(void) query_;
	assert_true(n_queries < ARRAY_SIZE(queries));
	queries[n_queries].done = done;
	queries[n_queries++].user = user;
}

static void answer_queries(void) {
	while (n_queries > 0) {
		n_queries--;
		queries[n_queries].done(queries[n_queries].user, NULL, 0, NULL);
	}
}

static unsigned n_gathered, n_acted;
static bool is_refused; /* what was done, a little later */
static bool is_broker_there;

static void gather(
	void *user, struct hub_facts *facts, void (*done)(void *done_user), void *done_user) {
	(void) user;
	n_gathered++;
	facts->broker.is_wanted = FLAG_YES;
	facts->broker.is_connected = is_broker_there ? FLAG_YES : FLAG_NO;
	facts->broker.is_online = facts->broker.is_connected;
	if (!is_broker_there) {
		(void) fault_set(&facts->broker.fault, FAULT_BROKER_UNREACHABLE, "refused");
	}
	facts->host.disk_free = 8LL << 30;
	facts->host.disk_size = 16LL << 30;
	facts->host.was_clean_stop = FLAG_YES;
	facts->host.is_log_whole = FLAG_YES;
	facts->host.n_restarts = 0;
	facts->host.backup_at = facts->now;
	done(done_user);
}

static bool can(void *user, enum remedy_act act) {
	(void) user;
	return act == REMEDY_RECONNECT_BROKER;
}

static int act(void *user, enum remedy_act act_, struct fault *ret_fault) {
	(void) user;
	(void) ret_fault;
	if (act_ != REMEDY_RECONNECT_BROKER) {
		return -ENOTSUP;
	}
	n_acted++;
	is_broker_there = !is_refused;
	return 0;
}

/* As polkit does: what act() began is refused a little later. */
static int outcome(void *user, enum remedy_act act_, struct fault *ret_fault) {
	(void) user;
	if (!is_refused || act_ != REMEDY_RECONNECT_BROKER) {
		return 0;
	}
	return fault_set(ret_fault, FAULT_RESTART_DENIED, "authentication required");
}

static void on_progress(void *user, const char *text, unsigned done, unsigned all) {
	(void) user;
	assert_true(done <= all);
	assert_true(text[0] != '\0');
	n_progress++;
}

static void on_done(void *user, const char *json, const char *worst_, const struct fault *fault) {
	(void) user;
	n_done++;
	json_decref(answer);
	answer = json != NULL ? json_loads(json, 0, NULL) : NULL;
	assert_true((json != NULL) == (fault == NULL));
	assert_true((json != NULL) == (answer != NULL));
	(void) text_copy(worst, sizeof(worst), worst_);
	problem = fault != NULL ? *fault : (struct fault){ .code = FAULT_NONE };
}

static const struct diag_callbacks callbacks = { .progress = on_progress, .done = on_done };

static int setup_with(unsigned n_more) {
	fake = fake_new();
	fake_add_lock(fake, "11111111", "Front door", true);
	for (unsigned i = 0; i < n_more; i++) {
		char id[LOCK_ID_MAX], name[LOCK_NAME_MAX];

		snprintf(id, sizeof(id), "%08u", 22222222 + i * 11111111);
		snprintf(name, sizeof(name), "Door %u", i + 2);
		fake_add_lock(fake, id, name, true);
	}
	ledger = *fake->ledger.impl;
	ledger.query = query;
	fake->ledger.impl = &ledger;
	fake_start(fake);
	door = fake_link(fake, ADDRESS);
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
	fake_down(fake, door, FAULT_NONE);
	const struct diag_config config = { .hub = fake->hub, .models = "", .version = "1.2.3" };
	const struct diag_source source = {
		.name = "test", .gather = gather, .act = act, .outcome = outcome, .can = can
	};
	diag = diag_new(&config);
	assert_non_null(diag);
	diag_add_source(diag, &source);
	n_done = n_progress = n_gathered = n_acted = 0;
	is_broker_there = true;
	is_refused = false;
	return 0;
}

static int setup(void **state) {
	(void) state;
	return setup_with(0);
}

#define MANY 7
static int setup_many(void **state) {
	(void) state;
	return setup_with(MANY - 1);
}

static int teardown(void **state) {
	(void) state;
	diag = diag_free(diag);
	for (unsigned i = 0; i < 4; i++) {
		fake_turn(fake); /* answers that still come find nobody */
		answer_queries();
	}
	fake = fake_free(fake);
	json_decref(answer);
	answer = NULL;
	return 0;
}

static struct diag_request request_of(const char *lock) {
	struct diag_request request = { .role = ROLE_OPERATE, .origin = REQUEST_DBUS };

	(void) text_copy(request.lock, sizeof(request.lock), lock);
	(void) text_copy(request.actor, sizeof(request.actor), "anna (uid 1000)");
	return request;
}

static void end_scan(void) {
	if (fake->is_scanning) {
		n_scans++;
		fake->is_scanning = false;
		fake->scan_ended(fake->scan_user, NULL);
	}
}

/* Lets the hub go on and the lock answer, until the answer is there. */
static void serve_until_done(unsigned n) {
	for (unsigned i = 0; i < 200 && n_done < n; i++) {
		fake_turn(fake);
		answer_queries();
		end_scan();
		if (door != NULL && fake_is_wanted(door)) {
			fake_up(fake, door);
			fake_serve(fake, door, 'L');
		} else {
			fake_serve(fake, door, 'L');
		}
		if (diag_next_due(diag).ms <= fake->mono.ms) {
			diag_run_due(diag);
		} else if (n_done < n && diag_next_due(diag).ms - fake->mono.ms < MINUTE_MS) {
			fake_advance(fake, diag_next_due(diag).ms - fake->mono.ms);
			diag_run_due(diag);
		}
	}
	assert_int_equal(n_done, n);
}

static void run(const struct diag_request *request) {
	struct fault fault;

	assert_int_equal(diag_run(diag, request, &callbacks, &fault), 0);
	assert_int_equal(n_done, 0); /* never from inside the call */
	serve_until_done(1);
}

static const json_t *target_of(const char *kind) {
	size_t i;
	const json_t *target;

	json_array_foreach(json_object_get(answer, "targets"), i, target) {
		if (strcmp(json_string_value(json_object_get(target, "kind")), kind) == 0) {
			return target;
		}
	}
	return NULL;
}

static bool has_finding(const char *kind, const char *fault) {
	size_t i;
	const json_t *finding;

	json_array_foreach(json_object_get(target_of(kind), "findings"), i, finding) {
		if (strcmp(json_string_value(json_object_get(finding, "fault")), fault) == 0) {
			return true;
		}
	}
	return false;
}

static bool was_asked(const char *act_) {
	size_t i;
	const json_t *probe;

	json_array_foreach(json_object_get(target_of("lock"), "probes"), i, probe) {
		if (strcmp(json_string_value(json_object_get(probe, "act")), act_) == 0) {
			return true;
		}
	}
	return false;
}

static size_t n_probes(void) {
	return json_array_size(json_object_get(target_of("lock"), "probes"));
}

/* ---- runs ---- */

static void a_lock_is_asked_only_what_is_not_fresh(void **state) {
	struct diag_request request = request_of(LOCK);

	(void) state;
	fake_advance(fake, 2LL * MINUTE_MS);
	run(&request);
	assert_true(was_asked("read-state"));
	assert_true(n_progress >= 2);
	assert_int_equal(n_gathered, 1);
	n_done = 0;
	run(&request);
	assert_false(was_asked("read-state"));
	assert_int_equal(n_gathered, 2);
	fake_advance(fake, MINUTE_MS + 1);
	n_done = 0;
	run(&request);
	assert_true(was_asked("read-state"));
}

static void quiet_asks_nobody(void **state) {
	struct diag_request request = request_of(LOCK);
	unsigned n_asked = fake_count(door, 's');

	(void) state;
	request.is_quiet = true;
	request.role = ROLE_VIEW;
	fake_advance(fake, 2LL * MINUTE_MS);
	n_asked = fake_count(door, 's');
	run(&request);
	assert_int_equal(n_probes(), 0);
	assert_int_equal(fake_count(door, 's'), n_asked);
}

static void probing_takes_the_role_operate(void **state) {
	struct diag_request request = request_of(LOCK);
	struct fault fault = { 0 };

	(void) state;
	request.role = ROLE_VIEW;
	assert_true(diag_run(diag, &request, &callbacks, &fault) < 0);
	assert_int_equal(fault.code, FAULT_DENIED);
	request = request_of("no-such-lock");
	assert_true(diag_run(diag, &request, &callbacks, &fault) < 0);
	assert_int_equal(fault.code, FAULT_NO_SUCH_LOCK);
	serve_until_done(0);
}

static void of_one_lock_the_lock_comes_first_of_all_the_hub(void **state) {
	struct diag_request request = request_of(LOCK);

	(void) state;
	run(&request);
	const json_t *targets = json_object_get(answer, "targets");
	assert_int_equal(json_array_size(targets), 2);
	assert_ptr_equal(json_array_get(targets, 0), target_of("lock"));
	request = request_of("");
	n_done = 0;
	run(&request);
	targets = json_object_get(answer, "targets");
	assert_int_equal(json_array_size(targets), 2);
	assert_ptr_equal(json_array_get(targets, 0), target_of("hub"));
	/* No lock is asked, so somebody must listen: else nobody knows whether the radio hears. */
	request.is_hub_only = true;
	n_done = n_scans = 0;
	run(&request);
	assert_int_equal(json_array_size(json_object_get(answer, "targets")), 1);
	assert_int_equal(n_scans, 1);
}

static void findings_of_the_hub_stay_with_the_hub(void **state) {
	struct diag_request request = request_of("");

	(void) state;
	is_broker_there = false;
	run(&request);
	assert_true(has_finding("hub", "broker-unreachable"));
	assert_false(has_finding("lock", "broker-unreachable"));
	assert_string_equal(worst, "findings");
	assert_string_equal(json_string_value(json_object_get(answer, "worst")), "findings");
}

static void nine_at_once_are_one_too_many(void **state) {
	struct diag_request request = request_of(LOCK);
	struct fault fault = { 0 };

	(void) state;
	for (unsigned i = 0; i < DIAG_RUNS_MAX; i++) {
		assert_int_equal(diag_run(diag, &request, &callbacks, &fault), 0);
	}
	assert_true(diag_run(diag, &request, &callbacks, &fault) < 0);
	assert_int_equal(fault.code, FAULT_QUEUE_FULL);
	serve_until_done(DIAG_RUNS_MAX);
}

static void who_waits_when_it_ends_is_told(void **state) {
	struct diag_request request = request_of(LOCK);
	struct fault fault = { 0 };

	(void) state;
	assert_int_equal(diag_run(diag, &request, &callbacks, &fault), 0);
	diag = diag_free(diag);
	assert_int_equal(n_done, 1);
	assert_int_equal(problem.code, FAULT_CANCELLED);
	fake_turn(fake); /* answers that still come find nobody */
	answer_queries();
}

/* ---- remedies ---- */

static struct fix_request fix_of(const char *lock, const char *fault, const char *remedy) {
	struct fix_request request = { .role = ROLE_MANAGE, .origin = REQUEST_DBUS };

	(void) text_copy(request.lock, sizeof(request.lock), lock);
	(void) text_copy(request.fault, sizeof(request.fault), fault);
	(void) text_copy(request.remedy, sizeof(request.remedy), remedy);
	(void) text_copy(request.actor, sizeof(request.actor), "anna (uid 1000)");
	return request;
}

static void a_remedy_that_helps_is_kept_with_before_and_after(void **state) {
	struct fix_request fix = fix_of("", "broker-unreachable", "reconnect-broker");
	struct diag_request request = request_of("");
	struct fault fault = { 0 };

	(void) state;
	is_broker_there = false;
	assert_int_equal(diag_fix(diag, &fix, &callbacks, &fault), 0);
	serve_until_done(1);
	assert_int_equal(problem.code, FAULT_NONE);
	assert_int_equal(n_acted, 1);
	assert_string_equal(json_string_value(json_object_get(answer, "outcome")), "helped");
	assert_non_null(json_object_get(answer, "diagnosis"));
	assert_string_not_equal(json_string_value(json_object_get(answer, "before")),
		json_string_value(json_object_get(answer, "after")));
	/* The next diagnosis tells of it. */
	is_broker_there = false;
	n_done = 0;
	run(&request);
	size_t i;
	const json_t *remedy;
	bool is_told = false;
	json_array_foreach(
		json_object_get(json_array_get(json_object_get(target_of("hub"), "findings"), 0),
			"remedies"),
		i, remedy) {
		const json_t *tried = json_array_get(json_object_get(remedy, "tried"), 0);
		is_told |= tried != NULL &&
			   strcmp(json_string_value(json_object_get(remedy, "name")),
				   "reconnect-broker") == 0 &&
			   strcmp(json_string_value(json_object_get(tried, "outcome")), "helped") ==
				   0 &&
			   strcmp(json_string_value(json_object_get(tried, "by")),
				   "anna (uid 1000)") == 0;
	}
	assert_true(is_told);
}

static void a_remedy_that_is_refused_later_has_failed(void **state) {
	struct fix_request fix = fix_of("", "broker-unreachable", "reconnect-broker");
	struct fault fault = { 0 };
	mono_t begun = fake->mono;

	(void) state;
	is_broker_there = false;
	is_refused = true;
	assert_int_equal(diag_fix(diag, &fix, &callbacks, &fault), 0);
	serve_until_done(1);
	assert_int_equal(problem.code, FAULT_NONE);
	assert_string_equal(json_string_value(json_object_get(answer, "outcome")), "failed");
	assert_string_equal(json_string_value(json_object_get(answer, "fault")), "restart-denied");
	assert_non_null(strstr(
		json_string_value(json_object_get(answer, "message")), "authentication required"));
	assert_non_null(strstr(json_string_value(json_object_get(answer, "hint")), "systemctl"));
	/* Nobody waits for what will not come. */
	assert_true(mono_since(begun, fake->mono) < 20000);
}

static void what_a_person_has_done_is_kept_and_measured(void **state) {
	struct fix_request fix = fix_of("", "broker-unreachable", "check-broker");
	struct fault fault = { 0 };

	(void) state;
	fix.role = ROLE_OPERATE;
	fix.is_confirmed = true;
	is_broker_there = false;
	assert_int_equal(diag_fix(diag, &fix, &callbacks, &fault), 0);
	serve_until_done(1);
	assert_int_equal(problem.code, FAULT_NONE);
	/* He says that it is done; whether it helped is not for him to say. */
	assert_string_equal(json_string_value(json_object_get(answer, "outcome")), "no-change");
	assert_int_equal(n_acted, 0);
}

static void expect_refused(
	const struct fix_request *request, enum fault_code code, const char *why) {
	struct fault fault = { 0 };

	assert_true(diag_fix(diag, request, &callbacks, &fault) < 0);
	assert_int_equal(fault.code, code);
	if (strstr(fault.detail, why) == NULL) {
		fail_msg("\"%s\" is not in \"%s\"", why, fault.detail);
	}
}

static void what_does_not_fit_is_refused_before_anything_is_done(void **state) {
	struct fix_request request = fix_of(LOCK, "clock-wrong", "calibrate");

	(void) state;
	request.is_confirmed = true;
	expect_refused(&request, FAULT_BAD_ARGUMENT, "does nothing about clock-wrong");
	request = fix_of(LOCK, "", "no-such-remedy");
	expect_refused(&request, FAULT_BAD_ARGUMENT, "no remedy");
	request = fix_of(LOCK, "no-such-fault", "calibrate");
	expect_refused(&request, FAULT_BAD_ARGUMENT, "no fault");
	request = fix_of(LOCK, "", "change-batteries");
	expect_refused(&request, FAULT_BAD_ARGUMENT, "person");
	request = fix_of(LOCK, "", "calibrate"); /* moves the bolt */
	expect_refused(&request, FAULT_BAD_ARGUMENT, "agreed");
	request = fix_of("", "", "restart-bluetooth");
	request.is_confirmed = true;
	expect_refused(&request, FAULT_BAD_ARGUMENT, "as it is set up");
	request = fix_of("nowhere", "", "calibrate");
	expect_refused(&request, FAULT_NO_SUCH_LOCK, "");
	request = fix_of(LOCK, "", "calibrate");
	request.is_confirmed = true;
	request.role = ROLE_OPERATE;
	expect_refused(&request, FAULT_DENIED, "manage");
	serve_until_done(0);
	assert_int_equal(fake_count(door, 'k'), 0);
}

/* ---- what Home Assistant is shown ---- */

static unsigned n_changed;

static void on_changed(struct listener *listener, void *data) {
	(void) listener;
	assert_ptr_equal(data, hub_lock_at(fake->hub, 0));
	n_changed++;
}

static void a_view_is_made_in_passing_and_at_most_once_a_minute(void **state) {
	struct listener listener = { 0 };
	struct diag_view *view = calloc(1, sizeof(*view));

	(void) state;
	assert_non_null(view);
	n_changed = 0;
	signal_add(diag_changed(diag), &listener, on_changed);
	diag_view(diag, hub_lock_at(fake->hub, 0), view);
	assert_int_equal(view->first.fault, FAULT_NONE);
	assert_int_equal(view->link_percent, -1);
	/* Soon after the start. */
	fake_advance(fake, diag_next_due(diag).ms - fake->mono.ms);
	diag_run_due(diag);
	for (unsigned i = 0; i < 10; i++) {
		fake_turn(fake);
		answer_queries();
	}
	assert_int_equal(n_changed, 1);
	assert_int_equal(n_gathered, 0); /* no files are read for it */
	diag_view(diag, hub_lock_at(fake->hub, 0), view);
	assert_true(view->verdict[0] != '\0');
	/* Then not again within the minute, however much changes. */
	const struct request request = fake_request(LOCK, ACT_UNLOCK);
	struct op *op = NULL;
	struct fault fault;
	assert_int_equal(hub_request(fake->hub, &request, &op, &fault), 0);
	fake_turn(fake);
	fake_up(fake, door);
	fake_serve(fake, door, 'U');
	fake_down(fake, door, FAULT_NONE);
	assert_true(diag_next_due(diag).ms - fake->mono.ms > MINUTE_MS / 2);
	assert_true(diag_next_due(diag).ms - fake->mono.ms <= 24LL * 60 * MINUTE_MS);
	/* But for an alarm, once. */
	struct event alarm = { .kind = EVENT_ALARM, .alarm = ALARM_DOOR_FORCED_OPEN };
	memcpy(alarm.lock_id, LOCK, sizeof(LOCK));
	signal_emit(&hub_signals(fake->hub)->event, &alarm);
	assert_true(diag_next_due(diag).ms - fake->mono.ms <= 3000);
	fake_advance(fake, diag_next_due(diag).ms - fake->mono.ms);
	diag_run_due(diag);
	for (unsigned i = 0; i < 10; i++) {
		fake_turn(fake);
		answer_queries();
	}
	signal_emit(&hub_signals(fake->hub)->event, &alarm);
	assert_true(diag_next_due(diag).ms - fake->mono.ms > MINUTE_MS / 2);
	listener_remove(&listener);
	free(view);
}

/* ---- the form ---- */

/* What the tables of advice say is not the form: their words may change. */
static void take_out_words(json_t *diagnosis) {
	size_t i, k;
	json_t *target, *row;

	json_array_foreach(json_object_get(diagnosis, "targets"), i, target) {
		json_array_foreach(json_object_get(target, "findings"), k, row) {
			json_t *first = json_array_get(json_object_get(row, "remedies"), 0);
			json_t *keys = json_array();
			const char *key;
			json_t *value;

			json_object_foreach(first, key, value) {
				(void) json_array_append_new(keys, json_string(key));
			}
			(void) json_object_set_new(row, "remedies", keys);
			(void) json_object_del(row, "meaning");
			(void) json_object_del(row, "hint");
		}
	}
}

static void fill_judgement(struct judgement *ret) {
	*ret = (struct judgement){ .n_checks = 2, .n_findings = 2, .verdict = "Nearly empty." };
	ret->checks[0] = (struct check_row){ .name = "battery-level",
		.title = "Charge of the batteries",
		.topic = TOPIC_BATTERY,
		.result = CHECK_BAD,
		.n_proofs = 1 };
	ret->checks[0].proofs[0] = (struct proof){ .text = "level told by the lock",
		.has_value = true,
		.value = 6,
		.unit = "%",
		.at = { 1790000000 },
		.how = EVIDENCE_ANSWERED };
	ret->checks[1] = (struct check_row){ .name = "signal",
		.title = "Strength",
		.topic = TOPIC_CONNECTION,
		.result = CHECK_UNKNOWN };
	ret->findings[0] = (struct finding){ .fault = FAULT_BATTERY_CRITICAL,
		.check = "battery-level",
		.topic = TOPIC_BATTERY,
		.severity = SEVERITY_CRITICAL,
		.confidence = 97,
		.n_proofs = 2 };
	ret->findings[0].proofs[0] = ret->checks[0].proofs[0];
	ret->findings[0].proofs[1] = (struct proof){
		.text = "falls each day by", .has_value = true, .value = 1.2345, .unit = "%"
	};
	ret->findings[1] = (struct finding){ .fault = FAULT_LOCK_SILENT,
		.check = "signal",
		.topic = TOPIC_CONNECTION,
		.severity = SEVERITY_WARNING,
		.confidence = 60,
		.because_of = FAULT_BATTERY_CRITICAL };
}

static void fill_facts(struct diag_facts *facts, struct lock_facts *lock) {
	hub_facts_init(&facts->hub);
	lock_facts_init(lock);
	facts->hub.now.s = 1790000100;
	facts->lock = lock;
	(void) text_copy(lock->id, sizeof(lock->id), "11111111");
	(void) text_copy(lock->slug, sizeof(lock->slug), "front-door");
	(void) text_copy(lock->name, sizeof(lock->name), "Front door");
	(void) text_copy(lock->brand, sizeof(lock->brand), "Fake");
	(void) text_copy(lock->status.versions.serial, VERSION_TEXT_MAX, "1A2B2C3D");
	(void) text_copy(lock->status.versions.firmware, VERSION_TEXT_MAX, "3.5.2");
	lock->radio.rssi = -71;
	lock->radio.attempts = 12;
	lock->n_probes = 2;
	lock->probes[0] = (struct probe){
		.act = ACT_READ_STATE, .was_tried = true, .is_done = true, .took_ms = 740
	};
	lock->probes[1] = (struct probe){ .act = ACT_READ_BATTERY,
		.was_tried = true,
		.fault = { .code = FAULT_LOCK_SILENT, .detail = "no answer in 5000 ms" },
		.took_ms = 5000 };
}

/* ---- several locks ---- */

static struct fake_link *link_of(unsigned i) {
	char address[RADIO_ADDRESS_MAX];

	snprintf(address, sizeof(address), "AA:BB:CC:DD:EE:%u%u", i + 1, i + 1);
	return fake_link(fake, address);
}

/* By somebody's question, and not by what the hub does when it has time. */
static bool is_asked(unsigned i) {
	const struct fake_link *link = link_of(i);

	return link != NULL && fake_is_wanted(link) && fake_need(link) == RADIO_NEED_EVENT;
}

/*
 * No lock answers: each question ends after 44 s with @code, from the @n_busy-th on with @later.
 * @return the most that were asked at the same time.
 */
static unsigned suffer(enum fault_code code, unsigned n_busy, enum fault_code later) {
	int64_t since[MANY] = { 0 };
	unsigned n_most = 0;
	unsigned n_ended = 0;

	for (unsigned s = 0; s < 4000 && n_done == 0; s++) {
		unsigned n = 0;

		fake_advance(fake, 500);
		fake_turn(fake);
		answer_queries();
		end_scan();
		if (diag_next_due(diag).ms <= fake->mono.ms) {
			diag_run_due(diag);
		}
		for (unsigned i = 0; i < MANY; i++) {
			since[i] = !is_asked(i) ? 0 : since[i] == 0 ? fake->mono.ms : since[i];
			n += since[i] != 0;
		}
		n_most = n > n_most ? n : n_most;
		for (unsigned i = 0; i < MANY; i++) {
			if (since[i] != 0 && fake->mono.ms - since[i] > 43500) {
				fake_down(fake, link_of(i), n_ended++ < n_busy ? code : later);
				since[i] = 0;
			}
		}
	}
	assert_int_equal(n_done, 1);
	return n_most;
}

/* Of all probes that are told: how many ended with that fault. */
static unsigned count_probes(const char *fault) {
	const json_t *target, *probe;
	size_t i, k;
	unsigned n = 0;

	json_array_foreach(json_object_get(answer, "targets"), i, target) {
		json_array_foreach(json_object_get(target, "probes"), k, probe) {
			const char *is = json_string_value(json_object_get(probe, "fault"));
			n += is != NULL && strcmp(is, fault) == 0;
		}
	}
	return n;
}

static void locks_that_are_away_are_asked_side_by_side(void **state) {
	struct diag_request request = request_of("");
	struct fault fault;
	int64_t began;

	(void) state;
	fake_advance(fake, 2LL * MINUTE_MS);
	began = fake->mono.ms;
	assert_int_equal(diag_run(diag, &request, &callbacks, &fault), 0);
	/* Three for the one adapter that is on, neither one by one nor all of them. */
	assert_int_equal(suffer(FAULT_LOCK_NOT_HEARD, 100, FAULT_NONE), 3);
	assert_true(fake->mono.ms - began < 4LL * 45000);
	assert_int_equal(count_probes("lock-not-heard"), MANY);
	/* In the order of the locks, with the hub before them. */
	const json_t *targets = json_object_get(answer, "targets");
	assert_int_equal(json_array_size(targets), 1 + MANY);
	for (unsigned i = 0; i < MANY; i++) {
		char id[LOCK_ID_MAX];
		snprintf(id, sizeof(id), "%08u", 11111111 * (i + 1));
		assert_string_equal(
			json_string_value(json_object_get(json_array_get(targets, 1 + i), "id")),
			id);
	}
	assert_true(n_progress >= MANY);
}

/* That the radio had no time is our own doing: it is no evidence of a lock. */
static void who_was_crowded_out_is_asked_again(void **state) {
	struct diag_request request = request_of("");
	struct fault fault;

	(void) state;
	fake_advance(fake, 2LL * MINUTE_MS);
	assert_int_equal(diag_run(diag, &request, &callbacks, &fault), 0);
	assert_int_equal(suffer(FAULT_RADIO_BUSY, 2, FAULT_LOCK_NOT_HEARD), 3);
	assert_int_equal(count_probes("radio-busy"), 0);
	assert_int_equal(count_probes("lock-not-heard"), MANY);
}

static void a_radio_that_stays_busy_is_told_in_the_end(void **state) {
	struct diag_request request = request_of("");
	struct fault fault;

	(void) state;
	fake_advance(fake, 2LL * MINUTE_MS);
	assert_int_equal(diag_run(diag, &request, &callbacks, &fault), 0);
	assert_int_equal(suffer(FAULT_RADIO_BUSY, 1000, FAULT_NONE), 3);
	assert_true(count_probes("radio-busy") >= MANY);
}

static void a_lock_that_leaves_takes_nobody_along(void **state) {
	struct diag_request request = request_of("");
	struct fault fault;
	struct op *op = NULL;

	(void) state;
	fake_advance(fake, 2LL * MINUTE_MS);
	assert_int_equal(diag_run(diag, &request, &callbacks, &fault), 0);
	fake_turn(fake);
	assert_true(is_asked(1));
	assert_int_equal(
		hub_unpair(fake->hub, "22222222", true, "anna", ROLE_MANAGE, &op, &fault), 0);
	(void) suffer(FAULT_LOCK_NOT_HEARD, 1000, FAULT_NONE);
	assert_int_equal(problem.code, FAULT_NONE);
	assert_int_equal(json_array_size(json_object_get(answer, "targets")), MANY);
}

static void the_form_is_as_documented(void **state) {
	struct diag_facts *facts = calloc(1, sizeof(*facts));
	struct lock_facts *lock = calloc(1, sizeof(*lock));
	struct judgement *judgement = calloc(1, sizeof(*judgement));
	const struct attempt attempt = { .fault = "battery-critical",
		.remedy = "change-batteries",
		.by = "anna",
		.begun_at = { 1789000000 },
		.outcome = ATTEMPT_NO_CHANGE,
		.before = "6 %",
		.after = "6 %" };
	const char *root = getenv("LOCKHUB_SOURCE_ROOT");
	char path[512];

	(void) state;
	assert_true(facts != NULL && lock != NULL && judgement != NULL);
	fill_facts(facts, lock);
	fill_judgement(judgement);
	const struct target target = { .facts = facts,
		.judgement = judgement,
		.attempts = &attempt,
		.n_attempts = 1,
		.diag = diag };
	json_t *targets = json_array();
	(void) json_array_append_new(targets, json_target(&target));
	json_t *diagnosis = json_diagnosis(diag, facts->hub.now, targets);
	json_t *remedy = json_array_get(
		json_object_get(
			json_array_get(json_object_get(json_array_get(targets, 0), "findings"), 0),
			"remedies"),
		0);
	assert_string_equal(json_string_value(json_object_get(remedy, "name")), "change-batteries");
	assert_string_equal(
		json_string_value(json_object_get(
			json_array_get(json_object_get(remedy, "tried"), 0), "outcome")),
		"no-change");
	/* Of another remedy it tells nothing. */
	remedy = json_array_get(
		json_object_get(
			json_array_get(json_object_get(json_array_get(targets, 0), "findings"), 0),
			"remedies"),
		1);
	assert_non_null(remedy);
	assert_int_equal(json_array_size(json_object_get(remedy, "tried")), 0);
	take_out_words(diagnosis);
	(void) snprintf(path, sizeof(path), "%s/tests/unit/diag/golden/diagnosis.json",
		root != NULL ? root : ".");
	if (getenv("LOCKHUB_GOLDEN") != NULL) {
		assert_int_equal(json_dump_file(diagnosis, path, JSON_INDENT(2)), 0);
	}
	json_t *golden = json_load_file(path, 0, NULL);
	assert_non_null(golden);
	if (!json_equal(diagnosis, golden)) {
		char *text = json_dumps(diagnosis, JSON_INDENT(2));
		print_error("%s\n", text);
		free(text);
		fail_msg("differs from %s", path);
	}
	json_decref(golden);
	json_decref(diagnosis);
	free(judgement);
	free(lock);
	free(facts);
}

static void a_finding_for_information_makes_nobody_ill(void **state) {
	struct judgement *judgement = calloc(1, sizeof(*judgement));

	(void) state;
	assert_non_null(judgement);
	assert_string_equal(judgement_worst(judgement), "healthy");
	judgement->n_findings = 1;
	judgement->findings[0].severity = SEVERITY_INFO;
	assert_string_equal(judgement_worst(judgement), "healthy");
	judgement->is_unchecked = true;
	assert_string_equal(judgement_worst(judgement), "unchecked");
	judgement->findings[0].severity = SEVERITY_WARNING;
	assert_string_equal(judgement_worst(judgement), "findings");
	free(judgement);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_lock_is_asked_only_what_is_not_fresh, setup, teardown),
		cmocka_unit_test_setup_teardown(quiet_asks_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(probing_takes_the_role_operate, setup, teardown),
		cmocka_unit_test_setup_teardown(
			of_one_lock_the_lock_comes_first_of_all_the_hub, setup, teardown),
		cmocka_unit_test_setup_teardown(
			findings_of_the_hub_stay_with_the_hub, setup, teardown),
		cmocka_unit_test_setup_teardown(nine_at_once_are_one_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(who_waits_when_it_ends_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_remedy_that_helps_is_kept_with_before_and_after, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_remedy_that_is_refused_later_has_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_a_person_has_done_is_kept_and_measured, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_does_not_fit_is_refused_before_anything_is_done, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_view_is_made_in_passing_and_at_most_once_a_minute, setup, teardown),
		cmocka_unit_test_setup_teardown(
			locks_that_are_away_are_asked_side_by_side, setup_many, teardown),
		cmocka_unit_test_setup_teardown(
			who_was_crowded_out_is_asked_again, setup_many, teardown),
		cmocka_unit_test_setup_teardown(
			a_radio_that_stays_busy_is_told_in_the_end, setup_many, teardown),
		cmocka_unit_test_setup_teardown(
			a_lock_that_leaves_takes_nobody_along, setup_many, teardown),
		cmocka_unit_test_setup_teardown(the_form_is_as_documented, setup, teardown),
		cmocka_unit_test(a_finding_for_information_makes_nobody_ill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
