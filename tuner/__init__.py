"""Which Keras image classifier is best, and is it really better?

The rooms and the way of the data are described in ARCHITECTURE.md. Importing this package imports neither
Keras nor TensorFlow: both take seconds, and `tuner list` should not.
"""

__version__ = "0.1.0"
