/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket init`: a policy to begin with.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "author/init.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"

static const char help[] =
	"usage: picket init [FOLDER]\n"
	"\n"
	"Write picket.yaml into FOLDER, or the current one: a policy to begin with, for what is found\n"
	"there (git, npm, Python, Cargo, make), with comments and tests. It asks nothing and replaces\n"
	"nothing.\n"
	"\n"
	"Exit status: 0; 1 when the folder has the file already, or it cannot be written.\n";

/* The policy for @project, malloc'ed, or NULL. */
static char *compose(const struct init_project *project)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	init_write(project, to);
	return text_close(to, &text) < 0 ? NULL : text;
}

/* Make the file @path of @text; it must not be there. Returns 0 or -errno. */
static int make_file(const char *path, const char *text)
{
	CLEAN_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	size_t length = strlen(text);

	if (fd < 0)
		return -errno;
	if (write(fd, text, length) == (ssize_t)length && fsync(fd) == 0)
		return 0;
	(void)unlink(path);
	return errno ? -errno : -ENOSPC;
}

static int write_policy(const char *folder, const struct init_project *project)
{
	CLEAN_FREE char *text = compose(project);
	CLEAN_FREE char *path = NULL;
	char what[128];
	int r;

	if (!text || asprintf(&path, "%s/picket.yaml", folder) < 0) {
		path = NULL;
		errno = ENOMEM;
		return cli_error("init", "cannot make a policy: %m");
	}
	r = make_file(path, text);
	if (r == -EEXIST)
		return cli_error("init", "'%s' is there already, and stays as it is", path);
	errno = -r;
	if (r < 0)
		return cli_error("init", "cannot write '%s': %m", path);
	(void)printf("%s: a policy for %s. Next: picket check --strict %s\n", path,
		     init_describe(project, what, sizeof(what)), path);
	return CLI_OK;
}

int cmd_init(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct init_project project;
	const char *folder;
	int option = getopt_long(argc, argv, "h", options, NULL);
	int r;

	if (option == 'h')
		return cli_help(help);
	if (option != -1)
		return cli_usage("init", NULL);
	if (argc - optind > 1)
		return cli_usage("init", "it takes one folder, not %d", argc - optind);
	folder = optind < argc ? argv[optind] : ".";
	r = init_look(folder, &project);
	errno = -r;
	if (r < 0)
		return cli_error("init", "cannot look at '%s': %m", folder);
	return write_policy(folder, &project);
}
