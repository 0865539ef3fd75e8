"""What must hold of arguments and states, where a name alone does not make a call safe.

A safe list names these functions. A ``call_check`` gets ``(args, kwargs)``, a ``state_check`` gets
``(state, instance)``; each returns a reason to refuse, or ``None``.
"""
