/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The folding. Recursion is as deep as a path has components: PK_PATH_DEPTH.
 */
#include "author/learn_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/grow.h"

/* One walk down the tree. */
struct walk {
	struct learn_rules *rules;
	bool single;
};

struct learn_node *learn_tree_child(struct learn_node *node, const char *name)
{
	struct learn_node *child;

	for (size_t i = 0; i < node->count; i++) {
		if (strcmp(node->children[i]->name, name) == 0)
			return node->children[i];
	}
	if (grow(&node->children, &node->room, node->count + 1, sizeof(struct learn_node *)))
		return NULL;
	child = calloc(1, sizeof(*child));
	if (child)
		child->name = strdup(name);
	if (!child || !child->name) {
		free(child);
		return NULL;
	}
	node->children[node->count++] = child;
	return child;
}

static bool has_prefix(const char *path, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(path, prefix, length) == 0 && (path[length] == '/' || !path[length]);
}

/* Folders whose other contents are other people's. */
static bool is_broad(const char *path)
{
	static const char *const deep[] = { "/proc", "/sys", "/dev" };
	static const char *const two[] = { "/var", "/run", "/home" };
	const char *slash = strchr(path + (*path == '/'), '/');

	for (size_t i = 0; i < sizeof(deep) / sizeof(deep[0]); i++) {
		if (has_prefix(path, deep[i]))
			return true;
	}
	if (*path == '$')
		return strcmp(path, "${HOME}") == 0;
	for (size_t i = 0; i < sizeof(two) / sizeof(two[0]) && slash; i++) {
		if (has_prefix(path, two[i]))
			return !strchr(slash + 1, '/');
	}
	return !slash;
}

static bool is_folder(const struct learn_node *node)
{
	return node->made || node->count > 0;
}

/* What all of @node together was used for. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void gather(const struct learn_node *node, __u8 *access, struct seen *seen)
{
	*access |= node->access;
	if (node->seen.count)
		seen_merge(seen, &node->seen);
	for (size_t i = 0; i < node->count; i++)
		gather(node->children[i], access, seen);
}

static int add(const struct walk *walk, const char *path, const char *tail, __u8 access,
	       const struct seen *seen)
{
	struct learn_rule rule = {
		.section = PK_SECTION_FILES,
		.access = access,
		.seen = *seen,
	};

	if (asprintf(&rule.pattern, "%s%s", *path || *tail ? path : "/", tail) < 0)
		rule.pattern = NULL;
	return learn_rules_add(walk->rules, &rule);
}

/* How many of the files or folders in @node were used for @bit. */
static size_t count_uses(const struct learn_node *node, bool folders, __u8 bit)
{
	size_t count = 0;

	for (size_t i = 0; i < node->count; i++) {
		struct seen seen = { 0 };
		__u8 access = 0;

		if (is_folder(node->children[i]) != folders)
			continue;
		gather(node->children[i], &access, &seen);
		count += (access & bit) != 0;
	}
	return count;
}

/* Make one pattern of the files (folders) of @node when there are enough; adds its bits to *@have. */
static int fold(const struct walk *walk, const struct learn_node *node, const char *path,
		bool folders, __u8 *have)
{
	static const __u8 bits[] = { PK_ACCESS_WRITE, PK_ACCESS_READ, PK_ACCESS_EXEC };
	struct seen seen = { 0 };
	__u8 access = 0;
	__u8 all = 0;

	for (size_t i = 0; i < sizeof(bits); i++) {
		if (count_uses(node, folders, bits[i]) >= LEARN_FOLD)
			access |= bits[i];
	}
	if (!access || (access | *have) == *have)
		return 0;
	for (size_t i = 0; i < node->count; i++) {
		if (is_folder(node->children[i]) == folders)
			gather(node->children[i], &all, &seen);
	}
	/* What was written may be read: it is the agent's own, and renaming it asks for that. */
	if ((access & PK_ACCESS_WRITE) && (all & PK_ACCESS_READ))
		access |= PK_ACCESS_READ;
	*have |= access;
	return add(walk, path, folders ? "/**" : "/*", access, &seen);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static int walk_node(const struct walk *walk, const struct learn_node *node, const char *path,
		     __u8 have)
{
	struct seen seen = { 0 };
	__u8 access = 0;
	__u8 files;
	int r = 0;

	if (node->made && !walk->single) {
		gather(node, &access, &seen);
		return add(walk, path, "/**", PK_ACCESS_READ | PK_ACCESS_WRITE, &seen);
	}
	if (node->access & ~have)
		r = add(walk, path, "", node->access, &node->seen);
	if (r == 0 && !is_broad(path) && !walk->single)
		r = fold(walk, node, path, true, &have);
	files = have;
	if (r == 0 && !is_broad(path))
		r = fold(walk, node, path, false, &files);
	for (size_t i = 0; i < node->count && r == 0; i++) {
		const struct learn_node *child = node->children[i];
		CLEAN_FREE char *below = NULL;

		if (asprintf(&below, "%s/%s", path, child->name) < 0) {
			below = NULL;
			return -ENOMEM;
		}
		r = walk_node(walk, child, below, is_folder(child) ? have : files);
	}
	return r;
}

int learn_tree_rules(const struct learn_node *root, bool single, struct learn_rules *rules)
{
	const struct walk walk = { .rules = rules, .single = single };

	return walk_node(&walk, root, root->name ? root->name : "", 0);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
void learn_tree_reset(struct learn_node *root)
{
	for (size_t i = 0; i < root->count; i++) {
		learn_tree_reset(root->children[i]);
		free(root->children[i]);
	}
	free(root->children);
	free(root->name);
	*root = (struct learn_node){ 0 };
}
