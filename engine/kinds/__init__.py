"""Which kind of sentence an utterance is, by a small model learned from the examples that editors write.

features.py  a text as the n-grams that tell kinds apart
learning.py  examples to a stored model: multinomial naive Bayes
model.py     the stored model, asked for the chance of each kind
names.py     what conditions see of it
misplaced.py examples that the others would put elsewhere, and how often the model is right
"""
