"""The competency questions' given answers, where the reader has them, against what the graph says: by rules, with no answer of ours in between.

Four comparisons need no reading: the verdict of each policy for each service; durations; numbers of controls; and the evidence, each
passage that a given answer stands on lying in a passage that the graph cites. The rest is compared by the tables beside the questions,
which people checked (decision 0010).
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from sekinin import queries
from sekinin.store import EmbeddedStore, rows

SERVICES = {
    "aicloud_koestation": "service-aicloud-koestation",
    "resv": "service-resv",
    "lensawriter": "service-lensawriter",
    "talkz": "service-talkz",
    "aianalyst": "service-ai-analyst",
}
PAPERS = {"000": "aicloud-1.0", "001": "resv-4.0", "002": "lensawriter-1.1", "003": "talkz-1.0", "004": "ai-analyst-undated"}
HEADINGS = {
    ("DV-15", "003", "CLD.6.3.1"), ("CE-06", "003", "CLD.6.3.1"), ("RS-20", "003", "12.6.1"), ("CC-08", "001", "A.9.2.1/A.9.2.2"),
    ("CC-08", "001", "A.9.2.3/A.9.2.4"), ("CC-08", "001", "A.12.4.1/A.12.4.4"), ("CC-14", "000", "CLD.8.1.5"), ("CC-14", "002", "7.2.2"),
    ("CC-14", "003", "CLD.6.3.1"), ("CC-14", "002", "12.6.1"), ("SO-02", "003", "CLD.6.3.1"), ("SO-09", "003", "CLD.6.3.1"),
    ("PO-17", "003", "CLD.6.3.1"),
}  # fmt: skip
"""Evidence that is a heading: the graph holds it as the title or number of a section or list, and cites what stands below."""
QUESTION_COLUMN = {("CC-16", "004", "9-1"), ("XF-01", "004", "6-14"), ("XF-01", "004", "10-3")}
"""Evidence that is the guideline's question on a check sheet: the graph cites the answer beside it."""


@pytest.fixture(scope="module")
def given() -> list[dict[str, Any]]:
    said = os.environ.get("SEKININ_QUESTIONS")
    if not said:
        pytest.skip("SEKININ_QUESTIONS is not set: the given answers are not part of the project")
    found: list[dict[str, Any]] = json.loads(Path(said).read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def asked(store: EmbeddedStore) -> dict[str, list[dict[str, str]]]:
    """For each competency question what our questions answer, as text."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for question in queries.catalogue().values():
        for name, parameters in queries.asks(question):
            for row in rows(queries.bind(question, parameters).ask(store)):
                found[name].append({column: term.value for column, term in row.items()})
    return found


def test_every_given_question_is_asked(given: list[dict[str, Any]], asked: dict[str, list[dict[str, str]]]) -> None:
    """None of the questions is without an answer."""
    assert sorted(q["id"] for q in given if not asked.get(q["id"])) == []


def verdicts(answer: dict[str, Any]) -> dict[str, str]:
    """Return the given verdict for each service, by the end of its IRI."""
    return {SERVICES[name]: said["overall"] for name, said in answer["per_service"].items()}


def test_the_verdict_of_each_policy(given: list[dict[str, Any]], asked: dict[str, list[dict[str, str]]]) -> None:
    """Pass, fail or unknown for each service is what was given: nothing missing, nothing else."""
    compared = 0
    for question in given:
        if question["kind"] == "policy" and "per_service" in question["answer"]:
            ours: dict[str, set[str]] = defaultdict(set)
            for row in asked[question["id"]]:
                ours[row["service"].rpartition("/")[2]].add(row.get("overall", row.get("verdict", "")))
            assert dict(ours) == {service: {said} for service, said in verdicts(question["answer"]).items()}, question["id"]
            compared += len(ours)
    assert compared >= 50


def test_another_verdict_would_be_noticed(given: list[dict[str, Any]]) -> None:
    """The comparison above can fail."""
    answer = next(q["answer"] for q in given if q["id"] == "PO-03")
    assert set(verdicts(answer).values()) > {"pass"} and verdicts(answer)["service-lensawriter"] == "fail"


def test_what_answers_stand_on_is_cited(given: list[dict[str, Any]], store: EmbeddedStore, corpus: Path) -> None:
    """Each passage that is given as evidence lies whole in a passage that the graph cites; headings and the sheet's own questions are named above."""
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows(queries.bind(queries.get("sources/citations"), {}).ask(store)):
        name = re.sub(r"^rend-|-txt$", "", row["rendition"].value.rpartition("/")[2])
        spans[name].append((int(row["start"].value), int(row["end"].value)))
    uncited, compared = set(), 0
    for question in given:
        for each in question["evidence"]:
            name = PAPERS.get(each["doc"])
            if name is None:
                continue
            text = (corpus / f"{name}.txt").read_text(encoding="utf-8")
            places = [match.start() for match in re.finditer(re.escape(each["fragment"]), text)]
            assert places, (question["id"], each["section"])
            compared += 1
            if not any(start <= place and place + len(each["fragment"]) <= end for place in places for start, end in spans[name]):
                uncited.add((question["id"], each["doc"], each["section"]))
    assert uncited == HEADINGS | QUESTION_COLUMN and compared > 500


DURATION = re.compile(r"\bP(?:T?\d+[DHMYW])+\b")


def test_durations_that_were_given_are_answered(given: list[dict[str, Any]], asked: dict[str, list[dict[str, str]]], store: EmbeddedStore) -> None:
    """Each duration in a given answer occurs in ours, as a figure: P7D as 7."""
    compared, missing = 0, []
    for question in given:
        figures = set(re.findall(r"\d+(?:\.\d+)?", json.dumps(asked[question["id"]])))
        answer = re.sub(r"unknown \([^)]*\)", "", json.dumps(question["answer"]))  # why something is unknown is no part of the answer
        for said in set(DURATION.findall(answer)):
            compared += 1
            if not set(re.findall(r"\d+", said)) <= figures:
                missing.append((question["id"], said))
    assert missing == [] and compared >= 20


def test_numbers_of_controls_that_were_given_are_answered(given: list[dict[str, Any]], asked: dict[str, list[dict[str, str]]]) -> None:
    """Numbers of controls and items in a given answer all occur in ours."""
    number = re.compile(r"\b(?:CLD\.)?\d{1,2}\.\d{1,2}(?:\.\d{1,2})?\b")
    compared, missing = 0, []
    for question in given:
        if question["group"] not in ("controls-coverage", "cross-framework"):
            continue
        ours = json.dumps(asked[question["id"]], ensure_ascii=False)
        for said in sorted(set(number.findall(json.dumps(question["answer"], ensure_ascii=False)))):
            compared += 1
            if said not in ours:
                missing.append((question["id"], said))
    assert (missing, compared > 0) == ([], True)
