/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy is looked for by its name in one folder; only root gives paths. For others it is loaded
 * once as it is by itself, to see who may use it, before anything of it is told.
 */
#include "daemon/policies.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/access.h"
#include "policy/guarded.h"

#define NAME_LENGTH_MAX 64

int policies_open(const char *config, uid_t owner, struct policies *ret_policies)
{
	struct policies policies = { .owner = owner };

	if (asprintf(&policies.folder, "%s/%s", config, POLICIES_FOLDER) < 0)
		policies.folder = NULL;
	if (asprintf(&policies.managed, "%s/%s", config, POLICIES_MANAGED) < 0)
		policies.managed = NULL;
	if (!policies.folder || !policies.managed) {
		policies_reset(&policies);
		return -ENOMEM;
	}
	*ret_policies = policies;
	return 0;
}

void policies_reset(struct policies *policies)
{
	free(policies->folder);
	free(policies->managed);
	*policies = (struct policies){ 0 };
}

bool policies_is_name(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > NAME_LENGTH_MAX || name[0] == '.')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
			return false;
	}
	return true;
}

int policies_find(const struct policies *policies, const char *name, char **ret_path,
		  struct diag_list *diags)
{
	CLEAN(guarded_fault_reset) struct guarded_fault fault = { 0 };
	CLEAN_FREE char *path = NULL;
	const char *at = policies->folder;
	int r;

	if (asprintf(&path, "%s/%s.yaml", policies->folder, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = guarded_check(at, GUARDED_FOLDER, policies->owner, &fault);
	if (r == 0) {
		at = path;
		r = guarded_check(at, GUARDED_FILE, policies->owner, &fault);
	}
	if (r == -ENOENT)
		return r;
	if (r) {
		struct diag *diag = diag_add(diags, DIAG_ERROR, NULL, "cannot read '%s': %s", at,
					     fault.why ? fault.why : strerror(-r));

		if (fault.remedy)
			diag_hint(diag, "%s", fault.remedy);
		return r;
	}
	*ret_path = TAKE_PTR(path);
	return 0;
}

static int add_overrides(struct policy_args *args, const json_t *set)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)set, key, value) {
		CLEAN_FREE char *assignment = NULL;
		int r;

		if (asprintf(&assignment, "%s=%s", key, json_string_value(value)) < 0) {
			assignment = NULL;
			return -ENOMEM;
		}
		r = policy_args_set(args, assignment);
		if (r)
			return r;
	}
	return 0;
}

/* May @peer use the policy? Returns 0, or -ENOENT: for all it is told there is none. */
static int check_access(struct policy_args *args, const struct peer *peer)
{
	CLEAN(diag_list_reset) struct diag_list unseen = { 0 };
	struct policy *policy = NULL;
	bool allowed;
	int r = policy_args_load(args, &policy, &unseen);

	if (r)
		return r == -ENOMEM ? r : -ENOENT;
	allowed = policy_access_allows(policy, peer->uid, &peer->gid, 1) ||
		  policy_access_allows(policy, peer->uid, peer->groups, peer->group_count);
	policy_free(&policy);
	return allowed ? 0 : -ENOENT;
}

/* The file that @record asks for. */
static int find_path(const struct policies *policies, const struct agent_record *record,
		     const struct peer *peer, char **ret_path, struct diag_list *diags)
{
	if (record->policy[0] == '/') {
		if (peer && peer_is_limited(peer))
			return -EACCES;
		*ret_path = strdup(record->policy);
		return *ret_path ? 0 : -ENOMEM;
	}
	if (!policies_is_name(record->policy))
		return -ENOENT;
	return policies_find(policies, record->policy, ret_path, diags);
}

static int copy_files(struct compiled *compiled, char *const *files, size_t count)
{
	compiled->files = calloc(count + 1, sizeof(*compiled->files));
	if (!compiled->files)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		compiled->files[i] = strdup(files[i]);
		if (!compiled->files[i])
			return -ENOMEM;
		compiled->file_count++;
	}
	return 0;
}

static int copy_nested(struct compiled *compiled, const struct policy_nested *nested)
{
	if (!nested->count)
		return 0;
	compiled->nested = json_array();
	for (size_t i = 0; compiled->nested && i < nested->count; i++) {
		if (json_array_append_new(compiled->nested, json_string(nested->names[i])))
			return -ENOMEM;
	}
	return compiled->nested ? 0 : -ENOMEM;
}

static int compile(struct policy_args *args, struct compiled *compiled, struct diag_list *diags)
{
	CLEAN(cli_policy_reset) struct cli_policy policy = { 0 };
	int r;

	args->accept = true;
	r = policy_args_compile(args, &policy, diags);

	if (r == 0)
		r = copy_files(compiled, policy.files, policy.file_count);
	if (r == 0)
		r = copy_nested(compiled, &policy.policy->nested);
	if (r)
		return r;
	cli_policy_digest(&policy.image, compiled->digest);
	compiled->image = policy.image;
	policy.image = (struct policy_image){ 0 };
	return 0;
}

/* Findings of a policy that was taken are warnings; they go with it. */
static int keep_warnings(struct compiled *compiled, const struct diag_list *diags)
{
	size_t size = 0;
	FILE *to = diags->count ? open_memstream(&compiled->warnings, &size) : NULL;

	if (!diags->count)
		return 0;
	if (!to)
		return -ENOMEM;
	diag_print(diags, to);
	return text_close(to, &compiled->warnings);
}

static bool may_use_all(const struct peer *peer)
{
	return !peer || !peer_is_limited(peer) || peer->role == PEER_OPERATOR;
}

/* A process of an agent, which starts one inside of it. */
static bool is_inside(const struct peer *peer)
{
	return peer && peer->role < PEER_NOBODY;
}

static int prepare(const struct agent_record *record, const struct peer *peer,
		   struct policy_args *args, struct diag_list *diags)
{
	int r = policy_args_account(args, record->uid, record->cwd);

	/* Who may use it for an agent of an agent is written in the policy of that one. */
	if (r == 0 && !may_use_all(peer) && !is_inside(peer))
		r = check_access(args, peer);
	if (r)
		return r;
	r = add_overrides(args, record->set);
	if (r == -EINVAL)
		(void)diag_add(diags, DIAG_ERROR, NULL, "the name of a variable is not one");
	return r;
}

/* What the agents around were compiled by. */
struct around {
	struct policy_args args[PK_LAYERS_MAX];
	char *paths[PK_LAYERS_MAX]; /* owned */
	size_t count;
};

static void around_reset(struct around *around)
{
	for (size_t i = 0; i < around->count; i++) {
		policy_args_reset(&around->args[i]);
		free(around->paths[i]);
	}
}

/* One agent around, with the words of whoever started it. */
static int add_around(const struct policies *policies, const struct agent_record *record,
		      struct around *around, struct diag_list *diags)
{
	struct policy_args *args = &around->args[around->count];
	char **path = &around->paths[around->count++];
	int r = record->policy ? find_path(policies, record, NULL, path, diags) : -ENOENT;

	if (r)
		return r;
	*args = (struct policy_args){
		.path = *path,
		.audit = record->audit,
		.guarded = record->policy[0] != '/',
	};
	if (around->count > 1)
		args[-1].around = args;
	return prepare(record, NULL, args, diags);
}

static int find_around(const struct policies *policies, const struct agent_record *record,
		       struct around *around, struct diag_list *diags)
{
	int r = 0;

	for (record = record->around; record && r == 0; record = record->around) {
		if (around->count == PK_LAYERS_MAX) {
			(void)diag_add(diags, DIAG_ERROR, NULL,
				       "there are %d agents around this one already",
				       PK_LAYERS_MAX);
			return -EINVAL;
		}
		r = add_around(policies, record, around, diags);
	}
	return r;
}

/* A process of an agent may know of its own policy only what it is told of denials. */
static void hide_around(const char *path, struct diag_list *diags)
{
	for (size_t i = 0; i < diags->count; i++) {
		const char *file = diags->items[i].file;

		if (!file || (path && strcmp(file, path) == 0))
			continue;
		diag_list_reset(diags);
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "the layers above the policy have errors, or a file that it "
				   "includes has"),
			  "ask the administrator of this machine");
		return;
	}
}

/* Findings about managed layers quote them, which not everybody may read. */
static void hide_managed(const struct policies *policies, struct diag_list *diags)
{
	size_t length = strlen(policies->managed);

	for (size_t i = 0; i < diags->count; i++) {
		const char *file = diags->items[i].file;

		if (!file || strncmp(file, policies->managed, length) != 0)
			continue;
		diag_list_reset(diags);
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "the managed layers of this machine have errors"),
			  "ask its administrator");
		return;
	}
}

int policies_compile(const struct policies *policies, const struct agent_record *record,
		     const struct peer *peer, struct compiled *ret_compiled,
		     struct diag_list *diags)
{
	CLEAN(policies_reset_compiled) struct compiled compiled = { 0 };
	CLEAN(around_reset) struct around around = { 0 };
	CLEAN(policy_args_reset) struct policy_args args = { .audit = record->audit };
	CLEAN(diag_list_reset) struct diag_list found = { 0 };
	int r = find_path(policies, record, peer, &compiled.path, &found);

	/* What is wrong with the folder is not for everybody either. */
	if (r && !may_use_all(peer))
		return r == -ENOMEM || r == -EACCES ? r : -ENOENT;
	args.path = compiled.path;
	args.guarded = record->policy[0] != '/';
	args.managed = policies->managed;
	if (r == 0)
		r = prepare(record, peer, &args, &found);
	if (r == 0)
		r = find_around(policies, record, &around, &found);
	args.around = around.count ? around.args : NULL;
	if (r == 0)
		r = compile(&args, &compiled, &found);
	if (r == 0 && !is_inside(peer))
		r = keep_warnings(&compiled, &found);
	if (r) {
		if (!may_use_all(peer))
			hide_managed(policies, &found);
		if (is_inside(peer))
			hide_around(compiled.path, &found);
		*diags = found;
		found = (struct diag_list){ 0 };
		return r;
	}
	*ret_compiled = compiled;
	compiled = (struct compiled){ 0 };
	return 0;
}

int policies_copy_compiled(const struct compiled *from, struct compiled *ret_copy)
{
	CLEAN(policies_reset_compiled) struct compiled copy = { 0 };

	copy.image.bytes = malloc(from->image.size);
	copy.path = strdup(from->path);
	if (!copy.image.bytes || !copy.path || copy_files(&copy, from->files, from->file_count))
		return -ENOMEM;
	memcpy(copy.image.bytes, from->image.bytes, from->image.size);
	copy.image.size = from->image.size;
	memcpy(copy.digest, from->digest, sizeof(copy.digest));
	copy.nested = json_incref(from->nested);
	*ret_copy = copy;
	copy = (struct compiled){ 0 };
	return 0;
}

void policies_reset_compiled(struct compiled *compiled)
{
	image_reset(&compiled->image);
	free(compiled->path);
	for (size_t i = 0; i < compiled->file_count; i++)
		free(compiled->files[i]);
	free(compiled->files);
	free(compiled->warnings);
	json_decref(compiled->nested);
	*compiled = (struct compiled){ 0 };
}
