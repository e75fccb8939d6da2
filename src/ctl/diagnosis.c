/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What lockhubd says about the health of the hub and its locks. */

#include "room.h"

#include <errno.h>
#include <string.h>

#include "util/text.h"

/* Every lock of a hub may be asked, one after the other, and each may be out of reach. */
#define DIAGNOSE_TIMEOUT_US (600 * 1000000ULL)

static int on_progress(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct ctl *ctl = user;
	const char *text;
	uint32_t done, all;
	if (sd_bus_message_read(message, "suu", &text, &done, &all) >= 0) {
		char line[LINE_TEXT_MAX];
		text_copy(line, sizeof(line), text);
		text_sanitize(line);
		if (all > 0) {
			progress(ctl, "%s ... (%u of %u)", line, done, all);
		} else {
			progress(ctl, "%s ...", line);
		}
	}
	return 0;
}

static json_t *parse(struct ctl *ctl, sd_bus_message *reply, const char *what) {
	const char *text;
	json_error_t error;
	if (sd_bus_message_read(reply, "s", &text) < 0) {
		return facts_unreadable(ctl);
	}
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(value)) {
		complain(ctl, "the %s that lockhubd gave cannot be read", what);
		json_decref(value);
		return NULL;
	}
	return value;
}

struct answer {
	struct ctl *ctl;
	const char *about;
	json_t *json;
	bool is_there;
};

static int on_answer(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct answer *answer = user;
	progress_end(answer->ctl);
	answer->is_there = true;
	if (sd_bus_message_is_method_error(message, NULL) > 0) {
		talk_explain(answer->ctl, sd_bus_message_get_error(message), answer->about);
	} else {
		answer->json = parse(answer->ctl, message, "diagnosis");
	}
	return 0;
}

/* Asynchronously: its progress is told by signals meanwhile. */
static json_t *ask(struct ctl *ctl, sd_bus_message *call, const char *about) {
	struct answer answer = { .ctl = ctl, .about = about };
	talk_long(ctl, call,
		&(struct long_call){ .signal = "DiagnosisProgress",
			.on_progress = on_progress,
			.on_answer = on_answer,
			.answer = &answer,
			.is_there = &answer.is_there,
			.timeout_us = DIAGNOSE_TIMEOUT_US });
	return answer.json;
}

json_t *diagnosis_fetch(struct ctl *ctl, const char *word, unsigned flags) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	if (word != NULL && !text_is_utf8(word, strlen(word))) {
		complain(ctl, "a lock's name is UTF-8 text");
		return NULL;
	}
	if (talk_new(ctl, MANAGER_PATH, MANAGER_INTERFACE, "Diagnose", &call) < 0) {
		return NULL;
	}
	int r = sd_bus_message_append(call, "sa{sv}", word != NULL ? word : "", 3, "quiet", "b",
		(int) ((flags & DIAGNOSE_QUIET) != 0), "security", "b",
		(int) ((flags & DIAGNOSE_SECURITY) != 0), "hub_only", "b",
		(int) ((flags & DIAGNOSE_HUB_ONLY) != 0));
	if (r < 0) {
		complain(ctl, "Diagnose: %s", strerror(-r));
		return NULL;
	}
	progress(ctl, "Looking ... (Ctrl-C ends it)");
	return ask(ctl, call, word);
}

json_t *diagnosis_fix(struct ctl *ctl, const char *word, const char *fault, const char *remedy,
	bool is_confirmed) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	if (!text_is_utf8(word, strlen(word)) || !text_is_utf8(fault, strlen(fault)) ||
		!text_is_utf8(remedy, strlen(remedy))) {
		complain(ctl, "names are UTF-8 text");
		return NULL;
	}
	if (talk_new(ctl, MANAGER_PATH, MANAGER_INTERFACE, "Fix", &call) < 0) {
		return NULL;
	}
	int r = sd_bus_message_append(
		call, "sssa{sv}", word, fault, remedy, 1, "confirmed", "b", (int) is_confirmed);
	if (r < 0) {
		complain(ctl, "Fix: %s", strerror(-r));
		return NULL;
	}
	progress(ctl, "Measuring ...");
	return ask(ctl, call, word[0] != '\0' ? word : NULL);
}

json_t *history_fetch(struct ctl *ctl, const char *path, const char *about) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(ctl, path, LOCK_INTERFACE, "History", about, &reply, "a{sv}", 0) < 0) {
		return NULL;
	}
	return parse(ctl, reply, "history");
}

json_t *note_fetch(struct ctl *ctl, const char *path, const char *about, const char *key) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	AUTO(json_decref) json_t *history = NULL;
	/* Notes are told whatever their age; of the rest nothing is wanted here. */
	if (talk_call(ctl, path, LOCK_INTERFACE, "History", about, &reply, "a{sv}", 1, "since", "x",
		    moment_now()) < 0) {
		return NULL;
	}
	history = parse(ctl, reply, "history");
	return json_incref(json_object_get(json_object_get(history, "notes"), key));
}

json_t *diagnosis_locks(struct ctl *ctl, const json_t *diagnosis) {
	json_t *locks = json_object();
	const json_t *target;
	size_t i;
	json_array_foreach(json_object_get(diagnosis, "targets"), i, target) {
		const char *slug = facts_text(target, "lock");
		char path[PATH_TEXT_MAX];
		if (slug[0] == '\0' || talk_find_lock(ctl, slug, path) < 0) {
			continue;
		}
		json_t *lock = json_object();
		json_t *facts = facts_fetch_lock(ctl, path);
		json_t *history = history_fetch(ctl, path, slug);
		if (facts != NULL) {
			json_object_set_new(lock, "facts", facts);
		}
		if (history != NULL) {
			json_object_set_new(lock, "history", history);
		}
		json_object_set_new(locks, slug, lock);
	}
	return locks;
}
