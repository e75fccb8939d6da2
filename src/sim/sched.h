/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Simulator time and what is to happen when. Simulator milliseconds run @speed times as fast as
 * real ones. Jobs are embedded in what they belong to; a job that is armed again moves. The owner
 * disarms its jobs before it dies.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/when.h"

struct sched;

struct sched_job {
	void (*fn)(void *user);
	void *user;
	mono_t due;
	size_t at; /* place in the heap + 1, 0 = not armed */
};

struct sched *sched_new(double speed);
struct sched *sched_free(struct sched *sched);
/* Simulator time that belongs to @real; also what sched_now() says from now on. */
mono_t sched_set_real(struct sched *sched, mono_t real);
mono_t sched_now(const struct sched *sched);
double sched_speed(const struct sched *sched);

void sched_job_init(struct sched_job *job, void (*fn)(void *user), void *user);
/* In @ms simulator milliseconds from now. */
void sched_arm(struct sched *sched, struct sched_job *job, int64_t ms);
void sched_arm_at(struct sched *sched, struct sched_job *job, mono_t at);
void sched_disarm(struct sched *sched, struct sched_job *job);
static inline bool sched_is_armed(const struct sched_job *job) {
	return job->at != 0;
}

/* Runs what is due, in order of time, then of arming. */
void sched_run(struct sched *sched);
/* Real milliseconds until the next job; INT64_MAX without one. */
int64_t sched_wait_ms(const struct sched *sched);
