/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of events on terminals of all widths.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/fit.h"

static char *fit(const char *line, size_t width)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	fit_line(line, width, to);
	assert_int_equal(text_close(to, &text), 0);
	return text;
}

/* Columns of @text, in which every sequence and character must be whole. */
static size_t columns(const char *text)
{
	size_t length = strlen(text);
	size_t width = 0;

	for (size_t i = 0; i < length;) {
		unsigned int code = 0;
		size_t bytes = escape_utf8(text + i, length - i, &code);

		assert_true(bytes > 0);
		if (code == 0x1b) {
			assert_int_equal(text[i + 1], '[');
			bytes = 2 + strspn(text + i + 2, "0123456789;");
			assert_int_equal(text[i + bytes], 'm');
			i += bytes + 1;
			continue;
		}
		width += text_width(code);
		i += bytes;
	}
	return width;
}

#define LINE                                                                                        \
	"05:19:23 \033[1;31mDENIED\033[0m connect 10.20.3.4:8443  curl[30921] < bash[30913]  "      \
	"\033[2mrule deny@/etc/picket/policies/work.yaml:9 (net) \"nothing of it is its business\"" \
	"\033[0m"

static void test_steps(void **state)
{
	static const struct {
		size_t width;
		const char *text;
	} rows[] = {
		{ 0, LINE },
		{ 500, LINE },
		{ 135, "05:19:23 \033[1;31mDENIED\033[0m connect 10.20.3.4:8443  curl[30921]  "
		       "\033[2mrule deny@/etc/picket/policies/work.yaml:9 (net) \"nothing of it is "
		       "its business\"\033[0m" },
		{ 115,
		  "05:19:23 \033[1;31mDENIED\033[0m connect 10.20.3.4:8443  curl[30921]  "
		  "\033[2mrule deny@work.yaml:9 (net) \"nothing of it is its business\"\033[0m" },
		{ 80, "05:19:23 \033[1;31mDENIED\033[0m connect 10.20.3.4:8443  curl[30921]  "
		      "\033[2mrule deny@work.yaml:9 (net…\033[0m" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEAN_FREE char *text = fit(LINE, rows[i].width);

		assert_string_equal(text, rows[i].text);
	}
}

static void test_path_keeps_both_ends(void **state)
{
	CLEAN_FREE char *text = fit("05:19:23 DENIED open /home/somebody/projects/very/deep/in/the/"
				    "tree/of/folders/secret.txt for read  cat[12]  default deny of "
				    "files",
				    80);

	(void)state;
	assert_non_null(strstr(text, "05:19:23 DENIED open /home/"));
	assert_non_null(strstr(text, ".txt for read  cat[12]  default deny of files"));
	assert_int_equal(columns(text), 80);
}

/* No line is too wide, and none is cut where it must not be, however wide the terminal. */
static void test_all_widths(void **state)
{
	static const char *const lines[] = {
		LINE,
		"",
		"  ",
		"plain text without any parts that is rather long for some terminals, though not for all",
		"05:19:23 \033[1;31mDENIED\033[0m open /tmp/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e/"
		"\xe3\x83\x95\xe3\x82\xa1\xe3\x82\xa4\xe3\x83\xab/\xc3\xa9\xc3\xa9"
		"e\xcc\x81"
		" for read  "
		"\xe6\x97\xa5\xe6\x9c\xac[1] < x[2]  \033[2mrule deny@/x/\xe6\x97\xa5"
		".yaml:1  more"
		"\033[0m",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		for (size_t width = 7; width < 200; width++) {
			CLEAN_FREE char *text = fit(lines[i], width);

			assert_true(columns(text) <= width);
			if (columns(lines[i]) <= width)
				assert_string_equal(text, lines[i]);
			else if (strstr(lines[i], "\033[2m"))
				assert_string_equal(text + strlen(text) - 4, "\033[0m");
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_path_keeps_both_ends),
		cmocka_unit_test(test_all_widths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
