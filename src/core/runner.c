/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One runner per lock: it asks the radio for a link when there is work, gives the session one job
 * at a time, and carries bytes between the two. What a job's end means is decided elsewhere
 * (request.c for operations, care.c for the hub's own jobs).
 *
 * Neither the radio nor the session may be re-entered from their own callbacks, so a session's
 * done() and a write that fails at once are only noted, and taken up by runner_settle() when the
 * session's input function has returned.
 */

#include "private.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/people.h"
#include "util/log.h"

#define CARE_PATIENCE_MS 45000
/* The radio gives up this long before the operation does: its reason says more than "expired". */
#define PATIENCE_MARGIN_MS 500
#define JOB_TRIES_MAX 3
#define LOG_PAGE 50
/* Reading the state back may take this long beyond the operation's own time. */
#define READ_BACK_MS 20000
/* Between two looks at a motor that runs. */
#define MOTION_PAUSE_MS 1000

static void job_ended(struct lock *lock);

static const struct radio_impl *radio_of(const struct lock *lock) {
	return lock->hub->config.radio->impl;
}

/* ---- the session's host ---- */

static void host_write(void *host, const char *characteristic, const uint8_t *buf, size_t n) {
	struct lock *lock = host;
	int r = lock->state == RUNNER_UP && lock->link != NULL
			? radio_of(lock)->write(lock->link, characteristic, buf, n)
			: -ENOTCONN;

	if (r < 0) {
		lock->write_error = r;
		return;
	}
	if (lock->is_busy && lock->job_op != NULL && lock->job_op->op.first_write.ms == 0) {
		lock->job_op->op.first_write = hub_now(lock->hub);
	}
}

static void host_arm(void *host, unsigned ms) {
	struct lock *lock = host;

	lock->timer = ms == 0 ? MONO_NEVER : mono_after(hub_now(lock->hub), ms);
}

static void host_evidence(void *host, const struct evidence *evidence) {
	struct lock *lock = host;

	if ((evidence->has & FACT_BOLT) != 0 && evidence->bolt.motion == LOCK_MOTION_NONE) {
		lock->has_bolt_evidence = true;
	}
	facts_take(lock, evidence);
}

static void host_log(void *host, const struct log_entry *entries, size_t n) {
	import_entries(host, entries, n);
}

static void host_slots(void *host, const struct slot *slots, size_t n) {
	sync_slots(host, slots, n);
}

static void host_timers(void *host, const struct lock_timer *timers, size_t n) {
	timers_take(host, timers, n);
}

static void host_presenting(void *host, unsigned n, unsigned n_all) {
	learn_presenting(host, n, n_all);
}

static void host_settings(void *host, const struct setting *settings, size_t n) {
	settings_take(host, settings, n);
}

static void host_keys(void *host, const struct secret *keys) {
	struct lock *lock = host;
	struct txn *txn;
	struct txn_item *item;
	const bool is_new_pin = lock_pin_differs(lock, keys);

	lock->keys = *keys;
	if (lock->is_provisional) {
		return; /* kept when pairing is complete */
	}
	if (is_new_pin) {
		lock_pin_given(lock);
	}
	txn = hub_txn_new(lock->hub);
	item = txn != NULL ? txn_add(txn, TXN_LOCK_KEYS) : NULL;
	if (item != NULL) {
		lock_to_record(lock, &item->lock);
	}
	hub_commit(lock->hub, txn);
	hub_lock_changed(lock, FACT_CONFIG);
}

static bool host_gate(void *host) {
	struct lock *lock = host;
	struct op_entry *entry = lock->job_op;
	mono_t now = hub_now(lock->hub);

	assert(entry != NULL);
	if (entry->is_doomed) {
		lock->is_drop_wanted = true;
		return false;
	}
	/* The last moment at which nothing has happened yet: L2 is enforced here. */
	if (mono_since(entry->op.received, now) > OP_MOTOR_EXPIRY_MS &&
		act_moves_motor(entry->op.act)) {
		entry->is_doomed = true;
		(void) fault_set(&entry->doom, FAULT_EXPIRED,
			"the link was ready only %lld ms after the request",
			(long long) mono_since(entry->op.received, now));
		lock->is_drop_wanted = true;
		return false;
	}
	if (!entry->is_committed && !entry->is_unrecordable) {
		lock->is_gate_waiting = true;
		return false;
	}
	health_motor_starts(lock);
	return true;
}

static void host_done(void *host, const struct job_result *result) {
	struct lock *lock = host;

	assert(lock->is_busy && !lock->has_result);
	lock->has_result = true;
	lock->result = *result;
}

static void host_trace(void *host, const char *text) {
	const struct lock *lock = host;

	log_line(LOG_DEBUG, lock->slug, "%s", text);
}

static void host_frame(
	void *host, bool is_out, const char *characteristic, const uint8_t *plain, size_t n) {
	record_frame(host, is_out, characteristic, plain, n);
}

static const struct session_host host_impl = {
	.write = host_write,
	.arm = host_arm,
	.evidence = host_evidence,
	.log = host_log,
	.slots = host_slots,
	.timers = host_timers,
	.settings = host_settings,
	.presenting = host_presenting,
	.keys = host_keys,
	.gate = host_gate,
	.done = host_done,
	.trace = host_trace,
	.frame = host_frame,
};

/* ---- jobs ---- */

/* Takes up what the session left behind, until it waits for something. */
static void runner_settle(struct lock *lock) {
	if (lock->is_settling) {
		return;
	}
	lock->is_settling = true;
	while (lock->has_result || lock->write_error != 0) {
		if (lock->has_result) {
			lock->write_error = 0;
			job_ended(lock);
		} else {
			int error = lock->write_error;

			lock->write_error = 0;
			lock->session->impl->written(lock->session, error, RADIO_NOT_SENT);
		}
	}
	lock->is_settling = false;
	if (lock->is_drop_wanted) {
		lock->is_drop_wanted = false;
		runner_drop(lock);
	}
}

static struct op_entry *next_op(const struct lock *lock) {
	struct op_entry *entry;

	list_for_each(entry, &lock->queue, queued) {
		if (!entry->is_doomed && !entry->is_keeping && entry->op.state <= OP_READING_BACK) {
			return entry;
		}
	}
	return NULL;
}

static void start_job(
	struct lock *lock, const struct job *job, struct op_entry *entry, unsigned care_bit) {
	const struct clock *clock = lock->hub->config.clock;
	struct fault fault = { .code = FAULT_NONE };

	lock->job = *job;
	lock->job.now = clock_wall(clock);
	lock->job.is_now_trusted = clock_is_trusted(clock);
	lock->job.zone = hub_lock_zone(lock->hub, lock->id);
	lock->job.log_cursor =
		lock->log_pending > lock->log_base ? lock->log_pending - lock->log_base : 0;
	lock->job.log_max = LOG_PAGE;
	lock->job_op = entry;
	lock->job_care = care_bit;
	lock->is_busy = true;
	lock->has_result = false;
	lock->has_bolt_evidence = false;
	lock->is_gate_waiting = false;
	if (job->act == ACT_READ_TIMERS) {
		timers_begin(lock);
	}
	if (entry != NULL && entry->op.state != OP_READING_BACK) {
		entry->op.state = OP_RUNNING;
		entry->op.tries++;
		op_changed(entry);
	}
	if (job->act == ACT_READ_LOG) {
		record_line(lock, "= start %s %lld %u", act_name(job->act),
			(long long) lock->job.log_cursor, lock->job.log_max);
	} else {
		record_line(lock, "= start %s", act_name(job->act));
	}
	if (lock->session->impl->start(lock->session, &lock->job, &fault) < 0 &&
		!lock->has_result) {
		lock->has_result = true;
		lock->result = (struct job_result){ .fault = fault, .sent = JOB_NOT_SENT };
	}
}

/* Without an entry it is the hub's own care. */
static void label_link(struct lock *lock, const struct op_entry *entry) {
	if (radio_of(lock)->label != NULL) {
		radio_of(lock)->label(lock->link, lock->id, entry != NULL ? entry->op.id : "");
	}
}

static void want_link(struct lock *lock, enum radio_need need, mono_t deadline) {
	int64_t patience = CARE_PATIENCE_MS;

	if (deadline.ms != INT64_MAX) {
		patience = mono_since(hub_now(lock->hub), deadline) - PATIENCE_MARGIN_MS;
	}
	if (patience < 1000) {
		patience = 1000;
	}
	lock->need = need;
	lock->state = lock->state == RUNNER_UP ? RUNNER_UP : RUNNER_WANTING;
	radio_of(lock)->want(lock->link, need, (unsigned) patience);
}

static void stop_wanting(struct lock *lock) {
	if (lock->need != RADIO_NEED_NONE) {
		lock->need = RADIO_NEED_NONE;
		radio_of(lock)->release(lock->link);
	}
	if (lock->state == RUNNER_WANTING) {
		lock->state = RUNNER_IDLE;
	}
}

/* What tells whether an act has been done. */
static enum act read_back_act(enum act act) {
	return timers_is_change(act)     ? ACT_READ_TIMERS
	       : settings_is_change(act) ? ACT_READ_SETTINGS
					 : ACT_READ_STATE;
}

void runner_kick(struct lock *lock) {
	struct op_entry *entry;
	struct job job = { .act = ACT_NONE };
	unsigned care_bit = 0;
	enum radio_need need;
	mono_t now = hub_now(lock->hub);

	lock->kick = MONO_NEVER;
	if (lock->is_busy || lock->is_dropping || lock->link == NULL) {
		return;
	}
	entry = next_op(lock);
	if (entry == NULL && !(lock->state == RUNNER_UP ? care_next(lock, &job, &care_bit)
							: care_is_waiting(lock, now))) {
		stop_wanting(lock);
		return;
	}
	need = entry != NULL ? op_need(entry) : care_need(lock);
	label_link(lock, entry);
	if (lock->state != RUNNER_UP) {
		if (lock->state == RUNNER_IDLE || need > lock->need) {
			want_link(lock, need, entry != NULL ? entry->deadline : MONO_NEVER);
		}
		return;
	}
	if (lock->need != need) {
		want_link(lock, need, MONO_NEVER); /* keeps a link that was lingering */
	}
	if (entry != NULL) {
		job = entry->job;
		if (entry->op.state == OP_READING_BACK) {
			job = (struct job){ .act = read_back_act(entry->op.act) };
		}
	}
	start_job(lock, &job, entry, care_bit);
	secret_wipe(&job.pin);
	secret_wipe(&job.slot.pin);
	runner_settle(lock);
}

void runner_kick_soon(struct lock *lock) {
	lock->kick = mono_min(lock->kick, hub_now(lock->hub));
}

/* The state is in doubt: it must be read before anybody is told anything (L1, L2). */
static void read_back(struct op_entry *entry, const struct fault *fault) {
	struct lock *lock = entry->lock;

	entry->op.state = OP_READING_BACK;
	entry->op.fault = *fault;
	entry->deadline = mono_after(hub_now(lock->hub), READ_BACK_MS);
	op_changed(entry);
	hub_lock_changed(lock, lock_status_doubt_bolt(&lock->status));
	/* A session that lost the thread starts best on a new link. */
	runner_drop(lock);
	runner_kick_soon(lock);
}

static void finish_unknown(struct op_entry *entry, bool is_read) {
	const struct lock *lock = entry->lock;
	struct fault fault;
	enum fault_code why = entry->op.fault.code;

	if (timers_is_change(entry->op.act)) {
		timers_give_up(entry);
		return;
	}
	if (settings_is_change(entry->op.act)) {
		settings_give_up(entry);
		return;
	}
	(void) fault_set(&fault, FAULT_OUTCOME_UNKNOWN, "%s; %s: %s", fault_row(why)->summary,
		is_read ? "state read back" : "its state could not be read",
		is_read ? lock_state_name(lock->status.bolt.state) : "unknown");
	op_finish(entry, OP_UNKNOWN, &fault);
}

static bool may_retry(const struct op_entry *entry, const struct job_result *result) {
	bool is_safe = result->sent == JOB_NOT_SENT || !act_moves_motor(entry->op.act);

	return is_safe && !fault_is_answer(result->fault.code) &&
	       result->fault.code != FAULT_NOT_SUPPORTED &&
	       result->fault.code != FAULT_BAD_ARGUMENT &&
	       result->fault.code != FAULT_PIN_REQUIRED && entry->op.tries < JOB_TRIES_MAX &&
	       !mono_is_due(entry->deadline, hub_now(entry->lock->hub));
}

/* What the end of its job means for an operation. */
static void op_job_ended(struct op_entry *entry, const struct job_result *result) {
	struct lock *lock = entry->lock;
	enum fault_code code = result->fault.code;

	if (timers_is_change(entry->op.act) && timers_job_done(entry, result)) {
		return;
	}
	if (settings_is_change(entry->op.act) && settings_job_done(entry, result)) {
		return;
	}
	if (learn_is_one(entry->op.act) && learn_job_done(entry, result)) {
		return;
	}
	if (entry->op.state == OP_READING_BACK) {
		bool is_late = mono_is_due(entry->deadline, hub_now(lock->hub));

		if (code == FAULT_NONE && lock->status.bolt.motion != LOCK_MOTION_NONE &&
			!is_late) {
			lock->kick =
				mono_after(hub_now(lock->hub), MOTION_PAUSE_MS); /* where to? */
		} else if (code == FAULT_NONE || is_late) {
			finish_unknown(entry, code == FAULT_NONE);
		} else {
			runner_drop(lock); /* once more, until the deadline */
		}
		return;
	}
	if (code != FAULT_NONE && result->sent == JOB_MAYBE_SENT &&
		act_moves_motor(entry->op.act) && !fault_is_answer(code)) {
		read_back(entry, &result->fault);
		return;
	}
	if (entry->op.act == ACT_REBOOT && result->sent == JOB_MAYBE_SENT && code != FAULT_NONE &&
		!fault_is_answer(code)) {
		/* That the link breaks is what a restart looks like; asking again would restart it
		 * again. */
		care_want(lock, CARE_STATE);
		op_finish(entry, OP_DONE, NULL);
		return;
	}
	if (code != FAULT_NONE && entry->is_doomed) {
		op_finish(entry, OP_FAILED, &entry->doom);
		return;
	}
	if (code != FAULT_NONE && may_retry(entry, result)) {
		entry->op.state = OP_QUEUED;
		op_changed(entry);
		runner_drop(lock);
		runner_kick_soon(lock);
		return;
	}
	if (enrol_is_own_kind(entry->op.act)) {
		enrol_job_done(entry, result);
		return;
	}
	care_after_op(lock, entry);
	if (result->is_log_more) {
		care_want(lock, CARE_LOG);
	}
	if (code != FAULT_NONE) {
		op_finish(entry, OP_FAILED, &result->fault);
	} else if (entry->op.act == ACT_READ_LOG && lock->is_importing) {
		/* Who asked looks into the hub's log next: import_committed() goes on. */
		entry->is_keeping = true;
	} else {
		op_finish(entry, OP_DONE, NULL);
	}
}

static void job_ended(struct lock *lock) {
	struct job_result result = lock->result;
	struct job job = lock->job;
	struct op_entry *entry = lock->job_op;
	unsigned care_bit = lock->job_care;

	record_line(lock, "= done %s", fault_name(result.fault.code));
	lock->has_result = false;
	lock->is_busy = false;
	lock->is_gate_waiting = false;
	lock->job_op = NULL;
	lock->timer = MONO_NEVER;
	/* A link proves little; a lock that answers is well. */
	if (result.fault.code == FAULT_NONE || fault_is_answer(result.fault.code)) {
		lock->n_failures = 0;
		facts_answered(lock);
	}
	facts_job_ended(lock, &job, &result);
	health_motor_ended(lock, job.act, result.fault.code == FAULT_NONE);
	health_fault(lock, result.fault.code);
	if (job.act == ACT_READ_LOG) {
		import_job_ended(lock);
	}
	if (job.act == ACT_READ_TIMERS) {
		timers_end(lock, &result);
	}
	if (entry != NULL) {
		op_job_ended(entry, &result);
	} else {
		care_done(lock, care_bit, &job, &result);
	}
	secret_wipe(&job.pin);
	secret_wipe(&job.slot.pin);
	secret_wipe(&lock->job.pin);
	secret_wipe(&lock->job.slot.pin);
	if (lock->kick.ms == INT64_MAX || mono_is_due(lock->kick, hub_now(lock->hub))) {
		runner_kick(lock);
	}
}

/* Something was committed: judge anew whose intent it was, and how late it is by now. */
void runner_gate_opened(struct lock *lock) {
	if (!lock->is_gate_waiting) {
		return;
	}
	lock->is_gate_waiting = false;
	if (host_gate(lock)) {
		lock->session->impl->gate_opened(lock->session);
	}
	runner_settle(lock);
}

void runner_drop(struct lock *lock) {
	if (lock->state == RUNNER_UP && !lock->is_dropping) {
		lock->is_dropping = true;
		radio_of(lock)->drop(lock->link);
	}
}

/* ---- the radio's user ---- */

/* Faults of the hub's own equipment: waiting does not help whoever stands at the door. */
static bool is_hard(enum fault_code code) {
	switch (code) {
	case FAULT_ADAPTER_MISSING:
	case FAULT_ADAPTER_OFF:
	case FAULT_ADAPTER_BLOCKED:
	case FAULT_BLUEZ_MISSING:
	case FAULT_BLUEZ_HUNG:
	case FAULT_BLUEZ_DENIED:
	case FAULT_BUS_LOST:
		return true;
	default: /* RULE R3: a set of codes, not one case per code */
		return false;
	}
}

/* The attempt to get a link was given up: which operations still have time for another? */
static void link_failed(struct lock *lock, const struct fault *fault) {
	mono_t now = hub_now(lock->hub);
	struct op_entry *entry;
	struct op_entry *next;

	lock->n_failures++;
	facts_lost_contact(lock, fault);
	health_fault(lock, fault->code);
	care_failed(lock);
	list_for_each_safe(entry, next, &lock->queue, queued) {
		bool is_late = mono_since(now, entry->deadline) < 2000;

		if (entry->is_keeping || (!is_hard(fault->code) && !is_late)) {
			continue;
		}
		if (entry->op.state == OP_READING_BACK) {
			if (is_late) {
				finish_unknown(entry, false);
			}
		} else if (entry->op.state <= OP_QUEUED || entry->op.state == OP_RUNNING) {
			op_finish(entry, OP_FAILED, fault);
		}
	}
}

static void radio_up(void *user, unsigned mtu) {
	struct lock *lock = user;

	if (lock->state == RUNNER_UP) {
		return;
	}
	lock->state = RUNNER_UP;
	lock->is_dropping = false;
	facts_contact(lock, true);
	health_count_radio(lock);
	sync_linked(lock, true);
	hub_lock_changed(lock, FACT_LINK);
	record_line(lock, "= up %u", mtu);
	lock->session->impl->up(lock->session, mtu);
	runner_settle(lock);
	runner_kick(lock);
}

static void radio_down(void *user, const struct fault *fault) {
	struct lock *lock = user;
	bool was_up = lock->state == RUNNER_UP;

	lock->state = RUNNER_IDLE;
	lock->need = RADIO_NEED_NONE;
	lock->is_dropping = false;
	lock->is_drop_wanted = false;
	lock->timer = MONO_NEVER;
	if (was_up) {
		record_line(
			lock, "= down %s", fault_name(fault != NULL ? fault->code : FAULT_NONE));
		lock->session->impl->down(lock->session);
		runner_settle(lock);
		sync_linked(lock, false);
		hub_lock_changed(lock, FACT_LINK);
	}
	if (fault != NULL && fault->code != FAULT_NONE && !was_up) {
		link_failed(lock, fault);
	}
	if (next_op(lock) != NULL) {
		lock->kick = mono_min(lock->kick, mono_after(hub_now(lock->hub), was_up ? 0 : 250));
	} else {
		runner_kick_soon(lock);
	}
	health_count_radio(lock);
}

static void radio_bytes(void *user, const char *characteristic, const uint8_t *buf, size_t n) {
	struct lock *lock = user;

	if (lock->state == RUNNER_UP) {
		lock->session->impl->bytes(lock->session, characteristic, buf, n);
		runner_settle(lock);
	}
}

static void radio_written(void *user, int error, enum radio_sent sent) {
	struct lock *lock = user;

	if (lock->state == RUNNER_UP) {
		lock->session->impl->written(lock->session, error, sent);
		runner_settle(lock);
	}
}

static void radio_heard(void *user, const struct advert *advert) {
	struct lock *lock = user;
	struct sighting sighting = { 0 };
	struct evidence evidence = {
		.has = FACT_HEARD, .how = EVIDENCE_ADVERTISED, .rssi = advert->rssi
	};
	bool is_ours = !lock->is_provisional;

	if (is_ours && lock->driver->hear != NULL) {
		lock->driver->hear(&lock->keys, &lock->status, advert, &lock->memory, &evidence);
	} else if (is_ours) {
		is_ours = lock->driver->sight(advert, &sighting);
		evidence.is_changed = sighting.is_changed;
	}
	facts_take(lock, &evidence);
	health_heard(lock, advert->rssi);
	signal_emit(&lock->hub->signals.heard,
		&(struct hub_heard){ lock, advert->rssi, advert->adapter });
	facts_contact(lock, false);
	if (is_ours) {
		care_heard(lock, &evidence);
	}
}

static const struct radio_user radio_user_impl = {
	.up = radio_up,
	.down = radio_down,
	.bytes = radio_bytes,
	.written = radio_written,
	.heard = radio_heard,
};

/* ---- making and ending ---- */

int runner_make_link(struct lock *lock) {
	const struct secret *keys = lock->is_provisional ? NULL : &lock->keys;
	struct radio_target target = {
		.is_random = lock->is_random,
		.subscriptions = lock->driver->subscriptions(&lock->sighting, keys),
		.is_watched = keys != NULL && lock_is_announcing(lock),
		.patterns = lock->driver->patterns,
	};

	assert(lock->link == NULL && lock->session == NULL);
	memcpy(target.address, lock->address, sizeof(target.address));
	lock->session = lock->driver->session_new(keys, &host_impl, lock);
	if (lock->session == NULL) {
		return -ENOMEM;
	}
	lock->is_link_watched = target.is_watched;
	health_link_made(lock);
	lock->link =
		radio_of(lock)->link_new(lock->hub->config.radio, &target, &radio_user_impl, lock);
	if (lock->link == NULL) {
		lock->session = lock->session->impl->free(lock->session);
		return -ENOMEM;
	}
	return 0;
}

void runner_forget(struct lock *lock) {
	if (lock->link != NULL) {
		lock->link = radio_of(lock)->link_free(lock->link);
	}
	if (lock->session != NULL) {
		lock->session = lock->session->impl->free(lock->session);
	}
	lock->state = RUNNER_IDLE;
	lock->need = RADIO_NEED_NONE;
	lock->is_busy = false;
	lock->has_result = false;
	lock->write_error = 0;
	lock->is_dropping = false;
	lock->is_drop_wanted = false;
	lock->is_gate_waiting = false;
	lock->job_op = NULL;
	lock->timer = MONO_NEVER;
}

void runner_run_due(struct lock *lock, mono_t now) {
	if (mono_is_due(lock->timer, now)) {
		lock->timer = MONO_NEVER;
		lock->session->impl->timer(lock->session);
		runner_settle(lock);
	}
	if (mono_is_due(lock->kick, now)) {
		runner_kick(lock);
	}
}

mono_t runner_next_due(const struct lock *lock) {
	return mono_min(lock->timer, lock->kick);
}
