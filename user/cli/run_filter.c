/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the instructions make sense is the kernel's to judge.
 */
#include "cli/run_filter.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/mem.h"

#define INSTRUCTION sizeof(struct sock_filter)

int run_filter_decode(const char *text, struct seccomp_filter *ret_filter)
{
	size_t length = strlen(text);
	size_t size = length / 4 * 3;
	CLEAN_FREE unsigned char *bytes = NULL;

	*ret_filter = (struct seccomp_filter){ 0 };
	if (length == 0)
		return 0;
	if (length % 4 || size > (BPF_MAXINSNS + 1) * INSTRUCTION)
		return -EPROTO;
	bytes = malloc(size);
	if (!bytes)
		return -ENOMEM;
	if (EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length) != (int)size)
		return -EPROTO;
	/* The decoder counts the padding as bytes. */
	size -= (size_t)(text[length - 1] == '=') + (size_t)(text[length - 2] == '=');
	if (size % INSTRUCTION || size / INSTRUCTION > BPF_MAXINSNS)
		return -EPROTO;
	ret_filter->count = (unsigned short)(size / INSTRUCTION);
	ret_filter->code = (struct sock_filter *)TAKE_PTR(bytes);
	return 0;
}
