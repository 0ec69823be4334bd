"""For `gunicorn -c gunicorn_config.py`; `amazonia serve` uses the same values."""

import os

from amazonia.serve import gunicorn_settings
from amazonia.settings import read_settings

globals().update(gunicorn_settings(read_settings(os.environ)))
