/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A virtual lock: the lock side of one brand, as a GATT server with an advertisement, and the thing
 * on the door that a person can touch. It knows neither BlueZ nor a bus nor the loop: a face
 * carries it (the virtual org.bluez, or the radio on /dev/vhci), gives it links, bytes and time,
 * and takes its answers.
 *
 *	face -> lock	sim_lock_connect(), _write(), _subscribe(), _tick() ...
 *	lock -> face	struct sim_face: indicate, drop, advert_changed
 *	person -> lock	sim_lock_turn(), _code(), _jam() ...
 *
 * All times are milliseconds of the simulator's own clock (which runs faster with --speed), handed
 * in as @now; nothing here reads a clock or sleeps. After each call that may change what the lock
 * waits for, the face looks at sim_lock_next_due(). Single-threaded.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/auto.h"
#include "util/when.h"

struct body;
struct sim_lock;

/* ---- GATT ---- */

enum sim_flag {
	SIM_FLAG_READ = 1,
	SIM_FLAG_WRITE = 2,
	SIM_FLAG_WRITE_COMMAND = 4,
	SIM_FLAG_NOTIFY = 8,
	SIM_FLAG_INDICATE = 16,
};

/* Characteristics are numbered through the whole table, in order: that number is "chr" below. */
struct sim_char {
	const char *uuid; /* 128-bit form, lower case */
	unsigned flags;   /* enum sim_flag */
};

struct sim_service {
	const char *uuid;
	const struct sim_char *chars;
	size_t n_chars;
};

struct sim_gatt {
	const struct sim_service *services;
	size_t n_services;
};

/* ATT application errors that a hook may return, negated, as (-SIM_ATT_BASE - code). */
#define SIM_ATT_BASE 10000
#define SIM_ATT(code) (-SIM_ATT_BASE - (code))
#define SIM_ATT_READ_NOT_PERMITTED 0x02
#define SIM_ATT_WRITE_NOT_PERMITTED 0x03
#define SIM_ATT_INVALID_OFFSET 0x07
#define SIM_ATT_INVALID_LENGTH 0x0d
#define SIM_ATT_UNLIKELY 0x0e

/* ---- advertisement ---- */

#define SIM_ADVERT_DATA_MAX 27
struct sim_advert {
	bool is_silent;       /* sends nothing and takes no link, e.g. while it reboots */
	bool is_discoverable; /* AD flags: general discoverable */
	char name[30];        /* "" = none */
	uint16_t company;     /* manufacturer data; n_manufacturer 0 = none */
	uint8_t manufacturer[SIM_ADVERT_DATA_MAX];
	size_t n_manufacturer;
	char service[37]; /* service data, 128-bit UUID; "" = none */
	uint8_t data[SIM_ADVERT_DATA_MAX];
	size_t n_data;
	unsigned interval_ms;
};

/* ---- the face ---- */

struct sim_face {
	/* A value for whoever listens on this link; at most its MTU - 3 octets. Copied by the
	 * callee. */
	void (*indicate)(void *user, int link, unsigned chr, const uint8_t *value, size_t n);
	/* The lock hangs up. The face answers with sim_lock_disconnect(), now or later. */
	void (*drop)(void *user, int link);
	void (*advert_changed)(void *user);
	void (*due_changed)(void *user);
};

/* ---- what surrounds every lock of one simulator ---- */

enum sim_random { SIM_RANDOM_KEY, SIM_RANDOM_NONCE, SIM_RANDOM_CHALLENGE, SIM_RANDOM_OTHER };

struct sim_env {
	/* Fills n octets. Tests give the octets of a recorded conversation. */
	void (*random)(void *user, enum sim_random what, void *out, size_t n);
	/* UTC as the world has it; a lock's own clock may be off. */
	wall_t (*wall)(void *user);
	/* How many simulator milliseconds one real one has: for times that do not scale (idle
	 * drop). */
	double speed;
	void *user;
};

/* ---- counters, for "never an unlock twice" and for the protocol's budget of round trips ---- */

struct sim_counters {
	unsigned connections;
	unsigned link_ms; /* time with a link, simulator time */
	unsigned writes;  /* GATT write requests that reached the lock */
	unsigned reads;
	unsigned subscriptions;
	unsigned indications;   /* fragments sent */
	unsigned messages_in;   /* complete protocol messages */
	unsigned commands_lock; /* lock commands accepted over the radio */
	unsigned commands_unlock;
	unsigned commands_unlatch;
	unsigned motor_lock; /* motor runs begun, whoever asked */
	unsigned motor_unlock;
	unsigned motor_unlatch;
	unsigned refused;                /* commands answered with an error */
	unsigned last_connection_writes; /* writes on the link that ended last (or is open) */
	unsigned last_connection_indications;
};

/* ---- the brand ---- */

#define SIM_LINKS_MAX 4
#define SIM_TEXT_MAX 256

enum sim_keypad {
	SIM_KEYPAD_CODE,   /* a code is entered */
	SIM_KEYPAD_FINGER, /* a finger is laid on it: that of the code with this id; 0 nobody's */
	SIM_KEYPAD_KEY,    /* the key without a code */
};

/*
 * One const table per brand. Hooks of the third group are what a person does; NULL means that this
 * lock has no such thing, and the caller is told so. They return 0 or a negative errno and may
 * leave a sentence in @why (SIM_TEXT_MAX octets).
 */
struct sim_lock_impl {
	const char *brand;
	struct sim_lock *(*free)(struct sim_lock *lock);

	const struct sim_gatt *(*gatt)(struct sim_lock *lock);
	void (*advert)(struct sim_lock *lock, struct sim_advert *ret);
	void (*connected)(struct sim_lock *lock, int link, mono_t now);
	void (*disconnected)(struct sim_lock *lock, int link, mono_t now);
	int (*write)(struct sim_lock *lock, int link, unsigned chr, const uint8_t *value, size_t n,
		mono_t now);
	ssize_t (*read)(struct sim_lock *lock, int link, unsigned chr, uint8_t *out, size_t size);
	void (*subscribed)(struct sim_lock *lock, int link, unsigned chr, bool on);
	mono_t (*next_due)(struct sim_lock *lock);
	void (*tick)(struct sim_lock *lock, mono_t now);

	int (*turn)(struct sim_lock *lock, bool to_locked, mono_t now, char *why);
	int (*button)(struct sim_lock *lock, unsigned presses, mono_t now, char *why);
	int (*fob)(struct sim_lock *lock, unsigned presses, mono_t now, char *why);
	/* @action: "lock", "unlock", "unlatch", or NULL for what the keypad makes of it by itself.
	 */
	int (*keypad)(struct sim_lock *lock, enum sim_keypad what, uint32_t number,
		const char *action, mono_t now, char *why);
	/*
	 * The vendor's app in other hands, behind the hub's back. @words: a command and its words,
	 * NULL-terminated. What was made has an id, in *ret_id; else that is 0.
	 */
	int (*app)(struct sim_lock *lock, char **words, mono_t now, uint32_t *ret_id, char *why);
	int (*door)(struct sim_lock *lock, bool is_open, mono_t now, char *why);
	/* @how: "on", "off", or words joined by +: shut, lock, 40%. */
	int (*jam)(struct sim_lock *lock, const char *how, char *why);
	int (*battery)(struct sim_lock *lock, unsigned percent, char *why);
	int (*drain)(struct sim_lock *lock, unsigned percent_per_hour, mono_t now, char *why);
	int (*clock)(struct sim_lock *lock, int64_t offset_s, char *why);
	/* New cells of @chemistry (NULL: as before): it starts anew and has lost its time. */
	int (*change)(struct sim_lock *lock, const char *chemistry, mono_t now, char *why);
	/*
	 * So many days, which end now, pass at once, with @moves motor runs in each. *ret: what
	 * each was like, oldest first; new reference.
	 */
	int (*age)(struct sim_lock *lock, unsigned days, unsigned moves, mono_t now, json_t **ret,
		char *why);
	int (*pairing)(struct sim_lock *lock, bool on, mono_t now, char *why);
	int (*reboot)(struct sim_lock *lock, mono_t now, char *why);
	int (*reset)(struct sim_lock *lock, mono_t now, char *why);
	int (*firmware)(struct sim_lock *lock, const char *version, char *why);
	int (*set)(struct sim_lock *lock, const char *key, const char *value, char *why);

	json_t *(*show)(struct sim_lock *lock);             /* for people; new reference */
	json_t *(*log)(struct sim_lock *lock, size_t most); /* newest first; new reference */
	json_t *(*save)(struct sim_lock *lock);             /* the lock's memory; new reference */
	int (*load)(struct sim_lock *lock, const json_t *memory); /* -EINVAL: not ours */
};

/* How a lock is heard at first, by its keys; a world takes it over. */
struct sim_air {
	int rssi;        /* dBm; 0: not said */
	unsigned jitter; /* up to so many dB more or less */
	unsigned loss;   /* percent of its packets */
	bool is_taken;   /* somebody else's phone has its links */
};

struct sim_link {
	bool is_up;
	unsigned mtu;
	mono_t since;
	mono_t heard; /* the central, last: it came or wrote */
};

/* The part common to all brands; a brand embeds it as its first member. */
struct sim_lock {
	const struct sim_lock_impl *impl;
	char name[32];
	char model[32];     /* "nuki:gen4" */
	uint8_t address[6]; /* as printed, first octet first */
	bool is_random_address;
	unsigned mtu; /* largest ATT MTU the lock agrees to */
	struct sim_link links[SIM_LINKS_MAX];
	struct sim_counters counters;
	struct sim_air air;
	const struct sim_env *env;
	struct body *body;           /* of the brand, in the same block; for hooks that all share */
	const struct sim_face *face; /* NULL until carried */
	void *face_user;
};

/* ---- calls for the face ---- */

struct sim_lock *sim_lock_free(struct sim_lock *lock);
AUTO_DEFINE(struct sim_lock *, sim_lock_free);

void sim_lock_carry(struct sim_lock *lock, const struct sim_face *face, void *user);
/* @return a link number, or -EBUSY: all are taken. @mtu: what the central offers (23..517). */
int sim_lock_connect(struct sim_lock *lock, unsigned mtu, mono_t now);
/* The link's MTU was agreed upon after it came up. Harmless on a link that is down. */
void sim_lock_set_mtu(struct sim_lock *lock, int link, unsigned mtu);
/* Harmless on a link that is down. */
void sim_lock_disconnect(struct sim_lock *lock, int link, mono_t now);
/* @value: a whole value, long writes put together. 0, SIM_ATT(code), -ENOTCONN. */
int sim_lock_write(
	struct sim_lock *lock, int link, unsigned chr, const uint8_t *value, size_t n, mono_t now);
/* @return octets, SIM_ATT(code), -ENOTCONN. */
ssize_t sim_lock_read(struct sim_lock *lock, int link, unsigned chr, uint8_t *out, size_t size);
int sim_lock_subscribe(struct sim_lock *lock, int link, unsigned chr, bool on);
void sim_lock_advert(struct sim_lock *lock, struct sim_advert *ret);
mono_t sim_lock_next_due(struct sim_lock *lock);
void sim_lock_tick(struct sim_lock *lock, mono_t now);
/* NULL when the number is beyond the table. */
const struct sim_char *sim_lock_char(struct sim_lock *lock, unsigned chr);
size_t sim_lock_n_chars(struct sim_lock *lock);

/* ---- calls for a brand ---- */

/* Name and model out of @pairs, see sim_lock_make(). */
void sim_lock_init(struct sim_lock *lock, const struct sim_lock_impl *impl,
	const char *const *pairs, const struct sim_env *env);
/* Cuts @value into pieces of MTU - 3 octets. Nothing happens on a link that is down. */
void sim_lock_indicate(
	struct sim_lock *lock, int link, unsigned chr, const uint8_t *value, size_t n);
void sim_lock_drop(struct sim_lock *lock, int link);
void sim_lock_advert_changed(struct sim_lock *lock);
void sim_lock_due_changed(struct sim_lock *lock);
/* When the first link will have been silent for @idle_ms of real time. MONO_NEVER: no link. */
mono_t sim_lock_idle_due(const struct sim_lock *lock, unsigned idle_ms);
/* Hangs up those that have been. */
void sim_lock_drop_idle(struct sim_lock *lock, unsigned idle_ms, mono_t now);
void sim_lock_drop_all(struct sim_lock *lock);
/* How long a link has been up, or was when it went: for body_link_ended(). Milliseconds. */
unsigned sim_lock_link_ms(const struct sim_lock *lock, int link, mono_t now);
/* 0 to @n - 1 by chance; 0 when @n is. */
unsigned sim_env_chance(const struct sim_env *env, unsigned n);

/* ---- making one ---- */

/*
 * What --lock says. @pairs: NULL-terminated key, value, key, value ...; keys name, model, address,
 * pin, battery and those of the brand. -EINVAL with a sentence in @why (SIM_TEXT_MAX octets).
 */
int sim_lock_make(
	const char *const *pairs, const struct sim_env *env, struct sim_lock **ret, char *why);
/* NULL-terminated models that sim_lock_make() knows, for --help. */
extern const char *const sim_models[];
