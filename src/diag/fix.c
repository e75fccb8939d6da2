/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A remedy that the hub carries out by itself, or that a person says is done, between two
 * measurements.
 *
 *	measure ─► keep the attempt ─► do it
 *	        ─► measure again, until it is better or patience is over
 *	        ─► keep how it ended ─► done
 *
 * Whether it helped is read from the check that the remedy names: it was bad and is not any more.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "room.h"
#include "util/text.h"

/* The same order as it goes. */
enum fix_stage {
	FIX_BEFORE,  /* being measured */
	FIX_KEEPING, /* the attempt goes to the disk */
	FIX_DOING,
	FIX_SETTLING, /* done; it may take a while to show */
	FIX_AFTER,
	FIX_CLOSING, /* how it ended goes to the disk */
};

#define AGAIN_MS 3000
#define SYNC_PATIENCE_MS 60000

struct measured {
	enum check_result result;
	bool is_found; /* the finding itself */
	char text[ATTEMPT_TEXT_MAX];
};

struct fix {
	struct list link;
	struct diag *diag;
	struct fix_request request;
	char lock_id[LOCK_ID_MAX];
	enum fault_code fault;
	const struct remedy *remedy;
	struct diag_callbacks callbacks;
	enum fix_stage stage;
	struct run *run; /* under way */
	bool is_keeping; /* an answer of the ledger is to come */
	bool is_dropped;
	char op_id[OP_ID_MAX];
	struct attempt attempt;
	struct measured before, after;
	mono_t done_at; /* what was known before does not count */
	wall_t asked;   /* when the codes were to be written; 0: not yet */
	mono_t due;     /* of the next step, or MONO_NEVER */
	mono_t patience;
	struct fault trouble; /* why it could not be carried out */
	json_t *diagnosis;
};

static void fix_free(struct fix *fix) {
	list_remove(&fix->link);
	run_drop(fix->run);
	json_decref(fix->diagnosis);
	free(fix);
}

static mono_t now_of(const struct fix *fix) {
	return clock_mono(fix->diag->clock);
}

/* Takes @take_json. */
static void answer(
	struct fix *fix, json_t *take_json, const char *worst, const struct fault *fault) {
	const struct diag_callbacks callbacks = fix->callbacks;
	char *text = take_json != NULL ? json_dumps(take_json, JSON_COMPACT) : NULL;
	struct fault no_memory;

	json_decref(take_json);
	if (fault == NULL && text == NULL) {
		(void) fault_set(&no_memory, FAULT_NO_MEMORY, "the diagnosis");
		fault = &no_memory;
	}
	if (fix->is_keeping) {
		list_remove(&fix->link);
		list_init(&fix->link);
		fix->is_dropped = true;
	} else {
		fix_free(fix);
	}
	callbacks.done(callbacks.user, text, fault == NULL ? worst : "", fault);
	free(text);
}

static void give_up(struct fix *fix, const struct fault *fault) {
	answer(fix, NULL, "", fault);
}

/* ---- measuring ---- */

static void keep_proof(const struct judgement *judgement, const char *check, struct measured *ret) {
	ret->result = CHECK_UNKNOWN;
	for (size_t i = 0; i < judgement->n_checks; i++) {
		const struct check_row *row = &judgement->checks[i];

		if (text_equal(row->name, check)) {
			ret->result = row->result;
			(void) proofs_text(
				row->proofs, row->n_proofs, ret->text, sizeof(ret->text));
			if (ret->text[0] == '\0') {
				(void) snprintf(ret->text, sizeof(ret->text), "%s: %s", row->title,
					check_result_name(row->result));
			}
		}
	}
}

/*
 * What was found is the evidence, and not that some other check, by which the remedy is verified,
 * had nothing to say at that time.
 */
static void keep_finding(const struct finding *finding, const char *check, struct measured *ret) {
	ret->is_found = true;
	if (!text_equal(finding->check, check) && finding->n_proofs > 0) {
		(void) proofs_text(
			finding->proofs, finding->n_proofs, ret->text, sizeof(ret->text));
	}
}

static void on_judged(void *user, const char *lock_id_, const struct diag_facts *facts,
	const struct judgement *judgement) {
	struct fix *fix = user;
	struct measured *ret = fix->stage == FIX_BEFORE ? &fix->before : &fix->after;

	(void) facts;
	if (strcmp(lock_id_, fix->lock_id) != 0) {
		return;
	}
	memset(ret, 0, sizeof(*ret));
	keep_proof(judgement, fix->remedy->verify, ret);
	for (size_t i = 0; i < judgement->n_findings; i++) {
		if (judgement->findings[i].fault == fix->fault) {
			keep_finding(&judgement->findings[i], fix->remedy->verify, ret);
		}
	}
}

static void on_progress(void *user, const char *text, unsigned done, unsigned all) {
	const struct fix *fix = user;

	if (fix->callbacks.progress != NULL) {
		fix->callbacks.progress(fix->callbacks.user, text, done, all);
	}
}

static void say(const struct fix *fix, const char *text) {
	on_progress((void *) fix, text, 0, 0);
}

static void keep(struct fix *fix);
static void close_it(struct fix *fix);

static bool is_better(const struct fix *fix) {
	return fix->after.result == CHECK_OK && !fix->after.is_found;
}

static void on_measured(
	void *user, json_t *take_json, const char *worst, const struct fault *fault) {
	struct fix *fix = user;

	(void) worst;
	fix->run = NULL;
	json_decref(fix->diagnosis);
	fix->diagnosis = take_json;
	if (fault != NULL) {
		give_up(fix, fault);
		return;
	}
	if (fix->stage == FIX_BEFORE) {
		keep(fix);
	} else if (!is_better(fix) && now_of(fix).ms < fix->patience.ms) {
		fix->stage = FIX_SETTLING;
		fix->due = mono_after(now_of(fix), AGAIN_MS);
	} else {
		close_it(fix);
	}
}

static int measure(struct fix *fix, struct fault *ret_fault) {
	struct diag_request request = { .is_hub_only = fix->lock_id[0] == '\0',
		.role = fix->request.role,
		.origin = fix->request.origin };
	struct run_hooks hooks = {
		.judged = on_judged, .progress = on_progress, .done = on_measured, .user = fix
	};

	(void) text_copy(request.lock, sizeof(request.lock), fix->lock_id);
	(void) text_copy(request.actor, sizeof(request.actor), fix->request.actor);
	return run_start(fix->diag, &request, fix->done_at, &hooks, &fix->run, ret_fault);
}

static void measure_again(struct fix *fix) {
	struct fault fault = { .code = FAULT_NONE };

	fix->stage = FIX_AFTER;
	fix->due = MONO_NEVER;
	if (measure(fix, &fault) < 0) {
		give_up(fix, &fault);
	}
}

/* ---- how it ended ---- */

static enum attempt_outcome judge(const struct fix *fix) {
	if (fix->trouble.code != FAULT_NONE) {
		return ATTEMPT_FAILED;
	}
	if (is_better(fix)) {
		bool was_bad = fix->before.result != CHECK_OK || fix->before.is_found;

		return was_bad ? ATTEMPT_HELPED : ATTEMPT_NO_CHANGE;
	}
	return fix->after.result == CHECK_UNKNOWN || fix->after.result == CHECK_SKIPPED
		       ? ATTEMPT_UNVERIFIED
		       : ATTEMPT_NO_CHANGE;
}

/* Everything is known now; that the end could not be kept is said with it. */
static void conclude(struct fix *fix, const struct fault *fault) {
	json_t *json = json_object();
	const char *worst = json_string_value(json_object_get(fix->diagnosis, "worst"));
	char text[FAULT_TEXT_MAX];

	(void) json_object_set_new(
		json, "outcome", json_string(attempt_outcome_name(fix->attempt.outcome)));
	(void) json_object_set_new(json, "before", json_string(fix->before.text));
	(void) json_object_set_new(json, "after", json_string(fix->attempt.after));
	if (fix->trouble.code != FAULT_NONE) {
		(void) json_object_set_new(
			json, "fault", json_string(fault_name(fix->trouble.code)));
		(void) fault_text(&fix->trouble, text);
		text_sanitize(text);
		(void) json_object_set_new(json, "message", json_string(text));
		(void) json_object_set_new(
			json, "hint", json_string(fault_hint(fix->trouble.code, NULL, text)));
	}
	if (fault != NULL) {
		(void) fault_text(fault, text);
		text_sanitize(text);
		(void) json_object_set_new(json, "not_kept", json_string(text));
	}
	(void) json_object_set(json, "diagnosis", fix->diagnosis);
	/* Static words, whatever becomes of the JSON. */
	answer(fix, json,
		text_equal(worst, "findings")    ? "findings"
		: text_equal(worst, "unchecked") ? "unchecked"
						 : "healthy",
		NULL);
}

static void on_closed(void *user, const struct fault *fault) {
	struct fix *fix = user;

	fix->is_keeping = false;
	if (fix->is_dropped) {
		fix_free(fix);
		return;
	}
	views_hurry(fix->diag, fix->lock_id);
	conclude(fix, fault);
}

static void close_it(struct fix *fix) {
	struct fault fault = { .code = FAULT_NONE };

	fix->stage = FIX_CLOSING;
	fix->attempt.outcome = judge(fix);
	fix->attempt.ended_at = clock_wall(fix->diag->clock);
	if (fix->trouble.code != FAULT_NONE) {
		char text[FAULT_TEXT_MAX];

		(void) text_copy(fix->attempt.after, sizeof(fix->attempt.after),
			fault_text(&fix->trouble, text));
		text_sanitize(fix->attempt.after);
	} else {
		(void) text_copy(fix->attempt.after, sizeof(fix->attempt.after), fix->after.text);
	}
	fix->is_keeping = true;
	if (hub_attempt_put(fix->diag->hub, &fix->attempt, on_closed, fix, &fault) < 0) {
		fix->is_keeping = false;
		conclude(fix, &fault);
	}
}

/* ---- doing it ---- */

/* What shows only after a while: how long is waited for it at most. */
static int64_t patience_ms(enum remedy_act act) {
	switch (act) {
	case REMEDY_MEASURE: /* "Wait a minute" */
	case REMEDY_RESTART_LOCK:
	case REMEDY_POWER_ADAPTER:
	case REMEDY_RESTART_BLUEZ:
		return 60000;
	case REMEDY_RECONNECT_BROKER:
	case REMEDY_BACKUP:
		return 30000;
	case REMEDY_BY_PERSON:
	case REMEDY_SET_CLOCK:
	case REMEDY_CALIBRATE:
	case REMEDY_SYNC_CODES:
	case REMEDY_IMPORT_LOG:
		break;
	}
	return 0;
}

static void was_done(struct fix *fix, const struct fault *fault) {
	mono_t now = now_of(fix);
	int64_t patience = patience_ms(fix->remedy->act);

	fix->op_id[0] = '\0';
	fix->due = MONO_NEVER;
	fix->stage = FIX_SETTLING;
	if (fault != NULL) {
		fix->trouble = *fault;
		patience = 0;
	}
	/* Not later than what comes next: the same millisecond counts as new. */
	fix->done_at = now;
	fix->patience = mono_after(now, patience);
	fix->due = patience > 0 ? mono_after(now, AGAIN_MS) : now;
}

static int do_source(struct fix *fix, struct fault *ret_fault) {
	for (size_t i = 0; i < fix->diag->n_sources; i++) {
		const struct diag_source *source = &fix->diag->sources[i];
		int r = source->act != NULL ? source->act(source->user, fix->remedy->act, ret_fault)
					    : -ENOTSUP;

		if (r != -ENOTSUP) {
			return r;
		}
	}
	return fault_set(
		ret_fault, FAULT_NOT_SUPPORTED, "%s, as this hub is set up", fix->remedy->name);
}

/* It was begun, and somebody has refused it since: waiting longer is in vain. */
static void note_refusal(struct fix *fix) {
	for (size_t i = 0; i < fix->diag->n_sources && fix->trouble.code == FAULT_NONE; i++) {
		const struct diag_source *source = &fix->diag->sources[i];
		struct fault fault = { .code = FAULT_NONE };

		if (source->outcome != NULL &&
			source->outcome(source->user, fix->remedy->act, &fault) < 0) {
			fix->trouble = fault;
			fix->patience = now_of(fix);
		}
	}
}

static int do_operation(struct fix *fix, enum act act, struct fault *ret_fault) {
	struct request request = {
		.act = act, .origin = fix->request.origin, .role = fix->request.role
	};
	struct op *op = NULL;
	int r;

	(void) text_copy(request.lock, sizeof(request.lock), fix->lock_id);
	(void) text_copy(request.actor, sizeof(request.actor), fix->request.actor);
	r = hub_request(fix->diag->hub, &request, &op, ret_fault);
	if (r >= 0 && op != NULL) {
		(void) text_copy(fix->op_id, sizeof(fix->op_id), op->id);
	}
	return r;
}

static int do_sync(struct fix *fix, struct fault *ret_fault) {
	const struct people_by by = { .actor = fix->request.actor, .role = fix->request.role };
	int r = hub_code_sync(fix->diag->hub, fix->lock_id, &by, ret_fault);

	/* Only now: that it was asked for changes something, too, and is told from inside. */
	fix->asked = clock_wall(fix->diag->clock);
	fix->due = mono_after(now_of(fix), SYNC_PATIENCE_MS);
	return r;
}

static void carry_out(struct fix *fix) {
	struct fault fault = { .code = FAULT_NONE };
	enum act act = ACT_NONE;
	bool is_waiting = true;
	int r = 0;

	fix->stage = FIX_DOING;
	fix->due = MONO_NEVER;
	say(fix, fix->remedy->title);
	if (act_of_remedy(fix->remedy->act, &act)) {
		r = do_operation(fix, act, &fault);
	} else if (fix->remedy->act == REMEDY_SYNC_CODES) {
		r = do_sync(fix, &fault);
	} else {
		/* What a person has done is done; to wait and measure is all that is to be done. */
		bool is_nothing =
			fix->remedy->act == REMEDY_MEASURE || fix->remedy->act == REMEDY_BY_PERSON;
		is_waiting = false;
		r = is_nothing ? 0 : do_source(fix, &fault);
	}
	if (r < 0) {
		was_done(fix, &fault);
	} else if (!is_waiting) {
		was_done(fix, NULL);
	}
}

void fixes_op_finished(struct diag *diag, const struct op *op) {
	struct fix *fix, *following;

	list_for_each_safe(fix, following, &diag->fixes, link) {
		if (fix->stage == FIX_DOING && strcmp(fix->op_id, op->id) == 0) {
			was_done(fix, op->outcome == OP_DONE ? NULL : &op->fault);
		}
	}
}

void fixes_sync_changed(struct diag *diag, const struct lock *lock) {
	struct fix *fix, *following;

	list_for_each_safe(fix, following, &diag->fixes, link) {
		struct sync_status sync = { 0 };

		if (fix->stage != FIX_DOING || fix->asked.s == 0 ||
			strcmp(fix->lock_id, lock_id(lock)) != 0) {
			continue;
		}
		hub_sync_status(diag->hub, fix->lock_id, &sync);
		/* A list that was read since then shows all as it should be. */
		bool is_over =
			sync.n_pending + sync.n_leaving == 0 && sync.read_at.s >= fix->asked.s;

		if (!sync.is_running && sync.fault.code != FAULT_NONE) {
			was_done(fix, &sync.fault);
		} else if (is_over) {
			was_done(fix, NULL);
		}
	}
}

mono_t fixes_next_due(const struct diag *diag) {
	const struct fix *fix;
	mono_t due = MONO_NEVER;

	list_for_each(fix, &diag->fixes, link) {
		due = mono_min(due, fix->due);
	}
	return due;
}

void fixes_run_due(struct diag *diag) {
	mono_t now = clock_mono(diag->clock);
	struct fix *fix, *following;

	list_for_each_safe(fix, following, &diag->fixes, link) {
		if (!mono_is_due(fix->due, now)) {
			continue;
		}
		if (fix->stage == FIX_SETTLING) {
			note_refusal(fix);
			measure_again(fix);
		} else if (fix->stage == FIX_DOING) {
			was_done(fix, NULL); /* it takes longer than that: what has been done? */
		} else {
			fix->due = MONO_NEVER;
		}
	}
}

/* ---- beginning ---- */

static void on_kept(void *user, const struct fault *fault) {
	struct fix *fix = user;

	fix->is_keeping = false;
	if (fix->is_dropped) {
		fix_free(fix);
	} else if (fault != NULL) {
		give_up(fix, fault);
	} else {
		carry_out(fix);
	}
}

/* What cannot be written down is not begun: nobody could tell afterwards what was tried. */
static void keep(struct fix *fix) {
	struct attempt *attempt = &fix->attempt;
	struct fault fault = { .code = FAULT_NONE };

	fix->stage = FIX_KEEPING;
	(void) text_copy(attempt->lock_id, sizeof(attempt->lock_id), fix->lock_id);
	(void) text_copy(attempt->fault, sizeof(attempt->fault), fix->request.fault);
	(void) text_copy(attempt->remedy, sizeof(attempt->remedy), fix->remedy->name);
	(void) text_copy(attempt->by, sizeof(attempt->by), fix->request.actor);
	(void) text_copy(attempt->before, sizeof(attempt->before), fix->before.text);
	attempt->begun_at = clock_wall(fix->diag->clock);
	attempt->outcome = ATTEMPT_RUNNING;
	fix->is_keeping = true;
	if (hub_attempt_put(fix->diag->hub, attempt, on_kept, fix, &fault) < 0) {
		fix->is_keeping = false;
		give_up(fix, &fault);
	}
}

static bool is_advised(enum fault_code fault, const char *remedy) {
	const struct advice *advice = advice_for(fault);

	for (size_t i = 0; advice != NULL && advice->remedies[i] != NULL; i++) {
		if (strcmp(advice->remedies[i], remedy) == 0) {
			return true;
		}
	}
	return false;
}

static int check(const struct diag *diag, const struct fix_request *request,
	const struct lock *lock, const struct remedy *remedy, enum fault_code fault,
	struct fault *ret_fault) {
	if (request->fault[0] != '\0' && !is_advised(fault, remedy->name)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "%s does nothing about %s",
			remedy->name, request->fault);
	}
	if (remedy->act == REMEDY_BY_PERSON && !request->is_confirmed) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"%s is for a person to do, and nobody has said that it is done; lockhubctl "
			"doctor tells how",
			remedy->name);
	}
	if (remedy->act != REMEDY_BY_PERSON && !diag_can(diag, remedy->act, lock)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "the hub cannot do %s %s",
			remedy->name,
			lock != NULL ? "at this lock, or not without its PIN"
				     : "as it is set up (lockhubd.conf, [ble] and [mqtt])");
	}
	if (request->role < diag_role_for(remedy->act)) {
		return fault_set(ret_fault, FAULT_DENIED, "%s needs the role %s, %s has %s",
			remedy->name, role_name(diag_role_for(remedy->act)), request->actor,
			role_name(request->role));
	}
	if (remedy->confirm != NULL && remedy->confirm[0] != '\0' && !request->is_confirmed) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "it must be agreed to: %s", remedy->confirm);
	}
	return 0;
}

int diag_fix(struct diag *diag, const struct fix_request *request,
	const struct diag_callbacks *callbacks, struct fault *ret_fault) {
	const struct remedy *remedy = remedy_find(request->remedy);
	enum fault_code fault = FAULT_NONE;
	struct lock *lock = NULL;
	struct fix *fix;
	int r = 0;

	if (remedy == NULL) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "there is no remedy '%s'", request->remedy);
	}
	if (request->fault[0] != '\0' && fault_from_name(request->fault, &fault) < 0) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "there is no fault '%s'", request->fault);
	}
	if (request->lock[0] != '\0') {
		r = hub_get_lock(diag->hub, request->lock, &lock, ret_fault);
	}
	r = r < 0 ? r : check(diag, request, lock, remedy, fault, ret_fault);
	if (r < 0) {
		return r;
	}
	fix = calloc(1, sizeof(*fix));
	if (fix == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "the remedy");
	}
	list_init(&fix->link);
	fix->diag = diag;
	fix->request = *request;
	fix->remedy = remedy;
	fix->fault = fault;
	fix->callbacks = *callbacks;
	fix->due = MONO_NEVER;
	if (lock != NULL) {
		(void) text_copy(fix->lock_id, sizeof(fix->lock_id), lock_id(lock));
	}
	r = measure(fix, ret_fault);
	if (r < 0) {
		fix_free(fix);
		return r;
	}
	list_append(&diag->fixes, &fix->link);
	return 0;
}

void fixes_cancel_all(struct diag *diag) {
	struct fix *fix, *following;

	list_for_each_safe(fix, following, &diag->fixes, link) {
		struct fault fault;

		(void) fault_set(&fault, FAULT_CANCELLED, "the hub stops");
		run_drop(STEAL(fix->run));
		give_up(fix, &fault);
	}
}
