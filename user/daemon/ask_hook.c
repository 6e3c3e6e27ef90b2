/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program gets its question as a file, so that nobody waits for its reading; its answer is taken when
 * it has ended. Whatever it left behind is killed with its cgroup.
 */
#include "daemon/ask_hook.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/escape.h"
#include "base/mem.h"
#include "daemon/daemon.h"
#include "engine/cgroup.h"
#include "engine/spawn.h"
#include "policy/guarded.h"

/* How long the processes of one that is killed take, at most. */
#define DEATH_MS 1000

/* Limits of a program: address space, processes of its user, files' size, descriptors, seconds of CPU. */
static const struct {
	int what;
	rlim_t most;
} limits[] = {
	{ RLIMIT_AS, 256U << 20 }, { RLIMIT_NPROC, 64 }, { RLIMIT_FSIZE, 1U << 20 },
	{ RLIMIT_NOFILE, 64 },	   { RLIMIT_CPU, 10 },	 { RLIMIT_CORE, 0 },
};

/* What a daemon that was killed left running: nobody waits for its answers. */
static void remove_left(const char *cgroup_root)
{
	CLEAN_FREE char *path = NULL;
	const struct dirent *one;
	DIR *dir;

	if (asprintf(&path, "%s/picket", cgroup_root) < 0) {
		path = NULL;
		return;
	}
	dir = opendir(path);
	while (dir && (one = readdir(dir))) {
		CLEAN_FD int fd = -1;

		if (strncmp(one->d_name, "hook-", 5) != 0)
			continue;
		fd = openat(dirfd(dir), one->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && cgroup_kill(fd) == 0 && cgroup_wait_empty(fd, DEATH_MS) == 0)
			(void)cgroup_remove_tree(dirfd(dir), one->d_name);
	}
	if (dir)
		(void)closedir(dir);
}

void ask_hooks_open(struct asks *asks)
{
	remove_left(asks->daemon->features.cgroup_root);
	for (size_t i = 0; i < ASK_HOOKS_MAX; i++)
		asks->hooks.running[i] = (struct ask_hook){
			.asks = asks,
			.life = LOOP_SOURCE_NONE,
			.output = LOOP_SOURCE_NONE,
			.timer = LOOP_SOURCE_NONE,
			.cgroup = -1,
		};
}

/* --- Its answer ----------------------------------------------------------------------------------- */

static int take_verdict(const char *verdict, struct ask_hook_answer *answer)
{
	if (strcmp(verdict, "approve") == 0)
		answer->verdict = ASK_HOOK_APPROVES;
	else if (strcmp(verdict, "refuse") == 0)
		answer->verdict = ASK_HOOK_REFUSES;
	else if (strcmp(verdict, "none") != 0)
		return -EINVAL;
	return 0;
}

static bool is_mode_right(const struct ask_hook_answer *answer, json_int_t seconds)
{
	if (answer->mode == ASK_FOR)
		return seconds >= 1 && seconds <= ASK_SECONDS_MAX;
	return answer->mode < ASK_ALWAYS && seconds == 0;
}

int ask_hook_parse(const char *text, size_t length, struct ask_hook_answer *ret_answer,
		   const char **ret_why)
{
	struct ask_hook_answer answer = { .mode = ASK_ONCE };
	json_t *all = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	const char *verdict = NULL;
	const char *reason = NULL;
	const char *mode = NULL;
	json_int_t seconds = 0;
	int r = -EINVAL;

	if (!all || json_unpack_ex(all, NULL, JSON_STRICT, "{s:s, s?s, s?I, s?s}", "verdict",
				   &verdict, "mode", &mode, "seconds", &seconds, "reason", &reason))
		*ret_why = "it is no object with verdict, mode, seconds and reason";
	else if (take_verdict(verdict, &answer))
		*ret_why = "'verdict' is not approve, refuse or none";
	else if (reason &&
		 (strlen(reason) > ASK_REASON_MAX || !escape_is_plain(reason, strlen(reason))))
		*ret_why = "'reason' is too long or cannot be shown";
	else
		r = 0;
	if (r == 0 && mode)
		answer.mode = ask_mode_find(mode);
	if (r == 0 && !is_mode_right(&answer, seconds)) {
		*ret_why = "'mode' is not once, for (with 'seconds') or agent";
		r = -EINVAL;
	}
	answer.seconds = (unsigned int)seconds;
	if (r == 0 && reason) {
		answer.reason = strdup(reason);
		r = answer.reason ? 0 : -ENOMEM;
	}
	json_decref(all);
	if (r == 0)
		*ret_answer = answer;
	return r;
}

/*
 * Nobody approves for himself: processes of the account that the program has could speak in its place. True
 * with *@ret_why (constant).
 */
static bool is_own(const struct ask_request *request, const char **ret_why)
{
	const struct agent_entry *entry = asks_agent(request->asks, request->key.agent);
	bool own = !entry || entry->record.uid == ASK_HOOK_ID || request->crowded;

	for (size_t i = 0; !own && i < request->user_count; i++)
		own = request->users[i] == ASK_HOOK_ID;
	*ret_why = "the agent runs as the account of the program, or as too many";
	return own;
}

/* Through the same doors as people's answers. */
static void apply(struct ask_request *request, const struct ask_hook_answer *said)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct daemon *daemon = request->asks->daemon;
	struct ask_vote vote = {
		.uid = ASK_UID_HOOK,
		.mode = (enum ask_mode)said->mode,
		.seconds = said->seconds,
	};
	struct ask_answer answer = { .what = "refused" };
	const char *why = NULL;
	json_t *grant = NULL;
	json_t *by;

	if (said->verdict == ASK_HOOK_APPROVES && is_own(request, &why)) {
		(void)diag_add(&diags, DIAG_ERROR, NULL, "what a program approved is not: %s", why);
	} else if (said->verdict == ASK_HOOK_APPROVES) {
		vote.doc = ask_by(vote.uid, "hook", &vote, said->reason);
		(void)ask_vote(request, &vote, &grant, &diags);
	} else if (said->verdict == ASK_HOOK_REFUSES) {
		by = ask_by(vote.uid, "hook", NULL, said->reason);
		answer.by = by;
		(void)ask_refuse(request, &answer, &grant, &diags);
		json_decref(by);
	}
	json_decref(grant);
	daemon_say_diags(daemon, &diags);
}

/* --- Its end -------------------------------------------------------------------------------------- */

static void read_output(struct ask_hook *hook)
{
	ssize_t length = 1;

	while (hook->output.fd >= 0 && length > 0 && hook->length < ASK_HOOK_BYTES) {
		length = read(hook->output.fd, hook->text + hook->length,
			      ASK_HOOK_BYTES - hook->length);
		if (length > 0)
			hook->length += (size_t)length;
	}
	/* Closed, or too much: nothing more is heard. */
	if (length == 0 || hook->length == ASK_HOOK_BYTES)
		loop_drop(hook->asks->daemon->epoll, &hook->output);
}

static void cgroup_name(const struct ask_hook *hook, char name[64])
{
	(void)snprintf(name, 64, "picket/hook-%d-%zu", (int)getpid(),
		       (size_t)(hook - hook->asks->hooks.running));
}

/* Its cgroup goes, with all that is still in it. */
static void remove_cgroup(struct ask_hook *hook)
{
	CLEAN_FD int root =
		open(hook->asks->daemon->features.cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[64];

	cgroup_name(hook, name);
	if (hook->cgroup >= 0)
		(void)cgroup_kill(hook->cgroup);
	mem_close_fd(&hook->cgroup);
	/* What dies slowly keeps it until the next one needs the place. */
	if (root >= 0)
		(void)cgroup_remove_tree(root, name);
}

static void clear(struct ask_hook *hook)
{
	int epoll = hook->asks->daemon->epoll;

	loop_drop(epoll, &hook->life);
	loop_drop(epoll, &hook->output);
	loop_drop(epoll, &hook->timer);
	remove_cgroup(hook);
	mem_free_ptr(&hook->text);
	hook->length = 0;
	hook->pid = 0;
}

static void program_ended(void *context, __u32 events)
{
	struct ask_hook *hook = context;
	struct asks *asks = hook->asks;
	struct ask_hook_answer answer = { 0 };
	const char *why = "it failed, or was ended for what it took";
	struct ask_request *request;
	int status = -1;
	int r = -EINVAL;

	(void)events;
	read_output(hook);
	(void)waitpid(hook->pid, &status, WNOHANG);
	if (status == 0)
		r = ask_hook_parse(hook->text, hook->length, &answer, &why);
	request = ask_request_find(asks, &hook->key);
	/* Its answer is to the question that it was asked, and to no later one about the same act. */
	if (request && request->serial != hook->serial)
		request = NULL;
	if (request)
		request->hook = ASK_HOOK_DONE;
	clear(hook);
	if (r)
		daemon_say(asks->daemon, "the program that is asked gave no answer: %s", why);
	else if (request)
		apply(request, &answer);
	free(answer.reason);
	ask_hooks_work(asks);
}

static void output_ready(void *context, __u32 events)
{
	(void)events;
	read_output(context);
}

/* Its time is over; the end is told by the pidfd. */
static void time_over(void *context, __u32 events)
{
	struct ask_hook *hook = context;

	(void)events;
	loop_take_timer(&hook->timer);
	(void)cgroup_kill(hook->cgroup);
	(void)kill(hook->pid, SIGKILL);
}

/* --- Its start ------------------------------------------------------------------------------------ */

/* In the child: nothing of ours goes along. */
_Noreturn static void become(const char *path, int question, int output)
{
	char *const argv[] = { (char *)path, NULL };
	char *const environment[] = { NULL };
	int null = open("/dev/null", O_WRONLY);
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (null < 0 || dup2(question, 0) < 0 || dup2(output, 1) < 0 || dup2(null, 2) < 0 ||
	    close_range(3, ~0U, 0) || chdir("/") || setsid() < 0 || spawn_new_keyring())
		_exit(SPAWN_EXIT_CANNOT);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const struct rlimit limit = { limits[i].most, limits[i].most };

		if (setrlimit((__rlimit_resource_t)limits[i].what, &limit))
			_exit(SPAWN_EXIT_CANNOT);
	}
	if (setgroups(0, NULL) || setresgid(ASK_HOOK_ID, ASK_HOOK_ID, ASK_HOOK_ID) ||
	    setresuid(ASK_HOOK_ID, ASK_HOOK_ID, ASK_HOOK_ID) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL))
		_exit(SPAWN_EXIT_CANNOT);
	(void)execve(path, argv, environment);
	_exit(SPAWN_EXIT_NOT_FOUND);
}

/* The request as a file of one line. */
static int make_question(const struct ask_request *request)
{
	CLEAN(ask_holds_reset) struct ask_holds holds;
	CLEAN_FD int fd = memfd_create("request", MFD_CLOEXEC);
	CLEAN_FREE char *text = NULL;
	json_t *doc;

	ask_holds_read(&request->asks->daemon->hub, &holds);
	doc = ask_request_describe(request, &holds, "waiting");
	text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	json_decref(doc);
	if (fd < 0 || !text)
		return -ENOMEM;
	if (dprintf(fd, "%s\n", text) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int make_cgroup(struct ask_hook *hook)
{
	CLEAN_FD int root =
		open(hook->asks->daemon->features.cgroup_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[64];

	if (root < 0)
		return -errno;
	cgroup_name(hook, name);
	/* One of before whose processes died slowly. */
	(void)cgroup_remove_tree(root, name);
	return cgroup_create(root, name, &hook->cgroup);
}

static int listen_to(struct ask_hook *hook, int output)
{
	int epoll = hook->asks->daemon->epoll;
	int r;

	hook->life.ready = program_ended;
	hook->output.ready = output_ready;
	hook->timer.ready = time_over;
	hook->life.context = hook->output.context = hook->timer.context = hook;
	hook->output.fd = output;
	r = loop_add(epoll, &hook->output, EPOLLIN);
	if (r == 0)
		r = loop_add_timer(epoll, &hook->timer);
	if (r == 0)
		r = loop_add(epoll, &hook->life, EPOLLIN);
	if (r == 0)
		loop_set_timer(&hook->timer, ASK_HOOK_MS, 0);
	return r;
}

static int start(struct ask_hook *hook, const struct ask_request *request, const char *path)
{
	CLEAN_FD int question = make_question(request);
	CLEAN_FD int writing = -1;
	CLEAN_FD int reading = -1;
	int ends[2];
	int r;

	if (question < 0)
		return question;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	reading = ends[0];
	writing = ends[1];
	hook->key = request->key;
	hook->serial = request->serial;
	hook->text = malloc(ASK_HOOK_BYTES);
	if (!hook->text || fcntl(reading, F_SETFL, O_NONBLOCK))
		return -ENOMEM;
	r = make_cgroup(hook);
	if (r)
		return r;
	hook->pid = spawn_fork(hook->cgroup, &hook->life.fd);
	if (hook->pid < 0)
		return hook->pid;
	if (hook->pid == 0)
		become(path, question, writing);
	return listen_to(hook, TAKE_FD(reading));
}

/* The program of the request's agent, if it is one that may be run; said otherwise. */
static const char *find_program(const struct ask_request *request)
{
	CLEAN(guarded_fault_reset) struct guarded_fault fault = { 0 };
	const struct agent_entry *entry = asks_agent(request->asks, request->key.agent);
	const char *why = NULL;
	const char *path;
	int r;

	if (!entry || !entry->image.bytes || !image_head(&entry->image)->ask_hook)
		return NULL;
	path = image_string(&entry->image, image_head(&entry->image)->ask_hook);
	if (is_own(request, &why)) {
		daemon_say(request->asks->daemon, "'%s' is not asked: %s", path, why);
		return NULL;
	}
	r = path[0] == '/' ? guarded_check(path, GUARDED_FILE, 0, &fault) : -EINVAL;
	if (r == 0)
		return path;
	daemon_say(request->asks->daemon, "'%s' is not asked: %s", path,
		   fault.why ? fault.why : strerror(-r));
	return NULL;
}

static void ask_program(struct ask_hook *hook, struct ask_request *request)
{
	const char *path = find_program(request);
	struct daemon *daemon = request->asks->daemon;
	int r;

	request->hook = path ? ASK_HOOK_RUNNING : ASK_HOOK_DONE;
	if (!path)
		return;
	r = start(hook, request, path);
	if (r == 0)
		return;
	daemon_say(daemon, "cannot run '%s': %s", path, strerror(-r));
	if (hook->pid > 0) {
		(void)kill(hook->pid, SIGKILL);
		(void)waitpid(hook->pid, NULL, 0);
	}
	request->hook = ASK_HOOK_DONE;
	clear(hook);
}

/* A free place, if the agent has not had its share: none waits because another asks much. */
static struct ask_hook *find_place(struct asks *asks, __u32 slot)
{
	struct ask_hook *place = NULL;
	size_t own = 0;

	for (size_t i = 0; i < ASK_HOOKS_MAX; i++) {
		struct ask_hook *hook = &asks->hooks.running[i];

		if (!hook->pid)
			place = hook;
		else
			own += hook->key.agent == slot;
	}
	return own < ASK_HOOKS_OF_AGENT ? place : NULL;
}

void ask_hooks_work(struct asks *asks)
{
	for (struct ask_request *one = asks->requests; one; one = one->next) {
		/* One whose words are still looked for is asked about when they are there. */
		bool due = one->hook == ASK_HOOK_NONE && !one->words_ns;
		struct ask_hook *hook = due ? find_place(asks, one->key.agent) : NULL;

		if (hook)
			ask_program(hook, one);
	}
}

void ask_hooks_close(struct asks *asks)
{
	for (size_t i = 0; i < ASK_HOOKS_MAX; i++) {
		struct ask_hook *hook = &asks->hooks.running[i];

		if (hook->pid <= 0)
			continue;
		(void)kill(hook->pid, SIGKILL);
		(void)waitpid(hook->pid, NULL, 0);
		clear(hook);
	}
}
