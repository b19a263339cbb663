"""Runs nested.py several times, each time in a process of its own and with other batches to send.

The first argument names the engine, the others say which batches are sent. The engine is imported once, before the
processes are forked: that takes longer than to run nested.py. In the folder SEEN, what each process saw goes into
`<process id>.json`, and `pids.json` has the process ids, in the order of the arguments. Python 3.7 and every Keras.
"""

import json
import os
import runpy
import sys

import tensorflow as tf

name, *choices = sys.argv[1:]
if name == "tf_keras-v1":
    tf.compat.v1.disable_v2_behavior()
if name.startswith("tf_keras"):
    import tf_keras  # noqa: F401
elif name != "tf.keras":
    import keras  # noqa: F401

folder = os.environ["SEEN"]
pids = []
for batches in choices:
    pid = os.fork()
    if pid == 0:
        os.environ["SEEN"] = os.path.join(folder, str(os.getpid()) + ".json")
        os.environ["SETTINGS"] = json.dumps({"level": "all", "batches": batches})
        sys.argv[1:] = [name]
        runpy.run_path(os.path.join(os.path.dirname(__file__), "nested.py"), run_name="__main__")
        sys.exit()
    _, status = os.waitpid(pid, 0)
    assert status == 0, batches
    pids.append(pid)
with open(os.path.join(folder, "pids.json"), "w") as file:
    json.dump(pids, file)
