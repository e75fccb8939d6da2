/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * August Smart Lock, Yale Assure, Linus and others with the module of August: one protocol. Their
 * advertisements tell who they are and that something changed, never what.
 */

#include "core/driver.h"

extern const struct driver august_driver;
