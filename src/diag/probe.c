/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a run asks the locks: their state, configuration and battery, where nothing newer than a
 * minute is known.
 *
 * A lock that is away keeps its question for up to 45 s, so that asking one after the other would
 * take minutes. All questions are RADIO_NEED_EVENT: whoever wants to open a door goes before them,
 * and which adapter connects when is the radio's business. What went wrong only because too much
 * was asked at a time says nothing of the lock, and is asked again.
 */
#include <string.h>

#include "run.h"
#include "util/text.h"

#define FRESH_MS 60000
/*
 * Locks that are asked at the same time: as many as an adapter on a serial line has slots for, the
 * least that the radio reckons with.
 */
#define ASKED_PER_ADAPTER 3
#define ASKED_MOST 12
#define ASKED_AGAIN_MOST 3 /* so that at last they are asked one by one */

static const enum act probe_acts[PROBES_PER_LOCK] = { ACT_READ_STATE, ACT_READ_CONFIG,
	ACT_READ_BATTERY };

/* What keeps one question from the lock keeps all of them. */
static bool is_hopeless(enum fault_code fault) {
	switch (fault) {
	case FAULT_LOCK_NOT_HEARD:
	case FAULT_LOCK_UNREACHABLE:
	case FAULT_LOCK_SILENT:
	case FAULT_ADAPTER_MISSING:
	case FAULT_ADAPTER_OFF:
	case FAULT_ADAPTER_BLOCKED:
	case FAULT_BLUEZ_MISSING:
	case FAULT_BLUEZ_HUNG:
	case FAULT_BLUEZ_DENIED:
	case FAULT_BUS_LOST:
	case FAULT_GATT_MISMATCH:
	case FAULT_NOT_AUTHORIZED:
	case FAULT_EXPIRED:
		return true;
	default: /* RULE R3: a list of a few among many */
		return false;
	}
}

/* The last thing that was asked of it did not get through: then old answers prove nothing. */
static bool is_in_doubt(const struct run *run, const char *id) {
	for (size_t i = hub_op_count(run->diag->hub); i > 0; i--) {
		const struct op *op = hub_op_at(run->diag->hub, i - 1);

		if (op->state == OP_FINISHED && strcmp(op->lock_id, id) == 0) {
			return op->outcome != OP_DONE && is_hopeless(op->fault.code);
		}
	}
	return false;
}

static bool is_fresh(const struct run *run, const struct known *known) {
	int64_t since = clock_mono(run->diag->clock).ms - FRESH_MS;

	return known->how == EVIDENCE_ANSWERED && known->at.ms >= since &&
	       known->at.ms >= run->stale_before.ms;
}

static bool is_needed(const struct run *run, const struct lock *lock, enum act act) {
	const struct lock_status *status = lock_status(lock);

	if ((lock_acts(lock) & 1U << act) == 0) {
		return false;
	}
	if (!lock_is_reachable(lock) || is_in_doubt(run, lock_id(lock))) {
		return true;
	}
	switch (act) {
	case ACT_READ_STATE:
		return !is_fresh(run, &status->bolt_known);
	case ACT_READ_CONFIG:
		return !is_fresh(run, &status->config_known);
	case ACT_READ_BATTERY:
		return !is_fresh(run, &status->report_known);
	default: /* RULE R3: the others are no probes */
		return false;
	}
}

static const char *words_of(enum act act) {
	switch (act) {
	case ACT_READ_STATE:
		return "asking how it is";
	case ACT_READ_CONFIG:
		return "reading its configuration";
	case ACT_READ_BATTERY:
		return "reading the battery";
	default: /* RULE R3: the others are no probes */
		return "asking";
	}
}

/* The radio was not free for it, which is our doing and not the lock's. */
static bool is_crowded_out(const struct asked *asked, const struct fault *fault) {
	return asked->was_crowded && asked->n_again < ASKED_AGAIN_MOST &&
	       (fault->code == FAULT_RADIO_BUSY || fault->code == FAULT_EXPIRED ||
		       fault->code == FAULT_QUEUE_FULL);
}

static void probe_ended(struct run *run, struct asked *asked, const struct fault *fault) {
	struct probe *probe = &asked->probes[asked->n_probes];

	asked->op_id[0] = '\0';
	if (fault != NULL && is_crowded_out(asked, fault)) {
		asked->n_again++;
		run->at_once = run->at_once > 1 ? run->at_once / 2 : 1;
		return;
	}
	asked->n_probes++;
	probe->act = probe_acts[asked->next_probe];
	probe->was_tried = true;
	probe->is_done = fault == NULL;
	probe->took_ms = mono_since(asked->since, clock_mono(run->diag->clock));
	if (fault != NULL) {
		probe->fault = *fault;
		asked->is_cut_short = is_hopeless(fault->code);
	}
	asked->next_probe++;
	run->step++;
}

/* @return true when it is under way. */
static bool begin_probe(
	struct run *run, struct asked *asked, const struct lock *lock, enum act act) {
	/* That the asker may have the lock asked was checked at the begin: the hub asks. */
	struct request request = { .act = act, .origin = REQUEST_HUB, .role = ROLE_MANAGE };
	struct fault fault = { .code = FAULT_NONE };
	struct op *op = NULL;

	(void) text_copy(request.lock, sizeof(request.lock), lock_id(lock));
	(void) text_copy(request.actor, sizeof(request.actor), run->request.actor);
	asked->since = clock_mono(run->diag->clock);
	run_tell(run, lock_slug(lock), words_of(act));
	if (hub_request(run->diag->hub, &request, &op, &fault) < 0 || op == NULL) {
		probe_ended(run, asked, &fault);
		return false;
	}
	(void) text_copy(asked->op_id, sizeof(asked->op_id), op->id);
	return true;
}

static struct asked *asked_by_op(struct run *run, const char *op_id) {
	for (size_t i = 0; i < run->n_locks; i++) {
		if (run->locks[i].op_id[0] != '\0' && strcmp(run->locks[i].op_id, op_id) == 0) {
			return &run->locks[i];
		}
	}
	return NULL;
}

/*
 * Puts the next question to this lock, skipping what need not be asked.
 * @return true when one is under way.
 */
static bool ask_on(struct run *run, struct asked *asked) {
	const struct lock *lock = hub_find_lock(run->diag->hub, asked->id);
	struct radio_status radio;

	hub_radio_status(run->diag->hub, &radio);
	while (asked->next_probe < PROBES_PER_LOCK) {
		enum act act = probe_acts[asked->next_probe];

		if (lock == NULL || asked->is_cut_short || run->request.is_quiet ||
			run->request.is_security || (!radio.is_ready && !radio.is_starting) ||
			!is_needed(run, lock, act)) {
			asked->next_probe++;
			run->step++;
		} else if (begin_probe(run, asked, lock, act)) {
			return true;
		}
	}
	return false;
}

static unsigned n_under_way(const struct run *run) {
	unsigned n = 0;

	for (size_t i = 0; i < run->n_locks; i++) {
		n += run->locks[i].op_id[0] != '\0';
	}
	return n;
}

void run_probe_begin(struct run *run) {
	for (size_t i = 0; i < run->from_sources.n_adapters; i++) {
		if (run->from_sources.adapters[i].is_powered == FLAG_YES) {
			run->at_once += ASKED_PER_ADAPTER;
		}
	}
	run->at_once = run->at_once == 0           ? 1
		       : run->at_once > ASKED_MOST ? ASKED_MOST
						   : run->at_once;
}

bool run_probe(struct run *run) {
	unsigned n = n_under_way(run);

	/* In the order of the locks: who was begun with is also done with first. */
	for (size_t i = 0; i < run->n_locks && n < run->at_once; i++) {
		if (run->locks[i].op_id[0] == '\0') {
			n += ask_on(run, &run->locks[i]);
		}
	}
	for (size_t i = 0; i < run->n_locks; i++) {
		/* Once crowded, whatever comes of this question. */
		run->locks[i].was_crowded =
			(run->locks[i].op_id[0] != '\0') && (run->locks[i].was_crowded || n > 1);
	}
	return n > 0;
}

bool run_probe_finished(struct run *run, const struct op *op) {
	struct asked *asked = asked_by_op(run, op->id);

	if (asked == NULL) {
		return false;
	}
	probe_ended(run, asked, op->outcome == OP_DONE ? NULL : &op->fault);
	return true;
}

void run_probe_leave(struct run *run, struct asked *asked) {
	asked->op_id[0] = '\0';
	run->step += (unsigned) (PROBES_PER_LOCK - asked->next_probe);
	asked->next_probe = PROBES_PER_LOCK;
}
