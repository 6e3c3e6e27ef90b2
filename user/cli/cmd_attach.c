/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket attach`: processes that run already become an agent.
 */
#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/daemon_call.h"
#include "policy/policy_args.h"
#include "cli/policy_options.h"

static const char help[] =
	"usage: picket attach (--cgroup PATH | --unit UNIT | --container ID | --pid PID) -p POLICY\n"
	"                     [options]\n"
	"\n"
	"Confine processes that run already, and all that they start, by a policy of picketd. Prints\n"
	"the agent, which `picket detach` ends.\n"
	"\n"
	"      --cgroup PATH      all that is in this control group, now and later\n"
	"      --unit UNIT        the same for a unit of systemd\n"
	"      --container ID     the same for a container: its id, of which 12 digits are enough;\n"
	"                         of LXC and systemd-nspawn its name\n"
	"      --pid PID          the same for the control group of this process\n"
	"  -p, --policy NAME      the policy\n"
	"      --set NAME=VALUE   set a variable of the policy; may be repeated\n"
	"      --audit            report what would be denied, block nothing\n"
	"      --name NAME        a name for `picket ps` to show\n"
	"\n"
	"Exit status: 0; 1 when it cannot be done; 3: this kernel cannot enforce POLICY.\n";

struct attach {
	struct policy_args policy;
	const char *cgroup;
	const char *unit;
	const char *container;
	const char *name;
	json_int_t pid; /* 0 = none */
	int targets; /* how many of these were given */
};

static void attach_reset(struct attach *attach)
{
	policy_args_reset(&attach->policy);
}

enum option_id {
	OPTION_CGROUP = 256,
	OPTION_UNIT,
	OPTION_CONTAINER,
	OPTION_PID,
	OPTION_SET,
	OPTION_AUDIT,
	OPTION_NAME
};

static int take_pid(struct attach *attach, const char *text)
{
	char *end = NULL;
	long pid;

	errno = 0;
	pid = strtol(text, &end, 10);
	if (errno || *end || pid <= 0 || pid > INT32_MAX)
		return cli_usage("attach", "--pid '%s' is not the number of a process", text);
	attach->pid = pid;
	attach->targets++;
	return CLI_OK;
}

static int take_target(struct attach *attach, const char **target)
{
	*target = optarg;
	attach->targets++;
	return CLI_OK;
}

/* Returns CLI_OK, or the exit code after printing. */
static int take_option(struct attach *attach, int option)
{
	switch (option) {
	case 'p':
		attach->policy.path = optarg;
		return CLI_OK;
	case OPTION_CGROUP:
		return take_target(attach, &attach->cgroup);
	case OPTION_UNIT:
		return take_target(attach, &attach->unit);
	case OPTION_CONTAINER:
		return take_target(attach, &attach->container);
	case OPTION_PID:
		return take_pid(attach, optarg);
	case OPTION_SET:
		return policy_options_set("attach", &attach->policy, optarg);
	case OPTION_AUDIT:
		attach->policy.audit = true;
		return CLI_OK;
	case OPTION_NAME:
		attach->name = optarg;
		return CLI_OK;
	default:
		return cli_usage("attach", NULL);
	}
}

/* Returns 0, or -1 with *@ret_exit set. */
static int parse(struct attach *attach, int argc, char **argv, int *ret_exit)
{
	static const struct option options[] = {
		{ "cgroup", required_argument, NULL, OPTION_CGROUP },
		{ "unit", required_argument, NULL, OPTION_UNIT },
		{ "container", required_argument, NULL, OPTION_CONTAINER },
		{ "pid", required_argument, NULL, OPTION_PID },
		{ "policy", required_argument, NULL, 'p' },
		{ "set", required_argument, NULL, OPTION_SET },
		{ "audit", no_argument, NULL, OPTION_AUDIT },
		{ "name", required_argument, NULL, OPTION_NAME },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*ret_exit = CLI_OK;
	while ((option = getopt_long(argc, argv, "p:h", options, NULL)) >= 0) {
		*ret_exit = option == 'h' ? cli_help(help) : take_option(attach, option);
		if (option == 'h' || *ret_exit)
			return -1;
	}
	if (optind < argc)
		*ret_exit = cli_usage("attach", "'%s' is one word too many", argv[optind]);
	else if (!attach->policy.path)
		*ret_exit = cli_usage("attach", "no policy: give one with -p POLICY");
	else if (attach->targets != 1)
		*ret_exit =
			cli_usage("attach", "give one of --cgroup, --unit, --container and --pid");
	return *ret_exit ? -1 : 0;
}

int cmd_attach(int argc, char **argv)
{
	CLEAN(attach_reset) struct attach attach = { 0 };
	CLEAN_FREE char *cwd = getcwd(NULL, 0);
	json_t *result = NULL;
	json_t *params;
	int code;

	if (parse(&attach, argc, argv, &code))
		return code;
	params = json_pack("{s:s, s:b, s:o, s:s, s:s*, s:s*, s:s*, s:s*}", "policy",
			   attach.policy.path, "audit", attach.policy.audit, "set",
			   daemon_variables(&attach.policy), "cwd", cwd && *cwd == '/' ? cwd : "/",
			   "cgroup", attach.cgroup, "unit", attach.unit, "container",
			   attach.container, "name", attach.name);
	if (params && attach.pid)
		(void)json_object_set_new(params, "pid", json_integer(attach.pid));
	code = daemon_ask("attach", "agent.attach", params, &result);
	if (code)
		return code;
	(void)fputs(daemon_text(result, "warnings"), stderr);
	(void)puts(daemon_text(result, "agent"));
	json_decref(result);
	return CLI_OK;
}
