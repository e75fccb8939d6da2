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
/*
 * Reads the password's file. Blocks. 0, or the errno of the fault, with *ret filled in all the same
 * but for the password. ret->password is the caller's to wipe, in either case.
 */
int rooms_mqtt(const struct conf *conf, struct mqtt_config *ret, struct fault *ret_fault);
