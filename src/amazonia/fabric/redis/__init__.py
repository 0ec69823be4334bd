"""What processes of any machine share through Redis, as long as Redis answers quickly."""
