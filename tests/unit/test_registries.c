/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Package registries: what configuration files name, with its line; what is not believed, and that
 * only a policy that says so hears a user's own files. All names here are examples.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "commands.h"
#include "policy/load.h"
#include "policy/registries.h"

struct parse_case {
	enum registries_format format;
	const char *text;
	const char *found; /* "HOST:PORT ORIGIN" a line */
	const char *notes; /* one a line, in order */
};

static const struct parse_case parse_cases[] = {
	{ REGISTRIES_APT_LIST,
	  "# deb http://no.example/ x main\n"
	  "deb [arch=amd64 signed-by=/x] https://deb.example:8443/debian x main # y\n"
	  "deb-src\thttp://src.example/debian x main\ndebug http://no.example/\n"
	  "deb-src http://src.example/debian x main\n"
	  "deb cdrom:[x]/ x main\ndeb file:/srv/x ./\ndeb mirror+https://mirror.example/list x main\n",
	  "deb.example:8443 f:2\nsrc.example:80 f:5\nmirror.example:443 f:8\n", "" },
	{ REGISTRIES_APT_SOURCES,
	  "Types: deb\nURIs: http://a.example/x https://b.example\n https://c.example/y\nSuites: x\n\n"
	  "Enabled: no\nURIs: http://off.example/\n\n# URIs: http://no.example\nuris:http://d.example\n",
	  "a.example:80 f:2\nb.example:443 f:2\nc.example:443 f:3\nd.example:80 f:10\n", "" },
	{ REGISTRIES_NPM,
	  "; registry=https://no.example\nregistry = \"https://user:pass@N.Example./x/\"\n"
	  "@corp:registry=http://corp.example:4873\n//n.example/:_authToken=x\n"
	  "proxy=http://no.example\n@x:registry=https://${HOST}/\n",
	  "n.example:443 f:2\ncorp.example:4873 f:3\n", "" },
	{ REGISTRIES_PIP,
	  "[global]\nindex-url = https://i.example/simple\nextra-index-url =\n    https://e.example/x\n"
	  "    http://10.0.0.1:3141/x\ntrusted-host = http://no.example\n    https://no.example\n",
	  "i.example:443 f:2\ne.example:443 f:4\n",
	  "f:5 names the address '10.0.0.1': addresses need a rule of their own" },
	{ REGISTRIES_CARGO,
	  "[registries.x]\nindex = \"sparse+https://c.example/i/\"\n[source.y]\n"
	  "registry='https://d.example/i'\ndirectory = \"https://no.example\"\n[registry]\n"
	  "index = \"ssh://git@e.example/i\"\n",
	  "c.example:443 f:2\nd.example:443 f:4\n", "" },
	{ REGISTRIES_GO,
	  "# x\nGOPROXY=https://g.example|http://h.example:3000/x,direct\nGOSUMDB=off\n"
	  "GONOPROXY=https://no.example\n",
	  "g.example:443 f:2\nh.example:3000 f:2\n", "" },
	{ REGISTRIES_GO,
	  "GOPROXY=https://[::1]:3000,http://a.example:0,http://b.example:x,http://c.example:65536,"
	  "https://localhost,https://a..b,https://,https:///x,https://ok.example",
	  "ok.example:443 f:1\n",
	  "f:1 names the address '[::1]:3000': addresses need a rule of their own\n"
	  "f:1 has a port that is none\nf:1 has a port that is none\nf:1 has a port that is none\n"
	  "f:1 names the host 'localhost': programs do not ask for 'localhost': it is this host\n"
	  "f:1 names the host 'a..b': a host name has no empty labels" },
	{ REGISTRIES_NPM, "registry", "", "" },
	{ REGISTRIES_NPM, "=\n\n=https://no.example\n \tregistry=http://r.example\r\n",
	  "r.example:80 f:4\n", "" },
};

/* The notes are @notes, behind the name of the @root. */
static void expect_notes(const struct registries *found, const char *notes, const char *root)
{
	CLEAN_FREE char *copy = strdup(notes);
	char *at = copy;
	size_t i = 0;

	for (char *note = strsep(&at, "\n"); note && *note; note = strsep(&at, "\n"), i++) {
		size_t quoted = *root && *note == '\'';

		assert_true(i < found->note_count);
		assert_true(strncmp(found->notes[i] + quoted, root, strlen(root)) == 0);
		assert_string_equal(found->notes[i] + quoted + strlen(root), note + quoted);
	}
	assert_int_equal(i, found->note_count);
}

static char *words_of(const struct registries *found)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	for (size_t i = 0; i < found->count; i++)
		(void)fprintf(to, "%s:%u %s\n", found->items[i].host, found->items[i].port,
			      found->items[i].origin);
	assert_int_equal(fclose(to), 0);
	return text;
}

static void files_are_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parse_cases) / sizeof(*parse_cases); i++) {
		const struct parse_case *c = &parse_cases[i];
		CLEAN(registries_reset) struct registries found = { 0 };
		CLEAN_FREE char *text = strdup(c->text);
		CLEAN_FREE char *words = NULL;

		assert_int_equal(registries_parse(&found, c->format, "f", text, strlen(text)), 0);
		words = words_of(&found);
		assert_string_equal(words, c->found);
		expect_notes(&found, c->notes, "");
	}
}

/* Whatever bytes a file has. */
static void noise_is_survived(void **state)
{
	static const char alphabet[] = "https://:/@[]$ \t\n=,|\"'#;.ab1\0URIsdebregistry";
	unsigned int seed = 7;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		CLEAN(registries_reset) struct registries found = { 0 };
		char text[201];
		size_t length = (size_t)(rand_r(&seed) % 200);

		for (size_t i = 0; i < length; i++)
			text[i] = alphabet[(size_t)rand_r(&seed) % sizeof(alphabet)];
		text[length] = '\0';
		assert_int_equal(registries_parse(&found, (enum registries_format)(round % 6), "f",
						  text, length),
				 0);
		assert_true(found.note_count <= REGISTRIES_NOTES_MAX);
	}
}

struct place {
	char root[64];
	char home[80];
};

static void make(const struct place *place, const char *path, const char *text)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s%s", place->root, path);
	for (char *slash = strchr(full + strlen(place->root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(full, 0755);
		*slash = '/';
	}
	write_file(full, text);
	assert_int_equal(chmod(full, 0644), 0);
}

static int enter(void **state)
{
	static struct place place;

	(void)umask(022);
	(void)snprintf(place.root, sizeof(place.root), "/tmp/test_registries.XXXXXX");
	if (!mkdtemp(place.root))
		return -1;
	(void)snprintf(place.home, sizeof(place.home), "%s/home", place.root);
	make(&place, "/etc/apt/sources.list.d/b.sources", "URIs: http://b.example\n");
	make(&place, "/etc/apt/sources.list.d/a.list", "deb http://a.example x main\n");
	make(&place, "/etc/apt/sources.list.d/old.save", "deb http://no.example x main\n");
	make(&place, "/etc/npmrc", "registry=https://npm.example\n");
	make(&place, "/home/.npmrc", "registry=https://mine.example\n");
	make(&place, "/home/.config/go/env", "GOPROXY=https://go.example\n");
	*state = &place;
	return 0;
}

static int leave(void **state)
{
	const struct place *place = *state;
	char command[96];

	(void)snprintf(command, sizeof(command), "rm -r '%s'", place->root);
	return system(command); /* NOLINT(cert-env33-c): the folder is ours */
}

static struct registries read_scope(const struct place *place, bool user)
{
	const struct registries_scope scope = {
		.root = place->root,
		.owner = getuid(),
		.home = user ? place->home : NULL,
		.environment = user,
	};
	struct registries found = { 0 };

	assert_int_equal(registries_read(&scope, &found), 0);
	return found;
}

static bool has(const struct registries *found, const char *host)
{
	for (size_t i = 0; i < found->count; i++)
		if (strcmp(found->items[i].host, host) == 0)
			return true;
	return false;
}

static void files_are_found(void **state)
{
	const struct place *place = *state;
	CLEAN(registries_reset) struct registries system_only = read_scope(place, false);
	CLEAN(registries_reset) struct registries all = { 0 };

	assert_int_equal(system_only.count, 3);
	assert_string_equal(system_only.items[0].host, "npm.example");
	assert_string_equal(system_only.items[1].host, "a.example");
	assert_string_equal(system_only.items[2].host, "b.example");
	assert_int_equal(system_only.note_count, 0);
	assert_int_equal(setenv("GOPROXY", "https://env.example", 1), 0);
	all = read_scope(place, true);
	assert_int_equal(unsetenv("GOPROXY"), 0);
	assert_int_equal(all.count, 6);
	assert_true(has(&all, "mine.example") && has(&all, "go.example"));
	assert_string_equal(all.items[5].host, "env.example");
	assert_string_equal(all.items[5].origin, "$GOPROXY");
}

/* Of a system file that others write, of links, pipes and long files nothing is taken. */
static void what_others_write_is_not_believed(void **state)
{
	const struct place *place = *state;
	char path[256], to[256];
	CLEAN(registries_reset) struct registries found = { 0 };
	CLEAN(registries_reset) struct registries again = { 0 };
	CLEAN_FREE char *text = calloc(1, REGISTRIES_FILE_MAX + 2);

	(void)snprintf(path, sizeof(path), "%s/etc/npmrc", place->root);
	assert_int_equal(chmod(path, 0666), 0);
	(void)snprintf(to, sizeof(to), "%s/home/.pip", place->root);
	assert_int_equal(mkdir(to, 0755), 0);
	(void)snprintf(to, sizeof(to), "%s/home/.pip/pip.conf", place->root);
	assert_int_equal(mkfifo(to, 0644), 0);
	(void)snprintf(to, sizeof(to), "%s/home/.npmrc", place->root);
	assert_int_equal(unlink(to), 0);
	assert_int_equal(symlink("../etc/npmrc", to), 0);
	memset(text, '\n', REGISTRIES_FILE_MAX + 1);
	make(place, "/home/.cargo/config.toml", text);
	found = read_scope(place, true);
	assert_false(has(&found, "npm.example"));
	assert_false(has(&found, "mine.example"));
	expect_notes(&found,
		     "'/etc/npmrc' is not read: others than its owner may write it (mode 0666)\n"
		     "'/home/.npmrc' is not read: Too many levels of symbolic links\n"
		     "'/home/.pip/pip.conf' is not read: it is not a regular file\n"
		     "'/home/.cargo/config.toml' is not read: it is too long",
		     place->root);
	assert_int_equal(chmod(path, 0644), 0);
	again = read_scope(place, false);
	assert_true(has(&again, "npm.example"));
	assert_int_equal(again.note_count, 0);
}

/* A home folder may have files of other users in it: root's own, and those of who can write there. */
static void what_is_of_others_is_not_believed(void **state)
{
	const struct place *place = *state;
	CLEAN(registries_reset) struct registries found = { 0 };
	char path[256];

	if (geteuid() != 0)
		skip(); /* only root can give files away */
	(void)snprintf(path, sizeof(path), "%s/home/.npmrc", place->root);
	assert_int_equal(chown(path, 12345, 12345), 0);
	found = read_scope(place, true);
	assert_false(has(&found, "mine.example"));
	expect_notes(&found,
		     "'/home/.npmrc' is not read: it is not of the owner of the home folder",
		     place->root);
}

/* One more than there is room for: it is named. */
static void more_than_there_is_room_for(void **state)
{
	CLEAN(registries_reset) struct registries found = { 0 };
	char origin[16];

	(void)state;
	for (unsigned int i = 0; i <= REGISTRIES_MAX; i++) {
		char value[48];

		(void)snprintf(value, sizeof(value), "https://h%u.example/", i);
		(void)snprintf(origin, sizeof(origin), "f:%u", i);
		assert_int_equal(registries_add_uris(&found, value, origin), 0);
	}
	assert_int_equal(found.count, REGISTRIES_MAX);
	expect_notes(&found, "more than 256 hosts: 'h256.example' is left out", "");
}

static struct policy *load(const struct place *place, const char *pattern, struct diag_list *diags)
{
	const struct registries_scope scope = {
		.root = place->root, .owner = getuid(), .home = place->home, .environment = true
	};
	const struct policy_context context = { .registries = &scope };
	struct policy *policy = NULL;
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "picket: 1\negress:\n  rules:\n    - {allow: [\"%s\", x.example], id: r}\n",
		       pattern);
	assert_int_equal(policy_load_text("p", text, strlen(text), &context, &policy, diags), 0);
	return policy;
}

/* A user's own files widen nothing that does not ask for them. */
static void a_policy_says_whose_files(void **state)
{
	const struct place *place = *state;
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN(policy_free) struct policy *plain = load(place, "@registries", &diags);
	CLEAN(policy_free) struct policy *user = load(place, "@user-registries", &diags);
	const struct policy_rule *rule = &plain->rules[0];

	assert_int_equal(diags.count, 0);
	assert_int_equal(plain->rule_count, 1);
	assert_int_equal(rule->pattern_count, 4);
	assert_string_equal(rule->patterns[0].host, "npm.example");
	assert_int_equal(rule->patterns[0].ports[0].low, 443);
	assert_int_equal(rule->patterns[0].ports[0].high, 443);
	assert_int_equal(rule->patterns[0].pos.line, 4);
	assert_int_equal(rule->patterns[0].pos.column, 16);
	assert_non_null(strstr(rule->patterns[0].source, "@registries ("));
	assert_non_null(strstr(rule->patterns[0].source, "/etc/npmrc:1)"));
	assert_string_equal(rule->patterns[3].host, "x.example");
	assert_int_equal(user->rules[0].pattern_count, 6);
	assert_non_null(strstr(user->rules[0].patterns[3].source, "@user-registries ("));
	assert_string_equal(user->rules[0].patterns[3].host, "mine.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_parsed),
		cmocka_unit_test(noise_is_survived),
		cmocka_unit_test_setup_teardown(files_are_found, enter, leave),
		cmocka_unit_test_setup_teardown(what_others_write_is_not_believed, enter, leave),
		cmocka_unit_test_setup_teardown(what_is_of_others_is_not_believed, enter, leave),
		cmocka_unit_test(more_than_there_is_room_for),
		cmocka_unit_test_setup_teardown(a_policy_says_whose_files, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
