/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A SwitchBot lock that says anything. First octet: model and act; then records of kind and length,
 * octets. Kinds: octets as they come; octets sealed with the right key, so that they get past the
 * cipher; an advertisement; the timer; the link ends.
 */

#include "any-host.h"

#include "switchbot/cipher.h"
#include "switchbot/driver.h"
#include "switchbot/keys.h"
#include "switchbot/message.h"
#include "switchbot/session.h"
#include "util/auto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void host_write(void *user, const char *characteristic, const uint8_t *buf, size_t n) {
	assert(n > 0 && n <= SWITCHBOT_FRAME_MAX);
}

static void host_keys(void *user, const struct secret *keys) {
}

static const struct session_host host_impl = { ANY_HOST_CALLS, .write = host_write,
	.keys = host_keys };

static void hear(const struct secret *keys, const uint8_t *buf, size_t n) {
	struct advert advert = { .address = "B0:E9:FE:00:00:01", .n_parts = 2 };
	struct heard_memory memory = { 0 };
	struct evidence evidence = { .has = FACT_HEARD };
	struct sighting sighting;
	const size_t half = n / 2;

	advert.parts[0].company = 2409;
	advert.parts[0].n_bytes = half < 64 ? half : 64;
	memcpy(advert.parts[0].bytes, buf, advert.parts[0].n_bytes);
	advert.parts[1].is_service = true;
	strcpy(advert.parts[1].uuid, "0000fd3d-0000-1000-8000-00805f9b34fb");
	advert.parts[1].n_bytes = n - half < 64 ? n - half : 64;
	memcpy(advert.parts[1].bytes, buf + half, advert.parts[1].n_bytes);
	switchbot_driver.hear(keys, NULL, &advert, &memory, &evidence);
	host_evidence(NULL, &evidence);
	if (switchbot_driver.sight(&advert, &sighting)) {
		assert(sighting.variant != SWITCHBOT_MODEL_UNKNOWN);
		assert(sighting.variant < SWITCHBOT_MODEL_COUNT_);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const enum act acts[] = { ACT_READ_STATE, ACT_READ_BATTERY, ACT_LOCK, ACT_UNLOCK,
		ACT_UNLATCH };
	struct switchbot_keys keys = { .model = SWITCHBOT_LOCK, .key_id = 0x34, .key = "0123456" };
	struct switchbot_cipher cipher = { .mode = SWITCHBOT_MODE_CTR, .key_id = 0x34 };
	uint8_t start[20] = { SWITCHBOT_DONE };
	struct secret blob = { 0 };
	struct fault fault;
	struct host host = { .is_busy = true };
	size_t at = 1;

	if (size == 0) {
		return 0;
	}
	keys.model = (enum switchbot_model)(1 + data[0] % (SWITCHBOT_MODEL_COUNT_ - 1));
	memcpy(cipher.key, keys.key, sizeof(cipher.key));
	switchbot_keys_encode(&keys, &blob);
	struct session *session = switchbot_session_new(&blob, &host_impl, &host);
	session->impl->up(session, 23);
	const struct job job = { .act = acts[data[0] / 16 % ARRAY_SIZE(acts)] };
	assert(session->impl->start(session, &job, &fault) == 0);
	if ((data[0] & 0x80) == 0) {
		session->impl->bytes(session, SWITCHBOT_FROM_LOCK, start, sizeof(start));
	}
	while (size - at >= 2) {
		const uint8_t kind = data[at] % 5;
		size_t n = data[at + 1] % SWITCHBOT_FRAME_MAX;
		uint8_t frame[SWITCHBOT_FRAME_MAX];

		at += 2;
		n = n < size - at ? n : size - at;
		switch (kind) {
		case 0:
			session->impl->bytes(session, SWITCHBOT_FROM_LOCK, data + at, n);
			break;
		case 1:
			if (n > 0 && n + SWITCHBOT_HEAD_LEN <= SWITCHBOT_FRAME_MAX) {
				const ssize_t n_frame =
					switchbot_seal(&cipher, data + at + 1, n - 1, frame);
				frame[0] = data[at];
				session->impl->bytes(
					session, SWITCHBOT_FROM_LOCK, frame, (size_t) n_frame);
			}
			break;
		case 2:
			hear(&blob, data + at, n);
			break;
		case 3:
			if (host.is_busy) {
				session->impl->timer(session);
			}
			break;
		default:
			session->impl->down(session);
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
