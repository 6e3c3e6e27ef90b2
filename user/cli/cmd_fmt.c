/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket fmt`: policies in the one form. It prints, tells, or writes files anew, each at once or not
 * at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "author/fmt.h"
#include "base/mem.h"
#include "cli/cli.h"

static const char help[] =
	"usage: picket fmt [--check | -w] FILE...\n"
	"\n"
	"Print policies in the one form that all have: two blanks a level, lists below their key, what is\n"
	"in brackets on one line or, over 100 columns, opened. Comments stay where they are, texts stay as\n"
	"they are quoted, keys and rules keep their order. It decides the same: what would not is refused,\n"
	"and so is a comment between a key and its value. FILE may be '-'.\n"
	"\n"
	"      --check   print the names of files that are not in the form; exit 1 if there are any\n"
	"  -w, --write   write the files anew instead of printing\n"
	"\n"
	"Exit status: 0; 1 when a file cannot be read, formatted or written, or --check found one.\n";

enum fmt_mode { FMT_PRINT, FMT_CHECK, FMT_WRITE };

static int write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t count = write(fd, text, length);

		if (count < 0 && errno != EINTR)
			return -errno;
		if (count > 0) {
			text += count;
			length -= (size_t)count;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* Mode and owner of the file at @path to the one that takes its place. */
static int keep_rights(int fd, const char *path)
{
	struct stat old, now;

	if (stat(path, &old) < 0 || fstat(fd, &now) < 0)
		return -errno;
	if ((old.st_uid != now.st_uid || old.st_gid != now.st_gid) &&
	    fchown(fd, old.st_uid, old.st_gid) < 0)
		return -errno;
	return fchmod(fd, old.st_mode & 07777) < 0 ? -errno : 0;
}

/* Put @text in the place of the file that @path leads to. Returns 0 or -errno. */
static int replace(const char *path, const char *text)
{
	CLEAN_FREE char *real = realpath(path, NULL);
	CLEAN_FREE char *spare = NULL;
	CLEAN_FD int fd = -1;
	int r;

	if (!real)
		return -errno;
	if (asprintf(&spare, "%s.XXXXXX", real) < 0) {
		spare = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(spare, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = keep_rights(fd, real);
	if (r == 0)
		r = write_all(fd, text, strlen(text));
	if (r == 0 && rename(spare, real) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(spare);
	return r;
}

/* What is done with a text that could be formatted. */
static int use(const char *path, const struct source *source, const char *text, enum fmt_mode mode)
{
	bool same = strlen(text) == source->length &&
		    memcmp(text, source->text, source->length) == 0;
	int r;

	if (mode == FMT_PRINT) {
		(void)fputs(text, stdout);
		return CLI_OK;
	}
	if (same)
		return CLI_OK;
	if (mode == FMT_CHECK) {
		(void)puts(path);
		return CLI_FAILED;
	}
	r = replace(path, text);
	errno = -r;
	return r < 0 ? cli_error("fmt", "cannot write '%s': %m", path) : CLI_OK;
}

static int format(const char *path, enum fmt_mode mode)
{
	CLEAN(source_reset) struct source source = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct source_identity identity;
	CLEAN_FREE char *why = NULL;
	CLEAN_FREE char *text = NULL;
	bool standard = strcmp(path, "-") == 0;
	int r = source_read(standard ? "/dev/stdin" : path, SOURCE_MAIN, &source, &identity, &why);

	if (r < 0)
		return cli_error("fmt", "cannot read '%s': %s", path, why ? why : strerror(-r));
	if (standard)
		source.name = "<stdin>";
	r = fmt_source(&source, &text, &diags);
	cli_print_diags(&diags);
	if (r == 0)
		return use(path, &source, text, mode);
	errno = -r;
	return r == -EINVAL ? CLI_FAILED : cli_error("fmt", "cannot format '%s': %m", path);
}

int cmd_fmt(int argc, char **argv)
{
	static const struct option options[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "write", no_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	enum fmt_mode mode = FMT_PRINT;
	int option, code = CLI_OK;

	while ((option = getopt_long(argc, argv, "wh", options, NULL)) != -1) {
		if (option == 'h')
			return cli_help(help);
		if (option != 'c' && option != 'w')
			return cli_usage("fmt", NULL);
		if (mode != FMT_PRINT && mode != (option == 'c' ? FMT_CHECK : FMT_WRITE))
			return cli_usage("fmt", "--check and --write exclude each other");
		mode = option == 'c' ? FMT_CHECK : FMT_WRITE;
	}
	if (optind == argc)
		return cli_usage("fmt", "no file given");
	for (int i = optind; i < argc; i++) {
		if (mode == FMT_WRITE && strcmp(argv[i], "-") == 0)
			return cli_usage("fmt", "standard input cannot be written anew");
		if (format(argv[i], mode) != CLI_OK)
			code = CLI_FAILED;
	}
	return code;
}
