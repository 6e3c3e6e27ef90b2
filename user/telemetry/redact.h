/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets taken out of what is told about programs: words of commands, paths, free text. What is hidden is
 * hidden whole, "[redacted]" stands for it. Time is linear in the input: nothing goes back.
 *
 * By default hidden (settings.defaults):
 *   values of options and variables whose name ends like a secret's: --password X, --api-key=X,
 *     GITHUB_TOKEN=X, "client_secret": "X"; not --password-file X, --max-tokens 5, --no-password
 *   of some programs the options with one letter: mysql -pX, sshpass -p X, curl -u user:X, redis-cli -a X
 *   headers: Authorization, Proxy-Authorization, Cookie, and those whose name ends like a secret's; Bearer X
 *   keys that can be told by their look: of AWS, GitHub, GitLab, OpenAI, Anthropic, Slack, Google, Stripe,
 *     npm, PyPI, Hugging Face; JSON web tokens; private keys in PEM
 *   who logs in by a URL: https://[redacted]@host/, and the values of token=, key=, sig= and the like in its
 *     query
 * A word that holds blanks (sh -c "...") is read like a command of its own.
 */
#ifndef PICKET_TELEMETRY_REDACT_H
#define PICKET_TELEMETRY_REDACT_H

#include <stdbool.h>
#include <stddef.h>

/** What stands for a secret. */
#define REDACT_MARK "[redacted]"

/**
 * What to hide besides. Patterns are globs: `*` is any number of any bytes, `?` one byte; nothing else is
 * special. Of what matches, the part up to the first wildcard is shown and the rest hidden.
 */
struct redact_settings {
	bool defaults; /* the secrets listed above */
	char **argv; /* of words; one without a wildcard hides the word behind it */
	size_t argv_count;
	char **paths; /* of paths, and of words that are one */
	size_t paths_count;
	char **query; /* of names in query strings, whatever their case: the value is hidden */
	size_t query_count;
};

/** Settings where nothing is configured: the defaults alone. */
extern const struct redact_settings redact_standard;

/** Settings that hide nothing: for who must know exactly what it is that he answers. */
extern const struct redact_settings redact_nothing;

/** The outcome. */
struct redacted {
	char *bytes; /* owned; followed by a NUL that is not counted */
	size_t length;
	bool hidden; /* something was hidden: do not show the input in any other form (hexadecimal) either */
};

/**
 * Hide in words as the kernel tells them, @size bytes, each word ended by a NUL but for the last one when it
 * is cut; the first is the program. There are as many words in the outcome, ended the same way.
 * Returns 0 or -ENOMEM.
 */
int redact_words(const struct redact_settings *settings, const char *words, size_t size,
		 struct redacted *ret);

/** Hide in a text of several words, like a line of a script. Returns 0 or -ENOMEM. */
int redact_text(const struct redact_settings *settings, const char *bytes, size_t length,
		struct redacted *ret);

/** Hide in a path. Returns 0 or -ENOMEM. */
int redact_path(const struct redact_settings *settings, const char *bytes, size_t length,
		struct redacted *ret);

/** Free the bytes and make it empty. */
void redacted_reset(struct redacted *text);

#endif
