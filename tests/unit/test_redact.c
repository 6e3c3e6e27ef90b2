/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets do not leave, near misses do; whatever the bytes are, the outcome is made of them and of marks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "telemetry/redact.h"

/** Words of a command with blanks between (| stands for the end of a word), and what is told of them. */
struct row {
	const char *given;
	const char *told;
};

/* The words of @given as the kernel tells them. */
static size_t words_of(const char *given, char *words)
{
	size_t length = strlen(given);

	for (size_t i = 0; i < length; i++)
		words[i] = given[i] == '|' ? '\0' : given[i];
	words[length] = '\0';
	return length + 1;
}

static void expect_words(const struct redact_settings *settings, const struct row *row)
{
	CLEAN(redacted_reset) struct redacted outcome = { 0 };
	char words[4096];
	char wanted[4096];
	size_t size = words_of(row->given, words);
	size_t length = words_of(row->told, wanted);

	assert_int_equal(redact_words(settings, words, size, &outcome), 0);
	if (outcome.length != length || memcmp(outcome.bytes, wanted, length) != 0) {
		for (size_t i = 0; i + 1 < outcome.length; i++)
			outcome.bytes[i] = outcome.bytes[i] ? outcome.bytes[i] : '|';
		fail_msg("%s\n gives  %s\n wanted %s", row->given, outcome.bytes, row->told);
	}
	assert_int_equal(outcome.hidden, strcmp(row->given, row->told) != 0);
	assert_int_equal(outcome.bytes[outcome.length], '\0');
}

#define CHECK(settings, rows)                                                                      \
	for (size_t i = 0; i < sizeof(rows) / sizeof(*(rows)); i++)                                \
	expect_words(settings, &(rows)[i])

static void options(void **state)
{
	static const struct row rows[] = {
		{ "psql|--password|hunter2|-h|db", "psql|--password|[redacted]|-h|db" },
		{ "x|--password=hunter2|y", "x|--password=[redacted]|y" },
		{ "x|--token=a=b&c d;e", "x|--token=[redacted]" },
		{ "x|--api-key|k|--API_KEY=k", "x|--api-key|[redacted]|--API_KEY=[redacted]" },
		{ "terraform|-token|abc", "terraform|-token|[redacted]" },
		{ "x|--client-secret|--token|abc", "x|--client-secret|[redacted]|[redacted]" },
		{ "env|GITHUB_TOKEN=abc|MYSQL_PWD=x|PGPASSWORD=y|make",
		  "env|GITHUB_TOKEN=[redacted]|MYSQL_PWD=[redacted]|PGPASSWORD=[redacted]|make" },
		{ "x|AWS_SECRET_ACCESS_KEY=wJalr", "x|AWS_SECRET_ACCESS_KEY=[redacted]" },
		{ "npm|set|//reg/:_authToken=abc", "npm|set|//reg/:_authToken=[redacted]" },
		{ "openssl|enc|-pass|pass:abc", "openssl|enc|-pass|[redacted]" },
		{ "openssl|enc|-passin|pass:abc", "openssl|enc|-passin|pass:[redacted]" },
		{ "x|--password", "x|--password" },
		{ "x|--password|", "x|--password|" },
	};

	(void)state;
	CHECK(NULL, rows);
}

static void letters(void **state)
{
	static const struct row rows[] = {
		{ "mysql|-uroot|-psecret|db", "mysql|-uroot|-p[redacted]|db" },
		{ "/usr/bin/mysqldump|-psecret", "/usr/bin/mysqldump|-p[redacted]" },
		{ "sudo|-u|root|mysql|-psecret", "sudo|-u|root|mysql|-p[redacted]" },
		{ "mysql|-p|db", "mysql|-p|db" },
		{ "sshpass|-p|x y|ssh|h", "sshpass|-p|[redacted]|ssh|h" },
		{ "sshpass|-pxy|ssh|h", "sshpass|-p[redacted]|ssh|h" },
		{ "curl|-u|me:pw|https://h/", "curl|-u|[redacted]|https://h/" },
		{ "curl|-sSu|me:pw|https://h/", "curl|-sSu|[redacted]|https://h/" },
		{ "curl|-ume:pw", "curl|-u[redacted]" },
		{ "curl|--user|me:pw|--proxy-user=a:b",
		  "curl|--user|[redacted]|--proxy-user=[redacted]" },
		{ "redis-cli|-a|pw|GET|x", "redis-cli|-a|[redacted]|GET|x" },
		{ "docker|login|-u|me|-p|pw", "docker|login|-u|me|-p|[redacted]" },
	};

	(void)state;
	CHECK(NULL, rows);
}

static void texts(void **state)
{
	static const struct row rows[] = {
		{ "curl|-H|Authorization: Bearer abc.def", "curl|-H|Authorization: [redacted]" },
		{ "curl|-HX-Api-Key: abc", "curl|-HX-Api-Key: [redacted]" },
		{ "curl|-H|Cookie: a=b; c=d", "curl|-H|Cookie: [redacted]" },
		{ "echo|use Bearer abc-def now", "echo|use Bearer [redacted] now" },
		{ "curl|-d|{\"user\":\"u\",\"password\": \"a \\\"b\"}",
		  "curl|-d|{\"user\":\"u\",\"password\": \"[redacted]\"}" },
		{ "curl|-d|user=u&password=pw&x=1", "curl|-d|user=u&password=[redacted]&x=1" },
		{ "curl|-d|{\"Cookie\": \"a=b\"}", "curl|-d|{\"Cookie\": \"[redacted]\"}" },
		{ "git|clone|https://tok@github.com/a/b",
		  "git|clone|https://[redacted]@github.com/a/b" },
		{ "git|clone|https://u:p@h/a", "git|clone|https://[redacted]@h/a" },
		{ "psql|postgresql://u:p/w@db/x", "psql|postgresql://[redacted]@db/x" },
		{ "curl|https://h/a?id=1&token=abc&sig=d%20e#x",
		  "curl|https://h/a?id=1&token=[redacted]&sig=[redacted]" },
		{ "curl|https://h/?key=abc", "curl|https://h/?key=[redacted]" },
		{ "curl|https://b.s3/x?X-Amz-Credential=a&X-Amz-Signature=b&n=1",
		  "curl|https://b.s3/x?X-Amz-Credential=[redacted]&X-Amz-Signature=[redacted]&n=1" },
		{ "bash|-c|mysql -uroot -psecret db; echo ok",
		  "bash|-c|mysql -uroot -p[redacted] db; echo ok" },
		{ "bash|-c|export API_TOKEN='a b'; run",
		  "bash|-c|export API_TOKEN=[redacted]; run" },
		{ "bash|-c|x --password \"a b\" y", "bash|-c|x --password \"[redacted]\" y" },
		{ "sh|-c|ssh h 'mysql -psecret'", "sh|-c|ssh h 'mysql -p[redacted]'" },
		{ "sh|-c|curl -H \"Authorization: token abc\" https://h",
		  "sh|-c|curl -H \"Authorization: [redacted]\" https://h" },
	};

	(void)state;
	CHECK(NULL, rows);
}

static void keys(void **state)
{
	static const struct row rows[] = {
		{ "x|AKIAIOSFODNN7EXAMPLE", "x|[redacted]" },
		{ "x|ghp_0123456789abcdefABCDEF0123456789abcd", "x|[redacted]" },
		{ "x|v=github_pat_11AAAAAAA0123456789_abc", "x|v=[redacted]" },
		{ "x|sk-ant-api03-abcdefghijkl", "x|[redacted]" },
		{ "x|sk-proj-abcd1234efgh5678", "x|[redacted]" },
		{ "x|sk-abcdefghijklmnopqrst0123", "x|[redacted]" },
		{ "x|xoxb-123456789012-abc", "x|[redacted]" },
		{ "x|(AIzaSyA0123456789abcdefghijklmnopqrstuv)", "x|([redacted])" },
		{ "x|eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "x|[redacted]" },
		{ "x|https://hooks.slack.com/services/T0/B0/abc",
		  "x|https://hooks.slack.com/services/[redacted]" },
		{ "x|-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
		  "x|[redacted]-----END RSA PRIVATE KEY-----" },
		{ "x|-----BEGIN PRIVATE KEY-----\nabc", "x|[redacted]" },
	};

	(void)state;
	CHECK(NULL, rows);
}

/* What looks alike and is none stays as it is. */
static void near_misses(void **state)
{
	static const char *const rows[] = {
		"x|--password-file|/run/secrets/x",
		"docker|login|--password-stdin",
		"x|--max-tokens|5|--tokenizer|bpe",
		"x|--no-password|db",
		"x|PWD=/home/u|OLDPWD=/",
		"gcc|--bypass|x|--compass=north",
		"ls|-p|dir",
		"mkdir|-psecret",
		"cp|-u|a|b",
		"x|sk-learn|task-abcdefghijklmnopqrstuv1",
		"pip|install|scikit-learn-contrib-extra-sk",
		"x|ghp_short",
		"x|AKIA",
		"x|-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
		"git|clone|ssh://git@github.com/a/b",
		"git|clone|git@github.com:a/b",
		"curl|https://h:8443/@scope/pkg?id=1",
		"curl|https://h/a?monkey=1&keyboard=2",
		"go|get|example.com/x@v1.2.3",
		"echo|the bearer",
		"cat|/home/u/.config/token",
		"x|eyJhbGciOiJIUzI1NiJ9abcdef",
		"psql|postgresql://db/x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_words(NULL, &(struct row){ rows[i], rows[i] });
}

static void own_patterns(void **state)
{
	char *argv[] = { "--pin=*", "--shibboleth", "x?z*" };
	char *paths[] = { "/srv/customers/*", "/secret" };
	char *query[] = { "customer" };
	const struct redact_settings settings = {
		.argv = argv,
		.argv_count = 3,
		.paths = paths,
		.paths_count = 2,
		.query = query,
		.query_count = 1,
	};
	static const struct row rows[] = {
		{ "a|--pin=12|--pin|12", "a|--pin=[redacted]|--pin|12" },
		{ "a|--shibboleth|y|b", "a|--shibboleth|[redacted]|b" },
		{ "a|xyzabc|xz", "a|x[redacted]|xz" },
		{ "cat|/srv/customers/acme/x|/secret|/secrets",
		  "cat|/srv/customers/[redacted]|[redacted]|/secrets" },
		{ "curl|http://h/?Customer=acme&a=1", "curl|http://h/?Customer=[redacted]&a=1" },
		{ "x|--password=abc", "x|--password=abc" },
	};
	CLEAN(redacted_reset) struct redacted outcome = { 0 };

	(void)state;
	CHECK(&settings, rows);
	assert_int_equal(redact_path(&settings, "/srv/customers/acme", 19, &outcome), 0);
	assert_string_equal(outcome.bytes, "/srv/customers/[redacted]");
	assert_true(outcome.hidden);
	redacted_reset(&outcome);
	assert_int_equal(redact_path(&settings, "/srv/customer", 13, &outcome), 0);
	assert_string_equal(outcome.bytes, "/srv/customer");
	assert_false(outcome.hidden);
	redacted_reset(&outcome);
	assert_int_equal(redact_path(NULL, "/tmp/ghp_0123456789abcdef0123", 29, &outcome), 0);
	assert_string_equal(outcome.bytes, "/tmp/[redacted]");
}

static void scripts(void **state)
{
	static const char text[] = "mysql -psecret; PGPASSWORD=x psql";
	CLEAN(redacted_reset) struct redacted outcome = { 0 };

	(void)state;
	assert_int_equal(redact_text(NULL, text, strlen(text), &outcome), 0);
	assert_string_equal(outcome.bytes, "mysql -p[redacted]; PGPASSWORD=[redacted] psql");
}

/* The last word was cut where the kernel stopped reading: what may have become a key is one. */
static void cut_words(void **state)
{
	static const char words[] = "x\0ghp_0123";
	CLEAN(redacted_reset) struct redacted outcome = { 0 };

	(void)state;
	assert_int_equal(redact_words(NULL, words, sizeof(words) - 1, &outcome), 0);
	assert_int_equal(outcome.length, 12);
	assert_memory_equal(outcome.bytes, "x\0[redacted]", 12);
}

#define ROUNDS 20000U
#define LONGEST 300U

static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Random words made of what the rules look for. */
static size_t random_words(uint64_t *seed, char *words)
{
	static const char *const pieces[] = {
		"--password",
		"=",
		"token",
		" ",
		"\"",
		"'",
		"mysql",
		"-p",
		"Bearer ",
		"://",
		"@",
		":",
		"?",
		"&key=",
		"ghp_",
		"sk-",
		"eyJ",
		".",
		"Authorization: ",
		"-----BEGIN ",
		"PRIVATE KEY",
		"\\",
		";",
		"curl",
		"-u",
		"\n",
		"pass:",
		"x",
		"/",
	};
	size_t length = 0;

	while (length < LONGEST) {
		uint64_t dice = random_next(seed);
		const char *piece = pieces[dice % (sizeof(pieces) / sizeof(*pieces))];

		if (dice >> 32 & 1) {
			words[length++] = (char)(dice >> 40);
			continue;
		}
		memcpy(words + length, piece, strlen(piece));
		length += strlen(piece);
		if ((dice >> 33 & 7) == 0)
			break;
	}
	return length;
}

/* Taking the marks away, what is told is a part of what was given, in order, word by word. */
static void check_made_of(const char *given, size_t size, const struct redacted *told)
{
	const size_t mark = strlen(REDACT_MARK);
	size_t ends = 0;
	size_t at = 0;

	for (size_t i = 0; i < size; i++)
		ends += given[i] == '\0';
	for (size_t i = 0; i < told->length; i++)
		ends -= told->bytes[i] == '\0';
	assert_int_equal(ends, 0);
	for (size_t i = 0; i < told->length;) {
		if (told->length - i >= mark && memcmp(told->bytes + i, REDACT_MARK, mark) == 0) {
			i += mark;
			continue;
		}
		while (at < size && given[at] != told->bytes[i])
			at++;
		assert_true(at < size);
		at++;
		i++;
	}
}

static void random_input(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15ULL;
	char words[LONGEST + 64];

	(void)state;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		size_t size = random_words(&seed, words);
		/* Exactly as large as it is: what reads beyond is found. */
		CLEAN_FREE char *exact = malloc(size ? size : 1);
		CLEAN(redacted_reset) struct redacted told = { 0 };
		CLEAN(redacted_reset) struct redacted text = { 0 };
		CLEAN(redacted_reset) struct redacted path = { 0 };

		assert_non_null(exact);
		memcpy(exact, words, size);
		assert_int_equal(redact_words(NULL, exact, size, &told), 0);
		check_made_of(exact, size, &told);
		assert_int_equal(redact_text(NULL, exact, size, &text), 0);
		assert_int_equal(redact_path(NULL, exact, size, &path), 0);
	}
}

/* Input made to be slow: many beginnings that come to nothing. */
static void bounded_time(void **state)
{
	static const char *const pieces[] = { "://",
					      "eyJ-",
					      "sk-a-",
					      "-----BEGIN ",
					      "\"",
					      "password:",
					      "a:b@",
					      "Bearer ",
					      "--token ",
					      "'\\",
					      "hooks.slack.com/services/" };
	const size_t size = 1U << 16;
	CLEAN_FREE char *bytes = malloc(size);
	struct timespec before;
	struct timespec after;

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		CLEAN(redacted_reset) struct redacted told = { 0 };

		for (size_t at = 0; at < size; at++)
			bytes[at] = pieces[i][at % strlen(pieces[i])];
		assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before), 0);
		assert_int_equal(redact_words(NULL, bytes, size, &told), 0);
		assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after), 0);
		if (after.tv_sec - before.tv_sec > 1)
			fail_msg("'%s' takes %lld s", pieces[i],
				 (long long)(after.tv_sec - before.tv_sec));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),	cmocka_unit_test(letters),
		cmocka_unit_test(texts),	cmocka_unit_test(keys),
		cmocka_unit_test(near_misses),	cmocka_unit_test(own_patterns),
		cmocka_unit_test(scripts),	cmocka_unit_test(cut_words),
		cmocka_unit_test(random_input), cmocka_unit_test(bounded_time),
	};

	return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
