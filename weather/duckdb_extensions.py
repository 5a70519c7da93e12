"""Install DuckDB's extensions from Python packages, because DuckDB would download them."""

import shutil
import sys
from importlib.resources import as_file, files
from pathlib import Path

import duckdb

from weather.ducklake import EXTENSIONS


def install_extensions(folder: Path) -> None:
    """Copy the lake's extensions into `folder`, for DuckDB's setting `extension_directory`.

    DuckDB's own INSTALL would need a home folder.
    """
    with duckdb.connect(config={"extension_directory": str(folder)}) as connection:
        version, platform = connection.execute(
            "SELECT library_version, (SELECT platform FROM pragma_platform()) FROM pragma_version()"
        ).fetchall()[0]
        target = folder / version / platform
        target.mkdir(parents=True, exist_ok=True)
        for name in EXTENSIONS:
            package = files(f"duckdb_extension_{name}") / "extensions" / version
            with as_file(package / f"{name}.duckdb_extension") as source:
                unfinished = target / f"{name}.unfinished"
                shutil.copyfile(source, unfinished)
                unfinished.replace(target / source.name)
            connection.execute(f"LOAD {name}")


if __name__ == "__main__":
    install_extensions(Path(sys.argv[1]))
