"""Text as words: what several layers need of a language, without triggers, kinds or turns."""
