"""Special address ranges are refused in every notation."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.gather.http.addresses import AddressPolicy, port_refusal

NONE_ALLOWED = AddressPolicy()
SPECIAL = [
    *(
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
    ),
    *("172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"),
    *(
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
    ),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1"),
    *("2001::1", "2001:10::1", "3fff::1", "100::1", "5f00::1", "4000::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::a00:1"),
    *("168.63.129.16", "::ffff:168.63.129.16", "64:ff9b::168.63.129.16", "161.26.0.10", "166.9.8.7"),
    *("100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254", "169.254.0.23", "169.254.170.2"),
    *("64:ff9b::169.254.169.254", "64:ff9b:1::169.254.169.254", "2002:a9fe:a9fe::", "::169.254.169.254"),
    *("2001:0:5ef5:79fd:0:59d:a9fe:a9fe", "::ffff:0:169.254.169.254", "::ffff:100.100.100.200"),
    *("2002:7f00:1::", "2002:a00:1::1", "::10.0.0.1", "::ffff:0:10.0.0.1"),
]
PUBLIC = [
    "1.1.1.1",
    "93.184.216.34",
    "100.63.255.255",
    "172.32.0.1",
    "168.63.129.15",
    "161.27.0.1",
    "166.12.0.1",
    "198.20.0.1",
    "2606:2800:220:1::1",
    "2a00::1",
]


@pytest.mark.parametrize("address", SPECIAL)
def test_special_addresses_are_refused(address: str):
    assert NONE_ALLOWED.refusal(address)


@pytest.mark.parametrize("address", [*PUBLIC, "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public_addresses_are_allowed(address: str):
    assert NONE_ALLOWED.refusal(address) is None


@given(st.ip_addresses())
def test_every_allowed_address_is_global_in_the_standard_library(address):
    if NONE_ALLOWED.refusal(str(address)) is None and ip_address(str(address)).version == 4:
        assert address.is_global


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "0x7f000001", "127.1", "1.1.1.1.1", "::g"])
def test_a_text_that_is_no_address_is_refused(text: str):
    assert NONE_ALLOWED.refusal(text) == "not an IP address"


def test_the_operator_allows_networks_and_names():
    allowed = AddressPolicy.parse(["10.1.0.0/16", "127.0.0.1", "fd00::/8", "Wiki.Intern."])

    assert allowed.refusal("10.1.2.3") is None
    assert allowed.refusal("::ffff:10.1.2.3") is None
    assert allowed.refusal("fd00::7") is None
    assert allowed.refusal("10.2.0.1") == "a private address"
    assert allowed.allows_host("wiki.intern")
    assert allowed.allows_host("[::ffff:127.0.0.1]")
    assert not allowed.allows_host("wiki.intern.evil.example")


@pytest.mark.parametrize("port", [0, 1, 21, 22, 25, 53, 110, 143, 465, 587, 993, 3306, 5432, 6379, 11211])
def test_ports_of_other_services_are_refused(port: int):
    assert port_refusal(port)


@pytest.mark.parametrize("port", [80, 443, 1024, 3000, 8000, 8080, 8443, 65535])
def test_ports_of_the_web_are_allowed(port: int):
    assert port_refusal(port) is None
