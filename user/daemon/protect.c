/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A folder counts for all that is below it, also for what is made later, so that no file needs a note of
 * its own. What agents opened before has to be forgotten when one is noted.
 */
#include "daemon/protect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <picket.skel.h>

#include <picket/abi.h>

#include "base/mem.h"
#include "daemon/daemon.h"
#include "daemon/state.h"
#include "engine/own.h"
#include "store/store.h"

/* A file that comes and goes, and its other name. */
#define MOVED ".moved"
#define MOVED_TO ".moved.to"

static int own_map(const struct daemon *daemon)
{
	return bpf_map__fd(daemon->hub.loader.skel->maps.pk_own);
}

static const char *folder_path(const struct daemon *daemon, enum protect_folder which)
{
	switch (which) {
	case PROTECT_LIB:
		return daemon->options.lib_dir;
	case PROTECT_RUN:
		return daemon->options.run_dir;
	default:
		return daemon->options.config;
	}
}

/*
 * The kernel programs remember directories that agents were let use, until something anywhere is
 * renamed. So something is.
 */
static void forget_directories(const struct daemon *daemon)
{
	int fd = openat(daemon->run_fd, MOVED, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	mem_close_fd(&fd);
	if (renameat(daemon->run_fd, MOVED, daemon->run_fd, MOVED_TO))
		daemon_say(daemon,
			   "agents may still be let into folders that are picket's own: cannot "
			   "rename a file in '%s': %s",
			   daemon->options.run_dir, strerror(errno));
	(void)unlinkat(daemon->run_fd, MOVED_TO, 0);
}

/* 1 when it is noted now and was not, 0 when nothing changed or there is none, or -errno. */
static int check_folder(struct daemon *daemon, enum protect_folder which)
{
	const char *path = folder_path(daemon, which);
	struct stat st;
	int r;

	if (stat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (st.st_ino == daemon->protect.folders[which].inode &&
	    st.st_dev == daemon->protect.folders[which].device)
		return 0;
	r = own_enter_folder(own_map(daemon), path, which == PROTECT_LIB ? PK_OWN_SECRET : 0);
	if (r)
		return r;
	daemon->protect.folders[which].inode = st.st_ino;
	daemon->protect.folders[which].device = st.st_dev;
	return 1;
}

void protect_check(struct daemon *daemon)
{
	bool found = false;

	for (int i = 0; i < PROTECT__FOLDERS; i++) {
		int r = check_folder(daemon, i);

		found = found || r == 1;
		r = r < 0 ? r : 0;
		if (r && r != daemon->protect.folders[i].error)
			daemon_say(daemon, "cannot protect '%s' from agents: %s",
				   folder_path(daemon, i), strerror(-r));
		daemon->protect.folders[i].error = r;
	}
	if (found)
		forget_directories(daemon);
}

int protect_open(struct daemon *daemon, struct diag_list *diags)
{
	const char *lib = daemon->options.lib_dir;

	/* What cannot be made is said by the trail, which needs it. */
	(void)!mkdir(lib, 0700);
	for (int i = 0; i < PROTECT__FOLDERS; i++) {
		int r = check_folder(daemon, i);

		if (r < 0) {
			diag_hint(diag_add(diags, DIAG_ERROR, NULL,
					   "cannot protect '%s' from agents: %s",
					   folder_path(daemon, i), strerror(-r)),
				  "see that it is a folder that root can open");
			return r;
		}
	}
	if (!daemon->state_error)
		forget_directories(daemon);
	/* The program itself. */
	return own_publish(own_map(daemon), NULL, 0, diags);
}

static void keep_secret(struct daemon *daemon, const char *path)
{
	int r = path ? own_enter_secret(own_map(daemon), path) : 0;

	if (r && r != -ENOENT)
		daemon_say(daemon, "cannot keep '%s' from agents: %s", path, strerror(-r));
}

/* The file of records and those that belong to it. */
static void keep_store(struct daemon *daemon, const char *path)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };

	for (size_t i = 0; path && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		CLEAN_FREE char *name = NULL;

		if (asprintf(&name, "%s%s", path, suffixes[i]) < 0)
			name = NULL;
		keep_secret(daemon, name);
	}
}

void protect_secrets(struct daemon *daemon)
{
	const struct telemetry_settings *settings = &daemon->telemetry.settings;

	keep_secret(daemon, settings->audit.key);
	for (size_t i = 0; i < settings->sink_count; i++) {
		const struct sink_settings *sink = &settings->sinks[i];

		keep_secret(daemon, sink->headers.path);
		keep_secret(daemon, sink->hmac_key.path);
		if (sink->type == SINK_STORE)
			keep_store(daemon, sink->path);
	}
	forget_directories(daemon);
}
