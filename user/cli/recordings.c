/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is missing from a recording is missing from what is made of it: that is said, and by itself an
 * error.
 */
#include "cli/recordings.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"

int recordings_complete(const char *command, const struct recording *recording, bool lossy)
{
	bool cut = recording->heads > recording->ends;

	if (!recording->lost && !cut)
		return CLI_OK;
	if (recording->lost)
		(void)cli_error(command, "%llu events are missing from the recording",
				(unsigned long long)recording->lost);
	if (cut)
		(void)cli_error(command, "the recording has no end: it was cut, or still goes on");
	if (!lossy)
		return cli_error(command, "nothing is made of a part; --lossy takes it as it is");
	return CLI_OK;
}

static int read_one(const char *path, struct recording *recording, struct diag_list *diags)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *from = standard ? stdin : fopen(path, "re");
	int r;

	if (!from) {
		r = -errno;
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot open '%s': %s", path, strerror(-r));
		return r;
	}
	r = recording_read(recording, from, path, diags);
	if (!standard)
		mem_close_file(&from);
	return r;
}

int recordings_read(const char *command, char *const *paths, int count, bool lossy,
		    struct recording *recording)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	int r = 0;

	for (int i = 0; i < count && r == 0; i++)
		r = read_one(paths[i], recording, &diags);
	if (r == 0)
		r = recording_finish(recording);
	cli_print_diags(&diags);
	if (r < 0)
		return r == -ENOMEM ? cli_error(command, "out of memory") : CLI_FAILED;
	if (!recording->events && !recording->heads)
		return cli_error(command, "there is no event in '%s'", paths[0]);
	return recordings_complete(command, recording, lossy);
}
