/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One sink of telemetry.yaml. Each type has a table of its own, so that a key that another type has is
 * as unknown as any.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/numbers.h"
#include "sink/settings_parts.h"
#include "store/store.h"

#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

#define QUEUE_DEFAULT (4 * MIB)
#define SPOOL_DEFAULT (64 * MIB)
#define TIMEOUT_DEFAULT 10
#define TIMEOUT_MAX 300
#define ROTATE_COUNT_DEFAULT 5
#define ROTATE_COUNT_MAX 1000
#define STORE_SIZE_DEFAULT GIB
#define STORE_DAYS_MAX 36500
#define FACILITY_DEFAULT 3 /* daemon */
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static const size_t queue_limits[] = { MIB / 16, 256 * MIB };
static const size_t spool_limits[] = { MIB, 64 * GIB };
static const size_t store_limits[] = { 16 * MIB, 1024 * GIB };
static const size_t rotate_limits[] = { MIB / 16, 1024 * GIB };

/** A sink while its keys are read: values as nodes of the tree. */
struct draft {
	struct settings_reading *reading;
	struct sink_settings sink;
	const struct node *name, *type, *events, *format, *queue, *spool, *timeout;
	const struct node *path, *rotate, *fsync, *size, *days;
	const struct node *address, *facility, *server_name, *ca;
	const struct node *url, *compress, *headers, *hmac_key;
};

/* --- Words ---------------------------------------------------------------------------------------- */

static const struct front_word type_words[] = {
	{ "file", SINK_FILE },	       { "stdout", SINK_STDOUT }, { "syslog", SINK_SYSLOG },
	{ "journald", SINK_JOURNALD }, { "otlp", SINK_OTLP },	  { "webhook", SINK_WEBHOOK },
	{ "store", SINK_STORE },
};
static const struct front_words type_set = FRONT_WORDS("type of sink", type_words);

static const struct front_word event_words[] = {
	{ "decisions", SINK_DECISION },
	{ "activity", SINK_ACTIVITY },
	{ "life", SINK_LIFE },
	{ "records", SINK_RECORD },
};
static const struct front_words event_set = FRONT_WORDS("kind of events", event_words);

static const struct front_word line_words[] = {
	{ "json", FORMAT_JSON },
	{ "text", FORMAT_TEXT },
	{ "ocsf", FORMAT_OCSF },
	{ "ecs", FORMAT_ECS },
};
static const struct front_words line_set = FRONT_WORDS("format", line_words);

static const struct front_word body_words[] = {
	{ "json", FORMAT_JSON },
	{ "ocsf", FORMAT_OCSF },
	{ "ecs", FORMAT_ECS },
};
static const struct front_words body_set = FRONT_WORDS("format", body_words);

static const struct front_word otlp_words[] = {
	{ "otlp-protobuf", FORMAT_OTLP_PROTOBUF },
	{ "otlp-json", FORMAT_OTLP_JSON },
};
static const struct front_words otlp_set = FRONT_WORDS("format", otlp_words);

static const struct front_word sync_words[] = {
	{ "never", SINK_SYNC_NEVER },
	{ "decisions", SINK_SYNC_DECISIONS },
	{ "each", SINK_SYNC_EACH },
};
static const struct front_words sync_set = FRONT_WORDS("setting", sync_words);

static const struct front_word facility_words[] = {
	{ "user", 1 },	  { "daemon", 3 },  { "auth", 4 },    { "authpriv", 10 },
	{ "local0", 16 }, { "local1", 17 }, { "local2", 18 }, { "local3", 19 },
	{ "local4", 20 }, { "local5", 21 }, { "local6", 22 }, { "local7", 23 },
};
static const struct front_words facility_set = FRONT_WORDS("facility", facility_words);

static const struct front_word compress_words[] = { { "gzip", 1 }, { "none", 0 } };
static const struct front_words compress_set = FRONT_WORDS("compression", compress_words);

const char *sink_type_name(enum sink_type type)
{
	for (size_t i = 0; i < type_set.count; i++) {
		if (type_words[i].value == type)
			return type_words[i].word;
	}
	return "unknown";
}

/* --- Tables --------------------------------------------------------------------------------------- */

/* clang-format off */
#define KEY(key, member, what, kinds) \
	{ .name = (key), .expected = (what), .shapes = (kinds), SCHEMA_KEEP(struct draft, member) }
#define NEEDED(key, member, what, kinds) \
	{ .name = (key), .expected = (what), .shapes = (kinds), .flags = SCHEMA_REQUIRED, \
	  SCHEMA_KEEP(struct draft, member) }
#define COMMON \
	NEEDED("name", name, "a name", SHAPE_TEXT), \
	NEEDED("type", type, "a type of sink", SHAPE_TEXT), \
	KEY("events", events, "a list of decisions, activity, life, records", SHAPE_TEXT | SHAPE_LIST), \
	KEY("queue", queue, "a size ('4MiB')", SHAPE_TEXT), \
	KEY("spool", spool, "a size ('64MiB') or off", SHAPE_TEXT)
#define REMOTE \
	KEY("timeout", timeout, "a time ('10s')", SHAPE_TEXT), \
	KEY("ca", ca, "the path of a file of certificates", SHAPE_TEXT)
#define HTTP \
	NEEDED("url", url, "an http or https URL", SHAPE_TEXT), \
	KEY("format", format, "a format", SHAPE_TEXT), \
	KEY("compress", compress, "gzip or none", SHAPE_TEXT), \
	KEY("headers", headers, "the path of a file of headers", SHAPE_TEXT)

static const struct schema_key file_keys[] = {
	COMMON,
	NEEDED("path", path, "the path of a file", SHAPE_TEXT),
	KEY("format", format, "a format", SHAPE_TEXT),
	KEY("rotate", rotate, "a map with size and count", SHAPE_MAP),
	KEY("fsync", fsync, "never, decisions or each", SHAPE_TEXT),
};
static const struct schema_key stdout_keys[] = {
	COMMON,
	KEY("format", format, "a format", SHAPE_TEXT),
};
static const struct schema_key syslog_keys[] = {
	COMMON, REMOTE,
	NEEDED("address", address, "unix:PATH, tcp:HOST:PORT or tls:HOST:PORT", SHAPE_TEXT),
	KEY("facility", facility, "a facility", SHAPE_TEXT),
	KEY("server_name", server_name, "the name in the certificate", SHAPE_TEXT),
};
static const struct schema_key journald_keys[] = {
	COMMON,
	KEY("path", path, "the path of journald's socket", SHAPE_TEXT),
};
static const struct schema_key otlp_keys[] = { COMMON, REMOTE, HTTP };
static const struct schema_key webhook_keys[] = {
	COMMON, REMOTE, HTTP,
	KEY("hmac_key", hmac_key, "the path of a file with a key", SHAPE_TEXT),
};
static const struct schema_key store_keys[] = {
	COMMON,
	KEY("path", path, "the path of a file", SHAPE_TEXT),
	KEY("size", size, "a size ('1GiB')", SHAPE_TEXT),
	KEY("days", days, "a number of days", SHAPE_TEXT),
};
/* clang-format on */

static const struct schema schemas[] = {
	[SINK_FILE] = SCHEMA("a sink of type file", file_keys),
	[SINK_STDOUT] = SCHEMA("a sink of type stdout", stdout_keys),
	[SINK_SYSLOG] = SCHEMA("a sink of type syslog", syslog_keys),
	[SINK_JOURNALD] = SCHEMA("a sink of type journald", journald_keys),
	[SINK_OTLP] = SCHEMA("a sink of type otlp", otlp_keys),
	[SINK_WEBHOOK] = SCHEMA("a sink of type webhook", webhook_keys),
	[SINK_STORE] = SCHEMA("a sink of type store", store_keys),
};

/** What `rotate` says. */
struct rotation {
	const struct node *size, *count;
};

static const struct schema_key rotate_keys[] = {
	{ .name = "size",
	  .expected = "a size ('64MiB')",
	  .shapes = SHAPE_TEXT,
	  .flags = SCHEMA_REQUIRED,
	  SCHEMA_KEEP(struct rotation, size) },
	{ .name = "count",
	  .expected = "a number of files",
	  .shapes = SHAPE_TEXT,
	  SCHEMA_KEEP(struct rotation, count) },
};
static const struct schema rotate_schema = SCHEMA("the key rotate", rotate_keys);

/* --- Values --------------------------------------------------------------------------------------- */

static bool is_name(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++) {
		if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) &&
		    (text[i] != '-' || i == 0))
			return false;
	}
	return length > 0 && length <= SINK_NAME_MAX;
}

static int take_name(struct front *front, struct draft *draft)
{
	const struct telemetry_settings *settings = draft->reading->settings;

	if (!draft->name)
		return 0;
	if (!is_name(draft->name->text)) {
		diag_hint(node_error(draft->name, front->diags, "'%s' is not a name of a sink",
				     draft->name->text),
			  "small letters, digits and '-', %d at most", SINK_NAME_MAX);
		return 0;
	}
	for (size_t i = 0; i < settings->sink_count; i++) {
		if (strcmp(settings->sinks[i].name, draft->name->text) == 0) {
			(void)node_error(draft->name, front->diags, "there is already a sink '%s'",
					 draft->name->text);
			return 0;
		}
	}
	draft->sink.name = strdup(draft->name->text);
	return draft->sink.name ? 0 : -ENOMEM;
}

static int add_event(struct front *front, const struct node *text, void *into)
{
	struct draft *draft = into;
	unsigned int class = 0;

	if (front_word(front, text, &event_set, &class))
		draft->sink.events |= 1U << class;
	return 0;
}

static int take_events(struct front *front, struct draft *draft)
{
	if (!draft->events) {
		draft->sink.events = 1U << SINK_DECISION | 1U << SINK_RECORD;
		return 0;
	}
	if (draft->events->kind == NODE_LIST && draft->events->count == 0) {
		diag_hint(node_error(draft->events, front->diags, "this sink would get nothing"),
			  "events is a list of decisions, activity, life and records");
		return 0;
	}
	return front_each_text(front, draft->events, "a kind of events", add_event, draft);
}

static void take_format(struct front *front, struct draft *draft)
{
	static const struct front_words *const sets[SINK__TYPES] = {
		[SINK_FILE] = &line_set,
		[SINK_STDOUT] = &line_set,
		[SINK_OTLP] = &otlp_set,
		[SINK_WEBHOOK] = &body_set,
	};
	static const enum format defaults[SINK__TYPES] = {
		[SINK_SYSLOG] = FORMAT_SYSLOG,
		[SINK_JOURNALD] = FORMAT_JOURNAL,
		[SINK_OTLP] = FORMAT_OTLP_PROTOBUF,
	};
	unsigned int value = defaults[draft->sink.type];

	if (draft->format)
		(void)front_word(front, draft->format, sets[draft->sink.type], &value);
	draft->sink.format = (enum format)value;
}

static int take_rotate(struct front *front, struct draft *draft)
{
	struct rotation rotation = { 0 };
	int r = schema_read_map(front, &rotate_schema, draft->rotate, &rotation);

	draft->sink.rotate_count = ROTATE_COUNT_DEFAULT;
	if (rotation.size)
		settings_size(front, rotation.size, rotate_limits, &draft->sink.rotate_size);
	if (rotation.count)
		settings_number(front, rotation.count, ROTATE_COUNT_MAX, &draft->sink.rotate_count);
	return r;
}

/* HOST:PORT behind "tcp:" or "tls:"; an IPv6 address stands in brackets. */
static bool split_host(const char *text, char **ret_host, char **ret_port)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	char *end = NULL;
	unsigned long port =
		colon && isdigit((unsigned char)colon[1]) ? strtoul(colon + 1, &end, 10) : 0;

	if (!length || !end || *end || port == 0 || port > 65535)
		return false;
	if (*text == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	} else if (memchr(text, ':', length)) {
		return false;
	}
	if (!length)
		return false;
	*ret_host = strndup(text, length);
	*ret_port = strdup(colon + 1);
	return true;
}

static int take_address(struct front *front, struct draft *draft)
{
	struct sink_settings *sink = &draft->sink;
	const char *text = draft->address->text;
	bool good = false;

	if (!front_line(front, draft->address, "an address"))
		return 0;
	if (strncmp(text, "unix:/", 6) == 0) {
		sink->transport = SINK_UNIX;
		sink->host = strdup(text + 5);
		return sink->host ? 0 : -ENOMEM;
	}
	if (strncmp(text, "tcp:", 4) == 0 || strncmp(text, "tls:", 4) == 0) {
		sink->transport = text[1] == 'c' ? SINK_TCP : SINK_TLS;
		good = split_host(text + 4, &sink->host, &sink->port);
	}
	if (!good)
		diag_hint(
			node_error(draft->address, front->diags,
				   "'%s' is not an address of a syslog server", text),
			"unix:/dev/log, tcp:HOST:PORT or tls:HOST:PORT; an IPv6 address in brackets");
	return good && (!sink->host || !sink->port) ? -ENOMEM : 0;
}

static int take_url(struct front *front, struct draft *draft)
{
	const char *text = draft->url->text;
	const char *host;

	if (!front_line(front, draft->url, "a URL"))
		return 0;
	host = strncmp(text, "https://", 8) == 0 ? text + 8 :
	       strncmp(text, "http://", 7) == 0	 ? text + 7 :
						   "";
	if (strcspn(host, "/?#") == 0 || strpbrk(host, " \"<>")) {
		diag_hint(node_error(draft->url, front->diags, "'%s' is not an http or https URL",
				     text),
			  "as in 'https://logs.example.org/v1/logs'");
		return 0;
	}
	if (memchr(host, '@', strcspn(host, "/?#"))) {
		diag_hint(node_error(draft->url, front->diags,
				     "a URL may not have a password in it"),
			  "put a line 'Authorization: ...' into a file and name it by 'headers'");
		return 0;
	}
	draft->sink.url = strdup(text);
	return draft->sink.url ? 0 : -ENOMEM;
}

static int take_server_name(struct front *front, struct draft *draft)
{
	if (!front_line(front, draft->server_name, "the name of a server"))
		return 0;
	draft->sink.server_name = strdup(draft->server_name->text);
	return draft->sink.server_name ? 0 : -ENOMEM;
}

static void take_timeout(struct front *front, struct draft *draft)
{
	unsigned int seconds = numbers_seconds(draft->timeout, TIMEOUT_MAX);

	if (seconds)
		draft->sink.timeout = seconds;
	else
		diag_hint(node_error(draft->timeout, front->diags,
				     "'%s' is not a time from 1s to 5m", draft->timeout->text),
			  "write seconds or minutes as '10s', '1m'");
}

/* What has a default or is not a text of its own. */
static void take_words(struct front *front, struct draft *draft)
{
	struct sink_settings *sink = &draft->sink;
	unsigned int value = 0;

	if (draft->queue)
		settings_size(front, draft->queue, queue_limits, &sink->queue);
	if (draft->spool && strcmp(draft->spool->text, "off") == 0)
		sink->spool = 0;
	else if (draft->spool)
		settings_size(front, draft->spool, spool_limits, &sink->spool);
	if (draft->size)
		settings_size(front, draft->size, store_limits, &sink->store_size);
	if (draft->days)
		settings_number(front, draft->days, STORE_DAYS_MAX, &sink->store_days);
	if (draft->timeout)
		take_timeout(front, draft);
	if (draft->fsync && front_word(front, draft->fsync, &sync_set, &value))
		sink->sync = (enum sink_sync)value;
	if (draft->facility && front_word(front, draft->facility, &facility_set, &value))
		sink->facility = value;
	if (draft->compress && front_word(front, draft->compress, &compress_set, &value))
		sink->gzip = value != 0;
	take_format(front, draft);
}

static int take_texts(struct front *front, struct draft *draft)
{
	struct sink_settings *sink = &draft->sink;
	int r = take_name(front, draft);

	if (r == 0)
		r = take_events(front, draft);
	if (r == 0 && draft->path)
		r = settings_path(front, draft->path, &sink->path);
	if (r == 0 && draft->rotate)
		r = take_rotate(front, draft);
	if (r == 0 && draft->address)
		r = take_address(front, draft);
	if (r == 0 && draft->server_name)
		r = take_server_name(front, draft);
	if (r == 0 && draft->ca)
		r = settings_path(front, draft->ca, &sink->ca);
	if (r == 0 && draft->url)
		r = take_url(front, draft);
	if (r == 0 && draft->headers)
		r = settings_secret(front, draft->reading, draft->headers, &sink->headers);
	if (r == 0 && draft->hmac_key)
		r = settings_secret(front, draft->reading, draft->hmac_key, &sink->hmac_key);
	return r;
}

/* Keys that only one transport has. */
static void check_transport(struct front *front, const struct draft *draft)
{
	const struct node *key = draft->ca ? draft->ca : draft->server_name;

	if (draft->sink.type == SINK_SYSLOG && draft->sink.host && key &&
	    draft->sink.transport != SINK_TLS)
		diag_hint(node_error(key, front->diags,
				     "only a connection over TLS has certificates"),
			  "write the address as 'tls:HOST:PORT'");
}

static bool find_type(struct front *front, const struct node *map, unsigned int *ret_type)
{
	for (size_t i = 0; i + 1 < map->count; i += 2) {
		if (map->items[i]->kind == NODE_TEXT && map->items[i + 1]->kind == NODE_TEXT &&
		    strcmp(map->items[i]->text, "type") == 0)
			return front_word(front, map->items[i + 1], &type_set, ret_type);
	}
	diag_hint(node_error(map, front->diags, "a sink needs the key 'type'"),
		  "file, stdout, syslog, journald, otlp, webhook or store");
	return false;
}

static int keep_sink(struct telemetry_settings *settings, struct sink_settings *sink)
{
	int r = FRONT_APPEND(&settings->sinks, &settings->sink_count, sink);

	if (r == 0)
		*sink = (struct sink_settings){ 0 };
	return r;
}

static int read_sink(struct front *front, const struct node *map, struct settings_reading *reading)
{
	CLEAN(sink_settings_reset)
	struct sink_settings sink = { 0 };
	struct draft draft = { .reading = reading };
	unsigned int type = 0;
	int r;

	if (!find_type(front, map, &type))
		return 0;
	draft.sink = (struct sink_settings){
		.type = (enum sink_type)type,
		.queue = QUEUE_DEFAULT,
		.spool = SPOOL_DEFAULT,
		.timeout = TIMEOUT_DEFAULT,
		.facility = FACILITY_DEFAULT,
		.store_size = STORE_SIZE_DEFAULT,
	};
	r = schema_read_map(front, &schemas[type], map, &draft);
	if (r == 0)
		r = take_texts(front, &draft);
	if (r == 0) {
		take_words(front, &draft);
		check_transport(front, &draft);
	}
	if (r == 0 && !draft.sink.path && (type == SINK_JOURNALD || type == SINK_STORE)) {
		draft.sink.path = strdup(type == SINK_STORE ? STORE_PATH : JOURNAL_SOCKET);
		r = draft.sink.path ? 0 : -ENOMEM;
	}
	sink = draft.sink;
	if (r == 0 && sink.name)
		r = keep_sink(reading->settings, &sink);
	return r;
}

int settings_read_sinks(struct front *front, const struct node *list, void *into)
{
	int r = 0;

	for (size_t i = 0; i < list->count && r == 0; i++) {
		if (i == SINKS_MAX) {
			(void)node_error(list->items[i], front->diags, "more than %d sinks",
					 SINKS_MAX);
			break;
		}
		if (list->items[i]->kind == NODE_MAP)
			r = read_sink(front, list->items[i], into);
		else
			front_wrong_type(front, list->items[i], "a sink", "a map", false);
	}
	return r;
}
