/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * telemetry.yaml: what is read of it, and what each fault is told as, with its place.
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
#include "sink/settings.h"

static char *folder(void)
{
	static char path[] = "/tmp/picket-settings-XXXXXX";

	return path;
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder()))
		return -1;
	return chdir(folder());
}

static int remove_folder(void **state)
{
	char command[80];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder());
	return system(command);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	CLEAN_FD int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
}

static int read_text(const char *text, struct telemetry_settings *ret, struct diag_list *diags)
{
	write_file("t.yaml", text, 0600);
	return telemetry_settings_read("t.yaml", false, geteuid(), ret, diags);
}

/* What was told, with DIR for the folder. */
static char *words(const struct diag_list *diags)
{
	char *told = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&told, &size);
	char *at;

	for (size_t i = 0; i < diags->count; i++) {
		const struct diag *diag = &diags->items[i];

		(void)fprintf(to, "%s:%u:%u: error: %s\n", diag->file ? diag->file : "", diag->line,
			      diag->column, diag->message);
		if (diag->hint)
			(void)fprintf(to, "hint: %s\n", diag->hint);
	}
	assert_int_equal(fclose(to), 0);
	while ((at = strstr(told, folder()))) {
		memcpy(at, "DIR", 3);
		memmove(at + 3, at + strlen(folder()), strlen(at + strlen(folder())) + 1);
	}
	return told;
}

/* The findings for @text are @wanted: "FILE:LINE:COLUMN: error: message" and hints, by line. */
static void expect(const char *text, const char *wanted)
{
	struct telemetry_settings settings = TELEMETRY_SETTINGS_NONE;
	struct diag_list diags = { 0 };
	CLEAN_FREE char *told = NULL;

	assert_int_equal(read_text(text, &settings, &diags), -EINVAL);
	told = words(&diags);
	assert_string_equal(told, wanted);
	diag_list_reset(&diags);
}

/* The same of a file that must be guarded, whose secret is DIR/key. */
static void expect_guarded(mode_t mode, const char *wanted)
{
	struct telemetry_settings settings = TELEMETRY_SETTINGS_NONE;
	struct diag_list diags = { 0 };
	CLEAN_FREE char *told = NULL;
	char path[80];
	char text[256];

	(void)snprintf(path, sizeof(path), "%s/g.yaml", folder());
	(void)snprintf(text, sizeof(text),
		       "picket: 1\nsinks:\n  - {name: a, type: webhook, url: \"https://x/\","
		       " hmac_key: %s/key}\n",
		       folder());
	write_file("g.yaml", text, mode);
	assert_true(telemetry_settings_read(path, true, geteuid(), &settings, &diags) < 0);
	told = words(&diags);
	assert_string_equal(told, wanted);
	diag_list_reset(&diags);
}

static void everything_is_read(void **state)
{
	struct telemetry_settings settings = TELEMETRY_SETTINGS_NONE;
	struct diag_list diags = { 0 };
	const struct sink_settings *sink;

	(void)state;
	assert_int_equal(
		read_text(
			"picket: 1\n"
			"sinks:\n"
			"  - {name: a, type: file, path: /var/log/picket/a, fsync: each,"
			" rotate: {size: 2MiB, count: 3}, events: [decisions, life]}\n"
			"  - {name: b, type: syslog, address: \"tls:[::1]:6514\", ca: /c,"
			" server_name: n, facility: local3, spool: off, timeout: 1m}\n"
			"  - {name: c, type: otlp, url: \"https://x/v1/logs\", compress: gzip,"
			" format: otlp-json, queue: 64KiB}\n"
			"  - {name: d, type: webhook, url: \"http://x:1/\", format: ocsf}\n"
			"  - {name: e, type: journald}\n"
			"  - {name: f, type: store, size: 1GiB, days: 30}\n"
			"metrics: 127.0.0.1:9464\n"
			"histograms: true\n"
			"receive: {otlp: \"[::1]:4318\"}\n"
			"redact: {defaults: false, argv: [\"--a=*\"], paths: /p/**, query: [q, r]}\n"
			"audit: {checkpoint: 10, key: /k}\n",
			&settings, &diags),
		0);
	assert_int_equal(settings.sink_count, 6);
	sink = settings.sinks;
	assert_int_equal(sink[0].events, 1 << SINK_DECISION | 1 << SINK_LIFE);
	assert_int_equal(sink[0].rotate_size, 2 << 20);
	assert_int_equal(sink[0].rotate_count, 3);
	assert_int_equal(sink[0].sync, SINK_SYNC_EACH);
	assert_int_equal(sink[0].spool, 64 << 20);
	assert_int_equal(sink[1].transport, SINK_TLS);
	assert_string_equal(sink[1].host, "::1");
	assert_string_equal(sink[1].port, "6514");
	assert_int_equal(sink[1].facility, 19);
	assert_int_equal(sink[1].spool, 0);
	assert_int_equal(sink[1].timeout, 60);
	assert_int_equal(sink[1].events, 1 << SINK_DECISION | 1 << SINK_RECORD);
	assert_int_equal(sink[2].format, FORMAT_OTLP_JSON);
	assert_true(sink[2].gzip);
	assert_int_equal(sink[2].queue, 64 << 10);
	assert_int_equal(sink[3].format, FORMAT_OCSF);
	assert_string_equal(sink[4].path, "/run/systemd/journal/socket");
	assert_string_equal(sink[5].path, "/var/lib/picket/events.db");
	assert_int_equal(sink[5].store_days, 30);
	assert_string_equal(settings.metrics, "127.0.0.1:9464");
	assert_true(settings.histograms);
	assert_string_equal(settings.receive_otlp, "[::1]:4318");
	assert_false(settings.redact.defaults);
	assert_int_equal(settings.redact.query.count, 2);
	assert_string_equal(settings.redact.paths.items[0], "/p/**");
	assert_int_equal(settings.audit.checkpoint, 10);
	assert_true(sink_settings_equal(&sink[0], &sink[0]));
	assert_false(sink_settings_equal(&sink[0], &sink[1]));
	telemetry_settings_reset(&settings);
	diag_list_reset(&diags);
}

static void faults_of_the_file(void **state)
{
	(void)state;
	expect("picket: 2\nsink: []\n",
	       "t.yaml:1:9: error: this picket does not know version '2' of telemetry.yaml\n"
	       "hint: write 'picket: 1'\n"
	       "t.yaml:2:1: error: unknown key 'sink' in telemetry.yaml\n"
	       "hint: did you mean 'sinks'?\n");
	expect("[]\n", "t.yaml:1:1: error: telemetry.yaml must be a map, not a list\n");
	expect("picket: 1\nmetrics: 0.0.0.0:9464\n",
	       "t.yaml:2:10: error: '0.0.0.0:9464': only this machine may reach it: the address must be in 127.0.0.0/8, or [::1]\n"
	       "hint: write an address of this machine itself and a port, as in '127.0.0.1:9464'\n");
	expect("picket: 1\nhistograms: yes\n", "t.yaml:2:13: error: unknown truth value 'yes'\n"
					       "hint: known ones: true, false\n");
	expect("picket: 1\naudit: {checkpoint: 0, key: k}\n",
	       "t.yaml:2:21: error: '0' is not a number from 1 to 1000000\n"
	       "t.yaml:2:29: error: 'k' is not the path of a file\n"
	       "hint: write the whole path, from '/' on\n");
}

static void faults_of_sinks(void **state)
{
	(void)state;
	expect("picket: 1\nsinks:\n  - name: a\n",
	       "t.yaml:3:5: error: a sink needs the key 'type'\n"
	       "hint: file, stdout, syslog, journald, otlp, webhook or store\n");
	expect("picket: 1\nsinks:\n  - {name: A, type: stdout}\n  - x\n",
	       "t.yaml:3:12: error: 'A' is not a name of a sink\n"
	       "hint: small letters, digits and '-', 32 at most\n"
	       "t.yaml:4:5: error: a sink must be a map, not the text 'x'\n");
	expect("picket: 1\nsinks:\n  - {name: a, type: stdout}\n  - {name: a, type: stdout}\n",
	       "t.yaml:4:12: error: there is already a sink 'a'\n");
	expect("picket: 1\nsinks:\n  - {name: a, type: stdout, events: [], url: x}\n",
	       "t.yaml:3:41: error: unknown key 'url' in a sink of type stdout\n"
	       "hint: known keys: name, type, events, queue, spool, format\n"
	       "t.yaml:3:37: error: this sink would get nothing\n"
	       "hint: events is a list of decisions, activity, life and records\n");
	expect("picket: 1\nsinks:\n  - {name: a, type: stdout, queue: 1KiB, events: decision}\n",
	       "t.yaml:3:50: error: unknown kind of events 'decision'\n"
	       "hint: did you mean 'decisions'?\n"
	       "t.yaml:3:36: error: '1KiB' is not a size from 64KiB to 256MiB\n"
	       "hint: write a number with KiB, MiB or GiB behind it\n");
}

static void faults_of_addresses(void **state)
{
	(void)state;
	expect("picket: 1\nsinks:\n  - {name: a, type: syslog, address: \"udp:x:514\"}\n",
	       "t.yaml:3:38: error: 'udp:x:514' is not an address of a syslog server\n"
	       "hint: unix:/dev/log, tcp:HOST:PORT or tls:HOST:PORT; an IPv6 address in brackets\n");
	expect("picket: 1\nsinks:\n  - {name: a, type: syslog, address: \"tcp:x:514\", ca: /c}\n",
	       "t.yaml:3:55: error: only a connection over TLS has certificates\n"
	       "hint: write the address as 'tls:HOST:PORT'\n");
	expect("picket: 1\nsinks:\n  - {name: a, type: otlp, url: \"ftp://x/\", timeout: 1h}\n",
	       "t.yaml:3:32: error: 'ftp://x/' is not an http or https URL\n"
	       "hint: as in 'https://logs.example.org/v1/logs'\n"
	       "t.yaml:3:53: error: '1h' is not a time from 1s to 5m\n"
	       "hint: write seconds or minutes as '10s', '1m'\n");
	expect("picket: 1\nsinks:\n  - {name: a, type: webhook, url: \"https://u:p@x/\"}\n",
	       "t.yaml:3:35: error: a URL may not have a password in it\n"
	       "hint: put a line 'Authorization: ...' into a file and name it by 'headers'\n");
}

/* What belongs to others, or others may read. */
static void files_are_guarded(void **state)
{
	(void)state;
	expect_guarded(0666,
		       ":0:0: error: cannot read the settings 'DIR/g.yaml': others than its owner "
		       "may write it (mode 0666)\n"
		       "hint: look through it, then: chmod go-w 'DIR/g.yaml'\n");
	expect_guarded(0600,
		       "DIR/g.yaml:3:59: error: cannot read the secret 'DIR/key': No such file or "
		       "directory\n");
	write_file("key", "secret\n", 0644);
	expect_guarded(0600,
		       "DIR/g.yaml:3:59: error: others may read the secret 'DIR/key' (mode 0644)\n"
		       "hint: chmod 0600 'DIR/key'\n");
	write_file("key", "secret\n", 0666);
	expect_guarded(0600,
		       "DIR/g.yaml:3:59: error: cannot use the secret 'DIR/key': others than its "
		       "owner may write it (mode 0666)\n"
		       "hint: look through it, then: chmod go-w 'DIR/key'\n");
	assert_int_equal(unlink("key"), 0);
}

static void no_file_is_defaults(void **state)
{
	struct telemetry_settings settings = TELEMETRY_SETTINGS_NONE;
	struct diag_list diags = { 0 };

	(void)state;
	assert_int_equal(telemetry_settings_read("/nowhere/t.yaml", true, 0, &settings, &diags), 0);
	assert_false(settings.present);
	assert_true(settings.redact.defaults);
	assert_int_equal(settings.audit.checkpoint, 1000);
	/* Who names it wants it. */
	assert_int_equal(telemetry_settings_read("/nowhere/t.yaml", false, 0, &settings, &diags),
			 -ENOENT);
	diag_list_reset(&diags);
}

static void there_are_not_too_many(void **state)
{
	CLEAN_FREE char *text = calloc(1, 4096);
	char *at = stpcpy(text, "picket: 1\nsinks:\n");

	(void)state;
	for (int i = 0; i <= SINKS_MAX; i++)
		at += sprintf(at, "  - {name: s%d, type: stdout}\n", i);
	expect(text, "t.yaml:19:5: error: more than 16 sinks\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_read),	  cmocka_unit_test(faults_of_the_file),
		cmocka_unit_test(faults_of_sinks),	  cmocka_unit_test(faults_of_addresses),
		cmocka_unit_test(files_are_guarded),	  cmocka_unit_test(no_file_is_defaults),
		cmocka_unit_test(there_are_not_too_many),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
