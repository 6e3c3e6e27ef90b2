/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One load from beginning to end: set up, read the policy's own text (which pulls in the others),
 * and judge the whole once everything is there.
 */
#include "policy/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/guarded.h"
#include "policy/include.h"
#include "policy/process.h"
#include "policy/rule_text.h"

#define FALLBACK_NAME "policy"

static int set_up(struct front *front, const struct policy_context *context,
		  struct diag_list *diags)
{
	*front = (struct front){ .context = context, .diags = diags };
	front->policy = calloc(1, sizeof(*front->policy));
	front->override_used = calloc(context->override_count + 1, sizeof(bool));
	if (!front->policy || !front->override_used)
		return -ENOMEM;
	for (int i = 0; i < PK_SECTION__MAX; i++)
		front->policy->sections[i].default_verdict = PK_VERDICT_DENY;
	process_set_default(&front->policy->process);
	return 0;
}

static void tear_down(struct front *front)
{
	rule_text_forget_ids(front);
	policy_free(&front->policy);
	free(front->override_used);
	free(front->seen);
}

/* A policy without a name has that of its file, if it can be one. */
static int set_name(struct policy *policy, const char *path)
{
	static const char bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789_-";
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strspn(base, bytes);
	const char *end = base + length;
	bool usable = length > 0 && length <= 64 &&
		      (!*end || strcmp(end, ".yaml") == 0 || strcmp(end, ".yml") == 0);

	if (policy->name)
		return 0;
	policy->name = usable ? strndup(base, length) : strdup(FALLBACK_NAME);
	return policy->name ? 0 : -ENOMEM;
}

/* True when the policy's text refuses something, or could. */
static bool has_sections(const struct policy *policy)
{
	for (int i = 0; i < PK_SECTION__MAX; i++) {
		if (policy->sections[i].present)
			return true;
	}
	for (int i = 0; i < PK_GUARD__MAX && policy->process.present; i++) {
		if (policy->process.guards[i].verdict != PK_VERDICT_ALLOW)
			return true;
	}
	return false;
}

static void warn_nothing(const struct front *front, const char *name)
{
	const struct diag_pos pos = { .file = name };
	const char *message = "this policy judges no network, files or programs";

	if (has_sections(front->policy))
		return;
	if (front->policy->process.present)
		message = "this policy forbids nothing";
	diag_hint(diag_add(front->diags, DIAG_WARNING, &pos, "%s", message),
		  "what is not judged is allowed: add a section egress, files or exec");
}

/* Read @source (taken) as a policy's own text and store the result. */
static int load(struct front *front, struct source *source, const struct source_identity *identity,
		struct policy **ret_policy)
{
	const char *name = source->name;
	int r = include_source(front, source, identity, NULL);

	if (r == 0)
		r = set_name(front->policy, name);
	if (r == 0 && diag_has_errors(front->diags))
		r = -EINVAL;
	if (r == 0) {
		warn_nothing(front, name);
		*ret_policy = TAKE_PTR(front->policy);
	}
	return r;
}

static int finish(struct front *front, int r)
{
	if (r == -ENOMEM)
		front->diags->out_of_memory = true;
	tear_down(front);
	return r;
}

/* Open what may be opened; what is wrong is a finding. */
static int open_file(const char *path, const struct policy_context *context, struct source *source,
		     struct source_identity *identity, struct diag_list *diags)
{
	CLEAN(guarded_fault_reset) struct guarded_fault fault = { 0 };
	CLEAN_FREE char *why = NULL;
	struct diag *diag;
	int r = 0;

	if (context->guarded)
		r = guarded_check(path, GUARDED_FILE, context->owner, &fault);
	if (r == 0)
		r = source_read(path, context->guarded ? SOURCE_INCLUDE : SOURCE_MAIN, source,
				identity, &why);
	if (r == 0)
		return 0;
	diag = diag_add(diags, DIAG_ERROR, NULL, "cannot read the policy '%s': %s", path,
			fault.why ? fault.why :
			why	  ? why :
				    strerror(-r));
	if (fault.remedy)
		diag_hint(diag, "%s", fault.remedy);
	return r;
}

int policy_load_file(const char *path, const struct policy_context *context,
		     struct policy **ret_policy, struct diag_list *diags)
{
	struct source_identity identity = { 0 };
	struct source source = { 0 };
	struct front front;
	int r = set_up(&front, context, diags);

	if (r == 0)
		r = open_file(path, context, &source, &identity, diags);
	if (r < 0)
		return finish(&front, r);
	return finish(&front, load(&front, &source, &identity, ret_policy));
}

/* NOLINTNEXTLINE(readability-function-size): a text is a name, a place and a length */
int policy_load_text(const char *name, const char *text, size_t length,
		     const struct policy_context *context, struct policy **ret_policy,
		     struct diag_list *diags)
{
	struct source source = { .name = name, .text = text, .length = length };
	struct front front;
	int r = set_up(&front, context, diags);

	if (r < 0)
		return finish(&front, r);
	front.from_memory = true;
	if (length > POLICY_FILE_MAX) {
		(void)diag_add(diags, DIAG_ERROR, NULL,
			       "the policy '%s' has %zu bytes, and may have at most %u MiB", name,
			       length, POLICY_FILE_MAX >> 20);
		return finish(&front, -EINVAL);
	}
	return finish(&front, load(&front, &source, NULL, ret_policy));
}
