/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a signature is about: each file that a policy was read from, in the order in which it was read. The
 * digests are of the bytes that were parsed, so that what is verified is what is compiled, whatever
 * happens to the files meanwhile.
 *
 * The file POLICY.sig is the manifest in lines, which are what is signed, and the signature:
 *
 *     picket signature 1
 *     key 5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8
 *     serial 7
 *     program 0.1.0
 *     policy coding-agent
 *     file 812 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 coding-agent.yaml
 *     preset 3120 60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752 presets/secrets
 *     signature 3d1f... (128 hexadecimal digits)
 *
 * Every line ends with a newline, digits of numbers have no zeros in front, those of digests are lower
 * case: of one manifest there is one text.
 */
#ifndef PICKET_SIGN_MANIFEST_H
#define PICKET_SIGN_MANIFEST_H

#include "policy/model.h"
#include "policy/source.h"
#include "sign/key.h"

/** Most bytes of a signature file. */
#define MANIFEST_MAX (2U << 20)

/** A signature file in memory. Zero-initialise; manifest_reset() frees. */
struct manifest {
	char *text; /* owned; NUL-terminated */
	size_t size; /* of the lines that are signed */
	__u8 signature[SIGN_BYTES];
	char key[SIGN_HEX];
	__u64 serial;
	char program[32];
	char policy[65];
	const char *files; /* in the text: the first line that names a file */
};

/**
 * Remember @source as the next file of @policy; @written is its name in the text of the policy, or NULL
 * for the policy itself. Returns 0, -ENOMEM or -EIO.
 */
int manifest_add(struct policy *policy, const struct source *source, const char *written);

/** Free what manifest_add() has stored. */
void manifest_forget(struct policy *policy);

/**
 * The text of a whole signature file of @policy. Returns 0, -EINVAL when a name of a file cannot stand in
 * one, -ENOMEM or -EIO. The caller frees *@ret_text.
 */
int manifest_sign(const struct policy *policy, const struct sign_key *key, __u64 serial,
		  char **ret_text);

/**
 * Read the signature file @path. Nothing of it is to be believed before manifest_verify(). Returns 0,
 * -ENOENT when there is none, or another -errno; *@ret_why is the sentence (malloc'ed).
 */
int manifest_read(const char *path, struct manifest *ret_manifest, char **ret_why);

/** The same from @size bytes in memory, called @name. */
int manifest_parse(const char *name, const char *text, size_t size, struct manifest *ret_manifest,
		   char **ret_why);

/**
 * Is the manifest signed by one of @count @keys, and does it tell what @policy was read from? Returns 0, or
 * -EBADMSG with *@ret_why the end of a sentence about the policy (malloc'ed).
 */
int manifest_verify(const struct manifest *manifest, const struct policy *policy,
		    const struct sign_key *keys, size_t count, char **ret_why);

/** SHA-256 of the signed lines. Returns 0 or -EIO. */
int manifest_digest(const struct manifest *manifest, char ret_digest[SIGN_HEX]);

/** Free what the manifest owns and make it empty. */
void manifest_reset(struct manifest *manifest);

#endif
