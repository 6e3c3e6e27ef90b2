/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Globs with their links followed. Works on the sequences of glob_expand(), so that what counts as
 * literal is decided by the same code as in the compiler.
 */
#include "policy/links.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/glob.h"

/** One run over the sequences of a glob. */
struct links {
	const struct policy_context *context;
	const char *glob; /* the text that token columns refer to */
	char **changed; /* owned: resolved alternatives, without the leading '/' */
	size_t count;
};

/* Tokens of the literal head: whole components without wildcards; its '/' is not counted. */
static size_t literal_head(const struct glob_token *tokens, size_t count)
{
	size_t head = 0;

	for (size_t i = 0; i < count; i++) {
		if (tokens[i].kind != GLOB_BYTE)
			return head;
		if (tokens[i].byte == '/')
			head = i;
	}
	return count;
}

static void write_literal(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (strchr("*?[]{},\\", *text))
			(void)fputc('\\', to);
		(void)fputc(*text, to);
	}
}

static void write_set(FILE *to, const char *class)
{
	const char *at = class + 1;

	/* A class that parsed ends at the first ']' that is not escaped. */
	while (*at && *at != ']')
		at += *at == '\\' && at[1] ? 2 : 1;
	(void)fwrite(class, 1, (size_t)(at - class) + 1, to);
}

static void write_tokens(FILE *to, const char *glob, const struct glob_token *tokens, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char byte[2] = { (char)tokens[i].byte, '\0' };

		switch (tokens[i].kind) {
		case GLOB_BYTE:
			write_literal(to, byte);
			break;
		case GLOB_ONE:
			/* A '*' that is a whole component comes as '?*' from one column. */
			if (i + 1 == count || tokens[i + 1].column != tokens[i].column)
				(void)fputc('?', to);
			break;
		case GLOB_STAR:
			(void)fputc('*', to);
			break;
		case GLOB_DEEP:
			(void)fputs("**", to);
			break;
		case GLOB_SET:
			write_set(to, glob + tokens[i].column - 1);
			break;
		case GLOB_ANY:
		case GLOB_ANY_ONE:
		case GLOB_REST:
			/* Path globs have none. */
			break;
		}
	}
}

/*
 * Follow the links of the longest existing head of @path, which is cut at a '/' until something
 * exists. *@ret_used is how much of it was followed; *@ret_resolved stays NULL when nothing below the
 * root exists. Returns 0 or -ENOMEM.
 */
static int resolve_head(const struct policy_context *context, char *path, size_t *ret_used,
			char **ret_resolved)
{
	size_t length = strlen(path);

	while (length > 1) {
		char *resolved;
		char kept = path[length];

		path[length] = '\0';
		errno = 0;
		resolved = context->resolve(path);
		path[length] = kept;
		if (resolved) {
			*ret_used = length;
			*ret_resolved = resolved;
			return 0;
		}
		/* Not known is not the same as not there. */
		if (errno == ENOMEM)
			return -ENOMEM;
		do
			length--;
		while (length > 1 && path[length] != '/');
	}
	return 0;
}

/* The alternative with its head replaced; malloc'ed, without leading '/', or NULL. */
static char *rebuild(const struct links *links, const char *resolved, const char *rest,
		     const struct glob_token *tail, size_t tail_count)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	/* The root's own '/' is not doubled in front of what follows. */
	if (strcmp(resolved, "/") != 0)
		write_literal(to, resolved + 1);
	else if (*rest == '/')
		rest++;
	else if (tail_count > 0) {
		tail++;
		tail_count--;
	}
	write_literal(to, rest);
	write_tokens(to, links->glob, tail, tail_count);
	(void)text_close(to, &text);
	return text;
}

static int keep(struct links *links, char *text)
{
	char **grown;

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < links->count; i++) {
		if (strcmp(links->changed[i], text) == 0) {
			free(text);
			return 0;
		}
	}
	grown = reallocarray(links->changed, links->count + 1, sizeof(*grown));
	if (!grown) {
		free(text);
		return -ENOMEM;
	}
	links->changed = grown;
	grown[links->count++] = text;
	return 0;
}

static int visit(void *context, const struct glob_token *tokens, size_t count)
{
	struct links *links = context;
	size_t head = literal_head(tokens, count), used = 0;
	CLEAN_FREE char *path = NULL;
	CLEAN_FREE char *resolved = NULL;

	path = malloc(head + 1);
	if (!path)
		return -ENOMEM;
	for (size_t i = 0; i < head; i++)
		path[i] = (char)tokens[i].byte;
	path[head] = '\0';
	if (resolve_head(links->context, path, &used, &resolved) < 0)
		return -ENOMEM;
	/* What a link of /proc leads to depends on who asks. */
	if (!resolved || *resolved != '/' || strncmp(resolved, "/proc/", 6) == 0)
		return 0;
	if (strlen(resolved) == used && strncmp(resolved, path, used) == 0)
		return 0;
	return keep(links, rebuild(links, resolved, path + used, tokens + head, count - head));
}

/* All changed alternatives as one glob: "/a", or "/{a,b}". */
static int join(const struct links *links, char **ret_glob)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to;

	if (links->count == 0)
		return 0;
	to = open_memstream(&text, &size);
	if (!to)
		return -ENOMEM;
	(void)fputs(links->count > 1 ? "/{" : "/", to);
	for (size_t i = 0; i < links->count; i++)
		(void)fprintf(to, "%s%s", i > 0 ? "," : "", links->changed[i]);
	(void)fputs(links->count > 1 ? "}" : "", to);
	if (text_close(to, &text) < 0)
		return -ENOMEM;
	if (size > PK_PATH_MAX || !glob_check(text, NULL, NULL)) {
		free(text);
		return -E2BIG;
	}
	*ret_glob = text;
	return 0;
}

int links_resolve_glob(const struct policy_context *context, const char *glob, char **ret_glob)
{
	struct links links = { .context = context, .glob = glob };
	CLEAN(glob_free) struct glob *parsed = NULL;
	int r;

	*ret_glob = NULL;
	if (!context->resolve)
		return 0;
	r = glob_parse(glob, &parsed, NULL);
	if (r < 0)
		return r;
	r = glob_expand(parsed, visit, &links);
	if (r == 0)
		r = join(&links, ret_glob);
	for (size_t i = 0; i < links.count; i++)
		free(links.changed[i]);
	free(links.changed);
	return r;
}
