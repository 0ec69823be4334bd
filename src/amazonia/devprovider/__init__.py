"""The development provider: an OpenAI-compatible server that fails in every known way on request.

It imports nothing of the game, so what it proves about the game it proves from outside.
"""
