/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing without stdio, so that a failed write is known at once and belongs to one line.
 */
#include "cli/run_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "engine/learned_names.h"
#include "process/table.h"
#include "telemetry/json.h"
#include "telemetry/render.h"

/* Write everything; *@ret_torn: only a part went out. Returns 0 or -errno. */
static int write_all(int fd, const char *text, bool *ret_torn)
{
	size_t length = strlen(text);
	size_t done = 0;

	while (done < length) {
		ssize_t n = write(fd, text + done, length - done);

		if (n >= 0) {
			done += (size_t)n;
			continue;
		}
		if (errno == EAGAIN) {
			struct pollfd event = { .fd = fd, .events = POLLOUT };

			(void)poll(&event, 1, -1);
		} else if (errno != EINTR) {
			*ret_torn = done > 0;
			return -errno;
		}
	}
	*ret_torn = false;
	return 0;
}

int run_output_open(struct run_output *output, const char *events)
{
	output->events = events;
	if (events && strcmp(events, "-") == 0)
		output->events_fd = STDOUT_FILENO;
	else if (events)
		output->events_fd = open(events, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (events && output->events_fd < 0)
		return -errno;
	if (events)
		output->events_start = (long long)lseek(output->events_fd, 0, SEEK_END);
	if (events && process_table_new(&PROCESS_LIMITS, &output->processes))
		return -ENOMEM;
	return summary_new(&output->summary);
}

void run_output_text(struct run_output *output, const char *text)
{
	bool torn;

	if (output->quiet || output->silent)
		return;
	/* Nobody can be told that stderr is broken. */
	if (write_all(STDERR_FILENO, text, &torn))
		output->silent = true;
}

static void print_line(struct run_output *output, const struct event *event)
{
	CLEAN_FREE char *line = NULL;

	if (output->quiet || output->silent || render_event(event, &output->context, &line))
		return;
	run_output_text(output, line);
}

static void lose_event(struct run_output *output, int error)
{
	output->events_lost++;
	if (output->events_told)
		return;
	output->events_told = true;
	errno = -error;
	(void)cli_error("run",
			"cannot write events to '%s': %m; they are counted, and the policy "
			"is enforced as before",
			output->events);
}

/* Write @line, NULL when there was no memory for it (@error). */
static void write_line(struct run_output *output, const char *line, int error)
{
	bool torn = false;
	int r = line ? 0 : error;

	/* A line that was cut is closed first, so that it spoils no other. */
	if (r == 0 && output->events_torn)
		r = write_all(output->events_fd, "\n", &torn);
	if (r == 0) {
		output->events_torn = false;
		r = write_all(output->events_fd, line, &output->events_torn);
	}
	if (r)
		lose_event(output, r);
}

void run_output_json(struct run_output *output, const char *line)
{
	CLEAN_FREE char *whole = NULL;

	if (output->events_fd < 0)
		return;
	if (line && asprintf(&whole, "%s\n", line) < 0)
		whole = NULL;
	write_line(output, whole, -ENOMEM);
}

static void write_event(struct run_output *output, const struct event *event)
{
	const struct process_facts facts = process_facts_of(event);
	struct event_context context = output->context;
	const struct process *process;
	CLEAN_FREE char *line = NULL;
	struct process_view view;
	int r;

	if (output->events_fd < 0)
		return;
	process = process_table_see(output->processes, &facts);
	if (process)
		process_table_view(output->processes, process, facts.time_ns, &view);
	context.process = process ? &view : NULL;
	r = json_event(event, &context, &line);
	write_line(output, line, r);
}

/* A life is not told, but what is told has its ancestors and its purpose. */
static void take_life(struct run_output *output, const void *bytes, size_t size)
{
	struct process *process;
	struct life life;

	if (life_decode(bytes, size, &life)) {
		summary_add_malformed(output->summary);
		return;
	}
	if (!output->processes)
		return;
	/* The command: what it was given is its launcher's word. */
	if (life.head.what == PK_LIFE_PROGRAM && !output->began)
		process_table_root(output->processes, life.head.agent, life.head.tgid);
	output->began = output->began || life.head.what == PK_LIFE_PROGRAM;
	(void)process_table_take(output->processes, &life, &process);
}

void run_output_record(void *context, const void *bytes, size_t size)
{
	struct run_output *output = context;
	struct event event;

	if (life_is(bytes, size)) {
		take_life(output, bytes, size);
		return;
	}
	if (event_decode(bytes, size, &event)) {
		summary_add_malformed(output->summary);
		return;
	}
	summary_add(output->summary, &event);
	if (event.head.kind == PK_EVENT_DECISION)
		print_line(output, &event);
	write_event(output, &event);
}

void run_output_names(struct run_output *output, const struct learned_table *table)
{
	if (!output->quiet && !output->silent)
		(void)learned_names_print(table, &output->context, stderr);
	for (size_t i = 0; output->events_fd >= 0 && i < table->count; i++) {
		CLEAN_FREE char *line = NULL;
		int r = learned_names_json(&table->items[i], &output->context, &line);

		write_line(output, line, r);
	}
}

void run_output_finish(struct run_output *output, const __u64 counts[PK_COUNT__MAX])
{
	if (!output->summary || output->quiet || output->silent)
		return;
	summary_set_counts(output->summary, counts);
	(void)summary_print(output->summary, &output->context, stderr);
	run_output_losses(output);
}

void run_output_losses(const struct run_output *output)
{
	if (output->events_lost && !output->quiet)
		(void)cli_error("run", "events that could not be written to '%s': %llu",
				output->events, (unsigned long long)output->events_lost);
}

void run_output_reset(struct run_output *output)
{
	summary_free(&output->summary);
	process_table_free(&output->processes);
	if (output->events_fd != STDOUT_FILENO)
		mem_close_fd(&output->events_fd);
	*output = (struct run_output)RUN_OUTPUT_NONE;
}
