"""Decides which canned reply an utterance gets: pure text in, ranked candidates out, no YAML, no vendor SDK, no I/O.

normalise.normalise(text)                -> str                  the form that is compared, stored and shown
normalise.steps(text)                    -> ((stage, text), ...) the same pipeline, stage by stage
forms.lexicon(address, synonyms)         -> Lexicon              a pipeline's own words
forms.takes(text, lexicon)               -> (Form, ...)          the whole text, and its parts that may decide alone
compare.score(query, trigger)            -> float                0-100, by letters
compare.compare(query, trigger)          -> Comparison           by words: what stands on one side only
refusals.refusal(compared)               -> str | None           why a close trigger is still the wrong one
index.TriggerIndex.build(triggers)       -> TriggerIndex         or `stored(sections)`, of a compiled pipeline
TriggerIndex.candidates(text, threshold) -> Iterator[Candidate]  best first: score, priority, file order
TriggerIndex.explain(text, threshold)    -> (Candidate, ...)     the refused ones too, and why

docs/decisions/0003-matching.md tells why it is made like this, with figures.
"""
