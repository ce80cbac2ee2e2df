"""Lines of JSON, each read or refused with the reason."""

import json
from typing import Any


class Unreadable(ValueError):
    """A line that is no JSON, or more than is read; the text says why."""


def line_value(raw: bytes, number: int) -> Any:
    """What a line holds, the first of a file being number 1. Raises Unreadable."""
    try:
        return json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        raise Unreadable("is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"is not JSON ({error.msg} at character {error.pos + 1})") from None
    except RecursionError:
        raise Unreadable("is nested too deeply") from None
    except ValueError:
        # Python reads no longer ones: sys.get_int_max_str_digits().
        raise Unreadable("has a number of more than 4,300 digits") from None
