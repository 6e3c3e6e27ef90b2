/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which events somebody wants to see: the options that `picket tail` and `picket log` share, and the one
 * place that decides whether an event (telemetry/json.h) is meant. A store or a daemon may leave out
 * earlier what this would leave out, never more.
 *
 * Options of different names must all hold; of one that is repeated, any:
 *
 *   --since TIME, --until TIME   telemetry/moment.h; until is exclusive
 *   --agent NAME                 an agent's id; its name, where the event has one
 *   --verdict VERDICT            allow, ask, deny; the would-be ones of audit mode too
 *   --kind KIND                  filter_kinds[]
 *   --process WORD               of its name (comm), its program (whole path or last part), its pid;
 *                                or its id: then what came from that process too
 *   --host GLOB                  of a host name or an address, case does not count: `*` any
 *                                characters, dots too, `?` one; "**.a.b" is a.b and all below it
 *   --path GLOB                  a path glob as in policies, of either path of the event
 *   --rule TEXT                  a part of the rule's text, its id, FILE:LINE of it, "default SECTION",
 *                                or the name of a switch
 */
#ifndef PICKET_TELEMETRY_FILTER_H
#define PICKET_TELEMETRY_FILTER_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#include "telemetry/path_match.h"

/** What of an event a filter looks at; words of it are kept by this. */
enum filter_key {
	FILTER_AGENT,
	FILTER_VERDICT,
	FILTER_KIND,
	FILTER_PROCESS,
	FILTER_HOST,
	FILTER_PATH,
	FILTER_RULE,
	FILTER__KEYS
};

/** What getopt_long() gives for FILTER_OPTIONS. */
enum filter_option {
	FILTER_OPTION_FIRST = 0x200, /* + enum filter_key */
	FILTER_OPTION_SINCE = FILTER_OPTION_FIRST + FILTER__KEYS,
	FILTER_OPTION_UNTIL,
	FILTER_OPTION__END
};

/* clang-format off */
/** Rows for getopt_long(). */
#define FILTER_OPTIONS \
	{ "agent", required_argument, NULL, FILTER_OPTION_FIRST + FILTER_AGENT }, \
	{ "verdict", required_argument, NULL, FILTER_OPTION_FIRST + FILTER_VERDICT }, \
	{ "kind", required_argument, NULL, FILTER_OPTION_FIRST + FILTER_KIND }, \
	{ "process", required_argument, NULL, FILTER_OPTION_FIRST + FILTER_PROCESS }, \
	{ "host", required_argument, NULL, FILTER_OPTION_FIRST + FILTER_HOST }, \
	{ "path", required_argument, NULL, FILTER_OPTION_FIRST + FILTER_PATH }, \
	{ "rule", required_argument, NULL, FILTER_OPTION_FIRST + FILTER_RULE }, \
	{ "since", required_argument, NULL, FILTER_OPTION_SINCE }, \
	{ "until", required_argument, NULL, FILTER_OPTION_UNTIL }
/* clang-format on */

/** Their lines of a command's help. */
#define FILTER_HELP                                                                                \
	"      --since TIME      not before TIME: 2h (ago), 14:00, 'yesterday 14:00',\n"           \
	"                        2026-11-22, 2026-11-22T14:00:00Z\n"                               \
	"      --until TIME      before TIME\n"                                                    \
	"      --agent AGENT     of this agent: its id or name\n"                                  \
	"      --verdict VERDICT allow, ask or deny\n"                                             \
	"      --kind KIND       decision, activity, life, agent, policy, answer, note, loss,\n"   \
	"                        daemon, audit-head\n"                                             \
	"      --process WHO     by its name, program or pid; by its id what it started, too\n"    \
	"      --host GLOB       a host name or address, '*' for any part of it\n"                 \
	"      --path GLOB       a path glob as in policies\n"                                     \
	"      --rule TEXT       a part of the rule, its id, FILE:LINE, 'default SECTION'\n"

/** Words of which any must hold; none: all events. */
struct filter_words {
	const char **items; /* the words are borrowed from the command line */
	size_t count;
};

/** Zero-initialise: all events. filter_reset() frees. */
struct event_filter {
	__s64 since_ns; /* since the epoch; 0 = from the beginning */
	__s64 until_ns; /* 0 = no end */
	struct filter_words words[FILTER__KEYS];
	struct path_match **paths; /* owned; of words[FILTER_PATH], in their order */
};

/** The kinds of events. */
extern const char *const filter_kinds[];
extern const size_t filter_kinds_count;

/** True when getopt_long() gave an option of FILTER_OPTIONS. */
static inline bool filter_has_option(int option)
{
	return option >= FILTER_OPTION_FIRST && option < FILTER_OPTION__END;
}

/**
 * Take the @value (borrowed) of @option. Returns 0; -EINVAL with a sentence for people in *@reterr_why
 * (malloc'ed; NULL when out of memory); -ENOMEM.
 */
int filter_parse_option(struct event_filter *filter, int option, const char *value,
			char **reterr_why);

/** Add a word that is no glob, as if given by its option: @word is borrowed. Returns 0 or -ENOMEM. */
int filter_add_word(struct event_filter *filter, enum filter_key key, const char *word);

/** Is @event meant? */
bool filter_matches(const struct event_filter *filter, const json_t *event);

/** Free what @filter owns and make it match all events. */
void filter_reset(struct event_filter *filter);

#endif
