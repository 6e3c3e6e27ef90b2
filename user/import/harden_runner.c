/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The step harden-runner of a GitHub workflow: its allowed-endpoints become rules of egress.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "import/import.h"

#define ACTION "step-security/harden-runner@"

/* One "host:port" of the list. */
static void read_endpoint(struct import *import, const struct node *value, const char *endpoint)
{
	const char *colon = strrchr(endpoint, ':');
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;

	if (!colon || digits == 0 || colon[1 + digits] != '\0') {
		(void)node_error(value, import->diags, "'%s' is not a host and a port: HOST:443",
				 endpoint);
		return;
	}
	import_host(import, value, endpoint, "allow", "");
}

static void read_endpoints(struct import *import, const struct node *key, const struct node *value)
{
	CLEAN_FREE char *copy = NULL;
	char *rest = NULL;

	if (value->kind != NODE_TEXT) {
		(void)node_error(value, import->diags, "'%s' must be a text", key->text);
		return;
	}
	copy = strdup(value->text);
	if (!copy) {
		import->draft.failed = true;
		return;
	}
	for (char *at = strtok_r(copy, " \n", &rest); at; at = strtok_r(NULL, " \n", &rest))
		read_endpoint(import, value, at);
}

static void read_policy(struct import *import, const struct node *key, const struct node *value)
{
	if (value->kind == NODE_TEXT && strcmp(value->text, "audit") == 0)
		draft_line(&import->draft, &import->draft.head, "mode: audit");
	else if (value->kind != NODE_TEXT || strcmp(value->text, "block") != 0)
		(void)node_error(value, import->diags, "'%s' must be audit or block", key->text);
}

static void read_sudo(struct import *import, const struct node *key, const struct node *value)
{
	if (!import_is_true(import, value))
		return;
	draft_default(&import->draft, DRAFT_EXEC, "allow");
	draft_rule(&import->draft, &(struct draft_rule){ .section = DRAFT_EXEC,
							 .verdict = (char *)"deny",
							 .pattern = (char *)"sudo",
							 .extra = (char *)", reason: disable-sudo",
							 .line = import_line(key) });
	draft_line(&import->draft, &import->draft.tests, "run: 'sudo true', expect: deny");
}

static void read_containers(struct import *import, const struct node *key, const struct node *value)
{
	if (!import_is_true(import, value))
		return;
	read_sudo(import, key, value);
	import_lost(import, key,
		    "'%s' also uninstalls container engines; deny their sockets: presets/secrets",
		    key->text);
}

static void other_input(struct import *import, const struct node *key, const struct node *value)
{
	(void)value;
	import_lost(import, key, "'%s' has no meaning here", key->text);
}

static void read_step(struct import *import, const struct node *with)
{
	static const struct import_row rows[] = {
		{ "egress-policy", read_policy },
		{ "allowed-endpoints", read_endpoints },
		{ "disable-sudo", read_sudo },
		{ "disable-sudo-and-containers", read_containers },
		{ "disable-telemetry", NULL }, /* about the action's own service */
		{ NULL, NULL },
	};

	draft_default(&import->draft, DRAFT_EGRESS, "deny");
	draft_line(&import->draft, &import->draft.notes,
		   "A '*.' in front is any depth below the name here, and so it is there.");
	import_map(import, with, "'with'", rows, other_input);
}

/* The step's inputs in one job, or NULL. */
static const struct node *find_step(const struct node *job)
{
	const struct node *steps = import_get(job, "steps", NULL);

	for (size_t i = 0; steps && steps->kind == NODE_LIST && i < steps->count; i++) {
		const struct node *uses = import_get(steps->items[i], "uses", NULL);

		if (uses && uses->kind == NODE_TEXT &&
		    strncmp(uses->text, ACTION, strlen(ACTION)) == 0)
			return import_get(steps->items[i], "with", NULL);
	}
	return NULL;
}

/* The one job that is meant; else reported. */
static const struct node *find_job(struct import *import, const struct node *jobs)
{
	const struct node *found = NULL;

	for (size_t i = 0; i + 1 < jobs->count; i += 2) {
		const struct node *with = find_step(jobs->items[i + 1]);

		if (!with || jobs->items[i]->kind != NODE_TEXT ||
		    (import->pick && strcmp(import->pick, jobs->items[i]->text) != 0))
			continue;
		if (found) {
			diag_hint(node_error(jobs->items[i], import->diags,
					     "a second job with harden-runner"),
				  "say which one is meant: --pick %s", jobs->items[i]->text);
			return NULL;
		}
		found = with;
	}
	if (!found)
		(void)node_error(jobs, import->diags,
				 "there is no %s with the step %s... and inputs",
				 import->pick ? "such job" : "job", ACTION);
	return found;
}

int import_harden_runner(struct import *import)
{
	const struct node *jobs;
	const struct node *with;
	int r = yaml_parse(&import->source, &import->root, import->diags);

	if (r < 0)
		return r;
	jobs = import_get(import->root, "jobs", NULL);
	if (!jobs || jobs->kind != NODE_MAP) {
		(void)diag_add(import->diags, DIAG_ERROR,
			       &(struct diag_pos){ .file = import->source.name },
			       "this is no workflow: it has no 'jobs'");
		return -EINVAL;
	}
	with = find_job(import, jobs);
	if (!with)
		return -EINVAL;
	read_step(import, with);
	return 0;
}
