/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dispatch, help and the words of errors. Decides exit codes of wrong command lines; what a command
 * does is its own affair.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"

/* Longest word that is compared for the nearest name. */
#define WORD_MAX 64

static unsigned int smallest(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int least = a < b ? a : b;

	return least < c ? least : c;
}

/* Edits (insert, delete, replace) that make @a of @b; both at most WORD_MAX bytes. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[WORD_MAX + 1];
	unsigned int width = (unsigned int)strlen(b);

	for (unsigned int j = 0; j <= width; j++)
		row[j] = j;
	for (unsigned int i = 1; a[i - 1]; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= width; j++) {
			unsigned int above = row[j];

			row[j] = smallest(above + 1, row[j - 1] + 1,
					  diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[width];
}

const char *cli_nearest(const char *word, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	unsigned int best = 3; /* more edits than 2 are another word */

	if (strlen(word) > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		unsigned int edits = strlen(names[i]) > WORD_MAX ? best : distance(word, names[i]);

		if (edits < best && edits < strlen(names[i])) {
			best = edits;
			nearest = names[i];
		}
	}
	return nearest;
}

/* `picket COMMAND: message`, escaped: a message may quote a file name. */
static void put_message(const char *command, const char *format, va_list args)
{
	CLEAN_FREE char *message = NULL;
	char *text = NULL;

	if (vasprintf(&text, format, args) >= 0) {
		message = escape_string(text, strlen(text), 0);
		free(text);
	}
	(void)fprintf(stderr, "picket%s%s: %s\n", command ? " " : "", command ? command : "",
		      message ? message : "out of memory");
}

int cli_usage(const char *command, const char *format, ...)
{
	va_list args;

	if (format) {
		va_start(args, format);
		put_message(command, format, args);
		va_end(args);
	}
	(void)fprintf(stderr, "Hint: `picket help%s%s` shows how it is used\n", command ? " " : "",
		      command ? command : "");
	return CLI_USAGE;
}

int cli_error(const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_message(command, format, args);
	va_end(args);
	return CLI_FAILED;
}

int cli_help(const char *text)
{
	(void)fputs(text, stdout);
	return CLI_OK;
}

void cli_print_diags(const struct diag_list *diags)
{
	diag_print(diags, stderr);
}

bool cli_use_colour(int fd)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (no_colour && *no_colour)
		return false;
	if (!term || strcmp(term, "dumb") == 0)
		return false;
	return isatty(fd) == 1;
}

static int print_overview(const struct cli_command *commands, size_t count)
{
	(void)puts("usage: picket COMMAND [OPTIONS]\n\n"
		   "Confines a program and all that it starts to what a policy allows.\n");
	for (size_t i = 0; i < count; i++)
		(void)printf("  %-9s %s\n", commands[i].name, commands[i].summary);
	(void)printf("  %-9s %s\n\n", "help", "this list, or the help of one command");
	(void)puts("options: --help, --version\n"
		   "exit status: 0 ok, 1 failed, 2 wrong usage, 3 this kernel cannot;\n"
		   "             `picket run` otherwise exits with the status of its command");
	return CLI_OK;
}

static int unknown_command(const struct cli_command *commands, size_t count, const char *name)
{
	CLEAN_FREE const char **names = calloc(count, sizeof(*names));
	const char *nearest = NULL;

	for (size_t i = 0; names && i < count; i++)
		names[i] = commands[i].name;
	if (names)
		nearest = cli_nearest(name, names, count);
	if (nearest)
		return cli_usage(NULL, "unknown command '%s': did you mean '%s'?", name, nearest);
	return cli_usage(NULL, "unknown command '%s'", name);
}

static int dispatch(const struct cli_command *commands, size_t count, int argc, char **argv)
{
	char help_option[] = "--help";
	char full_name[32]; /* what getopt_long() puts before its complaints */
	bool help = strcmp(argv[0], "help") == 0;

	if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0)
		return cli_help("picket " PICKET_VERSION "\n");
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
	    (help && (argc == 1 || strcmp(argv[1], "help") == 0)))
		return print_overview(commands, count);
	if (help && argc > 2)
		return cli_usage(NULL, "'help' takes one command, not %d", argc - 1);
	if (argv[0][0] == '-')
		return cli_usage(NULL, "unknown option '%s': a command comes first", argv[0]);
	for (size_t i = 0; i < count; i++) {
		char *help_argv[] = { full_name, help_option, NULL };

		if (strcmp(argv[help ? 1 : 0], commands[i].name) != 0)
			continue;
		(void)snprintf(full_name, sizeof(full_name), "picket %s", commands[i].name);
		argv[0] = full_name;
		return help ? commands[i].run(2, help_argv) : commands[i].run(argc, argv);
	}
	return unknown_command(commands, count, argv[help ? 1 : 0]);
}

int cli_dispatch(const struct cli_command *commands, size_t count, int argc, char **argv)
{
	int code;

	if (argc < 2)
		return cli_usage(NULL, "no command given");
	code = dispatch(commands, count, argc - 1, argv + 1);
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == CLI_OK)
		return cli_error(NULL, "cannot write to standard output: %m");
	return code;
}
