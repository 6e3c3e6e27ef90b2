/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name of a request for people: "r-" and twelve characters of its hash. The same act of the same
 * agent has the same name whenever it is asked for, and events, the denial feed and picketd agree on
 * it without telling each other. An agent sees the names of what it asks for: sixty bits are more than
 * it can ask for two acts of one name.
 */
#ifndef PICKET_TELEMETRY_REQUEST_ID_H
#define PICKET_TELEMETRY_REQUEST_ID_H

#include <stdbool.h>

#include <picket/ask.h>

/** Bytes of an id with its NUL: "r-zi55fvxm74aa". */
#define REQUEST_ID_SIZE 15

/**
 * Write the id of @hash (pk_ask_key.hash, pk_event.ask) into @id: after "r-" the first sixty bits, as
 * they are in memory, in base32 of lower case (RFC 4648, no padding). Returns @id.
 */
const char *request_id(const __u64 hash[static 2], char id[static REQUEST_ID_SIZE]);

/** True when @text could be an id: its form, not that there is such a request. */
bool request_id_valid(const char *text);

/** Bytes of the whole hash in hexadecimal, with the NUL. */
#define REQUEST_HASH_SIZE 33

/** Write the 16 bytes of @hash, as they are in memory, as 32 lower case hexadecimal digits. Returns @text. */
const char *request_hash(const __u64 hash[static 2], char text[static REQUEST_HASH_SIZE]);

#endif
