/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the model's data say, for whoever guides a person: "model_data" of Lock.History. */

#include <jansson.h>

#include "diag/facts.h"

/* NULL: no memory. What is not known is left out. */
json_t *json_model(const struct model *model);
