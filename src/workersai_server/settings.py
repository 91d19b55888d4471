"""What an operator may set, and where from: flags, then ``WORKERSAI_*``, then ``workersai.toml``, then the defaults.

    settings = Settings.load(flags={"db": "sqlite:///labels.db"})

Every setting has one name: `lease_s` here and in the file, ``WORKERSAI_LEASE_S``
in the environment, ``--lease-s`` where a command takes it. A wrong value is
refused at start-up with the place it was read from and what to write instead;
all wrong values are named at once.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

import attrs
from cattrs import ClassValidationError, Converter
from cattrs.gen import make_dict_structure_fn, override

from workersai_core import Policy
from workersai_core.callbacks.addresses import AddressPolicy
from workersai_core.callbacks.retry import RetryPolicy
from workersai_core.errors import Issue
from workersai_core.jsontext import shorten
from workersai_server import setting_values as values
from workersai_server.errors import InvalidSetting
from workersai_server.setting_values import RateLimit

__all__ = ["DEFAULT_FILE", "RateLimit", "Settings"]

DEFAULT_FILE = Path("workersai.toml")
_PREFIX = "WORKERSAI_"
_RATE_LIMIT = RateLimit(requests=1000, period_s=1)


def _setting(reader: values.Reader, default: Any, *, secret: bool = False) -> Any:
    """Return a field that is read by `reader`; a secret one is never shown."""
    return attrs.field(default=default, repr=not secret, metadata={"reader": reader, "secret": secret})


@attrs.frozen(kw_only=True)
class Settings:
    """How one server behaves. Made by `load`; made directly, the values are taken as they are."""

    db: str = _setting(values.text, "sqlite:///workersai.db", secret=True)
    """``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``; not shown, since it may hold a password."""
    secret_key: str | None = _setting(values.secret, None, secret=True)
    """Signs what browsers keep; see `secret_key.secret_key_of` for the one of SQLite."""
    free_requests: int | Literal["unlimited"] = _setting(values.count_or_unlimited(0, 10**12), 5)
    """How many live tasks an account may create before it needs credit."""
    default_price: int = _setting(values.price, 100_000)
    """What a further live task costs, in millionths; written as ``0.10``."""
    prices: Mapping[str, int] = _setting(values.prices, attrs.Factory(dict))
    """The price by task type name where it differs, in millionths; written as ``{categorization = "0.05"}``."""
    callback_schedule: tuple[float, ...] = _setting(values.schedule, RetryPolicy().schedule_s)
    """Seconds to wait before each delivery attempt, the first included."""
    callback_deadline_s: float = _setting(values.seconds(0.1, 300), 15.0)
    """How long one attempt may take in all."""
    allow_callback_networks: tuple[str, ...] = _setting(values.networks, ())
    """Networks in CIDR form that callbacks may reach besides public ones."""
    lease_s: int = _setting(values.whole(30, 3600), 900)
    """How long a worker holds an assignment."""
    undo_s: float = _setting(values.seconds(0, 60), 5.0)
    """How long a worker may take back the last answer in the console; 0 makes answers final at once."""
    max_live_assignments: int = _setting(values.whole(1, 1000), 5)
    """How many assignments one worker may hold at once."""
    rate_limit: RateLimit | None = _setting(values.rate_limit, _RATE_LIMIT)  # noqa: RUF009 - a frozen value
    """Requests per key; None when ``unlimited``."""
    plugins: Literal["all", "none"] | tuple[str, ...] = _setting(values.plugins, "all")
    """Which installed plugins to load."""
    plugin_files: tuple[Path, ...] = _setting(values.paths, ())
    """Further plugins, each one Python file."""
    strict_plugins: bool = _setting(values.yes_or_no, default=False)
    """Refuse to start when a plugin cannot be loaded."""
    plugin_settings: Mapping[str, Any] = _setting(values.table, attrs.Factory(dict))
    """What plugins see as ``ctx.settings``."""
    sign_up: Literal["closed", "open"] = _setting(values.one_of("closed", "open"), "closed")
    """Whether anyone may make an account."""
    require_https: bool = _setting(values.yes_or_no, default=False)
    """Refuse live keys that came over plain http."""
    cors_origins: tuple[str, ...] = _setting(values.origins, ())
    """Origins whose pages may call the API from a browser, such as ``https://app.example.com``."""
    metrics_token: str | None = _setting(values.secret, None, secret=True)
    """Opens ``/metrics`` to other machines; without it only this one may read them."""
    access_log: bool = _setting(values.yes_or_no, default=False)
    """Log each request; failures are logged always."""
    tracing: bool = _setting(values.yes_or_no, default=False)
    """Send spans to OpenTelemetry; needs the extra ``otel``, and the ``OTEL_*`` variables say where to."""

    @classmethod
    def load(
        cls,
        flags: Mapping[str, Any] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        file: Path | None = DEFAULT_FILE,
    ) -> Self:
        """Return the settings of a process.

        Args:
            flags: By setting name; None and empty tuples count as not given.
            environ: Instead of this process's environment; empty texts count as not given.
            file: The settings file; it need not exist. None reads none.

        Raises:
            InvalidSetting: `issues` names each wrong setting; the pointer is
                the place it was read from.
        """
        given = {
            **_from_file(file),
            **_from_environment(os.environ if environ is None else environ),
            **_from_flags(flags or {}),
        }
        try:
            settings: Self = _converter.structure({name: each.value for name, each in given.items()}, cls)
        except ClassValidationError as errors:
            raise _invalid(errors, given) from None
        return settings

    def policy(self) -> Policy:
        """Return what of this the engine needs."""
        return Policy(
            lease_s=self.lease_s,
            max_live_assignments=self.max_live_assignments,
            retry=RetryPolicy(schedule_s=self.callback_schedule),
            callback_deadline_s=self.callback_deadline_s,
            addresses=AddressPolicy.of(self.allow_callback_networks),
        )

    def price_of(self, task_type: str) -> int:
        """Return what one task of a type costs, in millionths."""
        return self.prices.get(task_type, self.default_price)


@attrs.frozen
class _Given:
    """A value and where it was read."""

    value: Any
    place: str


_FIELDS: Mapping[str, attrs.Attribute[Any]] = {field.name: field for field in attrs.fields(Settings)}


def _new_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    readers = {name: override(struct_hook=field.metadata["reader"]) for name, field in _FIELDS.items()}
    converter.register_structure_hook(Settings, make_dict_structure_fn(Settings, converter, **readers))  # type: ignore[arg-type]
    return converter


_converter = _new_converter()


def _from_flags(flags: Mapping[str, Any]) -> dict[str, _Given]:
    for name in flags.keys() - _FIELDS.keys():
        raise InvalidSetting(f"There is no setting {name}.{_did_you_mean(name)}")
    given = {name: value for name, value in flags.items() if value is not None and value != ()}
    return {name: _Given(value, f"--{name.replace('_', '-')}") for name, value in given.items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Given]:
    places = {name: _PREFIX + name.upper() for name in _FIELDS}
    return {name: _Given(environ[place], place) for name, place in places.items() if environ.get(place)}


def _from_file(file: Path | None) -> dict[str, _Given]:
    """Return the file's settings; its other tables hold the options of commands."""
    if file is None:
        return {}
    try:
        with file.open("rb") as stream:
            content = tomllib.load(stream, parse_float=Decimal)
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSetting(f"{file} cannot be read: {error}. Correct it, or move it away.") from error
    for name, value in content.items():
        if name not in _FIELDS and (not isinstance(value, dict) or _close(name)):
            raise InvalidSetting(f"There is no setting {name} in {file}.{_did_you_mean(name)}")
    return {name: _Given(content[name], f"{name} in {file}") for name in content.keys() & _FIELDS.keys()}


def _close(name: str) -> list[str]:
    return difflib.get_close_matches(name, _FIELDS, n=1, cutoff=0.75)


def _did_you_mean(name: str) -> str:
    return "".join(f" Did you mean {match}?" for match in _close(name))


def _invalid(errors: ClassValidationError, given: Mapping[str, _Given]) -> InvalidSetting:
    noted, _ = errors.group_exceptions()
    issues = []
    for error, note in noted:
        each = given[note.name]
        shown = "this value" if _FIELDS[note.name].metadata["secret"] else shorten(str(each.value))
        issues.append(Issue(each.place, f"{shown} cannot be used; {error}.", "setting_invalid"))
    count = "A setting is" if len(issues) == 1 else f"{len(issues)} settings are"
    return InvalidSetting(f"{count} wrong.", issues=issues)
