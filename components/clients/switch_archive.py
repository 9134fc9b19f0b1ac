"""The switch's side of a commit as one file.

Owns the packing of the package switch_agent into an archive that Python runs like a program. The same content gives
the same bytes, so that the file can be named by its digest and compared.
"""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).with_name("switch_agent")
START = "from switch_agent.command import main\n\nmain()\n"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest time that the format knows."""


@cache
def switch_archive() -> bytes:
    """The archive; not compressed, so that the switch's Python needs nothing to read it."""
    content = {"__main__.py": START}
    content |= {f"{PACKAGE.name}/{path.name}": path.read_text() for path in sorted(PACKAGE.glob("*.py"))}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, text in content.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), text)
    return packed.getvalue()
