"""What processes share, and what one process keeps in memory."""
