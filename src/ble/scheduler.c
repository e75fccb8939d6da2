/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scheduler.h"

#define RSSI_UNKNOWN (-100) /* as good as nothing heard, but still connectable */
#define RSSI_SWITCH_DB 5    /* a better adapter must be this much better */
#define RESERVE_FROM_SLOTS 3

bool sched_is_person(enum radio_need need) {
	return need == RADIO_NEED_LOCK || need == RADIO_NEED_UNLOCK;
}

/* Old age outranks all but people. */
static int rank_of(enum radio_need need, mono_t since, mono_t now) {
	if (sched_is_person(need)) {
		return 100 + (int) need;
	}
	return mono_since(since, now) >= SCHED_AGEING_MS ? 99 : (int) need;
}

int sched_compare(
	enum radio_need a, mono_t a_since, enum radio_need b, mono_t b_since, mono_t now) {
	int rank_a = rank_of(a, a_since, now);
	int rank_b = rank_of(b, b_since, now);

	if (rank_a != rank_b) {
		return rank_b - rank_a;
	}
	return a_since.ms < b_since.ms ? -1 : a_since.ms > b_since.ms;
}

static bool has_free_slot(const struct sched_adapter *adapter, bool is_person) {
	unsigned reserve = !is_person && adapter->slots >= RESERVE_FROM_SLOTS ? 1 : 0;

	return adapter->used + reserve < adapter->slots;
}

/*
 * After habluetooth: the signal, less what is likely to go wrong there, in units of the lead that
 * the best adapter has over the second.
 */
static double score_of(
	const struct sched_adapter *adapter, const struct sched_view *view, double lead) {
	double score = view->rssi != 0 ? view->rssi : RSSI_UNKNOWN;

	score -= lead * 1.01 * (adapter->is_connecting ? 1 : 0);
	score -= lead * 0.51 * view->failures;
	if (adapter->used + 1 == adapter->slots) {
		score -= lead * 0.76;
	}
	if (adapter->is_suspect) {
		score -= lead * 2;
	}
	return score;
}

static double lead_of(const struct sched_adapter *adapters, const struct sched_item *item) {
	double best = -1000, second = -1000;

	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		if (!adapters[i].is_usable || !item->views[i].is_known) {
			continue;
		}
		double rssi = item->views[i].rssi != 0 ? item->views[i].rssi : RSSI_UNKNOWN;
		if (rssi > best) {
			second = best;
			best = rssi;
		} else if (rssi > second) {
			second = rssi;
		}
	}
	double lead = second > -1000 ? best - second : 1;
	/* Below 5 dB the two are equal, and trouble alone decides. */
	return lead < RSSI_SWITCH_DB ? RSSI_SWITCH_DB : lead;
}

struct sched_choice sched_choose(
	const struct sched_adapter adapters[static ADAPTERS_MAX], const struct sched_item *item) {
	struct sched_choice choice = { .verdict = SCHED_WAIT };
	struct sched_choice evict = { .verdict = SCHED_WAIT };
	bool is_person = sched_is_person(item->need) || item->is_pushing;
	bool is_any_usable = false, is_any_known = false, is_freeing = false;
	double lead = lead_of(adapters, item);
	double best = 0;

	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		const struct sched_adapter *adapter = &adapters[i];
		if (!adapter->is_usable) {
			continue;
		}
		is_any_usable = true;
		if (!item->views[i].is_known) {
			continue;
		}
		is_any_known = true;
		if (!has_free_slot(adapter, is_person)) {
			is_freeing = is_freeing || adapter->n_closing > 0;
			if (is_person && adapter->n_lingering > 0) {
				evict = (struct sched_choice){ SCHED_EVICT, i };
			}
			continue;
		}
		if (adapter->is_connecting) {
			continue;
		}
		double score = score_of(adapter, &item->views[i], lead);
		if (choice.verdict != SCHED_CONNECT || score > best) {
			choice = (struct sched_choice){ SCHED_CONNECT, i };
			best = score;
		}
	}
	if (choice.verdict == SCHED_CONNECT) {
		return choice;
	}
	if (is_any_usable && !is_any_known) {
		return (struct sched_choice){ .verdict = SCHED_FIND };
	}
	return is_freeing ? choice : evict;
}

#define LESSON_FAILURES 2

static bool is_old(const struct sched_lesson *lesson, mono_t now, unsigned percent) {
	return mono_since(lesson->at, now) > (int64_t) SCHED_LESSON_MS * percent / 100;
}

void sched_refused(struct sched_lesson *lesson, unsigned others, mono_t now, unsigned percent) {
	if (others == 0) {
		lesson->n = 0; /* nobody was in its way */
		return;
	}
	if (lesson->n == 0 || is_old(lesson, now, percent)) {
		*lesson = (struct sched_lesson){ .others = others };
	}
	lesson->n++;
	lesson->others = others < lesson->others ? others : lesson->others;
	lesson->at = now;
}

unsigned sched_accepted(
	struct sched_lesson *lesson, unsigned others, mono_t now, unsigned percent) {
	bool is_learnt = lesson->n >= LESSON_FAILURES && others < lesson->others &&
			 !is_old(lesson, now, percent);

	lesson->n = 0;
	return is_learnt ? lesson->others : 0;
}
