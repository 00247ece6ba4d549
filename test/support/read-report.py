"""Reads a multipart/report from standard input with Python's email package, which nobody here wrote.

Prints one JSON object: its type, its report-type, what the package finds wrong, the types of its parts, and the groups of
fields of its delivery status.
"""

import email
import email.policy
import json
import sys

message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.SMTP)
defects, status = [], []
for part in message.walk():
    defects += [repr(defect) for defect in part.defects]
    for name, value in part.items():
        defects += [f"{name}: {defect!r}" for defect in getattr(value, "defects", [])]
    if part.get_content_type() == "message/delivery-status":
        status = [dict(group.items()) for group in part.get_payload() if group.items()]
print(
    json.dumps(
        {
            "type": message.get_content_type(),
            "report": message.get_param("report-type"),
            "defects": defects,
            "parts": [part.get_content_type() for part in message.get_payload()],
            "status": status,
        }
    )
)
