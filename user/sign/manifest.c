/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Manifests: made of a policy, read strictly, compared. The signature is checked before anything that
 * the manifest says is told to anybody.
 */
#include "sign/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/front.h"

#define FIRST_LINE "picket signature 1\n"
#define SIGNATURE_LINE (sizeof("signature ") - 1 + 2 * SIGN_BYTES + 1)

__attribute__((format(printf, 3, 4))) static int refuse(int error, char **ret_why,
							const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(ret_why, format, arguments) < 0)
		*ret_why = NULL;
	va_end(arguments);
	return -error;
}

int manifest_add(struct policy *policy, const struct source *source, const char *written)
{
	const char *slash = strrchr(source->name, '/');
	struct policy_file file = { .preset = source->builtin, .length = source->length };
	int r;

	if (!written)
		written = slash ? slash + 1 : source->name;
	if (EVP_Digest(source->text, source->length, file.digest, NULL, EVP_sha256(), NULL) != 1)
		return -EIO;
	file.name = strdup(written);
	if (!file.name)
		return -ENOMEM;
	r = FRONT_APPEND(&policy->read, &policy->read_count, &file);
	if (r < 0)
		free(file.name);
	return r;
}

void manifest_forget(struct policy *policy)
{
	for (size_t i = 0; i < policy->read_count; i++)
		free(policy->read[i].name);
	free(policy->read);
	policy->read = NULL;
	policy->read_count = 0;
}

static const char *kind_of(const struct policy_file *file)
{
	return file->preset ? "preset" : "file";
}

static void write_file(const struct policy_file *file, FILE *to)
{
	char digest[SIGN_HEX];

	sign_hex(file->digest, sizeof(file->digest), digest);
	(void)fprintf(to, "%s %zu %s %s\n", kind_of(file), file->length, digest, file->name);
}

/* A name with a line end in it could pass for another line. */
static bool is_line(const char *name)
{
	for (; *name; name++) {
		if ((unsigned char)*name < 0x20 || *name == 0x7f)
			return false;
	}
	return true;
}

int manifest_sign(const struct policy *policy, const struct sign_key *key, __u64 serial,
		  char **ret_text)
{
	CLEAN_FREE char *text = NULL;
	char hex[2 * SIGN_BYTES + 1];
	__u8 signature[SIGN_BYTES];
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	int r;

	if (!to)
		return -ENOMEM;
	(void)fprintf(to, FIRST_LINE "key %s\nserial %llu\nprogram %s\npolicy %s\n", key->id,
		      (unsigned long long)serial, PICKET_VERSION, policy->name);
	for (size_t i = 0; i < policy->read_count; i++) {
		if (!is_line(policy->read[i].name)) {
			(void)fclose(to);
			return -EINVAL;
		}
		write_file(&policy->read[i], to);
	}
	r = text_close(to, &text);
	if (r == 0)
		r = sign_key_sign(key, text, size, signature);
	if (r < 0)
		return r;
	sign_hex(signature, sizeof(signature), hex);
	return asprintf(ret_text, "%ssignature %s\n", text, hex) < 0 ? -ENOMEM : 0;
}

/* What comes behind "WORD " in the line at *@at, copied without its newline; false: another line. */
static bool take_line(const char **at, const char *word, char *ret_value, size_t size)
{
	size_t skip = strlen(word);
	const char *end = strchr(*at, '\n');
	size_t length;

	if (!end || strncmp(*at, word, skip) != 0 || (*at)[skip] != ' ')
		return false;
	length = (size_t)(end - *at) - skip - 1;
	if (length == 0 || length >= size)
		return false;
	memcpy(ret_value, *at + skip + 1, length);
	ret_value[length] = '\0';
	*at = end + 1;
	return true;
}

/* A serial, 1 or more, as manifest_sign() writes it. */
static bool read_serial(const char *text, __u64 *ret_serial)
{
	char *end = NULL;

	if (*text < '1' || *text > '9')
		return false;
	errno = 0;
	*ret_serial = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0';
}

static bool read_hex(const char *text, __u8 *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		const char *high = text[2 * i] ? strchr(digits, text[2 * i]) : NULL;
		const char *low = high && text[2 * i + 1] ? strchr(digits, text[2 * i + 1]) : NULL;

		if (!low)
			return false;
		bytes[i] = (__u8)((high - digits) << 4 | (low - digits));
	}
	return true;
}

/* The lines above the files. */
static bool read_head(struct manifest *manifest)
{
	const char *at = manifest->text;
	char serial[32];

	if (strncmp(at, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return false;
	at += strlen(FIRST_LINE);
	if (!take_line(&at, "key", manifest->key, sizeof(manifest->key)) ||
	    !take_line(&at, "serial", serial, sizeof(serial)) ||
	    !read_serial(serial, &manifest->serial) ||
	    !take_line(&at, "program", manifest->program, sizeof(manifest->program)) ||
	    !take_line(&at, "policy", manifest->policy, sizeof(manifest->policy)))
		return false;
	manifest->files = at;
	return at <= manifest->text + manifest->size;
}

static bool read_signature(struct manifest *manifest, size_t size)
{
	const char *line;

	if (size < SIGNATURE_LINE || memchr(manifest->text, '\0', size))
		return false;
	manifest->size = size - SIGNATURE_LINE;
	line = manifest->text + manifest->size;
	return manifest->size > 0 && line[-1] == '\n' && strncmp(line, "signature ", 10) == 0 &&
	       read_hex(line + 10, manifest->signature, SIGN_BYTES) &&
	       line[SIGNATURE_LINE - 1] == '\n';
}

int manifest_parse(const char *name, const char *text, size_t size, struct manifest *ret_manifest,
		   char **ret_why)
{
	CLEAN(manifest_reset) struct manifest manifest = { .text = malloc(size + 1) };

	*ret_why = NULL;
	if (!manifest.text)
		return -ENOMEM;
	memcpy(manifest.text, text, size);
	manifest.text[size] = '\0';
	if (!read_signature(&manifest, size) || !read_head(&manifest))
		return refuse(EBADMSG, ret_why, "the signature '%s' is cut off or damaged", name);
	*ret_manifest = manifest;
	manifest = (struct manifest){ 0 };
	return 0;
}

int manifest_read(const char *path, struct manifest *ret_manifest, char **ret_why)
{
	CLEAN_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	CLEAN_FREE char *text = NULL;
	struct stat status;
	ssize_t got;

	*ret_why = NULL;
	if (fd < 0 && errno == ENOENT)
		return refuse(ENOENT, ret_why, "there is no signature '%s'", path);
	if (fd < 0 || fstat(fd, &status) < 0)
		return refuse(errno, ret_why, "cannot read the signature '%s': %m", path);
	if (!S_ISREG(status.st_mode) || status.st_size > (off_t)MANIFEST_MAX)
		return refuse(EINVAL, ret_why,
			      "cannot read the signature '%s': it is not a regular file of "
			      "2 MiB at most",
			      path);
	text = malloc((size_t)status.st_size + 1);
	if (!text)
		return -ENOMEM;
	got = read(fd, text, (size_t)status.st_size + 1);
	if (got != status.st_size)
		return refuse(EBADMSG, ret_why, "the signature '%s' is cut off or damaged", path);
	return manifest_parse(path, text, (size_t)got, ret_manifest, ret_why);
}

/* The file that the line at @at is about; its name as far as there is one. */
static int line_length(const char *at)
{
	return (int)strcspn(at, "\n");
}

/* Why the line at @at is not about @file. */
static int tell_other(const struct manifest *manifest, const char *at,
		      const struct policy_file *file, char **ret_why)
{
	const char *name = at;
	int length = line_length(at);

	for (int blanks = 0; blanks < 3 && *name && *name != '\n'; name++)
		blanks += *name == ' ';
	length -= (int)(name - at);
	if (strncmp(name, file->name, (size_t)length) != 0 || file->name[length] != '\0')
		return refuse(EBADMSG, ret_why, "where '%.*s' was signed, '%s' is read", length,
			      name, file->name);
	if (file->preset)
		return refuse(EBADMSG, ret_why,
			      "'%s' of this picket (%s) is not the one that was signed with "
			      "picket %s",
			      file->name, PICKET_VERSION, manifest->program);
	return refuse(EBADMSG, ret_why, "'%s' is not what was signed", file->name);
}

/* Compare the signed lines with what was read, in order. */
static int compare_files(const struct manifest *manifest, const struct policy *policy,
			 char **ret_why)
{
	const char *at = manifest->files;
	const char *end = manifest->text + manifest->size;

	for (size_t i = 0; i < policy->read_count; i++) {
		const struct policy_file *file = &policy->read[i];
		CLEAN_FREE char *line = NULL;
		char digest[SIGN_HEX];

		sign_hex(file->digest, sizeof(file->digest), digest);
		if (asprintf(&line, "%s %zu %s %s\n", kind_of(file), file->length, digest,
			     file->name) < 0) {
			line = NULL;
			return -ENOMEM;
		}
		if (at >= end)
			return refuse(EBADMSG, ret_why, "'%s' is read and was not signed",
				      file->name);
		if (strncmp(at, line, strlen(line)) != 0)
			return tell_other(manifest, at, file, ret_why);
		at += strlen(line);
	}
	if (at != end)
		return refuse(EBADMSG, ret_why, "more was signed than is read: '%.*s'",
			      line_length(at), at);
	return 0;
}

int manifest_verify(const struct manifest *manifest, const struct policy *policy,
		    const struct sign_key *keys, size_t count, char **ret_why)
{
	const struct sign_key *key = NULL;

	*ret_why = NULL;
	for (size_t i = 0; i < count && !key; i++)
		key = strcmp(keys[i].id, manifest->key) == 0 ? &keys[i] : NULL;
	if (!key)
		return refuse(EBADMSG, ret_why,
			      "it is signed with the key %.16s, which is not one that is asked for",
			      manifest->key);
	if (sign_key_verify(key, manifest->text, manifest->size, manifest->signature) < 0)
		return refuse(EBADMSG, ret_why, "its signature is not one of the key %.16s",
			      manifest->key);
	if (strcmp(manifest->policy, policy->name) != 0)
		return refuse(EBADMSG, ret_why, "it was signed as the policy '%s'",
			      manifest->policy);
	return compare_files(manifest, policy, ret_why);
}

int manifest_digest(const struct manifest *manifest, char ret_digest[SIGN_HEX])
{
	__u8 digest[32];

	if (EVP_Digest(manifest->text, manifest->size, digest, NULL, EVP_sha256(), NULL) != 1)
		return -EIO;
	sign_hex(digest, sizeof(digest), ret_digest);
	return 0;
}

void manifest_reset(struct manifest *manifest)
{
	free(manifest->text);
	*manifest = (struct manifest){ 0 };
}
