"""docs/settings.md lists every setting with its default and description."""

import re

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tests.docs.pages import PAGES, PROJECT
from weather.schedule import ScheduleSettings
from weather.settings import DEFAULT_LOCATIONS, SettingsGroup

ROW = re.compile(r"^\| `([A-Z_]+)` \| (.*?) \| (.*) \|$", re.MULTILINE)


def fields(group: type[SettingsGroup] = SettingsGroup) -> dict[str, FieldInfo]:
    """Return all settings of the code by the names of their variables."""
    found = {name.upper(): field for name, field in group.model_fields.items()}
    for subclass in group.__subclasses__():
        found |= fields(subclass)
    return found


def default(field: FieldInfo) -> str:
    """Return the default as the page shows it."""
    if field.default is PydanticUndefined:
        return "required"
    if field.default is None:
        return ""
    if field.default == DEFAULT_LOCATIONS:
        return f"`{DEFAULT_LOCATIONS.relative_to(PROJECT)}`"
    return f"`{field.default}`"


def test_the_table_lists_all_settings() -> None:
    rows = {
        name: (shown, description)
        for name, shown, description in ROW.findall(PAGES["docs/settings.md"])
    }
    assert rows.keys() >= {name.upper() for name in ScheduleSettings.model_fields}
    assert rows == {name: (default(field), field.description) for name, field in fields().items()}
