/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images that were replaced are kept until all are: if one cannot be published, those before it get
 * their old one back.
 */
#include "daemon/reload.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "daemon/agents.h"
#include "daemon/daemon.h"
#include "daemon/reload_parts.h"
#include "daemon/service.h"

/* Between two agents' images: what came meanwhile has its turn. */
#define STEP_MS 1
/* Whoever waits for an approval is more urgent. */
#define MAKER_NICE 5

long reload_ms_since(const struct timespec *then)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000;
}

/* --- The end of a turn ---------------------------------------------------------------------------- */

static void free_turn(struct reload_turn **turn)
{
	if (*turn)
		json_decref((*turn)->id);
	mem_free_ptr(turn);
}

/* Remember how it went, for `status`; @findings: why it failed, or NULL. */
static void remember(struct daemon *daemon, const char *findings)
{
	struct reload *reload = &daemon->reload;

	free(reload->findings);
	reload->findings = findings ? strdup(findings) : NULL;
	reload->at = time(NULL);
	reload->ok = !findings;
	reload->ms = (unsigned int)reload_ms_since(&reload->begun);
	reload->reloaded = findings ? 0 : reload->plan.count;
	if (!findings)
		return;
	daemon_say(daemon, "%s", findings);
	ledger_reload_failed(daemon, findings);
}

static void begin_turn(struct daemon *daemon);

/* @result (taken over) or @message is for whoever waits. The next one has its turn. */
static void end_turn(struct daemon *daemon, json_t *result, const char *message)
{
	struct reload *reload = &daemon->reload;
	CLEAN(free_turn) struct reload_turn *turn = reload->turns;
	const struct control_answer answer = {
		.result = result,
		.code = CONTROL_FAILED,
		.message = (char *)message,
	};

	reload->turns = turn->next;
	plan_reset(&reload->plan);
	reload->publishing = false;
	service_ready();
	if (turn->client)
		server_answer(turn->client, turn->id, &answer);
	json_decref(result);
	if (reload->turns)
		begin_turn(daemon);
}

/* Nothing came of it. */
static void fail_turn(struct daemon *daemon, const char *message)
{
	remember(daemon, message);
	end_turn(daemon, NULL, message);
}

/* --- Telling -------------------------------------------------------------------------------------- */

/* Tell of one agent's new image. */
static int tell(struct daemon *daemon, const struct plan_change *change, json_t *reloaded)
{
	const struct agent_entry *entry = registry_find(&daemon->registry, change->agent);
	json_t *told;
	int r = 0;

	if (!entry || !change->done)
		return 0;
	told = json_pack("{s:s, s:s, s:s, s:s}", "agent", change->agent, "old",
			 change->before.digest, "new", entry->digest, "diff", change->diff);
	events_announce(&daemon->events, entry, "reloaded", told);
	ledger_reloaded(daemon, entry, change->before.digest);
	lives_replaced(daemon, entry, change->before.digest);
	if (json_array_append_new(reloaded, told))
		r = -ENOMEM;
	daemon_say(daemon, "agent '%s' (%s) has a new policy: %.12s instead of %.12s",
		   change->agent, entry->record.name, entry->digest, change->before.digest);
	return r;
}

static void tell_failed(const struct daemon *daemon)
{
	const json_t *one;
	size_t i;

	json_array_foreach(daemon->reload.plan.failed, i, one)
		daemon_say(daemon, "agent '%s' keeps its policy '%s': the new one cannot be taken",
			   json_string_value(json_object_get(one, "agent")),
			   json_string_value(json_object_get(one, "policy")));
}

/* All images are published, or none. */
static void finish(struct daemon *daemon)
{
	struct plan *plan = &daemon->reload.plan;
	const json_t *first = json_array_get(plan->failed, 0);
	json_t *reloaded = json_array();
	json_t *result;

	for (size_t i = 0; !first && reloaded && i < plan->count; i++)
		(void)tell(daemon, &plan->changes[i], reloaded);
	tell_failed(daemon);
	remember(daemon, json_string_value(json_object_get(first, "findings")));
	result = json_pack("{s:o, s:O, s:I}", "reloaded", reloaded, "failed", plan->failed,
			   "unchanged", (json_int_t)plan->unchanged);
	end_turn(daemon, result, "out of memory");
}

/* --- Publishing ----------------------------------------------------------------------------------- */

/* The agent, unless it ended meanwhile. */
static struct agent_entry *agent_of(const struct daemon *daemon, const struct plan_change *change)
{
	struct agent_entry *entry = registry_find(&daemon->registry, change->agent);

	return entry && !entry->end.begun ? entry : NULL;
}

/* Give those before @count back what they had. */
static void undo(struct daemon *daemon, size_t count)
{
	while (count-- > 0) {
		CLEAN(diag_list_reset) struct diag_list diags = { 0 };
		struct plan_change *change = &daemon->reload.plan.changes[count];
		struct agent_entry *entry = change->done ? agent_of(daemon, change) : NULL;

		change->done = false;
		if (entry && agents_replace(daemon, entry, &change->before, &diags))
			daemon_say_diags(daemon, &diags);
	}
}

static int publish_one(struct daemon *daemon, struct plan_change *change)
{
	CLEAN(policies_reset_compiled) struct compiled next = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct agent_entry *entry = agent_of(daemon, change);
	int r = entry ? policies_copy_compiled(change->made, &next) : 0;

	if (r || !entry)
		return r;
	r = agents_replace(daemon, entry, &next, &diags);
	if (r)
		return plan_fail(&daemon->reload.plan, entry, &diags, r) ? -ENOMEM : -ECANCELED;
	change->before = next;
	next = (struct compiled){ 0 };
	change->done = true;
	return 0;
}

/* One more agent has its new image, or the reload is at its end. */
static void publish_next(struct daemon *daemon)
{
	struct reload *reload = &daemon->reload;
	struct plan *plan = &reload->plan;
	int r = 0;

	if (reload->next < plan->count)
		r = publish_one(daemon, &plan->changes[reload->next]);
	if (r)
		undo(daemon, reload->next);
	if (r == -ENOMEM)
		fail_turn(daemon, "out of memory");
	else if (r || ++reload->next >= plan->count)
		finish(daemon);
	else
		loop_set_timer(&reload->step, STEP_MS, 0);
}

static void step_ready(void *context, __u32 events)
{
	struct daemon *daemon = context;

	(void)events;
	loop_take_timer(&daemon->reload.step);
	if (daemon->reload.publishing)
		publish_next(daemon);
}

/* --- The process that compiles -------------------------------------------------------------------- */

/* In the child: of picketd it has what it needs to read, and no descriptor but its file. */
_Noreturn static void compile(const struct daemon *daemon, const struct agent_entry *only)
{
	FILE *to;
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setpriority(PRIO_PROCESS, 0, MAKER_NICE);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || dup2(daemon->reload.file, 3) < 0 ||
	    close_range(4, ~0U, 0))
		_exit(EIO);
	to = fdopen(3, "w");
	_exit(!to ? ENOMEM : -plan_write(daemon, only, to) & 0xff);
}

/* Why nothing can be read of what it wrote; NULL: something can. */
static const char *reason(const struct reload *reload, int status, char text[128])
{
	if (reload->killed)
		(void)snprintf(text, 128, "policies were not reloaded: compiling took over %d s",
			       RELOAD_COMPILE_MS / 1000);
	else if (WIFSIGNALED(status))
		(void)snprintf(text, 128,
			       "policies were not reloaded: compiling was ended by signal %d (%s)",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		(void)snprintf(text, 128, "policies were not reloaded: %s",
			       strerror(WEXITSTATUS(status)));
	else
		return NULL;
	return text;
}

/* Its end: close what belongs to it. Returns its status. */
static int reap(struct daemon *daemon)
{
	struct reload *reload = &daemon->reload;
	int status = -1;

	while (waitpid(reload->pid, &status, 0) < 0 && errno == EINTR)
		;
	reload->pid = 0;
	loop_drop(daemon->epoll, &reload->maker);
	loop_set_timer(&reload->late, 0, 0);
	return status;
}

static void maker_ended(void *context, __u32 events)
{
	struct daemon *daemon = context;
	struct reload *reload = &daemon->reload;
	int status = reap(daemon);
	char text[128];
	const char *why = reason(reload, status, text);
	int r = why ? 0 : plan_read(reload->file, &reload->plan);

	(void)events;
	mem_close_fd(&reload->file);
	if (r) {
		(void)snprintf(text, sizeof(text), "policies were not reloaded: %s", strerror(-r));
		why = text;
	}
	if (why) {
		fail_turn(daemon, why);
		return;
	}
	reload->next = 0;
	reload->publishing = true;
	if (json_array_size(reload->plan.failed))
		finish(daemon);
	else
		publish_next(daemon);
}

static void maker_late(void *context, __u32 events)
{
	struct daemon *daemon = context;
	struct reload *reload = &daemon->reload;

	(void)events;
	loop_take_timer(&reload->late);
	if (!reload->pid)
		return;
	reload->killed = true;
	(void)kill(reload->pid, SIGKILL);
}

static int start_maker(struct daemon *daemon, const struct agent_entry *only)
{
	struct reload *reload = &daemon->reload;

	reload->killed = false;
	mem_close_fd(&reload->file);
	reload->file = memfd_create("plan", MFD_CLOEXEC);
	if (reload->file < 0)
		return -errno;
	reload->pid = fork();
	if (reload->pid == 0)
		compile(daemon, only);
	if (reload->pid < 0) {
		reload->pid = 0;
		return -errno;
	}
	reload->maker.fd = (int)syscall(SYS_pidfd_open, reload->pid, 0);
	if (reload->maker.fd < 0 || loop_add(daemon->epoll, &reload->maker, EPOLLIN)) {
		(void)kill(reload->pid, SIGKILL);
		(void)reap(daemon);
		return -ENOMEM;
	}
	loop_set_timer(&reload->late, RELOAD_COMPILE_MS, 0);
	return 0;
}

/* --- Turns ---------------------------------------------------------------------------------------- */

/* The first one's, once there is time: a failure ends it and begins the next. */
static void begin_turn(struct daemon *daemon)
{
	const struct reload_turn *turn = daemon->reload.turns;
	const struct agent_entry *only =
		*turn->agent ? registry_find(&daemon->registry, turn->agent) : NULL;
	char text[128];
	int r;

	(void)clock_gettime(CLOCK_MONOTONIC, &daemon->reload.begun);
	service_reloading();
	if (!*turn->agent)
		telemetry_reload(daemon);
	r = *turn->agent && !only ? -ESRCH : start_maker(daemon, only);
	if (r == 0)
		return;
	if (r == -ESRCH)
		(void)snprintf(text, sizeof(text), "there is no agent '%s' any more", turn->agent);
	else
		(void)snprintf(text, sizeof(text), "policies were not reloaded: %s", strerror(-r));
	fail_turn(daemon, text);
}

int reload_ask(struct daemon *daemon, const struct agent_entry *only, struct client *client,
	       const json_t *id)
{
	struct reload_turn **place = &daemon->reload.turns;
	struct reload_turn *turn;
	size_t count = 0;

	for (; *place; place = &(*place)->next)
		count++;
	if (count >= RELOAD_TURNS_MAX)
		return -EBUSY;
	turn = calloc(1, sizeof(*turn));
	if (!turn)
		return -ENOMEM;
	turn->client = client;
	turn->id = json_incref((json_t *)id);
	if (only)
		memcpy(turn->agent, only->record.id, sizeof(turn->agent));
	*place = turn;
	if (turn == daemon->reload.turns)
		begin_turn(daemon);
	return 0;
}

void reload_quietly(struct daemon *daemon, const char *cause)
{
	const struct reload_turn *turn = daemon->reload.turns;
	int r;

	/* One that waits for its turn anyway reads what is there then. */
	for (turn = turn ? turn->next : NULL; turn; turn = turn->next) {
		if (!*turn->agent)
			return;
	}
	r = reload_ask(daemon, NULL, NULL, NULL);
	if (r)
		daemon_say(daemon, "cannot reload policies (%s): %s", cause, strerror(-r));
}

void reload_forget_client(struct daemon *daemon, const struct client *client)
{
	for (struct reload_turn *turn = daemon->reload.turns; turn; turn = turn->next) {
		if (turn->client == client)
			turn->client = NULL;
	}
}

/* --- Opening and closing -------------------------------------------------------------------------- */

static int open_parts(struct daemon *daemon)
{
	struct reload *reload = &daemon->reload;
	int r;

	reload->maker.ready = maker_ended;
	reload->late.ready = maker_late;
	reload->step.ready = step_ready;
	reload->maker.context = reload->late.context = reload->step.context = daemon;
	r = reload_open_watch(daemon);
	if (r == 0)
		r = loop_add_timer(daemon->epoll, &reload->late);
	if (r == 0)
		r = loop_add_timer(daemon->epoll, &reload->step);
	return r;
}

int reload_open(struct daemon *daemon, struct diag_list *diags)
{
	int r = open_parts(daemon);

	if (r)
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot watch the folders of policies: %s",
			       strerror(-r));
	else
		reload_watch(daemon);
	return r;
}

/* The first, which has begun to publish, is brought to its end; nobody waits for it, nor the others. */
static void end_turns(struct daemon *daemon)
{
	struct reload *reload = &daemon->reload;

	for (struct reload_turn *turn = reload->turns; turn; turn = turn->next)
		turn->client = NULL;
	while (reload->turns && reload->turns->next) {
		CLEAN(free_turn) struct reload_turn *turn = reload->turns->next;

		reload->turns->next = turn->next;
	}
	while (reload->publishing)
		publish_next(daemon);
	free_turn(&reload->turns);
}

void reload_close(struct daemon *daemon)
{
	struct reload *reload = &daemon->reload;

	end_turns(daemon);
	if (reload->pid) {
		(void)kill(reload->pid, SIGKILL);
		(void)reap(daemon);
	}
	mem_close_fd(&reload->file);
	plan_reset(&reload->plan);
	loop_drop(daemon->epoll, &reload->changes);
	loop_drop(daemon->epoll, &reload->quiet);
	loop_drop(daemon->epoll, &reload->late);
	loop_drop(daemon->epoll, &reload->step);
	free(reload->findings);
	*reload = (struct reload)RELOAD_NONE;
}
