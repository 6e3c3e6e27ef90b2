/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A folder of policies to layers. Anything that is doubtful about the folder or a file stops all of it:
 * with a layer missing more would be allowed than somebody has decided.
 */
#include "policy/managed.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/guarded.h"
#include "policy/process.h"

/** The names of a folder's layers. */
struct names {
	char **items; /* owned */
	size_t count;
};

static void reset_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct names){ 0 };
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_in(const char *name, const char *end)
{
	size_t length = strlen(name);

	return length > strlen(end) && strcmp(name + length - strlen(end), end) == 0;
}

static int add_name(struct names *names, const char *name)
{
	char **grown = reallocarray(names->items, names->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	names->items = grown;
	grown[names->count] = strdup(name);
	return grown[names->count++] ? 0 : -ENOMEM;
}

/* One entry of the folder: hidden files are those that editors and package managers work on. */
static int take_entry(const char *folder, const char *name, struct names *names,
		      struct diag_list *diags)
{
	if (*name == '.')
		return 0;
	if (ends_in(name, ".yml")) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "'%s/%s' is no managed layer, and looks like one", folder, name),
			  "rename it to end in '.yaml', or move it away");
		return -EINVAL;
	}
	return ends_in(name, ".yaml") ? add_name(names, name) : 0;
}

static int refuse_folder(const char *folder, int error, const struct guarded_fault *fault,
			 struct diag_list *diags)
{
	struct diag *diag = diag_add(diags, DIAG_ERROR, NULL,
				     "cannot read the managed layers in '%s': %s", folder,
				     fault && fault->why ? fault->why : strerror(error));

	if (fault && fault->remedy)
		diag_hint(diag, "%s", fault->remedy);
	return -error;
}

/* -ENOENT, without a finding: there is no such folder. */
static int check_folder(const char *folder, const struct policy_context *context,
			struct diag_list *diags)
{
	CLEAN(guarded_fault_reset) struct guarded_fault fault = { 0 };
	int r;

	if (!context->guarded)
		return 0;
	r = guarded_check(folder, GUARDED_FOLDER, context->owner, &fault);
	return r == 0 || r == -ENOENT ? r : refuse_folder(folder, -r, &fault, diags);
}

/* The names of all layers of @folder, sorted. */
static int list_folder(const char *folder, struct names *ret_names, struct diag_list *diags)
{
	DIR *dir = opendir(folder);
	int r = 0;

	if (!dir)
		return errno == ENOENT ? -ENOENT : refuse_folder(folder, errno, NULL, diags);
	while (r == 0) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		r = take_entry(folder, entry->d_name, ret_names, diags);
	}
	if (r == 0 && errno)
		r = refuse_folder(folder, errno, NULL, diags);
	(void)closedir(dir);
	if (ret_names->count)
		qsort(ret_names->items, ret_names->count, sizeof(*ret_names->items), compare_names);
	return r;
}

/* What only the policy that is asked for may say. */
static int check_layer(const struct policy *layer, struct diag_list *diags)
{
	const char *key = layer->access.present ? "usable_by" : "nested";

	if (!layer->access.present && !layer->nested.present)
		return 0;
	diag_hint(diag_add(diags, DIAG_ERROR,
			   layer->access.present ? &layer->access.pos : &layer->nested.pos,
			   "a managed layer may not have '%s'", key),
		  "it is above every policy: write the key in those");
	return -EINVAL;
}

static int load_layer(const char *folder, const char *name, const struct policy_context *context,
		      struct managed *managed, struct diag_list *diags)
{
	CLEAN_FREE char *path = NULL;
	struct policy **layer = &managed->layers[managed->count];
	int r;

	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = policy_load_file(path, context, layer, diags);
	if (r < 0)
		return r;
	managed->count++;
	/* What nobody wrote is the profile strict to a policy, and nothing to a layer above it. */
	if (!(*layer)->process.present)
		process_reset(&(*layer)->process);
	return check_layer(*layer, diags);
}

int managed_load(const char *folder, const struct policy_context *context,
		 struct managed *ret_managed, struct diag_list *diags)
{
	CLEAN(reset_names) struct names names = { 0 };
	CLEAN(managed_reset) struct managed managed = { 0 };
	int r = check_folder(folder, context, diags);

	if (r == 0)
		r = list_folder(folder, &names, diags);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (names.count > MANAGED_MAX) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "there are %zu managed layers in '%s', and may be %u at most",
				   names.count, folder, MANAGED_MAX),
			  "join some: one file may include others");
		return -EINVAL;
	}
	for (size_t i = 0; i < names.count && r == 0; i++)
		r = load_layer(folder, names.items[i], context, &managed, diags);
	if (r < 0)
		return r;
	*ret_managed = managed;
	managed = (struct managed){ 0 };
	return 0;
}

size_t managed_above(const struct managed *managed, const struct policy *policy,
		     const struct policy *ret_layers[PK_LAYERS_MAX])
{
	for (size_t i = 0; i < managed->count; i++)
		ret_layers[i] = managed->layers[i];
	ret_layers[managed->count] = policy;
	return managed->count + 1;
}

const struct policy *managed_enforcing(const struct managed *managed)
{
	for (size_t i = 0; i < managed->count; i++) {
		if (!managed->layers[i]->audit)
			return managed->layers[i];
	}
	return NULL;
}

void managed_reset(struct managed *managed)
{
	for (size_t i = 0; i < managed->count; i++)
		policy_free(&managed->layers[i]);
	*managed = (struct managed){ 0 };
}
