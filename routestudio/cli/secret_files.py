"""Secrets from files, as systemd, Docker and Kubernetes give them to a process.

Each file in the folder that `ROUTESTUDIO_SECRETS` or systemd's `CREDENTIALS_DIRECTORY` names is a
variable: its name that of the file, its value the text without the line breaks at its end.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from routestudio.errors import Place, UsageError

VARIABLES: Final = ("ROUTESTUDIO_SECRETS", "CREDENTIALS_DIRECTORY")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LARGEST: Final = 1 << 20


def take_secret_files(environ: MutableMapping[str, str]) -> None:
    """Add the variables of these files to `environ`; what is set there stays.

    Raises `UsageError` for a folder or file that cannot be read. Files whose name is not a
    variable's are passed over.
    """
    for variable in VARIABLES:
        folder = environ.get(variable)
        if not folder:
            continue
        try:
            files = sorted(path for path in Path(folder).iterdir() if _NAME.fullmatch(path.name))
            for path in files:
                if path.name not in environ and path.is_file():
                    environ[path.name] = _value(path)
        except OSError as error:
            place = Place(error.filename or folder)
            raise UsageError(
                f"a secret of {variable} cannot be read: {error.strerror}", place=place
            ) from None


def _value(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if len(data) > _LARGEST or "\0" in text:
        raise UsageError("the secret is not text of at most 1 MB", place=Place(str(path)))
    return text.rstrip("\r\n")
