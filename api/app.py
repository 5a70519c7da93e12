"""The API with the settings of the environment: `uvicorn api.app:app`."""

import sys

from api.factory import create_app
from weather.exit_codes import StepError
from weather.settings import LakeSettings, PipelineSettings, read_settings

try:
    app = create_app(read_settings(LakeSettings), read_settings(PipelineSettings).weather_locations)
except StepError as error:
    print(f"api: {error}", file=sys.stderr)
    sys.exit(error.exit_code)
