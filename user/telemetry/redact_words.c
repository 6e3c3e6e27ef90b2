/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets that are options of programs: which word hides the next one, and what hides behind one letter.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "telemetry/redact_scan.h"

/** An option of one letter that some programs take a secret with. */
struct letter {
	const char *programs; /* names with blanks around them */
	char letter;
	bool attached; /* -pSECRET */
	bool next; /* -p SECRET */
};

static const struct letter letters[] = {
	{ " mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlcheck mariadb mariadb-dump mariadb-admin ",
	  'p', true, false },
	{ " sshpass 7z 7za 7zr ", 'p', true, true },
	{ " docker podman nerdctl buildah skopeo helm mongo mongosh mongodump mongorestore az ",
	  'p', false, true },
	{ " curl ", 'u', true, true },
	{ " curl ", 'U', true, true },
	{ " redis-cli valkey-cli ", 'a', true, true },
	{ " ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldappasswd ", 'w', true, true },
	{ " zip unzip sqlcmd bcp ", 'P', true, true },
	{ " smbclient rpcclient ", 'U', true, true },
};
/* The longest name in the table. */
#define PROGRAM_MAX 13U
_Static_assert(sizeof(letters) / sizeof(*letters) <= 32, "a bit for each in struct words");

/* curl's options whose names do not say that a password is in them. */
static const char *const logins[] = { "--user", "--proxy-user" };

/* The rows of @letters that a program's name switches on. */
static unsigned int programs_of(const struct scan *scan, struct span word)
{
	const char *slash = memrchr(scan->bytes + word.start, '/', word.end - word.start);
	size_t start = slash ? (size_t)(slash - scan->bytes) + 1 : word.start;
	unsigned int found = 0;
	char name[PROGRAM_MAX + 3];

	if (word.end - start == 0 || word.end - start > PROGRAM_MAX)
		return 0;
	/* No program of the table has any other byte: most words do. */
	for (size_t i = start; i < word.end; i++) {
		if (!isalnum((unsigned char)scan->bytes[i]) && scan->bytes[i] != '-')
			return 0;
	}
	name[0] = ' ';
	memcpy(name + 1, scan->bytes + start, word.end - start);
	name[word.end - start + 1] = ' ';
	name[word.end - start + 2] = '\0';
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
		if (strstr(letters[i].programs, name))
			found |= 1U << i;
	}
	return found;
}

static bool is_curl(const struct words *words)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
		if ((words->programs >> i & 1) && strcmp(letters[i].programs, " curl ") == 0)
			return true;
	}
	return false;
}

/*
 * -pSECRET, -p SECRET, and the letter as the last of several: -su USER:SECRET. True when the word has
 * the secret itself.
 */
static bool scan_letters(struct scan *scan, struct words *words, struct span word)
{
	const char *bytes = scan->bytes + word.start;
	size_t length = word.end - word.start;

	if (length < 2 || bytes[0] != '-' || bytes[1] == '-')
		return false;
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
		if (!(words->programs >> i & 1))
			continue;
		if (bytes[1] == letters[i].letter && length > 2 && letters[i].attached) {
			scan_hide(scan, (struct span){ word.start + 2, word.end });
			return true;
		}
		if (letters[i].next && bytes[length - 1] == letters[i].letter)
			words->hide_next = true;
	}
	return false;
}

/* --password SECRET, --password=SECRET, PASSWORD=SECRET: the whole rest of the word. */
static void scan_option(struct scan *scan, struct words *words, struct span word)
{
	size_t end = scan_name_end(scan, word.start, word.end);
	bool option = word.end > word.start && scan->bytes[word.start] == '-';
	bool secret = scan_secret_name(scan->bytes + word.start, end - word.start);

	for (size_t i = 0; i < sizeof(logins) / sizeof(*logins); i++) {
		if (is_curl(words) && scan_is(scan, word.start, end, logins[i]))
			secret = true;
	}
	if (!secret)
		return;
	if (end == word.end)
		words->hide_next = words->hide_next || option;
	else if (scan->bytes[end] == '=')
		scan_hide(scan, (struct span){ end + 1, word.end });
}

/* What OpenSSL and others take where they want a password: pass:SECRET. */
static void scan_pass(struct scan *scan, struct span word)
{
	if (word.end - word.start > 5 && scan_is(scan, word.start, word.start + 5, "pass:"))
		scan_hide(scan, (struct span){ word.start + 5, word.end });
}

/* The operator's own patterns. */
static void scan_patterns(struct scan *scan, struct words *words, struct span word)
{
	const struct redact_settings *settings = scan->settings;
	const char *bytes = scan->bytes + word.start;
	size_t length = word.end - word.start;
	size_t fixed;

	for (size_t i = 0; i < settings->argv_count; i++) {
		if (!scan_glob(settings->argv[i], bytes, length, &fixed))
			continue;
		if (fixed == SIZE_MAX)
			words->hide_next = true;
		else
			scan_hide(scan, (struct span){ word.start + fixed, word.end });
	}
	for (size_t i = 0; i < settings->paths_count; i++) {
		if (scan_glob(settings->paths[i], bytes, length, &fixed))
			scan_hide(scan, (struct span){ word.start + (fixed == SIZE_MAX ? 0 : fixed),
						       word.end });
	}
}

/* A word without looking into it. */
static void scan_plain(struct scan *scan, struct words *words, struct span word)
{
	bool hide = words->hide_next;

	words->hide_next = false;
	if (hide)
		scan_hide(scan, word);
	/* It may have been an option after all: then what comes next is hidden too. */
	scan_patterns(scan, words, word);
	if (!scan->settings->defaults)
		return;
	if (!scan_letters(scan, words, word))
		scan_option(scan, words, word);
	scan_pass(scan, word);
	words->programs |= programs_of(scan, word);
}

static bool is_gap(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* The end of a word of a script: quotation marks hold it together. */
static size_t script_word_end(const struct scan *scan, size_t at, size_t end)
{
	char quote = '\0';

	for (; at < end; at++) {
		char byte = scan->bytes[at];

		if (byte == '\\' && quote != '\'' && at + 1 < end)
			at++;
		else if (quote && byte == quote)
			quote = '\0';
		else if (!quote && (byte == '"' || byte == '\''))
			quote = byte;
		else if (!quote && (is_gap(byte) || strchr(";|&()", byte)))
			break;
	}
	return at < end ? at : end;
}

/* Without the quotation marks around it. */
static struct span unquoted(const struct scan *scan, struct span word)
{
	char first = word.start < word.end ? scan->bytes[word.start] : '\0';

	if (first != '"' && first != '\'')
		return word;
	word.start++;
	if (word.end > word.start && scan->bytes[word.end - 1] == first)
		word.end--;
	return word;
}

static bool has_gap(const struct scan *scan, struct span word)
{
	for (size_t i = word.start; i < word.end; i++) {
		if (is_gap(scan->bytes[i]))
			return true;
	}
	return false;
}

/* The words of a script, without looking for names in its text. */
static void scan_script_words(struct scan *scan, struct span span, unsigned int depth)
{
	struct words words = { 0 };

	for (size_t at = span.start; at < span.end;) {
		size_t end = script_word_end(scan, at, span.end);
		struct span word = unquoted(scan, (struct span){ at, end });

		if (end == at) {
			/* Another command begins, but for blanks. */
			if (!is_gap(scan->bytes[at]))
				words = (struct words){ 0 };
			at++;
			continue;
		}
		if (depth > 0 && word.start > at && has_gap(scan, word))
			scan_script_words(scan, word, depth - 1);
		scan_plain(scan, &words, word);
		at = end;
	}
}

/* Scripts inside of scripts that are read: bash -c "ssh host 'mysql -pX'". */
#define SCRIPT_DEPTH 3U

void scan_script(struct scan *scan, struct span span)
{
	scan_script_words(scan, span, SCRIPT_DEPTH);
	scan_text(scan, span);
}

void scan_word(struct scan *scan, struct words *words, struct span word)
{
	if (has_gap(scan, word))
		scan_script_words(scan, word, SCRIPT_DEPTH);
	scan_plain(scan, words, word);
	scan_text(scan, word);
}
