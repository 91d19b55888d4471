from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workersai_server.amounts import MAX_MICROS, from_micros, to_micros


@given(st.integers(-MAX_MICROS, MAX_MICROS))
def test_an_amount_survives_being_written_and_read(micros):
    assert to_micros(from_micros(micros)) == micros


@pytest.mark.parametrize(
    ("written", "micros"),
    [("12.5", 12_500_000), (3, 3_000_000), ("-0.000001", -1), (Decimal("1E+2"), 100_000_000), ("007", 7_000_000)],
)
def test_what_is_exact_is_an_amount(written, micros):
    assert to_micros(written) == micros


@pytest.mark.parametrize("written", ["", "1,5", "1.", ".5", "1e3", "0.0000001", "٣", "NaN", " 1", True, 1.5, None])
def test_what_is_not_exact_is_no_amount(written):
    with pytest.raises(ValueError, match="six decimals"):
        to_micros(written)


def test_nobody_holds_more_than_the_columns_take():
    with pytest.raises(ValueError, match=r"write at most 1000000000000\.00"):
        to_micros("1000000000000.000001")


def test_amounts_are_shown_with_two_decimals_or_more():
    assert [from_micros(micros) for micros in (0, 100_000, 1, -1_500_000)] == ["0.00", "0.10", "0.000001", "-1.50"]
