/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of other programs: whatever stands in them, an import ends, with findings or with a policy that can
 * be read. The first byte picks the format, its high bit `lossy`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "import/import.h"
#include "policy/load.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* What was imported may be wrong in its words (a name that is none), never in its YAML. */
static void check(const char *text)
{
	static const struct policy_variable builtins[] = { { "HOME", "/home/u" },
							   { "USER", "u" },
							   { "CWD", "/w" } };
	static const struct policy_context context = { .builtins = builtins, .builtin_count = 3 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct policy *policy = NULL;

	(void)policy_load_text("imported", text, strlen(text), &context, &policy, &diags);
	for (size_t i = 0; i < diags.count; i++) {
		if (strstr(diags.items[i].message, "YAML"))
			abort();
	}
	policy_free(&policy);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char *const formats[] = { "codex",		"codex-rules", "claude",
					       "harden-runner", "systemd",     "openshell" };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	CLEAN_FREE char *text = NULL;
	size_t length = 0;
	FILE *to;
	int r;

	if (size == 0)
		return 0;
	to = open_memstream(&text, &length);
	if (!to)
		return 0;
	r = import_policy(
		&(struct import_request){
			.format = formats[data[0] % (sizeof(formats) / sizeof(formats[0]))],
			.name = "fuzz",
			.text = (const char *)data + 1,
			.length = size - 1,
			.lossy = data[0] & 0x80,
		},
		to, &diags);
	if (text_close(to, &text) == 0 && r == 0)
		check(text);
	else if (r < 0 && !diag_has_errors(&diags))
		abort();
	return 0;
}
