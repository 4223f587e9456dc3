"""Apache Jena Fuseki from Maven Central, by its name: ``python benchmarks/fuseki.py FOLDER`` puts it there, if it is not, and prints its path.

It needs nothing but Python and Maven, so that it can run before anything of the project is installed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ARTIFACT = "org.apache.jena:jena-fuseki-server:5.2.0"
"""Jena 5 runs on the Java 17 that Debian has."""


def jar(folder: Path) -> Path:
    """Return the server's jar in ``folder``, fetched if it is not there."""
    _, name, version = ARTIFACT.split(":")
    path = folder / f"{name}-{version}.jar"
    if not path.is_file():
        if not shutil.which("mvn"):
            raise SystemExit("maven is not installed; install it (Debian: maven, openjdk-17-jre-headless)")
        folder.mkdir(parents=True, exist_ok=True)
        command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={folder}"]
        subprocess.run(command, check=True, stdout=sys.stderr)
    return path


if __name__ == "__main__":
    print(jar(Path(sys.argv[1]).resolve()))
