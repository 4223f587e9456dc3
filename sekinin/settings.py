"""Settings from the environment: one variable for each field of a dataclass, each with a default that works.

A setting is a positive number, ``0`` where that means *off*, a word of a list, or text; what is not is told at the start.
"""

from __future__ import annotations

import os
from dataclasses import fields
from typing import Any, TypeVar

from sekinin.errors import BadQuery

T = TypeVar("T")


def from_environment(kind: type[T], prefix: str) -> T:
    """Return a ``kind`` whose fields come from ``<prefix><FIELD>``; one that is not set keeps its default.

    A field with ``choices`` in its metadata takes one of them; a number may be 0 only if its metadata says ``off``.

    Args:
        kind: a dataclass whose fields all have defaults.
        prefix: such as ``SEKININ_LIMIT_``.
    Raises:
        BadQuery: naming the variable, for a value that does not fit.
    """
    given: dict[str, Any] = {}
    for each in fields(kind):  # type: ignore[arg-type]
        name = f"{prefix}{each.name.upper()}"
        said = os.environ.get(name, "").strip()
        if not said:
            continue
        choices = each.metadata.get("choices", ())
        if isinstance(each.default, str):
            if choices and said not in choices:
                raise BadQuery(name, f"{said[:40]!r} is not one of {', '.join(choices)}", f"default: {each.default}")
            given[each.name] = said
            continue
        try:
            value = float(said)
        except ValueError:
            value = -1.0
        least = 0.0 if each.metadata.get("off") else 1.0 if isinstance(each.default, int) else 0.001
        if not least <= value < 1e15:  # which is also false for "nan"
            raise BadQuery(name, f"{said[:40]!r} is not a positive number", f"default: {each.default}")
        given[each.name] = value if isinstance(each.default, float) else int(value)
    return kind(**given)
