"""For `gunicorn -c gunicorn_config.py`; `amazonia serve` uses the same values."""

import os
from pathlib import Path

from dotenv import load_dotenv

from amazonia.serve import gunicorn_settings
from amazonia.settings import read_settings

load_dotenv(Path(".env"), interpolate=False)
globals().update(gunicorn_settings(read_settings(os.environ)))
