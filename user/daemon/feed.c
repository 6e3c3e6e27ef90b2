/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A feed is a convenience: whatever goes wrong with one is counted, and nothing else changes. A line is
 * in the file as a whole or not at all.
 */
#include "daemon/feed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/acl.h"
#include "daemon/registry.h"
#include "engine/own.h"
#include "telemetry/render.h"
#include "telemetry/suggest.h"

#define SUFFIX ".jsonl"
#define OPEN_FLAGS (O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
#define GAP "{\"schema\":\"picket.feed/1\",\"dropped\":"
/* Bytes of a name, and of the line about a gap. */
#define NAME_SIZE (AGENT_ID_SIZE + sizeof(SUFFIX) + 8)
#define GAP_SIZE 96
/* Most bytes of an answer: more would be too much for a client's queue. */
#define READ_MAX (256U << 10)

static void feed_name(const struct agent_entry *entry, const char *suffix, char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, "%s%s", entry->record.id, suffix);
}

void feeds_open(struct feeds *feeds, int run_fd, int own)
{
	feeds->own = own;
	feeds->error = 0;
	if (mkdirat(run_fd, FEED_FOLDER, 0711) && errno != EEXIST) {
		feeds->error = -errno;
		return;
	}
	feeds->folder =
		openat(run_fd, FEED_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (feeds->folder < 0 || fchmod(feeds->folder, 0711))
		feeds->error = -errno;
}

void feeds_sweep(struct feeds *feeds, bool (*is_agents)(void *context, const char *id),
		 void *context)
{
	int copy = feeds->folder < 0 ? -1 : fcntl(feeds->folder, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *file;

	if (!dir) {
		mem_close_fd(&copy);
		return;
	}
	while ((file = readdir(dir))) {
		size_t length = strlen(file->d_name);
		char id[AGENT_ID_SIZE] = "";

		if (strcmp(file->d_name, ".") == 0 || strcmp(file->d_name, "..") == 0)
			continue;
		if (length > strlen(SUFFIX) && length - strlen(SUFFIX) < sizeof(id) &&
		    strcmp(file->d_name + length - strlen(SUFFIX), SUFFIX) == 0)
			(void)snprintf(id, sizeof(id), "%.*s", (int)(length - strlen(SUFFIX)),
				       file->d_name);
		if (!id[0] || !is_agents(context, id))
			(void)unlinkat(feeds->folder, file->d_name, 0);
	}
	(void)closedir(dir);
}

static bool is_nobodys(void *context, const char *id)
{
	(void)context;
	(void)id;
	return false;
}

void feeds_remove(int run_fd)
{
	struct feeds feeds = FEEDS_NONE;

	feeds.folder = openat(run_fd, FEED_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	feeds_sweep(&feeds, is_nobodys, NULL);
	feeds_close(&feeds);
	(void)unlinkat(run_fd, FEED_FOLDER, AT_REMOVEDIR);
}

void feeds_close(struct feeds *feeds)
{
	mem_close_fd(&feeds->folder);
	*feeds = (struct feeds)FEEDS_NONE;
}

/* --- One file ------------------------------------------------------------------------------------- */

/* Ready @fd for the agent: protected first, then readable. */
static int prepare(const struct feeds *feeds, int fd, const struct agent_entry *entry)
{
	int r = feeds->own < 0 ? 0 : own_enter_feed(feeds->own, fd, entry->record.slot);

	return r ? r : acl_share(fd, entry->record.uid, ACL_READ);
}

/* Bytes of the whole file, malloc'ed, with a NUL behind them. NULL: none, or no memory. */
static char *read_all(const struct feed *feed)
{
	char *bytes = feed->fd < 0 ? NULL : malloc(feed->size + 1);
	ssize_t n = bytes ? pread(feed->fd, bytes, feed->size, 0) : -1;

	if (n < 0) {
		free(bytes);
		return NULL;
	}
	bytes[n] = '\0';
	return bytes;
}

/* What was dropped before we came is said in the file. A line that a picketd was killed at is dropped too. */
static void take_over(struct feed *feed)
{
	CLEAN_FREE char *bytes = read_all(feed);
	char *end = bytes ? strrchr(bytes, '\n') : NULL;
	bool torn;

	if (!bytes)
		return;
	end = end ? end + 1 : bytes;
	torn = *end != '\0';
	*end = '\0';
	for (const char *at = bytes; (at = strstr(at, GAP)); at += strlen(GAP))
		feed->told = strtoull(at + strlen(GAP), NULL, 10);
	feed->size = (size_t)(end - bytes);
	feed->dropped = feed->told + torn;
	(void)!ftruncate(feed->fd, (off_t)feed->size);
}

/* A file of somebody else's, or with a second name, is not one that we write to. */
static int open_file(const struct feeds *feeds, const struct agent_entry *entry, struct feed *feed)
{
	char name[NAME_SIZE];
	struct stat st;

	feed_name(entry, SUFFIX, name);
	feed->fd = openat(feeds->folder, name, O_CREAT | OPEN_FLAGS, 0600);
	if (feed->fd < 0 || fstat(feed->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
		return -EPERM;
	feed->size = st.st_size > FEED_MAX ? FEED_MAX : (size_t)st.st_size;
	return prepare(feeds, feed->fd, entry);
}

void feed_open(struct feeds *feeds, struct agent_entry *entry)
{
	struct feed *feed = &entry->feed;
	int r = feeds->folder < 0 ? feeds->error : open_file(feeds, entry, feed);

	feeds->error = r;
	if (r)
		mem_close_fd(&feed->fd);
	else
		take_over(feed);
}

void feed_remove(struct feeds *feeds, struct agent_entry *entry)
{
	char name[NAME_SIZE];

	if (entry->feed.fd < 0)
		return;
	if (feeds->own >= 0)
		(void)own_leave(feeds->own, entry->feed.fd);
	feed_name(entry, SUFFIX, name);
	(void)unlinkat(feeds->folder, name, 0);
	mem_close_fd(&entry->feed.fd);
}

/* --- Lines ---------------------------------------------------------------------------------------- */

bool feed_takes(const struct event *event)
{
	return event->head.kind == PK_EVENT_DECISION && event->head.verdict != PK_VERDICT_ALLOW;
}

/* What can be waited for: an approver. */
static void suggest_waiting(const struct event *event, json_t *lines)
{
	char id[REQUEST_ID_SIZE];

	if (suggest_approval(event, id))
		(void)json_array_append_new(lines, json_sprintf("picket approve %s", id));
}

json_t *feed_suggestions(const struct event *event, const struct event_context *context)
{
	CLEAN(suggest_list_reset) struct suggest_list list = { 0 };
	json_t *lines = json_array();

	if (lines)
		suggest_waiting(event, lines);
	if (!lines || !suggest_possible(event) || suggest_add(&list, event, context, 1))
		return lines;
	for (size_t i = 0; i < list.count; i++) {
		CLEAN_FREE char *line = NULL;

		if (list.items[i].forbidden_by == PK_RULE_NONE &&
		    suggest_line(&list.items[i], &line) == 0)
			(void)json_array_append_new(lines, json_string(line));
	}
	return lines;
}

/* The line, malloc'ed, newline included; NULL: no memory. */
static char *make_line(const struct event *event, const struct event_context *context,
		       const char *json)
{
	CLEAN_FREE char *text = NULL;
	CLEAN_FREE char *more = NULL;
	json_t *suggested;
	json_t *object;
	char *line = NULL;

	if (render_event(event, context, &text))
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	suggested = feed_suggestions(event, context);
	object = json_pack("{s:s, s:O*}", "text", text, "suggest",
			   json_array_size(suggested) ? suggested : NULL);
	more = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	json_decref(suggested);
	/* Both are objects: one without its end, one without its beginning. */
	if (!more || asprintf(&line, "%.*s,%s\n", (int)strlen(json) - 1, json, more + 1) < 0)
		return NULL;
	return line;
}

/* Append a line as a whole. */
static int append(struct feed *feed, const char *line)
{
	size_t length = strlen(line);
	ssize_t n = pwrite(feed->fd, line, length, (off_t)feed->size);
	int r = n < 0 ? -errno : -ENOSPC;

	if (n == (ssize_t)length) {
		feed->size += length;
		return 0;
	}
	(void)!ftruncate(feed->fd, (off_t)feed->size);
	return r;
}

static int append_gap(struct feed *feed)
{
	char line[GAP_SIZE];
	int r;

	if (feed->told == feed->dropped)
		return 0;
	(void)snprintf(line, sizeof(line), GAP "%llu}\n", (unsigned long long)feed->dropped);
	r = append(feed, line);
	if (r == 0)
		feed->told = feed->dropped;
	return r;
}

/* Leave only lines about denials. */
static void drop_gaps(char *bytes)
{
	char *to = bytes;

	for (const char *line = bytes; *line;) {
		size_t length = strcspn(line, "\n");

		length += line[length] != '\0';
		if (strncmp(line, GAP, strlen(GAP)) != 0) {
			memmove(to, line, length);
			to += length;
		}
		line += length;
	}
	*to = '\0';
}

static __u64 count_lines(const char *bytes, const char *end)
{
	__u64 count = 0;

	for (; bytes < end; bytes++)
		count += *bytes == '\n';
	return count;
}

/*
 * A copy of the newer half under another name, ready to take the place of the file. One line at its head
 * tells all that is missing; those of before would tell less.
 */
static int copy_half(const struct feeds *feeds, const struct agent_entry *entry,
		     const struct feed *old, struct feed *ret_half)
{
	CLEAN_FREE char *bytes = read_all(old);
	const char *half;
	char name[NAME_SIZE];
	int r;

	if (!bytes)
		return -EIO;
	drop_gaps(bytes);
	half = strchr(bytes + strlen(bytes) / 2, '\n');
	if (!half)
		return -EIO;
	feed_name(entry, ".new", name);
	(void)unlinkat(feeds->folder, name, 0);
	ret_half->fd = openat(feeds->folder, name, O_CREAT | O_EXCL | OPEN_FLAGS, 0600);
	if (ret_half->fd < 0)
		return -errno;
	ret_half->dropped = old->dropped + count_lines(bytes, half + 1);
	r = prepare(feeds, ret_half->fd, entry);
	if (r == 0)
		r = append_gap(ret_half);
	return r ? r : append(ret_half, half + 1);
}

/* Let the older half go. */
static int halve(struct feeds *feeds, struct agent_entry *entry)
{
	struct feed *feed = &entry->feed;
	struct feed half = FEED_NONE;
	char from[NAME_SIZE];
	char to[NAME_SIZE];
	int r = copy_half(feeds, entry, feed, &half);

	feed_name(entry, ".new", from);
	feed_name(entry, SUFFIX, to);
	if (r == 0 && renameat(feeds->folder, from, feeds->folder, to))
		r = -errno;
	if (r) {
		(void)unlinkat(feeds->folder, from, 0);
		if (half.fd >= 0 && feeds->own >= 0)
			(void)own_leave(feeds->own, half.fd);
		mem_close_fd(&half.fd);
		return r;
	}
	if (feeds->own >= 0)
		(void)own_leave(feeds->own, feed->fd);
	feeds->dropped += half.dropped - feed->dropped;
	mem_close_fd(&feed->fd);
	feed->fd = half.fd;
	feed->size = half.size;
	feed->dropped = half.dropped;
	feed->told = half.told;
	return 0;
}

/* Is there a turn left in this second? A gap is told with the first line of the next. */
static bool may_write(struct feed *feed)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	if (feed->second != (__u64)now.tv_sec) {
		feed->second = (__u64)now.tv_sec;
		feed->lines = 0;
	}
	return feed->lines++ < FEED_RATE;
}

static int write_line(struct feeds *feeds, struct agent_entry *entry, const char *line)
{
	struct feed *feed = &entry->feed;
	int r = 0;

	if (feed->size + strlen(line) + GAP_SIZE > FEED_MAX)
		r = halve(feeds, entry);
	if (r == 0)
		r = append_gap(feed);
	return r ? r : append(feed, line);
}

void feed_add(struct feeds *feeds, struct agent_entry *entry, const struct event *event,
	      const struct event_context *context, const char *json)
{
	CLEAN_FREE char *line = NULL;
	int r = -EAGAIN;

	if (entry->feed.fd < 0)
		return;
	if (may_write(&entry->feed)) {
		line = make_line(event, context, json);
		r = line ? write_line(feeds, entry, line) : -ENOMEM;
	}
	if (r != -EAGAIN)
		feeds->error = r;
	if (r == 0)
		return;
	/* Not tried again in this second. */
	entry->feed.lines = FEED_RATE;
	entry->feed.dropped++;
	feeds->dropped++;
}

json_t *feed_read(const struct feed *feed, size_t last)
{
	CLEAN_FREE char *bytes = read_all(feed);
	json_t *lines = json_array();
	size_t length = bytes ? strlen(bytes) : 0;
	size_t end = length;

	while (lines && end > 0 && length - end < READ_MAX && json_array_size(lines) < last) {
		const char *before = memrchr(bytes, '\n', end - 1);
		size_t begin = before ? (size_t)(before - bytes) + 1 : 0;

		if (strncmp(bytes + begin, GAP, strlen(GAP)) != 0)
			(void)json_array_insert_new(
				lines, 0, json_loadb(bytes + begin, end - begin, 0, NULL));
		end = begin;
	}
	return lines;
}
