"""Cleans, normalises and analyses text: what several layers need of a language, without triggers, kinds or turns."""
