/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What was seen of a lock becomes samples and counts per day (core/history.h), and these become
 * rows of the ledger, seldom. All in one place, so that "how often does it write, and why" has one
 * answer: schedule_samples(), schedule_days() and health_run_due().
 *
 * Counts are held until they are handed to the ledger, which adds them to the day's row. So nothing
 * has to be loaded at start, a day may come back when the clock is set back, and a lock's log may
 * tell of many days at once. What the ledger could not take comes back and is tried again.
 */

#include "private.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/people.h"
#include "util/text.h"

#define DAY_S 86400
#define SAMPLES_DELAY_MS 2000 /* what is learnt in one link is written in one go */
#define DAYS_DELAY_MS (60 * 60 * 1000)
#define TRUST_LOOK_MS 60000           /* between two looks whether the clock has been set */
#define UNTRUSTED_MS (60 * 60 * 1000) /* held no longer than this for want of the time */
#define RETRY_MS (10 * 60 * 1000)     /* after the ledger could not take it */
#define HEARD_APART_MS 10000          /* of what is heard more often one strength counts */
#define DAYS_HELD_MAX 128
/* A lock's entry about a time before this, or after now, says nothing about the time. */
#define ENTRY_AGE_MAX_S (INT64_C(2) * 366 * DAY_S)
/* Batteries: so many points more than before, and they are other ones, or charged. */
#define CHANGED_POINTS 20
/* What the level shows a second time, or somebody has said before, is the same change. */
#define CHANGED_APART_S DAY_S

struct held_day {
	struct lock_day row;
	bool is_dated; /* false: row.day is not known yet; counted since .since */
	mono_t since;
};

struct newest {
	bool is_known;
	bool is_loaded; /* of a former life: .at is not known, .wall is */
	bool is_held;   /* not written yet */
	int32_t value;
	mono_t at;
	wall_t wall; /* of a loaded one */
};

struct health {
	struct newest newest[SAMPLE_COUNT_];
	struct held_day *days;
	size_t n_days, n_days_room;
	struct radio_stats radio; /* as counted so far */
	mono_t heard;             /* last strength that was counted */
	enum door_state log_door; /* as the lock's log told it last */
	/* the motor run under way */
	mono_t motor_at; /* the command went out; MONO_NEVER: none */
	enum lock_state motor_from;
};

/* What makes a value another one: by how much, and how soon after the last. */
static const struct sample_rule {
	int32_t step;         /* differs by at least so much; 0: each time */
	int32_t gap_s;        /* and the last one is so old, or ... */
	int32_t leap;         /* ... it differs by at least so much, or ... */
	int32_t leap_percent; /* ... by so much of the last one */
} rules[SAMPLE_COUNT_] = {
	/* clang-format off */
	[SAMPLE_BATTERY_PERCENT]     = { .step = 1, .gap_s = 3600, .leap = 5 },
	[SAMPLE_BATTERY_LEVEL]       = { .step = 1 },
	[SAMPLE_BATTERY_MV]          = { .step = 20, .gap_s = 3600, .leap = 100 },
	[SAMPLE_BATTERY_SAG_MV]      = { .step = 20, .gap_s = 3600, .leap = 100 },
	[SAMPLE_MOTOR_MA]            = { .step = 20, .gap_s = 3600, .leap_percent = 20 },
	[SAMPLE_BATTERY_MOHM]        = { .step = 10, .gap_s = 3600, .leap_percent = 20 },
	[SAMPLE_CELSIUS]             = { .step = 2, .gap_s = 3600, .leap = 10 },
	[SAMPLE_KEYPAD_BATTERY]      = { .step = 1 },
	[SAMPLE_DOOR_SENSOR_BATTERY] = { .step = 1 },
	[SAMPLE_CLOCK_DRIFT_S]       = { .step = 5, .gap_s = 3600, .leap = 60 },
	[SAMPLE_LOCK_MS]             = { .step = 0, .gap_s = 600, .leap_percent = 20 },
	[SAMPLE_UNLOCK_MS]           = { .step = 0, .gap_s = 600, .leap_percent = 20 },
	[SAMPLE_BATTERY_CHANGED]     = { .step = 0 },
	[SAMPLE_FIRMWARE]            = { .step = 1 },
	/* clang-format on */
};

struct health *health_new(void) {
	struct health *health = calloc(1, sizeof(*health));

	if (health != NULL) {
		health->log_door = DOOR_STATE_UNKNOWN;
		health->heard = (mono_t){ INT64_MIN };
		health->motor_at = MONO_NEVER;
	}
	return health;
}

struct health *health_free(struct health *health) {
	if (health != NULL) {
		free(health->days);
		free(health);
	}
	return NULL;
}

/* ---- time ---- */

/* When that was, reckoned back from the wall clock as it is now. */
static wall_t wall_of(const struct hub *hub, mono_t at) {
	return (wall_t){ clock_wall(hub->config.clock).s - mono_since(at, hub_now(hub)) / 1000 };
}

static int32_t day_of(wall_t at) {
	return (int32_t) (at.s / DAY_S);
}

static mono_t next_midnight(const struct hub *hub) {
	int64_t s = clock_wall(hub->config.clock).s;

	return mono_after(hub_now(hub), (DAY_S - s % DAY_S) * 1000);
}

/* ---- samples ---- */

static void schedule_samples(struct hub *hub) {
	hub->samples_due = mono_min(hub->samples_due, mono_after(hub_now(hub), SAMPLES_DELAY_MS));
}

static int64_t age_s(const struct hub *hub, const struct newest *newest) {
	int64_t age;

	if (!newest->is_loaded) {
		return mono_since(newest->at, hub_now(hub)) / 1000;
	}
	/* Without the time it is taken for old: one sample too many at a start does no harm. */
	age = clock_wall(hub->config.clock).s - newest->wall.s;
	return clock_is_trusted(hub->config.clock) && age >= 0 ? age : INT64_MAX;
}

static bool is_news(
	const struct hub *hub, const struct newest *newest, enum sample_kind kind, int32_t value) {
	const struct sample_rule *rule = &rules[kind];
	int64_t by = llabs((int64_t) value - newest->value);

	if (!newest->is_known) {
		return true;
	}
	return by >= rule->step &&
	       (age_s(hub, newest) >= rule->gap_s || (rule->leap > 0 && by >= rule->leap) ||
		       (rule->leap_percent > 0 &&
			       by * 100 >= llabs((int64_t) newest->value) * rule->leap_percent));
}

static void take_sample(struct lock *lock, enum sample_kind kind, int64_t value) {
	struct newest *newest = &lock->health->newest[kind];
	int32_t kept = (int32_t) (value > INT32_MAX   ? INT32_MAX
				  : value < INT32_MIN ? INT32_MIN
						      : value);

	if (lock->is_provisional || !is_news(lock->hub, newest, kind, kept)) {
		return;
	}
	*newest = (struct newest){
		.is_known = true, .is_held = true, .value = kept, .at = hub_now(lock->hub)
	};
	schedule_samples(lock->hub);
}

void health_load(struct lock *lock, const struct sample *sample) {
	lock->health->newest[sample->kind] = (struct newest){
		.is_known = true, .is_loaded = true, .value = sample->value, .wall = sample->at
	};
}

static void to_sample(
	const struct hub *hub, const struct newest *newest, size_t kind, struct sample *ret) {
	*ret = (struct sample){ .kind = (enum sample_kind) kind,
		.at = wall_of(hub, newest->at),
		.is_time_trusted = clock_is_trusted(hub->config.clock),
		.value = newest->value };
}

size_t health_held_samples(const struct lock *lock, struct sample ret[static SAMPLE_COUNT_]) {
	size_t n = 0;

	for (size_t kind = 0; kind < SAMPLE_COUNT_; kind++) {
		if (lock->health->newest[kind].is_held) {
			to_sample(lock->hub, &lock->health->newest[kind], kind, &ret[n++]);
		}
	}
	return n;
}

void health_battery_changed(struct lock *lock, int how) {
	take_sample(lock, SAMPLE_BATTERY_CHANGED, how);
}

/*
 * Other batteries show in the level alone. Where there is a percentage it decides: a level at the
 * edge of "critical" comes and goes with the temperature. Being charged is not being changed.
 */
static void judge_battery_change(struct lock *lock, const struct battery_facts *was) {
	const struct battery_facts *is = &lock->status.battery;
	const struct newest *last = &lock->health->newest[SAMPLE_BATTERY_CHANGED];
	bool is_changed;

	if (was->percent >= 0 && is->percent >= 0) {
		is_changed = is->percent - was->percent >= CHANGED_POINTS;
	} else {
		is_changed = (was->level == BATTERY_CRITICAL || was->level == BATTERY_WARNING) &&
			     is->level == BATTERY_OK;
	}
	if (is_changed && !was->is_charging && !is->is_charging &&
		(!last->is_known || age_s(lock->hub, last) >= CHANGED_APART_S)) {
		take_sample(lock, SAMPLE_BATTERY_CHANGED, 2);
	}
}

static void take_battery(struct lock *lock, const struct battery_facts *was) {
	const struct battery_facts *is = &lock->status.battery;

	judge_battery_change(lock, was);
	if (is->percent >= 0) {
		take_sample(lock, SAMPLE_BATTERY_PERCENT, is->percent);
	}
	if (is->level != BATTERY_UNKNOWN) {
		take_sample(lock, SAMPLE_BATTERY_LEVEL, is->level);
	}
}

static void take_report(struct lock *lock) {
	const struct battery_report *report = &lock->status.report;

	if (report->millivolts > 0) {
		take_sample(lock, SAMPLE_BATTERY_MV, report->millivolts);
	}
	if (report->millivolts_start > 0 && report->millivolts_lowest > 0) {
		take_sample(lock, SAMPLE_BATTERY_SAG_MV,
			(int64_t) report->millivolts_start - report->millivolts_lowest);
	}
	if (report->milliamps_peak > 0) {
		take_sample(lock, SAMPLE_MOTOR_MA, report->milliamps_peak);
	}
	if (report->milliohms > 0) {
		take_sample(lock, SAMPLE_BATTERY_MOHM, report->milliohms);
	}
	if (report->celsius != INT16_MIN) {
		take_sample(lock, SAMPLE_CELSIUS, report->celsius);
	}
}

static void take_versions(struct lock *lock) {
	unsigned major = 0;
	unsigned minor = 0;
	unsigned patch = 0;

	if (sscanf(lock->status.versions.firmware, "%u.%u.%u", &major, &minor, &patch) >= 2 &&
		major < 0x8000 && minor < 0x100 && patch < 0x100) {
		take_sample(lock, SAMPLE_FIRMWARE, major << 16 | minor << 8 | patch);
	}
}

void health_facts(struct lock *lock, const struct lock_status *before, unsigned changed) {
	const struct lock_status *now = &lock->status;

	if ((changed & FACT_BATTERY) != 0) {
		take_battery(lock, &before->battery);
	}
	if ((changed & FACT_BATTERY_REPORT) != 0) {
		take_report(lock);
	}
	if ((changed & FACT_ACCESSORIES) != 0) {
		if (now->accessories.keypad != BATTERY_UNKNOWN) {
			take_sample(lock, SAMPLE_KEYPAD_BATTERY, now->accessories.keypad);
		}
		if (now->accessories.door_sensor != BATTERY_UNKNOWN) {
			take_sample(lock, SAMPLE_DOOR_SENSOR_BATTERY, now->accessories.door_sensor);
		}
	}
	if ((changed & FACT_VERSIONS) != 0 ||
		now->versions_known.how != before->versions_known.how) {
		take_versions(lock);
	}
	if ((changed & FACT_CLOCK) != 0 && now->clock.is_hub_trusted &&
		now->clock.lock_time.s != 0) {
		take_sample(
			lock, SAMPLE_CLOCK_DRIFT_S, now->clock.lock_time.s - now->clock.hub_time.s);
	}
}

/* ---- counts ---- */

/* Some are no reason to write: see core/history.h. */
static bool is_quiet_key(enum day_key key) {
	return key >= DAY_RSSI_50 && key <= DAY_RSSI_WEAKER;
}

static void schedule_days(struct hub *hub, bool is_quiet) {
	hub->days_due = mono_min(hub->days_due, next_midnight(hub));
	if (!is_quiet) {
		hub->days_due = mono_min(hub->days_due, mono_after(hub_now(hub), DAYS_DELAY_MS));
	}
}

/* NULL: too many days, or no memory. @is_dated false: of now, whenever that may turn out to be. */
static struct held_day *held_day(struct lock *lock, bool is_dated, int32_t day) {
	struct health *health = lock->health;
	struct held_day *days;

	for (size_t i = 0; i < health->n_days; i++) {
		if (health->days[i].is_dated == is_dated &&
			(!is_dated || health->days[i].row.day == day)) {
			return &health->days[i];
		}
	}
	if (health->n_days == DAYS_HELD_MAX) {
		return NULL;
	}
	if (health->n_days == health->n_days_room) {
		size_t room = health->n_days_room == 0 ? 2 : health->n_days_room * 2;

		days = reallocarray(health->days, room, sizeof(*days));
		if (days == NULL) {
			return NULL;
		}
		health->days = days;
		health->n_days_room = room;
	}
	days = &health->days[health->n_days++];
	*days = (struct held_day){
		.row.day = day, .is_dated = is_dated, .since = hub_now(lock->hub)
	};
	return days;
}

static void count_on(struct lock *lock, bool is_dated, int32_t day, enum day_key key, uint32_t by) {
	struct held_day *row;

	if (by == 0 || lock->is_provisional) {
		return;
	}
	row = held_day(lock, is_dated, day);
	if (row != NULL) {
		row->row.counts[key] += by;
		schedule_days(lock->hub, is_quiet_key(key));
	}
}

/* Now. */
static void count(struct lock *lock, enum day_key key, uint32_t by) {
	const struct clock *clock = lock->hub->config.clock;

	count_on(lock, clock_is_trusted(clock), day_of(clock_wall(clock)), key, by);
}

size_t health_n_days(const struct lock *lock) {
	return lock->health->n_days;
}

void health_held_day(const struct lock *lock, size_t i, struct lock_day *ret) {
	const struct held_day *held = &lock->health->days[i];

	*ret = held->row;
	if (!held->is_dated) {
		ret->day = day_of(wall_of(lock->hub, held->since));
	}
}

void health_heard(struct lock *lock, int16_t dbm) {
	static const struct {
		int16_t least;
		enum day_key key;
	} buckets[] = { { -50, DAY_RSSI_50 }, { -60, DAY_RSSI_60 }, { -70, DAY_RSSI_70 },
		{ -80, DAY_RSSI_80 }, { -90, DAY_RSSI_90 }, { INT16_MIN, DAY_RSSI_WEAKER } };
	mono_t now = hub_now(lock->hub);
	size_t i = 0;

	if (dbm == 0 || (lock->health->heard.ms != INT64_MIN &&
				mono_since(lock->health->heard, now) < HEARD_APART_MS)) {
		return;
	}
	lock->health->heard = now;
	while (dbm < buckets[i].least) {
		i++;
	}
	count(lock, buckets[i].key, 1);
}

/* Attempts and failures also by the time of day at the door; not without the time. */
static void count_by_hour(struct lock *lock, enum day_key night, uint32_t by) {
	const struct clock *clock = lock->hub->config.clock;
	int64_t local;

	if (by == 0 || !clock_is_trusted(clock)) {
		return;
	}
	local = zone_local(hub_lock_zone(lock->hub, lock->id), clock_wall(clock));
	/* night, morning, noon, evening: six hours each */
	count(lock, (enum day_key)(night + local % DAY_S / (DAY_S / 4)), by);
}

/* Of a number that grows but may begin anew. */
static uint32_t grown(unsigned was, unsigned is) {
	return is >= was ? is - was : 0;
}

/*
 * Why a link ended may become known only later: then it is counted under one reason less and under
 * another more. What has been written meanwhile stays.
 */
static void count_ends(struct lock *lock, const struct tally *was, const struct tally *is) {
	static const enum day_key keys[TALLY_END_COUNT_] = {
		[TALLY_END_US] = DAY_ENDS_US,
		[TALLY_END_LOCK] = DAY_ENDS_LOCK,
		[TALLY_END_LOST] = DAY_ENDS_LOST,
		[TALLY_END_UNKNOWN] = DAY_ENDS_UNKNOWN,
		[TALLY_END_ADAPTER] = DAY_ENDS_ADAPTER,
		[TALLY_END_BLUEZ] = DAY_ENDS_BLUEZ,
	};
	struct health *health = lock->health;

	for (size_t i = 0; i < TALLY_END_COUNT_; i++) {
		uint32_t fewer = grown(is->ends[i], was->ends[i]);

		count(lock, keys[i], grown(was->ends[i], is->ends[i]));
		for (size_t d = 0; d < health->n_days && fewer > 0; d++) {
			uint32_t *held = &health->days[d].row.counts[keys[i]];
			uint32_t by = *held < fewer ? *held : fewer;

			*held -= by;
			fewer -= by;
		}
	}
}

/* The newest @n times that it took to get a link, as far as they are still there. */
static uint32_t sum_of_times(const struct tally *tally, uint32_t n) {
	uint32_t sum = 0;

	for (size_t i = 1; i <= n && i <= tally->n_times; i++) {
		sum += tally->times[(tally->next_time + TALLY_TIMES_MAX - i) % TALLY_TIMES_MAX];
	}
	return sum;
}

void health_link_made(struct lock *lock) {
	lock->health->radio = (struct radio_stats){ 0 };
}

void health_count_radio(struct lock *lock) {
	struct radio_stats *was = &lock->health->radio;
	struct radio_stats is;
	uint32_t links;
	uint64_t link_s;

	if (lock->link == NULL) {
		return;
	}
	lock_radio_stats(lock, &is);
	links = grown(was->connects, is.connects);
	/* Whole seconds; what is left of one counts later. */
	link_s = is.link_ms >= was->link_ms ? (is.link_ms - was->link_ms) / 1000 : 0;
	count(lock, DAY_ATTEMPTS, grown(was->attempts, is.attempts));
	count_by_hour(lock, DAY_NIGHT_ATTEMPTS, grown(was->attempts, is.attempts));
	count(lock, DAY_FAILURES, grown(was->failures, is.failures));
	count_by_hour(lock, DAY_NIGHT_FAILURES, grown(was->failures, is.failures));
	count(lock, DAY_LINKS, links);
	count(lock, DAY_LINK_TIME_MS, sum_of_times(&is.tally, links));
	count(lock, DAY_LINK_S, (uint32_t) link_s);
	count_ends(lock, &was->tally, &is.tally);
	is.link_ms = was->link_ms + link_s * 1000;
	*was = is;
}

void health_fault(struct lock *lock, enum fault_code code) {
	if (code == FAULT_LOCK_SILENT) {
		count(lock, DAY_SILENCES, 1);
	} else if (code == FAULT_LOCK_UNREACHABLE) {
		count(lock, DAY_BUSY, 1);
	}
}

/* ---- the motor ---- */

/* One run, as far as it can be told apart by direction and door. */
static void count_run(struct lock *lock, bool is_dated, int32_t day, enum operation_type operation,
	bool is_jammed, enum door_state door) {
	bool is_open = door == DOOR_STATE_OPEN || door == DOOR_STATE_AJAR;
	bool is_shut = door == DOOR_STATE_CLOSED;

	count_on(lock, is_dated, day, DAY_MOVES, 1);
	if (operation != OPERATION_LOCK) {
		count_on(lock, is_dated, day, DAY_UNLOCKS, 1);
		count_on(lock, is_dated, day, DAY_JAMS_UNLOCK, is_jammed);
		return;
	}
	count_on(lock, is_dated, day, DAY_LOCKS, 1);
	count_on(lock, is_dated, day, DAY_LOCKS_OPEN, is_open);
	count_on(lock, is_dated, day, DAY_LOCKS_SHUT, is_shut);
	count_on(lock, is_dated, day, DAY_JAMS_LOCK, is_jammed);
	count_on(lock, is_dated, day, DAY_JAMS_LOCK_OPEN, is_jammed && is_open);
	count_on(lock, is_dated, day, DAY_JAMS_LOCK_SHUT, is_jammed && is_shut);
}

void health_motor_starts(struct lock *lock) {
	lock->health->motor_at = hub_now(lock->hub);
	lock->health->motor_from = lock->status.bolt.state;
}

/* Only whole runs tell something: from one end to the other. */
void health_motor_ended(struct lock *lock, enum act act, bool is_done) {
	struct health *health = lock->health;
	int64_t ms = mono_since(health->motor_at, hub_now(lock->hub));
	bool is_out = health->motor_from == LOCK_STATE_LOCKED;
	bool is_in = health->motor_from == LOCK_STATE_UNLOCKED ||
		     health->motor_from == LOCK_STATE_UNLATCHED;
	bool has_run = health->motor_at.ms != INT64_MAX && is_done && ms > 0;

	health->motor_at = MONO_NEVER;
	if (has_run && act == ACT_LOCK && is_in) {
		take_sample(lock, SAMPLE_LOCK_MS, ms);
	} else if (has_run && act == ACT_UNLOCK && is_out) {
		take_sample(lock, SAMPLE_UNLOCK_MS, ms);
	}
}

void health_op_ended(struct lock *lock, const struct op *op) {
	const struct clock *clock = lock->hub->config.clock;

	if (!act_moves_motor(op->act) || op->fault.code == FAULT_CANCELLED) {
		return;
	}
	count(lock,
		op->outcome == OP_DONE     ? DAY_OPS_DONE
		: op->outcome == OP_FAILED ? DAY_OPS_FAILED
					   : DAY_OPS_UNKNOWN,
		1);
	/* Else its log tells, of all runs and by whomever. */
	if (op->fault.code == FAULT_JAMMED && act_operation(op->act) != OPERATION_NONE &&
		!import_is_possible(lock)) {
		count_run(lock, clock_is_trusted(clock), day_of(clock_wall(clock)),
			act_operation(op->act), true, lock->status.door);
	}
}

/* ---- events: what the lock's log told, or, without one, what was seen ---- */

/* A change that nobody told about: by its trigger, if the lock gave one. */
static void count_seen(struct lock *lock, bool is_dated, int32_t day, const struct event *event) {
	if (event->source == SOURCE_MANUAL) {
		count_on(lock, is_dated, day, DAY_BY_HAND, 1);
	} else if (event->source != SOURCE_UNSPECIFIED) {
		count_run(lock, is_dated, day,
			event->state == LOCK_STATE_LOCKED ? OPERATION_LOCK : OPERATION_UNLOCK,
			false, lock->status.door);
	}
}

static void count_operation(struct lock *lock, bool is_dated, int32_t day,
	const struct event *event, enum door_state door) {
	bool is_jammed = event->fault == FAULT_JAMMED || event->alarm == ALARM_LOCK_JAMMED;
	bool is_bolt = event->operation == OPERATION_LOCK || event->operation == OPERATION_UNLOCK ||
		       event->operation == OPERATION_UNLATCH;

	if (event->error == OPERATION_ERROR_INVALID_CREDENTIAL) {
		count_on(lock, is_dated, day, DAY_WRONG_CODES, 1);
	} else if (!is_bolt || (event->kind == EVENT_LOCK_OPERATION_ERROR && !is_jammed)) {
		return; /* the motor did not run, or nobody knows how far */
	} else if (event->source == SOURCE_MANUAL) {
		count_on(lock, is_dated, day, DAY_BY_HAND, 1);
	} else {
		count_run(lock, is_dated, day, event->operation, is_jammed, door);
	}
}

void health_event(struct lock *lock, const struct event *event) {
	const struct clock *clock = lock->hub->config.clock;
	bool is_trusted = clock_is_trusted(clock);
	bool is_logged = event->lock_seq > 0;
	int64_t age = clock_wall(clock).s - event->lock_time.s;
	bool is_dated = is_trusted;
	int32_t day = day_of(clock_wall(clock));
	enum door_state door = lock->status.door;

	/* The lock's own time, unless it cannot be. */
	if (is_logged && event->lock_time.s != 0 &&
		(!is_trusted || (age > -DAY_S && age < ENTRY_AGE_MAX_S))) {
		is_dated = true;
		day = day_of(event->lock_time);
	}
	if (is_logged && event->kind == EVENT_DOOR_STATE_CHANGE) {
		lock->health->log_door = event->door;
		return;
	}
	if (is_logged) {
		door = lock->health->log_door;
	}
	if (event->kind == EVENT_LOCK_OPERATION || event->kind == EVENT_LOCK_OPERATION_ERROR) {
		count_operation(lock, is_dated, day, event, door);
	} else if (event->kind == EVENT_STATE_SEEN) {
		count_seen(lock, is_dated, day, event);
	}
}

/* ---- writing ---- */

static bool has_old_sample(const struct lock *lock, mono_t now, bool *ret_any) {
	bool is_old = false;

	for (size_t kind = 0; kind < SAMPLE_COUNT_; kind++) {
		const struct newest *newest = &lock->health->newest[kind];

		*ret_any = *ret_any || newest->is_held;
		is_old = is_old || (newest->is_held && mono_since(newest->at, now) >= UNTRUSTED_MS);
	}
	return is_old;
}

/* Samples of an hour without the time are written as they are. */
static bool may_date_samples(const struct hub *hub) {
	mono_t now = hub_now(hub);
	bool any = false;

	if (clock_is_trusted(hub->config.clock)) {
		return true;
	}
	for (size_t i = 0; i < hub->n_locks; i++) {
		if (has_old_sample(hub->locks[i], now, &any)) {
			return true;
		}
	}
	return !any;
}

static bool add_samples(struct txn *txn, const struct lock *lock) {
	struct txn_item *item;

	for (size_t kind = 0; kind < SAMPLE_COUNT_; kind++) {
		const struct newest *newest = &lock->health->newest[kind];

		if (!newest->is_held) {
			continue;
		}
		item = txn_add(txn, TXN_SAMPLE);
		if (item == NULL) {
			return false;
		}
		memcpy(item->sample.lock_id, lock->id, sizeof(item->sample.lock_id));
		to_sample(lock->hub, newest, kind, &item->sample.sample);
	}
	return true;
}

static bool add_days(struct txn *txn, const struct lock *lock) {
	struct txn_item *item;

	for (size_t i = 0; i < lock->health->n_days; i++) {
		item = txn_add(txn, TXN_DAY);
		if (item == NULL) {
			return false;
		}
		memcpy(item->day.lock_id, lock->id, sizeof(item->day.lock_id));
		health_held_day(lock, i, &item->day.day);
	}
	return true;
}

static void forget_held(struct lock *lock, bool has_days) {
	for (size_t kind = 0; kind < SAMPLE_COUNT_; kind++) {
		lock->health->newest[kind].is_held = false;
	}
	if (has_days) {
		lock->health->n_days = 0;
	}
}

/* The ledger could not take it: it is held again, if nothing newer has come. */
static void take_back(struct hub *hub, const struct txn *txn) {
	struct txn_item *item;

	list_for_each(item, &txn->items, link) {
		const char *id =
			item->kind == TXN_SAMPLE ? item->sample.lock_id : item->day.lock_id;
		struct lock *lock = hub_lock_by_id(hub, id);

		if (lock == NULL) {
			continue;
		}
		if (item->kind == TXN_SAMPLE) {
			lock->health->newest[item->sample.sample.kind].is_held = true;
			continue;
		}
		for (size_t key = 0; key < DAY_COUNT_; key++) {
			struct held_day *row = item->day.day.counts[key] > 0
						       ? held_day(lock, true, item->day.day.day)
						       : NULL;
			if (row != NULL) {
				row->row.counts[key] += item->day.day.counts[key];
			}
		}
	}
	hub->samples_due = mono_min(hub->samples_due, mono_after(hub_now(hub), RETRY_MS));
	hub->days_due = mono_min(hub->days_due, mono_after(hub_now(hub), RETRY_MS));
}

static void written(void *user, struct txn *txn, const struct fault *fault) {
	struct hub *hub = user;

	if (fault != NULL) {
		take_back(hub, txn);
	}
	hub->n_health_writes--;
	hub_txn_done(hub, txn, fault);
	history_ask_waiting(hub);
}

/* All locks in one transaction, samples always and counts if @has_days. */
static void write_held(struct hub *hub, bool has_days) {
	struct txn *txn = txn_new(written, hub);
	bool is_complete = txn != NULL;

	for (size_t i = 0; i < hub->n_locks && is_complete; i++) {
		if (has_days) {
			health_count_radio(hub->locks[i]);
		}
		is_complete = add_samples(txn, hub->locks[i]) &&
			      (!has_days || add_days(txn, hub->locks[i]));
	}
	hub->samples_due = MONO_NEVER;
	hub->days_due = has_days ? MONO_NEVER : hub->days_due;
	if (!is_complete) {
		txn_free(txn);
		hub->samples_due = mono_after(hub_now(hub), RETRY_MS);
		hub->days_due = hub->samples_due;
		return;
	}
	for (size_t i = 0; i < hub->n_locks; i++) {
		forget_held(hub->locks[i], has_days);
	}
	if (list_is_empty(&txn->items)) {
		txn_free(txn);
		return;
	}
	hub->n_health_writes++;
	hub_commit(hub, txn);
}

mono_t health_next_due(const struct hub *hub) {
	/* A question is being answered from memory and disk: neither may change. */
	return hub->n_history_asked > 0 ? MONO_NEVER : mono_min(hub->samples_due, hub->days_due);
}

void health_run_due(struct hub *hub, mono_t now) {
	if (!mono_is_due(health_next_due(hub), now)) {
		return;
	}
	if (mono_is_due(hub->days_due, now)) {
		write_held(hub, true);
	} else if (may_date_samples(hub)) {
		write_held(hub, false);
	} else {
		hub->samples_due = mono_after(now, TRUST_LOOK_MS);
	}
}

void health_stop(struct hub *hub) {
	write_held(hub, true);
}
