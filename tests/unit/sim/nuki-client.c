/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nuki-client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "util/bytes.h"

static void env_random(void *user, enum sim_random what, void *out, size_t n) {
	struct bench *bench = user;
	if (what < SIM_RANDOM_OTHER && bench->n_drawn[what] < bench->n_queued[what]) {
		const struct drawn *drawn = &bench->queue[what][bench->n_drawn[what]++];
		assert_int_equal(drawn->n, n);
		memcpy(out, drawn->bytes, n);
		return;
	}
	uint8_t block[CRYPTO_SHA256_LEN];
	bench->counter++;
	crypto_sha256(&bench->counter, sizeof(bench->counter), block);
	assert_true(n <= sizeof(block));
	memcpy(out, block, n);
}

static wall_t env_wall(void *user) {
	return ((struct bench *) user)->wall;
}

static void on_indicate(void *user, int link, unsigned chr, const uint8_t *value, size_t n) {
	struct bench *bench = user;
	assert_true(bench->n_said < SAID_MAX);
	struct said *said = &bench->said[bench->n_said++];
	assert_true(n <= sizeof(said->value));
	*said = (struct said){ .link = link, .chr = chr, .n = n };
	memcpy(said->value, value, n);
}

static void on_drop(void *user, int link) {
	struct bench *bench = user;
	bench->n_dropped++;
	sim_lock_disconnect(bench->lock, link, bench->now);
}

static void on_advert_changed(void *user) {
	((struct bench *) user)->n_advert_changes++;
}

static void on_due_changed(void *user) {
	(void) user;
}

static const struct sim_face face = { on_indicate, on_drop, on_advert_changed, on_due_changed };

void bench_init(struct bench *bench, const char *model, const char *const *extra) {
	const char *pairs[32] = { "name", "front", "model", model, "address", "54:D2:72:AA:BB:01" };
	size_t n = 6;
	char why[SIM_TEXT_MAX];
	*bench =
		(struct bench){ .now = { 1000 }, .wall = { 1748779200 } }; /* 2025-06-01 12:00:00 */
	bench->env = (struct sim_env){ env_random, env_wall, 1, bench };
	bench->said = calloc(SAID_MAX, sizeof(*bench->said));
	assert_non_null(bench->said);
	for (; extra != NULL && *extra != NULL; extra++) {
		pairs[n++] = *extra;
	}
	pairs[n] = NULL;
	assert_int_equal(sim_lock_make(pairs, &bench->env, &bench->lock, why), 0);
	bench->nuki = nuki_of(bench->lock);
	sim_lock_carry(bench->lock, &face, bench);
}

void bench_finish(struct bench *bench) {
	sim_lock_free(bench->lock);
	free(bench->said);
}

void bench_queue(struct bench *bench, enum sim_random what, const uint8_t *bytes, size_t n) {
	assert_true(bench->n_queued[what] < 32);
	struct drawn *drawn = &bench->queue[what][bench->n_queued[what]++];
	memcpy(drawn->bytes, bytes, n);
	drawn->n = n;
}

int bench_connect(struct bench *bench, unsigned mtu) {
	int link = sim_lock_connect(bench->lock, mtu, bench->now);
	assert_true(link >= 0);
	assert_int_equal(sim_lock_subscribe(bench->lock, link, NUKI_CHAR_PAIRING, true), 0);
	assert_int_equal(sim_lock_subscribe(bench->lock, link, NUKI_CHAR_PLAIN, true), 0);
	assert_int_equal(sim_lock_subscribe(bench->lock, link, NUKI_CHAR_USER, true), 0);
	return link;
}

void bench_write(struct bench *bench, int link, unsigned chr, const uint8_t *value, size_t n) {
	assert_int_equal(sim_lock_write(bench->lock, link, chr, value, n, bench->now), 0);
}

const struct said *bench_next(struct bench *bench) {
	return bench->n_read == bench->n_said ? NULL : &bench->said[bench->n_read++];
}

void bench_pass(struct bench *bench, int64_t ms) {
	mono_t end = mono_after(bench->now, ms);
	for (;;) {
		mono_t due = sim_lock_next_due(bench->lock);
		if (due.ms > end.ms) {
			break;
		}
		bench->now = due.ms > bench->now.ms ? due : bench->now;
		sim_lock_tick(bench->lock, bench->now);
	}
	bench->now = end;
}

struct nuki_auth *bench_auth(struct bench *bench, uint8_t type, uint32_t id) {
	struct nuki_auth auth = { .id = id, .app_id = id, .type = type, .is_enabled = true };
	memset(auth.key, (int) id, sizeof(auth.key));
	struct nuki_auth *added = nuki_auth_add(bench->nuki, &auth);
	assert_non_null(added);
	return added;
}

void bench_send(struct bench *bench, int link, const struct nuki_auth *auth, uint16_t command,
	const void *payload, size_t n) {
	uint8_t nonce[24] = { 1 }, wire[NUKI_WIRE_MAX];
	size_t n_wire = nuki_seal(auth->key, nonce, auth->id, command, payload, n, wire);
	bench_write(bench, link, NUKI_CHAR_USER, wire, n_wire);
}

bool bench_receive(struct bench *bench, const struct nuki_auth *auth, struct nuki_message *ret) {
	uint8_t wire[NUKI_WIRE_MAX];
	size_t n = 0;
	for (const struct said *said; (said = bench_next(bench)) != NULL;) {
		assert_int_equal(said->chr, NUKI_CHAR_USER);
		assert_true(n + said->n <= sizeof(wire));
		memcpy(wire + n, said->value, said->n);
		n += said->n;
		if (n >= 30 && n == 30U + (size_t) (wire[28] | wire[29] << 8)) {
			assert_int_equal(nuki_open_sealed(auth->key, wire, n, ret), 0);
			return true;
		}
	}
	assert_int_equal(n, 0);
	return false;
}

void bench_command(struct bench *bench, int link, const struct nuki_auth *auth, uint16_t command,
	const void *args, size_t n_args, const uint32_t *pin) {
	static const uint8_t wanted[] = { NUKI_CHALLENGE, 0 };
	struct nuki_message message;
	uint8_t payload[NUKI_PAYLOAD_MAX];
	bench_send(bench, link, auth, NUKI_REQUEST_DATA, wanted, sizeof(wanted));
	assert_true(bench_receive(bench, auth, &message));
	assert_int_equal(message.command, NUKI_CHALLENGE);
	assert_int_equal(message.n, 32);
	struct wr wr = wr_on(payload, sizeof(payload));
	wr_bytes(&wr, args, n_args);
	wr_bytes(&wr, message.payload, message.n);
	if (pin != NULL && nuki_pin_len(bench->nuki) == 4) {
		wr_u32le(&wr, *pin);
	} else if (pin != NULL) {
		wr_u16le(&wr, (uint16_t) *pin);
	}
	bench_send(bench, link, auth, command, payload, (size_t) wr_end(&wr));
}

void bench_expect(struct bench *bench, const struct nuki_auth *auth, uint16_t command, int first) {
	struct nuki_message message = { 0 };
	assert_true(bench_receive(bench, auth, &message));
	assert_int_equal(message.command, command);
	assert_int_equal(message.payload[0], first);
}

void bench_expect_silence(struct bench *bench) {
	assert_null(bench_next(bench));
}
