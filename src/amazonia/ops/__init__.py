"""Operations: health, metrics, traces, and what requests are called."""
