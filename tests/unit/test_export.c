/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exports: what comes out to the letter, and what is told not to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static bool remove_file(const char *folder, const char *name)
{
	CLEAN_FREE char *path = NULL;

	return asprintf(&path, "%s/%s", folder, name) > 0 && unlink(path) == 0;
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

static void systemd_is_told_of_own_addresses(void **state)
{
	static const char *const losses[] = {
		"'@loopback': this machine's other addresses are not among them", NULL
	};

	(void)state;
	check(export_systemd,
	      "picket: 1\nname: c\nprocess: {profile: off}\n"
	      "egress: {default: allow, rules: [{deny: '@loopback'}]}\n",
	      "# The policy c, as far as systemd can say it.\n[Service]\nIPAddressDeny=localhost\n"
	      "# not expressed (allows more), line 4: '@loopback': this machine's other addresses are "
	      "not among them\n",
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

/* What systemd-analyze says about @text as a drop-in of a service in the folder @folder; malloc'ed. */
static char *verify(const char *folder, const char *text)
{
	static const char unit[] = "[Service]\nExecStart=/bin/true\n";
	CLEAN_FREE char *command = NULL;
	CLEAN_FREE char *service = NULL;
	CLEAN_FREE char *dropin = NULL;
	char *said = NULL;
	size_t size = 0;
	FILE *to, *from;

	assert_true(asprintf(&service, "%s/picket-test.service", folder) > 0);
	assert_true(asprintf(&dropin, "%s/picket-test.service.d/50-picket.conf", folder) > 0);
	assert_true(asprintf(&command, "systemd-analyze verify --man=no %s 2>&1 || echo failed",
			     service) > 0);
	to = fopen(service, "we");
	assert_true(to && fputs(unit, to) >= 0 && fclose(to) == 0);
	to = fopen(dropin, "we");
	assert_true(to && fputs(text, to) >= 0 && fclose(to) == 0);
	/* NOLINTNEXTLINE(cert-env33-c): the words are this test's own */
	from = popen(command, "re");
	assert_non_null(from);
	if (getdelim(&said, &size, EOF, from) < 0) {
		free(said);
		said = strdup("");
	}
	(void)pclose(from);
	assert_non_null(said);
	return said;
}

/* Every key that the export knows, and all groups and kinds. */
static const char *const verified[] = {
	"picket: 1\nname: a\nprocess: {profile: strict}\nsyscalls:\n  deny: ['@clock', '@cpu-emulation', "
	"'@debug', '@kexec', '@keyring', '@module', '@mount', '@namespace', '@obsolete', '@privileged', "
	"'@raw-io', '@reboot', '@swap']\n",
	"picket: 1\nname: b\nsockets: {allow: [unix, inet, inet6, netlink-all, packet, vsock, alg, "
	"bluetooth, can, xdp]}\n"
	"process: {profile: off, setuid: deny, namespaces: deny, modules: deny, kernel: deny, mounts: deny, "
	"capabilities: [chown, kill]}\n",
	"picket: 1\nname: c\nsockets: {allow: []}\n"
	"egress: {default: deny, rules: [{allow: ['@loopback', 192.0.2.0/24, '2001:db8::/32', 192.0.2.7]}]}\n"
	"files:\n  default: deny\n  rules:\n"
	"    - {allow: ['/srv/100%/**', '/srv/#x', '/srv/ü/**'], access: [read, write]}\n"
	"    - {deny: '/srv/a b/**'}\n    - {deny: '/srv/\\\\x/**'}\n    - {deny: '/srv/;/**', access: exec}\n",
	"picket: 1\nname: d\negress: {rules: [{deny: ['@loopback', 198.51.100.0/24]}], default: allow}\n"
	"files: {default: allow, rules: [{deny: '/srv/**', access: write}, {deny: '/home/**'}]}\n",
};

static void systemd_takes_what_is_exported(void **state)
{
	char folder[] = "/tmp/picket-export-XXXXXX";
	CLEAN_FREE char *below = NULL;
	CLEAN_FREE char *control = NULL;

	(void)state;
	/* NOLINTNEXTLINE(cert-env33-c) */
	if (system("command -v systemd-analyze >/dev/null") != 0) {
		print_message("systemd-analyze is not installed: tools/deps test\n");
		skip();
	}
	assert_non_null(mkdtemp(folder));
	assert_true(asprintf(&below, "%s/picket-test.service.d", folder) > 0);
	assert_int_equal(mkdir(below, 0755), 0);
	control = verify(folder, "[Service]\nReadOnlyPaths=srv\nNoSuchKey=1\n");
	assert_non_null(strstr(control, "path is not absolute"));
	assert_non_null(strstr(control, "NoSuchKey"));
	for (size_t i = 0; i < sizeof(verified) / sizeof(verified[0]); i++) {
		CLEAN(export_losses_reset) struct export_losses lost = { 0 };
		CLEAN_FREE char *text = export(export_systemd, verified[i], &lost);
		CLEAN_FREE char *said = verify(folder, text);

		if (*said)
			fail_msg("row %zu: systemd says of\n%s: %s", i, text, said);
	}
	assert_true(remove_file(folder, "picket-test.service.d/50-picket.conf"));
	assert_true(remove_file(folder, "picket-test.service"));
	assert_int_equal(rmdir(below), 0);
	assert_int_equal(rmdir(folder), 0);
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
		cmocka_unit_test(systemd_is_told_of_own_addresses),
		cmocka_unit_test(systemd_with_losses),
		cmocka_unit_test(systemd_takes_what_is_exported),
		cmocka_unit_test(landlock_says_what_it_is),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
