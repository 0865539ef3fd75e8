"""Attack files, in tables: what each is, how it is made, and what a refusal should name.

Payloads are inert: the most that any could do is to create a marker file, whose path is given when
the file is made. Nothing here is run by importing it; see ``tests/test_attacks.py``.

``case.py``       what a case is
``assembler.py``  pickles from expressions and opcodes
``tables.py``     all cases, gathered
others            the cases, one subject each
``runner.py``     the program that tries them, each in a process of its own
"""
