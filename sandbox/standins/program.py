"""The stand-in for Falco as a program of an image: the nodes' Python, and one file that it runs.

The file is a ZIP archive of compiled modules behind a first line that names the interpreter (`zipapp`): the package
`falco` beside this file, and the rooms of the collection's rule engine that it imports. Both are made in a throw-away
copy of the nodes' root file system, so that interpreter and bytecode are of one version.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from sandbox.cache import cache_root, digest, produce
from sandbox.process import say
from sandbox.scratch import run_in_scratch

HERE = Path(__file__).resolve().parent
ENGINE = HERE.parents[1] / "plugins" / "module_utils" / "falco"

#: What the stand-in imports of the engine, and what that imports: rooms and files of `module_utils/falco`.
ROOMS = ("__init__.py", "catalogue", "codes.py", "condition", "errors.py", "evaluate", "load", "yaml")
_PACKAGE = "ansible_collections/falconet/k8s/plugins/module_utils/falco"
_MAIN = "import sys\nfrom sandbox.standins.falco.__main__ import main\nsys.exit(main(sys.argv[1:]))\n"

# What the first line imports decides which packages of the standard library and which compiled modules go along.
_INTERPRETER = """
cat > /tmp/pack.py <<'END'
import argparse, hashlib, http.client, http.server, ipaddress, json, queue, signal, ssl, subprocess, tempfile
import os, pathlib, shutil, sys, sysconfig, zipfile
library, out = pathlib.Path(sysconfig.get_path("stdlib")), pathlib.Path("/out/root")
archive = out / f"usr/lib/python{sys.version_info.major}{sys.version_info.minor}.zip"
archive.parent.mkdir(parents=True)
with zipfile.PyZipFile(archive, "w") as zipped:
    zipped.writepy(str(library), filterfunc=lambda path: os.path.basename(path) not in ("antigravity.py", "this.py"))
    for package in sorted({name.partition(".")[0] for name in sys.modules}):
        if (library / package).is_dir():
            zipped.writepy(str(library / package))
(out / str(library)[1:]).mkdir(parents=True)
shutil.copy(library / "os.py", out / str(library)[1:])  # by which the interpreter finds its library
for module in list(sys.modules.values()):
    if str(getattr(module, "__file__", "")).endswith(".so"):
        print(module.__file__)
print(os.path.realpath(sys.executable))
END
python3 -I /tmp/pack.py > /tmp/files
ldconfig -p | sed -n 's/.*libgcc_s.* => //p' >> /tmp/files  # which ends threads, and is loaded only then
for program in $(cat /tmp/files); do
  for file in "$program" $(ldd "$program" | grep -o '/[^ ]*'); do
    mkdir -p "/out/root$(dirname "$file")"
    cp -L "$file" "/out/root$file"
  done
done
"""

_PROGRAM = """
cat > /tmp/pack.py <<'END'
import os, pathlib, sys, zipfile
source, program = pathlib.Path("/out/source"), pathlib.Path("/out/falco")
program.write_text(f"#!{os.path.realpath(sys.executable)} -IS\\n")
with zipfile.PyZipFile(program, "a") as zipped:
    for name in ("ansible_collections", "sandbox", "__main__.py"):
        zipped.writepy(str(source / name))
END
python3 -I /tmp/pack.py
"""


def interpreter(root: Path) -> Path:
    """The folder with ``root``: the interpreter of a root file system, its library as one archive, and its libraries.

    Made if the cache does not hold it.
    """

    def make(folder: Path) -> None:
        say("taking Python out of the nodes' root file system (first time only, about 1 s)")
        run_in_scratch(root, folder, _INTERPRETER, env={}, timeout_seconds=120)

    return produce(cache_root() / "builds" / f"python-{digest([root.parent.name, _INTERPRETER])}", make)


def program(root: Path) -> Path:
    """The folder with the file ``falco``; made again whenever the stand-in or the engine changes."""

    def make(folder: Path) -> None:
        for target, file in sources():
            (folder / "source" / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, folder / "source" / target)
        (folder / "source" / "__main__.py").write_text(_MAIN)
        _make_packages(folder / "source")
        run_in_scratch(root, folder, _PROGRAM, env={}, timeout_seconds=120)
        shutil.rmtree(folder / "source")

    contents = [part for target, file in sources() for part in (str(target), file.read_bytes())]
    return produce(cache_root() / "builds" / f"falco-{digest([root.parent.name, _PROGRAM, _MAIN, *contents])}", make)


def sources() -> Iterator[tuple[Path, Path]]:
    """Each module of the program: its path in the archive, and where it is."""
    for name in ROOMS:
        top = ENGINE / name
        for file in sorted(top.rglob("*.py")) if top.is_dir() else [top]:
            yield Path(_PACKAGE) / file.relative_to(ENGINE), file
    for file in sorted((HERE / "falco").glob("*.py")):
        yield Path("sandbox/standins/falco", file.name), file


def _make_packages(top: Path) -> None:
    """Python looks for modules in archives only below folders that have an `__init__`."""
    for folder in [path for path in top.rglob("*") if path.is_dir()]:
        (folder / "__init__.py").touch()
