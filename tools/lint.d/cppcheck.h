/* SPDX-License-Identifier: BSD-2-Clause */
/* Macros of libraries in a form that cppcheck, which does not read their headers, can follow. */
#define LIBBPF_OPTS(type, name, ...) struct type name = { .sz = sizeof(struct type), __VA_ARGS__ }
#define DECLARE_LIBBPF_OPTS LIBBPF_OPTS
/* clang-format off */
#define bpf_object__for_each_map(pos, obj) \
	for ((pos) = bpf_object__next_map(obj, NULL); (pos); (pos) = bpf_object__next_map(obj, pos))
#define bpf_object__for_each_program(pos, obj) \
	for ((pos) = bpf_object__next_program(obj, NULL); (pos); \
	     (pos) = bpf_object__next_program(obj, pos))
#define json_array_foreach(array, i, value) \
	for ((i) = 0; ((value) = json_array_get(array, i)); (i)++)
#define json_object_foreach(object, key, value) \
	for ((key) = next_key(object); (key) && ((value) = json_object_get(object, key));)
/* clang-format on */
