#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""swap.py FOLDER SECRET: one thread swaps a symlink between a harmless file and SECRET, another
opens it, many times. Prints "won" when the secret's content was read once, else "lost"."""
import os
import sys
import threading

folder, secret = sys.argv[1:]
with open(f"{folder}/harmless", "w", encoding="ascii") as file:
    file.write("nothing\n")
link, ends = f"{folder}/link", []


def swap():
    for number in range(3000):
        target = secret if number % 2 else f"{folder}/harmless"
        os.symlink(target, f"{link}.new")
        os.rename(f"{link}.new", link)
    ends.append(True)


thread = threading.Thread(target=swap)
thread.start()
won = False
while not ends:
    try:
        with open(link, encoding="ascii") as file:
            won = won or "secret" in file.read()
    except OSError:
        pass
thread.join()
print("won" if won else "lost")
