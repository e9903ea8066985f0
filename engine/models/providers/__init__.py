"""External models: one module a vendor, and what they share."""
