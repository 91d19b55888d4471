"""The code blocks of a Markdown page, and what they show being true.

A fenced block is run by its language: ``python`` in one namespace per page,
``bash`` and ``ruby`` as programs of their own. What stands around it says more:

    ```json output                  what the block before printed; "…" stands for anything
    <!-- not run: REASON -->        before a block that cannot be run here
    <!-- file: PATH -->             before a block that is only quoted, from a file of the repository
    <!-- check … -->                Python that checks what the page has said so far
    <!-- check ruby … -->           Ruby that is run after the Ruby block before it
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).parents[2]
RUN = ("python", "bash", "ruby")
SHOWN = ("text", "mermaid", "json", "toml", "ini", "yaml", "nginx", "html")

_FENCE = re.compile(r"(?P<indent> *)```(?P<info>[^`]*)$")
_COMMENT = re.compile(r"<!-- (?P<kind>check ruby|check|not run:|file:)(?P<text>.*)$", re.DOTALL)
_TIMEOUT_S = 180
_ANYTHING = "…"


@attrs.frozen(kw_only=True)
class Block:
    """One piece of a page."""

    kind: str
    """A language, or ``check``, ``check ruby``."""
    code: str
    line: int
    output: bool = False
    skipped: str | None = None
    file: str | None = None

    @property
    def runs(self) -> bool:
        """Whether a reader runs it; what is quoted from a file is tested where the file is."""
        return self.kind.split()[0] in (*RUN, "check") and self.skipped is None and self.file is None


def pages() -> list[Path]:
    """Return every page that a reader may open."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return sorted(found)


def blocks(text: str) -> Iterator[Block]:
    """Give the blocks of a page in their order."""
    lines = text.splitlines()
    skipped = file = None
    n = 0
    while n < len(lines):
        start = n
        comment = _COMMENT.match(lines[n])
        fence = _FENCE.match(lines[n])
        if comment:
            while "-->" not in lines[n]:
                n += 1
            content = "\n".join(lines[start : n + 1])[len(comment["kind"]) + 5 :].rpartition("-->")[0]
            if comment["kind"].startswith("check"):
                yield Block(kind=comment["kind"], code=content.strip("\n"), line=start + 1)
            elif comment["kind"] == "file:":
                file = content.strip()
            else:
                skipped = content.strip()
        elif fence:
            closing = fence["indent"] + "```"
            n = lines.index(closing, n + 1)
            kind, _, rest = fence["info"].strip().partition(" ")
            code = "\n".join(line.removeprefix(fence["indent"]) for line in lines[start + 1 : n])
            yield Block(kind=kind, code=code, line=start + 1, output=rest == "output", skipped=skipped, file=file)
            skipped = file = None
        n += 1


def same(shown: Any, real: Any) -> bool:
    """Return whether a real answer is what a page shows; ``…`` stands for anything, as a key for further keys."""
    if shown == _ANYTHING:
        return True
    if isinstance(shown, dict) and isinstance(real, dict):
        more = _ANYTHING in shown
        names = [name for name in shown if name != _ANYTHING]
        return (more or names == list(real)) and all(name in real and same(shown[name], real[name]) for name in names)
    if isinstance(shown, list) and isinstance(real, list):
        if shown and shown[-1] == _ANYTHING:
            shown, real = shown[:-1], real[: len(shown) - 1]
        return len(shown) == len(real) and all(map(same, shown, real))
    if isinstance(shown, str) and isinstance(real, str):
        return bool(re.fullmatch(".*".join(map(re.escape, shown.split(_ANYTHING))), real, re.DOTALL))
    return type(shown) is type(real) and shown == real


@attrs.define
class Reader:
    """Somebody who does what a page says, in an empty folder.

    Args:
        folder: Where programs run.
        words: What to put in the place of the page's placeholders.
        environment: What programs see.
    """

    folder: Path
    words: dict[str, str]
    environment: Mapping[str, str]
    said: str = ""
    """What the last block printed."""
    names: dict[str, Any] = attrs.field(factory=lambda: {"__name__": "page"})
    _ruby: str = ""

    def follow(self, page: Path) -> int:
        """Run every block of a page and return how many were run.

        Raises:
            AssertionError: one fails, or prints something else than the page shows.
        """
        done = 0
        for block in blocks(page.read_text(encoding="utf-8")):
            where = f"{page.relative_to(ROOT)}:{block.line}"
            if block.file is not None:
                quoted = (ROOT / block.file).read_text(encoding="utf-8")
                assert block.code in quoted, f"{where} is no longer what {block.file} says"
            if block.runs:
                self._run(block, where)
                done += 1
            else:
                self._look_at(block, where)
        return done

    def _run(self, block: Block, where: str) -> None:
        code = self._filled_in(block.code)
        if block.kind in ("python", "check"):
            self._run_python(code, where, shown=block.kind == "python")
        elif block.kind == "bash":
            self.said = self._run_program(["bash", "-euo", "pipefail", "-c", code], where)
        else:
            self._ruby = code if block.kind == "ruby" else f"{self._ruby}\n{code}"
            self.said = self._run_program(["ruby", "-w", "-e", self._ruby], where)
        self._remember()

    def _run_python(self, code: str, where: str, *, shown: bool) -> None:
        printed = io.StringIO()
        path, line = where.rsplit(":", 1)
        padded = "\n" * int(line) + code  # so that a traceback names the line of the page
        self.names["said"] = self.said
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(printed):
            exec(compile(padded, path, "exec"), self.names)
        if shown:
            self.said = printed.getvalue()

    def _run_program(self, command: list[str], where: str) -> str:
        ran = subprocess.run(
            command,
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        assert ran.returncode == 0, f"{where} fails with {ran.returncode}:\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def _look_at(self, block: Block, where: str) -> None:
        assert block.kind in SHOWN or block.skipped or block.file, f"{where}: {block.kind!r} blocks are never run"
        if not block.output:
            if block.kind == "json":
                json.loads(block.code)
            return
        shown = self._filled_in(block.code)
        if block.kind == "json":
            real = json.loads(self.said)
            assert same(json.loads(shown), real), f"{where} shows something else than {json.dumps(real, indent=2)}"
        else:
            assert same(shown.strip(), self.said.strip()), f"{where} shows something else than:\n{self.said}"

    def _filled_in(self, text: str) -> str:
        for placeholder, value in self.words.items():
            text = text.replace(placeholder, value)
        return text

    def _remember(self) -> None:
        """Keep the ids of the last answer, which the page calls EXTERNAL_ID and so on."""
        try:
            answer = json.loads(self.said)
        except ValueError:
            return
        found = answer[0] if isinstance(answer, list) and answer else answer
        for name in ("external_id", "assignment_id"):
            if isinstance(found, dict) and name in found:
                self.words[name.upper()] = found[name]
        if isinstance(found, dict) and "attempts" in found:
            self.words["DELIVERY_ID"] = found["id"]


def program(name: str) -> str | None:
    """Return where a program is; None when this machine has none."""
    return shutil.which(name)


def reader_environment(**more: str) -> dict[str, str]:
    """Return an environment in which `workersai` and `python` are those under test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WORKERSAI_")}
    return kept | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"} | more
