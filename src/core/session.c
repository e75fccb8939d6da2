/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/bytes.h"

#define TRACE_MAX 416

void *session_alloc(size_t size, const struct session_impl *impl, const struct session_host *host,
	void *host_data) {
	struct session *session = calloc(1, size);

	if (session != NULL) {
		session->impl = impl;
		session->host = host;
		session->host_data = host_data;
	}
	return session;
}

struct session *session_discard(struct session *session, size_t size) {
	if (session != NULL) {
		wipe(session, size);
		free(session);
	}
	return NULL;
}

void session_trace(struct session *session, const char *format, ...) {
	char text[TRACE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	session->host->trace(session->host_data, text);
}

static void end(struct session *session, struct job_result *result) {
	session->impl->over(session, result);
	session_arm(session, 0);
	session->host->done(session->host_data, result);
}

void session_done(struct session *session) {
	struct job_result result = { 0 };

	session_trace(session, "done");
	end(session, &result);
}

void session_fail(struct session *session, enum fault_code code, const char *format, ...) {
	struct job_result result = { 0 };
	char detail[FAULT_DETAIL_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	(void) fault_set(&result.fault, code, "%s", detail);
	session_trace(session, "failed: %s, %s", fault_name(code), detail);
	end(session, &result);
}
