"""The step kinds, one module each: a step looks at one scene of a turn, and answers, continues or escalates."""
