/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A lock of August or Yale that says anything. First octet: act, and whether the session gets open;
 * then records of kind and length, octets. Kinds: octets as they come; a frame sealed with the
 * right key and sum, so that it gets past the cipher; an advertisement; the timer, before which the
 * write has gone out; the link ends; a text of the device.
 */

#include "any-host.h"

#include "august/driver.h"
#include "august/frame.h"
#include "august/keys.h"
#include "august/message.h"
#include "august/session.h"
#include "util/auto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void host_write(void *user, const char *characteristic, const uint8_t *buf, size_t n) {
	struct host *host = user;

	assert(n == AUGUST_FRAME_LEN);
	host_wrote(host, buf, n);
}

static void host_keys(void *user, const struct secret *keys) {
	struct august_keys decoded;

	assert(august_keys_decode(keys, &decoded) == 0);
}

static const struct session_host host_impl = { ANY_HOST_CALLS, .write = host_write,
	.keys = host_keys };

static void hear(const struct secret *keys, const uint8_t *buf, size_t n) {
	static const uint16_t companies[] = { 465, 302, 76 };
	struct advert advert = { .address = "78:9C:85:00:00:01", .n_parts = 1 };
	struct heard_memory memory = { 0 };
	struct evidence evidence = { .has = FACT_HEARD };
	struct sighting sighting;

	for (size_t i = 0; i < ARRAY_SIZE(companies); i++) {
		advert.parts[0].company = companies[i];
		advert.parts[0].n_bytes = n < 64 ? n : 64;
		memcpy(advert.parts[0].bytes, buf, advert.parts[0].n_bytes);
		august_driver.hear(keys, NULL, &advert, &memory, &evidence);
		(void) august_driver.sight(&advert, &sighting);
	}
}

static void written(struct session *session, struct host *host) {
	if (host->is_writing) {
		host->is_writing = false;
		session->impl->written(session, 0, RADIO_MAYBE_SENT);
	}
}

/* As the lock would: the session is open, and its chain begins. */
static void open_session(struct session *session, struct host *host, const uint8_t *key,
	struct august_chain *chain) {
	static const uint8_t nonce[AUGUST_NONCE_LEN] = { 1 };
	uint8_t frame[AUGUST_FRAME_LEN];
	uint8_t session_key[AUGUST_KEY_LEN];

	august_sec_open(key, host->written, frame);
	august_session_key(frame + 4, nonce, session_key);
	august_sec_make(AUGUST_SEC_NONCE, nonce, 1, frame);
	august_sec_seal(key, frame, frame);
	written(session, host);
	session->impl->bytes(session, AUGUST_SEC_FROM_LOCK, frame, sizeof(frame));
	session->impl->timer(session); /* the gap */
	written(session, host);
	august_sec_make(AUGUST_SEC_READY, nonce, 1, frame);
	august_sec_seal(session_key, frame, frame);
	session->impl->bytes(session, AUGUST_SEC_FROM_LOCK, frame, sizeof(frame));
	august_chain_start(chain, session_key);
}

static void say(struct session *session, struct august_chain *chain, const uint8_t *buf, size_t n) {
	uint8_t frame[AUGUST_FRAME_LEN] = { 0 };

	memcpy(frame, buf, n < sizeof(frame) ? n : sizeof(frame));
	august_mcu_finish(frame);
	august_chain_seal(chain, frame, frame);
	session->impl->bytes(session, AUGUST_MCU_FROM_LOCK, frame, sizeof(frame));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const enum act acts[] = { ACT_READ_STATE, ACT_READ_BATTERY, ACT_LOCK, ACT_UNLOCK,
		ACT_READ_LOG, ACT_READ_USERS, ACT_PUT_CREDENTIAL, ACT_PUT_SETTING };
	struct august_keys keys = { .slot = 1, .key = "0123456", .choices = AUGUST_CHOICES_ALL };
	struct august_chain chain = { 0 };
	struct secret blob = { 0 };
	struct fault fault;
	struct host host = { .is_busy = true };
	size_t at = 1;

	if (size == 0) {
		return 0;
	}
	august_keys_encode(&keys, &blob);
	struct session *session = august_session_new(&blob, &host_impl, &host);
	session->impl->up(session, 23);
	struct job job = { .act = acts[data[0] % ARRAY_SIZE(acts)], .log_max = 50 };
	(void) secret_set_text(&job.slot.pin, "123456");
	strcpy(job.setting.key, "AutoRelockTime");
	strcpy(job.setting.value, "60");
	assert(session->impl->start(session, &job, &fault) == 0);
	if ((data[0] & 0x80) == 0) {
		open_session(session, &host, keys.key, &chain);
	}
	while (size - at >= 2) {
		const uint8_t kind = data[at] % 6;
		size_t n = data[at + 1] % 64;

		at += 2;
		n = n < size - at ? n : size - at;
		switch (kind) {
		case 0:
			session->impl->bytes(session,
				n % 2 == 0 ? AUGUST_MCU_FROM_LOCK : AUGUST_SEC_FROM_LOCK, data + at,
				n);
			break;
		case 1:
			say(session, &chain, data + at, n);
			break;
		case 2:
			hear(&blob, data + at, n);
			break;
		case 3:
			written(session, &host);
			if (host.timer_ms > 0) {
				session->impl->timer(session);
			}
			break;
		case 4:
			session->impl->down(session);
			host.is_writing = false;
			session->impl->up(session, 23);
			break;
		default:
			session->impl->bytes(session, AUGUST_MODEL_NUMBER, data + at, n);
			break;
		}
		at += n;
	}
	session->impl->down(session);
	/*
	 * However it went: one end, and at most one command that moves the bolt, but for one more
	 * after a lock that said that it was busy and has not begun.
	 */
	assert(host.n_done == 1 && host.n_again <= 1 && host.n_moves <= 1 + host.n_again);
	session->impl->free(session);
	return 0;
}
