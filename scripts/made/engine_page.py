"""Writes docs/engines.md, from the engine tables of fittrace/engines.

Each table is matched with the source of every version that it is checked on. `scripts/env matrix` and
`scripts/legacy-env` get these versions.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

from fittrace.capture.instrument.rewrite import rewrite
from fittrace.capture.sites import Site
from fittrace.engines import ENGINES, Engine, Function
from fittrace.schema.tables import PHASES

PAGE = Path("docs/engines.md")

HEAD = """\
# The engines

<!-- Generated from fittrace/engines by scripts/engine-doc; a test holds it current. -->

An engine is a Keras with a training loop of its own. In fittrace it is a table that says which statement of which
function is which phase, by name and shape. fittrace matches that table with the source that it finds.

Below, a cell names the functions that have the phase in that version's source. In an empty cell, the version does not
have the phase: Keras 3 and tf_keras, for instance, shuffle and cut batches inside the `tf.data` pipeline. Versions that
are alike share a column. The last row names the functions whose batches have their samples (`Trace.batch_samples`).

`tests/engines` and `tests/faithful` test each phase on each version, in a real training. On any other
version, fittrace traces what still matches, and says what does not.
"""
Matrix = dict[str, tuple[str, ...]]
"""For each phase, the names of the functions that have it."""


class NotInstalled(LookupError):
    """A version that is not here."""


def installed(engine: Engine, version: str) -> Path:
    """The folder that holds this version's package. Raises `NotInstalled`."""
    single = version if engine.package == "keras" else f"{engine.package}-{version}"
    folders = (Path(".keras", single), *Path().glob(".venv*/lib/*/site-packages"))
    for folder in folders:
        if any(
            folder.glob(f"[{engine.package[0].upper()}{engine.package[0]}]{engine.package[1:]}-{version}.dist-info")
        ):
            return folder
    raise NotInstalled(f"no {engine.package} {version} here; scripts/env matrix and scripts/legacy-env get it")


def sources(engine: Engine, folder: Path) -> Iterator[tuple[str, Path]]:
    """The engine's modules that this version has, and their files."""
    for module in engine.modules:
        # TensorFlow 1.15 keeps them under another name than it has them imported by.
        path = folder / module.replace("tensorflow.python", "tensorflow_core.python").replace(".", "/")
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                yield module, file


def matrix(engine: Engine, version: str) -> Matrix:
    """For each phase, the functions of this version in which it stands."""
    found: dict[str, set[str]] = {phase: set() for phase in PHASES}

    def site(**facts: object) -> Site:
        made = Site(number=0, engine=engine.name, **facts)  # type: ignore[arg-type]
        name = made.function.rpartition(".")[2]
        for phase in made.phases:
            found[phase].add("on_*" if name.lstrip("_").startswith("on_") else name)
        return made

    sampled: list[str] = []
    for module, file in sources(engine, installed(engine, version)):
        functions = [function for function in engine.functions if function.module == module]
        rewritten = rewrite(file.read_text(encoding="utf-8"), str(file), functions, site, engine.entering)
        loops = [item for item in functions if isinstance(item, Function) and any(loop.order for loop in item.loops)]
        sampled += [item.name.rpartition(".")[2] for item in loops if item.name in rewritten.codes]
    return {
        **{f"`{phase}`": tuple(sorted(names)) for phase, names in found.items()},
        "samples of a batch": tuple(sampled),
    }


def section(engine: Engine) -> Iterator[str]:
    """What one engine has, by version."""
    yield f"\n## {engine.name} (`{engine.package}`)\n"
    yield f"Its functions are in {', '.join(f'`{module}`' for module in engine.modules)}.\n"
    columns: list[tuple[list[str], Matrix]] = []
    for version in engine.checked:
        here = matrix(engine, version)
        alike = [versions for versions, other in columns if other == here]
        if alike:
            alike[0].append(version)
        else:
            columns.append(([version], here))
    yield f"| phase | {' | '.join(', '.join(versions) for versions, _ in columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for row in columns[0][1]:
        cells = [", ".join(f"`{name}`" for name in of_version[row]) for _, of_version in columns]
        yield f"| {row} | {' | '.join(cells)} |"


def document() -> str:
    """The whole page. Raises `NotInstalled`."""
    with warnings.catch_warnings():
        # Old versions have escapes in their texts of which a new Python warns.
        warnings.simplefilter("ignore")
        return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    """The page, line by line."""
    yield HEAD
    yield "| engine | package | checked on |"
    yield "|---|---|---|"
    for engine in ENGINES:
        yield f"| {engine.name} | `{engine.package}` | {', '.join(engine.checked)} |"
    for engine in ENGINES:
        yield from section(engine)


def main() -> None:
    PAGE.write_text(document(), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
