"""What a previewed program gets to see of a request."""

import pytest

from diono.web.preview_heads import RequestHead


def test_token_is_taken_out_of_the_target() -> None:
    head = RequestHead(b"GET /page?a=1&diono_preview=tok&b= HTTP/1.1\r\nHost: x")
    assert head.take_token() == "tok"
    assert head.target == "/page?a=1&b="


def test_own_cookies_and_hop_headers_do_not_reach_the_program() -> None:
    head = RequestHead(
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nTE: trailers\r\n"
        b"Cookie: diono_preview_8100=secret; theme=dark; diono_preview_8101=other"
    )
    sent = head.for_program().decode()
    assert "secret" not in sent
    assert "other" not in sent
    assert "Cookie: theme=dark" in sent
    assert sent.lower().count("connection:") == 1
    assert "Connection: close" in sent


def test_web_socket_upgrade_is_kept() -> None:
    head = RequestHead(b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket")
    assert "Connection: Upgrade" in head.for_program().decode()
    assert "Upgrade: websocket" in head.for_program().decode()


@pytest.mark.parametrize(
    "raw",
    [
        b"GET http://elsewhere/ HTTP/1.1\r\nHost: x",
        b"GET //elsewhere/ FTP/1.1\r\nHost: x",
        b"nonsense",
        b"GET / HTTP/1.1\r\nno colon here",
        b"CONNECT host:1 HTTP/1.1\r\nHost: x",
    ],
)
def test_improper_request_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the gateway answers 400 to any of them
        RequestHead(raw).for_program()
