"""compose.yaml: its variables are settings, and the editors' pages are open where the file says."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML

from service.settings.load import load_config
from service.web.client_ip import is_in_networks
from tests.settings.config_folders import a_config_folder

ROOT = Path(__file__).parents[1]


def test_the_settings_of_compose_open_the_pages_to_this_machine(tmp_path: Path):
    written = YAML(typ="safe").load(ROOT / "compose.yaml")
    environment = {**written["x-caveat"]["environment"], "CAVEAT_WEB__LISTEN": "0.0.0.0:8080"}
    loaded = load_config(a_config_folder(tmp_path / "config"), environment)
    admin = loaded.settings.web.admin
    assert admin.enabled
    assert all(
        is_in_networks(address, admin.networks) for address in ("127.0.0.1", "172.18.0.1", "192.168.48.1")
    )
    assert not any(is_in_networks(address, admin.networks) for address in ("203.0.113.7", "10.0.0.1"))
    assert written["services"]["caveat"]["ports"] == ["127.0.0.1:8080:8080"], "this machine alone"
    assert not [warning for warning in loaded.warnings if "editors" in str(warning)]
