/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of files as patterns: what is another one the next time becomes a wildcard.
 *
 * A part of a name is a run of letters and digits; `.`, `-`, `_` and others stand between parts. In a
 * name that is below the third level, or below the working folder:
 *
 *   version   two or more numbers with dots between, at the start of a part or behind letters:
 *             "1.2.3", "python3.11"                       all behind the first dot becomes *
 *   hash      a part of 7 or more hexadecimal digits, letters and digits both      becomes *
 *   number    a part of 3 or more digits (a process, a date, a counter)            becomes *
 *
 * A name that the agent made directly in a folder for temporary files is taken for one of mkstemp(3),
 * mktemp(1) or Python's tempfile. "tmp" at its start, with a '.' or '-' behind it, stays and the rest up to an
 * extension becomes *. 8 lower-case letters, digits and '_' alone become 8 times ?. Else each part of 6 or more
 * bytes becomes * that has upper and lower case, or letters and digits; of the first part only the last 6
 * bytes do. Where there is no such part, of the bytes before the first dot, when they are 6 or more, those behind the
 * last '-' or '_' do, or the last 6. An extension has up to 4 lower-case letters and digits.
 */
#ifndef PICKET_AUTHOR_LEARN_NAME_H
#define PICKET_AUTHOR_LEARN_NAME_H

#include <stdbool.h>
#include <stddef.h>

/** How a name is looked at. */
enum learn_name_kind {
	LEARN_NAME_PLAIN, /* as it is */
	LEARN_NAME_USUAL, /* versions, hashes, numbers */
	LEARN_NAME_TEMPORARY, /* made in a folder for temporary files */
};

/** The pattern of one component of a path, malloc'ed; NULL: no memory. *@ret_wild: it has a wildcard. */
char *learn_name(const char *name, size_t length, enum learn_name_kind kind, bool *ret_wild);

/** True for folders of temporary files: /tmp, /var/tmp, /dev/shm, /run/user/NUMBER. */
bool learn_name_is_temporary(const char *folder, size_t length);

#endif
