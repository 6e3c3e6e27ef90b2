/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths to components to patterns. A path below the working folder is written by `${CWD}`, so that the
 * policy holds for another working folder too.
 */
#include "author/learn_paths.h"

#include <ctype.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "author/learn_name.h"
#include "author/learn_tree.h"
#include "base/mem.h"
#include "base/text.h"

/* Names nearer to the root than this stay as they are: a wildcard there would be about all. */
#define LITERAL_NAMES 2

enum root { ROOT_SLASH, ROOT_CWD, ROOT_HOME, ROOT__MAX };

/** A path that the agent made. */
struct made {
	char *path;
	bool folder;
};

struct learn_paths {
	const char *prefixes[ROOT__MAX]; /* NULL: not in use */
	struct learn_node data[ROOT__MAX]; /* read and written */
	struct learn_node code[ROOT__MAX]; /* run */
	struct learn_rules sockets;
	void *made; /* tsearch() tree */
};

static int compare_made(const void *a, const void *b)
{
	return strcmp(((const struct made *)a)->path, ((const struct made *)b)->path);
}

static void free_made(void *item)
{
	free(((struct made *)item)->path);
	free(item);
}

/* Folders that have contents of many agents are no prefix. */
static bool is_prefix(const char *folder)
{
	return folder && folder[0] == '/' && folder[1] &&
	       !learn_name_is_temporary(folder, strlen(folder));
}

static int name_roots(struct learn_node roots[ROOT__MAX])
{
	static const char *const names[] = { "", "${CWD}", "${HOME}" };

	for (int i = 0; i < ROOT__MAX; i++) {
		roots[i].name = strdup(names[i]);
		if (!roots[i].name)
			return -ENOMEM;
	}
	return 0;
}

struct learn_paths *learn_paths_new(const char *cwd, const char *home)
{
	CLEAN(learn_paths_free) struct learn_paths *paths = calloc(1, sizeof(*paths));

	if (!paths || name_roots(paths->data) || name_roots(paths->code))
		return NULL;
	paths->prefixes[ROOT_SLASH] = "";
	if (is_prefix(home))
		paths->prefixes[ROOT_HOME] = home;
	/* A run in the home folder itself must not open it. */
	if (is_prefix(cwd) && strchr(cwd + 1, '/') && (!home || strcmp(cwd, home) != 0))
		paths->prefixes[ROOT_CWD] = cwd;
	return TAKE_PTR(paths);
}

static const struct made *find_made(const struct learn_paths *paths, const char *path)
{
	const struct made key = { .path = (char *)path };
	void *found = tfind(&key, &paths->made, compare_made);

	return found ? *(const struct made **)found : NULL;
}

int learn_paths_made(struct learn_paths *paths, const char *path, bool folder)
{
	struct made *made = (struct made *)find_made(paths, path);

	if (made) {
		made->folder = made->folder || folder;
		return 0;
	}
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->folder = folder;
	made->path = strdup(path);
	if (made->path && tsearch(made, &paths->made, compare_made))
		return 0;
	free_made(made);
	return -ENOMEM;
}

/* The longest prefix that @path is below or at. */
static enum root find_root(const struct learn_paths *paths, const char *path)
{
	enum root root = ROOT_SLASH;

	for (int i = ROOT_CWD; i < ROOT__MAX; i++) {
		size_t length = paths->prefixes[i] ? strlen(paths->prefixes[i]) : 0;

		if (length > strlen(paths->prefixes[root]) &&
		    strncmp(path, paths->prefixes[i], length) == 0 &&
		    (!path[length] || path[length] == '/'))
			root = (enum root)i;
	}
	return root;
}

/* How the component of @length bytes at @at of @path is looked at. */
static enum learn_name_kind kind_of(const struct learn_paths *paths, const char *path,
				    const char *at, size_t length, size_t depth)
{
	CLEAN_FREE char *whole = strndup(path, (size_t)(at - path) + length);

	if (learn_name_is_temporary(path, (size_t)(at - path) - 1))
		return whole && find_made(paths, whole) ? LEARN_NAME_TEMPORARY : LEARN_NAME_PLAIN;
	return depth < LITERAL_NAMES ? LEARN_NAME_PLAIN : LEARN_NAME_USUAL;
}

/* Processes come and go. */
static bool is_process(const char *path, const char *at, size_t length)
{
	size_t digits = 0;

	while (digits < length && isdigit((unsigned char)at[digits]))
		digits++;
	return digits == length && strncmp(path, "/proc/", 6) == 0;
}

/** A component of a path. */
struct name {
	const char *pattern;
	bool wild; /* it has a wildcard */
	const struct made *made; /* by the agent, or NULL */
};

/* Called for each component; false stops. */
typedef bool (*visit_name)(void *context, const struct name *name);

/* Visit the components of @path below @root. 0 or -ENOMEM. */
static int each_name(const struct learn_paths *paths, const char *path, enum root root,
		     visit_name visit, void *context)
{
	const char *at = path + strlen(paths->prefixes[root]);
	size_t depth = root == ROOT_SLASH ? 0 : LITERAL_NAMES;

	for (; *at == '/' && at[1]; depth++) {
		size_t length = strcspn(++at, "/");
		CLEAN_FREE char *whole = strndup(path, (size_t)(at - path) + length);
		bool process = is_process(path, at, length);
		struct name name = { .wild = process };
		CLEAN_FREE char *pattern =
			process ? strdup("*") :
				  learn_name(at, length, kind_of(paths, path, at, length, depth),
					     &name.wild);

		if (!whole || !pattern)
			return -ENOMEM;
		name.pattern = pattern;
		name.made = find_made(paths, whole);
		if (!visit(context, &name))
			return -ENOMEM;
		at += length;
	}
	return 0;
}

static bool go_down(void *context, const struct name *name)
{
	struct learn_node **node = context;

	*node = learn_tree_child(*node, name->pattern);
	if (*node && name->made && name->made->folder)
		(*node)->made = true;
	return *node != NULL;
}

static int add_to(struct learn_paths *paths, struct learn_node roots[ROOT__MAX], const char *path,
		  __u8 access, const struct seen *seen)
{
	enum root root = find_root(paths, path);
	struct learn_node *node = &roots[root];
	int r = each_name(paths, path, root, go_down, &node);

	if (r)
		return r;
	node->access |= access;
	seen_merge(&node->seen, seen);
	return 0;
}

int learn_paths_add(struct learn_paths *paths, const char *path, __u8 access,
		    const struct seen *seen)
{
	__u8 data = access & (PK_ACCESS_READ | PK_ACCESS_WRITE);
	int r = 0;

	if (*path != '/')
		return 0;
	if (data)
		r = add_to(paths, paths->data, path, data, seen);
	if (r == 0 && (access & PK_ACCESS_EXEC))
		r = add_to(paths, paths->code, path, PK_ACCESS_EXEC, seen);
	if (r == 0 && (access & PK_ACCESS_CONNECT)) {
		struct learn_rule rule = { .section = PK_SECTION_FILES,
					   .access = PK_ACCESS_CONNECT,
					   .seen = *seen };
		bool wild = false;

		rule.pattern = learn_paths_pattern(paths, path, &wild);
		r = learn_rules_add(&paths->sockets, &rule);
	}
	return r;
}

int learn_paths_rules(const struct learn_paths *paths, struct learn_rules *rules)
{
	int r = 0;

	for (int i = 0; i < ROOT__MAX && r == 0; i++) {
		r = learn_tree_rules(&paths->data[i], false, rules);
		if (r == 0)
			r = learn_tree_rules(&paths->code[i], true, rules);
	}
	for (size_t i = 0; i < paths->sockets.count && r == 0; i++) {
		struct learn_rule rule = paths->sockets.items[i];

		rule.pattern = strdup(rule.pattern);
		r = learn_rules_add(rules, &rule);
	}
	return r;
}

/** A pattern that is being written. */
struct writing {
	FILE *to;
	bool wild;
};

static bool write_name(void *context, const struct name *name)
{
	struct writing *writing = context;

	(void)fprintf(writing->to, "/%s", name->pattern);
	writing->wild = writing->wild || name->wild;
	return true;
}

char *learn_paths_pattern(const struct learn_paths *paths, const char *path, bool *ret_wild)
{
	enum root root = find_root(paths, path);
	char *pattern = NULL;
	size_t size = 0;
	struct writing writing = { .to = open_memstream(&pattern, &size) };
	int r;

	if (!writing.to)
		return NULL;
	(void)fputs(paths->data[root].name, writing.to);
	r = each_name(paths, path, root, write_name, &writing);
	if (text_close(writing.to, &pattern) || r)
		mem_free_ptr(&pattern);
	*ret_wild = writing.wild;
	return pattern;
}

void learn_paths_free(struct learn_paths **paths)
{
	if (!*paths)
		return;
	for (int i = 0; i < ROOT__MAX; i++) {
		learn_tree_reset(&(*paths)->data[i]);
		learn_tree_reset(&(*paths)->code[i]);
	}
	learn_rules_reset(&(*paths)->sockets);
	tdestroy((*paths)->made, free_made);
	free(*paths);
	*paths = NULL;
}
