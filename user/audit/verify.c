/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk over the files of a trail. What one record says by itself is looked at here, what they say of
 * each other in verify_chain.c.
 */
#include "audit/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/verify_parts.h"
#include "base/mem.h"

/* A line that is being written is whole soon. */
#define RETRIES 20
#define RETRY_NS 10000000L

static const char missing_remedy[] =
	"get it from a backup; what it held may still be in the sinks and their anchors";
static const char key_remedy[] =
	"name the public half of every key that was used by --key; if all are named, somebody else "
	"wrote this";

/** Which file is read. */
struct file_at {
	__u32 number; /* of the segment; 0: one file by itself */
	__u32 previous; /* of the one before it, or 0 */
	char name[AUDIT_NAME_SIZE]; /* as its first record says it */
	bool last;
};

/* --- What a record says --------------------------------------------------------------------------- */

static const char *text_in(const struct audit_line *line, const char *key)
{
	return json_string_value(json_object_get(line->object, key));
}

static bool knows_key(const struct verifier *verifier, const char *id)
{
	for (size_t i = 0; id && i < verifier->options->key_count; i++) {
		if (strcmp(verifier->options->keys[i].id, id) == 0)
			return true;
	}
	return false;
}

static void look_at_checkpoint(struct verifier *verifier, const struct verify_place *place,
			       const struct audit_line *line, const char *text, size_t size)
{
	const struct verify_options *options = verifier->options;
	const char *id = text_in(line, "key");

	verifier->summary->checkpoints++;
	if (!options->key_count)
		return;
	if (!audit_line_signature(line)) {
		if (verifier->signs)
			verify_tell(verifier, place, key_remedy,
				    "this checkpoint is not signed, and an earlier one is");
	} else if (!knows_key(verifier, id)) {
		verify_tell(verifier, place, key_remedy,
			    "this checkpoint is signed by another key: %.64s", id ? id : "unnamed");
	} else if (audit_line_verify(text, size, options->keys, options->key_count)) {
		verify_tell(verifier, place, key_remedy,
			    "the signature of this checkpoint is wrong");
	} else {
		verifier->signs = true;
		verifier->summary->signatures++;
		verifier->summary->signed_to = place->head.seq;
	}
}

/* The end of the segment before: is it torn as the next one says? */
static void look_at_torn(struct verifier *verifier, const struct audit_line *line)
{
	const json_t *torn = json_object_get(line->object, "torn");
	const char *hash = json_string_value(json_object_get(torn, "hash"));

	if (verifier->torn && hash && strcmp(hash, verifier->torn_hash) == 0 &&
	    json_integer_value(json_object_get(torn, "bytes")) == (json_int_t)verifier->torn)
		verifier->summary->torn++;
	else if (verifier->torn)
		verify_tell(
			verifier, &verifier->torn_place, missing_remedy,
			"this last line is torn, and the next segment does not say so: something "
			"was cut off");
	else if (torn)
		verify_tell(verifier, &verifier->chain.last, missing_remedy,
			    "the torn line that the next segment says was here is not");
	verifier->torn = 0;
}

/* The first record of a segment. */
static void look_at_segment(struct verifier *verifier, const struct verify_place *place,
			    const struct audit_line *line, const struct file_at *at)
{
	const char *name = text_in(line, "segment");
	const char *previous = text_in(line, "previous");
	char wanted[AUDIT_NAME_SIZE] = "";

	if (strcmp(line->what, "segment") != 0 || !name) {
		verify_tell(verifier, place, missing_remedy,
			    "the first record of the segment is not that of its beginning");
		return;
	}
	if (strcmp(name, at->name) != 0)
		verify_tell(verifier, place, "give each segment the name that it began with",
			    "this segment began as '%.31s'", name);
	if (at->previous)
		audit_segment_name(at->previous, wanted);
	if (at->previous && (!previous || strcmp(previous, wanted) != 0))
		verify_tell(verifier, place, missing_remedy,
			    "this segment follows '%.31s', and not '%s'", previous ? previous : "",
			    wanted);
	if (json_is_true(json_object_get(line->object, "headless")))
		verify_tell(verifier, place, "compare with anchors (--anchor)",
			    "when picketd began this segment the file '" AUDIT_HEAD_FILE
			    "' was missing: the trail may have been cut before");
	if (at->previous)
		look_at_torn(verifier, line);
}

/* The record of a segment's removal: is it of the one before the first there is? */
static void look_at_removed(struct verifier *verifier, const struct audit_line *line)
{
	const char *segment = text_in(line, "segment");
	const char *hash =
		json_string_value(json_object_get(json_object_get(line->object, "last"), "hash"));

	if (segment && hash && verifier->first_segment &&
	    audit_segment_number(segment) + 1 == verifier->first_segment &&
	    strcmp(hash, verifier->first_prev) == 0)
		verifier->first_removed = true;
}

/* The anchors of this record, and those of records that were missing before it. */
static void look_at_anchors(struct verifier *verifier, const struct verify_place *place)
{
	const struct anchors *anchors = verifier->options->anchors;
	struct verify_summary *summary = verifier->summary;

	for (; anchors && verifier->anchor < anchors->count; verifier->anchor++) {
		const struct audit_head *anchor = &anchors->items[verifier->anchor];

		if (anchor->seq > place->head.seq)
			return;
		if (anchor->seq < summary->first)
			summary->anchors_before++;
		else if (anchor->seq == place->head.seq &&
			 strcmp(anchor->hash, place->head.hash) == 0)
			summary->anchors_good++;
		else
			verify_tell(
				verifier, place,
				"the anchor was kept elsewhere: what is here was changed after it, "
				"or is of another host",
				"record %llu is not the one that was anchored",
				(unsigned long long)anchor->seq);
	}
}

/* --- Lines and files ------------------------------------------------------------------------------ */

static void take_record(struct verifier *verifier, struct verify_place *place,
			const struct file_at *at, const char *text, size_t size)
{
	const struct verify_options *options = verifier->options;
	struct verify_summary *summary = verifier->summary;
	struct audit_line line = { 0 };
	const char *why = NULL;

	if (audit_line_parse(text, size, &line, &why)) {
		verify_break(verifier, place, why);
		return;
	}
	place->head.seq = line.seq;
	memcpy(place->head.hash, line.hash, sizeof(line.hash));
	if (!summary->first) {
		summary->first = line.seq;
		memcpy(verifier->first_prev, line.prev, SIGN_HEX);
	}
	summary->records++;
	if (place->line == 1)
		look_at_segment(verifier, place, &line, at);
	verify_follow(verifier, place, line.prev);
	look_at_anchors(verifier, place);
	if (strcmp(line.what, "checkpoint") == 0)
		look_at_checkpoint(verifier, place, &line, text, size);
	if (strcmp(line.what, "removed") == 0)
		look_at_removed(verifier, &line);
	if (options->record)
		options->record(options->context, &line, text, size);
	audit_line_reset(&line);
}

static int take_torn(struct verifier *verifier, const struct verify_place *place, const char *text,
		     size_t size)
{
	verifier->torn_place = *place;
	verifier->torn_place.head.seq = verifier->chain.last.head.seq + 1;
	verifier->torn = size;
	return audit_hash(text, size, verifier->torn_hash);
}

static int read_next(struct audit_reader *reader, bool last, const char **text, size_t *size)
{
	const struct timespec pause = { .tv_nsec = RETRY_NS };
	int r = audit_reader_next(reader, text, size);

	for (unsigned int i = 0; r == AUDIT_READ_TORN && last && i < RETRIES; i++) {
		(void)nanosleep(&pause, NULL);
		r = audit_reader_next(reader, text, size);
	}
	return r;
}

static int take_file(struct verifier *verifier, int fd, const char *path, const struct file_at *at)
{
	struct audit_reader reader = { .fd = fd };
	struct verify_place place = { 0 };
	const char *text = NULL;
	size_t size = 0;
	int r;

	(void)snprintf(place.file, sizeof(place.file), "%s", path);
	for (;;) {
		r = read_next(&reader, at->last, &text, &size);
		if (r != AUDIT_READ_LINE && r != AUDIT_READ_LONG)
			break;
		place.line = reader.line;
		place.unknown = place.unbound = false;
		if (r == AUDIT_READ_LONG)
			verify_break(verifier, &place, "it is longer than records are");
		else
			take_record(verifier, &place, at, text, size);
	}
	place.line = reader.line + 1;
	if (r == AUDIT_READ_TORN)
		r = take_torn(verifier, &place, text, size);
	else if (r == AUDIT_READ_END)
		r = 0;
	audit_reader_reset(&reader);
	return r;
}

static void end_torn(struct verifier *verifier)
{
	if (verifier->torn)
		verify_tell(
			verifier, &verifier->torn_place,
			"if the host lost power: picketd says so in the trail at its next start",
			"this last line is torn: it has no end");
}

/* Anchors of records that never came. */
static void end_anchors(struct verifier *verifier)
{
	const struct anchors *anchors = verifier->options->anchors;
	size_t left = anchors ? anchors->count - verifier->anchor : 0;

	if (left)
		verify_tell(
			verifier, &verifier->chain.last, missing_remedy,
			"the trail ends with record %llu, and record %llu was anchored: it was cut",
			(unsigned long long)verifier->chain.last.head.seq,
			(unsigned long long)anchors->items[anchors->count - 1].seq);
}

static void end_all(struct verifier *verifier, const struct audit_head *head)
{
	struct verify_summary *summary = verifier->summary;
	struct verify_place place = { 0 };

	(void)snprintf(place.file, sizeof(place.file), "%s", verifier->folder);
	verify_end(verifier, head);
	end_torn(verifier);
	end_anchors(verifier);
	if (verifier->options->key_count && summary->checkpoints && !summary->signatures)
		verify_tell(verifier, &verifier->chain.last, key_remedy,
			    "no checkpoint is signed by the key");
	if (verifier->first_segment > 1 && !verifier->first_removed)
		verify_tell(verifier, &place, missing_remedy,
			    "the segments before number %u are missing, and no record says that "
			    "they were removed",
			    verifier->first_segment);
	summary->last = verifier->chain.last.head;
}

/* --- A folder, a file ----------------------------------------------------------------------------- */

static void look_at_gap(struct verifier *verifier, const struct file_at *at)
{
	struct verify_place place = { 0 };

	if (!at->previous || at->number == at->previous + 1)
		return;
	(void)snprintf(place.file, sizeof(place.file), "%s", verifier->folder);
	place.head.seq = verifier->chain.last.head.seq + 1;
	verify_tell(verifier, &place, missing_remedy, "%u segment%s missing before '%s'",
		    at->number - at->previous - 1, at->number - at->previous == 2 ? " is" : "s are",
		    at->name);
}

static int take_segment(struct verifier *verifier, int folder, const struct file_at *at)
{
	char path[sizeof(verifier->chain.last.file)];
	CLEAN_FD int fd =
		openat(folder, at->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "%s/%s", verifier->folder, at->name);
	look_at_gap(verifier, at);
	return take_file(verifier, fd, path, at);
}

static int take_segments(struct verifier *verifier, int folder,
			 const struct audit_segments *segments)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < segments->count; i++) {
		struct file_at at = {
			.number = segments->items[i],
			.previous = i ? segments->items[i - 1] : 0,
			.last = i + 1 == segments->count,
		};

		audit_segment_name(at.number, at.name);
		r = take_segment(verifier, folder, &at);
	}
	return r;
}

/* The head file. Returns 0, or -errno: it cannot be read; *@ret_known: it says something. */
static int take_head(struct verifier *verifier, int folder, struct audit_head *ret_head,
		     bool *ret_known)
{
	struct verify_place place = { 0 };
	int r = audit_head_read(folder, ret_head);

	*ret_known = r == 0;
	if (r == 0 || (r != -EBADMSG && r != -ENOENT))
		return r;
	(void)snprintf(place.file, sizeof(place.file), "%s/" AUDIT_HEAD_FILE, verifier->folder);
	if (r == -EBADMSG)
		verify_tell(verifier, &place, "compare with anchors (--anchor)",
			    "the file that says what was synced last is damaged");
	else if (!verifier->options->anchors)
		verify_tell(verifier, &place, "compare with anchors (--anchor)",
			    "the file that says what was synced last is missing: without it, and "
			    "without anchors, a tail that was cut is not seen");
	return 0;
}

/* The first record of all is the first. */
static void begin_chain(struct verifier *verifier)
{
	const struct audit_head none = AUDIT_HEAD_NONE;

	verifier->chain.last.head = none;
	verifier->chain.begun = verifier->first_segment == 1;
}

static int take_folder(struct verifier *verifier, int folder)
{
	struct audit_segments segments = { 0 };
	struct verify_place place = { 0 };
	struct audit_head head = AUDIT_HEAD_NONE;
	bool known = false;
	int r;

	/* Segments stay while they are read. */
	(void)flock(folder, LOCK_SH);
	r = take_head(verifier, folder, &head, &known);
	if (r == 0)
		r = audit_segments_list(folder, &segments);
	if (r)
		return r;
	(void)snprintf(place.file, sizeof(place.file), "%s", verifier->folder);
	verifier->summary->whole = true;
	verifier->summary->head_used = known;
	verifier->summary->segments = segments.count;
	verifier->first_segment = segments.count ? segments.items[0] : 0;
	begin_chain(verifier);
	r = take_segments(verifier, folder, &segments);
	if (r == 0 && !verifier->summary->records && head.seq)
		verify_tell(verifier, &place, missing_remedy,
			    "no record is there, and there were %llu by the file '" AUDIT_HEAD_FILE
			    "'",
			    (unsigned long long)head.seq);
	else if (r == 0 && !segments.count && !verifier->options->anchors)
		r = -ENOENT;
	if (r == 0)
		end_all(verifier, known ? &head : NULL);
	audit_segments_reset(&segments);
	return r;
}

static int take_single(struct verifier *verifier, int fd, const char *path)
{
	CLEAN_FREE char *copy = strdup(path);
	struct file_at at = { .last = true };
	int r;

	if (!copy)
		return -ENOMEM;
	(void)snprintf(at.name, sizeof(at.name), "%s", basename(copy));
	verifier->summary->segments = 1;
	r = take_file(verifier, fd, path, &at);
	if (r == 0 && !verifier->summary->records && !verifier->summary->faults)
		r = -ENOENT;
	if (r == 0)
		end_all(verifier, NULL);
	return r;
}

int verify_trail(const char *path, const struct verify_options *options,
		 struct verify_summary *ret_summary)
{
	CLEAN_FREE struct verifier *verifier = calloc(1, sizeof(*verifier));
	CLEAN_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct verify_summary summary = { 0 };
	struct stat st;
	int r;

	if (!verifier)
		return -ENOMEM;
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (strlen(path) >= sizeof(verifier->folder))
		return -ENAMETOOLONG;
	verifier->options = options;
	verifier->summary = &summary;
	if (S_ISDIR(st.st_mode)) {
		memcpy(verifier->folder, path, strlen(path) + 1);
		r = take_folder(verifier, fd);
	} else {
		r = S_ISREG(st.st_mode) ? take_single(verifier, fd, path) : -EINVAL;
	}
	if (r == 0)
		*ret_summary = summary;
	return r;
}
