/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * dial-set.c: what a message on BASE/ID/setting/NAME/set does (docs/mqtt.md, "Settings"). What is
 * wanted goes to the lock as every request does; what the lock then has is read from it, and only
 * that is shown (L1).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt;
struct op;

/* @return whether the topic is a setting's; what it asks for is then begun or refused. */
bool dials_message(
	struct mqtt *mqtt, const char *topic, const uint8_t *payload, size_t n, bool is_retained);
/* An operation has ended: tells whoever asked by MQTT for a setting that the lock did not take. */
void dials_op_finished(struct mqtt *mqtt, const struct op *op);
