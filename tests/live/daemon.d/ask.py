#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Calls methods of picketd, each on a connection of its own: ask.py METHOD PARAMS ...

Prints a line of JSON for each: the answer, or {"gone": why}.
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import stage  # noqa: E402  pylint: disable=wrong-import-position

for at in range(1, len(sys.argv), 2):
    try:
        with stage.Rpc() as rpc:
            answer = rpc.call(sys.argv[at], json.loads(sys.argv[at + 1]))
            print(json.dumps(answer or {"gone": "closed"}), flush=True)
    except OSError as error:
        print(json.dumps({"gone": str(error)}), flush=True)
