/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What cannot be written is counted by the trail, which says so once it can; only answers wait for it.
 */
#include "daemon/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "control/peer.h"
#include "daemon/answer_event.h"
#include "daemon/daemon.h"
#include "daemon/ledger_loss.h"
#include "engine/own.h"
#include "sign/serials.h"
#include "telemetry/names.h"
#include "telemetry/record.h"

/* Size of a segment and how many are kept: a gigabyte in all. */
#define SEGMENT_BYTES (16U << 20)
#define SEGMENTS_KEPT 64
/* Longest time in seconds that records are without a checkpoint, and without being synced in ms. */
#define CHECKPOINT_SECONDS 300
#define SYNC_MS 1000

/* --- Writing -------------------------------------------------------------------------------------- */

static time_t seconds(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void arm(struct ledger *ledger)
{
	if (ledger->armed || !ledger->trail.unsynced || ledger->sync.fd < 0)
		return;
	loop_set_timer(&ledger->sync, SYNC_MS, 0);
	ledger->armed = true;
}

static void sync_due(void *context, __u32 events)
{
	struct daemon *daemon = context;
	struct ledger *ledger = &daemon->ledger;
	int r;

	(void)events;
	loop_take_timer(&ledger->sync);
	ledger->armed = false;
	r = trail_sync(&ledger->trail);
	if (r)
		daemon_say(daemon, "the audit trail cannot be synced: %s", strerror(-r));
}

/* Say it once, when it begins and when it ends. */
static void say_state(struct daemon *daemon, int before)
{
	int error = daemon->ledger.trail.error;

	if (error && !before)
		daemon_say(daemon,
			   "cannot write the audit trail in '%s/" AUDIT_FOLDER
			   "': %s; nothing can be approved",
			   daemon->options.lib_dir, strerror(-error));
	else if (!error && before)
		daemon_say(daemon, "the audit trail can be written again");
}

static int write_record(struct daemon *daemon, const char *what, const json_t *details,
			enum trail_when when)
{
	struct ledger *ledger = &daemon->ledger;
	int before = ledger->trail.error;
	int r = trail_write(&ledger->trail, what, details, when);

	say_state(daemon, before);
	arm(ledger);
	return r;
}

/* @details are taken over; NULL: no memory, and the record says only what it is. */
static void note(struct daemon *daemon, const char *what, json_t *details)
{
	(void)write_record(daemon, what, details, TRAIL_SOON);
	json_decref(details);
}

/* --- What happens --------------------------------------------------------------------------------- */

static json_t *describe(const struct agent_entry *entry)
{
	const struct agent_record *record = &entry->record;

	return json_pack("{s:s, s:s*, s:s, s:s*, s:s, s:s, s:I, s:I, s:I}", "agent", record->id,
			 "name", record->name, "kind", registry_kind_name(record->kind), "policy",
			 record->policy, "digest", entry->digest, "mode",
			 record->audit ? "audit" : "enforce", "uid", (json_int_t)record->uid, "pid",
			 (json_int_t)record->pid, "cgroup", (json_int_t)record->cgroup);
}

void ledger_agent(struct daemon *daemon, const struct agent_entry *entry, const char *op)
{
	char what[24];

	(void)snprintf(what, sizeof(what), "agent-%s", op);
	note(daemon, what, describe(entry));
}

void ledger_reloaded(struct daemon *daemon, const struct agent_entry *entry, const char *old)
{
	const struct agent_record *record = &entry->record;

	note(daemon, "reload",
	     json_pack("{s:s, s:s*, s:s*, s:s, s:s}", "agent", record->id, "name", record->name,
		       "policy", record->policy, "old", old, "new", entry->digest));
}

void ledger_reload_failed(struct daemon *daemon, const char *findings)
{
	note(daemon, "reload-failed", json_pack("{s:s}", "findings", findings));
}

void ledger_command(struct daemon *daemon, const struct call *call, const char *command,
		    const struct agent_entry *entry)
{
	const struct peer *peer = client_peer(call->client);

	note(daemon, "command",
	     json_pack("{s:s, s:s*, s:{s:I, s:I, s:s}}", "command", command, "agent",
		       entry ? entry->record.id : NULL, "by", "uid", (json_int_t)peer->uid, "pid",
		       (json_int_t)peer->pid, "role", peer_role_name(peer->role)));
}

int ledger_answer(struct daemon *daemon, const struct agent_entry *entry, const char *what,
		  const json_t *details)
{
	int r = write_record(daemon, what, details, TRAIL_NOW);
	bool failed;
	json_t *event;

	if (r)
		return r;
	event = answer_event(entry ? entry->record.id : NULL, what, details, &failed);
	if (event || failed)
		events_tell(&daemon->events, entry, event);
	return 0;
}

/* --- The trail ------------------------------------------------------------------------------------ */

static int protect(void *context, int fd, bool on)
{
	const struct daemon *daemon = context;
	int map = bpf_map__fd(daemon->hub.loader.skel->maps.pk_own);

	return on ? own_enter(map, fd) : own_leave(map, fd);
}

/* The record of serials and the file that it changes places with, from when there is one. */
static void protect_serials(struct daemon *daemon)
{
	static const char *const files[] = { SERIALS_FILE, SERIALS_FILE SERIALS_SPARE };

	for (size_t i = 0; i < 2; i++) {
		CLEAN_FD int fd = open(
			files[i],
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (i ? O_CREAT : 0), 0600);

		if (fd < 0)
			return;
		if (protect(daemon, fd, true))
			daemon_say(daemon, "cannot protect '%s' from agents", files[i]);
	}
}

/* Kept elsewhere, so that a tail that is cut shows. */
static void tell_head(void *context, const struct audit_head *head, const char *signature)
{
	struct daemon *daemon = context;
	json_t *record = record_new("audit-head", "anchor", NULL);

	if (record) {
		(void)record_set_number(record, "number", (json_int_t)head->seq);
		(void)record_set_text(record, "hash", head->hash);
		(void)record_set_text(record, "signature", signature);
		(void)record_set_text(record, "key",
				      signature ? daemon->ledger.trail.key.id : NULL);
	}
	events_tell(&daemon->events, NULL, record);
}

static void say(void *context, const char *text)
{
	daemon_say(context, "%s", text);
}

/* The key that signs, of the settings. */
static int read_key(const struct daemon *daemon, struct sign_key *ret_key, char **ret_why)
{
	const char *path = daemon->telemetry.settings.audit.key;

	return path ? sign_key_read_private(path, ret_key, ret_why) : 0;
}

static const char *found(const struct ledger *ledger)
{
	if (ledger->trail.head.seq <= 1)
		return "nothing";
	return ledger->trail.stopped ? "stopped" : "killed";
}

static void write_start(struct daemon *daemon)
{
	static const char *const origins[] = {
		[HUB_NEW] = "new",
		[HUB_ADOPTED] = "adopted",
		[HUB_UPGRADED] = "upgraded",
	};
	struct ledger *ledger = &daemon->ledger;

	note(daemon, "start",
	     json_pack("{s:s, s:s, s:s, s:s, s:I}", "version", PICKET_VERSION, "tier",
		       names_tier(daemon->hub.tier), "engine", origins[daemon->hub.origin], "found",
		       found(ledger), "beyond", (json_int_t)ledger->trail.beyond));
	ledger->begun = true;
	(void)trail_checkpoint(&ledger->trail, false);
}

int ledger_open(struct daemon *daemon, struct diag_list *diags)
{
	struct ledger *ledger = &daemon->ledger;
	struct trail *trail = &ledger->trail;
	CLEAN_FREE char *why = NULL;

	*trail = (struct trail)TRAIL_NONE;
	trail->lib = daemon->options.lib_dir;
	trail->limits = (struct trail_limits){
		.segment_bytes = SEGMENT_BYTES,
		.keep = SEGMENTS_KEPT,
		.checkpoint = daemon->telemetry.settings.audit.checkpoint,
	};
	trail->protect = protect;
	trail->headed = tell_head;
	trail->say = say;
	trail->context = daemon;
	if (read_key(daemon, &trail->key, &why)) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL, "the audit trail cannot be signed: %s",
				   why ? why : "out of memory"),
			  "make a key: picket keygen -o %s", daemon->telemetry.settings.audit.key);
		return -EINVAL;
	}
	ledger->sync.ready = sync_due;
	ledger->sync.context = daemon;
	(void)loop_add_timer(daemon->epoll, &ledger->sync);
	ledger->losses = json_object();
	protect_serials(daemon);
	if (trail_open(trail))
		say_state(daemon, 0);
	write_start(daemon);
	return 0;
}

void ledger_reload(struct daemon *daemon)
{
	struct trail *trail = &daemon->ledger.trail;
	struct sign_key key = { 0 };
	CLEAN_FREE char *why = NULL;

	if (!daemon->ledger.begun)
		return;
	trail->limits.checkpoint = daemon->telemetry.settings.audit.checkpoint;
	if (read_key(daemon, &key, &why)) {
		daemon_say(daemon, "the audit trail goes on with the key it had: %s",
			   why ? why : "out of memory");
		return;
	}
	if (strcmp(key.id, trail->key.id) == 0) {
		sign_key_reset(&key);
		return;
	}
	/* The last one by the old key covers all that it has to. */
	(void)trail_checkpoint(trail, false);
	sign_key_reset(&trail->key);
	trail->key = key;
	(void)trail_checkpoint(trail, false);
}

void ledger_check(struct daemon *daemon)
{
	struct ledger *ledger = &daemon->ledger;
	int before = ledger->trail.error;

	protect_serials(daemon);
	trail_try(&ledger->trail);
	say_state(daemon, before);
	if (seconds() - ledger->looked >= LEDGER_LOSS_SECONDS) {
		ledger->looked = seconds();
		ledger_losses(daemon);
	}
	if (ledger->trail.since && !ledger->trail.error &&
	    seconds() - ledger->trail.checkpoint_at.tv_sec >= CHECKPOINT_SECONDS)
		(void)trail_checkpoint(&ledger->trail, false);
	arm(ledger);
}

void ledger_close(struct daemon *daemon)
{
	struct ledger *ledger = &daemon->ledger;

	if (ledger->begun) {
		ledger_losses(daemon);
		note(daemon, "stop", json_pack("{s:s}", "version", PICKET_VERSION));
		(void)trail_checkpoint(&ledger->trail, true);
	}
	ledger->begun = false;
	loop_drop(daemon->epoll, &ledger->sync);
	trail_close(&ledger->trail);
	json_decref(ledger->losses);
	ledger->losses = NULL;
}
