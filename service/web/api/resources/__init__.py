"""The resources of the API; OPERATIONS lists what can be done with them."""

from service.web.api.operations import Operation
from service.web.api.resources.feeds import FEED_OPERATIONS
from service.web.api.resources.issues import ISSUE_OPERATIONS
from service.web.api.resources.newsletters import NEWSLETTER_OPERATIONS
from service.web.api.resources.sends import SEND_OPERATIONS
from service.web.api.resources.subscribers import SUBSCRIBER_OPERATIONS
from service.web.api.resources.summaries import ARTICLE_OPERATIONS

OPERATIONS: tuple[Operation, ...] = (
    *NEWSLETTER_OPERATIONS,
    *ISSUE_OPERATIONS,
    *SEND_OPERATIONS,
    *SUBSCRIBER_OPERATIONS,
    *FEED_OPERATIONS,
    *ARTICLE_OPERATIONS,
)
"""All operations, in the order of the reference."""
