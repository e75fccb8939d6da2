/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hub-face.c: the hub's own device in Home Assistant. docs/mqtt.md, "Topics". */

#include <stdbool.h>

struct leaf;
struct mqtt;

/* Makes its topics. false: no memory. */
bool hub_face_new(struct mqtt *mqtt);
/* Its discovery message, as far as it has changed. */
void hub_face_config(struct mqtt *mqtt);
/* Its states, as far as they have changed. Cheap. */
void hub_face_show(struct mqtt *mqtt);
/* The broker holds the leaf's payload. */
void hub_face_settled(struct mqtt *mqtt, const struct leaf *leaf);
