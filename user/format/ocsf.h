/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of the OCSF renderer: which class and activity a record is of (ocsf_class.c), the event
 * around it (ocsf.c), and the objects in it (ocsf_objects.c).
 */
#ifndef PICKET_FORMAT_OCSF_H
#define PICKET_FORMAT_OCSF_H

#include "format/render.h"

/** Classes by their class_uid. */
enum ocsf_uid {
	OCSF_BASE = 0,
	OCSF_FILE = 1001,
	OCSF_PROCESS = 1007,
	OCSF_FINDING = 2004,
	OCSF_NETWORK = 4001,
	OCSF_DNS = 4003
};

/** A class, and an activity of it. */
struct ocsf_class {
	const char *name;
	const char *category_name;
	const char *activity_name;
	enum ocsf_uid uid;
	int category;
	int activity;
};

/** What a record is in OCSF. */
struct ocsf_class ocsf_classify(const json_t *event);

/** Add what a class tells of the act: file, process, endpoints, query, finding. */
void ocsf_put_act(struct build *build, json_t *to, const json_t *event, enum ocsf_uid uid);

/** Add the process that acted, below "actor"; @to: the event or an evidence. */
void ocsf_put_actor(struct build *build, json_t *to, const json_t *event);

/** Add the keys of the record that have no attribute in this class, below "unmapped". */
void ocsf_put_unmapped(struct build *build, json_t *to, const json_t *event, enum ocsf_uid uid);

/** Add a time of the record in milliseconds since the epoch, when there is one. */
void ocsf_put_time(struct build *build, json_t *to, const char *key, const json_t *object,
		   const char *from);

#endif
