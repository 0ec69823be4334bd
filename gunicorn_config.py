"""For `gunicorn -c gunicorn_config.py`; `amazonia serve` uses the same values.

The values come from the environment, read once and checked; here stands why each is what it is.
"""

import os
from pathlib import Path

from dotenv import load_dotenv

from amazonia.serve import gunicorn_settings
from amazonia.settings import read_settings

load_dotenv(Path(".env"), interpolate=False)
_ours = gunicorn_settings(read_settings(os.environ))

# Where, and what.
bind = _ours["bind"]  # loopback: a proxy in front, or `amazonia serve --host`, decides who may come
backlog = _ours["backlog"]  # a class that presses the key at once waits in line, not in retries
wsgi_app = _ours["wsgi_app"]  # a factory: nothing is opened at import
preload_app = _ours["preload_app"]  # the cases are read once, and workers share that memory

# Who serves.
worker_class = _ours["worker_class"]  # GUNICORN_WORKER_CLASS: waiting turns cost no thread in asgi
workers = _ours["workers"]  # GUNICORN_WORKERS: one for each core; a turn waits, it does not work
threads = _ours["threads"]  # GUNICORN_THREADS: of gthread only; the others need none to serve
asgi_lifespan = _ours["asgi_lifespan"]  # a worker that cannot open its database must not serve
asgi_disconnect_grace_period = _ours["asgi_disconnect_grace_period"]  # who left is noticed at once
limit_request_line = _ours["limit_request_line"]  # the longest that Gunicorn checks at all

# How long.
timeout = _ours["timeout"]  # 60 s without a heartbeat: the process hangs (turns do not hold it)
graceful_timeout = _ours["graceful_timeout"]  # above the turn deadline: what is asked is answered
keepalive = _ours["keepalive"]  # longer than a proxy's (60 s), which then never meets a closed line
max_requests = _ours["max_requests"]  # a leak ends with its worker; 1000 would recycle every minute
max_requests_jitter = _ours["max_requests_jitter"]  # 20 %: workers do not leave together
worker_tmp_dir = _ours["worker_tmp_dir"]  # in memory: a heartbeat on a slow disk looks like a death

# What it says, and to whom.
logger_class = _ours["logger_class"]  # one format for all that is logged
loglevel = _ours["loglevel"]  # Gunicorn's warnings; the game logs its own events
control_socket_disable = _ours["control_socket_disable"]  # signals are enough, nothing else listens
on_starting = _ours["on_starting"]  # the log and the counters are there before any worker
when_ready = _ours["when_ready"]  # after the preload: what was read stays shared by the workers
on_reload = _ours["on_reload"]  # HUP: said in the log, so that a reader knows who asked for it
post_fork = _ours["post_fork"]  # for those who count processes
child_exit = _ours["child_exit"]  # and for what a dead process leaves behind
