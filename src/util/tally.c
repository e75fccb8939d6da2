/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/tally.h"

#include <stdlib.h>
#include <string.h>

#include "util/auto.h"

const char *tally_end_name(enum tally_end end) {
	static const char *const names[TALLY_END_COUNT_] = {
		[TALLY_END_US] = "us",
		[TALLY_END_LOCK] = "lock",
		[TALLY_END_LOST] = "lost",
		[TALLY_END_UNKNOWN] = "unknown",
		[TALLY_END_ADAPTER] = "adapter",
		[TALLY_END_BLUEZ] = "bluetoothd",
	};
	return (unsigned) end < TALLY_END_COUNT_ ? names[end] : "?";
}

void tally_begin(struct tally *tally, mono_t now) {
	memset(tally, 0, sizeof(*tally));
	tally->since = now;
}

void tally_roll(struct tally *tally, mono_t now) {
	int64_t day = mono_since(tally->since, now) / TALLY_DAY_MS;

	if (day <= tally->day) {
		return;
	}
	bool is_next = day == tally->day + 1;
	tally->connects_yesterday = is_next ? tally->connects_today : 0;
	tally->link_ms_yesterday = is_next ? tally->link_ms_today : 0;
	tally->connects_today = 0;
	tally->link_ms_today = 0;
	tally->day = day;
}

void tally_up(struct tally *tally, mono_t now, int64_t took_ms) {
	tally_roll(tally, now);
	tally->connects_today++;
	took_ms = took_ms < 0 ? 0 : took_ms > UINT32_MAX ? UINT32_MAX : took_ms;
	tally->times[tally->next_time] = (uint32_t) took_ms;
	tally->next_time = (tally->next_time + 1) % TALLY_TIMES_MAX;
	tally->n_times += tally->n_times < TALLY_TIMES_MAX;
}

/* Milliseconds of @from..@to that lie in the window that begins at @begin. */
static uint64_t overlap(mono_t from, mono_t to, int64_t begin) {
	int64_t first = from.ms > begin ? from.ms : begin;
	int64_t last = to.ms < begin + TALLY_DAY_MS ? to.ms : begin + TALLY_DAY_MS;

	return last > first ? (uint64_t) (last - first) : 0;
}

void tally_linked(struct tally *tally, mono_t from, mono_t to) {
	tally_roll(tally, to);
	int64_t today = tally->since.ms + tally->day * TALLY_DAY_MS;
	tally->link_ms_today += overlap(from, to, today);
	tally->link_ms_yesterday += overlap(from, to, today - TALLY_DAY_MS);
}

void tally_ended(struct tally *tally, enum tally_end end) {
	tally->ends[end]++;
}

void tally_heard(struct tally *tally, mono_t now, int16_t dbm) {
	const struct tally_strength *newest = tally_strength_at(tally, 0);

	if (dbm == 0 || (newest != NULL && mono_since(newest->at, now) < TALLY_RSSI_APART_MS)) {
		return;
	}
	tally->strengths[tally->next_strength] = (struct tally_strength){ now, dbm };
	tally->next_strength = (tally->next_strength + 1) % TALLY_RSSI_MAX;
	tally->n_strengths += tally->n_strengths < TALLY_RSSI_MAX;
}

static int compare(const void *a, const void *b) {
	const int64_t *first = a, *second = b;

	return (*first > *second) - (*first < *second);
}

static struct tally_spread spread_of(int64_t *numbers, size_t n) {
	if (n == 0) {
		return (struct tally_spread){ 0 };
	}
	qsort(numbers, n, sizeof(*numbers), compare);
	return (struct tally_spread){ n, numbers[0], numbers[(n - 1) / 2], numbers[n - 1] };
}

struct tally_spread tally_times(const struct tally *tally) {
	int64_t numbers[TALLY_TIMES_MAX];

	for (size_t i = 0; i < tally->n_times; i++) {
		numbers[i] = tally->times[i];
	}
	return spread_of(numbers, tally->n_times);
}

struct tally_spread tally_strengths(const struct tally *tally) {
	int64_t numbers[TALLY_RSSI_MAX];

	for (size_t i = 0; i < tally->n_strengths; i++) {
		numbers[i] = tally->strengths[i].dbm;
	}
	return spread_of(numbers, tally->n_strengths);
}

const struct tally_strength *tally_strength_at(const struct tally *tally, size_t i) {
	if (i >= tally->n_strengths) {
		return NULL;
	}
	return &tally->strengths[(tally->next_strength + TALLY_RSSI_MAX - 1 - i) % TALLY_RSSI_MAX];
}
