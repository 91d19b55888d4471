"""``/v1/tasks:batch``: many tasks in one request, and one transaction; a bad line fails alone.

With ``format`` the body is a file as plugins read it, for example a zip.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import falcon

from workersai_core import Engine, Idempotency, InvalidInput, Issue, Task, TaskDraft, WorkersAIError
from workersai_server import documents, problems, queries, strict_json
from workersai_server.access import Access
from workersai_server.accounts import Requester
from workersai_server.credentials import ApiRequest
from workersai_server.errors import InvalidBody, InvalidJson, PayloadTooLarge
from workersai_server.formats import Place, format_named, formats_of, readable, rows_of
from workersai_server.idempotency import idempotency_of, mark_replayed
from workersai_server.media import JSON, NDJSON, content_type, read_body
from workersai_server.quota import Quota
from workersai_server.resources.tasks import FREE_REQUESTS
from workersai_server.task_bodies import draft

__all__ = ["PATH", "Batch"]

PATH = "/v1/tasks:batch"
MAX_BYTES = 10 * 1_048_576
MAX_LINES = 10_000
MAX_LINE_BYTES = 256 * 1024
_PARAMETERS = frozenset({"format"})
_SPACE = " \t\n\r"
_DECODER = json.JSONDecoder()

Result = TaskDraft | WorkersAIError


@attrs.frozen
class _Line:
    """One task of a batch as it came; `number` counts from 1, unless a file names its entries."""

    number: Place
    text: bytes
    error: Mapping[str, Any] | None = None
    """Why a file has no task there."""


class Batch:
    """Creates the tasks of whoever asks.

    Args:
        engine: Where they are stored.
        access: Who asks.
        quota: What is left of the free requests.
    """

    media_types = (JSON, NDJSON)

    def __init__(self, engine: Engine, access: Access, quota: Quota) -> None:
        self._engine = engine
        self._access = access
        self._quota = quota

    def on_post(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Create the tasks; the answer says what became of each, in the form and order of the request."""
        format = queries.parameters(req, _PARAMETERS).get("format")
        requester = self._access.requester(req, resp)
        kind = JSON if format is not None else content_type(req, (JSON, NDJSON))
        body = read_body(req, MAX_BYTES)
        key = idempotency_of(req, f"{requester.account_id}/{requester.mode}/POST {PATH}", _fingerprint(body, format))
        if format is not None:
            lines = self._file_lines(format, body)
        else:
            lines = _array_lines(body) if kind == JSON else _ndjson_lines(body)
        if len(lines) > MAX_LINES:
            raise PayloadTooLarge(f"A batch has {MAX_LINES} lines at most; this has {len(lines)}.", limit=MAX_LINES)
        drafts = [self._draft(requester, line) for line in lines]
        resp.content_type = kind
        if key is None:
            results = self._engine.create_tasks(drafts)
            resp.data = _answer(kind, [_result(req, *each) for each in zip(lines, results, strict=True)])
        else:
            resp.data = self._create_once(req, resp, kind, key, lines, drafts)
        if requester.mode == "live" and self._quota.limited:
            self._show_remaining(resp, requester)

    def _file_lines(self, name: str, body: bytes) -> list[_Line]:
        """Return the tasks of a file in one of the formats that can be imported, and one more than allowed at most."""
        formats = readable(formats_of(self._engine.hooks))
        rows = rows_of(name, format_named(formats, name), io.BytesIO(body))
        lines, left = [], MAX_BYTES
        for row in itertools.islice(rows, MAX_LINES + 1):
            # Written as JSON again, so that they have the limits of every task.
            lines.append(_Line(row.place, _json(row.task), error=row.error))
            left -= len(lines[-1].text)
            if left < 0:
                raise PayloadTooLarge(f"The tasks of a file have {MAX_BYTES} bytes as JSON at most.", limit=MAX_BYTES)
        return lines

    def _draft(self, requester: Requester, line: _Line) -> Result:
        try:
            if line.error is not None:
                raise _unreadable(line.error)
            if len(line.text) > MAX_LINE_BYTES:
                raise PayloadTooLarge(f"A line has {MAX_LINE_BYTES} bytes at most.", limit=MAX_LINE_BYTES)
            document = strict_json.parse(line.text)
            if not isinstance(document, dict):
                raise InvalidBody("A task must be a JSON object.")
            return draft(self._engine, requester, document)
        except WorkersAIError as error:
            return error

    def _create_once(
        self,
        req: ApiRequest,
        resp: falcon.Response,
        kind: str,
        key: Idempotency,
        lines: Sequence[_Line],
        drafts: Sequence[Result],
    ) -> bytes:
        def operation(tx: Any) -> str:
            results = tx.create_tasks(drafts)
            return _answer(kind, [_result(req, *each) for each in zip(lines, results, strict=True)]).decode()

        answer, replayed = self._engine.once(key, operation)
        if replayed:
            mark_replayed(resp)
        return answer.encode()

    def _show_remaining(self, resp: falcon.Response, requester: Requester) -> None:
        remaining = self._engine.read(lambda tx: self._quota.free_requests_remaining(tx.session, requester.account_id))
        if remaining is not None:
            resp.set_header(FREE_REQUESTS, str(remaining))


def _unreadable(error: Mapping[str, Any]) -> InvalidInput:
    pointer = error.get("pointer", "")
    return InvalidInput(error["detail"], issues=[Issue(pointer, error["detail"], error["code"])])


def _json(task: Any) -> bytes:
    # What is no text in UTF-8 is left for the strict reader to refuse.
    return json.dumps(task, ensure_ascii=False).encode(errors="surrogatepass")


def _fingerprint(body: bytes, format: str | None) -> str:
    # PERF: the bytes, not a canonical form of them: parsing 10 MB twice would cost more than the creations.
    digest = hashlib.sha256(body).hexdigest()
    return digest if format is None else f"{format} {digest}"


def _ndjson_lines(body: bytes) -> list[_Line]:
    """Return the lines that are not blank; each keeps its number."""
    texts = enumerate(body.split(b"\n"), start=1)
    return [_Line(number, text) for number, text in texts if text.strip()]


def _array_lines(body: bytes) -> list[_Line]:
    """Return the elements of a JSON array as they were written.

    They are cut apart first and read strictly one by one, so that each has
    the limits of a task and a wrong one fails alone.

    Raises:
        InvalidJson: the array itself cannot be read.
        InvalidBody: it is not an array.
    """
    text = _decoded(body)
    at = _skip_space(text, 0)
    if text[at : at + 1] != "[":
        raise InvalidBody("The body must be a JSON array of tasks, or NDJSON with that Content-Type.")
    lines: list[_Line] = []
    at = _skip_space(text, at + 1)
    if text[at : at + 1] == "]":
        at += 1
    else:
        at = _cut(text, at, lines)
    if _skip_space(text, at) != len(text):
        raise InvalidJson(f"The body is not JSON at character {at + 1}.")
    return lines


def _cut(text: str, at: int, lines: list[_Line]) -> int:
    """Append the elements that start at `at`, and return where the array ends."""
    while True:
        at = _skip_space(text, at)
        try:
            _, end = _DECODER.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError) as error:
            where = error.pos if isinstance(error, json.JSONDecodeError) else at
            raise InvalidJson(f"The body is not JSON at character {where + 1}, in element {len(lines) + 1}.") from None
        lines.append(_Line(len(lines) + 1, text[at:end].encode()))
        at = _skip_space(text, end)
        following = text[at : at + 1]
        if following == "]":
            return at + 1
        if following != ",":
            raise InvalidJson(f"The body is not JSON at character {at + 1}, after element {len(lines)}.")
        at += 1


def _decoded(body: bytes) -> str:
    if body.startswith(b"\xef\xbb\xbf"):
        raise InvalidJson("The body starts with a byte order mark; send UTF-8 without one.")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidJson(f"The body is not UTF-8 at byte {error.start}.") from None


def _skip_space(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at


def _result(req: ApiRequest, line: _Line, result: Task | WorkersAIError) -> dict[str, Any]:
    if isinstance(result, WorkersAIError):
        problem = problems.document(result, req)
        return {"line": line.number, "status": problem["status"], "error": problem}
    return {"line": line.number, "status": 201, "external_id": result.external_id}


def _answer(kind: str, results: list[dict[str, Any]]) -> bytes:
    if kind == JSON:
        return documents.to_json(results)
    return b"".join(documents.to_json(result) + b"\n" for result in results)
