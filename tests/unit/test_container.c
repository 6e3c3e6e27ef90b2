/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which control group a container's is: by the names that engines give, in a tree of folders like those
 * of the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
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
#include "daemon/target_container.h"

#define ID "4f1d0c6a9b3e5577aa00bb11cc22dd33ee44ff5566778899aabbccddeeff0011"
#define ALIKE "4f1d0c6a9b3e5577ffffffffcc22dd33ee44ff5566778899aabbccddeeff0011"

static void engines_names_are_known(void **state)
{
	static const char *const names[] = {
		"docker-" ID ".scope",	"libpod-" ID ".scope",
		"libpod-" ID,		"cri-containerd-" ID ".scope",
		"crio-" ID ".scope",	"crio-" ID,
		"nerdctl-" ID ".scope", ID,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_true(container_matches(names[i], ID));
		assert_true(container_matches(names[i], "4f1d0c6a9b3e"));
		assert_false(container_matches(names[i], "4f1d0c6a9b3"));
		assert_false(container_matches(names[i], "4f1d0c6a9b3f"));
		assert_false(container_matches(names[i], ID "0"));
		assert_false(container_matches(names[i], ""));
		assert_false(container_matches(names[i], names[i][0] == '4' ? "x" : names[i]));
	}
}

static void names_are_whole(void **state)
{
	(void)state;
	assert_true(container_matches("lxc.payload.web", "web"));
	assert_false(container_matches("lxc.payload.web2", "web"));
	assert_false(container_matches("lxc.monitor.web", "web"));
	assert_true(container_matches("machine-web.scope", "web"));
	assert_true(container_matches("machine-my\\x2dweb.scope", "my-web"));
	assert_true(container_matches("machine-my-web.scope", "my-web"));
	assert_false(container_matches("machine-my\\x2dweb.scope", "my\\x2dweb"));
	assert_false(container_matches("machine-web.scope", "we"));
	assert_false(container_matches("machine-we.scope", "web"));
	assert_false(container_matches("machine-w\\x2.scope", "w."));
	assert_false(container_matches("machine-web", "web"));
	assert_false(container_matches("machine-web.slice", "web"));
}

static void others_are_none(void **state)
{
	static const char *const names[] = {
		"libpod-conmon-" ID ".scope",
		"crio-conmon-" ID ".scope",
		"docker-" ID ".service",
		"docker-4f1d0c6a9b3e.scope",
		"user-" ID ".scope",
		"docker.service",
		"docker-" ID "0.scope",
		"docker-.scope",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(container_matches(names[i], "4f1d0c6a9b3e"));
	assert_false(
		container_matches("docker-4F1D0C6A9B3E5577AA00BB11CC22DD33EE44FF5566778899AABBC"
				  "CDDEEFF0011.scope",
				  "4F1D0C6A9B3E"));
}

struct tree {
	char path[32];
	int fd;
};

static int make_tree(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return -1;
	(void)snprintf(tree->path, sizeof(tree->path), "/tmp/picket-tree-XXXXXX");
	if (!mkdtemp(tree->path))
		return -1;
	tree->fd = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = tree;
	return tree->fd < 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int remove_tree(void **state)
{
	struct tree *tree = *state;

	(void)close(tree->fd);
	(void)nftw(tree->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(tree);
	return 0;
}

/* Make the folders of a path. */
static void make(const struct tree *tree, const char *path)
{
	CLEAN_FREE char *copy = strdup(path);

	assert_non_null(copy);
	for (char *at = strchr(copy, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		assert_true(mkdirat(tree->fd, copy, 0755) == 0 || errno == EEXIST);
		*at = '/';
	}
	assert_true(mkdirat(tree->fd, copy, 0755) == 0 || errno == EEXIST);
}

static void expect(const struct tree *tree, const char *wish, int wanted, const char *text)
{
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN_FREE char *path = NULL;

	assert_int_equal(container_find(tree->fd, wish, &path, &diags), wanted);
	if (wanted == 0) {
		assert_string_equal(path, text);
		return;
	}
	assert_int_equal(diags.count, 1);
	assert_true(strstr(diags.items[0].message, text) || strstr(diags.items[0].hint, text));
}

static void the_tree_is_looked_through(void **state)
{
	const struct tree *tree = *state;

	make(tree, "system.slice/docker-" ID ".scope/inner/" ID);
	make(tree, "kubepods.slice/pod7/crio-conmon-" ALIKE ".scope");
	make(tree, "lxc.payload.web/system.slice");
	assert_int_equal(symlinkat("system.slice", tree->fd, "link"), 0);
	expect(tree, "4f1d0c6a9b3e", 0, "system.slice/docker-" ID ".scope");
	expect(tree, "web", 0, "lxc.payload.web");
	expect(tree, "database", -ENOENT, "docker inspect");
	expect(tree, "000000000000", -ENOENT, "no-trunc");
}

static void two_are_not_guessed_from(void **state)
{
	const struct tree *tree = *state;

	make(tree, "system.slice/docker-" ID ".scope");
	make(tree, "kubepods.slice/pod7/" ALIKE);
	expect(tree, "4f1d0c6a9b3e", -EEXIST, "system.slice/docker-" ID);
	expect(tree, "4f1d0c6a9b3e", -EEXIST, "kubepods.slice/pod7/" ALIKE);
	expect(tree, "4f1d0c6a9b3e5577aa", 0, "system.slice/docker-" ID ".scope");
	expect(tree, ALIKE, 0, "kubepods.slice/pod7/" ALIKE);
}

static void a_tree_without_end_is_refused(void **state)
{
	const struct tree *tree = *state;
	CLEAN_FREE char *deep = calloc(1, 256);

	assert_non_null(deep);
	for (int i = 0; i < 40; i++)
		(void)strcat(deep, i ? "/d" : "d");
	make(tree, deep);
	expect(tree, "4f1d0c6a9b3e", -E2BIG, "--cgroup");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engines_names_are_known),
		cmocka_unit_test(names_are_whole),
		cmocka_unit_test(others_are_none),
		cmocka_unit_test_setup_teardown(the_tree_is_looked_through, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(two_are_not_guessed_from, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(a_tree_without_end_is_refused, make_tree,
						remove_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
