/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* pins.c: the pin_code dialect for code managers; docs/mqtt.md, "Code managers". */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct lock;
struct mqtt;

#define PIN_TASKS_MAX 64 /* code changes that wait for the database; more are refused */

/* Whether [mqtt] pin_code_base is set. */
bool pins_is_on(const struct mqtt *mqtt);
/* A lock is there or has changed; @what: FACT_ bits. */
void pins_show(struct mqtt *mqtt, const struct lock *lock, unsigned what);
/* It is gone: its topics are taken from the broker. */
void pins_forget(struct mqtt *mqtt, const char *lock_id);
void pins_event(struct mqtt *mqtt, const struct event *event);
/* @return whether the topic is one of ours; what it asks is then done or refused. */
bool pins_message(
	struct mqtt *mqtt, const char *topic, const uint8_t *payload, size_t n, bool is_retained);
/* Frees what waits; answers of the hub that come later find nobody. Before the shelf goes. */
void pins_free(struct mqtt *mqtt);
