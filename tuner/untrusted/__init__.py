"""Files that anybody may have written: how much is read of them, and what they may say.

`sizes.py` refuses by size, unread; `arrays.py` reads `.npz` files, `checked_json.py` JSON, `saved_model.py` `.keras`
files, in which `plain_keras.py` says what may be described.
"""
