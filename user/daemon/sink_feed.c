/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket is watched for edges: writing ends at EAGAIN, and room tells itself.
 */
#include "daemon/sink_feed.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/daemon.h"
#include "sink/child.h"
#include "sink/retry.h"
#include "telemetry/record.h"

/* Bytes on their way to the process. */
#define SOCKET_BYTES (1 << 20)

static void start(struct sink_feed *feed);

/* --- Losses --------------------------------------------------------------------------------------- */

static struct sink_loss *find_loss(struct sink_feed *feed, const char *agent, size_t length)
{
	struct sink_loss *loss;

	if (!agent || length >= AGENT_ID_SIZE || feed->loss_count == SINK_LOSERS_MAX - 1)
		length = 0;
	for (size_t i = 0; i < feed->loss_count; i++) {
		loss = &feed->losses[i];
		if (strlen(loss->agent) == length &&
		    strncmp(loss->agent, agent ? agent : "", length) == 0)
			return loss;
	}
	loss = &feed->losses[feed->loss_count++];
	*loss = (struct sink_loss){ 0 };
	if (length)
		memcpy(loss->agent, agent, length);
	return loss;
}

static void take_loss(void *context, const struct sink_line *line, bool on_disk)
{
	size_t length = 0;
	const char *agent = sink_line_agent(line, &length);

	(void)on_disk;
	find_loss(context, agent, length)->count[line->class]++;
}

static json_t *loss_record(const struct sink_feed *feed, const struct sink_loss *loss,
			   enum sink_class class)
{
	json_t *record = record_new("loss", "lost", *loss->agent ? loss->agent : NULL);
	bool disk = class == SINK_DECISION && feed->queue.spool.folder >= 0;

	(void)record_set_text(record, "class", sink_class_name(class));
	(void)record_set_text(record, "where", disk ? "spool" : "queue");
	(void)record_set_text(record, "name", feed->settings.name);
	(void)record_set_number(record, "count", (json_int_t)loss->count[class]);
	(void)record_set_number(record, "total", (json_int_t)feed->queue.counts.lost[class]);
	return record;
}

void sink_feed_tell_losses(struct sink_feed *feed)
{
	size_t count = feed->loss_count;

	/* Losses of such records are in the status alone: telling of them would lose one more. */
	for (size_t i = 0; i < count; i++) {
		const struct sink_loss loss = feed->losses[i];

		for (int class = 0; class < SINK_RECORD; class ++) {
			json_t *record = loss.count[class] ?
						 loss_record(feed, &loss, (enum sink_class) class) :
						 NULL;

			if (record)
				events_tell(&feed->daemon->events,
					    registry_find(&feed->daemon->registry, loss.agent),
					    record);
		}
	}
	feed->loss_count = 0;
}

/* --- Feeding -------------------------------------------------------------------------------------- */

/* 0; -EAGAIN: there is no room; another -errno: this line cannot be sent. */
static int send_item(struct sink_feed *feed, const struct sink_item *item)
{
	struct wire_record head = {
		.number = feed->queue.number + 1,
		.class = item->line->class,
	};
	struct iovec parts[] = {
		{ &head, sizeof(head) },
		{ item->line->text, item->line->length },
	};
	const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	if (sizeof(head) + item->line->length > WIRE_MAX)
		return -EMSGSIZE;
	if (sendmsg(feed->socket.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == ENOBUFS || errno == EINTR ? -EAGAIN : -errno;
}

static void pump(struct sink_feed *feed)
{
	while (feed->socket.fd >= 0 && !feed->full && !feed->dying) {
		struct sink_item *item = sink_queue_next(&feed->queue);
		int r = item ? send_item(feed, item) : -ENODATA;

		if (r == 0)
			sink_queue_take(&feed->queue);
		else if (r == -EMSGSIZE)
			sink_queue_refuse(&feed->queue);
		else
			/* A process that is gone is seen by its end. */
			feed->full = r == -EAGAIN;
		if (r && r != -EMSGSIZE)
			return;
	}
}

static void take_report(struct sink_feed *feed, const struct wire_report *report)
{
	if (report->refused_from)
		sink_queue_done(&feed->queue, report->refused_from - 1, true);
	if (report->delivered) {
		sink_queue_done(&feed->queue, report->delivered, !report->refused_from);
		feed->failures = 0;
	}
	if (*report->error && strcmp(report->error, feed->report.error) != 0)
		daemon_say(feed->daemon, "sink '%s': %s", feed->settings.name, report->error);
	feed->retries += report->retries;
	feed->report = *report;
	feed->report.error[sizeof(feed->report.error) - 1] = '\0';
}

static void read_reports(struct sink_feed *feed)
{
	struct wire_report report;

	while (feed->socket.fd >= 0 && recv(feed->socket.fd, &report, sizeof(report),
					    MSG_DONTWAIT) == (ssize_t)sizeof(report))
		take_report(feed, &report);
}

void sink_feed_work(struct sink_feed *feed)
{
	read_reports(feed);
	pump(feed);
}

static void socket_ready(void *context, __u32 events)
{
	struct sink_feed *feed = context;

	if (events & EPOLLOUT)
		feed->full = false;
	sink_feed_work(feed);
}

/* --- The process ---------------------------------------------------------------------------------- */

static void forget_process(struct sink_feed *feed)
{
	read_reports(feed);
	loop_drop(feed->daemon->epoll, &feed->process);
	loop_drop(feed->daemon->epoll, &feed->socket);
	feed->pid = 0;
	feed->full = false;
	sink_queue_return(&feed->queue);
}

static void start_later(struct sink_feed *feed)
{
	loop_set_timer(&feed->again, retry_wait_ms(++feed->failures), 0);
}

static void process_ended(void *context, __u32 events)
{
	struct sink_feed *feed = context;
	int status = 0;

	(void)events;
	(void)waitpid(feed->pid, &status, WNOHANG);
	if (feed->removed) {
		loop_drop(feed->daemon->epoll, &feed->process);
		free(feed);
		return;
	}
	forget_process(feed);
	feed->restarts++;
	if (feed->dying) {
		start(feed);
		return;
	}
	if (WIFSIGNALED(status))
		daemon_say(feed->daemon, "sink '%s' was ended by signal %d; it is started again",
			   feed->settings.name, WTERMSIG(status));
	else
		daemon_say(feed->daemon, "sink '%s' ended with status %d; it is started again",
			   feed->settings.name, WEXITSTATUS(status));
	start_later(feed);
}

static void again_ready(void *context, __u32 events)
{
	struct sink_feed *feed = context;

	(void)events;
	loop_take_timer(&feed->again);
	if (!feed->pid)
		start(feed);
}

static int make_sockets(int ret_pair[2])
{
	int bytes = SOCKET_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_pair))
		return -errno;
	/* Without the right, what the system allows to everybody. */
	if (setsockopt(ret_pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)))
		(void)setsockopt(ret_pair[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	return 0;
}

static int watch_process(struct sink_feed *feed)
{
	int r;

	feed->process.fd = (int)syscall(SYS_pidfd_open, feed->pid, 0);
	r = feed->process.fd < 0 ? -errno : loop_add(feed->daemon->epoll, &feed->process, EPOLLIN);
	if (r == 0)
		r = loop_add(feed->daemon->epoll, &feed->socket, EPOLLIN | EPOLLOUT | EPOLLET);
	return r;
}

static int start_process(struct sink_feed *feed)
{
	CLEAN_FD int theirs = -1;
	pid_t daemon = getpid();
	int pair[2];
	int r = make_sockets(pair);

	if (r)
		return r;
	feed->socket.fd = pair[0];
	theirs = pair[1];
	feed->pid = fork();
	if (feed->pid == 0)
		_exit(sink_child_run(&feed->settings, theirs, daemon));
	if (feed->pid < 0) {
		feed->pid = 0;
		r = -errno;
		mem_close_fd(&feed->socket.fd);
		return r;
	}
	return watch_process(feed);
}

static void start(struct sink_feed *feed)
{
	int r;

	feed->dying = false;
	feed->report = (struct wire_report){ .state = WIRE_STARTING };
	r = start_process(feed);
	if (r) {
		daemon_say(feed->daemon, "sink '%s' cannot be started: %s", feed->settings.name,
			   strerror(-r));
		if (feed->pid) {
			(void)kill(feed->pid, SIGKILL);
			(void)waitpid(feed->pid, NULL, 0);
		}
		forget_process(feed);
		start_later(feed);
		return;
	}
	pump(feed);
}

static void stop_process(struct sink_feed *feed)
{
	feed->dying = true;
	loop_set_timer(&feed->again, 0, 0);
	if (feed->pid)
		(void)kill(feed->pid, SIGKILL);
}

/* --- For the list of sinks ------------------------------------------------------------------------ */

static void open_spool(struct sink_feed *feed, int spools)
{
	struct spool spool = SPOOL_NONE;
	__u64 waiting[SINK__CLASSES] = { 0 };

	if (feed->settings.spool && spools >= 0)
		feed->spool_error = spool_open(&spool, spools, feed->settings.name,
					       feed->settings.spool, waiting);
	if (feed->spool_error) {
		daemon_say(feed->daemon, "sink '%s' has no spool: %s", feed->settings.name,
			   strerror(-feed->spool_error));
		spool_close(&spool);
		memset(waiting, 0, sizeof(waiting));
	}
	sink_queue_open(&feed->queue, feed->settings.queue, &spool, waiting);
	feed->queue.lost = take_loss;
	feed->queue.context = feed;
}

int sink_feed_open(struct daemon *daemon, struct sink_settings *settings, int spools,
		   struct sink_feed **ret_feed)
{
	struct sink_feed *feed = calloc(1, sizeof(*feed));
	int r;

	if (!feed)
		return -ENOMEM;
	feed->daemon = daemon;
	feed->process = feed->socket = feed->again = (struct loop_source)LOOP_SOURCE_NONE;
	feed->process.ready = process_ended;
	feed->socket.ready = socket_ready;
	feed->again.ready = again_ready;
	feed->process.context = feed->socket.context = feed->again.context = feed;
	r = loop_add_timer(daemon->epoll, &feed->again);
	if (r) {
		free(feed);
		return r;
	}
	feed->settings = *settings;
	*settings = (struct sink_settings){ 0 };
	open_spool(feed, spools);
	start(feed);
	*ret_feed = feed;
	return 0;
}

void sink_feed_add(struct sink_feed *feed, struct sink_line *line)
{
	sink_queue_add(&feed->queue, line);
	pump(feed);
}

void sink_feed_change(struct sink_feed *feed, struct sink_settings *settings)
{
	struct sink_settings old = feed->settings;

	feed->settings = *settings;
	*settings = old;
	feed->queue.limit = feed->settings.queue;
	feed->queue.spool.limit = feed->settings.spool;
	feed->failures = 0;
	stop_process(feed);
	if (!feed->pid)
		start(feed);
}

bool sink_feed_is_busy(const struct sink_feed *feed)
{
	__u64 queued = 0;

	for (int class = 0; class < SINK__CLASSES; class ++)
		queued += feed->queue.counts.queued[class];
	return feed->pid && queued && feed->report.state != WIRE_RETRYING;
}

/* All but the struct itself: what waits in the spool is another one's from now on. */
static void let_go(struct sink_feed *feed)
{
	stop_process(feed);
	read_reports(feed);
	loop_drop(feed->daemon->epoll, &feed->socket);
	loop_drop(feed->daemon->epoll, &feed->again);
	sink_queue_close(&feed->queue);
	sink_settings_reset(&feed->settings);
	feed->removed = true;
}

void sink_feed_remove(struct sink_feed **feed)
{
	struct sink_feed *gone = TAKE_PTR(*feed);

	let_go(gone);
	/* Else its end frees it. */
	if (!gone->pid)
		free(gone);
}

void sink_feed_close(struct sink_feed **feed)
{
	struct sink_feed *gone = TAKE_PTR(*feed);

	let_go(gone);
	loop_drop(gone->daemon->epoll, &gone->process);
	free(gone);
}

/* --- Status --------------------------------------------------------------------------------------- */

static const char *state_name(const struct sink_feed *feed)
{
	static const char *const names[] = {
		[WIRE_STARTING] = "starting",
		[WIRE_WORKING] = "working",
		[WIRE_RETRYING] = "retrying",
	};

	if (!feed->pid)
		return "down";
	return feed->report.state <= WIRE_RETRYING ? names[feed->report.state] : "unknown";
}

static json_t *by_class(const __u64 numbers[SINK__CLASSES])
{
	json_t *object = json_object();

	for (int class = 0; class < SINK__CLASSES; class ++)
		(void)json_object_set_new(object, sink_class_name((enum sink_class) class),
					  json_integer((json_int_t)numbers[class]));
	return object;
}

static json_int_t sum(const __u64 numbers[SINK__CLASSES])
{
	__u64 all = 0;

	for (int class = 0; class < SINK__CLASSES; class ++)
		all += numbers[class];
	return (json_int_t)all;
}

static const char *error_of(const struct sink_feed *feed)
{
	if (*feed->report.error)
		return feed->report.error;
	if (feed->spool_error)
		return strerror(-feed->spool_error);
	return feed->queue.spool.error ? strerror(-feed->queue.spool.error) : NULL;
}

json_t *sink_feed_status(const struct sink_feed *feed)
{
	const struct sink_counts *counts = &feed->queue.counts;

	return json_pack(
		"{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:o, s:o, s:s*}",
		"name", feed->settings.name, "type", sink_type_name(feed->settings.type), "state",
		state_name(feed), "offered", sum(counts->offered), "queued", sum(counts->queued),
		"queued_bytes", (json_int_t)feed->queue.bytes, "spooled", sum(counts->spooled),
		"sent", sum(counts->sent), "retries", (json_int_t)feed->retries, "restarts",
		(json_int_t)feed->restarts, "root", feed->report.root != 0, "pid",
		(json_int_t)feed->pid, "delivered", by_class(counts->sent), "lost",
		by_class(counts->lost), "error", error_of(feed));
}
