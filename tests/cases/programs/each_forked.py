"""Runs the programs that its arguments name one after the other, each in a process of its own.

A name is that of a file in this folder without its ending, or begins with `../`.

Keras is imported once, before the processes are forked: that takes longer than most of the programs. The file SEEN gets
the process id of each program. Python 3.7 and every Keras.
"""

import json
import os
import runpy
import sys

import common  # noqa: F401  (it imports Keras)

pids = {}
for program in sys.argv[1:]:
    pid = os.fork()
    if pid == 0:
        runpy.run_path(os.path.join(os.path.dirname(__file__), program + ".py"), run_name="__main__")
        sys.exit()
    _, status = os.waitpid(pid, 0)
    assert status == 0, program
    pids[program] = pid
with open(os.environ["SEEN"], "w") as file:
    json.dump(pids, file)
