/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an image says of sockets, DNS and the server's name, as text.
 */
#ifndef PICKET_POLICY_DUMP_NETWORK_H
#define PICKET_POLICY_DUMP_NETWORK_H

#include <arpa/inet.h>
#include <stdio.h>

#include <picket/image.h>

/** Write a line each for what the kernel does about them. */
void dump_network(const struct pk_image *head, FILE *to);

/** Write an address of the image as people write it, IPv4 with dots. */
void dump_address(__u64 hi, __u64 lo, char ret_text[static INET6_ADDRSTRLEN]);

#endif
