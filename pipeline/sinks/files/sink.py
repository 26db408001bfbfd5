"""Runs as files: one a table and run, or one a table, partition and run."""

from collections import defaultdict
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.sinks.base import Delivery
from pipeline.sinks.files.encoding import arrow_table, encode
from pipeline.sinks.files.settings import FilesSettings
from pipeline.sinks.places import Place
from pipeline.sinks.rows import TABLES, run_name


class FilesSink:
    """Writes each run's tables; a file's name holds the run's, so that a repeat replaces it."""

    def __init__(self, settings: FilesSettings, place: Place) -> None:
        self._settings = settings
        self._place = place

    def deliver(self, delivery: Delivery, /) -> None:
        form = self._settings.format
        file = f"{run_name(delivery.run)}.{form}"
        for name in self._settings.tables:
            row, rows_of, moment = TABLES[name]
            table = arrow_table(row, rows_of(delivery.run))
            for folders, rows in self._partitions(table, moment):
                self._place.write("/".join([name, *folders, file]), encode(rows, form))

    def close(self) -> None:
        """Nothing is held."""

    def _partitions(self, table: pa.Table, moment: str) -> Iterator[tuple[list[str], pa.Table]]:
        """The rows of each partition that has any, and the folders that name it as in Hive.

        As in Hive, too, its rows have no column for what the folders say.
        """
        keys = {
            "day": pc.cast(table[moment], pa.date32()),
            "theme": table["theme"] if "theme" in table.column_names else None,
        }
        named = [name for name in self._settings.partition_by if keys[name] is not None]
        if not named:
            if table.num_rows:
                yield [], table
            return
        values = zip(*(keys[name].to_pylist() for name in named), strict=True)
        places: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for number, value in enumerate(values):
            places[value].append(number)
        rest = table.select([name for name in table.column_names if name not in named])
        for value, numbers in sorted(places.items()):
            folders = [f"{name}={one}" for name, one in zip(named, value, strict=True)]
            yield folders, rest.take(numbers)
