"""What can go wrong, as a tree.

    PolicywireError
    ├── ConfigError       the configuration or a theme cannot be used; nothing was read
    ├── RunError          the run as a whole failed; nothing of it is visible
    ├── LedgerError       what earlier runs saw cannot be asked or told (pipeline.ledger)
    ├── FetchError        this one feed or page could not be had (pipeline.web)
    └── RecordError       this one item can never work; it becomes a dead letter

A `RecordError` costs its own item alone. Any other exception inside a stage is
a fault of the program or of the machine: it fails the bundle, and the runner
retries or gives up.
"""

from enum import StrEnum
from typing import ClassVar


class Reason(StrEnum):
    """Why an item became a dead letter. The set is closed: consumers may switch on it."""

    UNREADABLE = "unreadable"  # missing, a directory, no permission, an I/O error
    EMPTY = "empty"  # nothing in the file, or a feed without entries
    TOO_LARGE = "too_large"  # over a size limit of the configuration
    TRUNCATED = "truncated"  # ended before its format says it may
    UNKNOWN_FORMAT = "unknown_format"  # neither name nor content tells what it is
    BAD_ENCODING = "bad_encoding"  # bytes that the declared encoding does not allow
    MALFORMED_JSON = "malformed_json"
    MALFORMED_TABLE = "malformed_table"  # CSV, TSV or Parquet
    MALFORMED_FEED = "malformed_feed"
    UNSAFE_XML = "unsafe_xml"  # entity definitions, external DTDs
    TOO_DEEP = "too_deep"  # nested deeper than any article is
    DUPLICATE_KEYS = "duplicate_keys"  # one JSON object says two things of one name
    WRONG_TYPE = "wrong_type"  # a field holds a value of another type than its name promises
    NO_ARTICLE = "no_article"  # neither a title nor a text was found

    # Of a feed or page that could not be fetched:
    BAD_URL = "bad_url"  # neither http nor https, or with a user name in it
    NO_ADDRESS = "no_address"  # the name of the host does not resolve
    FORBIDDEN_ADDRESS = "forbidden_address"  # not of the public internet, and not allowed
    UNREACHABLE = "unreachable"  # refused, reset, a certificate that is not valid, no HTTP
    TIMED_OUT = "timed_out"
    HTTP_ERROR = "http_error"  # answered with a status that is no success
    GONE = "gone"  # status 410: the publisher says that it will not come back
    BAD_REDIRECT = "bad_redirect"  # in a circle, too often, or to something else than a web page
    BAD_RESPONSE = "bad_response"  # a body that breaks off, or not coded as it says
    NOT_ALLOWED = "not_allowed"  # by the robots.txt of the host


class PolicywireError(Exception):
    """Base of all errors that policywire raises on purpose.

    Attributes:
        exit_code: What the command exits with; docs/commands.md lists them all.
    """

    exit_code: ClassVar[int] = 1


class ConfigError(PolicywireError):
    """A configuration or theme file that cannot be used.

    Attributes:
        problems: One line each, `file:line: field: what is wrong`, in file order.
    """

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RunError(PolicywireError):
    """A run that failed as a whole and left nothing visible."""


class RecordError(PolicywireError):
    """One item that can never work.

    Attributes:
        reason: The code that goes into the dead letter.
        detail: A sentence for a person; names the value and the place.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type["RecordError"], tuple[Reason, str]]:
        return type(self), (self.reason, self.detail)
