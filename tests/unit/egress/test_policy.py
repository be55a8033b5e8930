"""What the wire's network options mean, and how a policy judges."""

import ipaddress

import pytest

from diono.kernel.errors import InvalidInput
from diono.sandbox.egress.policy import FORWARD_PORTS, TUNNEL_PORTS, Rules, parse_entry, policy_of
from diono.sandbox.port import NetworkPolicy
from diono.sandbox.server.requests import NetworkBody

ALL = "0.0.0.0/0"


def rules(*allow: str, deny: tuple[str, ...] = (), is_open: bool = False) -> Rules:
    return Rules(NetworkPolicy(is_open=is_open, allow_out=allow, deny_out=deny))


def name(judge: Rules, host: str, port: int = 443) -> bool:
    return judge.of_name(host, port, TUNNEL_PORTS).is_allowed


def address(judge: Rules, text: str, port: int = 443) -> bool:
    return judge.of_address(ipaddress.ip_address(text), port, TUNNEL_PORTS).is_allowed


def test_nothing_is_reachable_unless_said() -> None:
    assert policy_of(None, None) == NetworkPolicy()
    assert policy_of(None, {}) == NetworkPolicy()
    assert policy_of(None, {"denyOut": ["10.0.0.0/8"], "allowPublicTraffic": True}).is_open is False
    assert Rules(NetworkPolicy()).is_closed
    assert not name(rules(), "example.org")


def test_what_opens_and_closes() -> None:
    assert policy_of(True, None).is_open
    assert not policy_of(False, None).is_open
    assert policy_of(None, {"allowOut": [ALL]}).is_open
    assert not policy_of(False, {"allowOut": [ALL]}).is_open
    assert not policy_of(True, {"denyOut": [ALL]}).is_open
    closed = policy_of(True, {"allowOut": ["api.example.com", "8.8.8.8/32"], "denyOut": [ALL]})
    assert closed == NetworkPolicy(allow_out=("api.example.com", "8.8.8.8/32"))
    partly = policy_of(True, {"denyOut": ["8.8.8.0/24"]})
    assert partly.is_open
    assert partly.deny_out == ("8.8.8.0/24",)


@pytest.mark.parametrize(
    "network",
    [
        {"allowOut": "pypi.org"},
        {"allowOut": [1]},
        {"allowOut": ["10.0.0.0/8"]},
        {"allowOut": ["127.0.0.1"]},
        {"allowOut": ["::1"]},
        {"allowOut": ["::ffff:8.8.8.8"]},
        {"allowOut": ["https://example.org/"]},
        {"allowOut": ["*"]},
        {"allowOut": ["a.*.org"]},
        {"allowOut": ["0x7f.1"]},
        {"allowOut": ["example.org:0"]},
        {"allowOut": ["example.org:99999"]},
        {"allowOut": ["x"] * 201},
        {"denyOut": ["300.1.1.1"]},
        {"egressProxy": {"address": "proxy.example:1080"}},
        {"rules": {"example.org": [{"transform": {"headers": {"Host": "x"}}}]}},
        {"rules": {"example.org": [{"transform": {"headers": {"A": "b\r\nC: d"}}}]}},
        {"rules": {"example.org": [{"transform": {"headers": {"A": 1}}}]}},
        {"rules": {"*": [{}]}},
        {"rules": []},
        {"rules": {"example.org": [{"transform": {"headers": {"A": "${e2b.identity.x}"}}}]}},
    ],
)
def test_what_cannot_be_is_refused(network: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        policy_of(None, network)


def test_a_policy_that_names_all_traffic_is_read_alike() -> None:
    assert not rules(deny=(ALL,), is_open=True).is_open
    assert not name(rules(deny=(ALL,), is_open=True), "example.org")
    assert name(rules(ALL), "example.org")
    assert not address(rules(ALL, deny=("8.8.8.8",)), "8.8.8.8")


def test_the_wires_body_is_checked_before_anything_is_made() -> None:
    step = [{"transform": {"headers": {"X-Key": "one"}}}]
    fine = {"allowOut": ["pypi.org", ALL], "denyOut": ["8.8.8.8"], "rules": {"a.example": step}}
    made = NetworkBody.model_validate(fine).policy(None, is_public=False)
    assert made.is_open
    assert made.headers == {"a.example": {"X-Key": "one"}}
    for wrong in ({"allowOut": ["10.0.0.0/8"]}, {"denyOut": ["*"]}, {"rules": {"*": step}},
                  {"egressProxy": {"address": "proxy.example:1080"}}):  # fmt: skip
        with pytest.raises(InvalidInput):
            NetworkBody.model_validate(wrong).policy(None, is_public=False)


def test_names_and_wildcards() -> None:
    judge = rules("Example.org", "*.wild.example")
    assert name(judge, "example.org")
    assert not name(judge, "www.example.org")
    assert not name(judge, "notexample.org")
    assert not name(judge, "example.org.evil.com")
    assert name(judge, "a.b.wild.example")
    assert not name(judge, "wild.example")
    assert not name(judge, "evilwild.example")


def test_ports() -> None:
    judge = rules("example.org", "git.example:9418", "8.8.8.8:53", "[2001:4860::1]:853")
    assert not name(judge, "example.org", 22)
    assert not name(judge, "example.org", 80)
    assert judge.of_name("example.org", 80, FORWARD_PORTS).is_allowed
    assert name(judge, "git.example", 9418)
    assert not name(judge, "git.example", 443)
    assert address(judge, "8.8.8.8", 53)
    assert not address(judge, "8.8.8.8")
    assert address(judge, "2001:4860::1", 853)
    assert not name(rules(is_open=True), "example.org", 25)


def test_a_block_allows_addresses_and_no_names() -> None:
    judge = rules("8.8.8.0/24")
    assert address(judge, "8.8.8.8")
    assert not address(judge, "8.8.9.8")
    assert not name(judge, "example.org")


def test_allowed_wins_over_denied() -> None:
    judge = rules("good.example", "8.8.8.8", deny=("*.example", "8.8.8.0/24"), is_open=True)
    assert name(judge, "good.example")
    assert not name(judge, "bad.example")
    assert address(judge, "8.8.8.8")
    assert not address(judge, "8.8.8.9")
    assert address(judge, "1.1.1.1")


def test_the_nearest_header_rule_counts() -> None:
    step = [{"transform": {"headers": {"X-Key": "one"}}}]
    given = {"rules": {"*.example.org": step, "*.api.example.org": [], "api.example.org": [
        {"transform": {"headers": {"X-Key": "exact"}}}]}}  # fmt: skip
    judge = Rules(policy_of(None, given))
    assert judge.headers_for("api.example.org") == (("X-Key", "exact"),)
    assert judge.headers_for("www.example.org") == (("X-Key", "one"),)
    assert judge.headers_for("example.org") == ()


def test_an_entry_reads_v6_without_brackets() -> None:
    assert parse_entry("2606:4700::/32").network == ipaddress.ip_network("2606:4700::/32")
