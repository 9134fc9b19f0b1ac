"""Guides that are run word by word: what a guide tells its reader to write and to type, done as it stands there.

A guide stays plain Markdown. Two kinds of its blocks are steps:

- ```console: a line that begins with `$ ` is a command, which goes on in the next line after a backslash at its end.
  The lines below are all that it prints, both ways. `...` alone on a line stands for any lines, within a line for any
  text. A command that shows an `error: ` fails; every other ends with 0.
- ```yaml right below a line that ends with a path in backticks and a colon: the block is the whole of that file.

All other blocks are for the reader alone. Each command runs in a shell of its own, from the project's folder.
"""

from __future__ import annotations

import difflib
import re
import subprocess
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.process import ENVIRONMENT, ROOT

GUIDES = ("my-first-service", "tenant-from-zero", "my-first-model")
"""Those below docs/guides that are run, in the order of the tests."""
OPERATOR: Mapping[str, str] = {
    **{name: value for name, value in ENVIRONMENT.items() if name != "KUBECONFIG"},
    "COLUMNS": "120",  # tables are as wide as the terminal
}
"""What a reader has: the project's programs. What else a command needs, the guide has to say."""
LIMIT_S = 240
"""Seconds that one command may take."""
_TOO_LONG = 124
"""What `timeout` ends with."""
_ANY = "..."
_FILE = re.compile(r"`([^`]+)`:$")


class GuideError(AssertionError):
    """A guide cannot be read, or does not do what it says; names its line."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """Something to type, and what it is said to print."""

    line: int
    text: str
    expected: tuple[str, ...]

    @property
    def must_fail(self) -> bool:
        """Whether the guide shows that it is refused."""
        return any(line.startswith("error: ") for line in self.expected)


@dataclass(frozen=True, kw_only=True)
class Written:
    """A file to write, as a whole."""

    line: int
    path: str
    """Relative to the project."""
    text: str


Step = Command | Written


def guide_path(name: str) -> Path:
    """Where a guide stands."""
    return ROOT / "docs" / "guides" / f"{name}.md"


def read(text: str) -> tuple[Step, ...]:
    """The steps of a guide in order. Raises GuideError for a block that cannot be told."""
    steps: list[Step] = []
    for line, language, above, body in _blocks(text.splitlines()):
        if language == "console":
            steps += _commands(line, body)
        elif language == "yaml" and (file := _FILE.search(above)):
            steps.append(Written(line=line, path=file[1], text="".join(f"{each}\n" for each in body)))
    return tuple(steps)


def _blocks(lines: Sequence[str]) -> Iterator[tuple[int, str, str, list[str]]]:
    """Number of the first line, language, text above and lines of each fenced block."""
    above, begin, language = "", 0, ""
    body: list[str] = []
    for number, line in enumerate(lines, start=1):
        if begin and line == "```":
            yield begin, language, above, body
            begin, above, body = 0, "", []
        elif begin:
            body.append(line)
        elif line.startswith("```"):
            begin, language = number + 1, line.removeprefix("```").strip()
        elif line.strip():
            above = line.rstrip()
    if begin:
        raise GuideError(f"line {begin - 1}: the block is not closed")


def _commands(first: int, body: Sequence[str]) -> Iterator[Command]:
    if not body or not body[0].startswith("$ "):
        raise GuideError(f"line {first}: a console block begins with a command, and a command with `$ `")
    numbered = iter(enumerate(body, start=first))
    line, text, expected = first, "", list[str]()
    for number, shown in numbered:
        if not shown.startswith("$ "):
            expected.append(shown.rstrip())
            continue
        if text:
            yield Command(line=line, text=text, expected=tuple(expected))
        line, text, expected = number, shown.removeprefix("$ "), []
        while text.endswith("\\"):
            number, more = next(numbered, (number, None))
            if more is None:
                raise GuideError(f"line {number}: the command goes on, and the block ends")
            text += f"\n{more}"
    yield Command(line=line, text=text, expected=tuple(expected))


def matches(expected: Sequence[str], came: Sequence[str]) -> bool:
    """Whether lines are as a guide shows them."""
    parts: list[list[str]] = [[]]
    for line in expected:
        if line.strip() == _ANY:
            parts.append([])
        else:
            parts[-1].append(line)
    if len(parts) == 1:
        return len(came) == len(expected) and _is_here(expected, came, 0)
    begin, *between, end = parts
    at = len(begin)
    last = len(came) - len(end)
    if last < at or not _is_here(begin, came, 0) or not _is_here(end, came, last):
        return False
    for part in between:  # the first place that fits leaves the most room for what follows
        found = next((i for i in range(at, last - len(part) + 1) if _is_here(part, came, i)), None)
        if found is None:
            return False
        at = found + len(part)
    return True


def _is_here(part: Sequence[str], came: Sequence[str], at: int) -> bool:
    return all(_is_line(line, found) for line, found in zip(part, came[at : at + len(part)], strict=True))


def _is_line(expected: str, came: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in expected.split(_ANY))
    return re.fullmatch(pattern, came) is not None


def difference(expected: Sequence[str], came: Sequence[str]) -> str:
    """What came (`+`) in place of what is shown (`-`). What dots stand for is told as it came, and not as a difference."""
    resolved = [line if line.strip() == _ANY else _first_like(line, came) for line in expected]
    told: list[str] = []
    for _, begin, end, first, last in difflib.SequenceMatcher(None, resolved, came, autojunk=False).get_opcodes():
        shown, found = resolved[begin:end], came[first:last]
        if shown == found or {line.strip() for line in shown} == {_ANY}:
            told += [f"  {line}" for line in found]
        else:
            told += [*(f"- {line}" for line in shown), *(f"+ {line}" for line in found)]
    return "\n".join(told)


def _first_like(line: str, came: Sequence[str]) -> str:
    return next((found for found in came if _is_line(line, found)), line)


def run_step(step: Step, *, folder: Path = ROOT, environment: Mapping[str, str] = OPERATOR) -> None:
    """Do a step. Raises GuideError with its line, what was shown and what came."""
    if isinstance(step, Written):
        (folder / step.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / step.path).write_text(step.text)
        return
    done = subprocess.run(
        ["timeout", "--kill-after=5", str(LIMIT_S), "bash", "-c", step.text],  # ends what the shell started, too
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    came = [line.rstrip() for line in done.stdout.splitlines()]
    print(f"$ {step.text}  -> {done.returncode}\n{done.stdout}")
    if done.returncode == _TOO_LONG:
        raise GuideError(f"line {step.line}: $ {step.text}\ndid not end within {LIMIT_S} s:\n{done.stdout}")
    if (done.returncode != 0) is not step.must_fail:
        wanted = "an error" if step.must_fail else "0"
        raise GuideError(
            f"line {step.line}: $ {step.text}\nended with {done.returncode}, not with {wanted}:\n{done.stdout}"
        )
    if not matches(step.expected, came):
        raise GuideError(f"line {step.line}: $ {step.text}\n{difference(step.expected, came)}")


@contextmanager
def kept(steps: Iterable[Step], *, folder: Path = ROOT) -> Generator[None]:
    """Put the files that a guide writes back as they were before it. Raises GuideError if it did not do so itself."""
    paths = sorted({folder / step.path for step in steps if isinstance(step, Written)})
    before = {path: _content(path) for path in paths}
    try:
        yield
        left = [str(path.relative_to(folder)) for path in paths if _content(path) != before[path]]
        if left:
            raise GuideError(f"it ends, and does not put back {', '.join(left)}")
    finally:
        for path, content in before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def follow(name: str, *, folder: Path = ROOT) -> None:
    """Do all that a guide says. Raises GuideError with its path; the files that it writes are then as before it."""
    path = guide_path(name)
    try:
        steps = read(path.read_text())
        with kept(steps, folder=folder):
            for step in steps:
                run_step(step, folder=folder)
    except GuideError as error:
        raise GuideError(f"{path.relative_to(ROOT)}, {error}") from None
