/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What Home Assistant is shown of each lock: judged in passing, of what is known already, when
 * something that matters has changed; at most once a minute, and once a day because days pass. An
 * alarm is judged at once, and so is what was done about it; the second one within a minute waits.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "room.h"
#include "util/text.h"

#define APART_MS 60000
/* What changes together is judged together. */
#define SETTLE_MS 2000
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define LINK_DAYS 7
#define LINK_ATTEMPTS_LEAST 5

struct view {
	struct list link;
	struct diag *diag;
	char lock_id[LOCK_ID_MAX];
	struct diag_view view;
	mono_t judged;
	bool was_judged;
	bool was_hurried; /* since the minute was kept last */
	mono_t due;
	struct run *run; /* under way */
};

static struct view *find(const struct diag *diag, const char *id) {
	struct view *view;

	list_for_each(view, &diag->views, link) {
		if (strcmp(view->lock_id, id) == 0) {
			return view;
		}
	}
	return NULL;
}

static void blank(struct diag_view *view) {
	memset(view, 0, sizeof(*view));
	view->link_percent = -1;
	view->forecast.reason = "nothing has been read yet";
}

static void view_free(struct view *view) {
	run_drop(view->run);
	list_remove(&view->link);
	free(view);
}

static void touch(struct view *view) {
	mono_t now = clock_mono(view->diag->clock);
	mono_t due = mono_after(now, SETTLE_MS);

	if (view->was_judged && mono_after(view->judged, APART_MS).ms > due.ms) {
		due = mono_after(view->judged, APART_MS);
	}
	view->due = mono_min(view->due, due);
}

void views_lock_added(struct diag *diag, const struct lock *lock) {
	struct view *view = find(diag, lock_id(lock)) == NULL ? calloc(1, sizeof(*view)) : NULL;

	if (view == NULL) {
		return; /* nothing to be shown of it, then */
	}
	view->diag = diag;
	(void) text_copy(view->lock_id, sizeof(view->lock_id), lock_id(lock));
	blank(&view->view);
	view->due = MONO_NEVER;
	list_append(&diag->views, &view->link);
	touch(view);
}

void views_lock_removed(struct diag *diag, const struct lock *lock) {
	struct view *view = find(diag, lock_id(lock));

	if (view != NULL) {
		view_free(view);
	}
}

void views_touch(struct diag *diag, const struct lock *lock) {
	struct view *view;

	list_for_each(view, &diag->views, link) {
		if (lock == NULL || strcmp(view->lock_id, lock_id(lock)) == 0) {
			touch(view);
		}
	}
}

void views_hurry(struct diag *diag, const char *id) {
	struct view *view = find(diag, id);

	if (view == NULL) {
		return;
	}
	if (view->was_hurried) {
		touch(view);
		return;
	}
	view->was_hurried = true;
	view->due = mono_min(view->due, mono_after(clock_mono(diag->clock), SETTLE_MS));
}

void views_free_all(struct diag *diag) {
	struct view *view, *following;

	list_for_each_safe(view, following, &diag->views, link) {
		view_free(view);
	}
}

/* ---- judging ---- */

static int link_percent(const struct history *history, wall_t now) {
	int32_t first = (int32_t) (now.s / 86400) - (LINK_DAYS - 1);
	uint64_t attempts = 0;
	uint64_t failures = 0;

	for (size_t i = 0; i < history->n_days; i++) {
		if (history->days[i].day >= first) {
			attempts += history->days[i].counts[DAY_ATTEMPTS];
			failures += history->days[i].counts[DAY_FAILURES];
		}
	}
	if (attempts < LINK_ATTEMPTS_LEAST || failures > attempts) {
		return -1;
	}
	return (int) ((attempts - failures) * 100 / attempts);
}

static wall_t battery_changed_at(const struct history *history) {
	for (size_t i = history->n_samples; i > 0; i--) {
		if (history->samples[i - 1].kind == SAMPLE_BATTERY_CHANGED) {
			return history->samples[i - 1].at;
		}
	}
	return (wall_t){ 0 };
}

static void fill(const struct lock_facts *facts, const struct judgement *judgement, wall_t now,
	struct diag_view *ret) {
	blank(ret);
	for (size_t i = 0; i < judgement->n_findings; i++) {
		const struct finding *finding = &judgement->findings[i];

		if (ret->n_faults == 0) {
			ret->first = *finding;
		}
		ret->faults[ret->n_faults++] = finding->fault;
	}
	(void) text_copy(ret->verdict, sizeof(ret->verdict), judgement->verdict);
	ret->forecast = facts->forecast;
	ret->link_percent = link_percent(&facts->history, now);
	ret->battery_changed_at = battery_changed_at(&facts->history);
}

static bool is_different(const struct diag_view *a, const struct diag_view *b) {
	return a->first.fault != b->first.fault || a->n_faults != b->n_faults ||
	       memcmp(a->faults, b->faults, a->n_faults * sizeof(a->faults[0])) != 0 ||
	       a->forecast.is_known != b->forecast.is_known ||
	       (a->forecast.is_known && floor(a->forecast.days) != floor(b->forecast.days)) ||
	       a->link_percent != b->link_percent ||
	       a->battery_changed_at.s != b->battery_changed_at.s;
}

static void on_judged(void *user, const char *lock_id_, const struct diag_facts *facts,
	const struct judgement *judgement) {
	struct view *view = user;
	struct diag_view *now;
	struct lock *lock;

	if (lock_id_[0] == '\0' || facts->lock == NULL) {
		return;
	}
	now = calloc(1, sizeof(*now));
	lock = hub_find_lock(view->diag->hub, view->lock_id);
	if (now == NULL || lock == NULL) {
		free(now);
		return;
	}
	fill(facts->lock, judgement, facts->hub.now, now);
	bool is_news = !view->was_judged || is_different(&view->view, now);
	view->view = *now;
	view->was_judged = true;
	free(now);
	if (is_news) {
		signal_emit(&view->diag->changed, lock);
	}
}

static void on_done(void *user, json_t *take_json, const char *worst, const struct fault *fault) {
	struct view *view = user;

	(void) worst;
	(void) fault;
	view->run = NULL;
	json_decref(take_json);
}

static void judge(struct view *view) {
	struct diag_request request = { .is_quiet = true, .role = ROLE_VIEW };
	struct run_hooks hooks = {
		.judged = on_judged, .done = on_done, .user = view, .is_in_passing = true
	};
	struct fault fault;
	mono_t now = clock_mono(view->diag->clock);

	(void) text_copy(request.lock, sizeof(request.lock), view->lock_id);
	if (view->was_judged && mono_since(view->judged, now) >= APART_MS) {
		view->was_hurried = false;
	}
	view->judged = now;
	view->due = mono_after(now, DAY_MS);
	(void) run_start(view->diag, &request, (mono_t){ 0 }, &hooks, &view->run, &fault);
}

/* One at a time: a thousand locks must not take a thousand times the memory at once. */
static bool is_busy(const struct diag *diag) {
	const struct view *view;

	list_for_each(view, &diag->views, link) {
		if (view->run != NULL) {
			return true;
		}
	}
	return false;
}

mono_t views_next_due(const struct diag *diag) {
	const struct view *view;
	mono_t due = MONO_NEVER;

	if (is_busy(diag)) {
		return MONO_NEVER; /* the answer that it waits for turns the loop */
	}
	list_for_each(view, &diag->views, link) {
		due = mono_min(due, view->due);
	}
	return due;
}

void views_run_due(struct diag *diag) {
	mono_t now = clock_mono(diag->clock);
	struct view *view;

	if (is_busy(diag)) {
		return;
	}
	list_for_each(view, &diag->views, link) {
		if (mono_is_due(view->due, now)) {
			judge(view);
			return;
		}
	}
}

void diag_view(struct diag *diag, const struct lock *lock, struct diag_view *ret) {
	const struct view *view = find(diag, lock_id(lock));

	if (view != NULL) {
		*ret = view->view;
	} else {
		blank(ret);
	}
}
