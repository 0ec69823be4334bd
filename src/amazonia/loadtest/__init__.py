"""The load test: players, the servers they play against, what is measured, and how it is shown.

It imports nothing of the game: it starts the game as a process and plays over HTTP, on this
machine only. `bench/load/` holds the reference servers that the game is compared with.
"""
