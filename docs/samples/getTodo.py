import requests

url = "http://localhost:3000/todos/01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e"
response = requests.get(url, timeout=10)
if response.status_code == 404:
    print("It was deleted.")
else:
    response.raise_for_status()
    print(response.json()["title"], response.headers["ETag"])
