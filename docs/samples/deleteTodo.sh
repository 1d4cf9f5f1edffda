# If-Match: the ETag that you read. Without it,
# whatever is there is deleted.
curl -i -X DELETE http://localhost:3000/todos/01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e \
  -H 'If-Match: "1"'
