from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from agent_worker.core.settings import BadSettingsError, load
from page_server.settings import PageSettings
from tests.page_server.conftest import LIVEKIT


def problems() -> list[str]:
    with pytest.raises(BadSettingsError) as caught:
        load(PageSettings)
    return caught.value.problems


def test_every_missing_and_bad_setting_is_listed_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in LIVEKIT:
        monkeypatch.delenv(name)
    wrong = {
        "PAGE_PORT": "99999",
        "PAGE_DIR": str(tmp_path / "nowhere"),
        "PAGE_HOST": "0.0.0.0",
        "PAGE_ORIGIN": "https://talk.example.com/page",
        "PAGE_LIVEKIT_URL": "livekit",
        "PAGE_CALLS_PER_MINUTE": "0",
        "PAGE_TOTAL_CALLS_PER_MINUTE": "0",
        "PAGE_OPEN_CALLS": "0",
        "PAGE_CONNECTIONS": "0",
        "PAGE_HEALTH_PORT": "99999",
        "FORWARDED_ALLOW_IPS": "*",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    found = problems()
    assert {problem.split()[0] for problem in found} == {*LIVEKIT, *wrong, "PAGE_PASSWORD"} - {"PAGE_HOST"}
    assert any("make page" in problem for problem in found)
    assert not any("Value error" in problem for problem in found)


@pytest.mark.parametrize(
    "reachable", [{"PAGE_HOST": "0.0.0.0"}, {"PAGE_HOST": "::"}, {"PAGE_ORIGIN": "https://talk.example.com"}]
)
def test_a_reachable_page_requires_a_password_or_to_be_public(
    reachable: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in reachable.items():
        monkeypatch.setenv(name, value)
    (problem,) = problems()
    assert "PAGE_PASSWORD" in problem
    assert "PAGE_PUBLIC=1" in problem
    monkeypatch.setenv("PAGE_PUBLIC", "1")
    assert load(PageSettings).is_reachable_by_others
    monkeypatch.setenv("PAGE_PUBLIC", "0")
    monkeypatch.setenv("PAGE_PASSWORD", "correct horse")
    assert load(PageSettings).is_reachable_by_others


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_a_loopback_page_requires_no_password(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_HOST", host)
    monkeypatch.setenv("PAGE_ORIGIN", "http://localhost:9999")
    assert not load(PageSettings).is_reachable_by_others


def test_short_password_is_refused_and_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGE_PASSWORD", "hunter2")
    (problem,) = problems()
    assert "PAGE_PASSWORD" in problem
    assert "hunter2" not in problem
    monkeypatch.setenv("PAGE_PASSWORD", "hunter2hunter2")
    shown = repr(load(PageSettings))
    assert "hunter2" not in shown
    assert LIVEKIT["LIVEKIT_API_SECRET"] not in shown


@pytest.mark.parametrize(
    ("livekit_url", "page_livekit_url", "expected"),
    [
        ("ws://livekit:7880", None, "ws://livekit:7880"),
        ("https://livekit.example.com", None, "wss://livekit.example.com"),
        ("ws://livekit:7880", "wss://livekit.example.com/", "wss://livekit.example.com"),
    ],
)
def test_browsers_get_the_page_livekit_url_with_a_websocket_scheme(
    livekit_url: str, page_livekit_url: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEKIT_URL", livekit_url)
    if page_livekit_url:
        monkeypatch.setenv("PAGE_LIVEKIT_URL", page_livekit_url)
    assert load(PageSettings).browser_livekit_url == expected


@pytest.mark.parametrize("proxies", ["*", "10.1.2.3,*", "0.0.0.0/0", "::/0", "proxy.example.com", "10.1.2.3/8", ","])
def test_proxies_that_are_not_certain_addresses_are_refused(proxies: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", proxies)
    (problem,) = problems()
    assert problem.startswith("FORWARDED_ALLOW_IPS")
    assert "addresses or networks of your proxies" in problem


@pytest.mark.parametrize(
    ("host", "proxies", "trusted", "not_trusted"),
    [
        ("127.0.0.1", "", ["127.0.0.1", "::1"], ["10.1.2.3"]),
        ("0.0.0.0", "", [], ["127.0.0.1", "::1", "10.1.2.3"]),
        ("::", "10.1.2.3, 10.42.0.0/16,2001:db8::/64", ["10.42.7.7", "::ffff:10.1.2.3", "2001:db8::7"], ["10.1.2.4"]),
    ],
)
def test_addresses_of_proxies_are_those_of_the_setting(
    host: str, proxies: str, trusted: list[str], not_trusted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGE_HOST", host)
    monkeypatch.setenv("PAGE_PUBLIC", "1")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", proxies)
    networks = [ipaddress.ip_network(one) for one in load(PageSettings).trusted_proxies]

    def is_trusted(address: str) -> bool:
        return any(ipaddress.ip_address(address) in network for network in networks)

    assert all(map(is_trusted, trusted))
    assert not any(map(is_trusted, not_trusted))
