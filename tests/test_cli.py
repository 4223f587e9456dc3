"""The command line: help that ends with an example, exit codes for scripts, the same options everywhere."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import HOUSE

from sekinin.cli import main

COMMANDS = sorted(main.commands)


def test_the_verbs_are_there() -> None:
    assert {"infer", "check", "build", "query", "export", "verify", "serve"} <= set(COMMANDS)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_ends_with_an_example(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"] if name else ["--help"])
    assert result.exit_code == 0
    last = result.output.strip().splitlines()[-1].strip()
    assert last.startswith("sekinin")
    assert "Example:" in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_work(name: str, store) -> None:
    """The questions that the help shows can be asked as they stand."""
    import shlex

    for line in CliRunner().invoke(main, [name, "--help"]).output.splitlines():
        words = shlex.split(line) if line.strip().startswith("sekinin query") else []
        if words:
            assert CliRunner().invoke(main, words[1:]).exit_code == 0, line


def test_a_question_in_every_format(store) -> None:
    for form in ("table", "csv", "tsv", "json", "xml"):
        result = CliRunner().invoke(main, ["query", "duties/customer-duties", "-p", "service=id:service-talkz", "-p", "lang=en", "--format", form])
        assert result.exit_code == 0, result.output
        assert "ob-talkz-" in result.output
    assert json.loads(CliRunner().invoke(main, ["query", "services/names", "--format", "json"]).output)["head"]["vars"] == ["service", "label"]


def test_any_query(store) -> None:
    assert CliRunner().invoke(main, ["query", "--text", "ASK { id:service-talkz a sk:CloudService }"]).output.strip() == "true"
    described = CliRunner().invoke(main, ["query", "--text", "DESCRIBE id:service-talkz"])
    assert "sk:providedBy id:party-spcc" in described.output


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["query", "duties/nothing"], 4, "did you mean"),
        (["query", "--text", "SELECT * WHERE { ?s ?p }"], 5, "line 1, column"),
        (["query", "--text", "SELECT * WHERE { ?s dct:title ?o }"], 5, "declare the prefix dct:"),
        (["query", "--text", "DROP ALL"], 8, "read-only"),
        (["query", "duties/customer-duties", "-p", "service"], 2, "NAME=TERM"),
        (["query", "duties/customer-duties", "-p", "colour=red"], 5, "parameters are"),
        (["query", "duties/duties", "-p", "layer=sk:Foo"], 5, "no term sk:Foo"),
        (["query", "duties/duties", "-p", "layer=sk:%zz"], 5, "layer"),
        (["query", "duties/duties", "-p", "layer=http://[bad"], 5, "is not an IRI"),
        (["query", "duties/duties", "-p", "lang=xx"], 5, "write ja or en"),
        (["query", "duties/duties", "-p", "lang=ja", "-p", "lang=en"], 2, "given twice"),
        (["query", "duties/duties", "--format", "turtle"], 5, "does not fit"),
        (["query", "--text", "DESCRIBE id:service-talkz", "--format", "csv"], 5, "does not fit"),
        (["query", "--store", "nonsense", "--text", "ASK {}"], 8, "http://host"),
        (["export", "--provider", "vocabulary"], 4, "no paper"),
        (["serve", "--no-build", "--host", "nonsense.invalid"], 8, "--host"),
        (["query"], 2, "name a saved question"),
        (["export", "--provider", "nobody"], 4, "no paper"),
        (["fmt", "nowhere.ttl"], 4, "no such file"),
        (["query", "services/names", "--store", "http://127.0.0.1:9/"], 7, "check the address"),
    ],
)
def test_errors_tell_what_to_do(words: list[str], code: int, says: str, store) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == code, result.output
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_in_use() -> None:
    """Another server on the port: one message, before anything is served."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(main, ["serve", "--no-build", "--port", port])
    assert result.exit_code == 8 and "choose another with --port" in result.stderr


def test_output_into_a_closed_pipe(store) -> None:
    """`sekinin query … | head` is no error."""
    command = f"{Path(sys.executable).with_name('sekinin')} query --list | head -n 1"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, cwd=HOUSE, check=False)
    assert run.returncode == 0 and run.stderr == ""
