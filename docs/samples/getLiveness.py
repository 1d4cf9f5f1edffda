import requests

response = requests.get("http://localhost:3000/health", timeout=2)
response.raise_for_status()
print(response.json()["status"])
