/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request is read twice: it is taken as a whole or not at all.
 */
#include "daemon/receiver.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <zlib.h>

#include "base/mem.h"
#include "daemon/daemon.h"
#include "daemon/http.h"
#include "engine/socket_cgroup.h"
#include "note/otlp.h"
#include "process/call.h"
#include "telemetry/moment.h"
#include "telemetry/record.h"

#define JSON_TYPE "application/json"
#define PROTOBUF_TYPE "application/x-protobuf"

/* --- Records -------------------------------------------------------------------------------------- */

/* One request. */
struct taking {
	struct daemon *daemon;
	struct agent_entry *entry; /* whose; NULL = of no agent */
};

static json_t *said(const char *text)
{
	return *text ? json_string(text) : NULL;
}

static json_t *time_json(__u64 ns)
{
	char text[MOMENT_TEXT_SIZE];

	return ns ? json_string(moment_text((__s64)ns, text)) : NULL;
}

/* When the call began; 0: that was not said. */
static __u64 began(const struct otlp_log *log)
{
	if (log->note.op == NOTE_START)
		return log->time_ns;
	return log->duration_ns < log->time_ns ? log->time_ns - log->duration_ns : 0;
}

static json_t *tool_json(const struct otlp_log *log)
{
	const struct note *note = &log->note;

	return json_pack("{s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, s:s}", "name", said(note->tool),
			 "call_id", said(note->call_id), "status",
			 note->has_status ? json_integer(note->status) : NULL, "started",
			 time_json(began(log)), "ended",
			 note->op == NOTE_END ? time_json(log->time_ns) : NULL, "session",
			 said(log->session), "by", call_source_name(CALL_OTLP));
}

/* Was it refused under this call: by its id where the event has one, or else by its time? */
static bool is_under(const json_t *denial, const struct otlp_log *log)
{
	const json_t *tool = json_object_get(json_object_get(denial, "context"), "tool");
	const char *call_id = json_string_value(json_object_get(tool, "call_id"));
	const char *time = json_string_value(json_object_get(denial, "time"));
	char text[MOMENT_TEXT_SIZE];

	if (call_id)
		return strcmp(call_id, log->note.call_id) == 0;
	/* All times are written alike, so they compare as texts. */
	return time && began(log) && strcmp(time, moment_text((__s64)began(log), text)) >= 0 &&
	       strcmp(time, moment_text((__s64)log->time_ns, text)) <= 0;
}

/* The last denials under the call, or NULL: there are none. */
static json_t *denials_json(const struct agent_entry *entry, const struct otlp_log *log)
{
	json_t *all = feed_read(&entry->feed, FEED_RATE);
	json_t *under = json_array();

	for (size_t i = json_array_size(all); under && i > 0; i--) {
		json_t *denial = json_array_get(all, i - 1);

		if (is_under(denial, log))
			(void)json_array_insert(under, 0, denial);
		if (json_array_size(under) == RECEIVER_DENIALS_MAX)
			break;
	}
	json_decref(all);
	if (json_array_size(under))
		return under;
	json_decref(under);
	return NULL;
}

static __u64 now_ns(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (__u64)now.tv_sec * 1000000000ULL + (__u64)now.tv_nsec;
}

/* When it began, in the kernel's time: not before the machine, and not after now. */
static __u64 began_ns(const struct otlp_log *log, __u64 now)
{
	__s64 ns = (__s64)log->time_ns - event_clock_offset();

	return log->time_ns && ns > 0 && (__u64)ns < now ? (__u64)ns : now;
}

/* From now on, or no more, events of the agent's processes are under the call. */
static void mark(struct daemon *daemon, const struct agent_entry *entry, const struct otlp_log *log)
{
	const struct note *note = &log->note;
	__u64 now = now_ns();
	const struct tool_call_facts facts = {
		.name = note->tool,
		.call_id = note->call_id,
		.started_ns = began_ns(log, now),
		.until_ns = now + RECEIVER_CALL_NS,
		.by = CALL_OTLP,
		.claimed = true,
	};
	CLEAN(call_unref) struct tool_call *call = NULL;

	if (!daemon->lives.table)
		return;
	if (note->op == NOTE_END) {
		(void)process_table_call_end(daemon->lives.table, entry->record.slot,
					     *note->call_id ? note->call_id : NULL,
					     *note->tool ? note->tool : NULL);
		return;
	}
	call = call_new(&facts);
	if (!call || process_table_call(daemon->lives.table, entry->record.slot, call))
		daemon_say(daemon, "a tool call of agent '%s' will not be in events: out of memory",
			   entry->record.id);
}

/* Is there a turn left in this second, for those that are no agent? */
static bool may_take(struct receiver *receiver)
{
	__u64 second = now_ns() / 1000000000ULL;

	if (receiver->second != second) {
		receiver->second = second;
		receiver->count = 0;
	}
	if (receiver->count++ < RECEIVER_RATE)
		return true;
	receiver->dropped++;
	return false;
}

static void take_log(void *context, const struct otlp_log *log)
{
	struct taking *taking = context;
	struct receiver *receiver = &taking->daemon->receiver;
	struct agent_entry *entry = taking->entry;
	json_t *record;

	/* What was decided against does not begin. */
	if (log->refused || !(entry ? notes_may_take(taking->daemon, entry) : may_take(receiver)))
		return;
	receiver->calls++;
	receiver->strangers += entry == NULL;
	record = record_new("note", note_op_name(log->note.op), entry ? entry->record.id : NULL);
	(void)json_object_set_new(record, "tool", tool_json(log));
	(void)json_object_set_new(record, "claimed", json_true());
	if (entry && log->note.op == NOTE_END) {
		json_t *denials = denials_json(entry, log);

		if (denials)
			(void)json_object_set_new(record, "denials", denials);
	}
	events_tell(&taking->daemon->events, entry, record);
	if (entry)
		mark(taking->daemon, entry, log);
}

/* --- Requests ------------------------------------------------------------------------------------- */

/* Bytes of a body. */
struct body {
	const char *bytes;
	size_t length;
	char *owned; /* or NULL */
};

static void body_reset(struct body *body)
{
	free(body->owned);
	*body = (struct body){ 0 };
}

/* Unpack into @to, of HTTP_BODY_MAX bytes. */
/* NOLINTNEXTLINE(readability-non-const-parameter): it is written through the stream */
static int inflate_all(const struct http_request *request, char *to, size_t *ret_length)
{
	z_stream stream = {
		.next_in = (unsigned char *)request->body,
		.avail_in = (unsigned int)request->length,
		.next_out = (unsigned char *)to,
		.avail_out = HTTP_BODY_MAX,
	};
	int r;

	/* 16: the head of gzip and no other. */
	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	r = inflate(&stream, Z_FINISH);
	*ret_length = stream.total_out;
	(void)inflateEnd(&stream);
	if (r == Z_STREAM_END)
		return 0;
	return stream.avail_out ? -EBADMSG : -E2BIG;
}

static int open_body(const struct http_request *request, struct body *body)
{
	*body = (struct body){ .bytes = request->body, .length = request->length };
	if (!*request->encoding || strcasecmp(request->encoding, "identity") == 0)
		return 0;
	if (strcasecmp(request->encoding, "gzip") != 0)
		return -ENOTSUP;
	body->owned = malloc(HTTP_BODY_MAX);
	if (!body->owned)
		return -ENOMEM;
	body->bytes = body->owned;
	return inflate_all(request, body->owned, &body->length);
}

/* Is @type this one, whatever parameters follow it? */
static bool is_type(const char *type, const char *wanted)
{
	size_t length = strlen(wanted);

	return strncasecmp(type, wanted, length) == 0 &&
	       (type[length] == '\0' || type[length] == ';' || type[length] == ' ');
}

/* The agent that the connection's other end belongs to. */
static struct agent_entry *find_agent(struct daemon *daemon, int fd)
{
	__u64 cgroup = 0;

	return socket_cgroup_of_peer(fd, &cgroup) ? NULL :
						    registry_find_cgroup(&daemon->registry, cgroup);
}

static int take_request(struct daemon *daemon, const struct http_request *request)
{
	bool json = is_type(request->content_type, JSON_TYPE);
	CLEAN(body_reset) struct body body = { 0 };
	struct taking taking = { .daemon = daemon };
	int r;

	if (!json && !is_type(request->content_type, PROTOBUF_TYPE))
		return -EPROTONOSUPPORT;
	r = open_body(request, &body);
	if (r == 0)
		r = (json ? otlp_read_json : otlp_read_protobuf)(body.bytes, body.length, NULL,
								 NULL);
	if (r)
		return r;
	/* What the kernel told before is in the feed, then. */
	daemon_take_records(daemon);
	taking.entry = find_agent(daemon, request->fd);
	return (json ? otlp_read_json : otlp_read_protobuf)(body.bytes, body.length, take_log,
							    &taking);
}

static void answer_error(struct http_answer *answer, int error)
{
	switch (-error) {
	case EPROTONOSUPPORT:
		http_say(answer, 415, "Content-Type must be " JSON_TYPE " or " PROTOBUF_TYPE "\n");
		break;
	case ENOTSUP:
		http_say(answer, 415, "Content-Encoding must be gzip, or not be there\n");
		break;
	case E2BIG:
		http_say(answer, 413, "more than %u records, or over 4 MiB when unpacked\n",
			 OTLP_LOGS_MAX);
		break;
	case ENOMEM:
		http_say(answer, 503, "out of memory\n");
		break;
	default:
		http_say(answer, 400, "this is no ExportLogsServiceRequest\n");
	}
}

static void answer(void *context, const struct http_request *request, struct http_answer *answer)
{
	struct daemon *daemon = context;
	int r;

	if (strcmp(request->path, "/v1/logs") != 0) {
		http_say(answer, 404, "there is /v1/logs, and nothing else\n");
		return;
	}
	if (strcmp(request->method, "POST") != 0) {
		answer->allow = "POST";
		http_say(answer, 405, "logs are sent to /v1/logs: POST\n");
		return;
	}
	r = take_request(daemon, request);
	if (r) {
		daemon->receiver.malformed++;
		answer_error(answer, r);
		return;
	}
	/* An ExportLogsServiceResponse without fields: all was taken. */
	answer->status = 200;
	answer->type = is_type(request->content_type, JSON_TYPE) ? JSON_TYPE : PROTOBUF_TYPE;
	if (answer->type[strlen("application/")] == 'j') {
		answer->body = strdup("{}");
		answer->length = answer->body ? 2 : 0;
	}
}

/* --- Its life ------------------------------------------------------------------------------------- */

static void end(struct receiver *receiver)
{
	http_close(&receiver->http);
	free(TAKE_PTR(receiver->address));
	free(TAKE_PTR(receiver->error));
}

/* Listen at receiver->address; a failure that is not the last one is said. */
static void begin(struct daemon *daemon)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct receiver *receiver = &daemon->receiver;
	const struct http_options options = {
		.epoll = daemon->epoll,
		.address = receiver->address,
		.handler = answer,
		.context = daemon,
	};
	CLEAN_FREE char *last = TAKE_PTR(receiver->error);
	const char *why;

	if (http_open(&options, &receiver->http, &diags) == 0) {
		daemon_say(daemon, "logs of agents are taken at http://%s/v1/logs",
			   receiver->address);
		return;
	}
	why = diags.count ? diags.items[0].message : "out of memory";
	if (!last || strcmp(last, why) != 0)
		daemon_say(daemon, "no logs of agents are taken: %s", why);
	receiver->error = strdup(why);
}

void receiver_reload(struct daemon *daemon)
{
	const char *wanted = daemon->telemetry.settings.receive_otlp;
	struct receiver *receiver = &daemon->receiver;

	if (wanted && receiver->http && strcmp(wanted, receiver->address) == 0)
		return;
	end(receiver);
	receiver->address = wanted ? strdup(wanted) : NULL;
	if (receiver->address)
		begin(daemon);
	else if (wanted)
		daemon_say(daemon, "no logs of agents are taken: out of memory");
}

int receiver_open(struct daemon *daemon, struct diag_list *diags)
{
	(void)diags;
	receiver_reload(daemon);
	return 0;
}

void receiver_check(struct daemon *daemon)
{
	if (daemon->receiver.address && !daemon->receiver.http)
		begin(daemon);
}

json_t *receiver_status(const struct daemon *daemon)
{
	const struct receiver *receiver = &daemon->receiver;

	if (!receiver->address)
		return NULL;
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:s*}", "address", receiver->address, "calls",
			 (json_int_t)receiver->calls, "strangers", (json_int_t)receiver->strangers,
			 "malformed", (json_int_t)receiver->malformed, "dropped",
			 (json_int_t)receiver->dropped, "error", receiver->error);
}

void receiver_close(struct receiver *receiver)
{
	end(receiver);
	*receiver = (struct receiver){ 0 };
}
