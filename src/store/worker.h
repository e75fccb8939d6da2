/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A thread that does jobs one after the other and puts them into the outbox. */

#include <pthread.h>
#include <stdatomic.h>

#include "outbox.h"
#include "util/fault.h"

struct worker_job {
	struct list link;
	struct outbox_item item; /* .deliver is set by whoever makes the job */
	struct fault fault;      /* FAULT_NONE: done */
	void (*run)(struct worker_job *job, void *context);
};

struct worker {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	struct list jobs; /* struct worker_job */
	size_t n_jobs;
	size_t max_jobs;
	bool is_busy; /* runs one */
	bool is_started;
	unsigned progress;       /* jobs finished */
	atomic_bool is_stopping; /* long jobs look at it */
	struct outbox *outbox;
	void *context; /* handed to run() */
};

/* Starts a thread as this room wants it: no signals, small stack. 0 or negative errno. */
int worker_spawn(pthread_t *ret, const char *name, void *(*fn)(void *), void *arg);

/* 0, or negative errno: nothing needs worker_stop() then. */
int worker_start(struct worker *worker, const char *name, size_t max_jobs, struct outbox *outbox,
	void *context);
/* Hands the job over. QUEUE_FULL when there are too many, CANCELLED after worker_stop(). */
void worker_submit(struct worker *worker, struct worker_job *take_job);
/* Ends jobs not begun with CANCELLED, waits for the running one. Harmless when not started. */
void worker_stop(struct worker *worker);
/* *ret_progress changes whenever a job was finished. */
bool worker_is_busy(struct worker *worker, unsigned *ret_progress);
