/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sched.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

struct entry {
	struct sched_job *job;
	uint64_t order; /* of arming: equal times run first come, first served */
};

struct sched {
	double speed;
	bool has_start;
	mono_t start; /* real */
	mono_t now;   /* simulator */
	uint64_t order;
	struct entry *heap;
	size_t n, size;
};

struct sched *sched_new(double speed) {
	struct sched *sched = calloc(1, sizeof(*sched));
	if (sched != NULL) {
		sched->speed = speed;
		/* Not 0, so that "long ago" can be told from "at the beginning". */
		sched->now = (mono_t){ 1000 };
	}
	return sched;
}

struct sched *sched_free(struct sched *sched) {
	if (sched != NULL) {
		free(sched->heap);
		free(sched);
	}
	return NULL;
}

mono_t sched_set_real(struct sched *sched, mono_t real) {
	if (!sched->has_start) {
		sched->has_start = true;
		sched->start = real;
	}
	int64_t now = 1000 + (int64_t) ((double) mono_since(sched->start, real) * sched->speed);
	if (now > sched->now.ms) {
		sched->now.ms = now;
	}
	return sched->now;
}

mono_t sched_now(const struct sched *sched) {
	return sched->now;
}

double sched_speed(const struct sched *sched) {
	return sched->speed;
}

void sched_job_init(struct sched_job *job, void (*fn)(void *user), void *user) {
	*job = (struct sched_job){ .fn = fn, .user = user };
}

/* ---- heap ---- */

static bool is_before(const struct entry *a, const struct entry *b) {
	return a->job->due.ms != b->job->due.ms ? a->job->due.ms < b->job->due.ms
						: a->order < b->order;
}

static void place(struct sched *sched, size_t i, struct entry entry) {
	sched->heap[i] = entry;
	entry.job->at = i + 1;
}

static void sift(struct sched *sched, size_t i) {
	struct entry entry = sched->heap[i];
	while (i > 0 && is_before(&entry, &sched->heap[(i - 1) / 2])) {
		place(sched, i, sched->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= sched->n) {
			break;
		}
		if (child + 1 < sched->n &&
			is_before(&sched->heap[child + 1], &sched->heap[child])) {
			child++;
		}
		if (!is_before(&sched->heap[child], &entry)) {
			break;
		}
		place(sched, i, sched->heap[child]);
		i = child;
	}
	place(sched, i, entry);
}

void sched_disarm(struct sched *sched, struct sched_job *job) {
	if (job->at == 0) {
		return;
	}
	size_t i = job->at - 1;
	job->at = 0;
	struct entry last = sched->heap[--sched->n];
	if (last.job != job) {
		place(sched, i, last);
		sift(sched, i);
	}
}

void sched_arm_at(struct sched *sched, struct sched_job *job, mono_t at) {
	assert(job->fn != NULL);
	sched_disarm(sched, job);
	if (at.ms == INT64_MAX) {
		return;
	}
	if (sched->n == sched->size) {
		size_t size = sched->size == 0 ? 64 : sched->size * 2;
		struct entry *heap = reallocarray(sched->heap, size, sizeof(*heap));
		if (heap == NULL) {
			abort(); /* a simulator without memory is of no use to anybody */
		}
		sched->heap = heap;
		sched->size = size;
	}
	job->due = at;
	size_t i = sched->n++;
	place(sched, i, (struct entry){ job, sched->order++ });
	sift(sched, i);
}

void sched_arm(struct sched *sched, struct sched_job *job, int64_t ms) {
	sched_arm_at(sched, job, mono_after(sched->now, ms));
}

void sched_run(struct sched *sched) {
	while (sched->n > 0 && mono_is_due(sched->heap[0].job->due, sched->now)) {
		struct sched_job *job = sched->heap[0].job;
		sched_disarm(sched, job);
		job->fn(job->user);
	}
}

int64_t sched_wait_ms(const struct sched *sched) {
	if (sched->n == 0) {
		return INT64_MAX;
	}
	int64_t ms = mono_since(sched->now, sched->heap[0].job->due);
	return ms <= 0 ? 0 : (int64_t) ceil((double) ms / sched->speed);
}
