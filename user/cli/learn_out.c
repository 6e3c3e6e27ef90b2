/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file is written whole or not at all: beside it first, then in its place.
 */
#include "cli/learn_out.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "author/learn.h"
#include "base/escape.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "policy/host_facts.h"
#include "telemetry/names.h"

/* Acts that are named on stderr; the file has all. */
#define LEFT_SHOWN 10

static int write_new(const char *path, const char *text)
{
	CLEAN_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	size_t length = strlen(text);
	size_t done = 0;

	if (fd < 0)
		return -errno;
	while (done < length) {
		ssize_t n = write(fd, text + done, length - done);

		if (n < 0) {
			int r = -errno;

			(void)unlink(path);
			return r;
		}
		done += (size_t)n;
	}
	return 0;
}

static int write_file(const struct learn_out *out, const char *text)
{
	CLEAN_FREE char *beside = NULL;
	int r;

	if (out->fresh)
		return write_new(out->path, text);
	if (asprintf(&beside, "%s.%d.new", out->path, (int)getpid()) < 0) {
		beside = NULL;
		return -ENOMEM;
	}
	r = write_new(beside, text);
	if (r == 0 && rename(beside, out->path)) {
		r = -errno;
		(void)unlink(beside);
	}
	return r;
}

static void say_left(const struct learn_result *result)
{
	for (size_t i = 0; i < result->left_count && i < LEFT_SHOWN; i++) {
		const struct observation *act = result->left[i].act;
		CLEAN_FREE char *text = observation_text(act);

		(void)fprintf(stderr, "  left out: %s %s: %s\n", names_op(act->op),
			      text ? text : "?", result->left[i].why);
	}
	if (result->left_count > LEFT_SHOWN)
		(void)fprintf(stderr, "  and %zu more, named at the end of the policy\n",
			      result->left_count - LEFT_SHOWN);
}

static int put(const char *command, const struct recording *recording,
	       const struct learn_result *result, const struct learn_out *out)
{
	int r;

	if (!out->path) {
		(void)fputs(result->text, stdout);
	} else {
		r = write_file(out, result->text);
		errno = -r;
		if (r == -EEXIST)
			return cli_error(command,
					 "'%s' is there already; -o FILE names another file, "
					 "or this one to replace it",
					 out->path);
		if (r)
			return cli_error(command, "cannot write '%s': %m", out->path);
	}
	(void)fprintf(stderr, "picket: learned %zu rule%s from %llu events%s", result->rules,
		      result->rules == 1 ? "" : "s", (unsigned long long)recording->events,
		      out->path ? ": " : "");
	if (out->path)
		escape_write(stderr, out->path, strlen(out->path), 0);
	(void)fputc('\n', stderr);
	say_left(result);
	return CLI_OK;
}

int learn_out(const char *command, const struct recording *recording, struct policy_args *args,
	      const struct learn_out *out)
{
	CLEAN(host_facts_reset) struct policy_host host = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(learn_result_reset) struct learn_result result = { 0 };
	struct policy_variable builtins[3];
	struct policy_context context = { .builtins = builtins, .host = &host };
	int r = args->identified ? 0 : policy_args_identity(args, NULL);

	if (r == 0)
		r = host_facts_read(HOST_FACTS_RESOLV_CONF, &host);
	if (r < 0)
		return cli_error(command, "cannot tell user, folder and addresses: %s",
				 strerror(-r));
	if (args->home)
		builtins[context.builtin_count++] = (struct policy_variable){ "HOME", args->home };
	if (args->user)
		builtins[context.builtin_count++] = (struct policy_variable){ "USER", args->user };
	if (args->cwd)
		builtins[context.builtin_count++] = (struct policy_variable){ "CWD", args->cwd };
	r = learn_policy(recording, out->name, &context, &result, &diags);
	cli_print_diags(&diags);
	if (r < 0)
		return cli_error(command, "cannot make a policy of it: %s", strerror(-r));
	return put(command, recording, &result, out);
}
