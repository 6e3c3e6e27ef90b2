/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the acts twice, compares, and clears everything away. The results come back through shared
 * memory, because what a confined process may still use otherwise is the very question.
 */
#include "engine/canary.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "engine/agent.h"
#include "engine/canary_acts.h"
#include "engine/cgroup.h"
#include "engine/scratch.h"
#include "engine/spawn.h"
#include "policy/compile.h"

#define CANARY_CGROUP "canary"
#define ACTS_MS 10000
#define NOT_TRIED INT_MAX

struct results {
	int of[CANARY_SIDES][CANARY_ACTS];
};

static int deny_all(struct policy_image *ret_image, struct diag_list *diags)
{
	char name[] = "canary";
	struct policy policy = { .name = name };
	const struct policy *layers[] = { &policy };
	struct compile_options options = { 0 };
	const __u8 resolver[16] = { [10] = 0xff,
				    [11] = 0xff,
				    [12] = CANARY_RESOLVER >> 24,
				    [13] = (CANARY_RESOLVER >> 16) & 0xff,
				    [14] = (CANARY_RESOLVER >> 8) & 0xff,
				    [15] = CANARY_RESOLVER & 0xff };

	for (size_t i = 0; i <= PK_SECTION_UNIX; i++) {
		policy.sections[i].present = true;
		policy.sections[i].default_verdict = PK_VERDICT_DENY;
	}
	policy.sections[PK_SECTION_LISTEN].present = true;
	policy.sections[PK_SECTION_LISTEN].default_verdict = PK_VERDICT_DENY;
	policy.dns = (struct policy_dns){
		.present = true,
		.resolver_count = 1,
		.min_ttl = 1,
		.name_max = PK_HOST_MAX,
	};
	memcpy(policy.dns.resolvers[0], resolver, sizeof(resolver));
	policy.process.present = true;
	for (size_t i = 0; i < PK_GUARD__MAX; i++)
		policy.process.guards[i].verdict = PK_VERDICT_DENY;
	policy.process.capabilities = 1ULL << CANARY_CAPABILITY;
	return policy_compile(layers, 1, &options, ret_image, diags);
}

/* Do the loaded programs judge the act? */
static bool is_judged(const struct canary_act *act, const struct loader *loader)
{
	return act->tier <= loader->tier && (!act->packets || loader->request.packets_out);
}

static void __attribute__((noreturn))
run_acts(const struct canary_stage *stage, enum canary_side side, const struct loader *loader,
	 struct results *results)
{
	for (size_t i = 0; i < CANARY_ACTS; i++) {
		if (is_judged(&canary_acts[i], loader))
			results->of[side][i] = canary_acts[i].try(stage, side);
	}
	_exit(0);
}

static int wait_done(pid_t pid, int pidfd)
{
	struct pollfd event = { .fd = pidfd, .events = POLLIN };
	int status = 0;
	int ready;

	do
		ready = poll(&event, 1, ACTS_MS);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		(void)kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (ready <= 0)
		return -ETIMEDOUT;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

/* Run one side in the cgroup, or for -1 where we are ourselves. */
static int run_side(struct canary_stage *stage, enum canary_side side, const struct loader *loader,
		    int cgroup_fd, struct results *results)
{
	CLEAN_FD int pidfd = -1;
	pid_t pid = spawn_fork(-1, &pidfd);

	if (pid < 0)
		return pid;
	if (pid == 0) {
		/* Nobody would wait for us. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if ((loader->tier > PK_TIER_NETWORK && canary_stage_enter(stage)) ||
		    (cgroup_fd >= 0 && cgroup_join(cgroup_fd, 0)))
			_exit(1);
		run_acts(stage, side, loader, results);
	}
	return wait_done(pid, pidfd);
}

static const char *answer(int result)
{
	if (result == NOT_TRIED)
		return "no answer";
	return result ? strerrorname_np(-result) : "success";
}

static int compare(const struct results *results, const struct loader *loader,
		   struct diag_list *diags)
{
	for (size_t i = 0; i < CANARY_ACTS; i++) {
		const struct canary_act *act = &canary_acts[i];
		int control = results->of[CANARY_CONTROL][i];
		int inside = results->of[CANARY_INSIDE][i];

		if (!is_judged(act, loader))
			continue;
		/* What this host does not have cannot be used inside either. */
		if (control == inside && (control == -EAFNOSUPPORT || control == -ENOSYS))
			continue;
		if (control != NOT_TRIED && control != -act->expected && inside == -act->expected)
			continue;
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "enforcement is not proven: to '%s' under a policy that denies "
				   "everything gave %s, expected %s; outside it gave %s",
				   act->name, answer(inside), strerrorname_np(act->expected),
				   answer(control)),
			  "nothing was started; run 'picket doctor', and check what else on this "
			  "host restricts picket itself");
		return -EKEYREJECTED;
	}
	return 0;
}

static int run_both(const struct loader *loader, int cgroup_fd, const char *dir,
		    struct results *results)
{
	CLEAN(canary_stage_reset) struct canary_stage stage = { .file = { -1, -1 } };
	int r;

	memset(stage.peers, 0xff, sizeof(stage.peers));
	for (size_t i = 0; i < CANARY_ACTS; i++) {
		results->of[CANARY_CONTROL][i] = NOT_TRIED;
		results->of[CANARY_INSIDE][i] = NOT_TRIED;
	}
	r = canary_stage_make(dir, &stage);
	if (r == 0)
		r = run_side(&stage, CANARY_CONTROL, loader, -1, results);
	if (r == 0)
		r = run_side(&stage, CANARY_INSIDE, loader, cgroup_fd, results);
	return r;
}

static int run_and_compare(const struct loader *loader, int cgroup_fd, const char *dir,
			   struct diag_list *diags)
{
	struct results *results = mmap(NULL, sizeof(*results), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r = results == MAP_FAILED ? -errno : run_both(loader, cgroup_fd, dir, results);

	if (r)
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "the proof of enforcement could not be made: %s", strerror(-r)),
			  "check free memory, free space and the limits on processes");
	else
		r = compare(results, loader, diags);
	if (results != MAP_FAILED)
		(void)munmap(results, sizeof(*results));
	return r;
}

/* Make the canary's cgroup an agent for as long as it takes. */
static int prove_in(struct loader *loader, __u32 slot, int cgroup_fd, const char *dir,
		    struct diag_list *diags)
{
	CLEAN(image_reset) struct policy_image image = { 0 };
	struct agent agent = { .slot = slot };
	int r = deny_all(&image, diags);

	if (r == 0)
		r = agent_create(loader, &agent, cgroup_fd, &image, diags);
	if (r)
		return r;
	r = run_and_compare(loader, cgroup_fd, dir, diags);
	if (agent_remove(loader, &agent) && r == 0) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot take the canary's image back");
		r = -EIO;
	}
	return r;
}

int canary_prove(struct loader *loader, __u32 slot, const struct place *place,
		 struct diag_list *diags)
{
	CLEAN(scratch_remove) char *dir = NULL;
	CLEAN_FD int cgroup = -1;
	int r = scratch_create(place->name, &dir);

	if (r) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "no place for the proof of enforcement: %s", strerror(-r)),
			  "make '/run', '/dev/shm', '/tmp' or '/var/tmp' writable, with free space "
			  "and without noexec");
		return r;
	}
	r = cgroup_create(place->cgroup, CANARY_CGROUP, &cgroup);
	if (r) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot create cgroup '%s/%s': %s",
			       place->name, CANARY_CGROUP, strerror(-r));
		return r;
	}
	r = prove_in(loader, slot, cgroup, dir, diags);
	/* What is left behind by a failure here goes with the place. */
	(void)cgroup_remove_tree(place->cgroup, CANARY_CGROUP);
	return r;
}
