from __future__ import annotations

from pathlib import Path

import pytest

from workersai_server.errors import InvalidSetting
from workersai_server.settings import RateLimit, Settings


def load(environ=None, file=None, **flags):
    return Settings.load(flags, environ=environ or {}, file=file)


def toml(folder: Path, text: str) -> Path:
    file = folder / "workersai.toml"
    file.write_text(text, encoding="utf-8")
    return file


def places(error: InvalidSetting) -> list[str]:
    return [issue.pointer for issue in error.issues]


def test_without_anything_given_the_published_defaults_hold():
    settings = load()

    assert settings == Settings()
    assert settings.free_requests == 5
    assert settings.callback_schedule == (0, 5, 300, 1800, 7200, 18000, 36000, 36000, 86400)
    assert settings.callback_deadline_s == 15
    assert settings.lease_s == 900
    assert settings.max_live_assignments == 5
    assert settings.rate_limit == RateLimit(requests=1000, period_s=1)
    assert settings.plugins == "all"
    assert settings.sign_up == "closed"
    assert settings.require_https is False
    assert settings.allow_callback_networks == ()


def test_flags_go_before_the_environment_and_that_before_the_file(tmp_path):
    file = toml(tmp_path, "lease_s = 100\nmax_live_assignments = 1\nfree_requests = 1\n")
    environ = {"WORKERSAI_LEASE_S": "200", "WORKERSAI_MAX_LIVE_ASSIGNMENTS": "2"}

    settings = load(environ, file, lease_s=300)

    assert (settings.lease_s, settings.max_live_assignments, settings.free_requests) == (300, 2, 1)


def test_what_is_empty_counts_as_not_given(tmp_path):
    file = toml(tmp_path, 'plugin_files = ["one.py"]\n')

    settings = load({"WORKERSAI_LEASE_S": ""}, file, plugin_files=(), db=None)

    assert settings.lease_s == 900
    assert settings.plugin_files == (Path("one.py"),)
    assert settings.db == Settings().db


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        ("DB", " sqlite:///a.db ", "sqlite:///a.db"),
        ("SECRET_KEY", "s" * 32, "s" * 32),
        ("CORS_ORIGINS", "https://a.example, http://[::1]:8080", ("https://a.example", "http://[::1]:8080")),
        ("METRICS_TOKEN", "t" * 32, "t" * 32),
        ("ACCESS_LOG", "yes", True),
        ("FREE_REQUESTS", "0", 0),
        ("FREE_REQUESTS", "Unlimited", "unlimited"),
        ("DEFAULT_PRICE", "0.25", 250_000),
        (
            "PRICES",
            "categorization=0.05, audio_transcription=1",
            {"categorization": 50_000, "audio_transcription": 10**6},
        ),
        ("CALLBACK_SCHEDULE", "0,0.5,2", (0.0, 0.5, 2.0)),
        ("CALLBACK_DEADLINE_S", "2.5", 2.5),
        ("ALLOW_CALLBACK_NETWORKS", "127.0.0.0/8, ::1/128", ("127.0.0.0/8", "::1/128")),
        ("LEASE_S", "3600", 3600),
        ("MAX_LIVE_ASSIGNMENTS", "10", 10),
        ("RATE_LIMIT", "60/minute", RateLimit(requests=60, period_s=60)),
        ("RATE_LIMIT", "unlimited", None),
        ("PLUGINS", "none", "none"),
        ("PLUGINS", "categorization,sentiment", ("categorization", "sentiment")),
        ("PLUGIN_FILES", "a.py,b.py", (Path("a.py"), Path("b.py"))),
        ("STRICT_PLUGINS", "yes", True),
        ("SIGN_UP", "OPEN", "open"),
        ("REQUIRE_HTTPS", "1", True),
        ("REQUIRE_HTTPS", "off", False),
    ],
)
def test_each_setting_can_come_from_the_environment(name, written, expected):
    settings = load({f"WORKERSAI_{name}": written})

    assert getattr(settings, name.lower()) == expected


def test_the_file_may_use_the_types_of_toml(tmp_path):
    file = toml(
        tmp_path,
        """
        free_requests = "unlimited"
        default_price = 0.1
        callback_schedule = [0, 0.5, 2]
        allow_callback_networks = ["10.0.0.0/8"]
        plugins = ["categorization"]
        strict_plugins = true
        prices = { categorization = 0.07, audio_transcription = "1.5" }

        [plugin_settings]
        tone = "kind"
        """,
    )

    settings = load(file=file)

    assert settings.free_requests == "unlimited"
    assert settings.default_price == 100_000
    assert settings.callback_schedule == (0, 0.5, 2)
    assert settings.allow_callback_networks == ("10.0.0.0/8",)
    assert settings.plugins == ("categorization",)
    assert settings.strict_plugins is True
    assert settings.price_of("categorization") == 70_000
    assert settings.price_of("audio_transcription") == 1_500_000
    assert settings.price_of("another") == 100_000
    assert settings.plugin_settings == {"tone": "kind"}


@pytest.mark.parametrize(
    ("name", "written", "remedy"),
    [
        ("DB", "  ", "write a text that is not empty"),
        ("CORS_ORIGINS", "*", "write origins such as https://app.example.com"),
        ("CORS_ORIGINS", "https://a.example/", "write origins such as https://app.example.com"),
        ("CORS_ORIGINS", "a.example", "write origins such as https://app.example.com"),
        ("FREE_REQUESTS", "-1", "write a whole number from 0 to 1000000000000, or unlimited"),
        ("FREE_REQUESTS", "five", "or unlimited"),
        ("DEFAULT_PRICE", "0.1234567", "at most six decimals"),
        ("DEFAULT_PRICE", "-1", "write 0.00 or more"),
        ("PRICES", "categorization", "write TYPE=PRICE"),
        ("PRICES", "categorization=cheap", "for categorization, write a number"),
        ("CALLBACK_SCHEDULE", "0,soon", "write seconds of at most 30 days"),
        ("CALLBACK_SCHEDULE", ",", "write seconds of at most 30 days"),
        ("CALLBACK_SCHEDULE", "0,-1", "write seconds of at most 30 days"),
        ("CALLBACK_DEADLINE_S", "nan", "write seconds from 0.1 to 300"),
        ("CALLBACK_DEADLINE_S", "0", "write seconds from 0.1 to 300"),
        ("ALLOW_CALLBACK_NETWORKS", "localhost", "write networks such as 127.0.0.0/8"),
        ("LEASE_S", "29", "write a whole number from 30 to 3600"),
        ("LEASE_S", "1e3", "write a whole number from 30 to 3600"),
        ("MAX_LIVE_ASSIGNMENTS", "0", "write a whole number from 1 to 1000"),
        ("RATE_LIMIT", "1000", "write a rate such as 1000/second"),
        ("RATE_LIMIT", "0/second", "write a rate such as 1000/second"),
        ("STRICT_PLUGINS", "maybe", "write true or false"),
        ("SIGN_UP", "ajar", "write closed or open"),
        ("PLUGIN_SETTINGS", "tone=kind", "write a table in the settings file"),
    ],
)
def test_a_wrong_value_names_the_setting_the_value_and_the_remedy(name, written, remedy):
    with pytest.raises(InvalidSetting) as caught:
        load({f"WORKERSAI_{name}": written})

    assert places(caught.value) == [f"WORKERSAI_{name}"]
    assert remedy in caught.value.issues[0].message
    if name != "DB":
        assert written in caught.value.issues[0].message
    assert f"WORKERSAI_{name}" in str(caught.value)


def test_all_wrong_values_are_named_at_once_with_where_they_were_read(tmp_path):
    file = toml(tmp_path, "require_https = 3\n")

    with pytest.raises(InvalidSetting) as caught:
        load({"WORKERSAI_LEASE_S": "x"}, file, sign_up="ajar")

    assert sorted(places(caught.value)) == ["--sign-up", "WORKERSAI_LEASE_S", f"require_https in {file}"]


@pytest.mark.parametrize(
    ("line", "name"), [("lease_s = true", "lease_s"), ("callback_deadline_s = false", "callback_deadline_s")]
)
def test_a_truth_value_is_no_number(tmp_path, line, name):
    file = toml(tmp_path, line)

    with pytest.raises(InvalidSetting) as caught:
        load(file=file)

    assert places(caught.value) == [f"{name} in {file}"]


def test_secrets_are_neither_shown_nor_repeated_in_errors():
    secret = "postgresql://me:hunter2@host/db"

    with pytest.raises(InvalidSetting) as caught:
        load({"WORKERSAI_SECRET_KEY": "hunter2"})

    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(load({"WORKERSAI_DB": secret}))


def test_an_unknown_setting_is_refused_with_the_closest_name(tmp_path):
    with pytest.raises(InvalidSetting, match=r"no setting leases_s in .*Did you mean lease_s\?"):
        load(file=toml(tmp_path, "leases_s = 5"))
    with pytest.raises(InvalidSetting, match=r"Did you mean prices\?"):
        load(file=toml(tmp_path, "[price]\ncategorization = '1'"))
    with pytest.raises(InvalidSetting, match="no setting colour"):
        load(colour="red")


def test_tables_of_commands_in_the_file_are_left_to_them(tmp_path):
    assert load(file=toml(tmp_path, "[serve]\nport = 80\n")) == Settings()


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InvalidSetting, match=r"workersai\.toml cannot be read"):
        load(file=toml(tmp_path, "lease_s = "))


def test_a_missing_file_is_no_error(tmp_path):
    assert load(file=tmp_path / "none.toml") == Settings()


def test_the_policy_holds_what_the_engine_needs():
    policy = load(
        {
            "WORKERSAI_LEASE_S": "60",
            "WORKERSAI_MAX_LIVE_ASSIGNMENTS": "2",
            "WORKERSAI_CALLBACK_SCHEDULE": "0,1",
            "WORKERSAI_CALLBACK_DEADLINE_S": "3",
            "WORKERSAI_ALLOW_CALLBACK_NETWORKS": "127.0.0.0/8",
        }
    ).policy()

    assert policy.lease_s == 60
    assert policy.max_live_assignments == 2
    assert policy.retry.schedule_s == (0, 1)
    assert policy.callback_deadline_s == 3
    assert [str(network) for network in policy.addresses.allowed] == ["127.0.0.0/8"]
