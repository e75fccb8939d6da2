/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "loop-private.h"
#include "util/text.h"

/* systemd-timesyncd makes it when the clock was synchronised once since boot; it is on a tmpfs. */
#define TIMESYNC_MARK "/run/systemd/timesync/synchronized"

static mono_t clock_read_mono(const struct clock *clock) {
	struct timespec ts = { 0 };
	(void) clock;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (mono_t){ (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000 };
}

static wall_t clock_read_wall(const struct clock *clock) {
	struct timespec ts = { 0 };
	(void) clock;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (wall_t){ ts.tv_sec };
}

/*
 * The kernel knows whether some time daemon disciplines the clock; it forgets after hours without a
 * server, though the clock is still good to seconds then: hence the mark as well.
 */
static bool clock_read_is_trusted(const struct clock *clock) {
	/* For demonstrations and tests, whatever time server the machine has. */
	const char *word = secure_getenv("LOCKHUB_TRUST_CLOCK");
	if (text_equal(word, "1") || text_equal(word, "0")) {
		return word[0] == '1';
	}
	struct timex tx = { .modes = 0 };
	if (adjtimex(&tx) >= 0 && (tx.status & STA_UNSYNC) == 0) {
		return true;
	}
	return container_of(clock, struct loop, clock)->is_clock_vouched ||
	       access(TIMESYNC_MARK, F_OK) == 0;
}

bool loop_clock_kernel_answers(void) {
	struct timex tx = { .modes = 0 };
	return adjtimex(&tx) >= 0;
}

void loop_clock_init(struct clock *clock) {
	*clock = (struct clock){
		.mono = clock_read_mono,
		.wall = clock_read_wall,
		.is_trusted = clock_read_is_trusted,
	};
}
