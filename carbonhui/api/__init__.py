"""The REST API under /v1 (Articles 10-13): its foundations, and the table of who may do what.

Every route is declared by `operation`. A request is read strictly, its caller known
and permitted, its work done in one transaction, its answer kept under the caller's
key, and every error told as problem details (RFC 9457).
"""

from carbonhui.api.answers import forget_answers, purge_answers
from carbonhui.api.application import create_app, document, operations_of
from carbonhui.api.services import Services
from carbonhui.api.serving import serve

__all__ = ["Services", "create_app", "document", "forget_answers", "operations_of", "purge_answers", "serve"]
