/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Includes. A name that begins with "presets/" is built into the program; every other one is a
 * path, relative to the including file. A file that was included before is not read again; one
 * that is being read is a cycle.
 */
#include "policy/include.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/guarded.h"
#include "policy/presets.h"
#include "policy/sections.h"
#include "policy/vars.h"
#include "sign/manifest.h"

#define PRESET_PREFIX "presets/"
/** The device of presets' identities: their number is the inode. */
#define PRESET_DEVICE (~0UL)

static void free_frame(struct frame *frame)
{
	vars_reset(frame);
	node_free(&frame->root);
	source_reset(&frame->source);
}

/* Keep the name with the policy: positions refer to it. */
static int keep_name(struct front *front, struct source *source)
{
	char *name = strdup(source->name);
	int r;

	if (!name)
		return -ENOMEM;
	r = FRONT_APPEND(&front->policy->files, &front->policy->file_count, &name);
	if (r < 0)
		free(name);
	else
		source->name = name;
	return r;
}

static int read_frame(struct front *front, struct frame *frame)
{
	int r = keep_name(front, &frame->source);

	if (r == 0)
		r = manifest_add(front->policy, &frame->source,
				 frame->include ? frame->include->text : NULL);
	if (r == 0)
		r = source_check(&frame->source, front->diags);
	if (r == 0)
		r = yaml_parse(&frame->source, &frame->root, front->diags);
	if (r == 0)
		r = sections_read(front, frame->root);
	return r;
}

int include_source(struct front *front, struct source *source,
		   const struct source_identity *identity, const struct node *include)
{
	struct frame frame = { .parent = front->frame, .source = *source, .include = include };
	int r;

	*source = (struct source){ 0 };
	if (identity)
		frame.identity = *identity;
	front->bytes += frame.source.length;
	front->frame = &frame;
	r = read_frame(front, &frame);
	if (r == 0 && !frame.parent)
		r = vars_check_overrides(front);
	front->frame = frame.parent;
	free_frame(&frame);
	return r;
}

int include_tests(struct front *front, const char *path)
{
	CLEAN_FREE char *why = NULL;
	struct frame frame = { .parent = front->frame, .tests = true };
	int r = source_read(path, SOURCE_MAIN, &frame.source, &frame.identity, &why);

	if (r < 0) {
		(void)diag_add(front->diags, DIAG_ERROR, NULL, "cannot read the policy '%s': %s",
			       path, why ? why : strerror(-r));
		return r == -ENOMEM ? r : 0;
	}
	front->frame = &frame;
	r = read_frame(front, &frame);
	front->frame = frame.parent;
	free_frame(&frame);
	return r;
}

static bool same_file(const struct source_identity *a, const struct source_identity *b)
{
	return a->device == b->device && a->inode == b->inode;
}

/* "a.yaml includes b.yaml includes ...", malloc'ed, or NULL: from the policy to the current file. */
static char *include_chain(const struct frame *frame)
{
	char *chain = NULL;

	for (; frame; frame = frame->parent) {
		char *longer = NULL;

		if (asprintf(&longer, "%s%s%s", frame->source.name, chain ? " includes " : "",
			     chain ? chain : "") < 0)
			longer = NULL;
		free(chain);
		chain = longer;
		if (!chain)
			return NULL;
	}
	return chain;
}

/* Say how the current file came to be read, unless it is the policy itself. */
static void hint_chain(struct front *front, struct diag *diag)
{
	CLEAN_FREE char *chain = NULL;

	if (!front->frame->parent)
		return;
	chain = include_chain(front->frame);
	if (chain)
		diag_hint(diag, "%s", chain);
}

/* True when the file is new and may be read; else it is known, or the reason is reported. */
static bool check_new(struct front *front, const struct node *text,
		      const struct source_identity *identity, const char *name)
{
	CLEAN_FREE char *chain = NULL;
	struct diag *diag;

	for (const struct frame *f = front->frame; f; f = f->parent) {
		if (!same_file(&f->identity, identity))
			continue;
		diag = node_error(text, front->diags, "a cycle of includes");
		chain = include_chain(front->frame);
		if (chain)
			diag_hint(diag, "%s includes %s", chain, name);
		return false;
	}
	for (size_t i = 0; i < front->seen_count; i++) {
		if (same_file(&front->seen[i], identity))
			return false;
	}
	return true;
}

/* True when one more file may be read; else reported. */
static bool check_limits(struct front *front, const struct node *text)
{
	size_t depth = 0;

	for (const struct frame *f = front->frame; f; f = f->parent)
		depth++;
	if (depth > POLICY_INCLUDE_DEPTH)
		hint_chain(front,
			   node_error(text, front->diags, "includes are nested more than %d deep",
				      POLICY_INCLUDE_DEPTH));
	else if (front->policy->file_count >= POLICY_FILES_MAX)
		hint_chain(front,
			   node_error(text, front->diags, "more than %d files", POLICY_FILES_MAX));
	else
		return true;
	return false;
}

/* Read a source that @text includes, unless it was read before. Takes what @source owns. */
static int read_source(struct front *front, const struct node *text, struct source *source,
		       const struct source_identity *identity)
{
	int r = 0;

	if (check_new(front, text, identity, source->name)) {
		if (front->bytes + source->length > POLICY_TOTAL_MAX)
			hint_chain(front, node_error(text, front->diags,
						     "with this file the policy has more than %zu "
						     "MiB",
						     POLICY_TOTAL_MAX >> 20));
		else
			r = FRONT_APPEND(&front->seen, &front->seen_count, identity);
		if (r == 0 && front->bytes + source->length <= POLICY_TOTAL_MAX)
			r = include_source(front, source, identity, text);
	}
	source_reset(source);
	return r == -EINVAL ? 0 : r;
}

static int read_preset(struct front *front, const struct node *text, const char *path)
{
	const char *name = path + strlen(PRESET_PREFIX);
	CLEAN_FREE const char **names = NULL;

	for (size_t i = 0; i < policy_preset_count; i++) {
		struct source_identity identity = { PRESET_DEVICE, i };
		struct source source = { .name = path,
					 .text = policy_presets[i].text,
					 .length = policy_presets[i].length,
					 .builtin = true };

		if (strcmp(policy_presets[i].name, name) == 0)
			return read_source(front, text, &source, &identity);
	}
	names = reallocarray(NULL, policy_preset_count + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < policy_preset_count; i++)
		names[i] = policy_presets[i].name;
	front_hint_names(node_error(text, front->diags, "there is no preset '%s'", name), name,
			 "presets", names, policy_preset_count);
	return 0;
}

/* @path as seen from the current file; malloc'ed or NULL. */
static char *beside(const struct front *front, const char *path)
{
	const char *name = front->frame->source.name;
	const char *slash = strrchr(name, '/');
	char *joined = NULL;

	if (*path == '/' || !slash)
		return strdup(path);
	if (asprintf(&joined, "%.*s/%s", (int)(slash - name), name, path) < 0)
		return NULL;
	return joined;
}

/* 0 when the files of this policy may be read by anybody's leave, or this one is guarded as they are. */
static int check_guarded(struct front *front, const struct node *text, const char *path)
{
	CLEAN(guarded_fault_reset) struct guarded_fault fault = { 0 };
	struct diag *diag;
	int r;

	if (!front->context->guarded)
		return 0;
	r = guarded_check(path, GUARDED_FILE, front->context->owner, &fault);
	if (r == 0)
		return 0;
	diag = node_error(text, front->diags, "cannot include '%s': %s", path,
			  fault.why ? fault.why : strerror(-r));
	if (fault.remedy)
		diag_hint(diag, "%s", fault.remedy);
	return -EINVAL;
}

static int read_file(struct front *front, const struct node *text, const char *path)
{
	CLEAN_FREE char *beside_path = NULL;
	CLEAN_FREE char *why = NULL;
	struct source source = { 0 };
	struct source_identity identity = { 0 };
	struct diag *diag;
	int r;

	if (front->from_memory || front->frame->source.builtin) {
		diag_hint(
			node_error(text, front->diags, "no file can be included here"),
			"a policy that is not in a file can include presets only: 'presets/NAME'");
		return 0;
	}
	beside_path = beside(front, path);
	if (!beside_path)
		return -ENOMEM;
	if (check_guarded(front, text, beside_path) < 0)
		return 0;
	r = source_read(beside_path, SOURCE_INCLUDE, &source, &identity, &why);
	if (r == 0)
		return read_source(front, text, &source, &identity);
	diag = node_error(text, front->diags, "cannot include '%s': %s", beside_path,
			  why ? why : strerror(-r));
	if (r == -ENOENT)
		diag_hint(diag, "files are looked for beside the one that includes them; presets "
				"are 'presets/NAME'");
	hint_chain(front, diag);
	return r == -ENOMEM ? r : 0;
}

static int read_include(struct front *front, const struct node *text, void *unused)
{
	struct expansion expansion = { 0 };
	int r;

	(void)unused;
	if (!front_line(front, text, "the name of an included file") || !check_limits(front, text))
		return 0;
	r = vars_expand(front, text, VARS_PLAIN, &expansion);
	if (r < 0 || !expansion.text)
		return r;
	if (strncmp(expansion.text, PRESET_PREFIX, strlen(PRESET_PREFIX)) == 0)
		r = read_preset(front, text, expansion.text);
	else
		r = read_file(front, text, expansion.text);
	expansion_reset(&expansion);
	return r;
}

int include_read(struct front *front, const struct node *value, void *unused)
{
	return front_each_text(front, value, "the name of a file or preset", read_include, unused);
}
