/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signed policies: what is accepted, and every way not to be, in its words. Each byte of each file and of
 * the signature is turned over once, and must be missed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/policy_args.h"
#include "sign/manifest.h"
#include "sign/serials.h"

#define MAIN                                                                                       \
	"picket: 1\nname: coder\ninclude: [presets/secrets, ./part.yaml]\n"                        \
	"files: {default: allow}\ntests: [{open: /srv/x, expect: deny}]\n"
#define PART "picket: 1\nfiles: {rules: [{deny: \"/srv/**\"}]}\n"

/** A folder with a policy, two keys, a managed layer and a record. */
struct scene {
	char top[64];
	struct sign_key key;
	struct sign_key other;
	bool accept; /* loads are to confine */
};

/** What came of a load. */
struct outcome {
	int result;
	char message[512]; /* of the first finding */
	char hint[256];
};

static char *path_of(const struct scene *scene, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", scene->top, name) > 0);
	return path;
}

static void put(const struct scene *scene, const char *name, const char *text, size_t size)
{
	CLEAN_FREE char *path = path_of(scene, name);
	CLEAN_FILE FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fchmod(fileno(file), 0644), 0);
}

static void put_text(const struct scene *scene, const char *name, const char *text)
{
	put(scene, name, text, strlen(text));
}

static size_t get(const struct scene *scene, const char *name, char *text, size_t size)
{
	CLEAN_FREE char *path = path_of(scene, name);
	CLEAN_FILE FILE *file = fopen(path, "re");
	size_t got;

	assert_non_null(file);
	got = fread(text, 1, size - 1, file);
	text[got] = '\0';
	return got;
}

static void remove_file(const struct scene *scene, const char *name)
{
	CLEAN_FREE char *path = path_of(scene, name);

	assert_int_equal(remove(path), 0);
}

/* Sign what is there now. */
static void sign(const struct scene *scene, const struct sign_key *key, __u64 serial)
{
	CLEAN_FREE char *path = path_of(scene, "coder.yaml");
	CLEAN(policy_args_reset) struct policy_args args = { .path = path, .no_managed = true };
	CLEAN(cli_policy_reset) struct cli_policy policy = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN_FREE char *text = NULL;

	assert_int_equal(policy_args_compile(&args, &policy, &diags), 0);
	assert_int_equal(manifest_sign(policy.policy, key, serial, &text), 0);
	put_text(scene, "coder.yaml.sig", text);
}

static struct outcome load(const struct scene *scene)
{
	CLEAN_FREE char *path = path_of(scene, "coder.yaml");
	CLEAN_FREE char *managed = path_of(scene, "managed");
	CLEAN_FREE char *serials = path_of(scene, "state/serials");
	CLEAN(policy_args_reset)
	struct policy_args args = {
		.path = path,
		.managed = managed,
		.managed_draft = true,
		.serials = serials,
		.accept = scene->accept,
	};
	CLEAN(cli_policy_reset) struct cli_policy policy = { 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct outcome outcome = { .result = policy_args_compile(&args, &policy, &diags) };

	if (diags.count) {
		(void)snprintf(outcome.message, sizeof(outcome.message), "%s",
			       diags.items[0].message);
		(void)snprintf(outcome.hint, sizeof(outcome.hint), "%s",
			       diags.items[0].hint ? diags.items[0].hint : "");
	}
	return outcome;
}

/* A load is refused, and says @why behind the name of the layer. */
static void assert_refused(const struct scene *scene, const char *why)
{
	struct outcome outcome = load(scene);
	CLEAN_FREE char *expected = NULL;

	assert_true(asprintf(&expected, "'%s/managed/site.yaml' takes signed policies only: %s",
			     scene->top, why) > 0);
	assert_int_equal(outcome.result, -EPERM);
	assert_string_equal(outcome.message, expected);
}

/* The same, for a reason with the path in place of its %s. */
static void assert_refused_at(const struct scene *scene, const char *why, const char *path)
{
	const char *place = strstr(why, "%s");
	CLEAN_FREE char *text = NULL;

	assert_true(asprintf(&text, "%.*s%s%s", (int)(place - why), why, path, place + 2) > 0);
	assert_refused(scene, text);
}

static void assert_accepted(const struct scene *scene)
{
	struct outcome outcome = load(scene);

	assert_string_equal(outcome.message, "");
	assert_int_equal(outcome.result, 0);
}

static void make_key(const struct scene *scene, const char *name, struct sign_key *ret_key)
{
	CLEAN_FREE char *path = path_of(scene, name);
	CLEAN_FREE char *why = NULL;

	assert_int_equal(sign_key_make(ret_key), 0);
	assert_int_equal(sign_key_write(ret_key, path, &why), 0);
}

static void make_folder(const struct scene *scene, const char *name, mode_t mode)
{
	CLEAN_FREE char *path = path_of(scene, name);

	assert_int_equal(mkdir(path, mode), 0);
}

static void require(const struct scene *scene, const char *keys)
{
	CLEAN_FREE char *text = NULL;

	assert_true(asprintf(&text, "picket: 1\nrequire_signature: [%s]\nfiles: {default: allow}\n",
			     keys) > 0);
	put_text(scene, "managed/site.yaml", text);
}

static int make_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	CLEAN_FREE char *key = NULL;

	if (!scene)
		return -1;
	(void)snprintf(scene->top, sizeof(scene->top), "/tmp/picket-signing-XXXXXX");
	if (!mkdtemp(scene->top))
		return -1;
	make_folder(scene, "managed", 0755);
	make_folder(scene, "state", 0700);
	make_key(scene, "key", &scene->key);
	make_key(scene, "other", &scene->other);
	key = path_of(scene, "key.pub");
	require(scene, key);
	put_text(scene, "coder.yaml", MAIN);
	put_text(scene, "part.yaml", PART);
	put_text(scene, "state/serials", "picket serials 1\n");
	scene->accept = true;
	*state = scene;
	return 0;
}

static int remove_scene(void **state)
{
	CLEAN_FREE struct scene *scene = *state;
	CLEAN_FREE char *command = NULL;

	sign_key_reset(&scene->key);
	sign_key_reset(&scene->other);
	if (asprintf(&command, "rm -rf '%s'", scene->top) < 0)
		return -1;
	return system(command); /* NOLINT(cert-env33-c,concurrency-mt-unsafe): a name of our own */
}

static void signed_is_accepted(void **state)
{
	const struct scene *scene = *state;
	char record[512];

	sign(scene, &scene->key, 1);
	assert_accepted(scene);
	assert_accepted(scene);
	sign(scene, &scene->key, 7);
	assert_accepted(scene);
	(void)get(scene, "state/serials", record, sizeof(record));
	assert_non_null(strstr(record, "\ncoder 7 "));
	assert_null(strstr(record, "coder 1 "));
}

static void unsigned_is_refused(void **state)
{
	const struct scene *scene = *state;
	CLEAN_FREE char *path = path_of(scene, "coder.yaml.sig");

	assert_refused_at(scene, "there is no signature '%s'", path);
	assert_string_equal(load(scene).hint, "sign it: picket sign --key KEY POLICY");
}

static void wrong_key_is_refused(void **state)
{
	const struct scene *scene = *state;
	char expected[160];
	char text[4096];
	char *id;

	sign(scene, &scene->other, 1);
	(void)snprintf(expected, sizeof(expected),
		       "it is signed with the key %.16s, which is not one that is asked for",
		       scene->other.id);
	assert_refused(scene, expected);
	/* Somebody else's signature under our name. */
	(void)get(scene, "coder.yaml.sig", text, sizeof(text));
	id = strstr(text, scene->other.id);
	assert_non_null(id);
	memcpy(id, scene->key.id, SIGN_HEX - 1);
	put_text(scene, "coder.yaml.sig", text);
	(void)snprintf(expected, sizeof(expected), "its signature is not one of the key %.16s",
		       scene->key.id);
	assert_refused(scene, expected);
}

static void truncated_is_refused(void **state)
{
	const struct scene *scene = *state;
	CLEAN_FREE char *cut = NULL;
	char wrong[160];
	char text[4096];
	size_t size;

	sign(scene, &scene->key, 1);
	size = get(scene, "coder.yaml.sig", text, sizeof(text));
	assert_true(asprintf(&cut, "the signature '%s/coder.yaml.sig' is cut off or damaged",
			     scene->top) > 0);
	(void)snprintf(wrong, sizeof(wrong), "its signature is not one of the key %.16s",
		       scene->key.id);
	for (size_t i = 0; i < size; i++) {
		put(scene, "coder.yaml.sig", text, i);
		assert_refused(scene, cut);
	}
	put(scene, "coder.yaml.sig", text, size);
	assert_accepted(scene);
	put_text(scene, "coder.yaml.sig", strcat(text, "\n"));
	assert_refused(scene, cut);
}

static void replaced_include_is_refused(void **state)
{
	const struct scene *scene = *state;

	sign(scene, &scene->key, 1);
	put_text(scene, "part.yaml", PART "# now with a remark\n");
	assert_refused(scene, "'./part.yaml' is not what was signed");
	put_text(scene, "part.yaml", PART);
	put_text(scene, "coder.yaml", MAIN "# and here\n");
	assert_refused(scene, "'coder.yaml' is not what was signed");
}

static void other_order_is_refused(void **state)
{
	const struct scene *scene = *state;
	static const char head[] = "picket: 1\nname: coder\nfiles: {default: allow}\n";
	static const char reversed[] = "include: [./b.yaml, ./a.yaml]\n";
	CLEAN_FREE char *path = path_of(scene, "coder.yaml");
	struct policy policy = { .name = "coder" };
	struct policy_file swapped[3];
	struct manifest manifest = { 0 };
	struct source sources[] = {
		{ .name = path, .text = head, .length = sizeof(head) - 1 },
		{ .name = "a", .text = PART, .length = sizeof(PART) - 1 },
		{ .name = "b", .text = reversed, .length = sizeof(reversed) - 1 },
	};
	CLEAN_FREE char *text = NULL;
	CLEAN_FREE char *why = NULL;

	for (int i = 0; i < 3; i++)
		assert_int_equal(manifest_add(&policy, &sources[i], i ? sources[i].name : NULL), 0);
	assert_int_equal(manifest_sign(&policy, &scene->key, 3, &text), 0);
	assert_int_equal(manifest_parse("t", text, strlen(text), &manifest, &why), 0);
	assert_int_equal(manifest_verify(&manifest, &policy, &scene->key, 1, &why), 0);
	memcpy(swapped, policy.read, sizeof(swapped));
	policy.read[1] = swapped[2];
	policy.read[2] = swapped[1];
	assert_int_equal(manifest_verify(&manifest, &policy, &scene->key, 1, &why), -EBADMSG);
	assert_string_equal(why, "where 'a' was signed, 'b' is read");
	free(why);
	policy.read[1] = swapped[1];
	policy.read_count = 2;
	assert_int_equal(manifest_verify(&manifest, &policy, &scene->key, 1, &why), -EBADMSG);
	assert_non_null(strstr(why, "more was signed than is read: 'file "));
	policy.read[2] = swapped[2];
	policy.read_count = 3;
	manifest_forget(&policy);
	manifest_reset(&manifest);
}

static void one_file_more_is_refused(void **state)
{
	const struct scene *scene = *state;
	struct policy policy = { .name = "coder" };
	struct manifest manifest = { 0 };
	struct source source = { .name = "a/coder.yaml", .text = PART, .length = 5 };
	struct source preset = { .name = "p", .text = PART, .length = 5, .builtin = true };
	CLEAN_FREE char *text = NULL;
	CLEAN_FREE char *why = NULL;

	assert_int_equal(manifest_add(&policy, &source, NULL), 0);
	assert_int_equal(manifest_sign(&policy, &scene->key, 3, &text), 0);
	assert_int_equal(manifest_parse("t", text, strlen(text), &manifest, &why), 0);
	assert_int_equal(manifest_add(&policy, &preset, "presets/p"), 0);
	assert_int_equal(manifest_verify(&manifest, &policy, &scene->key, 1, &why), -EBADMSG);
	assert_string_equal(why, "'presets/p' is read and was not signed");
	manifest_reset(&manifest);
	manifest_forget(&policy);
}

static void another_preset_is_refused(void **state)
{
	const struct scene *scene = *state;
	struct policy policy = { .name = "coder" };
	struct manifest manifest = { 0 };
	struct source preset = { .name = "p", .text = PART, .length = 5, .builtin = true };
	CLEAN_FREE char *text = NULL;
	CLEAN_FREE char *why = NULL;

	assert_int_equal(manifest_add(&policy, &preset, "presets/p"), 0);
	assert_int_equal(manifest_sign(&policy, &scene->key, 3, &text), 0);
	assert_int_equal(manifest_parse("t", text, strlen(text), &manifest, &why), 0);
	policy.read[0].digest[7] ^= 1;
	assert_int_equal(manifest_verify(&manifest, &policy, &scene->key, 1, &why), -EBADMSG);
	assert_string_equal(why, "'presets/p' of this picket (" PICKET_VERSION
				 ") is not the one that was signed with picket " PICKET_VERSION);
	free(TAKE_PTR(why));
	policy.name = "renamed";
	assert_int_equal(manifest_verify(&manifest, &policy, &scene->key, 1, &why), -EBADMSG);
	assert_string_equal(why, "it was signed as the policy 'coder'");
	manifest_reset(&manifest);
	manifest_forget(&policy);
}

static void stale_serial_is_refused(void **state)
{
	struct scene *scene = *state;

	sign(scene, &scene->key, 7);
	scene->accept = false; /* to look at a policy is not to accept it */
	assert_accepted(scene);
	sign(scene, &scene->key, 5);
	assert_accepted(scene);
	scene->accept = true;
	sign(scene, &scene->key, 7);
	assert_accepted(scene);
	sign(scene, &scene->key, 6);
	assert_refused(scene, "its serial 6 is older than 7, which was accepted before");
	put_text(scene, "part.yaml", PART "# a remark\n");
	sign(scene, &scene->key, 7);
	assert_refused(scene, "its serial 7 was accepted before for another text of 'coder'");
	assert_string_equal(load(scene).hint,
			    "sign it with a higher serial; of two policies, give each a "
			    "name of its own");
	sign(scene, &scene->key, 8);
	assert_accepted(scene);
}

/* A policy whose own tests fail has not been accepted. */
static void a_failing_policy_is_not_recorded(void **state)
{
	const struct scene *scene = *state;
	char record[512];

	sign(scene, &scene->key, 1);
	assert_accepted(scene);
	put_text(scene, "part.yaml", "picket: 1\nfiles: {rules: [{deny: \"/srv/y\"}]}\n");
	assert_int_not_equal(load(scene).result, 0);
	(void)get(scene, "state/serials", record, sizeof(record));
	assert_non_null(strstr(record, "\ncoder 1 "));
}

static void a_lost_record_refuses_all(void **state)
{
	const struct scene *scene = *state;
	CLEAN_FREE char *open = NULL;
	CLEAN_FREE char *path = path_of(scene, "state/serials");
	CLEAN_FREE char *folder = path_of(scene, "state");

	sign(scene, &scene->key, 1);
	remove_file(scene, "state/serials");
	assert_refused_at(scene, "the record of serials '%s' is missing", path);
	assert_string_equal(load(scene).hint,
			    "as root, begin it: picket verify --accept --key KEY.pub POLICY");
	put_text(scene, "state/serials", "picket serials 1\ncoder seven\n");
	assert_refused_at(scene, "the record of serials '%s' is damaged in line 2", path);
	put_text(scene, "state/serials", "");
	assert_refused_at(scene, "the record of serials '%s' is damaged in line 1", path);
	put_text(scene, "state/serials", "picket serials 1\n");
	assert_int_equal(chmod(path, 0666), 0);
	assert_true(asprintf(&open, "the record of serials '%s' cannot be used: ", path) > 0);
	assert_int_equal(load(scene).result, -EPERM);
	assert_non_null(strstr(load(scene).message, open));
	assert_int_equal(chmod(path, 0600), 0);
	assert_accepted(scene);
	remove_file(scene, "state/serials");
	remove_file(scene, "state/serials" SERIALS_SPARE);
	assert_int_equal(rmdir(folder), 0);
	assert_refused_at(scene, "the record of serials '%s' is missing", path);
}

static void an_unwritable_record_refuses(void **state)
{
	const struct scene *scene = *state;
	CLEAN_FREE char *path = path_of(scene, "state/serials");

	sign(scene, &scene->key, 1);
	/* What cannot be taken away stands where the new record is written first. */
	make_folder(scene, "state/serials.new", 0755);
	assert_refused_at(scene, "cannot write the record of serials '%s': Is a directory", path);
	remove_file(scene, "state/serials.new");
	assert_accepted(scene);
}

static void the_record_is_begun_on_purpose(void **state)
{
	const struct scene *scene = *state;
	CLEAN_FREE char *path = path_of(scene, "state/serials");
	CLEAN_FREE char *signature = path_of(scene, "coder.yaml.sig");
	struct manifest manifest = { 0 };
	CLEAN_FREE char *why = NULL;
	const char *hint = NULL;

	sign(scene, &scene->key, 4);
	remove_file(scene, "state/serials");
	assert_int_equal(manifest_read(signature, &manifest, &why), 0);
	assert_int_equal(serials_check(path, geteuid(), SERIALS_BEGIN, &manifest, &why, &hint), 0);
	assert_accepted(scene);
	manifest_reset(&manifest);
	sign(scene, &scene->key, 3);
	assert_refused(scene, "its serial 3 is older than 4, which was accepted before");
}

static void keys_must_be_keys(void **state)
{
	const struct scene *scene = *state;
	CLEAN_FREE char *key = path_of(scene, "key.pub");
	CLEAN_FREE char *none = path_of(scene, "none.pub");
	CLEAN_FREE char *expected = NULL;
	CLEAN_FREE char *both = NULL;

	sign(scene, &scene->key, 1);
	/* One that cannot be read spoils the list, also where another one fits. */
	assert_true(asprintf(&both, "%s, %s", key, none) > 0);
	require(scene, both);
	assert_true(asprintf(&expected,
			     "'require_signature': cannot read the key '%s': No such file or "
			     "directory",
			     none) > 0);
	assert_string_equal(load(scene).message, expected);
	put_text(scene, "none.pub", "no key\n");
	free(TAKE_PTR(expected));
	assert_true(asprintf(&expected,
			     "'require_signature': '%s' is no public key in PEM form without a "
			     "passphrase",
			     none) > 0);
	assert_string_equal(load(scene).message, expected);
	require(scene, "key.pub");
	assert_string_equal(load(scene).message, "'key.pub' is not the path of a public key");
	require(scene, "");
	assert_string_equal(load(scene).message, "the list is empty");
	require(scene, key);
	assert_accepted(scene);
}

static void only_layers_ask_for_signatures(void **state)
{
	const struct scene *scene = *state;

	put_text(scene, "coder.yaml", MAIN "require_signature: /etc/picket/keys/a.pub\n");
	remove_file(scene, "managed/site.yaml");
	assert_string_equal(load(scene).message,
			    "only a managed layer may have 'require_signature'");
}

static void private_keys_are_private(void **state)
{
	const struct scene *scene = *state;
	CLEAN_FREE char *path = path_of(scene, "key");
	CLEAN_FREE char *expected = NULL;
	CLEAN_FREE char *why = NULL;
	struct sign_key key = { 0 };
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(sign_key_read_private(path, &key, &why), 0);
	assert_string_equal(key.id, scene->key.id);
	sign_key_reset(&key);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(sign_key_read_private(path, &key, &why), -EPERM);
	assert_true(asprintf(&expected,
			     "the private key '%s' is open to others (mode 0640): chmod 0600 it",
			     path) > 0);
	assert_string_equal(why, expected);
	free(TAKE_PTR(why));
	assert_int_equal(sign_key_write(&scene->key, path, &why), -EEXIST);
}

/* Turn over each byte of @name: no load may succeed, and the file as it was must. */
static void turn_over(const struct scene *scene, const char *name)
{
	char text[8192];
	size_t size = get(scene, name, text, sizeof(text));

	assert_true(size > 0 && size < sizeof(text) - 1);
	for (size_t i = 0; i < size; i++) {
		text[i] = (char)(text[i] ^ 1);
		put(scene, name, text, size);
		if (load(scene).result == 0)
			fail_msg("byte %zu of %s may be changed", i, name);
		text[i] = (char)(text[i] ^ 1);
	}
	put(scene, name, text, size);
	assert_accepted(scene);
}

static void each_byte_counts(void **state)
{
	const struct scene *scene = *state;

	sign(scene, &scene->key, 1);
	turn_over(scene, "coder.yaml.sig");
	turn_over(scene, "coder.yaml");
	turn_over(scene, "part.yaml");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_scene, remove_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signed_is_accepted),
		TEST(unsigned_is_refused),
		TEST(wrong_key_is_refused),
		TEST(truncated_is_refused),
		TEST(replaced_include_is_refused),
		TEST(other_order_is_refused),
		TEST(one_file_more_is_refused),
		TEST(another_preset_is_refused),
		TEST(stale_serial_is_refused),
		TEST(a_failing_policy_is_not_recorded),
		TEST(a_lost_record_refuses_all),
		TEST(an_unwritable_record_refuses),
		TEST(the_record_is_begun_on_purpose),
		TEST(keys_must_be_keys),
		TEST(only_layers_ask_for_signatures),
		TEST(private_keys_are_private),
		TEST(each_byte_counts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
