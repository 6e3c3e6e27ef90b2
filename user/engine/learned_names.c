/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names are asked about again: the rule shown is the one that lets the name be asked for.
 */
#include "engine/learned_names.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "policy/decide.h"
#include "telemetry/names.h"
#include "telemetry/render.h"
#include "telemetry/render_network.h"

/* Names printed; more are counted. */
#define SHOWN_MAX 200

static __u64 seconds_left(const struct learned_name *name)
{
	struct timespec now = { 0 };
	__u64 ns;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	ns = (__u64)now.tv_sec * 1000000000ULL + (__u64)now.tv_nsec;
	return name->expires_ns > ns ? (name->expires_ns - ns + 999999999ULL) / 1000000000ULL : 0;
}

/* What the policy says of the name; PK_REASON_UNJUDGED when the name or its policy is not known. */
static struct pk_result judge(const struct learned_name *name, const struct policy_image *image)
{
	struct pk_result result = { PK_VERDICT_ALLOW, PK_REASON_UNJUDGED, PK_RULE_NONE };
	__u64 digest;

	if (!image || !name->host[0])
		return result;
	memcpy(&digest, image_head(image)->digest, sizeof(digest));
	if (digest == name->image)
		(void)decide_name(image, name->host, &result);
	return result;
}

static int decider(const struct learned_name *name, const struct event_context *context,
		   char **ret_text)
{
	struct pk_result result = judge(name, context->image);
	const struct event event = {
		.head = {
			.verdict = (__u8)result.verdict,
			.reason = (__u8)result.reason,
			.rule = result.rule,
			.section = PK_SECTION_EGRESS,
		},
	};

	if (result.reason != PK_REASON_UNJUDGED)
		return render_decider(&event, context, ret_text);
	*ret_text = strdup("by a policy that was replaced since");
	return *ret_text ? 0 : -ENOMEM;
}

static int wider(int width, size_t length)
{
	return (size_t)width < length ? (int)length : width;
}

static int print_name(const struct learned_name *name, const struct event_context *context,
		      const int widths[2], FILE *to)
{
	CLEAN_FREE char *rule = NULL;
	char address[EVENT_ADDRESS_SIZE];
	int r = decider(name, context, &rule);

	if (r < 0)
		return r;
	(void)fputs("  ", to);
	if (name->host[0])
		render_put_name(to, name->host, strlen(name->host));
	else
		(void)fputs("-", to);
	(void)fprintf(to, "%*s  %-*s  for %llu s  %s\n", widths[0] - wider(1, strlen(name->host)),
		      "", widths[1], event_address(name->address, address),
		      (unsigned long long)seconds_left(name), rule);
	return 0;
}

int learned_names_print(const struct learned_table *table, const struct event_context *context,
			FILE *to)
{
	size_t total = table->count + table->left_out;
	size_t shown = table->count < SHOWN_MAX ? table->count : SHOWN_MAX;
	int widths[2] = { 1, 1 };

	for (size_t i = 0; i < shown; i++) {
		char address[EVENT_ADDRESS_SIZE];

		event_address(table->items[i].address, address);
		widths[0] = wider(widths[0], strlen(table->items[i].host));
		widths[1] = wider(widths[1], strlen(address));
	}
	(void)fprintf(to, "picket: %zu address%s known by name\n", total, total == 1 ? "" : "es");
	for (size_t i = 0; i < shown; i++) {
		int r = print_name(&table->items[i], context, widths, to);

		if (r < 0)
			return r;
	}
	if (total > shown)
		(void)fprintf(to, "  and %zu more\n", total - shown);
	return 0;
}

static json_t *rule_json(const struct learned_name *name, const struct policy_image *image)
{
	struct pk_result result = judge(name, image);
	const struct pk_rule *rule = image ? image_rule(image, result.rule) : NULL;

	if (!rule)
		return NULL;
	return json_pack("{s:I, s:s, s:s, s:I, s:s}", "number", (json_int_t)result.rule, "verdict",
			 names_verdict(rule->verdict), "file", image_string(image, rule->file),
			 "line", (json_int_t)rule->line, "text", image_string(image, rule->text));
}

int learned_names_json(const struct learned_name *name, const struct event_context *context,
		       char **ret_line)
{
	char address[EVENT_ADDRESS_SIZE];
	json_t *object =
		json_pack("{s:s, s:s*, s:s*, s:s, s:I, s:o*}", "schema", LEARNED_NAMES_SCHEMA,
			  "agent", context->agent, "host", name->host[0] ? name->host : NULL,
			  "address", event_address(name->address, address), "expires_in",
			  (json_int_t)seconds_left(name), "rule", rule_json(name, context->image));
	CLEAN_FREE char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	char *line = NULL;

	json_decref(object);
	if (!text || asprintf(&line, "%s\n", text) < 0)
		return -ENOMEM;
	*ret_line = line;
	return 0;
}
