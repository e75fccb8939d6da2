/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "judge.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define DAY_S 86400

const struct fault *told(const struct judge *judge, enum fault_code fault) {
	const struct lock_facts *lock = judge->lock;

	for (size_t i = 0; i < lock->n_standing; i++) {
		if (lock->standing[i].code == fault) {
			return &lock->standing[i];
		}
	}
	for (size_t i = 0; i < lock->n_probes; i++) {
		if (lock->probes[i].was_tried && !lock->probes[i].is_done &&
			lock->probes[i].fault.code == fault) {
			return &lock->probes[i].fault;
		}
	}
	return NULL;
}

bool is_told(struct judge *judge, enum fault_code fault) {
	const struct fault *row = told(judge, fault);

	if (row == NULL) {
		return false;
	}
	proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "%s%s%s", fault_row(fault)->summary,
		row->detail[0] != '\0' ? ": " : "", row->detail);
	return true;
}

uint64_t days_sum_since(const struct judge *judge, int n, enum day_key key, wall_t since) {
	const struct history *history = &judge->lock->history;
	int64_t today = judge->now.s / DAY_S;
	int64_t first = today - n + 1;
	uint64_t sum = 0;

	if (since.s > 0 && since.s / DAY_S + 1 > first) {
		first = since.s / DAY_S + 1;
	}
	for (size_t i = history->n_days; i > 0; i--) {
		const struct lock_day *day = &history->days[i - 1];
		if (day->day >= first && day->day <= today) {
			sum += day->counts[key];
		}
	}
	return sum;
}

uint64_t days_sum(const struct judge *judge, int n, enum day_key key) {
	return days_sum_since(judge, n, key, (wall_t){ 0 });
}

wall_t remedied_at(const struct judge *judge, enum fault_code fault) {
	const struct history *history = &judge->lock->history;

	for (size_t i = history->n_attempts; i > 0; i--) {
		const struct attempt *attempt = &history->attempts[i - 1];
		if ((attempt->outcome == ATTEMPT_HELPED || attempt->outcome == ATTEMPT_RUNNING ||
			    attempt->outcome == ATTEMPT_UNVERIFIED) &&
			text_equal(attempt->fault, fault_name(fault))) {
			return attempt->begun_at;
		}
	}
	return (wall_t){ 0 };
}

const struct sample *newest_sample(const struct judge *judge, enum sample_kind kind) {
	const struct history *history = &judge->lock->history;

	for (size_t i = history->n_samples; i > 0; i--) {
		if (history->samples[i - 1].kind == kind) {
			return &history->samples[i - 1];
		}
	}
	return NULL;
}

size_t sample_values(const struct judge *judge, enum sample_kind kind, wall_t from, wall_t to,
	int32_t *ret, size_t most) {
	const struct history *history = &judge->lock->history;
	size_t n = 0;

	for (size_t i = history->n_samples; i > 0 && n < most; i--) {
		const struct sample *sample = &history->samples[i - 1];
		if (sample->kind == kind && sample->at.s > from.s && sample->at.s <= to.s) {
			ret[n++] = sample->value;
		}
	}
	return n;
}

static int compare_values(const void *a, const void *b) {
	int32_t x;
	int32_t y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

int32_t median_of(int32_t *values, size_t n) {
	qsort(values, n, sizeof(*values), compare_values);
	return values[(n - 1) / 2];
}

wall_t batteries_since(const struct judge *judge) {
	const struct sample *changed = newest_sample(judge, SAMPLE_BATTERY_CHANGED);

	return changed != NULL ? changed->at : judge->lock->forecast.since;
}

/* Fewer are not a distribution. */
#define STRENGTHS_OF_DAYS_LEAST 30
#define STRENGTHS_NOW_LEAST 5
#define STRENGTHS_NOW_MOST 16

/* The upper edge of each class of the history in dBm; the classes are 10 dB wide. */
static const struct {
	enum day_key key;
	int upper;
} classes[] = { { DAY_RSSI_50, -40 }, { DAY_RSSI_60, -50 }, { DAY_RSSI_70, -60 },
	{ DAY_RSSI_80, -70 }, { DAY_RSSI_90, -80 }, { DAY_RSSI_WEAKER, -90 } };

static bool strength_now(const struct judge *judge, struct strength *ret) {
	const struct tally *tally = &judge->lock->radio.tally;
	int32_t values[STRENGTHS_NOW_MOST];
	size_t n = 0;

	while (n < ARRAY_SIZE(values)) {
		const struct tally_strength *strength = tally_strength_at(tally, n);
		if (strength == NULL) {
			break;
		}
		values[n++] = strength->dbm;
	}
	if (n < STRENGTHS_NOW_LEAST) {
		return false;
	}
	ret->median = median_of(values, n);
	ret->n = n;
	ret->is_of_days = false;
	return true;
}

static bool strength_of_days(const struct judge *judge, struct strength *ret) {
	uint64_t counts[ARRAY_SIZE(classes)];
	uint64_t all = 0;
	uint64_t below = 0;

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		counts[i] = days_sum(judge, STRENGTH_DAYS, classes[i].key);
		all += counts[i];
	}
	if (all < STRENGTHS_OF_DAYS_LEAST) {
		return false;
	}
	ret->n = all;
	ret->is_of_days = true;
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		if (2 * (below + counts[i]) >= all) {
			/* As if they lay evenly in their class. */
			double part = ((double) all / 2 - (double) below) / (double) counts[i];
			ret->median = classes[i].upper - 10 * part;
			return true;
		}
		below += counts[i];
	}
	return false;
}

void strength_of(const struct judge *judge, struct strength *ret) {
	struct strength days = { 0 };
	struct strength now = { 0 };
	bool has_days = strength_of_days(judge, &days);
	bool has_now = strength_now(judge, &now);

	*ret = (struct strength){ 0 };
	if (has_days) {
		*ret = days;
	}
	/* What is so now counts when it is worse: the hub, or the furniture, was moved. */
	if (has_now && (!has_days || now.median < days.median - 10)) {
		*ret = now;
	}
}

bool version_compare(const char *a, const char *b, int *ret) {
	*ret = 0;
	if (a[0] < '0' || a[0] > '9' || b[0] < '0' || b[0] > '9') {
		return false;
	}
	while (*a != '\0' || *b != '\0') {
		char *end_a;
		char *end_b;
		unsigned long x = strtoul(a, &end_a, 10);
		unsigned long y = strtoul(b, &end_b, 10);
		if (x != y) {
			*ret = x > y ? 1 : -1;
			return true;
		}
		a = end_a + (*end_a == '.');
		b = end_b + (*end_b == '.');
		if ((*end_a != '\0' && *end_a != '.') || (*end_b != '\0' && *end_b != '.')) {
			return false;
		}
	}
	return true;
}
