curl -i http://localhost:3000/health
