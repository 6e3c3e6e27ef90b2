/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys by libcrypto. Whatever it takes to be a key and is not Ed25519 is refused here, as is a private
 * key that others may read: whoever can read it signs policies.
 */
#include "sign/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/mem.h"

/** More than any file of a key has. */
#define KEY_FILE_MAX 16384

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

void sign_hex(const __u8 *bytes, size_t size, char *ret_text)
{
	for (size_t i = 0; i < size; i++)
		(void)snprintf(ret_text + 2 * i, 3, "%02x", bytes[i]);
}

static int set_id(struct sign_key *key)
{
	__u8 raw[32];
	__u8 digest[32];
	size_t size = sizeof(raw);

	if (EVP_PKEY_get_raw_public_key(key->pair, raw, &size) != 1 || size != sizeof(raw) ||
	    EVP_Digest(raw, size, digest, NULL, EVP_sha256(), NULL) != 1)
		return -EIO;
	sign_hex(digest, sizeof(digest), key->id);
	return 0;
}

int sign_key_make(struct sign_key *ret_key)
{
	struct sign_key key = { .pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };

	if (!key.pair || set_id(&key) < 0) {
		sign_key_reset(&key);
		return -EIO;
	}
	*ret_key = key;
	return 0;
}

/* A file that was not there, with @mode whatever the umask is. */
static int write_new(const char *path, mode_t mode, const char *text, size_t size, char **ret_why)
{
	CLEAN_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	int r = 0;

	if (fd < 0)
		return refuse(errno, ret_why, "cannot make '%s': %m", path);
	if (fchmod(fd, mode) < 0 || write(fd, text, size) != (ssize_t)size || fsync(fd) < 0) {
		r = refuse(errno ? errno : EIO, ret_why, "cannot write '%s': %m", path);
		(void)unlink(path);
	}
	return r;
}

/* One half of the pair in PEM. */
static int write_half(const struct sign_key *key, const char *path, bool private, char **ret_why)
{
	BIO *to = BIO_new(BIO_s_secmem());
	char *text = NULL;
	long size;
	int r;

	if (!to ||
	    (private ? PEM_write_bio_PKCS8PrivateKey(to, key->pair, NULL, NULL, 0, NULL, NULL) :
		       PEM_write_bio_PUBKEY(to, key->pair)) != 1) {
		BIO_free(to);
		return refuse(EIO, ret_why, "cannot write '%s': the key has no such form", path);
	}
	size = BIO_get_mem_data(to, &text);
	r = write_new(path, private ? 0600 : 0644, text, (size_t)size, ret_why);
	BIO_free(to);
	return r;
}

int sign_key_write(const struct sign_key *key, const char *path, char **ret_why)
{
	CLEAN_FREE char *public = NULL;
	int r;

	if (asprintf(&public, "%s.pub", path) < 0) {
		public = NULL;
		return -ENOMEM;
	}
	r = write_half(key, path, true, ret_why);
	if (r < 0)
		return r;
	r = write_half(key, public, false, ret_why);
	if (r < 0)
		(void)unlink(path);
	return r;
}

/* At most KEY_FILE_MAX bytes of a regular file. */
static int read_file(const char *path, bool private, char text[KEY_FILE_MAX + 1], char **ret_why)
{
	CLEAN_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	ssize_t got;

	if (fd < 0 || fstat(fd, &status) < 0)
		return refuse(errno, ret_why, "cannot read the key '%s': %m", path);
	if (!S_ISREG(status.st_mode))
		return refuse(EINVAL, ret_why, "cannot read the key '%s': it is not a regular file",
			      path);
	if (private && status.st_mode & (S_IRWXG | S_IRWXO))
		return refuse(EPERM, ret_why,
			      "the private key '%s' is open to others (mode %04o): chmod 0600 it",
			      path, status.st_mode & 07777);
	got = read(fd, text, KEY_FILE_MAX);
	if (got < 0)
		return refuse(errno, ret_why, "cannot read the key '%s': %m", path);
	text[got] = '\0';
	return 0;
}

/* Nobody is there to be asked for a passphrase. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type is libcrypto's */
static int no_passphrase(char *buffer, int size, int writing, void *unused)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)unused;
	return -1;
}

static int read_key(const char *path, bool private, struct sign_key *ret_key, char **ret_why)
{
	const char *what = private ? "private" : "public";
	char text[KEY_FILE_MAX + 1];
	struct sign_key key = { 0 };
	BIO *from;
	int r;

	*ret_why = NULL;
	r = read_file(path, private, text, ret_why);
	if (r < 0)
		return r;
	from = BIO_new_mem_buf(text, -1);
	if (from)
		key.pair = private ? PEM_read_bio_PrivateKey(from, NULL, no_passphrase, NULL) :
				     PEM_read_bio_PUBKEY(from, NULL, no_passphrase, NULL);
	BIO_free(from);
	explicit_bzero(text, sizeof(text));
	if (!key.pair)
		return refuse(EINVAL, ret_why, "'%s' is no %s key in PEM form without a passphrase",
			      path, what);
	if (EVP_PKEY_get_id(key.pair) != EVP_PKEY_ED25519 || set_id(&key) < 0) {
		sign_key_reset(&key);
		return refuse(EINVAL, ret_why, "the %s key '%s' is not one of Ed25519", what, path);
	}
	*ret_key = key;
	return 0;
}

int sign_key_read_private(const char *path, struct sign_key *ret_key, char **ret_why)
{
	return read_key(path, true, ret_key, ret_why);
}

int sign_key_read_public(const char *path, struct sign_key *ret_key, char **ret_why)
{
	return read_key(path, false, ret_key, ret_why);
}

int sign_key_sign(const struct sign_key *key, const void *bytes, size_t size,
		  __u8 ret_signature[SIGN_BYTES])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t length = SIGN_BYTES;
	int ok = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key->pair) == 1 &&
		 EVP_DigestSign(context, ret_signature, &length, bytes, size) == 1;

	EVP_MD_CTX_free(context);
	return ok && length == SIGN_BYTES ? 0 : -EIO;
}

int sign_key_verify(const struct sign_key *key, const void *bytes, size_t size,
		    const __u8 signature[SIGN_BYTES])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int ok = context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pair) == 1 &&
		 EVP_DigestVerify(context, signature, SIGN_BYTES, bytes, size) == 1;

	EVP_MD_CTX_free(context);
	return ok ? 0 : -EBADMSG;
}

void sign_key_reset(struct sign_key *key)
{
	EVP_PKEY_free(key->pair);
	*key = (struct sign_key){ 0 };
}
