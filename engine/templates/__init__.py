"""Jinja, kept on a short leash: templates render in a sandbox, and conditions never run in Jinja at all."""
