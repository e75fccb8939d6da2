/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Kinds that only judge (cells.h). The shapes are those that makers' data sheets show, a few
 * points each, set down from memory: zinc-carbon R6 falls all its life; Energizer L91 (LiFeS2)
 * stays near 1.5 V for nine tenths of it; Panasonic eneloop BK-3MCCE (NiMH of low self-discharge)
 * near 1.25 V; LiFePO4 near 3.28 V; alkaline LR6 (Energizer E91) is the one of cells.c by other
 * points.
 */
#include "cells.h"

#define ALKALINE_POINTS                                                                            \
	{                                                                                          \
		{ 0, 1.60 }, { 0.05, 1.50 }, { 0.15, 1.40 }, { 0.35, 1.30 }, { 0.55, 1.23 },       \
			{ 0.75, 1.17 }, { 0.9, 1.08 }, {                                           \
			1, 0.85                                                                    \
		}                                                                                  \
	}
#define ALKALINE_VOLTS .volt_empty = 0.95, .volt_full = 1.58

const struct cell_kind held_kinds[HELD_COUNT] = {
	{ .name = "zinc-carbon",
		.points = { { 0, 1.62 }, { 0.1, 1.46 }, { 0.3, 1.33 }, { 0.5, 1.22 }, { 0.7, 1.12 },
			{ 0.85, 1.03 }, { 0.95, 0.94 }, { 1, 0.85 } },
		.volt_empty = 0.9,
		.volt_full = 1.6,
		.recovery = 0.03,
		.cold = 0.005 },
	{ .name = "LiFeS2",
		.points = { { 0, 1.80 }, { 0.02, 1.60 }, { 0.1, 1.53 }, { 0.4, 1.50 },
			{ 0.7, 1.46 }, { 0.88, 1.40 }, { 0.95, 1.2 }, { 1, 0.9 } },
		.volt_empty = 1.0,
		.volt_full = 1.6,
		.recovery = 0.01,
		.cold = 0.001 },
	{ .name = "NiMH, low self-disch.",
		.points = { { 0, 1.45 }, { 0.05, 1.36 }, { 0.15, 1.31 }, { 0.35, 1.28 },
			{ 0.65, 1.255 }, { 0.82, 1.23 }, { 0.93, 1.17 }, { 1, 1.0 } },
		.volt_empty = 1.05,
		.volt_full = 1.4,
		.recovery = 0.006,
		.cold = 0.0012 },
	{ .name = "LiFePO4",
		.points = { { 0, 3.45 }, { 0.05, 3.33 }, { 0.3, 3.29 }, { 0.6, 3.26 },
			{ 0.8, 3.21 }, { 0.92, 3.1 }, { 0.97, 2.8 }, { 1, 2.5 } },
		.volt_empty = 2.7,
		.volt_full = 3.4,
		.recovery = 0.01,
		.cold = 0.002 },
	{ .name = "Li-ion, gauge sticks",
		.points = { { 0, 4.2 }, { 0.12, 4.04 }, { 0.3, 3.92 }, { 0.5, 3.8 }, { 0.7, 3.72 },
			{ 0.87, 3.6 }, { 0.95, 3.4 }, { 1, 3.0 } },
		.volt_empty = 3.2,
		.volt_full = 4.15,
		.recovery = 0.02,
		.cold = 0.003,
		.stick_percent = 4 },
	{ .name = "alkaline, half old",
		.points = ALKALINE_POINTS,
		ALKALINE_VOLTS,
		.recovery = 0.02,
		.cold = 0.003,
		.old = 0.6 },
	{ .name = "alkaline, outdoors",
		.points = ALKALINE_POINTS,
		ALKALINE_VOLTS,
		.recovery = 0.015,
		.cold = 0.004,
		.season = 12 },
	{ .name = "alkaline, gauge lags",
		.points = ALKALINE_POINTS,
		ALKALINE_VOLTS,
		.recovery = 0.015,
		.cold = 0.003,
		.lag_days = 10 },
	{ .name = "alkaline, long absence",
		.points = ALKALINE_POINTS,
		ALKALINE_VOLTS,
		.recovery = 0.015,
		.cold = 0.003,
		.away_days = 60 },
	{ .name = "alkaline, changed early",
		.points = ALKALINE_POINTS,
		ALKALINE_VOLTS,
		.recovery = 0.015,
		.cold = 0.003,
		.changed_at = 0.5 },
};
