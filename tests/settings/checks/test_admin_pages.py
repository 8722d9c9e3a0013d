"""Checks of the settings of the editors' pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.settings.config_folders import SITE, a_config_folder, loaded, said


def with_web(tmp_path: Path, web: str, url: str = "https://news.example.org") -> Path:
    site = SITE.replace("https://news.example.org", url)
    return a_config_folder(tmp_path / "config", {"caveat.yaml": f"{site}web:\n{web}"})


@pytest.mark.parametrize(
    ("web", "url", "problem"),
    [
        ('  admin: {networks: ["10.0.0.0/8"]}\n', "http://news.example.org", "unencrypted"),
        ('  admin: {networks: ["10.0.0.0/8"]}\n', "http://10.0.0.3:8080", "unencrypted"),
        ('  admin: {networks: ["10.0.0.0/8"]}\n', "https://news.example.org", ""),
        ('  admin: {networks: ["127.0.0.0/8", "::1"]}\n', "http://news.example.org", ""),
        ('  admin: {networks: ["172.16.0.0/12"]}\n', "http://localhost:8080", ""),
        ('  admin: {networks: ["10.0.0.0/8"], enabled: false}\n', "http://news.example.org", ""),
        ('  admin: {networks: ["10.0.0.0/8"], listen: "0.0.0.0:8081"}\n', "https://news.example.org", "TLS"),
        ('  admin: {networks: ["10.0.0.0/8"], listen: "127.0.0.1:8081"}\n', "http://news.example.org", ""),
        ('  admin: {networks: ["127.0.0.1"], listen: "0.0.0.0:8081"}\n', "http://news.example.org", ""),
    ],
)
def test_pages_that_other_machines_open_without_tls_are_named(
    tmp_path: Path, web: str, url: str, problem: str
):
    warnings = [str(one) for one in loaded(with_web(tmp_path, web, url)).warnings if "editors" in str(one)]
    assert bool(warnings) is bool(problem)
    assert all(problem in one and one.startswith("caveat.yaml:7:") for one in warnings)


@pytest.mark.parametrize(
    ("web", "problem"),
    [
        ("  admin: {user_header: X-Remote-User}\n", "there is no proxy that may send this header"),
        (
            '  trusted_proxies: ["0.0.0.0/0"]\n  admin: {user_header: X-Remote-User}\n',
            "every client could name an account",
        ),
        ('  admin: {networks: ["intranet.example"]}\n', "intranet.example is a name, which nothing looks up"),
        ('  trusted_proxies: ["127.0.0.1"]\n  admin: {user_header: X-Remote-User}\n', ""),
    ],
)
def test_what_would_not_work_or_would_open_the_pages_is_a_fault(tmp_path: Path, web: str, problem: str):
    found = said(with_web(tmp_path, web))
    assert bool(found) is bool(problem)
    assert all(problem in one for one in found)
