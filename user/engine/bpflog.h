/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libbpf has to say, kept instead of printed: a module that fails puts the end of it behind its
 * own sentence.
 */
#ifndef PICKET_ENGINE_BPFLOG_H
#define PICKET_ENGINE_BPFLOG_H

#include <stddef.h>

/** Forget what was said and keep what libbpf says from now on (warnings only). */
void bpflog_start(void);

/**
 * The name of the program that the kernel refused, as libbpf named it, copied into @name. Returns
 * 0, or -ENOENT when no refusal of a program was logged.
 */
int bpflog_program(char *name, size_t size);

/**
 * The last @lines lines that carry information (no frame, no statistics of the verifier), separated
 * by "; ", as a malloc'ed string; "" when nothing was said; NULL when out of memory.
 */
char *bpflog_tail(unsigned int lines);

#endif
