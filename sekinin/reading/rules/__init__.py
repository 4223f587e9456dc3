"""The rules as data: TOML files that somebody reads who knows the papers and not the program."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from typing import Any, Final

from sekinin import resources
from sekinin.errors import BadData, Missing

_LOG: Final = re.compile(r"(?<![プブ])ログ(?!イン|ラム|アウト|\(\?!)")


@cache
def table(name: str) -> dict[str, Any]:
    """Return one file of rules.

    Args:
        name: of the file, without its ending.
    Raises:
        Missing: if there is no such file.
        BadData: if it is no TOML, with the line.
    """
    path = next((path for path in resources.rule_files() if path.stem == name), None)
    if path is None:
        raise Missing(f"rules/{name}.toml", "there is no such file of rules", "install Sekinin again")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as why:
        raise BadData(str(path), f"it is no TOML ({why})", "mend the line") from why


@cache
def pattern(text: str) -> re.Pattern[str]:
    """Return a pattern of a rule; case does not count, and a log is no part of a program, a catalogue or a login.

    Raises:
        BadData: if it is no regular expression.
    """
    text = _LOG.sub("(?<![プブタナア])ログ(?!イン|ラム|アウト|オン|オフ)", text)
    try:
        return re.compile(text, re.I | re.ASCII)  # a word of letters ends where Japanese begins
    except re.error as why:
        raise BadData("rules", f"{text!r} is no regular expression ({why})", "mend the rule") from why


def word(name: str, *keys: str) -> re.Pattern[str]:
    """Return the pattern under ``keys`` of a file of rules, as ``word("structure", "marks", "done")``."""
    found: Any = table(name)
    for key in keys:
        found = found[key]
    return pattern(found)
