"""Format the text of a function; its meaning stays the same."""

from __future__ import annotations

import ast
import warnings

from routestudio.errors import UsageError
from routestudio.model.function import Language


def formatted(code: str, language: Language) -> str:
    """The text in Black's style. Raises `UsageError`, which says why, for a text it refuses."""
    if language is not Language.PYTHON:
        raise UsageError(
            f"there is no formatter for {language.value.title()} functions here",
            hint="format the file with `mix format`, which comes with Elixir",
        )
    # Black takes a third of a second to load.
    import black
    from black.parsing import InvalidInput

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
            return black.format_str(code, mode=black.Mode())
    except SyntaxError as error:
        place = f"line {error.lineno}: " if error.lineno else ""
        raise UsageError(f"cannot be formatted: {place}{error.msg}",
                         hint="correct the text first") from None  # fmt: skip
    except (InvalidInput, ValueError, AssertionError) as error:
        text = str(error).splitlines()[0] if str(error) else "the text is not understood"
        raise UsageError(f"cannot be formatted: {text}") from None
    except (RecursionError, MemoryError):
        raise UsageError("cannot be formatted: the code is nested too deeply") from None
