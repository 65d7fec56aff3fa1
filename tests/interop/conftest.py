"""What every interop test needs: the programs under test and, where it is there, the real data.

The tests compare the toolkit's numbers with somebody else's implementation, never with its own output. They run the
programs that `cargo build --workspace --bins --examples` leaves behind; `.ci/run` builds them first.
"""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"


def _program(path):
    if not path.exists():
        pytest.fail(f"{path} is missing: run `cargo build --workspace --bins --examples` first")
    return path


@pytest.fixture(scope="session")
def example():
    """example(name) is the path of the built example program `name`."""
    return lambda name: _program(TARGET / "examples" / name)


@pytest.fixture(scope="session")
def rival10():
    """rival10(*arguments, cwd=...) runs the binary and returns its stdout; it must succeed unless check=False."""
    binary = _program(TARGET / "rival10")

    def run(*arguments, cwd=None, check=True):
        done = subprocess.run([binary, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)
        if check and done.returncode != 0:
            pytest.fail(f"rival10 {' '.join(map(str, arguments))} exited {done.returncode}: {done.stderr}")
        return done.stdout if check else done

    return run


@pytest.fixture(scope="session")
def real_data():
    """The folder of real photos and models that RIVAL10_DATA names; without it the test is skipped, and says so."""
    folder = os.environ.get("RIVAL10_DATA")
    if not folder or not pathlib.Path(folder).is_dir():
        pytest.skip("RIVAL10_DATA names no folder: the check on real photos and models did not run")
    return pathlib.Path(folder)
