"""The repository that the project is in: which files differ between two commits, and what they hold. Reads only."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from components.errors import Problem, SpecError


def changed_paths(repository: Path, base: str, head: str = "HEAD") -> tuple[str, ...]:
    """Files that differ between `head` and the commit where it left `base`, old and new name of a moved one.

    Raises SpecError if a commit or the history between both is not there.
    """
    commits = [_commit(repository, base), _commit(repository, head)]
    done = _git(repository, "diff", "--name-only", "--no-renames", "-z", f"{commits[0]}...{commits[1]}", "--")
    if done.returncode != 0:
        raise _refusal(base, "git finds no common history", done.stderr.strip())
    return tuple(sorted(path for path in done.stdout.split("\0") if path))


def unpack(repository: Path, commit: str, paths: Sequence[str], into: Path) -> None:
    """Write these paths, as they are in a commit, into a folder; a path that is not there is left out.

    Raises SpecError if the commit is not there.
    """
    found = _commit(repository, commit)
    listed = _git(repository, "ls-tree", "--name-only", "-z", found, "--", *paths).stdout
    present = [path for path in listed.split("\0") if path]
    if not present:
        return
    done = subprocess.run(
        ["git", "-C", str(repository), "archive", "--format=tar", found, "--", *present],
        capture_output=True,
        check=True,
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(into, filter="data")


def _commit(repository: Path, name: str) -> str:
    done = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if done.returncode != 0:
        raise _refusal(name, "git knows no such commit", done.stderr.strip() or "nothing of this name")
    return done.stdout.strip()


def _git(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=False, errors="replace"
    )


def _refusal(name: str, message: str, found: str) -> SpecError:
    problem = Problem(
        path=name or "--base",
        message=message,
        found=found,
        allowed="a commit, branch or tag whose history is here",
        remedy="check out the whole history (fetch-depth: 0, GIT_DEPTH: 0), or name another commit with --base",
        rule="git-history",
    )
    return SpecError("what changed is unknown", [problem])
