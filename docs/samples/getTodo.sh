curl -i http://localhost:3000/todos/01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e
