# The key, a new one each time, makes it safe to repeat.
curl -i http://localhost:3000/todos \
  -H 'Content-Type: application/json' \
  -H 'Idempotency-Key: 5f3a9c1e-6a57-4c0e-8a51-2f6f0c1d9b7e' \
  -d '{"title": "Water the plants", "status": "pending"}'
