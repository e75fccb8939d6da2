/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The simulator's world: its time, its chance, and everything that sends on its air. A *station* is
 * one sender: a virtual lock, or a stranger that only advertises. A face (bluez.h, vhci.h)
 * listens to stations.
 */

#include <jansson.h>

#include "loop/loop.h"
#include "sched.h"
#include "sim/lock.h"

#define WORLD_STATIONS_MAX 4096

/* What can go wrong on the air, per station. Each has a count of how often it still strikes. */
enum trouble {
	TROUBLE_NONE,
	TROUBLE_CONNECT_FLIP,    /* 0x3e: Connected true, false, abort-by-local */
	TROUBLE_CONNECT_TIMEOUT, /* pending 40 s, then abort-by-local */
	TROUBLE_CONNECT_SLOW,    /* takes 8 s */
	TROUBLE_CONNECT_NO_LINK, /* Connect succeeds, Connected stays false */
	TROUBLE_PHANTOM,         /* Connect succeeds, Connected true, GATT says "Not connected" */
	TROUBLE_NEVER_RESOLVE,
	TROUBLE_LATE_OBJECTS,        /* ServicesResolved, the objects 400 ms later */
	TROUBLE_NO_OBJECTS,          /* ServicesResolved, no objects */
	TROUBLE_STALE_HANDLES,       /* the lock's table has moved: ATT 0x01 on cached handles */
	TROUBLE_DROP_IN_WRITE,       /* error 0x0e, then Connected false */
	TROUBLE_DROP_IN_WRITE_FIRST, /* Connected false, then the error */
	TROUBLE_DROP_AFTER_WRITE,    /* the write succeeds, the link goes before any answer */
	TROUBLE_DROP_AFTER,          /* the link goes after COUNT indications */
	TROUBLE_DROP_PACKETS,        /* the link goes with the COUNTth packet of either side */
	TROUBLE_MUTE,                /* the lock does not answer a write */
	TROUBLE_DEAF,        /* a write is acknowledged but never reaches the lock's program */
	TROUBLE_ATT_STALL,   /* no ATT answer: 30 s, 0x0e, link lost 2 s later */
	TROUBLE_WRITE_ERROR, /* ATT 0x80 */
	TROUBLE_SLOW,        /* answers 3 s later */
	TROUBLE_LOSE,        /* an indication is lost */
	TROUBLE_DUPLICATE,
	TROUBLE_REORDER,         /* an indication comes after its follower */
	TROUBLE_GARBLE,          /* one octet is wrong */
	TROUBLE_EARLY,           /* the answer comes before the write's reply */
	TROUBLE_DISCONNECT_HANG, /* Disconnect never answers */
	N_TROUBLES,
};

const char *trouble_name(enum trouble trouble);
const char *trouble_text(enum trouble trouble); /* one line for --help */
int trouble_from_name(const char *name, enum trouble *ret);
const char *trouble_nearest(const char *name); /* may be NULL */

struct world;

struct station {
	struct world *world;
	struct sim_lock *lock; /* NULL: a stranger */
	uint8_t address[6];
	bool is_random_address;
	bool is_in_range;
	int rssi;        /* around which it is heard, dBm */
	unsigned jitter; /* up to so many dB more or less, by chance */
	unsigned loss;   /* percent of the packets of a link that end it */
	bool is_taken;   /* somebody else has all links of the lock: it is heard and takes none */
	bool is_bonded;  /* somebody has paired it with this machine, past lockhub */
	unsigned troubles[N_TROUBLES];
	unsigned handle_shift;      /* added to all GATT handles: a table that moved */
	void *links[SIM_LINKS_MAX]; /* of the face: who holds each link */
	void *face;                 /* of the face: what else it keeps about the station */
	struct sched_job tick;
	/* of strangers */
	char name[30];
	uint8_t counter;
	bool is_quiet; /* known to BlueZ, but not heard */
};

/* How a face is told. */
struct world_face {
	/* Advertisement, range or reachability changed. */
	void (*heard)(void *user, struct station *station);
	void (*indicate)(void *user, struct station *station, int link, unsigned chr,
		const uint8_t *value, size_t n);
	void (*drop)(void *user, struct station *station, int link);
	/* A link that is up breaks now, or after @count of what @trouble counts. */
	void (*lose)(void *user, struct station *station, int link);
	void (*drop_after)(void *user, struct station *station, int link, enum trouble trouble,
		unsigned count);
	/* Whether this face has such a trouble at all. */
	bool (*can_play)(void *user, enum trouble trouble);
};

struct world {
	struct loop *loop;
	struct loop_timer *timer;
	struct sched *sched;
	struct sim_env env;
	bool has_seed;
	uint64_t seed;
	uint64_t drawn; /* how much of the seed's stream has been used */
	struct station **stations;
	size_t n_stations;
	const struct world_face *face;
	void *face_user;
	char *saved; /* what the state file says: nothing is written when nothing has changed */
};

struct world *world_new(struct loop *loop, double speed, const uint64_t *seed);
struct world *world_free(struct world *world);
AUTO_DEFINE(struct world *, world_free);

/* Owns @take_lock from now on, also on failure. -EEXIST name or address is taken, -ENOSPC. */
int world_add_lock(struct world *world, struct sim_lock *take_lock);
struct station *world_add_stranger(struct world *world, unsigned number);
void world_remove_strangers(struct world *world);
struct station *world_find(struct world *world, const char *name); /* locks only */

/* A number from 0 to n - 1, of the world's chance. */
uint32_t world_chance(struct world *world, uint32_t n);
/* How strongly it is heard this time. */
int station_rssi(struct station *station);
/* Whether a link breaks with this packet; of @n packets, with one of them. */
bool station_loses(struct station *station, unsigned n);
/* A link for it, or -EBUSY. */
int station_connect(struct station *station, unsigned mtu, mono_t now);
/* Uses the trouble up once. @return whether it was there. */
bool station_trouble(struct station *station, enum trouble trouble);
void station_advert(struct station *station, struct sim_advert *ret);
/* In range, and sends and takes links at all. */
bool station_is_reachable(struct station *station);
void station_address_text(const struct station *station, char out[static 18]);
void station_changed(struct station *station);
mono_t world_now(struct world *world);
/* Call when something was armed outside of a job, e.g. after a bus call. */
void world_rearm(struct world *world);

/* --state: all locks' memories. 0 or -errno; load with a sentence in @why. */
int world_save(struct world *world, const char *path);
int world_load(struct world *world, const char *path, char *why);
