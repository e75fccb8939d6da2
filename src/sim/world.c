/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "util/bytes.h"
#include "util/text.h"

/* ---- time ---- */

mono_t world_now(struct world *world) {
	return sched_set_real(world->sched, clock_mono(loop_clock(world->loop)));
}

void world_rearm(struct world *world) {
	int64_t ms = sched_wait_ms(world->sched);
	if (ms == INT64_MAX) {
		loop_timer_disarm(world->timer);
	} else {
		loop_timer_arm(world->timer, (uint64_t) ms);
	}
}

static void on_timer(void *user) {
	struct world *world = user;
	world_now(world);
	sched_run(world->sched);
	world_rearm(world);
}

static void before_sleep(void *user) {
	struct world *world = user;
	world_now(world);
	world_rearm(world);
}

/* ---- chance ---- */

/*
 * With a seed: SHA-256 over seed and counter, so that a run can be repeated octet for octet. That
 * is no place to keep a real key, and this is no real lock.
 */
static void draw(struct world *world, void *out, size_t n) {
	if (!world->has_seed) {
		crypto_random(out, n);
		return;
	}
	uint8_t *at = out;
	while (n > 0) {
		uint8_t in[16], block[CRYPTO_SHA256_LEN];
		struct wr wr = wr_on(in, sizeof(in));
		wr_u64le(&wr, world->seed);
		wr_u64le(&wr, world->drawn++);
		crypto_sha256(in, sizeof(in), block);
		size_t part = n < sizeof(block) ? n : sizeof(block);
		memcpy(at, block, part);
		at += part;
		n -= part;
	}
}

static void env_random(void *user, enum sim_random what, void *out, size_t n) {
	(void) what;
	draw(user, out, n);
}

static wall_t env_wall(void *user) {
	struct world *world = user;
	return clock_wall(loop_clock(world->loop));
}

uint32_t world_chance(struct world *world, uint32_t n) {
	uint32_t value = 0;
	draw(world, &value, sizeof(value));
	return n == 0 ? 0 : value % n;
}

/* ---- stations ---- */

static void on_indicate(void *user, int link, unsigned chr, const uint8_t *value, size_t n) {
	struct station *station = user;
	struct world *world = station->world;
	if (world->face != NULL) {
		world->face->indicate(world->face_user, station, link, chr, value, n);
	}
}

static void on_drop(void *user, int link) {
	struct station *station = user;
	struct world *world = station->world;
	if (world->face != NULL) {
		world->face->drop(world->face_user, station, link);
	}
}

void station_changed(struct station *station) {
	struct world *world = station->world;
	if (world->face != NULL) {
		world->face->heard(world->face_user, station);
	}
}

static void on_advert_changed(void *user) {
	station_changed(user);
}

static void on_due_changed(void *user) {
	struct station *station = user;
	sched_arm_at(station->world->sched, &station->tick, sim_lock_next_due(station->lock));
}

static const struct sim_face station_face = {
	.indicate = on_indicate,
	.drop = on_drop,
	.advert_changed = on_advert_changed,
	.due_changed = on_due_changed,
};

static void on_tick(void *user) {
	struct station *station = user;
	sim_lock_tick(station->lock, sched_now(station->world->sched));
}

static struct station *add(struct world *world) {
	if (world->n_stations == WORLD_STATIONS_MAX) {
		return NULL;
	}
	struct station **list =
		reallocarray(world->stations, world->n_stations + 1, sizeof(struct station *));
	if (list == NULL) {
		return NULL;
	}
	world->stations = list;
	struct station *station = calloc(1, sizeof(*station));
	if (station == NULL) {
		return NULL;
	}
	station->world = world;
	station->is_in_range = true;
	station->rssi = -60;
	station->jitter = 3;
	sched_job_init(&station->tick, on_tick, station);
	world->stations[world->n_stations++] = station;
	return station;
}

int world_add_lock(struct world *world, struct sim_lock *take_lock) {
	AUTO(sim_lock_free) struct sim_lock *lock = take_lock;
	for (size_t i = 0; i < world->n_stations; i++) {
		struct station *other = world->stations[i];
		if (memcmp(other->address, lock->address, sizeof(lock->address)) == 0 ||
			(other->lock != NULL && text_equal(other->lock->name, lock->name))) {
			return -EEXIST;
		}
	}
	struct station *station = add(world);
	if (station == NULL) {
		return -ENOSPC;
	}
	memcpy(station->address, lock->address, sizeof(station->address));
	station->is_random_address = lock->is_random_address;
	station->lock = STEAL(lock);
	const struct sim_air *air = &station->lock->air;
	station->rssi = air->rssi == 0 ? station->rssi : air->rssi;
	station->jitter = air->jitter == 0 ? station->jitter : air->jitter;
	station->loss = air->loss;
	station->is_taken = air->is_taken;
	sim_lock_carry(station->lock, &station_face, station);
	on_due_changed(station);
	station_changed(station);
	return 0;
}

struct station *world_add_stranger(struct world *world, unsigned number) {
	struct station *station = add(world);
	if (station == NULL) {
		return NULL;
	}
	memcpy(station->address,
		(const uint8_t[]){ 0xc2, 0x5e, 0x00, (uint8_t) (number >> 16),
			(uint8_t) (number >> 8), (uint8_t) number },
		sizeof(station->address));
	station->is_random_address = true;
	station->rssi = -50 - (int) (number % 45);
	snprintf(station->name, sizeof(station->name), "Stranger %u", number);
	return station;
}

static struct station *station_free(struct station *station) {
	sched_disarm(station->world->sched, &station->tick);
	sim_lock_free(station->lock);
	free(station);
	return NULL;
}

void world_remove_strangers(struct world *world) {
	size_t n = 0;
	for (size_t i = 0; i < world->n_stations; i++) {
		if (world->stations[i]->lock == NULL) {
			station_free(world->stations[i]);
		} else {
			world->stations[n++] = world->stations[i];
		}
	}
	world->n_stations = n;
}

struct station *world_find(struct world *world, const char *name) {
	for (size_t i = 0; i < world->n_stations; i++) {
		struct station *station = world->stations[i];
		if (station->lock != NULL && text_equal(station->lock->name, name)) {
			return station;
		}
	}
	return NULL;
}

int station_rssi(struct station *station) {
	int rssi = station->rssi + (int) world_chance(station->world, 2 * station->jitter + 1) -
		   (int) station->jitter;
	return rssi < -127 ? -127 : rssi > 20 ? 20 : rssi;
}

bool station_loses(struct station *station, unsigned n) {
	/* Chance is asked for only when it decides, so that seeded runs stay what they were. */
	bool is_lost = false;
	for (unsigned i = 0; i < n && station->loss > 0 && !is_lost; i++) {
		is_lost = world_chance(station->world, 100) < station->loss;
	}
	return is_lost;
}

int station_connect(struct station *station, unsigned mtu, mono_t now) {
	return station->is_taken ? -EBUSY : sim_lock_connect(station->lock, mtu, now);
}

bool station_trouble(struct station *station, enum trouble trouble) {
	if (station->troubles[trouble] == 0) {
		return false;
	}
	station->troubles[trouble]--;
	return true;
}

void station_advert(struct station *station, struct sim_advert *ret) {
	if (station->lock != NULL) {
		sim_lock_advert(station->lock, ret);
		return;
	}
	*ret = (struct sim_advert){ .is_silent = station->is_quiet, .interval_ms = 1000 };
	text_copy(ret->name, sizeof(ret->name), station->name);
	ret->company = 0xffff;
	ret->is_discoverable = true;
	memcpy(ret->manufacturer, (const uint8_t[]){ 0x10, station->counter, 0x05 }, 3);
	ret->n_manufacturer = 3;
}

bool station_is_reachable(struct station *station) {
	struct sim_advert advert;
	if (!station->is_in_range) {
		return false;
	}
	station_advert(station, &advert);
	return !advert.is_silent;
}

void station_address_text(const struct station *station, char out[static 18]) {
	const uint8_t *a = station->address;
	snprintf(out, 18, "%02X:%02X:%02X:%02X:%02X:%02X", a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- the world ---- */

struct world *world_new(struct loop *loop, double speed, const uint64_t *seed) {
	AUTO(world_free) struct world *world = calloc(1, sizeof(*world));
	if (world == NULL) {
		return NULL;
	}
	world->loop = loop;
	world->sched = sched_new(speed);
	if (world->sched == NULL) {
		return NULL;
	}
	world->timer = loop_timer_new(loop, on_timer, world);
	if (world->timer == NULL) {
		return NULL;
	}
	if (seed != NULL) {
		world->has_seed = true;
		world->seed = *seed;
	}
	world->env = (struct sim_env){
		.random = env_random,
		.wall = env_wall,
		.speed = speed,
		.user = world,
	};
	world_now(world);
	loop_set_before_sleep(loop, before_sleep, world);
	return STEAL(world);
}

struct world *world_free(struct world *world) {
	if (world == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < world->n_stations; i++) {
		station_free(world->stations[i]);
	}
	free(world->stations);
	free(world->saved);
	if (world->timer != NULL) {
		loop_set_before_sleep(world->loop, NULL, NULL);
		loop_timer_free(world->timer);
	}
	sched_free(world->sched);
	free(world);
	return NULL;
}

/* ---- troubles ---- */

static const struct {
	const char *name;
	const char *text;
} rows[N_TROUBLES] = {
	[TROUBLE_NONE] = { "none", "" },
	[TROUBLE_CONNECT_FLIP] = { "connect-flip",
		"the link comes up and is lost at once (0x3e): Connect fails" },
	[TROUBLE_CONNECT_TIMEOUT] = { "connect-timeout",
		"Connect is pending for 40 s, then fails" },
	[TROUBLE_CONNECT_SLOW] = { "connect-slow", "Connect takes 8 s" },
	[TROUBLE_CONNECT_NO_LINK] = { "connect-no-link", "Connect succeeds, but there is no link" },
	[TROUBLE_PHANTOM] = { "phantom",
		"Connected stays true, everything says \"Not connected\"" },
	[TROUBLE_NEVER_RESOLVE] = { "never-resolve", "the services are never resolved" },
	[TROUBLE_LATE_OBJECTS] = { "late-objects",
		"GATT objects come 400 ms after ServicesResolved" },
	[TROUBLE_NO_OBJECTS] = { "no-objects", "ServicesResolved without any GATT objects" },
	[TROUBLE_STALE_HANDLES] = { "stale-handles",
		"the lock's GATT table moves; BlueZ keeps the old" },
	[TROUBLE_DROP_IN_WRITE] = { "drop-in-write",
		"link lost in a write: error 0x0e, then the signal" },
	[TROUBLE_DROP_IN_WRITE_FIRST] = { "drop-in-write-first",
		"link lost in a write: the signal, then error 0x0e" },
	[TROUBLE_DROP_AFTER_WRITE] = { "drop-after-write",
		"the lock gets the write, the link is lost before it answers" },
	[TROUBLE_DROP_AFTER] = { "drop-after", "link lost after COUNT more indications" },
	[TROUBLE_DROP_PACKETS] = { "drop-packets",
		"link lost with the COUNTth packet from now on, of either side" },
	[TROUBLE_MUTE] = { "mute", "the lock acts upon a write but does not answer" },
	[TROUBLE_DEAF] = { "deaf", "a write is acknowledged, but the lock does nothing" },
	[TROUBLE_ATT_STALL] = { "att-stall",
		"no ATT answer for 30 s, then 0x0e and the link is lost" },
	[TROUBLE_WRITE_ERROR] = { "write-error", "a write fails with ATT error 0x80" },
	[TROUBLE_SLOW] = { "slow", "an answer takes 3 s longer" },
	[TROUBLE_LOSE] = { "lose", "an indication is lost" },
	[TROUBLE_DUPLICATE] = { "duplicate", "an indication comes twice" },
	[TROUBLE_REORDER] = { "reorder", "an indication comes after its follower" },
	[TROUBLE_GARBLE] = { "garble", "one octet of an indication is wrong" },
	[TROUBLE_EARLY] = { "early", "the lock's answer comes before the write's reply" },
	[TROUBLE_DISCONNECT_HANG] = { "disconnect-hang", "Disconnect is never answered" },
};

const char *trouble_name(enum trouble trouble) {
	return rows[trouble].name;
}

const char *trouble_text(enum trouble trouble) {
	return rows[trouble].text;
}

int trouble_from_name(const char *name, enum trouble *ret) {
	for (size_t i = 1; i < N_TROUBLES; i++) {
		if (text_equal(rows[i].name, name)) {
			*ret = (enum trouble) i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *trouble_nearest(const char *name) {
	const char *names[N_TROUBLES] = { NULL };
	for (size_t i = 1; i < N_TROUBLES; i++) {
		names[i] = rows[i].name;
	}
	return text_nearest(name, names, N_TROUBLES);
}
