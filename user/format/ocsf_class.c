/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which class and activity of OCSF a record is, by tables.
 */
#include <string.h>

#include "format/ocsf.h"

#define OTHER 99

/** The activity that an operation is. */
struct activity {
	const char *kind; /* of record; NULL: decision and activity */
	const char *op;
	enum ocsf_uid uid;
	int activity;
	const char *name;
};

static const struct activity activities[] = {
	{ NULL, "open", OCSF_FILE, 14, "Open" },
	{ NULL, "mmap", OCSF_FILE, 2, "Read" },
	{ NULL, "watch", OCSF_FILE, 8, "Get Attributes" },
	{ NULL, "receive", OCSF_FILE, 14, "Open" },
	{ NULL, "create", OCSF_FILE, 1, "Create" },
	{ NULL, "mkdir", OCSF_FILE, 1, "Create" },
	{ NULL, "mknod", OCSF_FILE, 1, "Create" },
	{ NULL, "symlink", OCSF_FILE, 1, "Create" },
	{ NULL, "link", OCSF_FILE, 1, "Create" },
	{ NULL, "unlink", OCSF_FILE, 4, "Delete" },
	{ NULL, "rmdir", OCSF_FILE, 4, "Delete" },
	{ NULL, "rename", OCSF_FILE, 5, "Rename" },
	{ NULL, "truncate", OCSF_FILE, 3, "Update" },
	{ NULL, "map-write", OCSF_FILE, 3, "Update" },
	{ NULL, "chmod", OCSF_FILE, 7, "Set Security" },
	{ NULL, "chown", OCSF_FILE, 7, "Set Security" },
	{ NULL, "acl", OCSF_FILE, 7, "Set Security" },
	{ NULL, "utimes", OCSF_FILE, 6, "Set Attributes" },
	{ NULL, "setxattr", OCSF_FILE, 6, "Set Attributes" },
	{ NULL, "removexattr", OCSF_FILE, 6, "Set Attributes" },
	{ NULL, "ioctl", OCSF_FILE, 6, "Set Attributes" },
	{ NULL, "mount", OCSF_FILE, 12, "Mount" },
	{ NULL, "umount", OCSF_FILE, 13, "Unmount" },
	{ NULL, "exec", OCSF_PROCESS, 1, "Launch" },
	{ NULL, "command", OCSF_PROCESS, 1, "Launch" },
	{ NULL, "connect", OCSF_NETWORK, 1, "Open" },
	{ NULL, "unix", OCSF_NETWORK, 1, "Open" },
	{ NULL, "accept", OCSF_NETWORK, 1, "Open" },
	{ NULL, "name", OCSF_NETWORK, 1, "Open" },
	{ NULL, "send", OCSF_NETWORK, 6, "Traffic" },
	{ NULL, "packet", OCSF_NETWORK, 6, "Traffic" },
	{ NULL, "bind", OCSF_NETWORK, 7, "Listen" },
	{ NULL, "listen", OCSF_NETWORK, 7, "Listen" },
	{ NULL, "dns", OCSF_DNS, 1, "Query" },
	{ NULL, "answer", OCSF_DNS, 2, "Response" },
	{ "life", "fork", OCSF_PROCESS, 1, "Launch" },
	{ "life", "program", OCSF_PROCESS, 1, "Launch" },
	{ "life", "exit", OCSF_PROCESS, 2, "Terminate" },
};

static const struct ocsf_class classes[] = {
	{ "Base Event", "Uncategorized", "Other", OCSF_BASE, 0, OTHER },
	{ "File System Activity", "System Activity", NULL, OCSF_FILE, 1, 0 },
	{ "Process Activity", "System Activity", NULL, OCSF_PROCESS, 1, 0 },
	{ "Detection Finding", "Findings", "Create", OCSF_FINDING, 2, 1 },
	{ "Network Activity", "Network Activity", NULL, OCSF_NETWORK, 4, 0 },
	{ "DNS Activity", "Network Activity", NULL, OCSF_DNS, 4, 0 },
};

static struct ocsf_class class_of(enum ocsf_uid uid)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		if (classes[i].uid == uid)
			return classes[i];
	}
	return classes[0];
}

static bool is_act(const json_t *event)
{
	return value_is(event, "kind", "decision") || value_is(event, "kind", "activity");
}

static const struct activity *find_activity(const json_t *event)
{
	for (size_t i = 0; i < sizeof(activities) / sizeof(*activities); i++) {
		const struct activity *row = &activities[i];

		if ((row->kind ? value_is(event, "kind", row->kind) : is_act(event)) &&
		    value_is(event, "op", row->op))
			return row;
	}
	return NULL;
}

/* A class is of use only with what it must tell: its file, its peer, its question. */
static bool has_object(const json_t *event, enum ocsf_uid uid)
{
	switch (uid) {
	case OCSF_FILE:
		return value_text(event, "path") && value_object(event, "process");
	case OCSF_PROCESS:
		return value_object(event, "process") != NULL;
	case OCSF_NETWORK:
		return value_text(event, "address") || value_text(event, "host") ||
		       value_text(event, "path");
	case OCSF_DNS:
		return value_text(event, "host") != NULL;
	case OCSF_BASE:
	case OCSF_FINDING:
		break;
	}
	return true;
}

struct ocsf_class ocsf_classify(const json_t *event)
{
	const struct activity *row = find_activity(event);
	struct ocsf_class class;

	if (!row || !has_object(event, row->uid))
		return class_of(value_denied(event) ? OCSF_FINDING : OCSF_BASE);
	class = class_of(row->uid);
	class.activity = row->activity;
	class.activity_name = row->name;
	/* A connection that was not let through was opened by nobody. */
	if (row->uid == OCSF_NETWORK && row->activity == 1 && value_denied(event) &&
	    !value_true(event, "audit")) {
		class.activity = 5;
		class.activity_name = "Refuse";
	}
	return class;
}
