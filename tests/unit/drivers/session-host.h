/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A session's host that writes down what it is told, for the brands' session tests. A test's bench
 * begins with it and adds the lock; its session_host is
 *
 *	{ SESSION_HOST_CALLS, .write = ... }
 */

#include "../../test.h"

#include "core/driver.h"

#define HOST_TOLD_MAX 64

struct host {
	const char *const *secrets; /* words that no trace and no frame may hold, ends with NULL */
	bool is_gate_shut;
	unsigned timer_ms;
	struct evidence evidence[HOST_TOLD_MAX], last;
	size_t n_evidence;
	struct log_entry entries[HOST_TOLD_MAX];
	size_t n_entries;
	struct slot slots[HOST_TOLD_MAX];
	size_t n_slots;
	struct setting settings[HOST_TOLD_MAX];
	size_t n_settings;
	struct secret keys;
	struct job_result result;
	unsigned n_done;
};

static void host_arm(void *user, unsigned ms) {
	((struct host *) user)->timer_ms = ms;
}

static void host_evidence(void *user, const struct evidence *evidence) {
	struct host *host = user;

	assert_true(host->n_evidence < HOST_TOLD_MAX);
	host->evidence[host->n_evidence++] = *evidence;
	host->last = *evidence;
}

static void host_log(void *user, const struct log_entry *entries, size_t n) {
	struct host *host = user;

	assert_true(n <= HOST_TOLD_MAX - host->n_entries);
	memcpy(host->entries + host->n_entries, entries, n * sizeof(*entries));
	host->n_entries += n;
}

static void host_slots(void *user, const struct slot *slots, size_t n) {
	struct host *host = user;

	assert_true(n <= HOST_TOLD_MAX - host->n_slots);
	memcpy(host->slots + host->n_slots, slots, n * sizeof(*slots));
	host->n_slots += n;
}

static void host_settings(void *user, const struct setting *settings, size_t n) {
	struct host *host = user;

	assert_true(n <= HOST_TOLD_MAX - host->n_settings);
	memcpy(host->settings + host->n_settings, settings, n * sizeof(*settings));
	host->n_settings += n;
}

static void host_keys(void *user, const struct secret *keys) {
	((struct host *) user)->keys = *keys;
}

static bool host_gate(void *user) {
	return !((struct host *) user)->is_gate_shut;
}

static void host_done(void *user, const struct job_result *result) {
	struct host *host = user;

	host->result = *result;
	host->n_done++;
	assert_int_equal(host->timer_ms, 0);
}

static void host_trace(void *user, const char *text) {
	const struct host *host = user;

	for (size_t i = 0; host->secrets != NULL && host->secrets[i] != NULL; i++) {
		assert_null(strstr(text, host->secrets[i]));
	}
}

static void host_frame(
	void *user, bool is_out, const char *characteristic, const uint8_t *plain, size_t n) {
	const struct host *host = user;

	for (size_t i = 0; host->secrets != NULL && host->secrets[i] != NULL; i++) {
		assert_null(memmem(plain, n, host->secrets[i], strlen(host->secrets[i])));
	}
}

#define SESSION_HOST_CALLS                                                                         \
	.arm = host_arm, .evidence = host_evidence, .log = host_log, .slots = host_slots,          \
	.settings = host_settings, .keys = host_keys, .gate = host_gate, .done = host_done,        \
	.trace = host_trace, .frame = host_frame
