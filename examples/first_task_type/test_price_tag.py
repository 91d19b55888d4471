"""The whole test file of a task type, and one test of its own rule."""

from price_tag import PriceTag

from workersai_core.testing import conformance

conformance.add_tests(globals(), PriceTag())


def test_the_price_crossed_out_is_the_higher_one():
    params = {"photo": "https://example.com/1.jpg", "currency": "USD"}
    issues = PriceTag().check_response(params, {"price": 9.9, "before": 4.9})
    assert ["/before"] == [issue.pointer for issue in issues]
    assert [] == list(PriceTag().check_response(params, {"price": 4.9, "before": 9.9}))
