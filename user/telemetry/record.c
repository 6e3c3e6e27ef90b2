/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records that picketd makes itself. Decides their head; what follows is whose occasion it is.
 */
#include "telemetry/record.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "base/mem.h"
#include "telemetry/json.h"

json_t *record_new(const char *kind, const char *op, const char *agent)
{
	struct timespec now = { 0 };
	struct tm parts = { 0 };
	char date[32] = "";

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &parts);
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
	return json_pack("{s:s, s:o, s:s, s:s*, s:s}", "schema", JSON_EVENT_SCHEMA, "time",
			 json_sprintf("%s.%09ldZ", date, now.tv_nsec), "kind", kind, "agent", agent,
			 "op", op);
}

int record_set_text(json_t *record, const char *key, const char *text)
{
	CLEAN_FREE char *escaped = text ? escape_string(text, strlen(text), 0) : NULL;

	if (!text)
		return record ? 0 : -ENOMEM;
	/* A NULL object or value is refused by the library. */
	return escaped && json_object_set_new(record, key, json_string(escaped)) == 0 ? 0 : -ENOMEM;
}

int record_set_number(json_t *record, const char *key, json_int_t number)
{
	return json_object_set_new(record, key, json_integer(number)) ? -ENOMEM : 0;
}

int record_line(const json_t *record, char **ret_line)
{
	char *line = json_dumps(record, JSON_COMPACT);

	if (!line)
		return -ENOMEM;
	*ret_line = line;
	return 0;
}
