/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Requests to the hub itself, as people know them from zigbee2mqtt's bridge; what each of them
 * does is in docs/mqtt-requests.md.
 *
 *	BASE/hub/request/NAME ─► flood? ─► request-intake.c ─► row: right? seen before? too soon?
 *	                                                        │
 *	BASE/hub/response/NAME ◄─ answer, kept for 10 min ◄─ act: hub, diag, vault
 *
 * request.c is the flow and the table of requests, request-tell.c answers from memory,
 * request-act.c has something done, request-pairing.c is the window in which locks are paired. A
 * new request is one row and one function. With [mqtt] requests = none nothing is subscribed and
 * there is nothing here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt;
struct op;
struct requests;

/* NULL: no memory. Only with [mqtt] requests other than none. */
struct requests *requests_new(struct mqtt *mqtt);
/* Before the shelf and the outbox go. Answers of the hub that come later find nobody. */
struct requests *requests_free(struct requests *requests);
/* @return whether the topic is a request's; it is then begun, refused or passed over. */
bool requests_message(
	struct mqtt *mqtt, const char *topic, const uint8_t *payload, size_t n, bool is_retained);
/* An operation has finished; takes NULL requests. */
void requests_op_finished(struct requests *requests, const struct op *op);
