/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Globs of paths as people write them. The grammar is glob.c's, the links are links.c's; here
 * their findings get a place in the policy and advice.
 */
#include "policy/path_glob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/glob.h"
#include "policy/links.h"

static void hint_replaced(struct diag *diag, const struct path_glob *path)
{
	if (diag && !diag->hint && strstr(path->text->text, "${"))
		diag_hint(diag, "with its variables replaced this is '%s'", path->glob);
}

/* What a pattern that begins with neither '/' nor '**' was probably meant to be. */
static void hint_relative(struct diag *diag, const struct path_glob *path)
{
	const char *glob = path->glob;

	if (strncmp(path->text->text, "${", 2) == 0)
		diag_hint(diag, "the value of the variable must be an absolute path, not '%s'",
			  glob);
	else if (*glob == '~')
		diag_hint(diag, "for the home directory write ${HOME}");
	else if (strncmp(glob, "./", 2) == 0)
		diag_hint(diag, "for the current directory write ${CWD}");
	else if (*glob == '{')
		diag_hint(diag, "write '/{a,b}/...': the '/' stands before the brace");
	else
		diag_hint(diag, "write '**/%s' for this name in any directory", glob);
}

struct diag *path_glob_report(struct front *front, const struct path_glob *path, size_t at,
			      const char *why)
{
	size_t written = at > path->added ? path->at + at - path->added : path->at;
	size_t length = 1;

	if (written >= path->expansion->length) {
		written = path->expansion->length;
		length = 0;
	}
	return expansion_error_at(path->text, path->expansion, front->diags, written, length, "%s",
				  why);
}

bool path_glob_check(struct front *front, const struct path_glob *path)
{
	size_t length = strlen(path->glob), column = 1;
	struct diag *diag;
	const char *why = NULL;

	if (length > PK_PATH_MAX) {
		(void)node_error(path->text, front->diags,
				 "a pattern of %zu bytes is longer than any path (%d)", length,
				 PK_PATH_MAX);
		return false;
	}
	if (glob_check(path->glob, &column, &why))
		return true;
	diag = path_glob_report(front, path, column - 1, why);
	if (column == 1 && *path->glob != '/' && strncmp(path->glob, "**", 2) != 0)
		hint_relative(diag, path);
	hint_replaced(diag, path);
	return false;
}

static void warn_everything(struct front *front, const struct path_glob *path)
{
	if (strstr(path->text->text, "${") &&
	    (strcmp(path->glob, "/**") == 0 || strcmp(path->glob, "/") == 0))
		diag_hint(node_report(path->text, front->diags, DIAG_WARNING,
				      "with these variables the pattern is '%s'", path->glob),
			  "run in a directory that is not the root, or set the variable");
}

static void warn_links(struct front *front, const struct node *text, const char *resolved)
{
	/* A preset serves systems with and without the link, and it is not the user's to edit. */
	if (text->source->builtin)
		return;
	diag_hint(node_report(text, front->diags, DIAG_WARNING,
			      "this path leads through a symbolic link: the kernel sees '%s'",
			      resolved),
		  "write the path that the kernel sees, or the rule allows nothing");
}

/* Links that lead each process somewhere else: no path that the kernel sees begins with them. */
static void warn_process(struct front *front, const struct node *text, const char *glob)
{
	static const char *const links[] = { "/proc/self",  "/proc/thread-self", "/proc/mounts",
					     "/proc/net",   "/dev/fd",		 "/dev/stdin",
					     "/dev/stdout", "/dev/stderr" };

	for (size_t i = 0; i < sizeof(links) / sizeof(*links) && !text->source->builtin; i++) {
		size_t length = strlen(links[i]);

		if (strncmp(glob, links[i], length) == 0 && (glob[length] == '/' || !glob[length]))
			diag_hint(node_report(text, front->diags, DIAG_WARNING,
					      "'%s' is a link: the kernel sees the process's own "
					      "'/proc/PID'",
					      links[i]),
				  "write '/proc/*/...'");
	}
}

int path_glob_links(struct front *front, const struct path_glob *path, enum pk_verdict verdict,
		    char **ret_also)
{
	CLEAN_FREE char *resolved = NULL;
	int r = links_resolve_glob(front->context, path->glob, &resolved);

	if (r == -E2BIG && verdict == PK_VERDICT_ALLOW)
		r = 0; /* only a warning would come of it */
	if (r == -E2BIG)
		diag_hint(node_error(path->text, front->diags,
				     "too many of its alternatives lead through symbolic links"),
			  "split the rule into several");
	if (r < 0)
		return r == -E2BIG ? -EINVAL : r;
	warn_process(front, path->text, path->glob);
	if (verdict != PK_VERDICT_ALLOW) {
		*ret_also = TAKE_PTR(resolved);
		return 0;
	}
	warn_everything(front, path);
	if (resolved)
		warn_links(front, path->text, resolved);
	return 0;
}
