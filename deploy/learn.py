"""Learns every case now, into the `learned` folder of AMAZONIA_DATA, so that no start has to."""

from __future__ import annotations

import os

from amazonia.services import open_library
from amazonia.settings import read_settings

open_library(read_settings(os.environ))
