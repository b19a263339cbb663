"""Records the golden hook orders of all engines."""

from __future__ import annotations

import tempfile
from pathlib import Path

from golden.recording import ENGINES, ORDERS, recorded


def main() -> None:
    ORDERS.mkdir(exist_ok=True)
    for name in ENGINES:
        with tempfile.TemporaryDirectory() as folder:
            text = recorded(name, Path(folder))
        file = ORDERS / f"{name}.txt"
        file.write_text(text, encoding="utf-8")
        print(f"{file}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
