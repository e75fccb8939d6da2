/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json-model.h"
#include "judge.h"
#include "room.h"
#include "util/log.h"
#include "util/text.h"

/* ---- what the hub tells ---- */

static void on_op_finished(struct listener *listener, void *data) {
	struct diag *diag = container_of(listener, struct diag, op_finished);

	runs_op_finished(diag, data);
	fixes_op_finished(diag, data);
}

static void on_scan_ended(struct listener *listener, void *data) {
	(void) data;
	runs_scan_ended(container_of(listener, struct diag, scan_ended));
}

static void on_sync_changed(struct listener *listener, void *data) {
	fixes_sync_changed(container_of(listener, struct diag, sync_changed), data);
}

static void on_lock_changed(struct listener *listener, void *data) {
	const struct lock_change *change = data;

	/* What comes with each advertisement is judged with the next thing that matters. */
	if ((change->what & ~(unsigned) (FACT_HEARD | FACT_SIGNAL | FACT_QUEUE | FACT_CLOCK)) !=
		0) {
		views_touch(container_of(listener, struct diag, lock_changed), change->lock);
	}
}

static void on_lock_added(struct listener *listener, void *data) {
	views_lock_added(container_of(listener, struct diag, lock_added), data);
}

static void on_lock_removed(struct listener *listener, void *data) {
	struct diag *diag = container_of(listener, struct diag, lock_removed);

	runs_lock_removed(diag, data);
	views_lock_removed(diag, data);
}

static void on_radio_changed(struct listener *listener, void *data) {
	(void) data;
	views_touch(container_of(listener, struct diag, radio_changed), NULL);
}

static void on_event(struct listener *listener, void *data) {
	const struct event *event = data;

	if (event->kind == EVENT_ALARM && !event->is_history) {
		views_hurry(container_of(listener, struct diag, event), event->lock_id);
	}
}

/* ---- life ---- */

struct diag *diag_new(const struct diag_config *config) {
	struct hub_signals *signals = hub_signals(config->hub);
	struct diag *diag = calloc(1, sizeof(*diag));

	if (diag == NULL) {
		return NULL;
	}
	diag->hub = config->hub;
	diag->clock = hub_clock(config->hub);
	(void) text_copy(diag->version, sizeof(diag->version),
		config->version != NULL ? config->version : LOCKHUB_VERSION);
	list_init(&diag->runs);
	list_init(&diag->fixes);
	list_init(&diag->views);
	signal_init(&diag->changed);
	diag->models = models_new(config->models);
	if (diag->models == NULL) {
		free(diag);
		return NULL;
	}
	log_debug("model data: %zu files", models_count(diag->models));
	signal_add(&signals->op_finished, &diag->op_finished, on_op_finished);
	signal_add(&signals->scan_ended, &diag->scan_ended, on_scan_ended);
	signal_add(&signals->sync_changed, &diag->sync_changed, on_sync_changed);
	signal_add(&signals->lock_changed, &diag->lock_changed, on_lock_changed);
	signal_add(&signals->lock_added, &diag->lock_added, on_lock_added);
	signal_add(&signals->lock_removed, &diag->lock_removed, on_lock_removed);
	signal_add(&signals->radio_changed, &diag->radio_changed, on_radio_changed);
	signal_add(&signals->event, &diag->event, on_event);
	for (size_t i = 0; i < hub_lock_count(diag->hub); i++) {
		views_lock_added(diag, hub_lock_at(diag->hub, i));
	}
	return diag;
}

void diag_stop(struct diag *diag) {
	if (diag == NULL) {
		return;
	}
	struct listener *listeners[] = { &diag->op_finished, &diag->scan_ended, &diag->sync_changed,
		&diag->lock_changed, &diag->lock_added, &diag->lock_removed, &diag->radio_changed,
		&diag->event };
	for (size_t i = 0; i < ARRAY_SIZE(listeners); i++) {
		listener_remove(listeners[i]);
	}
	views_free_all(diag);
	fixes_cancel_all(diag);
	runs_cancel_all(diag);
}

struct diag *diag_free(struct diag *diag) {
	if (diag == NULL) {
		return NULL;
	}
	diag_stop(diag);
	signal_finish(&diag->changed);
	models_free(diag->models);
	free(diag);
	return NULL;
}

void diag_add_source(struct diag *diag, const struct diag_source *source) {
	if (diag->n_sources < DIAG_SOURCES_MAX) {
		diag->sources[diag->n_sources++] = *source;
	}
}

const struct model *diag_model(struct diag *diag, const struct lock *lock) {
	const struct version_facts *versions = &lock_status(lock)->versions;

	return models_find(
		diag->models, lock_driver(lock)->name, versions->firmware, versions->model);
}

mono_t diag_next_due(const struct diag *diag) {
	return mono_min(fixes_next_due(diag), views_next_due(diag));
}

void diag_run_due(struct diag *diag) {
	fixes_run_due(diag);
	views_run_due(diag);
}

/* ---- what can be done ---- */

/* Which operation a remedy is. */
bool act_of_remedy(enum remedy_act remedy, enum act *ret) {
	switch (remedy) {
	case REMEDY_SET_CLOCK:
		*ret = ACT_SET_TIME;
		return true;
	case REMEDY_RESTART_LOCK:
		*ret = ACT_REBOOT;
		return true;
	case REMEDY_CALIBRATE:
		*ret = ACT_CALIBRATE;
		return true;
	case REMEDY_IMPORT_LOG:
		*ret = ACT_READ_LOG;
		return true;
	case REMEDY_BY_PERSON:
	case REMEDY_MEASURE:
	case REMEDY_SYNC_CODES:
	case REMEDY_POWER_ADAPTER:
	case REMEDY_RESTART_BLUEZ:
	case REMEDY_RECONNECT_BROKER:
	case REMEDY_BACKUP:
		break;
	}
	return false;
}

static bool source_can(const struct diag *diag, enum remedy_act act) {
	for (size_t i = 0; i < diag->n_sources; i++) {
		const struct diag_source *source = &diag->sources[i];

		if (source->can != NULL && source->can(source->user, act)) {
			return true;
		}
	}
	return false;
}

bool diag_can(const struct diag *diag, enum remedy_act remedy, const struct lock *lock) {
	struct sync_status sync = { 0 };
	enum act act = ACT_NONE;

	if (act_of_remedy(remedy, &act)) {
		return lock != NULL && (lock_acts(lock) & 1U << act) != 0;
	}
	switch (remedy) {
	case REMEDY_MEASURE:
		return true;
	case REMEDY_SYNC_CODES:
		if (lock != NULL) {
			hub_sync_status(diag->hub, lock_id(lock), &sync);
		}
		return sync.is_supported;
	case REMEDY_POWER_ADAPTER:
	case REMEDY_RESTART_BLUEZ:
	case REMEDY_RECONNECT_BROKER:
	case REMEDY_BACKUP:
		return source_can(diag, remedy);
	case REMEDY_BY_PERSON:
	case REMEDY_SET_CLOCK:
	case REMEDY_RESTART_LOCK:
	case REMEDY_CALIBRATE:
	case REMEDY_IMPORT_LOG:
		break;
	}
	return false;
}

enum role diag_role_for(enum remedy_act remedy) {
	enum act act = ACT_NONE;

	if (act_of_remedy(remedy, &act)) {
		return policy_role_for(act);
	}
	return remedy == REMEDY_MEASURE || remedy == REMEDY_BY_PERSON ? ROLE_OPERATE : ROLE_MANAGE;
}

/* ---- diagnoses ---- */

struct caller {
	struct diag_callbacks callbacks;
	char *json; /* while it is handed out */
};

static void on_progress(void *user, const char *text, unsigned done, unsigned all) {
	const struct caller *caller = user;

	if (caller->callbacks.progress != NULL) {
		caller->callbacks.progress(caller->callbacks.user, text, done, all);
	}
}

static void on_done(void *user, json_t *take_json, const char *worst, const struct fault *fault) {
	struct caller *caller = user;
	char *text = take_json != NULL ? json_dumps(take_json, JSON_COMPACT) : NULL;
	struct fault no_memory;

	if (fault == NULL && text == NULL) {
		(void) fault_set(&no_memory, FAULT_NO_MEMORY, "the diagnosis");
		fault = &no_memory;
	}
	caller->callbacks.done(caller->callbacks.user, text, fault == NULL ? worst : "", fault);
	free(text);
	json_decref(take_json);
	free(caller);
}

static bool is_full(const struct diag *diag) {
	const struct list *at;
	size_t n = 0;

	for (at = diag->runs.next; at != &diag->runs; at = at->next) {
		n++;
	}
	return n >= DIAG_RUNS_MAX;
}

int diag_run(struct diag *diag, const struct diag_request *request,
	const struct diag_callbacks *callbacks, struct fault *ret_fault) {
	enum role role = request->is_quiet ? ROLE_VIEW : ROLE_OPERATE;
	struct run_hooks hooks = { .progress = on_progress, .done = on_done };
	struct caller *caller;
	int r;

	if (request->role < role) {
		return fault_set(ret_fault, FAULT_DENIED,
			"a diagnosis asks the lock, which needs the role %s; %s has %s",
			role_name(role), request->actor, role_name(request->role));
	}
	if (is_full(diag)) {
		return fault_set(
			ret_fault, FAULT_QUEUE_FULL, "%d diagnoses are under way", DIAG_RUNS_MAX);
	}
	caller = calloc(1, sizeof(*caller));
	if (caller == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "the diagnosis");
	}
	caller->callbacks = *callbacks;
	hooks.user = caller;
	r = run_start(diag, request, (mono_t){ 0 }, &hooks, NULL, ret_fault);
	if (r < 0) {
		free(caller);
	}
	return r;
}

/* ---- the history ---- */

struct history_call {
	struct diag *diag;
	char lock_id[LOCK_ID_MAX];
	char slug[LOCK_SLUG_MAX];
	wall_t since;
	struct diag_callbacks callbacks;
};

static void on_history(void *user, const struct history *history, const struct fault *fault) {
	struct history_call *call = user;
	AUTO(free) char *text = NULL;
	struct lock_facts *facts = calloc(1, sizeof(*facts));
	const struct lock *lock =
		fault == NULL ? hub_find_lock(call->diag->hub, call->lock_id) : NULL;
	struct fault problem = { .code = FAULT_NONE };

	if (fault == NULL && lock != NULL && facts != NULL) {
		lock_facts_init(facts);
		facts->model = diag_model(call->diag, lock);
		gather_history(call->diag, history, facts);
		json_t *json = json_history(
			call->lock_id, call->slug, call->since, history, &facts->forecast);
		(void) json_object_set_new(json, "model_data", json_model(facts->model));
		text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
		json_decref(json);
	} else if (fault == NULL && lock == NULL) {
		(void) fault_set(&problem, FAULT_NO_SUCH_LOCK, "it was removed just now");
		fault = &problem;
	}
	if (fault == NULL && text == NULL) {
		(void) fault_set(&problem, FAULT_NO_MEMORY, "the history");
		fault = &problem;
	}
	call->callbacks.done(call->callbacks.user, text, "", fault);
	free(facts);
	free(call);
}

int diag_history(struct diag *diag, const char *word, wall_t since,
	const struct diag_callbacks *callbacks, struct fault *ret_fault) {
	struct history_query query = { .since = since };
	struct history_call *call;
	struct lock *lock = NULL;
	int r = hub_get_lock(diag->hub, word, &lock, ret_fault);

	if (r < 0 || lock == NULL) {
		return r;
	}
	call = calloc(1, sizeof(*call));
	if (call == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "the history");
	}
	call->diag = diag;
	call->since = since;
	call->callbacks = *callbacks;
	(void) text_copy(call->lock_id, sizeof(call->lock_id), lock_id(lock));
	(void) text_copy(call->slug, sizeof(call->slug), lock_slug(lock));
	(void) text_copy(query.lock_id, sizeof(query.lock_id), lock_id(lock));
	hub_history(diag->hub, &query, on_history, call);
	return 0;
}

struct signal *diag_changed(struct diag *diag) {
	return &diag->changed;
}
