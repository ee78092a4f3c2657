"""No password is shown, however it is written."""

from __future__ import annotations

import pytest

from unwet.rewrite.prove.servers.secrets import secrets_of
from unwet.rewrite.prove.servers.target import Target


@pytest.mark.parametrize("sign", ["@", "/", "?", "#", ":", "%40", "%2F", "@/@"])
def test_a_password_is_hidden_whatever_is_in_it(sign: str) -> None:
    dsn = f"postgresql://ada:hush{sign}quiet@db.example/shop"
    name = Target("postgresql", dsn).name
    assert "hush" not in name and "quiet" not in name
    assert name.startswith("postgresql://") and name.endswith("@db.example/shop")
    hidden = secrets_of(dsn).hide(f"wrong: hush{sign}quiet")
    assert hidden == "wrong: ***"


@pytest.mark.parametrize("sign", ["@", "/", "?", "#", "@/@"])
def test_so_is_each_piece_of_one_with_signs_that_should_have_been_escaped(sign: str) -> None:
    hide = secrets_of(f"postgresql://ada:hush{sign}quiet@db.example/shop").hide
    assert hide('no host "quiet@db.example"') == 'no host "***@db.example"'
    assert hide('invalid port: "hush"') == 'invalid port: "***"'


@pytest.mark.parametrize("key", ["password", "Password", "sslpassword", "token", "client_secret",
                                 "spark.hadoop.fs.s3a.secret.key"])  # fmt: skip
def test_settings_that_are_secret_by_their_names_are_hidden(key: str) -> None:
    dsn = f"spark://local/data?spark.app.name=shop&{key}=hush-hush"
    assert secrets_of(dsn).hide("shop: hush-hush is wrong") == "shop: *** is wrong"
    assert Target("spark", dsn).name == "spark://local/data"


def test_what_is_no_secret_is_told() -> None:
    dsn = "postgresql://ada@db.example:5433/shop?sslmode=require&options=-csearch_path=rep"
    told = 'no database "shop" on db.example:5433 with rep'
    assert secrets_of(dsn).hide(told) == told
