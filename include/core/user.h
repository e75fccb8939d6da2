/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who may enter where and when (docs/architecture.md, flow 6): the rows of the hub's book, in the
 * words and with the semantics of the Matter Door Lock cluster. Plain data; the book (core/book.h)
 * holds it, the ledger keeps it, src/core/plan.h says what follows from it for one lock.
 *
 *	user ─┬─ credential (PIN, app key, ...)      what is presented
 *	      ├─ schedule (week-day, year-day)       when, everywhere or at one lock
 *	      └─ access (one per lock)               where
 *	lock ─── holiday                             when the lock is in another mode
 *
 * A credential counts at a lock when its user has access there and it is not bound to another lock.
 */

#include "core/event.h"
#include "core/terms.h"
#include "util/secret.h"
#include "util/when.h"
#include "util/zone.h"

#define USERS_MAX 500
#define CREDENTIALS_MAX 2000 /* in the whole book */
#define CREDENTIALS_PER_USER_MAX 32
#define SCHEDULES_PER_USER_MAX 64
#define HOLIDAYS_PER_LOCK_MAX 64
#define SLOTS_PER_LOCK_MAX 512 /* what a lock reports beyond is an error, not dropped silently */
#define ROW_ID_MAX 9           /* 8 lower-case hex digits and the end mark */
#define PIN_LEN_MIN 4
#define PIN_LEN_MAX 12
#define EXPIRING_MINUTES_MAX 2880

struct user {
	char id[ROW_ID_MAX];
	unsigned number; /* Matter's user index, zigbee2mqtt's slot: 1.., the lowest free when made
			  */
	char name[LOCK_NAME_MAX]; /* UTF-8, as people write it; unique without regard to case */
	char slug[LOCK_SLUG_MAX]; /* made of it, unique: what commands take */
	enum user_type type;
	enum user_status status;
	unsigned expiring_minutes; /* USER_EXPIRING: 1..2880 after the first use */
	wall_t first_used_at;      /* of a credential, by trusted evidence; 0: never */
	wall_t created_at;
	char created_by[EVENT_USER_MAX];
	char modified_by[EVENT_USER_MAX];
	/* The second factor for remote commands; empty: none. Sealed in the database. */
	struct secret code; /* personal code, digits */
	struct secret totp; /* RFC 6238 key, raw octets */
	int64_t totp_step;  /* newest time step that was accepted: each one counts once */
};

enum credential_state { /* values are stored */
	CREDENTIAL_ACTIVE = 1,
	CREDENTIAL_REVOKED = 2, /* kept until every lock has confirmed that it is gone (L4) */
};

struct credential {
	char id[ROW_ID_MAX];
	char user_id[ROW_ID_MAX];
	char lock_id[LOCK_ID_MAX]; /* "" at every lock of the user */
	enum credential_type type;
	enum credential_state state;
	struct secret pin;  /* CREDENTIAL_PIN: ASCII digits; sealed in the database */
	char label[64];     /* "garden gate", "key no. 3"; may be "" */
	bool is_once;       /* revoked after its first successful use */
	wall_t valid_until; /* UTC, exclusive; 0 no end: a visitor's code. Never extended by the
			       clock */
	bool is_expired;    /* valid_until was passed by trusted time: final (L8) */
	wall_t created_at;
	char created_by[EVENT_USER_MAX];
	wall_t pin_set_at; /* since when it has these digits; 0 not known */
};

struct access {
	char user_id[ROW_ID_MAX];
	char lock_id[LOCK_ID_MAX];
	wall_t granted_at;
	char granted_by[EVENT_USER_MAX];
};

enum schedule_kind { SCHEDULE_WEEK_DAY = 1, SCHEDULE_YEAR_DAY = 2 }; /* values are stored */

#define DAY_SUNDAY 0x01 /* DaysMask: bit 0 Sunday .. bit 6 Saturday */
#define DAYS_ALL 0x7f

/*
 * A window in local wall-clock time, both ends inclusive (Matter). Week-day: start and end on the
 * same day, an end of 23:59 runs to the day's last second. Year-day: local seconds (util/zone.h).
 */
struct schedule {
	char id[ROW_ID_MAX];
	char user_id[ROW_ID_MAX];
	char lock_id[LOCK_ID_MAX]; /* "" at every lock of the user */
	enum schedule_kind kind;
	uint8_t days;         /* DaysMask, not 0 */
	int16_t start_minute; /* of the day */
	int16_t end_minute;   /* > start_minute, <= 1439 */
	int64_t from;         /* year-day: local seconds */
	int64_t until;        /* > from */
};

struct holiday {
	char id[ROW_ID_MAX];
	char lock_id[LOCK_ID_MAX];
	unsigned index;      /* from 1: the lower wins where two overlap */
	int64_t from, until; /* local seconds, inclusive */
	enum operating_mode mode;
};

/* ---------------------------------------------------------------- what a lock holds */

/*
 * One window, as locks have it: dates and times of day together. Zero dates: open on that side;
 * days 0: all days; both minutes 0: the whole day.
 */
struct slot_window {
	wall_t from, until;               /* UTC */
	uint8_t days;                     /* DaysMask */
	int16_t start_minute, end_minute; /* local wall-clock at the lock */
};

/* A credential as the lock itself reports it, or as it is to be put there. */
struct slot {
	enum credential_type type;
	int64_t ref; /* the lock's own id; 0: it has none yet */
	char name[EVENT_USER_MAX];
	bool is_enabled;
	bool is_own;            /* this hub's own authorisation: never to be touched */
	bool is_remote_allowed; /* CREDENTIAL_APP_KEY */
	struct secret pin;      /* when the lock tells it; else empty */
	bool is_limited;        /* the window counts */
	struct slot_window window;
	/* Told by the lock; 0 not known. */
	wall_t created_at, last_used_at;
	unsigned n_uses;
};

/*
 * What became of one credential at one lock: from the moment the hub decides to put it there until
 * a read-back has shown that it is gone.
 */
enum placement_state {         /* values are stored */
	PLACEMENT_WANTED = 1,  /* not sent yet */
	PLACEMENT_SENT = 2,    /* sent, or perhaps: only reading back tells */
	PLACEMENT_PRESENT = 3, /* seen in the lock's list as wanted */
	PLACEMENT_LEAVING = 4, /* to be removed; a revocation is alarmed until it is confirmed */
	PLACEMENT_REFUSED = 5, /* the lock said no (.fault): not tried again without a change */
};

struct placement {
	char lock_id[LOCK_ID_MAX];
	char credential_id[ROW_ID_MAX];
	int64_t ref; /* 0: not known yet */
	enum placement_state state;
	enum fault_code fault; /* of the last attempt that failed */
	unsigned n_tries;      /* since the last success or change */
	wall_t since;          /* of this state */
	wall_t confirmed_at;   /* last read-back that agreed; 0 never */
};

/* ---------------------------------------------------------------- rules of one lock */

enum factor_rule { /* what a remote unlock or unlatch must bring along; values are stored */
	FACTOR_NONE = 0,
	FACTOR_CODE = 1, /* a user's personal code */
	FACTOR_TOTP = 2, /* a user's time-based one-time password */
	FACTOR_EITHER = 3,
	FACTOR_BOTH = 4, /* code, then TOTP, without a space between */
};

struct lock_rules {
	char zone[ZONE_NAME_MAX]; /* IANA; "" as the hub */
	enum factor_rule factor;
	enum operating_mode mode;  /* enforced by the hub; holidays override it */
	unsigned wrong_code_limit; /* 1..255 in a row, then every remote unlock is refused for... */
	unsigned code_disable_s;   /* 1..255 s, doubled with each further lock-out, at most 1 h */
	unsigned open_period_minutes; /* door open longer: ajar alarm; 0 off */
};
#define LOCK_RULES_DEFAULT ((struct lock_rules){ .wrong_code_limit = 5, .code_disable_s = 60 })

const char *factor_rule_name(enum factor_rule rule);
int factor_rule_from_name(const char *name, enum factor_rule *ret);
const char *placement_state_name(enum placement_state state); /* "pending", "present" ... */
