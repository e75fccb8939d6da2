/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/lock.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"
#include "words.h"

/* Largest attribute value there is (Core specification 3.F.3.2.9). */
#define ATT_VALUE_MAX 512
#define ATT_MTU_MIN 23

void sim_lock_init(struct sim_lock *lock, const struct sim_lock_impl *impl,
	const char *const *pairs, const struct sim_env *env) {
	memset(lock, 0, sizeof(*lock));
	text_copy(lock->name, sizeof(lock->name), words_value(pairs, "name"));
	text_copy(lock->model, sizeof(lock->model), words_value(pairs, "model"));
	lock->impl = impl;
	lock->env = env;
	lock->mtu = 517;
}

struct sim_lock *sim_lock_free(struct sim_lock *lock) {
	return lock == NULL ? NULL : lock->impl->free(lock);
}

void sim_lock_carry(struct sim_lock *lock, const struct sim_face *face, void *user) {
	lock->face = face;
	lock->face_user = user;
}

static struct sim_link *link_up(struct sim_lock *lock, int link) {
	assert(link >= 0 && link < SIM_LINKS_MAX);
	return lock->links[link].is_up ? &lock->links[link] : NULL;
}

int sim_lock_connect(struct sim_lock *lock, unsigned mtu, mono_t now) {
	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		struct sim_link *link = &lock->links[i];
		if (link->is_up) {
			continue;
		}
		unsigned agreed = mtu < lock->mtu ? mtu : lock->mtu;
		*link = (struct sim_link){
			.is_up = true,
			.mtu = agreed < ATT_MTU_MIN ? ATT_MTU_MIN : agreed,
			.since = now,
			.heard = now,
		};
		lock->counters.connections++;
		lock->counters.last_connection_writes = 0;
		lock->counters.last_connection_indications = 0;
		lock->impl->connected(lock, i, now);
		sim_lock_due_changed(lock);
		return i;
	}
	return -EBUSY;
}

void sim_lock_set_mtu(struct sim_lock *lock, int link, unsigned mtu) {
	struct sim_link *up = link_up(lock, link);
	if (up != NULL) {
		up->mtu = mtu < ATT_MTU_MIN ? ATT_MTU_MIN : mtu < lock->mtu ? mtu : lock->mtu;
	}
}

void sim_lock_disconnect(struct sim_lock *lock, int link, mono_t now) {
	struct sim_link *up = link_up(lock, link);
	if (up == NULL) {
		return;
	}
	lock->counters.link_ms += (unsigned) mono_since(up->since, now);
	up->is_up = false;
	lock->impl->disconnected(lock, link, now);
	sim_lock_due_changed(lock);
}

const struct sim_char *sim_lock_char(struct sim_lock *lock, unsigned chr) {
	const struct sim_gatt *gatt = lock->impl->gatt(lock);
	for (size_t i = 0; i < gatt->n_services; i++) {
		if (chr < gatt->services[i].n_chars) {
			return &gatt->services[i].chars[chr];
		}
		chr -= (unsigned) gatt->services[i].n_chars;
	}
	return NULL;
}

size_t sim_lock_n_chars(struct sim_lock *lock) {
	const struct sim_gatt *gatt = lock->impl->gatt(lock);
	size_t n = 0;
	for (size_t i = 0; i < gatt->n_services; i++) {
		n += gatt->services[i].n_chars;
	}
	return n;
}

int sim_lock_write(
	struct sim_lock *lock, int link, unsigned chr, const uint8_t *value, size_t n, mono_t now) {
	struct sim_link *up = link_up(lock, link);
	if (up == NULL) {
		return -ENOTCONN;
	}
	up->heard = now;
	const struct sim_char *def = sim_lock_char(lock, chr);
	if (def == NULL || !(def->flags & (SIM_FLAG_WRITE | SIM_FLAG_WRITE_COMMAND))) {
		return SIM_ATT(SIM_ATT_WRITE_NOT_PERMITTED);
	}
	if (n > ATT_VALUE_MAX) {
		return SIM_ATT(SIM_ATT_INVALID_LENGTH);
	}
	lock->counters.writes++;
	lock->counters.last_connection_writes++;
	int r = lock->impl->write(lock, link, chr, value, n, now);
	sim_lock_due_changed(lock);
	return r;
}

ssize_t sim_lock_read(struct sim_lock *lock, int link, unsigned chr, uint8_t *out, size_t size) {
	if (link_up(lock, link) == NULL) {
		return -ENOTCONN;
	}
	const struct sim_char *def = sim_lock_char(lock, chr);
	if (def == NULL || !(def->flags & SIM_FLAG_READ)) {
		return SIM_ATT(SIM_ATT_READ_NOT_PERMITTED);
	}
	lock->counters.reads++;
	return lock->impl->read(lock, link, chr, out, size);
}

int sim_lock_subscribe(struct sim_lock *lock, int link, unsigned chr, bool on) {
	if (link_up(lock, link) == NULL) {
		return -ENOTCONN;
	}
	const struct sim_char *def = sim_lock_char(lock, chr);
	if (def == NULL || !(def->flags & (SIM_FLAG_NOTIFY | SIM_FLAG_INDICATE))) {
		return SIM_ATT(SIM_ATT_WRITE_NOT_PERMITTED);
	}
	if (on) {
		lock->counters.subscriptions++;
	}
	lock->impl->subscribed(lock, link, chr, on);
	return 0;
}

void sim_lock_advert(struct sim_lock *lock, struct sim_advert *ret) {
	memset(ret, 0, sizeof(*ret));
	lock->impl->advert(lock, ret);
}

mono_t sim_lock_next_due(struct sim_lock *lock) {
	return lock->impl->next_due(lock);
}

void sim_lock_tick(struct sim_lock *lock, mono_t now) {
	lock->impl->tick(lock, now);
	sim_lock_due_changed(lock);
}

void sim_lock_indicate(
	struct sim_lock *lock, int link, unsigned chr, const uint8_t *value, size_t n) {
	struct sim_link *up = link_up(lock, link);
	if (up == NULL || lock->face == NULL) {
		return;
	}
	size_t piece_max = up->mtu - 3 < ATT_VALUE_MAX ? up->mtu - 3 : ATT_VALUE_MAX;
	size_t at = 0;
	do {
		size_t piece = n - at < piece_max ? n - at : piece_max;
		lock->counters.indications++;
		lock->counters.last_connection_indications++;
		lock->face->indicate(lock->face_user, link, chr, value + at, piece);
		at += piece;
	} while (at < n && up->is_up);
}

void sim_lock_drop(struct sim_lock *lock, int link) {
	if (link_up(lock, link) != NULL && lock->face != NULL) {
		lock->face->drop(lock->face_user, link);
	}
}

void sim_lock_advert_changed(struct sim_lock *lock) {
	if (lock->face != NULL) {
		lock->face->advert_changed(lock->face_user);
	}
}

void sim_lock_due_changed(struct sim_lock *lock) {
	if (lock->face != NULL) {
		lock->face->due_changed(lock->face_user);
	}
}

static mono_t idle_due(const struct sim_lock *lock, int link, unsigned idle_ms) {
	const struct sim_link *of = &lock->links[link];

	return of->is_up ? mono_after(of->heard, (int64_t) (idle_ms * lock->env->speed))
			 : MONO_NEVER;
}

mono_t sim_lock_idle_due(const struct sim_lock *lock, unsigned idle_ms) {
	mono_t due = MONO_NEVER;

	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		due = mono_min(due, idle_due(lock, i, idle_ms));
	}
	return due;
}

void sim_lock_drop_idle(struct sim_lock *lock, unsigned idle_ms, mono_t now) {
	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		if (mono_is_due(idle_due(lock, i, idle_ms), now)) {
			/* Once is enough: the face may take a moment. */
			lock->links[i].heard = now;
			sim_lock_drop(lock, i);
		}
	}
}

void sim_lock_drop_all(struct sim_lock *lock) {
	for (int i = 0; i < SIM_LINKS_MAX; i++) {
		sim_lock_drop(lock, i);
	}
}

unsigned sim_lock_link_ms(const struct sim_lock *lock, int link, mono_t now) {
	const int64_t ms = mono_since(lock->links[link].since, now);

	return ms < 0 ? 0 : (unsigned) ms;
}

unsigned sim_env_chance(const struct sim_env *env, unsigned n) {
	uint32_t value = 0;

	env->random(env->user, SIM_RANDOM_OTHER, &value, sizeof(value));
	return n == 0 ? 0 : value % n;
}
