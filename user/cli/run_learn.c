/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every act is denied by a default, in audit mode: so each becomes an event, and none is refused. The policy is
 * in memory; what it lacks is a rule with words, or command lines would not be looked at.
 */
#include "cli/run_learn.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/learn_out.h"
#include "cli/recordings.h"
#include "telemetry/names.h"

static const char network_text[] = "picket: 1\n"
				   "name: learning\n"
				   "mode: audit\n"
				   "egress:\n"
				   "  default: deny\n"
				   "  dns: {names: any, private_answers: allow, rate: off, "
				   "max_name: 253}\n"
				   "listen: {default: deny}\n";

static const char hooks_text[] = "sockets: {allow: [inet, inet6, unix, netlink]}\n"
				 "files: {default: deny}\n"
				 "exec:\n"
				 "  default: deny\n"
				 "  rules: [{deny: \"/picket/nothing ... nothing\"}]\n"
				 "unix: {default: deny}\n"
				 "process: {profile: strict}\n";

static int memory_file(const char *name, char ret_path[static 32])
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd >= 0)
		(void)snprintf(ret_path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

static int write_policy(struct run_learn *learn, enum pk_tier tier)
{
	learn->policy_fd = memory_file("learning", learn->policy_path);
	if (learn->policy_fd < 0)
		return -errno;
	if (dprintf(learn->policy_fd, "%s%s", network_text,
		    tier == PK_TIER_NETWORK ? "" : hooks_text) < 0)
		return -EIO;
	return 0;
}

int run_learn_prepare(struct run_learn *learn, struct run_options *options, enum pk_tier tier,
		      struct diag_list *diags)
{
	int r = write_policy(learn, tier);

	if (r == 0 && !options->events) {
		learn->events_fd = memory_file("events", learn->events_path);
		r = learn->events_fd < 0 ? -errno : 0;
		options->events = learn->events_path;
	}
	if (r) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot prepare the recording: %s",
			       strerror(-r));
		return r;
	}
	if (tier == PK_TIER_NETWORK)
		diag_hint(
			diag_add(diags, DIAG_WARNING, NULL,
				 "only the network is recorded: the policy will have no rules about "
				 "files and programs"),
			"'picket doctor' tells what this kernel lacks for them");
	options->policy_args.path = learn->policy_path;
	return 0;
}

void run_learn_begin(const struct run_options *options, enum pk_tier tier,
		     struct run_output *output)
{
	const struct policy_args *args = &options->policy_args;
	CLEAN_FREE char *line = recording_head(args->cwd, args->home, args->user, names_tier(tier));

	run_output_json(output, line);
}

static int read_back(const struct run_options *options, const struct run_output *output,
		     struct recording *recording)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN_FILE FILE *from = fopen(options->events, "re");
	int r = from && fseek(from, (long)output->events_start, SEEK_SET) == 0 ? 0 : -errno;

	if (r)
		return cli_error("run", "cannot read the recording back: %s", strerror(-r));
	r = recording_read(recording, from, options->events, &diags);
	if (r == 0)
		r = recording_finish(recording);
	cli_print_diags(&diags);
	return r == 0 ? CLI_OK : CLI_FAILED;
}

int run_learn_finish(struct run_options *options, struct run_output *output,
		     const __u64 counts[PK_COUNT__MAX])
{
	CLEAN(recording_reset) struct recording recording = { 0 };
	CLEAN_FREE char *end = recording_end(counts[PK_COUNT_DECISION_LOST] + output->events_lost);
	const struct learn_out out = {
		.path = options->learned ? options->learned : "learned.yaml",
		.name = "learned",
		.fresh = !options->learned,
	};
	int code;

	run_output_json(output, end);
	code = read_back(options, output, &recording);
	if (code == CLI_OK)
		code = recordings_complete("run", &recording, options->lossy);
	return code == CLI_OK ? learn_out("run", &recording, &options->policy_args, &out) : code;
}

void run_learn_reset(struct run_learn *learn)
{
	mem_close_fd(&learn->policy_fd);
	mem_close_fd(&learn->events_fd);
}
