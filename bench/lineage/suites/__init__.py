"""From what a peer's tests assert to neutral cases; one module per suite."""
