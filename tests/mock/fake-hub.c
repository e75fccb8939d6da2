/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mock/fake-hub.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/people.h"
#include "util/text.h"

static struct fake *the_fake; /* the one made last: its drivers know no other way to it */

/* ---- clock ---- */

static mono_t clock_mono_fake(const struct clock *clock) {
	return container_of(clock, struct fake, clock)->mono;
}

static wall_t clock_wall_fake(const struct clock *clock) {
	return container_of(clock, struct fake, clock)->wall;
}

static bool clock_trusted_fake(const struct clock *clock) {
	return container_of(clock, struct fake, clock)->is_trusted;
}

/* ---- radio ---- */

/* The second octet of an advertisement. */
#define MARK_STANDS 1
#define MARK_PASSES 2

struct fake_link {
	struct fake *fake;
	struct radio_target target;
	const struct radio_user *user_impl;
	void *user;
	enum radio_need need;
	bool is_up, is_released, is_dropped;
	bool is_writing;
	struct fake_write writes[FAKE_WRITES_MAX];
	size_t n_writes;
};

static struct radio_link *link_new_fake(struct radio *radio, const struct radio_target *target,
	const struct radio_user *user_impl, void *user) {
	struct fake *fake = container_of(radio, struct fake, radio);
	struct fake_link *link = calloc(1, sizeof(*link));

	assert(fake->n_links < ARRAY_SIZE(fake->links));
	*link = (struct fake_link){
		.fake = fake, .target = *target, .user_impl = user_impl, .user = user
	};
	fake->links[fake->n_links++] = link;
	return (struct radio_link *) link;
}

static struct radio_link *link_free_fake(struct radio_link *handle) {
	struct fake_link *link = (struct fake_link *) handle;

	if (link == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < link->fake->n_links; i++) {
		if (link->fake->links[i] == link) {
			link->fake->links[i] = link->fake->links[--link->fake->n_links];
			break;
		}
	}
	free(link);
	return NULL;
}

static void want_fake(struct radio_link *handle, enum radio_need need, unsigned patience_ms) {
	struct fake_link *link = (struct fake_link *) handle;

	assert(patience_ms > 0);
	link->need = need;
	link->is_released = false;
}

static void release_fake(struct radio_link *handle) {
	struct fake_link *link = (struct fake_link *) handle;

	link->need = RADIO_NEED_NONE;
	link->is_released = true;
}

static void drop_fake(struct radio_link *handle) {
	((struct fake_link *) handle)->is_dropped = true;
}

static int write_fake(
	struct radio_link *handle, const char *characteristic, const uint8_t *buf, size_t n) {
	struct fake_link *link = (struct fake_link *) handle;
	struct fake_write *write = &link->writes[link->n_writes];

	assert(strcmp(characteristic, "io") == 0);
	if (!link->is_up) {
		return -ENOTCONN;
	}
	if (link->is_writing) {
		return -EBUSY;
	}
	assert(n <= sizeof(write->bytes) && link->n_writes < FAKE_WRITES_MAX);
	memcpy(write->bytes, buf, n);
	write->n = n;
	link->n_writes++;
	link->is_writing = true;
	return 0;
}

static void stats_fake(const struct radio_link *handle, struct radio_stats *ret) {
	const struct fake_link *link = (const struct fake_link *) handle;

	*ret = link->fake->stats;
	ret->writes = link->n_writes;
	ret->heard_ms = INT64_MIN;
	ret->any_ms = INT64_MIN;
	ret->state = link->is_up ? "ready" : "idle";
}

static bool adapter_stats_fake(const struct radio *radio, unsigned i, struct radio_stats *ret) {
	const struct fake *fake = container_of(radio, struct fake, radio);

	if (i > 0) {
		return false;
	}
	*ret = fake->stats;
	ret->heard_ms = INT64_MIN;
	ret->any_ms = INT64_MIN;
	(void) text_copy(ret->adapter, sizeof(ret->adapter), "00:AA:01:00:00:00");
	ret->state = "on";
	return true;
}

static int scan_fake(struct radio *radio, unsigned ms,
	void (*heard)(void *user, const struct advert *advert),
	void (*ended)(void *user, const struct fault *fault), void *user) {
	struct fake *fake = container_of(radio, struct fake, radio);

	(void) ms;
	fake->is_scanning = true;
	fake->scan_heard = heard;
	fake->scan_ended = ended;
	fake->scan_user = user;
	return 0;
}

static void scan_stop_fake(struct radio *radio) {
	struct fake *fake = container_of(radio, struct fake, radio);

	fake->is_scanning = false;
}

static void status_fake(const struct radio *radio, struct radio_status *ret) {
	const struct fake *fake = container_of(radio, struct fake, radio);

	*ret = (struct radio_status){ .is_ready = fake->radio_fault.code == FAULT_NONE,
		.fault = fake->radio_fault,
		.n_adapters = 1 };
}

static const struct radio_impl radio_fake = {
	.link_new = link_new_fake,
	.link_free = link_free_fake,
	.want = want_fake,
	.release = release_fake,
	.drop = drop_fake,
	.write = write_fake,
	.link_stats = stats_fake,
	.scan = scan_fake,
	.scan_stop = scan_stop_fake,
	.status = status_fake,
	.adapter_stats = adapter_stats_fake,
};

struct fake_link *fake_link(struct fake *fake, const char *address) {
	for (size_t i = fake->n_links; i > 0; i--) {
		if (strcmp(fake->links[i - 1]->target.address, address) == 0) {
			return fake->links[i - 1];
		}
	}
	return NULL;
}

bool fake_is_wanted(const struct fake_link *link) {
	return link->need != RADIO_NEED_NONE && !link->is_up;
}

enum radio_need fake_need(const struct fake_link *link) {
	return link->need;
}

bool fake_is_released(const struct fake_link *link) {
	return link->is_released;
}

void fake_up(struct fake *fake, struct fake_link *link) {
	assert(link->need != RADIO_NEED_NONE);
	link->is_up = true;
	link->is_dropped = false;
	link->user_impl->up(link->user, 247);
	fake_turn(fake);
}

void fake_down(struct fake *fake, struct fake_link *link, enum fault_code code) {
	struct fault fault = { .code = FAULT_NONE };

	if (code != FAULT_NONE) {
		(void) fault_set(&fault, code, "by the test");
	}
	link->is_up = false;
	link->is_dropped = false;
	link->need = RADIO_NEED_NONE;
	if (link->is_writing) {
		link->is_writing = false;
		link->user_impl->written(link->user, -ECONNRESET, RADIO_MAYBE_SENT);
	}
	link->user_impl->down(link->user, code != FAULT_NONE ? &fault : NULL);
	fake_turn(fake);
}

const struct fake_write *fake_written(const struct fake_link *link) {
	return link->is_writing ? &link->writes[link->n_writes - 1] : NULL;
}

unsigned fake_count(const struct fake_link *link, uint8_t first) {
	unsigned n = 0;

	for (size_t i = 0; i < link->n_writes; i++) {
		n += link->writes[i].bytes[0] == first;
	}
	return n;
}

void fake_confirm(struct fake *fake, struct fake_link *link, int error, enum radio_sent sent) {
	assert(link->is_writing);
	link->is_writing = false;
	link->user_impl->written(link->user, error, sent);
	fake_turn(fake);
}

void fake_answer(struct fake *fake, struct fake_link *link, const void *bytes, size_t n) {
	link->user_impl->bytes(link->user, "io", bytes, n);
	fake_turn(fake);
}

/* Pairing and unpairing end with the link object gone. */
static bool is_there(const struct fake *fake, const struct fake_link *link) {
	for (size_t i = 0; i < fake->n_links; i++) {
		if (fake->links[i] == link) {
			return true;
		}
	}
	return false;
}

void fake_serve(struct fake *fake, struct fake_link *link, char state) {
	fake_turn(fake);
	for (unsigned i = 0; i < 50; i++) {
		const struct fake_write *write = is_there(fake, link) ? fake_written(link) : NULL;
		char answer[2] = { 'D', '-' };

		if (write == NULL) {
			return;
		}
		if (strchr("LUOsk", write->bytes[0]) != NULL) {
			answer[1] = state;
		}
		fake_confirm(fake, link, 0, RADIO_NOT_SENT);
		fake_answer(fake, link, answer, sizeof(answer));
	}
	assert(!"the hub never stops asking");
}

static void hear(struct fake *fake, const char *address, bool is_pairing, uint8_t mark) {
	struct advert advert = { .rssi = fake->rssi != 0 ? fake->rssi : -60, .n_parts = 1 };
	struct fake_link *link = fake_link(fake, address);

	(void) text_copy(advert.address, sizeof(advert.address), address);
	(void) text_copy(advert.name, sizeof(advert.name), "Fake");
	advert.parts[0] = (struct advert_part){
		.company = 0xffff, .bytes = { is_pairing, mark }, .n_bytes = 2
	};
	advert.parts[0].bytes[2] = fake->needs_key;
	advert.parts[0].bytes[3] = (uint8_t) fake->advertised;
	if (fake->is_scanning) {
		fake->scan_heard(fake->scan_user, &advert);
	}
	if (link != NULL) {
		link->user_impl->heard(link->user, &advert);
	}
	fake_turn(fake);
}

void fake_heard(struct fake *fake, const char *address, bool is_pairing, bool is_changed) {
	hear(fake, address, is_pairing, is_changed ? MARK_STANDS : 0);
}

void fake_heard_touched(struct fake *fake, const char *address) {
	hear(fake, address, false, MARK_PASSES);
}

/* ---- ledger ---- */

static void store_slot(struct fake *fake, const struct txn_item *item) {
	struct slot slots[SLOTS_PER_LOCK_MAX];
	size_t n = 0;
	const struct slot *old = book_slots(fake->disk, item->slots.lock_id, &n, NULL);

	for (size_t i = 0; i < n; i++) {
		slots[i] = old[i];
	}
	slots[n++] = item->slots.slot;
	(void) book_put_slots(fake->disk, item->slots.lock_id, slots, n, item->slots.at);
}

static void store_day(struct fake_health *health, const struct txn_item *item) {
	size_t i = 0;

	while (i < health->n_days && (strcmp(health->days[i].lock_id, item->day.lock_id) != 0 ||
					     health->days[i].day.day != item->day.day.day)) {
		i++;
	}
	if (i == health->n_days) {
		assert(health->n_days < FAKE_DAYS_MAX);
		health->n_days++;
		(void) text_copy(health->days[i].lock_id, LOCK_ID_MAX, item->day.lock_id);
		health->days[i].day.day = item->day.day.day;
	}
	for (size_t key = 0; key < DAY_COUNT_; key++) {
		health->days[i].day.counts[key] += item->day.day.counts[key];
	}
}

static void store_attempt(struct fake_health *health, const struct attempt *attempt) {
	size_t i = 0;

	while (i < health->n_attempts && strcmp(health->attempts[i].id, attempt->id) != 0) {
		i++;
	}
	assert(i < ARRAY_SIZE(health->attempts));
	health->n_attempts += i == health->n_attempts;
	health->attempts[i] = *attempt;
}

static void store_note(struct fake_health *health, const struct note *note) {
	size_t i = 0;

	while (i < health->n_notes && (strcmp(health->notes[i].lock_id, note->lock_id) != 0 ||
					      strcmp(health->notes[i].key, note->key) != 0)) {
		i++;
	}
	if (note->text[0] == '\0') {
		if (i < health->n_notes) {
			health->notes[i] = health->notes[--health->n_notes];
		}
		return;
	}
	assert(i < ARRAY_SIZE(health->notes));
	health->n_notes += i == health->n_notes;
	health->notes[i] = *note;
}

static bool is_of(const char *lock_id, const struct history_query *query) {
	return strcmp(lock_id, query->lock_id) == 0;
}

/* What the store does, without its order of samples: tests keep theirs in order. */
static void answer_history(struct fake *fake) {
	static struct sample samples[FAKE_SAMPLES_MAX];
	static struct lock_day days[FAKE_DAYS_MAX];
	static struct attempt attempts[32];
	static struct note notes[16];
	struct fake_health *health = &fake->health;
	struct history_query query = health->asked[0].query;
	struct history none = { 0 };
	struct history history = {
		.samples = samples, .days = days, .attempts = attempts, .notes = notes
	};

	for (size_t i = 0; i < health->n_samples; i++) {
		if (is_of(health->samples[i].lock_id, &query) &&
			health->samples[i].sample.at.s >= query.since.s) {
			samples[history.n_samples++] = health->samples[i].sample;
		}
	}
	for (int32_t day = 0; day < 40000; day++) {
		const struct lock_day *row = fake_day(fake, query.lock_id, day);

		if (row != NULL && day >= query.since.s / 86400) {
			days[history.n_days++] = *row;
		}
	}
	for (size_t i = 0; i < health->n_attempts; i++) {
		if (is_of(health->attempts[i].lock_id, &query)) {
			attempts[history.n_attempts++] = health->attempts[i];
		}
	}
	for (size_t i = 0; i < health->n_notes; i++) {
		if (is_of(health->notes[i].lock_id, &query)) {
			notes[history.n_notes++] = health->notes[i];
		}
	}
	void (*done)(void *, const struct history *, const struct fault *) = health->asked[0].done;
	void *user = health->asked[0].user;
	health->n_asked--;
	memmove(&health->asked[0], &health->asked[1], health->n_asked * sizeof(health->asked[0]));
	if (fake->ledger_fault.code != FAULT_NONE) {
		done(user, &none, &fake->ledger_fault);
	} else {
		done(user, &history, NULL);
	}
}

static void history_fake(struct ledger *ledger, const struct history_query *query,
	void (*done)(void *user, const struct history *history, const struct fault *fault),
	void *user) {
	struct fake *fake = container_of(ledger, struct fake, ledger);
	struct fake_health *health = &fake->health;

	assert(health->n_asked < ARRAY_SIZE(health->asked));
	health->asked[health->n_asked].query = *query;
	health->asked[health->n_asked].done = done;
	health->asked[health->n_asked++].user = user;
}

const struct lock_day *fake_day(const struct fake *fake, const char *lock_id, int32_t day) {
	for (size_t i = 0; i < fake->health.n_days; i++) {
		if (fake->health.days[i].day.day == day &&
			strcmp(fake->health.days[i].lock_id, lock_id) == 0) {
			return &fake->health.days[i].day;
		}
	}
	return NULL;
}

unsigned fake_samples(const struct fake *fake, const char *lock_id, enum sample_kind kind,
	struct sample *ret_last) {
	unsigned n = 0;

	for (size_t i = 0; i < fake->health.n_samples; i++) {
		if (fake->health.samples[i].sample.kind == kind &&
			strcmp(fake->health.samples[i].lock_id, lock_id) == 0) {
			n++;
			if (ret_last != NULL) {
				*ret_last = fake->health.samples[i].sample;
			}
		}
	}
	return n;
}

static bool has_health(const struct txn *txn) {
	const struct txn_item *item;

	list_for_each(item, &txn->items, link) {
		if (item->kind == TXN_SAMPLE || item->kind == TXN_DAY) {
			return true;
		}
	}
	return false;
}

static void store_setting(struct fake *fake, const struct txn_item *item) {
	const char *text = item->setting.text != NULL ? item->setting.text : item->setting.value;
	size_t i = 0;

	while (i < fake->n_rows && strcmp(fake->rows[i].key, item->setting.key) != 0) {
		i++;
	}
	assert(i < ARRAY_SIZE(fake->rows));
	fake->n_rows += i == fake->n_rows;
	(void) text_copy(fake->rows[i].key, sizeof(fake->rows[i].key), item->setting.key);
	(void) text_copy(fake->rows[i].text, sizeof(fake->rows[i].text), text);
}

static void store_item(struct fake *fake, struct txn_item *item) {
	switch (item->kind) {
	case TXN_EVENT:
		for (size_t i = 0; i < fake->n_stored; i++) {
			if (item->event.lock_seq > 0 &&
				fake->stored[i].lock_seq == item->event.lock_seq &&
				strcmp(fake->stored[i].lock_id, item->event.lock_id) == 0) {
				return;
			}
		}
		item->event.seq = ++fake->seq;
		assert(fake->n_stored < FAKE_EVENTS_MAX);
		fake->stored[fake->n_stored++] = item->event;
		break;
	case TXN_INTENT:
	case TXN_OUTCOME:
		assert(fake->n_ops < ARRAY_SIZE(fake->ops));
		fake->ops[fake->n_ops++] = item->op;
		break;
	case TXN_LOCK_PUT:
		fake->kept = item->lock;
		fake->n_puts++;
		break;
	case TXN_LOCK_REMOVE:
		fake->n_removes++;
		break;
	case TXN_LOCK_FACTS:
		fake->n_facts++;
		break;
	case TXN_LOCK_KEYS:
		fake->n_keys++;
		break;
	case TXN_CURSOR:
		fake->cursor = item->cursor.number;
		break;
	case TXN_USER_PUT:
		(void) book_put_user(fake->disk, &item->user);
		break;
	case TXN_USER_REMOVE:
		book_remove_user(fake->disk, item->row);
		break;
	case TXN_CREDENTIAL_PUT:
		(void) book_put_credential(fake->disk, &item->credential);
		break;
	case TXN_CREDENTIAL_REMOVE:
		book_remove_credential(fake->disk, item->row);
		break;
	case TXN_ACCESS_PUT:
		(void) book_put_access(fake->disk, &item->access);
		break;
	case TXN_ACCESS_REMOVE:
		book_remove_access(fake->disk, item->access.user_id, item->access.lock_id);
		break;
	case TXN_SCHEDULE_PUT:
		(void) book_put_schedule(fake->disk, &item->schedule);
		break;
	case TXN_SCHEDULE_REMOVE:
		book_remove_schedule(fake->disk, item->row);
		break;
	case TXN_HOLIDAY_PUT:
		(void) book_put_holiday(fake->disk, &item->holiday);
		break;
	case TXN_HOLIDAY_REMOVE:
		book_remove_holiday(fake->disk, item->row);
		break;
	case TXN_PLACEMENT_PUT:
		(void) book_put_placement(fake->disk, &item->placement);
		break;
	case TXN_PLACEMENT_REMOVE:
		book_remove_placement(
			fake->disk, item->placement.lock_id, item->placement.credential_id);
		break;
	case TXN_SLOTS_CLEAR:
		(void) book_put_slots(fake->disk, item->slots.lock_id, NULL, 0, item->slots.at);
		break;
	case TXN_SLOT_PUT:
		store_slot(fake, item);
		break;
	case TXN_RULES_PUT:
		(void) book_put_rules(fake->disk, item->rules.lock_id, &item->rules.rules);
		break;
	case TXN_SAMPLE:
		assert(fake->health.n_samples < FAKE_SAMPLES_MAX);
		(void) text_copy(fake->health.samples[fake->health.n_samples].lock_id, LOCK_ID_MAX,
			item->sample.lock_id);
		fake->health.samples[fake->health.n_samples++].sample = item->sample.sample;
		break;
	case TXN_DAY:
		store_day(&fake->health, item);
		break;
	case TXN_ATTEMPT:
		store_attempt(&fake->health, &item->attempt);
		break;
	case TXN_NOTE:
		store_note(&fake->health, item->note);
		break;
	case TXN_SETTING:
		store_setting(fake, item);
		break;
	}
}

const char *fake_row(const struct fake *fake, const char *key) {
	for (size_t i = 0; i < fake->n_rows; i++) {
		if (strcmp(fake->rows[i].key, key) == 0) {
			return fake->rows[i].text;
		}
	}
	return "";
}

static void commit_fake(struct ledger *ledger, struct txn *take_txn) {
	struct fake *fake = container_of(ledger, struct fake, ledger);

	list_append(&fake->txns, &take_txn->link);
}

void fake_commit_one(struct fake *fake) {
	struct txn *txn = list_first(&fake->txns, struct txn, link);
	bool is_failed = fake->ledger_fault.code != FAULT_NONE;
	struct txn_item *item;

	if (txn == NULL) {
		return;
	}
	list_remove(&txn->link);
	if (!is_failed) {
		fake->health.n_writes += has_health(txn);
		list_for_each(item, &txn->items, link) {
			store_item(fake, item);
		}
	}
	txn->done(txn->user, txn, is_failed ? &fake->ledger_fault : NULL);
	txn_free(txn);
}

void fake_commit(struct fake *fake) {
	while (!list_is_empty(&fake->txns)) {
		fake_commit_one(fake);
	}
}

static const struct ledger_impl ledger_fake = { .commit = commit_fake, .history = history_fake };

/* ---- driver ---- */

struct fake_session {
	struct session session;
	const struct session_host *host;
	void *user;
	struct job job;
	bool has_job, is_up, is_gated, is_sent, is_written;
	uint8_t opcode;
	struct fake_keypad *keypad;
	enum fault_code code; /* what came of a put or remove */
	int64_t ref;
};

static const uint8_t opcodes[ACT_COUNT_] = { [ACT_LOCK] = 'L',
	[ACT_UNLOCK] = 'U',
	[ACT_UNLATCH] = 'O',
	[ACT_READ_STATE] = 's',
	[ACT_READ_CONFIG] = 'c',
	[ACT_READ_BATTERY] = 'b',
	[ACT_READ_LOG] = 'l',
	[ACT_SET_TIME] = 't',
	[ACT_VERIFY_PIN] = 'v',
	[ACT_PAIR] = 'p',
	[ACT_UNPAIR] = 'x',
	[ACT_CALIBRATE] = 'k',
	[ACT_REBOOT] = 'r',
	[ACT_READ_USERS] = 'u',
	[ACT_PUT_CREDENTIAL] = '+',
	[ACT_REMOVE_CREDENTIAL] = '-',
	[ACT_READ_TIMERS] = 'T',
	[ACT_PUT_TIMER] = 'S',
	[ACT_REMOVE_TIMER] = 'R',
	[ACT_READ_SETTINGS] = 'G',
	[ACT_PUT_SETTING] = 'P' };

static bool is_keypad_act(enum act act) {
	return act == ACT_READ_USERS || act == ACT_PUT_CREDENTIAL || act == ACT_REMOVE_CREDENTIAL;
}

static bool is_timer_act(enum act act) {
	return act == ACT_READ_TIMERS || act == ACT_PUT_TIMER || act == ACT_REMOVE_TIMER;
}

static struct fake_session *to_session(struct session *session) {
	return container_of(session, struct fake_session, session);
}

static void end_job(struct fake_session *session, enum fault_code code) {
	struct job_result result = { .sent = session->is_sent ? JOB_MAYBE_SENT : JOB_NOT_SENT };

	if (code != FAULT_NONE) {
		(void) fault_set(&result.fault, code, "fake lock");
	}
	result.ref = code == FAULT_NONE || code == the_fake->half_timer ? session->ref : 0;
	session->has_job = false;
	session->host->arm(session->user, 0);
	session->host->done(session->user, &result);
}

static void send_job(struct fake_session *session) {
	uint8_t buf[2] = { session->opcode, (uint8_t) session->job.log_cursor };

	session->is_gated = false;
	session->is_sent = act_moves_motor(session->job.act) || session->job.act == ACT_REBOOT ||
			   is_keypad_act(session->job.act) || is_timer_act(session->job.act) ||
			   session->job.act == ACT_PUT_SETTING;
	session->ref = 0;
	session->code = FAULT_NONE;
	session->host->write(session->user, "io", buf, sizeof(buf));
	session->host->arm(session->user, 5000);
}

static struct session *session_free_fake(struct session *session) {
	free(session != NULL ? to_session(session) : NULL);
	return NULL;
}

static void session_up_fake(struct session *session, unsigned mtu) {
	(void) mtu;
	to_session(session)->is_up = true;
}

static int session_start_fake(
	struct session *base, const struct job *job, struct fault *ret_fault) {
	struct fake_session *session = to_session(base);

	assert(session->is_up && !session->has_job);
	if (opcodes[job->act] == 0) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "fake lock");
	}
	session->job = *job;
	(void) snprintf(the_fake->last_key, sizeof(the_fake->last_key), "%.*s", (int) job->key.len,
		(const char *) job->key.bytes);
	session->has_job = true;
	session->is_sent = false;
	session->opcode = opcodes[job->act];
	if (act_moves_motor(job->act) && !session->host->gate(session->user)) {
		session->is_gated = true;
		return 0;
	}
	send_job(session);
	return 0;
}

static struct slot *keypad_find(
	struct fake_keypad *keypad, enum credential_type type, int64_t ref) {
	for (size_t i = 0; i < keypad->n; i++) {
		if (keypad->slots[i].type == type && keypad->slots[i].ref == ref) {
			return &keypad->slots[i];
		}
	}
	return NULL;
}

static void keypad_trail(struct fake_keypad *keypad, char what) {
	size_t n = strlen(keypad->trail);

	assert(n + 1 < sizeof(keypad->trail));
	keypad->trail[n] = what;
}

static enum fault_code keypad_remove(struct fake_keypad *keypad, const struct slot *slot) {
	struct slot *found = keypad_find(keypad, slot->type, slot->ref);

	if (found == NULL) {
		return FAULT_NO_SUCH_ENTRY;
	}
	assert(!found->is_own);
	*found = keypad->slots[--keypad->n];
	keypad->n_removes++;
	keypad_trail(keypad, '-');
	return FAULT_NONE;
}

static enum fault_code keypad_put(
	struct fake_keypad *keypad, const struct slot *slot, int64_t *ret_ref) {
	struct slot *found = keypad_find(keypad, slot->type, slot->ref);
	size_t n_pins = 0;

	for (size_t i = 0; i < keypad->n; i++) {
		n_pins += keypad->slots[i].type == CREDENTIAL_PIN;
		if (&keypad->slots[i] != found && slot->pin.len > 0 &&
			secret_equal(&keypad->slots[i].pin, &slot->pin)) {
			return FAULT_CODE_EXISTS;
		}
	}
	if (slot->ref != 0 && found == NULL) {
		return FAULT_NO_SUCH_ENTRY;
	}
	assert(found == NULL || !found->is_own);
	keypad_trail(keypad, found != NULL ? '~' : '+');
	if (found == NULL) {
		if (n_pins >= keypad->n_most || keypad->n == FAKE_SLOTS_MAX) {
			return FAULT_LIST_FULL;
		}
		found = &keypad->slots[keypad->n++];
		*ret_ref = ++keypad->last_ref;
	} else {
		*ret_ref = slot->ref;
	}
	*found = *slot;
	found->ref = *ret_ref;
	keypad->n_puts++;
	return FAULT_NONE;
}

static void keypad_do(struct fake_session *session) {
	struct fake_keypad *keypad = session->keypad;

	if (!is_keypad_act(session->job.act) || session->job.act == ACT_READ_USERS) {
		return;
	}
	session->code = keypad->refusal;
	if (keypad->refusal != FAULT_NONE) {
		return;
	}
	if (session->job.act == ACT_PUT_CREDENTIAL && session->job.slot.ref == 0 &&
		(the_fake->limits.learns & 1U << session->job.slot.type) != 0) {
		the_fake->learn_s = session->job.learn_s;
		session->host->presenting(session->user, 1, 2);
	}
	if (keypad->is_liar) {
		session->ref = 999;
	} else if (session->job.act == ACT_PUT_CREDENTIAL) {
		session->code = keypad_put(keypad, &session->job.slot, &session->ref);
	} else {
		session->code = keypad_remove(keypad, &session->job.slot);
	}
}

static void timers_do(struct fake_session *session) {
	struct fake *lock = the_fake;
	const struct lock_timer *wanted = &session->job.timer;
	size_t i = 0;

	if (!is_timer_act(session->job.act) || session->job.act == ACT_READ_TIMERS) {
		return;
	}
	while (i < lock->n_timers && lock->timers[i].ref != wanted->ref) {
		i++;
	}
	if (session->job.act == ACT_PUT_TIMER && wanted->ref == 0) {
		assert(lock->n_timers < ARRAY_SIZE(lock->timers));
		lock->timers[lock->n_timers] = *wanted;
		session->ref = ++lock->last_timer;
		lock->timers[lock->n_timers].is_enabled |= lock->half_timer != FAULT_NONE;
		lock->timers[lock->n_timers++].ref = session->ref;
		session->code = lock->half_timer;
	} else if (i == lock->n_timers) {
		session->code = FAULT_NO_SUCH_ENTRY;
	} else if (session->job.act == ACT_PUT_TIMER) {
		lock->timers[i] = *wanted;
		session->ref = wanted->ref;
	} else {
		lock->timers[i] = lock->timers[--lock->n_timers];
	}
}

static void settings_do(const struct fake_session *session) {
	for (size_t i = 0; i < ARRAY_SIZE(the_fake->settings); i++) {
		if (session->job.act == ACT_PUT_SETTING && !the_fake->is_setting_ignored &&
			strcmp(the_fake->settings[i].key, session->job.setting.key) == 0) {
			the_fake->settings[i] = session->job.setting;
		}
	}
}

static void session_written_fake(struct session *base, int error, enum radio_sent sent) {
	struct fake_session *session = to_session(base);

	if (error < 0 && session->has_job) {
		session->is_sent = session->is_sent && sent == RADIO_MAYBE_SENT;
		end_job(session, FAULT_LINK_LOST);
	} else if (error == 0 && session->has_job) {
		keypad_do(session);
		timers_do(session);
		settings_do(session);
	}
}

static void report_state(struct fake_session *session, uint8_t state) {
	struct evidence evidence = { .has = FACT_BOLT, .how = EVIDENCE_ANSWERED };

	if (state == '-') {
		return;
	}
	evidence.config.version = the_fake->config_version;
	if (strchr("cowd", state) != NULL) {
		evidence.has |= FACT_DOOR;
		evidence.door = strchr("ow", state) != NULL ? DOOR_STATE_OPEN : DOOR_STATE_CLOSED;
		state = strchr("co", state) != NULL ? 'L' : 'U';
	}
	evidence.bolt.state = state == 'L'   ? LOCK_STATE_LOCKED
			      : state == 'U' ? LOCK_STATE_UNLOCKED
			      : state == 'O' ? LOCK_STATE_UNLATCHED
					     : LOCK_STATE_NOT_FULLY_LOCKED;
	evidence.bolt.is_jammed = state == 'J';
	evidence.bolt.motion = state == 'M' ? LOCK_MOTION_UNLOCKING : LOCK_MOTION_NONE;
	session->host->evidence(session->user, &evidence);
	if (the_fake->tells.has != 0) {
		session->host->evidence(session->user, &the_fake->tells);
	}
}

static void report_log(struct fake_session *session, const uint8_t *buf, size_t n) {
	struct log_entry entries[16] = { 0 };
	size_t count = buf[1];

	assert(count <= ARRAY_SIZE(entries) && n == 2 + 3 * count);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *at = buf + 2 + 3 * i;

		entries[i] = (struct log_entry){ .seq = at[0],
			.time = { the_fake->has_no_clock ? 0 : 1000 },
			.kind = at[2] == 'W' ? EVENT_LOCK_OPERATION_ERROR : EVENT_LOCK_OPERATION,
			.operation = at[2] == 'L' ? OPERATION_LOCK : OPERATION_UNLOCK,
			.source = SOURCE_MANUAL,
			.error = at[2] == 'W' ? OPERATION_ERROR_INVALID_CREDENTIAL
					      : OPERATION_ERROR_NONE,
			.alarm = ALARM_NONE,
			.door = DOOR_STATE_UNKNOWN,
			.credential = CREDENTIAL_NONE,
			.is_own = at[2] != 'K' && at[1] == 1 };
		if (the_fake->entry_time.s != 0) {
			entries[i].time = the_fake->entry_time;
		}
		if (at[2] == 'o' || at[2] == 's') {
			entries[i].kind = EVENT_DOOR_STATE_CHANGE;
			entries[i].operation = OPERATION_NONE;
			entries[i].door = at[2] == 'o' ? DOOR_STATE_OPEN : DOOR_STATE_CLOSED;
		}
		if (at[2] == 'A' || at[2] == 'J') {
			entries[i].operation = OPERATION_LOCK;
			entries[i].source = SOURCE_AUTO;
		}
		if (at[2] == 'J') {
			entries[i].kind = EVENT_LOCK_OPERATION_ERROR;
			entries[i].error = OPERATION_ERROR_UNSPECIFIED;
			entries[i].alarm = ALARM_LOCK_JAMMED;
			entries[i].fault = FAULT_JAMMED;
		}
		if (at[2] == 'K') {
			entries[i].source = SOURCE_KEYPAD;
			entries[i].credential = CREDENTIAL_PIN;
			entries[i].user_ref = at[1];
		}
		if (at[2] == 'K' || at[2] == 'N') {
			(void) text_copy(entries[i].user, sizeof(entries[i].user), "Guest");
		}
	}
	session->host->log(session->user, entries, count);
}

static void session_bytes_fake(
	struct session *base, const char *characteristic, const uint8_t *buf, size_t n) {
	struct fake_session *session = to_session(base);
	struct secret keys = { .len = 2, .bytes = { 'k', 'p' } };

	(void) characteristic;
	if (!session->has_job || n < 2) {
		return;
	}
	switch (buf[0]) {
	case 'D':
		report_state(session, buf[1]);
		if (session->job.act == ACT_READ_USERS) {
			session->keypad->n_reads++;
			session->host->slots(
				session->user, session->keypad->slots, session->keypad->n);
		}
		for (size_t i = 0; session->job.act == ACT_READ_TIMERS && i < the_fake->n_timers;
			i++) {
			session->host->timers(session->user, &the_fake->timers[i], 1);
		}
		if (the_fake->has_settings && (session->job.act == ACT_READ_SETTINGS ||
						      session->job.act == ACT_PUT_SETTING)) {
			session->host->settings(
				session->user, the_fake->settings, ARRAY_SIZE(the_fake->settings));
		}
		if (session->job.act == ACT_PAIR) {
			keys.bytes[1] = '-';
			session->host->keys(session->user, &keys);
		}
		end_job(session, is_keypad_act(session->job.act) || is_timer_act(session->job.act)
					 ? session->code
					 : FAULT_NONE);
		break;
	case 'F':
		end_job(session, (enum fault_code) buf[1]);
		break;
	case 'E':
		report_log(session, buf, n);
		break;
	default:
		assert(!"not the fake lock's language");
	}
}

static void session_timer_fake(struct session *base) {
	end_job(to_session(base), FAULT_LOCK_SILENT);
}

static void session_gate_fake(struct session *base) {
	struct fake_session *session = to_session(base);

	assert(session->is_gated);
	send_job(session); /* the gate was judged anew before this call */
}

static void session_down_fake(struct session *base) {
	struct fake_session *session = to_session(base);

	session->is_up = false;
	if (session->has_job) {
		end_job(session, FAULT_LINK_LOST);
	}
}

static const struct session_impl session_fake = {
	.free = session_free_fake,
	.up = session_up_fake,
	.start = session_start_fake,
	.written = session_written_fake,
	.bytes = session_bytes_fake,
	.timer = session_timer_fake,
	.gate_opened = session_gate_fake,
	.down = session_down_fake,
};

static bool sight_fake(const struct advert *advert, struct sighting *ret) {
	const struct advert_part *part = advert_manufacturer(advert, 0xffff);

	if (part == NULL) {
		return false;
	}
	*ret = (struct sighting){ .driver = &fake_driver,
		.rssi = advert->rssi,
		.model = "Fake 1",
		.is_pairing = part->bytes[0] != 0,
		.needs_key = part->bytes[2] != 0,
		.is_changed = part->bytes[1] != 0 };
	memcpy(ret->address, advert->address, sizeof(ret->address));
	memcpy(ret->name, advert->name, sizeof(ret->name));
	return true;
}

/* A state is news when it is another one than was advertised before. */
static void hear_fake(const struct secret *keys, const struct lock_status *status,
	const struct advert *advert, struct heard_memory *memory, struct evidence *ret) {
	const struct advert_part *part = advert_manufacturer(advert, 0xffff);

	(void) keys;
	(void) status;
	if (part == NULL) {
		return;
	}
	ret->is_changed = part->bytes[1] != 0;
	ret->is_passing = part->bytes[1] == MARK_PASSES;
	if (part->bytes[3] != memory->bytes[0]) {
		memory->bytes[0] = part->bytes[3];
		ret->has |= FACT_BOLT;
		ret->bolt.state = part->bytes[3];
	}
}

static const struct radio_subscription *subscriptions_fake(
	const struct sighting *sighting, const struct secret *keys) {
	static const struct radio_subscription rows[] = { { "service", "io", false }, { 0 } };

	(void) sighting;
	(void) keys;
	return rows;
}

static struct session *session_new_fake(
	const struct secret *keys, const struct session_host *impl, void *host) {
	struct fake_session *session = calloc(1, sizeof(*session));

	session->keypad = &the_fake->keypads[keys != NULL && keys->len > 2 ? keys->bytes[2] : 15];
	session->session.impl = &session_fake;
	session->host = impl;
	session->user = host;
	return &session->session;
}

static bool has_pin_fake(const struct secret *keys) {
	return keys->len >= 2 && keys->bytes[1] == 'p';
}

static unsigned acts_fake(const struct secret *keys, const struct lock_status *status) {
	unsigned acts = 0;

	(void) status;
	for (unsigned act = 0; act < ACT_COUNT_; act++) {
		acts |= opcodes[act] != 0 ? 1U << act : 0;
	}
	if (!the_fake->has_settings) {
		acts &= ~(1U << ACT_READ_SETTINGS | 1U << ACT_PUT_SETTING);
	}
	if (!the_fake->has_timers || !has_pin_fake(keys)) {
		acts &= ~(1U << ACT_READ_TIMERS | 1U << ACT_PUT_TIMER | 1U << ACT_REMOVE_TIMER);
	}
	if (!the_fake->has_keypads || !has_pin_fake(keys)) {
		acts &= ~(1U << ACT_READ_USERS | 1U << ACT_PUT_CREDENTIAL |
			  1U << ACT_REMOVE_CREDENTIAL);
	}
	return has_pin_fake(keys) ? acts : acts & ~(1U << ACT_READ_LOG | 1U << ACT_UNPAIR);
}

static bool is_announcing_fake(const struct secret *keys, const struct lock_status *status) {
	(void) keys;
	(void) status;
	return !the_fake->is_mute;
}

static int set_pin_fake(struct secret *keys, const struct secret *pin, struct fault *ret_fault) {
	(void) ret_fault;
	keys->bytes[1] = pin->len > 0 ? 'p' : '-';
	return 0;
}

static const struct credential_limits *credentials_fake(
	const struct secret *keys, const struct lock_status *status) {
	(void) status;
	return the_fake->has_keypads && has_pin_fake(keys) ? &the_fake->limits : NULL;
}

static const struct lock_setting *settings_fake(
	const struct secret *keys, const struct lock_status *status, size_t *ret_n) {
	static const struct lock_setting rows[] = {
		{ .key = "Level",
			.title = "How much",
			.kind = SETTING_NUMBER,
			.unit = "s",
			.min = 10,
			.max = 20,
			.step = 5,
			.is_zero_off = true,
			.needs_pin = true },
		{ .key = "Light", .title = "A light", .kind = SETTING_SWITCH, .needs_pin = true },
		{ .key = "Name", .title = "A name", .kind = SETTING_TEXT, .max = 8 },
	};

	(void) keys;
	(void) status;
	*ret_n = the_fake->has_settings ? ARRAY_SIZE(rows) : 0;
	return the_fake->has_settings ? rows : NULL;
}

const struct driver fake_driver = {
	.name = "fake",
	.brand = "Fake",
	.sight = sight_fake,
	.hear = hear_fake,
	.key_form = "a word",
	.key_source = "It is printed on the box.",
	.subscriptions = subscriptions_fake,
	.session_new = session_new_fake,
	.acts = acts_fake,
	.has_pin = has_pin_fake,
	.is_announcing = is_announcing_fake,
	.set_pin = set_pin_fake,
	.credentials = credentials_fake,
	.settings = settings_fake,
	.pin_form = "4 digits",
};

/* ---- the whole ---- */

static void on_event(struct listener *listener, void *data) {
	struct fake *fake = container_of(listener, struct fake, on_event);

	assert(fake->n_events < FAKE_EVENTS_MAX);
	fake->events[fake->n_events++] = *(const struct event *) data;
}

static void on_finished(struct listener *listener, void *data) {
	struct fake *fake = container_of(listener, struct fake, on_finished);

	assert(fake->n_finished < ARRAY_SIZE(fake->finished));
	fake->finished[fake->n_finished++] = *(const struct op *) data;
}

static void on_changed(struct listener *listener, void *data) {
	const struct lock_change *change = data;

	container_of(listener, struct fake, on_changed)->changed |= change->what;
}

static void on_added(struct listener *listener, void *data) {
	(void) data;
	container_of(listener, struct fake, on_added)->n_added++;
}

static void on_removed(struct listener *listener, void *data) {
	(void) data;
	container_of(listener, struct fake, on_removed)->n_removed++;
}

static void on_refused(struct listener *listener, void *data) {
	const struct refusal *refusal = data;

	container_of(listener, struct fake, on_refused)->refusal = refusal->fault;
}

static void on_sync(struct listener *listener, void *data) {
	(void) data;
	container_of(listener, struct fake, on_sync)->n_synced++;
}

static void make_hub(struct fake *fake) {
	static const struct driver *const drivers[] = { &fake_driver, NULL };
	struct hub_config config;
	struct hub_signals *signals;

	hub_config_defaults(&config);
	config.clock = &fake->clock;
	config.radio = &fake->radio;
	config.ledger = &fake->ledger;
	config.drivers = drivers;
	fake->hub = hub_new(&config);
	signals = hub_signals(fake->hub);
	signal_add(&signals->event, &fake->on_event, on_event);
	signal_add(&signals->op_finished, &fake->on_finished, on_finished);
	signal_add(&signals->lock_changed, &fake->on_changed, on_changed);
	signal_add(&signals->lock_added, &fake->on_added, on_added);
	signal_add(&signals->lock_removed, &fake->on_removed, on_removed);
	signal_add(&signals->refused, &fake->on_refused, on_refused);
	signal_add(&signals->sync_changed, &fake->on_sync, on_sync);
}

static void end_hub(struct fake *fake) {
	struct txn *txn;
	struct txn *next;

	listener_remove(&fake->on_event);
	listener_remove(&fake->on_finished);
	listener_remove(&fake->on_changed);
	listener_remove(&fake->on_added);
	listener_remove(&fake->on_removed);
	listener_remove(&fake->on_refused);
	listener_remove(&fake->on_sync);
	fake->health.n_asked = 0;
	fake->hub = hub_free(fake->hub);
	list_for_each_safe(txn, next, &fake->txns, link) {
		txn_free(txn);
	}
}

struct fake *fake_new(void) {
	struct fake *fake = calloc(1, sizeof(*fake));

	the_fake = fake;
	fake->disk = book_new();
	fake->clock = (struct clock){ clock_mono_fake, clock_wall_fake, clock_trusted_fake };
	fake->mono.ms = 1000000;
	fake->wall.s = 1795000000;
	fake->is_trusted = true;
	fake->radio.impl = &radio_fake;
	fake->ledger.impl = &ledger_fake;
	list_init(&fake->txns);
	for (size_t i = 0; i < ARRAY_SIZE(fake->keypads); i++) {
		fake->keypads[i].n_most = FAKE_SLOTS_MAX;
	}
	make_hub(fake);
	return fake;
}

struct fake *fake_free(struct fake *fake) {
	if (fake == NULL) {
		return NULL;
	}
	end_hub(fake);
	book_free(fake->disk);
	free(fake);
	return NULL;
}

void fake_have_keypads(struct fake *fake) {
	fake->has_keypads = true;
	fake->limits = (struct credential_limits){ .types = 1U << CREDENTIAL_PIN,
		.has_app_keys = true,
		.pin_least = 4,
		.pin_most = 8,
		.name_most = 20,
		.n_windows = 1,
		.has_enable = true,
		.tells_pins = true };
}

static void load_disk(struct fake *fake) {
	struct book *book = hub_load_book(fake->hub);
	const struct book *disk = fake->disk;
	const struct credential *credential;
	const struct placement *placement;
	const struct schedule *schedule;
	const struct holiday *holiday;
	const struct access *access;

	for (size_t i = 0; i < book_user_count(disk); i++) {
		(void) book_put_user(book, book_user_at(disk, i));
	}
	for (size_t i = 0; (credential = book_credential_at(disk, i)) != NULL; i++) {
		(void) book_put_credential(book, credential);
	}
	for (size_t i = 0; (access = book_access_at(disk, i)) != NULL; i++) {
		(void) book_put_access(book, access);
	}
	for (size_t i = 0; (schedule = book_schedule_at(disk, i)) != NULL; i++) {
		(void) book_put_schedule(book, schedule);
	}
	for (size_t i = 0; (holiday = book_holiday_at(disk, i)) != NULL; i++) {
		(void) book_put_holiday(book, holiday);
	}
	for (size_t i = 0; (placement = book_placement_at(disk, i)) != NULL; i++) {
		(void) book_put_placement(book, placement);
	}
	for (size_t i = 0; i < fake->n_records; i++) {
		const char *id = fake->records[i].id;
		size_t n;
		wall_t at;
		const struct slot *slots = book_slots(disk, id, &n, &at);

		(void) book_put_slots(book, id, slots, n, at);
		(void) book_put_rules(book, id, book_rules(disk, id));
	}
}

void fake_reboot(struct fake *fake) {
	end_hub(fake);
	make_hub(fake);
	load_disk(fake);
	for (size_t i = 0; i < fake->n_records; i++) {
		fake->records[i].log_cursor = fake->cursor > 0 ? fake->cursor : 10;
		if (hub_load_lock(fake->hub, &fake->records[i]) < 0) {
			abort();
		}
	}
	for (size_t i = 0; i < fake->health.n_samples; i++) {
		hub_load_sample(fake->hub, fake->health.samples[i].lock_id,
			&fake->health.samples[i].sample);
	}
	fake_start(fake);
}

struct slot *fake_slot(struct fake_keypad *keypad, const char *pin) {
	for (size_t i = 0; i < keypad->n; i++) {
		const struct secret *there = &keypad->slots[i].pin;

		if (there->len == strlen(pin) && memcmp(there->bytes, pin, there->len) == 0) {
			return &keypad->slots[i];
		}
	}
	return NULL;
}

int64_t fake_put_foreign(struct fake_keypad *keypad, const char *name, const char *pin) {
	struct slot *slot = &keypad->slots[keypad->n++];

	*slot = (struct slot){
		.type = CREDENTIAL_PIN, .ref = ++keypad->last_ref, .is_enabled = true
	};
	(void) text_copy(slot->name, sizeof(slot->name), name);
	(void) secret_set_text(&slot->pin, pin);
	return slot->ref;
}

void fake_add_lock(struct fake *fake, const char *id, const char *name, bool has_pin) {
	struct lock_record record = { .driver = "fake",
		.keys = { .len = 2, .bytes = { 'k', has_pin ? 'p' : '-' } },
		.state = LOCK_STATE_LOCKED,
		.state_at = { fake->wall.s - 3600 } };

	(void) text_copy(record.id, sizeof(record.id), id);
	(void) text_copy(record.name, sizeof(record.name), name);
	text_slug(name, record.slug, sizeof(record.slug));
	(void) snprintf(record.address, sizeof(record.address), "AA:BB:CC:DD:EE:%.2s", id);
	record.log_cursor = 10;
	if (fake->has_keypads) {
		record.keys.bytes[record.keys.len++] = (uint8_t) fake->n_records;
	}
	assert(fake->n_records < ARRAY_SIZE(fake->records));
	fake->records[fake->n_records++] = record;
	if (hub_load_lock(fake->hub, &record) < 0) {
		abort();
	}
}

void fake_start(struct fake *fake) {
	hub_start(fake->hub);
	fake_turn(fake);
}

/* Drops that were asked for happen in the next turn, as with a real radio. */
static bool do_drops(struct fake *fake) {
	for (size_t i = 0; i < fake->n_links; i++) {
		if (fake->links[i]->is_dropped && fake->links[i]->is_up) {
			fake_down(fake, fake->links[i], FAULT_NONE);
			return true;
		}
	}
	return false;
}

void fake_turn(struct fake *fake) {
	for (unsigned i = 0; i < 1000; i++) {
		bool is_idle = hub_next_due(fake->hub).ms > fake->mono.ms;

		hub_run_due(fake->hub);
		if (!fake->is_ledger_held && !list_is_empty(&fake->txns)) {
			fake_commit(fake);
			is_idle = false;
		}
		if (do_drops(fake)) {
			is_idle = false;
		}
		while (fake->health.n_asked > 0 && !fake->health.is_held) {
			answer_history(fake);
			is_idle = false;
		}
		if (is_idle && hub_next_due(fake->hub).ms > fake->mono.ms) {
			return;
		}
	}
	assert(!"the hub never comes to rest");
}

void fake_advance(struct fake *fake, int64_t ms) {
	int64_t end = fake->mono.ms + ms;

	while (fake->mono.ms < end) {
		mono_t due = hub_next_due(fake->hub);
		int64_t to = due.ms < end ? due.ms : end;

		if (to <= fake->mono.ms) {
			to = fake->mono.ms + 1;
		}
		fake->wall_ms += to - fake->mono.ms;
		fake->wall.s += fake->wall_ms / 1000;
		fake->wall_ms %= 1000;
		fake->mono.ms = to;
		fake_turn(fake);
	}
}

struct request fake_request(const char *lock, enum act act) {
	struct request request = {
		.act = act, .origin = REQUEST_DBUS, .role = ROLE_MANAGE, .actor = "anna"
	};

	(void) text_copy(request.lock, sizeof(request.lock), lock);
	return request;
}

const struct event *fake_find_event(const struct fake *fake, enum event_kind kind) {
	for (size_t i = fake->n_events; i > 0; i--) {
		if (fake->events[i - 1].kind == kind) {
			return &fake->events[i - 1];
		}
	}
	return NULL;
}
