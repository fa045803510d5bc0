"""The pure core: values in, values out. It knows no I/O, no clock, no randomness and no logging."""
