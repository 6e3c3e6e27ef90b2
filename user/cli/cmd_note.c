/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `picket note`: an agent, or its harness, says which tool call it works on.
 * Called by hooks: it prints nothing when all is well, and a wrong command line
 * is the only reason for status 2, which some harnesses take for a refusal of
 * the call.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "note/send.h"

/* As long as picketd may be busy; the agent stands still meanwhile. */
#define WAIT_MS 2000
/* Most bytes of what a harness says: the content of files is in there. */
#define HOOK_MAX (16U << 20)

static const char help[] =
	"usage: picket note --tool NAME [--call-id ID] [--intent TEXT] [--socket "
	"PATH]\n"
	"       picket note --end [--call-id ID] [--tool NAME] [--status N] "
	"[--socket PATH]\n"
	"       picket note --hook [--socket PATH]\n"
	"\n"
	"Inside an agent: say that a tool call begins, or ends. Until it ends, it "
	"is in the events of\n"
	"the process that called `picket note` (its parent), and for good in those "
	"of all that this\n"
	"process starts meanwhile. Nothing is decided by it.\n"
	"\n"
	"      --tool NAME     the tool\n"
	"      --call-id ID    what the agent calls this call\n"
	"      --intent TEXT   what it is for\n"
	"      --end           it ends: the call ID, or else the newest of the "
	"tool, or the newest\n"
	"      --status N      how it went, 0 = well\n"
	"      --hook          all of it from standard input, as Claude Code and "
	"Codex call hooks\n"
	"      --socket PATH   the agent's socket, in place of $PICKET_NOTES\n"
	"\n"
	"Exit status: 0; 1 when picketd did not take it.\n";

/* The command line. */
struct words {
	const char *tool; /* all NULL: not said */
	const char *call_id;
	const char *intent;
	const char *status;
	const char *path;
	bool ends;
	bool hook;
};

static void take_option(struct words *words, int option)
{
	switch (option) {
	case 't':
		words->tool = optarg;
		break;
	case 'c':
		words->call_id = optarg;
		break;
	case 'i':
		words->intent = optarg;
		break;
	case 's':
		words->status = optarg;
		break;
	case 'p':
		words->path = optarg;
		break;
	case 'e':
		words->ends = true;
		break;
	default:
		words->hook = true;
	}
}

/* Returns CLI_OK or the exit code after printing. */
static int check_words(const struct words *words)
{
	if (words->hook &&
	    (words->tool || words->call_id || words->intent || words->status || words->ends))
		return cli_usage("note", "--hook takes all of it from standard input: leave the "
					 "other options away");
	if (!words->hook && !words->ends && !words->tool)
		return cli_usage("note", "no tool given: --tool NAME, or --end");
	if (words->status && !words->ends)
		return cli_usage("note", "--status says how a call went: give --end with it");
	if (words->intent && words->ends)
		return cli_usage("note",
				 "--intent says what a call is for when it begins: leave it "
				 "away with --end");
	return CLI_OK;
}

/* Returns 0, or -1 with *@ret_exit set. */
static int parse(struct words *words, int argc, char **argv, int *ret_exit)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "tool", required_argument, NULL, 't' },
		{ "call-id", required_argument, NULL, 'c' },
		{ "intent", required_argument, NULL, 'i' },
		{ "status", required_argument, NULL, 's' },
		{ "socket", required_argument, NULL, 'p' },
		{ "end", no_argument, NULL, 'e' },
		{ "hook", no_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (option == 'h' || option == '?') {
			*ret_exit = option == 'h' ? cli_help(help) : cli_usage("note", NULL);
			return -1;
		}
		take_option(words, option);
	}
	*ret_exit = optind < argc ? cli_usage("note", "'%s' is one word too many", argv[optind]) :
				    check_words(words);
	return *ret_exit ? -1 : 0;
}

/* --- The note ------------------------------------------------------------------------------------- */

static int take_text(const char *option, const char *word, char *text, size_t max)
{
	int r = word ? note_set_text(text, max, word, strlen(word)) : 0;

	if (r == -E2BIG)
		return cli_usage("note", "the text of %s has %zu bytes: at most %zu", option,
				 strlen(word), max);
	if (r)
		return cli_usage("note",
				 "the text of %s is not UTF-8, or has characters that are not "
				 "shown",
				 option);
	return CLI_OK;
}

static int take_status(const char *word, struct note *note)
{
	char *end = NULL;
	long status;

	if (!word)
		return CLI_OK;
	errno = 0;
	status = strtol(word, &end, 10);
	if (errno || end == word || *end || status < INT_MIN || status > INT_MAX)
		return cli_usage("note", "'%s' is no number for --status", word);
	note->has_status = true;
	note->status = (int)status;
	return CLI_OK;
}

static int make_note(const struct words *words, struct note *note)
{
	int code;

	note->op = words->ends ? NOTE_END : NOTE_START;
	code = take_text("--tool", words->tool, note->tool, NOTE_TOOL_MAX);
	if (code == CLI_OK && words->tool && !*words->tool)
		code = cli_usage("note", "the name of the tool is empty");
	if (code == CLI_OK)
		code = take_text("--call-id", words->call_id, note->call_id, NOTE_CALL_MAX);
	/* What it is for is prose, and may have lines. */
	if (words->intent)
		note_fit_text(note->intent, NOTE_INTENT_MAX, words->intent, strlen(words->intent));
	return code ? code : take_status(words->status, note);
}

/* All of standard input, malloc'ed. NULL after printing. */
static char *read_input(size_t *ret_length)
{
	char *bytes = NULL;
	size_t length = 0;
	size_t size = 0;
	FILE *to = open_memstream(&bytes, &size);
	char part[4096];
	size_t n;

	while (to && (n = fread(part, 1, sizeof(part), stdin)) > 0 && length <= HOOK_MAX) {
		(void)fwrite(part, 1, n, to);
		length += n;
	}
	if (to && fclose(to) == 0 && length <= HOOK_MAX && !ferror(stdin)) {
		*ret_length = length;
		return bytes;
	}
	free(bytes);
	(void)cli_error("note", length > HOOK_MAX ? "standard input is over 16 MiB" :
						    "cannot read standard input: %m");
	return NULL;
}

static int read_hook(struct note *note)
{
	size_t length = 0;
	CLEAN_FREE char *bytes = read_input(&length);
	int r = bytes ? note_from_hook(bytes, length, note) : -EIO;

	if (r == -EBADMSG)
		return cli_error("note",
				 "standard input is not the JSON that a harness gives its hooks");
	if (r == -ENOMSG)
		return cli_error("note", "hook_event_name on standard input is none of PreToolUse, "
					 "PostToolUse and PostToolUseFailure");
	if (r == -EINVAL)
		return cli_error("note", "there is no tool_name on standard input");
	return r ? CLI_FAILED : CLI_OK;
}

static int send_note(const char *path, const struct note *note)
{
	int r = note_send(path, note, WAIT_MS);

	if (r == 0)
		return CLI_OK;
	if (r == -ENOENT || r == -ECONNREFUSED)
		return cli_error("note",
				 "nobody takes notes at '%s': picketd does not run, or the agent "
				 "has ended",
				 path);
	if (r == -ETIMEDOUT)
		return cli_error("note", "picketd did not take the note within %d ms", WAIT_MS);
	errno = -r;
	return cli_error("note", "cannot send to '%s': %m", path);
}

int cmd_note(int argc, char **argv)
{
	struct words words = { .path = getenv(NOTE_VARIABLE) };
	struct note note = { 0 };
	int code;

	if (parse(&words, argc, argv, &code))
		return code;
	code = words.hook ? read_hook(&note) : make_note(&words, &note);
	if (code)
		return code;
	if (words.path && *words.path)
		return send_note(words.path, &note);
	(void)cli_error("note",
			"this is not inside an agent of picketd: $" NOTE_VARIABLE " is not set");
	(void)fputs("Hint: `picket run` sets it where picketd carries the run; "
		    "--socket PATH says another\n",
		    stderr);
	return CLI_FAILED;
}
