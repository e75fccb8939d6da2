/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The system's time zones (GLib's GTimeZone over /usr/share/zoneinfo) behind util/zone.h. A zone is
 * read from its small file when it is first asked for. Loop thread only.
 */

#include "util/fault.h"
#include "util/zone.h"

#define ZONES_MAX 64 /* zones in use at once; further ones are refused */

struct zones;

/*
 * @hub_zone: IANA name for "", or "" for the machine's own (/etc/localtime, /etc/timezone).
 * CONFIG_INVALID: no such zone; NO_MEMORY.
 */
int zones_new(const char *hub_zone, struct zones **ret, struct fault *ret_fault);
struct zones *zones_free(struct zones *zones);
/* Lives as long as @zones. */
struct zone_source *zones_source(struct zones *zones);
