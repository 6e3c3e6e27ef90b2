/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket doctor`: every step of the probe with its sentence and remedy, then the tier and what it
 * covers. It prints; engine/features.h finds out.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "engine/features.h"
#include "policy/host_facts.h"
#include "engine/side_doors.h"
#include "telemetry/event.h"
#include "telemetry/names.h"

static const char help[] =
	"usage: picket doctor [--json]\n"
	"\n"
	"Find out what picket can enforce on this host, by trying, one step after the other. Nothing\n"
	"is left behind, except that the bpf file system is mounted if it was not.\n"
	"\n"
	"      --json             the answer as one JSON object\n"
	"\n"
	"Exit status: 0: some tier works; 3: none.\n";

/* Of a step's name and state, and of a side door's. */
#define STEP_INDENT 25
#define DOOR_INDENT 27

#define HOOKS                                                                                      \
	"egress, listen, sockets, files, exec, unix, process and syscalls, and rules with 'by'"

/* What a tier enforces, for people and for scripts. */
static const struct {
	const char *covers;
	const char *sections[PK_SECTION__MAX];
} tiers[] = {
	[PK_TIER_NETWORK] = { "egress, listen and syscalls; a policy with files, exec, unix, "
			      "process, sockets or 'by' is refused, and the default profile is not "
			      "enforced",
			      { "egress", "listen", "syscalls" } },
	[PK_TIER_MODIFY_RETURN] = { HOOKS,
				    { "egress", "listen", "sockets", "files", "exec", "unix",
				      "process", "syscalls" } },
	[PK_TIER_LSM] = { HOOKS,
			  { "egress", "listen", "sockets", "files", "exec", "unix", "process",
			    "syscalls" } },
};

_Static_assert(sizeof(tiers) / sizeof(tiers[0]) == PK_TIER__MAX, "a row for every tier");

/* Columns of the terminal; 0: there is none, and lines are as long as they are. */
static size_t line_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* The rest of a line that has @indent columns already; what does not fit goes below, there. */
static void print_wrapped(const char *text, size_t indent)
{
	size_t width = line_width();
	size_t at = indent;

	for (const char *word = text; *word;) {
		size_t length = strcspn(word, " ");

		if (width && at > indent && at + 1 + length > width) {
			printf("\n%*s", (int)indent, "");
			at = indent;
		} else if (word > text) {
			(void)putchar(' ');
			at++;
		}
		printf("%.*s", (int)length, word);
		at += length;
		word += length + strspn(word + length, " ");
	}
	(void)putchar('\n');
}

static const char *state_name(enum feature_state state)
{
	static const char *const names[] = {
		[FEATURE_UNKNOWN] = "unknown",
		[FEATURE_OK] = "ok",
		[FEATURE_FAILED] = "failed",
	};

	return names[state];
}

static const char *step_text(const struct feature *step)
{
	return step->text ? step->text : "not tried, because an earlier step failed";
}

/* A failed step that the tier found does without is worth a look, not an alarm. */
static void print_steps(const struct features *features)
{
	for (unsigned int i = 0; i < FEATURE__MAX; i++) {
		const struct feature *step = &features->items[i];

		printf("%-15s %-8s ", step->name, state_name(step->state));
		print_wrapped(step_text(step), STEP_INDENT);
		if (step->remedy) {
			printf("%-15s %-8s remedy: ", "", "");
			print_wrapped(step->remedy, STEP_INDENT + sizeof("remedy: ") - 1);
		}
	}
}

static void print_tier(const struct features *features)
{
	const char *name = features->tier < 0 ? NULL : names_tier((__u32)features->tier);

	if (!name) {
		printf("\nno tier: picket can enforce nothing here; see the failed steps above\n");
		return;
	}
	printf("\ntier %s: ", name);
	print_wrapped(tiers[features->tier].covers, sizeof("tier : ") - 1 + strlen(name));
}

/* What a policy that names hosts depends on, and what could be used around it. */
static void print_world(const struct features *features, const struct policy_host *host)
{
	size_t count;
	const struct side_door *doors = side_doors_all(&count);
	char text[EVENT_ADDRESS_SIZE];

	(void)fputs("\nresolvers ('resolvers: system'):", stdout);
	for (size_t i = 0; i < host->resolver_count; i++)
		printf(" %s", event_address(host->resolvers[i], text));
	printf("%s\n\n", host->resolver_count ? "" : " none in " HOST_FACTS_RESOLV_CONF);
	print_wrapped(
		features->tier >= PK_TIER_MODIFY_RETURN ?
			"side doors, which look names up for who may connect to them; the section "
			"'files' closes each, unless a rule allows 'connect' to it:" :
			"side doors, which look names up for who may connect to them; closed by "
			"'files' rules, which this tier cannot enforce:",
		0);
	for (size_t i = 0; i < count; i++) {
		char line[256];

		(void)snprintf(line, sizeof(line), "%s: %s", doors[i].path, doors[i].what);
		printf("%-17s %-8s ", doors[i].name,
		       side_doors_is_open(&doors[i]) ? "there" : "not here");
		print_wrapped(line, DOOR_INDENT);
	}
}

static json_t *resolvers_json(const struct policy_host *host)
{
	json_t *list = json_array();
	char text[EVENT_ADDRESS_SIZE];

	for (size_t i = 0; i < host->resolver_count; i++)
		(void)json_array_append_new(list,
					    json_string(event_address(host->resolvers[i], text)));
	return list;
}

static json_t *doors_json(void)
{
	size_t count;
	const struct side_door *doors = side_doors_all(&count);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(
			list, json_pack("{s:s, s:s, s:b}", "name", doors[i].name, "path",
					doors[i].path, "present", side_doors_is_open(&doors[i])));
	return list;
}

static json_t *steps_json(const struct features *features)
{
	json_t *steps = json_array();

	for (unsigned int i = 0; i < FEATURE__MAX; i++) {
		const struct feature *step = &features->items[i];

		(void)json_array_append_new(steps,
					    json_pack("{s:s, s:s, s:s*, s:s*}", "name", step->name,
						      "state", state_name(step->state), "text",
						      step->text, "remedy", step->remedy));
	}
	return steps;
}

static json_t *sections_json(int tier)
{
	json_t *sections = json_array();

	for (size_t i = 0; tier >= 0 && i < PK_SECTION__MAX && tiers[tier].sections[i]; i++)
		(void)json_array_append_new(sections, json_string(tiers[tier].sections[i]));
	return sections;
}

static int print_json(const struct features *features, const struct policy_host *host)
{
	json_t *root =
		json_pack("{s:s, s:s?, s:o, s:o, s:o, s:o}", "schema", "picket.doctor/1", "tier",
			  features->tier < 0 ? NULL : names_tier((__u32)features->tier), "sections",
			  sections_json(features->tier), "resolvers", resolvers_json(host),
			  "side_doors", doors_json(), "steps", steps_json(features));
	CLEAN_FREE char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;

	json_decref(root);
	if (!text) {
		errno = ENOMEM;
		return cli_error("doctor", "cannot write the answer: %m");
	}
	printf("%s\n", text);
	return CLI_OK;
}

static int doctor(bool json)
{
	CLEAN(features_reset) struct features features = { .tier = -1 };
	CLEAN(host_facts_reset) struct policy_host host = { 0 };
	int r = features_probe(PK_TIER__MAX, &features);

	if (r == 0)
		r = host_facts_read(HOST_FACTS_RESOLV_CONF, &host);
	if (r) {
		errno = -r;
		return cli_error("doctor", "cannot find out: %m");
	}
	if (json) {
		r = print_json(&features, &host);
		if (r)
			return r;
	} else {
		print_steps(&features);
		print_tier(&features);
		print_world(&features, &host);
	}
	return features.tier < 0 ? CLI_KERNEL : CLI_OK;
}

int cmd_doctor(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (option == 'h')
			return cli_help(help);
		if (option != 'j')
			return cli_usage("doctor", NULL);
		json = true;
	}
	if (optind < argc)
		return cli_usage("doctor", "unexpected argument '%s'", argv[optind]);
	return doctor(json);
}
