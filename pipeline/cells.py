"""What stands in a cell of a CSV file."""

import re
from datetime import datetime
from typing import Final

FORMULA: Final = r"[=+\-@\t\r]"
"""What a spreadsheet takes for the beginning of a formula; after an apostrophe it does not."""


def cell(value: object) -> object:
    """Times in UTC as ISO 8601, None empty, and nothing that a spreadsheet takes for a formula."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, str) and re.match(FORMULA, value):
        return f"'{value}"
    return value
