/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * History without a gap: first picketd is asked for what is new, which waits; then the store is read, when
 * it has had the time to get what came before that; then what waited is handed on, without what the store
 * had too. After an end of picketd the same is done again, from shortly before that.
 */
#include "cli/tail_stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/daemon_call.h"
#include "store/store.h"

/* Between two tries to reach picketd. */
#define RETRY_MS 200
/* How long the store may take to get what was handed out, and how long it is quiet when it has it. */
#define SETTLE_MS 3000
#define QUIET_MS 600
#define STEP_MS 50
/* Of what was handed on before the end, so much is read again and known again. */
#define OVERLAP_NS 5000000000LL

static __s64 now_ns(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (__s64)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- One event ------------------------------------------------------------------------------------ */

static struct tail_mark mark_of(const json_t *event)
{
	struct tail_mark mark = { .seq = daemon_number(event, "seq"),
				  .time = 14695981039346656037ULL };

	for (const char *at = daemon_text(event, "time"); *at; at++)
		mark.time = (mark.time ^ (unsigned char)*at) * 1099511628211ULL;
	return mark;
}

static bool is_known(const struct tail_stream *stream, const struct tail_mark *mark)
{
	size_t count = stream->known_count < TAIL_KNOWN ? stream->known_count : TAIL_KNOWN;

	for (size_t i = 0; i < count; i++) {
		const struct tail_mark *known =
			&stream->known[(stream->known_count - 1 - i) % TAIL_KNOWN];

		if (known->seq == mark->seq && known->time == mark->time)
			return true;
	}
	return false;
}

/* Hand on @event; with @check only if that was not done. */
static void hand_on(struct tail_stream *stream, json_t *event, const json_t *suggest, bool check)
{
	struct tail_mark mark = mark_of(event);

	if (check && mark.seq && is_known(stream, &mark))
		return;
	stream->known[stream->known_count++ % TAIL_KNOWN] = mark;
	stream->event(stream->context, event, suggest);
}

static void take_notification(struct tail_stream *stream, const char *method, json_t *params,
			      bool check)
{
	json_t *event = json_object_get(params, "event");
	json_int_t seq = daemon_number(event, "seq");

	if (strcmp(method, "event") != 0) {
		stream->other(stream->context, method, params);
		return;
	}
	if (seq > stream->seq)
		stream->seq = seq;
	if (!event)
		return;
	/* None is not the same as none known. */
	if (stream->suggest && !json_object_get(params, "suggest"))
		(void)json_object_set_new(params, "suggest", json_array());
	hand_on(stream, event, json_object_get(params, "suggest"), check);
}

static void notified(void *context, const char *method, json_t *params)
{
	struct tail_stream *stream = context;

	if (!stream->filling)
		take_notification(stream, method, params, false);
	else if (stream->waiting)
		(void)json_array_append_new(stream->waiting, json_pack("[s, O]", method, params));
}

/* --- History -------------------------------------------------------------------------------------- */

static int take_stored(void *context, const json_t *event, const char *line)
{
	struct tail_stream *stream = context;

	(void)line;
	hand_on(stream, (json_t *)event, NULL, true);
	/* The queue of what is new is not for ever. */
	if (stream->known_count % 256 == 0 && control_read(&stream->control))
		return -EPIPE;
	return ferror(stdout) ? -EIO : 0;
}

static int take_seq(void *context, const json_t *event, const char *line)
{
	(void)line;
	*(json_int_t *)context = daemon_number(event, "seq");
	return 0;
}

/* Wait until the store has what was handed out before @seq, or gets nothing any more. */
static void let_settle(struct tail_stream *stream, struct store *store, json_int_t seq)
{
	static const struct event_filter all = { 0 };
	const struct store_query newest = { .filter = &all, .limit = 1, .newest_first = true };
	json_int_t before = -1;
	int quiet = 0;

	for (int ms = 0; ms < SETTLE_MS && quiet < QUIET_MS; ms += STEP_MS) {
		json_int_t stored = 0;

		(void)store_query(store, &newest, take_seq, &stored);
		if (stored == seq)
			return;
		quiet = stored == before ? quiet + STEP_MS : 0;
		before = stored;
		(void)poll(NULL, 0, STEP_MS);
		(void)control_read(&stream->control);
	}
}

/* What the store has since @since_ns. */
static int read_history(struct tail_stream *stream, __s64 since_ns, json_int_t seq)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(store_close) struct store *store = NULL;
	struct event_filter filter = *stream->filter;
	const struct store_query query = { .filter = &filter };
	int r = store_open(stream->store, STORE_READ, &store, &diags);

	if (r) {
		cli_print_diags(&diags);
		return diag_has_errors(&diags) ?
			       CLI_FAILED :
			       cli_error("tail", "cannot read '%s'", stream->store);
	}
	filter.since_ns = since_ns;
	let_settle(stream, store, seq);
	r = store_query(store, &query, take_stored, stream);
	if (r == 0 || r == -EPIPE || r == -EIO)
		return CLI_OK; /* whoever goes on from here finds out */
	return cli_error("tail", "cannot read '%s': %s", stream->store, store_error(store));
}

static void hand_on_waiting(struct tail_stream *stream)
{
	json_t *waiting = TAKE_PTR(stream->waiting);
	const json_t *one;
	size_t i;

	stream->filling = false;
	json_array_foreach(waiting, i, one)
		take_notification(stream, json_string_value(json_array_get(one, 0)),
				  json_array_get(one, 1), true);
	json_decref(waiting);
}

/* --- The connection ------------------------------------------------------------------------------- */

static json_t *subscription(const struct tail_stream *stream)
{
	return json_pack("{s:s*, s:b, s:O}", "agent", stream->agent, "suggest", stream->suggest,
			 "classes", stream->classes);
}

/* Say what became of the time in between, @answer being of the new connection. */
static void say_back(const struct tail_stream *stream, const json_t *answer)
{
	json_int_t seq = daemon_number(answer, "seq");
	bool same = strcmp(daemon_text(answer, "picketd"), stream->picketd) == 0;
	json_int_t missed = same ? seq - stream->seq : seq;
	const char *who = same ? "picketd is the same" : "picketd was started again";

	if (missed <= 0)
		(void)fprintf(stderr,
			      "picket tail: connected again: %s, and nothing was handed out "
			      "meanwhile\n",
			      who);
	else if (stream->store)
		(void)fprintf(
			stderr,
			"picket tail: connected again: %s; records %lld to %lld come from the "
			"store, if it has them\n",
			who, (long long)(seq - missed + 1), (long long)seq);
	else
		(void)fprintf(
			stderr,
			"picket tail: connected again: %s; records %lld to %lld were handed out "
			"meanwhile, those for you among them are not shown\n",
			who, (long long)(seq - missed + 1), (long long)seq);
}

/* Subscribe over stream->control, then history from @since_ns on (0: none). */
static int begin(struct tail_stream *stream, __s64 since_ns, bool again)
{
	json_t *answer = NULL;
	json_int_t seq;
	int code;

	stream->control.notified = notified;
	stream->control.context = stream;
	stream->filling = stream->store && since_ns;
	if (stream->filling)
		stream->waiting = json_array();
	code = daemon_call("tail", &stream->control, "events.subscribe", subscription(stream),
			   &answer);
	if (code)
		return code;
	if (again)
		say_back(stream, answer);
	seq = daemon_number(answer, "seq");
	stream->seq = seq;
	(void)snprintf(stream->picketd, sizeof(stream->picketd), "%s",
		       daemon_text(answer, "picketd"));
	json_decref(answer);
	if (!stream->filling)
		return CLI_OK;
	code = read_history(stream, since_ns, seq);
	hand_on_waiting(stream);
	return code;
}

/* Is anybody still reading what we write? */
static bool is_read(int wait_ms)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	if (fflush(stdout) || ferror(stdout))
		return false;
	return poll(&out, 1, wait_ms) <= 0 || !(out.revents & (POLLERR | POLLNVAL));
}

/* Hand on until the connection ends. Returns true, or false: nobody reads. */
static bool hand_on_all(struct tail_stream *stream)
{
	struct pollfd fds[] = {
		{ .fd = stream->control.fd, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};

	while (control_read(&stream->control) == 0) {
		if (!is_read(0))
			return false;
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return true;
	}
	return is_read(0);
}

/* Connect as soon as picketd is back. Returns false when nobody reads any more. */
static bool reconnect(struct tail_stream *stream)
{
	control_close(&stream->control);
	for (;;) {
		CLEAN(diag_list_reset) struct diag_list diags = { 0 };

		if (control_connect(NULL, &stream->control, &diags) == 0)
			return true;
		if (!is_read(RETRY_MS))
			return false;
	}
}

/* Whose agent it was alone may be gone for ever; another time it would only take longer to say so. */
static int follow(struct tail_stream *stream)
{
	__s64 ended = now_ns();
	int code;

	(void)fputs("picket tail: picketd is gone; waiting for it\n", stderr);
	if (!reconnect(stream))
		return CLI_OK;
	code = begin(stream, stream->store ? ended - OVERLAP_NS : 0, true);
	/* It may have gone again meanwhile. */
	return code && stream->control.fd >= 0 && control_read(&stream->control) == 0 ? code :
											CLI_OK;
}

int tail_stream_run(struct tail_stream *stream)
{
	int code;

	stream->control = (struct control)CONTROL_NONE;
	code = daemon_connect("tail", &stream->control);
	if (code == CLI_OK)
		code = begin(stream, stream->store ? stream->filter->since_ns : 0, false);
	while (code == CLI_OK) {
		if (!hand_on_all(stream))
			return CLI_OK;
		code = stream->follow ? follow(stream) : cli_error("tail", "picketd is gone");
	}
	return code;
}

void tail_stream_reset(struct tail_stream *stream)
{
	control_close(&stream->control);
	json_decref(stream->waiting);
	stream->waiting = NULL;
}
