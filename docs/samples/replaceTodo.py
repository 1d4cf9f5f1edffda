import requests

url = "http://localhost:3000/todos/01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e"
read = requests.get(url, timeout=10)
read.raise_for_status()
response = requests.put(
    url,
    # Only if nobody else has changed it since.
    headers={"If-Match": read.headers["ETag"]},
    # What is left out gets its default.
    json={"title": "Water the cactus", "order": 3},
    timeout=10,
)
response.raise_for_status()
print(response.json()["title"])
