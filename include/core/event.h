/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Events: one schema for all brands. An event is made once, recorded in the ledger (which gives it
 * its number), and only then shown to anybody (L3, L10).
 */

#include "core/terms.h"
#include "util/fault.h"
#include "util/when.h"

enum event_kind { /* values are stored */
	EVENT_NONE = 0,
	EVENT_LOCK_OPERATION = 1,
	EVENT_LOCK_OPERATION_ERROR = 2,
	EVENT_DOOR_STATE_CHANGE = 3,
	EVENT_ALARM = 4,
	EVENT_LOCK_USER_CHANGE = 5,
	/* ours */
	EVENT_STATE_SEEN = 16, /* the bolt changed and nobody told why (no log entry yet) */
	EVENT_BATTERY = 17,    /* level changed */
	EVENT_FAULT = 18,      /* a standing fault began */
	EVENT_FAULT_CLEARED = 19,
	EVENT_LOG_GAP = 20, /* entries of the lock's log were lost; count in .number */
	EVENT_PAIRED = 21,
	EVENT_UNPAIRED = 22,
	EVENT_REACHABLE = 23,
	EVENT_UNREACHABLE = 24,
	EVENT_HUB_STARTED = 25,
	EVENT_HUB_STOPPED = 26,
	EVENT_OPERATION_REQUESTED = 27, /* intent: committed before the first byte goes out */
	EVENT_OPERATION_FINISHED = 28,  /* outcome */
	EVENT_LOCK_SETTING =
		29, /* config, calibration, firmware, logging as told by the lock's log */
	EVENT_CLOCK_SET = 30,
	EVENT_RENAMED = 31,
	EVENT_CODE_REVEALED = 32, /* somebody was shown a PIN; .user is whose */
	EVENT_SYNCED = 33,     /* the lock agrees with the book again; number of steps in .number */
	EVENT_LOCKED_OUT = 34, /* too many wrong factors for remote commands */
	EVENT_BACKED_UP = 35,  /* somebody took a copy of everything with him, keys and codes too */
	EVENT_RESTORED = 36,   /* the database is one from a backup */
};

#define LOCK_ID_MAX 9 /* 8 lower-case hex digits and the end mark */
#define LOCK_SLUG_MAX 64
#define LOCK_NAME_MAX 128
#define EVENT_USER_MAX 64
#define EVENT_TEXT_MAX 160
#define OP_ID_MAX 17 /* 16 lower-case hex digits and the end mark */

struct event {
	int64_t seq; /* given by the ledger; 0 before */
	enum event_kind kind;
	char lock_id[LOCK_ID_MAX]; /* "" for the hub itself */
	wall_t time;               /* hub's wall clock */
	bool is_time_trusted;
	mono_t mono;                   /* same moment, monotonic of this boot */
	wall_t lock_time;              /* by the lock's clock; 0: none */
	int64_t lock_seq;              /* number in the lock's own log; 0: not from there */
	enum operation_type operation; /* OPERATION_NONE unless an operation */
	enum operation_source source;
	enum operation_error error; /* OPERATION_ERROR_NONE unless it failed */
	enum alarm_code alarm;      /* ALARM_NONE */
	enum door_state door;       /* DOOR_STATE_UNKNOWN */
	enum lock_state state;      /* LOCK_STATE_UNKNOWN when not about it */
	char user[EVENT_USER_MAX];  /* who, by the evidence; "" = unknown, never a guess */
	int64_t user_ref;           /* the lock's own id of that authorisation or code; 0 none */
	char op_id[OP_ID_MAX];      /* the hub operation it belongs to; "" none */
	enum act act;               /* what was requested (27, 28) */
	enum fault_code fault;      /* FAULT_NONE */
	int64_t number;             /* count, percent: per kind */
	char text[EVENT_TEXT_MAX];  /* detail for people; no secrets */
	/* Who, as a row of the book, and how that is known; "" and ATTRIBUTION_NONE: unknown. */
	char user_id[LOCK_ID_MAX];
	enum attribution attribution;
	enum credential_type credential; /* presented; CREDENTIAL_NONE */
	/* EVENT_LOCK_USER_CHANGE */
	enum lock_data_type data;
	enum data_operation data_operation;
	bool is_history; /* from before pairing: kept, not announced; not stored */
};

struct event_row {
	enum event_kind kind;
	const char *name;       /* "lock_operation" */
	const char *message_id; /* journal */
	int priority;
	const char *subject; /* catalog */
	const char *body;
};

/* All fields unknown, time as given. */
void event_init(struct event *event, enum event_kind kind, const struct clock *clock);
const struct event_row *event_row(enum event_kind kind); /* never NULL */
const struct event_row *event_rows(size_t *ret_n);
const char *event_kind_name(enum event_kind kind);
/*
 * The word for MQTT's event_type and for filters, finer than the kind: "locked", "unlocked",
 * "unlatched", "lock_failed", "unlock_failed", "jammed", "wrong_code", "door_opened",
 * "door_closed", "battery_low", ... All of them: event_words().
 */
const char *event_word(const struct event *event);
const char *const *event_words(void); /* NULL-terminated */

#define EVENT_LINE_MAX 512
/* One line for people: "unlocked by Anna, keypad"; returns out. */
char *event_line(const struct event *event, char out[static EVENT_LINE_MAX]);
