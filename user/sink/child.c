/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is on its way is told to be delivered only when it is: whoever dies before that, the daemon sends
 * it again.
 */
#include "sink/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include "base/mem.h"
#include "sink/machine.h"
#include "sink/out.h"
#include "sink/retry.h"
#include "sink/wire.h"

/* Of a process that runs out of memory before the daemon does. */
#define OOM_SCORE "600"
/* Bytes of a batch at most; a larger record is one by itself. */
#define BATCH_BYTES ((size_t)1 << 20)
#define NOBODY 65534

static const struct out_type *const types[] = {
	[SINK_FILE] = &out_file,	 [SINK_STDOUT] = &out_stdout, [SINK_SYSLOG] = &out_syslog,
	[SINK_JOURNALD] = &out_journald, [SINK_OTLP] = &out_http,     [SINK_WEBHOOK] = &out_http,
	[SINK_STORE] = &out_store,
};
_Static_assert(sizeof(types) / sizeof(types[0]) == SINK__TYPES, "each type can be served");

/** The process. */
struct child {
	const struct sink_settings *settings;
	const struct out_type *type;
	struct out *out; /* NULL = could not be opened yet */
	struct machine machine;
	int feed;
	char *buffer; /* WIRE_MAX bytes */
	struct out_batch batch;
	__u64 numbers[512]; /* of the lines of the batch */
	unsigned int failures; /* in a row */
	struct wire_report report;
	bool ended; /* the daemon has nothing more */
};

/* --- Becoming a process of its own ---------------------------------------------------------------- */

static void quiet_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	for (int number = 1; number < SIGRTMIN; number++)
		(void)signal(number, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void score_memory(void)
{
	CLEAN_FD int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	/* Without it the kernel only chooses less well. */
	if (fd >= 0)
		(void)!write(fd, OOM_SCORE, strlen(OOM_SCORE));
}

/* Everything but the feed, and standard output for whom it is all. The feed becomes descriptor 3. */
static int keep_descriptors(struct child *child)
{
	CLEAN_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		return -errno;
	if (child->settings->type != SINK_STDOUT && dup2(null, STDOUT_FILENO) < 0)
		return -errno;
	if (child->feed != 3 && dup2(child->feed, 3) < 0)
		return -errno;
	child->feed = 3;
	if (null > 3)
		null = -1;
	return close_range(4, ~0U, 0) ? -errno : 0;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { 0 };

	return syscall(SYS_capset, &head, none) ? -errno : 0;
}

/* Root's files need root; all others are nobody. What was forked by somebody else stays that. */
static int drop_rights(struct child *child)
{
	if (geteuid() == 0 && !child->type->needs_root) {
		if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY))
			return -errno;
	}
	child->report.root = geteuid() == 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	return drop_capabilities();
}

/* It ends with the daemon, also when that is killed, and is not waited for by a stopped one. */
static int tie_to_daemon(pid_t daemon)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return -errno;
	return getppid() == daemon ? 0 : -ESRCH;
}

static int become(struct child *child, pid_t daemon)
{
	int r = keep_descriptors(child);

	quiet_signals();
	(void)prctl(PR_SET_NAME, "picket-sink", 0, 0, 0);
	(void)setsid();
	score_memory();
	if (r == 0)
		r = machine_read(&child->machine);
	return r ? r : tie_to_daemon(daemon);
}

/* --- Telling -------------------------------------------------------------------------------------- */

static void report(struct child *child)
{
	ssize_t sent;

	do {
		sent = send(child->feed, &child->report, sizeof(child->report), MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	child->ended = child->ended || sent < 0;
	child->report.retries = 0;
	child->report.refused_from = 0;
}

/* --- Taking --------------------------------------------------------------------------------------- */

/* One record into the batch. 0, -EAGAIN: there is none now, or another -errno. */
static int take_record(struct child *child, int flags)
{
	struct out_batch *batch = &child->batch;
	ssize_t got = recv(child->feed, child->buffer, WIRE_MAX, flags);
	struct wire_record head;
	struct sink_line *line;

	if (got < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if ((size_t)got < sizeof(head))
		return -ENODATA;
	memcpy(&head, child->buffer, sizeof(head));
	line = sink_line_new((enum sink_class)head.class, child->buffer + sizeof(head),
			     (size_t)got - sizeof(head));
	if (!line)
		return -ENOMEM;
	child->numbers[batch->count] = head.number;
	batch->lines[batch->count++] = line;
	batch->bytes += line->length;
	return 0;
}

/* What there is, at least one. */
static void take_batch(struct child *child)
{
	const size_t most = sizeof(child->batch.lines) / sizeof(child->batch.lines[0]);
	int r = take_record(child, 0);

	while (r == 0 && child->batch.count < most && child->batch.bytes < BATCH_BYTES)
		r = take_record(child, MSG_DONTWAIT);
	child->ended = r && r != -EAGAIN;
}

/* --- Delivering ----------------------------------------------------------------------------------- */

static void forget(struct child *child, size_t count)
{
	struct out_batch *batch = &child->batch;

	for (size_t i = 0; i < count; i++) {
		batch->bytes -= batch->lines[i]->length;
		sink_line_drop(&batch->lines[i]);
	}
	batch->count -= count;
	memmove(batch->lines, batch->lines + count, batch->count * sizeof(batch->lines[0]));
	memmove(child->numbers, child->numbers + count, batch->count * sizeof(child->numbers[0]));
}

/* False when the daemon has gone meanwhile: what is not delivered, the next one sends. */
static bool wait_ms(const struct child *child, unsigned int ms)
{
	struct pollfd feed = { .fd = child->feed, .events = POLLRDHUP };

	return poll(&feed, 1, (int)ms) == 0;
}

static bool wait_for_next(struct child *child, unsigned int after)
{
	child->report.state = WIRE_RETRYING;
	child->report.retries++;
	report(child);
	child->failures++;
	return wait_ms(child, after ? after * 1000 : retry_wait_ms(child->failures));
}

static void settle(struct child *child, const struct out_result *result)
{
	size_t good = result->done - result->refused;

	child->failures = 0;
	child->report.state = WIRE_WORKING;
	child->report.delivered = child->numbers[result->done - 1];
	if (result->refused)
		child->report.refused_from = child->numbers[good];
	memcpy(child->report.error, result->error, sizeof(child->report.error));
	report(child);
	forget(child, result->done);
}

/* Opened when it is needed, so that what is missing at first is tried again like all else. */
static int open_type(struct child *child, char error[236])
{
	if (child->out)
		return 0;
	return child->type->open(child->settings, &child->machine.machine, &child->out, error);
}

static void deliver(struct child *child)
{
	while (child->batch.count > 0) {
		struct out_result result = { 0 };

		child->type->send(child->out, &child->batch, &result);
		if (result.done) {
			settle(child, &result);
			continue;
		}
		memcpy(child->report.error, result.error, sizeof(child->report.error));
		if (!wait_for_next(child, result.after)) {
			child->ended = true;
			return;
		}
	}
}

/* With root's rights still: secrets are root's. */
static bool prepare(struct child *child)
{
	while (open_type(child, child->report.error)) {
		if (!wait_for_next(child, 0))
			return false;
	}
	child->failures = 0;
	child->report.error[0] = '\0';
	return true;
}

int sink_child_run(const struct sink_settings *settings, int feed, pid_t daemon)
{
	struct child *child = calloc(1, sizeof(*child));
	int r;

	if (!child)
		return EXIT_FAILURE;
	child->settings = settings;
	child->type = types[settings->type];
	child->feed = feed;
	child->buffer = malloc(WIRE_MAX);
	r = child->buffer ? become(child, daemon) : -ENOMEM;
	if (r || !prepare(child))
		return EXIT_FAILURE;
	r = drop_rights(child);
	/* A change of user unties it. */
	if (r == 0)
		r = tie_to_daemon(daemon);
	if (r) {
		out_say(child->report.error, "cannot give up rights: %s", strerror(-r));
		report(child);
		return EXIT_FAILURE;
	}
	report(child);
	while (!child->ended) {
		take_batch(child);
		deliver(child);
	}
	child->type->close(&child->out);
	return EXIT_SUCCESS;
}
