"""The page that people look at: what the kept runs told, in files that need no server."""

from pipeline.report.writing import need_extra, write_report

__all__ = ["need_extra", "write_report"]
