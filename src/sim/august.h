/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A virtual lock of August or Yale, after docs/protocols/august-yale.md, whose sections the numbers
 * in comments are. Its codec is its own: one shared with the driver would prove nothing.
 */

#include "body.h"
#include "sim/lock.h"

#define AUGUST_KEY_LEN 16
#define AUGUST_FRAME_LEN 18
#define AUGUST_RECORDS_MAX 64
#define AUGUST_CODES_MAX 64
#define AUGUST_PIN_LEN 7
#define AUGUST_TEXT_MAX 24

enum august_stage { AUGUST_STAGE_NEW, AUGUST_STAGE_OFFERED, AUGUST_STAGE_OPEN };

struct august_kind {
	const char *model; /* of --lock */
	const char *text;  /* as the lock tells it */
	bool has_door;
	bool tells_battery;
	bool has_latch;
	bool has_homekit;
	bool is_short;   /* ends its frames with 00 00 */
	bool has_module; /* for its keypad, which answers in a way of its own (7.6) */
	const char *firmware;
};

struct august_link {
	enum august_stage stage;
	uint8_t key[AUGUST_KEY_LEN]; /* of the session */
	uint8_t in[16], out[16];
	bool hears_sec, hears_mcu;
	mono_t said; /* the last frame of the MCU */
	bool has_said;
};

struct august_code {
	bool is_there;
	uint8_t pin[AUGUST_PIN_LEN];
};

struct august {
	struct sim_lock base;
	struct body body;
	const struct august_kind *kind;
	struct august_link links[SIM_LINKS_MAX];
	uint8_t key[AUGUST_KEY_LEN];
	uint8_t slot;
	char serial[12];
	char firmware[AUGUST_TEXT_MAX];
	bool toggle;
	uint16_t gsn;
	unsigned shape; /* of the advertisement now */
	mono_t shape_at;
	bool is_running; /* by a command */
	bool is_secured, will_secure;
	uint8_t running_op;
	int runner; /* whose */
	/* faults */
	unsigned refuse; /* result of what moves the bolt; 0: it is carried out */
	unsigned n_busy; /* so many commands that move yet find it busy */
	bool is_silent;  /* no answer to anything on MCU */
	bool has_no_result;
	bool is_fragile; /* too fast a write crashes it */
	bool is_crashed;
	bool answers_refusals; /* says F1 where others give an ATT error */
	bool has_no_toggle;
	/* memory */
	uint16_t relock_s, relock_closed_s;
	int64_t clock_off_s;
	uint8_t records[AUGUST_RECORDS_MAX][12];
	size_t n_records;
	struct august_code codes[AUGUST_CODES_MAX];
	uint8_t staged[AUGUST_PIN_LEN];
	bool is_staged, has_access;
	mono_t now;
};

/* The words of --lock "model=august:..." and "model=yale:...": see sim_lock_make(). */
int august_make(
	const char *const *pairs, const struct sim_env *env, struct sim_lock **ret, char *why);

/* ---- august.c ---- */
struct august *august_of(struct sim_lock *lock);
/* @frame: kind, opcode and data; its end and its sum are put in. */
void august_tell_mcu(struct august *lock, int link, uint8_t frame[static AUGUST_FRAME_LEN]);
/* Four octets, the lowest first. */
uint32_t august_word(const uint8_t *at);

/* ---- august-command.c ---- */
/* A frame to the lock, in clear. */
void august_obey(struct august *lock, int link, const uint8_t *in);
void august_tell_result(struct august *lock, int link, uint8_t op, uint8_t result);
/* Bolt (02) or door (2E) is another: told on every link, and by what it advertises. */
void august_changed(struct august *lock, uint8_t type);
/* Records of what the bolt and the door have done (7.5). */
void august_keep_bolt(struct august *lock, uint8_t source, uint8_t remote);
void august_keep_door(struct august *lock);

/* ---- august-person.c: hooks of struct sim_lock_impl ---- */
int august_person_door(struct sim_lock *base, bool is_open, mono_t now, char *why);
int august_person_battery(struct sim_lock *base, unsigned percent, char *why);
int august_person_clock(struct sim_lock *base, int64_t offset_s, char *why);
int august_person_reboot(struct sim_lock *base, mono_t now, char *why);
int august_person_set(struct sim_lock *base, const char *key, const char *value, char *why);
json_t *august_show(struct sim_lock *base);
json_t *august_save(struct sim_lock *base);
int august_load(struct sim_lock *base, const json_t *memory);
