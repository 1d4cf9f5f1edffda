import requests

response = requests.delete(
    "http://localhost:3000/todos",
    # Only the completed ones; without this, all of them.
    params={"completed": "true"},
    timeout=10,
)
response.raise_for_status()
