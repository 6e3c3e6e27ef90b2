/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ed25519 keys in files, as other tools write them too: PEM, PKCS #8 the private ones, SubjectPublicKeyInfo
 * the public ones. Says what is wrong in words; knows nothing of policies.
 */
#ifndef PICKET_SIGN_KEY_H
#define PICKET_SIGN_KEY_H

#include <stddef.h>

#include <linux/types.h>

/** Bytes of a signature. */
#define SIGN_BYTES 64
/** Hexadecimal digits of a SHA-256, and a NUL. */
#define SIGN_HEX 65

/** A key. Zero-initialise; sign_key_reset() frees. */
struct sign_key {
	void *pair; /* owned EVP_PKEY */
	char id[SIGN_HEX]; /* SHA-256 of the 32 bytes of the public key, hexadecimal */
};

/** Make a new pair. Returns 0 or -EIO. */
int sign_key_make(struct sign_key *ret_key);

/**
 * Write the pair as @path (mode 0600) and `@path.pub` (0644). Neither may exist; of what fails nothing
 * stays. Returns 0 or -errno with *@ret_why the sentence (malloc'ed, NULL without memory).
 */
int sign_key_write(const struct sign_key *key, const char *path, char **ret_why);

/** Read the private key @path, which nobody but its owner may read. Returns as sign_key_write(). */
int sign_key_read_private(const char *path, struct sign_key *ret_key, char **ret_why);

/** Read the public key @path. Returns as sign_key_write(). */
int sign_key_read_public(const char *path, struct sign_key *ret_key, char **ret_why);

/** Sign @size bytes. Returns 0 or -EIO. */
int sign_key_sign(const struct sign_key *key, const void *bytes, size_t size,
		  __u8 ret_signature[SIGN_BYTES]);

/** 0 when @signature is one of @key over the @size bytes, else -EBADMSG. */
int sign_key_verify(const struct sign_key *key, const void *bytes, size_t size,
		    const __u8 signature[SIGN_BYTES]);

/** Free what the key owns and make it empty. */
void sign_key_reset(struct sign_key *key);

/** Write the @size bytes in hexadecimal, and a NUL. */
void sign_hex(const __u8 *bytes, size_t size, char *ret_text);

#endif
