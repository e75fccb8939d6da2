/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The scene's time. This program's clock_gettime() takes the place of the C library's, for libuv
 * and sd-bus as well: the monotonic clocks go on while the scene is turned, at most TURN_MAX_MS
 * from one turn to the next. A machine that lets the test wait therefore makes it slow, and not
 * wrong: no deadline runs out while the scripted org.bluez stands still with it. And the script can
 * let hours go by, and set the wall clock.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "scene-clock.h"

#define TURN_MAX_MS 4
#define NS_PER_MS INT64_C(1000000)

static int64_t offset_ns; /* what the scene's clocks are ahead of the kernel's */
static int64_t turned_ns; /* the kernel's time of the last turn; 0: there was none */
static int64_t wall_offset_s;

int clock_gettime(clockid_t clock, struct timespec *ret);

static int64_t to_ns(const struct timespec *ts) {
	return ts->tv_sec * INT64_C(1000000000) + ts->tv_nsec;
}

int clock_gettime(clockid_t clock, struct timespec *ret) {
	if (syscall(SYS_clock_gettime, clock, ret) != 0) {
		return -1;
	}
	if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE ||
		clock == CLOCK_BOOTTIME) {
		int64_t ns = to_ns(ret) + offset_ns;
		ret->tv_sec = (time_t) (ns / 1000000000);
		ret->tv_nsec = (long) (ns % 1000000000);
	} else if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
		ret->tv_sec += wall_offset_s;
	}
	return 0;
}

static int64_t kernel_ns(void) {
	struct timespec ts;

	if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts) != 0) {
		abort();
	}
	return to_ns(&ts);
}

void scene_clock_turn(void) {
	int64_t now = kernel_ns();
	int64_t stood = now - turned_ns - TURN_MAX_MS * NS_PER_MS;

	if (turned_ns != 0 && stood > 0) {
		offset_ns -= stood;
	}
	turned_ns = now;
}

void scene_clock_stalled(void) {
	turned_ns = kernel_ns();
}

void scene_clock_step_wall(int64_t seconds) {
	wall_offset_s += seconds;
}

void scene_clock_skip(int64_t ms) {
	offset_ns += ms * NS_PER_MS;
}

int64_t scene_now_ms(void) {
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return to_ns(&ts) / NS_PER_MS;
}
