/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker.h"

#include <assert.h>
#include <signal.h>

/* SQLite is frugal with stack; sanitizers are not. */
#define STACK_SIZE (512 * 1024)

int worker_spawn(pthread_t *ret, const char *name, void *(*fn)(void *), void *arg) {
	pthread_attr_t attr;
	sigset_t all;
	sigset_t old;

	int r = pthread_attr_init(&attr);
	if (r != 0) {
		return -r;
	}
	(void) pthread_attr_setstacksize(&attr, STACK_SIZE);
	/* Signals are the loop's. */
	(void) sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(ret, &attr, fn, arg);
	(void) pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void) pthread_attr_destroy(&attr);
	if (r == 0) {
		(void) pthread_setname_np(*ret, name);
	}
	return -r;
}

/* With the mutex held; NULL: stop. */
static struct worker_job *next_job(struct worker *worker) {
	while (list_is_empty(&worker->jobs) && !atomic_load(&worker->is_stopping)) {
		(void) pthread_cond_wait(&worker->cond, &worker->mutex);
	}
	if (list_is_empty(&worker->jobs)) {
		return NULL;
	}
	struct worker_job *job = list_first(&worker->jobs, struct worker_job, link);
	list_remove(&job->link);
	worker->n_jobs--;
	return job;
}

static void *worker_main(void *arg) {
	struct worker *worker = arg;
	struct worker_job *job;

	(void) pthread_mutex_lock(&worker->mutex);
	while ((job = next_job(worker)) != NULL) {
		worker->is_busy = true;
		(void) pthread_mutex_unlock(&worker->mutex);
		if (atomic_load(&worker->is_stopping)) {
			fault_set(&job->fault, FAULT_CANCELLED, "the store is being closed");
		} else {
			job->run(job, worker->context);
		}
		store_outbox_put_one(worker->outbox, &job->item);
		(void) pthread_mutex_lock(&worker->mutex);
		worker->is_busy = false;
		worker->progress++;
	}
	(void) pthread_mutex_unlock(&worker->mutex);
	return NULL;
}

int worker_start(struct worker *worker, const char *name, size_t max_jobs, struct outbox *outbox,
	void *context) {
	*worker = (struct worker){ .max_jobs = max_jobs, .outbox = outbox, .context = context };
	list_init(&worker->jobs);
	atomic_init(&worker->is_stopping, false);
	(void) pthread_mutex_init(&worker->mutex, NULL);
	(void) pthread_cond_init(&worker->cond, NULL);
	int r = worker_spawn(&worker->thread, name, worker_main, worker);
	if (r < 0) {
		(void) pthread_cond_destroy(&worker->cond);
		(void) pthread_mutex_destroy(&worker->mutex);
		return r;
	}
	worker->is_started = true;
	return 0;
}

void worker_submit(struct worker *worker, struct worker_job *take_job) {
	list_init(&take_job->link);
	list_init(&take_job->item.link);
	take_job->fault = (struct fault){ 0 };
	if (!worker->is_started) {
		/* Whoever asks waits for the answer, also of a store that is being closed. */
		fault_set(&take_job->fault, FAULT_CANCELLED, "the store is being closed");
		store_outbox_put_one(worker->outbox, &take_job->item);
		return;
	}
	(void) pthread_mutex_lock(&worker->mutex);
	bool is_full = worker->n_jobs >= worker->max_jobs;
	if (!is_full) {
		list_append(&worker->jobs, &take_job->link);
		worker->n_jobs++;
		(void) pthread_cond_signal(&worker->cond);
	}
	(void) pthread_mutex_unlock(&worker->mutex);
	if (is_full) {
		fault_set(&take_job->fault, FAULT_QUEUE_FULL, "%zu wait for the database already",
			worker->max_jobs);
		store_outbox_put_one(worker->outbox, &take_job->item);
	}
}

void worker_stop(struct worker *worker) {
	if (!worker->is_started) {
		return;
	}
	(void) pthread_mutex_lock(&worker->mutex);
	atomic_store(&worker->is_stopping, true);
	(void) pthread_cond_signal(&worker->cond);
	(void) pthread_mutex_unlock(&worker->mutex);
	(void) pthread_join(worker->thread, NULL);
	(void) pthread_cond_destroy(&worker->cond);
	(void) pthread_mutex_destroy(&worker->mutex);
	worker->is_started = false;
}

bool worker_is_busy(struct worker *worker, unsigned *ret_progress) {
	if (!worker->is_started) {
		return false;
	}
	(void) pthread_mutex_lock(&worker->mutex);
	bool is_busy = worker->is_busy || !list_is_empty(&worker->jobs);
	*ret_progress = worker->progress;
	(void) pthread_mutex_unlock(&worker->mutex);
	return is_busy;
}
