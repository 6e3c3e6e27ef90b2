/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The learned policy as text.
 */
#include <string.h>

#include "author/learn_parts.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"
#include "policy/capabilities.h"
#include "policy/sockets.h"
#include "telemetry/names.h"

/* Sections with rules, in the order of the file. */
static const enum pk_section order[] = {
	PK_SECTION_EGRESS, PK_SECTION_LISTEN, PK_SECTION_FILES, PK_SECTION_EXEC, PK_SECTION_UNIX,
};

static void write_head(const struct learn *learn, FILE *to)
{
	const struct recording *recording = learn->recording;
	struct seen seen = { 0 };

	for (size_t i = 0; i < recording->count; i++)
		seen_merge(&seen, &recording->items[i].seen);
	(void)fprintf(to, "# Learned by `picket learn` from %llu events",
		      (unsigned long long)recording->events);
	if (*seen.first)
		(void)fprintf(to, ", %.19sZ to %.19sZ", seen.first, seen.last);
	if (recording->lost)
		(void)fprintf(to, "; %llu events are missing", (unsigned long long)recording->lost);
	(void)fprintf(
		to,
		".\n# A comment above a rule tells how often, when and by which programs what it "
		"allows was used.\npicket: 1\nname: %s\n",
		learn->name);
	if (learn->sections[PK_SECTION_FILES])
		(void)fprintf(to, "include: [%s%spresets/secrets]\n",
			      learn->base || learn->tools ? "presets/linux-base, " : "",
			      learn->tools ? "presets/dev-tools, " : "");
}

static void write_section(const struct learn *learn, enum pk_section section, FILE *to)
{
	bool any = false;

	if (!learn->sections[section])
		return;
	for (size_t i = 0; i < learn->rules.count; i++)
		any = any || learn->rules.items[i].section == section;
	(void)fprintf(to, "\n%s:\n  default: deny\n", names_section(section));
	if (section == PK_SECTION_EGRESS) {
		(void)fputs("  rules:\n    # Credentials of the machine: never learned\n"
			    "    - {deny: \"@metadata\"}\n",
			    to);
	} else if (any) {
		(void)fputs("  rules:\n", to);
	}
	learn_rules_write(&learn->rules, section, to);
}

static void write_sockets(const struct learn *learn, FILE *to)
{
	__u32 kinds = PK_SOCKETS_DEFAULT | learn->sockets;
	const char *separator = "";

	if (!learn->sockets || !learn->sections[PK_SECTION_SOCKETS])
		return;
	(void)fputs("\nsockets:\n  allow: [", to);
	for (unsigned int kind = 0; kind < PK_SOCKET__MAX; kind++) {
		if (!(kinds >> kind & 1))
			continue;
		(void)fprintf(to, "%s%s", separator, sockets_word(kind));
		separator = ", ";
	}
	(void)fputs("]\n", to);
}

static void write_capabilities(__u64 allowed, FILE *to)
{
	const char *separator = "";

	(void)fputs("  capabilities: [", to);
	for (unsigned int i = 0; i < CAPABILITIES_COUNT; i++) {
		if (!((capabilities_refused & ~allowed) >> i & 1))
			continue;
		(void)fprintf(to, "%s%s", separator, capabilities_name(i));
		separator = ", ";
	}
	(void)fputs("]\n", to);
}

static void write_process(const struct learn *learn, FILE *to)
{
	if (!learn->sections[PK_SECTION_PROCESS])
		return;
	(void)fputs("\nprocess:\n  profile: strict\n", to);
	for (__u32 guard = 0; guard < PK_GUARD__MAX; guard++) {
		if (!(learn->guards >> guard & 1))
			continue;
		if (guard == PK_GUARD_CAPABILITIES)
			write_capabilities(learn->capabilities, to);
		else
			(void)fprintf(to, "  %s: allow\n", names_guard(guard));
	}
}

static void write_left(const struct learn *learn, FILE *to)
{
	const struct learn_result *result = learn->result;

	if (result->left_count)
		(void)fputs("\n# Left out: this was done, and the policy does not allow it.\n", to);
	for (size_t i = 0; i < result->left_count; i++) {
		const struct observation *act = result->left[i].act;
		CLEAN_FREE char *text = observation_text(act);

		(void)fprintf(to, "#   %s %s: %s\n#     ", names_op(act->op), text ? text : "?",
			      result->left[i].why);
		learn_seen_write(&act->seen, to);
		(void)fputc('\n', to);
	}
}

char *learn_text(const struct learn *learn)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	write_head(learn, to);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		write_section(learn, order[i], to);
	write_sockets(learn, to);
	write_process(learn, to);
	write_left(learn, to);
	(void)text_close(to, &text);
	return text;
}
