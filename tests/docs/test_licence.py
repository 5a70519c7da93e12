"""LICENSE and NOTICE name the project's licence and every third-party part."""

import re
import tomllib
from hashlib import sha256

import yaml

from tests.docs.pages import PROJECT


def test_the_licence_matches_pyproject() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    missing = [name for name in project["license-files"] if not (PROJECT / name).is_file()]
    assert not missing
    # The hash of https://www.apache.org/licenses/LICENSE-2.0.txt.
    assert (
        sha256((PROJECT / "LICENSE").read_bytes()).hexdigest()
        == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    )


def test_the_notice_names_third_party_parts() -> None:
    notice = (PROJECT / "NOTICE").read_text(encoding="utf-8")
    vendored = re.search(r"^package=(\w+)@(\S+)", (PROJECT / "scripts/vendor").read_text(), re.M)
    assert vendored
    assert f"uPlot {vendored[2]} (api/page/uplot/)" in notice
    assert (PROJECT / "api/page/uplot/LICENSE").read_text().splitlines()[2].lower()[14:] in (
        notice.lower()
    )
    chart = yaml.safe_load((PROJECT / "chart/values.yaml").read_text())
    for image in (chart["minio"]["image"], chart["postgres"]["image"]):
        assert f"image {image.rpartition(':')[0]})" in notice
    for words in ("Open-Meteo.com", "CC BY 4.0", "CC0 1.0", "Affero", "Swagger UI"):
        assert words in notice
