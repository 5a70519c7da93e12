"""DuckDB's extensions, from their Python packages: DuckDB itself would download them."""

from pathlib import Path

import duckdb
from duckdb_extensions import import_extension

from weather.lake import EXTENSIONS


def install_extensions(folder: Path) -> None:
    """Put the lake's extensions into `folder`, for DuckDB's setting `extension_directory`.

    Those that are there already, for this version of DuckDB, are left as they are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"extension_directory": str(folder)}) as connection:
        for name in EXTENSIONS:
            import_extension(name, con=connection)
