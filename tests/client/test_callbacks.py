from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from workersai_client import CallbackVerificationError, verify_callback

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
PAYLOAD = json.dumps({"task_type": "categorization", "response": {"category": "좋음"}}, ensure_ascii=False).encode()


def signed(payload: bytes = PAYLOAD, *, secret: str = SECRET, age_s: int = 0) -> dict[str, str]:
    at = int(time.time()) - age_s
    signature = Webhook(secret).sign("evt_1", datetime.fromtimestamp(at, UTC), payload.decode())
    return {"Webhook-Id": "evt_1", "Webhook-Timestamp": str(at), "Webhook-Signature": signature}


def test_a_signed_callback_is_returned_as_json() -> None:
    assert verify_callback(PAYLOAD, signed(), SECRET) == json.loads(PAYLOAD)


def test_one_of_two_signatures_is_enough_during_a_roll() -> None:
    headers = signed()
    headers["Webhook-Signature"] = f"{signed(secret=OTHER)['Webhook-Signature']} {headers['Webhook-Signature']}"
    assert verify_callback(PAYLOAD, headers, SECRET) == json.loads(PAYLOAD)


@pytest.mark.parametrize(
    "wrong",
    [
        # Functions, since what is signed while pytest collects may be too old when it runs.
        lambda: signed(secret=OTHER),
        lambda: {"Webhook-Id": "evt_2"},
        lambda: {"Webhook-Signature": "v1"},
        lambda: {"Webhook-Signature": "v1,키"},
        lambda: {"Webhook-Signature": signed()["Webhook-Signature"].replace("v1,", "v2,")},
    ],
)
def test_a_signature_that_does_not_fit_is_refused(wrong: Callable[[], dict[str, str]]) -> None:
    headers = signed() | wrong()
    with pytest.raises(CallbackVerificationError, match="No signature fits"):
        verify_callback(PAYLOAD, headers, SECRET)


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(CallbackVerificationError, match="No signature fits"):
        verify_callback(PAYLOAD.replace(b"categorization", b"transcription"), signed(), SECRET)


def test_a_body_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(CallbackVerificationError, match="UTF-8"):
        verify_callback(b"\xff", signed(), SECRET)


@pytest.mark.parametrize("name", ["Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"])
def test_each_header_is_needed(name: str) -> None:
    headers = signed()
    del headers[name]
    with pytest.raises(CallbackVerificationError, match=name.lower()):
        verify_callback(PAYLOAD, headers, SECRET)


@pytest.mark.parametrize("timestamp", ["soon", "-5", "1.5", "９", "9" * 12])
def test_a_timestamp_that_is_no_number_is_refused(timestamp: str) -> None:
    with pytest.raises(CallbackVerificationError, match="number of seconds"):
        verify_callback(PAYLOAD, signed() | {"Webhook-Timestamp": timestamp}, SECRET)


@pytest.mark.parametrize("age_s", [400, -400])
def test_too_old_and_too_new_are_refused_unless_tolerated(age_s: int) -> None:
    headers = signed(age_s=age_s)
    with pytest.raises(CallbackVerificationError, match="more than 300 s"):
        verify_callback(PAYLOAD, headers, SECRET)
    assert verify_callback(PAYLOAD, headers, SECRET, tolerance_s=500) == json.loads(PAYLOAD)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!", "live_" + SECRET.removeprefix("whsec_")])
def test_a_secret_of_another_kind_is_the_callers_mistake(secret: str) -> None:
    with pytest.raises(ValueError, match="not a webhook secret"):
        verify_callback(PAYLOAD, signed(), secret)
