/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A virtual lock of TTLock, protocol V3: after ttlock.md 9.2. Its codec is its own: one that it
 * shared with the driver would prove nothing.
 */

#include "body.h"
#include "sim/lock.h"

#define TTLOCK_KEY_LEN 16
#define TTLOCK_CODES_MAX 32
#define TTLOCK_TOKENS_MAX 8
#define TTLOCK_PASSAGES_MAX 8
#define TTLOCK_RECORDS_MAX 128
#define TTLOCK_PLAIN_MAX 112 /* what every public client can take */

enum ttlock_chr { TTLOCK_CHR_MODEL, TTLOCK_CHR_WRITE, TTLOCK_CHR_NOTIFY };

/* Dates are as they are on the air: five or six plain numbers. */
struct ttlock_code {
	uint8_t type, n;
	uint8_t digits[9];
	uint8_t start[5], end[5];
};
struct ttlock_token {
	uint8_t id[6];
	uint8_t start[5], end[5];
};
struct ttlock_tokens {
	struct ttlock_token rows[TTLOCK_TOKENS_MAX];
	unsigned n;
	uint8_t n_id;
};
struct ttlock_record {
	uint8_t n;
	uint8_t octets[40];
};

struct ttlock_kind {
	const char *model;
	const char *name; /* in its advertisement, before the address */
	uint32_t features;
	bool is_frugal;
};

struct ttlock_link {
	uint8_t in[300];
	size_t n_in;
	bool is_subscribed, is_admin, has_challenge;
	uint32_t challenge;
};

struct ttlock {
	struct sim_lock base;
	struct body body;
	const struct ttlock_kind *kind;
	struct ttlock_link links[SIM_LINKS_MAX];
	mono_t now;

	uint8_t key[TTLOCK_KEY_LEN];
	bool has_key; /* made, and told to whoever sets it up */
	bool is_owned;
	bool is_settable; /* setting mode */
	uint32_t admin, unlock, flag_position;
	int64_t clock_offset_s; /* of the wall's clock, against UTC */

	struct ttlock_code codes[TTLOCK_CODES_MAX];
	unsigned n_codes;
	struct ttlock_tokens cards, fingers;
	uint8_t passages[TTLOCK_PASSAGES_MAX][7];
	unsigned n_passages;
	struct ttlock_record records[TTLOCK_RECORDS_MAX];
	unsigned n_records, first_record;
	bool is_log_new;
	uint16_t auto_lock_s, lamp_s;
	uint8_t sound, display, remote, frozen;

	/* It learns what is presented: the command by which it was asked, 0 it does not. */
	uint8_t learning;
	int learn_link;
	unsigned n_touches;
	int asking; /* the link of the request under way */

	mono_t auto_lock_at, touched_until;
	/* What the motor runs for: the record of it. */
	uint8_t run_record;
	uint32_t run_id;
	int run_link;

	/* What is wrong with it. */
	unsigned bad_crcs;     /* so many answers yet have a wrong checksum */
	unsigned refused_crcs; /* so many requests yet are taken for damaged */
	int refuse; /* what commands that move are answered with; -1: they are carried out */
	bool is_state_stuck, is_frugal, is_clock_stuck;
};

/* The words of --lock "model=ttlock:...": see sim_lock_make(). */
int ttlock_make(
	const char *const *pairs, const struct sim_env *env, struct sim_lock **ret, char *why);

/* ---- ttlock.c ---- */
struct ttlock *ttlock_of(struct sim_lock *lock);
/* The wall's clock at the lock. */
void ttlock_date(const struct ttlock *lock, uint8_t out[static 6]);
/* What it advertises is another thing now. */
void ttlock_changed(struct ttlock *lock);
void ttlock_touch(struct ttlock *lock);
uint8_t ttlock_percent(struct ttlock *lock);
/* By its motor, for a record of this type; -EBUSY, -EHOSTDOWN. */
int ttlock_move(struct ttlock *lock, bool is_lock, uint8_t record, uint32_t id, int link);
void ttlock_forget(struct ttlock *lock); /* as it left the factory */
/* To whoever is at that link, under the lock's key. */
void ttlock_say(struct ttlock *lock, int link, const uint8_t *plain, size_t n);

/* ---- ttlock-lists.c: the part of an answer behind echo and status; -code: refused with it ---- */
void ttlock_log_add(struct ttlock *lock, uint8_t type, const void *tail, size_t n_tail);
int ttlock_do_code(struct ttlock *lock, const uint8_t *in, size_t n, uint8_t *out);
int ttlock_list_codes(struct ttlock *lock, const uint8_t *in, size_t n, uint8_t *out);
int ttlock_do_card(struct ttlock *lock, const uint8_t *in, size_t n, uint8_t *out);
int ttlock_do_finger(struct ttlock *lock, const uint8_t *in, size_t n, uint8_t *out);
int ttlock_do_passage(struct ttlock *lock, const uint8_t *in, size_t n, uint8_t *out);
int ttlock_do_log(struct ttlock *lock, const uint8_t *in, size_t n, uint8_t *out);
/* A card, or one touch of a finger, while it learns; -EINVAL and why. */
int ttlock_learn(struct ttlock *lock, const uint8_t *id, char *why);
struct ttlock_token *ttlock_find_token(struct ttlock_tokens *tokens, const uint8_t *id);
/* 1: valid now, 0 not now, -1 unknown. */
int ttlock_try_code(const struct ttlock *lock, const uint8_t *digits, size_t n);
bool ttlock_is_valid(const struct ttlock *lock, const uint8_t start[5], const uint8_t end[5]);

/* ---- ttlock-person.c: hooks of struct sim_lock_impl ---- */
int ttlock_person_turn(struct sim_lock *base, bool to_locked, mono_t now, char *why);
int ttlock_person_door(struct sim_lock *base, bool is_open, mono_t now, char *why);
int ttlock_person_keypad(struct sim_lock *base, enum sim_keypad what, uint32_t number,
	const char *action, mono_t now, char *why);
int ttlock_person_app(struct sim_lock *base, char **words, mono_t now, uint32_t *ret_id, char *why);
int ttlock_person_battery(struct sim_lock *base, unsigned percent, char *why);
int ttlock_person_clock(struct sim_lock *base, int64_t offset_s, char *why);
int ttlock_person_pairing(struct sim_lock *base, bool on, mono_t now, char *why);
int ttlock_person_reset(struct sim_lock *base, mono_t now, char *why);
int ttlock_person_set(struct sim_lock *base, const char *key, const char *value, char *why);
json_t *ttlock_show(struct sim_lock *base);
json_t *ttlock_log(struct sim_lock *base, size_t most);
json_t *ttlock_save(struct sim_lock *base);
int ttlock_load(struct sim_lock *base, const json_t *memory);
