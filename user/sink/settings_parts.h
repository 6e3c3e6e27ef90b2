/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files that read telemetry.yaml.
 */
#ifndef PICKET_SINK_SETTINGS_PARTS_H
#define PICKET_SINK_SETTINGS_PARTS_H

#include "policy/schema.h"
#include "sink/settings.h"

/** One reading. */
struct settings_reading {
	struct telemetry_settings *settings;
	bool guarded;
	uid_t owner;
};

/** Read the list `sinks` into the struct settings_reading @into. Returns 0 or -ENOMEM. */
int settings_read_sinks(struct front *front, const struct node *list, void *into);

/** A copy of @text, an absolute path of a file, in *@ret; what is none is reported. 0 or -ENOMEM. */
int settings_path(struct front *front, const struct node *text, char **ret);

/** The truth value of @text in *@ret; another word is reported. */
void settings_truth(struct front *front, const struct node *text, bool *ret);

/** A number from 1 to @max in *@ret; another text is reported. */
void settings_number(struct front *front, const struct node *text, unsigned int max,
		     unsigned int *ret);

/** Bytes from @least to @most ("64MiB") in *@ret; another text is reported. */
void settings_size(struct front *front, const struct node *text, const size_t limits[2],
		   size_t *ret);

/**
 * A file with a secret: its path and stamp in *@ret; with a guarded reading it must be nobody else's to
 * read. Returns 0 or -ENOMEM.
 */
int settings_secret(struct front *front, const struct settings_reading *reading,
		    const struct node *text, struct sink_secret *ret);

#endif
