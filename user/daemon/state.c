/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record with anything wrong in it is left out: its agent is then one of which nothing is known,
 * and goes on being confined.
 */
#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

#define STATE_VERSION 1
#define OPEN_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

/* Slots and cgroups mean something in one boot only. */
static int read_boot(char boot[64])
{
	CLEAN_FILE FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!file || !fgets(boot, 64, file))
		return -EIO;
	boot[strcspn(boot, "\n")] = '\0';
	return 0;
}

int state_prepare(int run_fd)
{
	static const char *const names[] = { STATE_FILE, STATE_SPARE };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CLEAN_FD int fd = openat(run_fd, names[i], O_RDWR | O_CREAT | OPEN_FLAGS, 0600);
		struct stat st;

		if (fd < 0 || fstat(fd, &st))
			return -errno;
		/* Another name elsewhere, another owner: somebody else's file. */
		if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1) {
			if (unlinkat(run_fd, names[i], 0))
				return -errno;
			i--;
			continue;
		}
		if (fchmod(fd, 0600))
			return -errno;
	}
	return 0;
}

static json_t *encode(const struct agent_record *record)
{
	return json_pack("{s:s, s:i, s:I, s:I, s:b, s:b, s:s*, s:s*, s:b, s:O*, s:s*, s:I, s:I, "
			 "s:I, s:I, s:s, s:O*, s:s*}",
			 "id", record->id, "kind", (int)record->kind, "slot",
			 (json_int_t)record->slot, "cgroup", (json_int_t)record->cgroup, "joined",
			 record->joined, "known", record->known, "name", record->name, "policy",
			 record->policy, "audit", record->audit, "set", record->set, "cwd",
			 record->cwd, "uid", (json_int_t)record->uid, "pid",
			 (json_int_t)record->pid, "start", (json_int_t)record->start, "since",
			 (json_int_t)record->since, "parent", record->parent, "nested",
			 record->nested, "tags", record->tags);
}

static json_t *encode_all(const struct registry *registry, const char *boot, json_t *grants)
{
	json_t *agents = json_array();
	const struct agent_entry *entry = NULL;
	__u32 slot = 0;

	while (agents && (entry = registry_next(registry, slot))) {
		slot = entry->record.slot;
		if (json_array_append_new(agents, encode(&entry->record))) {
			json_decref(agents);
			return NULL;
		}
	}
	return json_pack("{s:i, s:s, s:o, s:O*}", "version", STATE_VERSION, "boot", boot, "agents",
			 agents, "grants", grants);
}

static int write_all(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			length -= (size_t)n;
		}
	}
	return fsync(fd) ? -errno : 0;
}

int state_save(int run_fd, const struct registry *registry, json_t *grants)
{
	CLEAN_FREE char *text = NULL;
	CLEAN_FD int fd = -1;
	char boot[64];
	int r = read_boot(boot);
	json_t *all = r == 0 ? encode_all(registry, boot, grants) : NULL;

	if (all)
		text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	if (!text)
		return r ? r : -ENOMEM;
	fd = openat(run_fd, STATE_SPARE, O_WRONLY | O_TRUNC | OPEN_FLAGS);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text);
	if (r == 0 && renameat2(run_fd, STATE_SPARE, run_fd, STATE_FILE, RENAME_EXCHANGE))
		r = -errno;
	return r;
}

/* A copy of a text, NULL for one that is absent. */
static int take_text(const json_t *object, const char *key, char **ret_text)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		return 0;
	*ret_text = strdup(text);
	return *ret_text ? 0 : -ENOMEM;
}

static bool is_set_valid(const json_t *set)
{
	const char *key;
	json_t *value;

	if (!set)
		return true;
	if (!json_is_object(set))
		return false;
	json_object_foreach((json_t *)set, key, value) {
		if (!json_is_string(value))
			return false;
	}
	return true;
}

static bool is_list_valid(const json_t *list)
{
	const json_t *value;
	size_t i;

	json_array_foreach(list, i, value) {
		if (!json_is_string(value))
			return false;
	}
	return !list || json_is_array(list);
}

/* The numbers of a record; false when one is missing or out of range. */
static bool decode_numbers(json_t *object, struct agent_record *record)
{
	json_int_t slot;
	json_int_t cgroup;
	json_int_t uid;
	json_int_t pid;
	json_int_t start;
	json_int_t since;
	int kind;
	int joined;
	int known;
	int audit;

	if (json_unpack(object, "{s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:b, s:b, s:b}", "slot", &slot,
			"cgroup", &cgroup, "uid", &uid, "pid", &pid, "start", &start, "since",
			&since, "kind", &kind, "joined", &joined, "known", &known, "audit", &audit))
		return false;
	if (slot <= 0 || slot >= PK_AGENTS_MAX || kind < 0 || kind >= AGENT__KINDS || uid < 0 ||
	    uid > UINT_MAX || pid < 0 || pid > INT_MAX)
		return false;
	record->slot = (__u32)slot;
	record->cgroup = (__u64)cgroup;
	record->uid = (uid_t)uid;
	record->pid = (pid_t)pid;
	record->start = (__u64)start;
	record->since = (time_t)since;
	record->kind = (enum agent_kind)kind;
	record->joined = joined;
	record->known = known;
	record->audit = audit;
	return true;
}

/* Returns 0, -EINVAL for a record that cannot be, or -ENOMEM. */
static int decode(json_t *object, struct agent_record *record)
{
	const char *id = json_string_value(json_object_get(object, "id"));
	const char *parent = json_string_value(json_object_get(object, "parent"));
	json_t *nested = json_object_get(object, "nested");
	json_t *set = json_object_get(object, "set");
	int r;

	if (!id || strlen(id) >= AGENT_ID_SIZE || !decode_numbers(object, record) ||
	    !is_set_valid(set) || (parent && strlen(parent) >= AGENT_ID_SIZE) ||
	    !is_list_valid(nested))
		return -EINVAL;
	memcpy(record->id, id, strlen(id) + 1);
	if (parent)
		memcpy(record->parent, parent, strlen(parent) + 1);
	r = take_text(object, "name", &record->name);
	if (r == 0)
		r = take_text(object, "policy", &record->policy);
	if (r == 0)
		r = take_text(object, "cwd", &record->cwd);
	if (r == 0)
		r = take_text(object, "tags", &record->tags);
	record->set = json_incref(set);
	record->nested = json_incref(nested);
	return r;
}

static void damaged(struct diag_list *diags, const char *why)
{
	diag_hint(diag_add(diags, DIAG_WARNING, NULL, "cannot use '%s': %s", STATE_FILE, why),
		  "agents go on being confined; those that it names are shown as 'unknown'");
}

static int decode_all(json_t *all, struct state *state, struct diag_list *diags)
{
	json_t *agents = json_object_get(all, "agents");
	size_t count = json_array_size(agents);
	size_t left_out = 0;

	state->items = calloc(count ? count : 1, sizeof(*state->items));
	if (!state->items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct agent_record *record = &state->items[state->count];
		int r = decode(json_array_get(agents, i), record);

		if (r == -ENOMEM)
			return r;
		if (r == 0) {
			state->count++;
			continue;
		}
		registry_reset_record(record);
		left_out++;
	}
	if (left_out)
		damaged(diags, "a record in it is not one");
	return 0;
}

/* The file as JSON; NULL with *@ret_why unless it is new. */
static json_t *read_json(int run_fd, uid_t owner, const char **ret_why)
{
	CLEAN_FD int fd = openat(run_fd, STATE_FILE, O_RDONLY | OPEN_FLAGS);
	struct stat st;
	json_t *all;

	if (fd < 0 || fstat(fd, &st)) {
		*ret_why = errno == ENOENT ? NULL : strerror(errno);
		return NULL;
	}
	*ret_why = NULL;
	if (!S_ISREG(st.st_mode) || st.st_uid != owner || (st.st_mode & 077) || st.st_nlink != 1)
		*ret_why = "it is not a file of the daemon's own";
	else if (st.st_size > STATE_MAX)
		*ret_why = "it is too large";
	if (*ret_why || st.st_size == 0)
		return NULL;
	all = json_loadfd(fd, JSON_REJECT_DUPLICATES, NULL);
	if (!all)
		*ret_why = "it is damaged";
	return all;
}

int state_load(int run_fd, uid_t owner, struct state *ret_state, struct diag_list *diags)
{
	const char *why = NULL;
	json_t *all = read_json(run_fd, owner, &why);
	const char *boot = json_string_value(json_object_get(all, "boot"));
	char now[64] = "";
	int r = 0;

	*ret_state = (struct state){ 0 };
	if (all && json_integer_value(json_object_get(all, "version")) != STATE_VERSION)
		why = "it is of another version of picket";
	else if (all && (!boot || !json_is_array(json_object_get(all, "agents"))))
		why = "it is damaged";
	if (why)
		damaged(diags, why);
	else if (boot && read_boot(now) == 0 && strcmp(boot, now) == 0)
		r = decode_all(all, ret_state, diags);
	if (r == 0 && ret_state->items)
		ret_state->grants = json_incref(json_object_get(all, "grants"));
	json_decref(all);
	if (r)
		state_reset(ret_state);
	return r;
}

struct agent_record *state_find(const struct state *state, __u32 slot, __u64 cgroup)
{
	for (size_t i = 0; i < state->count; i++) {
		if (state->items[i].slot == slot && state->items[i].cgroup == cgroup)
			return &state->items[i];
	}
	return NULL;
}

void state_reset(struct state *state)
{
	for (size_t i = 0; i < state->count; i++)
		registry_reset_record(&state->items[i]);
	free(state->items);
	json_decref(state->grants);
	*state = (struct state){ 0 };
}
