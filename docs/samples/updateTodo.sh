# If-Match: the ETag that you read.
curl -i -X PATCH http://localhost:3000/todos/01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e \
  -H 'Content-Type: application/merge-patch+json' \
  -H 'If-Match: "1"' \
  -d '{"status": "completed", "deadline": null}'
