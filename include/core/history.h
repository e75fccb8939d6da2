/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is remembered of a lock's health (docs/architecture.md, "Health"): samples, kept only when a
 * value has changed; counts, summed up per day; what was tried against which fault; and where a
 * guided task stands. Nothing is written when nothing happens (L7).
 *
 *	status, results of jobs, ends of links ──► health.c ──► ledger (TXN_SAMPLE, TXN_DAY)
 *	diag, lockhubctl care ── hub_attempt_put(), hub_note_put() ──► ledger
 *	whoever explains or draws ── hub_history() ──► ledger ──► struct history
 *
 * Core keeps the newest sample of each kind, and what it has counted but not written yet, nothing
 * else: the ledger adds new counts to those of the day.
 *
 * How often something is written. A sample: two seconds after it was made, with all others of that
 * moment, and never because time passes. Counts: an hour after the first one that is not written
 * yet, those of all locks in one transaction; at the change of the (UTC) day; at hub_stop(). How
 * strongly a lock is heard is no reason to write by itself: that waits for other counts or for the
 * change of the day. So a hub that hears its locks and does nothing writes once a day, one that has
 * something to do at most 25 times. kill -9 and a power cut lose the counts of the last hour (of
 * the strengths: since the last write).
 *
 * Whose time. While the hub's clock is not trusted nothing is written: samples and counts are held,
 * and when it has become trusted they get the time at which they came up, reckoned back by the
 * monotonic clock. After an hour of waiting, and at hub_stop(), the clock is taken as it is: a
 * sample then says so, a day cannot. What seems to be of the future is not handed out once the
 * clock is trusted.
 */

#include "core/terms.h"
#include "core/user.h"
#include "util/fault.h"
#include "util/when.h"

struct hub;
struct lock;

enum sample_kind {
	SAMPLE_NONE = 0,
	/* The numbers are in the database: never change them. */
	SAMPLE_BATTERY_PERCENT = 1,
	SAMPLE_BATTERY_LEVEL = 2,  /* enum battery_level; every lock that tells it */
	SAMPLE_BATTERY_MV = 3,     /* at rest */
	SAMPLE_BATTERY_SAG_MV = 4, /* start less lowest of one motor run */
	SAMPLE_MOTOR_MA = 5,       /* peak of one motor run */
	SAMPLE_BATTERY_MOHM = 6,   /* inner resistance as the lock reckons it */
	SAMPLE_CELSIUS = 7,
	SAMPLE_KEYPAD_BATTERY = 8, /* enum battery_level */
	SAMPLE_DOOR_SENSOR_BATTERY = 9,
	SAMPLE_CLOCK_DRIFT_S = 10, /* lock less hub, by a trusted hub clock */
	SAMPLE_LOCK_MS = 11,       /* command written to motor ended, direction locked */
	SAMPLE_UNLOCK_MS = 12,
	SAMPLE_BATTERY_CHANGED = 13, /* 1 a person said so, 2 seen in the level, 3 by the lock */
	SAMPLE_FIRMWARE = 14,        /* major << 16 | minor << 8 | patch */
	SAMPLE_COUNT_,
};

struct sample {
	enum sample_kind kind;
	wall_t at;
	bool is_time_trusted;
	int32_t value;
};

/*
 * What is counted per lock and day; kept by name. _OPEN, _SHUT: those of the same name without it
 * where the position of the door was known.
 */
#define DAY_KEYS(X)                                                                                \
	X(ATTEMPTS, attempts) /* to get a link */                                                  \
	X(FAILURES, failures) /* of these */                                                       \
	X(LINKS, links)                                                                            \
	X(LINK_S, link_s)                                                                          \
	X(LINK_TIME_MS, link_time_ms) /* sum over .links of the time to get one */                 \
	X(ENDS_US, ends_us)           /* enum tally_end */                                         \
	X(ENDS_LOCK, ends_lock)                                                                    \
	X(ENDS_LOST, ends_lost)                                                                    \
	X(ENDS_UNKNOWN, ends_unknown)                                                              \
	X(ENDS_ADAPTER, ends_adapter)                                                              \
	X(ENDS_BLUEZ, ends_bluez)                                                                  \
	X(RSSI_50, rssi_50) /* strengths heard: -50 dBm and better */                              \
	X(RSSI_60, rssi_60) /* -60..-51, and so on down */                                         \
	X(RSSI_70, rssi_70)                                                                        \
	X(RSSI_80, rssi_80)                                                                        \
	X(RSSI_90, rssi_90)                                                                        \
	X(RSSI_WEAKER, rssi_weaker) /* -91 and below */                                            \
	X(OPS_DONE, ops_done)       /* motor operations that the hub asked for */                  \
	X(OPS_FAILED, ops_failed)                                                                  \
	X(OPS_UNKNOWN, ops_unknown)                                                                \
	X(MOVES, moves)           /* motor runs of any source, by the lock's log */                \
	X(LOCKS_OPEN, locks_open) /* runs towards locked */                                        \
	X(LOCKS_SHUT, locks_shut)                                                                  \
	X(LOCKS, locks)                                                                            \
	X(UNLOCKS, unlocks)               /* runs towards unlocked or unlatched */                 \
	X(JAMS_LOCK_OPEN, jams_lock_open) /* of these: jammed */                                   \
	X(JAMS_LOCK_SHUT, jams_lock_shut)                                                          \
	X(JAMS_LOCK, jams_lock)                                                                    \
	X(JAMS_UNLOCK, jams_unlock)                                                                \
	X(BY_HAND, by_hand)               /* bolt moved by knob or key */                          \
	X(WRONG_CODES, wrong_codes)       /* at the keypad */                                      \
	X(SILENCES, silences)             /* FAULT_LOCK_SILENT */                                  \
	X(BUSY, busy)                     /* FAULT_LOCK_UNREACHABLE: heard, but takes no link */   \
	X(NIGHT_FAILURES, night_failures) /* of .failures: local 00-06 */                          \
	X(MORNING_FAILURES, morning_failures) /* 06-12 */                                          \
	X(NOON_FAILURES, noon_failures)       /* 12-18 */                                          \
	X(EVENING_FAILURES, evening_failures) /* 18-24 */                                          \
	X(NIGHT_ATTEMPTS, night_attempts)                                                          \
	X(MORNING_ATTEMPTS, morning_attempts)                                                      \
	X(NOON_ATTEMPTS, noon_attempts)                                                            \
	X(EVENING_ATTEMPTS, evening_attempts)

#define DAY_KEY_ENUM(upper, lower) DAY_##upper,
enum day_key { DAY_KEYS(DAY_KEY_ENUM) DAY_COUNT_ };
#undef DAY_KEY_ENUM

struct lock_day {
	int32_t day; /* days since 1970-01-01 by UTC; of what the lock's log told, by its clock */
	uint32_t counts[DAY_COUNT_];
};

const char *sample_kind_name(enum sample_kind kind); /* "battery_percent" */
const char *day_key_name(enum day_key key);          /* "attempts" */
int day_key_from_name(const char *name, enum day_key *ret);

/* What was tried against a fault, and whether it helped (measured, not believed). */
enum attempt_outcome {
	ATTEMPT_RUNNING = 0, /* in the database: never change */
	ATTEMPT_HELPED = 1,
	ATTEMPT_NO_CHANGE = 2,
	ATTEMPT_FAILED = 3, /* it could not be carried out */
	ATTEMPT_ABANDONED = 4,
	ATTEMPT_UNVERIFIED = 5, /* done, but nothing could be measured afterwards */
};
const char *attempt_outcome_name(enum attempt_outcome outcome); /* "helped", "no-change" ... */
int attempt_outcome_from_name(const char *name, enum attempt_outcome *ret);

#define ATTEMPT_WORD_MAX 40
#define ATTEMPT_TEXT_MAX 200
struct attempt {
	char id[ROW_ID_MAX];
	char lock_id[LOCK_ID_MAX];     /* "" the hub itself */
	char fault[ATTEMPT_WORD_MAX];  /* name of the fault row; "" routine care */
	char remedy[ATTEMPT_WORD_MAX]; /* name of the remedy; "install" and such for care */
	char by[EVENT_USER_MAX];
	wall_t begun_at, ended_at; /* ended_at 0: runs */
	enum attempt_outcome outcome;
	char before[ATTEMPT_TEXT_MAX], after[ATTEMPT_TEXT_MAX]; /* the evidence */
};

/* Where a guided task stands: "install" of a lock, "batteries-checked" and so on. */
#define NOTE_KEY_MAX 32
#define NOTE_TEXT_MAX 2048
struct note {
	char lock_id[LOCK_ID_MAX]; /* "" the hub itself */
	char key[NOTE_KEY_MAX];
	char text[NOTE_TEXT_MAX]; /* no secrets; "" removes */
	wall_t at;
};

struct history_query {
	char lock_id[LOCK_ID_MAX]; /* "" of the hub itself: attempts and notes alone */
	wall_t since;              /* 0: all there is; samples also give the newest before it */
};

/* Oldest first, all of them borrowed for the call that hands them out. */
struct history {
	const struct sample *samples;
	size_t n_samples;
	const struct lock_day *days; /* the day under way included */
	size_t n_days;
	const struct attempt *attempts;
	size_t n_attempts;
	const struct note *notes;
	size_t n_notes;
};

/* Samples and attempts that are handed out at most, the newest; days: two years. */
#define HISTORY_SAMPLES_MAX 20000
#define HISTORY_DAYS_MAX 732
#define HISTORY_ATTEMPTS_MAX 500

/*
 * Answers from the loop, once. @fault: DATABASE_*, QUEUE_FULL, CANCELLED, NO_MEMORY; @history is
 * empty then. What has been counted and not written yet is part of the answer.
 */
void hub_history(struct hub *hub, const struct history_query *query,
	void (*done)(void *user, const struct history *history, const struct fault *fault),
	void *user);
/*
 * Keeps an attempt or a change of one (by id; "" in @attempt->id makes one, written back). @done
 * (may be NULL) from the loop, when it is on the disk. BAD_ARGUMENT, NO_SUCH_LOCK, QUEUE_FULL.
 */
int hub_attempt_put(struct hub *hub, struct attempt *attempt,
	void (*done)(void *user, const struct fault *fault), void *user, struct fault *ret_fault);
int hub_note_put(struct hub *hub, const struct note *note,
	void (*done)(void *user, const struct fault *fault), void *user, struct fault *ret_fault);
/* The batteries were changed, somebody says or the level shows: the forecast begins anew. */
int hub_battery_changed(struct hub *hub, const char *lock, int how, struct fault *ret_fault);
/* Start-up, before hub_start(): what the database has of the newest of each kind. */
void hub_load_sample(struct hub *hub, const char *lock_id, const struct sample *sample);
