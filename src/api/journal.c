/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Manager.QueryLog and VerifyLog: the database answers later.
 */

#include "room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bus.h"
#include "util/bytes.h"

/* An answer is made in one turn of the loop (L5); "before" leads to the next page. */
#define LOG_LIMIT_MAX 500
#define LOG_LIMIT_DEFAULT 50

/* NULL: the message has been answered. */
static struct late *begin_answer(struct api *api, sd_bus_message *message) {
	struct late *answer = api->answers.n < ANSWERS_MAX ? calloc(1, sizeof(*answer)) : NULL;
	if (answer == NULL) {
		sd_bus_reply_method_errorf(message, SD_BUS_ERROR_LIMITS_EXCEEDED,
			"Too many questions to the log at once");
		return NULL;
	}
	late_begin(answer, &api->answers, api, message);
	return answer;
}

static void answer_free(struct late *answer) {
	late_end(answer);
	free(answer);
}

static void on_events(void *user, const struct event *events, size_t n, const struct fault *fault) {
	struct late *answer = user;
	sd_bus_message *reply = NULL;
	if (late_refuse(answer, fault)) {
		answer_free(answer);
		return;
	}
	int r = sd_bus_message_new_method_return(answer->message, &reply);
	if (r >= 0) {
		r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	}
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = value_event(reply, answer->api, &events[i]);
	}
	if (r >= 0) {
		r = sd_bus_message_close_container(reply);
	}
	late_answer(answer, reply, r);
	answer_free(answer);
}

static void on_verified(void *user, const struct log_verify *result, const struct fault *fault) {
	struct late *answer = user;
	sd_bus_message *reply = NULL;
	if (late_refuse(answer, fault)) {
		answer_free(answer);
		return;
	}
	int r = sd_bus_message_new_method_return(answer->message, &reply);
	if (r >= 0) {
		r = sd_bus_message_append(reply, "a{sv}", 6, "ok", "b", result->bad_seq == 0,
			"rows", "x", result->n_rows, "first_seq", "x", result->first_seq,
			"last_seq", "x", result->last_seq, "bad_seq", "x", result->bad_seq,
			"reason", "s",
			text_is_utf8(result->reason, strlen(result->reason)) ? result->reason : "");
	}
	late_answer(answer, reply, r);
	answer_free(answer);
}

enum filter_key {
	FILTER_LOCK,
	FILTER_SINCE,
	FILTER_UNTIL,
	FILTER_USER,
	FILTER_TYPE,
	FILTER_AFTER,
	FILTER_BEFORE,
	FILTER_LIMIT,
	FILTER_OLDEST_FIRST,
};
static const char *const filter_keys[] = {
	[FILTER_LOCK] = "lock",
	[FILTER_SINCE] = "since",
	[FILTER_UNTIL] = "until",
	[FILTER_USER] = "user",
	[FILTER_TYPE] = "type",
	[FILTER_AFTER] = "after",
	[FILTER_BEFORE] = "before",
	[FILTER_LIMIT] = "limit",
	[FILTER_OLDEST_FIRST] = "oldest_first",
};

static bool is_event_word(const char *word) {
	for (const char *const *each = event_words(); *each != NULL; each++) {
		if (strcmp(*each, word) == 0) {
			return true;
		}
	}
	return false;
}

static int set_type(struct log_query *query, const char *word, struct fault *ret_fault) {
	if (!is_event_word(word)) {
		const char *const *words = event_words();
		size_t n = 0;
		while (words[n] != NULL) {
			n++;
		}
		const char *nearest = text_nearest(word, words, n);
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"there is no event type '%.32s'%s%s%s", word,
			nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
			nearest != NULL ? "'?" : "");
	}
	text_copy(query->word, sizeof(query->word), word);
	return 0;
}

static int set_lock(
	const struct hub *hub, struct log_query *query, const char *word, struct fault *ret_fault) {
	struct lock *lock = NULL;
	/* An id may be one of a lock that was unpaired: its events are still there. */
	uint8_t id[(LOCK_ID_MAX - 1) / 2];
	if (hub_find_lock(hub, word) == NULL && hex_decode(word, id, sizeof(id)) == 0) {
		text_copy(query->lock_id, sizeof(query->lock_id), word);
		return 0;
	}
	int r = hub_get_lock(hub, word, &lock, ret_fault);
	if (r >= 0) {
		text_copy(query->lock_id, sizeof(query->lock_id), lock_id(lock));
	}
	return r;
}

static int set_text_filter(const struct hub *hub, struct log_query *query, enum filter_key key,
	sd_bus_message *message, struct fault *ret_fault) {
	const char *text;
	int r = sd_bus_message_read(message, "v", "s", &text);
	if (r < 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "filter %s must be a string",
			filter_keys[key]);
	}
	if (key == FILTER_TYPE) {
		return set_type(query, text, ret_fault);
	}
	if (key == FILTER_LOCK) {
		return set_lock(hub, query, text, ret_fault);
	}
	/* Whatever finds a user; else a name as it stands in the log, of somebody who has gone. */
	const struct user *found = book_find_user(hub_book(hub), text);
	text_copy(query->user, sizeof(query->user), found != NULL ? found->name : text);
	return 0;
}

static int set_number_filter(struct log_query *query, enum filter_key key, sd_bus_message *message,
	struct fault *ret_fault) {
	int64_t value;
	int r = sd_bus_message_read(message, "v", "x", &value);
	if (r < 0 || value < 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"filter %s must be a number (x), not negative", filter_keys[key]);
	}
	if (key == FILTER_SINCE) {
		query->since.s = value;
	} else if (key == FILTER_UNTIL) {
		query->until.s = value;
	} else if (key == FILTER_AFTER) {
		query->after_seq = value;
	} else if (key == FILTER_BEFORE) {
		query->before_seq = value;
	} else if (value < 1 || value > LOG_LIMIT_MAX) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "filter limit must be 1..%d", LOG_LIMIT_MAX);
	} else {
		query->limit = (unsigned) value;
	}
	return 0;
}

struct filters {
	const struct hub *hub;
	struct log_query *query;
	struct fault *fault;
};

static int read_filter(sd_bus_message *message, const char *key, void *user) {
	const struct filters *filters = user;
	struct log_query *query = filters->query;
	struct fault *ret_fault = filters->fault;
	size_t i = 0;
	while (i < ARRAY_SIZE(filter_keys) && strcmp(filter_keys[i], key) != 0) {
		i++;
	}
	switch ((enum filter_key) i) {
	case FILTER_LOCK:
	case FILTER_USER:
	case FILTER_TYPE:
		return set_text_filter(
			filters->hub, query, (enum filter_key) i, message, ret_fault);
	case FILTER_SINCE:
	case FILTER_UNTIL:
	case FILTER_AFTER:
	case FILTER_BEFORE:
	case FILTER_LIMIT:
		return set_number_filter(query, (enum filter_key) i, message, ret_fault);
	case FILTER_OLDEST_FIRST: {
		int value;
		if (sd_bus_message_read(message, "v", "b", &value) < 0) {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
				"filter oldest_first must be a boolean");
		}
		query->is_oldest_first = value;
		return 0;
	}
	}
	const char *nearest = text_nearest(key, filter_keys, ARRAY_SIZE(filter_keys));
	return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "there is no filter '%.32s'%s%s%s", key,
		nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
		nearest != NULL ? "'?" : "");
}

static int read_query(const struct hub *hub, sd_bus_message *message, struct log_query *ret_query,
	struct fault *ret_fault) {
	struct filters filters = { hub, ret_query, ret_fault };
	const int r = bus_each_property(message, read_filter, &filters);
	if (r < 0 && ret_fault->code == FAULT_NONE) {
		fault_set(ret_fault, FAULT_BAD_ARGUMENT, "the filter cannot be read");
	}
	return r;
}

void manager_query_log(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct log_query query = { .limit = LOG_LIMIT_DEFAULT };
	struct fault fault = { 0 };
	if (read_query(api->hub, message, &query, &fault) < 0) {
		reply_fault(message, &fault);
		return;
	}
	struct late *answer = begin_answer(api, message);
	if (answer != NULL) {
		hub_query_log(api->hub, &query, on_events, answer);
	}
}

void manager_verify_log(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct late *answer = begin_answer(api, message);
	if (answer != NULL) {
		hub_verify_log(api->hub, on_verified, answer);
	}
}
