/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What every driver's session does alike: how it is made and freed, how it speaks to its host, and
 * how a job ends. A session of a brand is a struct whose first member is struct session. Loop
 * thread, as all of core/driver.h.
 */

#include "core/driver.h"

/*
 * @size octets of zeros that begin with a struct session, which is filled in; NULL: no memory. To
 * be freed by session_discard() with the same size, from the brand's free().
 */
void *session_alloc(size_t size, const struct session_impl *impl, const struct session_host *host,
	void *host_data);
/* Wipes, too; takes NULL, returns NULL. */
struct session *session_discard(struct session *session, size_t size);

/* A line for the transcript, cut to 415 octets: never with keys, codes or PINs. */
void session_trace(struct session *session, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * The end of the job, and the last thing that an input function does: impl->over(), the timer off,
 * then the host's done(), which may start another.
 */
void session_done(struct session *session);
/* The same with a fault, traced with its @format as the detail. */
void session_fail(struct session *session, enum fault_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* To the host, see struct session_host. */
static inline void session_arm(struct session *session, unsigned ms) {
	session->host->arm(session->host_data, ms);
}
static inline void session_write(
	struct session *session, const char *characteristic, const uint8_t *buf, size_t n) {
	session->host->write(session->host_data, characteristic, buf, n);
}
static inline bool session_gate(struct session *session) {
	return session->host->gate(session->host_data);
}
static inline void session_evidence(struct session *session, const struct evidence *evidence) {
	session->host->evidence(session->host_data, evidence);
}
static inline void session_keys(struct session *session, const struct secret *keys) {
	session->host->keys(session->host_data, keys);
}
static inline void session_log(struct session *session, const struct log_entry *entries, size_t n) {
	session->host->log(session->host_data, entries, n);
}
static inline void session_slots(struct session *session, const struct slot *slots, size_t n) {
	session->host->slots(session->host_data, slots, n);
}

/* The following may be missing in a host, which then is told nothing. */
static inline void session_timers(
	struct session *session, const struct lock_timer *timers, size_t n) {
	if (session->host->timers != NULL) {
		session->host->timers(session->host_data, timers, n);
	}
}
static inline void session_presenting(struct session *session, unsigned n, unsigned n_all) {
	if (session->host->presenting != NULL) {
		session->host->presenting(session->host_data, n, n_all);
	}
}
static inline void session_settings(
	struct session *session, const struct setting *settings, size_t n) {
	if (session->host->settings != NULL) {
		session->host->settings(session->host_data, settings, n);
	}
}
static inline bool session_is_recorded(const struct session *session) {
	return session->host->frame != NULL;
}
static inline void session_frame(struct session *session, bool is_out, const char *characteristic,
	const uint8_t *plain, size_t n) {
	if (session_is_recorded(session)) {
		session->host->frame(session->host_data, is_out, characteristic, plain, n);
	}
}
