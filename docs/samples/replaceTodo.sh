# If-Match: the ETag that you read.
# What is left out gets its default.
curl -i -X PUT http://localhost:3000/todos/01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e \
  -H 'Content-Type: application/json' \
  -H 'If-Match: "1"' \
  -d '{"title": "Water the cactus", "order": 3}'
