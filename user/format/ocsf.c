/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record as an OCSF event, version 1.3.0, with the profiles host, security_control and container.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "format/ocsf.h"

#define OCSF_VERSION "1.3.0"

static const struct {
	int id;
	const char *name;
} severities[] = {
	[LEVEL_INFO] = { 1, "Informational" },
	[LEVEL_NOTICE] = { 2, "Low" },
	[LEVEL_WARNING] = { 3, "Medium" },
	[LEVEL_ERROR] = { 4, "High" },
};
_Static_assert(sizeof(severities) / sizeof(*severities) == LEVEL__MAX, "a number for each");

static void put_class(struct build *build, json_t *to, const struct ocsf_class *class)
{
	build_number(build, to, "class_uid", class->uid);
	build_text(build, to, "class_name", class->name);
	build_number(build, to, "category_uid", class->category);
	build_text(build, to, "category_name", class->category_name);
	build_number(build, to, "activity_id", class->activity);
	build_text(build, to, "activity_name", class->activity_name);
	build_number(build, to, "type_uid", (json_int_t) class->uid * 100 + class->activity);
	build_value(build, to, "type_name",
		    json_sprintf("%s: %s", class->name, class->activity_name));
}

static void put_metadata(struct build *build, json_t *to, const json_t *event,
			 const struct format_machine *machine)
{
	struct value_trace trace = value_trace(event);
	json_t *metadata = build_below(build, to, "metadata");
	json_t *product = build_below(build, metadata, "product");

	build_text(build, metadata, "version", OCSF_VERSION);
	build_text(build, product, "name", "picket");
	build_text(build, product, "vendor_name", "picket");
	build_text(build, product, "version", machine->version);
	build_value(build, metadata, "profiles",
		    json_pack("[s,s,s]", "host", "security_control", "container"));
	build_copy_text(build, metadata, "log_name", event, "kind");
	build_copy_text(build, metadata, "event_code", event, "op");
	build_copy_text(build, metadata, "original_time", event, "time");
	build_copy_number(build, metadata, "sequence", event, "seq");
	build_text(build, metadata, "correlation_uid", *trace.trace ? trace.trace : NULL);
}

static void put_device(struct build *build, json_t *to, const struct format_machine *machine)
{
	json_t *device = build_below(build, to, "device");
	json_t *os = build_below(build, device, "os");

	build_text(build, device, "hostname", machine->hostname);
	build_text(build, device, "uid", machine->machine_id);
	build_number(build, device, "type_id", 0);
	build_text(build, os, "name", "Linux");
	build_number(build, os, "type_id", 200);
	build_text(build, os, "version", machine->kernel);
}

/* status_id 1 and 2 are success and failure, but for findings, where 1 is new. */
static void put_status(struct build *build, json_t *to, const json_t *event, enum ocsf_uid uid)
{
	bool refused = value_denied(event) && !value_true(event, "audit");

	if (uid == OCSF_FINDING) {
		build_number(build, to, "status_id", 1);
		build_text(build, to, "status", "New");
	} else if (value_text(event, "verdict")) {
		build_number(build, to, "status_id", refused ? 2 : 1);
		build_text(build, to, "status", refused ? "Failure" : "Success");
	}
	build_copy_text(build, to, "status_code", event, "errno");
	build_copy_text(build, to, "status_detail", event, "reason");
}

/* What the policy did with it. */
static void put_control(struct build *build, json_t *to, const json_t *event)
{
	bool refused = value_denied(event) && !value_true(event, "audit");
	const json_t *rule = value_object(event, "rule");
	json_t *by;

	if (!value_text(event, "verdict"))
		return;
	build_number(build, to, "action_id", refused ? 2 : 1);
	build_text(build, to, "action", refused ? "Denied" : "Allowed");
	build_number(build, to, "disposition_id", refused ? 2 : 1);
	build_text(build, to, "disposition", refused ? "Blocked" : "Allowed");
	if (!rule)
		return;
	by = build_below(build, to, "firewall_rule");
	build_copy_words(build, by, "uid", rule, value_text(rule, "id") ? "id" : "number");
	build_copy_text(build, by, "name", rule, "text");
	build_copy_text(build, by, "desc", rule, "reason");
}

static void put_folded(struct build *build, json_t *to, const json_t *event)
{
	const json_t *folded = value_object(event, "folded");

	build_copy_number(build, to, "count", folded, "count");
	ocsf_put_time(build, to, "start_time", folded, "first");
	ocsf_put_time(build, to, "end_time", folded, "last");
}

static void put_message(struct build *build, json_t *to, const json_t *event)
{
	CLEAN_FREE char *sentence = NULL;

	if (line_sentence(event, &sentence) < 0)
		build->failed = true;
	else
		build_text(build, to, "message", sentence);
}

json_t *ocsf_event(const json_t *event, const struct format_machine *machine)
{
	struct ocsf_class class = ocsf_classify(event);
	enum level level = value_level(event);
	struct build build = { 0 };
	json_t *to = json_object();
	int64_t ns;

	put_metadata(&build, to, event, machine);
	/* Required, and a time that is none is the epoch's start. */
	build_number(&build, to, "time", value_time(event, "time", &ns) ? ns / 1000000 : 0);
	put_class(&build, to, &class);
	build_number(&build, to, "severity_id", severities[level].id);
	build_text(&build, to, "severity", severities[level].name);
	put_status(&build, to, event, class.uid);
	put_control(&build, to, event);
	put_message(&build, to, event);
	put_folded(&build, to, event);
	put_device(&build, to, machine);
	if (class.uid != OCSF_FINDING)
		ocsf_put_actor(&build, to, event);
	ocsf_put_act(&build, to, event, class.uid);
	ocsf_put_unmapped(&build, to, event, class.uid);
	if (build.failed) {
		json_decref(to);
		return NULL;
	}
	return to;
}
