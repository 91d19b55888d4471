"""`workersai plugin check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from workersai_server.cli.options import json_option
from workersai_server.cli.output import FAILED, Failure, Output, pass_output
from workersai_server.cli.plugin_target import task_types_named

if TYPE_CHECKING:
    from workersai_core.testing.conformance import LawResult

__all__ = ["check"]


@click.command()
@click.argument("target", metavar="FILE_OR_NAME")
@click.option(
    "--examples",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="How many drawn examples each law is checked on.",
)
@json_option
@pass_output
@click.pass_context
def check(ctx: click.Context, output: Output, target: str, examples: int) -> None:
    """Check the laws that every task type keeps, for a plugin file or an installed plugin.

    The same laws run under pytest with `conformance.add_tests`.
    """
    task_types = task_types_named(target)
    conformance = _kit()
    results: list[LawResult] = []
    for task_type in task_types:
        for result in conformance.iter_check(task_type, examples=examples):
            results.append(result)
            if not output.json:
                click.echo(_line(result))
    broken = [result for result in results if not result.ok]
    if output.json:
        output.document({"ok": not broken, "laws": [_row(result) for result in results]}, "")
    else:
        click.echo(_summary(results))
    if broken:
        ctx.exit(FAILED)


def _kit() -> Any:
    """Return the conformance kit, which needs an extra of the package.

    Raises:
        Failure: it is not installed.
    """
    try:
        # PERF: the kit imports Hypothesis; whoever only asks for --help need not wait for it.
        from workersai_core.testing import conformance
    except ImportError as error:
        raise Failure(
            "The laws are checked with Hypothesis, which is not installed.",
            remedy="Run `pip install 'workersai[testing]'`.",
            code="testing_not_installed",
        ) from error
    return conformance


def _row(result: LawResult) -> dict[str, Any]:
    return {"type": result.type, "law": result.law, "ok": result.ok, "detail": result.detail}


def _line(result: LawResult) -> str:
    state = "ok  " if result.ok else "-   " if result.blocked else "FAIL"
    head = f"{state}  {result.type}: {result.law}"
    return head if result.ok else "\n        ".join([head, *result.detail.splitlines()])


def _summary(results: list[LawResult]) -> str:
    holding = sum(result.ok for result in results)
    blocked = sum(result.blocked for result in results)
    broken = len(results) - holding - blocked
    if not broken:
        return f"Every law holds: {holding} checked."
    return f"{broken} broken, {blocked} not checked because of that, {holding} hold."
