"""Collect a Python environment and all that it needs of a system, and nothing else.

`python3 collect.py ENVIRONMENT SYSTEM TARGET`, in the build stage of the image. The system is the
root of one like this, perhaps for another machine: nothing of it is run. The standard library only.
"""

import compileall
import shutil
import sys
import sysconfig
from pathlib import Path

import elf

# Of the standard library and of packages: tests, tools, and what needs a screen.
LEFT_OUT = shutil.ignore_patterns(
    *("__pycache__", "*.pyi", "*.a", "*.h", "bin", "tests", "test", "f2py", "include"),
    *("dist-packages", "site-packages", "config-3*", "ensurepip", "idlelib", "lib2to3"),
    *(
        "pydoc_data",
        "tkinter",
        "turtledemo",
        "turtle.py",
        "venv",
        "_tkinter*",
        "_test*",
        "xxlimited*",
    ),
)
# Of onnxruntime: what works on models and runs none, and the library for other languages, which its
# Python module has within itself.
TOOLS = ("transformers", "tools", "quantization", "datasets", "backend")
FOREIGN = "capi/libonnxruntime.so*"
# Of the hundreds of services that the S3 client describes, those that are used.
SERVICES = ("s3", "sts", "sso-oidc")
LIBRARIES = ("lib/*-linux-gnu", "usr/lib/*-linux-gnu", "usr/local/lib")
CACHE, NAMES = Path("/etc/ld.so.cache"), Path("/etc/nsswitch.conf")


def main(environment: Path, system: Path, target: Path) -> None:
    """Fill the target."""
    # Both systems are made the same way, so what is here is there under the same path.
    standard = below(system, Path(sysconfig.get_path("stdlib")))
    copy_folder(standard, target / standard.relative_to(system))
    packages = next(environment.glob("lib/python3*/site-packages"))
    copied = below(target, environment)
    copy_folder(environment / "app", copied / "app")
    copy_folder(packages, below(target, packages))
    for tool in TOOLS:
        shutil.rmtree(below(target, packages) / "onnxruntime" / tool, ignore_errors=True)
    for library in (below(target, packages) / "onnxruntime").glob(FOREIGN):
        library.unlink()
    for service in (below(target, packages) / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
    shutil.copy(environment / "pyvenv.cfg", copied)
    interpreter = Path(sys.executable).resolve()
    (copied / "bin").mkdir()
    (copied / "bin" / "python").symlink_to(interpreter)
    copy(interpreter, system, target)
    copy_libraries(system, target)
    # A system that was unpacked only has no cache: its libraries lie where a loader looks anyway.
    if below(system, CACHE).exists():
        copy(CACHE, system, target)
    copy(NAMES, Path("/"), target)
    (target / "tmp").mkdir(mode=0o1777)
    # Without texts that nobody reads here (PYTHONOPTIMIZE=2): some megabytes of memory.
    compileall.compile_dir(target, quiet=1, stripdir=str(target), workers=1, optimize=2)


def below(root: Path, place: Path) -> Path:
    """Return where a file of a system lies when that system's root is elsewhere."""
    return root / place.relative_to("/")


def copy(file: Path, system: Path, target: Path) -> None:
    """Copy a file of the system, and what it links to under the link's own name."""
    place = below(target, file)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(below(system, file), place)


def copy_folder(folder: Path, place: Path) -> None:
    """Copy a folder without what is left out."""
    shutil.copytree(folder, place, ignore=LEFT_OUT, ignore_dangling_symlinks=True)


def copy_libraries(system: Path, target: Path) -> None:
    """Copy what the target's programs and libraries are loaded with, loader included.

    Raises:
        SystemExit: One is nowhere: the image would not start.
    """
    folders = [folder for pattern in LIBRARIES for folder in sorted(system.glob(pattern))]
    # Wheels bring libraries of their own, and say themselves where these are.
    there = {file.name for file in target.rglob("*.so*")}
    left = [file for file in target.rglob("*") if file.is_file() and not file.is_symlink()]
    while left:
        linkage = elf.read(left.pop())
        missing = [name for name in linkage.needed if name not in there]
        found = [
            next((one / name for one in folders if (one / name).exists()), None) for name in missing
        ]
        if None in found:
            sys.exit(f"the system has no {', '.join(missing)}")
        wanted = [Path("/") / one.relative_to(system) for one in found if one]
        if linkage.loader and Path(linkage.loader).name not in there:
            wanted.append(Path(linkage.loader))
        for library in wanted:
            copy(library, system, target)
            there.add(library.name)
            left.append(below(target, library))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
