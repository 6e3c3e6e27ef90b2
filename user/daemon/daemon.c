/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Order of opening: what is enforced first, then what is known of it, then the door. Closing is only
 * letting go.
 */
#include "daemon/daemon.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/agents.h"
#include "daemon/health.h"
#include "daemon/methods.h"
#include "daemon/nested.h"
#include "daemon/proc.h"
#include "daemon/protect.h"
#include "daemon/service.h"
#include "daemon/state.h"
#include "daemon/times.h"
#include "engine/cgroup.h"
#include "telemetry/names.h"

/* Between two looks at what nothing tells of. */
#define HEALTH_MS 10000
/* Batches that hold all that a full ring of decisions can. */
#define BATCHES (PK_DECISIONS_BYTES / sizeof(struct pk_event) / EVENTS_BATCH + 1)
/* Descriptors: clients, and a few for each agent. */
#define FILES_WANTED (SERVER_CLIENTS_MAX + 5 * PK_AGENTS_MAX)

/* --- Words ---------------------------------------------------------------------------------------- */

void daemon_say(const struct daemon *daemon, const char *format, ...)
{
	CLEAN_FREE char *text = NULL;
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (!text || !daemon->options.say)
		return;
	length = strlen(text);
	if (length && text[length - 1] == '\n')
		text[length - 1] = '\0';
	daemon->options.say(text);
}

char *daemon_diags_text(const struct diag_list *diags)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = diags->count ? open_memstream(&text, &size) : NULL;

	if (!to)
		return NULL;
	diag_print(diags, to);
	return text_close(to, &text) ? NULL : text;
}

void daemon_say_diags(const struct daemon *daemon, const struct diag_list *diags)
{
	CLEAN_FREE char *text = daemon_diags_text(diags);

	if (text)
		daemon_say(daemon, "%s", text);
}

/* --- What the loop does --------------------------------------------------------------------------- */

void daemon_take_records(struct daemon *daemon)
{
	int r = -EAGAIN;

	lives_consume_all(&daemon->lives);
	for (size_t i = 0; i < BATCHES && r == -EAGAIN; i++)
		r = ring_buffer__consume(daemon->decisions);
}

static void activity_ready(void *context, __u32 events)
{
	struct daemon *daemon = context;

	(void)events;
	(void)lives_consume(&daemon->lives);
}

static void records_ready(void *context, __u32 events)
{
	struct daemon *daemon = context;

	/* Who they are of first. */
	activity_ready(context, events);
	(void)ring_buffer__consume(daemon->decisions);
}

static void clients_ready(void *context, __u32 events)
{
	/* The loop works for the server after each event. */
	(void)context;
	(void)events;
}

static void signals_ready(void *context, __u32 events)
{
	struct daemon *daemon = context;
	struct signalfd_siginfo info;

	(void)events;
	if (read(daemon->signals.fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		reload_quietly(daemon, "SIGHUP");
	else
		daemon->end = true;
}

static void watchdog_ready(void *context, __u32 events)
{
	struct daemon *daemon = context;

	(void)events;
	loop_take_timer(&daemon->watchdog);
	service_alive();
}

void daemon_prove(struct daemon *daemon)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };

	free(daemon->proof.text);
	daemon->proof.result = hub_prove(&daemon->hub, &diags);
	daemon->proof.text = daemon_diags_text(&diags);
	health_proven(daemon);
	if (daemon->proof.result)
		daemon_say(daemon, "enforcement could not be proven: %s",
			   daemon->proof.text ? daemon->proof.text :
						strerror(-daemon->proof.result));
}

static void health_ready(void *context, __u32 events)
{
	struct daemon *daemon = context;

	(void)events;
	loop_take_timer(&daemon->health);
	reload_watch(daemon);
	agents_check(daemon);
	asks_check(&daemon->asks);
	lives_check(daemon);
	metrics_check(daemon);
	receiver_check(daemon);
	protect_check(daemon);
	if (daemon->state_error)
		daemon_save(daemon);
	health_check(daemon);
}

void daemon_save(struct daemon *daemon)
{
	json_t *grants = asks_encode(&daemon->asks);
	int r = grants ? state_save(daemon->run_fd, &daemon->registry, grants) : -ENOMEM;

	if (r && r != daemon->state_error)
		daemon_say(daemon,
			   "cannot write '%s/%s': %s; after a restart agents would be "
			   "confined as before, but 'unknown'",
			   daemon->options.run_dir, STATE_FILE, strerror(-r));
	daemon->state_error = r;
	json_decref(grants);
}

static bool is_agents(void *context, __u64 cgroup)
{
	const struct daemon *daemon = context;

	return registry_find_cgroup(&daemon->registry, cgroup) != NULL;
}

bool daemon_confines(const struct daemon *daemon, pid_t pid)
{
	CLEAN_FREE char *path = NULL;

	/* Runs without the daemon are below this folder too. */
	if (proc_cgroup(pid, &path) || strncmp(path, "/picket/", 8) == 0)
		return true;
	return proc_in_cgroup(daemon->features.cgroup_root, pid, is_agents, (void *)daemon);
}

static enum peer_role find_role(void *context, const struct peer *peer)
{
	return daemon_confines(context, peer->pid) ? nested_role(context, peer) : peer->role;
}

static void client_gone(void *context, struct client *client)
{
	struct daemon *daemon = context;

	events_forget_client(&daemon->events, client);
	asks_forget_client(&daemon->asks, client);
	agents_forget_client(daemon, client);
	reload_forget_client(daemon, client);
	times_forget_client(daemon, client);
}

/* --- Opening -------------------------------------------------------------------------------------- */

static int cannot(struct diag_list *diags, int error, const char *what)
{
	(void)diag_add(diags, DIAG_ERROR, NULL, "cannot %s: %s", what, strerror(-error));
	return error;
}

/* Clients and agents need descriptors; what the limit does not give is refused when it is asked for. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= FILES_WANTED)
		return;
	limit.rlim_cur = FILES_WANTED;
	if (limit.rlim_max < FILES_WANTED)
		limit.rlim_max = FILES_WANTED;
	if (setrlimit(RLIMIT_NOFILE, &limit) && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* The run folder: root's own, or anybody could put a socket or a state there. */
static int open_run_dir(const char *path, int *ret_fd, struct diag_list *diags)
{
	CLEAN_FD int fd = -1;
	struct stat st;

	if (mkdir(path, 0755) && errno != EEXIST)
		return cannot(diags, -errno, "make the run folder");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return cannot(diags, -errno, "open the run folder");
	if (st.st_uid != geteuid() || (st.st_mode & 022)) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "the run folder '%s' may be changed by others", path),
			  "chown root '%s'; chmod 0755 '%s'", path, path);
		return -EPERM;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_run(struct daemon *daemon, struct diag_list *diags)
{
	int r = open_run_dir(daemon->options.run_dir, &daemon->run_fd, diags);

	if (r)
		return r;
	r = state_prepare(daemon->run_fd);
	/* A full file system: agents can be confined all the same. */
	if (r)
		daemon_say(daemon, "cannot make '%s/%s': %s", daemon->options.run_dir, STATE_FILE,
			   strerror(-r));
	daemon->state_error = r;
	return 0;
}

static int open_signals(struct daemon *daemon, struct diag_list *diags)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return cannot(diags, -errno, "block signals");
	daemon->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (daemon->signals.fd < 0)
		return cannot(diags, -errno, "take over signals");
	return 0;
}

static int open_hub(struct daemon *daemon, struct diag_list *diags)
{
	static const char *const origins[] = {
		[HUB_NEW] = "set up",
		[HUB_ADOPTED] = "taken over",
		[HUB_UPGRADED] = "upgraded",
	};
	int r = features_probe(daemon->options.tier, &daemon->features);

	if (r)
		return cannot(diags, r, "probe the kernel");
	r = hub_open(&daemon->features, daemon->options.tier, &daemon->hub, diags);
	if (r)
		return r;
	health_proven(daemon);
	daemon_say(daemon, "engine %s, tier %s", origins[daemon->hub.origin],
		   names_tier(daemon->hub.tier));
	return 0;
}

static int open_records(struct daemon *daemon, struct diag_list *diags)
{
	const struct picket_bpf *skel = daemon->hub.loader.skel;
	int r = 0;

	events_open(&daemon->events, &daemon->registry);
	feeds_open(&daemon->feeds, daemon->run_fd, bpf_map__fd(skel->maps.pk_own));
	daemon->events.feeds = &daemon->feeds;
	daemon->events.sinks = daemon->sinks;
	daemon->events.hide = &daemon->telemetry.settings.redact;
	daemon->decisions = ring_buffer__new(bpf_map__fd(skel->maps.pk_decisions), events_take,
					     &daemon->events, NULL);
	if (!daemon->decisions)
		return cannot(diags, -errno, "map the ring buffer of decisions");
	r = lives_open(daemon, diags);
	daemon->events.lives = r ? NULL : &daemon->lives;
	return r;
}

static void take_asked(void *context, struct agent_entry *entry, const struct event *event)
{
	asks_take(context, entry, event);
}

static int open_asks(struct daemon *daemon, struct diag_list *diags)
{
	int r = asks_open(daemon);

	times_reset(daemon);
	daemon->events.asked = take_asked;
	daemon->events.asked_context = &daemon->asks;
	return r ? cannot(diags, r, "wait for approvals") : 0;
}

static int open_server(struct daemon *daemon, struct diag_list *diags)
{
	CLEAN_FREE char *path = NULL;
	struct server_options options = {
		.fd = service_socket(),
		.methods = methods_table,
		.method_count = methods_count,
		.role = find_role,
		.gone = client_gone,
		.context = daemon,
	};

	if (asprintf(&path, "%s/%s", daemon->options.run_dir, DAEMON_SOCKET_NAME) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	options.path = daemon->options.socket ? daemon->options.socket : path;
	return server_open(&options, &daemon->server, diags);
}

/* Wait for @fd, which is somebody else's to close: of a copy. */
static int add_copy(struct daemon *daemon, struct loop_source *source, int fd)
{
	source->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return source->fd < 0 ? -errno : loop_add(daemon->epoll, source, EPOLLIN);
}

static int open_sources(struct daemon *daemon, struct diag_list *diags)
{
	unsigned int watchdog = service_watchdog_ms();
	int r;

	daemon->signals.ready = signals_ready;
	daemon->records.ready = records_ready;
	daemon->activity.ready = activity_ready;
	daemon->activity.context = daemon;
	daemon->clients.ready = clients_ready;
	daemon->watchdog.ready = watchdog_ready;
	daemon->health.ready = health_ready;
	daemon->signals.context = daemon->records.context = daemon->clients.context = daemon;
	daemon->watchdog.context = daemon->health.context = daemon;
	r = loop_add(daemon->epoll, &daemon->signals, EPOLLIN);
	if (r == 0)
		r = add_copy(daemon, &daemon->records, ring_buffer__epoll_fd(daemon->decisions));
	if (r == 0)
		r = add_copy(daemon, &daemon->activity,
			     ring_buffer__epoll_fd(daemon->lives.activity));
	if (r == 0)
		r = add_copy(daemon, &daemon->clients, server_fd(daemon->server));
	if (r == 0)
		r = loop_add_timer(daemon->epoll, &daemon->watchdog);
	if (r == 0)
		r = loop_add_timer(daemon->epoll, &daemon->health);
	if (r)
		return cannot(diags, r, "wait for events");
	if (watchdog)
		loop_set_timer(&daemon->watchdog, watchdog, watchdog);
	loop_set_timer(&daemon->health, HEALTH_MS, HEALTH_MS);
	return 0;
}

static int open_basics(struct daemon *daemon, struct diag_list *diags)
{
	int r = policies_open(daemon->options.config, 0, &daemon->policies);

	if (r)
		return cannot(diags, r, "find the policies");
	daemon->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (daemon->epoll < 0)
		return cannot(diags, -errno, "make an epoll descriptor");
	raise_limits();
	return 0;
}

int daemon_open(struct daemon *daemon, const struct daemon_options *options,
		struct diag_list *diags)
{
	static int (*const steps[])(struct daemon * daemon, struct diag_list * diags) = {
		open_basics,  open_signals,  open_run,	   telemetry_open, sinks_open,
		open_hub,     protect_open,  open_records, ledger_open,	   notes_open,
		open_asks,    reload_open,   agents_adopt, open_server,	   open_sources,
		metrics_open, receiver_open,
	};
	int r = 0;

	daemon->options = *options;
	daemon->since = time(NULL);
	for (size_t i = 0; r == 0 && i < sizeof(steps) / sizeof(steps[0]); i++)
		r = steps[i](daemon, diags);
	return r;
}

int daemon_run(struct daemon *daemon, struct diag_list *diags)
{
	int r = 0;

	protect_check(daemon);
	protect_secrets(daemon);
	service_ready();
	lives_daemon(daemon, "start");
	daemon_say(daemon, "ready: %zu agent%s", daemon->registry.count,
		   daemon->registry.count == 1 ? "" : "s");
	while (r == 0 && !daemon->end) {
		r = loop_wait(daemon->epoll, server_timeout(daemon->server));
		if (r == 0)
			r = server_work(daemon->server);
	}
	service_stopping();
	lives_daemon(daemon, "stop");
	return r ? cannot(diags, r, "wait for events") : 0;
}

static void free_agents(struct daemon *daemon)
{
	struct agent_entry *entry;

	while ((entry = registry_next(&daemon->registry, 0))) {
		registry_remove(&daemon->registry, entry);
		registry_free_entry(&entry);
	}
}

void daemon_close(struct daemon *daemon)
{
	if (daemon->timed)
		times_reset(daemon);
	server_free(&daemon->server);
	reload_close(daemon);
	metrics_close(&daemon->metrics);
	receiver_close(&daemon->receiver);
	loop_drop(daemon->epoll, &daemon->signals);
	loop_drop(daemon->epoll, &daemon->records);
	loop_drop(daemon->epoll, &daemon->activity);
	loop_drop(daemon->epoll, &daemon->clients);
	loop_drop(daemon->epoll, &daemon->watchdog);
	loop_drop(daemon->epoll, &daemon->health);
	ring_buffer__free(daemon->decisions);
	daemon->decisions = NULL;
	asks_close(&daemon->asks);
	ledger_close(daemon);
	notes_close(daemon);
	/* The last records of all these are on their way; nobody makes one from here on. */
	daemon->events.sinks = NULL;
	sinks_close(&daemon->sinks);
	free_agents(daemon);
	events_reset(&daemon->events);
	lives_close(&daemon->lives);
	feeds_close(&daemon->feeds);
	telemetry_close(&daemon->telemetry);
	hub_close(&daemon->hub);
	policies_reset(&daemon->policies);
	features_reset(&daemon->features);
	free(daemon->proof.text);
	daemon->proof.text = NULL;
	mem_close_fd(&daemon->run_fd);
	mem_close_fd(&daemon->epoll);
}

int daemon_remove(const struct daemon_options *options, struct diag_list *diags)
{
	CLEAN(features_reset) struct features features = { .tier = -1 };
	CLEAN(hub_close) struct hub hub = HUB_NONE;
	CLEAN_FD int run = -1;
	int r = features_probe(options->tier, &features);

	if (r)
		return cannot(diags, r, "probe the kernel");
	r = hub_open(&features, options->tier, &hub, diags);
	if (r == 0) {
		r = hub_destroy(&hub, diags);
	} else if (r == -EBADF || r == -EPROTONOSUPPORT) {
		/* What is refused can be removed all the same, when it judges nobody. */
		diag_list_reset(diags);
		r = hub_wipe(&features, diags);
	}
	if (r)
		return r;
	run = open(options->run_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run < 0)
		return 0;
	(void)unlinkat(run, STATE_FILE, 0);
	(void)unlinkat(run, STATE_SPARE, 0);
	feeds_remove(run);
	notes_remove(run);
	return 0;
}
