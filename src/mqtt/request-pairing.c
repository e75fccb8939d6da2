/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * permit_pairing: for so many seconds each lock that is heard in pairing mode is paired, one after
 * the other. Somebody has to stand at the lock and press its button for that; and what is paired so
 * opens for nobody but by what the hub knows already. A lock that wants its PIN for pairing is
 * named and left alone: a PIN never goes by MQTT.
 *
 *	scan ─► discovered, in pairing mode ─► hub_pair() ─► op finished ─► scan ─► ... time is over
 */

#include <string.h>

#include "util/log.h"
#include "util/text.h"

#include "request-room.h"

#define TICK_MS 10000
#define TRIES_PER_LOCK 2
#define PAIRED_MAX 8 /* in one window */

static bool is_open(const struct pairing *pairing) {
	return pairing->until.ms != 0;
}

static int64_t left_ms(const struct requests *requests) {
	int64_t left = mono_since(mqtt_now(requests->mqtt), requests->pairing.until);

	return is_open(&requests->pairing) && left > 0 ? left : 0;
}

static json_t *told(const struct requests *requests) {
	const struct pairing *pairing = &requests->pairing;
	json_t *object = json_object();

	request_put(object, "open", json_boolean(is_open(pairing)));
	request_put(object, "seconds", json_integer((left_ms(requests) + 999) / 1000));
	request_put(object, "pairing",
		pairing->op_id[0] != '\0' ? request_text(pairing->name) : json_null());
	request_put(object, "paired", json_integer(pairing->n_paired));
	request_put(object, "fault", request_fault(&pairing->fault, NULL));
	return object;
}

static void show(struct requests *requests) {
	json_t *object = told(requests);
	AUTO(free) char *text = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	if (text != NULL) {
		(void) leaf_set(requests->pairing.leaf, text);
	}
}

static void scan_on(struct requests *requests) {
	struct pairing *pairing = &requests->pairing;
	struct fault fault;

	if (is_open(pairing) && pairing->op_id[0] == '\0' && left_ms(requests) > 0 &&
		hub_scan(requests->mqtt->hub, (unsigned) left_ms(requests), &fault) < 0) {
		pairing->fault = fault;
	}
}

static void close_window(struct requests *requests) {
	struct pairing *pairing = &requests->pairing;

	if (!is_open(pairing)) {
		return;
	}
	pairing->until.ms = 0;
	loop_timer_disarm(pairing->tick);
	if (pairing->op_id[0] == '\0') {
		hub_scan_stop(requests->mqtt->hub);
	}
	log_notice("pairing by MQTT is over; %u locks were paired", pairing->n_paired);
}

static bool may_try(struct pairing *pairing, const char *address) {
	size_t i = 0;

	while (i < pairing->n_tries && strcmp(pairing->tries[i].address, address) != 0) {
		i++;
	}
	if (i == PAIRING_TRIES_MAX) {
		return false;
	}
	if (i == pairing->n_tries) {
		(void) text_copy(
			pairing->tries[i].address, sizeof(pairing->tries[i].address), address);
		pairing->n_tries++;
	}
	return pairing->tries[i].n++ < TRIES_PER_LOCK;
}

static bool is_paired_already(const struct hub *hub, const char *address) {
	return hub_find_lock(hub, address) != NULL;
}

static void begin(struct requests *requests, const struct sighting *sighting) {
	struct pairing *pairing = &requests->pairing;
	struct pair_request request = {
		.origin = REQUEST_MQTT,
		.role = ROLE_MANAGE,
		.actor = "mqtt",
	};
	struct op *op = NULL;
	struct fault fault;

	if (sighting->needs_pin) {
		(void) fault_set(&pairing->fault, FAULT_PIN_REQUIRED,
			"for %s; pair it with lockhubctl pair", sighting->address);
		return;
	}
	(void) text_copy(request.address, sizeof(request.address), sighting->address);
	if (hub_pair(requests->mqtt->hub, &request, &op, &fault) < 0) {
		log_fault(&fault, NULL, NULL);
		pairing->fault = fault;
		return;
	}
	(void) text_copy(pairing->op_id, sizeof(pairing->op_id), op->id);
	(void) text_copy(pairing->name, sizeof(pairing->name),
		sighting->name[0] != '\0' ? sighting->name : sighting->address);
}

/* The first in pairing mode that has not been tried enough. */
static void look(struct requests *requests) {
	struct pairing *pairing = &requests->pairing;
	const struct hub *hub = requests->mqtt->hub;

	for (size_t i = 0; i < hub_discovered_count(hub); i++) {
		struct sighting sighting = *hub_discovered_at(hub, i);
		if (!is_open(pairing) || pairing->op_id[0] != '\0' ||
			pairing->n_paired >= PAIRED_MAX) {
			break;
		}
		if (sighting.is_pairing && !is_paired_already(hub, sighting.address) &&
			may_try(pairing, sighting.address)) {
			begin(requests, &sighting);
		}
	}
	show(requests);
}

static void on_tick(void *user) {
	struct requests *requests = user;

	if (left_ms(requests) == 0) {
		close_window(requests);
	} else {
		int64_t left = left_ms(requests);
		loop_timer_arm(
			requests->pairing.tick, (uint64_t) (left < TICK_MS ? left : TICK_MS));
		if (!hub_is_scanning(requests->mqtt->hub)) {
			scan_on(requests);
		}
	}
	look(requests);
}

static void discovered(struct listener *listener, void *data) {
	struct requests *requests = container_of(listener, struct requests, pairing.on_discovered);
	const struct sighting *sighting = data;

	/* Not from inside the radio's call: the tick is the loop's. */
	if (is_open(&requests->pairing) && sighting->is_pairing) {
		loop_timer_arm(requests->pairing.tick, 0);
	}
}

static void scan_ended(struct listener *listener, void *data) {
	struct requests *requests = container_of(listener, struct requests, pairing.on_scan_ended);
	const struct fault *fault = data;

	if (is_open(&requests->pairing) && fault != NULL) {
		requests->pairing.fault = *fault;
	}
}

void pairing_op_finished(struct requests *requests, const struct op *op) {
	struct pairing *pairing = &requests->pairing;

	if (pairing->op_id[0] == '\0' || strcmp(pairing->op_id, op->id) != 0) {
		return;
	}
	pairing->op_id[0] = '\0';
	if (op->outcome == OP_DONE) {
		pairing->n_paired++;
		pairing->fault.code = FAULT_NONE;
	} else {
		pairing->fault = op->fault;
	}
	if (is_open(pairing)) {
		loop_timer_arm(pairing->tick, 0); /* the next one, or the scan again */
	}
	show(requests);
}

int request_pairing(struct request_call *call, struct fault *ret_fault) {
	struct requests *requests = call->requests;
	struct pairing *pairing = &requests->pairing;
	struct fault fault;

	if (call->intake.seconds == 0) {
		close_window(requests);
	} else {
		if (!is_open(pairing)) {
			pairing->n_tries = 0;
			pairing->n_paired = 0;
			pairing->fault.code = FAULT_NONE;
		}
		if (pairing->op_id[0] == '\0' &&
			hub_scan(requests->mqtt->hub, call->intake.seconds * 1000, &fault) < 0) {
			*ret_fault = fault;
			return fault_errno(fault.code);
		}
		pairing->until =
			mono_after(mqtt_now(requests->mqtt), (int64_t) call->intake.seconds * 1000);
		loop_timer_arm(pairing->tick, 0);
		log_notice("for %u s each lock in pairing mode is paired, as asked by MQTT",
			call->intake.seconds);
	}
	show(requests);
	request_answer(call, told(requests));
	return 0;
}

bool pairing_begin(struct requests *requests) {
	struct hub_signals *signals = hub_signals(requests->mqtt->hub);
	struct pairing *pairing = &requests->pairing;
	char topic[TOPIC_MAX];

	pairing->tick = loop_timer_new(requests->mqtt->loop, on_tick, requests);
	signal_add(&signals->discovered, &pairing->on_discovered, discovered);
	signal_add(&signals->scan_ended, &pairing->on_scan_ended, scan_ended);
	if (requests->mqtt->config.requests == MQTT_REQUESTS_ADMIN) {
		pairing->leaf = shelf_add(requests->mqtt->shelf, STAGE_STATE,
			topic_of(&requests->mqtt->discovery.topics, "hub", "pairing", topic),
			false);
		if (pairing->leaf == NULL) {
			return false;
		}
		show(requests);
	}
	return pairing->tick != NULL;
}

void pairing_finish(struct requests *requests) {
	struct pairing *pairing = &requests->pairing;

	pairing->tick = loop_timer_free(pairing->tick);
	listener_remove(&pairing->on_discovered);
	listener_remove(&pairing->on_scan_ended);
}
