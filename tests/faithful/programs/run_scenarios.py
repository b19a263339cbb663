"""Runs the scenarios that its arguments name, and writes what they saw, as JSON, into the file that `SEEN` names."""

from __future__ import annotations

import json
import os
import sys
import time

import debugged
import hostile
import keras
import kinds
import witness


def main() -> None:
    seen = {"keras": keras.__version__, "before": witness.surroundings(), "scenarios": {}, "calls": witness.calls}
    keras.src.utils.progbar.time = witness.Clock
    for name in sys.argv[1:]:
        function = next(getattr(module, name) for module in (kinds, hostile, debugged) if hasattr(module, name))
        script = witness.Script(name)
        print("---", name)
        began = time.monotonic()
        function(script)
        if name != "two_threads":  # it draws at its own pace
            script.seen["random"] = witness.random_state()
        script.seen["seconds"] = time.monotonic() - began
        seen["scenarios"][name] = script.seen
    seen["after"] = witness.surroundings()
    with open(os.environ["SEEN"], "w") as file:
        json.dump(seen, file)


if __name__ == "__main__":
    main()
