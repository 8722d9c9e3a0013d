"""What Caveat brings along is found in a checkout and in an installed wheel, and nowhere else."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from service.core.errors import CaveatError
from service.settings.packaged_files import PACKAGE, config_folder, sample_folder, templates_folder

CHECKOUT = PACKAGE.parent


def a_folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def test_a_checkout_uses_the_folders_next_to_pyproject():
    assert templates_folder() == CHECKOUT / "templates"
    assert (templates_folder() / "digest" / "daily" / "body.html").is_file()
    assert (sample_folder() / "feed.xml").is_file()


def test_a_checkout_finds_its_example_configuration(tmp_path: Path):
    (tmp_path / "pyproject.toml").touch()
    config = a_folder(tmp_path / "config")

    assert config_folder(tmp_path / "service") == config


def test_an_installed_package_uses_the_folders_in_the_wheel(tmp_path: Path):
    package = tmp_path / "site-packages" / "service"
    templates = a_folder(package / "_data" / "templates")
    config = a_folder(package / "_data" / "config")
    sample = a_folder(package / "cli" / "demo" / "sample")

    assert templates_folder(package) == templates
    assert config_folder(package) == config
    assert sample_folder(package) == sample


def test_templates_of_another_package_in_site_packages_are_ignored(tmp_path: Path):
    package = tmp_path / "site-packages" / "service"
    a_folder(tmp_path / "site-packages" / "templates")
    ours = a_folder(package / "_data" / "templates")

    assert templates_folder(package) == ours


def test_an_incomplete_installation_names_the_missing_folder(tmp_path: Path):
    with pytest.raises(CaveatError, match=r"incomplete: .*templates is missing; install it again"):
        templates_folder(tmp_path / "service")


def copy_of_the_checkout(tmp_path: Path) -> Path:
    """Return a copy of all that goes into a wheel, with a secret beside it that must not."""
    checkout = tmp_path / "checkout"
    for folder in ("service", "templates", "config"):
        if (CHECKOUT / folder).is_dir():
            shutil.copytree(CHECKOUT / folder, checkout / folder)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(CHECKOUT / name, checkout)
    config = checkout / "config"
    config.mkdir(exist_ok=True)
    (config / "caveat.yaml").touch()
    (config / "smtp.secret").write_text("hunter2", encoding="utf-8")
    return checkout


@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed")
def test_a_built_wheel_has_the_folders_and_no_secret(tmp_path: Path):
    checkout, target = copy_of_the_checkout(tmp_path), tmp_path / "site-packages"
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=checkout, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(target)
    ask = (
        "from service.settings.packaged_files import config_folder, sample_folder, templates_folder; "
        "print(templates_folder(), config_folder(), sample_folder())"
    )
    environment = {**os.environ, "PYTHONPATH": str(target)}
    found = subprocess.run(
        [sys.executable, "-c", ask], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )

    folders = [Path(name).relative_to(target / "service") for name in found.stdout.split()]
    assert folders == [Path("_data/templates"), Path("_data/config"), Path("cli/demo/sample")]
    assert (target / "service/_data/templates/digest/daily/labels.toml").is_file()
    assert (target / "service/cli/demo/sample/pages").is_dir()
    assert not list(target.rglob("*.secret"))
