"""The predecessor's package path."""
