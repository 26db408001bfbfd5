"""What stands in a cell of a CSV file."""

from datetime import datetime


def cell(value: object) -> object:
    """Times in UTC as ISO 8601, None empty, and nothing that a spreadsheet takes for a formula."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
