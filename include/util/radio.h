/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The radio's door: what a BLE central can be asked, without saying that it is BlueZ. The ble room
 * implements it; core asks through it; tests and transcripts stand in for it. Nobody behind this
 * door knows what a lock is, nobody in front of it knows what D-Bus is.
 *
 * Rules for both sides:
 *  - All calls and all callbacks on the loop thread.
 *  - No callback is ever made from inside a call of this door (R12): callbacks come from the loop.
 *  - Buffers are borrowed for the call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/fault.h"
#include "util/tally.h"

#define RADIO_ADDRESS_MAX 18 /* "AA:BB:CC:DD:EE:FF" and its end mark */
#define RADIO_LABEL_MAX 32
#define RADIO_UUID_MAX 37 /* 36 lower-case characters and the end mark */
#define ADVERT_PARTS_MAX 8
#define ADVERT_NAME_MAX 64

/* One manufacturer record or one service data record of an advertisement. */
struct advert_part {
	bool is_service;           /* false: manufacturer data */
	uint16_t company;          /* Bluetooth company id, when manufacturer data */
	char uuid[RADIO_UUID_MAX]; /* full 128-bit UUID, lower case, when service data */
	uint8_t bytes[64];
	size_t n_bytes;
};

/* What was heard from one device; parts merged over advertisement and scan response. */
struct advert {
	char address[RADIO_ADDRESS_MAX]; /* upper case */
	bool is_random;                  /* address type */
	int16_t rssi;                    /* dBm; 0: not known */
	char name[ADVERT_NAME_MAX];      /* "" when none */
	char adapter[RADIO_ADDRESS_MAX]; /* the adapter that heard it, by its address */
	size_t n_parts;
	struct advert_part parts[ADVERT_PARTS_MAX];
};

/* The record, or NULL. */
const struct advert_part *advert_manufacturer(const struct advert *advert, uint16_t company);
const struct advert_part *advert_service(const struct advert *advert, const char *uuid);

/* Who waits for a link, most urgent first: the order in which slots are given. */
enum radio_need {
	RADIO_NEED_NONE,
	RADIO_NEED_BACKGROUND, /* polling, clock, log */
	RADIO_NEED_EVENT,      /* reading state after something happened */
	RADIO_NEED_UNLOCK,
	RADIO_NEED_LOCK, /* the safe direction goes first */
};

/*
 * Characteristics that must exist and be subscribed before the link counts as up, in this order. A
 * NULL-terminated array; @is_optional ones are subscribed when they exist. With @is_read it is read
 * once for each link instead, and what it holds comes as bytes() behind the first up(); an optional
 * one that cannot be read holds up nothing for long.
 */
struct radio_subscription {
	const char *service; /* UUID, lower case */
	const char *characteristic;
	bool is_optional;
	bool is_read;
};

/*
 * By what the advertisements that matter can be told from others before anybody has looked at them:
 * these bytes at that place of the record of that type (Bluetooth Assigned Numbers, 2.3: 0xff is
 * manufacturer data, which begin with the company id, low byte first; 0x21 service data of a
 * 128-bit UUID, which begin with the UUID, low byte first).
 */
#define RADIO_PATTERN_MAX 29 /* 31 octets of an advertisement less length and type */
struct radio_pattern {
	uint8_t offset;
	uint8_t type;
	uint8_t n_bytes; /* 0: the end of an array of patterns */
	uint8_t bytes[RADIO_PATTERN_MAX];
};

struct radio_target {
	char address[RADIO_ADDRESS_MAX];
	bool is_random;
	/* Ends with .characteristic == NULL; static. */
	const struct radio_subscription *subscriptions;
	/* Whether state changes show in advertisements: keeps short watch windows going (L6). */
	bool is_watched;
	/*
	 * For a watched one: the advertisements in which they show, any of these; static. NULL: not
	 * known, then windows are the only way to hear it.
	 */
	const struct radio_pattern *patterns;
};

enum radio_sent { RADIO_NOT_SENT, RADIO_MAYBE_SENT };

/*
 * Numbers for `lockhubctl signal`: of one device since its link object was made, or of one adapter,
 * all devices together, since it was first seen.
 */
struct radio_stats {
	unsigned connects; /* links that came up */
	unsigned attempts; /* Connect calls */
	unsigned failures; /* attempts that failed */
	unsigned losses;   /* links that broke while in use */
	uint64_t link_ms;  /* time with a link */
	uint64_t writes;   /* GATT writes */
	int16_t rssi;      /* dBm, last heard; 0: not known */
	int64_t heard_ms;  /* mono time of the last advertisement or link; INT64_MIN: never */
	/* An adapter's: the same of anything of anybody, as far as it was listened for. */
	int64_t any_ms;
	char name[8];                    /* an adapter's at present: "hci0"; "" none */
	char adapter[RADIO_ADDRESS_MAX]; /* last one used; an adapter's own address */
	const char *state;  /* name of the link machine's state; an adapter's: on, off, absent */
	struct tally tally; /* windows as of the call */
};

/* Of the attempts that came to an end by themselves, so many percent succeeded; -1: none has. */
int radio_success_percent(const struct radio_stats *stats);

/*
 * In one word, for people: "good", "fair", "poor" or "unknown". Good needs a median strength of at
 * least RADIO_GOOD_DBM and few failures; poor is one of weaker than RADIO_POOR_DBM or too many
 * failures. The word changes when one more attempt fails; do not act on it.
 */
#define RADIO_GOOD_DBM (-70)
#define RADIO_POOR_DBM (-85)
#define RADIO_GOOD_FAILURE_PERCENT 10
#define RADIO_POOR_FAILURE_PERCENT 30
const char *radio_quality(const struct radio_stats *stats);
/* The same word by a strength alone. */
const char *radio_quality_of_dbm(int dbm);

struct radio_link;

/* Called by the radio; never from inside a call to it. */
struct radio_user {
	/* Connected, resolved, subscribed. @mtu: ATT MTU, 23 when not known. */
	void (*up)(void *user, unsigned mtu);
	/*
	 * The link ended, or the attempt to make one was given up. The want is over: want again to
	 * retry. @fault NULL after release (linger ran out, or another program hung up while idle).
	 */
	void (*down)(void *user, const struct fault *fault);
	/* A notification, an indication or a value read. @characteristic: UUID, lower case. */
	void (*bytes)(void *user, const char *characteristic, const uint8_t *buf, size_t n);
	/* The write asked for last has ended. @error 0, or negative errno; @sent tells more. */
	void (*written)(void *user, int error, enum radio_sent sent);
	/* An advertisement of this device; also while no link is wanted. */
	void (*heard)(void *user, const struct advert *advert);
};

/* Adapters and BlueZ as a whole; for `lockhubctl status` and the journal. */
struct radio_status {
	bool is_ready; /* at least one adapter is powered */
	/* BlueZ is being asked for the first time: the fault is not certain yet. */
	bool is_starting;
	struct fault fault; /* FAULT_NONE, or why it is not ready */
	/*
	 * FAULT_NONE, or RESTART_DENIED: why it could not be helped when it was in trouble. Stays
	 * until it works again.
	 */
	struct fault hindrance;
	unsigned n_adapters;
	bool is_scanning;       /* an enrolment scan runs */
	char bluez_version[32]; /* "" when not known */
};

struct radio;

struct radio_impl {
	/*
	 * Makes the object for one device; no radio activity yet. NULL: no memory.
	 * link_free is legal in any state, drops the link if there is one, takes NULL, returns
	 * NULL; no callback comes after it.
	 */
	struct radio_link *(*link_new)(struct radio *radio, const struct radio_target *target,
		const struct radio_user *user_impl, void *user);
	struct radio_link *(*link_free)(struct radio_link *link);
	/*
	 * Wants a link, or changes the urgency of the want. Ends in up() or down(). While the link
	 * is up it keeps it (cancels linger). @patience_ms: how long it may take in all.
	 */
	void (*want)(struct radio_link *link, enum radio_need need, unsigned patience_ms);
	/* Nothing more to say: the link may linger and is then closed. Cancels a pending want. */
	void (*release)(struct radio_link *link);
	/* Closes at once, e.g. after a protocol error. down() follows with a NULL fault. */
	void (*drop)(struct radio_link *link);
	/*
	 * Writes with response; without, where the characteristic takes nothing else: then
	 * written() says only that it has gone out. One at a time: -EBUSY while one is under way,
	 * -ENOTCONN without a link, -ENOENT no such characteristic, -EMSGSIZE longer than 512.
	 * written() follows on 0.
	 */
	int (*write)(
		struct radio_link *link, const char *characteristic, const uint8_t *buf, size_t n);
	/*
	 * For the journal alone: whose link it is and for what operation it is used from now on; ""
	 * for none. Copied, cut to RADIO_LABEL_MAX. NULL: keeps no journal.
	 */
	void (*label)(struct radio_link *link, const char *lock_id, const char *op_id);
	void (*link_stats)(const struct radio_link *link, struct radio_stats *ret);
	/*
	 * Enrolment scan: every advertisement of every device goes to @heard until @ms have passed
	 * or it is stopped; then @ended, once, with a fault or NULL. -EALREADY: one runs; it is
	 * prolonged.
	 */
	int (*scan)(struct radio *radio, unsigned ms,
		void (*heard)(void *user, const struct advert *advert),
		void (*ended)(void *user, const struct fault *fault), void *user);
	void (*scan_stop)(struct radio *radio);
	/*
	 * While it is on, all devices are listened to in short windows with hardly a pause, so that
	 * heard() brings a fresh strength every other second: for people who look for a good place.
	 * It costs the devices nothing, and slows down other traffic of the adapters. NULL: cannot.
	 */
	void (*hasten)(struct radio *radio, bool is_on);
	void (*status)(const struct radio *radio, struct radio_status *ret);
	/*
	 * The @i-th adapter that has been seen; false beyond the last. NULL: does not tell. An
	 * adapter that was unplugged stays until another one takes its place.
	 */
	bool (*adapter_stats)(const struct radio *radio, unsigned i, struct radio_stats *ret);
};

struct radio {
	const struct radio_impl *impl;
};
