/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state file: what is saved is read back; what is damaged, foreign or of another boot is not used;
 * a save that fails leaves what there was.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "daemon/state.h"

struct folder {
	char path[40];
	int fd;
	struct registry *registry;
};

static void add(struct registry *registry, __u32 slot, const char *name)
{
	struct agent_entry *entry = registry_new_entry();

	assert_non_null(entry);
	entry->record = (struct agent_record){
		.kind = AGENT_RUN,
		.slot = slot,
		.cgroup = 0xffffffff00ULL + slot,
		.joined = true,
		.known = true,
		.audit = slot == 2,
		.uid = 65534,
		.pid = 4321,
		.start = 123456789,
		.since = 1700000000,
		.name = strdup(name),
		.policy = strdup("web"),
		.cwd = slot == 2 ? NULL : strdup("/home/\xc3\xa4 \"b\""),
		.tags = slot == 2 ? NULL : strdup("5049434b45545f5441534b3dff00"),
		.set = slot == 2 ? NULL : json_pack("{s:s}", "dir", "/srv/a=b"),
		.nested = slot == 2 ? NULL : json_pack("[s, s]", "build", "test"),
	};
	if (slot == 2)
		memcpy(entry->record.parent, registry_at(registry, 1)->record.id, AGENT_ID_SIZE);
	assert_int_equal(registry_make_id(slot, entry->record.id), 0);
	assert_int_equal(registry_add(registry, entry), 0);
}

static int open_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	if (!folder)
		return -1;
	strcpy(folder->path, "/tmp/picket-state-XXXXXX");
	folder->registry = calloc(1, sizeof(*folder->registry));
	if (!mkdtemp(folder->path) || !folder->registry)
		return -1;
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = folder;
	return folder->fd < 0;
}

static int close_folder(void **state)
{
	struct folder *folder = *state;
	struct agent_entry *entry;

	while ((entry = registry_next(folder->registry, 0))) {
		registry_remove(folder->registry, entry);
		registry_free_entry(&entry);
	}
	(void)unlinkat(folder->fd, STATE_FILE, 0);
	(void)unlinkat(folder->fd, STATE_SPARE, 0);
	mem_close_fd(&folder->fd);
	(void)rmdir(folder->path);
	free(folder->registry);
	free(folder);
	return 0;
}

static void write_state(const struct folder *folder, const char *text)
{
	int fd = openat(folder->fd, STATE_FILE, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static char *read_state(const struct folder *folder)
{
	CLEAN_FD int fd = openat(folder->fd, STATE_FILE, O_RDONLY | O_CLOEXEC);
	char *text = calloc(1, 65536);

	assert_true(fd >= 0 && text);
	assert_true(read(fd, text, 65535) >= 0);
	return text;
}

/* Load, expecting @count records and @warnings. */
static struct state load(const struct folder *folder, size_t count, size_t warnings)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct state state = { 0 };

	assert_int_equal(state_load(folder->fd, geteuid(), &state, &diags), 0);
	assert_int_equal(state.count, count);
	assert_int_equal(diags.count, warnings);
	return state;
}

static void what_is_saved_is_read_back(void **state)
{
	const struct folder *folder = *state;
	CLEAN(state_reset) struct state read = { 0 };
	const struct agent_record *old;
	const struct agent_record *new;

	add(folder->registry, 1, "one");
	add(folder->registry, 2, "two");
	assert_int_equal(state_prepare(folder->fd), 0);
	assert_int_equal(state_save(folder->fd, folder->registry, NULL), 0);
	read = load(folder, 2, 0);
	old = &registry_at(folder->registry, 1)->record;
	new = state_find(&read, 1, old->cgroup);
	assert_non_null(new);
	assert_string_equal(new->id, old->id);
	assert_string_equal(new->name, "one");
	assert_string_equal(new->policy, "web");
	assert_string_equal(new->cwd, old->cwd);
	assert_string_equal(new->tags, old->tags);
	assert_true(json_equal(new->set, old->set));
	assert_int_equal(new->uid, 65534);
	assert_int_equal(new->pid, 4321);
	assert_int_equal(new->start, 123456789);
	assert_int_equal(new->since, 1700000000);
	assert_true(new->joined &&new->known && !new->audit);
	new = state_find(&read, 2, registry_at(folder->registry, 2)->record.cgroup);
	assert_true(new &&new->audit && !new->cwd && !new->set && !new->nested);
	assert_string_equal(new->parent, old->id);
	new = state_find(&read, 1, old->cgroup);
	assert_true(json_equal(new->nested, old->nested));
	assert_string_equal(new->parent, "");
	/* Another cgroup in the same slot is another agent. */
	assert_null(state_find(&read, 2, old->cgroup));
}

static void the_files_stay_the_same_two(void **state)
{
	const struct folder *folder = *state;
	struct stat first[2];
	struct stat then[2];

	assert_int_equal(state_prepare(folder->fd), 0);
	assert_int_equal(fstatat(folder->fd, STATE_FILE, &first[0], 0), 0);
	assert_int_equal(fstatat(folder->fd, STATE_SPARE, &first[1], 0), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(state_save(folder->fd, folder->registry, NULL), 0);
	assert_int_equal(state_prepare(folder->fd), 0);
	assert_int_equal(fstatat(folder->fd, STATE_FILE, &then[0], 0), 0);
	assert_int_equal(fstatat(folder->fd, STATE_SPARE, &then[1], 0), 0);
	assert_int_equal(then[0].st_ino, first[1].st_ino);
	assert_int_equal(then[1].st_ino, first[0].st_ino);
	assert_int_equal(then[0].st_mode & 07777, 0600);
	assert_int_equal(then[1].st_mode & 07777, 0600);
}

static void damage_is_noticed(void **state)
{
	static const char *const texts[] = {
		"{",
		"[]",
		"{\"version\":1}",
		"{\"version\":2,\"boot\":\"x\",\"agents\":[]}",
		"{\"version\":1,\"boot\":\"x\",\"agents\":{}}",
		"{\"version\":1,\"version\":1,\"boot\":\"x\",\"agents\":[]}",
	};
	const struct folder *folder = *state;

	assert_int_equal(state_prepare(folder->fd), 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_state(folder, texts[i]);
		(void)load(folder, 0, 1);
	}
}

static void one_bad_record_spoils_no_other(void **state)
{
	static const char *const from[] = { "\"slot\":2",      "\"slot\":2",
					    "\"kind\":0",      "\"uid\":65534",
					    "\"joined\":true", "\"dir\":\"/srv/a=b\"",
					    "\"build\"" };
	static const char *const to[] = { "\"slot\":0", "\"slot\":9999999", "\"kind\":7",
					  "\"uid\":-1", "\"joined\":1",	    "\"dir\":5",
					  "5" };
	const struct folder *folder = *state;

	add(folder->registry, 1, "one");
	add(folder->registry, 2, "two");
	assert_int_equal(state_prepare(folder->fd), 0);
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		CLEAN(state_reset) struct state read = { 0 };
		CLEAN_FREE char *text = NULL;
		CLEAN_FREE char *changed = NULL;
		char *at;

		assert_int_equal(state_save(folder->fd, folder->registry, NULL), 0);
		text = read_state(folder);
		at = strstr(text, from[i]);
		assert_non_null(at);
		*at = '\0';
		assert_true(asprintf(&changed, "%s%s%s", text, to[i], at + strlen(from[i])) > 0);
		write_state(folder, changed);
		read = load(folder, 1, 1);
	}
}

static void another_boot_has_no_agents(void **state)
{
	const struct folder *folder = *state;
	CLEAN_FREE char *text = NULL;

	add(folder->registry, 1, "one");
	assert_int_equal(state_prepare(folder->fd), 0);
	assert_int_equal(state_save(folder->fd, folder->registry, NULL), 0);
	text = read_state(folder);
	strstr(text, "\"boot\":\"")[8] ^= 1;
	write_state(folder, text);
	(void)load(folder, 0, 0);
}

static void files_of_others_are_not_used(void **state)
{
	const struct folder *folder = *state;
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct state read = { 0 };
	struct stat st;

	/* None yet: not a word. */
	(void)load(folder, 0, 0);
	add(folder->registry, 1, "one");
	assert_int_equal(state_prepare(folder->fd), 0);
	assert_int_equal(state_save(folder->fd, folder->registry, NULL), 0);
	assert_int_equal(state_load(folder->fd, geteuid() + 1, &read, &diags), 0);
	assert_int_equal(read.count, 0);
	assert_int_equal(diags.count, 1);
	assert_int_equal(fchmodat(folder->fd, STATE_FILE, 0640, 0), 0);
	(void)load(folder, 0, 1);
	/* A link is neither followed nor written through. */
	assert_int_equal(unlinkat(folder->fd, STATE_FILE, 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", folder->fd, STATE_FILE), 0);
	(void)load(folder, 0, 1);
	assert_int_not_equal(state_prepare(folder->fd), 0);
	assert_int_equal(fstatat(folder->fd, STATE_FILE, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void a_save_that_fails_changes_nothing(void **state)
{
	const struct folder *folder = *state;
	CLEAN(state_reset) struct state read = { 0 };

	add(folder->registry, 1, "one");
	assert_int_equal(state_prepare(folder->fd), 0);
	assert_int_equal(state_save(folder->fd, folder->registry, NULL), 0);
	assert_int_equal(unlinkat(folder->fd, STATE_SPARE, 0), 0);
	add(folder->registry, 2, "two");
	assert_int_equal(state_save(folder->fd, folder->registry, NULL), -ENOENT);
	read = load(folder, 1, 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, open_folder, close_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_is_saved_is_read_back),
		IN_FOLDER(the_files_stay_the_same_two),
		IN_FOLDER(damage_is_noticed),
		IN_FOLDER(one_bad_record_spoils_no_other),
		IN_FOLDER(another_boot_has_no_agents),
		IN_FOLDER(files_of_others_are_not_used),
		IN_FOLDER(a_save_that_fails_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
