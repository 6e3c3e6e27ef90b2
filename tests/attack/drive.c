/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drive: says "ready", then runs acts from standard input, a line each, every one a program of its
 * own; prints one answer and the process's number a line: the first word that it printed, "signal-N" when a signal ended it
 * before it could speak, "timeout", "silent-N" when it ended with status N and said nothing, or
 * "run-ERRNO" when it could not be started.
 *
 *   drive FOLDER    acts are "PROGRAM WORD...": FOLDER/PROGRAM, or a path. "@UID PROGRAM ...": by
 *                   that user. "%0a" in a word is that byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 64
#define LINE_SIZE (8 * PATH_MAX)
#define SECONDS 20

static void decode(char *word)
{
	char hex[3] = { 0 }, *to = word;

	for (const char *from = word; *from; from++) {
		if (*from == '%' && from[1] && from[2]) {
			hex[0] = from[1];
			hex[1] = from[2];
			*to++ = (char)strtol(hex, NULL, 16);
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

static int become(const char *uid)
{
	unsigned int id = (unsigned int)atoi(uid);

	if (setgroups(0, NULL) || setresgid(id, id, id) || setresuid(id, id, id))
		return -1;
	/* A change of user makes a process undumpable, which would hide what the act is about. */
	return prctl(PR_SET_DUMPABLE, 1);
}

static int start(const char *folder, char **words, int out)
{
	char path[PATH_MAX];

	if (words[0][0] == '@' && (become(words[0] + 1) || !*++words))
		return 2;
	dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	/* The alarm outlives execve: whatever hangs is ended. */
	alarm(SECONDS);
	snprintf(path, sizeof(path), "%s%s%s", words[0][0] == '/' ? "" : folder,
		 words[0][0] == '/' ? "" : "/", words[0]);
	execv(path, words);
	printf("run-%s\n", strerrorname_np(errno));
	fflush(stdout);
	return 0;
}

static void answer(int from, int status, pid_t pid)
{
	char word[256], *end;
	ssize_t n = read(from, word, sizeof(word) - 1);

	word[n > 0 ? n : 0] = '\0';
	end = strpbrk(word, " \n");
	if (end)
		*end = '\0';
	if (word[0])
		printf("%s %d\n", word, pid);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		printf("timeout %d\n", pid);
	else if (WIFSIGNALED(status))
		printf("signal-%d %d\n", WTERMSIG(status), pid);
	else
		printf("silent-%d %d\n", WEXITSTATUS(status), pid);
	fflush(stdout);
}

static int run_line(const char *folder, char *line)
{
	char *words[WORDS_MAX + 1] = { NULL };
	int count = 0, status, ends[2];
	pid_t child;

	for (char *word = strtok(line, " \n"); word && count < WORDS_MAX;
	     word = strtok(NULL, " \n"))
		words[count++] = word;
	for (int i = 0; i < count; i++)
		decode(words[i]);
	if (count == 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -1;
	child = fork();
	if (child == 0)
		_exit(start(folder, words, ends[1]));
	close(ends[1]);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	answer(ends[0], status, child);
	close(ends[0]);
	return 0;
}

int main(int argc, char **argv)
{
	static char line[LINE_SIZE];

	if (argc != 2)
		return 2;
	/* Acts whose helpers stop or kill their group must not reach this program. */
	setpgid(0, 0);
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		if (run_line(argv[1], line))
			return 1;
	return 0;
}
