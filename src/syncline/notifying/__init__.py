"""Questions find their people: what is told to whom, when, and what becomes of it, beside the worker.

The state says which questions are open; what goes out is stored before it leaves, and its outcome after. What a mail or
message says is the composer's matter, how it travels the notifier's.
"""

from syncline.notifying.composing import Composer
from syncline.notifying.post import Post

__all__ = ["Composer", "Post"]
