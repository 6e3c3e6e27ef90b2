/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Only the keys that say what is tested: the tests are read by the policy's own reader, which also
 * refuses whatever else is there.
 */
#include "author/tests_file.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "policy/yaml.h"

static const struct node *find_key(const struct node *map, const char *name)
{
	for (size_t i = 0; i + 1 < map->count; i += 2) {
		if (map->items[i]->kind == NODE_TEXT && strcmp(map->items[i]->text, name) == 0)
			return map->items[i + 1];
	}
	return NULL;
}

static int read_policy(const struct node *value, const char *path, struct tests_file *file)
{
	const char *slash = strrchr(path, '/');
	int r;

	if (*value->text == '/' || !slash)
		r = asprintf(&file->policy, "%s", value->text);
	else
		r = asprintf(&file->policy, "%.*s/%s", (int)(slash - path), path, value->text);
	if (r >= 0)
		return 0;
	file->policy = NULL;
	return -ENOMEM;
}

static int read_sets(const struct node *map, struct tests_file *file, struct diag_list *diags)
{
	file->sets = calloc(map->count / 2 + 1, sizeof(*file->sets));
	if (!file->sets)
		return -ENOMEM;
	for (size_t i = 0; i + 1 < map->count; i += 2) {
		const struct node *key = map->items[i];
		const struct node *value = map->items[i + 1];

		if (key->kind != NODE_TEXT || value->kind != NODE_TEXT) {
			(void)node_error(value, diags, "the value of a variable must be a text");
			return -EINVAL;
		}
		if (asprintf(&file->sets[file->set_count], "%s=%s", key->text, value->text) < 0) {
			file->sets[file->set_count] = NULL;
			return -ENOMEM;
		}
		file->set_count++;
	}
	return 0;
}

static int read_keys(const struct node *root, const char *path, struct tests_file *file,
		     struct diag_list *diags)
{
	const struct node *policy;
	const struct node *set;
	int r;

	if (!root || root->kind != NODE_MAP) {
		file->is_other = true;
		return 0;
	}
	policy = find_key(root, "policy");
	set = find_key(root, "set");
	file->is_policy = find_key(root, "picket") != NULL;
	file->is_other = !file->is_policy && !policy;
	if (file->is_policy || file->is_other)
		return 0;
	if (policy->kind != NODE_TEXT || policy->length == 0) {
		diag_hint(node_error(policy, diags, "'policy' must be the name of a policy file"),
			  "it is relative to this file");
		return -EINVAL;
	}
	r = read_policy(policy, path, file);
	if (r == 0 && set && set->kind == NODE_MAP)
		r = read_sets(set, file, diags);
	return r;
}

int tests_file_read(const char *path, struct tests_file *ret_file, struct diag_list *diags)
{
	CLEAN(tests_file_reset) struct tests_file file = { 0 };
	CLEAN(source_reset) struct source source = { 0 };
	CLEAN(node_free) struct node *root = NULL;
	CLEAN_FREE char *why = NULL;
	struct source_identity identity;
	int r = source_read(path, SOURCE_MAIN, &source, &identity, &why);

	if (r < 0) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot read '%s': %s", path,
			       why ? why : strerror(-r));
		return r;
	}
	r = source_check(&source, diags);
	if (r == 0)
		r = yaml_parse(&source, &root, diags);
	if (r == 0)
		r = read_keys(root, path, &file, diags);
	if (r == 0 && diag_has_errors(diags))
		r = -EINVAL;
	if (r < 0)
		return r;
	*ret_file = file;
	file = (struct tests_file){ 0 };
	return 0;
}

void tests_file_reset(struct tests_file *file)
{
	for (size_t i = 0; i < file->set_count; i++)
		free(file->sets[i]);
	free(file->sets);
	free(file->policy);
	*file = (struct tests_file){ 0 };
}
