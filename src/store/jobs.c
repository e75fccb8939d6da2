/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"

#include <assert.h>
#include <stdlib.h>

#include "backup.h"
#include "history-query.h"
#include "prune.h"
#include "util/text.h"
#include "verify.h"

/*
 * Without memory for a job nobody could be told that there was none: a restart loses nothing that
 * was acknowledged.
 */
static void *job_new(size_t size) {
	void *job = calloc(1, size);

	assert(job != NULL);
	return job;
}

static const struct fault *fault_or_null(const struct worker_job *job) {
	return job->fault.code == FAULT_NONE ? NULL : &job->fault;
}

int reader_open(struct reader *reader, struct fault *ret_fault) {
	if (reader->db != NULL) {
		return 0;
	}
	int r = db_open(reader->path, DB_READ, &reader->db, ret_fault);
	if (r == 0) {
		r = event_query_open(&reader->query, reader->db, ret_fault);
	}
	if (r < 0) {
		reader->db = db_close(reader->db);
	}
	return r;
}

void reader_close(struct reader *reader) {
	if (reader->db != NULL) {
		event_query_close(&reader->query);
		reader->db = db_close(reader->db);
	}
}

struct query_job {
	struct worker_job job;
	struct log_query asked;
	void (*done)(void *user, const struct event *events, size_t n, const struct fault *fault);
	void *user;
	struct event_answer answer;
};

static void query_run(struct worker_job *job, void *context) {
	struct query_job *query = container_of(job, struct query_job, job);
	struct reader *reader = context;

	(void) pthread_mutex_lock(&reader->mutex);
	int r = reader_open(reader, &job->fault);
	if (r == 0) {
		r = event_query_run(&reader->query, &query->asked, &query->answer, &job->fault);
	}
	if (r < 0 && db_is_trouble(job->fault.code)) {
		reader_close(reader);
	}
	(void) pthread_mutex_unlock(&reader->mutex);
}

static void query_deliver(struct outbox_item *item) {
	struct query_job *query = container_of(item, struct query_job, job.item);

	query->done(query->user, query->answer.events, query->answer.n, fault_or_null(&query->job));
	event_answer_free(&query->answer);
	free(query);
}

static void ledger_query(struct ledger *ledger, const struct log_query *asked,
	void (*done)(void *user, const struct event *events, size_t n, const struct fault *fault),
	void *user) {
	if (store_of(ledger)->is_deaf) {
		return; /* the store is being closed */
	}
	struct query_job *query = job_new(sizeof(*query));
	query->asked = *asked;
	query->done = done;
	query->user = user;
	query->job.run = query_run;
	query->job.item.deliver = query_deliver;
	worker_submit(&store_of(ledger)->queries, &query->job);
}

struct history_job {
	struct worker_job job;
	struct history_query asked;
	void (*done)(void *user, const struct history *history, const struct fault *fault);
	void *user;
	struct history_answer answer;
};

static void history_job_run(struct worker_job *job, void *context) {
	struct history_job *history = container_of(job, struct history_job, job);
	struct reader *reader = context;

	(void) pthread_mutex_lock(&reader->mutex);
	int r = reader_open(reader, &job->fault);
	if (r == 0) {
		r = history_query_run(reader->db, &history->asked, &history->answer, &job->fault);
	}
	if (r < 0 && db_is_trouble(job->fault.code)) {
		reader_close(reader);
	}
	(void) pthread_mutex_unlock(&reader->mutex);
}

static void history_deliver(struct outbox_item *item) {
	struct history_job *history = container_of(item, struct history_job, job.item);

	history->done(history->user, &history->answer.history, fault_or_null(&history->job));
	history_answer_free(&history->answer);
	free(history);
}

static void ledger_history(struct ledger *ledger, const struct history_query *asked,
	void (*done)(void *user, const struct history *history, const struct fault *fault),
	void *user) {
	if (store_of(ledger)->is_deaf) {
		return; /* the store is being closed */
	}
	struct history_job *history = job_new(sizeof(*history));
	history->asked = *asked;
	history->done = done;
	history->user = user;
	history->job.run = history_job_run;
	history->job.item.deliver = history_deliver;
	worker_submit(&store_of(ledger)->queries, &history->job);
}

struct verify_job {
	struct worker_job job;
	void (*done)(void *user, const struct log_verify *result, const struct fault *fault);
	void *user;
	struct log_verify result;
};

static void verify_job_run(struct worker_job *job, void *context) {
	struct verify_job *verify = container_of(job, struct verify_job, job);
	struct store *store = context;
	AUTO(db_close) sqlite3 *db = NULL;

	int r = db_open(store->path, DB_READ, &db, &job->fault);
	if (r == 0) {
		(void) verify_run(
			db, &store->keys, &store->chores.is_stopping, &verify->result, &job->fault);
	}
}

static void verify_deliver(struct outbox_item *item) {
	struct verify_job *verify = container_of(item, struct verify_job, job.item);
	const struct fault *fault = fault_or_null(&verify->job);

	verify->done(verify->user, fault == NULL ? &verify->result : NULL, fault);
	free(verify);
}

static void ledger_verify(struct ledger *ledger,
	void (*done)(void *user, const struct log_verify *result, const struct fault *fault),
	void *user) {
	if (store_of(ledger)->is_deaf) {
		return; /* the store is being closed */
	}
	struct verify_job *verify = job_new(sizeof(*verify));
	verify->done = done;
	verify->user = user;
	verify->job.run = verify_job_run;
	verify->job.item.deliver = verify_deliver;
	worker_submit(&store_of(ledger)->chores, &verify->job);
}

static void ledger_commit(struct ledger *ledger, struct txn *take_txn) {
	writer_submit(&store_of(ledger)->writer, take_txn);
}

const struct ledger_impl store_ledger_impl = {
	.commit = ledger_commit,
	.query = ledger_query,
	.verify = ledger_verify,
	.history = ledger_history,
};

struct prune_job {
	struct worker_job job;
	struct prune asked;
	void (*done)(void *user, int64_t n_rows, const struct fault *fault);
	void *user;
	int64_t n_rows;
};

static void prune_job_run(struct worker_job *job, void *context) {
	struct prune_job *prune = container_of(job, struct prune_job, job);
	struct store *store = context;
	AUTO(db_close) sqlite3 *db = NULL;

	if (db_open(store->path, DB_READ, &db, &job->fault) == 0) {
		(void) prune_run(db, &store->keys, &store->writer, &prune->asked,
			&store->chores.is_stopping, &prune->n_rows, &job->fault);
	}
}

static void prune_deliver(struct outbox_item *item) {
	struct prune_job *prune = container_of(item, struct prune_job, job.item);

	prune->done(prune->user, prune->n_rows, fault_or_null(&prune->job));
	free(prune);
}

void store_prune(struct store *store, wall_t before, int64_t keep,
	void (*done)(void *user, int64_t n_rows, const struct fault *fault), void *user) {
	if (store->is_deaf) {
		return; /* the store is being closed */
	}
	struct prune_job *prune = job_new(sizeof(*prune));
	prune->asked = (struct prune){ .before = before, .keep = keep };
	prune->done = done;
	prune->user = user;
	prune->job.run = prune_job_run;
	prune->job.item.deliver = prune_deliver;
	worker_submit(&store->chores, &prune->job);
}

struct health_job {
	struct worker_job job;
	wall_t before;
	void (*done)(void *user, int64_t n_rows, const struct fault *fault);
	void *user;
	int64_t n_rows;
};

static void health_job_run(struct worker_job *job, void *context) {
	struct health_job *health = container_of(job, struct health_job, job);
	struct store *store = context;
	int64_t n = 1;

	while (n > 0 && !atomic_load(&store->chores.is_stopping)) {
		n = 0;
		if (writer_cut_health(&store->writer, health->before, &n, &job->fault) < 0) {
			return;
		}
		health->n_rows += n;
	}
	if (n > 0) {
		fault_set(&job->fault, FAULT_CANCELLED, "the store is being closed");
	}
}

static void health_deliver(struct outbox_item *item) {
	struct health_job *health = container_of(item, struct health_job, job.item);

	health->done(health->user, health->n_rows, fault_or_null(&health->job));
	free(health);
}

void store_prune_health(struct store *store, wall_t before,
	void (*done)(void *user, int64_t n_rows, const struct fault *fault), void *user) {
	if (store->is_deaf) {
		return; /* the store is being closed */
	}
	struct health_job *health = job_new(sizeof(*health));
	health->before = before;
	health->done = done;
	health->user = user;
	health->job.run = health_job_run;
	health->job.item.deliver = health_deliver;
	worker_submit(&store->chores, &health->job);
}

struct check_job {
	struct worker_job job;
	struct store *store;
};

static void check_job_run(struct worker_job *job, void *context) {
	struct store *store = context;
	AUTO(db_close) sqlite3 *db = NULL;

	if (db_open(store->path, DB_READ, &db, &job->fault) == 0) {
		(void) check_run(db, true, &job->fault);
	}
}

static void check_deliver(struct outbox_item *item) {
	struct check_job *check = container_of(item, struct check_job, job.item);
	const struct store *store = check->store;
	const struct fault *fault = fault_or_null(&check->job);

	if (fault != NULL && fault->code != FAULT_CANCELLED && store->trouble != NULL) {
		store->trouble(store->user, fault);
	}
	free(check);
}

void store_check_later(struct store *store) {
	struct check_job *check = job_new(sizeof(*check));

	check->store = store;
	check->job.run = check_job_run;
	check->job.item.deliver = check_deliver;
	worker_submit(&store->chores, &check->job);
}

struct report {
	struct outbox_item item;
	struct store *store;
	struct fault fault;
};

static void report_deliver(struct outbox_item *item) {
	struct report *report = container_of(item, struct report, item);

	if (report->store->trouble != NULL) {
		report->store->trouble(report->store->user, &report->fault);
	}
	free(report);
}

void store_report(struct store *store, const struct fault *fault) {
	struct report *report = job_new(sizeof(*report));

	report->item.deliver = report_deliver;
	report->store = store;
	report->fault = *fault;
	list_init(&report->item.link);
	store_outbox_put_one(&store->outbox, &report->item);
}
