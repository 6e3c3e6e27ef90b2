/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file is between two processes of one program: numbers as they are in memory, texts and images with
 * their length in front. A mark at its end says that it is whole.
 */
#include "daemon/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "daemon/daemon.h"
#include "daemon/diff.h"
#include "daemon/nested.h"
#include "engine/session.h"

#define PLAN_END 0x6e616c50U /* "Plan" */

/* --- Compiling ------------------------------------------------------------------------------------ */

/* What equal inputs were compiled to. */
struct made {
	const struct agent_record *record; /* borrowed; the first of those that ask for it */
	struct compiled compiled; /* owned; empty when it failed */
	char *findings; /* owned; why it failed, or NULL */
	int error;
};

/* Under way. The parts of the file are collected by themselves: how many there are is written first. */
struct work {
	const struct daemon *daemon;
	struct made *made; /* owned */
	size_t made_count;
	FILE *changes; /* owned */
	char *changes_text; /* owned */
	size_t changes_size;
	__u32 count;
	__u32 unchanged;
	json_t *failed; /* owned */
};

static void work_reset(struct work *work)
{
	for (size_t i = 0; i < work->made_count; i++) {
		policies_reset_compiled(&work->made[i].compiled);
		free(work->made[i].findings);
	}
	free(work->made);
	mem_close_file(&work->changes);
	free(work->changes_text);
	json_decref(work->failed);
}

static void put_bytes(FILE *to, const void *bytes, size_t size)
{
	__u64 length = size;

	(void)fwrite(&length, sizeof(length), 1, to);
	if (size)
		(void)fwrite(bytes, 1, size, to);
}

static void put_text(FILE *to, const char *text)
{
	put_bytes(to, text, strlen(text));
}

static void put_number(FILE *to, __u32 number)
{
	(void)fwrite(&number, sizeof(number), 1, to);
}

static int add_failed(json_t *failed, const struct agent_entry *entry, const char *findings,
		      int error)
{
	const char *text = findings	    ? findings :
			   error == -ENOENT ? "the policy is not there any more\n" :
					      strerror(-error);

	return json_array_append_new(failed,
				     json_pack("{s:s, s:s, s:s}", "agent", entry->record.id,
					       "policy", entry->record.policy, "findings", text)) ?
		       -ENOMEM :
		       0;
}

static int add_failed_diags(json_t *failed, const struct agent_entry *entry,
			    const struct diag_list *diags, int error)
{
	CLEAN_FREE char *findings = daemon_diags_text(diags);

	return add_failed(failed, entry, findings, error);
}

int plan_fail(struct plan *plan, const struct agent_entry *entry, const struct diag_list *diags,
	      int error)
{
	return add_failed_diags(plan->failed, entry, diags, error);
}

/* Can the new image take the place of the old one in processes that run? */
static int check(const struct daemon *daemon, const struct agent_entry *entry,
		 const struct compiled *next, struct diag_list *diags)
{
	enum pk_tier tier;
	int r = session_choose_tier(&daemon->features, &next->image, daemon->hub.tier, &tier,
				    diags);

	if (r || entry->record.kind != AGENT_RUN || !entry->record.joined || !entry->image.bytes ||
	    diff_same_calls(&entry->image, &next->image))
		return r;
	diag_hint(diag_add(diags, DIAG_ERROR, NULL,
			   "the section 'syscalls' is another one, and processes that run keep "
			   "the one they have"),
		  "start the agent anew, or leave the section as it was");
	return -EINVAL;
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* NULL: empty. */
static bool is_same_list(const json_t *a, const json_t *b)
{
	return a == b || json_equal(a, b);
}

/* Are both compiled to the same? Of the account only the uid counts: its name and home go with it. */
static bool same_inputs(const struct agent_record *a, const struct agent_record *b)
{
	return strcmp(a->policy, b->policy) == 0 && a->audit == b->audit && a->uid == b->uid &&
	       a->around == b->around && is_same_text(a->cwd, b->cwd) &&
	       (a->set == b->set || json_equal(a->set, b->set));
}

/* Compile the policy of @record, unless that was done. Many agents of a host have the same. */
static const struct made *make(struct work *work, const struct agent_record *record)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct made *made = work->made;

	for (; made < work->made + work->made_count; made++) {
		if (same_inputs(made->record, record))
			return made;
	}
	work->made_count++;
	made->record = record;
	made->error =
		policies_compile(&work->daemon->policies, record, NULL, &made->compiled, &diags);
	if (made->error)
		made->findings = daemon_diags_text(&diags);
	return made;
}

static int put_change(struct work *work, const struct agent_entry *entry, const struct made *made)
{
	CLEAN_FREE char *diff = NULL;

	if (entry->image.bytes && diff_rules(&entry->image, &made->compiled.image, &diff))
		return -ENOMEM;
	put_text(work->changes, entry->record.id);
	put_number(work->changes, (__u32)(made - work->made));
	put_text(work->changes, diff ? diff : "");
	work->count++;
	return 0;
}

static int plan_one(struct work *work, const struct agent_entry *entry)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	const struct made *made;
	int r;

	if (!entry->record.policy || entry->end.begun)
		return 0;
	made = make(work, &entry->record);
	if (made->error)
		return add_failed(work->failed, entry, made->findings, made->error);
	if (strcmp(made->compiled.digest, entry->digest) == 0 &&
	    is_same_list(made->compiled.nested, entry->record.nested)) {
		work->unchanged++;
		return 0;
	}
	r = check(work->daemon, entry, &made->compiled, &diags);
	return r ? add_failed_diags(work->failed, entry, &diags, r) : put_change(work, entry, made);
}

static int make_all(struct work *work, const struct agent_entry *only)
{
	const struct registry *registry = &work->daemon->registry;
	const struct agent_entry *entry = NULL;
	__u32 slot = 0;
	int r = 0;

	work->made = calloc(registry->count + 1, sizeof(*work->made));
	work->failed = json_array();
	work->changes = open_memstream(&work->changes_text, &work->changes_size);
	if (!work->made || !work->failed || !work->changes)
		return -ENOMEM;
	while (r == 0 && (entry = registry_next(registry, slot))) {
		slot = entry->record.slot;
		/* Its policy is a layer of those inside of it. */
		if (only && entry != only && !nested_in(&entry->record, only))
			continue;
		r = plan_one(work, entry);
	}
	return r == 0 && fflush(work->changes) ? -ENOMEM : r;
}

/* --- Writing -------------------------------------------------------------------------------------- */

static int put_json(FILE *to, const json_t *document)
{
	CLEAN_FREE char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;

	if (document && !text)
		return -ENOMEM;
	put_text(to, text ? text : "");
	return 0;
}

static int put_made(FILE *to, const struct compiled *compiled)
{
	put_text(to, compiled->path ? compiled->path : "");
	put_number(to, (__u32)compiled->file_count);
	for (size_t i = 0; i < compiled->file_count; i++)
		put_text(to, compiled->files[i]);
	put_text(to, compiled->digest);
	put_bytes(to, compiled->image.bytes, compiled->image.size);
	return put_json(to, compiled->nested);
}

int plan_write(const struct daemon *daemon, const struct agent_entry *only, FILE *to)
{
	CLEAN(work_reset) struct work work = { .daemon = daemon };
	int r = make_all(&work, only);

	put_number(to, work.unchanged);
	if (r == 0)
		r = put_json(to, work.failed);
	put_number(to, (__u32)work.made_count);
	for (size_t i = 0; r == 0 && i < work.made_count; i++)
		r = put_made(to, &work.made[i].compiled);
	put_number(to, work.count);
	if (r)
		return r;
	(void)fwrite(work.changes_text, 1, work.changes_size, to);
	put_number(to, PLAN_END);
	return fflush(to) || ferror(to) ? -errno : 0;
}

/* --- Reading -------------------------------------------------------------------------------------- */

/* What was not read yet; @bad once something was missing. */
struct rest {
	const char *at;
	size_t left;
	bool bad;
};

static const void *take(struct rest *rest, size_t size)
{
	const void *at = rest->at;

	if (rest->bad || size > rest->left) {
		rest->bad = true;
		return NULL;
	}
	rest->at += size;
	rest->left -= size;
	return at;
}

static __u32 take_number(struct rest *rest)
{
	const void *at = take(rest, sizeof(__u32));
	__u32 number = 0;

	if (at)
		memcpy(&number, at, sizeof(number));
	return number;
}

/* No more of something than there are bytes. */
static __u32 take_count(struct rest *rest)
{
	__u32 count = take_number(rest);

	rest->bad |= count > rest->left;
	return rest->bad ? 0 : count;
}

static const void *take_bytes(struct rest *rest, size_t *ret_size)
{
	const void *at = take(rest, sizeof(__u64));
	__u64 length = 0;

	if (at)
		memcpy(&length, at, sizeof(length));
	*ret_size = (size_t)length;
	return take(rest, *ret_size);
}

/* Caller frees; NULL: no memory, or there is none. */
static char *take_text(struct rest *rest)
{
	size_t size;
	const char *bytes = take_bytes(rest, &size);

	return bytes ? strndup(bytes, size) : NULL;
}

/* @size bytes with their NUL. */
static void take_short(struct rest *rest, char *ret_text, size_t size)
{
	size_t length;
	const char *bytes = take_bytes(rest, &length);

	if (bytes && length < size)
		memcpy(ret_text, bytes, length);
	else
		rest->bad = true;
}

/* *@ret_document stays NULL where none was written. */
static void take_json(struct rest *rest, json_t **ret_document)
{
	size_t size;
	const char *bytes = take_bytes(rest, &size);

	if (!bytes || !size)
		return;
	*ret_document = json_loadb(bytes, size, 0, NULL);
	rest->bad |= !*ret_document;
}

/* The image stays where it is: plan_reset() knows. */
static int read_made(struct rest *rest, struct compiled *made)
{
	__u32 count;

	made->path = take_text(rest);
	count = take_count(rest);
	made->files = calloc(count + 1, sizeof(*made->files));
	if (!made->files || !made->path)
		return -ENOMEM;
	for (; made->file_count < count; made->file_count++) {
		made->files[made->file_count] = take_text(rest);
		if (!made->files[made->file_count])
			return rest->bad ? -EBADMSG : -ENOMEM;
	}
	take_short(rest, made->digest, sizeof(made->digest));
	made->image.bytes = (__u8 *)take_bytes(rest, &made->image.size);
	take_json(rest, &made->nested);
	return rest->bad ? -EBADMSG : 0;
}

static int read_change(struct plan *plan, struct rest *rest)
{
	struct plan_change *change = &plan->changes[plan->count];
	__u32 made;

	take_short(rest, change->agent, sizeof(change->agent));
	made = take_number(rest);
	change->diff = take_text(rest);
	plan->count++;
	if (rest->bad || made >= plan->made_count)
		return -EBADMSG;
	change->made = &plan->made[made];
	return change->diff ? 0 : -ENOMEM;
}

static int read_all(struct plan *plan, struct rest *rest)
{
	__u32 count;
	int r = 0;

	plan->unchanged = take_number(rest);
	take_json(rest, &plan->failed);
	count = take_count(rest);
	plan->made = calloc((size_t)count + 1, sizeof(*plan->made));
	/* Counted first: what was read of one is freed with the others. */
	while (r == 0 && plan->made && plan->made_count < count)
		r = read_made(rest, &plan->made[plan->made_count++]);
	count = r ? 0 : take_count(rest);
	plan->changes = calloc((size_t)count + 1, sizeof(*plan->changes));
	if (!plan->made || !plan->changes)
		return -ENOMEM;
	while (r == 0 && plan->count < count)
		r = read_change(plan, rest);
	if (r)
		return r;
	return take_number(rest) != PLAN_END || rest->left || !json_is_array(plan->failed) ?
		       -EBADMSG :
		       0;
}

int plan_read(int fd, struct plan *ret_plan)
{
	CLEAN(plan_reset) struct plan plan = { 0 };
	struct rest rest = { 0 };
	struct stat st;
	void *bytes;
	int r;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size <= 0)
		return -EBADMSG;
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	plan.bytes = bytes;
	plan.size = (size_t)st.st_size;
	rest.at = bytes;
	rest.left = plan.size;
	r = read_all(&plan, &rest);
	if (r)
		return r;
	*ret_plan = plan;
	plan = (struct plan){ 0 };
	return 0;
}

void plan_reset(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		free(plan->changes[i].diff);
		policies_reset_compiled(&plan->changes[i].before);
	}
	for (size_t i = 0; i < plan->made_count; i++) {
		plan->made[i].image = (struct policy_image){ 0 };
		policies_reset_compiled(&plan->made[i]);
	}
	free(plan->changes);
	free(plan->made);
	json_decref(plan->failed);
	if (plan->bytes)
		(void)munmap((void *)plan->bytes, plan->size);
	*plan = (struct plan){ 0 };
}
