/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A whole hub in a test, without radio, disk or real time: a clock that is cranked, a radio whose
 * links the test brings up and down, a ledger that commits when the test says so, and a driver with
 * a tiny protocol of its own, so that core is tested and no brand is.
 *
 * The fake lock's protocol, on the characteristic "io", one write and one answer per job:
 *	write:  'L' lock  'U' unlock  'O' unlatch  's' state  'c' config  'b' battery  'l' log
 *	        't' time  'v' verify PIN  'p' pair  'x' unpair  'k' calibrate  'r' reboot
 *	answer: "D<state>" done, with the state ('L' 'U' 'O' 'J' jammed, 'M' motor
 *	        runs, '-' none, and with a door sensor 'c' locked, door closed; 'o' locked, door
 *	        open; 'w' unlocked, door open; 'd' unlocked, door closed)
 *	        "F<code>"  refused with fault code (one octet)
 *	        "E<n><n entries: seq, own flag, operation>" log entries, then "D-" ends the job;
 *	        operation 'L' 'U', 'A' locked by itself, 'J' jammed meanwhile, 'o' 's' door opened
 *	        and shut, 'W' wrong code, 'N' unlocked by "Guest", 'K' unlocked at the
 *	        keypad with the code whose ref stands in place of the own flag
 *
 * A lock with a keypad (fake_have_keypads()) also takes
 *	write:  'u' read users  '+' put credential  '-' remove credential
 * and does it when the write is confirmed, whether its answer arrives or not: "D-" lets it tell
 * what came of it. With fake->has_timers it takes in the same way
 *	write:  'T' read timers  'S' put timer  'R' remove timer
 * and with fake->has_settings
 *	write:  'G' read settings  'P' put setting
 */

#include "core/hub.h"

#define FAKE_EVENTS_MAX 1024
#define FAKE_WRITES_MAX 2048

#define FAKE_SLOTS_MAX 64

struct fake_link;

#define FAKE_SAMPLES_MAX 4096
#define FAKE_DAYS_MAX 512

/* What the ledger keeps of health, of all locks. */
struct fake_health {
	struct {
		char lock_id[LOCK_ID_MAX];
		struct sample sample;
	} samples[FAKE_SAMPLES_MAX];
	struct {
		char lock_id[LOCK_ID_MAX];
		struct lock_day day;
	} days[FAKE_DAYS_MAX];
	struct attempt attempts[32];
	struct note notes[16];
	size_t n_samples, n_days, n_attempts, n_notes;
	unsigned n_writes; /* transactions with samples or counts in them */
	/* questions that wait for fake_turn() */
	struct {
		struct history_query query;
		void (*done)(void *user, const struct history *history, const struct fault *fault);
		void *user;
	} asked[16];
	size_t n_asked;
	bool is_held; /* they go on waiting */
};

/* What a fake lock holds. A test may change it like somebody at the lock would. */
struct fake_keypad {
	struct slot slots[FAKE_SLOTS_MAX];
	size_t n;
	size_t n_most; /* of PINs; LIST_FULL beyond */
	int64_t last_ref;
	enum fault_code refusal;             /* of every put and remove; FAULT_NONE */
	bool is_liar;                        /* says done and does nothing */
	unsigned n_reads, n_puts, n_removes; /* done */
	char trail[256]; /* '+', '~' (changed) and '-', in the order in which they were done */
};

struct fake {
	struct clock clock;
	mono_t mono;
	wall_t wall;
	bool is_trusted;
	bool has_no_clock;     /* the lock: its entries tell no time (else all second 1000) */
	int64_t wall_ms;       /* part of a second on top of wall */
	wall_t entry_time;     /* of the lock's entries; 0: as above */
	struct evidence tells; /* with each state; .has 0: nothing */
	int16_t rssi;          /* of advertisements; 0: -60 */

	struct radio radio;
	struct fake_link *links[16];
	size_t n_links;
	struct fault radio_fault; /* for status() */
	struct radio_stats stats; /* of every link and of the one adapter, but for what is known */
	bool is_scanning;
	void (*scan_heard)(void *user, const struct advert *advert);
	void (*scan_ended)(void *user, const struct fault *fault);
	void *scan_user;

	struct ledger ledger;
	struct list txns;          /* handed over, not yet committed */
	bool is_ledger_held;       /* fake_turn() does not commit */
	struct fault ledger_fault; /* the next commits fail with it */
	int64_t seq;
	struct event stored[FAKE_EVENTS_MAX];
	size_t n_stored;
	struct op_record ops[64]; /* intents and outcomes in order */
	size_t n_ops;
	struct lock_record kept; /* the last TXN_LOCK_PUT */
	unsigned n_puts, n_removes, n_facts, n_keys;
	int64_t cursor;
	struct book *disk; /* rows of the book as committed */
	struct fake_health health;
	struct lock_record records[16];
	size_t n_records;

	bool needs_key;             /* what is heard wants a key to be paired */
	bool is_mute;               /* the mark in its beacon is not cleared by our reading */
	enum lock_state advertised; /* what is heard tells it; 0: nothing */
	char last_key[64];          /* the key that came with the last job; "" none */

	uint32_t config_version; /* told with each state */
	bool has_keypads;
	struct credential_limits limits; /* of all of them; .learns: presented as soon as asked */
	unsigned learn_s;                /* of the last that was to be learnt */
	struct fake_keypad keypads[16];  /* by lock, in the order of fake_add_lock() */

	bool has_settings;          /* set before fake_start() */
	struct setting settings[3]; /* Level (0, 10, 15, 20), Light, Name */
	bool is_setting_ignored;    /* taken, and not done */
	struct {
		char key[32];
		char text[512];
	} rows[16]; /* TXN_SETTING as committed; text "": taken away */
	size_t n_rows;

	bool has_timers; /* set before fake_start() */
	struct lock_timer timers[8];
	size_t n_timers;
	int64_t last_timer;
	enum fault_code half_timer; /* a new one is made, switched on, and then this goes wrong */

	struct hub *hub;
	struct listener on_event, on_finished, on_changed, on_added, on_removed, on_refused;
	struct event events[FAKE_EVENTS_MAX]; /* as announced */
	size_t n_events;
	struct op finished[64];
	size_t n_finished;
	unsigned changed; /* FACT_ bits since last cleared */
	struct listener on_sync;
	unsigned n_synced; /* sync_changed signals */
	unsigned n_added, n_removed;
	struct fault refusal; /* last one */
};

/* The committed counts of that lock and day; NULL: none. */
const struct lock_day *fake_day(const struct fake *fake, const char *lock_id, int32_t day);
/* Committed samples of that kind; *ret_last (may be NULL): the newest of them. */
unsigned fake_samples(const struct fake *fake, const char *lock_id, enum sample_kind kind,
	struct sample *ret_last);

/* One written job at the fake radio. */
struct fake_write {
	uint8_t bytes[64];
	size_t n;
};

struct fake *fake_new(void);
struct fake *fake_free(struct fake *fake); /* takes NULL */
/* Adds a paired lock before fake_start(). */
void fake_add_lock(struct fake *fake, const char *id, const char *name, bool has_pin);
void fake_start(struct fake *fake);
/* Before fake_add_lock(): locks whose PIN is known keep credentials, with fake->limits. */
void fake_have_keypads(struct fake *fake);
/*
 * The daemon is killed, and another begins with what was committed: nothing else of it is left.
 * Transactions that were handed over and not committed are lost. Counters and keypads stay.
 */
void fake_reboot(struct fake *fake);
/* The slot with this PIN; NULL. */
struct slot *fake_slot(struct fake_keypad *keypad, const char *pin);
/* Somebody puts it there with the vendor's app. Returns its ref. */
int64_t fake_put_foreign(struct fake_keypad *keypad, const char *name, const char *pin);
/* Does all that is due now, commits included. */
void fake_turn(struct fake *fake);
/* Moves time on, in steps of what is due. */
void fake_advance(struct fake *fake, int64_t ms);
void fake_commit(struct fake *fake);     /* everything handed over so far */
void fake_commit_one(struct fake *fake); /* only the oldest; nothing when there is none */

/* The link made last for this address; NULL when there is none. */
struct fake_link *fake_link(struct fake *fake, const char *address);
bool fake_is_wanted(const struct fake_link *link);
enum radio_need fake_need(const struct fake_link *link);
bool fake_is_released(const struct fake_link *link);
void fake_up(struct fake *fake, struct fake_link *link);
void fake_down(
	struct fake *fake, struct fake_link *link, enum fault_code code); /* FAULT_NONE: NULL */
/* The write under way: its octets, or NULL. */
const struct fake_write *fake_written(const struct fake_link *link);
/* All writes that began with this octet. */
unsigned fake_count(const struct fake_link *link, uint8_t first);
void fake_confirm(struct fake *fake, struct fake_link *link, int error, enum radio_sent sent);
void fake_answer(struct fake *fake, struct fake_link *link, const void *bytes, size_t n);
/* Confirms and answers everything the hub asks, as a healthy lock in @state would, until quiet. */
void fake_serve(struct fake *fake, struct fake_link *link, char state);
/* An advertisement of a fake lock. */
void fake_heard(struct fake *fake, const char *address, bool is_pairing, bool is_changed);
/* The same while somebody is at it, which passes by itself. */
void fake_heard_touched(struct fake *fake, const char *address);
/* What the database has as TXN_SETTING under @key; "" nothing. */
const char *fake_row(const struct fake *fake, const char *key);

/* A request from D-Bus by a manager. */
struct request fake_request(const char *lock, enum act act);
const struct event *fake_find_event(const struct fake *fake, enum event_kind kind); /* announced */
extern const struct driver fake_driver;
