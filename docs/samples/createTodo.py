import uuid

import requests

response = requests.post(
    "http://localhost:3000/todos",
    # Makes it safe to send again after a time-out.
    headers={"Idempotency-Key": str(uuid.uuid4())},
    json={"title": "Water the plants", "status": "pending"},
    timeout=10,
)
response.raise_for_status()
print(response.json()["url"])
