/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Message payloads <-> structs. Each kind of message is a row of nuki_kinds[] (R18): number, name,
 * least and most octets, and its parser, which is a list of field rows in wire order. One reader
 * and one writer walk those lists, so what is parsed and what is built cannot drift apart, and the
 * same rows serve tests, fuzzers and the protocol trace.
 *
 * Firmware lets messages grow at their end. A field row marked NUKI_OPTIONAL may be missing; its
 * member then has the row's `absent` value. Members are raw wire values in the units named here;
 * facts.c interprets them.
 *
 * Ownership: plain values, no pointers but nuki_message.kind. A message may hold a PIN, a code or
 * a key: whoever holds one declares it AUTO_VALUE(nuki_message_wipe).
 *
 * Source: docs/protocols/nuki.md; vectors tests/vectors/nuki.json.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "codes.h"
#include "util/when.h"

#define NUKI_KEY_LEN 32
#define NUKI_CHALLENGE_LEN 32 /* "nonce n_K" */
#define NUKI_HMAC_LEN 32
#define NUKI_UUID_LEN 16
#define NUKI_NAME_LEN 32
#define NUKI_CODE_NAME_LEN 20
#define NUKI_LOG_DATA_MAX 40
#define NUKI_MORE_MAX 64
#define NUKI_PAYLOAD_MAX 488 /* what fits the largest frame we accept, see frame.h */

/* Civil time in UTC, as sent; all zero: never. Not checked by the parser. */
struct nuki_date {
	uint16_t year;
	uint8_t month, day, hour, minute, second;
};

struct nuki_time {
	uint8_t hour, minute;
};

/* When a code or an authorisation is good. Dates UTC, times of day local to the lock. */
struct nuki_window {
	struct nuki_date from_date, until_date;
	uint8_t weekdays; /* bit 6 Monday ... bit 0 Sunday; 0 every day */
	struct nuki_time from_time, until_time;
};

struct nuki_pairing {
	uint8_t key[NUKI_KEY_LEN];
	uint8_t hmac[NUKI_HMAC_LEN];
	uint8_t id_type;
	uint32_t app_id;
	char name[NUKI_NAME_LEN + 1];
	uint8_t nonce[NUKI_CHALLENGE_LEN];
	uint32_t auth_id;
	uint8_t uuid[NUKI_UUID_LEN];
	uint8_t is_pin_set;
	uint32_t pin;
};

/* Requests that consist of little more than challenge and PIN. */
struct nuki_request {
	uint16_t command; /* Request Data: what is wanted */
	uint16_t offset;
	uint16_t count;
	uint32_t start_index;
	uint8_t sort_order; /* 0 ascending, 1 descending */
	uint8_t total_count;
	uint8_t enabled;
	uint32_t new_pin;
	struct nuki_date time;
	uint8_t nonce[NUKI_CHALLENGE_LEN];
	uint32_t pin;
};

struct nuki_reply {
	uint8_t status;
	uint8_t error;
	uint16_t command;
	uint16_t count;
	uint8_t count8;
	uint8_t enabled;
	uint8_t door_sensor_enabled;
	uint8_t door_sensor_logging;
	uint8_t ajar_timeout; /* s */
	uint8_t ajar_log;
	uint8_t mismatch_log;
	uint16_t open_total, close_total, open_boot, close_boot;
};

struct nuki_states {
	uint8_t mode;       /* enum nuki_mode */
	uint8_t lock_state; /* enum nuki_lock_state */
	uint8_t trigger;    /* enum nuki_trigger */
	struct nuki_date time;
	int16_t tz_offset; /* minutes */
	uint8_t battery;   /* bit 0 critical, 1 charging, 2..7 half the percentage */
	uint8_t config_count;
	uint8_t lock_n_go_timer; /* s */
	uint8_t last_action;
	uint8_t last_trigger;
	uint8_t last_completion;
	uint8_t door;
	uint8_t night_mode;
	uint8_t accessories; /* bit 0/1 keypad reports/critical, 2/3 door sensor */
	uint8_t remote;      /* NUKI_REMOTE_* */
	int8_t ble_rssi;     /* dBm; 0 invalid, 1 not supported */
	int8_t wifi_rssi;
	uint8_t wifi;
	uint8_t mqtt;
	uint8_t thread;
};

enum {
	NUKI_REMOTE_UPLINK = 1 << 0,
	NUKI_REMOTE_BRIDGE = 1 << 1,
	NUKI_REMOTE_WIFI = 1 << 2,
	NUKI_REMOTE_CONNECTED = 1 << 3,
	NUKI_REMOTE_THREAD = 1 << 4,
	NUKI_REMOTE_THREAD_WANTED = 1 << 5,
};

struct nuki_lock_action {
	uint8_t action; /* enum nuki_action */
	uint32_t app_id;
	uint8_t flags;                            /* bit 0 auto-unlock, bit 1 force */
	char name_suffix[NUKI_CODE_NAME_LEN + 1]; /* optional, for the lock's log */
	uint8_t source;                           /* Keypad Action: 0 arrow key, 1 code */
	uint32_t code;
	uint8_t nonce[NUKI_CHALLENGE_LEN];
};

/* Lengths of time, charge and the like in the units of the name. */
struct nuki_battery {
	uint16_t drain_mws;
	uint16_t voltage_mv;
	uint8_t critical; /* as nuki_states.battery */
	uint8_t action;
	uint16_t start_mv;
	uint16_t lowest_mv;
	uint16_t distance_deg;
	int8_t temperature_c;
	uint16_t max_current_ma;
	uint16_t resistance_mohm;
};

/* Config and, with challenge and PIN, Set Config. */
struct nuki_config {
	uint32_t nuki_id;
	char name[NUKI_NAME_LEN + 1];
	float latitude, longitude;
	uint8_t auto_unlatch, pairing_enabled, button_enabled, led_enabled, led_brightness;
	struct nuki_date time;
	int16_t tz_offset; /* minutes */
	uint8_t dst_mode;
	uint8_t has_fob, fob1, fob2, fob3;
	uint8_t single_lock;
	uint8_t adv_mode;
	uint8_t has_keypad;
	uint8_t firmware[3];
	uint8_t hardware[2];
	uint8_t homekit;
	uint16_t tz_id; /* 0xffff none */
	uint8_t device_type;
	uint8_t capabilities; /* bit 0 Wi-Fi, bit 1 Thread */
	uint8_t has_keypad2;
	uint8_t matter;
	uint8_t variant;
	uint8_t nonce[NUKI_CHALLENGE_LEN];
	uint32_t pin;
};

/* Advanced Config and Set Advanced Config. */
struct nuki_advanced {
	uint16_t total_degrees;
	int16_t unlocked_offset, locked_offset, single_locked_offset, transition_offset;
	uint8_t lock_n_go_timeout; /* s */
	uint8_t button_single, button_double;
	uint8_t detached_cylinder;
	uint8_t battery_type, auto_battery_type;
	uint8_t unlatch_duration;   /* s */
	uint16_t auto_lock_timeout; /* s, 0 off */
	uint8_t auto_unlock_disabled;
	uint8_t night_mode;
	struct nuki_time night_start, night_end;
	uint8_t night_auto_lock, night_auto_unlock_disabled, night_lock_at_start;
	uint8_t auto_lock_enabled; /* 0xff: firmware that has no such switch */
	uint8_t immediate_auto_lock, auto_update;
	uint8_t motor_speed, slow_in_night_mode;
	/* What newer firmware has behind these: goes back as it came. */
	uint8_t more[NUKI_MORE_MAX];
	uint8_t n_more;
	uint8_t nonce[NUKI_CHALLENGE_LEN];
	uint32_t pin;
};

struct nuki_log_entry {
	uint32_t index;
	struct nuki_date time;
	uint32_t auth_id;
	char name[NUKI_NAME_LEN + 1];
	uint8_t type; /* enum nuki_log_type */
	uint8_t data[NUKI_LOG_DATA_MAX];
	uint8_t n_data;
};

/* A keypad code; all requests and answers about codes. */
struct nuki_code {
	uint16_t code_id;
	uint32_t code;
	char name[NUKI_CODE_NAME_LEN + 1];
	uint8_t enabled;
	struct nuki_date created, last_active;
	uint16_t lock_count;
	uint8_t time_limited;
	struct nuki_window window;
	uint8_t nonce[NUKI_CHALLENGE_LEN];
	uint32_t pin;
};

/* An authorisation; all requests and answers about them. */
struct nuki_auth {
	uint32_t auth_id;
	uint8_t id_type;
	char name[NUKI_NAME_LEN + 1];
	uint8_t shared_key[NUKI_KEY_LEN];
	uint8_t enabled;
	uint8_t remote_allowed;
	struct nuki_date created, last_active;
	uint16_t lock_count;
	uint8_t time_limited;
	struct nuki_window window;
	uint8_t nonce[NUKI_CHALLENGE_LEN];
	uint32_t pin;
};

struct nuki_time_control {
	uint8_t entry_id;
	uint8_t enabled;
	uint8_t weekdays;
	struct nuki_time time;
	uint8_t action;
	uint8_t nonce[NUKI_CHALLENGE_LEN];
	uint32_t pin;
};

enum nuki_type {
	NUKI_U8,
	NUKI_I8,
	NUKI_U16,
	NUKI_I16,
	NUKI_U32,
	NUKI_F32,
	NUKI_DATE,
	NUKI_TIME,
	NUKI_WINDOW,
	NUKI_TEXT,   /* n octets, zero-padded; member char[n + 1] */
	NUKI_OCTETS, /* n octets */
	NUKI_REST,   /* up to n octets to the end; member uint8_t[n], then their number, uint8_t */
	NUKI_NONCE,  /* a challenge */
	NUKI_PIN,    /* uint16 for gen1-4, uint32 for 5G; member uint32_t */
};

enum {
	NUKI_OPTIONAL = 1 << 0,
	NUKI_SECRET = 1 << 1,  /* never traced; names of people are so too */
	NUKI_PRIVATE = 1 << 2, /* not in transcripts that people hand on; texts are so anyway */
};

struct nuki_field {
	const char *name;
	enum nuki_type type;
	uint8_t n;
	uint8_t flags;
	uint16_t at;     /* offset of the member in the body */
	uint16_t absent; /* value of the member when the field is missing */
};

enum {
	NUKI_GROWS = 1 << 0,    /* longer than we know is fine: the rest is left alone */
	NUKI_TO_LOCK = 1 << 1,  /* direction */
	NUKI_PAIRING = 1 << 2,  /* only on the pairing characteristic */
	NUKI_ONLY_1_4 = 1 << 3, /* this layout for gen1-4 only */
	NUKI_ONLY_5 = 1 << 4,
};

struct nuki_kind {
	uint16_t command;
	const char *name;
	uint16_t least, most; /* octets of payload, for gen1-4 where the PIN's width matters */
	uint8_t flags;
	uint8_t n_fields;
	const struct nuki_field *fields;
};

struct nuki_message {
	const struct nuki_kind *kind;
	uint64_t has; /* bit i: field i was there, or is to be written */
	union {
		struct nuki_pairing pairing;
		struct nuki_request request;
		struct nuki_reply reply;
		struct nuki_states states;
		struct nuki_lock_action lock_action;
		struct nuki_battery battery;
		struct nuki_config config;
		struct nuki_advanced advanced;
		struct nuki_log_entry log_entry;
		struct nuki_code code;
		struct nuki_auth auth;
		struct nuki_time_control time_control;
	};
};

const struct nuki_kind *nuki_kinds(size_t *ret_n);
/* The row for a command in this generation; NULL: we do not know it. */
const struct nuki_kind *nuki_kind(uint16_t command, enum nuki_generation generation);
/* "Lock Action"; "?" for what we do not know. */
const char *nuki_command_name(uint16_t command);

/* All members zero or `absent`, and all fields marked as to be written. */
void nuki_message_init(
	struct nuki_message *message, uint16_t command, enum nuki_generation generation);
void nuki_message_wipe(struct nuki_message *message);
/* Leaves out the optional field @name when writing. */
void nuki_message_leave_out(struct nuki_message *message, const char *name);
/*
 * A number or time of day (minutes) by the name of its field. -ENOENT: no such field, or it was not
 * there; *ret is untouched then.
 */
int nuki_message_number(const struct nuki_message *message, const char *name, int64_t *ret);
/* The same way back; cut to the width of the field. The field must be there. */
void nuki_message_set_number(struct nuki_message *message, const char *name, int64_t number);
/* Whether the field @name was there. */
bool nuki_message_has(const struct nuki_message *message, const char *name);
/* Fills in challenge and PIN where the kind has them. */
void nuki_message_sign(
	struct nuki_message *message, const uint8_t nonce[static NUKI_CHALLENGE_LEN], uint32_t pin);

/* @return 0, -ENOENT (no such kind), -EBADMSG (wrong length); *ret undefined then. */
int nuki_message_parse(struct nuki_message *ret, uint16_t command, enum nuki_generation generation,
	const uint8_t *payload, size_t n);
/* @return octets written to out, or -ENOBUFS. */
ssize_t nuki_message_format(const struct nuki_message *message, enum nuki_generation generation,
	uint8_t *out, size_t size);

/*
 * Takes out what must not leave the house: secrets, ids, and texts, which are names of people and
 * places; a text that is not empty becomes "x". What is left can still be written and read.
 */
void nuki_message_blank(struct nuki_message *message);

#define NUKI_TEXT_MAX 400
/* "Keyturner States: mode=2 lock_state=1 ..." without secret fields; returns out. */
char *nuki_message_text(const struct nuki_message *message, char out[static NUKI_TEXT_MAX]);

/* 0 for a date that is not set or not a date. */
wall_t nuki_date_to_wall(const struct nuki_date *date);
struct nuki_date nuki_date_from_wall(wall_t wall);
