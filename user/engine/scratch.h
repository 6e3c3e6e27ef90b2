/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The private directory in which the canary acts: owned by root, closed to others, on a file system
 * that runs programs, and gone after use. Its name tells which run's it is.
 */
#ifndef PICKET_ENGINE_SCRATCH_H
#define PICKET_ENGINE_SCRATCH_H

/** Create the directory of run @owner; a malloc'ed path, removed with scratch_remove(). 0 or -errno. */
int scratch_create(const char *owner, char **ret_path);

/** Remove the directory and everything in it (no file system is crossed); frees and resets. */
void scratch_remove(char **path);

/** Remove the directories of @owner, who makes none at the moment. */
void scratch_clean_owner(const char *owner);

/** Remove the directories of runs that have no cgroup below @cgroups (the common lock is held). */
void scratch_clean(int cgroups);

#endif
