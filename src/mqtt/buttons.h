/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * buttons.c: what a button of a lock's device in Home Assistant does. "Check now" and "Synchronise
 * codes" are for whoever may command; restart and calibrate only with [mqtt] maintenance, as they
 * stop the lock for a while, or move its bolt. docs/mqtt.md, "Buttons".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt;

/* @return whether the topic is a button's; what it asks for is then begun or refused. */
bool buttons_message(
	struct mqtt *mqtt, const char *topic, const uint8_t *payload, size_t n, bool is_retained);
