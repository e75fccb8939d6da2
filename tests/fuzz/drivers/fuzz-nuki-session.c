/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A whole session of a paired lock (or one to be paired), driven by the fuzzer: it starts jobs,
 *says what the lock sends (properly sealed, in clear, or as raw octets), confirms and fails writes,
 *lets the timer go off and loses the link. Watched: the rules of core/driver.h.
 *
 * Input: one octet (bit 0: 5G, bit 1: unpaired), then steps of
 *	op (1) [length (1) octets]
 */

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "nuki/advert.h"
#include "nuki/frame.h"
#include "nuki/keys.h"
#include "nuki/session.h"
#include "nuki/settings.h"
#include "util/bytes.h"
#include "util/text.h"

struct watch {
	struct session *session;
	enum nuki_generation generation;
	uint8_t key[NUKI_KEY_LEN];
	bool is_up, is_writing, is_job, is_gate_shut, is_timer;
	int64_t log_last;
	size_t n_slots;
	enum act act;
};

static void on_write(void *host, const char *characteristic, const uint8_t *buf, size_t n) {
	struct watch *watch = host;

	assert(watch->is_up && !watch->is_writing && n > 0 && n <= NUKI_FRAME_MAX);
	watch->is_writing = true;
}

static void on_arm(void *host, unsigned ms) {
	((struct watch *) host)->is_timer = ms > 0;
}

static void on_evidence(void *host, const struct evidence *evidence) {
	assert(evidence->has != 0 && evidence->how == EVIDENCE_ANSWERED);
}

static void on_log(void *host, const struct log_entry *entries, size_t n) {
	struct watch *watch = host;

	assert(watch->is_job && n > 0);
	for (size_t i = 0; i < n; i++) {
		assert(entries[i].seq > watch->log_last);
		watch->log_last = entries[i].seq;
	}
}

static void on_slots(void *host, const struct slot *slots, size_t n) {
	struct watch *watch = host;

	assert(watch->is_job && watch->act == ACT_READ_USERS && n > 0);
	watch->n_slots += n;
	assert(watch->n_slots <= SLOTS_PER_LOCK_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct slot *slot = &slots[i];
		assert(slot->type == CREDENTIAL_PIN || slot->type == CREDENTIAL_APP_KEY);
		assert(slot->ref >= 0 && slot->ref <= UINT32_MAX);
		assert(text_is_clean(slot->name, strlen(slot->name)));
		assert((slot->type == CREDENTIAL_PIN) == (slot->pin.len > 0));
		assert((slot->window.days & ~DAYS_ALL) == 0);
	}
}

static void on_timers(void *host, const struct lock_timer *timers, size_t n) {
	struct watch *watch = host;

	assert(watch->is_job && watch->act == ACT_READ_TIMERS && n > 0);
	for (size_t i = 0; i < n; i++) {
		assert(timers[i].ref > 0 && timers[i].ref <= 256);
		assert((timers[i].days & ~DAYS_ALL) == 0);
		assert(timers[i].act < ACT_CALIBRATE);
	}
}

/* Whatever comes in a configuration: known keys, clean text. */
static void on_settings(void *host, const struct setting *settings, size_t n) {
	const struct watch *watch = host;
	size_t n_rows;
	const struct lock_setting *rows = nuki_settings(watch->generation, &n_rows);

	assert(watch->is_job && n <= n_rows);
	for (size_t i = 0; i < n; i++) {
		assert(setting_find(rows, n_rows, settings[i].key) != NULL);
		assert(memchr(settings[i].value, '\0', SETTING_VALUE_MAX) != NULL);
		assert(text_is_clean(settings[i].value, strlen(settings[i].value)));
	}
}

static void on_keys(void *host, const struct secret *keys) {
	struct watch *watch = host;
	struct nuki_keys decoded;

	assert(nuki_keys_decode(keys, &decoded) == 0);
	watch->generation = decoded.generation;
	memcpy(watch->key, decoded.shared, sizeof(watch->key));
}

static bool on_gate(void *host) {
	struct watch *watch = host;

	assert(watch->is_job);
	return !watch->is_gate_shut;
}

static void on_done(void *host, const struct job_result *result) {
	struct watch *watch = host;

	assert(watch->is_job);
	assert(result->fault.code >= FAULT_NONE && result->fault.code < FAULT_COUNT_);
	watch->is_job = false;
}

static void on_trace(void *host, const char *text) {
	assert(text[0] != '\0');
}

static const struct session_host host = {
	.write = on_write,
	.arm = on_arm,
	.evidence = on_evidence,
	.log = on_log,
	.slots = on_slots,
	.timers = on_timers,
	.settings = on_settings,
	.keys = on_keys,
	.gate = on_gate,
	.done = on_done,
	.trace = on_trace,
};

static void counted(void *out, size_t n) {
	memset(out, 0x42, n);
}

/* Whatever an edge might ask for: flags, id, window, PIN. */
static void get_slot(const uint8_t *octets, size_t n, struct slot *ret) {
	struct rd rd = rd_on(octets, n);
	const uint8_t flags = rd_u8(&rd);

	ret->type = flags & 1 ? CREDENTIAL_APP_KEY : CREDENTIAL_PIN;
	ret->is_enabled = (flags & 2) != 0;
	ret->is_limited = (flags & 4) != 0;
	ret->is_own = (flags & 8) != 0;
	ret->ref = rd_i16le(&rd);
	ret->window.from.s = (int64_t) rd_u64le(&rd);
	ret->window.until.s = (int64_t) rd_u64le(&rd);
	ret->window.days = rd_u8(&rd);
	ret->window.start_minute = rd_i16le(&rd);
	ret->window.end_minute = rd_i16le(&rd);
	if ((flags & 16) != 0) {
		(void) secret_set_text(&ret->pin, "345678");
	} else {
		(void) secret_set(&ret->pin, octets, n < 8 ? n : 8);
	}
	rd_text(&rd, rd_left(&rd) < 40 ? rd_left(&rd) : 40, ret->name);
}

/* A setting, and what may be a value of it or not. */
static void get_setting(
	const struct watch *watch, uint8_t which, uint8_t what, struct setting *ret) {
	size_t n;
	const struct lock_setting *rows = nuki_settings(watch->generation, &n);
	const struct lock_setting *row = &rows[which % n];

	(void) text_copy(ret->key, sizeof(ret->key), row->key);
	(void) snprintf(ret->value, sizeof(ret->value), "%u%s", what,
		row->kind == SETTING_TIME ? ":30" : "");
	if (row->kind == SETTING_SWITCH) {
		(void) text_copy(ret->value, sizeof(ret->value), what % 2 != 0 ? "on" : "off");
	}
	for (unsigned i = 0; row->kind == SETTING_SELECT && row->options[i] != NULL; i++) {
		if (i == what) {
			(void) text_copy(ret->value, sizeof(ret->value), row->options[i]);
		}
	}
}

static void start(struct watch *watch, const uint8_t *octets, size_t n) {
	struct job job = {
		.act = (enum act)(n > 0 ? octets[0] % ACT_COUNT_ : 0),
		.client_name = "lockhub",
		.log_max = n > 1 ? octets[1] : 0,
		.now = { 1795327200 },
		.is_now_trusted = true,
	};
	struct fault fault;

	if (watch->is_job) {
		return;
	}
	if (n > 2) {
		(void) secret_set(&job.pin, octets + 2, n - 2 < 8 ? n - 2 : 8);
		get_slot(octets + 2, n - 2, &job.slot);
		job.timer.ref = job.slot.ref;
		job.timer.is_enabled = job.slot.is_enabled;
		job.timer.days = job.slot.window.days;
		job.timer.minute = job.slot.window.start_minute;
		job.timer.act = (enum act)(job.slot.window.end_minute & 7);
		get_setting(watch, octets[2], octets[n - 1], &job.setting);
	}
	watch->act = job.act;
	watch->n_slots = 0;
	watch->is_gate_shut = n > 1 && (octets[1] & 1) != 0;
	watch->log_last = 0;
	watch->is_job = true;
	if (watch->session->impl->start(watch->session, &job, &fault) < 0) {
		assert(fault.code != FAULT_NONE);
		watch->is_job = false;
	}
}

/* octets: command (2), payload */
static void send_sealed(struct watch *watch, const uint8_t *octets, size_t n) {
	static const uint8_t nonce[CRYPTO_NONCE_LEN] = { 3 };
	uint8_t frame[NUKI_FRAME_MAX];

	if (n < 2) {
		return;
	}
	ssize_t n_frame = nuki_seal(watch->key, nonce, 7, (uint16_t) (octets[0] | octets[1] << 8),
		octets + 2, n - 2, frame, sizeof(frame));
	assert(n_frame > 0);
	watch->session->impl->bytes(watch->session, NUKI_USDIO, frame, (size_t) n_frame);
}

static void send_plain(
	struct watch *watch, const char *characteristic, const uint8_t *octets, size_t n) {
	uint8_t frame[NUKI_FRAME_MAX];

	if (n < 2) {
		return;
	}
	ssize_t n_frame = nuki_plain_build(
		(uint16_t) (octets[0] | octets[1] << 8), octets + 2, n - 2, frame, sizeof(frame));
	assert(n_frame > 0);
	watch->session->impl->bytes(watch->session, characteristic, frame, (size_t) n_frame);
}

static void written(struct watch *watch, const uint8_t *octets, size_t n) {
	const bool is_bad = n > 0 && octets[0] != 0;

	if (watch->is_writing) {
		watch->is_writing = false;
		watch->session->impl->written(watch->session,
			!is_bad         ? 0
			: octets[0] & 1 ? -ENOENT
					: -EIO,
			is_bad && octets[0] & 2 ? RADIO_MAYBE_SENT : RADIO_NOT_SENT);
	}
}

static void step(struct watch *watch, uint8_t op, const uint8_t *octets, size_t n) {
	const struct session_impl *impl = watch->session->impl;

	switch (op % 12) {
	case 0:
		start(watch, octets, n);
		break;
	case 1:
		written(watch, octets, n);
		break;
	case 2:
		send_sealed(watch, octets, n);
		break;
	case 3:
		send_plain(watch, NUKI_GDIO, octets, n);
		break;
	case 4:
		send_plain(watch, NUKI_PAIRING_GDIO, octets, n);
		break;
	case 5:
		send_plain(watch, NUKI_PAIRING_GDIO_5, octets, n);
		break;
	case 6:
		impl->bytes(watch->session, NUKI_USDIO, octets, n);
		break;
	case 7:
		impl->bytes(watch->session, NUKI_PAIRING_GDIO_5, octets, n);
		break;
	case 8:
		if (watch->is_timer) {
			watch->is_timer = false;
			impl->timer(watch->session);
		}
		break;
	case 9:
		impl->gate_opened(watch->session);
		break;
	case 10:
		if (watch->is_up) {
			watch->is_up = false;
			watch->is_writing = false;
			impl->down(watch->session);
			assert(!watch->is_job);
		}
		break;
	case 11:
		if (!watch->is_up) {
			watch->is_up = true;
			impl->up(watch->session, 23);
		}
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const uint8_t mode = size > 0 ? data[0] : 0;
	struct watch watch = {
		.generation = mode & 1 ? NUKI_GENERATION_5 : NUKI_GENERATION_1_TO_4,
		.is_up = true,
	};
	struct nuki_keys keys = {
		.generation = watch.generation,
		.auth_id = 7,
		.pin = 4321,
		.is_pin_known = true,
	};
	struct secret blob = { 0 };

	nuki_keys_encode(&keys, &blob);
	watch.session = nuki_session_new(mode & 2 ? NULL : &blob, &host, &watch);
	if (watch.session == NULL) {
		return 0;
	}
	nuki_session_set_random(watch.session, counted);
	watch.session->impl->up(watch.session, 247);
	for (size_t at = 1; at + 1 < size;) {
		const uint8_t op = data[at];
		size_t n = data[at + 1];
		at += 2;
		n = n < size - at ? n : size - at;
		step(&watch, op, data + at, n);
		at += n;
		/* A job never waits without a timer. */
		assert(!watch.is_job || watch.is_timer || op % 12 == 8);
	}
	if (watch.is_up) {
		watch.session->impl->down(watch.session);
	}
	assert(!watch.is_job);
	watch.session = watch.session->impl->free(watch.session);
	return 0;
}
