"""Redaction: no secret leaves in a log line or an error text.

Owns the set of values that were resolved in this process and the shapes that secrets take in text. A
logging filter applies both to every record, so nobody has to remember to.
"""

from __future__ import annotations

import logging
import re

MASK = "***"
SHORTEST = 4
"""Values shorter than this are not masked by value: masking `a` would destroy every text."""

_NAMED = r"['\"]?[\w-]*(?:password|passwd|secret_key|private_key|token)['\"]?\s*[:=]\s*"
_SHAPES = (
    re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?(?:basic|bearer)\s+)[\w+/=.~-]+"),
    # `"secret_key": "..."` up to the closing quote, `password=...` up to the next space.
    re.compile(rf"(?i)({_NAMED}\")[^\"]+(\")"),
    re.compile(rf"(?i)({_NAMED}')[^']+(')"),
    re.compile(rf"(?i)({_NAMED})[^\s'\",}}&]+"),
    re.compile(r"(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    re.compile(r"(\w+://[^\s/:@]+:)[^\s/@]+(?=@)"),
)

_values: set[str] = set()


def register(value: str) -> str:
    """Remember a secret, so that it is masked from now on; returns it."""
    for part in (value, *value.splitlines()):
        stripped = part.strip()
        if len(stripped) >= SHORTEST and not stripped.startswith("-----"):
            _values.add(stripped)
    return value


def redact(text: str) -> str:
    """`text` with every known secret and everything in a secret's shape masked."""
    for value in sorted(_values, key=len, reverse=True):  # longest first: one may hold another
        text = text.replace(value, MASK)
    for shape in _SHAPES:
        text = shape.sub(lambda m: MASK.join(g for g in (*m.groups(), "")[:2]), text)
    return text


class RedactionFilter(logging.Filter):
    """Masks secrets in a record, its traceback included. Put it on handlers: it then sees every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = None
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True
