from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from workersai_core.callbacks.signing import InvalidSignature, new_secret, sign, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"status": "completed", "이름": "값"}'.encode()


def signed(*secrets, body=BODY, at=None):
    return sign(secrets or (SECRET,), "msg_1", at or datetime.now(UTC), body)


def test_a_new_secret_has_32_random_bytes():
    secrets = {new_secret() for _ in range(20)}
    assert 20 == len(secrets)
    assert {32} == {len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) for secret in secrets}


def test_a_signature_is_that_of_the_specification():
    headers = sign(
        [SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}'
    )
    assert {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    } == headers


@given(st.binary(min_size=1, max_size=64), st.text(max_size=50))
def test_the_reference_implementation_accepts_what_we_sign(key, text):
    secret = "whsec_" + base64.b64encode(key).decode()
    body = json.dumps(text, ensure_ascii=False).encode()
    assert text == Webhook(secret).verify(body, signed(secret, body=body))


def test_the_zone_of_the_time_does_not_matter():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert signed(at=at) == signed(at=at.astimezone(timezone(timedelta(hours=9))))


def test_each_valid_secret_signs_during_a_roll():
    old, new = new_secret(), new_secret()
    headers = signed(new, old)
    assert 2 == len(headers["webhook-signature"].split(" "))
    assert json.loads(BODY) == verify(old, headers, BODY) == verify(new, headers, BODY)


def test_header_names_count_in_any_case():
    headers = {name.title(): value for name, value in signed().items()}
    assert json.loads(BODY) == verify(SECRET, headers, BODY)


def test_a_secret_without_padding_is_the_same_secret():
    secret = "whsec_" + base64.b64encode(b"abcd").decode()
    assert signed(secret)["webhook-signature"] == signed(secret.rstrip("="))["webhook-signature"]


@pytest.mark.parametrize("seconds", [-301, 302])
def test_an_old_or_future_message_is_refused(seconds):
    headers = signed(at=datetime.now(UTC) + timedelta(seconds=seconds))
    with pytest.raises(InvalidSignature, match="too"):
        verify(SECRET, headers, BODY)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_refused(name):
    headers = signed()
    del headers[name]
    with pytest.raises(InvalidSignature, match="Missing"):
        verify(SECRET, headers, BODY)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_2"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,a,b"},
        {"webhook-signature": "v1,%"},
        {"webhook-timestamp": "now"},
    ],
)
def test_a_changed_header_is_refused(changed):
    with pytest.raises(InvalidSignature):
        verify(SECRET, signed() | changed, BODY)


@pytest.mark.parametrize("body", [BODY + b" ", b"", b"\xff"])
def test_a_changed_body_is_refused(body):
    with pytest.raises(InvalidSignature):
        verify(SECRET, signed(), body)


def test_a_signed_body_that_is_not_json_is_refused():
    with pytest.raises(InvalidSignature, match="malformed"):
        verify(SECRET, signed(body=b"{"), b"{")


def test_another_secret_does_not_verify():
    with pytest.raises(InvalidSignature, match="No matching signature"):
        verify(new_secret(), signed(), BODY)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%%", "whsec_A", "비밀"])
def test_a_secret_that_is_none_is_refused_without_being_shown(secret):
    with pytest.raises(ValueError, match="secret") as raised:
        signed(secret, at=datetime.now(UTC))
    assert not isinstance(raised.value, InvalidSignature)
    with pytest.raises(ValueError, match="secret"):
        verify(secret, signed(), BODY)


def test_signing_needs_a_secret():
    with pytest.raises(ValueError, match="at least one secret"):
        sign([], "msg_1", datetime.now(UTC), BODY)


def test_signing_needs_a_time_with_a_zone():
    with pytest.raises(ValueError, match="time zone"):
        sign([SECRET], "msg_1", datetime(2026, 1, 1), BODY)  # noqa: DTZ001
