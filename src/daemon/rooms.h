/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the configuration says, as each room wants to be told it. Texts are borrowed from @conf.
 * What is no matter of configuration (objects, callbacks, ids) is left as the room's defaults have
 * it: daemon.c fills it in.
 */

#include "ble/central.h"
#include "conf.h"
#include "core/hub.h"
#include "mqtt/mqtt.h"

void rooms_hub(const struct conf *conf, struct hub_config *ret);
struct central_config rooms_central(const struct conf *conf);
/* Without the password, which is in a file or a credential. */
void rooms_mqtt(const struct conf *conf, struct mqtt_config *ret);
/*
 * What a start would refuse, and conf_read() cannot know as it looks at one key at a time.
 * CONFIG_INVALID, or 0. For --check-config: reads no secret.
 */
int rooms_check(const struct conf *conf, struct fault *ret_fault);
