/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A lock of TTLock that says anything. First octet: what is asked of it; then records of kind and
 * length, octets. Kinds: octets as they come; an answer under the right key, so that it gets past
 * the cipher; an advertisement; a key as a person would give it; the timer; a chunk has gone; the
 * link ends.
 */

#include "any-host.h"

#include "ttlock/driver.h"
#include "ttlock/frame.h"
#include "ttlock/keys.h"
#include "ttlock/session.h"
#include "util/auto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void host_write(void *user, const char *characteristic, const uint8_t *buf, size_t n) {
	struct host *host = user;

	assert(n <= TTLOCK_CHUNK);
	host_wrote(host, buf, n);
}

static void host_keys(void *user, const struct secret *keys) {
	struct ttlock_keys decoded;

	assert(ttlock_keys_decode(keys, &decoded) == 0);
}

static const struct session_host host_impl = { ANY_HOST_CALLS, .write = host_write,
	.keys = host_keys };

static void hear(const struct secret *keys, const uint8_t *buf, size_t n) {
	struct advert advert = { .n_parts = 1 };
	struct heard_memory memory = { 0 };
	struct evidence evidence = { .has = FACT_HEARD };
	struct lock_status status;
	struct sighting sighting;

	lock_status_init(&status);
	advert.parts[0].company = 0x0305;
	advert.parts[0].n_bytes = n < 64 ? n : 64;
	memcpy(advert.parts[0].bytes, buf, advert.parts[0].n_bytes);
	memcpy(advert.address, "00:00:00:00:00:00", sizeof("00:00:00:00:00:00"));
	ttlock_driver.hear(keys, &status, &advert, &memory, &evidence);
	host_evidence(NULL, &evidence);
	if (ttlock_driver.sight(&advert, &sighting)) {
		assert(memchr(sighting.name, '\0', sizeof(sighting.name)) != NULL);
	}
}

static void read_key(const uint8_t *buf, size_t n) {
	struct ttlock_keys keys = { .head = { 2, 1, 1 } };
	struct secret text = { 0 };
	struct fault fault;

	if (secret_set(&text, buf, n) == 0 && ttlock_keys_parse(&text, &keys, &fault) == 0) {
		assert(keys.flag_position <= 0xffffff);
	}
}

static void answer(
	struct session *session, const struct ttlock_keys *keys, const uint8_t *buf, size_t n) {
	uint8_t frame[TTLOCK_FRAME_MAX];
	const size_t n_frame = ttlock_frame(&keys->head, TTLOCK_ANSWER, keys->key, buf, n, frame);

	session->impl->bytes(session, TTLOCK_FROM_LOCK, frame, n_frame);
}

static void gone(struct session *session, struct host *host) {
	if (host->is_writing) {
		host->is_writing = false;
		session->impl->written(session, 0, RADIO_MAYBE_SENT);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const enum act acts[] = { ACT_READ_STATE, ACT_READ_BATTERY, ACT_LOCK, ACT_UNLOCK,
		ACT_READ_LOG, ACT_READ_USERS, ACT_READ_SETTINGS, ACT_READ_CONFIG, ACT_UNPAIR,
		ACT_PUT_CREDENTIAL, ACT_REMOVE_CREDENTIAL, ACT_PAIR };
	struct ttlock_keys keys = { .head = { 2, 1, 1 }, .is_admin = true, .features = ~0ULL };
	struct secret blob = { 0 };
	struct fault fault;
	struct host host = { .is_busy = true };
	struct job job = { .log_max = 50 };
	size_t at = 1;

	if (size == 0) {
		return 0;
	}
	memcpy(keys.key, "0123456789abcde", sizeof(keys.key));
	ttlock_keys_encode(&keys, &blob);
	struct session *session = ttlock_session_new(&blob, &host_impl, &host);
	session->impl->up(session, 23);
	job.act = acts[data[0] % ARRAY_SIZE(acts)];
	job.slot.type = CREDENTIAL_PIN + data[0] / 16 % 3;
	job.slot.ref = data[0] < 128; /* else a new one: codes are put, the rest is learnt */
	(void) secret_set_text(&job.slot.pin, "704128");
	assert(session->impl->start(session, &job, &fault) == 0);
	while (size - at >= 2) {
		const uint8_t kind = data[at] % 8;
		size_t n = data[at + 1] % 200;

		at += 2;
		n = n < size - at ? n : size - at;
		switch (kind) {
		case 0:
			session->impl->bytes(session, TTLOCK_FROM_LOCK, data + at, n);
			break;
		case 1:
		case 2:
			/* All chunks, then the answer. */
			while (host.is_writing) {
				gone(session, &host);
				if (host.timer_ms == TTLOCK_CHUNK_MS) {
					session->impl->timer(session);
				}
			}
			answer(session, &keys, data + at, n);
			break;
		case 3:
			hear(&blob, data + at, n);
			break;
		case 4:
			read_key(data + at, n);
			break;
		case 5:
			if (host.is_busy) {
				session->impl->timer(session);
			}
			break;
		case 6:
			gone(session, &host);
			break;
		default:
			session->impl->down(session);
			host.is_writing = false;
			session->impl->up(session, 23);
			break;
		}
		at += n;
	}
	session->impl->down(session);
	/* However it went: one end, and at most one command that moves the bolt. */
	assert(host.n_done == 1 && host.n_moves <= 1);
	session->impl->free(session);
	return 0;
}
