"""References that callers name: a form, a case; never a person."""

import re
from collections.abc import Mapping
from typing import Any

from carbonhui import privacy
from carbonhui.api.fields import Pattern, refuse

_DIGIT = "[0-9]"


class Reference(Pattern):
    """The number of a paper that is kept elsewhere; its form, as far as a document can tell it.

    That it goes by no person's number is a matter of what it means (`privacy.is_reference`),
    which the verb or the route refuses.
    """

    def __init__(self, pattern: str = privacy.REFERENCE, **options: Any) -> None:
        metadata = {"allOf": [{"pattern": _DIGIT}], **options.pop("metadata", {})}
        super().__init__(pattern, metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> str:
        text = super()._deserialize(value, attr, data, **more)
        if not re.search(_DIGIT, text):
            raise refuse("A reference has a digit at least.", "编号至少含一个数字。")
        return text
