"""SQLAlchemy's engines, for what is no job: migrations and copies of whole databases."""

from __future__ import annotations

import secrets
from functools import partial

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from amazonia.store.pool import connect


def postgres_engine(url: str, patience: float) -> AsyncEngine:
    """An engine over the driver that the game uses; it works behind a pooler as well.

    Args:
        patience: seconds that the server may take to let it in.
    """
    return create_async_engine(
        "postgresql+asyncpg://",
        poolclass=NullPool,
        async_creator=partial(connect, url, patience, statement_cache_size=0),
        connect_args={
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"amazonia_{secrets.token_hex(8)}",
        },
    )
