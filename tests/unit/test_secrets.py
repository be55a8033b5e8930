"""The key that signs tokens: made and kept, or the operator's, if it is a good one."""

from pathlib import Path

import pytest

from diono.infra.tokens import SecretWeak, TokenSigner, check_secret, load_secret


def test_signing_secret_is_kept_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "run" / "key"
    assert load_secret(path) == load_secret(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["key"]
    other = TokenSigner(load_secret(tmp_path / "other")).sign("a", "api", 60)
    assert other.count(".") == 2


@pytest.mark.parametrize(
    "secret",
    ["changeme", "ChangeMe-ChangeMe-ChangeMe-ChangeMe-1234", "short", "a" * 64,
     "your-secret-key-goes-here-and-is-long-enough"],
)  # fmt: skip
def test_weak_signing_secret_is_refused(secret: str) -> None:
    with pytest.raises(SecretWeak, match="DIONO_SECRET_KEY"):
        check_secret(secret, "DIONO_SECRET_KEY")
