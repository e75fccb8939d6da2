/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A session's host for the harnesses of the brands: it keeps count, and holds each brand to what
 * any host relies on. A harness says { ANY_HOST_CALLS, .write = ..., .keys = ... }.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/driver.h"

struct host {
	unsigned n_done, n_moves;
	unsigned n_again; /* times that the session told of asking once more */
	bool is_busy, is_writing;
	unsigned timer_ms;
	uint8_t written[64]; /* the last frame, or its beginning */
};

static inline void host_wrote(struct host *host, const uint8_t *buf, size_t n) {
	assert(n > 0 && !host->is_writing);
	memcpy(host->written, buf, n < sizeof(host->written) ? n : sizeof(host->written));
	host->is_writing = true;
}

static inline void host_arm(void *user, unsigned ms) {
	assert(ms <= 60000);
	((struct host *) user)->timer_ms = ms;
}

static inline void host_evidence(void *user, const struct evidence *evidence) {
	assert((evidence->has & FACT_BATTERY) == 0 || evidence->battery.percent <= 127);
	assert((evidence->has & FACT_BOLT) == 0 || evidence->bolt.state <= LOCK_STATE_UNLATCHED ||
		evidence->bolt.state == LOCK_STATE_UNKNOWN);
	assert(memchr(evidence->versions.model, '\0', sizeof(evidence->versions.model)) != NULL);
}

static inline void host_log(void *user, const struct log_entry *entries, size_t n) {
	for (size_t i = 0; i < n; i++) {
		assert(entries[i].seq > 0 && entries[i].kind != EVENT_NONE);
		assert(entries[i].user_ref >= 0);
	}
}

static inline void host_slots(void *user, const struct slot *slots, size_t n) {
	for (size_t i = 0; i < n; i++) {
		assert(slots[i].ref > 0 && slots[i].pin.len < 16);
	}
}

static inline void host_settings(void *user, const struct setting *settings, size_t n) {
	assert(n <= SETTINGS_MAX);
	for (size_t i = 0; i < n; i++) {
		assert(memchr(settings[i].value, '\0', SETTING_VALUE_MAX) != NULL);
	}
}

static inline bool host_gate(void *user) {
	((struct host *) user)->n_moves++;
	return true;
}

static inline void host_done(void *user, const struct job_result *result) {
	struct host *host = user;

	assert(host->is_busy);
	host->is_busy = false;
	host->n_done++;
}

static inline void host_trace(void *user, const char *text) {
	struct host *host = user;

	assert(strlen(text) < 512);
	host->n_again += strstr(text, "once more") != NULL;
}

static inline void host_frame(
	void *user, bool is_out, const char *characteristic, const uint8_t *plain, size_t n) {
	assert(n <= 512);
}

#define ANY_HOST_CALLS                                                                             \
	.arm = host_arm, .evidence = host_evidence, .log = host_log, .slots = host_slots,          \
	.settings = host_settings, .gate = host_gate, .done = host_done, .trace = host_trace,      \
	.frame = host_frame
