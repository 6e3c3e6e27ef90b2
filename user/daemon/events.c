/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each form of a record is made once, when the first subscriber wants it. The event is put into the
 * notification as the text that it is: nothing of it is parsed again.
 */
#include "daemon/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/lives.h"
#include "telemetry/json.h"
#include "telemetry/record.h"
#include "telemetry/render.h"

/* Of the room for notifications: what is queued has a head. */
#define ROOM_KEPT 4096U

/* The lines of one record, made when they are needed. */
struct lines {
	struct events *events;
	struct agent_entry *entry;
	const struct event *event;
	char *event_json; /* owned */
	char *forms[6]; /* owned: without text, with text, with text in colour; the same with suggestions */
};

static void lines_reset(struct lines *lines)
{
	free(lines->event_json);
	for (size_t i = 0; i < sizeof(lines->forms) / sizeof(lines->forms[0]); i++)
		free(lines->forms[i]);
}

struct event_context events_context(struct events *events, const struct agent_entry *entry,
				    bool colour)
{
	return (struct event_context){
		.image = entry->image.bytes ? &entry->image : NULL,
		.main_file = entry->main_file,
		.agent = entry->record.id,
		.clock_offset_ns = event_clock_offset(),
		.colour = colour,
		.redact = events_redact(events),
	};
}

void events_open(struct events *events, const struct registry *registry)
{
	*events = (struct events){
		.registry = registry,
		.destroyer = DESTROYER_NONE,
		.nobody.record = { .id = "nobody", .uid = (uid_t)-1 },
	};
}

static bool is_equal(const struct subscription *a, const struct subscription *b)
{
	return a->client == b->client && a->slot == b->slot;
}

int events_subscribe(struct events *events, const struct subscription *subscription)
{
	struct subscription *grown;

	for (size_t i = 0; i < events->count; i++) {
		if (is_equal(&events->subscriptions[i], subscription)) {
			events->subscriptions[i] = *subscription;
			return 0;
		}
	}
	grown = reallocarray(events->subscriptions, events->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	events->subscriptions = grown;
	grown[events->count++] = *subscription;
	return 0;
}

void events_forget_client(struct events *events, const struct client *client)
{
	size_t kept = 0;

	for (size_t i = 0; i < events->count; i++) {
		if (events->subscriptions[i].client != client)
			events->subscriptions[kept++] = events->subscriptions[i];
	}
	events->count = kept;
}

void events_forget_slot(struct events *events, __u32 slot)
{
	size_t kept = 0;

	for (size_t i = 0; i < events->count; i++) {
		if (events->subscriptions[i].slot != slot)
			events->subscriptions[kept++] = events->subscriptions[i];
	}
	events->count = kept;
}

/* Does it get the events of @entry? */
static bool sees(const struct subscription *subscription, const struct agent_entry *entry)
{
	const struct peer *peer = client_peer(subscription->client);

	if (subscription->slot)
		return subscription->slot == entry->record.slot;
	return peer->role >= PEER_OBSERVER || peer->uid == entry->record.uid;
}

/* The line for people as a JSON text, malloc'ed; NULL: none. */
static char *text_json(const struct lines *lines, bool colour)
{
	const struct event_context context = events_context(lines->events, lines->entry, colour);
	CLEAN_FREE char *text = NULL;
	json_t *value;
	char *json;

	if (render_event(lines->event, &context, &text))
		return NULL;
	value = json_string(text);
	json = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
	json_decref(value);
	return json;
}

/* The event as JSON: made once, NULL when there is no memory. */
static const char *event_json(struct lines *lines)
{
	struct events *events = lines->events;
	struct event_context context;
	struct process_view view;

	if (lines->event_json)
		return lines->event_json;
	context = events_context(events, lines->entry, false);
	if (events->lives && lives_view(events->lives, lines->event, &view))
		context.process = &view;
	context.seq = ++events->seq;
	if (json_event(lines->event, &context, &lines->event_json)) {
		events->unmade++;
		return NULL;
	}
	lines->event_json[strcspn(lines->event_json, "\n")] = '\0';
	return lines->event_json;
}

/* What would allow it as a JSON text, malloc'ed; NULL: nothing. */
static char *suggest_json(const struct lines *lines)
{
	const struct event_context context = events_context(lines->events, lines->entry, false);
	json_t *list = feed_suggestions(lines->event, &context);
	char *json = json_array_size(list) ? json_dumps(list, JSON_COMPACT) : NULL;

	json_decref(list);
	return json;
}

/* The notification as @subscription wants it; NULL: no memory. */
static char *make_line(struct lines *lines, const struct subscription *subscription)
{
	bool with_text = subscription->text && lines->event->head.kind == PK_EVENT_DECISION;
	CLEAN_FREE char *text = with_text ? text_json(lines, subscription->colour) : NULL;
	bool with_suggestions = subscription->suggest && feed_takes(lines->event);
	CLEAN_FREE char *suggest = with_suggestions ? suggest_json(lines) : NULL;
	char *line = NULL;

	if (!event_json(lines))
		return NULL;
	if (asprintf(&line,
		     "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":"
		     "{\"agent\":\"%s\",\"event\":%s%s%s%s%s}}\n",
		     lines->entry->record.id, lines->event_json, text ? ",\"text\":" : "",
		     text ? text : "", suggest ? ",\"suggest\":" : "", suggest ? suggest : "") < 0)
		return NULL;
	return line;
}

/* Where lines->forms has the line that @subscription wants. */
static char **find_form(struct lines *lines, const struct subscription *subscription)
{
	size_t form = 0;

	if (subscription->text && lines->event->head.kind == PK_EVENT_DECISION)
		form = subscription->colour ? 2 : 1;
	if (subscription->suggest && feed_takes(lines->event))
		form += 3;
	return &lines->forms[form];
}

/* Does it get records of @class at all? */
static bool takes(const struct subscription *subscription, enum sink_class class)
{
	if (subscription->classes)
		return subscription->classes & 1U << class;
	return subscription->all || class == SINK_DECISION || class == SINK_ACTIVITY;
}

/*
 * Who watches his own agent is not disconnected for being slow, because its end is told over the same
 * connection: what there is no room for is counted instead.
 */
static bool is_patient(const struct subscription *subscription, const struct agent_entry *entry)
{
	return subscription->slot && client_peer(subscription->client)->uid == entry->record.uid;
}

static void send_to(struct lines *lines, const struct subscription *subscription)
{
	char **form = find_form(lines, subscription);
	size_t length;

	if (!*form)
		*form = make_line(lines, subscription);
	if (!*form)
		return;
	length = strlen(*form);
	if (is_patient(subscription, lines->entry) &&
	    client_room(subscription->client) < length + ROOM_KEPT) {
		lines->entry->untold++;
		lines->entry->untold_allowed += lines->event->head.kind == PK_EVENT_ACTIVITY;
	} else {
		(void)server_notify(subscription->client, *form, length);
	}
}

static enum sink_class class_of(const struct event *event)
{
	return event->head.kind == PK_EVENT_DECISION ? SINK_DECISION : SINK_ACTIVITY;
}

static void sink(struct lines *lines)
{
	enum sink_class class = class_of(lines->event);
	struct sinks *sinks = lines->events->sinks;

	if (!sinks_want(sinks, class))
		return;
	if (class == SINK_ACTIVITY && sinks_fold(sinks, lines->event))
		return;
	if (!event_json(lines))
		return;
	if (class == SINK_ACTIVITY)
		sinks_add_activity(sinks, lines->event, lines->event_json,
				   strlen(lines->event_json));
	else
		sinks_add(sinks, class, lines->event_json, strlen(lines->event_json));
}

static void feed(struct lines *lines)
{
	struct agent_entry *entry = lines->entry;
	struct feeds *feeds = lines->events->feeds;
	struct event_context context;

	if (!feeds || entry->feed.fd < 0 || !feed_takes(lines->event) || !event_json(lines))
		return;
	context = events_context(lines->events, entry, false);
	feed_add(feeds, entry, lines->event, &context, lines->event_json);
}

static void deliver(struct events *events, struct agent_entry *entry, const struct event *event)
{
	CLEAN(lines_reset)
	struct lines lines = { .events = events, .entry = entry, .event = event };

	events->delivered++;
	entry->events++;
	if (event->head.kind == PK_EVENT_DECISION)
		tally_count(&entry->decisions, event->head.section, event->head.verdict);
	if (events->asked && (event->head.ask[0] || event->head.ask[1]))
		events->asked(events->asked_context, entry, event);
	if (entry->summary)
		summary_add(entry->summary, event);
	feed(&lines);
	sink(&lines);
	for (size_t i = 0; i < events->count; i++) {
		if (sees(&events->subscriptions[i], entry) &&
		    takes(&events->subscriptions[i], class_of(event)))
			send_to(&lines, &events->subscriptions[i]);
	}
}

int events_take(void *context, void *bytes, size_t size)
{
	struct events *events = context;
	const struct pk_event *head = bytes;
	struct agent_entry *entry;
	struct event event;

	/* Before it is told: the program should not wait longer than it has to. */
	if (size >= sizeof(*head) && head->abi == PK_ABI_VERSION && destroy_is_wanted(head))
		(void)destroy_socket(&events->destroyer, head);
	if (life_is(bytes, size)) {
		if (events->lives)
			lives_take(events->lives, bytes, size);
	} else if (event_decode(bytes, size, &event)) {
		events->malformed++;
	} else {
		entry = event.head.agent ? registry_at(events->registry, event.head.agent) :
					   &events->nobody;
		if (entry)
			deliver(events, entry, &event);
		else if (event.head.agent != HUB_CANARY_SLOT)
			events->nobodys++;
	}
	if (++events->batch < EVENTS_BATCH)
		return 0;
	events->batch = 0;
	return -EAGAIN;
}

void events_announce(struct events *events, const struct agent_entry *entry, const char *method,
		     json_t *params)
{
	CLEAN_FREE char *line = control_notification_line(method, params);

	for (size_t i = 0; line && i < events->count; i++) {
		if (sees(&events->subscriptions[i], entry))
			(void)server_notify(events->subscriptions[i].client, line, strlen(line));
	}
}

/* --- Records of picketd itself -------------------------------------------------------------------- */

/* Does it get records of @class that are about no agent, or about this one? */
static bool hears(const struct subscription *subscription, const struct agent_entry *entry,
		  enum sink_class class)
{
	if (!takes(subscription, class))
		return false;
	if (entry)
		return sees(subscription, entry);
	return !subscription->slot && client_peer(subscription->client)->role >= PEER_OBSERVER;
}

static char *notification(const struct agent_entry *entry, const char *event)
{
	char *line = NULL;
	int length;

	if (entry)
		length = asprintf(&line,
				  "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":"
				  "{\"agent\":\"%s\",\"event\":%s}}\n",
				  entry->record.id, event);
	else
		length = asprintf(&line,
				  "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":"
				  "{\"event\":%s}}\n",
				  event);
	return length < 0 ? NULL : line;
}

bool events_want(const struct events *events, const struct agent_entry *entry,
		 enum sink_class class)
{
	bool wanted = sinks_want(events->sinks, class);

	for (size_t i = 0; !wanted && i < events->count; i++)
		wanted = hears(&events->subscriptions[i], entry, class);
	return wanted;
}

static void send_line(struct events *events, const struct agent_entry *entry,
		      const struct subscription *subscription, const char *line)
{
	struct agent_entry *owned = entry ? registry_at(events->registry, entry->record.slot) :
					    NULL;
	size_t length = strlen(line);

	if (owned && is_patient(subscription, owned) &&
	    client_room(subscription->client) < length + ROOM_KEPT) {
		owned->untold++;
		owned->untold_allowed++;
	} else {
		(void)server_notify(subscription->client, line, length);
	}
}

void events_hand(struct events *events, const struct agent_entry *entry, enum sink_class class,
		 const char *event)
{
	CLEAN_FREE char *line = NULL;

	if (sinks_want(events->sinks, class))
		sinks_add(events->sinks, class, event, strlen(event));
	for (size_t i = 0; i < events->count; i++) {
		if (!hears(&events->subscriptions[i], entry, class))
			continue;
		if (!line)
			line = notification(entry, event);
		if (line)
			send_line(events, entry, &events->subscriptions[i], line);
	}
}

void events_tell(struct events *events, const struct agent_entry *entry, json_t *record)
{
	CLEAN_FREE char *event = NULL;

	if (record_set_number(record, "seq", (json_int_t)++events->seq) ||
	    record_line(record, &event))
		events->unmade++;
	else
		events_hand(events, entry, SINK_RECORD, event);
	json_decref(record);
}

const struct redact_settings *events_redact(struct events *events)
{
	const struct telemetry_redact *hide = events->hide;

	if (!hide)
		return &redact_standard;
	events->redact = (struct redact_settings){
		.defaults = hide->defaults,
		.argv = hide->argv.items,
		.argv_count = hide->argv.count,
		.paths = hide->paths.items,
		.paths_count = hide->paths.count,
		.query = hide->query.items,
		.query_count = hide->query.count,
	};
	return &events->redact;
}

void events_reset(struct events *events)
{
	free(events->subscriptions);
	destroyer_reset(&events->destroyer);
	*events = (struct events){ .destroyer = DESTROYER_NONE };
}
