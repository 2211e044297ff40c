"""The project itself: what the wheel carries, what the lock holds, what `make` says."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from tests.support.service import Service

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory))
    (wheel,) = directory.glob("grove_groups-*.whl")
    return wheel


def test_the_wheel_carries_code_migrations_and_static_files(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if ".dist-info/" not in name}
        (entry_points,) = (name for name in archive.namelist() if name.endswith("/entry_points.txt"))
        assert "grove = service.__main__:main" in archive.read(entry_points).decode()
    kept = {
        path.relative_to(ROOT).as_posix()
        for package in ("service", "migrations")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert carried == kept
    assert "service/static/index.html" in carried
    assert any(re.fullmatch(r"migrations/0001_\w+\.py", name) for name in carried)


async def test_the_wheel_serves_without_the_checkout(wheel: Path, database_url: str, tmp_path: Path) -> None:
    installed, empty = tmp_path / "installed", tmp_path / "empty"
    empty.mkdir()
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(installed), str(wheel))
    # The path goes before the checkout's, which is installed in this environment.
    async with Service(database_url, empty, PYTHONPATH=str(installed)) as service:
        program = "import service; print(service.__file__)"
        where = run(sys.executable, "-c", program, directory=empty, PYTHONPATH=str(installed))
        assert where.startswith(str(installed))
        page = (await service.get("/graphql", headers={"Accept": "text/html"})).text
        assert "<!doctype html>" in page.lower()


def test_the_lock_has_a_hash_for_everything_and_names_no_place() -> None:
    requirements = re.findall(r"^[^\s#].*?(?=^\S|\Z)", LOCK, re.MULTILINE | re.DOTALL)
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+==[^\s@]+ ", requirement), requirement
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", requirement), requirement
    assert not re.search(r"://|file:|\.\.?/|--(extra-)?index|--find-links|^#.*/", LOCK, re.MULTILINE)


def test_the_lock_holds_what_the_project_asks_for() -> None:
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK, re.MULTILINE))
    asked = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(locked[requirement.name]), requirement


def test_make_alone_explains_each_command() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (targets,) = re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE)
    explained = re.findall(r"^  ([a-z-]+) +[A-Z].+\.$", run("make"), re.MULTILINE)
    assert explained == targets.split()


def run(*command: str, directory: Path = ROOT, **environment: str) -> str:
    # Without what a surrounding make passes on.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        command, cwd=directory, env=inherited | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
