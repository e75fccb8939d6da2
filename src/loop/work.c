/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <stdlib.h>

#include "loop-private.h"

struct loop_work {
	uv_work_t uv;
	void (*work)(void *user);
	void (*done)(void *user);
	void (*release)(void *user);
	void *user;
	bool is_cancelled; /* loop thread only */
	struct list link;
};

static void on_pool(uv_work_t *request) {
	struct loop_work *work = container_of(request, struct loop_work, uv);
	work->work(work->user);
}

static void on_over(uv_work_t *request, int status) {
	struct loop_work *work = container_of(request, struct loop_work, uv);
	list_remove(&work->link);
	if (status == 0 && !work->is_cancelled && work->done != NULL) {
		work->done(work->user);
	}
	if (work->release != NULL) {
		work->release(work->user);
	}
	free(work);
}

struct loop_work *loop_work_run(struct loop *loop, void (*work)(void *user),
	void (*done)(void *user), void (*release)(void *user), void *user) {
	assert(work != NULL);
	struct loop_work *job = calloc(1, sizeof(*job));
	if (job == NULL) {
		return NULL;
	}
	job->work = work;
	job->done = done;
	job->release = release;
	job->user = user;
	if (uv_queue_work(&loop->uv, &job->uv, on_pool, on_over) < 0) {
		free(job);
		return NULL;
	}
	list_append(&loop->works, &job->link);
	return job;
}

void loop_work_cancel(struct loop_work *work) {
	if (work != NULL) {
		work->is_cancelled = true;
		(void) uv_cancel((uv_req_t *) &work->uv); /* EBUSY: it runs, or is over */
	}
}

void loop_works_cancel(struct loop *loop) {
	struct loop_work *work;
	list_for_each(work, &loop->works, link) {
		loop_work_cancel(work);
	}
}
