/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file is read whenever something is asked: it is small, and asking is rare.
 */
#include "daemon/ask_local.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <picket.skel.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/ask_book.h"
#include "daemon/daemon.h"
#include "engine/own.h"
#include "policy/guarded.h"

/* The list's key, in a file that has no act yet. */
#define LIST_KEY "approved:\n"

/* A file as it is. */
struct local {
	char *path; /* owned */
	struct source source;
	json_t *book; /* owned */
};

static void local_reset(struct local *local)
{
	free(local->path);
	source_reset(&local->source);
	json_decref(local->book);
}

/* NULL: the policy is not one of the folder, or no memory. */
static char *find_path(const struct daemon *daemon, const struct agent_entry *entry)
{
	char *path = NULL;

	if (!entry || !entry->record.policy || !policies_is_name(entry->record.policy))
		return NULL;
	if (asprintf(&path, "%s/%s.local.yaml", daemon->policies.folder, entry->record.policy) < 0)
		path = NULL;
	return path;
}

static int protect(struct daemon *daemon, char *path, struct diag_list *diags)
{
	return own_publish(bpf_map__fd(daemon->hub.loader.skel->maps.pk_own), &path, 1, diags);
}

void ask_local_prepare(struct daemon *daemon, const struct agent_entry *entry)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN_FREE char *path = NULL;
	CLEAN_FD int fd = -1;

	if (!entry->image.bytes || !image_head(&entry->image)->ask_timeout)
		return;
	path = find_path(daemon, entry);
	if (!path)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd >= 0)
		(void)!write(fd, ASK_BOOK_HEAD, strlen(ASK_BOOK_HEAD));
	else if (errno != EEXIST)
		daemon_say(daemon, "cannot make '%s': %s; nothing can be approved for always", path,
			   strerror(errno));
	if ((fd >= 0 || errno == EEXIST) && protect(daemon, path, &diags))
		daemon_say_diags(daemon, &diags);
}

/* --- Reading -------------------------------------------------------------------------------------- */

static int check_place(const struct daemon *daemon, const char *path, struct diag_list *diags)
{
	CLEAN(guarded_fault_reset) struct guarded_fault fault = { 0 };
	int r = guarded_check(path, GUARDED_FILE, daemon->policies.owner, &fault);
	struct diag *diag;

	if (r == 0 || r == -ENOENT)
		return r;
	diag = diag_add(diags, DIAG_ERROR, NULL, "cannot read '%s': %s", path,
			fault.why ? fault.why : strerror(-r));
	if (fault.remedy)
		diag_hint(diag, "%s", fault.remedy);
	return r;
}

/* Returns 0; -ENOENT: the policy has no file; or another -errno with an error. */
static int read_local(const struct ask_request *request, struct local *local,
		      struct diag_list *diags)
{
	const struct daemon *daemon = request->asks->daemon;
	const struct agent_entry *entry = asks_agent(request->asks, request->key.agent);
	struct source_identity identity;
	CLEAN_FREE char *why = NULL;
	int r;

	local->path = find_path(daemon, entry);
	r = local->path ? check_place(daemon, local->path, diags) : -ENOENT;
	if (r)
		return r;
	r = source_read(local->path, SOURCE_INCLUDE, &local->source, &identity, &why);
	if (r) {
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot read '%s': %s", local->path,
			       why ? why : strerror(-r));
		return r;
	}
	if (source_check(&local->source, diags) == 0)
		local->book = ask_book_parse(&local->source, diags);
	return local->book ? 0 : -EINVAL;
}

bool ask_local_answers(struct ask_request *request)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(local_reset) struct local local = { 0 };
	struct daemon *daemon = request->asks->daemon;
	struct ask_vote vote = { .uid = ASK_UID_FILE, .mode = ASK_AGENT };
	const char *why = NULL;
	json_t *grant = NULL;
	json_t *name;
	bool has;
	int r = read_local(request, &local, &diags);

	if (r) {
		daemon_say_diags(daemon, &diags);
		return false;
	}
	name = ask_book_name(request->act, &why);
	has = name && ask_book_has(local.book, name, request->approvers);
	json_decref(name);
	if (!has)
		return false;
	vote.doc = ask_by(vote.uid, "local file", &vote, NULL);
	r = ask_vote(request, &vote, &grant, &diags);
	json_decref(grant);
	daemon_say_diags(daemon, &diags);
	return r > 0;
}

/* --- Writing -------------------------------------------------------------------------------------- */

/* What is to be added, and to what. */
struct addition {
	struct local local;
	char *lines; /* owned; "" = it is there already */
};

static void addition_reset(struct addition *addition)
{
	local_reset(&addition->local);
	free(addition->lines);
}

/* Names of those who approved, with commas between. */
static char *voters(const struct ask_request *request, const char *key)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	bool any = false;

	for (size_t i = 0; to && i < request->vote_count; i++) {
		const char *one = json_string_value(json_object_get(request->votes[i].doc, key));

		if (one)
			(void)fprintf(to, "%s%s", any ? ", " : "", one);
		any |= one != NULL;
	}
	if (!to || text_close(to, &text))
		return NULL;
	if (!any) {
		free(text);
		return NULL;
	}
	return text;
}

static int make_lines(const struct ask_request *request, struct addition *addition,
		      struct diag_list *diags)
{
	CLEAN_FREE char *by = voters(request, "who");
	CLEAN_FREE char *comment = voters(request, "reason");
	CLEAN_FREE char *lines = NULL;
	const char *why = NULL;
	json_t *name = ask_book_name(request->act, &why);
	bool first = !json_array_size(addition->local.book);

	if (!name) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL, "it cannot be approved for always: %s",
				   why),
			  "approve it for the agent's life");
		return -EINVAL;
	}
	if (ask_book_has(addition->local.book, name, request->approvers))
		addition->lines = strdup("");
	else
		lines = ask_book_lines(name, request->approvers, by, comment);
	json_decref(name);
	if (lines && asprintf(&addition->lines, "%s%s", first ? LIST_KEY : "", lines) < 0)
		addition->lines = NULL;
	return addition->lines ? 0 : -ENOMEM;
}

static int plan(const struct ask_request *request, struct addition *addition,
		struct diag_list *diags)
{
	int r = read_local(request, &addition->local, diags);

	if (r == -ENOENT) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "it cannot be approved for always: the agent's policy has no "
				   "local file"),
			  "only policies of /etc/picket/policies have one; approve it for the "
			  "agent's life");
		return -EINVAL;
	}
	return r ? r : make_lines(request, addition, diags);
}

int ask_local_preview(const struct ask_request *request, char **ret_diff, char **ret_path,
		      struct diag_list *diags)
{
	CLEAN(addition_reset) struct addition addition = { 0 };
	CLEAN_FREE char *before = NULL;
	int r = plan(request, &addition, diags);

	if (r)
		return r;
	before = strndup(addition.local.source.text ? addition.local.source.text : "",
			 addition.local.source.length);
	*ret_diff = !before	    ? NULL :
		    *addition.lines ? ask_book_diff(addition.local.path, before, addition.lines) :
				      strdup("");
	if (!*ret_diff)
		return -ENOMEM;
	*ret_path = TAKE_PTR(addition.local.path);
	return 0;
}

/* What it would be must be what is read afterwards: files of people may be written in other ways. */
static int check_text(const struct addition *addition, char *text, struct diag_list *diags)
{
	CLEAN(source_reset)
	struct source source = {
		.name = addition->local.path,
		.text = text,
		.length = strlen(text),
	};
	json_t *book = source_check(&source, diags) == 0 ? ask_book_parse(&source, diags) : NULL;
	bool right = json_array_size(book) == json_array_size(addition->local.book) + 1;

	json_decref(book);
	if (right)
		return 0;
	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "cannot add to '%s' as it is written",
			   addition->local.path),
		  "write it as `approved:` with each act behind two blanks and '- '");
	return -EINVAL;
}

/* A new file in the old one's place; protected before it has the name. */
static int replace(struct daemon *daemon, const char *path, const char *text,
		   struct diag_list *diags)
{
	CLEAN_FREE char *spare = NULL;
	CLEAN_FD int folder = open(daemon->policies.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEAN_FD int fd = -1;
	int r = 0;

	/* Hidden: no policy of that name. */
	if (asprintf(&spare, "%s/.%s.new", daemon->policies.folder, strrchr(path, '/') + 1) < 0) {
		spare = NULL;
		return -ENOMEM;
	}
	(void)unlink(spare);
	fd = open(spare, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || folder < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fsync(fd))
		r = errno ? -errno : -ENOSPC;
	if (r == 0)
		r = protect(daemon, spare, diags);
	if (r == 0 && rename(spare, path))
		r = -errno;
	if (r)
		(void)unlink(spare);
	else
		(void)fsync(folder);
	return r;
}

int ask_local_write(const struct ask_request *request, struct diag_list *diags)
{
	CLEAN(addition_reset) struct addition addition = { 0 };
	struct daemon *daemon = request->asks->daemon;
	const struct source *source = &addition.local.source;
	CLEAN_FREE char *text = NULL;
	bool ends;
	int r = plan(request, &addition, diags);

	if (r || !*addition.lines)
		return r;
	ends = !source->length || source->text[source->length - 1] == '\n';
	if (asprintf(&text, "%.*s%s%s", (int)source->length, source->text ? source->text : "",
		     ends ? "" : "\n", addition.lines) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	r = check_text(&addition, text, diags);
	if (r)
		return r;
	r = replace(daemon, addition.local.path, text, diags);
	if (r)
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot write '%s': %s",
			       addition.local.path, strerror(-r));
	else
		daemon_say(daemon, "request %s is approved for always in '%s'", request->id,
			   addition.local.path);
	return r;
}
