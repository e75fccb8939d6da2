/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "far-lock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "sim/lock.h"

#define WORDS_MAX 8
#define WORD_MAX 64

struct far_lock {
	struct sim_lock *lock;
	struct sim_env env;
	far_said_fn *said;
	void *user;
	mono_t now;
	int64_t wall_ms;
	int link;
	char why[SIM_TEXT_MAX];
};

static void env_random(void *user, enum sim_random what, void *out, size_t n) {
	crypto_random(out, n);
}

static wall_t env_wall(void *user) {
	return (wall_t){ ((struct far_lock *) user)->wall_ms / 1000 };
}

static void on_indicate(void *user, int link, unsigned chr, const uint8_t *value, size_t n) {
	struct far_lock *far = user;

	if (link == far->link) {
		far->said(far->user, sim_lock_char(far->lock, chr)->uuid, value, n);
	}
}

static void on_drop(void *user, int link) {
	struct far_lock *far = user;

	sim_lock_disconnect(far->lock, link, far->now);
	far->link = link == far->link ? -1 : far->link;
}

static void on_nothing(void *user) {
}

static const struct sim_face face = { on_indicate, on_drop, on_nothing, on_nothing };

struct far_lock *far_new(const char *const *pairs, far_said_fn *said, void *user) {
	struct far_lock *far = calloc(1, sizeof(*far));

	if (far == NULL || crypto_setup() < 0) {
		return far_free(far);
	}
	far->env = (struct sim_env){ env_random, env_wall, 1, far };
	far->said = said;
	far->user = user;
	far->now = (mono_t){ 1000 };
	far->link = -1;
	if (sim_lock_make(pairs, &far->env, &far->lock, far->why) < 0) {
		return far_free(far);
	}
	sim_lock_carry(far->lock, &face, far);
	return far;
}

struct far_lock *far_free(struct far_lock *far) {
	if (far != NULL) {
		sim_lock_free(far->lock);
		free(far);
	}
	return NULL;
}

void far_set_wall(struct far_lock *far, int64_t s) {
	far->wall_ms = s * 1000;
}

void far_disconnect(struct far_lock *far) {
	if (far->link >= 0) {
		sim_lock_disconnect(far->lock, far->link, far->now);
		far->link = -1;
	}
}

void far_connect(struct far_lock *far, unsigned mtu) {
	far_disconnect(far);
	far->link = sim_lock_connect(far->lock, mtu, far->now);
	assert(far->link >= 0);
	for (unsigned i = 0; i < sim_lock_n_chars(far->lock); i++) {
		if ((sim_lock_char(far->lock, i)->flags & SIM_FLAG_INDICATE) != 0) {
			(void) sim_lock_subscribe(far->lock, far->link, i, true);
		}
	}
}

int far_write(struct far_lock *far, const char *characteristic, const uint8_t *value, size_t n) {
	for (unsigned i = 0; i < sim_lock_n_chars(far->lock) && far->link >= 0; i++) {
		if (strcmp(sim_lock_char(far->lock, i)->uuid, characteristic) == 0) {
			return sim_lock_write(far->lock, far->link, i, value, n, far->now);
		}
	}
	return far->link < 0 ? -ENOTCONN : -ENOENT;
}

void far_pass(struct far_lock *far, int64_t ms) {
	const mono_t end = mono_after(far->now, ms);

	for (mono_t due = sim_lock_next_due(far->lock); due.ms <= end.ms;
		due = sim_lock_next_due(far->lock)) {
		if (due.ms > far->now.ms) {
			far->wall_ms += due.ms - far->now.ms;
			far->now = due;
		}
		sim_lock_tick(far->lock, far->now);
	}
	far->wall_ms += end.ms - far->now.ms;
	far->now = end;
}

int far_pairing(struct far_lock *far) {
	return far->lock->impl->pairing(far->lock, true, far->now, far->why);
}

int far_enter(struct far_lock *far, uint32_t code) {
	return far->lock->impl->keypad(far->lock, SIM_KEYPAD_CODE, code, NULL, far->now, far->why);
}

int far_finger(struct far_lock *far, uint32_t code_id) {
	return far->lock->impl->keypad(
		far->lock, SIM_KEYPAD_FINGER, code_id, NULL, far->now, far->why);
}

int far_key(struct far_lock *far) {
	return far->lock->impl->keypad(far->lock, SIM_KEYPAD_KEY, 0, NULL, far->now, far->why);
}

int far_reset(struct far_lock *far) {
	return far->lock->impl->reset(far->lock, far->now, far->why);
}

int far_app(struct far_lock *far, const char *const *words, uint32_t *ret_id) {
	char copies[WORDS_MAX][WORD_MAX];
	char *args[WORDS_MAX + 1] = { NULL };

	for (size_t i = 0; words[i] != NULL && i < WORDS_MAX; i++) {
		assert(strlen(words[i]) < WORD_MAX);
		args[i] = strcpy(copies[i], words[i]);
	}
	*ret_id = 0;
	return far->lock->impl->app(far->lock, args, far->now, ret_id, far->why);
}

unsigned far_messages(const struct far_lock *far) {
	return far->lock->counters.messages_in;
}

unsigned far_motor_runs(const struct far_lock *far) {
	const struct sim_counters *counters = &far->lock->counters;

	return counters->motor_lock + counters->motor_unlock + counters->motor_unlatch;
}
