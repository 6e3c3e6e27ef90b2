/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Order of set-up: nothing is started before everything is attached, pinned and proven. Order of
 * teardown: nothing is detached before the last process is gone.
 */
#include "engine/session.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <picket.skel.h>

#include "engine/canary.h"
#include "engine/cgroup.h"
#include "engine/detach.h"
#include "engine/own.h"
#include "engine/stale.h"
#include "engine/watch.h"

/* Slots of this engine's own maps. */
#define AGENT_SLOT 1
#define CANARY_SLOT 2

#define DEATH_MS 5000
/* Records handed out before signals get their turn: a flood must not keep us from our end. */
#define BATCH 256

const char *session_needs_hooks(const struct policy_image *image)
{
	const struct pk_image *head = image_head(image);

	if (head->defaults[PK_SECTION_FILES].present)
		return "the section 'files'";
	if (head->defaults[PK_SECTION_EXEC].present)
		return "the section 'exec'";
	if (head->defaults[PK_SECTION_UNIX].present)
		return "the section 'unix'";
	if (head->defaults[PK_SECTION_SOCKETS].present)
		return "the section 'sockets'";
	if (head->subjects)
		return "rules with 'by'";
	/* A policy without the section is strict; it does not need to be. */
	if (head->defaults[PK_SECTION_PROCESS].present && (head->guards.deny | head->guards.ask))
		return "the section 'process'";
	return NULL;
}

/* The policy needs hooks. Says so, and why there are none. */
static int refuse_key(const struct features *features, const char *key, enum pk_tier limit,
		      struct diag_list *diags)
{
	char what[128];

	(void)snprintf(what, sizeof(what), "the policy has %s, which tier 'network' cannot enforce",
		       key);
	if (limit >= PK_TIER_MODIFY_RETURN)
		return features_explain(features, limit, what, diags);
	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "%s", what),
		  "allow a stronger tier than 'network'");
	return -ENOTSUP;
}

int session_choose_tier(const struct features *features, const struct policy_image *image,
			enum pk_tier limit, enum pk_tier *ret_tier, struct diag_list *diags)
{
	int found = features_find_tier(features, limit);
	const char *key = session_needs_hooks(image);

	if (found < 0)
		return features_explain(features, PK_TIER_NETWORK, NULL, diags);
	if (key && found < PK_TIER_MODIFY_RETURN)
		return refuse_key(features, key, limit, diags);
	*ret_tier = (enum pk_tier)found;
	return 0;
}

/* Make the place while nobody else makes or clears one. */
static int make_place(struct session *session, struct diag_list *diags)
{
	struct place_lock lock = PLACE_LOCK_NONE;
	int r = place_lock(&session->roots, &lock, diags);

	if (r)
		return r;
	r = stale_clean(&session->roots, &lock, diags);
	if (r == 0)
		r = place_create(&session->roots, &lock, &session->place, diags);
	place_unlock(&session->roots, &lock);
	return r;
}

static int load_programs(struct session *session, struct diag_list *diags)
{
	struct loader_request request =
		loader_request_for(session->options.tier, session->options.image);
	int r;

	request.recording = session->options.recording;
	r = loader_load_request(&request, &session->loader, diags);
	if (r == 0)
		r = loader_attach(&session->loader, session->place.cgroup, diags);
	if (r == 0)
		r = loader_pin(&session->loader, session->place.pin_path, diags);
	return r;
}

static int take_record(void *context, void *bytes, size_t size)
{
	struct session *session = context;
	const struct pk_event *event = bytes;

	if (!session->live) {
		/*
		 * Of the canary, a child of ours: it tells our number in the initial namespace.
		 * Records of packets do not know their parents.
		 */
		if (size >= sizeof(*event) && event->kind != PK_EVENT_LIFE &&
		    event->agent == CANARY_SLOT && event->parent_tgid)
			session->self = event->parent_tgid;
		return 0;
	}
	/* Slot 0: a socket of the agent in the hands of somebody else. The agent stands where a life has it. */
	if (size >= sizeof(struct pk_life) && event->agent != AGENT_SLOT && event->agent != 0)
		return 0;
	/* Before it is told: the program should not wait longer than it has to. */
	if (size >= sizeof(*event) && event->abi == PK_ABI_VERSION && destroy_is_wanted(event))
		(void)destroy_socket(&session->destroyer, event);
	session->options.record(session->options.context, bytes, size);
	if (++session->batch < BATCH)
		return 0;
	session->batch = 0;
	return -EAGAIN;
}

static int open_rings(struct session *session, struct diag_list *diags)
{
	const struct picket_bpf *skel = session->loader.skel;
	int r = 0;

	/* The lives of processes first: who did it is known before what it did. */
	session->rings =
		ring_buffer__new(bpf_map__fd(skel->maps.pk_activity), take_record, session, NULL);
	if (!session->rings)
		r = -errno;
	else
		r = ring_buffer__add(session->rings, bpf_map__fd(skel->maps.pk_decisions),
				     take_record, session);
	if (r)
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot map the ring buffers: %s",
			       strerror(-r));
	return r;
}

static int publish_agent(struct session *session, struct diag_list *diags)
{
	/* The canary's records are in the rings; they are nobody's business. */
	(void)ring_buffer__consume(session->rings);
	if (!session->self) {
		(void)diag_add(diags, DIAG_ERROR, NULL,
			       "the proof of enforcement left no records to be read");
		return -EIO;
	}
	session->loader.skel->bss->pk_supervisor = session->self;
	session->live = true;
	session->agent.slot = AGENT_SLOT;
	return agent_create(&session->loader, &session->agent, session->place.cgroup,
			    session->options.image, diags);
}

static int protect(struct session *session, struct diag_list *diags)
{
	int map = bpf_map__fd(session->loader.skel->maps.pk_own);
	int r = own_publish_folders(map, diags);

	if (r)
		return r;
	return own_publish(map, session->options.files, session->options.file_count, diags);
}

static int build_filter(struct session *session, struct diag_list *diags)
{
	return seccomp_filter_build(session->options.image, &session->filter, diags);
}

static int prove(struct session *session, struct diag_list *diags)
{
	return canary_prove(&session->loader, CANARY_SLOT, &session->place, diags);
}

int session_open(struct session *session, const struct session_options *options,
		 struct diag_list *diags)
{
	static int (*const steps[])(struct session * session, struct diag_list * diags) = {
		build_filter, make_place, load_programs, open_rings, prove, protect, publish_agent,
	};
	int r = signals_take(&session->signals);

	if (r) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot take over signals: %s",
			       strerror(-r));
		return r;
	}
	session->options = *options;
	session->roots = (struct place_roots){
		.cgroup = options->features->cgroup_root,
		.bpffs = options->features->bpffs,
	};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		r = steps[i](session, diags);
		if (r)
			return r;
		session->end_signal = signals_end_requested(&session->signals);
		if (session->end_signal)
			return -EINTR;
	}
	return 0;
}

static int attend(struct session *session, int *ret_wait_status)
{
	struct seccomp_watch calls = {
		.listener = session->child.listener,
		.image = session->options.image,
		.agent = AGENT_SLOT,
		.cgroup = session->agent.cgroup,
		.record = session->options.record,
		.context = session->options.context,
	};

	return watch_child(session->rings, &session->signals, &calls, &session->child,
			   ret_wait_status);
}

int session_run(struct session *session, char *const *argv, const struct spawn_user *user,
		int *ret_wait_status, struct diag_list *diags)
{
	struct spawn_request request = {
		.argv = argv,
		.cgroup_fd = session->place.cgroup,
		.user = user,
		.signals = &session->signals,
		.filter = &session->filter,
		.keep_fds = session->options.keep_fds,
	};
	int r;

	/* Orphans of the tree come to us, who reap them, instead of an init that may not. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	r = spawn_start(&request, &session->child, diags);
	if (r)
		return r;
	r = attend(session, ret_wait_status);
	if (r)
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot attend to the program: %s",
			       strerror(-r));
	return r;
}

/* Returns 0 when no process of the agent is left. */
static int end_processes(struct session *session, struct diag_list *diags)
{
	int r = cgroup_kill(session->place.cgroup);

	/* Somebody may have removed the cgroup, which needs that it was empty. */
	if (r == -ENODEV || r == -ENOENT)
		return 0;
	if (r == 0)
		r = cgroup_wait_empty(session->place.cgroup, DEATH_MS);
	if (r)
		diag_hint(
			diag_add(diags, DIAG_ERROR, NULL,
				 "processes in cgroup 'picket/%s' do not end: %s",
				 session->place.name, strerror(-r)),
			"they stay confined; the next 'picket run' tries again to clear them away");
	return r;
}

static void close_programs(struct session *session, __u64 *ret_counts)
{
	int r = session->rings && session->live ? -EAGAIN : 0;

	while (r == -EAGAIN)
		r = ring_buffer__consume(session->rings);
	if (ret_counts && session->agent.slot)
		(void)agent_counts(&session->loader, AGENT_SLOT, ret_counts);
	ring_buffer__free(session->rings);
	session->rings = NULL;
}

int session_learned(const struct session *session, struct learned_table *ret_table)
{
	return learned_read(&session->loader, AGENT_SLOT, ret_table);
}

int session_close(struct session *session, __u64 *ret_counts, struct diag_list *diags)
{
	int r = session->place.cgroup < 0 ? 0 : end_processes(session, diags);

	/* Not waiting: who exec'ed us may have left us children that are none of ours. */
	while (session->child.pid && waitpid(-1, NULL, WNOHANG) > 0)
		;
	close_programs(session, ret_counts);
	destroy_explain(&session->destroyer, diags);
	destroyer_reset(&session->destroyer);
	if (r == 0) {
		/* Unpin first: links that are let go of while pinned stay attached. */
		r = place_remove(&session->roots, &session->place, diags);
	}
	detach_later(&session->loader);
	spawn_reset(&session->child);
	seccomp_filter_reset(&session->filter);
	signals_reset(&session->signals);
	return r;
}
