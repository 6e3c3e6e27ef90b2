/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exports: what comes out to the letter, and what is told not to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "import/export.h"
#include "policy/load.h"

typedef int (*export_function)(const struct policy *policy, FILE *to, struct export_losses *losses);

/* Export @text; *@ret_losses is for export_losses_reset(). */
static char *export(export_function function, const char *text, struct export_losses *ret_losses)
{
	static const struct policy_context context = { .builtin_count = 0 };
	CLEAN(diag_list_reset) struct diag_list diags = { 0 };
	struct policy *policy = NULL;
	char *out = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&out, &size);

	if (policy_load_text("sample", text, strlen(text), &context, &policy, &diags) < 0) {
		diag_print(&diags, stderr);
		fail_msg("not a policy: %s", text);
	}
	assert_int_equal(function(policy, to, ret_losses), 0);
	assert_int_equal(text_close(to, &out), 0);
	policy_free(&policy);
	return out;
}

static void check(export_function function, const char *text, const char *expected,
		  const char *const *losses)
{
	CLEAN(export_losses_reset) struct export_losses lost = { 0 };
	CLEAN_FREE char *out = export(function, text, &lost);
	size_t i = 0;

	assert_string_equal(out, expected);
	for (; losses[i] && i < lost.count; i++)
		assert_string_equal(lost.items[i].what, losses[i]);
	assert_int_equal(i, lost.count);
	assert_null(losses[i]);
}

static void systemd_without_loss(void **state)
{
	static const char *const losses[] = { NULL };

	(void)state;
	check(export_systemd,
	      "picket: 1\nname: a\nprocess: {profile: off, setuid: deny, modules: deny, kernel: deny}\n"
	      "egress: {default: deny, rules: [{allow: ['@loopback', 192.0.2.0/24]}]}\n"
	      "files:\n  default: allow\n  rules:\n"
	      "    - {deny: '/srv/a/**', access: write}\n    - {deny: '/srv/100%/**'}\n"
	      "    - {deny: /srv/tool, access: exec}\n    - {allow: '/srv/**', access: read}\n"
	      "syscalls: {deny: userfaultfd}\n",
	      "# The policy a, as far as systemd can say it.\n[Service]\nIPAddressDeny=any\n"
	      "IPAddressAllow=localhost\nIPAddressAllow=192.0.2.0/24\nReadOnlyPaths=-/srv/a\n"
	      "InaccessiblePaths=-/srv/100%%\nNoExecPaths=-/srv/tool\n"
	      "SystemCallFilter=~userfaultfd\nNoNewPrivileges=yes\nProtectKernelModules=yes\n"
	      "ProtectKernelTunables=yes\nProtectKernelLogs=yes\n",
	      losses);
}

static void systemd_with_losses(void **state)
{
	static const char *const losses[] = {
		"what no rule allows may be read, run and connected to",
		"a default that does not allow has no such key here",
		"'www.example.com:443': only whole networks can be expressed, denied or allowed, not "
		"both",
		"'192.0.2.1:443': only whole networks can be expressed, denied or allowed, not both",
		"'**/.env': only literal paths that are denied, or written, by every program",
		"'/usr/bin/make' has no such key",
		NULL,
	};

	(void)state;
	check(export_systemd,
	      "picket: 1\nname: b\nprocess: {profile: off}\n"
	      "egress: {default: deny, rules: [{allow: ['www.example.com:443', '192.0.2.1:443']}]}\n"
	      "files:\n  default: deny\n  rules:\n"
	      "    - {allow: '/srv/app/**', access: [read, write]}\n    - {deny: '**/.env'}\n"
	      "exec: {default: deny, rules: [{allow: /usr/bin/make}]}\n",
	      "# The policy b, as far as systemd can say it.\n[Service]\nProtectSystem=strict\n"
	      "IPAddressDeny=any\nReadWritePaths=-/srv/app\n"
	      "# not expressed (allows more), line 6: what no rule allows may be read, run and "
	      "connected to\n"
	      "# not expressed (allows more), line 10: a default that does not allow has no such key "
	      "here\n"
	      "# not expressed (allows less), line 4: 'www.example.com:443': only whole networks can be "
	      "expressed, denied or allowed, not both\n"
	      "# not expressed (allows less), line 4: '192.0.2.1:443': only whole networks can be "
	      "expressed, denied or allowed, not both\n"
	      "# not expressed (allows more), line 9: '**/.env': only literal paths that are denied, or "
	      "written, by every program\n"
	      "# not expressed (allows less), line 10: '/usr/bin/make' has no such key\n",
	      losses);
}

static void landlock_says_what_it_is(void **state)
{
	static const char *const losses[] = {
		"'/srv/app/deploy/**': there are only rules that allow",
		"'/srv/*/x' has wildcards",
		"'192.0.2.1:443': only TCP ports of any destination can be allowed",
		"connecting to unix sockets is not limited",
		"UDP and all protocols but TCP are not limited",
		NULL,
	};

	(void)state;
	check(export_landlock,
	      "picket: 1\nprocess: {profile: off}\n"
	      "files:\n  default: deny\n  rules:\n"
	      "    - {allow: '/usr/**', access: [read, exec]}\n"
	      "    - {deny: '/srv/app/deploy/**', access: write}\n"
	      "    - {allow: '/srv/*/x', access: read}\n"
	      "egress: {default: deny, rules: [{allow: ['@any:443', '192.0.2.1:443'], protocol: tcp}]}\n",
	      "{\n  \"schema\": \"picket.export.landlock/1\",\n  \"handled_fs\": [\n    \"read\",\n"
	      "    \"write\",\n    \"exec\"\n  ],\n  \"handled_net\": [\n    \"connect_tcp\"\n  ],\n"
	      "  \"paths\": [\n    {\n      \"path\": \"/usr\",\n      \"access\": [\n"
	      "        \"read\",\n        \"exec\"\n      ]\n    }\n  ],\n  \"connect_tcp\": [\n"
	      "    443\n  ]\n}\n",
	      losses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(systemd_without_loss),
		cmocka_unit_test(systemd_with_losses),
		cmocka_unit_test(landlock_says_what_it_is),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
