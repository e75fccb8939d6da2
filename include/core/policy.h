/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The one gate (docs/architecture.md, flow 2). Who asks, in which role, how fresh, seen before?
 * Pure: all it needs comes in struct request and struct policy, so that every rule is a row in a
 * unit test.
 */

#include "core/op.h"

enum request_origin { REQUEST_HUB, REQUEST_DBUS, REQUEST_MQTT };

#define REQUEST_ID_MAX 64
#define LEARN_S 30
#define LEARN_S_MIN 10
#define LEARN_S_MAX 120

struct request {
	enum act act;
	char lock[LOCK_SLUG_MAX]; /* id or slug */
	enum request_origin origin;
	enum role role;                /* what the edge found the asker to be */
	char actor[EVENT_USER_MAX];    /* for the log: "anna (uid 1000)", "mqtt" */
	bool is_retained;              /* MQTT: delivered with the retain flag */
	char dedup_id[REQUEST_ID_MAX]; /* sender's id of this request; "" none */
	/* When the request came in, if that was before this call (somebody had to be asked); 0:
	 * now. */
	mono_t received;
	/* Sender's clock, ms since 1970; 0 none. Judged only when our own clock is trusted. */
	int64_t sent_at_ms;
	/* How long the sender would wait at most, from now on; 0: as long as the act's own limit.
	 */
	int64_t patience_ms;
	/* ACT_VERIFY_PIN (set-pin) */
	struct secret pin;
	/* ACT_PUT_TIMER, ACT_REMOVE_TIMER */
	struct lock_timer timer;
	/* ACT_PUT_SETTING: as the asker wrote it */
	struct setting setting;
	/* ACT_PUT_CREDENTIAL: what somebody is to present at the lock, and whose it will be. */
	struct learn_request {
		char user[LOCK_NAME_MAX]; /* any word that finds the user */
		enum credential_type type;
		char label[64];
		unsigned seconds; /* LEARN_S_MIN..LEARN_S_MAX for each touch; 0: LEARN_S */
	} learn;
	/* The second factor as the asker gave it: personal code, TOTP or both; empty none. */
	struct secret factor;
};

struct policy {
	bool allow_mqtt_unlock; /* false: MQTT may lock but not unlock or unlatch */
	int64_t max_age_ms;     /* of sent_at_ms; default 30000 */
	int64_t max_ahead_ms;   /* default 30000 */
	int64_t dedup_ms;       /* same id: ignored for this long; default 600000 */
	int64_t repeat_ms;      /* MQTT, no id: identical act ignored for this long; default 2000 */
};

void policy_defaults(struct policy *policy);
/* The least role for an act. */
enum role policy_role_for(enum act act);

/* Whether the act opens the door, now or in the end. */
bool policy_opens(enum act act);

/* What the gate remembers: ids of the last requests. */
#define POLICY_SEEN_MAX 256
struct policy_seen {
	struct {
		char key[REQUEST_ID_MAX + 32];
		enum act act;
		mono_t at;
	} rows[POLICY_SEEN_MAX];
	unsigned next;
};

/*
 * 0: pass (and remembered in @seen), or a fault: DENIED, RETAINED_COMMAND, DUPLICATE, EXPIRED,
 * BAD_COMMAND. @now_ms_wall: our wall clock in ms; @is_trusted: whether it may be believed.
 */
int policy_check(const struct policy *policy, struct policy_seen *seen,
	const struct request *request, mono_t now, int64_t now_ms_wall, bool is_trusted,
	struct fault *ret_fault);
