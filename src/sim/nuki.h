/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The virtual Nuki: what its files share. Source of every number: docs/protocols/nuki.md, whose
 * sections are cited. What is only inferred there is marked so here too.
 */

#include "body.h"
#include "nuki-wire.h"
#include "sim/lock.h"

#define NUKI_AUTHS_MAX 200
#define NUKI_CODES_MAX 400
#define NUKI_CODES_DEFAULT 100 /* 7.7: so on early devices */
#define NUKI_TIMES_MAX 32
#define NUKI_LOG_MAX 1000
#define NUKI_NAME_LEN 32
#define NUKI_CODE_NAME_LEN 20

/* Real milliseconds, not scaled by --speed: they are about how long the other side may take. */
#define NUKI_IDLE_MS 20000
#define NUKI_PAIRING_MS 120000
/* 12, inferred: tries before 0x28, and for how long (simulator time). */
#define NUKI_PIN_TRIES 3
#define NUKI_PIN_LOCKED_MS 60000
/* 8: five wrong codes lock the keypad for 30 s; longer from 15 on (how long is inferred). */
#define NUKI_CODE_TRIES 5
#define NUKI_CODE_LOCKED_MS 30000
#define NUKI_CODE_TRIES_MORE 15
#define NUKI_CODE_LOCKED_MORE_MS 120000
#define NUKI_NO_CODE_ID 0xffff /* in the log, when no code was used or none is right */
#define NUKI_REBOOT_MS 4000

/* Order of the characteristics in the GATT table. */
enum nuki_char {
	NUKI_CHAR_SERIAL,
	NUKI_CHAR_FIRMWARE,
	NUKI_CHAR_HARDWARE,
	NUKI_CHAR_PAIRING, /* e101 or e301 */
	NUKI_CHAR_PLAIN,   /* e201 */
	NUKI_CHAR_USER,    /* e202 */
	NUKI_CHAR_EXTRA,   /* e203 */
	NUKI_N_CHARS,
};

enum nuki_type { NUKI_TYPE_APP, NUKI_TYPE_BRIDGE, NUKI_TYPE_FOB, NUKI_TYPE_KEYPAD };
enum nuki_mode { NUKI_MODE_UNINITIALISED = 0, NUKI_MODE_PAIRING = 1, NUKI_MODE_DOOR = 2 };
enum nuki_trigger {
	NUKI_TRIGGER_SYSTEM = 0,
	NUKI_TRIGGER_MANUAL = 1,
	NUKI_TRIGGER_BUTTON = 2,
	NUKI_TRIGGER_AUTOMATIC = 3,
	NUKI_TRIGGER_AUTO_LOCK = 6,
};
enum nuki_action {
	NUKI_ACTION_NONE = 0x00,
	NUKI_ACTION_UNLOCK = 0x01,
	NUKI_ACTION_LOCK = 0x02,
	NUKI_ACTION_UNLATCH = 0x03,
	NUKI_ACTION_LOCK_N_GO = 0x04,
	NUKI_ACTION_LOCK_N_GO_UNLATCH = 0x05,
	NUKI_ACTION_FULL_LOCK = 0x06,
	NUKI_ACTION_FOB_NONE = 0x50,
	NUKI_ACTION_BUTTON_NONE = 0x5a,
	NUKI_ACTION_FOB_1 = 0x81,
	NUKI_ACTION_FOB_3 = 0x83,
	NUKI_ACTION_CALIBRATE = 0xfe, /* ours, never on the wire */
};
enum nuki_log_type {
	NUKI_LOG_LOGGING = 0x01,
	NUKI_LOG_ACTION = 0x02,
	NUKI_LOG_CALIBRATION = 0x03,
	NUKI_LOG_INITIALISATION = 0x04,
	NUKI_LOG_KEYPAD = 0x05,
	NUKI_LOG_DOOR = 0x06,
	NUKI_LOG_DOOR_LOGGING = 0x07,
	NUKI_LOG_FIRMWARE = 0x0a,
};
enum nuki_door { NUKI_DOOR_NONE = 0, NUKI_DOOR_OFF = 1, NUKI_DOOR_CLOSED = 2, NUKI_DOOR_OPEN = 3 };

/* 7.7: when a code or an authorisation may be used. Times of day in the lock's local time. */
struct nuki_window {
	bool is_limited;
	wall_t from, until; /* 0 = no bound */
	uint8_t days;       /* 0 = every day */
	uint8_t from_hour, from_minute, until_hour, until_minute;
};

struct nuki_auth {
	uint32_t id;
	uint32_t app_id;
	uint8_t type; /* enum nuki_type */
	char name[NUKI_NAME_LEN + 1];
	uint8_t key[32];
	bool is_enabled;
	bool is_remote_allowed;
	wall_t created, active;
	uint16_t uses;
	struct nuki_window window;
	bool has_challenge; /* 5.1: one challenge, one command */
	uint8_t challenge[32];
};

struct nuki_code {
	uint16_t id;
	uint32_t code;
	char name[NUKI_CODE_NAME_LEN + 1];
	bool is_enabled;
	wall_t created, active;
	uint16_t uses;
	struct nuki_window window;
};

struct nuki_time {
	uint8_t id;
	bool is_enabled;
	uint8_t days, hour, minute, action;
	int64_t done_minute; /* minute since 1970 in which it last ran */
};

struct nuki_entry {
	uint32_t index;
	wall_t at;
	uint32_t auth_id;
	char name[NUKI_NAME_LEN + 1];
	uint8_t type;
	uint8_t data[8];
	uint8_t n_data;
};

struct nuki_config {
	char name[NUKI_NAME_LEN + 1];
	float latitude, longitude;
	uint8_t auto_unlatch, pairing_enabled, button_enabled, led_enabled, led_brightness;
	int16_t tz_offset; /* minutes */
	uint8_t dst;
	uint8_t has_fob;
	uint8_t fob[3];
	uint8_t single_lock, advertising;
	uint8_t has_keypad;
	uint8_t homekit;
	uint16_t tz_id;
	uint8_t capabilities, has_keypad2, matter, variant;
};

struct nuki_advanced {
	uint16_t total_degrees;
	int16_t offsets[4];
	uint8_t lock_n_go_s, single_press, double_press, detached, battery_type, battery_auto;
	uint8_t unlatch_s;
	uint16_t auto_lock_s;
	uint8_t auto_unlock_disabled;
	uint8_t night_enabled, night[4], night_auto_lock, night_auto_unlock_disabled, night_lock;
	uint8_t auto_lock_enabled, auto_lock_immediate, auto_update;
	uint8_t motor_speed, night_slow;
};

enum nuki_pair_step {
	NUKI_PAIR_IDLE, /* waits for Request Data (public key) */
	NUKI_PAIR_KEY,  /* waits for the client's public key */
	NUKI_PAIR_AUTHENTICATOR,
	NUKI_PAIR_DATA,
	NUKI_PAIR_CONFIRMATION,
};

struct nuki_link {
	bool subscribed[NUKI_N_CHARS];
	uint32_t auth_id; /* who has spoken here and could be deciphered; 0 nobody */
	enum nuki_pair_step pair;
	uint8_t own_secret[32], own_public[32], peer_public[32], shared[32];
	uint8_t challenge[32], id_nonce[32];
	struct nuki_auth pending;
};

/* The action that the motor is carrying out, and whom to tell. */
struct nuki_run {
	bool is_active;
	uint8_t action, trigger, flags;
	int link; /* -1: nobody waits */
	uint32_t auth_id;
	uint16_t command;             /* what the error report names */
	char name[NUKI_NAME_LEN + 1]; /* for the log */
	uint8_t log_type;
	uint16_t code_id;
	uint8_t source;
};

struct nuki {
	struct sim_lock base;
	struct body body;
	int generation; /* 1..5 */
	uint32_t id;
	uint8_t uuid[16];
	uint32_t pin;
	bool is_pin_set;
	uint8_t firmware[3], hardware[2];
	unsigned idle_ms;

	struct nuki_auth *auths[NUKI_AUTHS_MAX];
	size_t n_auths;
	uint32_t next_auth_id;
	struct nuki_code *codes[NUKI_CODES_MAX];
	size_t n_codes, codes_max;
	uint16_t next_code_id;
	struct nuki_time times[NUKI_TIMES_MAX];
	size_t n_times;
	uint8_t next_time_id;

	struct nuki_entry *log; /* ring of NUKI_LOG_MAX */
	size_t log_first, n_log;
	uint32_t next_index;
	bool is_logging, is_door_logging;

	struct nuki_config config;
	struct nuki_advanced advanced;
	uint8_t update_count;

	enum nuki_mode mode;
	uint8_t trigger; /* of the present state */
	uint8_t last_action, last_trigger, last_status;
	bool has_door_sensor;
	uint8_t accessories, remote_access;
	int8_t rssi_seen; /* what the lock says it hears */
	bool is_changed;  /* the bit in the advertisement */
	bool is_charging;
	int64_t clock_offset_s;
	double drift_s_per_day;
	wall_t drifts_since;   /* drift counts from here on */
	bool is_clock_stuck;   /* takes a new time, and does not keep it */
	bool are_codes_stuck;  /* takes new codes, and does not keep them; not saved */
	bool is_pairing_stuck; /* its pairing mode does not end by itself */

	unsigned pin_failures;
	mono_t pin_locked_until;
	unsigned code_failures; /* since the last right one */
	mono_t code_locked_until;
	mono_t pairing_until; /* MONO_NEVER: not in pairing mode */
	mono_t lock_n_go_until;
	mono_t auto_lock_at;
	mono_t rebooting_until; /* MONO_NEVER: up */
	mono_t next_minute;     /* when to look at the time control list */
	mono_t now;             /* of the call that is being handled */

	struct nuki_run run;
	struct nuki_link links[SIM_LINKS_MAX];
};

static inline struct nuki *nuki_of(struct sim_lock *lock) {
	return container_of(lock, struct nuki, base);
}
static inline unsigned nuki_pin_len(const struct nuki *nuki) {
	return nuki->generation >= 5 ? 4 : 2;
}

/* nuki.c */
extern const struct body_user nuki_body_user;
extern const struct sim_lock_impl nuki_impl;
wall_t nuki_wall(struct nuki *nuki);                   /* the lock's own idea of UTC */
void nuki_set_clock(struct nuki *nuki, wall_t wall);   /* that, from now on */
void nuki_changed(struct nuki *nuki, uint8_t trigger); /* sets the bit, tells who is linked */
void nuki_config_changed(struct nuki *nuki);
void nuki_set_pairing(struct nuki *nuki, bool on);
void nuki_wipe_users(struct nuki *nuki);            /* all authorisations, codes, time control */
mono_t nuki_real_ms(struct nuki *nuki, int64_t ms); /* now + real milliseconds */
uint8_t nuki_lock_state(const struct nuki *nuki);

/* nuki-send.c: answers. */
void nuki_send_plain(struct nuki *nuki, int link, unsigned chr, uint16_t command,
	const uint8_t *payload, size_t n);
void nuki_send(struct nuki *nuki, int link, struct nuki_auth *auth, uint16_t command,
	const uint8_t *payload, size_t n);
void nuki_send_status(struct nuki *nuki, int link, struct nuki_auth *auth, uint8_t status);
void nuki_send_error(
	struct nuki *nuki, int link, struct nuki_auth *auth, uint8_t error, uint16_t command);
void nuki_send_states(struct nuki *nuki, int link, struct nuki_auth *auth);
void nuki_send_battery(struct nuki *nuki, int link, struct nuki_auth *auth);

/* nuki-pair.c */
void nuki_pair_write(struct nuki *nuki, int link, const uint8_t *value, size_t n);

/* nuki-command.c */
void nuki_user_write(struct nuki *nuki, int link, const uint8_t *value, size_t n);

/* One command with challenge and PIN already taken off and checked. 0 = answered; else the error.
 */
struct nuki_call {
	struct nuki *nuki;
	int link;
	struct nuki_auth *auth;
	uint16_t command;
	const uint8_t *args;
	size_t n_args;
};

/* nuki-action.c */
int nuki_do_lock_action(struct nuki_call *call);
int nuki_do_simple_action(struct nuki_call *call);
int nuki_do_keypad_action(struct nuki_call *call);
int nuki_do_calibration(struct nuki_call *call);
/* @run: everything but is_active. 0 or an error code; done and told through the run. */
int nuki_start(struct nuki *nuki, const struct nuki_run *run);
void nuki_body_done(struct nuki *nuki, enum motor_result result);
void nuki_lock_n_go_due(struct nuki *nuki);
void nuki_auto_lock_due(struct nuki *nuki);
void nuki_times_due(struct nuki *nuki);
void nuki_arm_auto_lock(struct nuki *nuki);
int nuki_at_keypad(
	struct nuki *nuki, enum sim_keypad what, uint32_t number, const char *action, char *why);
bool nuki_window_open(struct nuki *nuki, const struct nuki_window *window);

/* nuki-config.c */
int nuki_do_request_config(struct nuki_call *call);
int nuki_do_set_config(struct nuki_call *call);
int nuki_do_request_advanced(struct nuki_call *call);
int nuki_do_set_advanced(struct nuki_call *call);
size_t nuki_config_bytes(struct nuki *nuki, uint8_t *out, size_t size);
size_t nuki_advanced_bytes(struct nuki *nuki, uint8_t *out, size_t size);
void nuki_config_defaults(struct nuki *nuki);
#define NUKI_CONFIG_MAX 79
#define NUKI_ADVANCED_MAX 33
/* From the longest forms. What is not a setting (name of the model, versions, time) is left alone.
 */
void nuki_config_restore(struct nuki *nuki, const uint8_t config[static NUKI_CONFIG_MAX],
	const uint8_t advanced[static NUKI_ADVANCED_MAX]);
const struct nuki_form *nuki_form(const struct nuki *nuki);
/* What a firmware's messages look like (7.2, 7.4, 7.5). */
struct nuki_form {
	uint8_t major, minor; /* from this version on */
	uint8_t states, config, set_config, advanced;
};

/* nuki-log.c */
void nuki_log_add(struct nuki *nuki, uint8_t type, uint32_t auth_id, const char *name,
	const uint8_t *data, size_t n);
void nuki_log_action(struct nuki *nuki, const struct nuki_run *run, uint8_t status);
const struct nuki_entry *nuki_log_at(const struct nuki *nuki, size_t i); /* 0 = oldest */
int nuki_do_request_log(struct nuki_call *call);
int nuki_do_enable_logging(struct nuki_call *call);
json_t *nuki_log_json(struct sim_lock *lock, size_t most);

/* nuki-users.c: keypad codes, authorisations, time control. */
struct nuki_auth *nuki_auth_find(struct nuki *nuki, uint32_t id);
/* Takes over a copy of *auth; replaces one with the same app id, or the bridge by a bridge. NULL:
 * full. */
struct nuki_auth *nuki_auth_add(struct nuki *nuki, const struct nuki_auth *auth);
void nuki_auth_remove(struct nuki *nuki, uint32_t id);
struct nuki_code *nuki_code_find(struct nuki *nuki, uint16_t id);
struct nuki_code *nuki_code_by_value(struct nuki *nuki, uint32_t value);
/* Takes over a copy of *code with the next id, by the rules of 7.7. 0 or an error code. */
int nuki_code_add(struct nuki *nuki, const struct nuki_code *code, struct nuki_code **ret);
/* Puts *next in the place of @code, which has the same id. 0 or an error code. */
int nuki_code_change(struct nuki *nuki, struct nuki_code *code, const struct nuki_code *next);
void nuki_code_remove(struct nuki *nuki, uint16_t id);
int nuki_do_request_auths(struct nuki_call *call);
int nuki_do_invite(struct nuki_call *call);
int nuki_do_update_auth(struct nuki_call *call);
int nuki_do_remove_auth(struct nuki_call *call);
int nuki_do_add_code(struct nuki_call *call);
int nuki_do_request_codes(struct nuki_call *call);
int nuki_do_update_code(struct nuki_call *call);
int nuki_do_remove_code(struct nuki_call *call);
int nuki_do_add_time(struct nuki_call *call);
int nuki_do_request_times(struct nuki_call *call);
int nuki_do_update_time(struct nuki_call *call);
int nuki_do_remove_time(struct nuki_call *call);

/* nuki-age.c */
int nuki_person_age(
	struct sim_lock *lock, unsigned days, unsigned moves, mono_t now, json_t **ret, char *why);
int nuki_person_change(struct sim_lock *lock, const char *chemistry, mono_t now, char *why);

/* nuki-app.c */
int nuki_person_app(struct sim_lock *lock, char **words, mono_t now, uint32_t *ret_id, char *why);

/* nuki-memory.c */
json_t *nuki_show(struct sim_lock *lock);
json_t *nuki_save(struct sim_lock *lock);
int nuki_load(struct sim_lock *lock, const json_t *memory);

/* nuki-make.c */
int nuki_person_set(struct sim_lock *lock, const char *key, const char *value, char *why);
int nuki_make(
	const char *const *pairs, const struct sim_env *env, struct sim_lock **ret, char *why);
