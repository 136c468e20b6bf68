"""A wheel holds everything that the program reads besides its code, and works where no sources lie."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without network, from a copy: setuptools leaves a `build` folder in the sources."""
    sources, built = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in ("passerelle", "templates"):
        shutil.copytree(REPOSITORY / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "LICENSE", sources)
    shutil.copy(REPOSITORY / "pyproject.toml", sources)
    readme = REPOSITORY / "README.md"
    (sources / "README.md").write_bytes(readme.read_bytes() if readme.exists() else b"# Passerelle\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-index", "--no-build-isolation"]
    done = subprocess.run(
        [*pip, "--no-deps", "-w", str(built), str(sources)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(built.glob("passerelle-*.whl"))


def _files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_every_file_of_the_package_and_every_template_is_in_the_wheel(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = {f"passerelle/{name}" for name in _files(REPOSITORY / "passerelle")}
    wanted |= {f"passerelle_templates/{name}" for name in _files(REPOSITORY / "templates")}
    assert inside == wanted


def test_the_list_of_packages_is_every_folder() -> None:
    listed = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {"passerelle", "passerelle_templates"}
    for top, name in (("passerelle", "passerelle"), ("templates", "passerelle_templates")):
        for path in (REPOSITORY / top).rglob("*/"):
            if path.is_dir() and "__pycache__" not in path.parts:
                folders.add(".".join([name, *path.relative_to(REPOSITORY / top).parts]))
    assert set(listed) == folders


def test_the_wheel_works_where_there_are_no_sources(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(installed)
    program = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
import passerelle
assert passerelle.__file__.startswith(sys.argv[1]), passerelle.__file__
from passerelle.render import TEMPLATES, Renderer
assert str(TEMPLATES).startswith(sys.argv[1]), TEMPLATES
assert not Renderer(None, "fr").problems()
print(Renderer(None, "fr").letter("mail/send_test", title="Comité", coordinators="Monique", reference="ab12").subject)
from passerelle.store.engine import Store
async def made():
    await (await Store.open("sqlite:///" + sys.argv[1] + "/store.db", exclusive=True)).close()
asyncio.run(made())
from passerelle.cli import app
from typer.testing import CliRunner
said = CliRunner().invoke(app, ["version"])
assert said.exit_code == 0, said.output
"""
    done = subprocess.run(
        # -I: neither the current folder nor PYTHONPATH; the libraries are those of this environment.
        [sys.executable, "-I", "-c", program, str(installed)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "LANGUAGE": "fr"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "ab12" in done.stdout
