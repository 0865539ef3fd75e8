"""One module for each folder of ``files/``: ``make(book)`` writes it, with its framework."""
