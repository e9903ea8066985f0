"""A config-driven engine for persona chatbots: a bot is a folder of YAML, and this package interprets it."""

__version__ = "0.1.0"
