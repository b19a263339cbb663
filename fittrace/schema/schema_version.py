"""The version of the schema: which this fittrace writes, and which it reads."""

from __future__ import annotations

from .errors import NotATrace

VERSION = 1
"""The schema version that this fittrace writes. History: 1 is the first."""

OLDEST = 1
"""The oldest schema version that this fittrace reads."""


def check_version(directory: str, version: int) -> None:
    """Raise `NotATrace` if this fittrace cannot read the run in `directory`, whose schema has this `version`."""
    if version > VERSION:
        raise NotATrace(
            "%s: schema %d, this fittrace reads %d-%d; upgrade fittrace" % (directory, version, OLDEST, VERSION)
        )
    if version < OLDEST:
        raise NotATrace(
            "%s: schema %d, this fittrace reads %d-%d; read it with an older fittrace"
            % (directory, version, OLDEST, VERSION)
        )
