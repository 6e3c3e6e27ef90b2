/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The presets that are built into the program, made at build time from the YAML
 * files in policies/presets.
 */
#ifndef PICKET_POLICY_PRESETS_H
#define PICKET_POLICY_PRESETS_H

#include <stddef.h>

/** A policy text that `include: presets/NAME` means. */
struct policy_preset {
	const char *name;
	const char *text;
	size_t length;
};

/** All presets, sorted by name. */
extern const struct policy_preset policy_presets[];
extern const size_t policy_preset_count;

#endif
