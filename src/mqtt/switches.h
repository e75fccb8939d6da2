/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * switches.c: a switch of the hub's device in Home Assistant for each user, which disables and
 * enables them; only with [mqtt] user_switches. docs/mqtt.md, "Users".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt;

/* All users as the book has them now; takes the switches of those who are gone away. */
void switches_show(struct mqtt *mqtt);
/* Whether there is one for this user. */
bool switches_has(const struct mqtt *mqtt, const char *user_id);
/* @return whether the topic is a switch's command topic; it is then done or refused. */
bool switches_message(
	struct mqtt *mqtt, const char *topic, const uint8_t *payload, size_t n, bool is_retained);
/* Before the shelf goes. */
void switches_free(struct mqtt *mqtt);
