/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a brand must be able to do (R15, R16). A driver is a const vtable; a NULL hook or a missing
 * act means "this lock cannot" (L12).
 *
 * A session is a pure machine for one lock: bytes and timers in; bytes, timers, evidence and one
 * result per job out. It reads no clock, does no I/O and may be driven by a test, a fuzzer or a
 * transcript as well as by core/runner.c. Data flow of one job:
 *
 *	host                              session
 *	up(mtu)           ------------->
 *	start(job)        ------------->  write(char, bytes)   -> radio
 *	written(0)        ------------->
 *	bytes(char, buf)  ------------->  evidence(...)        -> lock status
 *	                                  done(result)         -> operation
 *	down()            ------------->  done(result) if a job was running
 *
 * Rules: one job at a time. The session calls its host only from inside the input functions (up,
 * start, written, bytes, timer, down, gate_opened), and done() at most once per job, as its last
 * call for it. After down() all per-link state (reassembly, challenges) is forgotten.
 */

#include "core/event.h"
#include "core/evidence.h"
#include "core/setting.h"
#include "core/user.h"
#include "util/radio.h"
#include "util/secret.h"
#include "util/zone.h"

#define DRIVER_KEYS_MAX SECRET_MAX

/* What an advertisement says about a device, if it is one of ours. */
struct sighting {
	const struct driver *driver;
	char address[RADIO_ADDRESS_MAX];
	bool is_random;
	int16_t rssi;
	char serial[VERSION_TEXT_MAX]; /* vendor's id; "" when not in the advertisement */
	char model[48];                /* as far as it can be told; may be just the brand */
	char name[ADVERT_NAME_MAX];
	bool is_pairing; /* ready to be paired now */
	bool needs_pin;  /* the PIN is needed for pairing itself */
	bool needs_key;  /* a key of the maker's is needed for pairing (driver.key_form) */
	bool is_changed; /* the state-changed mark is set */
	uint8_t variant; /* the driver's own number of the model, for the pairing job */
};

/*
 * What a driver remembers of a lock's last advertisements, e.g. a counter that tells news from
 * repetition. Kept by core as long as the daemon lives; all zero before the first.
 */
struct heard_memory {
	uint8_t bytes[32];
};

/* What the lock does by itself, by its own clock: without the hub, and when that is gone too. */
struct lock_timer {
	int64_t ref; /* the lock's own id; 0: it has none yet */
	bool is_enabled;
	uint8_t days;   /* DaysMask; 0 all days */
	int16_t minute; /* of the day, local wall-clock at the lock */
	enum act act;   /* ACT_LOCK .. ACT_LOCK_N_GO_UNLATCH; ACT_NONE: something without a name */
};

struct job {
	enum act act;
	/* ACT_PAIR: as what and under which name we register; random client id, kept for
	 * re-pairing. */
	char client_name[33];
	uint32_t client_id;
	bool as_bridge; /* ACT_PAIR: ask for the role that may clear the state-changed mark */
	/* ACT_VERIFY_PIN, and ACT_PAIR where the PIN is needed: the PIN to use; 0 digits = none. */
	struct secret pin;
	/* ACT_PAIR where sighting.needs_key: the key as a person gave it, in driver.key_form. */
	struct secret key;
	uint8_t variant; /* ACT_PAIR: as sighted */
	/* ACT_READ_LOG: entries with a number above this one, oldest first, at most log_max. */
	int64_t log_cursor;
	unsigned log_max;
	/* ACT_SET_TIME and clock evidence: now, UTC, and whether that is to be believed. */
	wall_t now;
	bool is_now_trusted;
	/* Where the lock is, for brands whose clock is the one on the wall; NULL: UTC. Borrowed. */
	const struct zone *zone;
	/* ACT_PUT_CREDENTIAL, ACT_REMOVE_CREDENTIAL. */
	struct slot slot;
	/* ACT_PUT_CREDENTIAL of what the lock learns: how long it waits for each touch. */
	unsigned learn_s;
	/* ACT_PUT_TIMER, ACT_REMOVE_TIMER. */
	struct lock_timer timer;
	/* ACT_PUT_SETTING: canonical, as setting_check() has made it. */
	struct setting setting;
};

/*
 * What a lock can hold of credentials. Static storage or of the session's keys and facts: pure.
 */
struct credential_limits {
	unsigned types; /* bits 1 << credential_type that can be put (below 32) */
	/*
	 * Those of .types which the lock learns while somebody presents them: a put without a ref
	 * waits for that, and nobody but a person can make them again. So they can be switched off
	 * without being removed, whatever .has_enable says.
	 */
	unsigned learns;
	bool has_app_keys; /* CREDENTIAL_APP_KEY can be listed, changed and removed, not made here
			    */
	unsigned n_max;    /* credentials in all; 0 not known: the lock says when it is full */
	unsigned pin_least, pin_most; /* digits */
	unsigned name_most;           /* octets of UTF-8 */
	/*
	 * So many wrong codes in a row, and the keypad takes none for so long, the first time
	 * (Matter: WrongCodeEntryLimit, UserCodeTemporaryDisableTime); 0 not known.
	 */
	unsigned wrong_most, wrong_disable_s;
	/* Windows per credential that the lock keeps by itself; 0: the hub enforces schedules. */
	unsigned n_windows;
	bool has_dates_only;    /* such a window has neither days of the week nor times of day */
	unsigned window_step_s; /* its dates are multiples of this, which divides an hour; 0 is 1 */
	bool has_enable;        /* can be switched off without being removed */
	bool tells_pins;        /* reading gives the PINs: what is there can be compared */
	/* 0, or -EINVAL with the brand's own forbidden form; the fault never holds the PIN. */
	int (*check_pin)(const struct secret *pin, struct fault *ret_fault);
};

/* An entry of the lock's own log, brought to our terms. */
struct log_entry {
	int64_t seq; /* the lock's own number, > 0, increasing */
	wall_t time; /* the lock's clock, UTC; 0 not set */
	enum event_kind kind;
	enum operation_type operation;
	enum operation_source source;
	enum operation_error error;
	enum alarm_code alarm;
	enum door_state door;
	enum fault_code fault;
	char user[EVENT_USER_MAX];       /* name in the entry; "" when it has none */
	int64_t user_ref;                /* authorisation or code id; 0 none */
	enum credential_type credential; /* what user_ref numbers; CREDENTIAL_NONE */
	bool is_own;                     /* made by this hub's own authorisation */
	char text[EVENT_TEXT_MAX];
};

enum job_sent {
	JOB_NOT_SENT,   /* the lock has certainly not got the command: safe to try again */
	JOB_MAYBE_SENT, /* it may have: read the state, never repeat blindly (L2) */
};

struct job_result {
	struct fault fault; /* FAULT_NONE: done */
	enum job_sent sent; /* meaning only with a fault */
	/* ACT_READ_LOG: whether the lock has more entries than were asked for. */
	bool is_log_more;
	/*
	 * ACT_PUT_CREDENTIAL, ACT_PUT_TIMER: the lock's id of it. With a fault too, when it was
	 * made and only then something went wrong; else 0.
	 */
	int64_t ref;
};

struct session;

struct session_host {
	/* One write at a time; session's written() follows. */
	void (*write)(void *host, const char *characteristic, const uint8_t *buf, size_t n);
	/* The one timer: calls timer() after @ms unless armed anew; 0 disarms. */
	void (*arm)(void *host, unsigned ms);
	void (*evidence)(void *host, const struct evidence *evidence);
	/* Entries in increasing order; several calls per job are fine. Kept even if the job fails.
	 */
	void (*log)(void *host, const struct log_entry *entries, size_t n);
	/*
	 * ACT_READ_USERS: what the lock holds, in any order, in several calls; complete when the
	 * job ends without a fault, to be thrown away otherwise. Borrowed.
	 */
	void (*slots)(void *host, const struct slot *slots, size_t n);
	/* ACT_READ_TIMERS: the same for timers. NULL: never asked for by this host. */
	void (*timers)(void *host, const struct lock_timer *timers, size_t n);
	/*
	 * Settings as the lock has them now, in several calls of a job; those that this firmware
	 * does not have are not told. ACT_READ_SETTINGS, and each other job that happens to read
	 * them; before and after a change, ACT_PUT_SETTING. NULL: never asked for by this host.
	 */
	void (*settings)(void *host, const struct setting *settings, size_t n);
	/*
	 * ACT_PUT_CREDENTIAL of what the lock learns: it waits for somebody to present it, and has
	 * had it @n times of @n_all; 0: it does not say how often it wants it. NULL: never asked
	 * for by this host.
	 */
	void (*presenting)(void *host, unsigned n, unsigned n_all);
	/* The keys to keep have changed (paired, PIN verified). Borrowed; copied by the host. */
	void (*keys)(void *host, const struct secret *keys);
	/*
	 * About to send what moves the motor. If it returns false the session must wait for
	 * gate_opened() before it writes that command (the intent is not committed yet, L3). The
	 * host judges the gate anew before it calls gate_opened().
	 */
	bool (*gate)(void *host);
	void (*done)(void *host, const struct job_result *result);
	/* For the protocol transcript at debug level and `record`: never with keys or PINs. */
	void (*trace)(void *host, const char *text);
	/*
	 * NULL, or for `record`: a message of a paired lock as it is in clear, out before it is
	 * encrypted, in after it is decrypted, with keys, PINs, nonces, ids and names blanked.
	 */
	void (*frame)(void *host, bool is_out, const char *characteristic, const uint8_t *plain,
		size_t n);
};

struct session_impl {
	struct session *(*free)(struct session *session); /* takes NULL, wipes, returns NULL */
	void (*up)(struct session *session, unsigned mtu);
	/* 0, or a fault at once: nothing was sent, done() will not be called. -EBUSY asserts. */
	int (*start)(struct session *session, const struct job *job, struct fault *ret_fault);
	void (*written)(struct session *session, int error, enum radio_sent sent);
	void (*bytes)(
		struct session *session, const char *characteristic, const uint8_t *buf, size_t n);
	void (*timer)(struct session *session);
	void (*gate_opened)(struct session *session);
	void (*down)(struct session *session);
	/*
	 * The job is over, by session_done() or session_fail() (core/session.h): lets go of all
	 * that was the job's and says in *result what it knows of it; the fault is there already.
	 * NULL: a session that calls neither.
	 */
	void (*over)(struct session *session, struct job_result *result);
};

struct session {
	const struct session_impl *impl;
	const struct session_host *host;
	void *host_data;
};

enum protocol_trait { PROTOCOL_UNKNOWN, PROTOCOL_NO, PROTOCOL_YES };

/*
 * What the radio protocol of a lock withstands from somebody nearby who hears and sends whatever he
 * likes, and knows how it works. Static. Each "yes" and "no" has its source in
 * docs/protocols; what nobody knows is PROTOCOL_UNKNOWN, not "yes".
 */
struct protocol {
	const char *name;   /* "Nuki Bluetooth API, 5th generation" */
	const char *cipher; /* what it is made of, in a few words */
	/* Each side proves in every session that it has the key. */
	enum protocol_trait is_mutual;
	/* A command that was changed on its way is refused. */
	enum protocol_trait is_tamper_proof;
	/* A command that was overheard does nothing when it is sent again. */
	enum protocol_trait is_replay_safe;
	/* Both sides put something new into each exchange: answers cannot be repeated either. */
	enum protocol_trait has_fresh_nonces;
	const char *weakness; /* what is left to know, one sentence; "" nothing */
	const char *source;   /* where all this is from */
};

/*
 * A: all four, and nothing is left to know. B: nobody can make, change or repeat a command, but
 * there is less of the rest. C: somebody can: weak, a person must agree to rely on such a lock. By
 * these rules alone, so that a brand cannot flatter itself.
 */
enum protocol_class {
	PROTOCOL_CLASS_UNKNOWN,
	PROTOCOL_CLASS_A,
	PROTOCOL_CLASS_B,
	PROTOCOL_CLASS_C,
};
/* @protocol NULL: unknown. */
enum protocol_class protocol_class(const struct protocol *protocol);
const char *protocol_class_name(enum protocol_class class); /* "A", "B", "C", "unknown" */
const char *protocol_trait_name(enum protocol_trait trait); /* "yes", "no", "unknown" */

/* What a write that failed with this negative errno (radio.h) means for the job. Pure. */
enum fault_code driver_write_fault(int error);

struct driver {
	const char *name;  /* "nuki": folder, option, topic */
	const char *brand; /* "Nuki" */
	/* Pure. false: not one of ours, *ret untouched. */
	bool (*sight)(const struct advert *advert, struct sighting *ret);
	/*
	 * What an advertisement of a paired lock tells about it: evidence->is_changed says that
	 * there is something to be read, until it has been read, or is_passing; a brand whose
	 * advertisements carry the state fills in facts, too. *ret is EVIDENCE_ADVERTISED with
	 * FACT_HEARD at entry. Pure but for @memory. NULL hook: sighting.is_changed is all. Anybody
	 * can send an advertisement.
	 */
	void (*hear)(const struct secret *keys, const struct lock_status *status,
		const struct advert *advert, struct heard_memory *memory, struct evidence *ret);
	/* hear() tells where the bolt is: as long as the lock is heard nobody connects to look. */
	bool is_telling;
	/*
	 * Characteristics to subscribe: for pairing (@keys NULL) or for use. Static storage, ends
	 * with .characteristic NULL.
	 */
	const struct radio_subscription *(*subscriptions)(
		const struct sighting *sighting, const struct secret *keys);
	/* @keys: NULL or empty before pairing; else what host->keys() gave. NULL: no memory/bad
	 * keys. */
	struct session *(*session_new)(
		const struct secret *keys, const struct session_host *impl, void *host);
	/* What this lock can do, as bits 1 << act. Depends on keys (PIN known?) and facts. */
	unsigned (*acts)(const struct secret *keys, const struct lock_status *status);
	/* Whether the PIN is known and not refused; which role we have. For `show` and diagnosis.
	 */
	bool (*has_pin)(const struct secret *keys);
	/*
	 * Whether the state-changed mark in advertisements works for us (it does not for every role
	 * and generation): if not, the state must be polled.
	 */
	bool (*is_announcing)(const struct secret *keys, const struct lock_status *status);
	/* Writes @pin into *keys (to be verified afterwards). -EINVAL: not of the brand's form. */
	int (*set_pin)(struct secret *keys, const struct secret *pin, struct fault *ret_fault);
	/*
	 * The PIN that is kept, with leading zeros as the lock's owner knows it, to be judged and
	 * compared and nothing else; *ret is the caller's to wipe. false, *ret empty: none is kept,
	 * or the lock has refused it. NULL hook: does not tell.
	 */
	bool (*pin)(const struct secret *keys, struct secret *ret);
	/* What locks of this brand have for a PIN before anybody sets one; ends with NULL. */
	const char *const *pins_default;
	/* What protects the link; NULL hook or NULL: nobody has looked into it. */
	const struct protocol *(*protocol)(
		const struct secret *keys, const struct lock_status *status);
	/* NULL hook or NULL: no credentials that the hub could manage (no keypad, no PIN). */
	const struct credential_limits *(*credentials)(
		const struct secret *keys, const struct lock_status *status);
	/*
	 * Why there are no PIN codes where credentials() gives none though there may be keypads,
	 * and what to do instead: the end of a sentence, at most 70 characters. NULL: no keypads.
	 */
	const char *no_codes;
	/*
	 * What can be set at this lock, in the order in which it is to be shown; static. Which of
	 * them its firmware has shows when they are read. NULL hook: none.
	 */
	const struct lock_setting *(*settings)(
		const struct secret *keys, const struct lock_status *status, size_t *ret_n);
	/*
	 * The advertisements in which announced changes show, for the radio that can listen for
	 * them (util/radio.h); static, ends with n_bytes 0. NULL: not told.
	 */
	const struct radio_pattern *patterns;
	/* Limits of the PIN for prompts: "4 digits". NULL: such locks have none. */
	const char *pin_form;
	/* The same of the key that sighting.needs_key asks for; NULL: pairing makes the keys. */
	const char *key_form;
	/* Where people find that key, for prompts: one or two sentences. With key_form only. */
	const char *key_source;
	/*
	 * The key's members where people have it as JSON, with blanks between: what lockhubctl
	 * picks out of a longer text and sends as one flat object. NULL: it is words.
	 */
	const char *key_members;
	/*
	 * For docs/brands.md (core/capability.h): the @i-th kind of lock of this brand, from 0,
	 * with made-up keys, as it is to a hub that knows all of it. @return its name, static;
	 * NULL: there are no more. Both are empty, or everything unknown, at entry. NULL hook:
	 * none.
	 */
	const char *(*example)(unsigned i, struct secret *ret_keys, struct lock_status *ret_status);
};

/* The drivers built in (-Ddrivers=), NULL-terminated. Written by src/drivers. */
extern const struct driver *const lock_drivers[];
