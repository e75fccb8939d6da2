/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"

#include <errno.h>
#include <string.h>

struct scan {
	struct ctl *ctl;
	scan_fn *heard;
	void *user;
	json_t *seen; /* by address */
	bool is_over;
	bool is_enough;
	bool is_failed;
};

/* What may change while one looks, and is worth showing again. */
static bool is_news(const json_t *before, const json_t *now) {
	return before == NULL || facts_flag(before, "pairing") != facts_flag(now, "pairing");
}

static void take_sighting(struct scan *scan, json_t *take_sighting) {
	AUTO(json_decref) json_t *sighting = take_sighting;
	const char *address = facts_text(sighting, "address");
	if (address[0] == '\0' || scan->is_enough) {
		return;
	}
	bool is_new = is_news(json_object_get(scan->seen, address), sighting);
	json_object_set(scan->seen, address, sighting);
	if (is_new && scan->heard(scan->user, sighting)) {
		scan->is_enough = true;
		scan->is_over = true;
	}
}

static int on_discovered(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	take_sighting(user, facts_of_sighting(wire_read(message)));
	return 0;
}

static int on_ended(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct scan *scan = user;
	const char *fault, *text, *hint;
	scan->is_over = true;
	if (sd_bus_message_read(message, "sss", &fault, &text, &hint) >= 0 &&
		strcmp(fault, "none") != 0) {
		complain(scan->ctl, "the search broke off: %s", text);
		advise(scan->ctl, "%s", hint);
		scan->is_failed = true;
	}
	return 0;
}

static int on_owner(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	struct scan *scan = user;
	const char *name, *before, *now;
	if (sd_bus_message_read(message, "sss", &name, &before, &now) >= 0 && now[0] == '\0') {
		complain(scan->ctl, "lockhubd stopped");
		advise(scan->ctl, "See why: journalctl -x -u lockhubd -n 50");
		scan->is_over = true;
		scan->is_failed = true;
	}
	return 0;
}

/* What was heard before this search: the hub keeps it for ten minutes. */
static int take_known(struct ctl *ctl, struct scan *scan) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	int r = talk_call(ctl, MANAGER_PATH, "org.freedesktop.DBus.Properties", "Get", NULL, &reply,
		"ss", MANAGER_INTERFACE, "DiscoveredLocks");
	if (r < 0) {
		return r;
	}
	AUTO(json_decref) json_t *list = wire_read(reply);
	size_t i;
	json_t *each;
	json_array_foreach(list, i, each) {
		take_sighting(scan, facts_of_sighting(json_incref(each)));
	}
	return 0;
}

static int listen(struct ctl *ctl, struct ears *ears, struct scan *scan) {
	if (talk_connect(ctl) < 0 ||
		talk_match(ctl, ears, MANAGER_PATH, MANAGER_INTERFACE, "Discovered", on_discovered,
			scan) < 0 ||
		talk_match(ctl, ears, MANAGER_PATH, MANAGER_INTERFACE, "ScanEnded", on_ended,
			scan) < 0 ||
		talk_match_owner(ctl, ears, on_owner, scan) < 0) {
		return CTL_FAILED;
	}
	return CTL_DONE;
}

static json_t *values_of(const json_t *object) {
	const char *key;
	json_t *value, *array = json_array();
	json_object_foreach((json_t *) object, key, value) {
		json_array_append(array, value);
	}
	return array;
}

int scan_run(struct ctl *ctl, uint64_t seconds, scan_fn *heard, void *user, json_t **ret_seen) {
	AUTO(json_decref) json_t *seen = json_object();
	struct scan scan = { .ctl = ctl, .heard = heard, .user = user, .seen = seen };
	AUTO_VALUE(ears_finish) struct ears ears = { 0 };
	const volatile int *stop = prompt_catch_interrupt();
	if (listen(ctl, &ears, &scan) != CTL_DONE || take_known(ctl, &scan) < 0) {
		return CTL_FAILED;
	}
	bool is_started = !scan.is_over;
	if (is_started && talk_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "Scan", NULL, NULL, "u",
				  (uint32_t) seconds) < 0) {
		return CTL_FAILED;
	}
	/* lockhubd ends it; the deadline is for one that forgets to. */
	int r = talk_until(ctl, &scan.is_over, talk_deadline(seconds + 10), stop);
	if (is_started && (r == -EINTR || scan.is_enough)) {
		/* The radio drains every battery in reach of it: no longer than needed. */
		talk_call(ctl, MANAGER_PATH, MANAGER_INTERFACE, "StopScan", NULL, NULL, "");
	}
	progress_end(ctl);
	if (r == -EINTR && !scan.is_failed) {
		complain(ctl, "interrupted");
		return CTL_FAILED;
	}
	if (r < 0 && r != -ETIMEDOUT) {
		complain(ctl, "the bus broke off: %s", strerror(-r));
		return CTL_FAILED;
	}
	if (ret_seen != NULL) {
		*ret_seen = values_of(seen);
	}
	return scan.is_failed ? CTL_FAILED : CTL_DONE;
}
