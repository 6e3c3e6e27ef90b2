/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which policy a caller gets: names that lead out of the folder, files that others may change, policies
 * that are not for everybody, and that nothing of those is told to who may not use them.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "daemon/policies.h"

#define OPEN "picket: 1\nname: open\nusable_by: {users: [\"4242\"]}\negress: {default: deny}\n"
#define CLOSED "picket: 1\nname: closed\negress: {default: deny}\n"
#define BROKEN "picket: 1\nname: broken\nsecret-word: 1\n"

struct config {
	char path[48];
	struct policies policies;
};

static char *path_in(const struct config *place, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", place->path, name) > 0);
	return path;
}

static void put(const struct config *place, const char *name, const char *text)
{
	CLEAN_FREE char *path = path_in(place, name);
	CLEAN_FILE FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fchmod(fileno(file), 0644), 0);
}

static void make_folder(const struct config *place, const char *name)
{
	CLEAN_FREE char *path = path_in(place, name);

	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(chmod(path, 0755), 0);
}

static int open_place(void **state)
{
	struct config *place = calloc(1, sizeof(*place));

	if (!place)
		return -1;
	strcpy(place->path, "/tmp/picket-policies-XXXXXX");
	if (!mkdtemp(place->path) || chmod(place->path, 0755))
		return -1;
	make_folder(place, "policies");
	make_folder(place, "managed.d");
	put(place, "policies/open.yaml", OPEN);
	put(place, "policies/closed.yaml", CLOSED);
	put(place, "policies/broken.yaml", BROKEN);
	*state = place;
	return policies_open(place->path, geteuid(), &place->policies);
}

static int close_place(void **state)
{
	struct config *place = *state;
	CLEAN_FREE char *command = NULL;

	policies_reset(&place->policies);
	if (asprintf(&command, "rm -rf '%s'", place->path) < 0)
		return -1;
	free(place);
	return system(command); /* NOLINT(cert-env33-c,concurrency-mt-unsafe): a name of our own */
}

static int find(const struct config *place, const char *name)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN_FREE char *path = NULL;
	int r = policies_find(&place->policies, name, &path, &diags);

	/* A finding for each failure, but for what is not there. */
	assert_int_equal(diags.count, r && r != -ENOENT);
	assert_int_equal(path != NULL, r == 0);
	return r;
}

static void names_stay_in_the_folder(void **state)
{
	static const char *const good[] = { "a", "web-2", "A_b.c", "0" };
	static const char *const bad[] = { "",	   ".",	  "..",	  ".hidden", "a/b", "/etc/passwd",
					   "../x", "a b", "a\nb", "\xc3\xa4" };
	char name[80];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(policies_is_name(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(policies_is_name(bad[i]));
	memset(name, 'a', sizeof(name));
	name[64] = '\0';
	assert_true(policies_is_name(name));
	name[64] = 'a';
	name[65] = '\0';
	assert_false(policies_is_name(name));
}

static void files_are_an_administrators(void **state)
{
	const struct config *place = *state;
	CLEAN_FREE char *open_path = path_in(place, "policies/open.yaml");
	CLEAN_FREE char *link_path = path_in(place, "policies/link.yaml");
	CLEAN_FREE char *folder = path_in(place, "policies");
	CLEAN_FREE char *moved = path_in(place, "elsewhere");

	assert_int_equal(find(place, "open"), 0);
	assert_int_equal(find(place, "nothing"), -ENOENT);
	assert_int_equal(symlink(open_path, link_path), 0);
	assert_int_equal(find(place, "link"), -EPERM);
	make_folder(place, "policies/folder.yaml");
	assert_int_equal(find(place, "folder"), -EPERM);
	assert_int_equal(chmod(open_path, 0664), 0);
	assert_int_equal(find(place, "open"), -EPERM);
	assert_int_equal(chmod(open_path, 0644), 0);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_int_equal(find(place, "open"), -EPERM);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(find(place, "open"), 0);
	assert_int_equal(rename(folder, moved), 0);
	assert_int_equal(find(place, "open"), -ENOENT);
	assert_int_equal(symlink(moved, folder), 0);
	assert_int_equal(find(place, "open"), -EPERM);
}

/* Compile for a caller; how many findings it got in *@ret_findings. */
static int compile_for(const struct config *place, const struct agent_record *record,
		       const struct peer *peer, size_t *ret_findings)
{
	CLEAN(policies_reset_compiled) struct compiled compiled = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	int r = policies_compile(&place->policies, record, peer, &compiled, &diags);

	*ret_findings = diags.count;
	assert_int_equal(compiled.image.bytes != NULL, r == 0);
	if (r == 0) {
		assert_int_equal(strlen(compiled.digest), 64);
		assert_true(compiled.file_count >= 1);
	}
	return r;
}

/* Compiling for @peer fails, and @message is all that is said about it. */
static void says(const struct config *place, const struct agent_record *record,
		 const struct peer *peer, const char *message)
{
	CLEAN(policies_reset_compiled) struct compiled compiled = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };

	assert_int_not_equal(policies_compile(&place->policies, record, peer, &compiled, &diags),
			     0);
	assert_int_equal(diags.count, 1);
	assert_string_equal(diags.items[0].message, message);
}

static int compile(const struct config *place, const char *policy, const struct peer *peer,
		   size_t *ret_findings)
{
	char cwd[] = "/tmp";
	const struct agent_record record = { .policy = (char *)policy,
					     .cwd = cwd,
					     .uid = peer ? peer->uid : 4242 };

	return compile_for(place, &record, peer, ret_findings);
}

/* Guarded files must be root's, so these tests need to be. */
static bool is_root(void)
{
	if (geteuid() == 0)
		return true;
	skip();
	return false;
}

static void who_may_use_what(void **state)
{
	const struct config *place = *state;
	const struct peer user = { .uid = 4242, .gid = 4242, .role = PEER_NOBODY, .pidfd = -1 };
	const struct peer other = { .uid = 4243, .gid = 4243, .role = PEER_OBSERVER, .pidfd = -1 };
	const struct peer admin = { .uid = 4244, .role = PEER_OPERATOR, .pidfd = -1 };
	size_t findings;

	if (!is_root())
		return;
	assert_int_equal(compile(place, "open", &user, &findings), 0);
	assert_int_equal(compile(place, "open", &other, &findings), -ENOENT);
	assert_int_equal(findings, 0);
	assert_int_equal(compile(place, "open", &admin, &findings), 0);
	assert_int_equal(compile(place, "closed", &user, &findings), -ENOENT);
	assert_int_equal(findings, 0);
	assert_int_equal(compile(place, "closed", &admin, &findings), 0);
	/* For an agent that runs, nobody asks any more. */
	assert_int_equal(compile(place, "closed", NULL, &findings), 0);
}

static void faults_are_told_to_some(void **state)
{
	const struct config *place = *state;
	const struct peer user = { .uid = 4242, .gid = 4242, .role = PEER_NOBODY, .pidfd = -1 };
	const struct peer root = { .uid = 0, .role = PEER_OPERATOR, .pidfd = -1 };
	CLEAN_FREE char *writable = path_in(place, "policies/closed.yaml");
	size_t findings;

	if (!is_root())
		return;
	assert_int_equal(compile(place, "broken", &user, &findings), -ENOENT);
	assert_int_equal(findings, 0);
	assert_int_equal(compile(place, "broken", &root, &findings), -EINVAL);
	assert_true(findings > 0);
	assert_int_equal(chmod(writable, 0666), 0);
	assert_int_equal(compile(place, "closed", &user, &findings), -ENOENT);
	assert_int_equal(findings, 0);
	assert_int_equal(compile(place, "closed", &root, &findings), -EPERM);
	assert_int_equal(findings, 1);
}

static void paths_are_for_root(void **state)
{
	const struct config *place = *state;
	const struct peer admin = { .uid = 4244, .role = PEER_OPERATOR, .pidfd = -1 };
	const struct peer root = { .uid = 0, .role = PEER_OPERATOR, .pidfd = -1 };
	CLEAN_FREE char *path = path_in(place, "policies/closed.yaml");
	size_t findings;

	if (!is_root())
		return;
	assert_int_equal(compile(place, path, &admin, &findings), -EACCES);
	assert_int_equal(compile(place, "/etc/shadow", &admin, &findings), -EACCES);
	assert_int_equal(findings, 0);
	assert_int_equal(compile(place, path, &root, &findings), 0);
	assert_int_equal(compile(place, "../policies/closed", &root, &findings), -ENOENT);
}

static void what_a_caller_sets_is_his_fault(void **state)
{
	const struct config *place = *state;
	const struct peer user = { .uid = 4242, .gid = 4242, .role = PEER_NOBODY, .pidfd = -1 };
	char policy[] = "open";
	struct agent_record record = { .policy = policy, .uid = 4242 };
	size_t findings;

	if (!is_root())
		return;
	record.set = json_pack("{s:s}", "unheard", "of");
	assert_int_equal(compile_for(place, &record, &user, &findings), -EINVAL);
	assert_true(findings > 0);
	json_decref(record.set);
	record.set = json_pack("{s:s}", "1x", "of");
	says(place, &record, &user, "the name of a variable is not one");
	json_decref(record.set);
}

static void agents_around_are_few_and_hidden(void **state)
{
	const struct config *place = *state;
	const struct peer user = { .uid = 4242, .gid = 4242, .role = PEER_NESTED, .pidfd = -1 };
	char open[] = "open", broken[] = "broken", cwd[] = "/tmp";
	CLEAN_FREE struct agent_record *records = calloc(PK_LAYERS_MAX + 2, sizeof(*records));

	assert_non_null(records);
	if (!is_root())
		return;
	for (size_t i = 0; i < PK_LAYERS_MAX + 2; i++)
		records[i] = (struct agent_record){
			.policy = open, .cwd = cwd, .uid = 4242, .around = &records[i + 1]
		};
	records[PK_LAYERS_MAX + 1].around = NULL;
	says(place, &records[0], &user, "there are 8 agents around this one already");
	records[2].around = NULL;
	records[1].policy = broken;
	says(place, &records[0], &user,
	     "the layers above the policy have errors, or a file that it includes has");
}

static void managed_layers_stop_loading(void **state)
{
	const struct config *place = *state;
	const struct peer user = { .uid = 4242, .gid = 4242, .role = PEER_NOBODY, .pidfd = -1 };
	CLEAN_FREE char *path = path_in(place, "managed.d/10-all.yaml");
	char policy[] = "open";
	size_t findings;

	if (!is_root())
		return;
	put(place, "managed.d/10-all.yaml", CLOSED);
	assert_int_equal(compile(place, "open", &user, &findings), 0);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_not_equal(compile(place, "open", &user, &findings), 0);
	assert_int_equal(chmod(path, 0644), 0);
	put(place, "managed.d/10-all.yaml", BROKEN);
	assert_int_not_equal(compile(place, "open", &user, &findings), 0);
	/* That they have errors, and not a word of theirs. */
	assert_int_equal(findings, 1);
	says(place, &(struct agent_record){ .policy = policy, .uid = 4242 }, &user,
	     "the managed layers of this machine have errors");
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_stay_in_the_folder),
		IN_PLACE(files_are_an_administrators),
		IN_PLACE(who_may_use_what),
		IN_PLACE(faults_are_told_to_some),
		IN_PLACE(paths_are_for_root),
		IN_PLACE(what_a_caller_sets_is_his_fault),
		IN_PLACE(managed_layers_stop_loading),
		IN_PLACE(agents_around_are_few_and_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
