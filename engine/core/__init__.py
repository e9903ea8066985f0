"""Pure data and ports shared by every layer: no I/O, no third-party import, nothing mutable at module level."""
