This is a text.
