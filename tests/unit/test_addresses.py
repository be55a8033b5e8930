"""Which addresses are public, and which spellings are refused."""

import ipaddress

import pytest

from diono.infra.addresses import is_nameable, is_own, is_public, parse_host

PRIVATE = (
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192"),
    *("192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.80", "224.0.0.1", "239.255.255.255"),
    *("240.0.0.1", "255.255.255.255", "168.63.129.16", "192.88.99.1"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::ffff:0:10.0.0.1"),
    *("64:ff9b::a00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1"),
    *("2001::1", "2001:0:53aa:64c::1", "2001:db8::1", "2001:10::1", "2001:20::1", "3fff::1"),
    *("fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "2606:4700::1%eth0", "ff02::1"),
    *("fec0::1", "100::1", "5f00::1", "2606:4700::5efe:a00:1", "2606:4700::200:5efe:7f00:1"),
)
PUBLIC = ("8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2001:4860:4860::8888")


@pytest.mark.parametrize("text", PRIVATE)
def test_other_than_public_addresses_are_refused(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text",
    ["169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "::ffff:169.254.169.254", "::"],
)
def test_not_even_a_registry_is_at_a_metadata_or_group_address(text: str) -> None:
    assert not is_nameable(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ["203.0.113.80", "10.0.0.5", "127.0.0.1", "fd00::5", "8.8.8.8"])
def test_a_registry_may_be_private(text: str) -> None:
    assert is_nameable(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        *("2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1"),
        *("127.0.0.1.", "1.2.3.4.5", "127.0.0.01", "0x7F.0.0.1", "::1%lo", "[::1%25lo]", "%31"),
        *(
            "\uff11\uff12\uff17.0.0.1",
            "\u212aube.org",
            "exämple.org",
            "a b",
            "a..b",
            "-",
            "",
            ".",
            "a" * 64,
            "x." * 130,
        ),
        *(
            "evil.com@good.com",
            "good.com#",
            "good.com?x",
            "good.com/",
            "a\tb",
            "::ffff:1.2.3",
            "0x",
        ),
    ],
)
def test_odd_spellings_are_neither_names_nor_addresses(text: str) -> None:
    assert parse_host(text) is None


def test_plain_spellings() -> None:
    assert parse_host("[2606:4700::1]") == ipaddress.ip_address("2606:4700::1")
    assert parse_host("1.2.3.4") == ipaddress.ip_address("1.2.3.4")
    assert parse_host("Example.ORG.") == "example.org"
    assert parse_host("1and1.com") == "1and1.com"
    assert parse_host("_dmarc.xn--exmple-cua.org") == "_dmarc.xn--exmple-cua.org"


def test_this_hosts_own_addresses_are_known() -> None:
    assert is_own(ipaddress.ip_address("127.0.0.1"))
    assert not is_own(ipaddress.ip_address("93.184.216.34"))
