/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets that stand behind a name in the middle of a text: settings, headers, parts of URLs.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "telemetry/redact_scan.h"

/* Ends of names of secrets, in whatever word they stand: GITHUB_TOKEN, db-password. */
static const char *const ends[] = {
	"password", "passwd", "passphrase",  "passcode",   "secret",
	"token",    "apikey", "credentials", "credential",
};

/* The same, as words of their own: bypass and compass are none. */
static const char *const word_ends[] = {
	"pass",	       "pwd",	      "api_key",     "access_key", "secret_key",     "auth_key",
	"private_key", "signing_key", "account_key", "shared_key", "encryption_key", "master_key",
	"app_key",     "service_key", "pat",	     "_auth",
};

/* Names in the query of a URL, or in a form, besides those above. */
static const char *const parameters[] = {
	"key",
	"sig",
	"signature",
	"code",
	"auth",
	"session",
	"sessionid",
	"sid",
	"jwt",
	"x-amz-signature",
	"x-amz-credential",
	"x-goog-signature",
	"x-goog-credential",
	"awsaccesskeyid",
};

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

bool scan_name_byte(char byte)
{
	return isalnum((unsigned char)byte) || byte == '_' || byte == '-' || byte == '.';
}

size_t scan_name_end(const struct scan *scan, size_t at, size_t end)
{
	while (at < end && scan_name_byte(scan->bytes[at]))
		at++;
	return at;
}

bool scan_is(const struct scan *scan, size_t at, size_t end, const char *text)
{
	return end - at == strlen(text) && strncasecmp(scan->bytes + at, text, end - at) == 0;
}

static char fold(char byte)
{
	return byte == '-' || byte == '.' ? '_' : (char)tolower((unsigned char)byte);
}

static bool ends_with(const char *name, size_t length, const char *end)
{
	size_t least = strlen(end);

	if (length < least)
		return false;
	for (size_t i = 0; i < least; i++) {
		if (fold(name[length - least + i]) != end[i])
			return false;
	}
	return true;
}

/* Does any of the ends above end so? Most names do not, and are not compared. */
static bool may_end(char last)
{
	return last && strchr("dtensylh", last);
}

bool scan_secret_name(const char *name, size_t length)
{
	if (length == 0 || !may_end(fold(name[length - 1])))
		return false;
	while (length > 0 && fold(*name) == '_' && *name != '_') {
		name++;
		length--;
	}
	if ((length >= 3 && strncasecmp(name, "no-", 3) == 0) ||
	    (length == 3 && strncmp(name, "PWD", 3) == 0) ||
	    (length == 6 && strncmp(name, "OLDPWD", 6) == 0))
		return false;
	for (size_t i = 0; i < COUNT(ends); i++) {
		if (ends_with(name, length, ends[i]))
			return true;
	}
	for (size_t i = 0; i < COUNT(word_ends); i++) {
		size_t least = strlen(word_ends[i]);

		if (ends_with(name, length, word_ends[i]) &&
		    (length == least || fold(name[length - least - 1]) == '_'))
			return true;
	}
	return false;
}

static bool is_header(const char *name, size_t length)
{
	return ends_with(name, length, "authorization") || ends_with(name, length, "cookie");
}

static bool is_parameter(const struct scan *scan, struct span name)
{
	const struct redact_settings *settings = scan->settings;

	for (size_t i = 0; settings->defaults && i < COUNT(parameters); i++) {
		if (scan_is(scan, name.start, name.end, parameters[i]))
			return true;
	}
	for (size_t i = 0; i < settings->query_count; i++) {
		if (scan_is(scan, name.start, name.end, settings->query[i]))
			return true;
	}
	return false;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_quote(char byte)
{
	return byte == '"' || byte == '\'' || byte == '`';
}

static size_t skip_blanks(const struct scan *scan, size_t at, size_t end)
{
	while (at < end && is_blank(scan->bytes[at]))
		at++;
	return at;
}

/* Up to the quotation mark @quote that is not escaped, or @end. */
static size_t quoted_end(const struct scan *scan, size_t at, size_t end, char quote)
{
	while (at < end && scan->bytes[at] != quote)
		at += scan->bytes[at] == '\\' && at + 1 < end ? 2 : 1;
	return at;
}

static size_t bare_end(const struct scan *scan, size_t at, size_t end)
{
	while (at < end && !strchr(" \t\r\n\"'`&,;)}]|<>", scan->bytes[at]))
		at++;
	return at;
}

/* Hide the value that begins at @at, quoted or bare. Returns where it ends. */
static size_t hide_value(struct scan *scan, size_t at, size_t end)
{
	struct span value = { at, end };

	/* A quotation mark in a text that is quoted itself: \"password\": \"...\" */
	while (value.start < end && scan->bytes[value.start] == '\\')
		value.start++;
	if (value.start < end && is_quote(scan->bytes[value.start])) {
		char quote = scan->bytes[value.start++];

		value.end = quoted_end(scan, value.start, end, quote);
	} else {
		value.end = bare_end(scan, value.start, end);
	}
	scan_hide(scan, value);
	return value.end;
}

/* A header is as long as its line, or as what it is quoted in. */
static size_t hide_header(struct scan *scan, size_t name, size_t at, struct span span)
{
	char quote = name > span.start ? scan->bytes[name - 1] : '\0';
	size_t end = at;

	if (at < span.end && is_quote(scan->bytes[at]))
		return hide_value(scan, at, span.end);
	if (is_quote(quote))
		end = quoted_end(scan, at, span.end, quote);
	else
		while (end < span.end && scan->bytes[end] != '\n' && !is_quote(scan->bytes[end]))
			end++;
	scan_hide(scan, (struct span){ at, end });
	return end;
}

/* Where the value of a name that ends at @at begins, or 0: `=`, `:`, `": `, ` = `. */
static size_t value_start(const struct scan *scan, size_t at, size_t end)
{
	while (at < end && scan->bytes[at] == '\\')
		at++;
	if (at < end && is_quote(scan->bytes[at]))
		at++;
	at = skip_blanks(scan, at, end);
	if (at >= end || (scan->bytes[at] != '=' && scan->bytes[at] != ':'))
		return 0;
	return skip_blanks(scan, at + 1, end);
}

/* `Bearer X`. */
static size_t hide_bearer(struct scan *scan, size_t at, size_t end)
{
	size_t start = skip_blanks(scan, at, end);

	if (start == at)
		return at;
	return hide_value(scan, start, end);
}

/* Look at the name at @name. Returns where to go on. */
static size_t scan_name(struct scan *scan, struct span name, struct span span)
{
	const char *bytes = scan->bytes;
	size_t length = name.end - name.start;
	size_t value = value_start(scan, name.end, span.end);
	bool parameter = name.start > span.start && strchr("?&;", bytes[name.start - 1]);

	if (value && is_header(bytes + name.start, length) && scan->settings->defaults)
		return hide_header(scan, name.start, value, span);
	if (value && scan_secret_name(bytes + name.start, length) && scan->settings->defaults)
		return hide_value(scan, value, span.end);
	if (value && parameter && is_parameter(scan, name))
		return hide_value(scan, value, span.end);
	if (scan->settings->defaults && scan_is(scan, name.start, name.end, "bearer"))
		return hide_bearer(scan, name.end, span.end);
	return name.end;
}

/* The last byte of one or more characters @which among the bytes; SIZE_MAX: none. */
static size_t last_of(const struct scan *scan, struct span span, char which)
{
	const char *found = memrchr(scan->bytes + span.start, which, span.end - span.start);

	return found ? (size_t)(found - scan->bytes) : SIZE_MAX;
}

/* What stands behind the colon is no port: the password may hold what else ends the authority. */
static bool has_password(const struct scan *scan, struct span authority)
{
	const char *colon =
		memchr(scan->bytes + authority.start, ':', authority.end - authority.start);
	size_t at = colon ? (size_t)(colon - scan->bytes) + 1 : authority.end;

	if (!colon || (authority.start < authority.end && scan->bytes[authority.start] == '['))
		return false;
	for (; at < authority.end; at++) {
		if (!isdigit((unsigned char)scan->bytes[at]))
			return true;
	}
	return false;
}

/* Who logs in: all between "://" and the "@". A name alone is a key where HTTP is spoken. */
static void hide_login(struct scan *scan, size_t at, size_t end, bool http)
{
	struct span authority = { at, at };
	struct span all = { at, at };
	size_t sign;

	while (all.end < end && !strchr(" \t\r\n\"'`<>", scan->bytes[all.end]))
		all.end++;
	while (authority.end < all.end && !strchr("/?#", scan->bytes[authority.end]))
		authority.end++;
	sign = last_of(scan, authority, '@');
	if (sign == SIZE_MAX && has_password(scan, authority))
		sign = last_of(scan, all, '@');
	if (sign == SIZE_MAX)
		return;
	if (http || memchr(scan->bytes + at, ':', sign - at))
		scan_hide(scan, (struct span){ at, sign });
}

static void scan_urls(struct scan *scan, struct span span)
{
	size_t at = span.start;

	while (at < span.end) {
		const char *found = memmem(scan->bytes + at, span.end - at, "://", 3);
		size_t start = found ? (size_t)(found - scan->bytes) : span.end;
		bool http;

		if (!found)
			return;
		http = (start - span.start >= 4 && strncasecmp(found - 4, "http", 4) == 0) ||
		       (start - span.start >= 5 && strncasecmp(found - 5, "https", 5) == 0);
		hide_login(scan, start + 3, span.end, http);
		/* Further signs in the same word belong to this URL's path. */
		for (at = start + 3; at < span.end && !strchr(" \t\r\n\"'`<>,", scan->bytes[at]);
		     at++)
			;
	}
}

void scan_text(struct scan *scan, struct span span)
{
	for (size_t at = span.start; at < span.end;) {
		size_t end = scan_name_end(scan, at, span.end);

		if (end == at)
			at++;
		else
			at = scan_name(scan, (struct span){ at, end }, span);
	}
	if (!scan->settings->defaults)
		return;
	scan_urls(scan, span);
	scan_keys(scan, span);
}
