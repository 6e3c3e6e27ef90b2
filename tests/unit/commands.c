/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children that are commands. They end by exit(), so that their leaks are found.
 */
#include "commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"

static const struct cli_command commands[] = {
	{ "check", "check", cmd_check },
	{ "explain", "explain", cmd_explain },
	{ "presets", "presets", cmd_presets },
	{ "show", "show", cmd_show },
	{ "schema", "schema", cmd_schema },
	{ "fmt", "fmt", cmd_fmt },
	{ "init", "init", cmd_init },
	{ "diff", "diff", cmd_diff },
	{ "learn", "learn", cmd_learn },
	{ "replay", "replay", cmd_replay },
	{ "test", "test", cmd_test },
	{ "requests", "requests", cmd_requests },
	{ "approve", "approve", cmd_approve },
	{ "refuse", "refuse", cmd_refuse },
	{ "grants", "grants", cmd_grants },
	{ "revoke", "revoke", cmd_revoke },
	{ "why", "why", cmd_why },
	{ "top", "top", cmd_top },
	{ "log", "log", cmd_log },
	{ "report", "report", cmd_report },
};

void outcome_reset(struct outcome *outcome)
{
	free(outcome->out);
	free(outcome->err);
	*outcome = (struct outcome){ 0 };
}

char *read_file(const char *path)
{
	CLEAN_FILE FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	return text;
}

void write_file(const char *path, const char *text)
{
	CLEAN_FILE FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
}

/* The child: `picket ARGS`, in this very program or (@binary) the built one. */
static void child(const char *binary, char **argv, const char *out)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	if (!freopen(out, "w", stdout) || !freopen("stderr.txt", "w", stderr))
		_exit(99);
	if (binary) {
		(void)execv(binary, argv);
		_exit(98);
	}
	/* exit() and not _exit(): leaks are looked for. */
	exit(cli_dispatch(commands, sizeof(commands) / sizeof(commands[0]), argc, argv));
}

struct outcome run(const char *binary, const char *const *args, const char *out)
{
	char *argv[ARGS_MAX + 2] = { (char *)"picket" };
	struct outcome outcome = { 0 };
	int status = 0;
	pid_t pid;

	for (size_t i = 0; i < ARGS_MAX && args[i]; i++)
		argv[i + 1] = (char *)args[i];
	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(binary, argv, out ? out : "stdout.txt");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	outcome.code = WEXITSTATUS(status);
	outcome.out = read_file(out ? "/dev/null" : "stdout.txt");
	outcome.err = read_file("stderr.txt");
	return outcome;
}
