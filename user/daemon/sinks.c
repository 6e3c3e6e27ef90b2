/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of sinks, each of which decides by itself what becomes of a record.
 */
#include "daemon/sinks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/daemon.h"
#include "daemon/sink_feed.h"
#include "sink/fold.h"

#define SPOOL_FOLDER "spool"
/* Between two tellings of what was lost. */
#define TELL_MS 1000
/* What the daemon's end waits for sinks that work. */
#define CLOSE_MS 1500
/* Between two looks for repeats that are over. */
#define FOLD_MS 250

/** All of them. */
struct sinks {
	struct daemon *daemon;
	struct sink_feed *feeds;
	unsigned int wanted; /* bits: by class, that at least one takes it */
	int spools; /* the folder; -1 = there is none */
	struct loop_source tell; /* timer */
	struct loop_source expire; /* timer: runs while acts are remembered */
	struct fold *fold; /* owned; NULL = nothing is folded */
	bool folding; /* the timer runs */
};

/* --- Opening -------------------------------------------------------------------------------------- */

static void open_spools(struct sinks *sinks)
{
	const char *lib = sinks->daemon->options.lib_dir;
	CLEAN_FREE char *path = NULL;

	if (asprintf(&path, "%s/%s", lib, SPOOL_FOLDER) < 0) {
		path = NULL;
		return;
	}
	if ((mkdir(lib, 0700) && errno != EEXIST) || (mkdir(path, 0700) && errno != EEXIST))
		sinks->spools = -errno;
	else
		sinks->spools = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sinks->spools >= 0)
		return;
	sinks->spools = -1;
	daemon_say(sinks->daemon, "sinks have no spool: cannot make '%s': %s", path,
		   strerror(errno));
}

static void count_wanted(struct sinks *sinks)
{
	sinks->wanted = 0;
	for (const struct sink_feed *feed = sinks->feeds; feed; feed = feed->next)
		sinks->wanted |= feed->settings.events;
}

static struct sink_feed *find_feed(const struct sinks *sinks, const char *name)
{
	for (struct sink_feed *feed = sinks->feeds; feed; feed = feed->next) {
		if (strcmp(feed->settings.name, name) == 0)
			return feed;
	}
	return NULL;
}

static int copy_text(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

/* The settings stay the daemon's: a sink has its own. */
static int copy_settings(const struct sink_settings *from, struct sink_settings *ret)
{
	int r = 0;

	*ret = *from;
	r |= copy_text(from->name, &ret->name);
	r |= copy_text(from->path, &ret->path);
	r |= copy_text(from->host, &ret->host);
	r |= copy_text(from->port, &ret->port);
	r |= copy_text(from->server_name, &ret->server_name);
	r |= copy_text(from->ca, &ret->ca);
	r |= copy_text(from->url, &ret->url);
	r |= copy_text(from->headers.path, &ret->headers.path);
	r |= copy_text(from->hmac_key.path, &ret->hmac_key.path);
	return r ? -ENOMEM : 0;
}

static int add_feed(struct sinks *sinks, const struct sink_settings *settings)
{
	CLEAN(sink_settings_reset) struct sink_settings copy = { 0 };
	struct sink_feed **last = &sinks->feeds;
	int r = copy_settings(settings, &copy);

	while (*last)
		last = &(*last)->next;
	return r ? r : sink_feed_open(sinks->daemon, &copy, sinks->spools, last);
}

static void tell_ready(void *context, __u32 events)
{
	struct sinks *sinks = context;

	(void)events;
	loop_take_timer(&sinks->tell);
	for (struct sink_feed *feed = sinks->feeds; feed; feed = feed->next)
		sink_feed_tell_losses(feed);
}

/* One record for repeats. */
static void add_folded(void *context, const char *text)
{
	struct sinks *sinks = context;
	CLEAN_FREE char *line = NULL;

	if (!text || asprintf(&line, "%s,\"seq\":%llu}", text,
			      (unsigned long long)++sinks->daemon->events.seq) < 0) {
		line = NULL;
		sinks->daemon->events.unmade++;
		return;
	}
	sinks_add(sinks, SINK_ACTIVITY, line, strlen(line));
}

static void expire_ready(void *context, __u32 events)
{
	struct sinks *sinks = context;
	struct timespec now;

	(void)events;
	loop_take_timer(&sinks->expire);
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	sinks->folding =
		fold_expire(sinks->fold, (__u64)now.tv_sec * 1000000000ULL + (__u64)now.tv_nsec);
	if (!sinks->folding)
		loop_set_timer(&sinks->expire, 0, 0);
}

static int open_fold(struct sinks *sinks)
{
	sinks->expire.ready = expire_ready;
	sinks->expire.context = sinks;
	sinks->fold = fold_new(add_folded, sinks);
	return sinks->fold ? loop_add_timer(sinks->daemon->epoll, &sinks->expire) : -ENOMEM;
}

static int open_parts(struct sinks *sinks)
{
	const struct telemetry_settings *settings = &sinks->daemon->telemetry.settings;
	int r;

	sinks->tell.ready = tell_ready;
	sinks->tell.context = sinks;
	r = loop_add_timer(sinks->daemon->epoll, &sinks->tell);
	if (r == 0)
		r = open_fold(sinks);
	open_spools(sinks);
	for (size_t i = 0; r == 0 && i < settings->sink_count; i++)
		r = add_feed(sinks, &settings->sinks[i]);
	count_wanted(sinks);
	loop_set_timer(&sinks->tell, sinks->feeds ? TELL_MS : 0, TELL_MS);
	return r;
}

int sinks_open(struct daemon *daemon, struct diag_list *diags)
{
	int r;

	daemon->sinks = calloc(1, sizeof(*daemon->sinks));
	if (!daemon->sinks)
		return -ENOMEM;
	daemon->sinks->daemon = daemon;
	daemon->sinks->spools = -1;
	daemon->sinks->tell = daemon->sinks->expire = (struct loop_source)LOOP_SOURCE_NONE;
	r = open_parts(daemon->sinks);
	if (r)
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot start the sinks: %s", strerror(-r));
	return r;
}

/* --- Records -------------------------------------------------------------------------------------- */

bool sinks_want(const struct sinks *sinks, enum sink_class class)
{
	return sinks && (sinks->wanted & 1U << class);
}

void sinks_add(struct sinks *sinks, enum sink_class class, const char *line, size_t length)
{
	struct sink_line *copy;

	if (!sinks_want(sinks, class))
		return;
	copy = sink_line_new(class, line, length);
	for (struct sink_feed *feed = sinks->feeds; feed; feed = feed->next) {
		if (!(feed->settings.events & 1U << class))
			continue;
		if (copy) {
			sink_feed_add(feed, copy);
		} else {
			feed->queue.counts.offered[class]++;
			feed->queue.counts.lost[class]++;
		}
	}
	sink_line_drop(&copy);
}

bool sinks_fold(struct sinks *sinks, const struct event *event)
{
	return sinks_want(sinks, SINK_ACTIVITY) && fold_repeats(sinks->fold, event);
}

void sinks_add_activity(struct sinks *sinks, const struct event *event, const char *line,
			size_t length)
{
	if (!sinks_want(sinks, SINK_ACTIVITY))
		return;
	fold_remember(sinks->fold, event, line, length);
	sinks_add(sinks, SINK_ACTIVITY, line, length);
	if (!sinks->folding)
		loop_set_timer(&sinks->expire, FOLD_MS, FOLD_MS);
	sinks->folding = true;
}

/* --- Reload --------------------------------------------------------------------------------------- */

/* What is not configured any more goes; its spool stays, for the day it is again. */
static void remove_feeds(struct sinks *sinks)
{
	struct sink_feed **at = &sinks->feeds;

	while (*at) {
		struct sink_feed *feed = *at;

		if (feed->kept) {
			at = &feed->next;
			continue;
		}
		*at = feed->next;
		daemon_say(sinks->daemon, "sink '%s' is configured no more: %llu records wait",
			   feed->settings.name,
			   (unsigned long long)sink_queue_waiting(&feed->queue));
		sink_feed_remove(&feed);
	}
}

/* Another type, or a spool that comes or goes, is another sink. */
static bool is_same(const struct sink_settings *a, const struct sink_settings *b)
{
	return a->type == b->type && !a->spool == !b->spool;
}

static int change_feed(struct sink_feed *feed, const struct sink_settings *settings)
{
	CLEAN(sink_settings_reset) struct sink_settings copy = { 0 };
	int r;

	if (sink_settings_equal(&feed->settings, settings))
		return 0;
	r = copy_settings(settings, &copy);
	if (r == 0)
		sink_feed_change(feed, &copy);
	return r;
}

void sinks_reload(struct sinks *sinks)
{
	const struct telemetry_settings *settings = &sinks->daemon->telemetry.settings;
	int r = 0;

	for (struct sink_feed *feed = sinks->feeds; feed; feed = feed->next)
		feed->kept = false;
	for (size_t i = 0; i < settings->sink_count; i++) {
		struct sink_feed *feed = find_feed(sinks, settings->sinks[i].name);

		if (feed && is_same(&feed->settings, &settings->sinks[i]))
			feed->kept = true;
	}
	remove_feeds(sinks);
	for (size_t i = 0; r == 0 && i < settings->sink_count; i++) {
		struct sink_feed *feed = find_feed(sinks, settings->sinks[i].name);

		if (feed) {
			r = change_feed(feed, &settings->sinks[i]);
			continue;
		}
		r = add_feed(sinks, &settings->sinks[i]);
		feed = find_feed(sinks, settings->sinks[i].name);
		if (feed)
			feed->kept = true;
	}
	if (r)
		daemon_say(sinks->daemon, "not all sinks could be changed: %s", strerror(-r));
	count_wanted(sinks);
	loop_set_timer(&sinks->tell, sinks->feeds ? TELL_MS : 0, TELL_MS);
}

json_t *sinks_status(const struct sinks *sinks)
{
	json_t *list = json_array();

	for (const struct sink_feed *feed = sinks ? sinks->feeds : NULL; list && feed;
	     feed = feed->next)
		(void)json_array_append_new(list, sink_feed_status(feed));
	return list;
}

/* --- Closing -------------------------------------------------------------------------------------- */

static long ms_since(const struct timespec *from)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - from->tv_sec) * 1000 + (now.tv_nsec - from->tv_nsec) / 1000000;
}

static bool are_busy(const struct sinks *sinks)
{
	for (const struct sink_feed *feed = sinks->feeds; feed; feed = feed->next) {
		if (sink_feed_is_busy(feed))
			return true;
	}
	return false;
}

/* Those that work get a moment for what is in memory. */
static void finish(struct sinks *sinks)
{
	struct timespec begun;

	(void)clock_gettime(CLOCK_MONOTONIC, &begun);
	while (are_busy(sinks) && ms_since(&begun) < CLOSE_MS) {
		struct timespec pause = { .tv_nsec = 5000000 };

		for (struct sink_feed *feed = sinks->feeds; feed; feed = feed->next) {
			feed->full = false;
			sink_feed_work(feed);
		}
		(void)nanosleep(&pause, NULL);
	}
}

void sinks_close(struct sinks **sinks)
{
	if (!*sinks)
		return;
	fold_free(&(*sinks)->fold);
	finish(*sinks);
	while ((*sinks)->feeds) {
		struct sink_feed *feed = (*sinks)->feeds;

		(*sinks)->feeds = feed->next;
		sink_feed_close(&feed);
	}
	loop_drop((*sinks)->daemon->epoll, &(*sinks)->tell);
	loop_drop((*sinks)->daemon->epoll, &(*sinks)->expire);
	mem_close_fd(&(*sinks)->spools);
	free(*sinks);
	*sinks = NULL;
}
