/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The scene's time. This program's clock_gettime() takes the place of the C library's, for libuv
 * and sd-bus as well: the monotonic clocks go on while the scene is turned, at most TURN_MAX_MS
 * from one turn to the next; and in each turn the bus has passed on what was sent in the last. A
 * machine that lets the test wait therefore makes it slow, and not wrong: no deadline runs out
 * while the scripted org.bluez or the bus stand still. And the script can let hours go by, and set
 * the wall clock.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "scene-clock.h"

#define TURN_MAX_MS 2
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

static int64_t turned_ns; /* the kernel's time of the last turn; 0: there was none */
static int64_t scene_ns;  /* the scene's time then */
static int64_t wall_offset_s;

int clock_gettime(clockid_t clock, struct timespec *ret);

static int64_t kernel_ns(void) {
	struct timespec ts;

	if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts) != 0) {
		abort();
	}
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static int64_t now_ns(void) {
	int64_t now = kernel_ns();

	if (turned_ns == 0) {
		scene_ns = turned_ns = now;
	}
	int64_t since = now - turned_ns;
	return scene_ns + (since < TURN_MAX_MS * NS_PER_MS ? since : TURN_MAX_MS * NS_PER_MS);
}

int clock_gettime(clockid_t clock, struct timespec *ret) {
	if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE ||
		clock == CLOCK_BOOTTIME) {
		int64_t ns = now_ns();
		ret->tv_sec = (time_t) (ns / NS_PER_S);
		ret->tv_nsec = (long) (ns % NS_PER_S);
		return 0;
	}
	int r = (int) syscall(SYS_clock_gettime, clock, ret);
	if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
		ret->tv_sec += wall_offset_s;
	}
	return r;
}

void scene_clock_turn(void) {
	scene_ns = now_ns();
	turned_ns = kernel_ns();
}

void scene_clock_skip(int64_t ms) {
	scene_ns += ms * NS_PER_MS;
}

void scene_clock_step_wall(int64_t seconds) {
	wall_offset_s += seconds;
}

int64_t scene_now_ms(void) {
	return now_ns() / NS_PER_MS;
}
