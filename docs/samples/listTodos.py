import requests

url = "http://localhost:3000/todos?status=pending&sort=deadline"
while url:
    response = requests.get(url, timeout=10)
    response.raise_for_status()
    for todo in response.json():
        print(todo["deadline"], todo["title"])
    url = response.links.get("next", {}).get("url")
