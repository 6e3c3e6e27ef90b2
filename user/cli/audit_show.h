/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of the audit trail for people.
 */
#ifndef PICKET_CLI_AUDIT_SHOW_H
#define PICKET_CLI_AUDIT_SHOW_H

#include <stdbool.h>

#include "audit/line.h"

/** Which records are shown. All borrowed. */
struct audit_show {
	const char *since; /* a time as records have it; NULL: all */
	const char *what; /* NULL: any */
	const char *agent; /* id or name; NULL: any */
	bool json; /* the line itself */
};

/** Print the record if it is to be shown: a verify_options.record with a struct audit_show. */
void audit_show_record(void *context, const struct audit_line *line, const char *text, size_t size);

#endif
