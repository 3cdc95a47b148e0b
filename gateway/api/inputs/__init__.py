"""What clients send, and what it means."""
